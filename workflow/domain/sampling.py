"""Drawing a sample that anybody can draw again: by hashes of seed and id, with no random numbers of any library.

The population is written down as a text of one id to a line, sorted, each line ended by a line feed; its digest is the
SHA-256 of that text. Ids are put in the order of ``SHA-256("SEED:ID")`` (ASCII, the seed in decimal digits), and the
first so many are the sample. To take a larger one later keeps the smaller.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def listing(population: Iterable[str]) -> str:
    """Return the population as the text that its digest is made of."""
    return "".join(f"{item}\n" for item in sorted(set(population)))


def digest(population: Iterable[str]) -> str:
    """Return the SHA-256 of :func:`listing`, in hex."""
    return hashlib.sha256(listing(population).encode()).hexdigest()


def rank(seed: int, item: str) -> str:
    """Return what an id is ordered by under a seed: 64 hexadecimal digits."""
    return hashlib.sha256(f"{seed}:{item}".encode()).hexdigest()


def draw(population: Iterable[str], seed: int, number: int) -> Sequence[str]:
    """Return the sample in the order drawn: ``number`` ids, or all where there are not so many."""
    return sorted(set(population), key=lambda item: rank(seed, item))[:number]
