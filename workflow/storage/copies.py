"""Copies of an SQLite database: taken while others write, looked at, and put in the place of another."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from workflow.errors import StorageError
from workflow.ledger import merkle
from workflow.ledger.checkpoint import open_checkpoint
from workflow.ledger.malformed import Malformed
from workflow.ledger.note import Verifier
from workflow.ledger.origin import named
from workflow.storage import tree
from workflow.storage.database import Database

Progress = Callable[[int, int], None]

_PAGES: Final = 2048  # between two reports of progress


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
