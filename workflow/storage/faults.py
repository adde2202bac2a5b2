"""Turn what a database library raises into the house's own errors, each with what to do next."""

import sqlite3
from contextlib import suppress
from typing import Any

from workflow.errors import ConflictError, DatabaseBusyError, StorageError

BUSY = "Another process is writing to the database. Nothing was changed; try again."

_SQLITE_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_SQLITE_DUPLICATE = {sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY}
_SQLITE_CURES = {
    sqlite3.SQLITE_CANTOPEN: "The database cannot be opened. Check that it exists (see `holdfast init`) and is yours.",
    sqlite3.SQLITE_READONLY: "The database is read-only for this user. Check the owner of the file and its folder.",
    sqlite3.SQLITE_PERM: "This user may not use the database. Check the owner of the file and its folder.",
    sqlite3.SQLITE_FULL: "The disk is full. Nothing was changed; make room and try again.",
    sqlite3.SQLITE_IOERR: "The disk failed while the database was used. Check the disk, then verify the ledger.",
    sqlite3.SQLITE_CORRUPT: "The database file is damaged. Restore a backup and verify it.",
    sqlite3.SQLITE_NOTADB: "This file is not a Holdfast database.",
}
_NO_LEDGER = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}
_LAST_ROW = 2**63 - 1
NUMBERED = ("alert_attempt", "entry", "subject")
"""The tables whose rows the database numbers itself, in a column ``position``."""
_USED_UP = " UNION ALL ".join(
    f"SELECT '{table}' FROM sqlite_sequence WHERE name = '{table}' AND seq = {_LAST_ROW} "
    f"UNION ALL SELECT '{table}' FROM {table} WHERE position = {_LAST_ROW}"
    for table in NUMBERED
)
_POSTGRES_BUSY = {"40001", "40P01", "55P03", "57014"}
_POSTGRES_DUPLICATE = "23505"


def is_busy(error: BaseException) -> bool:
    """Tell whether SQLite says that somebody else holds the lock."""
    return _primary(error) in _SQLITE_BUSY


def translate(error: Any) -> StorageError | ConflictError:
    """Return the house's error for one of ``sqlite3`` or ``psycopg``.

    A value that had to be unique and is not means that somebody else was first.
    """
    if isinstance(error, UnicodeDecodeError):
        # SQLite quotes the damaged part of a schema in its message, and Python cannot read that.
        return StorageError(f"{_SQLITE_CURES[sqlite3.SQLITE_CORRUPT]} (text that is not UTF-8)")
    said = str(error).strip().split("\n", 1)[0]
    state = getattr(error, "sqlstate", None)
    if is_busy(error) or state in _POSTGRES_BUSY:
        return DatabaseBusyError(BUSY)
    if getattr(error, "sqlite_errorcode", 0) in _SQLITE_DUPLICATE or state == _POSTGRES_DUPLICATE:
        return ConflictError(f"Somebody else wrote this first; look again. ({said})")
    if state is None and hasattr(error, "sqlstate"):
        return StorageError(
            f"The connection to the database failed; look whether the step was recorded before repeating it. ({said})"
        )
    cure = _SQLITE_CURES.get(_primary(error), "The database refused.")
    return StorageError(f"{cure} ({said})")


def translate_write(error: Any, connection: Any) -> StorageError | ConflictError:
    """Return the house's error for a write that was taken back; ``connection`` is asked what was full.

    SQLite says the same of a disk as of a table that has used up its row numbers, where no disk helps.
    """
    if _primary(error) == sqlite3.SQLITE_FULL:
        with suppress(sqlite3.Error):
            row = connection.execute(_USED_UP).fetchone()
            if row is not None:
                return StorageError(
                    f"The database has no row numbers left for the table '{row[0]}', which no honest use brings about. "
                    "Nothing was changed; see `holdfast ledger verify`, and restore a backup."
                )
    return translate(error)


def is_no_ledger(error: StorageError) -> bool:
    """Tell whether a file was opened and is damaged or something else, rather than closed to us for the moment."""
    cause = error.__cause__
    return isinstance(cause, UnicodeDecodeError) or (cause is not None and _primary(cause) in _NO_LEDGER)


def _primary(error: BaseException) -> int:
    """SQLite's extended codes carry the primary one in their lowest byte."""
    return int(getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
