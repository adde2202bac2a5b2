"""Cmdlets about the tenant as a whole: auditing, alert policies, limits, traces, the audit log."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

from workflow.providers.simulated.audit import RECORD_TYPES
from workflow.providers.simulated.cmdlets import Call, cmdlet, moment, texts
from workflow.providers.simulated.messages import RefusedError
from workflow.providers.simulated.refusals import CmdletError
from workflow.providers.simulated.stamp import parsed, zulu

if TYPE_CHECKING:
    from datetime import datetime

    from workflow.providers.simulated.messages import Json

_MOST = 5000
_ARGUMENT = "System.ArgumentException"


@cmdlet("Get-AdminAuditLogConfig", compliance=True)
def audit_config(call: Call) -> list[Json]:
    """Return whether auditing is on; over Security & Compliance it always reads off."""
    on = call.tenant.scenario.audited and call.audience == "exchange"
    first = call.tenant.accounts[0].made_at
    return [
        {
            "Name": "Admin Audit Log Settings",
            "Identity": "Admin Audit Log Settings",
            "AdminAuditLogEnabled": True,
            "AdminAuditLogAgeLimit": "90.00:00:00",
            "UnifiedAuditLogIngestionEnabled": on,
            **moment("UnifiedAuditLogFirstOptInDate", first),
            "LogLevel": "None",
            "IsValid": True,
        }
    ]


@cmdlet("Get-OrganizationConfig")
def organisation(call: Call) -> list[Json]:
    """Return the organisation; AuditDisabled is about mailbox auditing."""
    return [{"Name": "contoso.example", "AuditDisabled": not call.tenant.scenario.audited, "IsDehydrated": False}]


@cmdlet("Get-ProtectionAlert", compliance=True, Identity="text")
def policies(call: Call) -> list[Json]:
    """Return alert policies; an Identity that fits none returns all of them."""
    wanted = call.text("Identity").casefold()
    everything = call.tenant.alerts.policies
    found = [item for item in everything if wanted in {item["Name"].casefold(), item["Guid"]}] or everything
    return [
        {**item, **texts("NotifyUser", item["NotifyUser"]), **texts("Operation", item["Operation"])} for item in found
    ]


@cmdlet(
    "Set-ProtectionAlert",
    writes=True,
    compliance=True,
    Identity="!text",
    Disabled="flag",
    NotificationEnabled="flag",
    NotifyUser="texts",
    NotifyUserThrottleThreshold="number",
    NotifyUserThrottleWindow="number",
)
def set_policy(call: Call) -> list[Json]:
    """Refuse: the default policies cannot be changed by cmdlet, and there are no others here."""
    text = f"The system alert policy '{call.text('Identity')}' can't be modified with this cmdlet."
    raise CmdletError(
        text, "Microsoft.Exchange.Management.UnifiedPolicy.SystemRuleCannotBeModifiedException", "Ex4D1A90"
    )


@cmdlet("Get-HostedOutboundSpamFilterPolicy", Identity="text")
def outbound_policy(call: Call) -> list[Json]:
    """Return the outbound spam policy; 0 is the service's own limit."""
    del call
    return [
        {
            "Name": "Default",
            "Identity": "Default",
            "RecipientLimitExternalPerHour": 0,
            "RecipientLimitInternalPerHour": 0,
            "RecipientLimitPerDay": 0,
            "ActionWhenThresholdReached": "BlockUserForToday",
            "AutoForwardingMode": "Automatic",
            "BccSuspiciousOutboundMail": False,
            "IsDefault": True,
        }
    ]


def _time(call: Call, name: str, default: datetime) -> datetime:
    try:
        return parsed(call.text(name)) if call.text(name) else default
    except RefusedError as error:
        raise CmdletError(f"{name}: {error}", _ARGUMENT, ran=False) from None


def _size(call: Call, default: int) -> int:
    size = call.given.get("ResultSize")
    if size is None:
        return default
    if not isinstance(size, int) or not 1 <= size <= _MOST:
        raise CmdletError(f"ResultSize must be from 1 to {_MOST}.", _ARGUMENT, "Ex9A6B11")
    return size


@cmdlet(
    "Search-UnifiedAuditLog",
    StartDate="!text",
    EndDate="!text",
    Operations="any",
    RecordType="text",
    UserIds="any",
    SessionId="text",
    SessionCommand="text",
    ResultSize="number",
)
def search(call: Call) -> list[Json]:
    """Return records whose AuditData is a text of JSON; a session goes on where it was left."""
    tenant = call.tenant
    start, end = _time(call, "StartDate", call.at), _time(call, "EndDate", call.at)
    operations, users = _names(call.given.get("Operations")), _names(call.given.get("UserIds"))
    kind = call.text("RecordType")
    found = [
        record
        for record in tenant.audit.found(tenant.audit.unified, call.at)
        if start <= record.at < end
        and (not operations or record.data["Operation"].casefold() in operations)
        and (not users or record.data["UserId"].casefold() in users)
        and (not kind or RECORD_TYPES[record.data["RecordType"]] == kind)
    ]
    skip = tenant.sessions.get(call.text("SessionId"), 0)
    page = found[skip : skip + _size(call, 100)]
    if call.text("SessionId"):
        tenant.sessions[call.text("SessionId")] = skip + len(page)
    return [
        {
            "RecordType": RECORD_TYPES[record.data["RecordType"]],
            **moment("CreationDate", record.at),
            "UserIds": record.data["UserId"],
            "Operations": record.data["Operation"],
            "AuditData": json.dumps(record.data, separators=(",", ":")),
            "ResultIndex": skip + index,
            "ResultCount": len(found),
            "Identity": record.data["Id"],
            "IsValid": True,
        }
        for index, record in enumerate(page, start=1)
    ]


def _names(value: object) -> frozenset[str]:
    items = value if isinstance(value, list) else str(value).split(",") if value else []
    return frozenset(str(item).strip().casefold() for item in items)


@cmdlet(
    "Get-MessageTraceV2",
    SenderAddress="any",
    RecipientAddress="any",
    StartDate="text",
    EndDate="text",
    ResultSize="number",
    StartingRecipientAddress="text",
    MessageTraceId="guid",
)
def trace(call: Call) -> list[Json]:
    """Return messages, the newest first; at most ten days a query, and no pages."""
    end = _time(call, "EndDate", call.at)
    start = _time(call, "StartDate", end - timedelta(days=2))
    if end - start > timedelta(days=10):
        raise CmdletError("The date range must be 10 days or less.", _ARGUMENT, "Ex3F2C08")
    senders, recipients = _names(call.given.get("SenderAddress")), _names(call.given.get("RecipientAddress"))
    found = [
        item
        for item in sorted(call.tenant.mail, key=lambda item: item.at, reverse=True)
        if start <= item.at <= end
        and (not senders or item.sender.casefold() in senders)
        and (not recipients or item.recipient.casefold() in recipients)
    ]
    return [
        {
            "MessageTraceId": item.trace,
            "MessageId": item.message_id,
            "Received": zulu(item.at),
            "SenderAddress": item.sender,
            "RecipientAddress": item.recipient,
            "Subject": item.subject,
            "Status": item.status[:1].upper() + item.status[1:],
            "FromIP": item.address,
            "ToIP": None,
            "Size": item.size,
        }
        for item in found[: _size(call, 1000)]
    ]
