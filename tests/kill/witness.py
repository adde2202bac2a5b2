"""The worker that is killed: the product's own loop or fleet, and a diary of how far each of its threads has come.

The diary outlives the process, because each line is handed to the system at once: a kill leaves the truth behind. Calls
that change the tenant are drawn out a little before and after, so that a kill has something to hit there.
"""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from tests.lines import append
from tests.services.desk import Place
from workflow.app import App, connection_of
from workflow.domain.vocabulary import Change
from workflow.providers.microsoft365.tenant import Microsoft365
from workflow.services import automation
from workflow.services.chores import Chores, chores, lanes
from workflow.worker import fleet, loop, pulse
from workflow.worker.log import Log

if TYPE_CHECKING:
    from collections.abc import Callable

    from workflow.providers.port import Provider
    from workflow.services.automation import Stepped

LEASE = 2.0  # seconds
DRAWN_OUT = 0.03  # seconds, at most, before a call and after its answer
UNBLOCK = "unblock"
CALLS = {
    "set_enabled": Change.BLOCK_SIGN_IN.value,
    "reset_password": Change.RESET_PASSWORD.value,
    "revoke_sessions": Change.REVOKE_SESSIONS.value,
    "remove_method": Change.REMOVE_METHOD.value,
    "remove_consent": Change.REMOVE_CONSENT.value,
    "remove_role": Change.REMOVE_ROLE.value,
    "remove_delegate": Change.REMOVE_DELEGATE.value,
    "set_forwarding": Change.CLEAR_FORWARDING.value,
    "set_rule": Change.DISABLE_RULE.value,
    UNBLOCK: UNBLOCK,
}
"""The operations that change the tenant, and what an intent calls them."""


@dataclass(frozen=True)
class QuickClock:
    """A clock that all processes of a test share, and that runs faster than theirs; ``ahead`` is added by the test."""

    since: float  # of the system's monotonic clock, which all processes share
    starts_at: datetime
    factor: float
    ahead: Any  # a shared double, in seconds

    def __call__(self) -> datetime:
        """Return the present."""
        passed = (time.monotonic() - self.since) * self.factor + self.ahead.value
        return self.starts_at + timedelta(seconds=passed)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the diary: a thread's process, what it is about to do or has done, in which case, with which call."""

    process: int
    thread: int
    what: str
    case_id: str
    call: str
    at: datetime


@dataclass(frozen=True)
class Diary:
    """The file; ``step`` and ``end`` of a look at a case, ``ready``, ``sent`` and ``answered`` of a call."""

    path: Path
    clock: QuickClock

    def write(self, what: str, case_id: str, call: str = "-") -> None:
        """Add a line."""
        words = (os.getpid(), threading.get_ident(), what, case_id, call, self.clock().isoformat())
        append(self.path, " ".join(map(str, words)))

    def keep(self, secret: str) -> None:
        """Keep a new password beside the diary, to be looked for where it must not be."""
        append(self.path.with_name("passwords"), secret)

    def passwords(self) -> list[str]:
        """Return the new passwords that a worker was told."""
        path = self.path.with_name("passwords")
        return path.read_text().split() if path.exists() else []

    def lines(self, offset: int = 0) -> list[Line]:
        """Return what was written from this byte on."""
        if not self.path.exists():
            return []
        with self.path.open("rb") as file:
            file.seek(offset)
            rows = [row.split() for row in file.read().decode().splitlines()]
        return [
            Line(int(process), int(thread), what, case_id, call, datetime.fromisoformat(at))
            for process, thread, what, case_id, call, at in rows
        ]

    def size(self) -> int:
        """Return how many bytes were written so far."""
        return self.path.stat().st_size if self.path.exists() else 0


class Observed:
    """The tenant, with the calls that change it written down before and after."""

    def __init__(self, provider: Provider, diary: Diary) -> None:
        self._provider, self._diary = provider, diary
        self.case = threading.local()
        self._dice = random.Random(os.getpid())

    def __getattr__(self, name: str) -> Any:
        """Return an operation."""
        operation = getattr(self._provider, name)
        if name not in CALLS:
            return operation

        def told(*values: Any, **named: Any) -> Any:
            case_id = getattr(self.case, "id", "-")
            self._diary.write("ready", case_id, CALLS[name])
            time.sleep(self._dice.random() * DRAWN_OUT)
            self._diary.write("sent", case_id, CALLS[name])
            answer = operation(*values, **named)
            self._diary.write("answered", case_id, CALLS[name])
            if name == "reset_password":
                self._diary.keep(answer.value.text)
            time.sleep(self._dice.random() * DRAWN_OUT)
            return answer

        return told


@dataclass(frozen=True)
class Watched:
    """The product's automation, each step written down. A wait is as much shorter as the clock is faster."""

    diary: Diary
    tenant: Observed
    factor: float
    chores: Callable[..., Any] = chores
    lanes: Callable[[], list[Chores]] = lanes

    def due(self, app: App, now: datetime, limit: int) -> list[str]:
        """Return what is due."""
        return automation.due(app, now, limit)

    def step(self, app: App, case_id: str) -> Stepped:
        """Look at a case."""
        self.tenant.case.id = case_id
        self.diary.write("step", case_id)
        stepped = automation.step(app, case_id)
        self.diary.write("end", case_id)
        return stepped if stepped.again is None else replace(stepped, again=stepped.again / self.factor)


def work(place: Place, changes: dict[str, Any], diary: Diary) -> None:
    """Work until killed, or until SIGTERM; the main function of a process."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    clock, settings = diary.clock, place.settings(**changes)
    tenant = Observed(Microsoft365(connection_of(settings), clock), diary)

    def make_app() -> App:
        return App(settings, clock, cast("Provider", tenant))

    alone = place.url.startswith("sqlite")
    with diary.path.with_name("worker.log").open("a") as file, pulse.alone(settings) if alone else nullcontext():
        log, beating = Log(clock, stream=file), pulse.Beating(pulse.place(settings), pulse.Pulse(), clock())
        steps = settings.worker_steps
        if alone:
            # Its waits are reckoned by the app's clock already.
            loop.run(make_app, Watched(diary, tenant, 1.0), room=steps, stop=stop, log=log, beating=beating)
        else:
            watched = Watched(diary, tenant, clock.factor)
            fleet.run(
                make_app, work=watched, concurrency=steps, stop=stop, log=log, beating=beating, lease=LEASE, grace=10.0
            )
