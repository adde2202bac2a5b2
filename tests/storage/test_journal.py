"""Appending entries and moving case rows."""

import os
from dataclasses import replace

import pytest

from tests.storage.ledgers import NOW, ORIGIN, TENANT, Ledger, moved, noted, opened, pictured
from workflow.domain.history import fold
from workflow.errors import ConflictError, InputError, KeyMissingError, StorageError
from workflow.ledger import verify
from workflow.ledger.commitment import commit
from workflow.storage import cases, journal, openings, tree
from workflow.storage.openings import Opening
from workflow.storage.seal import Journal


def test_entries_are_read_back_as_they_were_appended(ledger: Ledger) -> None:
    """Appending returns exactly the entries that a later reader sees."""
    picture = ledger.open()
    with ledger.database.transaction() as tx:
        written = ledger.append(tx, picture.id, [noted(), noted()], request="again")

    with ledger.database.reading() as tx:
        assert written == cases.entries(tx, picture.id, 2)
        assert written == cases.by_request(tx, picture.id, "again")
        assert (written[-1].leaf, 3) == cases.head(tx, picture.id)


def test_entries_that_somebody_else_queued_are_not_sealed(sqlite_ledger: Ledger) -> None:
    """Signing them would vouch for them."""
    picture = sqlite_ledger.open()

    def more_than_was_written() -> None:
        with sqlite_ledger.database.transaction() as tx:
            sqlite_ledger.append(tx, picture.id, [noted(), noted()])
            tx.appended -= 1

    with pytest.raises(StorageError, match="1 entries were put into the ledger by somebody else"):
        more_than_was_written()


def test_entries_that_do_not_wait_are_not_sealed(sqlite_ledger: Ledger) -> None:
    """Without the trigger that queues them, nothing is written, and nobody is said to have put entries in."""
    picture = sqlite_ledger.open()
    sqlite_ledger.statement("DROP TRIGGER entry_queue")

    with pytest.raises(StorageError, match="Of 1 new entries 0 wait to be sealed: a trigger"):
        sqlite_ledger.step(picture, noted())


@pytest.mark.parametrize("page", [3, 5000])
def test_a_case_is_an_unbroken_chain_in_a_verified_tree(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    """What is written verifies, read in pages of any size: chain, tree, nodes and signature, nothing unsealed."""
    monkeypatch.setattr(tree, "_PAGE", page)
    monkeypatch.setattr(tree, "_LEAVES", page)
    for number in range(5):
        picture = ledger.open(f"case_{number}", f"ada{number}@contoso.com")
        ledger.step(picture, noted(), moved())
        ledger.seal()

    with ledger.database.reading() as tx:
        report = verify.check_tree(
            tree.leaves(tx),
            tree.checkpoints(tx),
            origins=[ORIGIN],
            verifiers=[ledger.signer.verifier],
            every_signature=True,
        )
        levels = len(report.node_digests)
        nodes = [verify.check_nodes(report, level, tree.nodes(tx, level)) for level in range(1, levels + 1)]
        bodies = [(body, leaf) for body, leaf, _ in tree.bodies(tx, "case_3")]
        chain = list(verify.check_chain("case_3", bodies, origins=[ORIGIN]))

        assert () == report.findings
        assert 15 == report.size == tree.size(tx)
        assert [None, None, None] == nodes
        assert [] == [item for item in chain if isinstance(item, verify.Finding)]
        assert [] == tree.unsealed(tx)
        assert [] == tree.column_faults(tx)
        assert ledger.published[-1] == tree.newest(tx)


def test_the_case_row_is_the_picture(ledger: Ledger) -> None:
    """A row read back equals the picture that was written, times and lists included."""
    picture = ledger.open(due_at=NOW, due="confirm-release", linked=("case_9",), released_at=NOW)

    picture = ledger.step(picture, moved(), assignee="sub_1", missing=(), due_at=None, ended_at=NOW)

    with ledger.database.reading() as tx:
        assert picture == cases.row(tx, picture.id)


def test_openings_are_kept_with_the_entry(ledger: Ledger) -> None:
    """A commitment's salt and text are found by the commitment, and by the case."""
    salt = os.urandom(32)
    opening = Opening(salt, "Résumé of the call", "sub_7")
    key = commit(opening.value, salt)
    with ledger.database.transaction() as tx:
        ledger.append(tx, "case_1", [noted()], {key: opening})

    with ledger.database.reading() as tx:
        assert {key: opening} == openings.of(tx, [key, "0" * 64])
        assert {key: opening} == openings.of_case(tx, "case_1")
        assert {key: "Résumé of the call"} == openings.reveal(tx, [key])


def test_nothing_is_written_without_the_key(ledger: Ledger) -> None:
    """A missing key refuses writes and says so."""
    keyless = Journal(ORIGIN, None)

    with pytest.raises(KeyMissingError), ledger.database.transaction() as tx:
        journal.append(tx, keyless, "c", TENANT, [], at=NOW, clock="ok", request="", openings={}, head="", sequence=0)


def test_appending_nothing_writes_nothing(ledger: Ledger) -> None:
    """No records, no entries, no checkpoint."""
    with ledger.database.transaction() as tx:
        assert [] == ledger.append(tx, "case_1", [])

    assert tx.checkpoint is None


def test_an_entry_too_large_is_refused(ledger: Ledger) -> None:
    """4 KiB is the bound; nothing of the transaction stays."""
    with pytest.raises(InputError), ledger.database.transaction() as tx:
        ledger.append(tx, "case_1", [replace(noted(), data={"note": "x" * 4096})])

    with ledger.database.reading() as tx:
        assert [] == cases.entries(tx, "case_1")


def test_two_open_cases_about_one_entity_conflict(ledger: Ledger) -> None:
    """The database itself keeps the second open case about an entity out."""
    first = ledger.open()

    def open_again() -> None:
        with ledger.database.transaction() as tx:
            ledger.append(tx, "case_2", [opened(2, first.entity)])
            journal.move(tx, pictured("case_2", 2, first.entity), new=True)

    with pytest.raises(ConflictError):
        open_again()


def test_a_write_that_vanishes_is_noticed(sqlite_ledger: Ledger) -> None:
    """A temporary trigger that swallows the insert does not end in an acknowledgement (R5)."""

    def write_into_nothing() -> None:
        with sqlite_ledger.database.transaction() as tx:
            tx.run("CREATE TEMP TRIGGER swallow BEFORE INSERT ON main.entry BEGIN SELECT RAISE(IGNORE); END")
            sqlite_ledger.append(tx, "case_1", [noted()])

    with pytest.raises(StorageError, match="gave no reason"):
        write_into_nothing()


def test_a_step_taken_back_leaves_nothing(ledger: Ledger) -> None:
    """An exception inside the transaction takes entries, row and callbacks with it."""

    def fail() -> None:
        with ledger.database.transaction() as tx:
            ledger.append(tx, "case_1", [opened(1, "sub_1")])
            journal.move(tx, pictured("case_1", 1, "sub_1"), new=True)
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        fail()

    with ledger.database.reading() as tx:
        assert [] == cases.entries(tx, "case_1")
        assert cases.row(tx, "case_1") is None
    assert [] == ledger.published


def test_the_fold_of_what_was_written_is_the_case(ledger: Ledger) -> None:
    """Loading a case is folding its stored entries."""
    picture = ledger.step(ledger.open(), noted(), moved())

    with ledger.database.reading() as tx:
        case = cases.load(tx, picture.id)
        assert fold(cases.entries(tx, picture.id)) == case
    assert ("contained", 3) == (case.state.value, case.version)
