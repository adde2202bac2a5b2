"""Bounce mail: a non-delivery report proves an outbound block only by Microsoft's own words."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email import message_from_bytes
from email.errors import MessageError
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime
from typing import TYPE_CHECKING

from workflow.domain.restriction import Restriction, Skipped, Source
from workflow.domain.vocabulary import Kind, RestrictionStatus
from workflow.errors import InputError, SourceError
from workflow.sources.fields import identifier, text
from workflow.sources.limits import CHUNK, MAX_MAIL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workflow.sources.options import ReadOptions

WHERE = "message"

# The report stands before the returned message, of which only the headers matter: the rest is not parsed.
_MAX_LINES = 40_000
_MAX_NESTING = 24
_NESTING = re.compile(rb"boundary\s*=|message/(?:rfc822|partial|global)", re.IGNORECASE)

_SENDER = re.compile(
    r"550[ ;:-]{0,3}5\.1\.8\W{1,3}Access denied, bad outbound sender(?:[.,]? AS\([0-9]{1,9}\))?|AS\(42004\)",
    re.IGNORECASE,
)
_CONNECTOR = re.compile(
    r"550[ ;:-]{0,3}5\.7\.711\W{1,3}Access denied, bad inbound connector|5\.7\.711\b.{0,200}AS\(2204\)",
    re.IGNORECASE,
)
_CONNECTOR_WHY = (
    "The report says that a connector is blocked (5.7.711) but carries no connector id: "
    "run Get-BlockedConnector and import its output."
)
_RELATED = {
    "5.1.8": "Status 5.1.8 alone is no proof of an outbound block: a receiver may refuse with it too, "
    "and the report does not say 'bad outbound sender'.",
    "5.1.90": "5.1.90 means that the mailbox reached its daily recipient limit; that ends within 24 hours.",
    "5.2.0": "5.2.0 here means that the mailbox reached a recipient rate limit; that ends within 24 hours.",
    "5.7.233": "5.7.233 means that the tenant, no single mailbox, reached its limit of external recipients.",
    "5.7.705": "5.7.705 means that the whole tenant is restricted; only Microsoft Support lifts that.",
    "5.7.750": "5.7.750 means mail from domains that the tenant has not registered: register or stop them.",
}
_CODE = re.compile(r"(?<![0-9.])(?:5\.1\.90|5\.1\.8|5\.2\.0|5\.7\.233|5\.7\.705|5\.7\.750)(?![0-9]|\.[0-9])")
_BLANKS = re.compile(r"\s+")
_ODDITIES = (ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError, MessageError)
"""What the standard library's parser raises on mail that is malformed on purpose."""


def bounce(content: bytes, name: str, options: ReadOptions) -> Iterator[Restriction | Skipped]:
    """Yield the restriction that a non-delivery report proves, or why it proves none.

    Raises:
        SourceError: the mail is larger than 10 MiB, or too malformed to be read.
    """
    if len(content) > MAX_MAIL:
        raise SourceError(f"{name} is a mail of more than {MAX_MAIL // 1_048_576} MiB: a bounce is much smaller.")
    head = b"\n".join(content.split(b"\n", _MAX_LINES)[:_MAX_LINES])
    if len(_NESTING.findall(head)) > _MAX_NESTING:
        raise SourceError(f"{name} is a mail with more nested parts than a bounce has.")
    try:
        yield _judged(message_from_bytes(head), options)
    except InputError as error:
        yield Skipped(WHERE, f"It is a bounce of a blocked sender, but: {error}", broken=True)
    except _ODDITIES as error:
        raise SourceError(f"{name} is a mail that cannot be read: {type(error).__name__}.") from error


def _judged(message: Message, options: ReadOptions) -> Restriction | Skipped:
    report = _report(message)
    if report is None:
        return Skipped(
            WHERE,
            "It is no non-delivery report: save the bounce itself, not a mail that quotes or forwards it.",
        )
    said = _BLANKS.sub(" ", " ".join(_words(report)))
    blocked = _SENDER.search(said)
    if blocked is None:
        return Skipped(WHERE, _other(said))
    return Restriction(
        kind=Kind.MAILBOX,
        identifier=_sender(report, message),
        status=RestrictionStatus.UNKNOWN,
        source=Source.BOUNCE,
        observed_at=_date(message),
        reason=text(blocked.group()),
        tenant=options.tenant,
        where=WHERE,
    )


def _other(said: str) -> str:
    if _CONNECTOR.search(said):
        return _CONNECTOR_WHY
    codes = sorted(set(_CODE.findall(said)))
    if not codes:
        return "It is a bounce for another reason: it does not say 'bad outbound sender'."
    return " ".join(_RELATED[code] for code in codes)


def _report(message: Message) -> Message | None:
    """Return the outermost part that is a delivery report: the message, or one attached to it."""
    for part in message.walk():
        if part.get_content_type() == "multipart/report" or "X-MS-Exchange-Message-Is-Ndr" in part:
            return part
    return None


def _own(part: Message) -> Iterator[Message]:
    """Yield the report's own parts. The returned message is the sender's text and proves nothing."""
    kind = part.get_content_type()
    if kind == "message/rfc822":
        return
    inner = part.get_payload()
    if isinstance(inner, list) and kind != "message/delivery-status":
        for piece in inner:
            if isinstance(piece, Message):
                yield from _own(piece)
    else:
        yield part


def _words(report: Message) -> Iterator[str]:
    for part in _own(report):
        kind = part.get_content_type()
        inner = part.get_payload()
        if kind == "message/delivery-status" and isinstance(inner, list):
            for block in inner:
                if isinstance(block, Message):
                    yield " ".join(f"{name}: {value}" for name, value in block.items())[:CHUNK]
        elif kind in {"text/plain", "text/html"}:
            content = part.get_payload(decode=True)
            if isinstance(content, bytes):
                # Codes and Microsoft's words are ASCII in every charset that mail is written in.
                yield content[:CHUNK].decode("ascii", errors="replace")


def _sender(report: Message, message: Message) -> str:
    """Return who sent the mail that came back, as the returned headers say, else to whom the report went.

    Raises:
        InputError: neither is an address.
    """
    for part in report.walk():
        returned = part.get_payload() if part.get_content_type() == "message/rfc822" else None
        if isinstance(returned, list) and returned and isinstance(returned[0], Message):
            return _address(returned[0], "From")
        if part.get_content_type() == "text/rfc822-headers":
            content = part.get_payload(decode=True)
            return _address(message_from_bytes(content if isinstance(content, bytes) else b""), "From")
    return _address(report if report["To"] else message, "To")


def _address(message: Message, header: str) -> str:
    found = [address for _, address in getaddresses([str(message[header] or "")[:CHUNK]])]
    if len(found) != 1:
        raise InputError(f"its {header} header does not name one address.")
    return identifier(Kind.MAILBOX, found[0])


def _date(message: Message) -> datetime | None:
    try:
        at = parsedate_to_datetime(str(message["Date"]))
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
        return at.astimezone(UTC)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
