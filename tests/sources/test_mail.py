"""Non-delivery reports: only Microsoft's own words prove an outbound block."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest

from tests.sources.written import ndr, restrictions, skipped
from workflow.domain.restriction import Restriction, Source
from workflow.domain.vocabulary import Kind, RestrictionStatus
from workflow.errors import SourceError
from workflow.sources import ReadOptions

NOOR = "noor.haddad@tailspin.example"


@pytest.mark.parametrize("before", [b"", b"From MAILER-DAEMON Thu Jun 11\r\n", b"\xef\xbb\xbf", b"\r\n"])
def test_an_outbound_block(before: bytes) -> None:
    """The mailbox is whoever sent the returned mail; whether it is restricted now is unknown."""
    (found,) = restrictions(before + ndr(), ReadOptions(tenant="tailspin.example"))

    assert (
        Restriction(
            kind=Kind.MAILBOX,
            identifier=NOOR,
            status=RestrictionStatus.UNKNOWN,
            source=Source.BOUNCE,
            observed_at=datetime(2026, 6, 11, 14, 20, 5, tzinfo=UTC),
            reason="550 5.1.8 Access denied, bad outbound sender AS(42004)",
            tenant="tailspin.example",
            where="message",
        )
        == found
    )


@pytest.mark.parametrize(
    "diagnostic",
    [
        "smtp;550 5.1.8 Access denied, bad outbound sender",
        "smtp;550-5.1.8 Access denied,\r\n bad outbound sender",
        "smtp;550 5.1.8 Something else AS(42004)",
    ],
)
def test_both_proofs(diagnostic: str) -> None:
    """Either the sentence or the code is proof, folded or not."""
    assert [NOOR] == [found.identifier for found in restrictions(ndr(diagnostic))]


def test_words_in_an_encoded_part() -> None:
    """The report's own text counts too, whatever its transfer encoding."""
    said = base64.b64encode(b"<p>550 5.1.8 Access denied, bad outbound sender</p>").decode()
    content = ndr("smtp;550", said=said).replace(
        b'text/plain; charset="us-ascii"', b"text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64"
    )

    assert [NOOR] == [found.identifier for found in restrictions(content)]


def test_utf16() -> None:
    """A mail that an editor saved as UTF-16 is read all the same."""
    assert [NOOR] == [found.identifier for found in restrictions(ndr().decode().encode("utf-16"))]


@pytest.mark.parametrize(
    ("diagnostic", "words"),
    [
        ("smtp;550 5.1.8 Sender denied by policy", "5.1.8 alone"),
        ("smtp;550;5.7.711 Access denied, bad inbound connector. AS(2204)", "Get-BlockedConnector"),
        ("smtp;550 5.7.711 Refused AS(2204)", "Get-BlockedConnector"),
        ("smtp;550 5.1.90 Limit", "daily recipient limit"),
        ("smtp;550 5.2.0 Limit", "recipient rate limit"),
        ("smtp;550 5.7.233 Limit", "external recipients"),
        ("smtp;550 5.7.705 Threshold", "Microsoft Support"),
        ("smtp;550 5.7.750 Unregistered", "not registered"),
        ("smtp;550 5.1.1 User unknown", "another reason"),
        ("smtp;550 15.1.8.2 5.1.80 User unknown", "another reason"),
    ],
)
def test_other_bounces(diagnostic: str, words: str) -> None:
    """Related codes are skipped with what they mean; the status alone proves nothing."""
    (found,) = skipped(ndr(diagnostic, status="5.0.0"))

    assert words in found.why
    assert not found.broken


def test_the_returned_mail_proves_nothing() -> None:
    """Whoever writes the sentence into a mail that bounces for another reason opens nothing."""
    returned = "From: a@b.example\r\n\r\n550 5.1.8 Access denied, bad outbound sender AS(42004)\r\n"

    (found,) = skipped(ndr("smtp;550 5.1.1 User unknown", returned, status="5.1.1"))

    assert "another reason" in found.why


def test_plain_mail_is_no_report() -> None:
    """A mail that quotes a bounce is not one."""
    content = b"From: a@b.example\r\nTo: c@d.example\r\n\r\n> 550 5.1.8 Access denied, bad outbound sender\r\n"

    (found,) = skipped(content)

    assert "no non-delivery report" in found.why


def test_a_report_attached_to_a_mail() -> None:
    """A bounce forwarded as an attachment is found inside."""
    head = b"From: noor@b.example\r\nTo: desk@b.example\r\n"
    head += b'Content-Type: multipart/mixed; boundary="o"\r\n\r\n--o\r\n'
    content = head + b"Content-Type: message/rfc822\r\n\r\n" + ndr() + b"\r\n--o--\r\n"

    assert [NOOR] == [found.identifier for found in restrictions(content)]


@pytest.mark.parametrize("returned", ["From: a@b.example, c@d.example\r\n", "Subject: none\r\n", "From: nobody\r\n"])
def test_a_returned_mail_without_one_sender(returned: str) -> None:
    """A report whose sender cannot be told is broken, not guessed."""
    assert [True] == [found.broken for found in skipped(ndr(returned=returned))]


@pytest.mark.parametrize("body", [b"From: Noor.Haddad@tailspin.example\r\n\r\n", b""])
def test_returned_headers_alone(body: bytes) -> None:
    """Some servers return the headers only, or nothing: then the report's addressee sent the mail."""
    content = ndr(returned="").replace(b"message/rfc822", b"text/rfc822-headers" if body else b"text/plain")
    content = content.replace(b"\r\n\r\n\r\nThe text", b"\r\n\r\n" + body + b"The text")

    assert [NOOR] == [found.identifier for found in restrictions(content)]


def test_a_report_without_parts() -> None:
    """A single-part report marked by Exchange says who sent the mail in its To header."""
    content = (
        b"From: postmaster@b.example\r\nTo: Noor <noor@b.example>\r\nX-MS-Exchange-Message-Is-Ndr:\r\n\r\n"
        b"Remote server returned '550 5.1.8 Access denied, bad outbound sender AS(42004)'\r\n"
    )

    assert ["noor@b.example"] == [found.identifier for found in restrictions(content)]


@pytest.mark.parametrize("date", ["", "soon", "Thu, 99 Jun 2026 16:20:05 +0200", "Fri, 31 Dec 9999 23:59:59 -2300"])
def test_no_date(date: str) -> None:
    """Without a readable date nothing was observed at any time."""
    assert [None] == [found.observed_at for found in restrictions(ndr(date=date))]


def test_a_date_without_a_zone() -> None:
    """A date that gives no zone is UTC."""
    (found,) = restrictions(ndr(date="Thu, 11 Jun 2026 16:20:05 -0000"))

    assert datetime(2026, 6, 11, 16, 20, 5, tzinfo=UTC) == found.observed_at


def test_mail_too_large() -> None:
    """A mail of more than 10 MiB is refused whole."""
    with pytest.raises(SourceError, match="10 MiB"):
        skipped(ndr() + b"x" * (10 * 1_048_576))


def test_mail_nested_too_deep() -> None:
    """Parts within parts without end are refused before they are parsed."""
    nested = b"".join(b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (i, i) for i in range(500))

    with pytest.raises(SourceError, match="nested"):
        skipped(b"From: a@b.example\r\nTo: c@d.example\r\n" + nested)


def test_a_long_tail_is_not_parsed() -> None:
    """The report stands first; what is attached behind it costs nothing."""
    assert [NOOR] == [found.identifier for found in restrictions(ndr() + b"\r\n" * 500_000)]
