"""What each reading of the tenant means: met, not met, or unable to verify."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.services.desk import ADA, DAY, HOUR, MINUTE, START, Clock
from tests.services.tenant import Tenant
from workflow.domain.playbook import Check
from workflow.domain.vocabulary import Result, TenantFact
from workflow.errors import NotReadableError
from workflow.providers.shapes import (
    AlertPolicy,
    AuditEvent,
    AuditPosture,
    Consent,
    Delegate,
    Forwarding,
    InboxRule,
    MfaRequirement,
    RoleAssignment,
    SignInMethod,
)
from workflow.services.predicates import ALERT, LONGEST, PREDICATES, Finding, Ground, Look, shown

if TYPE_CHECKING:
    from datetime import datetime

MET, NOT_MET, UNABLE = Result.MET, Result.NOT_MET, Result.UNABLE_TO_VERIFY
GROUND = Ground(since=START)


@pytest.fixture
def tenant() -> Tenant:
    """A tenant with Ada's account, an hour after her mailbox was restricted."""
    found = Tenant(Clock(START + HOUR))
    found.add(ADA)
    return found


def ask(tenant: Tenant, check: Check | TenantFact, ground: Ground = GROUND) -> Finding:
    """Ask one check about Ada."""
    return PREDICATES[check](Look(tenant), ADA, ground)


def user(tenant: Tenant, **changes: Any) -> None:
    """Change what the directory says of Ada."""
    tenant.accounts[ADA].user = replace(tenant.accounts[ADA].user, **changes)


def test_sign_in_is_blocked_or_not(tenant: Tenant) -> None:
    """A disabled account is met; a synchronised one comes with its warning."""
    assert Finding(NOT_MET, "accountEnabled true") == ask(tenant, Check.SIGN_IN_BLOCKED)
    user(tenant, enabled=False, synced=True)
    found = ask(tenant, Check.SIGN_IN_BLOCKED)
    assert (MET, "accountEnabled false") == (found.result, found.value)
    assert "on-premises directory overwrites" in found.note


@pytest.mark.parametrize("changed", [None, START - MINUTE, START])
def test_an_old_password_is_not_a_reset_one(tenant: Tenant, changed: datetime | None) -> None:
    """What was changed before the restriction, or never, is not met."""
    user(tenant, password_changed_at=changed)
    assert NOT_MET is ask(tenant, Check.PASSWORD_RESET).result


def test_a_password_is_reset_by_somebody_else(tenant: Tenant) -> None:
    """The last record about the password decides: an administrator's reset is met, the person's own change is not."""
    at = START + 10 * MINUTE
    user(tenant, password_changed_at=at)
    assert UNABLE is ask(tenant, Check.PASSWORD_RESET).result
    reset = AuditEvent(id="1", at=at, operation="Reset user password", actor="admin@contoso.example")
    tenant.accounts[ADA].audit = (replace(reset, at=at - HOUR, operation="Update user"), reset)
    value = "lastPasswordChangeDateTime 2026-11-24T08:10:00Z, Reset user password by admin@contoso.example"
    assert Finding(MET, value) == ask(tenant, Check.PASSWORD_RESET)
    for other in (
        replace(reset, actor=ADA.upper()),
        replace(reset, actor=f"id-of-{ADA}"),
        replace(reset, actor=""),
    ):
        tenant.accounts[ADA].audit = (other,)
        assert NOT_MET is ask(tenant, Check.PASSWORD_RESET).result


def test_only_what_set_the_password_tells_whose_it_is(tenant: Tenant) -> None:
    """Not what failed, nor what only has the word in its name, nor what came another time; their own change weighs."""
    at = START + 10 * MINUTE
    user(tenant, password_changed_at=at)
    own = AuditEvent(id="1", at=at, operation="Change user password", actor=ADA)
    admin = AuditEvent(id="2", at=at + 2 * MINUTE, operation="Reset user password", actor="admin@contoso.example")
    failed = (("result", "failure"),)
    for beside in (
        (own, admin),
        (own, replace(admin, at=at, details=failed)),
        (own, replace(admin, at=at, operation="Set force change user password")),
        (own, replace(admin, at=at, operation="Disable password expiration for user")),
        (replace(own, at=at + MINUTE / 3), replace(admin, at=at)),
        (replace(admin, at=at, operation="Reset password (self-service)"),),
        (
            replace(admin, at=at, operation="Change user password", actor="service@contoso.example"),
            replace(own, operation="Change password (self-service).", actor="service@contoso.example"),
        ),
    ):
        tenant.accounts[ADA].audit = beside
        assert NOT_MET is ask(tenant, Check.PASSWORD_RESET).result, beside
    for beside in (
        (replace(own, at=at - 2 * MINUTE), replace(admin, at=at, details=(("result", "success"),))),
        (replace(admin, at=at, operation="Reset password (by admin)"),),
        (replace(own, details=failed), replace(admin, at=at)),
    ):
        tenant.accounts[ADA].audit = beside
        assert MET is ask(tenant, Check.PASSWORD_RESET).result, beside
    tenant.accounts[ADA].audit = (replace(admin, at=at, details=failed),)
    assert UNABLE is ask(tenant, Check.PASSWORD_RESET).result


def test_a_later_change_than_the_audit_knows_is_not_judged(tenant: Tenant) -> None:
    """Where the directory shows a change that its audit does not, nobody can say whose it was."""
    user(tenant, password_changed_at=START + 30 * MINUTE)
    tenant.accounts[ADA].audit = (
        AuditEvent(id="1", at=START + MINUTE, operation="Reset user password", actor="admin@contoso.example"),
    )
    assert UNABLE is ask(tenant, Check.PASSWORD_RESET).result


def test_holdfast_knows_its_own_reset(tenant: Tenant) -> None:
    """A reset of ours needs no audit record, unless the password was changed again."""
    at = START + 10 * MINUTE
    user(tenant, password_changed_at=at + MINUTE)
    own = Ground(since=START, reset_at=at)
    assert MET is ask(tenant, Check.PASSWORD_RESET, own).result
    tenant.faults["directory_audit"] = NotReadableError("no licence")
    assert MET is ask(tenant, Check.PASSWORD_RESET, own).result
    with pytest.raises(NotReadableError):
        ask(tenant, Check.PASSWORD_RESET)
    tenant.faults.clear()
    change = AuditEvent(id="1", at=at + MINUTE, operation="Change user password", actor=ADA)
    tenant.accounts[ADA].audit = (change,)
    assert NOT_MET is ask(tenant, Check.PASSWORD_RESET, own).result
    tenant.accounts[ADA].audit = (replace(change, operation="Reset user password", actor="holdfast"),)
    assert MET is ask(tenant, Check.PASSWORD_RESET, own).result
    user(tenant, password_changed_at=at + 20 * MINUTE)
    assert UNABLE is ask(tenant, Check.PASSWORD_RESET, own).result


def test_a_synchronised_password_is_for_people(tenant: Tenant) -> None:
    """The directory in the cloud cannot say what was done on premises."""
    user(tenant, password_changed_at=START + MINUTE, synced=True)
    assert UNABLE is ask(tenant, Check.PASSWORD_RESET).result


def test_sessions_are_revoked_after_the_reset(tenant: Tenant) -> None:
    """Revoked before the last change of the password is too early; guests are out of reach."""
    assert NOT_MET is ask(tenant, Check.SESSIONS_REVOKED).result
    user(tenant, sessions_valid_from=START + MINUTE, password_changed_at=START + 2 * MINUTE)
    assert NOT_MET is ask(tenant, Check.SESSIONS_REVOKED).result
    user(tenant, sessions_valid_from=START + 2 * MINUTE)
    found = ask(tenant, Check.SESSIONS_REVOKED)
    assert (MET, "Access tokens issued before may work until 2026-11-24 09:02 UTC.") == (found.result, found.note)
    user(tenant, guest=True)
    assert UNABLE is ask(tenant, Check.SESSIONS_REVOKED).result


@pytest.mark.parametrize(
    ("requirement", "result", "value"),
    [
        (MfaRequirement(required=True, by="per-user"), MET, "per-user"),
        (
            MfaRequirement(required=True, by="conditional-access", detail="All"),
            MET,
            "required by conditional-access: All",
        ),
        (MfaRequirement(required=False), NOT_MET, "not required"),
        (MfaRequirement(required=False, unread=("conditional-access",)), UNABLE, "not known"),
    ],
)
def test_mfa_is_required_or_not_known(tenant: Tenant, requirement: MfaRequirement, result: Result, value: str) -> None:
    """Not required is told from not known."""
    tenant.accounts[ADA].mfa = requirement
    found = ask(tenant, Check.MFA_REQUIRED)
    assert (result, value) == (found.result, found.value)


def test_policies_that_cannot_be_read_leave_the_persons_own_state(tenant: Tenant) -> None:
    """The requirement is asked for all the same, and what it rests on is not said to be the policies."""
    tenant.faults["sign_in_policies"] = NotReadableError("no licence")
    tenant.accounts[ADA].mfa = MfaRequirement(required=True, by="per-user", detail="enforced")
    found = ask(tenant, Check.MFA_REQUIRED)
    assert (MET, "required by per-user: enforced") == (found.result, found.value)
    assert ["user", "sign_in_policies", "mfa_requirement"] == tenant.calls


@pytest.mark.parametrize(
    ("created_at", "result"),
    [(None, NOT_MET), (START + MINUTE, NOT_MET), (START - 29 * DAY, NOT_MET), (START - 31 * DAY, MET)],
)
def test_what_may_be_the_attackers_is_not_known(tenant: Tenant, created_at: datetime | None, result: Result) -> None:
    """Methods and consents of the last month, or of an unknown time, want a person."""
    password = SignInMethod(id="p", kind="password", created_at=None)
    tenant.accounts[ADA].methods = (password, SignInMethod(id="1", kind="phone", name="+49 …", created_at=created_at))
    tenant.accounts[ADA].consents = (Consent(id="1", app="mailer", kind="delegated", created_at=created_at),)
    assert [result] * 2 == [ask(tenant, check).result for check in (Check.METHODS_KNOWN, Check.CONSENTS_KNOWN)]


def test_nothing_registered_is_met(tenant: Tenant) -> None:
    """Without any second factor or consent there is nothing of the attacker's."""
    for check in (Check.METHODS_KNOWN, Check.CONSENTS_KNOWN, Check.NO_ROLES, Check.NO_DELEGATES):
        found = ask(tenant, check)
        assert (MET, "none") == (found.result, found.value)


def test_roles_and_delegates_want_a_person(tenant: Tenant) -> None:
    """Any is listed, in a fixed order."""
    tenant.accounts[ADA].roles = (RoleAssignment(id="1", role="x", name="User Administrator"),)
    tenant.accounts[ADA].delegates = (Delegate(who="z", right="send-as"), Delegate(who="a", right="full-access"))
    assert (NOT_MET, "User Administrator on /") == (
        ask(tenant, Check.NO_ROLES).result,
        ask(tenant, Check.NO_ROLES).value,
    )
    assert "a full-access; z send-as" == ask(tenant, Check.NO_DELEGATES).value


@pytest.mark.parametrize(
    ("rule", "result"),
    [
        ({"forwards_to": ("x@evil.example",)}, NOT_MET),
        ({"deletes": True}, NOT_MET),
        ({"moves_to": "RSS Feeds"}, NOT_MET),
        ({"moves_to": "Projects"}, MET),
        ({"deletes": True, "enabled": False}, MET),
        ({"moves_to": "Junk Email", "name": "Junk E-Mail Rule", "hidden": True}, MET),
        ({"moves_to": "Junk Email", "name": "Junk E-Mail Rule"}, NOT_MET),
        ({"deletes": True, "name": "Junk E-Mail Rule", "hidden": True}, NOT_MET),
    ],
)
def test_rules_take_mail_away_or_not(tenant: Tenant, rule: dict[str, Any], result: Result) -> None:
    """Only an enabled rule that forwards, deletes or hides does harm; the mailbox's own junk rule does not."""
    usual: dict[str, Any] = {"id": "1", "name": "r", "enabled": True}
    tenant.accounts[ADA].rules = (InboxRule(**(usual | rule)),)
    assert result is ask(tenant, Check.RULES_HARMLESS).result


def test_a_mailbox_of_ones_own_is_looked_at_as_a_whole(tenant: Tenant) -> None:
    """Forwarding alone makes it unclean."""
    assert MET is ask(tenant, Check.OWN_MAILBOX_CLEAN).result
    tenant.accounts[ADA].forwarding = Forwarding(external="x@evil.example")
    found = ask(tenant, Check.OWN_MAILBOX_CLEAN)
    assert (NOT_MET, "forwarding: x@evil.example; rules: none; delegates: none") == (found.result, found.value)
    assert NOT_MET is ask(tenant, Check.NO_FORWARDING).result


@pytest.mark.parametrize(
    ("unified", "mailboxes", "result"),
    [(True, True, MET), (True, None, UNABLE), (True, False, NOT_MET), (False, None, NOT_MET)],
)
def test_auditing_is_on(tenant: Tenant, *, unified: bool, mailboxes: bool | None, result: Result) -> None:
    """Both the unified log and the mailboxes' own are asked for."""
    tenant.posture = AuditPosture(unified_log=unified, mailbox_auditing=mailboxes)
    assert result is ask(tenant, TenantFact.AUDIT_LOGGING).result


def test_the_alert_policy_is_found_by_its_name(tenant: Tenant) -> None:
    """Each fact looks at its own part of the policy; without the policy none is met."""
    facts = (
        *(TenantFact.ALERT_POLICY, TenantFact.ALERT_OPT_IN),
        *(TenantFact.ALERT_RECIPIENTS, TenantFact.ALERT_DAILY_LIMIT),
    )
    tenant.policies = (AlertPolicy(name="Another", enabled=True, notifies=True, recipients=("a",)),)
    assert [NOT_MET] * 4 == [ask(tenant, fact).result for fact in facts]
    tenant.policies += (AlertPolicy(name=ALERT, enabled=True, notifies=True, recipients=("TenantAdmins",)),)
    assert [MET] * 4 == [ask(tenant, fact).result for fact in facts]
    tenant.policies = (AlertPolicy(name=ALERT, enabled=False, notifies=False, daily_limit=1),)
    assert [NOT_MET] * 4 == [ask(tenant, fact).result for fact in facts]


def test_a_look_reads_each_thing_once(tenant: Tenant) -> None:
    """What was read is not read again, a refusal neither; what is the tenant's own is kept for the sweep."""
    shared: Any = {}
    tenant.faults["roles"] = NotReadableError("no permission")
    for _ in range(2):
        look = Look(tenant, shared)
        look(tenant.user, ADA)
        look(tenant.user, ADA)
        look(tenant.audit_posture)
        for _ in range(2):
            with pytest.raises(NotReadableError):
                look(tenant.roles, ADA)
        assert ["call user", "call user", "call audit_posture"] == [read.call for read in look.reads]
    assert ["user", "audit_posture", "roles", "user", "roles"] == tenant.calls


def test_what_a_tenant_says_is_one_short_line() -> None:
    """Names that attackers choose cannot break a line or an entry, and two long ones still differ."""
    assert "a b c" == shown("a\x1b\n b\u202e\tc")
    long, other = shown("x" * 9000), shown("x" * 8999 + "y")
    assert len(long) < LONGEST + 100
    assert long != other


def test_every_check_has_a_predicate() -> None:
    """No name of the registry is without one; the snapshot and linked cases have rooms of their own."""
    assert {*Check, *TenantFact} == {*PREDICATES, Check.NONE, Check.LINKED_CASE_CONTAINED, Check.SNAPSHOT_SAVED}
