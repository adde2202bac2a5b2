"""One worker in a process of its own, or in a thread."""

from __future__ import annotations

import multiprocessing
import signal
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from tests.services.desk import Clock, Place
from workflow.app import App
from workflow.worker import fleet, pulse
from workflow.worker.pulse import Beating, Pulse

if TYPE_CHECKING:
    from tests.worker.stand_in import StandIn
    from workflow.providers.port import Provider

CONTEXT = multiprocessing.get_context("forkserver")
PATIENCE = 60.0
BRISK = 1.0
"""Seconds between two looks for chores, so that a test that waits for the fourth one ends."""


def beating(place: Place) -> Beating:
    """Return what tells that a worker is alive."""
    return Beating(pulse.place(place.settings()), Pulse(), datetime.now(UTC))


def work(place: Place, stand_in: StandIn, concurrency: int, lease: float, grace: float) -> None:
    """Work until SIGTERM: the main function of a process. Its exit says whether every step in hand was finished."""
    fleet._CHORES = BRISK  # type: ignore[misc]
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    finished = fleet.run(
        lambda: App(place.settings(), Clock()),
        work=stand_in,
        concurrency=concurrency,
        stop=stop,
        log=stand_in.diary.say,
        beating=beating(place),
        lease=lease,
        grace=grace,
    )
    raise SystemExit(0 if finished else 3)


@dataclass
class Process:
    """A worker that can be killed."""

    place: Place
    stand_in: StandIn
    concurrency: int = 2
    lease: float = 3.0
    grace: float = 10.0
    process: Any = None

    def __enter__(self) -> Self:
        """Start it."""
        arguments = (self.place, self.stand_in, self.concurrency, self.lease, self.grace)
        self.process = CONTEXT.Process(target=work, args=arguments, daemon=True)
        self.process.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it, if it is still there."""
        if self.process.is_alive():
            self.process.terminate()
            self.process.join(PATIENCE if kind is None else 1)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


@dataclass
class Thread:
    """A worker in this process, which can be looked into and is counted in coverage."""

    place: Place
    stand_in: StandIn
    concurrency: int = 2
    lease: float = 3.0
    grace: float = 10.0
    key: bool = True
    provider: Provider | None = None
    said: list[str] = field(default_factory=list)
    finished: bool | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    error: BaseException | None = None

    def __enter__(self) -> Self:
        """Start it."""
        self._thread = threading.Thread(target=self._work)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        self.stop.set()
        self._thread.join(PATIENCE)
        if kind is None and self.error is not None:
            raise self.error

    def _work(self) -> None:
        changes = {} if self.key else {"key_file": self.place.home / "no.key"}
        try:
            self.finished = fleet.run(
                lambda: App(self.place.settings(**changes), Clock(), self.provider),
                work=self.stand_in,
                concurrency=self.concurrency,
                stop=self.stop,
                log=lambda said, *_, **__: self.said.append(said),
                beating=beating(self.place),
                lease=self.lease,
                grace=self.grace,
            )
        except BaseException as error:  # noqa: BLE001 - shown to the test that started it.
            self.error = error
