"""One look at a case that is due: the one thing that is due is done, and recorded, whoever else looks at it too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest

from tests.services.desk import ADA, ANN, BOB, EVE, MINUTE, Desk
from tests.services.test_checks import clean, gate_of
from workflow.domain import actions as act
from workflow.domain.vocabulary import Change, Kind, Method, RestrictionStatus, Result, State
from workflow.errors import (
    ConflictError,
    NotFoundError,
    NotReachedError,
    NotReadableError,
    OutcomeUnknownError,
    ProviderBusyError,
    ProviderRefusedError,
    StorageError,
)
from workflow.providers.shapes import Forwarding, Restricted
from workflow.services import automation, casework, checks, releasing, verification
from workflow.services.automation import Stepped
from workflow.services.chores import MACHINE

HOUR = timedelta(hours=1)
FACTS = {"app-passwords": False, "on-premises-relay": False}


def connected(open_desk: Callable[..., Desk], **changes: object) -> Desk:
    """Return a desk connected to a tenant in which Ada's mailbox is restricted."""
    found = open_desk(connected=True, **changes)
    found.tenant.listed[ADA] = Restricted(identifier=ADA)
    found.tenant.add(ADA)
    return found


@pytest.fixture
def desk(open_desk: Callable[..., Desk]) -> Desk:
    """A desk whose worker contains accounts."""
    return connected(open_desk, worker_contains=True)


def step(desk: Desk, case_id: str, after: timedelta = MINUTE) -> Stepped:
    """Look at a case a while later."""
    desk.clock.move(after)
    return automation.step(desk.app, case_id)


def due(desk: Desk) -> list[str]:
    """Return what is due now."""
    return automation.due(desk.app, desk.app.now())


def approved(desk: Desk, case_id: str) -> None:
    """Have people do what is theirs, and agree to the unblock."""
    user = casework.subject(desk.app, "default", Kind.USER, ADA)
    desk.do(case_id, act.AddIdentity(subject=user, facts=FACTS))
    for item in gate_of(desk, case_id):
        desk.met(case_id, item.prerequisite, ADA if item.about else "")
    releasing.decide(desk.app, ANN, case_id, act.RequestUnblock())
    desk.clock.move()
    releasing.decide(desk.app, BOB, case_id, act.ApproveUnblock())


def test_an_account_is_contained_and_read(desk: Desk) -> None:
    """The machine shuts the attacker out, reads what the playbook asks, and leaves to people what is theirs."""
    desk.tenant.accounts[ADA].forwarding = Forwarding(external="x@evil.example")
    case_id = desk.restrict()
    assert [case_id] == due(desk)
    stepped = step(desk, case_id)
    assert ("check", "done", None) == (stepped.task, stepped.outcome, stepped.again)
    assert "block-sign-in done, reset-password done, revoke-sessions done, clear-forwarding done" in stepped.said
    assert not desk.tenant.accounts[ADA].user.enabled
    case = desk.case(case_id)
    assert {"system"} == {item.actor for item in case.evidence.values()} == {item.by for item in case.changes.values()}
    assert {Method.CHECKED} == {item.method for item in case.evidence.values()}
    assert [] == due(desk)
    assert Stepped(case=1, task="", outcome="idle") == step(desk, case_id)
    assert [] == verification.verify(desk.app).findings


def test_without_leave_the_machine_only_reads(open_desk: Callable[..., Desk]) -> None:
    """Nothing is changed in the tenant unless the settings say so."""
    desk = connected(open_desk)
    case_id = desk.restrict()
    assert step(desk, case_id).said.startswith("read ")
    assert desk.tenant.accounts[ADA].user.enabled
    assert {} == desk.case(case_id).changes


def test_what_was_done_by_hand_is_found(open_desk: Callable[..., Desk]) -> None:
    """What did not hold is read again, and the case moves by itself when it does."""
    desk = connected(open_desk)
    case_id = desk.restrict()
    user = casework.subject(desk.app, "default", Kind.USER, ADA)
    desk.do(case_id, act.AddIdentity(subject=user, facts=FACTS))
    step(desk, case_id)
    assert Result.NOT_MET is desk.case(case_id).evidence["password-reset", user].result
    clean(desk, ADA)
    assert [] == due(desk)
    stepped = step(desk, case_id, HOUR)
    assert "detected → contained; read " in stepped.said
    assert State.CONTAINED is desk.case(case_id).state


def test_an_approved_unblock_is_carried_out_and_watched(desk: Desk) -> None:
    """Unblocked once, looked at until it is gone, then watched; never a second call."""
    case_id = desk.restrict()
    step(desk, case_id)
    approved(desk, case_id)
    desk.tenant.lingers = True
    stepped = step(desk, case_id)
    assert ("unblock", "done", "answered done, listed") == (stepped.task, stepped.outcome, stepped.said)
    assert "" == step(desk, case_id).task
    stepped = step(desk, case_id, 2 * MINUTE)
    assert ("look", "listed") == (stepped.task, stepped.said)
    del desk.tenant.listed[ADA]
    stepped = step(desk, case_id, 10 * MINUTE)
    assert ("look", "unblock_requested → released; not-listed") == (stepped.task, stepped.said)
    assert 1 == desk.tenant.counts["unblock"]
    assert [] == due(desk)
    desk.tenant.accounts[ADA].forwarding = Forwarding(external="x@evil.example")
    stepped = step(desk, case_id, 6 * HOUR)
    assert "check" == stepped.task
    assert Result.NOT_MET is desk.case(case_id).evidence["forwarding-reviewed", ""].result
    assert State.RELEASED is desk.case(case_id).state
    assert [] == verification.verify(desk.app).findings


def test_an_approval_that_ran_out_leaves_nothing_due(desk: Desk) -> None:
    """The case's row is due for an unblock that nobody may begin any more; a reading puts it right, and only one."""
    case_id = desk.restrict()
    step(desk, case_id)
    approved(desk, case_id)
    desk.clock.move(20 * HOUR)
    checks.check(desk.app, ANN, case_id)
    desk.clock.move(4 * HOUR)
    assert [case_id] == due(desk)
    stepped = step(desk, case_id)
    assert ("look", "done", None) == (stepped.task, stepped.outcome, stepped.again)
    assert () == desk.case(case_id).approvals
    assert [] == due(desk)
    assert 0 == desk.tenant.counts["unblock"]


def test_a_change_that_was_cut_short_is_found_out(open_desk: Callable[..., Desk]) -> None:
    """What somebody began and nobody answered is settled by reading."""
    desk = connected(open_desk)
    case_id = desk.restrict()
    step(desk, case_id)
    user = casework.subject(desk.app, "default", Kind.USER, ADA)
    desk.do(case_id, act.IntendChange(change=Change.BLOCK_SIGN_IN, about=user))
    stepped = step(desk, case_id, 2 * MINUTE)
    assert ("find-out", "block-sign-in unseen") == (stepped.task, stepped.said)


def test_what_cannot_be_found_out_keeps_nothing_waiting(open_desk: Callable[..., Desk]) -> None:
    """An approved unblock is made though nobody can tell what came of a change."""
    desk = connected(open_desk)
    case_id = desk.restrict()
    step(desk, case_id)
    user = casework.subject(desk.app, "default", Kind.USER, ADA)
    desk.do(case_id, act.AddIdentity(subject=user, facts=FACTS))
    desk.do(case_id, act.IntendChange(change=Change.CLEAR_FORWARDING, about=user))
    desk.clock.move(3 * MINUTE)
    approved(desk, case_id)
    fault = NotReadableError(f"The mailbox '{ADA}' cannot be read.")
    asked = count(1)

    def once(operation: str) -> None:
        if operation == "forwarding" and next(asked) == 1:
            raise fault

    desk.tenant.watch = once
    stepped = step(desk, case_id, 3 * MINUTE)
    assert ("find-out", 1) == (stepped.task, desk.tenant.counts["unblock"])
    assert "clear-forwarding unknown; answered done" in stepped.said
    desk.tenant.faults["forwarding"] = fault
    stepped = step(desk, case_id, 3 * MINUTE)
    assert ("find-out", "clear-forwarding unknown", 5 * MINUTE) == (stepped.task, stepped.said, stepped.again)


@pytest.mark.parametrize(
    ("fault", "outcome", "again"),
    [
        (ProviderBusyError("busy", 600), "busy", 10 * MINUTE),
        (ProviderBusyError("busy"), "busy", 5 * MINUTE),
        (ProviderBusyError("busy", 1), "busy", MINUTE),
        (ProviderRefusedError(f"Refused: '{ADA}' matches multiple entries"), "unread", 5 * MINUTE),
        (ConflictError("somebody moved it"), "pending", MINUTE),
    ],
)
def test_what_cannot_be_done_now_is_put_off(desk: Desk, fault: Exception, outcome: str, again: timedelta) -> None:
    """The case stays due; whoever looks waits a while, as long as the tenant says."""
    case_id = desk.restrict()
    step(desk, case_id)
    approved(desk, case_id)
    desk.tenant.faults["restriction"] = fault
    stepped = step(desk, case_id)
    assert (outcome, again) == (stepped.outcome, stepped.again)
    assert ADA not in stepped.said, "a worker's log names nobody"
    assert {"case_number", "task", "outcome", "message", "again_seconds"} == stepped.to_data().keys()
    assert [case_id] == due(desk)
    assert 0 == desk.tenant.counts["unblock"]


def test_a_check_without_any_answer_records_nothing_and_waits(desk: Desk) -> None:
    """An unreachable tenant is no reading, taken by a check or on the way to containment."""

    def lose(_operation: str) -> None:
        raise NotReachedError("no answer (ConnectError).")

    desk.tenant.watch = lose
    case_id, other = desk.restrict(), desk.again(worker_contains=True)
    other.app._provider = desk.tenant
    entries = desk.count()
    for app in (desk.app, other.app):
        stepped = automation.step(app, case_id)
        assert ("check", "unread", 15 * MINUTE) == (stepped.task, stepped.outcome, stepped.again)
    assert [case_id] == due(desk)
    assert entries == desk.count()


def test_a_refused_step_is_put_off(desk: Desk) -> None:
    """Evidence that cannot be read keeps an approved unblock waiting; nothing is called."""
    case_id = desk.restrict()
    step(desk, case_id)
    approved(desk, case_id)
    desk.tenant.faults["forwarding"] = ProviderRefusedError("no")
    stepped = step(desk, case_id, 10 * MINUTE)
    assert ("unblock", "unread", 5 * MINUTE) == (stepped.task, stepped.outcome, stepped.again)
    assert 0 == desk.tenant.counts["unblock"]


def test_a_step_that_a_rule_refuses_is_put_off(desk: Desk) -> None:
    """What the tenant shows now lets nothing be unblocked; nothing is called."""
    case_id = desk.restrict()
    step(desk, case_id)
    approved(desk, case_id)
    account = desk.tenant.accounts[ADA]
    account.forwarding = replace(account.forwarding, external="thief@evil.example")
    stepped = step(desk, case_id)
    assert ("unblock", "refused", 5 * MINUTE) == (stepped.task, stepped.outcome, stepped.again)
    assert 0 == desk.tenant.counts["unblock"]


def test_what_stands_and_cannot_be_read_is_not_asked_at_once(open_desk: Callable[..., Desk]) -> None:
    """A reading that fails while a good one stands is not recorded; the case stays due, and waits."""
    desk = connected(open_desk)
    case_id = desk.restrict()
    step(desk, case_id)
    desk.tenant.faults["forwarding"] = ProviderRefusedError("no")
    entries = desk.count()
    stepped = step(desk, case_id, timedelta(hours=23, minutes=30))
    assert ("done", 5 * MINUTE) == (stepped.outcome, stepped.again)
    assert desk.count() > entries


def test_containment_is_not_tried_for_ever(desk: Desk) -> None:
    """A tenant that takes everything back is left to people after three rounds."""
    case_id = desk.restrict()
    desk.tenant.faults["reset_password"] = ProviderRefusedError("the directory takes it back")
    for after in (MINUTE, 20 * MINUTE, *[12 * HOUR] * 4):
        step(desk, case_id, after)
    assert 3 == desk.tenant.counts["reset_password"]


def test_a_case_without_a_user_is_read_and_not_contained(desk: Desk) -> None:
    """A connector has nobody to shut out."""
    desk.tenant.kinds = {Kind.CONNECTOR}
    case_id = desk.restrict("0f9a6f0e-7b1e-4c0e-9c39-0f1b5c3f4a11", kind=Kind.CONNECTOR)
    step(desk, case_id)
    assert {} == desk.case(case_id).changes


def test_an_outcome_that_nobody_knows_is_looked_at_later(desk: Desk) -> None:
    """The call is not made again; the audit log and the list tell what came of it."""
    case_id = desk.restrict()
    step(desk, case_id)
    approved(desk, case_id)
    desk.tenant.late["unblock"] = OutcomeUnknownError("no answer")
    stepped = step(desk, case_id)
    assert ("unblock", "done") == (stepped.task, stepped.outcome)
    assert "no answer, not-listed" in stepped.said
    assert State.RELEASED is desk.case(case_id).state
    assert 1 == desk.tenant.counts["unblock"]


def test_other_tenants_and_unknown_cases_are_not_ours(desk: Desk, open_desk: Callable[..., Desk]) -> None:
    """Only cases of the connected tenant are due; without one, none is."""
    desk.take(who=ANN)
    case_id = desk.restrict()
    other = open_desk(connected=True, tenant="elsewhere")
    other.clock.move(timedelta(days=400))
    assert [] == automation.due(other.app, other.app.now())
    assert [] == automation.due(open_desk().app, desk.app.now() + timedelta(days=400))
    assert [case_id] == due(desk)
    with pytest.raises(NotFoundError):
        automation.step(desk.app, "no-such-case")


def test_the_machine_names_nobody_compromised(desk: Desk) -> None:
    """It knows what it did itself; who was compromised, and what does not hold of them, people say."""
    case_id = desk.restrict()
    eve, ada = (casework.subject(desk.app, "default", Kind.USER, name) for name in (EVE, ADA))
    for action in (
        act.AddIdentity(subject=eve),
        act.AddIdentity(subject=ada, facts={"has-roles": False}),
    ):
        with pytest.raises(Exception, match="Automation names nobody"):
            desk.do(case_id, action, who=MACHINE)
    desk.do(case_id, act.AddIdentity(subject=ada, facts={"sign-in-disabled": True}), who=MACHINE)
    assert [] == verification.verify(desk.app).findings


def test_a_broken_ledger_is_no_case_of_its_own(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrong with the database is not told as a case's fault."""
    case_id = desk.restrict()

    def refuse(*_: object, **__: object) -> None:
        raise StorageError("disk full")

    monkeypatch.setattr(checks, "check", refuse)
    desk.tenant.kinds = set()
    with pytest.raises(StorageError):
        step(desk, case_id)


def test_two_workers_unblock_once(desk: Desk) -> None:
    """Whoever comes second finds nothing due, or somebody at it."""
    case_id = desk.restrict()
    step(desk, case_id)
    approved(desk, case_id)
    other = desk.again(worker_contains=True)
    other.app._provider = desk.tenant
    desk.tenant.lingers = True
    came: list[Stepped] = []

    def meanwhile(operation: str) -> None:
        if operation == "unblock" and not came:
            came.append(automation.step(other.app, case_id))

    desk.tenant.watch = meanwhile
    assert "done" == step(desk, case_id).outcome
    assert [""] == [item.task for item in came]
    assert 1 == desk.tenant.counts["unblock"]
    assert RestrictionStatus.LISTED is desk.case(case_id).reading.status
