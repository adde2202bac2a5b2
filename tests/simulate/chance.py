"""Chance that repeats itself, the product's own included, and the accidents that are drawn from it."""

from __future__ import annotations

import random
import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Crash(BaseException):
    """The process ends here: nothing catches it, nothing in memory outlives it."""


class Accidents:
    """Ends a process at one of the places where a call, a look at the clock or a commit lies before or behind it."""

    def __init__(self) -> None:
        self._left = 0
        self.happened = 0

    def plan(self, places: int) -> None:
        """Crash at the place of this number from now on."""
        self._left = places

    def call_off(self) -> None:
        """Crash no more."""
        self._left = 0

    def place(self) -> None:
        """Pass one place.

        Raises:
            Crash: it was planned here.
        """
        if self._left:
            self._left -= 1
            if not self._left:
                self.happened += 1
                raise Crash


@contextmanager
def seeded(seed: int) -> Iterator[random.Random]:
    """Draw ids, salts, passwords and waiting times from a seed for a while, so that a life repeats itself."""
    ours = random.Random(f"life {seed}")
    theirs = random.Random(f"product {seed}")

    def choice(things: Sequence[Any]) -> Any:
        return things[theirs.randrange(len(things))]

    state = random.getstate()
    random.seed(f"waits {seed}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(secrets, "token_bytes", lambda length=32: theirs.randbytes(length))
        patch.setattr(secrets, "token_hex", lambda length=32: theirs.randbytes(length).hex())
        patch.setattr(secrets, "choice", choice)
        try:
            yield ours
        finally:
            random.setstate(state)
