"""A crew of processes that stay alive from round to round, so that a round costs what its steps cost.

Each member has its own app on the same ledger, as 64 people at 64 terminals have. A barrier lets them go at once.
"""

from __future__ import annotations

import multiprocessing
import random
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from tests.services.desk import Clock, Place
from workflow.app import App
from workflow.domain import actions as act
from workflow.domain.restriction import Restriction
from workflow.errors import HoldfastError, StorageError
from workflow.services import casework, intake
from workflow.services.people import Who
from workflow.storage import cases

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.connection import Connection
    from types import TracebackType

PATIENCE = 90.0
"""Seconds after which a round is given up: nobody waits longer for the database than its own time-out."""
DONE = "done"


@dataclass(frozen=True, slots=True)
class Job:
    """What one member does in one round.

    ``ahead`` is by how much its clock is off; ``warm`` has it look at the case before the start, so that it goes by
    what it remembers. With ``items`` it imports those, and answers how many cases it opened.
    """

    case_id: str
    who: str
    action: act.Action
    now: datetime
    ahead: timedelta = timedelta(0)
    warm: bool = False
    items: tuple[Restriction, ...] = ()


class Crew:
    """A context manager that starts the members, and gives each a job per round."""

    def __init__(self, place: Place, size: int) -> None:
        self.place = place
        self.size = size
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([__name__])
        self._barrier = self._context.Barrier(size)
        self._members: list[Any] = []
        self._lines: list[Connection] = []

    def __enter__(self) -> Self:
        """Start everybody."""
        for _ in range(self.size):
            ours, theirs = self._context.Pipe()
            member = self._context.Process(target=work, args=(theirs, self._barrier, self.place), daemon=True)
            member.start()
            theirs.close()
            self._members.append(member)
            self._lines.append(ours)
        self._answers()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Send everybody home; who does not go is ended."""
        for line in self._lines:
            line.send(None)
        for member, line in zip(self._members, self._lines, strict=True):
            member.join(PATIENCE if kind is None else 1)
            if member.is_alive():
                member.kill()
            line.close()

    def race(self, jobs: Sequence[Job], dice: random.Random) -> list[str]:
        """Let every member do one job at once; returns ``done`` or the error's code for each, in the jobs' order."""
        order = list(range(self.size))
        dice.shuffle(order)
        for place, job in zip(order, jobs, strict=True):
            ahead = timedelta(milliseconds=dice.randint(-900, 900))
            self._lines[place].send(replace(job, ahead=ahead, warm=dice.random() < 0.5))
        answers = self._answers()
        return [answers[place] for place in order]

    def _answers(self) -> list[str]:
        found: list[str] = []
        for line in self._lines:
            if not line.poll(PATIENCE):
                message = "a member of the crew did not answer"
                raise TimeoutError(message)
            found.append(line.recv())
        return found


def work(line: Connection, barrier: Any, place: Place) -> None:
    """Do jobs until there are none: the main function of a member."""
    clock = Clock()
    with App(place.settings(), clock) as app:
        with app.database.reading() as tx:
            cases.ids(tx)
        line.send("ready")
        while (job := line.recv()) is not None:
            clock.now = job.now
            if job.warm and not job.items:
                with app.database.reading() as tx:
                    cases.load(tx, job.case_id, app.cache)
            clock.now += job.ahead
            barrier.wait(PATIENCE)
            line.send(_attempt(app, job))


def _attempt(app: App, job: Job) -> str:
    try:
        if job.items:
            taken = intake.take_in(app, Who(job.who), job.items)
            return str(Counter(item.outcome for item in taken)["opened"])
        casework.perform(app, Who(job.who), job.case_id, job.action)
    except HoldfastError as error:
        # What is not a known way to lose is to be read in the report.
        return error.code if error.code != StorageError.code else f"{error.code}: {error}"
    return DONE
