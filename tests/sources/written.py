"""Files as Microsoft's tools write them, with made-up content, for the tests of this floor."""

from __future__ import annotations

import csv
import io
import json
import textwrap
from typing import Any

from workflow.domain.restriction import Restriction, Skipped
from workflow.sources import ReadOptions, read

TENANT = "7c1f0c8e-9a43-4f0e-8d8a-2f6f3b1f9a10"
GUID = "3e0a9b7c-5d21-4c8b-9f10-6b2f8c4d7e11"
SPAM = "OutboundSpamLast24Hours=480;OutboundMailLast24Hours=2210;Last Spam Message MessagetraceId:9"


def taken(content: bytes, options: ReadOptions | None = None) -> list[Restriction | Skipped]:
    """Return everything that is read from the content."""
    return list(read(io.BytesIO(content), name="the file", options=options or ReadOptions()))


def restrictions(content: bytes, options: ReadOptions | None = None) -> list[Restriction]:
    """Return what is read from the content, which must hold nothing but restrictions."""
    found = taken(content, options)
    kept = [item for item in found if isinstance(item, Restriction)]
    assert found == kept
    return kept


def skipped(content: bytes, options: ReadOptions | None = None) -> list[Skipped]:
    """Return only what was skipped."""
    return [item for item in taken(content, options) if isinstance(item, Skipped)]


def sender_row(address: str = "Noor.Haddad@Tailspin.example", **changed: Any) -> dict[str, Any]:
    """Return one row of Get-BlockedSenderAddress."""
    row = {
        "SenderAddress": address,
        "Reason": SPAM,
        "CreatedDatetime": "2026-06-11T14:03:27.1234567Z",
        "ChangedDatetime": "2026-06-11T14:03:27Z",
        "TemporaryBlock": False,
    }
    return {**row, **changed}


def connector_row(**changed: Any) -> dict[str, Any]:
    """Return one row of Get-BlockedConnector."""
    row = {"ConnectorId": "{" + GUID.upper() + "}", "ConnectorName": "Relay of the print room"}
    return {**row, "CreatedTime": "2026-06-11T15:00:00Z", "TenantId": TENANT, **changed}


def as_json(value: Any, encoding: str = "utf-8") -> bytes:
    """Return the value as ConvertTo-Json writes it: over several lines."""
    return json.dumps(value, indent=4).encode(encoding)


def as_csv(rows: list[dict[str, Any]], delimiter: str = ",", head: str = "", encoding: str = "utf-8") -> bytes:
    """Return rows as Export-Csv writes them: everything quoted, CRLF."""
    out = io.StringIO()
    out.write(head)
    writer = csv.DictWriter(out, list(rows[0]), delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode(encoding)


def as_list(rows: list[dict[str, Any]], width: int = 120, encoding: str = "utf-8") -> bytes:
    """Return rows as Format-List prints them in a window: names padded, long values wrapped, CRLF."""
    lines = ["", ""]
    for row in rows:
        pad = max(map(len, row))
        for name, value in row.items():
            first, *rest = textwrap.wrap(
                str(value), width - pad - 3, drop_whitespace=False, break_on_hyphens=False
            ) or [""]
            lines += [f"{name:{pad}} : {first}", *(" " * (pad + 3) + piece for piece in rest)]
        lines.append("")
    return "\r\n".join([*lines, ""]).encode(encoding)


def as_table(rows: list[dict[str, Any]], encoding: str = "utf-8") -> bytes:
    """Return rows as Format-Table -AutoSize prints them."""
    widths = {name: max(len(name), *(len(str(row[name])) for row in rows)) for name in rows[0]}
    table = [list(rows[0]), ["-" * len(name) for name in rows[0]], *([str(row[name]) for name in row] for row in rows)]
    lines = [" ".join(f"{cell:{widths[name]}}" for name, cell in zip(rows[0], line, strict=True)) for line in table]
    return "\r\n".join(["", *lines, "", ""]).encode(encoding)


def audit_record(operation: str = "HygieneTenantEvents", **changed: Any) -> dict[str, Any]:
    """Return one record of the unified audit log."""
    record = {
        "CreationTime": "2026-06-11T14:03:31",
        "Operation": operation,
        "OrganizationId": TENANT.upper(),
        "RecordType": 51,
        "UserId": "noor.haddad@tailspin.example",
        "Event": "Listed",
        "EventValue": "noor.haddad@tailspin.example",
        "Reason": SPAM,
    }
    return {**record, **changed}


def user(name: str, verdict: str = "suspicious", roles: tuple[str, ...] = ("compromised",)) -> dict[str, Any]:
    """Return the evidence about one user of an alert."""
    account = {"userPrincipalName": f"{name}@tailspin.example", "displayName": name.title()}
    kind = "#microsoft.graph.security.userEvidence"
    return {"@odata.type": kind, "verdict": verdict, "roles": list(roles), "userAccount": account}


def mailbox(name: str) -> dict[str, Any]:
    """Return the evidence about one mailbox of an alert."""
    kind = "#microsoft.graph.security.mailboxEvidence"
    return {"@odata.type": kind, "verdict": "suspicious", "primaryAddress": f"{name}@tailspin.example"}


def graph_alert(*evidence: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """Return one alert of security/alerts_v2."""
    alert = {
        "@odata.type": "#microsoft.graph.security.alert",
        "id": "fa01",
        "title": "User restricted from sending email",
        "description": "A user may no longer send.",
        "serviceSource": "microsoftDefenderForOffice365",
        "tenantId": TENANT,
        "createdDateTime": "2026-06-11T14:05:00.0000000Z",
        "firstActivityDateTime": "2026-06-11T14:03:30Z",
        "evidence": list(evidence),
    }
    return {**alert, **changed}


def ndr(
    diagnostic: str = "smtp;550 5.1.8 Access denied, bad outbound sender AS(42004)",
    returned: str = "From: Noor Haddad <Noor.Haddad@tailspin.example>\r\nSubject: Minutes\r\n",
    *,
    said: str = "Your message couldn't be delivered.",
    date: str = "Thu, 11 Jun 2026 16:20:05 +0200",
    status: str = "5.1.8",
) -> bytes:
    """Return a non-delivery report."""
    lines = [
        "From: postmaster@tailspin.example",
        "To: noor.haddad@tailspin.example",
        f"Date: {date}",
        "Subject: Undeliverable: Minutes",
        "MIME-Version: 1.0",
        'Content-Type: multipart/report; report-type=delivery-status; boundary="edge"',
        "",
        "--edge",
        'Content-Type: text/plain; charset="us-ascii"',
        "",
        said,
        "",
        "--edge",
        "Content-Type: message/delivery-status",
        "",
        "Reporting-MTA: dns;mail.tailspin.example",
        "",
        "Final-Recipient: rfc822;someone@fourthcoffee.example",
        "Action: failed",
        f"Status: {status}",
        f"Diagnostic-Code: {diagnostic}",
        "",
        "--edge",
        "Content-Type: message/rfc822",
        "",
        returned,
        "The text of the message.",
        "--edge--",
        "",
    ]
    return "\r\n".join(lines).encode()
