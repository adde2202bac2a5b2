"""The gateway: envelopes, annotations, pages, errors, roles, and every cmdlet."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.providers.simulated.client import COMPLIANCE, GRAPH, Client, error
from workflow.providers.simulated.scenario import NAMED, App

CALM = NAMED["calm"]


def test_the_envelope() -> None:
    """Context, warnings and rows stand where a tenant puts them, with types beside values."""
    reply = Client().cmdlet("Get-BlockedSenderAddress")
    body = json.loads(reply.body)

    assert ["@odata.context", "adminapi.warnings@odata.type", "@adminapi.warnings", "value"] == list(body)
    assert body["@odata.context"].endswith("$metadata#Collection(Exchange.GenericHashTable)")
    assert "#DateTimeOffset" == body["value"][0]["CreatedDatetime@odata.type"]
    assert "30000" == reply.headers["Rate-Limit-Limit"]
    assert reply.headers["request-id"]


def test_nobody_of_that_name_is_an_empty_list() -> None:
    """A sender that is not restricted is no error."""
    assert [] == Client().rows("Get-BlockedSenderAddress", SenderAddress="nobody@contoso.example")


@pytest.mark.parametrize(
    ("name", "parameters", "text"),
    [
        (
            "Remove-BlockedSenderAddress",
            {"SenderAddress": "a@b.example", "Confirm": False},
            "Invalid cmdlet parameters specified. Confirm",
        ),
        ("Remove-BlockedSenderAddress", {}, "missing mandatory parameters: SenderAddress"),
        ("Remove-BlockedSenderAddress", {"SenderAddress": ""}, "missing mandatory parameters"),
        ("Get-BlockedConnector", {"ConnectorId": "relay"}, "argument transformation"),
        ("Get-InboxRule", {"Mailbox": "a", "IncludeHidden": "yes"}, "argument transformation"),
        ("Get-Mailbox", {"ResultSize": True}, "argument transformation"),
        ("Search-UnifiedAuditLog", {"StartDate": "soon", "EndDate": "2026-05-01"}, "is not a time"),
        (
            "Search-UnifiedAuditLog",
            {"StartDate": "2026-05-01", "EndDate": "2026-05-02", "ResultSize": 9999},
            "ResultSize",
        ),
        ("Get-MessageTraceV2", {"StartDate": "2026-04-01", "EndDate": "2026-05-01"}, "10 days"),
        (
            "Set-ProtectionAlert",
            {"Identity": "User restricted from sending email", "NotifyUser": ["a"]},
            "can't be modified",
        ),
    ],
)
def test_what_a_cmdlet_refuses(name: str, parameters: dict[str, Any], text: str) -> None:
    """The text is deep inside; what stands on top is generic."""
    reply = Client().cmdlet(name, **parameters)
    found = error(reply)

    assert 400 == reply.status
    assert text in found["details"][0]["message"].split("|")[2]
    assert found["message"] in {"Invalid Operation", "Error executing cmdlet"}
    assert reply.headers["X-ExceptionType"] in found["details"][0]["message"]


def test_what_does_not_exist() -> None:
    """404 with Exchange's own error id."""
    reply = Client().cmdlet("Get-Mailbox", Identity="ghost@contoso.example")

    assert 404 == reply.status
    assert error(reply)["details"][0]["message"].startswith("Ex6F9304|")


@pytest.mark.parametrize("body", [b"", b"[]", b"{", {"CmdletInput": 7}, {"CmdletInput": {"CmdletName": 7}}])
def test_a_body_that_names_no_cmdlet(body: Any) -> None:
    """It is answered like an unknown cmdlet: NUL bytes that claim to be gzip."""
    client = Client()
    token = client.simulator.doorkeeper.token("a", "outlook.office365.com")
    path = f"/adminapi/beta/{client.tenant.id}/InvokeCommand"
    reply = client.ask("POST", path, body, {"authorization": f"Bearer {token}", "x-anchormailbox": "x"})

    assert (403, b"\0" * len(reply.body), "gzip") == (reply.status, reply.body, reply.headers["Content-Encoding"])


@pytest.mark.parametrize("body", [{"Extra": 1}, {"CmdletInput": {"CmdletName": "Get-Mailbox", "Parameters": None}}])
def test_a_body_of_another_shape(body: dict[str, Any]) -> None:
    """Parameters are an object, never null, and nothing else stands beside them."""
    client = Client()
    token = client.simulator.doorkeeper.token("a", "outlook.office365.com")
    whole = {"CmdletInput": {"CmdletName": "Get-Mailbox", "Parameters": {}}, **body}
    path = f"/adminapi/beta/{client.tenant.id}/InvokeCommand"
    reply = client.ask("POST", path, whole, {"authorization": f"Bearer {token}", "x-anchormailbox": "x"})

    assert (400, "Invalid Operation") == (reply.status, error(reply)["message"])


def test_an_anchor_is_needed() -> None:
    """Without it a call would be routed to any backend."""
    reply = Client().cmdlet("Get-Mailbox", headers={"x-anchormailbox": ""})

    assert "X-AnchorMailbox" in error(reply)["details"][0]["message"]


def test_other_addresses() -> None:
    """v1.0 of the gateway answers 405, and the module's file says where the region is."""
    client = Client()

    assert 405 == client.ask("POST", f"/adminapi/v1.0/{client.tenant.id}/InvokeCommand").status
    assert 405 == client.ask("GET", f"/adminapi/beta/{client.tenant.id}/InvokeCommand").status
    moved = client.ask("GET", f"/AdminApi/v1.0/{client.tenant.id}/EXOModuleFile")
    assert (302, True) == (moved.status, moved.headers["Location"].startswith("http://localhost:"))
    assert 404 == client.ask("GET", "/elsewhere").status


def test_pages() -> None:
    """A long list comes in pages, continued by sending the same body to the link; half an hour later no more."""
    client = Client(replace(CALM, users=40, restricted=30))
    first = json.loads(client.cmdlet("Get-BlockedSenderAddress", headers={"prefer": "odata.maxpagesize=20"}).body)
    path, _, query = first["@odata.nextLink"].partition("8365")[2].partition("?")
    token = query.partition("skiptoken=")[2]
    headers = {
        "authorization": f"Bearer {client.simulator.doorkeeper.token('a', 'outlook.office365.com')}",
        "x-anchormailbox": "x",
    }
    body = {"CmdletInput": {"CmdletName": "Get-BlockedSenderAddress", "Parameters": {}}}
    second = json.loads(client.ask("POST", path, body, headers, **{"$skiptoken": token}).body)

    assert (20, 10) == (len(first["value"]), len(second["value"]))
    assert 30 == len({row["SenderAddress"] for row in first["value"] + second["value"]})
    client.advance(minutes=31)
    late = client.ask("POST", path, body, headers, **{"$skiptoken": token})
    assert "Expired or Invalid pagination request" in error(late)["details"][0]["message"]


def test_only_so_many_pages_are_kept() -> None:
    """Whoever never follows pages does not fill the memory."""
    client = Client(replace(CALM, users=4, restricted=3))
    for _ in range(210):
        client.cmdlet("Get-BlockedSenderAddress", headers={"prefer": "odata.maxpagesize=1"})

    assert 200 == len(client.simulator.gateway._pages)


def test_select() -> None:
    """Only what was asked for comes, with its annotations, on every page."""
    client = Client()
    token = client.simulator.doorkeeper.token("a", "outlook.office365.com")
    path = f"/adminapi/beta/{client.tenant.id}/InvokeCommand"
    headers = {"authorization": f"Bearer {token}", "x-anchormailbox": "x", "prefer": "odata.maxpagesize=2"}
    body = {"CmdletInput": {"CmdletName": "Get-BlockedSenderAddress", "Parameters": {}}}
    found = json.loads(client.ask("POST", path, body, headers, **{"$select": "SenderAddress,CreatedDatetime"}).body)

    assert {"SenderAddress", "CreatedDatetime"} == {name.partition("@")[0] for name in found["value"][0]}
    assert "%24select=SenderAddress" in found["@odata.nextLink"]


@pytest.mark.parametrize(
    ("app", "name", "status"),
    [
        (App(exchange=False), "Get-BlockedSenderAddress", 401),
        (App(roles=()), "Get-BlockedSenderAddress", 403),
        (App(roles=("Global Reader",)), "Get-BlockedSenderAddress", 200),
        (App(roles=("Global Reader",)), "Get-InboxRule", 403),
        (App(roles=("Global Reader",)), "Remove-BlockedSenderAddress", 403),
        (App(roles=("Exchange Administrator",)), "Get-BlockedSenderAddress", 200),
    ],
)
def test_roles(app: App, name: str, status: int) -> None:
    """No app role is 401, no fitting directory role 403, and a reader does not see inbox rules."""
    assert status == Client(replace(CALM, apps={"app-1": app})).cmdlet(name).status


def test_tokens_of_others() -> None:
    """A Graph token, no token, and an application that is not registered open nothing."""
    client = Client(replace(CALM, apps={"another": App()}))

    assert 401 == Client().cmdlet("Get-Mailbox", audience=GRAPH).status
    assert 401 == Client().cmdlet("Get-Mailbox", headers={"authorization": ""}).status
    assert 401 == client.cmdlet("Get-BlockedSenderAddress").status
    path = "/adminapi/beta/00000000-0000-4000-8000-000000000000/InvokeCommand"
    token = client.simulator.doorkeeper.token("another", "outlook.office365.com")
    body = {"CmdletInput": {"CmdletName": "Get-Mailbox", "Parameters": {}}}
    assert 401 == client.ask("POST", path, body, {"authorization": f"Bearer {token}"}).status


def test_compliance_lies_about_auditing() -> None:
    """Over Security & Compliance auditing always reads off; it answers few cmdlets."""
    client = Client()

    assert client.rows("Get-AdminAuditLogConfig")[0]["UnifiedAuditLogIngestionEnabled"]
    assert not client.rows("Get-AdminAuditLogConfig", audience=COMPLIANCE)[0]["UnifiedAuditLogIngestionEnabled"]
    assert 403 == client.cmdlet("Get-Mailbox", audience=COMPLIANCE).status
    assert not client.rows("Get-OrganizationConfig")[0]["AuditDisabled"]


def test_alert_policies() -> None:
    """A name that does not exist gives all of them; in GCC High only Security & Compliance answers."""
    client, strict = Client(), Client(NAMED["gcc-high"])

    assert 1 == len(client.rows("Get-ProtectionAlert", Identity="User restricted from sending email"))
    assert 9 == len(client.rows("Get-ProtectionAlert", Identity="No such policy"))
    assert 403 == strict.cmdlet("Get-ProtectionAlert").status
    assert 9 == len(strict.rows("Get-ProtectionAlert", audience=COMPLIANCE))
    assert Client(NAMED["unsafe"]).rows("Get-ProtectionAlert")[0]["Disabled"]


def test_mailboxes() -> None:
    """One by any of its names, all with ResultSize, a thousand and a warning without."""
    client = Client(replace(CALM, users=1002, restricted=0))
    account = client.tenant.accounts[7]

    assert account.upn != account.mailbox.address
    for name in (account.upn, account.mailbox.address, account.id, account.alias):
        assert account.upn == client.rows("Get-Mailbox", Identity=name)[0]["UserPrincipalName"]
    assert 1000 == len(client.rows("Get-Mailbox"))
    assert json.loads(client.cmdlet("Get-Mailbox").body)["@adminapi.warnings"]
    assert [] == json.loads(client.cmdlet("Get-Mailbox", ResultSize="Unlimited").body)["@adminapi.warnings"]


def test_forwarding() -> None:
    """It is set, read with Exchange's prefix, and cleared by null."""
    client = Client()
    account = client.tenant.accounts[20]
    client.cmdlet(
        "Set-Mailbox",
        Identity=account.upn,
        ForwardingSmtpAddress="smtp:x@evil.example",
        DeliverToMailboxAndForward=True,
    )

    row = client.rows("Get-Mailbox", Identity=account.upn)[0]
    assert ("smtp:x@evil.example", True, None) == tuple(
        row[name] for name in ("ForwardingSmtpAddress", "DeliverToMailboxAndForward", "ForwardingAddress")
    )
    client.cmdlet("Set-Mailbox", Identity=account.upn, ForwardingSmtpAddress=None, ForwardingAddress="admin")
    row = client.rows("Get-Mailbox", Identity=account.upn)[0]
    assert (None, "admin") == (row["ForwardingSmtpAddress"], row["ForwardingAddress"])
    unchanged = client.cmdlet("Set-Mailbox", Identity=account.upn)
    assert "no settings" in unchanged.headers["X-Warnings"]


def test_rights() -> None:
    """Full access, send as and on behalf are given, read and taken; twice is a warning."""
    client = Client()
    account, other = client.tenant.accounts[20], client.tenant.accounts[21]
    box: dict[str, Any] = {"Identity": account.upn}
    client.cmdlet("Add-MailboxPermission", **box, User=other.upn, AccessRights=["FullAccess"])
    client.cmdlet("Add-RecipientPermission", **box, Trustee=other.upn, AccessRights=["SendAs"])
    change = {"@odata.type": "#Exchange.GenericHashTable", "add": [other.alias]}
    client.cmdlet("Set-Mailbox", **box, GrantSendOnBehalfTo=change)

    assert other.upn in [row["User"] for row in client.rows("Get-MailboxPermission", **box)]
    assert other.upn in [row["Trustee"] for row in client.rows("Get-RecipientPermission", **box)]
    assert [other.alias] == client.rows("Get-Mailbox", **box)[0]["GrantSendOnBehalfTo"]
    twice = client.cmdlet("Add-MailboxPermission", **box, User=other.upn, AccessRights=["FullAccess"])
    assert "already has" in twice.headers["X-Warnings"]
    client.cmdlet("Remove-MailboxPermission", **box, User=other.upn, AccessRights=["FullAccess"], Confirm=False)
    client.cmdlet("Remove-RecipientPermission", **box, Trustee=other.upn, AccessRights=["SendAs"], Confirm=False)
    client.cmdlet("Set-Mailbox", **box, GrantSendOnBehalfTo={"remove": other.upn})
    assert ([], [], []) == (account.mailbox.full_access, account.mailbox.send_as, account.mailbox.on_behalf)
    client.cmdlet("Set-Mailbox", **box, GrantSendOnBehalfTo=[other.upn])
    client.cmdlet("Set-Mailbox", **box, GrantSendOnBehalfTo=None)
    assert [] == account.mailbox.on_behalf
    assert 404 == client.cmdlet("Add-MailboxPermission", **box, User="ghost", AccessRights=["FullAccess"]).status


def test_inbox_rules() -> None:
    """Hidden ones only when asked for; an identity that fits none gives all."""
    client = Client()
    account = client.tenant.accounts[30]
    client.control("POST", "attacker", {"user": account.upn, "moves": ["rule", "hidden-rule"]})
    shown = client.rows("Get-InboxRule", Mailbox=account.upn)
    everything = client.rows("Get-InboxRule", Mailbox=account.upn, IncludeHidden=True)

    assert {"Junk E-mail Rule", ""} == {row["Name"] for row in everything} - {row["Name"] for row in shown}
    assert '"collector" [SMTP:collector@attacker.example]' == shown[-1]["ForwardTo"][0]
    assert 1 == len(client.rows("Get-InboxRule", Mailbox=account.upn, Identity=shown[-1]["Identity"]))
    assert len(shown) == len(client.rows("Get-InboxRule", Mailbox=account.upn, Identity="none of these"))


def test_switching_rules() -> None:
    """By identity, with or without the mailbox; those of the system stay as they are."""
    client = Client()
    account = client.tenant.accounts[30]
    client.control("POST", "attacker", {"user": account.upn, "moves": ["rule"]})
    rows = client.rows("Get-InboxRule", Mailbox=account.upn, IncludeHidden=True)
    rule, junk = rows[-1], rows[0]

    assert 200 == client.cmdlet("Disable-InboxRule", Identity=rule["Identity"], Confirm=False).status
    assert [False] == [account.mailbox.rules[-1].enabled]
    assert 200 == client.cmdlet("Enable-InboxRule", Identity=rule["RuleIdentity"], Mailbox=account.upn).status
    assert [True] == [account.mailbox.rules[-1].enabled]
    assert 400 == client.cmdlet("Disable-InboxRule", Identity=junk["Identity"]).status
    assert 404 == client.cmdlet("Disable-InboxRule", Identity="ghost\\1").status
    assert 404 == client.cmdlet("Disable-InboxRule", Identity="1", Mailbox=account.upn).status


def test_the_audit_log_by_cmdlet() -> None:
    """Records carry their data as a text of JSON; a session goes on where it was left."""
    client = Client()
    client.advance(hours=1)
    search: dict[str, Any] = {"StartDate": "2026-04-20", "EndDate": "2026-05-02", "RecordType": "HygieneEvent"}
    rows = client.rows("Search-UnifiedAuditLog", **search, Operations=["HygieneTenantEvents"])
    one = client.rows("Search-UnifiedAuditLog", **search, SessionId="s", SessionCommand="ReturnLargeSet", ResultSize=7)
    two = client.rows("Search-UnifiedAuditLog", **search, SessionId="s", SessionCommand="ReturnLargeSet", ResultSize=7)

    assert 12 == len(rows)
    assert "Listed" == json.loads(rows[0]["AuditData"])["Event"]
    assert (7, 5) == (len(one), len(two))
    user = json.loads(rows[0]["AuditData"])["UserId"]
    assert {user} == {row["UserIds"] for row in client.rows("Search-UnifiedAuditLog", **search, UserIds=user)}
    assert [] == client.rows(
        "Search-UnifiedAuditLog", **{**search, "RecordType": "ExchangeItem"}, Operations="New-InboxRule"
    )


def test_message_trace() -> None:
    """The newest first, by sender or recipient, as many as asked for."""
    client = Client()
    account = client.victim()
    rows = client.rows(
        "Get-MessageTraceV2", SenderAddress=account.mailbox.address, StartDate="2026-04-25", EndDate="2026-05-02"
    )

    assert rows
    assert {account.mailbox.address} == {row["SenderAddress"] for row in rows}
    assert sorted((row["Received"] for row in rows), reverse=True) == [row["Received"] for row in rows]
    assert 1 == len(client.rows("Get-MessageTraceV2", StartDate="2026-04-25", EndDate="2026-05-02", ResultSize=1))
    to = rows[0]["RecipientAddress"]
    found = client.rows("Get-MessageTraceV2", RecipientAddress=[to], StartDate="2026-04-25", EndDate="2026-05-02")
    assert {to} == {row["RecipientAddress"] for row in found}


def test_the_outbound_policy() -> None:
    """The default restricts for today."""
    assert "BlockUserForToday" == Client().rows("Get-HostedOutboundSpamFilterPolicy")[0]["ActionWhenThresholdReached"]
