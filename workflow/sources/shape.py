"""What a file is, told by its content and never by its name."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

from workflow.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Collection


class Shape(StrEnum):
    """The kinds of content that can be imported."""

    EMPTY = "empty"
    SENDERS_JSON = "blocked-senders-json"
    SENDERS_CSV = "blocked-senders-csv"
    SENDERS_TEXT = "blocked-senders-text"
    CONNECTORS_JSON = "blocked-connectors-json"
    CONNECTORS_CSV = "blocked-connectors-csv"
    CONNECTORS_TEXT = "blocked-connectors-text"
    ALERTS_JSON = "alerts-json"
    AUDIT_JSON = "audit-log-json"
    AUDIT_CSV = "audit-log-csv"
    BOUNCE = "bounce-mail"


_AUDIT = (
    "Search-UnifiedAuditLog -StartDate (Get-Date).AddDays(-7) -EndDate (Get-Date) -ResultSize 5000 "
    "-Operations HygieneTenantEvents,Remove-BlockedSenderAddress,Remove-BlockedConnector | "
    # The log comes newest first; a removal read before its restriction would be one that no case knows.
    "Sort-Object CreationDate"
)

ONE_LINERS = {
    Shape.SENDERS_JSON: "Get-BlockedSenderAddress | ConvertTo-Json | Set-Content -Encoding utf8 senders.json",
    Shape.SENDERS_CSV: "Get-BlockedSenderAddress | Export-Csv -NoTypeInformation -Encoding utf8 senders.csv",
    Shape.SENDERS_TEXT: "Get-BlockedSenderAddress | Format-List | Out-File -Width 4096 -Encoding utf8 senders.txt",
    Shape.CONNECTORS_JSON: ("Get-BlockedConnector | ConvertTo-Json | Set-Content -Encoding utf8 connectors.json"),
    Shape.CONNECTORS_CSV: ("Get-BlockedConnector | Export-Csv -NoTypeInformation -Encoding utf8 connectors.csv"),
    Shape.CONNECTORS_TEXT: "Get-BlockedConnector | Format-List | Out-File -Width 4096 -Encoding utf8 connectors.txt",
    Shape.ALERTS_JSON: (
        "Invoke-MgGraphRequest -OutputType Json -Uri 'v1.0/security/alerts_v2?"
        "$filter=serviceSource eq ''microsoftDefenderForOffice365''' | Set-Content -Encoding utf8 alerts.json"
    ),
    Shape.AUDIT_JSON: f"{_AUDIT} | ForEach-Object AuditData | Set-Content -Encoding utf8 audit.json",
    Shape.AUDIT_CSV: f"{_AUDIT} | Export-Csv -NoTypeInformation -Encoding utf8 audit.csv",
    Shape.BOUNCE: "Outlook on the web: open the bounce message, More actions (…), Save as; the .eml file",
}
"""How to produce each shape: PowerShell connected to Exchange Online or Graph, or a few clicks."""

# Message traces, quarantine lists and mail reports name senders too, none of whom is restricted.
_OTHER_LISTS = frozenset({"recipientaddress", "messagetraceid", "messageid", "subject", "received"})

_MAIL_HEADER = re.compile(
    r"^(?:received|return-path|from|to|date|subject|message-id|mime-version|content-type|auto-submitted):",
    re.IGNORECASE | re.MULTILINE,
)
_ANY_HEADER = re.compile(r"(?:From [^\n]*\n)?[A-Za-z][A-Za-z0-9-]*:(?:[ \t\r]|$)", re.MULTILINE)

_OTHER_FILES = (
    (b"\xd0\xcf\x11\xe0", "an Outlook .msg or old Office file: save the mail as .eml, or the list as CSV"),
    (b"PK\x03\x04", "an Excel workbook or zip archive: unpack it, or save the list as CSV"),
    (b"\x1f\x8b", "compressed with gzip: unpack it first"),
    (b"%PDF", "a PDF: export the list itself as CSV or JSON"),
)


def of_fields(names: Collection[str]) -> Shape | None:
    """Return the shape of a JSON item (or, as if it were one, CSV header) with these case-folded names."""
    names = frozenset(names)
    if "auditdata" in names or ("operation" in names and names & {"creationtime", "recordtype"}):
        return Shape.AUDIT_JSON
    if "title" in names and names & {"evidence", "servicesource", "alertpolicyid", "provideralertid"}:
        return Shape.ALERTS_JSON
    if "senderaddress" in names and not names & _OTHER_LISTS:
        return Shape.SENDERS_JSON
    if "connectorid" in names and not names & _OTHER_LISTS:
        return Shape.CONNECTORS_JSON
    return None


def is_mail(opening: str) -> bool:
    """Return whether a text begins like an Internet message: header lines, some of them well known."""
    headers = re.split(r"\r?\n\r?\n", opening, maxsplit=1)[0]
    return bool(_ANY_HEADER.match(headers)) and len(_MAIL_HEADER.findall(headers)) > 1


def unknown(name: str, head: bytes, found: str = "") -> SourceError:
    """Return the error for content that is none of the shapes: what was looked for, and how to get it."""
    for magic, what in _OTHER_FILES:
        if head.startswith(magic):
            return SourceError(f"{name} is {what}.")
    return SourceError(
        f"{name} is none of the files that can be imported{found}. Looked for: the output of "
        "Get-BlockedSenderAddress or Get-BlockedConnector (ConvertTo-Json, Export-Csv, Format-List), Graph alerts_v2 "
        "JSON, unified audit log records (JSON, or CSV with an AuditData column), or bounce mail (.eml). "
        f"A good file comes from: {ONE_LINERS[Shape.SENDERS_JSON]}",
    )
