"""The output of Get-BlockedSenderAddress and Get-BlockedConnector as JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from tests.sources.written import (
    GUID,
    SPAM,
    TENANT,
    as_json,
    connector_row,
    restrictions,
    sender_row,
    skipped,
    taken,
)
from workflow.domain.restriction import Restriction, Source
from workflow.domain.vocabulary import Kind, RestrictionStatus
from workflow.errors import SourceError
from workflow.sources import ReadOptions

NOOR = Restriction(
    kind=Kind.MAILBOX,
    identifier="noor.haddad@tailspin.example",
    status=RestrictionStatus.LISTED,
    source=Source.CMDLET,
    restricted_at=datetime(2026, 6, 11, 14, 3, 27, 123456, tzinfo=UTC),
    reason=SPAM,
    tenant="tailspin.example",
    where="item 1",
)
OPTIONS = ReadOptions(tenant="tailspin.example")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_one_object(encoding: str) -> None:
    """One row is an object without a list, in whatever encoding a redirection chose."""
    assert [NOOR] == restrictions(as_json(sender_row(), encoding), OPTIONS)


@pytest.mark.parametrize(
    "content",
    [
        as_json([sender_row()]),
        as_json({"@odata.context": "x", "@adminapi.warnings": [], "value": [sender_row()]}),
        as_json({"value": [sender_row()], "Count": 1}),
        as_json({"Value": sender_row()}),
        json.dumps(sender_row()).encode() + b"\r\n",
        b"\xef\xbb\xbf \r\n\r\n" + as_json(sender_row()),
        b" " * 200_000 + as_json(sender_row()),
        as_json([None, sender_row()]) + b"\nnull\n",
    ],
    ids=["list", "envelope", "counted", "single-value", "line", "blank-lines", "far-blank", "nulls"],
)
def test_wrappings(content: bytes) -> None:
    """A list, the gateway's envelope and what PowerShell 5.1 wraps around a list all hold the same row."""
    found = restrictions(content, OPTIONS)

    assert [NOOR.identifier] == [item.identifier for item in found]
    assert [NOOR.restricted_at] == [item.restricted_at for item in found]


def test_powershell_five_and_annotations() -> None:
    """Ticks, type annotations, unknown fields and other letter case change nothing."""
    row = sender_row(CreatedDatetime="/Date(1781186607123)/", TemporaryBlock="False", Invented={"a": [1]})
    row["CreatedDatetime@odata.type"] = "#DateTimeOffset"
    row["senderaddress"] = row.pop("SenderAddress")

    (found,) = restrictions(as_json(row))

    assert datetime(2026, 6, 11, 14, 3, 27, 123000, tzinfo=UTC) == found.restricted_at
    assert RestrictionStatus.LISTED is found.status


@pytest.mark.parametrize(
    ("value", "status"),
    [
        (True, RestrictionStatus.TEMPORARY),
        ("True", RestrictionStatus.TEMPORARY),
        (False, RestrictionStatus.LISTED),
        ("false", RestrictionStatus.LISTED),
        (None, RestrictionStatus.LISTED),
        (["true"], RestrictionStatus.LISTED),
    ],
)
def test_temporary_block(value: object, status: RestrictionStatus) -> None:
    """A temporary block is told by a boolean or by its word."""
    assert [status] == [found.status for found in restrictions(as_json(sender_row(TemporaryBlock=value)))]


def test_connector() -> None:
    """A connector is known by its GUID and brings its own tenant."""
    (found,) = restrictions(as_json([connector_row(Reason="Relay abused")]), OPTIONS)

    assert (
        Restriction(
            kind=Kind.CONNECTOR,
            identifier=GUID,
            status=RestrictionStatus.LISTED,
            source=Source.CMDLET,
            restricted_at=datetime(2026, 6, 11, 15, tzinfo=UTC),
            reason="Relay abused",
            name="Relay of the print room",
            tenant=TENANT,
            where="item 1",
        )
        == found
    )


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b" \r\n\t",
        b"\xef\xbb\xbf",
        b"\xff\xfe\r\x00\n\x00",
        b"[]",
        b"[ ]\n",
        b'{"value":[]}',
        b"null",
        b'{"value":null}',
    ],
)
def test_nothing_is_restricted(content: bytes) -> None:
    """Empty output says that nothing is restricted, which is no error."""
    assert [] == taken(content)


def test_broken_rows_lose_only_themselves() -> None:
    """Every other row is read, and each broken one says where it stands and why."""
    rows = [
        sender_row("one@tailspin.example"),
        sender_row("not an address"),
        sender_row("two\u202e@tailspin.example"),
        sender_row(CreatedDatetime="yesterday"),
        sender_row(None),  # type: ignore[arg-type]  # PowerShell writes null for what it cannot read.
        sender_row("x" * 5000 + "@tailspin.example"),
        {"Something": "else"},
        "text",
        connector_row(ConnectorId="Relay"),
        sender_row(TenantId="two words"),
        sender_row("three@tailspin.example"),
    ]
    found = taken(as_json(rows))

    assert ["one@tailspin.example", "three@tailspin.example"] == [
        item.identifier for item in found if isinstance(item, Restriction)
    ]
    assert [f"item {number}" for number in range(2, 11)] == [item.where for item in skipped(as_json(rows))]
    assert all(item.broken for item in skipped(as_json(rows)))


def test_damaged_letters_are_refused() -> None:
    """An address in a code page that is not UTF-8 is refused: it would be another address."""
    content = as_json([sender_row("m\u00fcller@tailspin.example")]).replace(b"\\u00fc", b"\xfc")

    (found,) = skipped(content)

    assert "-Encoding utf8" in found.why


def test_reason_can_be_stored() -> None:
    """A reason keeps its text, but never what no database can hold."""
    (found,) = restrictions(as_json([sender_row(Reason="a\x00b\ud800c" + "d" * 5000)]))

    assert "a\ufffdb\ufffdc" + "d" * 1995 == found.reason


@pytest.mark.parametrize("other", ["RecipientAddress", "MessageTraceId", "Subject"])
def test_message_traces_open_nothing(other: str) -> None:
    """A message trace names senders too, and none of them is restricted."""
    with pytest.raises(SourceError, match="Get-BlockedSenderAddress"):
        taken(as_json([sender_row(**{other: "x"})]))


def test_an_error_answer_is_no_empty_list() -> None:
    """A saved error says so instead of passing for "nothing is restricted"."""
    with pytest.raises(SourceError, match="Invalid Operation"):
        taken(as_json({"error": {"code": "BadRequest", "message": "Invalid Operation"}}))


def test_one_page_of_several_is_named() -> None:
    """A page that has a next one is read and reported as incomplete."""
    small = as_json({"value": [sender_row()], "@odata.nextLink": "https://example.invalid/next"})
    large = as_json({"@odata.nextLink": "x", "value": [sender_row(Reason="r" * 900)] * 100})

    assert ["end"] == [item.where for item in skipped(small)]
    assert ["end"] == [item.where for item in skipped(large)]
    assert 101 == len(taken(large))
