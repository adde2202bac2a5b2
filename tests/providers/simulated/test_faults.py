"""Every failure that can be switched on, and what is done all the same."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.providers.simulated.client import Client, error
from workflow.providers.simulated.faults import CONCURRENCY, FAULTS
from workflow.providers.simulated.messages import Reply
from workflow.providers.simulated.scenario import NAMED, FaultRule

CALM = NAMED["calm"]


def failing(fault: str, on: str = "any", **members: Any) -> Client:
    """Return a client of a tenant in which this goes wrong."""
    return Client(replace(CALM, faults=(FaultRule(fault, on, **members),)))


def calls(client: Client) -> list[Reply]:
    """Call each service once, the token endpoint last."""
    form = b"grant_type=refresh_token&refresh_token=none"
    return [
        client.cmdlet("Get-Mailbox", Identity=client.victim().upn),
        client.graph("POST", f"/users/{client.victim().id}/revokeSignInSessions"),
        client.ask("POST", f"/{client.tenant.id}/oauth2/v2.0/token", form),
    ]


@pytest.mark.parametrize(
    ("fault", "statuses"),
    [
        ("throttled", [429, 429, 429]),
        ("throttled-silently", [429, 429, 429]),
        ("concurrency", [429, 200, 400]),
        ("forbidden", [403, 200, 400]),
        ("role-gap", [400, 200, 400]),
        ("denied", [200, 403, 400]),
        ("no-premium", [200, 403, 400]),
        ("unauthorized", [401, 401, 400]),
        ("not-found", [404, 404, 400]),
        ("bad-request", [400, 400, 400]),
        ("regional", [302, 200, 400]),
        ("server-error", [500, 500, 500]),
        ("bad-gateway", [502, 502, 502]),
        ("unavailable", [503, 503, 503]),
        ("gateway-timeout", [504, 504, 504]),
        ("gateway-timeout-done", [504, 504, 504]),
        ("out-of-storage", [200, 507, 400]),
        ("unknown-certificate", [200, 200, 401]),
        ("lost-answer", [0, 0, 0]),
        ("lost-request", [0, 0, 0]),
        ("slow", [200, 200, 400]),
        ("cut-short", [200, 200, 400]),
        ("not-json", [200, 200, 400]),
        ("warnings", [200, 200, 400]),
        ("expired-page", [200, 200, 400]),
    ],
)
def test_each_fault(fault: str, statuses: list[int]) -> None:
    """Each service shows the ones that are its own; what acts has been done, the others have not."""
    client = failing(fault, seconds=2.0)
    replies = calls(client)

    assert statuses == [reply.status for reply in replies]
    done = [item for item in client.tenant.effects if item.what == "sessions valid from"]
    assert (FAULTS[fault].acts or statuses[1] == 200) == bool(done)


def test_every_fault_is_tested() -> None:
    """The table above is the whole vocabulary."""
    parameters = test_each_fault.pytestmark[0].args[1]  # type: ignore[attr-defined]

    assert set(FAULTS) == {row[0] for row in parameters}


def test_what_the_bodies_look_like() -> None:
    """NUL bytes, plain text, HTML, half of the JSON, and warnings in body and header."""
    assert CONCURRENCY.encode() == failing("concurrency").cmdlet("Get-Mailbox").body
    assert failing("bad-gateway").graph("GET", "/users").body.startswith(b"<html>")
    assert b"" == failing("forbidden").cmdlet("Get-Mailbox").body.strip(b"\0")
    warned = failing("warnings").cmdlet("Get-OrganizationConfig")
    assert [warned.headers["X-Warnings"]] == json.loads(warned.body)["@adminapi.warnings"]
    with pytest.raises(ValueError, match=r"Unterminated|Expecting|delimiter"):
        json.loads(failing("not-json").cmdlet("Get-OrganizationConfig").body)
    assert failing("cut-short").cmdlet("Get-OrganizationConfig").short
    assert 3.0 == failing("slow", seconds=3.0).cmdlet("Get-OrganizationConfig").hold
    assert failing("lost-answer").cmdlet("Get-OrganizationConfig").lost
    assert 700027 == json.loads(calls(failing("unknown-certificate"))[2].body)["error_codes"][0]
    assert "role definition" in error(failing("role-gap").cmdlet("Get-Mailbox"))["details"][0]["message"]


def test_a_page_that_cannot_be_followed() -> None:
    """Only continuations meet it: the cursor is bound to one backend."""
    client = failing("expired-page")

    assert 200 == client.graph("GET", "/users", top="10").status
    assert 400 == client.graph("GET", "/users", top="10", skiptoken="ZnJvbT0xMA").status
    token = client.simulator.doorkeeper.token("a", "outlook.office365.com")
    body = {"CmdletInput": {"CmdletName": "Get-Mailbox", "Parameters": {}}}
    headers = {"authorization": f"Bearer {token}", "x-anchormailbox": "x"}
    reply = client.ask("POST", f"/adminapi/beta/{client.tenant.id}/InvokeCommand", body, headers, **{"$skiptoken": "x"})
    assert "Expired or Invalid pagination request" in error(reply)["details"][0]["message"]


def test_calling_too_early_starts_the_wait_again() -> None:
    """Whoever calls before Retry-After has passed waits from the beginning, and is counted."""
    client = failing("throttled", times=1, seconds=10.0)
    first = client.graph("GET", "/users")
    client.advance(seconds=6)
    early = client.graph("GET", "/users")
    client.advance(seconds=6)
    still = client.graph("GET", "/users")
    client.advance(seconds=10)
    late = client.graph("GET", "/users")

    assert ("10", 429, 429, 200) == (first.headers["Retry-After"], early.status, still.status, late.status)
    assert 2 == client.control("GET", "")["called_early"]


def test_a_wait_that_was_kept() -> None:
    """After exactly as long as was said the call goes through."""
    client = failing("throttled", times=1)
    wait = int(client.graph("GET", "/users").headers["Retry-After"])
    client.advance(seconds=wait)

    assert (5, 200, 0) == (wait, client.graph("GET", "/users").status, client.control("GET", "")["called_early"])


def test_where_and_how_often() -> None:
    """On one call, after so many, so many times."""
    client = failing("unavailable", "GET /users/{user}", skip=1, times=2)
    path = f"/users/{client.victim().id}"

    assert 200 == client.graph("GET", "/users").status
    assert [200, 503, 503, 200] == [client.graph("GET", path).status for _ in range(4)]


def test_chance() -> None:
    """About as often as said, and the same calls each time."""
    one, two = failing("unavailable", chance=0.3), failing("unavailable", chance=0.3)
    found = [client_statuses(client) for client in (one, two)]

    assert found[0] == found[1]
    assert 20 <= found[0].count(503) <= 40


def client_statuses(client: Client) -> list[int]:
    """Return the statuses of a hundred calls."""
    return [client.graph("GET", "/organization").status for _ in range(100)]


def test_the_first_that_fits_is_met() -> None:
    """One call meets one fault."""
    client = Client(replace(CALM, faults=(FaultRule("server-error", times=1), FaultRule("unavailable", times=1))))

    assert [500, 503, 200] == [client.graph("GET", "/organization").status for _ in range(3)]


def test_switching_at_run_time() -> None:
    """Faults are added, counted and taken away while the tenant runs."""
    client = Client()
    client.control("POST", "faults", {"faults": [{"fault": "throttled", "on": "graph"}]})

    assert 429 == client.graph("GET", "/organization").status
    assert 1 == client.control("GET", "faults")["faults"][0]["met"]
    assert {"faults": []} == client.control("DELETE", "faults")
    assert 200 == client.graph("GET", "/organization").status
