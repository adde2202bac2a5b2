"""HTTP to Microsoft 365: one call out, one answer back, and an honest word about what happened in between.

What may be tried again is decided here and nowhere else. A read is. A change is not, because an answer that did
not come says nothing about what was done; only a call that was turned away unheard (429) or never left this machine is
known not to have happened.
"""

from __future__ import annotations

import json
import logging
import ssl
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

import httpx2

from workflow.errors import NotReachedError, OutcomeUnknownError, ProviderBusyError, ProviderError
from workflow.providers.microsoft365.answers import UnreadError, body, patience, retry_after
from workflow.providers.microsoft365.connection import Family, Service, is_loopback
from workflow.providers.microsoft365.pace import Budget, Pace
from workflow.providers.microsoft365.redaction import redacted, request_id
from workflow.providers.shapes import Read

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from workflow.providers.microsoft365.connection import Connection

LOG = logging.getLogger("holdfast.tenant")

ATTEMPTS = 4
_HOPS = 3
_LARGEST = 64 * 1024 * 1024
_UNSAID_WAIT = 5.0
_UNAUTHORISED, _TOO_MANY, _TIMEOUT, _FAILED = 401, 429, 408, 500
_NEARLY = 0.8
"""From where on Graph says how far its limit is used up (Microsoft's page on throttling)."""
_SILENT = frozenset({202, 204})
_MOVED = frozenset({301, 302, 307, 308})
_TOO_BUSY = b"maximum number of concurrent requests"
_NOT_SENT = (
    *(httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout),
    *(httpx2.LocalProtocolError, httpx2.UnsupportedProtocol),
)


class Tokens(Protocol):
    """Where access tokens come from."""

    def token(self, service: Service, *, fresh: bool = False) -> str:
        """Return an access token for a service; ``fresh`` because the one in use was refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call.

    Args:
        name: the cmdlet, or method and path without identifiers; all that logs and evidence say of it.
        service: whose token goes with it.
        family: whose budget it spends.
        method: the HTTP method.
        url: the whole address.
        body: what is sent, as JSON.
        headers: what stands beside token and request id.
        changes: whether it changes the tenant.
        repeatable: whether twice does no more than once.
    """

    name: str
    service: Service
    family: Family
    method: str
    url: str
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    changes: bool = False
    repeatable: bool = True


@dataclass(frozen=True)
class Reply:
    """An answer, whatever its status says."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    at: datetime

    @property
    def good(self) -> bool:
        """Whether the call was carried out."""
        return httpx2.codes.is_success(self.status)

    @property
    def turned_away(self) -> bool:
        """Whether the service would not hear it now; Exchange also says so in plain text."""
        return self.status == _TOO_MANY or (not self.body.lstrip().startswith(b"{") and _TOO_BUSY in self.body[:2_000])

    @property
    def nearly_too_many(self) -> bool:
        """Whether the service says that most of what it lets through is used up, by whomever."""
        with suppress(ValueError):
            return float(self.headers.get("x-ms-throttle-limit-percentage", "0")) >= _NEARLY
        return False

    @property
    def later(self) -> bool:
        """Whether the service failed in a way that may pass."""
        return self.status == _TIMEOUT or self.status >= _FAILED

    @property
    def retry_after(self) -> float | None:
        """Seconds to stay away, where the service says so."""
        return retry_after(self.headers.get("retry-after", ""), self.at)

    @property
    def silent(self) -> bool:
        """Whether it says by its status alone that the call was carried out."""
        return self.status in _SILENT and not self.body

    @property
    def whole(self) -> bool:
        """Whether its body is a JSON object without an error; a proxy's page that says *200* is none."""
        return isinstance(self._parsed, dict) and self._parsed.get("error") is None

    @property
    def data(self) -> dict[str, Any]:
        """The body as a JSON object; an empty one where it is none."""
        return self._parsed if isinstance(self._parsed, dict) else {}

    @cached_property
    def _parsed(self) -> Any:
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def read(self, name: str) -> Read:
        """Return where an answer comes from."""
        ids = (self.headers.get(header, "") for header in ("request-id", "client-request-id"))
        return Read(name, next((found for found in map(request_id, ids) if found), ""), self.at)


class _LostError(Exception):
    """No answer came. ``sent`` says whether the service may have heard the call."""

    def __init__(self, why: str, *, sent: bool) -> None:
        super().__init__(why)
        self.sent = sent


class Wire:
    """The one HTTP client of a connection; threads may share it. ``watch`` is shown every answer.

    Args:
        connection: where to, and how often.
        tokens: where access tokens come from.
        clock: returns the present, aware UTC.
        pace: how time passes.
        transport: stands in for the network in tests.
    """

    def __init__(
        self,
        connection: Connection,
        tokens: Tokens,
        clock: Callable[[], datetime],
        pace: Pace | None = None,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        """Open no connection yet."""
        self._connection = connection
        self._tokens = tokens
        self._clock = clock
        self.watch: Callable[[Call, Reply], None] | None = None
        self.pace = pace or Pace()
        self._budgets = {family: Budget(family.value, connection.limit(family), self.pace) for family in Family}
        self._client = client(connection, transport)

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def share(self, workers: int) -> None:
        """Take the part of one of so many workers in what the tenant lets through."""
        for budget in self._budgets.values():
            budget.share(workers)

    def send(self, call: Call) -> Reply:
        """Return the answer to a call, good or not.

        Raises:
            ProviderBusyError: the service turned it away unheard, again and again or for longer than patience lasts.
            OutcomeUnknownError: it would change the tenant, and no answer says whether it did.
            ProviderError: the service cannot be reached or fails, or a reading has no answer; nothing was changed.
        """
        token = self._tokens.token(call.service)
        renewed = False
        attempt = 0
        while True:
            budget = self._budgets[call.family]
            try:
                with budget.call():
                    reply = self._exchange(call, token)
                if reply.nearly_too_many:
                    budget.ease()
            except _LostError as lost:
                self._lost(call, lost, attempt)
                self.pace.wait(self.pace.backoff(attempt))
            else:
                if reply.turned_away:
                    self._turned_away(call, reply, budget, attempt)
                elif reply.later:
                    self._failed(call, reply, attempt)
                    budget.hold(reply.retry_after or 0.0)
                    self.pace.wait(0.0 if reply.retry_after else self.pace.backoff(attempt))
                elif reply.status == _UNAUTHORISED and not renewed:
                    # Refused before it was heard: a token may have been taken back before its time.
                    renewed = True
                    token = self._tokens.token(call.service, fresh=True)
                    continue
                else:
                    _judge(call, reply)
                    return reply
            attempt += 1

    def _lost(self, call: Call, lost: _LostError, attempt: int) -> None:
        if call.changes and lost.sent:
            raise _unknown(call, str(lost))
        if attempt + 1 == ATTEMPTS or call.changes:
            raise NotReachedError(f"{call.name}: no answer ({lost}). Nothing was changed.") from None

    def _turned_away(self, call: Call, reply: Reply, budget: Budget, attempt: int) -> None:
        wait = reply.retry_after
        wait = _UNSAID_WAIT * 2**attempt if wait is None else wait
        # Its own waiting time holds back every call of the family, this one's next attempt included.
        budget.hold(wait)
        if attempt + 1 == ATTEMPTS or not call.repeatable:
            raise ProviderBusyError(
                f"{call.name}: Microsoft 365 is busy and turned it away; nothing was changed. "
                f"Come back in {wait:.0f} seconds.",
                wait,
            )

    def _failed(self, call: Call, reply: Reply, attempt: int) -> None:
        why = f"status {reply.status} {redacted(reply.body[:2_000].decode('utf-8', 'replace'))}".strip()
        if call.changes:
            raise _unknown(call, why)
        if attempt + 1 == ATTEMPTS:
            raise ProviderError(f"{call.name}: Microsoft 365 fails ({why}). Nothing was changed.")

    def _exchange(self, call: Call, token: str) -> Reply:
        """Send once, following redirects to places that may have the token."""
        url = call.url
        for _ in range(_HOPS):
            reply = self._once(call, url, token)
            if reply.status not in _MOVED:
                return reply
            url = self._moved(call, url, reply.headers.get("location", ""))
        raise ProviderError(f"{call.name}: the service sends us round in a circle.")

    def _once(self, call: Call, url: str, token: str) -> Reply:
        headers = {
            "Accept": "application/json",
            "Authorization": f"Bearer {token}",
            "client-request-id": str(uuid.uuid4()),
            **call.headers,
        }
        begun = self.pace.now()
        try:
            request = self._client.build_request(call.method, url, json=call.body, headers=headers)
        except ValueError:
            # The tenant's own names go into calls, and may hold what no text in UTF-8 does.
            raise ProviderError(f"{call.name}: what it is about cannot be sent. Nothing was changed.") from None
        try:
            response = self._client.send(request, stream=True)
            until = begun + patience(self._connection.timeout)
            try:
                found = body(response, now=self.pace.now, until=until, largest=_LARGEST)
            finally:
                response.close()
        except _NOT_SENT as error:
            raise _LostError(type(error).__name__, sent=False) from None
        except httpx2.TransportError as error:
            raise _LostError(type(error).__name__, sent=True) from None
        except UnreadError as error:
            raise _LostError(str(error), sent=True) from None
        headers = {name.lower(): value for name, value in response.headers.items()}
        reply = Reply(response.status_code, headers, found, self._clock())
        spent = (self.pace.now() - begun) * 1_000
        if self.watch is not None:
            self.watch(call, reply)
        LOG.info("%s %s %s %.0f ms", call.name, reply.status, reply.read(call.name).request, spent)
        return reply

    def _moved(self, call: Call, url: str, location: str) -> str:
        """Return where a call was sent on to: the token goes to the same service's hosts and to nobody else."""
        here = httpx2.URL(url)
        try:
            there = here.join(location)
        except (httpx2.InvalidURL, ValueError):
            _stray(call, location)
        home = httpx2.URL(self._connection.address(call.service))
        if call.service is Service.COMPLIANCE and there.host != home.host:
            # The front door names a region by the host of another of its services; the interface is the region's own.
            region = there.host.split(".", 1)[0]
            return str(here.copy_with(host=f"{region}.{home.host}")) if region.isalnum() else _stray(call, location)
        if not belongs(there, home):
            _stray(call, location)
        return str(there)


def belongs(there: httpx2.URL, home: httpx2.URL) -> bool:
    """Say whether an address is a service's own: its host or one beneath it, by the same scheme and port.

    This machine's own names are one host.
    """
    same = there.scheme == home.scheme and there.port == home.port and not there.userinfo
    near = there.host == home.host or there.host.endswith(f".{home.host}")
    return same and (near or (is_loopback(str(there)) and is_loopback(str(home))))


def next_page(name: str, url: str, home: str) -> str:
    """Return the address of a following page, which is at the same service.

    Raises:
        ProviderError: it is elsewhere, and the token is not sent there.
    """
    try:
        if belongs(httpx2.URL(url), httpx2.URL(home)):
            return url
    except (httpx2.InvalidURL, ValueError):
        pass
    raise ProviderError(f"{name}: the next page is said to be at a place that is not the service's own.")


def client(
    connection: Connection, transport: httpx2.BaseTransport | None = None, *, proxies: bool = True
) -> httpx2.Client:
    """Return an HTTP client: certificates are checked, redirects are not followed, proxies are the environment's."""
    # The library's own log lines carry whole addresses, and those carry people's names.
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    addresses = [connection.address(service) for service in Service]
    local = all(map(is_loopback, addresses))
    plain = all(address.startswith("http://") for address in addresses)
    return httpx2.Client(
        # Without TLS there is no certificate to check, and reading whom to trust takes longer than many calls.
        verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if plain else True,
        transport=transport,
        timeout=httpx2.Timeout(connection.timeout, connect=10.0),
        follow_redirects=False,
        trust_env=proxies and not local,
        headers={"User-Agent": "holdfast"},
    )


def _judge(call: Call, reply: Reply) -> None:
    """Raise where a status says *done* and the body does not: whoever answered may not be the service."""
    says = reply.whole or (call.changes and reply.silent)
    if reply.status >= httpx2.codes.BAD_REQUEST or (reply.good and says):
        return
    if call.changes:
        raise _unknown(call, f"status {reply.status}, and a body that is not the service's")
    raise ProviderError(f"{call.name}: the answer is no JSON object, or holds an error. Nothing is concluded from it.")


def _unknown(call: Call, why: str) -> OutcomeUnknownError:
    return OutcomeUnknownError(
        f"{call.name} was sent, and no answer says whether it was carried out ({why}). "
        "Read the tenant before anything else."
    )


def _stray(call: Call, location: str) -> NoReturn:
    raise ProviderError(
        f"{call.name}: the service sends us on to {redacted(location)[:100] or 'nowhere'}, which is not its own. "
        "The access token was not sent there."
    )
