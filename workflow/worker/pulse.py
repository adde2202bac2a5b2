"""The pulse of a worker: a small file that says whether it is alive and what it last did, for whoever watches it."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from workflow import __version__
from workflow.domain.record import time_for_people, time_from_text, time_to_text
from workflow.errors import PendingError, StorageError
from workflow.storage.files import make_folder, opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from workflow.settings import Settings

EVERY: Final = timedelta(seconds=5)
"""How often the file is written anew."""
SILENT: Final = timedelta(seconds=60)
"""After how long without a beat a worker is taken for dead, or for stuck."""


@dataclass(slots=True)
class Pulse:
    """What the file says. Times are UTC text; ``chores`` has, by name, when each was last done and what came of it.

    ``once`` says that it was a single pass, which ends by itself.
    """

    host: str = field(default_factory=socket.gethostname)
    process: int = field(default_factory=os.getpid)
    version: str = __version__
    started_at: str = ""
    seen_at: str = ""
    steps: int = 0
    put_off: int = 0
    stopped: bool = False
    once: bool = False
    chores: dict[str, dict[str, str]] = field(default_factory=dict)

    def faults(self, now: datetime) -> list[str]:
        """Say what is wrong with this worker, in sentences; an empty list where nothing is."""
        if self.stopped:
            return [f"The worker was stopped at {_told(self.seen_at)}."]
        found = []
        if abs(now - time_from_text(self.seen_at)) > SILENT:
            seen = _told(self.seen_at)
            found.append(f"The worker (process {self.process} on {self.host}) was last alive at {seen}.")
        failed = {name: chore for name, chore in self.chores.items() if chore["outcome"] != "done"}
        return found + [f"{name} failed at {_told(chore['at'])}: {chore['message']}" for name, chore in failed.items()]


def _told(text: str) -> str:
    return time_for_people(time_from_text(text))


def place(settings: Settings) -> Path:
    """Return where the file stands: beside the checkpoints, in the folder for what is not the ledger."""
    return settings.checkpoint_file.with_name("worker.json")


def read(path: Path) -> Pulse | None:
    """Return what a worker last said of itself, None where none ever ran here.

    Raises:
        StorageError: the file is something else.
    """
    try:
        found = Pulse(**json.loads(path.read_text(encoding="utf-8")))
        # What it is asked for afterwards is asked for once, so that a file by another hand is told here.
        found.faults(time_from_text(found.seen_at))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        message = f"{path} is no worker's pulse: {error}. Remove it; the worker writes it anew."
        raise StorageError(message) from None
    return found


class Beating:
    """Writes the file every few seconds, and marks at the end that the worker stopped by itself.

    ``failed`` says whether any chore or step failed, which a single pass ends with.
    """

    def __init__(self, path: Path, pulse: Pulse, now: datetime) -> None:
        """Write it for the first time."""
        self.pulse, self._path, self._last = pulse, path, now
        self.failed = False
        pulse.started_at = time_to_text(now)
        self._write(now)

    def beat(self, now: datetime, *, at_once: bool = False) -> None:
        """Write it anew when it is time."""
        if at_once or not self._last <= now < self._last + EVERY:
            self._write(now)

    def end(self, now: datetime) -> None:
        """Mark that the worker is gone."""
        self.pulse.stopped = True
        self._write(now)

    def chore(self, name: str, outcome: str, message: str, now: datetime) -> None:
        """Note what came of a chore."""
        self.failed = self.failed or outcome != "done"
        self.pulse.chores[name] = {"at": time_to_text(now), "outcome": outcome, "message": message}

    def _write(self, now: datetime) -> None:
        self._last, self.pulse.seen_at = now, time_to_text(now)
        partial = self._path.with_name(f"{self._path.name}.{os.getpid()}.partial")
        # A full disk keeps nobody from the work; that the file grows old says it.
        with suppress(OSError):
            with os.fdopen(opened(partial, os.O_WRONLY | os.O_TRUNC), "w", encoding="utf-8") as file:
                json.dump(asdict(self.pulse), file)
            partial.replace(self._path)


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """Be the only worker of this ledger on this host for a while.

    Raises:
        PendingError: another one is at work.
        StorageError: the lock's file cannot be made.
    """
    path = place(settings).with_suffix(".lock")
    make_folder(path)
    try:
        descriptor = opened(path, os.O_RDWR)
    except OSError as error:
        message = f"The file {path} cannot be opened: {error.strerror}."
        raise StorageError(message) from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = "Another worker is at work on this ledger. One is enough; see it with: holdfast worker --health"
            raise PendingError(message) from None
        yield
    finally:
        os.close(descriptor)


def to_data(pulse: Pulse, faults: list[str]) -> dict[str, Any]:
    """Return plain JSON values."""
    return {**asdict(pulse), "healthy": not faults, "faults": faults}
