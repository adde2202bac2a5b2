"""Graph: what it answers, whom it refuses, and what its calls change."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.providers.simulated.client import EXCHANGE, Client, error
from workflow.providers.simulated.people import ROLES
from workflow.providers.simulated.scenario import NAMED, App

CALM = NAMED["calm"]
STATE = "id,accountEnabled,lastPasswordChangeDateTime,onPremisesSyncEnabled,signInSessionsValidFromDateTime,userType"
GOOD: dict[str, Any] = {"password": "Long-and-1-good", "forceChangePasswordNextSignIn": True}


def test_a_user_without_select() -> None:
    """What matters comes only when it is asked for."""
    client = Client()
    account = client.victim()

    assert "accountEnabled" not in client.got(f"/users/{account.upn}")
    found = client.got(f"/users/{account.upn}", select=STATE)
    assert (account.id, True, None, "Member") == tuple(
        found[name] for name in ("id", "accountEnabled", "onPremisesSyncEnabled", "userType")
    )


def test_users_in_pages() -> None:
    """A list is followed to its end; filters and sizes are checked."""
    client = Client()
    first = client.got("/users", top="20", select="userPrincipalName")
    seen = list(first["value"])
    while "@odata.nextLink" in first:
        token = first["@odata.nextLink"].partition("skiptoken=")[2]
        first = client.got("/users", top="20", select="userPrincipalName", skiptoken=token)
        seen += first["value"]

    assert 50 == len({row["userPrincipalName"] for row in seen})
    upn = client.victim().upn
    assert [client.victim().id] == [
        row["id"] for row in client.got("/users", filter=f"userPrincipalName eq '{upn}'")["value"]
    ]
    for query in (
        {"top": "0"},
        {"top": "x"},
        {"filter": "surname eq 'x'"},
        {"filter": "nonsense"},
        {"skiptoken": "***"},
    ):
        assert 400 == client.graph("GET", "/users", **query).status
    assert 400 == client.graph("GET", f"/users/{upn}", select="shoeSize").status


@pytest.mark.parametrize("password", ["", "short1A", "alllowercaseletters", "x" * 300, None])
def test_a_weak_password(password: str | None) -> None:
    """It is refused and nothing changes."""
    client = Client()
    reply = client.graph("PATCH", f"/users/{client.victim().id}", {"passwordProfile": {"password": password}})

    assert (400, "Request_BadRequest") == (reply.status, error(reply)["code"])
    assert "password complexity" in error(reply)["message"]
    assert 1 == client.victim().password


def test_a_password_reset() -> None:
    """It moves the time of the last change, and no secret stays anywhere in the tenant."""
    client = Client()
    account = client.victim()
    before = client.got(f"/users/{account.id}", select=STATE)["lastPasswordChangeDateTime"]
    reply = client.graph("PATCH", f"/users/{account.id}", {"passwordProfile": GOOD})

    assert (204, b"") == (reply.status, reply.body)
    assert before < client.got(f"/users/{account.id}", select=STATE)["lastPasswordChangeDateTime"]
    assert "password" not in account.foothold
    passwords = client.got(f"/users/{account.id}/authentication/passwordMethods")["value"]
    assert passwords[0]["createdDateTime"] > before
    everything = json.dumps([client.control("GET", path) for path in ("effects", "audit")])
    assert GOOD["password"] not in everything


def test_synchronised_accounts() -> None:
    """Their password is not set here, and their directory takes a block back."""
    client = Client()
    account = client.tenant.accounts[22]

    assert account.synced
    assert 400 == client.graph("PATCH", f"/users/{account.id}", {"passwordProfile": GOOD}).status
    assert 204 == client.graph("PATCH", f"/users/{account.id}", {"accountEnabled": False}).status
    assert [False] == [account.enabled.true]
    client.advance(minutes=31)
    assert [True] == [account.enabled.true]
    client.graph("PATCH", f"/users/{account.id}", {"accountEnabled": True})
    client.advance(minutes=31)
    assert "Directory synchronisation" == [item for item in client.tenant.effects if item.what == "sign-in"][-2].by.name


@pytest.mark.parametrize("body", [{"accountEnabled": "no"}, {"surname": "x"}, b"[]", b"{"])
def test_changes_that_are_not_understood(body: Any) -> None:
    """Unknown members and wrong types are refused."""
    client = Client()

    assert 400 == client.graph("PATCH", f"/users/{client.victim().id}", body).status


def test_administrators_are_protected() -> None:
    """Without a privileged role nobody touches an administrator's password or methods."""
    weak = App(roles=("Exchange Administrator",))
    client = Client(replace(CALM, apps={"app-1": weak}))
    admin = client.tenant.accounts[0]
    method = admin.methods.true[1]

    assert 403 == client.graph("PATCH", f"/users/{admin.id}", {"passwordProfile": GOOD}).status
    assert (
        403
        == client.graph("DELETE", f"/users/{admin.id}/authentication/microsoftAuthenticatorMethods/{method.id}").status
    )
    assert 204 == client.graph("PATCH", f"/users/{client.victim().id}", {"passwordProfile": GOOD}).status


def test_least_privilege() -> None:
    """Each permission opens its own call and no other."""
    client = Client(replace(CALM, apps={"app-1": App(permissions=("User.Read.All", "User.EnableDisableAccount.All"))}))
    account = client.victim()

    assert 200 == client.graph("GET", f"/users/{account.id}").status
    assert 204 == client.graph("PATCH", f"/users/{account.id}", {"accountEnabled": False}).status
    for reply in (
        client.graph("PATCH", f"/users/{account.id}", {"passwordProfile": GOOD}),
        client.graph("POST", f"/users/{account.id}/revokeSignInSessions"),
        client.graph("GET", "/auditLogs/signIns"),
    ):
        assert (403, "Authorization_RequestDenied") == (reply.status, error(reply)["code"])


def test_errors_carry_their_ids() -> None:
    """Date, request id and the client's own id stand inside."""
    client = Client()
    token = client.simulator.doorkeeper.token("a", "graph.microsoft.com")
    reply = client.ask(
        "GET", "/v1.0/users/ghost", None, {"authorization": f"Bearer {token}", "client-request-id": "mine"}
    )

    assert (404, "Request_ResourceNotFound") == (reply.status, error(reply)["code"])
    assert {"date", "request-id", "client-request-id"} == set(error(reply)["innerError"])
    assert ("mine", reply.headers["request-id"]) == (
        error(reply)["innerError"]["client-request-id"], error(reply)["innerError"]["request-id"],
    )  # fmt: skip


def test_tokens_of_others() -> None:
    """An Exchange token, no token and an invented one open nothing."""
    client = Client()
    token = client.simulator.doorkeeper.token("a", EXCHANGE)
    for value in (f"Bearer {token}", "", "Bearer a.b.c", f"Basic {token}"):
        reply = client.ask("GET", "/v1.0/users", None, {"authorization": value})

        assert (401, "InvalidAuthenticationToken") == (reply.status, error(reply)["code"])
    assert 400 == client.graph("GET", "/planets").status


def test_revoking_sessions() -> None:
    """It answers true, moves the time from which sessions count, and may be repeated."""
    client = Client()
    account = client.victim()
    before = client.got(f"/users/{account.id}", select=STATE)["signInSessionsValidFromDateTime"]

    assert json.loads(client.graph("POST", f"/users/{account.id}/revokeSignInSessions").body)["value"]
    assert before < client.got(f"/users/{account.id}", select=STATE)["signInSessionsValidFromDateTime"]
    assert 200 == client.graph("POST", f"/users/{account.id}/revokeSignInSessions").status


def test_reads_lag() -> None:
    """A change shows up late, and it is done all the same."""
    client = Client(replace(CALM, directory_lag=(30.0, 30.0)))
    account = client.victim()
    method = account.methods.true[1]
    client.graph("PATCH", f"/users/{account.id}", {"accountEnabled": False})

    assert client.got(f"/users/{account.id}", select=STATE)["accountEnabled"]
    client.advance(minutes=1)
    assert not client.got(f"/users/{account.id}", select=STATE)["accountEnabled"]
    account.methods.set((account.methods.true[0], method), client.tenant.now(), client.tenant.now())
    path = f"/users/{account.id}/authentication/microsoftAuthenticatorMethods/{method.id}"
    assert [204, 404] == [client.graph("DELETE", path).status for _ in range(2)]
    assert 2 == len(client.got(f"/users/{account.id}/authentication/methods")["value"])


def test_methods() -> None:
    """The default goes last; password and unknown kinds are no methods to remove."""
    client = Client()
    account = next(item for item in client.tenant.accounts[13:] if len(item.methods.true) > 2)
    default, other = account.methods.true[1], account.methods.true[2]
    base = f"/users/{account.id}/authentication"

    assert 400 == client.graph("DELETE", f"{base}/microsoftAuthenticatorMethods/{default.id}").status
    assert 204 == client.graph("DELETE", f"{base}/{other.kind}Methods/{other.id}").status
    for item in account.methods.true[2:]:
        client.graph("DELETE", f"{base}/{item.kind}Methods/{item.id}")
    assert 204 == client.graph("DELETE", f"{base}/microsoftAuthenticatorMethods/{default.id}").status
    assert 404 == client.graph("DELETE", f"{base}/passwordMethods/{account.methods.true[0].id}").status


def test_hybrid_reset_needs_a_person() -> None:
    """An application alone may not; nobody resets their own; the operation is polled."""
    client = Client()
    account, admin = client.victim(), client.tenant.accounts[0]
    path = f"/users/{account.id}/authentication/methods/{account.methods.true[0].id}/resetPassword"

    assert 403 == client.graph("POST", path, {}).status
    assert 400 == client.graph("POST", path, {}, user=account.id).status
    reply = client.graph("POST", path, {}, user=admin.id)
    assert (202, "1") == (reply.status, reply.headers["Retry-After"])
    assert json.loads(reply.body)["newPassword"]
    given = client.graph("POST", path, {"newPassword": "x"}, user=admin.id)
    assert "newPassword" not in json.loads(given.body)
    where = reply.headers["Location"].partition("/v1.0")[2]
    assert "succeeded" == json.loads(client.graph("GET", where, user=admin.id).body)["status"]
    assert admin.upn == client.tenant.effects[-1].by.name


def test_consents() -> None:
    """What an application may do is read, removed, and gone the second time."""
    client = Client()
    account = client.tenant.accounts[30]
    client.control("POST", "attacker", {"user": account.upn, "moves": ["consent"]})
    grant = client.got(f"/users/{account.id}/oauth2PermissionGrants")["value"][0]

    assert account.attacked
    assert "Mail.Send" in grant["scope"]
    assert [204, 404] == [client.graph("DELETE", f"/oauth2PermissionGrants/{grant['id']}").status for _ in range(2)]
    assert not account.attacked


def test_app_roles() -> None:
    """Assignments to applications are a list of their own."""
    client = Client()
    account = client.tenant.accounts[30]
    client.control("POST", "attacker", {"user": account.upn, "moves": ["consent"]})
    account.consents[0].app_role = "00000000-0000-4000-8000-000000000001"
    listed = client.got(f"/users/{account.id}/appRoleAssignments")["value"]

    assert [] == client.got(f"/users/{account.id}/oauth2PermissionGrants")["value"]
    path = f"/users/{account.id}/appRoleAssignments/{listed[0]['id']}"
    assert [204, 404] == [client.graph("DELETE", path).status for _ in range(2)]


def test_roles() -> None:
    """They are read with their names, taken and given back; the same one twice is refused."""
    client = Client()
    account = client.tenant.accounts[23]
    path = "/roleManagement/directory/roleAssignments"
    held = client.got(path, filter=f"principalId eq '{account.id}'", expand="roleDefinition")["value"]

    assert held[0]["roleDefinition"]["displayName"] in ROLES
    assert [held[0]["roleDefinitionId"]] == [
        row["roleTemplateId"] for row in client.got(f"/users/{account.id}/transitiveMemberOf")["value"]
    ]
    assert [204, 404] == [client.graph("DELETE", f"{path}/{held[0]['id']}").status for _ in range(2)]
    again = {"principalId": account.id, "roleDefinitionId": held[0]["roleDefinitionId"], "directoryScopeId": "/"}
    assert [201, 400] == [client.graph("POST", path, again).status for _ in range(2)]
    assert 404 == client.graph("POST", path, {**again, "principalId": "ghost"}).status
    assert len(ROLES) == len(client.got("/roleManagement/directory/roleDefinitions")["value"])


def test_rules_that_outlook_shows() -> None:
    """Hidden ones are not among them; the others are switched and deleted."""
    client = Client()
    account = client.tenant.accounts[30]
    client.control("POST", "attacker", {"user": account.upn, "moves": ["rule", "hidden-rule"]})
    account.mailbox.rules[-2].redirect_to = ("x@evil.example",)
    account.mailbox.rules[-2].delete = True
    path = f"/users/{account.id}/mailFolders/inbox/messageRules"
    rows = client.got(path)["value"]
    last = rows[-1]

    assert {"forwardTo", "redirectTo", "delete", "stopProcessingRules"} == set(last["actions"])
    assert not json.loads(client.graph("PATCH", f"{path}/{last['id']}", {"isEnabled": False}).body)["isEnabled"]
    assert [204, 404] == [client.graph("DELETE", f"{path}/{last['id']}").status for _ in range(2)]
    assert 404 == client.graph("DELETE", f"{path}/AQAAA1").status


def test_mail() -> None:
    """It is accepted always, delivered only from mailboxes that are not restricted, and traced."""
    client = Client()
    message = {"subject": "Hello", "toRecipients": [{"emailAddress": {"address": "a@b.example"}}, "nonsense"]}
    restricted, free = client.victim(), client.tenant.accounts[-1]

    for account in (restricted, free):
        assert 202 == client.graph("POST", f"/users/{account.id}/sendMail", {"message": message}).status
    traced = client.got(
        "/admin/exchange/tracing/messageTraces", filter="recipientAddress eq 'a@b.example'", top="5000"
    )["value"]
    assert {"failed", "delivered"} == {row["status"] for row in traced}


def test_what_requires_multifactor_authentication() -> None:
    """Each scenario requires it by one thing and no other."""
    for mfa in ("conditional-access", "security-defaults", "per-user", "none"):
        client = Client(replace(CALM, mfa=mfa))
        account = client.victim()
        policies = client.got("/identity/conditionalAccess/policies")["value"]
        defaults = client.got("/policies/identitySecurityDefaultsEnforcementPolicy")["isEnabled"]
        state = json.loads(client.graph("GET", f"/beta/users/{account.id}/authentication/requirements").body)[
            "perUserMfaState"
        ]

        assert (mfa == "conditional-access", mfa == "security-defaults", mfa == "per-user") == (
            bool(policies), defaults, state == "enforced",
        )  # fmt: skip
        for item in policies:
            assert item == client.got(f"/identity/conditionalAccess/policies/{item['id']}")
        assert 404 == client.graph("GET", "/identity/conditionalAccess/policies/none").status


def test_per_user_state() -> None:
    """It is set in beta alone."""
    client = Client()
    account = client.victim()
    path = f"/beta/users/{account.id}/authentication/requirements"

    assert [204, 204, 400] == [
        client.graph("PATCH", path, {"perUserMfaState": state}).status
        for state in ("enforced", "disabled", "sometimes")
    ]
    assert 400 == client.graph("GET", path.replace("/beta", "")).status


def test_licences() -> None:
    """Without a premium licence sign-ins and reports are refused with a reason of their own."""
    client, poor = Client(), Client(NAMED["no-premium"])
    plans = [item["servicePlanName"] for item in client.got("/subscribedSkus")["value"][0]["servicePlans"]]
    reply = poor.graph("GET", "/auditLogs/signIns")

    assert "AAD_PREMIUM" in plans
    assert (403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant") == (reply.status, error(reply)["code"])
    assert 200 == poor.graph("GET", "/auditLogs/directoryAudits").status
    assert client.tenant.id == client.got("/organization")["value"][0]["id"]


def test_registration_report() -> None:
    """It is hours old: a method registered since is not in it."""
    client = Client()
    account = client.victim()
    client.control("POST", "attacker", {"user": account.upn, "moves": ["method"]})
    path = "/reports/authenticationMethods/userRegistrationDetails"
    line = client.got(f"{path}/{account.id}")

    assert line["isMfaCapable"]
    assert line["lastUpdatedDateTime"] < client.tenant.now().isoformat()
    assert 1 == line["methodsRegistered"].count("microsoftAuthenticatorPush")
    assert 50 == len(client.got(path, filter="isMfaCapable eq true")["value"])


def test_alerts() -> None:
    """Raised for each restricted mailbox; filtered, but not by title; assigned, resolved, commented."""
    client = Client()
    rows = client.got(
        "/security/alerts_v2", filter="serviceSource eq 'microsoftDefenderForOffice365' and status eq 'new'"
    )["value"]
    path = f"/security/alerts_v2/{rows[0]['id']}"

    assert 12 == len(rows)
    assert {"User restricted from sending email"} == {row["title"] for row in rows}
    assert 400 == client.graph("GET", "/security/alerts_v2", filter="title eq 'x'").status
    assert 200 == client.graph("PATCH", path, {"status": "resolved", "assignedTo": "me"}).status
    assert client.got(path)["resolvedDateTime"]
    assert 200 == client.graph("PATCH", path, {"classification": "truePositive"}).status
    assert 400 == client.graph("PATCH", path, {"status": "eaten"}).status
    assert (
        "seen" == json.loads(client.graph("POST", f"{path}/comments", {"comment": "seen"}).body)["value"][0]["comment"]
    )
    assert 404 == client.graph("GET", "/security/alerts_v2/none").status
    assert [] == Client(NAMED["unsafe"]).got("/security/alerts_v2")["value"]
