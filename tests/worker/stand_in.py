"""Automation as simple as can be: a case is due until a note says that it was seen to.

What happens is written to a file, one line each, which many processes may write to: who, what, which case, when.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.lines import append
from workflow.app import App
from workflow.domain import actions as act
from workflow.domain.private import Private
from workflow.domain.vocabulary import EntryType
from workflow.errors import ProviderBusyError
from workflow.services import casework
from workflow.services.people import Who
from workflow.storage import cases

CLOCK = Who("clock")


@dataclass(frozen=True, slots=True)
class Stepped:
    """What one look came to."""

    case: int
    task: str
    outcome: str
    said: str
    again: timedelta | None

    def to_data(self) -> dict[str, Any]:
        """Return what a log is told beside the sentence."""
        return {"case": self.case}


@dataclass(frozen=True, slots=True)
class Chore:
    """What one chore came to."""

    name: str
    outcome: str
    said: str

    def to_data(self) -> dict[str, Any]:
        """Return what a log is told beside the sentence."""
        return {"chore": self.name}


@dataclass
class Chores:
    """How often the chores were done by this process."""

    times: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the diary."""

    pid: int
    what: str
    case_id: str
    at: float


@dataclass(frozen=True)
class Diary:
    """The file."""

    path: Path

    def write(self, what: str, case_id: str = "-") -> None:
        """Add a line, whoever else does."""
        append(self.path, f"{os.getpid()} {what} {case_id} {time.monotonic()}")

    def say(self, said: str, *_: str, **__: object) -> None:
        """Add what a worker in a process says, without its blanks."""
        self.write(f"said:{'_'.join(said.split())}")

    def lines(self, what: str = "") -> list[Line]:
        """Return what was written, or one kind of it."""
        text = self.path.read_text() if self.path.exists() else ""
        parts = [line.split() for line in text.splitlines()]
        found = [Line(int(pid), said, case_id, float(at)) for pid, said, case_id, at in parts]
        return [line for line in found if line.what == what or not what]


@dataclass(frozen=True)
class StandIn:
    """The port's filling.

    ``slow`` is how long a step takes in seconds, ``tries`` how often a case says "again" first, ``fails`` how often a
    step raises first, ``stray`` ids of cases that are not there and ``stuck`` of those that never get done; the first
    chores are refused where ``refused``.
    """

    diary: Diary
    slow: float = 0.0
    tries: int = 0
    fails: int = 0
    stray: tuple[str, ...] = ()
    stuck: tuple[str, ...] = ()
    refused: bool = False
    again: timedelta = timedelta(seconds=0.2)

    def due(self, app: App, now: datetime, limit: int) -> list[str]:
        """Return the cases without the note."""
        del now
        with app.database.reading() as tx:
            found = [case_id for case_id in cases.ids(tx) if case_id not in {"log", "tenant"}]
            return [*self.stray, *(case_id for case_id in found if not noted(tx, case_id))][:limit]

    def step(self, app: App, case_id: str) -> Stepped:
        """Take the note, unless it is there."""
        self.diary.write("begin", case_id)
        begun = len([line for line in self.diary.lines("begin") if line.case_id == case_id])
        with app.database.reading() as tx:
            case = cases.load(tx, case_id)
            if noted(tx, case_id):
                self.diary.write("end", case_id)
                return Stepped(case.number, "", "idle", "", None)
        time.sleep(self.slow)
        if case_id in self.stuck:
            return Stepped(case.number, "note", "busy", "The tenant is busy.", timedelta(hours=1))
        if begun <= self.fails:
            self.diary.write("end", case_id)
            message = "not foreseen"
            raise RuntimeError(message)
        if begun <= self.fails + self.tries:
            self.diary.write("end", case_id)
            return Stepped(case.number, "note", "busy", "The tenant is busy.", self.again)
        casework.perform(app, CLOCK, case_id, act.AddNote(note=Private("seen to")))
        self.diary.write("end", case_id)
        return Stepped(case.number, "note", "noted", "Seen to.", None)

    def chores(self, app: App, now: datetime, done: Chores) -> Iterator[Chore]:
        """Count, and say the first time and a failure."""
        del app, now
        done.times += 1
        self.diary.write(f"chores{done.times}")
        if self.refused and done.times == 1:
            raise ProviderBusyError("The tenant is busy.")
        yield Chore("counting", "done" if done.times == 1 else "failed", "Counted." if done.times <= 2 else "")

    def lanes(self) -> list[Chores]:
        """Return one memory: everything is done in turn."""
        return [Chores()]


def noted(tx: object, case_id: str) -> bool:
    """Say whether a case has the note."""
    return any(entry.type == EntryType.CASE_NOTED for entry in cases.entries(tx, case_id))  # type: ignore[arg-type]


def wait_for(condition: Callable[[], object], within: float = 30.0) -> float:
    """Wait until something is so, and return the seconds that took."""
    begun = time.monotonic()
    while not condition():
        if time.monotonic() - begun > within:
            message = f"this did not come about within {within} seconds"
            raise TimeoutError(message)
        time.sleep(0.02)
    return time.monotonic() - begun
