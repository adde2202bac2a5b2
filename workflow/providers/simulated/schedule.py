"""What will happen by itself, in the order of time; at the same time, in the order in which it was planned."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime


class Schedule:
    """A queue of events in virtual time."""

    def __init__(self) -> None:
        self._queue: list[tuple[datetime, int, Callable[[datetime], None]]] = []
        self._planned = 0

    def at(self, when: datetime, event: Callable[[datetime], None]) -> None:
        """Plan an event; it is told its own time, however late it is run."""
        self._planned += 1
        heapq.heappush(self._queue, (when, self._planned, event))

    def run(self, now: datetime) -> None:
        """Let everything take place that is due, and what follows from it."""
        while self._queue and self._queue[0][0] <= now:
            when, _, event = heapq.heappop(self._queue)
            event(when)

    def next(self) -> datetime | None:
        """Return when the next event is due, None when nothing is planned."""
        return self._queue[0][0] if self._queue else None
