"""How many calls a tenant stands, by family; token buckets in virtual time.

The figures are Microsoft's where it publishes any, and configuration everywhere, because they change. Whoever calls
again before the time that was said waits from the beginning.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Family:
    """Calls that share a budget.

    Args:
        calls: how many, or how many resource units.
        seconds: in how long.
        says: whether a refusal says how long to wait.
    """

    calls: int
    seconds: float
    says: bool = True


FAMILIES: Mapping[str, Family] = {
    "exchange": Family(30_000, 300.0),
    "message-trace": Family(100, 300.0),
    "identity": Family(3_500, 10.0),
    "identity-writes": Family(3_000, 150.0),
    "reports": Family(5, 10.0),
    "conditional-access": Family(1, 1.0, says=False),
    "alerts": Family(150, 60.0),
    "outlook": Family(10_000, 600.0),
    "sign-in": Family(200, 60.0),
}
"""Exchange publishes no figure for its gateway and the sign-in endpoint none at all; the others are documented."""


@dataclass(slots=True)
class _Bucket:
    left: float
    at: datetime
    closed_until: datetime | None = None


class Limits:
    """The budgets of one tenant.

    Args:
        on: whether anything is limited.
        budgets: figures that differ from :data:`FAMILIES`, calls per window.
    """

    def __init__(self, *, on: bool, budgets: Mapping[str, int]) -> None:
        self._on = on
        self._families = {
            name: Family(budgets.get(name, item.calls), item.seconds, item.says) for name, item in FAMILIES.items()
        }
        self._buckets: dict[tuple[str, str], _Bucket] = {}
        self.early = 0
        """How often somebody called before the time that a refusal had said."""

    def family(self, name: str) -> Family:
        """Return the family as configured."""
        return self._families[name]

    def left(self, name: str, whose: str) -> int:
        """Return how many calls are left."""
        bucket = self._buckets.get((name, whose))
        return self._families[name].calls if bucket is None else int(bucket.left)

    def used(self, name: str, whose: str) -> float:
        """Return the part that is used up, from 0 to 1."""
        return 1 - self.left(name, whose) / self._families[name].calls

    def take(self, name: str, whose: str, now: datetime, cost: float = 1.0) -> float:
        """Take from a budget and return 0, or how many virtual seconds to wait.

        Args:
            name: the family.
            whose: the application, or whatever shares the budget.
            now: the present.
            cost: calls or resource units.
        """
        family = self._families[name]
        bucket = self._buckets.setdefault((name, whose), _Bucket(float(family.calls), now))
        if not self._on:
            return 0.0
        elapsed = max((now - bucket.at).total_seconds(), 0.0)
        bucket.left = min(float(family.calls), bucket.left + elapsed * family.calls / family.seconds)
        bucket.at = now
        early = bucket.closed_until is not None and now < bucket.closed_until
        if not early and bucket.left >= min(cost, family.calls):
            bucket.left -= cost
            bucket.closed_until = None
            return 0.0
        self.early += early and family.says
        wait = max(1.0, family.seconds / 2 if family.calls > 1 else family.seconds)
        if family.says:
            bucket.closed_until = now + timedelta(seconds=wait)
        return wait
