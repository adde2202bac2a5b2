"""Ways round the gate that somebody in a hurry, or somebody hostile, would try; each is shut."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.domain.casebook import (
    ADA,
    BOB,
    CAT,
    DAY,
    HOUR,
    LISTED,
    NOT_LISTED,
    SMALL,
    START,
    TEMPORARY,
    UNKNOWN,
    WORDS,
    Casebook,
    another,
    entity_only,
    person,
    small,
)
from workflow.domain import actions as act
from workflow.domain.playbook import Prerequisite, Team
from workflow.domain.restriction import Source
from workflow.domain.vocabulary import Kind, Phase, Resolution, Role, State
from workflow.errors import InputError, NotFoundError

# ── Opening ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_case_is_opened_once() -> None:
    """A second opening would begin the case anew under everybody's eyes; it is refused."""
    book = Casebook().open().fulfil()
    action = act.OpenCase(number=1, tenant="tenant", kind=Kind.MAILBOX, entity="sub_box", playbook=SMALL.digest)
    assert "wrong_state" == book.refused(action)
    assert State.VERIFIED is book.case.state


def test_nothing_happens_to_a_case_that_was_never_opened() -> None:
    """Every action but the opening needs a case."""
    with pytest.raises(NotFoundError):
        Casebook().do(act.AddNote(note=WORDS))


def test_a_case_is_opened_under_a_playbook_for_its_kind() -> None:
    """A mailbox does not pass by the few steps of some other kind of entity."""
    with pytest.raises(InputError):
        Casebook(small(kinds=(Kind.CONNECTOR,))).open()


def test_a_case_is_opened_under_an_adopted_playbook() -> None:
    """A playbook nobody adopted pins nothing."""
    with pytest.raises(NotFoundError):
        Casebook().open(playbook="ff" * 32)


def test_opening_takes_known_facts_only() -> None:
    """A fact outside the registry is a typing error, not a fact."""
    with pytest.raises(InputError):
        Casebook().open(facts={"hostedd": False})


def test_an_opening_cannot_read_the_future() -> None:
    """A reading dated ahead would make every honest later one look old."""
    book = Casebook()
    with pytest.raises(InputError):
        book.open(observed_at=book.now + DAY)


def test_whoever_says_at_the_opening_what_does_not_apply_does_not_approve() -> None:
    """A fact that lets a requirement fall away is work the gate stands on (R4)."""
    book = Casebook().open(facts={"on-premises-relay": False}).requested()
    assert "same_person" == book.refused(act.ApproveUnblock(), CAT)


# ── Reports and readings ─────────────────────────────────────────────────────────────────────────────────────


def test_a_reported_delisting_never_begins_a_recurrence() -> None:
    """Only a present restriction comes back; a delisting is the opposite."""
    book = Casebook().open().released().later(HOUR)
    book.done(act.ReportRestriction(status=NOT_LISTED, source=Source.AUDIT_LOG, observed_at=book.now))
    assert (State.RELEASED, 1) == (book.case.state, book.case.recurrence)


def test_a_report_from_the_future_is_not_taken_over() -> None:
    """A reading dated ahead would make every honest later one look old."""
    book = Casebook().open(status=UNKNOWN)
    with pytest.raises(InputError):
        book.do(act.ReportRestriction(status=LISTED, source=Source.CMDLET, observed_at=book.now + DAY))


def test_an_older_report_does_not_replace_a_newer_reading() -> None:
    """What a file saw in the morning says nothing about the afternoon."""
    book = Casebook().open(status=TEMPORARY).later(HOUR)
    seen = book.case.reading
    report = act.ReportRestriction(status=LISTED, source=Source.CMDLET, observed_at=START - HOUR)
    book.done(report)
    assert seen == book.case.reading


def test_present_and_absent_at_one_time_leave_the_absence() -> None:
    """A reading at the very time of the observed absence proves no return, and hides none that comes later."""
    book = Casebook().open().released()
    at = book.case.absent_at
    book.observe(LISTED, observed_at=at)
    assert NOT_LISTED is book.case.reading.status
    book.observe(LISTED)
    assert (State.DETECTED, 2) == (book.case.state, book.case.recurrence)


def test_a_known_absence_is_not_forgotten_by_an_unknown_reading() -> None:
    """What was seen gone without an intent is never released, however the tenant stops answering."""
    book = Casebook().open(status=TEMPORARY).fulfil()
    book.observe(NOT_LISTED)
    book.observe(UNKNOWN)
    assert "refused" == book.refused(act.RequestUnblock())
    assert Resolution.EXPIRED is book.case.resolution


def test_nothing_is_requested_for_what_is_gone() -> None:
    """A restriction that ended by itself leaves nothing to unblock."""
    book = Casebook().open().fulfil()
    book.observe(NOT_LISTED)
    assert "refused" == book.refused(act.RequestUnblock())


def test_an_absence_voids_the_request_even_when_the_next_reading_fails() -> None:
    """The request is void by the absence itself."""
    book = Casebook().open().approved()
    assert ["restriction:observed", "unblock:voided"] == book.observe(NOT_LISTED)
    book.observe(UNKNOWN)
    assert State.VERIFIED is book.case.state


def test_a_user_without_a_restriction_has_nothing_to_release() -> None:
    """A compromised identity ends verified, then closed."""
    book = Casebook().open(kind=Kind.USER, entity=ADA, status=UNKNOWN, source=Source.PORTAL).fulfil()
    assert "refused" == book.refused(act.RequestUnblock())


@pytest.mark.parametrize("resolution", [Resolution.RELEASED, Resolution.EXPIRED, Resolution.DUPLICATE])
def test_a_user_case_is_not_closed_as_what_it_was_not(resolution: Resolution) -> None:
    """Nobody writes *released* by hand."""
    book = Casebook().open(kind=Kind.USER, entity=ADA, status=UNKNOWN, source=Source.PORTAL).fulfil()
    book.record("sent-mail")
    with pytest.raises(InputError):
        book.do(act.CloseCase(resolution=resolution))


# ── Approvals ────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_approver_who_then_confirms_evidence_has_not_approved() -> None:
    """Extending the freshness of what one approved makes the approver a hand in the work (R4)."""
    book = Casebook().open().approved()
    assert "approval:lapsed" in book.record("rules", actor=BOB)
    assert "refused" == book.refused(act.IntendUnblock())


def test_an_approver_named_as_compromised_has_not_approved() -> None:
    """Naming a user changes what the gate stands on, even where no step is asked per person."""
    book = Casebook(entity_only()).open()
    book.approved()
    assert "unblock:voided" in book.done(act.AddIdentity(subject="bob"))


def test_an_alternative_counts_as_work_the_gate_stands_on() -> None:
    """Whoever recorded the step that stands in for a required one does not approve (R4)."""
    items = (
        Prerequisite(id="a", title="A", required_by=Phase.CONTAIN, any_of=("b",)),
        Prerequisite(id="b", title="B", required_by=Phase.CLOSE, required=False),
    )
    book = Casebook(small(prerequisites=items)).open()
    book.record("b", actor=BOB)
    book.done(act.RequestUnblock())
    assert "same_person" == book.refused(act.ApproveUnblock(), BOB)


def test_evidence_that_a_move_makes_required_counts_as_work() -> None:
    """Whoever recorded what only the new playbook requires does not approve either (R4)."""
    loose = small(
        prerequisites=tuple(
            replace(item, required=item.required and item.id != "rules") for item in SMALL.prerequisites
        )
    )
    book = Casebook(loose, another()).open()
    for name, about in (("password-reset", ADA), ("sessions-revoked", ADA), ("relay", "")):
        book.record(name, about)
    book.record("rules", actor=BOB)
    book.done(act.MovePlaybook(playbook=another().digest, reason=WORDS))
    book.done(act.RequestUnblock())
    assert "same_person" == book.refused(act.ApproveUnblock(), BOB)


def test_a_requester_without_a_team_gives_no_other_team() -> None:
    """Another team is known to be another only when both are named."""
    book = Casebook(small(approval_team=Team.OTHER)).open().fulfil()
    book.done(act.RequestUnblock(), person("zoe"))
    assert "same_person" == book.refused(act.ApproveUnblock(), BOB)


def test_automation_is_no_second_person() -> None:
    """Automation that was given a role by mistake grants nothing."""
    book = Casebook().open()
    book.done(act.AskException(prerequisite="rules", expires_at=book.now + DAY, reason=WORDS))
    robot = person("robot", Role.SYSTEM, Role.LEAD)
    assert "same_person" == book.refused(act.ConfirmProposal(proposal="exception:rules"), robot)
