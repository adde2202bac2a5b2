"""One simulated tenant from request to answer, without sockets."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from email.utils import format_datetime
from typing import TYPE_CHECKING

from workflow.providers.simulated import exchange, graph
from workflow.providers.simulated.control import Control
from workflow.providers.simulated.exchange import Gateway
from workflow.providers.simulated.faults import (
    DEFAULT_WAIT,
    EXCHANGE,
    FAULTS,
    GRAPH,
    SIGN_IN,
    Faults,
    afterwards,
    elsewhere,
    failed,
    instead,
)
from workflow.providers.simulated.founding import found
from workflow.providers.simulated.graph_routes import Asked, Route, routed
from workflow.providers.simulated.limits import Limits
from workflow.providers.simulated.messages import Caller, Json, Reply, Request, as_json
from workflow.providers.simulated.refusals import UNAUTHORIZED, graph_refusal
from workflow.providers.simulated.scenario import App, FaultRule, Scenario
from workflow.providers.simulated.sign_in import Doorkeeper
from workflow.providers.simulated.stamp import zulu
from workflow.providers.simulated.state import By

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

_TOO_MANY = 429
_SAYS_HOW_FAR, _NEARLY = frozenset({"identity", "identity-writes"}), 0.8


class Simulator:
    """A tenant that answers. Not safe for threads by itself: the server asks one thing at a time.

    Args:
        scenario: what to simulate.
        seed: what all chance is drawn from.
        starts_at: the first present, unless the scenario says.
        factor: virtual seconds per real one; 0 for a clock that moves with calls and on command alone.
        real: seconds of a monotonic clock, where the factor is not 0.
    """

    def __init__(
        self,
        scenario: Scenario,
        seed: int,
        starts_at: datetime,
        factor: float = 0.0,
        real: Callable[[], float] | None = None,
    ) -> None:
        self.seed = seed
        self.tenant = found(scenario, seed, starts_at, factor, real)
        self.faults = Faults(scenario.faults, self.tenant.dice.stream("faults"))
        self.limits = Limits(on=scenario.limits, budgets=scenario.budgets)
        self.doorkeeper = Doorkeeper(self.tenant, seed)
        self.gateway = Gateway(self.tenant)
        self.calls: Counter[tuple[str, int]] = Counter()
        self._ids = self.tenant.dice.stream("requests")
        self._control = Control(self.tenant, seed, self.doorkeeper, self.faults, self.limits, self.calls)

    def answer(self, request: Request) -> Reply:
        """Return the answer to a request. Everything that is due by then takes place first."""
        if request.path == "/simulator" or request.path.startswith("/simulator/"):
            self.tenant.settle()
            return self._control.answer(request)
        if not self.tenant.clock.factor:
            self.tenant.clock.advance(self.tenant.scenario.call_seconds)
        now = self.tenant.settle()
        ids = {
            "date": now.strftime("%Y-%m-%dT%H:%M:%S"),
            "request-id": self._ids.guid(),
            "client-request-id": request.headers.get("client-request-id", "")[:100],
        }
        ids["client-request-id"] = ids["client-request-id"] or ids["request-id"]
        operation, reply = self._routed(request, ids, now)
        self.calls[operation, reply.status] += 1
        headers = {**reply.headers, "request-id": ids["request-id"], "client-request-id": ids["client-request-id"]}
        return replace(reply, headers={**headers, "Date": format_datetime(now, usegmt=True)})

    def _routed(self, request: Request, ids: Json, now: datetime) -> tuple[str, Reply]:
        path = request.path
        lower = path.casefold()
        if lower.startswith("/adminapi/"):
            return self._exchange(request, ids, now)
        if path.startswith(("/v1.0/", "/beta/")):
            return self._graph(request, ids, now)
        if (
            path.startswith("/metadata/identity/")
            or "/oauth2/v2.0/" in path
            or ".well-known" in path
            or "/discovery/" in path
        ):
            operation = f"{request.method} …/{path.rpartition('/')[2]}"
            return operation, self._guarded(
                SIGN_IN, operation, request, ids, now, lambda _: self._signed_in(request, ids, now)
            )
        return "unknown", as_json(404, {"error": "There is nothing at this address."})

    def _guarded(
        self,
        service: str,
        operation: str,
        request: Request,
        ids: Json,
        now: datetime,
        real: Callable[[FaultRule | None], Reply],
    ) -> Reply:
        """Return the real answer, or what goes wrong instead of it or on the way back."""
        caller = self.doorkeeper.caller(request)
        whose = caller.app if caller is not None else ""
        waiting = self.faults.closed(service, whose, now)
        if waiting:
            return failed(service, _TOO_MANY, ids, self.tenant.clock.client_seconds(waiting))
        rule = self.faults.next(service, operation, paged="$skiptoken" in request.query)
        if rule is None:
            return real(None)
        if not FAULTS[rule.fault].acts:
            if rule.fault == "throttled":
                # What is said is in the client's seconds, what is kept in the tenant's; a little less, for the way.
                factor = max(self.tenant.clock.factor, 1.0)
                self.faults.close(service, whose, now, max((rule.seconds or DEFAULT_WAIT) - 0.25, 0.1) * factor)
            return instead(rule, service, request, ids)
        reply = real(rule)
        if rule.fault in {"gateway-timeout-done", "lost-answer"}:
            return instead(rule, service, request, ids)
        return afterwards(rule, reply)

    def _limited(
        self, family: str, whose: str, service: str, ids: Json, now: datetime, cost: float = 1.0
    ) -> Reply | None:
        wait = self.limits.take(family, whose, now, cost)
        if not wait:
            return None
        said = self.tenant.clock.client_seconds(wait) if self.limits.family(family).says else None
        return failed(service, _TOO_MANY, ids, said)

    def _signed_in(self, request: Request, ids: Json, now: datetime) -> Reply:
        return self._limited("sign-in", "", SIGN_IN, ids, now) or self.doorkeeper.answer(request)

    def _app(self, caller: Caller) -> App:
        return self.tenant.scenario.app(caller.app)

    def _by(self, caller: Caller, ids: Json) -> By:
        user = self.tenant.find(caller.user) if caller.user else None
        kind, name = ("user", user.upn) if user else ("app", "Holdfast")
        return By(kind, name, caller.app, ids["request-id"], ids["client-request-id"])

    def _exchange(self, request: Request, ids: Json, now: datetime) -> tuple[str, Reply]:
        parts = request.path.strip("/").split("/")
        if parts[-1].casefold() == "exomodulefile" and request.method == "GET":
            return "GET EXOModuleFile", elsewhere(request)
        if request.method != "POST" or parts[1:2] != ["beta"] or parts[-1] != "InvokeCommand" or len(parts) != 4:  # noqa: PLR2004 - adminapi/beta/{tenant}/InvokeCommand.
            return "unknown", Reply(405, b"")
        operation = exchange.named(request) or "unknown"
        return operation, self._guarded(
            EXCHANGE, operation, request, ids, now, lambda rule: self._cmdlet(request, operation, ids, now, rule)
        )

    def _cmdlet(self, request: Request, operation: str, ids: Json, now: datetime, rule: FaultRule | None) -> Reply:
        caller = self.doorkeeper.caller(request)
        tenant = request.path.strip("/").split("/")[2]
        if caller is None or tenant.casefold() not in {self.tenant.id, "contoso.example", "contoso.onmicrosoft.com"}:
            return Reply(401, b"", {"WWW-Authenticate": 'Bearer error="invalid_token"'})
        family = exchange.family(operation)
        refused = self._limited(family, caller.app, EXCHANGE, ids, now)
        if refused is not None:
            return refused
        warning = "A server was slow to answer." if rule is not None and rule.fault == "warnings" else ""
        reply = self.gateway.answer(request, caller, self._app(caller), self._by(caller, ids), warning)
        limit = self.limits.family(family)
        rate = {
            "Rate-Limit-Limit": str(limit.calls),
            "Rate-Limit-Remaining": str(self.limits.left(family, caller.app)),
            "Rate-Limit-Reset": zulu(now),
        }
        return replace(reply, headers={**reply.headers, **rate})

    def _graph(self, request: Request, ids: Json, now: datetime) -> tuple[str, Reply]:
        route = routed(request)
        if route is None:
            return "unknown", graph_refusal(graph.UNKNOWN, ids)
        found, names = route
        return found.operation, self._guarded(
            GRAPH, found.operation, request, ids, now, lambda _: self._called(found, names, request, ids, now)
        )

    def _called(self, found: Route, names: dict[str, str], request: Request, ids: Json, now: datetime) -> Reply:
        caller = self.doorkeeper.caller(request)
        if caller is None:
            return graph_refusal(UNAUTHORIZED, ids)
        cost = max(1.0, found.cost + ("$expand" in request.query) - ("$select" in request.query))
        whose = f"{caller.app}/{names.get('user', '')}" if found.family == "outlook" else caller.app
        refused = self._limited(found.family, whose, GRAPH, ids, now, cost)
        if refused is not None:
            information = {"x-ms-throttle-scope": "Tenant_Application", "x-ms-throttle-information": "CPULimitExceeded"}
            return replace(refused, headers={**refused.headers, **information})
        asked = Asked(self.tenant, request, names, caller, self._app(caller), self._by(caller, ids), now)
        reply = graph.answer(found, asked, ids)
        told = {"x-ms-resource-unit": str(int(cost))}
        used = self.limits.used(found.family, whose)
        if found.family in _SAYS_HOW_FAR and used >= _NEARLY:
            told["x-ms-throttle-limit-percentage"] = f"{used:.2f}"
        return replace(reply, headers={**reply.headers, **told})
