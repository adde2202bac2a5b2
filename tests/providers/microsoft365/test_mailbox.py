"""Rules, forwarding and delegates of a mailbox; audit posture and alert policies of the tenant."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from tests.providers.microsoft365.scripted import MISSING, Scripted, fault, no, rows
from workflow.errors import NotReadableError, ProviderError, ProviderRefusedError
from workflow.providers.shapes import AlertPolicy, AuditPosture, Delegate, Forwarding, InboxRule

BOX = "ada@contoso.example"
SEEN = {
    "Identity": "ada\\1",
    "Name": "tidy",
    "Enabled": True,
    "MoveToFolder": "Archive",
    "ForwardTo": None,
    "DeleteMessage": False,
}
HIDDEN = {
    "Identity": "ada\\2",
    "Name": "..",
    "Enabled": "True",
    "RedirectTo": ['"Mallory" [SMTP:mallory@evil.example]'],
    "ForwardAsAttachmentTo": ["plain"],
    "DeleteMessage": True,
}
OWN = {"Identity": "ada\\3", "Name": "Junk E-mail Rule", "Enabled": True, "DeleteMessage": False}

NOWHERE = {"ForwardingAddress": None, "ForwardingSmtpAddress": None, "DeliverToMailboxAndForward": False}


def test_rules_hidden_ones_included() -> None:
    """What only the wider list names is hidden; Exchange's own rules are not anybody's."""
    script = Scripted(rows(SEEN), rows(SEEN, HIDDEN, OWN, OWN | {"Name": "Microsoft.Exchange.OOF.Internal.Template"}))

    assert (
        InboxRule(id="ada\\1", name="tidy", enabled=True, moves_to="Archive"),
        InboxRule(
            id="ada\\2",
            name="..",
            enabled=True,
            forwards_to=("plain", "mallory@evil.example"),
            deletes=True,
            hidden=True,
        ),
    ) == script.tenant().inbox_rules(BOX).value
    assert [
        ("Get-InboxRule", {"Mailbox": BOX}),
        ("Get-InboxRule", {"Mailbox": BOX, "IncludeHidden": True}),
    ] == script.cmdlets
    assert f"UPN:{BOX}" == script.sent[0].headers["x-anchormailbox"]


@pytest.mark.parametrize("effect", [{"ForwardTo": ["x@evil.example"]}, {"DeleteMessage": True}])
def test_an_own_rule_that_acts_only_bears_the_name(effect: dict[str, Any]) -> None:
    """A rule of the attacker's does not become Exchange's by its name."""
    assert 1 == len(Scripted(rows(), rows(OWN | effect)).tenant().inbox_rules(BOX).value)


@pytest.mark.parametrize("row", [{"Name": "x", "Enabled": True}, {"Identity": "ada\\1", "Name": "x"}])
def test_a_rule_that_says_too_little_is_an_error(row: dict[str, Any]) -> None:
    """A rule that cannot be told from others must not be passed over."""
    with pytest.raises(ProviderError, match="Get-InboxRule"):
        Scripted(rows(), rows(row)).tenant().inbox_rules(BOX)


def test_a_rule_is_switched() -> None:
    """Off, and on again; nobody is asked for confirmation over HTTP."""
    script = Scripted(rows(), rows())
    rule = InboxRule(id="ada\\2", name="..", enabled=True)
    for enabled in (False, True):
        script.tenant().set_rule(BOX, rule, enabled=enabled)

    sent = {"Identity": "ada\\2", "Mailbox": BOX, "Force": True}
    assert [("Disable-InboxRule", sent), ("Enable-InboxRule", sent)] == script.cmdlets


def test_forwarding_is_read_and_set() -> None:
    """An address without its prefix; empty is null."""
    row = {
        "ForwardingAddress": "Bob",
        "ForwardingSmtpAddress": "smtp:x@evil.example",
        "DeliverToMailboxAndForward": True,
    }
    script = Scripted(rows(row), rows(NOWHERE), rows(), rows())
    tenant = script.tenant()
    found = tenant.forwarding(BOX).value

    assert Forwarding(internal="Bob", external="x@evil.example", keeps_copy=True) == found
    assert Forwarding() == tenant.forwarding(BOX).value
    tenant.set_forwarding(BOX, Forwarding())
    tenant.set_forwarding(BOX, found)
    cleared, back = (parameters for _, parameters in script.cmdlets[2:])
    assert (None, None, False) == (
        cleared["ForwardingAddress"],
        cleared["ForwardingSmtpAddress"],
        cleared["DeliverToMailboxAndForward"],
    )
    assert ("Bob", "x@evil.example", True) == (
        back["ForwardingAddress"],
        back["ForwardingSmtpAddress"],
        back["DeliverToMailboxAndForward"],
    )


def test_what_is_null_may_be_left_out() -> None:
    """Where all that a mailbox always has is there; of a part nothing is concluded, nor without the yes or no."""
    whole = {
        "PrimarySmtpAddress": BOX,
        "RecipientTypeDetails": "UserMailbox",
        "GrantSendOnBehalfTo": [],
        "DeliverToMailboxAndForward": False,
    }
    assert Forwarding() == Scripted(rows(whole)).tenant().forwarding(BOX).value
    outside = whole | {"ForwardingSmtpAddress": "smtp:x@evil.example"}
    assert Forwarding(external="x@evil.example") == Scripted(rows(outside)).tenant().forwarding(BOX).value
    for name in whole:
        part = {key: value for key, value in whole.items() if key != name}
        for row in (part, part | {name: None} if name != "DeliverToMailboxAndForward" else part):
            with pytest.raises(ProviderError, match="leaves out"):
                Scripted(rows(row)).tenant().forwarding(BOX)


@pytest.mark.parametrize("found", [[], [{}, {}]])
def test_one_mailbox_is_meant(found: list[dict[str, Any]]) -> None:
    """None, or several, is no answer about one."""
    with pytest.raises(NotReadableError, match=f"{len(found)} mailboxes"):
        Scripted(rows(*found)).tenant().forwarding(BOX)


def test_a_mailbox_that_is_not_there() -> None:
    """It cannot be read, and why is said."""
    with pytest.raises(NotReadableError, match="couldn't be found"):
        Scripted(fault("object 'ghost' couldn't be found", MISSING, 404)).tenant().forwarding("ghost")


def test_delegates() -> None:
    """Of three lists; the owner, what is inherited and what is denied are not delegates."""
    script = Scripted(
        rows(
            {"User": "bob@contoso.example", "AccessRights": ["FullAccess", "ReadPermission"], "IsInherited": False},
            {"User": "carl@contoso.example", "AccessRights": "FullAccess, ChangePermission"},
            {"User": "NT AUTHORITY\\SELF", "AccessRights": ["FullAccess"]},
            {"User": "org", "AccessRights": ["FullAccess"], "IsInherited": True},
            {"User": "dan@contoso.example", "AccessRights": ["FullAccess"], "Deny": "True"},
        ),
        rows(
            {"Trustee": "bob@contoso.example", "AccessControlType": "Allow", "AccessRights": ["SendAs"]},
            {"Trustee": "eve@contoso.example", "AccessControlType": "Deny", "AccessRights": ["SendAs"]},
        ),
        rows({"GrantSendOnBehalfTo": ["Frank"]}),
    )

    assert [
        ("bob@contoso.example", "full-access"),
        ("bob@contoso.example", "read-permission"),
        ("carl@contoso.example", "full-access"),
        ("carl@contoso.example", "change-permission"),
        ("bob@contoso.example", "send-as"),
        ("Frank", "send-on-behalf"),
    ] == [(delegate.who, delegate.right) for delegate in script.tenant().delegates(BOX).value]


def test_rights_are_taken_and_given_back() -> None:
    """Each through its own cmdlet."""
    script = Scripted(*[rows()] * 6)
    tenant = script.tenant()
    for right in ("change-permission", "send-as", "send-on-behalf"):
        delegate = Delegate(who="bob@contoso.example", right=right)
        tenant.remove_delegate(BOX, delegate)
        tenant.add_delegate(BOX, delegate)

    assert [
        "Remove-MailboxPermission",
        "Add-MailboxPermission",
        "Remove-RecipientPermission",
        "Add-RecipientPermission",
        "Set-Mailbox",
        "Set-Mailbox",
    ] == [name for name, _ in script.cmdlets]
    assert ["ChangePermission"] == script.cmdlets[0][1]["AccessRights"]
    assert ["remove", "add"] == [next(reversed(sent["GrantSendOnBehalfTo"])) for _, sent in script.cmdlets[4:]]


def test_what_is_no_right_is_not_sent() -> None:
    """A right's name cannot carry anything else."""
    script = Scripted()

    with pytest.raises(ProviderRefusedError):
        script.tenant().remove_delegate(BOX, Delegate(who="bob@contoso.example", right="Full; x"))
    assert [] == script.sent


def test_audit_posture() -> None:
    """From Exchange, because Security & Compliance answers False whatever is true."""
    config = {"UnifiedAuditLogIngestionEnabled": True, "UnifiedAuditLogFirstOptInDate": "/Date(1618327011162)/"}
    script = Scripted(rows(config), rows({"AuditDisabled": False}), rows(config), rows())
    tenant = script.tenant()

    first = datetime(2021, 4, 13, 15, 16, 51, 162000, tzinfo=UTC)
    assert AuditPosture(unified_log=True, mailbox_auditing=True, first_on_at=first) == tenant.audit_posture().value
    assert tenant.audit_posture().value.mailbox_auditing is None
    assert {"outlook.office365.com"} == {request.url.host for request in script.sent}


def test_what_audits_mailboxes_may_be_refused() -> None:
    """The audit log is on or off all the same, and the answer names the cmdlet that decided."""
    refused = fault("Get-OrganizationConfig isn't present in the role definition of the current user.")
    for answers in ([httpx2.Response(403, content=b"\0" * 40)], [refused]):
        found = Scripted(rows({"UnifiedAuditLogIngestionEnabled": True}), *answers).tenant().audit_posture()
        assert AuditPosture(unified_log=True) == found.value
        assert "Get-AdminAuditLogConfig" == found.read.call
    with pytest.raises(NotReadableError):
        Scripted(refused).tenant().audit_posture()


@pytest.mark.parametrize("found", [[], [{"AdminAuditLogEnabled": True}]])
def test_an_audit_posture_that_is_not_said(found: list[dict[str, Any]]) -> None:
    """It is neither on nor off."""
    with pytest.raises(ProviderError, match="does not say"):
        Scripted(rows(*found)).tenant().audit_posture()


def test_alert_policies() -> None:
    """As Microsoft models them; who must not ask Security & Compliance asks Exchange."""
    policy = {
        "Name": "User restricted from sending email",
        "Disabled": False,
        "NotificationEnabled": True,
        "NotifyUser": ["TenantAdmins"],
        "NotifyUserThrottleThreshold": None,
        "Severity": "High",
        "IsSystemRule": True,
    }
    script = Scripted(no(403), rows(policy, policy | {"Disabled": True, "NotifyUserThrottleThreshold": "5"}))
    expected = AlertPolicy(
        name="User restricted from sending email",
        enabled=True,
        notifies=True,
        recipients=("TenantAdmins",),
        severity="High",
    )

    first, second = script.tenant().alert_policies().value
    assert expected == first
    assert (False, 5) == (second.enabled, second.daily_limit)
    assert ["ps.compliance.protection.outlook.com", "outlook.office365.com"] == [item.url.host for item in script.sent]


def test_alert_policies_that_nobody_gives() -> None:
    """The first refusal is the one that is told; a policy that says too little is an error."""
    with pytest.raises(NotReadableError, match="first"):
        Scripted(fault("first"), fault("second")).tenant().alert_policies()
    with pytest.raises(ProviderError, match="Get-ProtectionAlert"):
        Scripted(rows({"Name": "x"})).tenant().alert_policies()
