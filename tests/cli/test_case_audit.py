"""What went another way than usual, and figures: for people, as CSV and as JSON."""

from __future__ import annotations

import csv
import io

import pytest

from tests.cli.shell import Shell
from tests.cli.test_terminal import at_a_terminal
from workflow.cli.figures_page import BAR, bar
from workflow.domain.notable import KINDS
from workflow.services import figures, notable

HOSTILE = "=cmd|' /C calc'!A0 \u202e\x1b[2J\r\nLine of ours"


@pytest.fixture
def odd(case: Shell) -> Shell:
    """Case 1 with an exception asked for in hostile words, and case 2 with an answer that was taken back."""
    case.ok("case except 1 admin-roles-reviewed --until +3d --as ana --reason", HOSTILE)
    case.ok("case except 1 admin-roles-reviewed --grant --as dora")
    case.later(days=30)
    case.ok("case open bob@contoso.com --as ana")
    case.ok("case record 2 snapshot-taken --ref T --as ana")
    case.ok("case retract 2 snapshot-taken --reason oops --as ana")
    return case


def test_nothing_of_the_kind(shell: Shell) -> None:
    """An empty answer says for which period, and everything that was looked for."""
    out = shell.ok("case exceptions --from 2025-06-01 --to 2025-06-30").out

    assert out.startswith(
        "Nothing of the kind happened, from 2025-06-01 00:00 CEST until before 2025-07-01 00:00 CEST."
    )
    assert list(KINDS) == [line.split()[0] for line in out.splitlines()[1:]]
    assert 2 == len(shell.ok("case exceptions --kind-of bulk").out.splitlines())


def test_what_happened(odd: Shell) -> None:
    """Each with case, entry, kind, who and why; words from outside cannot pass for lines of ours."""
    ran = odd.ok("case exceptions")

    assert "case #1, entry 3: exception" in ran.out
    assert "admin-roles-reviewed for ada@contoso.com accepted until 2025-06-14 12:02 UTC" in ran.out
    assert "by dora (claimed, OS user " in ran.out
    assert ", asked for by ana (claimed)" in ran.out
    assert ", also as ana (claimed)" in ran.out
    assert "\x1b" not in ran.out
    assert "\nLine of ours" not in ran.out
    assert "3 in all" in ran.err
    assert "1 exception, 1 two-names, 1 retracted" in ran.err


def test_what_one_command_did_is_told_once(case: Shell) -> None:
    """The same act on many cases is one item that names them all; the data has each."""
    case.ok("case open bob@contoso.com --as ana")
    case.ok("case open eve@contoso.com --as ana")
    case.ok("case record 1-3 audit-logging-on --ref T --as ana")
    case.ok("case retract 1-3 audit-logging-on --reason oops --yes --as ana")
    ran = case.ok("case exceptions --kind-of retracted")

    assert "  3 cases, 1-3: retracted, an answer or an exception was taken back\n" in ran.out
    assert 1 == ran.out.count("reason: oops")
    assert "3 in all" in ran.err
    assert 3 == len(case.ok("case exceptions --kind-of retracted --json").data["exceptions"])


def test_a_period_of_what_happened(odd: Shell) -> None:
    """Only what was recorded in the period; the last date counts as a whole day."""
    (item,) = odd.ok("case exceptions --from 2025-07-01 --to 2025-07-11 --json").data["exceptions"]

    assert ("retracted", 2, "oops", "holdfast case history 2") == tuple(
        item[name] for name in ("kind", "case_number", "reason", "next")
    )
    assert [] == odd.ok("case exceptions --from 2025-06-12 --to 2025-07-10 --json").data["exceptions"]


def test_what_happened_as_data(odd: Shell) -> None:
    """JSON says what was looked for too; CSV has no formula in it."""
    data = odd.ok("case exceptions --kind-of exception --kind-of erased --json").data
    (line,) = csv.DictReader(io.StringIO(odd.ok("case exceptions --kind-of exception --csv").out))

    assert ["exception", "erased"] == list(data["looked_for"])
    assert {"from": None, "to": None} == data["period"]
    assert HOSTILE == data["exceptions"][0]["reason"]
    assert notable.COLUMNS == tuple(line) == tuple(data["exceptions"][0])
    assert line["reason"].startswith("'=cmd")


def test_no_figures(shell: Shell) -> None:
    """Where no case began there is nothing to sum up."""
    assert "No case began, from the beginning until now.\n" == shell.ok("case stats").out
    assert [] == shell.ok("case stats --json").data["groups"]


def test_figures_for_people(verified: Shell) -> None:
    """Counts, endings, times in words, and how long each step was waited for; no bars in a pipe."""
    verified.release()
    verified.ok("case open bob@contoso.com")
    verified.later(days=1)
    verified.ok("case open ada@contoso.com --restricted-at now")
    out = verified.ok("case stats").out

    assert "2 cases, 3 occurrences, 1 of them came back" in out
    assert "ended: 1 released, 2 without a resolution yet" in out
    assert "request to approval  1      1 min   1 min        1 min" in out
    assert "to release           1      7 min   7 min        7 min" in out
    assert "#" not in out


def test_figures_told_apart(odd: Shell) -> None:
    """Each group under its name, in every form."""
    out = odd.ok("case stats --by month").out
    data = odd.ok("case stats --by month --json").data
    lines = list(csv.DictReader(io.StringIO(odd.ok("case stats --by kind --csv").out)))

    assert "2025-06: 1 case, 1 occurrence\n" in out
    assert "2025-07: 1 case, 1 occurrence\n" in out
    assert ("month", ["2025-06", "2025-07"]) == (data["by"], [group["name"] for group in data["groups"]])
    assert {"mailbox"} == {line["group"] for line in lines}
    assert figures.COLUMNS == tuple(lines[0])


@pytest.mark.parametrize("command", ["exceptions", "stats"])
def test_one_format(shell: Shell, command: str) -> None:
    """CSV and JSON contradict each other, and a period that ends before it begins is a mistake."""
    assert 2 == shell(f"case {command} --csv --json").code
    assert 2 == shell(f"case {command} --from 2025-06-02 --to 2025-06-01").code


def test_bars_on_a_terminal(verified: Shell) -> None:
    """Whoever looks at a terminal sees bars behind the figures."""
    verified.release()
    code, shown = at_a_terminal(["case", "stats"])

    assert 0 == code
    longest = max(line.count("#") for line in shown.splitlines())
    # Where the terminal has little room the bar is short, and no word is cut for it.
    assert 5 <= longest <= BAR
    assert "request to approval" in shown


@pytest.mark.parametrize(
    ("value", "longest", "columns"), [(None, 10, 0), (0, 0, 0), (10, 10, BAR), (5, 10, BAR // 2), (0.01, 10, 1)]
)
def test_a_bar(value: float | None, longest: float, columns: int) -> None:
    """The longest is whole, and nothing that is there is drawn as nothing."""
    assert "#" * columns == bar(value, longest)
