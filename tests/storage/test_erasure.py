"""The last bytes of what was erased, keeping files, and drawing the case table again."""

import sqlite3
from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.storage.ledgers import Ledger, pictured
from workflow.domain.picture import Picture
from workflow.errors import DatabaseBusyError, ErasurePendingError, InputError, StorageError
from workflow.storage import attachments, cases, rebuild
from workflow.storage.erasure import scrub


def test_a_reader_holds_the_last_bytes(sqlite_ledger: Ledger) -> None:
    """While somebody reads an older state, scrubbing says that it is pending."""
    sqlite_ledger.open()
    with sqlite_ledger.database.reading() as tx:
        tx.all("SELECT * FROM subject")
        with pytest.raises(ErasurePendingError):
            scrub(sqlite_ledger.database)

    scrub(sqlite_ledger.database)


def test_a_writer_holds_the_file(sqlite_ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another process writes, scrubbing says that it is pending too."""
    sqlite_ledger.open()
    monkeypatch.setattr(sqlite_ledger.database, "_busy_timeout", 0.05)
    other = sqlite3.connect(str(sqlite_ledger.database.path), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(ErasurePendingError):
        scrub(sqlite_ledger.database)
    with pytest.raises(DatabaseBusyError):
        sqlite_ledger.database.compact()
    other.rollback()
    other.close()

    scrub(sqlite_ledger.database)


def test_scrubbing_without_a_search_index(sqlite_ledger: Ledger) -> None:
    """Where there is no full-text index there is nothing to optimise."""
    for statement in (
        "DROP TRIGGER subject_search_add",
        "DROP TRIGGER subject_search_drop",
        "DROP TABLE subject_search",
    ):
        sqlite_ledger.statement(statement)

    scrub(sqlite_ledger.database)


def test_a_server_scrubs_itself(postgres_ledger: Ledger) -> None:
    """On PostgreSQL there is nothing to do here."""
    scrub(postgres_ledger.database)


def test_a_file_is_kept_once(ledger: Ledger) -> None:
    """The same bytes have one digest and one row; too many bytes are refused."""
    with ledger.database.transaction() as tx:
        digest = attachments.keep(tx, b"\x00\xff")
        assert digest == attachments.keep(tx, b"\x00\xff")
        assert b"\x00\xff" == attachments.get(tx, digest)
        with pytest.raises(InputError, match="10 MiB"):
            attachments.keep(tx, b"x" * (attachments.MAX_BYTES + 1))


def test_the_case_table_is_drawn_again(ledger: Ledger) -> None:
    """A rebuilt table equals the pictures, whatever somebody had made of the rows."""
    pictures = [ledger.open(f"case_{number}", f"ada{number}@contoso.com") for number in range(3)]
    ledger.statement("UPDATE \"case\" SET assignee = 'eve', number = number + 10")

    with ledger.database.transaction() as tx:
        assert 3 == rebuild.rebuild(tx, pictures)

    with ledger.database.reading() as tx:
        assert pictures == [cases.row(tx, picture.id) for picture in pictures]


def test_rebuilding_cannot_leave_a_case_out_or_move_it(ledger: Ledger) -> None:
    """The database holds a rebuild to the entries."""
    pictures = [ledger.open(f"case_{number}", f"ada{number}@contoso.com") for number in range(2)]

    moved_by_hand = [pictures[0], replace(pictures[1], state="released")]
    for wrong in (pictures[:1], moved_by_hand, [*pictures, pictured("x", 9, "e")]):
        with pytest.raises(StorageError):
            draw(ledger, wrong)


def draw(ledger: Ledger, pictures: Sequence[Picture]) -> None:
    """Rebuild the case table from these pictures."""
    with ledger.database.transaction() as tx:
        rebuild.rebuild(tx, pictures)


def test_files_are_held_against_their_digest(ledger: Ledger) -> None:
    """A stored file whose bytes are not its digest's is named."""
    with ledger.database.transaction() as tx:
        digest = attachments.keep(tx, b"evidence")
        tx.write("INSERT INTO attachment (digest, size, content) VALUES (?, ?, ?)", ("0" * 64, 1, b"x"))

        assert attachments.known(tx, digest)
        assert not attachments.known(tx, "1" * 64)
        assert ["0" * 64] == attachments.faults(tx)
