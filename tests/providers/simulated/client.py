"""A client of the simulator without sockets, for tests: one call, one answer."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from workflow.providers.simulated.messages import Reply, Request
from workflow.providers.simulated.scenario import NAMED, Scenario
from workflow.providers.simulated.simulator import Simulator
from workflow.providers.simulated.state import Account

BASE = "http://127.0.0.1:8365"
START = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
GRAPH, EXCHANGE, COMPLIANCE = "graph.microsoft.com", "outlook.office365.com", "ps.compliance.protection.outlook.com"


class Client:
    """Calls a simulated tenant as an application does."""

    def __init__(self, scenario: Scenario = NAMED["calm"], seed: int = 1, app: str = "app-1") -> None:
        self.simulator = Simulator(scenario, seed, START)
        self.tenant = self.simulator.tenant
        self.app = app

    def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None, **query: str
    ) -> Reply:
        """Send anything; the query's names are given as they are."""
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        return self.simulator.answer(Request(method, path, BASE, query, headers or {}, data))

    def cmdlet(
        self, name: str, *, audience: str = EXCHANGE, headers: dict[str, str] | None = None, **parameters: Any
    ) -> Reply:
        """Call a cmdlet of the gateway."""
        token = self.simulator.doorkeeper.token(self.app, audience)
        body = {"CmdletInput": {"CmdletName": name, "Parameters": parameters}}
        known = {"authorization": f"Bearer {token}", "x-anchormailbox": "APP:SystemMailbox", **(headers or {})}
        return self.ask("POST", f"/adminapi/beta/{self.tenant.id}/InvokeCommand", body, known)

    def rows(self, name: str, **parameters: Any) -> list[dict[str, Any]]:
        """Return the rows of a cmdlet that works."""
        reply = self.cmdlet(name, **parameters)
        assert 200 == reply.status, reply.body
        rows: list[dict[str, Any]] = json.loads(reply.body)["value"]
        return rows

    def graph(self, method: str, path: str, body: Any = None, *, user: str = "", **query: str) -> Reply:
        """Call Graph; the query's names stand without their dollar sign."""
        token = self.simulator.doorkeeper.token(self.app, GRAPH, user)
        asked: dict[str, Any] = {f"${name}": value for name, value in query.items()}
        whole = path if path.startswith("/beta/") else f"/v1.0{path}"
        return self.ask(method, whole, body, {"authorization": f"Bearer {token}"}, **asked)

    def got(self, path: str, **query: str) -> Any:
        """Return the JSON of a GET that works."""
        reply = self.graph("GET", path, **query)
        assert 200 == reply.status, reply.body
        return json.loads(reply.body)

    def control(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        """Use the control API and return its JSON."""
        reply = self.ask(method, f"/simulator/{path}", body, {}, **query)
        assert 200 == reply.status, reply.body
        return json.loads(reply.body)

    def advance(self, **length: float) -> None:
        """Move the tenant's clock: minutes, hours or days."""
        seconds = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}
        self.control("POST", "clock", {"advance_seconds": sum(seconds[name] * value for name, value in length.items())})

    def victim(self, number: int = 1) -> Account:
        """Return the account of the restricted mailbox of a number, from 1."""
        return self.tenant.accounts[number]

    def listed(self, account: Account) -> bool:
        """Whether the gateway lists a mailbox as restricted."""
        return bool(self.rows("Get-BlockedSenderAddress", SenderAddress=account.upn))

    def unblock(self, account: Account) -> Reply:
        """Ask to unblock a mailbox."""
        return self.cmdlet("Remove-BlockedSenderAddress", SenderAddress=account.upn, Reason="case 7")


def error(reply: Reply) -> dict[str, Any]:
    """Return the error of an answer."""
    found: dict[str, Any] = json.loads(reply.body)["error"]
    return found
