"""Reports and readings of the restriction: what is known, what is new, what came back, what ended by itself."""

from __future__ import annotations

from typing import Any

import pytest

from tests.domain.casebook import (
    ADA,
    BOB,
    DAN,
    DAY,
    HOUR,
    LISTED,
    NOT_LISTED,
    START,
    TEMPORARY,
    UNKNOWN,
    WORDS,
    Casebook,
    small,
)
from workflow.domain import actions as act
from workflow.domain.facts import Effect, judge_report
from workflow.domain.private import NOTHING
from workflow.domain.restriction import Source
from workflow.domain.vocabulary import Kind, Resolution, RestrictionStatus, State
from workflow.errors import InputError, NotFoundError


def report(**inputs: Any) -> act.ReportRestriction:
    """Return a report by the cmdlet that the entity is listed."""
    return act.ReportRestriction(**({"status": LISTED, "source": Source.CMDLET} | inputs))


def effect(book: Casebook, **inputs: Any) -> Effect:
    """Return what a report would mean."""
    return judge_report(book.case, book.playbook, report(**inputs), book.now)


def test_a_known_report_leaves_no_trace() -> None:
    """The same item of the same file was taken in already."""
    book = Casebook().open(fingerprint="f")
    assert [] == book.done(report(fingerprint="f"))
    book.done(report(fingerprint="g"))
    assert Effect.KNOWN is effect(book, fingerprint="g")
    assert frozenset({"f", "g"}) == book.case.seen


def test_undated_reports_only_add_that_it_was_seen() -> None:
    """A mail that bounced without a date proves no new occurrence."""
    book = Casebook().open().released()
    assert ["restriction:seen"] == book.done(report(source=Source.BOUNCE, status=UNKNOWN))
    assert State.RELEASED is book.case.state


def test_a_later_beginning_is_a_new_occurrence() -> None:
    """After an observed absence, or later than a known beginning by a source that knows."""
    book = Casebook().open()
    at = book.now
    assert Effect.SEEN is effect(book, restricted_at=START)
    assert Effect.RETURNED is effect(book, restricted_at=at)
    assert Effect.SEEN is effect(book, restricted_at=at, source=Source.ALERT)
    book.released().later(HOUR)
    assert Effect.SEEN is effect(book, restricted_at=at)
    assert Effect.RETURNED is effect(book, observed_at=book.now)


def test_bounces_linger_for_a_day_after_the_release() -> None:
    """Microsoft needs up to 24 hours to tell every server."""
    book = Casebook().open().released().later(HOUR)
    assert Effect.SEEN is effect(book, source=Source.BOUNCE, observed_at=book.now)
    book.later(DAY)
    assert Effect.RETURNED is effect(book, source=Source.BOUNCE, observed_at=book.now)


def test_a_new_occurrence_reopens_within_the_time_for_it() -> None:
    """Later ones want a case of their own."""
    book = Casebook().open().released().later(8 * DAY)
    book.record("sent-mail")
    book.done(act.CloseCase())
    book.later(DAY)
    assert ["restriction:returned"] == book.done(report(restricted_at=book.now))
    assert (State.DETECTED, 2) == (book.case.state, book.case.recurrence)
    book.released().later(8 * DAY).record("sent-mail")
    book.done(act.CloseCase())
    book.later(31 * DAY)
    assert Effect.NEW_CASE is effect(book, restricted_at=book.now)
    assert "wrong_state" == book.refused(report(restricted_at=book.now))
    observe = act.ObserveRestriction(status=LISTED, observed_at=book.now)
    assert "wrong_state" == book.refused(observe)


def test_a_case_left_restricted_comes_back_by_a_later_report() -> None:
    """Closed while still restricted: only what is later than the end is new."""
    book = Casebook().open(source=Source.ALERT).fulfil()
    book.record("sent-mail")
    book.done(act.CloseCase(resolution=Resolution.NOT_UNBLOCKED, reason=WORDS))
    assert Effect.SEEN is effect(book, observed_at=START)
    book.later(HOUR)
    assert Effect.RETURNED is effect(book, observed_at=book.now)
    assert ["restriction:seen"] == book.done(report(restricted_at=START, source=Source.ALERT))


def test_a_better_date_is_taken_over() -> None:
    """First any date, then the date of a source that knows; then no other."""
    book = Casebook().open(restricted_at=None, source=Source.BOUNCE, status=UNKNOWN)
    book.done(report(source=Source.ALERT, restricted_at=START - HOUR))
    assert (START - HOUR, False) == (book.case.restricted_at, book.case.dated)
    book.done(report(restricted_at=START - 2 * HOUR))
    assert (START - 2 * HOUR, True) == (book.case.restricted_at, book.case.dated)
    book.done(report(restricted_at=START - 3 * HOUR))
    assert START - 2 * HOUR == book.case.boundary


def test_evidence_before_a_better_date_counts_no_more() -> None:
    """The restriction began later than was thought: what was done before is done again (R7)."""
    book = Casebook().open(restricted_at=None, source=Source.BOUNCE, status=UNKNOWN).fulfil()
    assert "case:returned" in book.done(report(restricted_at=book.now))


def test_a_report_tells_what_a_bounce_could_not() -> None:
    """The status becomes known, or known better by a source that reads it."""
    book = Casebook().open(status=UNKNOWN, source=Source.BOUNCE)
    book.done(report(source=Source.ALERT, status=TEMPORARY))
    assert TEMPORARY is book.case.reading.status
    book.done(report(source=Source.ALERT))
    assert TEMPORARY is book.case.reading.status
    book.done(report())
    assert LISTED is book.case.reading.status


@pytest.mark.parametrize(
    ("status", "lifted_by", "resolution"),
    [
        (TEMPORARY, False, Resolution.EXPIRED),
        (TEMPORARY, True, Resolution.UNBLOCKED_OUTSIDE),
        (LISTED, False, Resolution.UNBLOCKED_OUTSIDE),
    ],
)
def test_an_absence_without_an_intent_is_no_release(
    status: RestrictionStatus,
    lifted_by: bool,  # noqa: FBT001 - a column of the table above
    resolution: Resolution,
) -> None:
    """It expired when it was temporary, and somebody lifted it otherwise."""
    book = Casebook().open(status=status).requested()
    book.observe(NOT_LISTED, lifted_by=WORDS if lifted_by else NOTHING)
    assert (State.VERIFIED, resolution) == (book.case.state, book.case.resolution)
    book.observe(NOT_LISTED)
    assert resolution is book.case.resolution
    book.record("sent-mail")
    book.done(act.CloseCase())
    assert (State.CLOSED, resolution) == (book.case.state, book.case.resolution)
    assert ["restriction:observed"] == book.observe(NOT_LISTED)


def test_a_lift_dated_before_the_approval_was_not_ours() -> None:
    """The audit log says that somebody lifted it before anybody approved."""
    book = Casebook().open()
    early = book.now
    book.intended()
    book.observe(NOT_LISTED, lifted_at=early)
    assert (State.VERIFIED, Resolution.UNBLOCKED_OUTSIDE) == (book.case.state, book.case.resolution)
    assert book.case.open_attempt is None


def test_a_lift_between_two_approvals_was_not_ours() -> None:
    """Nothing is approved before the last of the people who have to approve has."""
    book = Casebook(small(approvals=2)).open().requested()
    book.done(act.ApproveUnblock(), BOB)
    book.later(HOUR)
    early = book.now
    book.done(act.ApproveUnblock(), DAN)
    book.done(act.IntendUnblock())
    book.observe(NOT_LISTED, lifted_at=early)
    assert (State.VERIFIED, Resolution.UNBLOCKED_OUTSIDE) == (book.case.state, book.case.resolution)


@pytest.mark.parametrize("field", ["observed_at", "lifted_at"])
def test_readings_from_the_future_are_refused(field: str) -> None:
    """A clock or a zone is wrong."""
    book = Casebook().open()
    inputs: dict[str, Any] = {"observed_at": book.now} | {field: book.now + DAY}
    assert "evidence_refused" == book.refused(act.ObserveRestriction(status=NOT_LISTED, **inputs))


def test_an_old_reading_changes_nothing() -> None:
    """It is kept, and bears no state."""
    book = Casebook().open().later(HOUR)
    book.observe(LISTED)
    version = book.case.version
    assert ["restriction:observed"] == book.observe(NOT_LISTED, observed_at=START)
    assert (LISTED, version) == (book.case.reading.status, book.case.version)


def test_a_return_ends_the_open_attempt() -> None:
    """Seen gone while evidence was missing, then listed again: the attempt is over."""
    book = Casebook().open().intended()
    book.done(act.RetractEvidence(prerequisite="rules", reason=WORDS))
    book.observe(NOT_LISTED)
    book.observe(LISTED)
    assert (State.DETECTED, 2, None) == (book.case.state, book.case.recurrence, book.case.open_attempt)


def test_a_return_from_the_future_is_refused() -> None:
    """A new occurrence cannot begin tomorrow."""
    book = Casebook().open()
    with pytest.raises(InputError):
        book.do(report(restricted_at=book.now + DAY))


def test_a_case_keeps_at_least_one_user_unless_it_is_a_connectors() -> None:
    """Removing a user takes two people and leaves somebody."""
    book = Casebook().open()
    assert "evidence_refused" == book.refused(act.RemoveIdentity(subject=ADA, reason=WORDS))
    with pytest.raises(NotFoundError):
        book.do(act.RemoveIdentity(subject="sub_eve", reason=WORDS))
    book = Casebook(small(kinds=(Kind.CONNECTOR,))).open(kind=Kind.CONNECTOR)
    book.done(act.RemoveIdentity(subject=ADA, reason=WORDS))
    assert "wrong_state" == book.refused(act.RemoveIdentity(subject=ADA, reason=WORDS))
    book.done(act.ConfirmProposal(proposal=f"identity:{ADA}"), BOB)
    assert {} == book.case.identities


def test_facts_about_a_user_come_from_the_registry() -> None:
    """And add up."""
    book = Casebook().open()
    with pytest.raises(InputError):
        book.do(act.AddIdentity(subject=ADA, facts={"rich": True}))
    book.done(act.AddIdentity(subject=ADA, facts={"synced": True}))
    book.done(act.AddIdentity(subject=ADA, facts={"guest": False}))
    assert (("guest", False), ("synced", True)) == book.case.identities[ADA].facts


def test_assigning_noting_and_linking_move_nothing() -> None:
    """They are entries of the case, and its version stays."""
    book = Casebook().open(previous="before")
    version = book.case.version
    book.done(act.AssignCase(assignee="bob"))
    book.done(act.AddNote(note=WORDS))
    book.done(act.LinkCase(case="other", relation="admin"))
    assert ("bob", version) == (book.case.assignee, book.case.version)
    assert [("before", "previous"), ("other", "admin")] == [(item.case, item.relation) for item in book.case.links]
    with pytest.raises(InputError):
        book.do(act.LinkCase(case=book.case.id))
    with pytest.raises(InputError):
        book.do(act.AddNote(note=NOTHING))
