"""One row of ``Get-BlockedSenderAddress`` or ``Get-BlockedConnector``, as JSON object or CSV row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.domain.restriction import Restriction, Source
from workflow.domain.vocabulary import Kind, RestrictionStatus
from workflow.errors import InputError
from workflow.sources import reason
from workflow.sources.fields import Fields, identifier, tenant, text, truth
from workflow.sources.limits import MAX_NAME
from workflow.sources.moment import moment

if TYPE_CHECKING:
    from workflow.sources.options import ReadOptions


def sender(row: Fields, where: str, source: Source, options: ReadOptions) -> Restriction:
    """Return the restriction of a mailbox: ``SenderAddress`` is its UPN, or SMTP address if not hosted.

    Raises:
        InputError: the row names no address, or its time cannot be read.
    """
    address = row.get("senderaddress")
    # Export-Csv of Windows PowerShell writes ASCII unless told, with ? for every other letter.
    if source is Source.EXPORT and "?" in str(address):
        raise InputError(f"{address!r} was damaged by the export: export it with -Encoding utf8.")
    why = text(row.get("reason"))
    return Restriction(
        kind=Kind.MAILBOX,
        identifier=identifier(Kind.MAILBOX, address),
        status=reason.status(why, temporary=truth(row.get("temporaryblock"))),
        source=source,
        restricted_at=moment(row.get("createddatetime"), options),
        reason=why,
        tenant=tenant(row.get("tenantid"), options.tenant),
        where=where,
    )


def connector(row: Fields, where: str, source: Source, options: ReadOptions) -> Restriction:
    """Return the restriction of a connector.

    Only ``ConnectorId`` is documented; name, tenant and time are taken where they are present.

    Raises:
        InputError: the row names no connector id, or its time cannot be read.
    """
    created = row.get("createdtime") or row.get("createddatetime")
    return Restriction(
        kind=Kind.CONNECTOR,
        identifier=identifier(Kind.CONNECTOR, row.get("connectorid")),
        status=RestrictionStatus.LISTED,
        source=source,
        restricted_at=moment(created, options),
        reason=text(row.get("reason")),
        name=text(row.get("connectorname"), MAX_NAME),
        tenant=tenant(row.get("tenantid"), options.tenant),
        where=where,
    )
