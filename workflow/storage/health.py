"""What a database says about its own condition, for whoever looks after it."""

from dataclasses import dataclass
from pathlib import Path

from workflow.storage import tree
from workflow.storage.database import Database
from workflow.storage.transaction import Tx


@dataclass(frozen=True, slots=True)
class Condition:
    """How a database is run, and how far it is.

    ``version`` is that of SQLite or of the server; ``journal`` and ``synchronous`` are SQLite's, "" on a server;
    ``newest_at`` is the time of the newest entry (UTC text), "" without one.
    """

    version: str
    journal: str
    synchronous: str
    entries: int
    unsealed: int
    newest_at: str
    note: str


def condition(database: Database) -> Condition:
    """Read a database's condition in one consistent reading.

    Raises:
        StorageError: it cannot be read.
    """
    with database.reading() as tx:
        journal = synchronous = ""
        if tx.sqlite:
            version = _one(tx, "SELECT sqlite_version()")
            journal = _one(tx, "PRAGMA journal_mode")
            synchronous = _one(tx, "PRAGMA synchronous")
        else:
            version = _one(tx, "SHOW server_version")
        return Condition(
            version=version,
            journal=journal,
            synchronous=synchronous,
            entries=int(_one(tx, "SELECT count(*) FROM entry")),
            unsealed=len(tree.unsealed(tx)),
            newest_at=_one(tx, "SELECT coalesce(max(recorded_at), '') FROM entry"),
            note=tree.newest(tx) or "",
        )


def log_size(path: Path) -> int:
    """Return the bytes in SQLite's write-ahead log beside a database file."""
    log = path.with_name(f"{path.name}-wal")
    return log.stat().st_size if log.exists() else 0


def _one(tx: Tx, sql: str) -> str:
    row = tx.one(sql)
    return "" if row is None else str(row[0])
