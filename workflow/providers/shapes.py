"""What a tenant says, as frozen values: one class per thing, times aware UTC, nothing secret.

Every answer is an :class:`Answer`: the value beside the call that gave it, its request id and when it was read, because
evidence names its source. A field that a tenant did not say is None, never a guess.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from datetime import datetime

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Read:
    """Where an answer comes from.

    Args:
        call: the cmdlet, or method and path without host and identifiers, such as ``GET /users/{id}``.
        request: the service's request id, "" where it gave none.
        at: when the answer arrived, by our clock.
    """

    call: str
    request: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """A value and where it comes from. Several calls behind one answer are named in order, the newest last."""

    value: T
    read: Read


@dataclass(frozen=True, slots=True, kw_only=True)
class Restricted:
    """One row of the restricted entities.

    ``temporary`` is None where the row does not say; ``reason`` is the raw text (:mod:`workflow.sources.reason`).
    """

    identifier: str
    name: str = ""
    reason: str = ""
    temporary: bool | None = None
    created_at: datetime | None = None
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user of the directory. ``address`` is the one that they send mail from, "" where the directory says none."""

    id: str
    name: str
    enabled: bool
    address: str = ""
    password_changed_at: datetime | None = None
    sessions_valid_from: datetime | None = None
    synced: bool = False
    guest: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInMethod:
    """One way to prove who one is. ``kind`` is Microsoft's resource type without prefix, such as ``fido2``."""

    id: str
    kind: str
    name: str = ""
    created_at: datetime | None = None
    removable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionalPolicy:
    """A policy in force that lets nobody whom it is about in without a second factor.

    ``everywhere`` says that it leaves out no application, client, place or risk; ``included`` and ``excluded`` are ids
    of users, groups and roles.
    """

    name: str
    everywhere: bool
    everybody: bool
    included: frozenset[str]
    excluded: frozenset[str]
    guests_excluded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInPolicies:
    """What the tenant demands at sign-in: by its demanding policies, and by its defaults; None is not known."""

    conditional: tuple[ConditionalPolicy, ...] | None
    defaults: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MfaRequirement:
    """Whether multifactor authentication is required at sign-in, and by what; registration is another fact.

    ``by`` names what requires it (``conditional-access``, ``per-user``, ``security-defaults``), "" when nothing does.
    ``unread`` names what could not be read, so that *not required* can be told from *not known*.
    """

    required: bool
    by: str = ""
    detail: str = ""
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxRule:
    """One inbox rule, hidden ones included. Rules carry no time: when one was made is in the audit log alone."""

    id: str
    name: str
    enabled: bool
    forwards_to: tuple[str, ...] = ()
    deletes: bool = False
    moves_to: str = ""
    hidden: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Forwarding:
    """Forwarding of a whole mailbox; where both addresses are set only the internal one works."""

    internal: str = ""
    external: str = ""
    keeps_copy: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegate:
    """Somebody else's right to a mailbox: ``full-access``, ``send-as``, ``send-on-behalf``."""

    who: str
    right: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """An application's access on a user's behalf; ``kind`` is ``delegated`` or ``app-role``."""

    id: str
    app: str
    kind: str
    scopes: tuple[str, ...] = ()
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleAssignment:
    """An active directory role of a user; eligible ones (PIM) are not among them."""

    id: str
    role: str
    name: str = ""
    scope: str = "/"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """One sign-in; ``error`` is 0 for a success."""

    id: str
    at: datetime
    app: str = ""
    address: str = ""
    country: str = ""
    error: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Traced:
    """One message to one recipient, as message trace knows it; ``address`` is where it was sent from."""

    id: str
    at: datetime
    sender: str = ""
    recipient: str = ""
    subject: str = ""
    status: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """One record of the unified or the directory audit log. It may come late, twice and out of order: ``id`` tells.

    ``own`` says that it names whom Holdfast signs in as, as far as the record tells one application from another.
    """

    id: str
    at: datetime
    operation: str
    actor: str = ""
    target: str = ""
    details: tuple[tuple[str, str], ...] = ()
    own: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertPolicy:
    """An alert policy as Microsoft models it. ``daily_limit`` None is *no limit*."""

    name: str
    enabled: bool
    notifies: bool
    recipients: tuple[str, ...] = ()
    daily_limit: int | None = None
    severity: str = ""
    system: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPosture:
    """Whether the tenant keeps an audit log at all."""

    unified_log: bool
    mailbox_auditing: bool | None = None
    first_on_at: datetime | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A password on its one way to the person who asked for it. It prints as nothing and is written nowhere."""

    text: str = field(compare=False)

    def __repr__(self) -> str:
        """Show nothing."""
        return "Secret(…)"
