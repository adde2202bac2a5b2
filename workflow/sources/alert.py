"""One alert of Graph's ``security/alerts_v2``: it may name several restricted users."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workflow.domain.restriction import Restriction, Skipped, Source
from workflow.domain.vocabulary import Kind, RestrictionStatus
from workflow.errors import InputError
from workflow.sources.fields import Fields, folded, identifier, tenant, text
from workflow.sources.limits import MAX_NAME
from workflow.sources.moment import moment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from workflow.sources.options import ReadOptions

_USERS = "user restricted from sending email"
_CONNECTORS = "suspicious connector activity"
_BYSTANDERS = frozenset({"contextual", "scanned", "destination", "created", "added", "edited", "loaded"})
"""Roles of evidence (``evidenceRole`` of Graph) that do not say that this user is the restricted one."""
_CLEARED = "nothreatsfound"


@dataclass(frozen=True, slots=True)
class _Alert:
    fields: Fields
    where: str
    tenant: str
    begun: datetime | None
    seen: datetime | None

    def restriction(self, kind: Kind, named: str, where: str, name: object) -> Restriction:
        return Restriction(
            kind=kind,
            identifier=named,
            status=RestrictionStatus.LISTED,
            source=Source.ALERT,
            restricted_at=self.begun,
            observed_at=self.seen,
            reason=text(self.fields.get("description")),
            name=text(name, MAX_NAME),
            tenant=self.tenant,
            where=where,
        )


def alert(item: Fields, where: str, options: ReadOptions) -> Iterator[Restriction | Skipped]:
    """Yield one restriction for each entity that the alert says is restricted, and why others are not.

    Raises:
        InputError: the alert as a whole cannot be read.
    """
    title = text(item.get("title"), MAX_NAME)
    wanted = title.casefold()
    if not wanted.startswith((_USERS, _CONNECTORS)):
        yield Skipped(where, f"The alert {title!r} does not say that an entity was restricted.")
        return
    created = moment(item.get("createddatetime"), options)
    begun = moment(item.get("firstactivitydatetime"), options) or created
    found = _Alert(item, where, tenant(item.get("tenantid"), options.tenant), begun, created)
    evidence = item.get("evidence")
    pieces = [
        (f"{where}, evidence {number}", folded(piece))
        for number, piece in enumerate(evidence if isinstance(evidence, list) else [], start=1)
        if isinstance(piece, dict)
    ]
    yield from _users(found, pieces) if wanted.startswith(_USERS) else _connectors(found, pieces)


def _users(found: _Alert, pieces: list[tuple[str, Fields]]) -> Iterator[Restriction | Skipped]:
    seen: dict[str, bool] = {}
    for kind in ("userevidence", "mailboxevidence"):
        users_named = any(seen.values())
        for where, piece in pieces:
            if not text(piece.get("@odata.type")).casefold().endswith(kind):
                continue
            try:
                named, name = _mailbox(piece)
            except InputError as error:
                yield Skipped(where, str(error), broken=True)
                continue
            if seen.get(named) or (named in seen and kind == "mailboxevidence"):
                continue
            why = _innocent(piece)
            if not why and kind == "mailboxevidence" and users_named:
                why = "it is named beside the restricted user; look whether Get-BlockedSenderAddress lists it"
            seen[named] = not why
            if why:
                yield Skipped(where, f"{named!r} opens nothing: {why}.")
            else:
                yield found.restriction(Kind.MAILBOX, named, where, name)
    if not seen:
        why = "The alert names no user: run Get-BlockedSenderAddress and import its output."
        yield Skipped(found.where, why, broken=True)


def _mailbox(piece: Fields) -> tuple[str, Any]:
    """Return the identifier, the UPN as hosted mailboxes are listed under it, and the display name."""
    inner = piece.get("useraccount")
    account = folded(inner) if isinstance(inner, dict) else {}
    named = account.get("userprincipalname") or piece.get("upn") or piece.get("primaryaddress")
    return identifier(Kind.MAILBOX, named), account.get("displayname") or piece.get("displayname")


def _innocent(piece: Fields) -> str:
    """Return why this evidence is not about the restricted user, or ""."""
    if text(piece.get("verdict")).casefold() == _CLEARED:
        return "the alert's verdict on it is noThreatsFound"
    roles = piece.get("roles")
    names = [text(role, MAX_NAME) for role in roles] if isinstance(roles, list) else []
    if names and all(name.casefold() in _BYSTANDERS for name in names):
        return f"its role in the alert is {', '.join(sorted(set(names)))}"
    return ""


def _connectors(found: _Alert, pieces: list[tuple[str, Fields]]) -> Iterator[Restriction | Skipped]:
    """Yield the connectors. No public example shows where this alert names them: few will be found."""
    seen: set[str] = set()
    for where, piece in pieces:
        named = piece.get("connectorid") or piece.get("connectorguid")
        if not named:
            continue
        try:
            guid = identifier(Kind.CONNECTOR, named)
        except InputError as error:
            yield Skipped(where, str(error), broken=True)
            continue
        if guid not in seen:
            seen.add(guid)
            yield found.restriction(Kind.CONNECTOR, guid, where, piece.get("connectorname"))
    if not seen:
        why = "The alert does not carry the connector's id: run Get-BlockedConnector and import its output."
        yield Skipped(found.where, why)
