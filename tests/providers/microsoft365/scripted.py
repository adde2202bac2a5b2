"""A tenant that answers what a test says, in order, holds what it is sent against the contract, and keeps it."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx2

from tests.providers.contract import check
from workflow.providers.microsoft365.connection import Connection
from workflow.providers.microsoft365.pace import Pace
from workflow.providers.microsoft365.tenant import Microsoft365
from workflow.providers.ways import Way

TENANT = "11111111-2222-3333-4444-555555555555"
ADA = "aaaaaaaa-0000-4000-8000-000000000001"
NOW = datetime(2026, 5, 1, 9, tzinfo=UTC)


@dataclass
class Time:
    """Seconds that pass only when somebody waits."""

    at: float = 0.0
    waited: list[float] = field(default_factory=list)

    def now(self) -> float:
        """Return the seconds so far."""
        return self.at

    def wait(self, seconds: float) -> None:
        """Let them pass at once."""
        self.waited.append(round(seconds, 3))
        self.at += seconds

    @property
    def pace(self) -> Pace:
        """A pace of this time, without any chance in it."""
        return Pace(self.now, self.wait, lambda: 0.0)


class Scripted:
    """The tenant. Answers are responses, or exceptions of the network."""

    def __init__(self, *answers: httpx2.Response | Exception) -> None:
        """Queue the answers."""
        self.answers = deque(answers)
        self.sent: list[httpx2.Request] = []
        self.tokens = 0
        self.time = Time()

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        """Answer."""
        if request.url.path == "/metadata/identity/oauth2/token":
            self.tokens += 1
            token = {"access_token": f"token-{self.tokens}", "expires_in": "3600", "token_type": "Bearer"}
            return httpx2.Response(200, json=token | {"resource": request.url.params["resource"]})
        check(request)
        self.sent.append(request)
        answer = self.answers.popleft()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def tenant(self, **settings: Any) -> Microsoft365:
        """Return a provider connected to this tenant by the machine's own identity."""
        connection = Connection(**{"tenant": TENANT, "way": Way.MANAGED_IDENTITY} | settings)
        return Microsoft365(connection, lambda: NOW, pace=self.time.pace, transport=httpx2.MockTransport(self))

    @property
    def cmdlets(self) -> list[tuple[str, dict[str, Any]]]:
        """The cmdlets that were run, with their parameters."""
        inputs = [json.loads(request.content)["CmdletInput"] for request in self.sent]
        return [(sent["CmdletName"], sent["Parameters"]) for sent in inputs]

    @property
    def lines(self) -> list[str]:
        """The calls to Graph: method, path, query as they were sent."""
        return [f"{request.method} {request.url.raw_path.decode()}" for request in self.sent]


def rows(*found: dict[str, Any], following: str = "", **headers: str) -> httpx2.Response:
    """Return rows, as the gateway and Graph both write them."""
    data: dict[str, Any] = {"@odata.context": "…", "value": list(found)}
    if following:
        data["@odata.nextLink"] = following
    return httpx2.Response(200, json=data, headers={"request-id": "req-1"} | headers)


def one(**found: Any) -> httpx2.Response:
    """Return one object."""
    return httpx2.Response(200, json=found, headers={"request-id": "req-1"})


def done(status: int = 204) -> httpx2.Response:
    """Return that something was done."""
    return httpx2.Response(status, headers={"request-id": "req-1"})


def no(status: int, code: str = "", message: str = "") -> httpx2.Response:
    """Return a refusal of Graph's."""
    return httpx2.Response(status, json={"error": {"code": code, "message": message, "innerError": {}}})


def fault(said: str, kind: str = "System.Exception", status: int = 400, id_: str = "Ex123456") -> httpx2.Response:
    """Return a refusal of the gateway's, with the message where it hides it."""
    detail = {"code": "Client", "target": "", "message": f"{id_}|{kind}|{said}"}
    error = {"code": "BadRequest", "message": "Error executing cmdlet", "details": [detail]}
    return httpx2.Response(status, json={"error": error, "@adminapi.warnings": []})


MISSING = "Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException"
