"""Budgets of calls: token buckets in virtual time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from tests.providers.simulated.client import START, Client
from workflow.providers.simulated.limits import FAMILIES, Limits
from workflow.providers.simulated.scenario import NAMED

CALM = NAMED["calm"]


def test_reports_stand_five_calls_in_ten_seconds() -> None:
    """The sixth is refused, says how long to wait, and names the scope."""
    client = Client(replace(CALM, limits=True))
    replies = [client.graph("GET", "/auditLogs/signIns") for _ in range(6)]

    assert [200] * 5 + [429] == [reply.status for reply in replies]
    assert "5" == replies[-1].headers["Retry-After"]
    assert "Tenant_Application" == replies[-1].headers["x-ms-throttle-scope"]
    client.advance(seconds=5)
    assert 200 == client.graph("GET", "/auditLogs/signIns").status


def test_conditional_access_does_not_say_how_long() -> None:
    """One call a second, and no Retry-After."""
    client = Client(replace(CALM, limits=True))
    replies = [client.graph("GET", "/identity/conditionalAccess/policies") for _ in range(2)]

    assert [200, 429] == [reply.status for reply in replies]
    assert "Retry-After" not in replies[1].headers
    client.advance(seconds=1)
    assert 200 == client.graph("GET", "/identity/conditionalAccess/policies").status


def test_other_budgets() -> None:
    """Figures are configuration; the gateway and the token endpoint have their own."""
    client = Client(replace(CALM, limits=True, budgets={"exchange": 2, "sign-in": 1}))
    token = f"/{client.tenant.id}/oauth2/v2.0/token"

    assert [200, 200, 429] == [client.cmdlet("Get-OrganizationConfig").status for _ in range(3)]
    assert [400, 429] == [client.ask("POST", token).status for _ in range(2)]


def test_early_calls_wait_from_the_beginning() -> None:
    """A bucket that said how long stays closed for whoever does not wait."""
    limits = Limits(on=True, budgets={})
    for _ in range(5):
        limits.take("reports", "a", START)

    assert 5.0 == limits.take("reports", "a", START)
    assert 5.0 == limits.take("reports", "a", START + timedelta(seconds=4))
    assert 5.0 == limits.take("reports", "a", START + timedelta(seconds=8))
    assert 0.0 == limits.take("reports", "a", START + timedelta(seconds=13))
    assert 0.0 == limits.take("reports", "b", START)
    assert 2 == limits.early


def test_a_budget_that_is_nearly_used_up_is_told() -> None:
    """From four fifths on, of the directory; not where nothing is limited."""
    client = Client(replace(CALM, limits=True, budgets={"identity": 10}, call_seconds=0))
    replies = [client.graph("GET", "/users", select="id") for _ in range(11)]
    name = "x-ms-throttle-limit-percentage"

    assert [None] * 7 + ["0.80", "0.90", "1.00", None] == [reply.headers.get(name) for reply in replies]
    assert 429 == replies[-1].status
    assert name not in Client().graph("GET", "/users").headers


def test_switched_off() -> None:
    """Without limits everything is let through, and the count stays full."""
    limits = Limits(on=False, budgets={})

    assert {0.0} == {limits.take("conditional-access", "a", START) for _ in range(9)}
    assert FAMILIES["exchange"].calls == limits.left("exchange", "a")


def test_what_costs_more() -> None:
    """A list of users costs two units, one with $select, and says so."""
    client = Client()

    assert "2" == client.graph("GET", "/users").headers["x-ms-resource-unit"]
    assert "1" == client.graph("GET", "/users", select="id").headers["x-ms-resource-unit"]
