"""The tenant's own time: it stands still, moves when told to, or runs as many times faster as asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Clock:
    """A virtual clock. Time never runs backwards.

    Args:
        starts_at: the first present, aware UTC.
        factor: virtual seconds per real second; 0 stands still between calls, which is what repeats itself.
        real: seconds of a monotonic clock; only asked where the factor is not 0.
    """

    def __init__(self, starts_at: datetime, factor: float = 0.0, real: Callable[[], float] | None = None) -> None:
        self.factor = factor if real is not None else 0.0
        self._real = real
        self._base = starts_at.astimezone(UTC)
        self._since = real() if real is not None else 0.0

    def now(self) -> datetime:
        """Return the present in the tenant."""
        if not self.factor or self._real is None:
            return self._base
        return self._base + timedelta(seconds=(self._real() - self._since) * self.factor)

    def advance(self, seconds: float) -> datetime:
        """Move on and return the new present; a negative length moves nothing."""
        self._base += timedelta(seconds=max(0.0, seconds))
        return self.now()

    def client_seconds(self, virtual: float) -> float:
        """Return how long a client waits by its own clock for so many virtual seconds."""
        return virtual / self.factor if self.factor > 1 else virtual
