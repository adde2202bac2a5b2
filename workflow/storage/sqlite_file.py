"""One connection to an SQLite file: what it is told before anybody uses it, and whether the file stands still."""

import os
import sqlite3
from pathlib import Path
from typing import Final
from urllib.parse import quote

_CONNECT_WITHIN: Final = 5.0  # seconds: another process may be recovering the log
_CACHE: Final = 32_768  # KiB of pages that a connection may keep
_STILL: Final = "mode=ro&immutable=1"


def connected(path: Path | None, synchronous: str, *, still: bool) -> sqlite3.Connection:
    """Connect to a file, or to a database in memory without one; ``still`` for a file that nobody writes to.

    Raises:
        sqlite3.Error: it cannot be opened.
    """
    how = _STILL if still else "mode=rw"
    name = ":memory:" if path is None else f"file:{quote(str(path.absolute()))}?{how}"
    connection = sqlite3.connect(name, uri=True, isolation_level=None, check_same_thread=False, timeout=_CONNECT_WITHIN)
    try:
        for pragma in (
            "foreign_keys=ON",
            "recursive_triggers=ON",
            *(() if still else ("journal_mode=WAL",)),
            f"synchronous={synchronous}",
            "secure_delete=ON",
            # What a bulk step writes stays in memory until its commit; with SQLite's 2 MB it was written twice.
            f"cache_size=-{_CACHE}",
            "busy_timeout=0",
        ):
            connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()
        raise
    return connection


def is_left_alone(path: Path) -> bool:
    """Say whether a file can only be read where it is, and nobody has begun to write to it."""
    return os.access(path, os.R_OK) and not os.access(path.parent, os.W_OK) and not Path(f"{path}-wal").exists()


def stamp(path: Path) -> tuple[int, int]:
    """Return what changes when somebody writes to a file: its time and its size."""
    found = path.stat()
    return found.st_mtime_ns, found.st_size
