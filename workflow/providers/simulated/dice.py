"""Chance that repeats itself: numbers drawn from a seed, the same on every machine and version of Python."""

from __future__ import annotations

import hashlib
import uuid
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")


class Dice:
    """One stream of chance. Streams of other names do not disturb it, so that one more draw here moves nothing there.

    Args:
        seed: what everything is drawn from.
        stream: which stream of that seed.
    """

    def __init__(self, seed: int, stream: str = "") -> None:
        self._seed = seed
        self._stream = stream
        self._drawn = 0

    def stream(self, name: str) -> Dice:
        """Return a stream of its own name under this one."""
        return Dice(self._seed, f"{self._stream}/{name}")

    def _bytes(self, length: int) -> bytes:
        self._drawn += 1
        material = f"{self._seed}{self._stream}#{self._drawn}".encode()
        return hashlib.blake2b(material, digest_size=length).digest()

    def fraction(self) -> float:
        """Return a number from 0 up to, but without, 1."""
        return int.from_bytes(self._bytes(6)) / (1 << 48)

    def between(self, low: float, high: float) -> float:
        """Return a number from low to high."""
        return low + (high - low) * self.fraction()

    def whole(self, low: int, high: int) -> int:
        """Return a whole number from low to high, both included."""
        return low + int(self.fraction() * (high - low + 1))

    def chance(self, likely: float) -> bool:
        """Return true as often as said: 0 is never, 1 is always."""
        return self.fraction() < likely

    def pick(self, things: Sequence[T]) -> T:
        """Return one of the things."""
        return things[self.whole(0, len(things) - 1)]

    def guid(self) -> str:
        """Return a version 4 GUID."""
        return str(uuid.UUID(bytes=self._bytes(16), version=4))

    def token(self, length: int = 20) -> str:
        """Return hexadecimal digits that nobody guesses without the seed."""
        return self._bytes(length).hex()
