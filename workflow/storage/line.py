"""Standing in line for SQLite's one write lock.

SQLite hands its lock to whoever happens to ask at the right moment, so that a process that has just committed takes it
again and others starve: of eight busy processes, some waited 1.8 s. Here only the head of the line asks the database.
The others wait in the kernel, which lets them in by turns, and whoever comes back queues like everybody else. It is a
courtesy between Holdfast's own processes, held in a file beside the database: without it everything still works, less
fairly.
"""

import os
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from workflow.storage.files import opened

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows has no fcntl, so nobody stands in line there
    fcntl = None  # type: ignore[assignment]

_NOWHERE: Final = -1


class Line:
    """The line of one database file. One thread at a time may use it."""

    __slots__ = ("_descriptor", "_path")

    def __init__(self, path: Path | None) -> None:
        """Take the database's path, or None where there is nobody to share it with."""
        self._path = None if path is None or fcntl is None else Path(f"{path}-turn")
        self._descriptor = _NOWHERE

    def join(self, deadline: float) -> None:
        """Wait, until ``deadline`` (monotonic seconds), to become the head of the line; past it, go ahead without."""
        if self._path is None or not self._open(self._path):
            return
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not _Wait(self._descriptor).until(deadline):
                # Whoever still waits there closes the file when its turn comes; next time we begin anew.
                self._descriptor = _NOWHERE
        except OSError:
            # A file system without such locks: SQLite alone decides.
            self.close()

    def leave(self) -> None:
        """Let the next one be the head of the line."""
        if self._descriptor != _NOWHERE:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close the file; the line may be joined again."""
        if self._descriptor != _NOWHERE:
            os.close(self._descriptor)
            self._descriptor = _NOWHERE

    def _open(self, path: Path) -> bool:
        if self._descriptor == _NOWHERE:
            try:
                self._descriptor = opened(path, os.O_RDWR)
            except OSError:
                return False
        return True


class _Wait:
    """Waiting for a lock with a deadline, which the kernel's call does not have: a thread waits, and can be left."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._settled = threading.Lock()
        self._ours = threading.Event()
        self._left = False
        threading.Thread(target=self._wait, daemon=True).start()

    def until(self, deadline: float) -> bool:
        """Return whether the lock came in time."""
        if self._ours.wait(max(0.0, deadline - time.monotonic())):
            return True
        with self._settled:
            self._left = not self._ours.is_set()
            return not self._left

    def _wait(self) -> None:
        with suppress(OSError):
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        with self._settled:
            if self._left:
                os.close(self._descriptor)
            else:
                self._ours.set()
