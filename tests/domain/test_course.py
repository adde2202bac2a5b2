"""The course of a case: what each occurrence reached when, from a few members of its entries."""

from datetime import UTC, datetime, timedelta
from typing import Any

from workflow.domain.course import Course, Mark, Unblocked, courses
from workflow.domain.vocabulary import EntryType

START = datetime(2026, 11, 24, 8, tzinfo=UTC)


def at(minutes: int) -> datetime:
    """Return a time so many minutes after the start."""
    return START + timedelta(minutes=minutes)


def text(minutes: int) -> str:
    """Return that time as entries write it."""
    return at(minutes).isoformat(timespec="microseconds")[:26] + "Z"


def mark(kind: EntryType, minutes: int, recurrence: int = 1, **members: Any) -> Mark:
    """Return a mark recorded so many minutes after the start."""
    return Mark(kind, recurrence, text(minutes), **members)


OPENED = mark(EntryType.CASE_OPENED, 0, restricted_at=text(-30))
GONE: dict[str, Any] = {"status": "not-listed", "observed_at": text(39)}
STEPS = [
    OPENED,
    mark(EntryType.EVIDENCE_RECORDED, 5, prerequisite="a", result="not-met"),
    mark(EntryType.EVIDENCE_RECORDED, 6, prerequisite="a"),
    mark(EntryType.EXCEPTION_GRANTED, 7, prerequisite="b"),
    mark(EntryType.CASE_CONTAINED, 8),
    mark(EntryType.CASE_RETURNED, 9),
    mark(EntryType.CASE_CONTAINED, 10),
    mark(EntryType.CASE_VERIFIED, 11),
    mark(EntryType.UNBLOCK_REQUESTED, 12),
    mark(EntryType.UNBLOCK_APPROVED, 13),
    mark(EntryType.UNBLOCK_REJECTED, 14),
    mark(EntryType.UNBLOCK_REQUESTED, 20),
    mark(EntryType.UNBLOCK_APPROVED, 25),
    mark(EntryType.UNBLOCK_INTENDED, 30),
    mark(EntryType.UNBLOCK_ANSWERED, 31),
    mark(EntryType.RESTRICTION_OBSERVED, 40, **GONE),
    mark(EntryType.CASE_RELEASED, 40),
]


def test_a_release_from_beginning_to_end() -> None:
    """First what is reached, last what is decided; a bad answer ends no waiting, and an exception does."""
    (found,) = courses([*STEPS, mark(EntryType.CASE_CLOSED, 50, resolution="released")])

    assert found == Course(
        recurrence=1,
        began_at=at(0),
        restricted_at=at(-30),
        contained_at=at(8),
        verified_at=at(11),
        requested_at=at(20),
        approved_at=at(25),
        intended_at=at(30),
        answered_at=at(31),
        gone_at=at(39),
        gone_recorded_at=at(40),
        released_at=at(40),
        ended_at=at(50),
        resolution="released",
        gone_method="attested",
        held={"a": at(6), "b": at(7)},
    )


def test_a_request_that_ended_leaves_nothing() -> None:
    """What was withdrawn, rejected or void is no request any more."""
    for ending in (EntryType.UNBLOCK_WITHDRAWN, EntryType.UNBLOCK_REJECTED, EntryType.UNBLOCK_VOIDED):
        (found,) = courses([*STEPS[:10], mark(ending, 14)])
        assert (None, None) == (found.requested_at, found.approved_at)


def test_what_came_back_is_an_occurrence_of_its_own() -> None:
    """Each occurrence begins anew, with the time of its own restriction."""
    again = mark(EntryType.RESTRICTION_RETURNED, 60, 2)
    seen = mark(EntryType.RESTRICTION_SEEN, 61, 2, restricted_at=text(59))
    first, second = courses([*STEPS, again, seen, mark(EntryType.RESTRICTION_SEEN, 62, 2)])

    assert (1, at(40)) == (first.recurrence, first.released_at)
    assert (2, at(60), at(59), None, {}) == (
        second.recurrence,
        second.began_at,
        second.restricted_at,
        second.contained_at,
        second.held,
    )


def test_whether_it_was_unblocked_after_approval() -> None:
    """A reading of the tenant says yes, a person's word attests only; without a release it is no, or not yet."""
    checked = mark(EntryType.RESTRICTION_OBSERVED, 45, method="checked", **GONE)
    later = mark(EntryType.RESTRICTION_OBSERVED, 46, **GONE)
    outside = mark(EntryType.RESTRICTION_OBSERVED, 4, resolution="unblocked_outside", **GONE)
    closed = mark(EntryType.CASE_CLOSED, 4, resolution="not_unblocked")

    assert [Unblocked.NOT_YET] == [item.unblocked for item in courses([OPENED])]
    assert [Unblocked.ATTESTED_ONLY] == [item.unblocked for item in courses(STEPS)]
    assert [Unblocked.YES] == [item.unblocked for item in courses([*STEPS, checked, later])]
    assert [(Unblocked.NO, "unblocked_outside")] == [
        (item.unblocked, item.resolution) for item in courses([OPENED, outside])
    ]
    assert [Unblocked.NO] == [item.unblocked for item in courses([OPENED, closed])]


def test_what_says_nothing_of_the_course() -> None:
    """A stale reading, a restriction that is still there, a note, and entries before any beginning are passed over."""
    stale = mark(EntryType.RESTRICTION_OBSERVED, 5, stale=True, **GONE)
    listed = mark(EntryType.RESTRICTION_OBSERVED, 6, status="listed", observed_at=text(6))

    assert courses([OPENED]) == courses([stale, OPENED, stale, listed, mark(EntryType.CASE_NOTED, 7)])
