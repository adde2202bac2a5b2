"""Copies of an SQLite database: taken while others write, looked at, and put in the place of another."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from workflow.errors import DatabaseBusyError, StorageError
from workflow.ledger import merkle
from workflow.ledger.checkpoint import open_checkpoint
from workflow.ledger.malformed import Malformed
from workflow.ledger.note import Verifier
from workflow.ledger.origin import named
from workflow.storage import tree
from workflow.storage.database import BUSY_TIMEOUT, Database
from workflow.storage.faults import BUSY, translate
from workflow.storage.files import settle

Progress = Callable[[int, int], None]

_PAGES: Final = 2048  # between two reports of progress
_WAITING: Final = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_PAUSE: Final = 0.01  # seconds between two tries for another's lock


@dataclass(frozen=True, slots=True)
class Contents:
    """What a copy holds: its entries, and the newest checkpoint, a signed note whose signature holds."""

    entries: int
    note: str


def url(path: Path) -> str:
    """Return the address of a database file."""
    return f"sqlite:///{path.absolute()}"


def copy(database: Database, path: Path, progress: Progress | None = None) -> None:
    """Write the state the database is in at this moment into an empty file; writers are not held up.

    The copy is one file with nothing beside it, which can be read from a medium that cannot be written to.

    Raises:
        StorageError: the database cannot be read, or the copy cannot be written.
    """
    # The snapshot keeps the copy from beginning anew whenever somebody commits.
    with database.reading() as tx, closing(sqlite3.connect(path)) as target:
        tx.copy(target, _PAGES, _reporter(progress))
        target.execute("PRAGMA journal_mode=DELETE")


def put(path: Path, database: Database, patience: float = BUSY_TIMEOUT) -> None:
    """Put a copy's pages in the place of a database's, in one transaction of SQLite's own, while it is open.

    Others see the one state or the other, and never a file exchanged beneath them.

    Args:
        path: the copy.
        database: what it takes the place of.
        patience: seconds to wait for somebody else's write to end.

    Raises:
        DatabaseBusyError: a writer did not end in time; nothing was changed.
        StorageError: the database refused; nothing was changed.
    """
    deadline = time.monotonic() + patience

    def waiting(status: int, _remaining: int, _total: int) -> None:
        if status in _WAITING and time.monotonic() > deadline:
            raise DatabaseBusyError(BUSY)

    pooled = database.connect()
    try:
        with closing(sqlite3.connect(path)) as source:
            source.backup(pooled.driver_connection, progress=waiting, sleep=_PAUSE)
    except sqlite3.Error as error:
        raise translate(error) from error
    finally:
        pooled.invalidate()
        pooled.close()


def take_place(path: Path, place: Path, aside: Path | None) -> None:
    """Move a copy to where a database was that cannot be read any more; what is left of that is moved aside.

    Raises:
        StorageError: a file could not be moved.
    """
    try:
        for end in ("-wal", ""):
            left = place.with_name(place.name + end)
            if aside is not None and left.exists():
                left.rename(aside.with_name(aside.name + end))
        # The index of a log that is gone would be taken for the new one's.
        place.with_name(f"{place.name}-shm").unlink(missing_ok=True)
        settle(path)
        path.rename(place)
        settle(place)
    except OSError as error:
        raise StorageError(
            f"The copy could not be moved to {place}: {error.strerror}. What was there may be at {aside}; try again."
        ) from error


def _reporter(progress: Progress | None) -> Callable[[int, int, int], None] | None:
    if progress is None:
        return None
    return lambda _status, remaining, total: progress(total - remaining, total)


def look(path: Path, verifiers: list[Verifier]) -> Contents:
    """Open a copy and hold its newest checkpoint against its entries and the known keys.

    Raises:
        StorageError: the file is damaged, or is no ledger that these keys signed.
    """
    database = Database(url(path), still=True)
    try:
        with database.reading() as tx:
            for (line,) in tx.all("PRAGMA quick_check(1)"):
                if line != "ok":
                    raise StorageError(f"The copy {path} is damaged: {line}.")
            (entries,) = tx.one("SELECT count(*) FROM entry") or (0,)
            note, size = tree.newest(tx), tree.size(tx)
            if note is None:
                raise StorageError(f"{path} holds a ledger without any entry.")
            newest = open_checkpoint(note, named(verifiers, note.split("\n", 1)[0]))
            if (newest.size, size) != (entries, entries) or merkle.root_at(size, tree.lookup(tx)) != newest.root:
                raise StorageError(f"The newest checkpoint in {path} does not cover its {entries} entries.")
    except (Malformed, LookupError) as error:
        raise StorageError(f"The newest checkpoint in {path} is not signed by this ledger's key: {error}") from error
    finally:
        database.close()
    return Contents(int(entries), note)
