"""How long to wait before a case is looked at again."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST: Final = timedelta(minutes=5)
"""The longest wait after a failure: a case is due all the same, and people wait for it."""

_SPREAD: Final = 0.2


def after_failure(attempts: int, dice: Callable[[], float]) -> timedelta:
    """Return the wait after so many attempts: twice as long each time, somewhere between half of it and all.

    ``dice`` returns a number from 0 to 1. Many cases that failed for one reason do not come back at one moment.
    """
    whole = min(timedelta(seconds=2 ** min(attempts, 20)), LONGEST)
    return whole * (0.5 + dice() / 2)


def after_answer(again: timedelta, dice: Callable[[], float]) -> timedelta:
    """Return the wait that a step asked for, never less, and up to a fifth more."""
    return max(again, timedelta(0)) * (1 + _SPREAD * dice())
