"""``holdfast ledger reconcile``: the tenant's own audit log against our cases."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.shell import Shell
from tests.sources.written import as_csv, as_json, audit_record, sender_row


def record(time: str, address: str = "ada@contoso.com", event: str = "Listed", **changed: Any) -> dict[str, Any]:
    """Return a record of the audit log; times are UTC."""
    return audit_record(CreationTime=time, Event=event, EventValue=address, OrganizationId="", **changed)


def removal(time: str, by: str, address: str = "ada@contoso.com") -> dict[str, Any]:
    """Return the record of a removal that somebody ran."""
    parameters = [{"Name": "SenderAddress", "Value": address}]
    changed = {"RecordType": 1, "Parameters": parameters, "UserId": by}
    return audit_record("Remove-BlockedSenderAddress", CreationTime=time, OrganizationId="", **changed)


OTHER = audit_record("UserLoggedIn")
LISTED = record("2025-06-11T11:01:00")


@pytest.fixture
def log(case: Shell, home: Path) -> Path:
    """An export of a tenant in which only the case's own listing happened; the case was restricted at 11:01."""
    path = home / "ual.csv"
    path.write_bytes(as_csv([{"AuditData": json.dumps(item)} for item in (LISTED, OTHER)]))
    return path


def test_all_is_accounted_for(case: Shell, log: Path) -> None:
    """Exit code 0, each event with its case and entry."""
    ran = case.ok("ledger reconcile ual.csv")

    assert "ual.csv, line 2: tracked: listed ada@contoso.com 2025-06-11 13:01 CEST" in ran.out
    assert "case #1, entry 1" in ran.out
    assert "1 tracked, 1 other records; from the beginning until now." in ran.out
    assert "All is accounted for." in ran.out
    assert "tracked: listed" not in case.ok("ledger reconcile ual.csv --quiet").out


def test_the_two_differ(verified: Shell, home: Path) -> None:
    """Exit code 9; outside, untracked and missing are named with the next command."""
    verified.release()
    verified.later(days=2)
    items = [
        LISTED,
        record("2025-06-11T11:10:00", "eve@contoso.com"),
        removal("2025-06-11T11:30:00", "sam@contoso.com"),
    ]
    (home / "ual.json").write_bytes(as_json(items))
    ran = verified("ledger reconcile ual.json --from 2025-06-11 --to 2025-06-11")
    data = verified("ledger reconcile ual.json --json")
    rows = list(csv.DictReader(io.StringIO(verified("ledger reconcile ual.json --csv").out)))

    assert (9, 9) == (ran.code, data.code)
    assert "UNTRACKED: listed eve@contoso.com" in ran.out
    assert "    next: holdfast import ual.json" in ran.out
    assert "OUTSIDE: removed ada@contoso.com 2025-06-11 13:30 CEST by sam@contoso.com" in ran.out
    assert "MISSING: unblocked ada@contoso.com" in ran.out
    assert "The two differ in 3." in ran.out
    assert ["tracked", "untracked", "outside", "missing"] == [item["account"] for item in data.data["events"]]
    assert 3 == data.data["differences"]
    assert data.data["counts"]["tracked"] == 1
    assert [item["why"] for item in data.data["events"]] == [row["why"] for row in rows]


def test_the_command_named_records_the_finding(case: Shell, home: Path) -> None:
    """Once it was run, the unblock outside is on the ledger and all is accounted for."""
    case.later(hours=2)
    (home / "ual.json").write_bytes(as_json([LISTED, removal("2025-06-11T13:00:00", "sam@contoso.com")]))
    (finding,) = [item for item in case("ledger reconcile ual.json --json").data["events"] if item["next"]]
    case.ok(finding["next"].removeprefix("holdfast "))

    assert "outside: removed" in case.ok("ledger reconcile ual.json").out


def test_what_cannot_be_read_is_an_error(case: Shell, log: Path, home: Path) -> None:
    """A broken record, a file that is none, a list of the portal: named, the others judged, exit code 1."""
    (home / "broken.csv").write_bytes(as_csv([{"AuditData": json.dumps(LISTED)}, {"AuditData": '{"Operation": "Hy'}]))
    (home / "odd.json").write_bytes(as_json([record("2025-06-11T11:01:00", "not an address\x1b[2J")]))
    (home / "portal.json").write_bytes(as_json([sender_row("ada@contoso.com")]))
    (home / "strange.bin").write_bytes(bytes(range(256)) * 10)
    ran = case("ledger reconcile broken.csv odd.json portal.json strange.bin none.csv ual.csv")

    assert 1 == ran.code
    assert "2 tracked" in ran.out
    assert "5 unreadable" in ran.out
    assert "Not everything could be read." in ran.out
    assert "broken.csv, line 3: unreadable" in ran.err
    assert "portal.json: This is no export of the audit log" in ran.err
    assert "none.csv cannot be read" in ran.err
    assert "\x1b[2J" not in ran.out + ran.err
    assert 1 == case("ledger reconcile broken.csv --json").code


def test_standard_input_and_a_tenant(case: Shell) -> None:
    """A pipe is read as a file is; nothing of another tenant is tracked."""
    assert "1 tracked" in case.ok("ledger reconcile -", typed=as_json([LISTED])).out
    ran = case("ledger reconcile - --tenant other", typed=as_json([LISTED]))
    assert (9, True) == (ran.code, "next: holdfast case open --restricted-at 2025" in ran.out)


def test_only_the_period(case: Shell, log: Path) -> None:
    """What lies outside is counted and not judged."""
    ran = case.ok("ledger reconcile ual.csv --from 2025-07-01 --csv")

    assert 1 == len(ran.out.splitlines())
    assert "1 not in the period" in ran.err
    assert "No listing or delisting" in case.ok("ledger reconcile -", typed=b"").out


def test_formulas_stay_text(case: Shell, home: Path) -> None:
    """What an attacker may have called himself runs in no spreadsheet."""
    (home / "ual.json").write_bytes(as_json([removal("2025-06-11T11:30:00", "=cmd|' /C calc'!A0")]))
    (row,) = csv.DictReader(io.StringIO(case("ledger reconcile ual.json --csv").out))

    assert "'=cmd|' /C calc'!A0" == row["by"]


def test_an_unblock_just_now_is_awaited(verified: Shell, log: Path) -> None:
    """Records may take a day; how old the log is can be told."""
    verified.release()

    assert "awaited: unblocked ada@contoso.com" in verified.ok("ledger reconcile ual.csv").out
    verified.later(days=3)
    assert 9 == verified("ledger reconcile ual.csv").code
    assert "1 awaited" in verified.ok("ledger reconcile ual.csv --taken-at 2025-06-11T20:00").out


def test_csv_or_json(case: Shell, log: Path) -> None:
    """One or the other."""
    assert 2 == case("ledger reconcile ual.csv --csv --json").code
