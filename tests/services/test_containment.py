"""Containment: intent, read, act if needed, read again, record; and what was removed is owed back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.services.desk import ADA, ANN, BOB, CAT, DAN, DAY, EVE, HOUR, MINUTE, START, TEAM, Desk
from workflow.domain import actions as act
from workflow.domain.private import Private
from workflow.domain.vocabulary import Change, Kind, Made, Resolution, Result, State
from workflow.errors import (
    EvidenceRefusedError,
    HoldfastError,
    InputError,
    NotFoundError,
    NotPermittedError,
    NotReadableError,
    OutcomeUnknownError,
    PendingError,
    ProviderRefusedError,
    RestoreOwedError,
    SamePersonError,
    WrongStateError,
)
from workflow.providers.shapes import (
    Consent,
    Delegate,
    Forwarding,
    InboxRule,
    RoleAssignment,
    SignInMethod,
)
from workflow.services import casework, checks, containment, restore_list, verification
from workflow.services.people import Who

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

EVIL = "x@evil.example"
OLD = Consent(id="c0", app="calendar", kind="delegated", created_at=START - 90 * DAY)
SILENCE = OutcomeUnknownError("no answer came")


@pytest.fixture
def desk(open_desk: Callable[..., Desk]) -> Desk:
    """A desk connected to a tenant in which an attacker sits in Ada's account."""
    return taken_over(open_desk(connected=True))


def taken_over(desk: Desk) -> Desk:
    """Give Ada's account everything an attacker leaves behind."""
    account = desk.tenant.add(ADA)
    account.methods = (
        SignInMethod(id="p", kind="password"),
        SignInMethod(id="m1", kind="phone", created_at=START - DAY),
    )
    account.consents = (OLD, Consent(id="c1", app="mailer", kind="delegated", scopes=("Mail.Send",) * 400))
    account.roles = (RoleAssignment(id="r1", role="role-id", name="User Administrator"),)
    account.forwarding = Forwarding(external=EVIL, keeps_copy=True)
    account.rules = (
        InboxRule(id="i1", name="." * 5000, enabled=True, forwards_to=(EVIL,) * 300),
        InboxRule(id="i2", name="Projects", enabled=True, moves_to="Projects"),
    )
    account.delegates = (Delegate(who="eve@contoso.example", right="full-access"),)
    return desk


EVERYTHING = (
    *("account-disabled", "password-reset", "sessions-revoked", "attacker-methods-removed", "app-consents-reviewed"),
    *("admin-roles-reviewed", "forwarding-reviewed", "inbox-rules-reviewed", "delegates-reviewed"),
)
ORDER = [
    *(Change.BLOCK_SIGN_IN, Change.RESET_PASSWORD, Change.REVOKE_SESSIONS, Change.REMOVE_METHOD),
    *(Change.REMOVE_CONSENT, Change.REMOVE_ROLE, Change.CLEAR_FORWARDING, Change.DISABLE_RULE, Change.REMOVE_DELEGATE),
]
REMOVED = ORDER[3:]
USUAL = [*ORDER[:3], Change.CLEAR_FORWARDING, Change.DISABLE_RULE]


def opened(desk: Desk) -> str:
    """Return the case of Ada's mailbox, an hour after it was restricted."""
    case_id = desk.restrict()
    desk.clock.move(HOUR)
    return case_id


def contain(desk: Desk, case_id: str, ids: Sequence[str] = (), who: Who = ANN) -> list[containment.Changed]:
    """Contain a case; returns what came of each change."""
    return list(containment.contain(desk.app, who, case_id, ids))


def changes(made: list[containment.Changed]) -> list[Change]:
    """Return what was changed, in order."""
    return [item.planned.change for item in made]


def verifies(desk: Desk) -> bool:
    """Say whether the ledger verifies, replay included."""
    return [] == verification.verify(desk.app).findings


def test_a_plan_changes_nothing(desk: Desk) -> None:
    """What would be done is read and told in Microsoft's order; nothing is done and nothing is written."""
    case_id = opened(desk)
    before = desk.count()
    plan = containment.plan(desk.app, ANN, case_id, EVERYTHING)
    assert ORDER == [step.change for step in plan.steps]
    assert (before, ()) == (desk.count(), plan.unread)
    assert {"user", "sign_in_methods", "consents", "roles", "forwarding"} < set(desk.tenant.calls)
    assert not {"set_enabled", "reset_password", "revoke_sessions", "set_rule"} & set(desk.tenant.calls)
    assert f"clear the forwarding to {EVIL}" == plan.steps[6].what
    assert ADA == plan.steps[0].to_data()["account"]
    assert USUAL == [step.change for step in containment.plan(desk.app, ANN, case_id).steps]


def test_what_is_too_long_to_be_kept_is_left_and_the_rest_put_right(desk: Desk) -> None:
    """An absurd name is told of and left to people; the case goes on, and what is wrong stands in its evidence."""
    case_id = opened(desk)
    account = desk.tenant.accounts[ADA]
    absurd = replace(account.forwarding, external="x" * 5000)
    account.forwarding = absurd
    made = contain(desk, case_id)
    assert USUAL == changes(made)
    assert (absurd, [0]) == (account.forwarding, [item.sequence for item in made if item.made is Made.FAILED])
    assert "Do it by hand" in made[3].said
    assert Result.NOT_MET is desk.case(case_id).evidence["forwarding-reviewed", ""].result
    assert verifies(desk)


def test_everything_named_is_put_right(desk: Desk) -> None:
    """Every change is made once, answered, and proven by a reading; the account holds nothing of the attacker's."""
    case_id = opened(desk)
    made = contain(desk, case_id, EVERYTHING)
    assert ORDER == changes(made)
    assert {Made.DONE} == {item.made for item in made}
    account = desk.tenant.accounts[ADA]
    assert (False, ("p",), (OLD,)) == (
        *(account.user.enabled, tuple(item.id for item in account.methods)),
        account.consents,
    )
    assert ((), (), Forwarding()) == (account.roles, account.delegates, account.forwarding)
    assert [False, True] == [rule.enabled for rule in account.rules]
    case = desk.case(case_id)
    assert set(EVERYTHING) | {"snapshot-taken"} == {name for (name, _) in case.evidence}
    assert {Result.MET} == {item.result for item in case.evidence.values()}
    subject = checks.read_subject(desk.app, case_id)
    assert EVIL == subject.values[case.evidence["forwarding-reviewed", ""].before.commitment]
    assert {"sign-in-disabled": True, "methods-removed": True, "has-roles": True} == dict(
        next(iter(case.identities.values())).facts
    )
    assert casework.person(desk.app, "Ann") in case.hands
    assert verifies(desk)


def test_the_password_is_handed_over_once(desk: Desk) -> None:
    """It comes back from the change that set it, and stands nowhere in the ledger or beside it."""
    case_id = opened(desk)
    secrets = [item.secret for item in contain(desk, case_id, ["password-reset"])]
    assert ["Tr0ub4dor-and-3"] == [secret and secret.text for secret in secrets]
    with desk.app.database.reading() as tx:
        texts = "".join(str(row) for row in tx.all("SELECT value FROM opening"))
        files = b"".join(bytes(row[0]) for row in tx.all("SELECT content FROM attachment"))
    assert "Tr0ub4dor" not in texts + "".join(desk.bodies())
    assert b"Tr0ub4dor" not in files


def test_the_intent_comes_first(desk: Desk) -> None:
    """When the tenant is asked to change anything, the intent is on the ledger and no transaction is open."""
    case_id = opened(desk)
    other = desk.again()
    seen: list[tuple[str, str]] = []

    def look(operation: str) -> None:
        if operation in {"set_enabled", "reset_password", "revoke_sessions", "set_forwarding", "set_rule"}:
            seen.append((operation, other.types(case_id)[-1]))
            casework.perform(other.app, BOB, case_id, act.AddNote(note=Private("meanwhile")))

    desk.tenant.watch = look
    contain(desk, case_id)
    assert ["change:intended"] * 5 == [kind for _, kind in seen]


def test_what_is_done_already_is_not_done_again(desk: Desk) -> None:
    """A second run finds nothing; what somebody else did in between is noticed and left alone."""
    case_id = opened(desk)
    contain(desk, case_id)
    calls = len(desk.tenant.calls)
    assert [] == contain(desk, case_id)
    assert {"user", "directory_audit", "forwarding", "inbox_rules"} == set(desk.tenant.calls[calls:])
    account = desk.tenant.accounts[ADA]
    account.forwarding = Forwarding(external=EVIL)
    plan = containment.plan(desk.app, ANN, case_id)
    account.forwarding = Forwarding()
    (step,) = plan.steps
    assert Made.NOT_NEEDED is containment.carry_out(desk.app, ANN, case_id, step).made
    assert 1 == desk.tenant.counts["set_forwarding"]


@pytest.mark.parametrize("took", [True, False])
def test_silence_is_answered_by_reading(desk: Desk, *, took: bool) -> None:
    """A change without an answer is looked at: found done it is done, otherwise nobody knows until a later look."""
    case_id = opened(desk)
    (desk.tenant.late if took else desk.tenant.faults)["set_forwarding"] = SILENCE
    (made,) = contain(desk, case_id, ["forwarding-reviewed"])
    assert (Made.DONE if took else None) is made.made
    if took:
        return
    assert "unknown" == made.to_data()["made"]
    with pytest.raises(PendingError, match="under way since"):
        contain(desk, case_id)
    with pytest.raises(PendingError, match="under way since"):
        containment.carry_out(desk.app, ANN, case_id, made.planned)
    desk.clock.move(5 * MINUTE)
    desk.tenant.faults.clear()
    again = contain(desk, case_id, ["forwarding-reviewed"])
    assert [Made.UNSEEN, Made.DONE] == [item.made for item in again]
    assert verifies(desk)


def test_silence_upon_silence_stays_open(desk: Desk) -> None:
    """Where not even reading is possible the intent stays open, and a later look finds it done."""
    case_id = opened(desk)
    desk.tenant.late["set_enabled"] = SILENCE

    def cut(operation: str) -> None:
        if operation == "set_enabled":
            desk.tenant.faults["user"] = NotReadableError("gone")

    desk.tenant.watch = cut
    (made,) = contain(desk, case_id, ["account-disabled"])
    assert made.made is None
    desk.tenant.faults.clear()
    desk.clock.move(5 * MINUTE)
    (found,) = containment.found_out(desk.app, ANN, case_id)
    assert (Made.DONE, "found done by reading") == (found.made, found.said)


def test_a_refusal_is_an_answer(desk: Desk) -> None:
    """What the tenant refuses is failed, in its words; the other changes go on, and the step is not met."""
    case_id = opened(desk)
    desk.tenant.faults["set_enabled"] = ProviderRefusedError("Insufficient privileges\x1b[0m")
    made = contain(desk, case_id, ["account-disabled", "sessions-revoked"])
    assert [(Made.FAILED, "Insufficient privileges [0m"), (Made.DONE, "")] == [(item.made, item.said) for item in made]
    assert Result.NOT_MET is desk.case(case_id).evidence["account-disabled", made[0].planned.about].result


def test_what_cannot_be_read_is_told(desk: Desk) -> None:
    """A plan says what it could not look at; a synchronised password is for people."""
    case_id = opened(desk)
    desk.tenant.faults["inbox_rules"] = NotReadableError("no permission")
    desk.tenant.accounts[ADA].user = replace(desk.tenant.accounts[ADA].user, synced=True)
    plan = containment.plan(desk.app, ANN, case_id)
    assert ("inbox-rules-reviewed: no permission",) == plan.unread
    assert [Change.BLOCK_SIGN_IN, Change.REVOKE_SESSIONS, Change.CLEAR_FORWARDING] == [it.change for it in plan.steps]


def test_what_a_person_judged_is_left_alone(desk: Desk) -> None:
    """A forwarding that somebody found good is not cleared; a rule of one's own mailbox is planned once."""
    case_id = opened(desk)
    checks.check(desk.app, ANN, case_id, ["forwarding-reviewed"])
    desk.met(case_id, "forwarding-reviewed")
    ids = ["forwarding-reviewed", "inbox-rules-reviewed", "own-mailbox-reviewed"]
    plan = containment.plan(desk.app, ANN, case_id, ids)
    assert [Change.DISABLE_RULE, Change.CLEAR_FORWARDING, Change.REMOVE_DELEGATE] == [it.change for it in plan.steps]
    assert () == containment.plan(desk.app, ANN, case_id, ids[:1]).steps


def test_only_what_holdfast_can_do_is_planned(desk: Desk) -> None:
    """Unknown steps are not found; MFA is for people."""
    case_id = opened(desk)
    with pytest.raises(NotFoundError, match="has no prerequisite"):
        containment.plan(desk.app, ANN, case_id, ["nonsense"])
    with pytest.raises(InputError, match="a person does it"):
        containment.plan(desk.app, ANN, case_id, ["mfa-enabled"])


def test_without_a_tenant_nothing_is_contained(open_desk: Callable[..., Desk]) -> None:
    """By default nothing is connected: no intent is written."""
    desk = open_desk()
    case_id = desk.restrict()
    for step in (containment.contain, containment.found_out):
        with pytest.raises(NotReadableError, match="No tenant is connected"):
            list(step(desk.app, ANN, case_id))
    assert "change:intended" not in desk.types(case_id)


@pytest.mark.parametrize(("who", "error"), [(DAN, NotPermittedError), (Who(ADA), SamePersonError)])
def test_who_may_not_act_may_not_contain(open_desk: Callable[..., Desk], who: Who, error: type[HoldfastError]) -> None:
    """An auditor, and the person the case is about, are refused before anything is changed, on the ledger."""
    desk = taken_over(open_desk(connected=True, people=TEAM))
    case_id = opened(desk)
    with pytest.raises(error):
        containment.plan(desk.app, who, case_id)
    assert desk.types(case_id)[-1] in {"action:refused", "action:denied"}
    assert [] == desk.tenant.calls


def test_whoever_contained_does_not_approve(open_desk: Callable[..., Desk]) -> None:
    """Changing the tenant is work that the gate stands on."""
    desk = taken_over(open_desk(connected=True, people=TEAM))
    case_id = opened(desk)
    contain(desk, case_id, who=BOB)
    desk.clock.move(HOUR)
    desk.fulfil(case_id)
    desk.do(case_id, *desk.every(case_id)[-2:])
    desk.do(case_id, act.RequestUnblock())
    with pytest.raises(SamePersonError):
        desk.do(case_id, act.ApproveUnblock(), who=BOB)
    desk.do(case_id, act.ApproveUnblock(), who=CAT)


def test_everything_removed_is_on_the_list(desk: Desk) -> None:
    """The restore list names what was taken away, and gives back what can be given back, exactly."""
    account = desk.tenant.accounts[ADA]
    forwarding, roles, delegates = account.forwarding, account.roles, account.delegates
    case_id = opened(desk)
    contain(desk, case_id, EVERYTHING)
    owed = restore_list.removed(desk.app, case_id)
    assert REMOVED == [item.change for item in owed]
    assert [False, False, True, True, True, True] == [item.by_call for item in owed]
    assert {""} == {item.ending for item in owed}
    assert "take away the role User Administrator" == owed[2].to_data()["what"]
    for item in owed[2:]:
        made = restore_list.restore(desk.app, ANN, case_id, item.entry, "the owner wants it")
        assert Made.DONE is made.made
    assert (forwarding, roles, delegates) == (account.forwarding, account.roles, account.delegates)
    assert [True, True] == [rule.enabled for rule in account.rules]
    with pytest.raises(InputError, match="--leave"):
        restore_list.restore(desk.app, ANN, case_id, owed[0].entry, "the owner wants it")
    restore_list.restore(desk.app, ANN, case_id, owed[0].entry, "registered anew", "T-1")
    restore_list.leave(desk.app, ANN, case_id, owed[1].entry, "not ours")
    assert ["restored", "left", *["restored"] * 4] == [item.ending for item in restore_list.removed(desk.app, case_id)]
    assert verifies(desk)


def test_what_stands_again_needs_no_restoring(desk: Desk) -> None:
    """Where somebody gave it back already, nothing is called, and the line is settled."""
    case_id = opened(desk)
    account = desk.tenant.accounts[ADA]
    before = account.forwarding
    contain(desk, case_id, ["forwarding-reviewed"])
    account.forwarding = before
    (item,) = restore_list.removed(desk.app, case_id)
    assert Made.NOT_NEEDED is restore_list.restore(desk.app, ANN, case_id, item.entry, "back").made
    assert ["restored"] == [item.ending for item in restore_list.removed(desk.app, case_id)]


def test_what_somebody_else_set_is_nothing_given_back(desk: Desk) -> None:
    """An attacker's forwarding in the place of the one that was cleared: it is not laid over, and the line stays."""
    case_id = opened(desk)
    contain(desk, case_id, ["forwarding-reviewed"])
    account = desk.tenant.accounts[ADA]
    account.forwarding = theirs = Forwarding(external="thief@evil.example")
    (item,) = restore_list.removed(desk.app, case_id)
    made = restore_list.restore(desk.app, ANN, case_id, item.entry, "back")
    assert (Made.FAILED, theirs, True) == (made.made, account.forwarding, "Something else" in made.said)
    assert [""] == [it.ending for it in restore_list.removed(desk.app, case_id)]
    assert verifies(desk)


def test_what_was_exchanged_meanwhile_is_not_cleared_unseen(desk: Desk) -> None:
    """The restore list tells of what was planned: another forwarding by the time of the call is planned anew."""
    case_id = opened(desk)
    (step,) = (it for it in containment.plan(desk.app, ANN, case_id, ["forwarding-reviewed"]).steps)
    account = desk.tenant.accounts[ADA]
    account.forwarding = theirs = Forwarding(external="thief@evil.example")
    made = containment.carry_out(desk.app, ANN, case_id, step)
    assert (Made.FAILED, theirs, []) == (made.made, account.forwarding, restore_list.removed(desk.app, case_id))
    contain(desk, case_id, ["forwarding-reviewed"])
    assert Forwarding() == account.forwarding
    assert verifies(desk)


def test_what_a_reading_did_not_show_may_have_been_removed(desk: Desk) -> None:
    """A directory may show what was before: what got no answer is on the restore list all the same."""
    case_id = opened(desk)
    account = desk.tenant.accounts[ADA]
    held: tuple[RoleAssignment, ...] = account.roles
    desk.tenant.faults["remove_role"] = SILENCE
    contain(desk, case_id, ["admin-roles-reviewed"])
    # What was there to be removed shows it, whatever came of the call: nobody breaks the glass for an administrator.
    assert [True] == [identity.had_roles for identity in desk.case(case_id).identities.values()]
    desk.clock.move(5 * MINUTE)
    assert [Made.UNSEEN] == [it.made for it in containment.found_out(desk.app, ANN, case_id)]
    desk.tenant.faults.clear()
    account.roles = ()
    (item,) = restore_list.removed(desk.app, case_id)
    assert (item.ending, item.what.endswith("it was not seen)")) == ("", True)
    assert Made.DONE is restore_list.restore(desk.app, ANN, case_id, item.entry, "hers").made
    assert {role.role for role in held} == {role.role for role in desk.tenant.accounts[ADA].roles}
    assert verifies(desk)


def test_a_method_that_may_have_been_removed_has_to_be_registered_anew(desk: Desk) -> None:
    """What was removed and what may have been is put right alike; what was refused is not."""
    case_id = opened(desk)
    desk.tenant.faults["remove_method"] = ProviderRefusedError("no")
    contain(desk, case_id, ["attacker-methods-removed"])
    named = next(iter(desk.case(case_id).identities.values()))
    assert "methods-removed" not in dict(named.facts)
    desk.tenant.faults["remove_method"] = SILENCE
    contain(desk, case_id, ["attacker-methods-removed"])
    desk.clock.move(5 * MINUTE)
    assert {Made.UNSEEN} == {it.made for it in containment.found_out(desk.app, ANN, case_id)}
    assert dict(desk.case(case_id).identities[named.subject].facts)["methods-removed"]


def test_what_cannot_be_found_out_keeps_nothing_waiting(desk: Desk) -> None:
    """The other changes are made meanwhile; after a day it is on the restore list, and people can end the case."""
    case_id = opened(desk)
    desk.tenant.faults["set_forwarding"] = SILENCE
    contain(desk, case_id, ["forwarding-reviewed"])
    desk.tenant.faults["forwarding"] = NotReadableError("no permission")
    desk.clock.move(5 * MINUTE)
    unread: list[str] = []
    made = list(containment.contain(desk.app, ANN, case_id, ["account-disabled"], unread=unread))
    assert [(Change.CLEAR_FORWARDING, None), (Change.BLOCK_SIGN_IN, Made.DONE)] == [
        (item.planned.change, item.made) for item in made
    ]
    assert [] == restore_list.removed(desk.app, case_id)
    desk.clock.move(DAY)
    (found,) = containment.found_out(desk.app, ANN, case_id)
    assert (Made.UNSEEN, "could not be read: no permission") == (found.made, found.said)
    (item,) = restore_list.removed(desk.app, case_id)
    restore_list.leave(desk.app, ANN, case_id, item.entry, "the mailbox is gone")
    assert not [change for change in desk.case(case_id).changes.values() if change.made is None or change.owed]
    assert verifies(desk)


def test_a_restoring_that_failed_is_still_owed(desk: Desk) -> None:
    """A refusal leaves the line owed; silence too, until a reading tells."""
    case_id = opened(desk)
    contain(desk, case_id, ["forwarding-reviewed"])
    (item,) = restore_list.removed(desk.app, case_id)
    desk.tenant.faults["set_forwarding"] = ProviderRefusedError("no")
    assert Made.FAILED is restore_list.restore(desk.app, ANN, case_id, item.entry, "back").made
    desk.tenant.faults.clear()
    desk.tenant.faults["set_forwarding"] = SILENCE
    assert restore_list.restore(desk.app, ANN, case_id, item.entry, "back").made is None
    with pytest.raises(PendingError, match="being given back"):
        restore_list.leave(desk.app, ANN, case_id, item.entry, "no")
    desk.clock.move(5 * MINUTE)
    assert [Made.UNSEEN] == [it.made for it in containment.found_out(desk.app, ANN, case_id)]
    desk.tenant.faults.clear()
    desk.tenant.late["set_forwarding"] = SILENCE
    assert Made.DONE is restore_list.restore(desk.app, ANN, case_id, item.entry, "back").made
    assert verifies(desk)


def test_a_case_does_not_end_while_something_is_owed(desk: Desk) -> None:
    """Neither closed nor dismissed: each line of the list is settled first, each with a reason."""
    case_id = opened(desk)
    contain(desk, case_id, ["forwarding-reviewed"])
    desk.do(case_id, desk.gone())
    desk.fulfil(case_id)
    (item,) = restore_list.removed(desk.app, case_id)
    dismissal = act.DismissCase(resolution=Resolution.FALSE_POSITIVE, reason=Private("a newsletter"))
    for action in (act.CloseCase(), dismissal):
        with pytest.raises(RestoreOwedError, match=f"entry {item.entry}"):
            desk.do(case_id, action)
    with pytest.raises(InputError, match="needs a reason"):
        restore_list.leave(desk.app, ANN, case_id, item.entry, " ")
    restore_list.leave(desk.app, ANN, case_id, item.entry, "the attacker's")
    with pytest.raises(NotFoundError, match="owed: nothing"):
        restore_list.leave(desk.app, ANN, case_id, item.entry, "again")
    with pytest.raises(NotFoundError):
        restore_list.restore(desk.app, ANN, case_id, 1, "nothing", "T-1")
    with pytest.raises(HoldfastError, match="these are to be answered"):
        desk.do(case_id, act.CloseCase())


def test_a_case_does_not_end_while_nobody_knows(desk: Desk) -> None:
    """An intent without an answer keeps the case from being dismissed."""
    case_id = opened(desk)
    desk.tenant.faults["set_enabled"] = SILENCE
    contain(desk, case_id, ["account-disabled"])
    desk.do(case_id, desk.gone())
    with pytest.raises(RestoreOwedError, match="Nobody knows"):
        desk.do(case_id, act.DismissCase(resolution=Resolution.FALSE_POSITIVE, reason=Private("a newsletter")))


def test_changes_are_judged(desk: Desk) -> None:
    """An intent about a stranger, an answer to no change, a second answer, and one without a source are refused."""
    case_id = opened(desk)
    stranger = casework.subject(desk.app, "default", Kind.USER, EVE)
    intent = act.IntendChange(change=Change.BLOCK_SIGN_IN, about=stranger)
    with pytest.raises(NotFoundError, match="not named"):
        desk.do(case_id, intent)
    with pytest.raises(NotFoundError, match="no change"):
        desk.do(case_id, act.AnswerChange(intent=1, made=Made.DONE))
    done = desk.do(case_id, replace(intent, about=""))
    sequence = done.entries[-1].sequence
    answer = act.AnswerChange(intent=sequence, made=Made.DONE, reference=Private("r1"))
    with pytest.raises(EvidenceRefusedError, match="where it can be checked"):
        desk.do(case_id, replace(answer, reference=Private()))
    desk.do(case_id, answer)
    with pytest.raises(WrongStateError, match="recorded already: done"):
        desk.do(case_id, answer)
    with pytest.raises(NotFoundError, match="owed: nothing"):
        desk.do(case_id, replace(intent, about="", undoes=sequence, reason=Private("back")))
    assert verifies(desk)


def test_only_the_same_is_given_back(desk: Desk) -> None:
    """What is given back is what was removed, with a reason."""
    case_id = opened(desk)
    contain(desk, case_id, ["forwarding-reviewed"])
    (item,) = restore_list.removed(desk.app, case_id)
    with pytest.raises(EvidenceRefusedError, match="not what that entry removed"):
        desk.do(case_id, act.IntendChange(change=Change.DISABLE_RULE, undoes=item.entry, reason=Private("back")))
    with pytest.raises(InputError, match="needs a reason"):
        restore_list.restore(desk.app, ANN, case_id, item.entry, "")


def test_an_ended_case_hears_of_a_late_answer(desk: Desk) -> None:
    """A change cannot be begun on an ended case, but what came of an earlier one can still be said."""
    case_id = opened(desk)
    sequence = desk.do(case_id, act.IntendChange(change=Change.BLOCK_SIGN_IN)).entries[-1].sequence
    desk.do(case_id, act.AnswerChange(intent=sequence, made=Made.FAILED, reference=Private("r1")))
    desk.do(case_id, desk.gone())
    dismissal = act.DismissCase(resolution=Resolution.FALSE_POSITIVE, reason=Private("a newsletter"))
    desk.do(case_id, dismissal)
    desk.do(case_id, act.ConfirmProposal(proposal="dismissal"), who=CAT)
    assert State.DISMISSED is desk.case(case_id).state
    with pytest.raises(WrongStateError):
        contain(desk, case_id)
    with pytest.raises(WrongStateError):
        desk.do(case_id, act.AnswerChange(intent=sequence, made=Made.DONE, reference=Private("r1")))
    assert verifies(desk)
