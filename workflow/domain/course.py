"""The course of a case: when each of its occurrences reached what, read from a few members of its entries.

One definition for the report of one case and for the figures of thousands. A course only reads what the ledger says;
it judges nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from workflow.domain.record import time_from_text
from workflow.domain.vocabulary import EntryType, Method, Resolution, RestrictionStatus, Result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from workflow.domain.record import Entry


class Unblocked(StrEnum):
    """Whether an entity was unblocked after an approval, and how that is known."""

    YES = "yes"
    ATTESTED_ONLY = "attested-only"
    NO = "no"
    NOT_YET = "not-yet"


class Mark(NamedTuple):
    """The members of one entry that a course is read from; "" where the entry has no such member."""

    type: str
    recurrence: int
    recorded_at: str
    prerequisite: str = ""
    result: str = ""
    resolution: str = ""
    status: str = ""
    observed_at: str = ""
    method: str = ""
    restricted_at: str = ""
    stale: bool = False


@dataclass(slots=True)
class Course:
    """One occurrence: when it began, and when it first (a request, an approval and an intent: last) reached what.

    ``began_at`` is when the ledger learned of it, ``restricted_at`` what the tenant says. ``gone_at`` is when the
    restriction was observed gone. ``held`` names when each prerequisite first got an answer that counts, or an
    exception.
    """

    recurrence: int
    began_at: datetime
    restricted_at: datetime | None = None
    contained_at: datetime | None = None
    verified_at: datetime | None = None
    requested_at: datetime | None = None
    approved_at: datetime | None = None
    intended_at: datetime | None = None
    answered_at: datetime | None = None
    gone_at: datetime | None = None
    gone_recorded_at: datetime | None = None
    released_at: datetime | None = None
    ended_at: datetime | None = None
    resolution: str = ""
    gone_method: str = ""
    held: dict[str, datetime] = field(default_factory=dict)

    @property
    def unblocked(self) -> Unblocked:
        """Say whether it was unblocked after an approval: what nobody but a person saw is attested only."""
        if self.released_at is not None:
            return Unblocked.YES if self.gone_method == Method.CHECKED else Unblocked.ATTESTED_ONLY
        return Unblocked.NO if self.gone_at is not None or self.ended_at is not None else Unblocked.NOT_YET


def mark(entry: Entry) -> Mark:
    """Return what a course needs of an entry."""
    data, basis = entry.data, entry.basis
    return Mark(
        entry.type,
        entry.recurrence,
        entry.recorded_at,
        data.get("prerequisite") or basis.get("prerequisite") or "",
        data.get("result") or "",
        basis.get("resolution") or "",
        data.get("status") or "",
        data.get("observed_at") or "",
        data.get("method") or "",
        basis.get("restricted_at") or "",
        bool(basis.get("stale")),
    )


def courses(marks: Iterable[Mark]) -> list[Course]:
    """Return the occurrences of one case, oldest first, from its entries' marks in order of sequence."""
    found: list[Course] = []
    for item in marks:
        at = time_from_text(item.recorded_at)
        if item.type in BEGINNINGS:
            found.append(Course(item.recurrence, at))
            if item.restricted_at:
                found[-1].restricted_at = time_from_text(item.restricted_at)
        elif found and item.type in _READERS:
            _READERS[item.type](found[-1], item, at)
    return found


BEGINNINGS = frozenset({EntryType.CASE_OPENED, EntryType.CASE_REOPENED, EntryType.RESTRICTION_RETURNED})
_GOOD = frozenset({"", Result.MET, Result.NOT_APPLICABLE})


def _contained(course: Course, _mark: Mark, at: datetime) -> None:
    course.contained_at = course.contained_at or at


def _verified(course: Course, _mark: Mark, at: datetime) -> None:
    course.verified_at = course.verified_at or at


def _requested(course: Course, _mark: Mark, at: datetime) -> None:
    course.requested_at, course.approved_at = at, None


def _approved(course: Course, _mark: Mark, at: datetime) -> None:
    course.approved_at = at


def _request_ended(course: Course, _mark: Mark, _at: datetime) -> None:
    course.requested_at = course.approved_at = None


def _intended(course: Course, _mark: Mark, at: datetime) -> None:
    course.intended_at, course.answered_at = at, None


def _answered(course: Course, _mark: Mark, at: datetime) -> None:
    course.answered_at = at


def _seen(course: Course, item: Mark, _at: datetime) -> None:
    if item.restricted_at:
        course.restricted_at = time_from_text(item.restricted_at)


def _observed(course: Course, item: Mark, at: datetime) -> None:
    if item.stale:
        return
    course.resolution = item.resolution or course.resolution
    if item.status != RestrictionStatus.NOT_LISTED:
        return
    if course.gone_at is None:
        course.gone_at, course.gone_recorded_at = time_from_text(item.observed_at), at
    if course.gone_method != Method.CHECKED:
        course.gone_method = item.method or Method.ATTESTED


def _released(course: Course, _mark: Mark, at: datetime) -> None:
    course.released_at, course.resolution = at, Resolution.RELEASED


def _ended(course: Course, item: Mark, at: datetime) -> None:
    course.ended_at, course.resolution = at, item.resolution


def _answered_step(course: Course, item: Mark, at: datetime) -> None:
    if item.result in _GOOD:
        course.held.setdefault(item.prerequisite, at)


_READERS: Mapping[str, Callable[[Course, Mark, datetime], None]] = {
    EntryType.CASE_CONTAINED: _contained,
    EntryType.CASE_VERIFIED: _verified,
    EntryType.CASE_RELEASED: _released,
    EntryType.CASE_CLOSED: _ended,
    EntryType.CASE_DISMISSED: _ended,
    EntryType.RESTRICTION_SEEN: _seen,
    EntryType.RESTRICTION_OBSERVED: _observed,
    EntryType.EVIDENCE_RECORDED: _answered_step,
    EntryType.EXCEPTION_GRANTED: _answered_step,
    EntryType.UNBLOCK_REQUESTED: _requested,
    EntryType.UNBLOCK_APPROVED: _approved,
    EntryType.UNBLOCK_WITHDRAWN: _request_ended,
    EntryType.UNBLOCK_REJECTED: _request_ended,
    EntryType.UNBLOCK_VOIDED: _request_ended,
    EntryType.UNBLOCK_INTENDED: _intended,
    EntryType.UNBLOCK_ANSWERED: _answered,
}

READ = (*sorted(BEGINNINGS), *_READERS)
"""The entry types that courses are read from; others may be left out."""
