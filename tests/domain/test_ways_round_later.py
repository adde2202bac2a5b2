"""More ways round the gate, by evidence, proposals, sizes and replay; each is shut."""

from __future__ import annotations

from typing import Any

import pytest

from tests.domain.casebook import (
    ADA,
    ANN,
    BOB,
    CAT,
    DAN,
    DAY,
    HOUR,
    LISTED,
    NOT_LISTED,
    OTHER_WORDS,
    SMALL,
    WORDS,
    Casebook,
    another,
    person,
    reasons,
    small,
    swapped,
)
from workflow.domain import actions as act
from workflow.domain.lifecycle import advance
from workflow.domain.playbook import About, Check, Condition, ExceptionRule, Prerequisite
from workflow.domain.replay import replay
from workflow.domain.vocabulary import Kind, Method, Phase, Resolution, Result, Role, State
from workflow.errors import InputError, NotFoundError, SamePersonError

# ── Evidence ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_older_good_finding_does_not_replace_a_newer_bad_one() -> None:
    """What was fine at nine and is broken at ten is broken."""
    book = Casebook().open().later(HOUR)
    early = book.now
    book.later(HOUR).record("rules", result=Result.NOT_MET)
    action = act.RecordEvidence(prerequisite="rules", observed_at=early, reference=WORDS)
    assert "evidence_refused" == book.refused(action)
    book.done(act.RetractEvidence(prerequisite="rules", reason=WORDS))
    book.done(action)


def test_not_applicable_ends_when_the_fact_turns_out_true() -> None:
    """A later fact beats the earlier answer that the step does not apply."""
    book = Casebook(swapped(applies_if=(Condition.HOSTED,), about=About.IDENTITY)).open()
    book.record("rules", ADA, result=Result.NOT_APPLICABLE)
    book.done(act.AddIdentity(subject=ADA, facts={"hosted": True}))
    assert "applies" == reasons(book)["rules"]


def test_not_applicable_ends_under_a_playbook_that_does_not_know_it() -> None:
    """A playbook without ``applies_if`` accepts no *not applicable*, however it was recorded (R7)."""
    old = swapped(applies_if=(Condition.HOSTED,))
    book = Casebook(old, SMALL).open()
    book.record("rules", result=Result.NOT_APPLICABLE)
    book.done(act.MovePlaybook(playbook=SMALL.digest, reason=WORDS))
    assert "applies" == reasons(book)["rules"]


def test_an_exception_ends_under_a_playbook_that_grants_none() -> None:
    """A stricter playbook does not inherit accepted risks."""
    strict = swapped(exception=None)
    book = Casebook(SMALL, strict).open()
    book.done(act.AskException(prerequisite="rules", expires_at=book.now + DAY, reason=WORDS))
    book.done(act.ConfirmProposal(proposal="exception:rules"), BOB)
    book.done(act.MovePlaybook(playbook=strict.digest, reason=WORDS))
    assert "unanswered" == reasons(book)["rules"]


def test_an_exception_is_granted_for_no_longer_than_the_playbook_in_force_allows() -> None:
    """What was asked under a looser playbook is judged by the present one."""
    strict = swapped(exception=ExceptionRule(Role.LEAD, HOUR))
    book = Casebook(SMALL, strict).open()
    book.done(act.AskException(prerequisite="rules", expires_at=book.now + DAY, reason=WORDS))
    book.done(act.MovePlaybook(playbook=strict.digest, reason=WORDS))
    book.done(act.ConfirmProposal(proposal="playbook"), DAN)
    assert "evidence_refused" == book.refused(act.ConfirmProposal(proposal="exception:rules"), BOB)


def test_a_linked_case_is_not_believed_without_being_named() -> None:
    """Evidence from a playbook without the check names no case, so it does not pass the check."""
    checked = swapped(check=Check.LINKED_CASE_CONTAINED)
    book = Casebook(SMALL, checked).open()
    book.record("rules")
    book.done(act.MovePlaybook(playbook=checked.digest, reason=WORDS))
    assert "linked-case-open" == reasons(book)["rules"]


def test_a_step_about_the_entity_waits_for_every_person() -> None:
    """Rules reviewed while somebody's sessions were still alive were reviewed too early."""
    book = Casebook().open()
    early = book.now
    book.later(HOUR).record("password-reset", ADA)
    book.record("sessions-revoked", ADA)
    book.record("rules", observed_at=early)
    assert "out-of-order" == reasons(book)["rules"]


def test_what_a_provider_checked_is_not_confirmed_by_word_alone() -> None:
    """An attested answer does not extend a checked one: it stands as what it is."""
    book = Casebook().open()
    book.record("rules", method=Method.CHECKED)
    assert "evidence:recorded" in book.record("rules", method=Method.ATTESTED)
    assert Method.ATTESTED is book.case.evidence["rules", ""].method


def test_facts_that_spare_work_do_not_survive_a_recurrence() -> None:
    """What did not apply to one occurrence may apply to the next."""
    book = Casebook().open(facts={"on-premises-relay": False, "hosted": True})
    book.done(act.AddIdentity(subject=ADA, facts={"synced": False, "guest": True}))
    book.released().later(HOUR)
    book.observe(LISTED)
    assert {"hosted": True} == book.case.facts
    assert (("guest", True),) == book.case.identities[ADA].facts


def test_whose_word_goes_on_into_the_next_recurrence_has_a_hand_in_it() -> None:
    """Users, facts and the playbook stay, and so do those who said them; whoever recorded evidence only is free."""
    less = another(prerequisites=tuple(item for item in SMALL.prerequisites if item.id != "relay"))
    for way in ("named", "facts", "identified", "removed", "moved"):
        book = Casebook(SMALL, less).open(
            identities=(ADA, "sub_eve"), named=way == "named", facts={"guest": True} if way == "facts" else {}
        )
        if way == "identified":
            book.done(act.AddIdentity(subject=ADA, facts={"guest": True}), CAT)
        if way == "removed":
            book.done(act.RemoveIdentity(subject="sub_eve", reason=WORDS), CAT)
            book.done(act.ConfirmProposal(proposal="identity:sub_eve"), BOB)
        if way == "moved":
            book.done(act.MovePlaybook(playbook=less.digest, reason=WORDS), CAT)
            book.done(act.ConfirmProposal(proposal="playbook"), BOB)
        book.record("rules", actor=DAN)
        book.observe(NOT_LISTED)
        book.observe(LISTED)
        second = frozenset({BOB.id} if way in {"removed", "moved"} else ())
        assert (second | {CAT.id}, 2) == (book.case.hands, book.case.recurrence), way
        book.requested()
        assert "same_person" == book.refused(act.ApproveUnblock(), CAT), way
        book.done(act.ApproveUnblock(), DAN)


def test_a_fact_is_not_turned_round_without_saying_where_to_look() -> None:
    """A known fact that spares no work becomes one that does only with a reference."""
    book = Casebook().open()
    book.done(act.AddIdentity(subject=ADA, facts={"synced": True}))
    assert "evidence_refused" == book.refused(act.AddIdentity(subject=ADA, facts={"synced": False}))
    book.done(act.AddIdentity(subject=ADA, facts={"synced": False}, reference=WORDS))


def test_a_removed_person_takes_accepted_risks_along() -> None:
    """Naming the same user again later starts from nothing."""
    book = Casebook(swapped(about=About.IDENTITY)).open(identities=(ADA, "sub_eve"))
    book.done(act.AskException(prerequisite="rules", about=ADA, expires_at=book.now + DAY, reason=WORDS))
    book.done(act.ConfirmProposal(proposal=f"exception:rules/{ADA}"), BOB)
    book.done(act.RemoveIdentity(subject=ADA, reason=WORDS))
    book.done(act.ConfirmProposal(proposal=f"identity:{ADA}"), BOB)
    assert {} == book.case.acceptances


# ── Proposals and moves ──────────────────────────────────────────────────────────────────────────────────────


def test_a_proposal_is_not_replaced_under_the_eyes_of_who_confirms() -> None:
    """What waits for a second person is taken back before something else of that name is proposed."""
    book = Casebook().open()
    book.done(act.AskException(prerequisite="rules", expires_at=book.now + DAY, reason=WORDS))
    longer = act.AskException(prerequisite="rules", expires_at=book.now + 6 * DAY, reason=OTHER_WORDS)
    assert "wrong_state" == book.refused(longer)
    book.done(act.RefuseProposal(proposal="exception:rules"))
    book.done(longer)


def test_a_confirmation_can_carry_the_picture_its_author_saw() -> None:
    """Whoever confirms on an old picture looks again (R3)."""
    book = Casebook().open()
    book.done(act.AskException(prerequisite="rules", expires_at=book.now + DAY, reason=WORDS))
    seen = book.case.version
    book.done(act.RefuseProposal(proposal="exception:rules"))
    book.done(act.AskException(prerequisite="rules", expires_at=book.now + 6 * DAY, reason=WORDS))
    stale = act.ConfirmProposal(proposal="exception:rules", seen_version=seen)
    assert "conflict" == book.refused(stale, BOB)


@pytest.mark.parametrize("changes", [{"approval_within": 48 * HOUR}, {"watch_within": HOUR}, {"approvals": 1}])
def test_weaker_rules_of_approval_and_watch_need_two_people(changes: dict[str, object]) -> None:
    """Longer approvals, a shorter watch or fewer approvals are requirements that fall away (R8)."""
    strict = small(approvals=2)
    weak = another(**({"approvals": 2} | changes))
    book = Casebook(strict, weak).open()
    assert ["proposal:made"] == book.done(act.MovePlaybook(playbook=weak.digest, reason=WORDS))


# ── Sizes ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_case_names_no_more_users_than_its_entries_can_hold() -> None:
    """Twenty compromised users are one case; more of them are further, linked cases."""
    many = tuple(f"0193a1c0-0000-7000-8000-{number:012x}" for number in range(21))
    with pytest.raises(InputError):
        Casebook().open(identities=many)
    book = Casebook().open(identities=many[:20])
    with pytest.raises(InputError):
        book.do(act.AddIdentity(subject=many[20]))
    book.done(act.AddIdentity(subject=many[19], facts={"synced": True}))


def test_the_largest_case_still_fits_its_entries() -> None:
    """Twenty users under two hundred prerequisites can be worked to the release."""
    items = tuple(
        Prerequisite(
            id=f"a-step-with-the-longest-name-that-a-playbook-may-give-to-it-{number:04}",
            title="x",
            required_by=Phase.CONTAIN,
            about=About.IDENTITY if number % 4 == 0 else About.ENTITY,
        )
        for number in range(200)
    )
    many = tuple(f"0193a1c0-0000-7000-8000-{number:012x}" for number in range(20))
    book = Casebook(small(prerequisites=items), SMALL).open(identities=many)
    assert "gate_closed" == book.refused(act.RequestUnblock())
    book.released()
    book.done(act.MovePlaybook(playbook=SMALL.digest, reason=WORDS))
    book.done(act.ConfirmProposal(proposal="playbook"), BOB)


def test_links_are_few_and_their_relation_is_a_word() -> None:
    """A relation is no place for free text, and a case has no endless list of links."""
    book = Casebook().open()
    with pytest.raises(InputError):
        book.do(act.LinkCase(case="other", relation="ada@contoso.com did it"))
    for number in range(20):
        book.done(act.LinkCase(case=f"case-{number}", relation="admin"))
    with pytest.raises(InputError):
        book.do(act.LinkCase(case="case-20"))


# ── Replay ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_refusal_by_a_vanished_linked_case_replays() -> None:
    """That no linked case was found is kept, so that the refusal is judged by the same."""
    checked = swapped(check=Check.LINKED_CASE_CONTAINED)
    book = Casebook(checked).open()
    book.done(act.LinkCase(case="other"))
    linked = {"other": State.CONTAINED}
    for name, about in (("password-reset", ADA), ("sessions-revoked", ADA), ("relay", "")):
        book.record(name, about)
    action = act.RecordEvidence(prerequisite="rules", observed_at=book.now, reference=WORDS, linked=("other",))
    book.done(action, ANN, linked)
    assert "gate_closed" == book.refused(act.RequestUnblock(), ANN, {})
    case, fault = replay(book.entries, book.playbooks)
    assert (None, book.case) == (fault, case)


def test_replay_survives_times_at_the_edge_of_the_calendar() -> None:
    """A forged time that overflows arithmetic is a fault, not a crash of the verifier."""
    book = Casebook().open().requested()
    book.done(act.ApproveUnblock(), BOB)
    forged = [*book.entries[:-1], book.entries[-1]._replace(recorded_at="9999-12-31T23:59:59.999999Z")]
    _, fault = replay(forged, book.playbooks)
    assert fault is not None


def test_the_subject_of_a_case_has_no_part_in_it() -> None:
    """Whoever the case is about can neither act as that user nor as the person listed with it."""
    book = Casebook().open()
    assert "same_person" == book.refused(act.AddNote(note=WORDS), person(ADA))
    assert "same_person" == book.refused(act.AddNote(note=WORDS), person("eve", identities=(ADA,)))


def test_a_reading_before_the_intent_is_no_release() -> None:
    """What was gone before the intent was not released by it."""
    book = Casebook().open().approved()
    before = book.now
    book.done(act.IntendUnblock())
    book.observe(NOT_LISTED, observed_at=before)
    assert (State.VERIFIED, Resolution.UNBLOCKED_OUTSIDE) == (book.case.state, book.case.resolution)


def test_evidence_retracted_after_the_intent_holds_the_release() -> None:
    """The absence is observed, but the case is released only when the work stands again."""
    book = Casebook().open().intended()
    book.done(act.RetractEvidence(prerequisite="rules", reason=WORDS))
    book.observe(NOT_LISTED)
    assert State.UNBLOCK_REQUESTED is book.case.state
    assert ["evidence:recorded", "case:released"] == book.record("rules")


def test_proposals_do_not_survive_a_recurrence() -> None:
    """What was proposed for one occurrence is not confirmed in the next."""
    book = Casebook().open()
    book.done(act.AskException(prerequisite="rules", expires_at=book.now + 7 * DAY, reason=WORDS))
    book.observe(NOT_LISTED)
    book.observe(LISTED)
    with pytest.raises(NotFoundError):
        book.do(act.ConfirmProposal(proposal="exception:rules"), BOB)


@pytest.mark.parametrize(
    "fields", [{"facts": {"synced": False}}, {}, {"entity": "sub_box", "identities": ("ann",), "named": True}]
)
def test_a_case_about_oneself_is_not_opened(fields: dict[str, Any]) -> None:
    """The restricted person chooses neither what need not be done, nor the playbook, nor from when on it counts."""
    book = Casebook()
    about: dict[str, Any] = {"number": 1, "tenant": "t", "kind": Kind.MAILBOX, "entity": "ann", "playbook": book.first}
    action = act.OpenCase(**(about | fields))
    with pytest.raises(SamePersonError):
        advance(book.case, action, ANN, book.playbooks, book.now)
