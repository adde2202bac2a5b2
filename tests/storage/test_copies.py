"""Copies of an SQLite database: one moment, in one file, that says when it is not whole."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.osuser import SOMEBODY, acting_as
from tests.storage.ledgers import Ledger, noted
from workflow.errors import DatabaseBusyError, StorageError
from workflow.ledger.checkpoint import parse
from workflow.ledger.note import Signer
from workflow.storage import copies
from workflow.storage.database import Database


@pytest.fixture
def copied(sqlite_ledger: Ledger, tmp_path: Path) -> Path:
    """A copy of a ledger of three entries."""
    picture = sqlite_ledger.open()
    sqlite_ledger.step(picture, noted(), noted())
    path = tmp_path / "copy"
    copies.copy(sqlite_ledger.database, path)
    return path


def test_a_copy_is_one_file_that_holds_one_moment(sqlite_ledger: Ledger, tmp_path: Path) -> None:
    """What others commit while it is taken is not in it, and looking at it leaves nothing beside it."""
    picture = sqlite_ledger.open()
    folder = tmp_path / "away"
    folder.mkdir()
    seen: list[tuple[int, int]] = []

    def progress(done: int, total: int) -> None:
        seen.append((done, total))
        sqlite_ledger.step(picture, noted())

    copies.copy(sqlite_ledger.database, folder / "copy", progress)
    found = copies.look(folder / "copy", [sqlite_ledger.signer.verifier])

    assert [(1, 1)] == [(found.entries, parse(found.note).size)]
    assert seen
    assert all(done <= total for done, total in seen)
    assert ["copy"] == [path.name for path in folder.iterdir()]
    with sqlite_ledger.database.transaction() as tx:
        assert (2,) == tx.one("SELECT count(*) FROM entry")


def test_a_copy_signed_by_another_key_is_refused(copied: Path) -> None:
    """The known keys decide."""
    with pytest.raises(StorageError, match="not signed by this ledger's key"):
        copies.look(copied, [Signer.generate("holdfast.example/1").verifier])


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DELETE FROM checkpoint WHERE size = 3", "does not cover its 3 entries"),
        ("DELETE FROM checkpoint", "without any entry"),
        ("UPDATE checkpoint SET note = 'rubbish'", "not signed"),
        ("DELETE FROM node", "not signed|missing|key"),
        ("UPDATE leaf SET hash = zeroblob(32)", "does not cover|not signed"),
    ],
)
def test_a_copy_that_was_tampered_with_is_refused(
    copied: Path, sqlite_ledger: Ledger, statement: str, said: str
) -> None:
    """Checkpoint, nodes and leaves have to fit together."""
    with closing(sqlite3.connect(copied, isolation_level=None)) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(statement)
    with pytest.raises(StorageError, match=said):
        copies.look(copied, [sqlite_ledger.signer.verifier])


def test_a_damaged_copy_is_refused(copied: Path, sqlite_ledger: Ledger) -> None:
    """A page that was overwritten, and a file that is something else."""
    with closing(sqlite3.connect(copied)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'opening_case'").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    content = bytearray(copied.read_bytes())
    content[(page - 1) * size : page * size] = bytes(size)
    copied.write_bytes(content)
    with pytest.raises(StorageError, match="damaged"):
        copies.look(copied, [sqlite_ledger.signer.verifier])
    copied.write_text("something else" * 100)
    with pytest.raises(StorageError):
        copies.look(copied, [])


def test_a_folder_that_cannot_be_written_to_can_be_read(sqlite_ledger: Ledger, tmp_path: Path) -> None:
    """Where SQLite could not make the files it needs, the database is read as it stands, and only read."""
    sqlite_ledger.open()
    sqlite_ledger.database.close()
    path = sqlite_ledger.database.path
    assert path is not None
    path.chmod(0o444)
    tmp_path.chmod(0o555)
    other = Database(copies.url(path))
    with acting_as(SOMEBODY, path):
        with other.reading() as tx:
            assert (1,) == tx.one("SELECT count(*) FROM entry")
        with pytest.raises(StorageError, match="read-only"), other.transaction() as tx:
            tx.run("DELETE FROM unsealed")
        other.close()
    other.close()


def test_a_file_that_changes_while_it_is_read_is_read_again(sqlite_ledger: Ledger, tmp_path: Path) -> None:
    """What was taken to stand still and does not is not believed."""
    sqlite_ledger.open()
    sqlite_ledger.database.close()
    path = sqlite_ledger.database.path
    assert path is not None
    path.chmod(0o444)
    tmp_path.chmod(0o555)
    other = Database(copies.url(path))
    with acting_as(SOMEBODY, path):
        reading = other.reading()
        reading.__enter__()
    sqlite_ledger.open("case_2", "eve@contoso.com")
    sqlite_ledger.database.close()
    with pytest.raises(DatabaseBusyError, match="look again"):
        reading.__exit__(None, None, None)
    other.close()


def test_a_file_that_cannot_be_read_stays_closed(sqlite_ledger: Ledger, tmp_path: Path) -> None:
    """Another user's database is not opened in any other way."""
    path = sqlite_ledger.database.path
    assert path is not None
    other = Database(copies.url(path))
    with acting_as(SOMEBODY, path), pytest.raises(StorageError, match="cannot be opened"), other.reading():
        pass
    other.close()


def test_a_copy_takes_the_place_of_a_database_that_is_open(copied: Path, sqlite_ledger: Ledger) -> None:
    """At once for everybody, unless somebody is writing."""
    sqlite_ledger.open("case_2", "eve@contoso.com")
    with sqlite_ledger.database.transaction() as tx:
        with pytest.raises(DatabaseBusyError, match="try again"):
            copies.put(copied, Database(copies.url(path_of(sqlite_ledger))), 0.05)
        assert (4,) == tx.one("SELECT count(*) FROM entry")
    copies.put(copied, sqlite_ledger.database)
    with sqlite_ledger.database.reading() as tx:
        assert (3,) == tx.one("SELECT count(*) FROM entry")


def test_what_cannot_be_put_in_place_is_said(copied: Path, sqlite_ledger: Ledger, tmp_path: Path) -> None:
    """A file that is no database, and a place that cannot be moved to."""
    (tmp_path / "text").write_text("something else" * 100)
    with pytest.raises(StorageError, match="not a Holdfast database"):
        copies.put(tmp_path / "text", sqlite_ledger.database)
    with pytest.raises(StorageError, match="could not be moved"):
        copies.take_place(copied, tmp_path / "nowhere" / "holdfast.db", None)


def path_of(ledger: Ledger) -> Path:
    """The file of a ledger's database."""
    assert ledger.database.path is not None
    return ledger.database.path
