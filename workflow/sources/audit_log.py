"""Records of the unified audit log: listings and delistings, and who removed a restriction."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from workflow.domain.restriction import Restriction, Skipped, Source
from workflow.domain.vocabulary import Kind, RestrictionStatus
from workflow.errors import InputError
from workflow.sources import reason
from workflow.sources.fields import Fields, folded, identifier, tenant, text
from workflow.sources.limits import MAX_NAME
from workflow.sources.moment import moment
from workflow.sources.options import ReadOptions

if TYPE_CHECKING:
    from datetime import datetime

_LISTING = "hygienetenantevents"
_REMOVALS = {
    "remove-blockedsenderaddress": (Kind.MAILBOX, "senderaddress"),
    "remove-blockedconnector": (Kind.CONNECTOR, "connectorid"),
}
_SUCCEEDED = frozenset({"", "true", "success", "succeeded"})
_UTC = ReadOptions()
"""The audit log writes UTC and does not say so; the reader's zone does not apply to it."""


def record(row: Fields, where: str, options: ReadOptions) -> Restriction | Skipped:
    """Return what one record says. Operations other than listings and removals are skipped.

    Raises:
        InputError: the record cannot be read.
    """
    fields = _inner(row)
    operation = text(fields.get("operation"), MAX_NAME)
    if operation.casefold() == _LISTING:
        return _listing(fields, where, options)
    if operation.casefold() in _REMOVALS:
        return _removal(fields, where, options)
    return Skipped(where, f"The operation {operation!r} neither lists nor removes a restriction.")


def _inner(row: Fields) -> Fields:
    """Return the record itself, which Graph wraps as ``AuditData``, and exports as a string of JSON."""
    data = row.get("auditdata", row)
    if isinstance(data, str):
        try:
            data = json.loads(data)
        except (ValueError, RecursionError):
            raise InputError("Its AuditData is not valid JSON: spreadsheets cut long cells off.") from None
    if not isinstance(data, dict):
        raise InputError("Its AuditData is not a record.")
    return folded(data)


def _listing(fields: Fields, where: str, options: ReadOptions) -> Restriction | Skipped:
    event = text(fields.get("event"), MAX_NAME)
    listed = event.casefold() == "listed"
    if not listed and event.casefold() != "delisted":
        return Skipped(where, f"The hygiene event {event!r} is neither Listed nor Delisted.")
    at, why = _created(fields), text(fields.get("reason"))
    return Restriction(
        kind=Kind.MAILBOX,
        identifier=identifier(Kind.MAILBOX, fields.get("eventvalue")),
        status=reason.status(why, temporary=None) if listed else RestrictionStatus.NOT_LISTED,
        source=Source.AUDIT_LOG,
        restricted_at=at if listed else None,
        observed_at=at,
        reason=why,
        tenant=tenant(fields.get("organizationid"), options.tenant),
        lifted_at=None if listed else at,
        where=where,
    )


def _removal(fields: Fields, where: str, options: ReadOptions) -> Restriction | Skipped:
    """Return a removal as a delisting that says who; a failed one removed nothing."""
    status = text(fields.get("resultstatus"), MAX_NAME)
    if status.casefold() not in _SUCCEEDED:
        return Skipped(where, f"The removal did not succeed: its ResultStatus is {status!r}.")
    kind, parameter = _REMOVALS[text(fields.get("operation")).casefold()]
    parameters = _parameters(fields.get("parameters"))
    at = _created(fields)
    return Restriction(
        kind=kind,
        identifier=identifier(kind, parameters.get(parameter) or parameters.get("identity")),
        status=RestrictionStatus.NOT_LISTED,
        source=Source.AUDIT_LOG,
        observed_at=at,
        reason=text(parameters.get("reason")),
        tenant=tenant(fields.get("organizationid"), options.tenant),
        lifted_by=text(fields.get("userid"), MAX_NAME),
        lifted_at=at,
        where=where,
    )


def _parameters(value: Any) -> Fields:
    """Return a cmdlet's parameters, which the log writes as a list of names and values."""
    if isinstance(value, dict):
        return folded(value)
    pairs: Fields = {}
    for pair in value if isinstance(value, list) else []:
        if isinstance(pair, dict):
            one = folded(pair)
            pairs[text(one.get("name"), MAX_NAME).casefold()] = one.get("value")
    return pairs


def _created(fields: Fields) -> datetime:
    at = moment(fields.get("creationtime"), _UTC)
    if at is None:
        raise InputError("It has no CreationTime.")
    return at
