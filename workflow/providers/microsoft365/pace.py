"""How fast a tenant is called: never faster than Microsoft allows, and never before it said to come back."""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workflow.errors import ProviderBusyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from workflow.providers.microsoft365.connection import Limit


_LEAST = 0.001
"""Seconds to wait at least: what rounding leaves over may be less than a clock can show, and would never pass."""
_EASE = 0.1
"""The part of a limit's time by which one call is put off from the last, where the limit is nearly used up."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How time passes for a client.

    Args:
        now: seconds that only rise.
        wait: lets seconds pass.
        spread: a number from 0 up to 1, so that many clients do not come back at the same instant.
        patience: the longest wait, in seconds; what would take longer is refused with the time it would take.
    """

    now: Callable[[], float] = time.monotonic
    wait: Callable[[float], None] = time.sleep
    spread: Callable[[], float] = random.random
    patience: float = 60.0

    def backoff(self, attempt: int) -> float:
        """Return how long to wait after a failed attempt, the first of which is 0."""
        return float(2**attempt) + self.spread()


class Budget:
    """The calls of one family, shared by the threads of one process.

    Of a fleet each process has its share of them. Commands that people run have budgets of their own beside it; between
    those the service's refusals keep the peace.
    """

    def __init__(self, family: str, limit: Limit, pace: Pace) -> None:
        """Begin with nothing spent, and with all of it."""
        self._family = family
        self._limit = limit
        self._pace = pace
        self._workers = 1
        self._begun: deque[float] = deque(maxlen=limit.calls)
        self._under_way = 0
        self._held_until = 0.0
        self._lock = threading.Lock()
        self._ended = threading.Condition(self._lock)

    def share(self, workers: int) -> None:
        """Take the part of one of so many workers from now on."""
        with self._ended:
            self._workers = max(workers, 1)
            self._ended.notify_all()

    @contextmanager
    def call(self) -> Iterator[None]:
        """Wait for a turn, and keep others out while too many are under way.

        Raises:
            ProviderBusyError: the turn is further away than patience lasts.
        """
        with self._ended:
            self._ended.wait_for(lambda: self._under_way < max(self._limit.at_once // self._workers, 1))
            self._under_way += 1
        try:
            self._turn()
            yield
        finally:
            with self._ended:
                self._under_way -= 1
                self._ended.notify()

    def hold(self, seconds: float) -> None:
        """Let nobody call for a while: calling early makes services begin the wait again."""
        with self._lock:
            self._held_until = max(self._held_until, self._pace.now() + seconds)

    def ease(self) -> None:
        """Let nobody call for a part of the limit's time: a refusal would cost more."""
        self.hold(self._limit.seconds * _EASE)

    def _turn(self) -> None:
        while True:
            with self._lock:
                now = self._pace.now()
                delay = self._held_until - now
                # Where there is less than one call for each worker, each has one in a longer while.
                calls = max(self._limit.calls // self._workers, 1)
                seconds = self._limit.seconds * max(self._workers * calls / self._limit.calls, 1)
                if len(self._begun) >= calls:
                    delay = max(delay, self._begun[-calls] + seconds - now)
                if delay <= 0:
                    self._begun.append(now)
                    return
            if delay > self._pace.patience:
                raise ProviderBusyError(
                    f"Microsoft 365 asks to be left alone ({self._family}); nothing was called. "
                    f"Come back in {delay:.0f} seconds.",
                    delay,
                )
            self._pace.wait(max(delay, _LEAST))
