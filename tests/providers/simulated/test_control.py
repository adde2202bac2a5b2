"""The control API: what may be looked at and done behind the tenant's back."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.providers.simulated.client import START, Client
from workflow.providers.simulated.attack import MOVES
from workflow.providers.simulated.scenario import NAMED


def test_the_clock() -> None:
    """It moves by a length or to a time, and says what comes next."""
    client = Client(replace(NAMED["calm"], restricted=1, connectors=0))
    client.control("POST", "clock", {"to": "2026-05-02T00:00:00Z"})

    assert START + timedelta(hours=12) == client.tenant.now()
    assert client.control("GET", "clock")["next_event_at"] is None
    client.unblock(client.victim())
    assert client.control("GET", "clock")["next_event_at"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "clock", {"advance_seconds": -1}, 400),
        ("POST", "clock", {"advance_seconds": "a day"}, 400),
        ("POST", "clock", {"advance_seconds": 1e12}, 400),
        ("POST", "clock", {"to": "tomorrow"}, 400),
        ("POST", "clock", b"[", 400),
        ("POST", "faults", {"faults": [{"fault": "locusts"}]}, 400),
        ("POST", "faults", {}, 400),
        ("POST", "restrict", {"identifier": "ghost"}, 404),
        ("POST", "restrict", {"identifier": "ghost", "kind": "connector"}, 404),
        ("POST", "restrict", {"identifier": "ghost", "kind": "planet"}, 400),
        ("POST", "portal/unblock", {"identifier": "ghost"}, 404),
        ("POST", "portal/sign-in", {"user": "ghost"}, 404),
        ("POST", "attacker", {"user": "ghost"}, 404),
        ("POST", "attacker", {"user": "admin@contoso.example", "moves": ["teleport"]}, 400),
        ("POST", "owner/password", {"user": "ghost"}, 404),
        ("POST", "on-premises/password", {"user": "ghost"}, 404),
        ("POST", "on-premises/password", {"user": "admin@contoso.example"}, 400),
        ("POST", "device", {"user_code": "ghost"}, 404),
        ("GET", "user", None, 404),
        ("GET", "planets", None, 404),
    ],
)
def test_what_is_refused(method: str, path: str, body: Any, status: int) -> None:
    """With a word about why."""
    reply = Client().ask(method, f"/simulator/{path}", body)

    assert (status, True) == (reply.status, bool(json.loads(reply.body)["error"]))


def test_queries_that_are_refused() -> None:
    """Places in a list are whole numbers, and logs have names."""
    client = Client()

    assert 400 == client.ask("GET", "/simulator/effects", after="x").status
    assert 400 == client.ask("GET", "/simulator/audit", log="x").status
    assert 403 == client.ask("GET", "/simulator/", None, {"origin": "https://evil.example"}).status


def test_every_change_stands_in_the_log_of_effects() -> None:
    """With who did it, by which application and in which request."""
    client = Client()
    before = client.control("GET", "effects")["next_after"]
    reply = client.unblock(client.victim())
    found = client.control("GET", "effects", after=str(before))

    assert (1, False) == (len(found["effects"]), found["more"])
    effect = found["effects"][0]
    assert ("unblocked", client.victim().upn) == (effect["what"], effect["target"])
    assert {"kind": "app", "name": "Holdfast", "app": "app-1"} == {
        name: effect["by"][name] for name in ("kind", "name", "app")
    }
    assert reply.headers["request-id"] == effect["by"]["request"]


def test_what_was_called() -> None:
    """Operations are counted by their status."""
    client = Client()
    client.graph("GET", f"/users/{client.victim().id}")
    client.graph("GET", "/users/ghost")
    client.cmdlet("Get-Nothing")

    assert [("GET /users/{user}", 200), ("GET /users/{user}", 404), ("Get-Nothing", 403)] == [
        (row["operation"], row["status"]) for row in client.control("GET", "calls")["calls"]
    ]
    assert 3 == client.control("GET", "calls")["total"]


def test_restricting() -> None:
    """A mailbox becomes restricted, for today or for good; twice changes nothing."""
    client = Client()
    account = client.tenant.accounts[30]
    row = client.control("POST", "restrict", {"identifier": account.mailbox.address, "temporary": True})

    assert (account.upn, "midnight") == (row["identifier"], row["ends"])
    assert row == client.control("POST", "restrict", {"identifier": account.upn})
    assert client.listed(account)
    free = client.tenant.connectors[-1].id
    client.control("POST", "restrict", {"identifier": free, "kind": "connector", "reason": "why"})
    assert 2 == len(client.rows("Get-BlockedConnector"))
    assert row in client.control("GET", "restricted")["restricted"]


def test_the_portal() -> None:
    """An administrator unblocks, and blocks sign-in, as a person."""
    client = Client()
    account = client.victim()
    client.control("POST", "portal/unblock", {"identifier": account.upn})
    client.control("POST", "portal/unblock", {"identifier": client.tenant.connectors[0].id, "kind": "connector"})
    client.control("POST", "portal/sign-in", {"user": account.upn, "enabled": False})

    assert {"portal"} == {item.by.kind for item in client.tenant.effects[-3:]}
    assert not account.enabled.true
    for _ in range(2):
        client.control("POST", "portal/unblock", {"identifier": account.upn})
    assert 400 == client.ask("POST", "/simulator/portal/unblock", {"identifier": account.upn}).status


def test_the_attacker() -> None:
    """Every move leaves something to find."""
    client = Client()
    account = client.tenant.accounts[30]
    moves = list(MOVES)
    client.control("POST", "attacker", {"user": account.upn, "moves": moves})
    seen = client.control("GET", "user", user=account.upn)

    assert ["consent", "password", "session"] == seen["foothold"]
    assert (2, True) == (seen["password_number"], seen["attacked"])
    assert (1, 1) == (len(seen["consents"]), len(seen["roles"]))
    assert "collector@attacker.example" == seen["mailbox"]["forwards_outside"]
    assert 1 == len(seen["mailbox"]["full_access"])


def test_a_password_that_is_reset_on_premises() -> None:
    """A synchronised account's new password arrives by the synchronisation, and is worth nothing to the attacker."""
    client = Client()
    user = next(row["upn"] for row in client.control("GET", "users")["users"] if row["synced"])
    client.control("POST", "attacker", {"user": user, "moves": ["password"]})
    client.control("POST", "on-premises/password", {"user": user})

    assert ("password", "service") == (client.tenant.effects[-1].what, client.tenant.effects[-1].by.kind)
    assert "password" not in client.control("GET", "user", user=user)["foothold"]


def test_the_truth_about_logs_and_people() -> None:
    """What readers see late can be looked at here at once."""
    client = Client()
    for log in ("unified", "directory", "sign-ins"):
        assert client.control("GET", "audit", log=log)["records"]
    assert 50 == len(client.control("GET", "users")["users"])
    assert (12 + 1, 1) == (client.control("GET", "")["restricted"], client.control("GET", "")["seed"])
