"""What the ledger says of restores is judged before it explains anything."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.services.desk import ANN, Desk
from workflow.domain.vocabulary import EntryType
from workflow.ledger import merkle
from workflow.ledger.checkpoint import Checkpoint, sign
from workflow.ledger.note import Signer
from workflow.services import logbook, people, restores, verification
from workflow.services.restores import Restore
from workflow.storage import cases, tree

SIGNER = Signer.generate("log/1")
KEYS = [SIGNER.verifier]
LEAVES = [merkle.leaf_hash(bytes([number])) for number in range(6)]
ROOT = merkle.root(LEAVES[:4])


def lookup(level: int, index: int) -> bytes:
    """The nodes over six leaves."""
    found = merkle.root(LEAVES[index << level : index + 1 << level])
    if index + 1 << level > len(LEAVES):
        raise LookupError
    return found


def note(name: str, size: int, root: bytes = b"r" * 32, signer: Signer = SIGNER) -> str:
    """A checkpoint that the log's key signed under a name."""
    return sign(Checkpoint(name, size, root), signer.under(name))


GOOD = Restore(
    at="2026-11-24T08:00:00.000000Z",
    origin="log/2",
    previous="log/1",
    size=4,
    root=ROOT,
    known=(note("log/1", 9),),
    lost=5,
)


def judge(restore: Restore, log: str = "log/2", index: int = 4, before: str = "log/1", keys: Any = KEYS) -> str:
    """What is wrong with a restore that stands behind four entries."""
    return restores.fault(restore, before, log, index, keys, lookup)


def test_an_honest_restore_is_believed() -> None:
    """Sealed or not yet, with what was known or without, and nothing is said of signatures without a key."""
    nothing_lost = replace(GOOD, known=(note("log/1", 4, ROOT),), lost=0)
    assert ["", "", "", "", ""] == [
        judge(GOOD),
        judge(GOOD, index=tree.UNSEALED),
        judge(replace(GOOD, known=(), lost=0)),
        judge(nothing_lost),
        judge(replace(GOOD, known=("rubbish",)), keys=[]),
    ]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"origin": "log/1"}, "later name"),
        ({"origin": "other/2"}, "later name"),
        ({"previous": "log/3"}, "later name"),
        ({"size": 3}, "stands behind 4"),
        ({"root": b"x" * 32}, "not those"),
        ({"known": (note("log/2", 9),)}, "later name"),
        ({"known": (note("log/1", 9, signer=Signer.generate("log/1")),)}, "not signed"),
        ({"known": ("rubbish",)}, "not signed"),
        ({"lost": 6}, "number of lost"),
        ({"known": (note("log/1", 3),), "lost": 0}, "does not continue"),
    ],
)
def test_what_cannot_have_been_declared(changes: dict[str, Any], said: str) -> None:
    """Each member is held against the ledger or the key."""
    assert said in judge(replace(GOOD, **changes))


def test_what_stands_in_another_place() -> None:
    """Under another name than it declares, behind another one, or where nodes are gone."""
    assert "later name" in judge(GOOD, log="log/3")
    assert "later name" in judge(GOOD, before="log/2")
    assert "missing" in judge(replace(GOOD, size=7), index=7)


def test_what_a_restore_explains() -> None:
    """Entries beyond it, up to the last checkpoint known under that name."""
    second = replace(GOOD, origin="log/3", previous="log/1", size=2, known=(note("log/1", 9), note("log/2", 6)), lost=7)

    def lost(name: str, size: int, *declared: Restore, keys: Sequence[Any] = KEYS) -> tuple[int, int] | None:
        found = restores.lost(Checkpoint(name, size, b"r" * 32), declared, keys)
        return None if found is None else (found.first, found.end)

    assert [(4, 9), (4, 5), None, None, None] == [lost("log/1", size, GOOD) for size in (9, 5, 4, 10)] + [
        lost("log/2", 5, GOOD)
    ]
    assert [(2, 9), (2, 5), None] == [
        lost(name, size, GOOD, second) for name, size in (("log/1", 9), ("log/2", 5), ("log/2", 7))
    ]
    assert lost("log/1", 9, GOOD, keys=[Signer.generate("log/1").verifier]) is None
    assert restores.lost(Checkpoint("log/1", 9, b"x" * 32), [GOOD], KEYS) is None


@pytest.mark.parametrize(
    ("data", "said"),
    [({}, "cannot be understood"), ({**GOOD.to_data(), "size": "4"}, "wrong kind"), (GOOD.to_data(), "later name")],
)
def test_a_restore_that_was_made_up_is_found(sqlite_desk: Desk, data: dict[str, Any], said: str) -> None:
    """Whoever has the key can write such an entry; it fails the ledger."""
    app = sqlite_desk.app
    logbook.prepare(app, ANN)
    with app.database.transaction() as tx:
        cases.lock_log(tx)
        logbook.write(app, tx, people.actor(app, tx, ANN), [(EntryType.LOG_RESTORED, data)])
    report = verification.verify(app)
    assert not report.ok
    assert any(said in item.why for item in report.findings)
