"""Timing contestants side by side: each takes the same step in turn, so that the machine's moods hit all of them."""

import gc
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median


@dataclass(slots=True)
class Samples:
    """Durations in seconds, by round."""

    rounds: list[list[float]] = field(default_factory=list)

    @property
    def every(self) -> list[float]:
        """All of them, ascending."""
        return sorted(value for part in self.rounds for value in part)

    @property
    def median(self) -> float:
        """The median of all of them."""
        return median(self.every)

    def quantile(self, share: float) -> float:
        """The value that this share of them does not exceed."""
        ordered = self.every
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def ratio(one: Samples, other: Samples) -> float:
    """How many times as long one takes as the other: the median over the rounds of the ratio of medians."""
    return median(
        median(mine) / median(theirs) for mine, theirs in zip(one.rounds, other.rounds, strict=True) if mine and theirs
    )


def interleave(
    rounds: Iterable[Iterable[Mapping[str, Callable[[], object]]]],
) -> dict[str, Samples]:
    """Time each step of each round, contestant by contestant; who goes first changes from step to step."""
    found: dict[str, Samples] = {}
    with quiet():
        for number, steps in enumerate(rounds):
            for turn, step in enumerate(steps):
                names = list(step)
                for place in range(len(names)):
                    name = names[(place + turn) % len(names)]
                    samples = found.setdefault(name, Samples())
                    while len(samples.rounds) <= number:
                        samples.rounds.append([])
                    samples.rounds[number].append(timed(step[name]))
    return found


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that one call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


@contextmanager
def quiet() -> Iterator[None]:
    """Collect garbage before and not while measuring, so that nobody pays for another's."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()
