"""Automatic checks: what the tenant says is recorded by Holdfast itself, and what people judged stays theirs."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.services.desk import ADA, ANN, BOB, CONNECTOR, DAN, EVE, MINUTE, TEAM, Desk, plain, report
from workflow.domain import actions as act
from workflow.domain import agenda
from workflow.domain.gate import UNBLOCK_PHASES, Missing, Reason, missing
from workflow.domain.private import Private
from workflow.domain.vocabulary import Kind, Method, Result, State
from workflow.errors import (
    GateClosedError,
    InputError,
    NotFoundError,
    NotPermittedError,
    NotReadableError,
    ProviderBusyError,
    SamePersonError,
)
from workflow.providers.shapes import AuditEvent, Forwarding, InboxRule, Restricted, RoleAssignment, Traced
from workflow.services import casework, checks, evidence_files, snapshot, tenant_log, unblock, verification
from workflow.services.chores import MACHINE
from workflow.services.people import Who
from workflow.services.predicates import Look
from workflow.storage import attachments

if TYPE_CHECKING:
    from collections.abc import Callable

    from workflow.domain.case import Evidence


CHECKED = (
    *("snapshot-taken", "account-disabled", "password-reset", "mfa-enabled", "sessions-revoked", "audit-logging-on"),
    *("attacker-methods-removed", "app-consents-reviewed", "admin-roles-reviewed", "forwarding-reviewed"),
    *("inbox-rules-reviewed", "delegates-reviewed", "own-mailbox-reviewed", "alert-policy-on"),
)


@pytest.fixture
def desk(open_desk: Callable[..., Desk]) -> Desk:
    """A desk connected to a tenant in which Ada's account was cleaned after her mailbox was restricted."""
    found = open_desk(connected=True)
    found.tenant.listed[ADA] = Restricted(identifier=ADA)
    account = found.tenant.add(ADA)
    clean(found, account.user.name)
    return found


def clean(desk: Desk, name: str) -> None:
    """Reset the password and revoke the sessions, ten minutes from now, as an administrator does in the portal."""
    at = desk.clock.now + 10 * MINUTE
    account = desk.tenant.accounts[name]
    account.user = replace(account.user, enabled=False, password_changed_at=at, sessions_valid_from=at + MINUTE)
    account.audit = (AuditEvent(id="1", at=at, operation="Reset user password", actor="admin@contoso.example"),)


def cleaned(desk: Desk) -> str:
    """Return the case of Ada's mailbox, an hour after the account was cleaned."""
    case_id = desk.restrict()
    desk.clock.move(60 * MINUTE)
    return case_id


def found(examined: checks.Examined) -> dict[str, Result]:
    """Return what was found by prerequisite."""
    return {item.prerequisite: item.result for item in examined.checks}


def gate_of(desk: Desk, case_id: str) -> tuple[Missing, ...]:
    """Return what is missing for an unblock."""
    subject = checks.read_subject(desk.app, case_id)
    return missing(subject.case, subject.playbook, UNBLOCK_PHASES, subject.now)


def ann(desk: Desk) -> str:
    """Return Ann's opaque id."""
    return casework.person(desk.app, ANN.name)


def evidence_of(desk: Desk, case_id: str, prerequisite: str) -> Evidence:
    """Return what stands recorded of Ada."""
    return desk.case(case_id).evidence[prerequisite, casework.subject(desk.app, "default", Kind.USER, ADA)]


def verifies(desk: Desk) -> bool:
    """Say whether the ledger verifies, replay included."""
    return verification.verify(desk.app).findings == []


def test_everything_that_can_be_read_is_answered(desk: Desk) -> None:
    """One run answers each prerequisite that has a check and contains the case, though reading takes time."""
    case_id = cleaned(desk)

    def tick(_: str) -> None:
        desk.clock.move(timedelta(seconds=1))

    desk.tenant.watch = tick
    user = casework.subject(desk.app, "default", Kind.USER, ADA)
    desk.do(case_id, act.AddIdentity(subject=user, facts={"app-passwords": False}))
    examined = checks.check(desk.app, ANN, case_id)
    assert dict.fromkeys(CHECKED, Result.MET) | {"alert-policy-on": Result.NOT_MET} == found(examined)
    case = desk.case(case_id)
    assert State.CONTAINED is case.state
    assert {Method.CHECKED} == {item.method for item in case.evidence.values()}
    assert {"system"} == {item.actor for item in case.evidence.values()} == set(case.hands) - {ann(desk)}
    assert all(item.recorded and item.reference for item in examined.checks)
    read = {item.prerequisite for item in examined.checks}
    assert set() == read & {item.prerequisite for item in gate_of(desk, case_id) if item.reason is Reason.OUT_OF_ORDER}
    assert plain([item.to_data() for item in examined.checks])
    assert verifies(desk)


def test_whoever_asked_may_approve(open_desk: Callable[..., Desk]) -> None:
    """A reading is nobody's word, so Bob may have asked for it and still is a second person."""
    desk = open_desk(connected=True, people=TEAM)
    clean(desk, desk.tenant.add(ADA).user.name)
    case_id = cleaned(desk)
    checks.check(desk.app, BOB, case_id)
    done = desk.fulfil(case_id)
    assert State.VERIFIED is done.case.state
    desk.do(case_id, act.RequestUnblock())
    assert 1 == len(desk.do(case_id, act.ApproveUnblock(), who=BOB).case.approvals)


def test_nothing_is_read_inside_a_transaction(desk: Desk) -> None:
    """While the tenant is asked, another process can write."""
    case_id = cleaned(desk)
    other = desk.again()
    noted: list[str] = []

    def look(operation: str) -> None:
        if not noted:
            noted.append(operation)
            casework.perform(other.app, ANN, case_id, act.AddNote(note=Private("meanwhile")))

    desk.tenant.watch = look
    checks.check(desk.app, ANN, case_id)
    assert ["restriction"] == noted
    assert "case:noted" in desk.types(case_id)


def test_the_same_reading_confirms(desk: Desk) -> None:
    """A second run finds the same, changes no digest, takes no second snapshot, and keeps the values."""
    case_id = cleaned(desk)
    checks.check(desk.app, ANN, case_id)
    before = desk.case(case_id)
    desk.clock.move()
    again = checks.check(desk.app, ANN, case_id)
    assert "snapshot-taken" not in found(again)
    assert {"evidence:confirmed"} == {entry.type for entry in again.done.entries}
    leaves = {key: item.leaf for key, item in before.evidence.items()}
    assert leaves == {key: item.leaf for key, item in again.done.case.evidence.items()}


def test_another_reading_keeps_the_value_before(desk: Desk) -> None:
    """What was found the last time is the value before; it stays so while nothing changes."""
    desk.tenant.accounts[ADA].forwarding = Forwarding(external="x@evil.example")
    case_id = cleaned(desk)
    (first,) = checks.check(desk.app, ANN, case_id, ["forwarding-reviewed"]).checks
    assert (Result.NOT_MET, "", "x@evil.example") == (first.result, first.before, first.after)
    desk.tenant.accounts[ADA].forwarding = Forwarding()
    for kind in ("evidence:recorded", "evidence:confirmed"):
        desk.clock.move()
        examined = checks.check(desk.app, ANN, case_id, ["forwarding-reviewed"])
        (item,) = examined.checks
        assert (Result.MET, "x@evil.example", "none") == (item.result, item.before, item.after)
        assert [kind] == [entry.type for entry in examined.done.entries]


def test_what_a_person_judged_stays_until_it_changes(desk: Desk) -> None:
    """A forwarding that somebody confirmed after it had been read stays met; another one does not."""
    account = desk.tenant.accounts[ADA]
    account.forwarding = Forwarding(external="assistant@contoso.example")
    case_id, step = cleaned(desk), ["forwarding-reviewed"]
    desk.met(case_id, "forwarding-reviewed")
    assert Result.NOT_MET is found(checks.check(desk.app, ANN, case_id, step))["forwarding-reviewed"]
    desk.met(case_id, "forwarding-reviewed")
    for _ in range(2):
        desk.clock.move()
        (item,) = checks.check(desk.app, ANN, case_id, step).checks
        assert (Result.MET, "Unchanged since a person judged exactly this.") == (item.result, item.note)
        overview = unblock.overview(desk.app, case_id)
        assert ["forwarding-reviewed"] == overview.judged
        assert "forwarding-reviewed" in overview.checked
    desk.tenant.faults["forwarding"] = ProviderBusyError("throttled", 5)
    checks.check(desk.app, ANN, case_id, step)
    desk.tenant.faults.clear()
    account.forwarding = Forwarding(external="x@evil.example")
    assert Result.NOT_MET is found(checks.check(desk.app, ANN, case_id, step))["forwarding-reviewed"]
    account.forwarding = Forwarding(external="assistant@contoso.example")
    assert Result.NOT_MET is found(checks.check(desk.app, ANN, case_id, step))["forwarding-reviewed"]
    assert verifies(desk)


def test_a_reading_that_failed_between_takes_no_judgement_away(desk: Desk) -> None:
    """Somebody who saw a reading judges it, though the tenant could not be asked again since."""
    desk.tenant.accounts[ADA].forwarding = Forwarding(external="assistant@contoso.example")
    case_id, step = cleaned(desk), ["forwarding-reviewed"]
    checks.check(desk.app, ANN, case_id, step)
    desk.tenant.faults["forwarding"] = ProviderBusyError("throttled", 5)
    assert 1 == len(checks.check(desk.app, ANN, case_id, step).done.entries)
    desk.tenant.faults.clear()
    desk.met(case_id, "forwarding-reviewed")
    assert Result.MET is found(checks.check(desk.app, ANN, case_id, step))["forwarding-reviewed"]


@pytest.mark.parametrize("taken_back", ["retract", "not-met"])
def test_a_judgement_taken_back_counts_no_more(desk: Desk, taken_back: str) -> None:
    """Once the person's answer is retracted, or turned, the reading speaks again."""
    desk.tenant.accounts[ADA].forwarding = Forwarding(external="assistant@contoso.example")
    case_id, step = cleaned(desk), ["forwarding-reviewed"]
    checks.check(desk.app, ANN, case_id, step)
    desk.met(case_id, "forwarding-reviewed")
    if taken_back == "retract":
        desk.do(case_id, act.RetractEvidence(prerequisite=step[0], reason=Private("wrong person")))
    else:
        desk.met(case_id, "forwarding-reviewed", result=Result.NOT_MET)
    assert Result.NOT_MET is found(checks.check(desk.app, ANN, case_id, step))["forwarding-reviewed"]


def test_what_cannot_be_read_is_never_met(desk: Desk) -> None:
    """A missing licence and throttling are unable to verify, with the tenant's own words; there is no value."""
    desk.tenant.faults = {"roles": NotReadableError("no licence\x1b[31m"), "delegates": ProviderBusyError("429", 30)}
    desk.tenant.faults["message_trace"] = NotReadableError("not in this cloud")
    case_id = cleaned(desk)
    examined = checks.check(desk.app, ANN, case_id)
    unable = {item.prerequisite: item.note for item in examined.checks if item.result is Result.UNABLE_TO_VERIFY}
    assert {
        "snapshot-taken": "Not among it: delegates, message_trace, roles.",
        "admin-roles-reviewed": "no licence [31m",
        "delegates-reviewed": "429",
        "own-mailbox-reviewed": "429",
    } == unable
    assert State.DETECTED is desk.case(case_id).state


def test_what_cannot_be_read_is_no_news(desk: Desk) -> None:
    """A good answer that still counts is left alone; a bad one is not."""
    case_id, step = cleaned(desk), ["admin-roles-reviewed"]
    desk.met(case_id, step[0], ADA)
    desk.tenant.faults["roles"] = NotReadableError("no licence")
    before = desk.count()
    examined = checks.check(desk.app, ANN, case_id, step)
    assert [(False, "no licence What stands recorded counts still.")] == [
        (item.recorded, item.note) for item in examined.checks
    ]
    assert (before, []) == (desk.count(), examined.done.entries)
    desk.met(case_id, step[0], ADA, result=Result.NOT_MET)
    assert 1 == len(checks.check(desk.app, ANN, case_id, step).done.entries)


def test_what_others_changed_since_is_news(desk: Desk) -> None:
    """A good reading of what others changed afterwards falls where nothing shows any more that it holds."""
    case_id, step = cleaned(desk), ["password-reset"]
    checks.check(desk.app, MACHINE, case_id, step)
    account, at = desk.tenant.accounts[ADA], desk.clock.move()
    account.user, account.audit = replace(account.user, password_changed_at=at), ()
    desk.tenant.log.append(AuditEvent(id="2", at=at, operation="Reset user password.", actor=EVE, target=ADA))
    desk.clock.move()
    tenant_log.catch_up(desk.app, MACHINE)
    desk.tenant.faults["user"] = ProviderBusyError("429")
    (examined,) = checks.check(desk.app, MACHINE, case_id, step).checks
    assert (True, False) == (examined.unread, examined.recorded)
    assert Result.MET is evidence_of(desk, case_id, step[0]).result

    desk.tenant.faults.clear()
    (examined,) = checks.check(desk.app, MACHINE, case_id, step).checks
    assert (Result.UNABLE_TO_VERIFY, True) == (examined.result, examined.recorded)
    assert Result.UNABLE_TO_VERIFY is evidence_of(desk, case_id, step[0]).result
    case, playbook = desk.case(case_id), checks.read_subject(desk.app, case_id).playbook
    assert step[0] not in agenda.wanted(case, playbook, desk.clock.move()), "asked again at once, and for ever"
    assert verifies(desk)


def test_the_snapshot_is_a_file_without_secrets(desk: Desk) -> None:
    """Every reading stands in one file with its source, kept by its hash; what needs a licence may lack."""
    account = desk.tenant.accounts[ADA]
    account.rules = (InboxRule(id="1", name="\ud800", enabled=True, forwards_to=("x@evil.example",)),)
    desk.tenant.faults["sign_ins"] = NotReadableError("no licence")
    case_id = cleaned(desk)
    examined = checks.check(desk.app, ANN, case_id, ["snapshot-taken"])
    assert {"snapshot-taken": Result.MET} == found(examined)
    digest = examined.done.case.evidence["snapshot-taken", ""].attachment
    with desk.app.database.reading() as tx:
        data = json.loads(attachments.get(tx, digest))
    readings = {item["reading"]: item for item in data["readings"]}
    assert ADA == readings["restriction"]["of"] == readings["restriction"]["value"]["identifier"]
    assert [["x@evil.example"]] == [rule["forwards_to"] for rule in readings["inbox_rules"]["value"]]
    assert ("call user", "r1", "2026-11-24T09:01:00.000000Z") == tuple(
        readings["user"][name] for name in ("call", "request", "read_at")
    )
    assert "no licence" == readings["sign_ins"]["unread"]
    assert 1 == desk.tenant.counts["forwarding"]
    (file,) = evidence_files.attached(desk.app, case_id)
    assert ("snapshot-1.json", digest) == (file.name, file.digest)


def test_a_connector_has_no_mailbox(desk: Desk) -> None:
    """Of a connector the row is saved; nothing asks for a mailbox that is none."""
    (taken,) = desk.take(report(CONNECTOR, kind=Kind.CONNECTOR))
    case_id = casework.find(desk.app, str(taken.case_number))
    assert {"audit-logging-on": Result.MET} == found(checks.check(desk.app, ANN, case_id))
    picture = snapshot.take(
        Look(desk.tenant), Kind.CONNECTOR, CONNECTOR, (), checks.ground(checks.read_subject(desk.app, case_id), "")
    )
    assert (["restriction"], ()) == (
        [item["reading"] for item in json.loads(picture.content)["readings"]],
        picture.unread,
    )


def test_of_what_is_too_long_for_the_snapshot_the_newest_is_kept(desk: Desk) -> None:
    """An account is restricted because it sent a lot: the file says how much it leaves out, and the step holds."""
    sent = [Traced(id=f"m{number}", at=desk.clock.now, subject="x" * 900) for number in range(40_000)]
    old = Traced(id="old", at=desk.clock.now - timedelta(days=11))
    desk.tenant.accounts[ADA].sent = (*sent, old)
    case_id = cleaned(desk)
    (told,) = checks.check(desk.app, ANN, case_id, ["snapshot-taken"]).checks
    assert (Result.MET, "Too long to be kept whole: message_trace.") == (told.result, told.note)
    (file,) = evidence_files.attached(desk.app, case_id)
    with desk.app.database.reading() as tx:
        readings = json.loads(attachments.get(tx, file.digest))["readings"]
    (trace,) = [item for item in readings if item["reading"] == "message_trace"]
    assert 40_000 == len(trace["value"]) + trace["left_out"]
    assert ["m0", "m1"] == [item["id"] for item in trace["value"][:2]]
    assert 0 == sum("left_out" in item for item in readings if item is not trace)


def test_a_snapshot_that_cannot_be_made_small_is_not_cut_for_ever(desk: Desk) -> None:
    """Where no list is left to shorten, the file is what it is."""
    ground = checks.ground(checks.read_subject(desk.app, cleaned(desk)), "")
    taken = snapshot.take(Look(desk.tenant), Kind.CONNECTOR, CONNECTOR, (), ground, most=1)
    assert (1, ()) < (len(taken.content), taken.shortened)


def test_what_stands_for_the_tenant_is_not_asked_again(desk: Desk) -> None:
    """Where the case knows that a step does not apply, or that it was answered so, nothing is asked."""
    case_id = cleaned(desk)
    user = casework.subject(desk.app, "default", Kind.USER, ADA)
    desk.do(case_id, act.AddIdentity(subject=user, facts={"shared-mailbox": False}))
    assert "own-mailbox-reviewed" not in found(checks.check(desk.app, ANN, case_id))


def test_a_quick_look_saves_no_snapshot(desk: Desk) -> None:
    """What saves a picture for later is left out where only the present counts."""
    assert set(CHECKED) - {"snapshot-taken"} == set(found(checks.check(desk.app, ANN, cleaned(desk), quick=True)))


def test_a_sweep_asks_about_the_tenant_once(desk: Desk) -> None:
    """Two cases of one sweep share what is the tenant's own; half a minute later it is read again."""
    clean(desk, desk.tenant.add(EVE).user.name)
    ids = [desk.restrict(), desk.restrict(EVE)]
    desk.clock.move(60 * MINUTE)
    for case_id in ids:
        checks.check(desk.app, ANN, case_id)
    assert (1, 2) == (desk.tenant.counts["audit_posture"], desk.tenant.counts["user"])
    desk.clock.move(MINUTE)
    checks.check(desk.app, ANN, ids[0])
    assert (2, 3) == (desk.tenant.counts["audit_posture"], desk.tenant.counts["user"])


def test_unknown_and_uncheckable_steps_are_named(desk: Desk) -> None:
    """A prerequisite that the playbook lacks is not found; one that only people answer says so."""
    case_id = cleaned(desk)
    with pytest.raises(NotFoundError, match="has no prerequisite 'nonsense'"):
        checks.check(desk.app, ANN, case_id, ["nonsense"])
    with pytest.raises(InputError, match="a person records it"):
        checks.check(desk.app, ANN, case_id, ["cause-decided"])
    assert [] == desk.tenant.calls


def test_without_a_tenant_a_person_looks(open_desk: Callable[..., Desk]) -> None:
    """By default nothing is connected, and the error says what to do instead."""
    desk = open_desk()
    case_id = desk.restrict()
    with pytest.raises(NotReadableError, match="holdfast case record"):
        checks.check(desk.app, ANN, case_id)


def test_another_tenants_case_is_not_read_here(open_desk: Callable[..., Desk]) -> None:
    """A case of another tenant is not answered from the one that is connected."""
    desk = open_desk(connected=True)
    desk.take(report(), tenant="fabrikam")
    case_id = casework.find(desk.app, "1")
    with pytest.raises(NotReadableError, match="'fabrikam'"):
        checks.check(desk.app, ANN, case_id)
    assert [] == desk.tenant.calls


@pytest.mark.parametrize(("who", "error"), [(DAN, NotPermittedError), (Who(ADA), SamePersonError)])
def test_who_may_not_record_may_not_ask(open_desk: Callable[..., Desk], who: Who, error: type[Exception]) -> None:
    """An auditor, and the person the case is about, are refused; the attempt is recorded as theirs."""
    desk = open_desk(connected=True, people=TEAM)
    clean(desk, desk.tenant.add(ADA).user.name)
    case_id = cleaned(desk)
    with pytest.raises(error):
        checks.check(desk.app, who, case_id)
    last = desk.entries(case_id)[-1]
    assert last.type in {"action:denied", "action:refused"}
    assert "system" != last.actor["id"]


def test_an_erased_case_is_not_read(desk: Desk) -> None:
    """What is erased has no name to ask the tenant about."""
    case_id = cleaned(desk)
    subject = checks.read_subject(desk.app, case_id)
    assert (ADA, ADA) == (subject.name(""), subject.name(next(iter(subject.users))))
    with pytest.raises(NotFoundError):
        checks.check(desk.app, ANN, "0" * 32)


def test_a_reading_against_a_request_voids_it(desk: Desk) -> None:
    """A role that came back after the request takes its ground away."""
    case_id = cleaned(desk)
    checks.check(desk.app, ANN, case_id)
    desk.do(case_id, *desk.every(case_id)[-4:])
    desk.fulfil(case_id)
    desk.do(case_id, act.RequestUnblock())
    desk.tenant.accounts[ADA].roles = (RoleAssignment(id="1", role="x"),)
    examined = checks.check(desk.app, BOB, case_id, ["admin-roles-reviewed"])
    assert "unblock:voided" in [entry.type for entry in examined.done.entries]
    with pytest.raises(GateClosedError):
        desk.do(case_id, act.RequestUnblock())
    assert verifies(desk)


def test_a_check_leaves_no_words_in_entries(desk: Desk) -> None:
    """Addresses and values stand beside the ledger, never in it."""
    desk.tenant.accounts[ADA].forwarding = Forwarding(external="x@evil.example")
    checks.check(desk.app, ANN, cleaned(desk))
    bodies: Any = "".join(desk.bodies())
    assert "evil.example" not in bodies
    assert ADA not in bodies
