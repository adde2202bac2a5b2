"""The files of the demo: what Microsoft's tools would have written about a tenant that does not exist."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

TENANT_ID = "5a7c3f1e-20d4-4c1b-9a6e-8f3b0d2c4e71"
DOMAIN = "tailspin.example"
CONNECTOR = "0f6d2b8a-77c1-4e0f-8d35-1b9c4a6e2d90"

SETTINGS = f"""\
tenant = "{DOMAIN}"

[tenants]
"{TENANT_ID}" = "{DOMAIN}"

[[people]]
name = "ana"
roles = ["analyst"]
team = "security"

[[people]]
name = "ben"
roles = ["analyst", "approver"]
team = "security"

[[people]]
name = "cleo"
roles = ["approver", "lead"]
team = "operations"
contact = "ext. 4711"
on_call = true
"""
"""Three people: one who works cases, one who may also approve, one who leads and is on call."""


def connected_settings(alone: str, tenant: str, tenant_id: str, url: str) -> str:
    """Return the settings of the same people for a connected tenant, in which a worker may contain accounts."""
    own = {
        "tenant": tenant,
        "provider": "microsoft365",
        "m365_tenant_id": tenant_id,
        "m365_sign_in": "managed-identity",
        "m365_url": url,
    }
    lines = [*(f'{name} = "{value}"' for name, value in own.items()), "worker_contains = true", "worker_steps = 1"]
    return "\n".join([*lines, alone.partition("\n")[2]])


def address(name: str) -> str:
    """Return the address of somebody in the demo's tenant."""
    return f"{name}@{DOMAIN}"


def spam(sent: int, all_mail: int) -> str:
    """Return a reason as Microsoft words it."""
    return f"OutboundSpamLast24Hours={sent};OutboundMailLast24Hours={all_mail};Last Spam Message MessagetraceId:7f"


def senders(at: datetime) -> list[dict[str, Any]]:
    """Return the rows of Get-BlockedSenderAddress: two people, a shared mailbox, a newsletter, a temporary block."""
    rows = (
        ("ada", spam(812, 2210), False, 0),
        ("reception", spam(455, 1904), False, 7),
        ("newsletter", "OutboundSpamLast24Hours=0;OutboundMailLast24Hours=10250;ExceedingLimits", False, 11),
        ("dora", spam(61, 190), True, 19),
    )
    return [
        {
            "SenderAddress": address(name),
            "Reason": reason,
            "CreatedDatetime": _iso(at + timedelta(minutes=minutes)),
            "ChangedDatetime": _iso(at + timedelta(minutes=minutes)),
            "TemporaryBlock": temporary,
        }
        for name, reason, temporary, minutes in rows
    ]


def write_first_day(folder: Path, at: datetime) -> None:
    """Write what the analyst finds in the morning; ``at`` is when the first restriction began."""
    _json(folder / "senders.json", senders(at))
    row = {"ConnectorId": CONNECTOR, "ConnectorName": "Relay of the print room", "CreatedTime": _iso(at)}
    _json(folder / "connectors.json", row)
    _json(folder / "alerts.json", {"value": [_alert(at, "ada", "omar")]})
    (folder / "bounce.eml").write_bytes(_bounce(at + timedelta(minutes=25), address("ada")))


def write_removal(folder: Path, at: datetime) -> None:
    """Write the audit log of an administrator who unblocked the shared mailbox without asking anybody."""
    record = {
        "CreationTime": at.strftime("%Y-%m-%dT%H:%M:%S"),
        "Operation": "Remove-BlockedSenderAddress",
        "OrganizationId": TENANT_ID,
        "RecordType": 1,
        "ResultStatus": "True",
        "UserId": address("gus.admin"),
        "Parameters": [{"Name": "SenderAddress", "Value": address("reception")}],
    }
    _json(folder / "audit.json", [record])


def write_return(folder: Path, at: datetime) -> None:
    """Write the whole list of a later day as Windows PowerShell exports it: type line, semicolons, UTF-16.

    One sender came back, the newsletter is still there, and whoever else was listed is gone.
    """
    rows = ((address("ada"), spam(96, 310), _iso(at), "False"), (address("newsletter"), spam(0, 10250), "", "False"))
    lines = (
        "#TYPE Deserialized.Microsoft.Exchange.BlockedSenderAddress",
        '"SenderAddress";"Reason";"CreatedDatetime";"TemporaryBlock"',
        *(";".join(f'"{value}"' for value in cells) for cells in rows),
    )
    (folder / "senders-later.csv").write_bytes("".join(f"{line}\r\n" for line in lines).encode("utf-16"))


def _alert(at: datetime, *names: str) -> dict[str, Any]:
    evidence = [
        {
            "@odata.type": "#microsoft.graph.security.userEvidence",
            "verdict": "suspicious",
            "roles": ["compromised"],
            "userAccount": {"userPrincipalName": address(name), "displayName": name.title()},
        }
        for name in names
    ]
    return {
        "@odata.type": "#microsoft.graph.security.alert",
        "title": "User restricted from sending email",
        "description": "These users may no longer send mail outside the organisation.",
        "serviceSource": "microsoftDefenderForOffice365",
        "tenantId": TENANT_ID,
        "createdDateTime": _iso(at + timedelta(minutes=4)),
        "firstActivityDateTime": _iso(at),
        "evidence": evidence,
    }


def _bounce(at: datetime, sender: str) -> bytes:
    lines = (
        f"From: postmaster@{DOMAIN}",
        f"To: {sender}",
        f"Date: {format_datetime(at)}",
        "Subject: Undeliverable: Quotation",
        "MIME-Version: 1.0",
        'Content-Type: multipart/report; report-type=delivery-status; boundary="seam"',
        "",
        "--seam",
        "Content-Type: text/plain; charset=us-ascii",
        "",
        "Your message could not be delivered.",
        "",
        "--seam",
        "Content-Type: message/delivery-status",
        "",
        f"Reporting-MTA: dns;mail.{DOMAIN}",
        "",
        "Final-Recipient: rfc822;buyer@fourthcoffee.example",
        "Action: failed",
        "Status: 5.1.8",
        "Diagnostic-Code: smtp;550 5.1.8 Access denied, bad outbound sender AS(42004)",
        "",
        "--seam",
        "Content-Type: message/rfc822",
        "",
        f"From: {sender}",
        "Subject: Quotation",
        "",
        "As discussed.",
        "--seam--",
        "",
    )
    return "\r\n".join(lines).encode()


def _json(path: Path, data: object) -> None:
    path.write_text(json.dumps(data, indent=2), encoding="utf-8")


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.0000000Z")
