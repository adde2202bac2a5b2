"""A desk's two days, played as people would: Monday and its wave, the night and the return, and an auditor's quarter.

Every line is a command somebody types. What an ordinary case costs is counted and printed.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.shell import CONTAIN, VERIFY, Ran, Shell
from workflow.cli.demo_files import CONNECTOR, DOMAIN, SETTINGS, TENANT_ID, address, spam

BREAK_GLASS = SETTINGS.replace(f'tenant = "{DOMAIN}"\n', f'tenant = "{DOMAIN}"\nbreak_glass = true\n')
WAVE = [f"user{number:03}" for number in range(300)]
UNLESS = ("app-passwords-removed", "own-mailbox-reviewed", "sign-in-enabled", "mfa-reregistered")
"""Steps that do not apply to an ordinary cloud mailbox whose owner signs in again as before."""
BULK = (
    "snapshot-taken sending-stopped limit-identified sign-ins-reviewed forwarding-reviewed inbox-rules-reviewed "
    "sent-mail-reviewed compromise-ruled-out owner-confirmed cause-decided bulk-channel-agreed"
)


def typed(*lines: str) -> bytes:
    """Return what somebody types, a line each."""
    return "".join(f"{line}\n" for line in lines).encode()


class Days:
    """The desk: its files, its people, and how many commands each kind of case took."""

    def __init__(self, shell: Shell, place: Path) -> None:
        self.shell = shell
        self.place = place
        self.typed: Counter[str] = Counter()

    def do(self, kind: str, who: str, line: str, expect: int = 0, answers: bytes = b"") -> Ran:
        """Type one command as one person, count it for a kind of case, and hold it to its exit code."""
        self.typed[kind] += 1
        ran = self.shell(f"{line} --as {who}", typed=answers)
        assert expect == ran.code, (line, ran)
        return ran

    def number(self, name: str) -> int:
        """Return the number of the newest case about an address."""
        rows = self.shell.ok(f"case list --all --search {name} --json --sort -number").data["cases"]
        return int(rows[0]["number"])

    def state(self, name: str) -> tuple[str, str | None]:
        """Return where the newest case about an address stands, and how it ended."""
        view = self.shell.view(self.number(name))
        return (view["state"], view["resolution"])

    def senders(self, name: str, rows: list[tuple[str, datetime, bool]]) -> str:
        """Write a list of blocked senders and return its name."""
        data = [
            {
                "SenderAddress": address(sender),
                "Reason": spam(812, 2210),
                "CreatedDatetime": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "TemporaryBlock": temporary,
            }
            for sender, at, temporary in rows
        ]
        (self.place / name).write_text(json.dumps(data), encoding="utf-8")
        return name

    def answers(self, name: str, cases: dict[int, str]) -> str:
        """Write what a script found out about many cases, as it would export it, and return the file's name."""
        with (self.place / name).open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(("case", "id", "result", "reference"))
            for number in cases:
                writer.writerows(
                    (number, step, "met", f"run 77, {number}") for step in (*CONTAIN.split(), *VERIFY.split())
                )
                writer.writerows((number, step, "not-applicable", "cloud user") for step in UNLESS)
        return name


@pytest.fixture
def days(shell: Shell, home: Path) -> Days:
    """A desk with three people, at eight on a Monday."""
    (home / "home" / "config").mkdir(parents=True, exist_ok=True)
    (home / "home" / "config" / "config.toml").write_text(BREAK_GLASS, encoding="utf-8")
    shell.now = datetime.fromisoformat("2026-11-02T08:00:00+00:00")
    return Days(shell, home)


@pytest.mark.slow
def test_two_days_and_a_quarter(days: Days) -> None:
    """Monday, a wave, a newsletter, a return, a shift change, a night alone, and what an auditor asks of it all."""
    began = days.shell.now
    monday(days)
    wave(days)
    checkpoint = days.shell.ok("ledger checkpoint --print").out
    (days.place / "kept.txt").write_text(checkpoint, encoding="utf-8")
    second_day(days)
    auditor(days, began)
    print(f"commands: {dict(days.typed)}")  # noqa: T201 - what an ordinary case costs is to be seen
    assert days.typed["guided case"] <= 8
    assert days.typed["case with a results file"] <= 6


def monday(days: Days) -> None:
    """Take Monday's list in: two temporary blocks, a shared mailbox, a newsletter sender, two people, a connector."""
    early = days.shell.now - timedelta(hours=3)
    names = (("ada", False), ("dora", True), ("emil", True), ("reception", False), ("news", False), ("carl", False))
    days.senders("monday.json", [(name, early, temporary) for name, temporary in names])
    row = {"ConnectorId": CONNECTOR, "ConnectorName": "Print room", "CreatedTime": early.strftime("%Y-%m-%dT%H:%M:%SZ")}
    (days.place / "connectors.json").write_text(json.dumps(row), encoding="utf-8")
    ran = days.do("Monday", "ana", "import monday.json connectors.json --complete --taken-at 2026-11-02T08:00Z")
    assert 7 == len(days.shell.ok("case list --json").data["cases"]), ran
    days.shell.ok("case link 7 1 --relation related --as ana")
    _guided(days)
    _from_a_file(days)
    _shared(days)


def _guided(days: Days) -> None:
    """Work an ordinary case with the guide alone, from detected to closed."""
    kind, number = "guided case", days.number("ada")
    steps = typed("m", "INC-1", *["m", ""] * 3, "n", *["m", ""] * 7, "n", *["m", ""] * 2, "n", "n", "n")
    days.do(kind, "ana", f"case work {number}", answers=steps)
    assert "verified" == days.state("ada")[0]
    days.do(kind, "ben", f"case work {number}", answers=typed("y", "cleaned up"))
    days.do(kind, "cleo", f"case approve {number} --yes")
    days.do(kind, "ben", f"case work {number}", answers=typed("y", "d", "portal", "g", "list"))
    assert ("released", "released") == days.state("ada")


def _from_a_file(days: Days) -> None:
    """Work an ordinary case from the results of a script."""
    kind, number = "case with a results file", days.number("carl")
    days.do(kind, "ana", f"case record --from {days.answers('carl.csv', {number: 'carl'})}")
    days.do(kind, "ben", f"case request-unblock {number} --yes")
    days.do(kind, "cleo", f"case approve {number} --yes")
    days.do(kind, "ben", f"case unblock {number} --yes")


def _shared(days: Days) -> None:
    """Find the person behind the shared mailbox; nobody works both sides of it."""
    number = days.number("reception")
    days.do("shared mailbox", "ana", f"case identity {number} {address('rita')} --fact shared-mailbox --ref log")
    missing = days.shell.view(number)["prerequisites"]
    assert {address("rita"), address("reception")} == {step["about"] for step in missing if step["about"]}


def wave(days: Days) -> None:
    """Three hundred at once: taken in, recorded, requested, approved and unblocked together, each judged by itself."""
    shell = days.shell
    shell.later(hours=2)
    at = shell.now - timedelta(minutes=20)
    days.do("wave", "ana", f"import {days.senders('wave.json', [(name, at, False) for name in WAVE])} --quiet")
    rows = shell.ok("case list --search user --json --limit 500").data["cases"]
    cases = {row["number"]: row["entity"] for row in rows}
    assert 300 == len(cases)
    days.do("wave", "ana", f"case record --from {days.answers('wave.csv', cases)}")
    days.do("wave", "ana", f"case retract {min(cases)} inbox-rules-reviewed --reason 'one more rule'")
    requested = days.do("wave", "ben", "case request-unblock --search user --yes", expect=3)
    assert "299" in requested.out, requested.out[-400:]
    days.do("wave", "cleo", "case approve --search user --state unblock_requested --yes --reason 'wave of 2 November'")
    days.do("wave", "ben", "case unblock --search user --state unblock_requested --yes --script out.ps1")
    script = (days.place / "out.ps1").read_text(encoding="utf-8-sig")
    assert 299 == script.count("Remove-BlockedSenderAddress -SenderAddress 'user")
    days.place.joinpath("outcomes.csv").write_text(
        "case,outcome,reference\n" + "".join(f"{number},done,ran\n" for number in cases if number != min(cases)),
        encoding="utf-8",
    )
    days.do("wave", "ben", "case unblock --outcomes outcomes.csv")
    shell.later(hours=1)
    left = [("user000", at, False), *((name, at, False) for name in ("reception", "news")), ("dora", at, True)]
    days.senders("after.json", left)
    stamp = shell.now.strftime("%Y-%m-%dT%H:%M:%SZ")
    week = days.do("wave", "ana", f"import after.json --complete --taken-at {stamp} --json").data
    assert 299 == len(shell.ok("case list --search user --state released --json --limit 500").data["cases"]), week
    assert ("released", "released") == days.state("carl")
    assert ("detected", "expired") == days.state("emil")


def second_day(days: Days) -> None:
    """A newsletter, a case that comes back, a shift change, and two in the morning with nobody to approve."""
    shell = days.shell
    news = days.number("news")
    days.do("newsletter", "ana", f"case playbook {news} legitimate-bulk-sender --reason 'monthly, 4,100 recipients'")
    days.do("newsletter", "cleo", f"case playbook {news} --confirm")
    days.do("newsletter", "ana", f"case record {news} {BULK} --ref INC-2")
    assert "verified" == days.state("news")[0]

    shell.later(days=1)
    back = days.senders("tuesday.json", [("user001", shell.now - timedelta(minutes=30), False)])
    days.do("return", "ana", f"import {back}")
    assert ("detected", 2) == (days.state("user001")[0], shell.view(days.number("user001"))["recurrence"])

    days.do("shift", "ana", "case assign --search user001 --assignee '' dan --yes")
    page = days.do("shift", "dan", "case handover --to ben --note 'see INC-1' --markdown")
    assert "INC-1" in page.out
    assert "ben" == shell.view(days.number("user001"))["assignee"]

    shell.now = shell.now.replace(hour=2, minute=0) + timedelta(days=1)
    number = days.number("news")
    days.do("night", "ana", f"case record {number} {BULK} --ref INC-2")
    days.do("night", "ben", f"case request-unblock {number} --yes")
    alone = days.do("night", "ben", f"case approve {number} --yes", expect=4)
    assert "cleo" in alone.err
    days.do(
        "night", "ben", f"case approve {number} --break-glass --reason 'nobody answers, magazine goes to print' --yes"
    )
    days.do("night", "ben", f"case unblock {number} --yes")
    days.do("night", "ben", f"case observe {number} --restriction not-listed --ref list")
    assert "released" == days.state("news")[0]
    shell.later(days=8)
    days.do("night", "ana", f"case close {number}", expect=3)
    days.do("night", "cleo", f"case review {number} --result justified --reason 'called back at 7'")
    _close(days)


def _close(days: Days) -> None:
    """End both ordinary cases after their watch: one led by the guide, one from a file."""
    kind, number = "guided case", days.number("ada")
    waiting = [step for step in days.shell.view(number)["prerequisites"] if step["next"]]
    days.do(kind, "ana", f"case work {number} --all", answers=typed(*["m", "INC-1"] * len(waiting), "y"))
    assert ("closed", "released") == days.state("ada")
    kind, number = "case with a results file", days.number("carl")
    steps = [step for step in days.shell.view(number)["prerequisites"] if step["next"]]
    rows = "".join(f"{number},{step['id']},met,run 78\n" for step in steps)
    (days.place / "close.csv").write_text("case,id,result,reference\n" + rows, encoding="utf-8")
    days.do(kind, "ana", "case record --from close.csv")
    days.do(kind, "ana", f"case close {number}")
    assert ("closed", "released") == days.state("carl")


def auditor(days: Days, began: datetime) -> None:
    """A sample of 25, the exceptions, the tenant's own log, who had access, and proof against a kept checkpoint."""
    shell = days.shell
    period = f"--from {began:%Y-%m-%d} --to {shell.now:%Y-%m-%d}"
    sample = days.do("auditor", "dan", f"ledger sample {period} --n 25 --seed 7 --json").data
    again = days.do("auditor", "dan", f"ledger sample {period} --n 25 --seed 7 --json").data
    assert 25 == len(sample["cases"])
    assert sample["cases"] == again["cases"]
    numbers = " ".join(str(row["number"]) for row in sample["cases"])
    days.do("auditor", "dan", f"case report {numbers} --html --output sample.html")
    assert numbers.split()[0] in (days.place / "sample.html").read_text(encoding="utf-8")

    kinds = {row["kind"] for row in days.do("auditor", "dan", f"case exceptions {period} --json").data["exceptions"]}
    assert {"break-glass", "playbook", "bulk", "retracted", "two-names"} <= kinds

    log = _audit_log(days)
    found = days.do("auditor", "dan", f"ledger reconcile {log} {period} --json", expect=9).data
    assert {"tracked", "outside", "untracked"} <= {row["account"] for row in found["events"]}
    access = days.do("auditor", "dan", f"ledger access {period}").out
    assert "cleo" in access
    days.do("auditor", "dan", f"case stats {period}")
    verified = days.do("auditor", "dan", "ledger verify --against kept.txt --json").data
    assert ("verified", "verified") == (verified["integrity"], verified["completeness"])


def _audit_log(days: Days) -> str:
    """Write the tenant's own log: one release of ours, one that nobody asked for, and a listing nobody worked."""
    attempt = days.shell.view(days.number("carl"))["attempt"]
    done = datetime.fromisoformat(attempt["intended_at"]) + timedelta(minutes=5)

    def record(event: str, sender: str, at: datetime) -> dict[str, object]:
        return {
            "CreationTime": at.strftime("%Y-%m-%dT%H:%M:%S"),
            "Id": f"{sender}-{event}",
            "Operation": "HygieneTenantEvents",
            "RecordType": 51,
            "OrganizationId": TENANT_ID,
            "UserId": "SecurityAdmin",
            "ObjectId": address(sender),
            "Audit": address(sender),
            "Event": event,
            "EventId": 1,
            "EventValue": address(sender),
        }

    records = [
        record("Delisted", "carl", done),
        record("Delisted", "reception", done + timedelta(hours=9)),
        record("Listed", "stranger", done),
    ]
    (days.place / "ual.json").write_text(json.dumps(records), encoding="utf-8")
    return "ual.json"
