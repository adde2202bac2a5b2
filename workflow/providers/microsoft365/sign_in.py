"""Signing in to the tenant: a certificate, the machine's own identity, or a person with a code.

MSAL keeps and renews tokens, in memory alone. It returns failures instead of raising them, and after a refusal (429) it
answers from its own cache; here every failure becomes an error that says what to do, without anything secret in it.
"""

from __future__ import annotations

import logging
import os
import re
import stat
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx2
import msal
from msal.exceptions import MsalError

from workflow.errors import NotReachedError, ProviderBusyError, ProviderError, SettingsError
from workflow.providers.microsoft365.answers import UnreadError, body, patience, retry_after
from workflow.providers.microsoft365.connection import Service, is_loopback
from workflow.providers.microsoft365.pace import Pace
from workflow.providers.microsoft365.redaction import redacted
from workflow.providers.microsoft365.wire import belongs, client
from workflow.providers.ways import Way

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from workflow.providers.microsoft365.connection import Connection

_LARGEST_FILE = 100_000
_LARGEST_ANSWER = 1_000_000
_BUSY_FOR = 60.0
_APPLICATION = "ServicePrincipal_"
"""How the audit log begins the name of an application that acted by itself."""
_SENDABLE = re.compile(r"[!-~]+")
_BUSY = frozenset({"temporarily_unavailable", "too_many_requests", "slow_down"})
_CURES = {
    700027: "The certificate is not (yet) the application's: upload it, and give a new one some minutes.",
    700016: "There is no such application in this tenant: check m365_client_id and m365_tenant_id.",
    90002: "There is no such tenant: check m365_tenant_id.",
    7000215: "The application does not accept this credential.",
    7000222: "The application's credential has expired: upload a new certificate.",
    65001: "Nobody consented to the permissions: 'holdfast tenant permissions' prints how.",
    50034: "There is no such user in this tenant.",
}
"""What to do about the error codes that a set-up runs into (Microsoft's list of AADSTS codes)."""
_STRANGE = (ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError)
"""What the library raises of answers that are not as it expects them: it takes their shape for granted."""


class SignIn:
    """Access tokens for one connection; threads may share it.

    Args:
        connection: who signs in, and where.
        tell: shows a person what to type where, for the code.
        transport: stands in for the network in tests.
        pace: how time passes.
        clock: returns the present, aware UTC; dates of when to come back are held against it.
    """

    def __init__(
        self,
        connection: Connection,
        tell: Callable[[str], None] | None = None,
        transport: httpx2.BaseTransport | None = None,
        pace: Pace | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Ask nobody yet."""
        _silence()
        self._connection = connection
        self._tell = tell
        self._door = _Door(connection, transport, pace or Pace(), clock)
        self._lock = threading.Lock()
        self._app: Any = None

    def token(self, service: Service, *, fresh: bool = False) -> str:
        """Return an access token.

        Raises:
            ProviderError: Entra ID refuses, or cannot be reached.
            ProviderBusyError: it asks to come back later.
            SettingsError: the certificate's file is missing, open to others, or holds something else.
        """
        with self._lock:
            try:
                if self._app is None or (fresh and self._connection.way is not Way.DEVICE_CODE):
                    self._app = self._open()
                answer = self._ask(service, fresh=fresh)
            except httpx2.HTTPError as error:
                raise NotReachedError(f"Signing in: Entra ID cannot be reached ({type(error).__name__}).") from None
            except UnreadError as error:
                raise NotReachedError(f"Signing in: {error}.") from None
            except (ValueError, MsalError) as error:
                self._door.raise_if_busy()
                raise ProviderError(f"Signing in: {redacted(str(error)) or type(error).__name__}") from None
            except _STRANGE as error:
                raise ProviderError(
                    f"Signing in: Entra ID's answer is not of the shape that is documented ({type(error).__name__})."
                ) from None
        found = answer.get("access_token") if isinstance(answer, dict) else None
        if not isinstance(found, str) or not found:
            self._door.raise_if_busy()
            raise _refused(answer if isinstance(answer, dict) else {})
        if not _SENDABLE.fullmatch(found):
            self._app = None  # Else it would be kept, and given again, until it runs out.
            raise ProviderError("Signing in: Entra ID gave an access token that no header can carry.")
        return found

    @property
    def user(self) -> str:
        """The person who signed in, or "" for an application."""
        accounts = self._app.get_accounts() if self._connection.way is Way.DEVICE_CODE and self._app else []
        return str(accounts[0].get("username", "")) if accounts else ""

    def goes_by(self, name: str, app: str) -> bool:
        """Say whether the tenant's log names us: the person who signed in, or an application that may be ours.

        Args:
            name: who acted, as the log has it; of an application ``ServicePrincipal_`` and an id of the tenant's own.
            app: the application's (client) id, "" where the record does not tell it.
        """
        if self._connection.way is Way.DEVICE_CODE:
            return bool(self.user) and name.casefold() == self.user.casefold()
        own = self._connection.client
        return name.startswith(_APPLICATION) and (not own or not app or app.casefold() == own.casefold())

    def close(self) -> None:
        """Give the connections back."""
        self._door.close()

    def _open(self) -> Any:
        connection = self._connection
        if connection.way is Way.MANAGED_IDENTITY:
            own = msal.UserAssignedManagedIdentity(client_id=connection.client) if connection.client else None
            return msal.ManagedIdentityClient(own or msal.SystemAssignedManagedIdentity(), http_client=self._door)
        shared = {
            "authority": self._door.outward(f"{connection.address(Service.LOGIN)}/{connection.tenant}"),
            "http_client": self._door,
            # The address was chosen in the settings: nobody has to be asked whether it is Microsoft's.
            "instance_discovery": False,
        }
        if connection.way is Way.DEVICE_CODE:
            return msal.PublicClientApplication(connection.client, **shared)
        assert connection.certificate is not None  # noqa: S101 - a connection without one cannot be made
        pem = read_certificate(connection.certificate)
        # Without a thumbprint MSAL signs with PS256 and SHA-256.
        credential = {"private_key": pem, "public_certificate": pem}
        if connection.certificate_password:
            credential["passphrase"] = connection.certificate_password
        return msal.ConfidentialClientApplication(connection.client, client_credential=credential, **shared)

    def _ask(self, service: Service, *, fresh: bool) -> Any:
        audience = self._connection.audience(service)
        scopes = [f"{audience}/.default"]
        if self._connection.way is Way.MANAGED_IDENTITY:
            return self._app.acquire_token_for_client(resource=audience)
        if self._connection.way is Way.CERTIFICATE:
            return self._app.acquire_token_for_client(scopes=scopes)
        for account in self._app.get_accounts()[:1]:
            # Who has typed a code is not asked for another: their sign-in gives new tokens.
            silent = self._app.acquire_token_silent(scopes, account=account, force_refresh=fresh)
            if silent:
                return silent
        flow = self._app.initiate_device_flow(scopes=scopes)
        if "user_code" not in flow or self._tell is None:
            return flow if "error" in flow else {"error_description": "nobody is here to type a code"}
        self._tell(redacted(str(flow.get("message", ""))) or f"{flow.get('verification_uri')}: {flow['user_code']}")
        return self._app.acquire_token_by_device_flow(flow)


def read_certificate(path: Path) -> str:
    """Return the PEM file of a certificate and its private key.

    Raises:
        SettingsError: it is missing, open to other users, or holds something else.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            pem = file.read(_LARGEST_FILE).decode("ascii", "replace")
    except OSError as error:
        raise SettingsError(f"m365_certificate: {path} cannot be read ({error.strerror}).") from None
    if "PRIVATE KEY-----" not in pem:
        # A certificate alone is public: its mode is no fault, and closing it would bring nobody further.
        message = (
            f"m365_certificate: {path} has no private key. Name the file with key and certificate in one, "
            "such as holdfast.pem, not the certificate that the tenant gets."
        )
        raise SettingsError(message)
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SettingsError(f"m365_certificate: {path} holds a key and is open to other users. Run: chmod 600 {path}")
    if "BEGIN CERTIFICATE-----" not in pem:
        raise SettingsError(f"m365_certificate: {path} must hold both a private key and its certificate, as PEM.")
    return pem


def _silence() -> None:
    """Keep the library's log lines to itself: they repeat whole answers, and those hold tokens."""
    log = logging.getLogger("msal")
    log.propagate = False
    log.handlers = [logging.NullHandler()]


def _refused(answer: dict[str, Any]) -> ProviderError:
    codes = answer.get("error_codes")
    codes = [code for code in codes if isinstance(code, int)] if isinstance(codes, list) else []
    cure = next((_CURES[code] for code in codes if code in _CURES), "")
    error = str(answer.get("error", ""))
    said = redacted(str(answer.get("error_description", "")) or error) or "no token and no reason"
    if error in _BUSY:
        return ProviderBusyError(f"Signing in: Entra ID is busy ({said}).", _BUSY_FOR)
    return ProviderError(f"Signing in: Entra ID refuses: {said}{f' {cure}' if cure else ''}")


class _Door:
    """MSAL's HTTP client: Entra ID, or the machine's identity service, and nobody else.

    MSAL insists on https in every address, and knows by itself where the machine's identity service is. Where another
    address is set, or a simulated tenant answers on this machine over http, addresses are translated on their way out
    and in. Who says to come back later is not called before: MSAL remembers that of tokens, and not of where they are
    to be had.
    """

    def __init__(
        self,
        connection: Connection,
        transport: httpx2.BaseTransport | None,
        pace: Pace,
        clock: Callable[[], datetime],
    ) -> None:
        self._home = connection.address(Service.LOGIN)
        self._machine = connection.way is Way.MANAGED_IDENTITY
        self._elsewhere = connection.machine if self._machine else ""
        self._client = client(connection, transport, proxies=not self._machine)
        self._pace = pace
        self._clock = clock
        self._patience = patience(connection.timeout)
        self._closed_until = 0.0

    def outward(self, url: str) -> str:
        """Return an address as MSAL wants to see it."""
        return url.replace("http://", "https://", 1) if is_loopback(self._home) else url

    def get(self, url: str, **options: Any) -> _Page:
        """Fetch, as MSAL asks."""
        return self._send("GET", url, options)

    def post(self, url: str, **options: Any) -> _Page:
        """Post, as MSAL asks."""
        return self._send("POST", url, options)

    def raise_if_busy(self) -> None:
        """Raise where it is too early to come back; MSAL repeats the answer that said so without asking again."""
        left = self._closed_until - self._pace.now()
        if left > 0:
            raise ProviderBusyError(f"Signing in: Entra ID is busy. Come back in {left:.0f} seconds.", left)

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def _send(self, method: str, url: str, options: dict[str, Any]) -> _Page:
        self.raise_if_busy()
        away = self.outward(self._home)
        if url.startswith(f"{away}/"):
            url = self._home + url.removeprefix(away)
        if self._elsewhere:
            url = self._elsewhere + httpx2.URL(url).raw_path.decode()
        if not self._machine and not belongs(httpx2.URL(url), httpx2.URL(self._home)):
            raise ValueError(f"Entra ID sends us to {url}, which is not its own.")
        kept = {name: options[name] for name in ("params", "data", "headers") if options.get(name) is not None}
        if "data" in kept:  # MSAL's own client takes bytes among the fields; this one would write b'…'.
            fields = kept["data"].items()
            kept["data"] = {name: value.decode() if isinstance(value, bytes) else value for name, value in fields}
        until = self._pace.now() + self._patience
        response = self._client.send(self._client.build_request(method, url, **kept), stream=True)
        try:
            found = body(response, now=self._pace.now, until=until, largest=_LARGEST_ANSWER)
        finally:
            response.close()
        if httpx2.codes.OK < response.status_code < httpx2.codes.BAD_REQUEST:
            raise ValueError(f"Entra ID answers with status {response.status_code}, which is no answer to this.")
        if response.status_code == httpx2.codes.TOO_MANY_REQUESTS:
            wait = retry_after(response.headers.get("Retry-After", ""), self._clock()) or _BUSY_FOR
            self._closed_until = self._pace.now() + wait
        return _Page(response, found.decode("utf-8", "replace").replace(self._home, away))


class _Page:
    """An answer as MSAL reads it."""

    def __init__(self, response: httpx2.Response, text: str) -> None:
        self.status_code = response.status_code
        self.headers = dict(response.headers)
        self.text = text
