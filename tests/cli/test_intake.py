"""``holdfast import``: per-item results, broken rows, summaries and exit codes."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.cli.shell import Shell
from workflow.cli.demo_files import CONNECTOR, write_first_day, write_removal, write_return
from workflow.cli.files import opened
from workflow.errors import SourceError
from workflow.sources import ONE_LINERS


def senders(*names: str) -> bytes:
    """Return what Get-BlockedSenderAddress | ConvertTo-Json writes."""
    rows = [
        {"SenderAddress": f"{name}@contoso.com", "Reason": "spam", "CreatedDatetime": "2025-06-11T08:00:00Z"}
        for name in names
    ]
    return json.dumps(rows).encode()


def test_every_kind_of_file(shell: Shell, home: Path) -> None:
    """Each file is told by its content, and every item says what became of it."""
    write_first_day(home, shell.now - timedelta(hours=2))
    ran = shell.ok("import senders.json connectors.json alerts.json bounce.eml --tenant tailspin.example --as ana")

    assert "senders.json, item 1: opened #1 ada@tailspin.example" in ran.out
    assert f"connectors.json, item 1: opened #5 {CONNECTOR}" in ran.out
    assert "bounce.eml, message: seen #1 ada@tailspin.example" in ran.out
    assert ran.out.endswith("6 opened, 2 seen.\n")
    assert "4 known.\n" == shell.ok("import senders.json --tenant tailspin.example --quiet").out


def test_a_return_and_a_removal(shell: Shell, home: Path) -> None:
    """A list of a later day brings a case back; the audit log ends a restriction."""
    write_first_day(home, shell.now - timedelta(hours=2))
    shell.ok("import senders.json --tenant tailspin.example")
    shell.ok("case observe 1 --restriction not-listed --ref list")
    shell.later(hours=2)
    write_return(home, shell.now)
    write_removal(home, shell.now)
    assert "came-back #1" in shell.ok("import senders-later.csv --tenant tailspin.example").out
    assert "observed #2" in shell.ok("import audit.json --tenant tailspin.example").out


def test_standard_input_as_json(shell: Shell) -> None:
    """A pipe is read to its end, and the result is data."""
    data = shell.ok("import - --json", typed=senders("ada", "bob")).data

    assert [("-", "opened", 1), ("-", "opened", 2)] == [
        (item["file"], item["outcome"], item["case_number"]) for item in data["items"]
    ]
    assert (2, False) == (data["counts"]["opened"], data["failed"])


def test_nothing_is_restricted(shell: Shell) -> None:
    """Empty output of the cmdlet is good news."""
    assert "Nothing is restricted: the input lists nobody.\n" == shell.ok("import -", typed=b"").out


def test_a_broken_row(shell: Shell, home: Path) -> None:
    """A broken row is reported with its place and loses none of the others; the exit code tells."""
    (home / "list.json").write_bytes(senders("ada", "\x1b[2J broken", "bob"))
    ran = shell("import list.json --quiet")

    assert 1 == ran.code
    assert ran.out.startswith("list.json, item 2: broken")
    assert "\x1b" not in ran.out
    assert ran.out.endswith("2 opened, 1 broken.\n")


def test_an_unreadable_file(shell: Shell, home: Path) -> None:
    """A file that is none of the known ones, or none at all, does not stop the others."""
    (home / "notes.txt").write_text("hello", encoding="utf-8")
    (home / "list.json").write_bytes(senders("ada"))

    ran = shell("import notes.txt missing.json list.json")

    assert 1 == ran.code
    assert "notes.txt is none of the files" in ran.err
    assert "missing.json cannot be read" in ran.err
    assert "list.json, item 1: opened #1" in ran.out
    data = shell("import notes.txt list.json --json").data
    assert (True, "broken", "known") == (data["failed"], data["items"][0]["outcome"], data["items"][1]["outcome"])


def test_ambiguous_dates(shell: Shell, home: Path) -> None:
    """A row whose date can be read in two ways is refused with the option that settles it, and the others taken in."""
    row = '"SenderAddress","Reason","CreatedDatetime"\r\n"ada@contoso.com","spam","03/04/2025 08:00:00"\r\n'
    (home / "list.csv").write_text(row + '"bob@contoso.com","spam","25/04/2025 08:00:00"\r\n', encoding="utf-8")

    refused = shell("import list.csv")

    assert 1 == refused.code
    assert "line 2: broken (The date '03/04/2025 08:00:00'" in refused.out
    assert "--date-order dmy" in refused.out
    assert "line 3: opened #1 bob@contoso.com" in refused.out
    shell.ok("import list.csv --date-order dmy --timezone Europe/Berlin")
    assert "2025-04-03T06:00:00.000000Z" == shell.view(2)["restriction_reading"]["restricted_at"]


def test_the_settings_settle_dates(shell: Shell, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the settings say about dates need not be repeated."""
    row = '"SenderAddress","Reason","CreatedDatetime"\r\n"ada@contoso.com","spam","03/04/2025 08:00:00"\r\n'
    (home / "list.csv").write_text(row, encoding="utf-8")
    monkeypatch.setenv("HOLDFAST_DATE_ORDER", "mdy")
    shell.ok("import list.csv")
    assert "2025-03-04T08:00:00.000000Z" == shell.view()["restriction_reading"]["restricted_at"]


def test_no_such_zone(shell: Shell) -> None:
    """A time zone that does not exist is a usage error."""
    assert 2 == shell("import - --timezone Nowhere/None", typed=b"[]").code


def test_help_says_how_files_are_made(home: Path) -> None:
    """Every one-liner stands in the help, unbroken."""
    shown = Shell()("import --help").out

    assert [] == [line for line in ONE_LINERS.values() if line not in shown]


def test_a_file_that_cannot_be_read_is_no_good_news(shell: Shell, home: Path) -> None:
    """What was not understood is counted as broken and named; nothing is said about who is restricted."""
    (home / "other.json").write_text('{"foo": 1}')
    (home / "dates.csv").write_text(
        "SenderAddress,Reason,CreatedDatetime,TemporaryBlock\nada@contoso.com,r,04/05/2025 07:12:33,False\n"
    )
    ran = shell("import other.json dates.csv missing.json")

    assert 1 == ran.code
    assert ran.out.startswith("dates.csv, line 2: broken (The date")
    assert ran.out.endswith("\n3 broken.\n")
    assert 3 == shell("import other.json dates.csv missing.json --json").data["counts"]["broken"]


def test_closed_standard_input(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """A standard input that is closed is not an empty one."""
    monkeypatch.setattr("workflow.cli.files.sys", SimpleNamespace(stdin=None))

    with pytest.raises(SourceError, match="is closed"), opened("-"):
        pass


def test_a_whole_list(shell: Shell, home: Path) -> None:
    """The week's work: each case that the list does not name says why it is gone."""
    (home / "monday.json").write_bytes(senders("ada", "bob"))
    shell.ok("import monday.json")
    shell.later(hours=1)
    (home / "tuesday.json").write_bytes(senders("bob", "eve"))

    ran = shell.ok("import tuesday.json --complete --taken-at -10m")

    assert "tuesday.json, item 1: seen #2 bob@contoso.com" in ran.out
    assert (
        "tuesday.json, not named: unblocked-outside #1 ada@contoso.com (gone, and nobody unblocked it here)" in ran.out
    )
    table = ran.out.split("\n\n")[1].splitlines()
    assert [
        "the week's work             cases",
        "new                         1",
        "still listed                1",
        "came back                   0",
        "gone after our unblock      0",
        "expired                     0",
        "unblocked outside Holdfast  1",
    ] == table
    again = shell.ok("import tuesday.json --complete --taken-at 2025-06-11T15:00+02:00 --json").data
    assert (1, 2, 0) == (again["counts"]["left"], again["counts"]["seen"], again["counts"]["unblocked_outside"])
    digest = hashlib.sha256((home / "tuesday.json").read_bytes()).hexdigest()
    assert f"tuesday.json, SHA-256 {digest}" in shell.ok("case history 1 --json").out


def test_a_whole_list_with_a_broken_row(shell: Shell, home: Path) -> None:
    """Nothing is gone when a row could not be read, and the exit code says that the work is not done."""
    (home / "monday.json").write_bytes(senders("ada", "bob"))
    shell.ok("import monday.json")
    (home / "tuesday.json").write_bytes(senders("\x1b", "bob"))
    ran = shell("import tuesday.json --complete --taken-at now --quiet")
    assert 1 == ran.code
    assert "tuesday.json, the list: incomplete (nothing was recorded as gone, because 1 of its rows" in ran.out
    assert "Not named: #1)" in ran.out
    assert ran.out.endswith("The list is not complete: what it does not name was left as it stands.\n")


def test_an_empty_whole_list(shell: Shell, home: Path) -> None:
    """An empty list says nothing about its kind, so somebody has to; a header alone does say it."""
    (home / "monday.json").write_bytes(senders("ada"))
    shell.ok("import monday.json")
    refused = shell("import - --complete --taken-at now", typed=b"[]")
    assert (2, True) == (refused.code, "standard input is empty: say with --kind" in refused.err)
    assert "unblocked" not in shell.ok("import - --complete --taken-at now --kind connector --quiet", typed=b"").err
    shell.ok("import - --complete --taken-at now --kind mailbox", typed=b"[]")
    assert "not-listed" == shell.view()["restriction_reading"]["status"]
    header = b"SenderAddress,Reason\n"
    assert "left #1" in shell.ok("import - --complete --taken-at now", typed=header).out


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("import a.json --complete", 2, "Say with --taken-at"),
        ("import a.json --taken-at now", 2, "go with --complete"),
        ("import a.json --kind mailbox", 2, "go with --complete"),
        ("import a.json --complete --taken-at +1h", 2, "lies in the future"),
        ("import a.json b.json --complete --taken-at now", 2, "put them into one file"),
        ("import a.json --complete --taken-at now --kind connector", 2, "another kind (mailbox)"),
        ("import bounce.eml --complete --taken-at now", 1, "a bounce message tells of one sender"),
        ("import alerts.json --complete --taken-at now", 1, "alerts tell what happened"),
        ("import audit.json --complete --taken-at now", 1, "the audit log tells what happened"),
        ("import a.json missing.json --complete --taken-at now", 2, "missing.json cannot be read"),
    ],
)
def test_what_is_no_whole_list(shell: Shell, home: Path, line: str, code: int, words: str) -> None:
    """What cannot be judged as a whole is refused before anything is taken in."""
    write_first_day(home, shell.now - timedelta(hours=2))
    write_removal(home, shell.now)
    (home / "a.json").write_bytes(senders("ada"))
    (home / "b.json").write_bytes(senders("bob"))
    ran = shell(line)
    assert (code, True) == (ran.code, words in ran.err), ran
    assert "opened" not in ran.out
