"""Verifying a case's chain, and a ledger against a kept checkpoint."""

from typing import Any

import pytest

from tests.ledger.specimens import ORIGIN, body, chain, ledger, numbered
from workflow.ledger import entry, merkle
from workflow.ledger.checkpoint import Checkpoint
from workflow.ledger.verify import Finding, Kind, check_chain, compare


def found(case: str, bodies: list[bytes], **options: Any) -> list[tuple[str, int]]:
    """Return what was found, and at which sequence."""
    results = check_chain(case, [(data, None) for data in bodies], **options)
    return [(item.kind, item.sequence) for item in results if isinstance(item, Finding)]


def test_an_honest_case_is_yielded_entry_by_entry() -> None:
    """No finding, and each entry opened for whoever replays it."""
    bodies = chain("HF-1", 70)
    rows = [(data, entry.leaf_hash(data) if at % 2 else None) for at, data in enumerate(bodies)]
    assert [entry.open_body(data) for data in bodies] == list(check_chain("HF-1", rows))


def test_the_stored_leaf_is_what_the_next_entry_must_name() -> None:
    """The hash handed in counts, since the tree has been compared with it."""
    bodies = chain("HF-1", 2)
    results = list(check_chain("HF-1", [(bodies[0], bytes(32)), (bodies[1], None)]))
    assert [Kind.LINK] == [item.kind for item in results if isinstance(item, Finding)]


def _second(**changes: Any) -> list[bytes]:
    """Return a case of three whose second entry has these fields, the third linked to it."""
    first = chain("HF-1", 1)[0]
    link = entry.leaf_hash(first).hex()
    moment = "2026-11-24T00:00:02.000000Z"
    second = entry.seal_body(body(sequence=2, prev=link, recorded_at=moment) | changes)
    after = entry.leaf_hash(second).hex()
    third = entry.seal_body(body(sequence=3, prev=after, recorded_at="2026-11-24T00:00:03.000000Z"))
    return [first, second, third]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"case": "HF-2"}, [(Kind.CASE, 2)]),
        ({"sequence": 5}, [(Kind.SEQUENCE, 5), (Kind.SEQUENCE, 3)]),
        ({"prev": "ab" * 32}, [(Kind.LINK, 2)]),
        ({"log": "other.example/ledger"}, [(Kind.ORIGIN, 2)]),
        ({"tenant": "fabrikam"}, [(Kind.TENANT, 2)]),
        ({"recorded_at": "2026-11-23T00:00:00.000000Z"}, [(Kind.TIME, 2)]),
        ({"recorded_at": "2026-11-25T00:00:00.000000Z"}, [(Kind.TIME, 3)]),
        ({"recorded_at": "2026-11-24T00:00:01.000000Z"}, []),
    ],
)
def test_an_entry_out_of_place_is_named(changes: dict[str, Any], expected: list[tuple[str, int]]) -> None:
    """Each rule of the envelope is held on its own, and honest neighbours are not accused."""
    assert expected == found("HF-1", _second(**changes))


def test_a_missing_entry_breaks_number_and_link() -> None:
    """Deleting from the middle is seen once, not at every entry after it."""
    bodies = chain("HF-1", 6)
    del bodies[2]
    assert [(Kind.SEQUENCE, 4), (Kind.LINK, 4)] == found("HF-1", bodies)


def test_a_missing_beginning_is_seen() -> None:
    """A history must start with the first entry."""
    assert [(Kind.SEQUENCE, 2), (Kind.LINK, 2)] == found("HF-1", chain("HF-1", 3)[1:])


def test_a_malformed_entry_is_one_finding_alone() -> None:
    """Bytes that cannot be opened are named and the walk goes on behind them."""
    first, second, *_ = chain("HF-1", 2)
    spaced = second + b" "
    link = entry.leaf_hash(spaced).hex()
    third = entry.seal_body(body(sequence=3, prev=link, recorded_at="2026-11-24T00:00:03.000000Z"))
    assert [(Kind.MALFORMED, 2)] == found("HF-1", [first, spaced, third])


def test_an_entry_of_another_log_is_seen_from_the_first() -> None:
    """With the log's names given, even a whole foreign case does not pass."""
    assert [(Kind.ORIGIN, 1), (Kind.ORIGIN, 2)] == found("HF-1", chain("HF-1", 2), origins=["other.example"])


def test_a_case_may_continue_after_a_restore_and_not_go_back() -> None:
    """Names of the log are passed through once, forwards."""
    restored, names = f"{ORIGIN}/2", [ORIGIN, f"{ORIGIN}/2"]
    first, second, _ = _second(log=restored)
    assert [] == found("HF-1", [first, second], origins=names)
    assert [(Kind.ORIGIN, 3)] == found("HF-1", _second(log=restored), origins=names)


def test_a_grown_ledger_extends_what_was_kept() -> None:
    """Every earlier checkpoint, the newest and the empty one included, agrees with the ledger."""
    specimen = ledger(numbered(20))
    kept = [Checkpoint(ORIGIN, size, merkle.root_at(size, specimen.lookup)) for size in range(21)]
    assert [None] * 21 == [compare(one, 20, specimen.lookup) for one in kept]


@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        (Checkpoint(ORIGIN, 21, bytes(32)), (Kind.TRUNCATED, 20)),
        (Checkpoint(ORIGIN, 7, bytes(32)), (Kind.REWRITTEN, -1)),
        (Checkpoint(ORIGIN, 0, bytes(32)), (Kind.REWRITTEN, -1)),
    ],
)
def test_a_ledger_that_does_not_extend_what_was_kept_is_told(kept: Checkpoint, expected: tuple[str, int]) -> None:
    """A shorter ledger and a rewritten one are different findings."""
    finding = compare(kept, 20, ledger(numbered(20)).lookup)
    assert finding is not None
    assert expected == (finding.kind, finding.index)


def test_a_missing_node_is_a_finding() -> None:
    """A store that lost a node cannot show its earlier root."""
    specimen = ledger(numbered(20))
    del specimen.nodes[2, 0]
    finding = compare(Checkpoint(ORIGIN, 7, bytes(32)), 20, specimen.lookup)
    assert finding is not None
    assert Kind.NODE == finding.kind
