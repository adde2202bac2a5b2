"""Records of the unified audit log."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.sources.written import GUID, SPAM, TENANT, as_csv, as_json, audit_record, restrictions, skipped
from workflow.domain.restriction import Restriction, Source
from workflow.domain.vocabulary import Kind, RestrictionStatus
from workflow.sources import ReadOptions, zone

AT = datetime(2026, 6, 11, 14, 3, 31, tzinfo=UTC)
LISTED = Restriction(
    kind=Kind.MAILBOX,
    identifier="noor.haddad@tailspin.example",
    status=RestrictionStatus.LISTED,
    source=Source.AUDIT_LOG,
    restricted_at=AT,
    observed_at=AT,
    reason=SPAM,
    tenant=TENANT,
)


def wrapped(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record as Search-UnifiedAuditLog gives it: most of it in a string."""
    return {
        "RecordType": "HygieneEvent",
        "CreationDate": "11.06.2026 16:03:31",
        "AuditData": json.dumps(record),
    }


def removal(operation: str, parameter: str, value: str, **changed: Any) -> dict[str, Any]:
    """Return the record of a removal."""
    parameters = [{"Name": parameter, "Value": value}, {"Name": "Reason", "Value": "checked"}, "odd"]
    return audit_record(operation, RecordType=1, Parameters=parameters, UserId="sam@tailspin.example", **changed)


@pytest.mark.parametrize(
    "content",
    [
        as_json(audit_record()),
        as_json({"_note": "x", "records": [audit_record()]}),
        json.dumps(audit_record()).encode("utf-16"),
        as_json([wrapped(audit_record())]),
        as_json({"value": [{"id": "1", "auditData": audit_record(), "operation": "HygieneTenantEvents"}]}),
        as_csv([wrapped(audit_record())]),
        as_csv([wrapped(audit_record())], ";", "#TYPE Deserialized\r\n", "utf-16"),
    ],
    ids=["object", "records", "line", "string", "graph", "csv", "csv-utf16"],
)
def test_listed(content: bytes) -> None:
    """A listing is the same in every wrapping; its time is UTC whatever zone was told."""
    (found,) = restrictions(content, ReadOptions(timezone=zone("+05:00")))

    where = "line " if found.where.startswith("line") else "item "
    assert found.where.startswith(where)
    assert LISTED == Restriction(**{**_fields(found), "where": ""})


def _fields(found: Restriction) -> dict[str, Any]:
    return {name: getattr(found, name) for name in Restriction.__slots__}


def test_delisted() -> None:
    """A delisting says when the restriction ended, and not who ended it."""
    (found,) = restrictions(as_json(audit_record(Event="Delisted")))

    assert (RestrictionStatus.NOT_LISTED, None, AT, "") == (
        found.status,
        found.restricted_at,
        found.lifted_at,
        found.lifted_by,
    )


def test_removed_sender() -> None:
    """A removal says who did it, and for which address."""
    record = removal("Remove-BlockedSenderAddress", "SenderAddress", "Noor.Haddad@tailspin.example")

    (found,) = restrictions(as_json({**record, "ResultStatus": "True"}))

    assert ("noor.haddad@tailspin.example", "not-listed", AT, "sam@tailspin.example", "checked") == (
        found.identifier,
        found.status,
        found.lifted_at,
        found.lifted_by,
        found.reason,
    )


def test_removed_connector() -> None:
    """A removal of a connector names its GUID; parameters may be an object as well."""
    listed = removal("Remove-BlockedConnector", "Identity", GUID)
    plain = audit_record("Remove-BlockedConnector", Parameters={"ConnectorId": GUID})

    assert [(Kind.CONNECTOR, GUID)] * 2 == [
        (found.kind, found.identifier) for found in restrictions(as_json([listed, plain]))
    ]


@pytest.mark.parametrize(
    "record",
    [
        audit_record("Set-Mailbox"),
        audit_record(Event="Throttled"),
        audit_record("Remove-BlockedSenderAddress", ResultStatus="False"),
        audit_record(None),  # type: ignore[arg-type]  # A log may hold anything.
    ],
)
def test_records_of_no_interest(record: dict[str, Any]) -> None:
    """Other operations, other events and failed removals open nothing and are not broken."""
    (found,) = skipped(as_json(record))

    assert not found.broken


@pytest.mark.parametrize(
    "record",
    [
        audit_record(EventValue=""),
        audit_record(EventValue="Relay"),
        audit_record(CreationTime=None),
        audit_record(CreationTime="today"),
        audit_record(OrganizationId="a b"),
        audit_record("Remove-BlockedSenderAddress", Parameters="SenderAddress"),
        {"AuditData": json.dumps(audit_record())[:-20]},
        {"AuditData": "[" * 100_000},
        {"AuditData": "7"},
        {"AuditData": None},
    ],
)
def test_broken_records(record: dict[str, Any]) -> None:
    """A record that cannot be read is reported as broken."""
    (found,) = skipped(as_json(record))

    assert found.broken


def test_an_endless_record() -> None:
    """A record beyond the limit is passed over and the next one read."""
    content = as_json([{"AuditData": " " * 1_100_000}, audit_record()])

    assert [True] == [found.broken for found in skipped(content)]
