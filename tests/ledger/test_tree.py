"""Verifying the tree: honest ledgers raise no alarm, wounded ones name the wound."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ledger.specimens import ORIGIN, SIGNER, STRANGER, Specimen, chain, checkpoint, ledger, numbered
from tests.ledger.test_note import WITNESS
from workflow.ledger import entry, merkle, note
from workflow.ledger.checkpoint import Checkpoint
from workflow.ledger.note import Signer
from workflow.ledger.tree import CHUNK, MAX_FINDINGS
from workflow.ledger.verify import Finding, Kind, TreeReport, check_nodes, check_tree

OTHER = Signer.generate("other.example/ledger")
RESTORED = Signer.generate(f"{ORIGIN}/2")


def check(specimen: Specimen, **changes: Any) -> TreeReport:
    """Verify a specimen with the log's own key."""
    options: dict[str, Any] = {"origins": [ORIGIN], "verifiers": [SIGNER.verifier]} | changes
    return check_tree(specimen.rows, specimen.checkpoints, **options)


def kinds(report: TreeReport) -> list[tuple[str, int]]:
    """Return what was found and where."""
    return [(finding.kind, finding.index) for finding in report.findings]


@settings(max_examples=25)
@given(st.integers(0, 40), st.integers(1, 50), st.booleans())
def test_an_honest_ledger_raises_no_alarm(count: int, every: int, each: bool) -> None:  # noqa: FBT001
    """Whatever the size and however rarely sealed: no finding, the true root, the signatures counted."""
    specimen = ledger(numbered(count), every)
    report = check(specimen, every_signature=each)
    assert ((), 0, True) == (report.findings, report.more, report.sound)
    assert (count, merkle.root_at(count, specimen.lookup)) == (report.size, report.root)
    assert len(specimen.checkpoints) == report.checkpoints
    assert (report.checkpoints if each else min(report.checkpoints, 1)) == report.checked_signatures


@pytest.mark.parametrize("count", [CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 7])
def test_large_ledgers_are_verified_in_chunks(count: int) -> None:
    """Roots within, at and across the chunks agree with a tree grown leaf by leaf, and so do all nodes."""
    specimen = ledger(numbered(count), 61)
    report = check(specimen)
    assert ((), count, specimen.checkpoints[-1][0]) == (report.findings, report.size, count)
    levels = range(1, count.bit_length())
    assert [None] * len(levels) == [check_nodes(report, level, specimen.level(level)) for level in levels]
    assert len(levels) == len(report.node_digests)
    assert check_nodes(report, count.bit_length(), []) is None


def test_a_wrong_stored_node_is_named_by_its_level() -> None:
    """A node changed, dropped or invented differs from what the entries give."""
    specimen = ledger(numbered(9))
    report = check(specimen)
    expected = Finding(Kind.NODE, "", 0, -1, "the stored nodes of level 2 are not those of the entries")
    assert expected == check_nodes(report, 2, [bytes(32), bytes(32)])
    assert expected == check_nodes(report, 2, specimen.level(2)[:1])
    first, second = specimen.level(2)[:2]
    assert expected == check_nodes(report, 2, [first + second[:1], second[1:], *specimen.level(2)[2:]])
    invented = check_nodes(report, 4, [bytes(32)])
    assert invented is not None


def test_a_checkpoint_of_the_empty_tree_is_sound() -> None:
    """A ledger may be sealed before its first entry."""
    specimen = ledger(numbered(3))
    specimen.checkpoints.insert(0, checkpoint(0, merkle.EMPTY_ROOT))
    assert () == check(specimen).findings
    assert () == check(Specimen([], [checkpoint(0, merkle.EMPTY_ROOT)])).findings


def test_without_keys_nothing_is_said_about_the_author() -> None:
    """The tree is compared all the same, and no signature counts as checked."""
    report = check(ledger(numbered(5)), verifiers=[], every_signature=True)
    assert ((), 0) == (report.findings, report.checked_signatures)


def test_checkpoints_stored_as_bytes_or_with_witnesses_are_read() -> None:
    """A note in bytes and a note with several signatures take the slower way to the same verdict."""
    specimen = ledger(numbered(4))
    size, signed = specimen.checkpoints[-1]
    assert isinstance(signed, str)
    text = note.parse(signed).text
    specimen.checkpoints[-1] = (size, note.sign(text, SIGNER, WITNESS))
    assert () == check(specimen, verifiers=[SIGNER.verifier, WITNESS.verifier]).findings
    specimen.checkpoints[-1] = (size, signed.encode())
    assert () == check(specimen).findings


def test_a_declared_restore_continues_under_its_new_name() -> None:
    """The origins may be passed through once, forwards."""
    bodies = numbered(6)
    specimen, later = ledger(bodies[:3]), ledger(bodies, signer=RESTORED)
    specimen.rows, specimen.checkpoints = later.rows, specimen.checkpoints + later.checkpoints[3:]
    options = {"origins": [ORIGIN, RESTORED.name], "verifiers": [SIGNER.verifier, RESTORED.verifier]}
    assert () == check(specimen, every_signature=True, **options).findings
    backwards = ledger(bodies, signer=RESTORED)
    backwards.checkpoints[-1] = ledger(bodies).checkpoints[-1]
    assert [(Kind.ORIGIN, 6)] == kinds(check(backwards, **options))


Wound = Callable[[Specimen], None]


def _edit(specimen: Specimen) -> None:
    index, body, leaf = specimen.rows[4]
    assert body is not None
    specimen.rows[4] = (index, body.replace(b'"met"', b'"not"'), leaf)


def _edit_with_leaf(specimen: Specimen) -> None:
    index, body, _ = specimen.rows[4]
    assert body is not None
    changed = body.replace(b'"met"', b'"not"')
    specimen.rows[4] = (index, changed, entry.leaf_hash(changed))


def _recompute(specimen: Specimen, signer: Signer = STRANGER) -> None:
    _edit_with_leaf(specimen)
    bodies = [body or b"" for _, body, _ in specimen.rows]
    specimen.checkpoints = ledger(bodies, signer=signer).checkpoints


def _unsigned_edit(specimen: Specimen) -> None:
    """Recompute everything and leave the old signature under the new text."""
    old = specimen.checkpoints
    _recompute(specimen)
    for at, (size, signed) in enumerate(specimen.checkpoints):
        assert isinstance(signed, str)
        assert isinstance(old[at][1], str)
        line = str(old[at][1]).split("\n\n")[1]
        specimen.checkpoints[at] = (size, f"{note.parse(signed).text}\n{line}")


def _swap(specimen: Specimen) -> None:
    (first, *one), (second, *two) = specimen.rows[2], specimen.rows[3]
    specimen.rows[2], specimen.rows[3] = (first, *two), (second, *one)  # type: ignore[assignment]


def _delete(specimen: Specimen) -> None:
    del specimen.rows[3]


def _renumber(specimen: Specimen) -> None:
    del specimen.rows[3]
    specimen.rows = [(index, body, leaf) for index, (_, body, leaf) in enumerate(specimen.rows)]


def _insert(specimen: Specimen) -> None:
    specimen.rows.insert(3, (3, b"x", entry.leaf_hash(b"x")))


def _empty(specimen: Specimen) -> None:
    index, _, leaf = specimen.rows[3]
    specimen.rows[3] = (index, None, leaf)


def _truncate(specimen: Specimen) -> None:
    del specimen.rows[6:]


def _truncate_all(specimen: Specimen) -> None:
    specimen.rows.clear()


def _append(specimen: Specimen) -> None:
    specimen.rows.append((8, b"x", entry.leaf_hash(b"x")))


def _unseal(specimen: Specimen) -> None:
    specimen.checkpoints.clear()


def _cut_checkpoint(specimen: Specimen) -> None:
    size, signed = specimen.checkpoints[2]
    specimen.checkpoints[2] = (size, signed[:-1])


def _misfile_checkpoint(specimen: Specimen) -> None:
    specimen.checkpoints[2] = (3, specimen.checkpoints[1][1])


def _double_checkpoint(specimen: Specimen) -> None:
    specimen.checkpoints.insert(2, specimen.checkpoints[1])


def _oddly_typed_checkpoint(specimen: Specimen) -> None:
    specimen.checkpoints.insert(2, ("3", specimen.checkpoints[2][1]))  # type: ignore[arg-type]


def _lie_once(specimen: Specimen) -> None:
    specimen.checkpoints[2] = checkpoint(3, bytes(32))


def _foreign_checkpoint(specimen: Specimen) -> None:
    root = merkle.root_at(8, specimen.lookup)
    specimen.checkpoints[-1] = checkpoint(8, root, OTHER)


def _oddly_typed_rows(specimen: Specimen) -> None:
    specimen.rows[1] = ("1", "text", None)  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("wound", "expected"),
    [
        (_edit, [(Kind.LEAF, 4), (Kind.ROOT, 4)]),
        (_edit_with_leaf, [(Kind.ROOT, 4)]),
        (_recompute, [(Kind.SIGNATURE, 8)]),
        (_unsigned_edit, [(Kind.SIGNATURE, 8)]),
        (_swap, [(Kind.ROOT, 2)]),
        (_delete, [(Kind.GAP, 3), (Kind.ROOT, 3), (Kind.TRUNCATED, 7)]),
        (_renumber, [(Kind.ROOT, 3), (Kind.TRUNCATED, 7)]),
        (_insert, [(Kind.GAP, 4), (Kind.ROOT, 3), (Kind.UNSEALED, 8)]),
        (_empty, [(Kind.MISSING, 3)]),
        (_truncate, [(Kind.TRUNCATED, 6)]),
        (_truncate_all, [(Kind.TRUNCATED, 0)]),
        (_append, [(Kind.UNSEALED, 8)]),
        (_unseal, [(Kind.UNSEALED, 0)]),
        (_cut_checkpoint, [(Kind.CHECKPOINT, 3)]),
        (_misfile_checkpoint, [(Kind.CHECKPOINT, 3)]),
        (_double_checkpoint, [(Kind.CHECKPOINT, -1)]),
        (_oddly_typed_checkpoint, [(Kind.CHECKPOINT, -1)]),
        (_lie_once, [(Kind.ROOT, 2)]),
        (_foreign_checkpoint, [(Kind.ORIGIN, 8), (Kind.SIGNATURE, 8)]),
        (
            _oddly_typed_rows,
            [(Kind.MISSING, "1"), (Kind.LEAF, "1"), (Kind.GAP, 1), (Kind.ROOT, 1)],
        ),
    ],
)
def test_each_wound_is_found_where_it_is(wound: Wound, expected: list[tuple[str, int]]) -> None:
    """Tampering of every class is found, its place is named, and nothing else is accused."""
    specimen = ledger(chain("HF-1", 8))
    wound(specimen)
    assert expected == kinds(check(specimen))


def test_every_signature_can_be_checked() -> None:
    """An old checkpoint signed by a stranger shows only when all signatures are asked for."""
    specimen = ledger(numbered(4))
    specimen.checkpoints[1] = checkpoint(2, merkle.root_at(2, specimen.lookup), STRANGER)
    assert [] == kinds(check(specimen))
    report = check(specimen, every_signature=True)
    assert ([(Kind.SIGNATURE, 2)], 3) == (kinds(report), report.checked_signatures)


def test_damage_names_the_case_that_the_bytes_still_claim() -> None:
    """Where edited bytes can still be read, the finding says whose entry it is."""
    specimen = ledger(chain("HF-1", 8))
    _edit(specimen)
    expected = Finding(Kind.LEAF, "HF-1", 5, 4, "the entry's bytes are not those that were hashed")
    assert expected == check(specimen).findings[0]


@pytest.mark.parametrize("damaged", [b"{", b"[]", b"{}", b'{"case":1,"sequence":1}', b"[" * 9000])
def test_damage_that_names_nobody_is_still_found(damaged: bytes) -> None:
    """Unreadable bytes are a finding without a case."""
    specimen = ledger(numbered(2))
    specimen.rows[1] = (1, damaged, specimen.rows[1][2])
    assert ("", 0) == (check(specimen).findings[0].case, check(specimen).findings[0].sequence)


def test_a_report_stays_small_however_great_the_damage() -> None:
    """After a hundred findings further ones are only counted."""
    specimen = ledger(numbered(150), every=150)
    specimen.rows = [(index, b"x", leaf) for index, _, leaf in specimen.rows]
    report = check(specimen)
    # One line more for the root: no kind of fault crowds out another.
    assert (MAX_FINDINGS + 1, 50) == (len(report.findings), report.more)


def test_a_repaired_lie_and_a_second_one_are_both_told() -> None:
    """Two false checkpoints with a true one between them are two findings."""
    specimen = ledger(numbered(6))
    specimen.checkpoints[1], specimen.checkpoints[3] = checkpoint(2, bytes(32)), checkpoint(4, bytes(32))
    assert [(Kind.ROOT, 1), (Kind.ROOT, 3)] == kinds(check(specimen))


def test_no_random_bit_flip_passes() -> None:
    """In 300 seeded flips of entries, leaves and checkpoints every single one is found."""
    chance = random.Random(7)
    for _ in range(300):
        specimen = ledger(chain("HF-1", 5))
        at = chance.randrange(5)
        index, body, leaf = specimen.rows[at]
        size, signed = specimen.checkpoints[-1]
        assert isinstance(signed, str)
        choice = chance.choice(["body", "leaf", "note"])
        target = bytearray({"body": body or b"", "leaf": leaf, "note": signed.encode()}[choice])
        bit = chance.randrange(len(target) * 8)
        target[bit // 8] ^= 1 << bit % 8
        if choice == "note":
            specimen.checkpoints[-1] = (size, bytes(target))
        else:
            specimen.rows[at] = (index, bytes(target), leaf) if choice == "body" else (index, body, bytes(target))
        assert not check(specimen).sound, (choice, at, bit)


def test_the_newest_checkpoint_is_reported() -> None:
    """Callers compare it with what others have kept."""
    specimen = ledger(numbered(3))
    root = merkle.root_at(3, specimen.lookup)
    assert Checkpoint(ORIGIN, 3, root) == check(specimen).newest
