"""What goes wrong with calls: every failure that is known of these services, each switched on by itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING

from workflow.providers.simulated.messages import Reply, Request
from workflow.providers.simulated.refusals import (
    DENIED,
    NO_PREMIUM,
    UNAUTHORIZED,
    CmdletError,
    GraphError,
    cmdlet_refusal,
    graph_refusal,
    nul_bytes,
    sign_in_refusal,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workflow.providers.simulated.dice import Dice
    from workflow.providers.simulated.scenario import FaultRule

EXCHANGE, GRAPH, SIGN_IN = "exchange", "graph", "sign-in"
ALL = (EXCHANGE, GRAPH, SIGN_IN)
DEFAULT_WAIT = 5.0
CONCURRENCY = "You have reached the maximum number of concurrent requests per tenant. Please wait and try again"
_HTML = (
    b"<html><head><title>Service unavailable</title></head><body><h2>Our services aren't available</h2></body></html>"
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of failure.

    Args:
        about: what a client sees.
        services: who shows it.
        acts: whether what was asked for takes place all the same.
        status: the HTTP status, where that is all there is to it.
        paged: whether only the continuation of a page meets it.
    """

    about: str
    services: tuple[str, ...] = ALL
    acts: bool = False
    status: int = 0
    paged: bool = False


FAULTS: Mapping[str, Fault] = {
    "throttled": Fault("429 with Retry-After; calling before it has passed starts it again", status=429),
    "throttled-silently": Fault("429 without Retry-After", status=429),
    "concurrency": Fault("429 whose body is plain text about concurrent requests", (EXCHANGE,)),
    "forbidden": Fault("403 whose body is a run of NUL bytes that claims to be gzip", (EXCHANGE,)),
    "role-gap": Fault("400 that says the cmdlet is not in the role definition of the user", (EXCHANGE,)),
    "denied": Fault("403 Authorization_RequestDenied", (GRAPH,)),
    "no-premium": Fault("403 because the tenant has no premium licence", (GRAPH,)),
    "unauthorized": Fault("401: the token is not accepted", (EXCHANGE, GRAPH)),
    "not-found": Fault("404 for something that is there", (EXCHANGE, GRAPH)),
    "bad-request": Fault("400 nobody can do anything about", (EXCHANGE, GRAPH)),
    "regional": Fault("302 to a regional host, on which the client must send its token again", (EXCHANGE,)),
    "server-error": Fault("500", status=500),
    "bad-gateway": Fault("502 with a page of HTML", status=502),
    "unavailable": Fault("503 with Retry-After", status=503),
    "gateway-timeout": Fault("504, and nothing was done", status=504),
    "gateway-timeout-done": Fault("504, and it was done all the same", acts=True, status=504),
    "out-of-storage": Fault("507 on a change", (GRAPH,), status=507),
    "unknown-certificate": Fault("AADSTS700027: a new certificate is not known everywhere yet", (SIGN_IN,)),
    "lost-answer": Fault("the connection closes without an answer, and it was done", acts=True),
    "lost-request": Fault("the connection closes without an answer, and nothing was done"),
    "slow": Fault("the answer comes late, by so many real seconds", acts=True),
    "cut-short": Fault("the connection closes in the middle of the body, and it was done", acts=True),
    "not-json": Fault("200 with half of the JSON, and it was done", acts=True),
    "warnings": Fault("the answer carries warnings of the cmdlet", (EXCHANGE,), acts=True),
    "expired-page": Fault("400 on following a page: the cursor is bound to one backend", (EXCHANGE, GRAPH), paged=True),
}
"""Every fault by name."""


class Faults:
    """The faults that are switched on in one tenant.

    Args:
        rules: what goes wrong, and how often; the first that fits a call is the one it meets.
        dice: chance of its own.
    """

    def __init__(self, rules: Sequence[FaultRule], dice: Dice) -> None:
        self._dice = dice
        self._closed: dict[tuple[str, str], tuple[datetime, float]] = {}
        self.rules: list[FaultRule] = []
        self.fitted: list[int] = []
        self.met: list[int] = []
        self.early = 0
        """How often somebody called before a ``Retry-After`` had passed."""
        for rule in rules:
            self.add(rule)

    def add(self, rule: FaultRule) -> None:
        """Switch one more fault on."""
        self.rules.append(rule)
        self.fitted.append(0)
        self.met.append(0)

    def clear(self) -> None:
        """Switch every fault off, and forgive who was throttled."""
        self.rules.clear()
        self.fitted.clear()
        self.met.clear()
        self._closed.clear()

    def next(self, service: str, operation: str, *, paged: bool) -> FaultRule | None:
        """Return the fault that a call meets, None where it goes well."""
        found = None
        for index, rule in enumerate(self.rules):
            fault = FAULTS[rule.fault]
            if (
                rule.on not in {"any", service, operation}
                or service not in fault.services
                or (fault.paged and not paged)
            ):
                continue
            self.fitted[index] += 1
            drawn = rule.chance >= 1.0 or self._dice.chance(rule.chance)
            worn_out = rule.times and self.met[index] >= rule.times
            if found is None and drawn and self.fitted[index] > rule.skip and not worn_out:
                self.met[index] += 1
                found = rule
        return found

    def closed(self, service: str, whose: str, now: datetime) -> float:
        """Return how many virtual seconds a throttled caller has to wait, starting again because of this call."""
        until, seconds = self._closed.get((service, whose), (now, 0.0))
        if now >= until:
            return 0.0
        self.early += 1
        self.close(service, whose, now, seconds)
        return seconds

    def close(self, service: str, whose: str, now: datetime, seconds: float) -> None:
        """Refuse a caller for so many virtual seconds."""
        self._closed[service, whose] = (now + timedelta(seconds=seconds), seconds)


def instead(rule: FaultRule, service: str, request: Request, ids: Mapping[str, str]) -> Reply:
    """Return the answer of a fault that takes the place of the real one."""
    name = rule.fault
    if name in {"lost-request", "lost-answer"}:
        return Reply(0, lost=True, hold=rule.seconds)
    if name == "concurrency":
        return Reply(429, CONCURRENCY.encode(), {"Content-Type": "text/plain"})
    if name == "forbidden":
        return nul_bytes()
    if name == "regional":
        return elsewhere(request)
    if name == "unknown-certificate":
        text = "The certificate with identifier used to sign the client assertion is not registered on application."
        return sign_in_refusal(401, "invalid_client", 700027, text, ids["request-id"])
    if name == "bad-gateway":
        return Reply(502, _HTML, {"Content-Type": "text/html"})
    status = FAULTS[name].status
    if status:
        waits = name in {"throttled", "unavailable"}
        return failed(service, status, ids, (rule.seconds or DEFAULT_WAIT) if waits else None)
    return _refused(name, service, ids)


def _refused(name: str, service: str, ids: Mapping[str, str]) -> Reply:
    if service == GRAPH:
        errors = {
            "denied": DENIED,
            "no-premium": NO_PREMIUM,
            "unauthorized": UNAUTHORIZED,
            "not-found": GraphError(404, "Request_ResourceNotFound", "Resource does not exist."),
            "bad-request": GraphError(400, "BadRequest", "Invalid request."),
            "expired-page": GraphError(
                400, "Directory_ExpiredPageToken", "The specified page token value has expired."
            ),
        }
        return graph_refusal(errors[name], ids)
    if name == "unauthorized":
        return Reply(401, b"", {"WWW-Authenticate": 'Bearer error="invalid_token"'})
    if name == "expired-page":
        return cmdlet_refusal(expired_page())
    if name == "role-gap":
        text = "The cmdlet is not present in the role definition of the current user."
        return cmdlet_refusal(
            CmdletError(text, "Microsoft.Exchange.Configuration.Authorization.CmdletAccessDeniedException")
        )
    status = 404 if name == "not-found" else 400
    return cmdlet_refusal(
        CmdletError("The operation couldn't be performed.", "System.Exception", "Ex000000", status=status)
    )


def expired_page() -> CmdletError:
    """Return the gateway's error for a page that can no longer be followed."""
    text = "Expired or Invalid pagination request. Default Expiry time is 00:30:00"
    return CmdletError(text, "Microsoft.Exchange.Admin.OData.Core.ODataServiceException", ran=False)


_NAMES = {
    429: ("TooManyRequests", "Too many requests. Please try again later."),
    500: ("InternalServerError", "Internal server error."),
    503: ("serviceNotAvailable", "The service is temporarily unavailable."),
    504: ("gatewayTimeout", "The gateway did not receive an answer in time."),
    507: ("insufficientStorage", "The maximum storage quota has been reached."),
}


def failed(service: str, status: int, ids: Mapping[str, str], wait: float | None = None) -> Reply:
    """Return an answer that says the service cannot now; ``wait`` is what ``Retry-After`` says, None for nothing."""
    headers = {} if wait is None else {"Retry-After": str(max(1, ceil(wait)))}
    code, text = _NAMES[status]
    if service == GRAPH:
        return graph_refusal(GraphError(status, code, text), ids, headers)
    return Reply(status, text.encode(), {"Content-Type": "text/plain", **headers})


def elsewhere(request: Request) -> Reply:
    """Return the redirect to a regional host: this server by its other name, so that clients drop their token."""
    base = request.base
    other = base.replace("127.0.0.1", "localhost") if "127.0.0.1" in base else base.replace("localhost", "127.0.0.1")
    return Reply(302, b"", {"Location": other + request.path})


def afterwards(rule: FaultRule, reply: Reply) -> Reply:
    """Return the answer of a fault that strikes when everything has taken place."""
    if rule.fault == "slow":
        return replace(reply, hold=rule.seconds)
    if rule.fault == "cut-short":
        return replace(reply, short=True)
    if rule.fault == "not-json":
        return replace(reply, body=reply.body[: len(reply.body) // 2])
    return reply
