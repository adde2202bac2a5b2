"""What a tenant consists of. Plain values that change; how and why they change is elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

T = TypeVar("T")


class Lagged(Generic[T]):
    """A value that readers see late: what is written now shows up when its delay is over."""

    __slots__ = ("_old", "_shows_at", "true")

    def __init__(self, value: T) -> None:
        self.true = value
        self._old = value
        self._shows_at: datetime | None = None

    def set(self, value: T, now: datetime, shows_at: datetime) -> None:
        """Write a value that readers see from then on; until then they see what they saw."""
        self._old = self.seen(now)
        self.true = value
        self._shows_at = shows_at

    def seen(self, now: datetime) -> T:
        """Return what a reader sees."""
        return self._old if self._shows_at is not None and now < self._shows_at else self.true


@dataclass(frozen=True, slots=True)
class By:
    """Who changed something.

    Args:
        kind: ``app``, ``user`` (signed in through an application), ``portal``, ``attacker``, ``owner`` or ``service``.
        name: a user principal name, or what a service calls itself.
        app: the application's id, "" where none was used.
        request: our id of the request.
        client_request: the client's own id of it.
    """

    kind: str
    name: str = ""
    app: str = ""
    request: str = ""
    client_request: str = ""


SERVICE = By("service", "Microsoft 365")
SYNC = By("service", "Directory synchronisation")


@dataclass(frozen=True, slots=True)
class Method:
    """A registered sign-in method; ``kind`` is Microsoft's resource type without prefix."""

    id: str
    kind: str
    name: str
    created_at: datetime
    default: bool = False


@dataclass(slots=True)
class Rule:
    """An inbox rule; ``number`` is Exchange's, ``hidden`` ones are shown on request only."""

    number: int
    name: str
    enabled: bool = True
    hidden: bool = False
    forward_to: tuple[str, ...] = ()
    redirect_to: tuple[str, ...] = ()
    delete: bool = False
    move_to: str = ""
    system: bool = False


@dataclass(slots=True)
class Mailbox:
    """A mailbox and who has rights to it (user principal names)."""

    address: str
    shared: bool = False
    rules: list[Rule] = field(default_factory=list)
    forwards_inside: str = ""
    forwards_outside: str = ""
    keeps_copy: bool = False
    full_access: list[str] = field(default_factory=list)
    send_as: list[str] = field(default_factory=list)
    on_behalf: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Consent:
    """What an application may do on a person's behalf; an app role has no scope and a creation time."""

    id: str
    client: str
    scope: str
    created_at: datetime
    app_role: str = ""


@dataclass(slots=True)
class Role:
    """An active directory role."""

    id: str
    definition: str
    scope: str = "/"


@dataclass(slots=True)
class Account:
    """A user of the directory. A password is only ever its number: nothing here is a secret."""

    id: str
    upn: str
    name: str
    made_at: datetime
    enabled: Lagged[bool]
    password_at: Lagged[datetime]
    sessions_from: Lagged[datetime]
    methods: Lagged[tuple[Method, ...]]
    mailbox: Mailbox
    password: int = 1
    synced: bool = False
    guest: bool = False
    per_user_mfa: str = "disabled"
    report_at: datetime | None = None
    consents: list[Consent] = field(default_factory=list)
    roles: list[Role] = field(default_factory=list)
    foothold: set[str] = field(default_factory=set)

    @property
    def alias(self) -> str:
        """Exchange's unique name of the mailbox."""
        return self.upn.partition("@")[0]

    @property
    def attacked(self) -> bool:
        """Whether an attacker can still send mail as this account."""
        inside = self.enabled.true and bool(self.foothold & {"password", "session"})
        return inside or "consent" in self.foothold


@dataclass(slots=True)
class Connector:
    """An inbound connector."""

    id: str
    name: str
    domains: tuple[str, ...]
    addresses: tuple[str, ...]
    enabled: bool = True


@dataclass(slots=True)
class Row:
    """One entry of the restricted entities.

    Args:
        key: the user principal name, or the connector's GUID.
        ends: how it ends by itself: ``midnight``, ``day`` (24 hours after it began) or "" for never.
        leaving_at: when it leaves the list after an unblock; None while nobody unblocked it.
        left_by: who unblocked it.
    """

    kind: str
    key: str
    reason: str
    created_at: datetime
    changed_at: datetime
    temporary: bool = False
    ends: str = ""
    leaving_at: datetime | None = None
    left_by: By = SERVICE
    left_reason: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """A message that left, or was refused, as message trace knows it."""

    trace: str
    message_id: str
    at: datetime
    sender: str
    recipient: str
    subject: str
    status: str
    address: str
    size: int = 4096


@dataclass(frozen=True, slots=True)
class Effect:
    """One change of the tenant, in the order in which they took place."""

    number: int
    at: datetime
    what: str
    target: str
    before: str
    after: str
    by: By
