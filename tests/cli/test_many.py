"""One verb over many cases: how they are named, what is asked, what is told, and how it ends."""

from __future__ import annotations

import json
import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.cli.shell import NOT_SO, Shell
from tests.cli.test_terminal import at_a_terminal
from workflow.cli.many import compact
from workflow.cli.run import run
from workflow.services import casework, wave

NAMES = ("ada", "eve", "joe")


@pytest.fixture
def three(shell: Shell) -> Shell:
    """A shell on a ledger with three cases: ada, eve and joe, opened by ana."""
    for name in NAMES:
        shell.ok(f"case open {name}@contoso.com --as ana")
    return shell


@pytest.fixture
def asked(three: Shell) -> Shell:
    """Three cases whose unblock ben requested; eve's has an exception."""
    for number in (1, 2, 3):
        three.verify(number)
    three.ok("case except 2 audit-logging-on --reason 'no licence' --until +7d --as ana")
    three.ok("case except 2 audit-logging-on --grant --as fay")
    three.ok("case request-unblock --state verified --yes --as ben")
    return three


def notes(shell: Shell) -> list[str]:
    """Return the numbers of the cases that carry a note."""
    numbers = [row["number"] for row in shell.ok("case list --json --sort number").data["cases"]]
    found = {number: shell.ok(f"case history {number} --json").data["entries"] for number in numbers}
    return [str(number) for number, entries in found.items() if any(item["type"] == "case:noted" for item in entries)]


@pytest.mark.parametrize(
    ("line", "typed", "noted"),
    [
        ("case note 1,#3 hello", b"", "13"),
        ("case note 1-3 hello", b"", "123"),
        ("case note #2-2,3 hello", b"", "23"),
        ("case note --search eve hello --yes", b"", "2"),
        ("case note --all hello --yes", b"", "123"),
        ("case note - hello", b"3\n\nada@contoso.com\n", "13"),
        ("case note - hello", b"id,number\nx,2\n", ""),
        ("case note - hello", b"number;state\n2;detected\n", "2"),
        ("case note - hello", b'[1, {"number": 2}]', "12"),
        ("case note - hello", b'{"results": [{"id": null, "number": null, "case": null}, {"number": 2}]}', "2"),
        ("case note - hello", b'{"number": 3}', "3"),
        ("case note - hello", b"case\r\neve@contoso.com\r\n", "2"),
    ],
)
def test_naming_many(three: Shell, line: str, typed: bytes, noted: str) -> None:
    """Numbers with commas, filters, or standard input: lines, CSV or JSON."""
    ran = three(line, typed=typed)

    assert (0 if noted else 5) == ran.code
    assert list(noted) == notes(three)


@pytest.mark.parametrize("form", ["--json", "--csv"])
def test_what_a_list_prints_names_its_cases(three: Shell, form: str) -> None:
    """The output of ``case list`` is input for every verb, and so is that of a verb."""
    listed = three.ok(f"case list --search e {form}").out
    done = three.ok("case assign - cleo --json", typed=listed.encode()).out
    three.ok("case note - hello", typed=done.encode())

    assert ["2", "3"] == notes(three)


def test_several_words(asked: Shell) -> None:
    """Verbs that take nothing but cases take several of them."""
    ran = asked.ok("case withdraw 1 eve@contoso.com --yes --as ben")

    assert "#1 ada@contoso.com: unblock_requested → verified" in ran.out
    assert "#2 eve@contoso.com: unblock_requested → verified" in ran.out
    assert "2 done." in ran.out


def test_each_has_its_result(asked: Shell) -> None:
    """What refuses one case touches no other; the worst result is the exit code."""
    asked.ok("case withdraw 1 --as ben")
    ran = asked("case approve 1,2,3,3,9 --yes --as cleo")

    assert 5 == ran.code
    assert "Not possible now, will be refused (1):\n    #1 ada@contoso.com: verified" in ran.out
    assert "With exceptions (1):\n    #2 eve@contoso.com: unblock_requested; exception audit-logging-on" in ran.out
    assert "#1 ada@contoso.com: refused: This is not possible while a case is verified." in ran.out
    assert "  next: holdfast case view 1" in ran.out
    assert "#3 joe@contoso.com: skipped: It was named before." in ran.out
    assert "9: not found: There is no case '9'." in ran.out
    assert "1 refused, 2 done, 1 skipped, 1 not found." in ran.out
    assert "Not done: 1\n" in ran.err
    assert 3 == asked("case approve 1,2 --yes --as dora").code


def test_ranges_that_are_none(three: Shell) -> None:
    """A range runs upwards and is no slip of the hand; nothing is done otherwise."""
    for word in ("3-1", "1-999999999"):
        ran = three(f"case note {word} hello")

        assert (2, "") == (ran.code, ran.out)
        assert f"Error: {word} is no range of at most 100,000 case numbers, the smaller one first." in ran.err
    assert [] == notes(three)


def test_numbers_as_one_names_them() -> None:
    """Neighbours are a range, and what comes out goes in again."""
    assert "1-3,7,9-10" == compact([9, 1, 3, 2, 7, 10, 1])
    assert "" == compact([])


def test_a_reason_is_read_once(three: Shell) -> None:
    """What refuses many cases for the same reason is told in full once; the others point to it."""
    ran = three("case approve 1-3 --yes --as cleo")

    assert 3 == ran.code
    assert "#1 ada@contoso.com: refused: This is not possible while a case is detected.\n  next: holdfast" in ran.out
    assert "#2 eve@contoso.com: refused: as #1\n#3 joe@contoso.com: refused: as #1\n3 refused." in ran.out
    assert "Not done: 1-3\n" in ran.err


def test_bulk_approvals_are_marked(asked: Shell) -> None:
    """Exceptions come first, and each approval says that it was one of three and what was shown."""
    ran = asked.ok("case approve --state unblock_requested --yes --as cleo --json")
    seen = {item["number"]: item for item in ran.data["results"]}

    assert {"done": 3} == ran.data["counts"]
    assert ["audit-logging-on"] == seen[2]["shown"]["exceptions"]
    assert seen[1]["shown"]["attested_only"]
    entry = asked.ok("case history 2 --json").data["entries"][-1]
    assert (3, seen[2]["shown"]["version"]) == (entry["details"]["bulk"], entry["details"]["seen_version"])
    assert seen[2]["shown"]["digest"] == entry["details"]["seen_digest"]


def test_one_of_many_is_not_bulk(asked: Shell) -> None:
    """A filter that fits one case approves it alone."""
    asked.ok("case approve --search joe --yes --as cleo")

    assert "bulk" not in asked.ok("case history 3 --json").data["entries"][-1]["details"]


def test_cases_of_another_tenants_name_are_told(asked: Shell, home: Path) -> None:
    """What is open twice is shown before many are approved at once."""
    rows = "SenderAddress,Reason,CreatedDatetime\njoe@contoso.com,spam,2025-06-11T08:00:00Z\n"
    (home / "list.csv").write_text(rows, encoding="utf-8")
    asked.ok(f"import {home / 'list.csv'} --tenant defualt")
    ran = asked.ok("case approve --state unblock_requested --yes --as cleo")
    assert "Open under another tenant's name too (1):\n    #3 joe@contoso.com: unblock_requested; #4 of" in ran.out


def test_changes_since_the_request_are_told(asked: Shell) -> None:
    """What was confirmed after the request is shown before the approval."""
    asked.ok("case record 3 cause-decided --ref T-1 --as ana")
    ran = asked.ok("case approve --state unblock_requested --yes --as cleo")

    assert "Changed since the request (1):\n    #3 joe@contoso.com: unblock_requested; 1 changes since" in ran.out
    assert "Only attested by people (1):\n    #1" in ran.out
    assert "Warning: An unblocked user is not restricted again today" in ran.out


@pytest.mark.parametrize(
    "line",
    [
        "request-unblock --all",
        "approve --all",
        "reject --all --reason no",
        "withdraw --all",
        "unblock --all --script x.ps1",
        "close --all",
        "dismiss --all --resolution false_positive --reason no",
        "except --all audit-logging-on --grant",
        "note --all hello",
        "record --all password-reset --ref x",
        "retract --search ada password-reset --reason x",
    ],
)
def test_decisions_and_filters_need_a_yes(three: Shell, line: str) -> None:
    """Where nobody can be asked, neither a decision nor what filters chose is done; numbers name their cases."""
    ran = three(f"case {line}")

    assert 2 == ran.code
    assert "--yes" in ran.err
    assert [1, 1, 1] == [len(three.ok(f"case history {number} --json").data["entries"]) for number in (1, 2, 3)]


def test_nothing_fits(three: Shell) -> None:
    """A filter that fits nothing says so, and is not done."""
    ran = three("case note --search nobody hello")
    piped = three("case note - hello", typed=b"\n")

    assert (5, 5) == (ran.code, piped.code)
    assert "No case fits these filters, so nothing was done." in ran.err
    assert "Standard input names no case" in piped.err


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("case withdraw", "Missing argument 'CASE'"),
        ("case note hello", "Missing argument 'TEXT'"),
        ("case withdraw 1 --all", "Name cases, or give filters, not both."),
        ("case record 1 password-reset --all --ref x", "A number is no prerequisite"),
        ("case record 1", "Missing argument 'ID'"),
        ("case note - -", "Standard input cannot say both"),
        ("case record --from x.csv --all", "The file says which cases"),
        ("case unblock 1 --outcomes x.csv", "The file says which cases"),
        ("case unblock --all --yes", "Say with --script FILE"),
        ("case unblock 1 --script x --outcome done", "contradict each other"),
        ("case note 1,2 ' '", "The note is empty"),
    ],
)
def test_what_cannot_be_meant(three: Shell, line: str, message: str) -> None:
    """Contradictions are refused before anything is done."""
    ran = three(line)

    assert 2 == ran.code
    assert message in ran.err


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (b'{"cases": [', "begins like JSON and is none"),
        (b'[{"name": "x"}]', "item 1 names no case"),
        (b"[true]", "item 1 names no case"),
        (b'{"cases": [{"number": 1}], "next": "abc"}', "is one page of several"),
        (b"id,number\n1\n", "line 2"),
    ],
)
def test_lists_that_cannot_be_read(three: Shell, typed: bytes, message: str) -> None:
    """A list that is broken is refused as a whole: nobody knows which cases it would have named."""
    ran = three("case note - hello", typed=typed)

    assert 1 == ran.code
    assert message in ran.err
    assert [] == notes(three)


def test_closed_standard_input(three: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """A standard input that is closed is not an empty list."""
    monkeypatch.setattr("workflow.cli.many.sys", SimpleNamespace(stdin=None))

    assert "is closed" in three("case note - hello").err


def test_facts_about_many(three: Shell) -> None:
    """Record, retract, except, label, link and observe are judged case by case, about each case's own user."""
    for number, name in enumerate(NAMES, start=1):
        three.ok(f"case identity {number} {name}@contoso.com {NOT_SO} --as ana")
    three.ok("case identity 3 max@contoso.com --as ana")
    recorded = three("case record --all password-reset sessions-revoked --ref T-1 --yes --as ana")
    taken_back = three("case retract 1,3 password-reset --reason wrong --for ada@contoso.com --as ana")

    assert 5 == taken_back.code
    assert "#3 joe@contoso.com: not found: Case #3 does not name ada@contoso.com" in taken_back.out
    assert 2 == recorded.code
    assert "#3 joe@contoso.com: error: 'password-reset' is answered for each user: say whom with --for" in recorded.out
    assert "2 done, 1 error." in recorded.out
    three.ok("case label --all --add wave --yes --as ana")
    three.ok("case link 1,2 3 --as ana")
    three.ok("case observe --label wave --restriction listed --ref portal --yes --as ana")
    three.ok("case except 1,2 audit-logging-on --until +7d --reason 'no licence' --as ana")
    granted = three("case except --all audit-logging-on --grant --yes --as fay")
    assert "2 done, 1 not found." in granted.out
    three.ok("case dismiss 1,2 --resolution duplicate --of 3 --reason same --yes --as ana")
    three.ok("case dismiss 1,2 --confirm --yes --as fay")
    assert ["dismissed", "dismissed"] == [three.view(number)["state"] for number in (1, 2)]
    assert 0 == three("ledger verify").code


def test_a_question_at_a_terminal(three: Shell) -> None:
    """On a terminal the question says how many and which; only *yes* does it, and a bar shows how far it is."""
    no = at_a_terminal(["case", "note", "--all", "hello"], "n", NO_COLOR="1")
    yes = at_a_terminal(["case", "note", "--all", "hello"], "y", NO_COLOR="1")

    assert (0, 0) == (no[0], yes[0])
    assert "Add the note to 3 cases: #1 ada@contoso.com, #2 eve@contoso.com" in yes[1].replace("\r\n", "")
    assert "Nothing was done." in no[1]
    assert "Noting" in yes[1]
    three.now = datetime.now(UTC) + timedelta(minutes=1)
    assert ["case:opened", "case:noted"] == [item["type"] for item in three.ok("case history 1 --json").data["entries"]]


def test_ctrl_c_leaves_whole_transactions(three: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was committed is told as done, the rest as not reached, and nothing lies in between."""
    for module in (casework, wave):
        monkeypatch.setattr(module, "AT_ONCE", 1)
    times = iter(range(100))

    def clock() -> datetime:
        if next(times) == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return three.now

    with pytest.MonkeyPatch.context() as patch:
        printed: list[str] = []
        patch.setattr("click.echo", lambda text="", **_: printed.append(str(text)))
        code = run(["case", "note", "--all", "hello", "--yes", "--json"], clock)

    data = json.loads("".join(printed))
    outcomes = [item["outcome"] for item in data["results"]]
    assert 130 == code
    assert data["interrupted"]
    assert "not_reached" in outcomes
    assert [str(item["number"]) for item in data["results"] if item["outcome"] == "done"] == notes(three)


def test_ctrl_c_twice(three: Shell) -> None:
    """Asked twice, the command ends at once: the transaction under way is taken back."""
    times = iter(range(100))

    def clock() -> datetime:
        if next(times) in {2, 3}:
            os.kill(os.getpid(), signal.SIGINT)
        return three.now

    assert 130 == run(["case", "note", "--all", "hello", "--yes"], clock)
    assert [] == notes(three)
