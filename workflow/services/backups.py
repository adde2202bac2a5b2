"""Backups: one file that holds a whole ledger, consistent while others write, and checked before it counts as one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from workflow.domain.vocabulary import LOG_CASE
from workflow.errors import HoldfastError, InputError, StorageError
from workflow.ledger.checkpoint import parse
from workflow.ledger.malformed import Malformed
from workflow.ledger.note import Verifier
from workflow.storage import cases, copies, files, keyfile
from workflow.storage.database import Database

if TYPE_CHECKING:
    from workflow.ledger.checkpoint import Checkpoint
    from workflow.settings import Settings
    from workflow.storage.copies import Progress

NOT_SQLITE = (
    "This ledger is in PostgreSQL, whose own tools copy it while others write. Back up with: "
    "pg_dump --format=custom --file=FILE DATABASE. Put back with pg_restore, then declare it: holdfast ledger restore"
)


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was written and opened again.

    ``own_key`` says whether its newest checkpoint was held against this machine's key file; without one, only against
    the key that the ledger names itself.
    """

    file: Path
    size: int
    entries: int
    note: str
    own_key: bool

    @property
    def checkpoint(self) -> Checkpoint:
        """The newest checkpoint that the backup holds."""
        return parse(self.note)


def backup(settings: Settings, path: Path, *, over: bool = False, progress: Progress | None = None) -> Backup:
    """Write a backup, open it again and hold its newest checkpoint against its entries and the key.

    Works with a database of an older schema too, so that one can be taken before an upgrade.

    Args:
        settings: where the ledger is.
        path: the file to make (0600); complete and on the disk, or not there.
        over: replace a file that is there.
        progress: called with (done, total) pages.

    Raises:
        InputError: the file exists, cannot be written, or is one of the ledger's own.
        StorageError: there is no ledger, it is in PostgreSQL, or what was written does not hold.
    """
    database = file_of(settings)
    try:
        with files.whole(_apart(settings, database, path), over=over) as partial:
            copies.copy(database, partial, progress)
            keys, own = verifiers(settings, database)
            found = copies.look(partial, keys)
            size = partial.stat().st_size
    finally:
        database.close()
    return Backup(file=path, size=size, entries=found.entries, note=found.note, own_key=own)


def file_of(settings: Settings) -> Database:
    """Return the database, which is a file that exists; its schema is not looked at.

    Raises:
        StorageError: it is a server's, or there is none.
    """
    database = Database(settings.database_url.get_secret_value())
    if database.path is None:
        raise StorageError(NOT_SQLITE)
    if not database.path.is_file():
        message = f"There is no ledger at {database.path}. Begin with: holdfast init"
        raise StorageError(message)
    return database


def verifiers(settings: Settings, database: Database) -> tuple[list[Verifier], bool]:
    """Return the keys to hold checkpoints against, and whether they are this machine's own.

    Raises:
        StorageError: there is no key file, and the ledger names no key either.
    """
    try:
        return [keyfile.read(settings.key_file).verifier], True
    except HoldfastError:
        with database.reading() as tx:
            entries = cases.entries(tx, LOG_CASE)[:1]
        try:
            return [Verifier(str(entries[0].data["vkey"]))], False
        except (Malformed, LookupError):
            message = "There is no key file, and the ledger names no key: the backup could not be checked."
            raise StorageError(message) from None


def _apart(settings: Settings, database: Database, path: Path) -> Path:
    """Return the path, once it is known to be none of the ledger's own files."""
    wanted = path.absolute().parent.resolve() / path.name
    own = {
        "signing key": [settings.key_file],
        "checkpoint file": [settings.checkpoint_file],
        "settings file": [settings.config_file],
        "database": [Path(f"{database.path}{end}") for end in ("", "-wal", "-shm", "-journal", "-turn")],
    }
    for name, places in own.items():
        if wanted in [place.resolve() for place in places]:
            message = f"{path} is this ledger's own {name}: a backup goes to another file, best on another disk."
            raise InputError(message)
    return path
