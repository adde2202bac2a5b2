"""Cmdlets about restricted entities."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.providers.simulated.blocking import CONNECTOR, MAILBOX, LimitReachedError, NotListedError
from workflow.providers.simulated.cmdlets import Call, cmdlet, guid, moment, texts
from workflow.providers.simulated.refusals import CmdletError, not_found

if TYPE_CHECKING:
    from workflow.providers.simulated.messages import Json

LIMIT_REACHED = (
    "You've reached the maximum number of times that this account can be unblocked. "
    "Contact Microsoft Support to have it unblocked."
)
"""The words are ours: Microsoft documents that there is such an error, and not how it reads."""


@cmdlet("Get-BlockedSenderAddress", SenderAddress="text")
def blocked_senders(call: Call) -> list[Json]:
    """Return the restricted mailboxes; one that is not restricted is an empty list, no error."""
    wanted = call.text("SenderAddress").casefold()
    return [
        {
            "SenderAddress": row.key,
            "Reason": row.reason,
            **moment("CreatedDatetime", row.created_at),
            **moment("ChangedDatetime", row.changed_at),
            "TemporaryBlock": row.temporary,
        }
        for row in call.tenant.restrictions.listed(MAILBOX)
        if not wanted or row.key.casefold() == wanted
    ]


@cmdlet("Get-BlockedConnector", ConnectorId="guid")
def blocked_connectors(call: Call) -> list[Json]:
    """Return the blocked connectors."""
    wanted = call.text("ConnectorId").casefold()
    names = {item.id: item.name for item in call.tenant.connectors}
    return [
        {
            **guid("ConnectorId", row.key),
            "ConnectorName": names.get(row.key, ""),
            "Reason": row.reason,
            **moment("CreatedDatetime", row.created_at),
        }
        for row in call.tenant.restrictions.listed(CONNECTOR)
        if not wanted or row.key.casefold() == wanted
    ]


@cmdlet("Remove-BlockedSenderAddress", writes=True, SenderAddress="!text", Reason="text")
def unblock_sender(call: Call) -> list[Json]:
    """Unblock a mailbox. The row stays for a while; calling again succeeds again and counts again."""
    return _remove(call, MAILBOX, "Remove-BlockedSenderAddress", "SenderAddress")


@cmdlet("Remove-BlockedConnector", writes=True, ConnectorId="!guid", Reason="text")
def unblock_connector(call: Call) -> list[Json]:
    """Unblock a connector."""
    return _remove(call, CONNECTOR, "Remove-BlockedConnector", "ConnectorId")


def _remove(call: Call, kind: str, name: str, parameter: str) -> list[Json]:
    key, reason = call.text(parameter), call.text("Reason")
    try:
        call.tenant.restrictions.remove(kind, key, reason, call.by, call.at)
    except NotListedError:
        if call.tenant.scenario.not_listed == "nothing":
            return []
        raise not_found(key) from None
    except LimitReachedError:
        raise CmdletError(
            LIMIT_REACHED, "Microsoft.Exchange.Management.Hygiene.UnblockLimitException", "ExB2A5C1"
        ) from None
    call.tenant.audit.cmdlet(call.at, name, {parameter: key, "Reason": reason}, call.by, "")
    return []


@cmdlet("Get-InboundConnector", Identity="text")
def inbound_connectors(call: Call) -> list[Json]:
    """Return the inbound connectors, blocked or not."""
    wanted = call.text("Identity").casefold()
    return [
        {
            "Name": item.name,
            "Identity": item.name,
            **guid("Guid", item.id),
            "Enabled": item.enabled,
            "ConnectorType": "OnPremises",
            "ConnectorSource": "AdminUI",
            **texts("SenderDomains", [f"smtp:{domain};1" for domain in item.domains]),
            **texts("SenderIPAddresses", list(item.addresses)),
            "RequireTls": True,
            "TlsSenderCertificateName": None,
            "RestrictDomainsToIPAddresses": False,
        }
        for item in call.tenant.connectors
        if wanted in {"", item.name.casefold(), item.id}
    ]
