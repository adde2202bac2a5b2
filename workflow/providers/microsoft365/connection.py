"""How a tenant is reached: which cloud, which addresses, who signs in, and what may be asked of it in a while.

Nothing here is read from the environment; :mod:`workflow.settings` does that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from workflow.errors import SettingsError
from workflow.providers.ways import Way

if TYPE_CHECKING:
    from collections.abc import Mapping


class Cloud(StrEnum):
    """Microsoft's clouds; GCC is part of the public one."""

    PUBLIC = "public"
    GCC_HIGH = "gcc-high"
    DOD = "dod"
    CHINA = "china"


class Service(StrEnum):
    """What is spoken to, each with an address and a token of its own."""

    LOGIN = "login"
    GRAPH = "graph"
    EXCHANGE = "exchange"
    COMPLIANCE = "compliance"


class Family(StrEnum):
    """Calls that Microsoft counts together."""

    DIRECTORY = "directory"
    REPORTS = "reports"
    POLICIES = "policies"
    AUDIT = "audit"
    TRACE = "trace"
    EXCHANGE = "exchange"


@dataclass(frozen=True, slots=True)
class Limit:
    """How many calls may begin in how many seconds, and how many may be under way at once."""

    calls: int
    seconds: float
    at_once: int = 4


LIMITS: Mapping[Family, Limit] = MappingProxyType(
    {
        Family.DIRECTORY: Limit(1_000, 10),
        Family.REPORTS: Limit(5, 10, 1),
        Family.POLICIES: Limit(1, 1, 1),
        Family.AUDIT: Limit(100, 300),
        Family.TRACE: Limit(100, 300),
        Family.EXCHANGE: Limit(300, 60),
    }
)
"""What Microsoft's throttling page says (directory: a fraction of it), and a guess for Exchange, which says nothing."""

_LOGIN, _GOVERNMENT = "https://login.microsoftonline.com", "https://login.microsoftonline.us"
_HOSTS: Mapping[Cloud, tuple[str, str, str, str]] = MappingProxyType(
    {
        Cloud.PUBLIC: (
            _LOGIN,
            "https://graph.microsoft.com",
            "https://outlook.office365.com",
            "https://ps.compliance.protection.outlook.com",
        ),
        Cloud.GCC_HIGH: (
            _GOVERNMENT,
            "https://graph.microsoft.us",
            "https://outlook.office365.us",
            "https://ps.compliance.protection.office365.us",
        ),
        Cloud.DOD: (
            _GOVERNMENT,
            "https://dod-graph.microsoft.us",
            "https://outlook-dod.office365.us",
            "https://l5.ps.compliance.protection.office365.us",
        ),
        Cloud.CHINA: (
            "https://login.partner.microsoftonline.cn",
            "https://microsoftgraph.chinacloudapi.cn",
            "https://outlook.office365.cn",
            "https://ps.compliance.protection.partner.outlook.cn",
        ),
    }
)

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_TENANT = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z.-]{0,252}[0-9A-Za-z])?")
_GUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


@dataclass(frozen=True, kw_only=True)
class Connection:
    """One tenant's connection.

    Args:
        tenant: the tenant's id (a GUID, preferred) or one of its domains.
        client: the application's id; "" for the machine's own managed identity.
        way: how Holdfast signs in.
        certificate: a PEM file with the private key and the certificate.
        certificate_password: what the private key is encrypted with; "" for nothing.
        cloud: whose addresses and token audiences hold.
        addresses: addresses used instead of the cloud's, without a path.
        identity: the address of the machine's identity service, if it is not the usual one; a simulated tenant answers
            for it where it answers for signing in.
        timeout: seconds that one answer may let wait.
        limits: limits used instead of :data:`LIMITS`.

    Raises:
        SettingsError: it cannot work, or would send tokens in the clear.
    """

    tenant: str
    client: str = ""
    way: Way = Way.CERTIFICATE
    certificate: Path | None = None
    certificate_password: str = field(default="", repr=False)
    cloud: Cloud = Cloud.PUBLIC
    addresses: Mapping[Service, str] = field(default_factory=dict)
    identity: str = ""
    timeout: float = 100.0
    limits: Mapping[Family, Limit] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse early what could only fail, or leak, later."""
        if not _TENANT.fullmatch(self.tenant):
            raise SettingsError("m365_tenant_id: the tenant's id is missing, or is neither a GUID nor a domain.")
        if self.way is not Way.MANAGED_IDENTITY and not _GUID.fullmatch(self.client):
            raise SettingsError("m365_client_id: the application's (client) id is missing or is no GUID.")
        if self.way is Way.CERTIFICATE and self.certificate is None:
            raise SettingsError("m365_certificate: name the PEM file with the application's key and certificate.")
        for service in Service:
            _checked(service.value, self.address(service))
        if self.identity:
            _checked("identity", self.identity.rstrip("/"))

    def address(self, service: Service) -> str:
        """Return where a service is reached, without a slash at the end."""
        own = self.addresses.get(service, "")
        return (own or _HOSTS[self.cloud][list(Service).index(service)]).rstrip("/")

    def audience(self, service: Service) -> str:
        """Return what a token for a service is made out to; another address does not change that."""
        return _HOSTS[self.cloud][list(Service).index(service)]

    @property
    def machine(self) -> str:
        """Where the machine's identity service is reached, "" for where the library looks for it."""
        login = self.address(Service.LOGIN)
        return self.identity.rstrip("/") or (login if is_loopback(login) else "")

    def limit(self, family: Family) -> Limit:
        """Return how often a family may be called."""
        return self.limits.get(family, LIMITS[family])


def is_loopback(url: str) -> bool:
    """Say whether an address is this machine's own."""
    return (urlsplit(url).hostname or "") in _LOOPBACK


def _checked(what: str, address: str) -> None:
    name = f"m365_{what}_url"
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise SettingsError(f"{name}: this is no address.") from None
    if port == 0 or not parts.hostname or parts.path or parts.query or parts.fragment or "@" in parts.netloc:
        raise SettingsError(f"{name}: expected scheme and host alone, such as https://graph.microsoft.com.")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(address)):
        raise SettingsError(f"{name}: tokens travel over https alone; http is for this machine's own addresses.")
