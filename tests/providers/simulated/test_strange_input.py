"""Whatever is sent, the tenant answers: nothing strange breaks it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.providers.simulated.client import Client
from workflow.providers.simulated.cmdlets import CMDLETS
from workflow.providers.simulated.graph_routes import ROUTES

TEXTS = st.sampled_from(["", "x", "²", "28c10230-6103-485e-b985-444c60001490", "2026-05-01", "../..", "'"]) | st.text(
    max_size=8
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**400), 10**400) | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
NAMES = [
    "accountEnabled",
    "passwordProfile",
    "password",
    "message",
    "toRecipients",
    "emailAddress",
    "principalId",
    "roleDefinitionId",
    "recordTypeFilters",
    "filterStartDateTime",
    "perUserMfaState",
    "isEnabled",
    "newPassword",
    "status",
    "comment",
]
FILTERS = ["accountEnabled ge null", "id eq 5", "isMfaCapable lt 2", "status/errorCode eq x", "a/any(b:b/c eq 'd')"]
QUERIES = dict.fromkeys(("$top", "$select", "$skiptoken", "$skip", "$expand"), TEXTS)
QUERIES["$filter"] = TEXTS | st.sampled_from(FILTERS)
CONTROLS = sorted(
    {
        "clock",
        "faults",
        "restrict",
        "portal/unblock",
        "portal/sign-in",
        "attacker",
        "owner/password",
        "on-premises/password",
        "device",
    }
)
SOME = settings(max_examples=40, deadline=None)


@pytest.fixture(scope="module")
def client() -> Client:
    """One tenant that is asked everything."""
    return Client()


@SOME
@given(data=st.data())
def test_graph(client: Client, data: st.DataObject) -> None:
    """Every call of Graph, with any body and query."""
    route = data.draw(st.sampled_from(ROUTES))
    names = st.sampled_from(NAMES) | TEXTS
    body = data.draw(st.dictionaries(names, VALUES | st.dictionaries(names, VALUES, max_size=2), max_size=3))
    query = data.draw(st.fixed_dictionaries({}, optional=QUERIES))
    path = route.template.replace("{user}", client.victim().id)
    for name in ("folder", "rule", "section", "method", "grant", "assignment", "alert", "query", "policy", "operation"):
        path = path.replace(f"{{{name}}}", "x")
    reply = client.graph(route.method, path, body, **{name[1:]: value for name, value in query.items()})

    assert 200 <= reply.status < 500


@SOME
@given(data=st.data())
def test_cmdlets(client: Client, data: st.DataObject) -> None:
    """Every cmdlet, with any parameters."""
    name = data.draw(st.sampled_from(sorted(CMDLETS)))
    known = st.sampled_from(sorted(CMDLETS[name].parameters) or [""])
    people = st.sampled_from([client.victim().upn, client.victim(2).upn])
    given_values: dict[str, Any] = data.draw(st.dictionaries(known | TEXTS, VALUES | people, max_size=4))
    body = {"CmdletInput": {"CmdletName": name, "Parameters": given_values}}
    token = client.simulator.doorkeeper.token("app-1", "outlook.office365.com")
    headers = {"authorization": f"Bearer {token}", "x-anchormailbox": "x", "prefer": data.draw(TEXTS)}
    reply = client.ask("POST", f"/adminapi/beta/{client.tenant.id}/InvokeCommand", body, headers)

    assert 200 <= reply.status < 500


@SOME
@given(
    st.sampled_from(CONTROLS),
    st.dictionaries(st.sampled_from(["advance_seconds", "to", "faults", "user", "moves", "kind"]), VALUES),
)
def test_control(client: Client, path: str, body: dict[str, Any]) -> None:
    """Every call of the control API."""
    assert client.ask("POST", f"/simulator/{path}", body).status in {200, 400, 404}


@SOME
@given(st.binary(max_size=40), TEXTS, TEXTS)
def test_sign_in(client: Client, body: bytes, header: str, path: str) -> None:
    """Any bytes to the token endpoint, any token anywhere, any path."""
    assert client.ask("POST", f"/{client.tenant.id}/oauth2/v2.0/token", body).status == 400
    assert client.ask("GET", "/v1.0/users", None, {"authorization": f"Bearer {header}"}).status == 401
    assert client.ask("GET", f"/adminapi/{path}", None).status in {405, 302}
