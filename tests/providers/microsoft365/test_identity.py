"""Accounts, methods, consents, roles, sign-ins and logs, through Graph."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from tests.providers.microsoft365.scripted import ADA, NOW, Scripted, done, no, one, rows
from workflow.errors import (
    NotReadableError,
    OutcomeUnknownError,
    ProviderBusyError,
    ProviderError,
    ProviderRefusedError,
)
from workflow.providers.shapes import AuditEvent, Consent, RoleAssignment, SignIn, SignInMethod, User

SINCE = datetime(2026, 4, 30, tzinfo=UTC)
UNTIL = datetime(2026, 5, 1, tzinfo=UTC)
GRAPH = "https://graph.microsoft.com/v1.0"
ACCOUNT = {"id": ADA, "userPrincipalName": "ada@contoso.example", "accountEnabled": True}


def account(**more: Any) -> httpx2.Response:
    """Return an account."""
    return one(**ACCOUNT | more)


def test_an_account_is_read() -> None:
    """With every property that matters selected."""
    script = Scripted(
        account(
            lastPasswordChangeDateTime="2026-05-01T08:00:00Z",
            signInSessionsValidFromDateTime="0001-01-01T00:00:00Z",
            onPremisesSyncEnabled=True,
            userType="Guest",
        )
    )
    changed_at = datetime(2026, 5, 1, 8, tzinfo=UTC)

    found = script.tenant().user("ada@contoso.example")
    assert found.value == User(
        id=ADA, name="ada@contoso.example", enabled=True, password_changed_at=changed_at, synced=True, guest=True
    )
    assert ("GET /users/{id}", "req-1") == (found.read.call, found.read.request)
    assert "$select=id,userPrincipalName,accountEnabled,lastPasswordChangeDateTime" in script.lines[0]


def test_names_of_guests_and_of_tricksters() -> None:
    """``#`` and everything that ends a path's segment is encoded."""
    script = Scripted(account(), account())
    for name in ("bob_x.example#EXT#@contoso.example", "a/../b?c=d&e"):
        script.tenant().user(name)

    paths = [line.split(" ")[1].split("?")[0] for line in script.lines]
    assert ["/v1.0/users/bob_x.example%23EXT%23@contoso.example", "/v1.0/users/a%2F..%2Fb%3Fc%3Dd%26e"] == paths
    with pytest.raises(ProviderRefusedError):
        Scripted().tenant().user("..")


@pytest.mark.parametrize("missing", ["id", "accountEnabled"])
def test_an_account_that_says_too_little(missing: str) -> None:
    """Whether somebody may sign in is never assumed."""
    with pytest.raises(ProviderError, match="does not say"):
        Scripted(one(**{name: value for name, value in ACCOUNT.items() if name != missing})).tenant().user(ADA)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (no(404, "Request_ResourceNotFound", "Resource 'x' does not exist"), "does not exist"),
        (no(403, "Authorization_RequestDenied", "Insufficient privileges"), r"It takes User\.Read\.All"),
        (no(403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant", "…"), "no licence"),
        (httpx2.Response(400), "status 400"),
    ],
)
def test_what_cannot_be_read(answer: httpx2.Response, said: str) -> None:
    """It is said why, and with which permission it could be."""
    with pytest.raises(NotReadableError, match=said):
        Scripted(answer).tenant().user(ADA)


def test_sign_in_is_blocked_and_allowed() -> None:
    """By the one property."""
    script = Scripted(done(), done())
    for enabled in (False, True):
        script.tenant().set_enabled(ADA, enabled=enabled)

    assert [{"accountEnabled": False}, {"accountEnabled": True}] == [json.loads(item.content) for item in script.sent]


def test_a_password_is_handed_over_once() -> None:
    """It is random, must be changed, and shows in nothing but the value itself."""
    script = Scripted(account(), done(), account(), done())
    first, second = (script.tenant().reset_password(ADA) for _ in range(2))
    body = json.loads(script.sent[1].content)

    assert {"passwordProfile": {"password": first.value.text, "forceChangePasswordNextSignIn": True}} == body
    assert first.value.text != second.value.text
    assert first.value.text not in repr(first)


def test_a_password_that_is_refused_is_not_shown() -> None:
    """Not even where the service repeats it."""
    script = Scripted(account())

    def echo(request: httpx2.Request) -> httpx2.Response:
        if request.method != "PATCH":
            return Scripted.__call__(script, request)
        script.sent.append(request)
        return no(400, "Request_BadRequest", f'not complex: {{"password":"{json.loads(request.content)}"}}')

    tenant = script.tenant()
    tenant.wire._client._transport = httpx2.MockTransport(echo)
    with pytest.raises(ProviderRefusedError, match="not complex") as caught:
        tenant.reset_password(ADA)
    assert json.loads(script.sent[-1].content)["passwordProfile"]["password"] not in str(caught.value)


def test_a_password_is_never_set_twice() -> None:
    """Turned away or without an answer, it is not tried again; a synchronised account is not touched."""
    with pytest.raises(ProviderBusyError):
        Scripted(account(), httpx2.Response(429)).tenant().reset_password(ADA)
    with pytest.raises(OutcomeUnknownError):
        Scripted(account(), httpx2.ReadTimeout("slow")).tenant().reset_password(ADA)
    with pytest.raises(ProviderRefusedError, match="directory of your own"):
        Scripted(account(onPremisesSyncEnabled=True)).tenant().reset_password(ADA)


@pytest.mark.parametrize("answer", [one(value=True), done(), done(202)])
def test_sessions_are_revoked(answer: httpx2.Response) -> None:
    """Any answer that is no refusal will do."""
    script = Scripted(answer)

    assert "req-1" == script.tenant().revoke_sessions(ADA).read.request
    assert [f"POST /v1.0/users/{ADA}/revokeSignInSessions"] == script.lines


@pytest.mark.parametrize("answer", [one(value=False), done(200)])
def test_sessions_that_may_not_be_revoked(answer: httpx2.Response) -> None:
    """An answer that does not say *done* leaves it open: reading the account decides, and it is not called again."""
    script = Scripted(answer)

    with pytest.raises(OutcomeUnknownError, match="Read the"):
        script.tenant().revoke_sessions(ADA)
    assert 1 == len(script.sent)


def test_methods_are_listed_and_removed() -> None:
    """Kinds are Microsoft's own names; what Graph cannot remove is marked, and one that is gone is done."""
    script = Scripted(
        rows(
            {"@odata.type": "#microsoft.graph.passwordAuthenticationMethod", "id": "p"},
            {"@odata.type": "#microsoft.graph.fido2AuthenticationMethod", "id": "f/1", "displayName": "key"},
            {"@odata.type": "#microsoft.graph.phoneAuthenticationMethod", "id": "t", "phoneNumber": "+43 1"},
            {"id": "?"},
        ),
        done(),
        no(404),
        httpx2.Response(404, text="<html>not here</html>"),
    )
    tenant = script.tenant()
    password, key, phone, unknown = tenant.sign_in_methods(ADA).value

    assert SignInMethod(id="f/1", kind="fido2", name="key") == key
    assert SignInMethod(id="t", kind="phone", name="+43 1") == phone
    assert [("password", False), ("unknown", False)] == [(item.kind, item.removable) for item in (password, unknown)]
    tenant.remove_method(ADA, key)
    tenant.remove_method(ADA, phone)
    with pytest.raises(ProviderRefusedError, match="404"):
        tenant.remove_method(ADA, key)
    with pytest.raises(ProviderRefusedError, match="password"):
        tenant.remove_method(ADA, password)
    assert [f"DELETE /v1.0/users/{ADA}/authentication/fido2Methods/f%2F1"] == script.lines[1:2]


def test_methods_without_an_id_are_an_error() -> None:
    """One that cannot be named could never be removed."""
    with pytest.raises(ProviderError, match="without id"):
        Scripted(rows({"@odata.type": "#microsoft.graph.fido2AuthenticationMethod"})).tenant().sign_in_methods(ADA)


def test_consents_are_listed_and_removed() -> None:
    """Delegated grants and application roles, each removed where it lives."""
    script = Scripted(
        rows({"id": "g1", "clientId": "app", "scope": "Mail.Read offline_access"}),
        rows(
            {"id": "r1", "resourceDisplayName": "Tool", "appRoleId": "role", "createdDateTime": "2026-05-01T00:00:00Z"}
        ),
        done(),
        done(),
    )
    tenant = script.tenant()
    found = tenant.consents(ADA).value

    assert (
        Consent(id="g1", app="app", kind="delegated", scopes=("Mail.Read", "offline_access")),
        Consent(id="r1", app="Tool", kind="app-role", scopes=("role",), created_at=UNTIL),
    ) == found
    for consent in found:
        tenant.remove_consent(ADA, consent)
    assert [
        "DELETE /v1.0/oauth2PermissionGrants/g1",
        f"DELETE /v1.0/users/{ADA}/appRoleAssignments/r1",
    ] == script.lines[2:]


def test_roles_are_listed_taken_and_given_back() -> None:
    """One that comes through a group has no assignment of the person's own."""
    script = Scripted(
        account(),
        rows({"id": "a1", "roleDefinitionId": "tpl-1", "roleDefinition": {"displayName": "User Administrator"}}),
        rows(
            {"@odata.type": "#microsoft.graph.directoryRole", "id": "x", "roleTemplateId": "tpl-1"},
            {"@odata.type": "#microsoft.graph.directoryRole", "roleTemplateId": "tpl-2", "displayName": "Reader"},
            {"@odata.type": "#microsoft.graph.group", "id": "g"},
        ),
        done(),
        one(id="a2"),
    )
    tenant = script.tenant()
    own, through = tenant.roles("ada@contoso.example").value

    assert RoleAssignment(id="a1", role="tpl-1", name="User Administrator") == own
    assert RoleAssignment(id="", role="tpl-2", name="Reader") == through
    tenant.remove_role(ADA, own)
    tenant.add_role(ADA, own)
    with pytest.raises(ProviderRefusedError, match="group"):
        tenant.remove_role(ADA, through)
    assert {"principalId": ADA, "roleDefinitionId": "tpl-1", "directoryScopeId": "/"} == json.loads(
        script.sent[-1].content
    )


def test_sign_ins_are_listed() -> None:
    """The newest first, page after page, by the account's id."""
    signed = {
        "id": "s1",
        "createdDateTime": "2026-05-01T07:00:00Z",
        "appDisplayName": "Outlook",
        "ipAddress": "203.0.113.7",
        "location": {"countryOrRegion": "AT"},
        "status": {"errorCode": 50126},
    }
    following = "https://graph.microsoft.com/v1.0/auditLogs/signIns?$skiptoken=2"
    script = Scripted(
        account(),
        rows(signed, following=following),
        rows({"id": "s2", "createdDateTime": "2026-05-01T08:00:00Z"}),
    )

    assert (
        SignIn(id="s2", at=datetime(2026, 5, 1, 8, tzinfo=UTC)),
        SignIn(
            id="s1",
            at=datetime(2026, 5, 1, 7, tzinfo=UTC),
            app="Outlook",
            address="203.0.113.7",
            country="AT",
            error=50126,
        ),
    ) == script.tenant().sign_ins("ada@contoso.example", SINCE).value
    with pytest.raises(ProviderError, match="without a time"):
        Scripted(rows({"id": "s1"})).tenant().sign_ins(ADA, SINCE)


@pytest.mark.parametrize(
    "place", ["https://evil.example/x", "https://[", "https://x\x00", f"{GRAPH}/\ud800", f"{GRAPH}\ud800/"]
)
def test_the_next_page_is_graphs(place: str) -> None:
    """An answer cannot send the token elsewhere."""
    with pytest.raises(ProviderError, match="not the service"):
        Scripted(page_before(place)).tenant().sign_in_methods(ADA)


def page_before(place: str) -> httpx2.Response:
    """Return a page that says where the next one is, whatever letters that has."""
    return httpx2.Response(200, content=json.dumps({"value": [], "@odata.nextLink": place}))


def test_names_that_no_call_can_carry() -> None:
    """The tenant's own ids are read before they are sent."""
    role = RoleAssignment(id="a", role="x\ud800", scope="/")
    with pytest.raises(ProviderError, match="cannot be sent"):
        Scripted().tenant().add_role(ADA, role)
    answer = httpx2.Response(200, content=json.dumps(ACCOUNT | {"id": "\ud800"}))
    with pytest.raises(ProviderRefusedError, match="no name"):
        Scripted(answer).tenant().sign_ins("ada", SINCE)


def test_collections_end_and_are_collections(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither an object nor a list without end is taken for a list."""
    monkeypatch.setattr("workflow.providers.microsoft365.pages._MOST", 2)
    page = rows(following=f"https://graph.microsoft.com/v1.0/users/{ADA}/authentication/methods")

    with pytest.raises(ProviderError, match="does not end"):
        Scripted(page, page).tenant().sign_in_methods(ADA)
    with pytest.raises(ProviderError, match="no list"):
        Scripted(one(id="x")).tenant().sign_in_methods(ADA)


RECORD = {
    "id": "u1",
    "createdDateTime": "2026-04-30T10:02:11Z",
    "operation": "HygieneTenantEvents",
    "userPrincipalName": "ada@contoso.example",
    "auditData": {
        "@odata.type": "#x",
        "Event": "Delisted",
        "EventValue": "ada@contoso.example",
        "ExternalAccess": False,
        "Parameters": [{"Name": "Reason", "Value": "case 1"}, {"Name": "Empty", "Value": None}],
        "Deep": {"x": 1},
    },
}


def test_the_audit_log_is_searched() -> None:
    """A search is begun, looked at until it ends, and its records are read."""
    script = Scripted(one(id="q1", status="notStarted"), one(status="running"), one(status="succeeded"), rows(RECORD))
    found = list(script.tenant().audit_log(("HygieneTenantEvents",), SINCE, UNTIL))

    assert [
        AuditEvent(
            id="u1",
            at=datetime(2026, 4, 30, 10, 2, 11, tzinfo=UTC),
            operation="HygieneTenantEvents",
            actor="ada@contoso.example",
            target="ada@contoso.example",
            details=(
                ("Event", "Delisted"),
                ("EventValue", "ada@contoso.example"),
                ("ExternalAccess", "false"),
                ("Reason", "case 1"),
                ("Empty", ""),
            ),
        )
    ] == found
    assert [10.0, 10.0] == script.time.waited
    assert [] == list(script.tenant().audit_log((), SINCE, UNTIL))
    assert "2026-04-30T00:00:00Z" == json.loads(script.sent[0].content)["filterStartDateTime"]


def test_a_search_that_does_not_end_well() -> None:
    """Failed is not readable, slow is busy, nameless is an error."""
    with pytest.raises(NotReadableError, match="failed"):
        list(Scripted(one(id="q1", status="failed")).tenant().audit_log(("A",), SINCE, UNTIL))
    with pytest.raises(NotReadableError, match="nothing"):
        list(Scripted(one(id="q1"), *[one(x=1)] * 60).tenant().audit_log(("A",), SINCE, UNTIL))
    slow = [one(status="running")] * 60
    with pytest.raises(ProviderBusyError):
        list(Scripted(one(id="q1", status="running"), *slow).tenant().audit_log(("A",), SINCE, UNTIL))
    with pytest.raises(ProviderError, match="does not name"):
        list(Scripted(one(status="running")).tenant().audit_log(("A",), SINCE, UNTIL))
    with pytest.raises(NotReadableError, match=r"AuditLogsQuery-Exchange\.Read\.All"):
        list(Scripted(no(403, "x", "y")).tenant().audit_log(("A",), SINCE, UNTIL))


SLOW = [one(id="q1", status="running"), *[one(status="running")] * 60]
AGAIN = [one(id="q2", status="succeeded"), rows()]


@pytest.mark.parametrize(
    ("answers", "later", "found"),
    [
        # The same is asked again: it goes on, and once it was read another one is begun.
        ([one(status="succeeded"), rows(RECORD), *AGAIN], [0, 0], [["u1"], []]),
        # Something else is asked.
        (AGAIN, [1], [[]]),
        # It ended badly, or is gone: another one is begun by the next look.
        ([one(status="failed"), *AGAIN], [0, 0], [None, []]),
        ([no(404), *AGAIN], [0, 0], [None, []]),
    ],
)
def test_a_search_that_takes_long_is_not_begun_anew(
    answers: list[httpx2.Response], later: list[int], found: list[list[str] | None]
) -> None:
    """Whoever asks for the same stretch again is told what came of it."""
    script = Scripted(*SLOW, *answers)
    tenant = script.tenant()
    with pytest.raises(ProviderBusyError):
        list(tenant.audit_log(("A",), SINCE, UNTIL))
    for hours, ids in zip(later, found, strict=True):
        events = tenant.audit_log(("A",), SINCE, UNTIL + timedelta(hours=hours))
        if ids is None:
            with pytest.raises(NotReadableError):
                list(events)
        else:
            assert ids == [event.id for event in events]

    assert not script.answers
    assert 2 == sum(line.startswith("POST") for line in script.lines)


@pytest.mark.parametrize("row", [{"id": "u1"}, {"createdDateTime": "2026-04-30T10:02:11Z"}])
def test_a_record_without_id_or_time_is_an_error(row: dict[str, Any]) -> None:
    """It could be counted twice, or never."""
    with pytest.raises(ProviderError, match="without"):
        list(Scripted(one(id="q", status="succeeded"), rows(row)).tenant().audit_log(("A",), SINCE, UNTIL))


def test_the_directorys_own_log() -> None:
    """Who did what to whom, a person or an application."""
    row = {
        "id": "d1",
        "activityDateTime": "2026-04-30T08:00:00Z",
        "activityDisplayName": "Reset user password",
        "result": "success",
        "initiatedBy": {"user": {"userPrincipalName": "help@contoso.example"}},
        "targetResources": [
            {
                "userPrincipalName": "ada@contoso.example",
                "modifiedProperties": [{"displayName": "Force", "newValue": "true"}, {"displayName": "Gone"}],
            }
        ],
    }
    app = {"id": "d2", "activityDateTime": "2026-04-30T08:00:00Z", "initiatedBy": {"app": {"displayName": "Holdfast"}}}
    script = Scripted(account(), rows(row, app))
    first, second = script.tenant().directory_audit("ada@contoso.example", SINCE).value

    assert ("Reset user password", "help@contoso.example", "ada@contoso.example") == (
        first.operation,
        first.actor,
        first.target,
    )
    assert (("result", "success"), ("Force", "true")) == first.details
    assert ("Holdfast", "") == (second.actor, second.target)


def test_a_message_trace_is_asked_for_in_pieces() -> None:
    """Ten days a call and 90 in all, by both addresses, page after page; what two calls answer is one message."""
    edge = {"id": "m1", "receivedDateTime": "2026-04-21T09:00:00Z", "recipientAddress": "x@evil.example"}
    other = {"id": "m2", "receivedDateTime": "2026-04-30T10:00:00Z", "senderAddress": "ada.l@contoso.example"}
    more = "https://graph.microsoft.com/v1.0/admin/exchange/tracing/messageTraces?$skiptoken=x"
    answers = [rows(edge), rows(edge, following=more), rows(other), rows(), rows()]
    script = Scripted(account(mail="ada.l@contoso.example"), *answers)
    found = script.tenant().message_trace("ada@contoso.example", NOW - timedelta(days=20)).value

    assert [("m2", ""), ("m1", "x@evil.example")] == [(item.id, item.recipient) for item in found]
    assert not script.answers
    asked = [request.url.params.get("$filter", "") for request in script.sent[1:]]
    by, other_by = "senderAddress eq 'ada@contoso.example'", "senderAddress eq 'ada.l@contoso.example'"
    times = [f"receivedDateTime ge 2026-04-{day}T09:00:00Z and receivedDateTime le " for day in (11, 21)]
    first, second = f"{times[0]}2026-04-21T09:00:00Z", f"{times[1]}2026-05-01T09:00:00Z"
    assert [
        f"{by} and {first}",
        f"{by} and {second}",
        "",
        f"{other_by} and {first}",
        f"{other_by} and {second}",
    ] == asked

    script = Scripted(account(mail="ADA@contoso.example"), *[rows()] * 9)
    assert () == script.tenant().message_trace("ada@contoso.example", NOW - timedelta(days=400)).value
    assert not script.answers
