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

    Other processes have budgets of their own; between them the service's refusals keep the peace.
    """

    def __init__(self, family: str, limit: Limit, pace: Pace) -> None:
        """Begin with nothing spent."""
        self._family = family
        self._limit = limit
        self._pace = pace
        self._begun: deque[float] = deque(maxlen=limit.calls)
        self._held_until = 0.0
        self._lock = threading.Lock()
        self._at_once = threading.BoundedSemaphore(limit.at_once)

    @contextmanager
    def call(self) -> Iterator[None]:
        """Wait for a turn, and keep others out while too many are under way.

        Raises:
            ProviderBusyError: the turn is further away than patience lasts.
        """
        with self._at_once:
            self._turn()
            yield

    def hold(self, seconds: float) -> None:
        """Let nobody call for a while: calling early makes services begin the wait again."""
        with self._lock:
            self._held_until = max(self._held_until, self._pace.now() + seconds)

    def _turn(self) -> None:
        while True:
            with self._lock:
                now = self._pace.now()
                delay = self._held_until - now
                if len(self._begun) == self._limit.calls:
                    delay = max(delay, self._begun[0] + self._limit.seconds - now)
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
