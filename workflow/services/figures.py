"""How long things took, over many cases: figures that an auditor or a lead asks for, and where the time went."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from statistics import median
from typing import TYPE_CHECKING, Any

from workflow.domain.course import Course, courses
from workflow.domain.vocabulary import ENDED, State
from workflow.storage import courses as stored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime, tzinfo

    from workflow.app import App
    from workflow.domain.period import Period
    from workflow.domain.picture import Picture
    from workflow.storage.transaction import Tx

P90 = 0.9


class By(StrEnum):
    """What the figures can be told apart by."""

    NOTHING = ""
    KIND = "kind"
    PLAYBOOK = "playbook"
    MONTH = "month"


MEASURES = {
    "contain": ("began_at", "contained_at"),
    "verify": ("began_at", "verified_at"),
    "request_to_approve": ("requested_at", "approved_at"),
    "approve_to_unblock": ("approved_at", "intended_at"),
    "release": ("began_at", "released_at"),
}
"""Each measure and the two times of a course between which it lies."""


@dataclass(frozen=True, slots=True)
class Spread:
    """How often something was measured, and its length in seconds: in the middle, for nine of ten, at most.

    ``p90_seconds`` is the shortest length that at least nine of ten do not exceed. None where nothing was measured.
    """

    count: int
    median_seconds: float | None
    p90_seconds: float | None
    longest_seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """How long one prerequisite took from the beginning of an occurrence, and how many wait for it now."""

    prerequisite: str
    waited: Spread
    open: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The figures of one group; ``name`` is "" when nothing is told apart.

    ``occurrences`` counts restrictions, ``recurrences`` those of them that came back in a case that knew one before.
    """

    name: str
    cases: int
    occurrences: int
    recurrences: int
    resolutions: dict[str, int]
    unresolved: int
    measures: dict[str, Spread]
    waiting: list[Wait]

    def to_data(self) -> dict[str, Any]:
        """Return plain JSON values: lengths in seconds."""
        return asdict(self)


@dataclass(slots=True)
class _Heap:
    """What is gathered for one group before it is summed up."""

    cases: set[str] = field(default_factory=set)
    occurrences: int = 0
    recurrences: int = 0
    resolutions: Counter[str] = field(default_factory=Counter)
    lengths: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in MEASURES})
    waited: dict[str, list[float]] = field(default_factory=dict)
    open: Counter[str] = field(default_factory=Counter)

    def add(self, case: Picture, course: Course, *, current: bool) -> None:
        """Take in one occurrence; ``current`` says that it is the case's last."""
        self.cases.add(case.id)
        self.occurrences += 1
        self.recurrences += course.recurrence > 1
        self.resolutions[course.resolution] += 1
        for name, (start, end) in MEASURES.items():
            length = _length(getattr(course, start), getattr(course, end))
            if length is not None:
                self.lengths[name].append(length)
        for prerequisite, at in course.held.items():
            self.waited.setdefault(prerequisite, []).append((at - course.began_at).total_seconds())
        if current and case.state not in {State.RELEASED, *ENDED}:
            self.open.update(case.missing)


def figures(
    app: App,
    period: Period,
    by: By = By.NOTHING,
    zone: tzinfo | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Group]:
    """Return the figures of all occurrences that began in the period, by group in the order of their names.

    One group without a name when nothing is told apart; none at all when nothing began. Months are those of ``zone``.
    ``progress`` is called with the cases looked at, and 0 because nobody knows how many there are.
    """
    heaps: dict[str, _Heap] = {}
    start, end = period.start, period.end
    with app.database.reading() as tx:
        for count, (case, marks) in enumerate(stored.of_period(tx, period), start=1):
            if progress is not None:
                progress(count, 0)
            found = courses(marks)
            for course in found:
                if (start is None or start <= course.began_at) and (end is None or course.began_at < end):
                    name = _name(app, tx, case, course, by, zone)
                    heaps.setdefault(name, _Heap()).add(case, course, current=course is found[-1])
    return [_group(name, heaps[name]) for name in sorted(heaps)]


def _name(app: App, tx: Tx, case: Picture, course: Course, by: By, zone: tzinfo | None) -> str:
    if by is By.KIND:
        return case.kind
    if by is By.MONTH:
        return course.began_at.astimezone(zone).strftime("%Y-%m")
    if by is By.PLAYBOOK:
        playbook = app.playbook(tx, case.playbook)
        return f"{playbook.name} {playbook.version}"
    return ""


def _length(start: datetime | None, end: datetime | None) -> float | None:
    return None if start is None or end is None else (end - start).total_seconds()


def _group(name: str, heap: _Heap) -> Group:
    unresolved = heap.resolutions.pop("", 0)
    waiting = [
        Wait(prerequisite=item, waited=spread(heap.waited.get(item, [])), open=heap.open[item])
        for item in {*heap.waited, *heap.open}
    ]
    return Group(
        name=name,
        cases=len(heap.cases),
        occurrences=heap.occurrences,
        recurrences=heap.recurrences,
        resolutions=dict(sorted(heap.resolutions.items())),
        unresolved=unresolved,
        measures={measure: spread(lengths) for measure, lengths in heap.lengths.items()},
        waiting=sorted(waiting, key=lambda item: (-(item.waited.median_seconds or 0), item.prerequisite)),
    )


def spread(lengths: Iterable[float]) -> Spread:
    """Sum up lengths in seconds."""
    ordered = sorted(lengths)
    if not ordered:
        return Spread(0, None, None, None)
    return Spread(len(ordered), median(ordered), ordered[math.ceil(P90 * len(ordered)) - 1], ordered[-1])


COLUMNS = ("group", "figure", "name", "count", "median_seconds", "p90_seconds", "longest_seconds")
"""The columns of the figures as one flat table."""


def rows(groups: Iterable[Group]) -> Iterator[dict[str, Any]]:
    """Yield one row for each figure: counts, resolutions, measures, waiting for each prerequisite, and open ones."""
    for group in groups:
        counts = {"cases": group.cases, "occurrences": group.occurrences, "recurrences": group.recurrences}
        for name, count in counts.items():
            yield _flat(group.name, "count", name, count)
        for name, count in (*group.resolutions.items(), ("", group.unresolved)):
            yield _flat(group.name, "resolution", name or "none yet", count)
        for name, length in group.measures.items():
            yield _flat(group.name, "time", name, length.count, length)
        for wait in group.waiting:
            yield _flat(group.name, "waited", wait.prerequisite, wait.waited.count, wait.waited)
            yield _flat(group.name, "open", wait.prerequisite, wait.open)


def _flat(group: str, figure: str, name: str, count: int, length: Spread | None = None) -> dict[str, Any]:
    lengths = length or Spread(0, None, None, None)
    return dict(
        zip(
            COLUMNS,
            (group, figure, name, count, lengths.median_seconds, lengths.p90_seconds, lengths.longest_seconds),
            strict=True,
        )
    )
