"""Breaking the glass: one person's approval stands in for the second person's, and for nothing else."""

import pytest

from tests.domain.casebook import (
    ADA,
    ANN,
    BOB,
    CAT,
    DAN,
    DAY,
    HOUR,
    NOT_LISTED,
    WORDS,
    Casebook,
    another,
    person,
    small,
)
from workflow.domain import actions as act
from workflow.domain.erasure import kept
from workflow.domain.moves import loosened
from workflow.domain.picture import picture
from workflow.domain.playbook import BreakGlass, Team, canonical, from_data
from workflow.domain.private import NOTHING
from workflow.domain.record import SYSTEM
from workflow.domain.replay import replay
from workflow.domain.vocabulary import Kind, Resolution, Role, State, Verdict
from workflow.errors import InputError, ReviewOwedError, SamePersonError

ON = "5e" * 32
ALONE = act.ApproveUnblock(break_glass=True, reason=WORDS)
FINE = act.ReviewApproval(verdict=Verdict.JUSTIFIED, reason=WORDS)


def book(**changes: object) -> Casebook:
    """Return a requested case in which one person may approve alone; Ann did all the work and asked."""
    found = Casebook(small(break_glass=BreakGlass.ALLOWED, **changes)).open().requested()
    found.setting = ON
    return found


def why(found: Casebook, action: act.Action = ALONE, actor: object = ANN) -> str:
    """Return the words of a refusal, and check that the history with it replays."""
    found.refused(action, actor)  # type: ignore[arg-type]
    assert replay(found.entries, found.playbooks)[1] is None
    return str(found.step.error)


def test_the_requester_approves_alone_and_somebody_else_reviews() -> None:
    """The entry says so and names the setting; the case closes only after the review."""
    found = book()
    assert ["unblock:approved"] == found.done(ALONE)
    entry = found.entries[-1]
    assert (True, ON) == (entry.data["break_glass"], entry.basis["setting"])
    assert ON == entry.cites[-1]
    assert "unreviewed" == picture(found.case, found.playbook).break_glass
    found.done(act.IntendUnblock())
    found.observe(NOT_LISTED)
    found.later(8 * DAY).record("sent-mail")
    assert "review_owed" == found.refused(act.CloseCase())
    assert isinstance(found.step.error, ReviewOwedError)
    assert {"roles": ["approver", "lead"]} == found.step.error.details()
    assert ["approval:reviewed"] == found.done(FINE, BOB)
    assert (Verdict.JUSTIFIED, "bob") == (found.case.glass[0].verdict, found.case.glass[0].reviewed_by)
    assert "justified" == picture(found.case, found.playbook).break_glass
    found.done(act.CloseCase())
    assert replay(found.entries, found.playbooks)[1] is None


def test_whoever_recorded_evidence_approves_alone() -> None:
    """Cat's own work is in the gate; Ann asked."""
    found = Casebook(small(break_glass=BreakGlass.ALLOWED)).open().fulfil(actor=CAT)
    found.done(act.RequestUnblock())
    found.setting = ON
    assert "same_person" == found.refused(act.ApproveUnblock(), CAT)
    found.done(ALONE, CAT)
    # Work on the gate after it takes no second person away that there was not.
    found.later(HOUR).record("rules", actor=CAT)
    assert 1 == len(found.case.approvals)
    found.done(act.IntendUnblock(), CAT)


def test_a_setting_that_is_off_refuses() -> None:
    """Last of all grounds, so that a refusal on any other reads the same in a replay."""
    found = book()
    found.setting = ""
    assert "turned off" in why(found)


def test_no_prerequisite_is_stood_in_for() -> None:
    """Evidence that went stale closes the gate for one person as for two."""
    found = book()
    found.later(2 * DAY)
    assert found.refused(ALONE) in {"gate_closed", "wrong_state"}
    assert () == found.case.glass


def test_a_playbook_says_never_unless_it_says_otherwise() -> None:
    """Without the word in the playbook a second person it is."""
    found = Casebook().open().requested()
    found.setting = ON
    assert "Playbook 'small' never" in why(found)


def test_connectors_never() -> None:
    """Whatever the playbook says."""
    found = Casebook(small(break_glass=BreakGlass.ALLOWED, kinds=tuple(Kind)))
    found.open(kind=Kind.CONNECTOR).requested()
    found.setting = ON
    assert "connector" in why(found)


@pytest.mark.parametrize("where", ["case", "user"])
def test_accounts_with_roles_never(where: str) -> None:
    """By what is recorded of the entity or of any user."""
    found = Casebook(small(break_glass=BreakGlass.ALLOWED))
    found.open(facts={"has-roles": True} if where == "case" else {})
    if where == "user":
        found.done(act.AddIdentity(subject=ADA, facts={"has-roles": True}))
    found.requested()
    found.setting = ON
    assert "administrator roles" in why(found)


def test_one_person_does_not_talk_roles_away() -> None:
    """Who says that an account has no roles after all does not approve alone on it; two people may remove the user."""
    found = Casebook(small(break_glass=BreakGlass.ALLOWED)).open()
    found.done(act.AddIdentity(subject=ADA, facts={"has-roles": True}), BOB)
    found.done(act.AddIdentity(subject=ADA, facts={"has-roles": False, "synced": True}, reference=WORDS))
    found.requested()
    found.setting = ON
    assert "administrator roles" in why(found)
    found.done(act.AddIdentity(subject="sub_eve"))
    found.done(act.RemoveIdentity(subject=ADA, reason=WORDS))
    found.done(act.ConfirmProposal(proposal=f"identity:{ADA}"), BOB)
    found.requested()
    assert ["unblock:approved"] == found.done(ALONE)


def test_roles_that_become_known_take_the_approval_away() -> None:
    """Before the unblock is started; it lapses, and the review is owed all the same."""
    found = book()
    found.done(ALONE)
    types = found.done(act.AddIdentity(subject=ADA, facts={"has-roles": True}), BOB)
    assert "approval:lapsed" in types
    assert "no-break-glass" == found.entries[-1].basis["because"]
    assert "refused" == found.refused(act.IntendUnblock())
    assert 1 == len(found.case.unreviewed)
    assert replay(found.entries, found.playbooks)[1] is None


def test_identities_and_automation_never() -> None:
    """Nor anybody without an approver's role."""
    found = book()
    assert "same_person" == found.refused(ALONE, person(ADA))
    assert "not_permitted" == found.refused(ALONE, SYSTEM)
    assert "Automation" in why(found, actor=person("robot", Role.SYSTEM, Role.APPROVER))
    assert "not_permitted" == found.refused(ALONE, person("eve", Role.ANALYST))


def test_another_team_is_not_stood_in_for() -> None:
    """A playbook that wants one gets one."""
    found = book(approval_team=Team.OTHER)
    assert "another team" in why(found)


def test_of_two_approvals_one_may_be_alone() -> None:
    """The other comes from an independent person, in either order; nobody approves twice."""
    found = book(approvals=2)
    found.done(ALONE)
    assert "approved this request already" in why(found)
    found.done(act.RecordEvidence(prerequisite="sent-mail", observed_at=found.now, reference=WORDS), CAT)
    assert "refused" == found.refused(act.IntendUnblock())
    found.done(act.ApproveUnblock(), BOB)
    found.done(act.IntendUnblock())

    found = Casebook(small(break_glass=BreakGlass.ALLOWED, approvals=2)).open().fulfil(actor=CAT)
    found.done(act.RequestUnblock())
    found.setting = ON
    found.done(ALONE, CAT)
    assert "broke the glass already" in why(found)
    assert isinstance(found.step.error, SamePersonError)


def test_a_second_person_does_not_break_anything() -> None:
    """Who may approve approves, so that the mark keeps its meaning."""
    assert "without --break-glass" in why(book(), actor=DAN)


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (act.ApproveUnblock(break_glass=True), "reason"),
        (act.ApproveUnblock(break_glass=True, bulk=2, reason=WORDS), "alone"),
    ],
)
def test_it_takes_a_reason_and_one_case(action: act.ApproveUnblock, words: str) -> None:
    """Nothing is written down for what cannot be understood."""
    found = book()
    with pytest.raises(InputError, match=words):
        found.do(action)


def test_nobody_reviews_their_own() -> None:
    """Nor an identity of the case, automation, an analyst, or anybody without a reason."""
    found = book()
    found.done(ALONE)
    assert "broke the glass yourself" in why(found, FINE)
    assert "same_person" == found.refused(FINE, person(ADA))
    assert "not_permitted" == found.refused(FINE, person("eve", Role.ANALYST))
    assert "Automation" in why(found, FINE, person("robot", Role.SYSTEM, Role.LEAD))
    with pytest.raises(InputError, match="reason"):
        found.do(act.ReviewApproval(verdict=Verdict.JUSTIFIED, reason=NOTHING), BOB)
    assert 1 == len(found.case.unreviewed)


def test_there_is_nothing_to_review_twice() -> None:
    """Once is enough, and without a broken glass there is nothing."""
    found = book()
    assert "waits for a review" in why(found, FINE, BOB)
    found.done(ALONE)
    found.done(act.ReviewApproval(verdict=Verdict.NOT_JUSTIFIED, reason=WORDS), BOB)
    assert "not-justified" == picture(found.case, found.playbook).break_glass
    assert "waits for a review" in why(found, FINE, BOB)


def test_a_review_stays_owed_whatever_becomes_of_the_approval() -> None:
    """Rejected, lapsed or of an earlier recurrence: no close and no dismissal goes round it; one review covers all."""
    found = book()
    found.done(ALONE)
    found.done(act.RejectRequest(reason=WORDS), BOB)
    found.done(act.RequestUnblock())
    found.later(HOUR).done(ALONE)
    found.observe(NOT_LISTED)
    assert State.VERIFIED is found.case.state
    assert "review_owed" == found.refused(act.DismissCase(resolution=Resolution.FALSE_POSITIVE, reason=WORDS))
    found.record("sent-mail")
    assert "review_owed" == found.refused(act.CloseCase())
    found.done(FINE, BOB)
    assert [2, 2] == [len(found.case.glass), len(found.entries[-1].basis["approvals"])]
    found.done(act.CloseCase())
    assert replay(found.entries, found.playbooks)[1] is None


def test_its_reasons_outlive_an_erasure() -> None:
    """Nobody could judge the approval without them; those of ordinary approvals go."""
    found = book(approvals=2)
    found.done(ALONE)
    found.done(act.ApproveUnblock(reason=WORDS), BOB)
    found.done(FINE, DAN)
    reasons = {entry.type: kept(entry) for entry in found.entries[-3:]}
    assert {"approval:reviewed": WORDS.commitment, "unblock:approved": ""} == reasons
    assert WORDS.commitment == kept(found.entries[-3])


def test_an_older_playbook_keeps_its_digest() -> None:
    """Without the member it says never, and is written as it was."""
    plain, allowed = small(), small(break_glass=BreakGlass.ALLOWED)
    assert b"break_glass" not in canonical(plain)
    assert BreakGlass.NEVER is from_data(plain.to_data()).break_glass
    assert BreakGlass.ALLOWED is from_data(allowed.to_data()).break_glass


def test_letting_one_person_do_is_a_requirement_less() -> None:
    """Moving to such a playbook takes two people; the other way round takes one."""
    strict, loose = another(), another(break_glass=BreakGlass.ALLOWED)
    assert ("break-glass",) == loosened(strict, loose)
    assert () == loosened(loose, strict)
