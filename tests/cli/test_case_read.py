"""Looking at cases: lists, one screen, steps, history, and the past."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest

from tests.cli.shell import Shell
from workflow.cli.case_read import COLUMNS


def test_no_cases_yet(shell: Shell) -> None:
    """An empty list says how to begin."""
    assert "There are no cases yet" in shell.ok("case list").out
    assert {"cases": [], "next": ""} == {key: shell.ok("case list --json").data[key] for key in ("cases", "next")}
    assert ",".join(COLUMNS) == shell.ok("case list --csv").out.strip()


def test_no_case_fits(case: Shell) -> None:
    """A list emptied by its filters says so."""
    assert "No case fits" in case.ok("case list --search zzz").out


def test_the_list(case: Shell) -> None:
    """One line for a case, with what it lacks and nobody's name."""
    heading, row = case.ok("case list").out.splitlines()

    assert ["#", "state", "entity", "restriction", "until verified", "assignee", "due"] == re.split(" {2,}", heading)
    assert row.startswith("1  detected  ada@contoso.com  listed       15: snapshot-taken, password-reset, …  -")


def test_the_list_as_data(case: Shell) -> None:
    """JSON carries every missing prerequisite; CSV the same fields."""
    (row,) = case.ok("case list --json").data["cases"]
    (line,) = csv.DictReader(io.StringIO(case.ok("case list --csv").out))

    assert list(COLUMNS) == list(row)
    assert list(COLUMNS) == list(line)
    assert ("snapshot-taken", 15) == (row["missing"][0], len(row["missing"]))
    assert line["missing"].split() == row["missing"]
    assert "false" == line["late"]


def test_csv_and_json_contradict(case: Shell) -> None:
    """Only one of them can be printed."""
    assert 2 == case("case list --csv --json").code


@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        ("", [1, 2]),
        ("--sort number", [1, 2]),
        ("--state contained", []),
        ("--state detected --state contained", [1, 2]),
        ("--kind connector", [2]),
        ("--search ADA@", [1]),
        ("--missing traffic-reviewed", [2]),
        ("--assignee ana", [1]),
        ("--assignee ''", [2]),
        ("--assignee nobody-known", []),
        ("--mine --as ana", [1]),
        ("--mine", []),
        ("--resolution expired", []),
        ("--all", [1, 2]),
        ("--tenant default", [1, 2]),
        ("--tenant other", []),
        ("--opened-from -1h --opened-to now", [1, 2]),
        ("--opened-to -1h", []),
        ("--released-from -1d --released-to now", []),
    ],
)
def test_filters(case: Shell, options: str, numbers: list[int]) -> None:
    """Every filter narrows the list."""
    case.ok("case assign 1 ana")
    case.ok("case open 0f6d2b8a-77c1-4e0f-8d35-1b9c4a6e2d90")

    found = case.ok(f"case list --json {options}").data["cases"]

    assert numbers == [row["number"] for row in found]


def test_pages(case: Shell) -> None:
    """A page ends with the key of the next."""
    case.ok("case open bob@contoso.com")
    first = case.ok("case list --limit 1")
    key = first.err.rpartition("--after ")[2].strip()

    assert "ada@contoso.com" in first.out
    assert "bob@contoso.com" in case.ok("case list --limit 1 --after", key).out
    assert f"--after {key}" in case.ok("case list --limit 1 --csv").err
    assert 2 == case("case list --after nonsense").code
    assert 2 == case("case list --sort entity").code


def test_late_and_overdue(verified: Shell) -> None:
    """An unblock that was not seen to work is late after an hour and overdue after a day."""
    verified.ok("case request-unblock 1 --yes --as ben")
    verified.ok("case approve 1 --yes --as cleo")
    verified.ok("case unblock 1 --yes --as ben")
    verified.later(minutes=80)
    late, page = verified.ok("case list").out, verified.ok("case view 1").out
    verified.later(days=1)

    assert "LATE by 21 min" in late
    assert "LATE, pending for 1 h 22 min" in page
    assert "OVERDUE by" in verified.ok("case list").out
    assert "OVERDUE, pending for 1 d 1 h" in verified.ok("case view 1").out


def test_one_screen(case: Shell) -> None:
    """The case, what is missing now with its commands, and what comes later by name."""
    shown = case.ok("case view ada@contoso.com").out

    assert "Case #1: ada@contoso.com (mailbox, tenant default)" in shown
    assert "State: detected" in shown
    assert "restricted 2025-06-11 13:01 CEST" in shown
    assert "    next: holdfast case record 1 password-reset --ref WHERE" in shown
    assert "  then, to verify: audit-logging-on," in shown
    assert "holdfast case record 1 audit-logging-on" not in shown


def test_everything_on_the_screen(verified: Shell, home: Path) -> None:
    """Request, approval, proposals, exceptions, links and users are all there, each claimed."""
    verified.ok("case open boss@contoso.com --kind user --as ana")
    verified.ok("case link 1 2 --relation admin --as ana")
    verified.ok("case assign 1 ana")
    verified.ok("case except 1 audit-logging-on --reason 'no licence' --until +7d --as ana")
    verified.ok("case except 1 audit-logging-on --grant --as cleo")
    verified.ok("case request-unblock 1 --yes --as ben --reason 'all\ndone'")
    verified.ok("case approve 1 --yes --as dora --reason fine")
    verified.ok("case identity 1 bob@contoso.com --fact synced --as ana")
    verified.ok("case identity 1 bob@contoso.com --remove --reason typo --as ana")

    shown = verified.ok("case view 1").out

    assert "linked           #2 admin, detected" in shown
    assert "assignee         ana" in shown
    assert "user             bob@contoso.com (synced)" in shown
    assert "Waits for a second person: remove-identity, by ana (claimed)" in shown
    assert "next: holdfast case identity 1 bob@contoso.com --confirm --as NAME" in shown
    assert "Exception: audit-logging-on: granted by cleo (claimed), asked for by ana (claimed), until" in shown
    assert "(bob@contoso.com): unanswered" in shown


def test_request_and_approvals_on_the_screen(verified: Shell) -> None:
    """Who asked and who approved, each only claimed, and until when the approval is good."""
    assert "  next: holdfast case request-unblock 1\n" in verified.ok("case view 1").out
    verified.ok("case request-unblock 1 --yes --as ben --reason 'first\nsecond'")
    assert "  next: holdfast case approve 1 --as NAME\n" in verified.ok("case view 1").out
    verified.ok("case approve 1 --yes --as dora --reason fine")

    shown = verified.ok("case view 1").out
    assert "  next: holdfast case unblock 1\n" in shown

    assert "Unblock requested by ben (claimed), 2025-06-11" in shown
    assert "    first\n    second\n" in shown
    assert "approvals: 1 of 1" in shown
    assert "approved by dora (claimed)" in shown
    assert "Nothing is missing before an unblock." in shown


def test_what_is_next_after_the_intent(verified: Shell) -> None:
    """The answer and a reading, then the close; nothing is said to be missing before an unblock that was made."""
    verified.ok("case request-unblock 1 --yes --as ben")
    verified.ok("case approve 1 --yes --as dora")
    verified.ok("case unblock 1 --yes --as ben")
    shown = verified.ok("case view 1").out
    assert "  next: holdfast case unblock 1 --outcome done --ref WHERE\n" in shown
    verified.ok("case unblock 1 --outcome done --ref portal --as ben")
    shown = verified.ok("case view 1").out
    assert "  next: holdfast case observe 1 --restriction not-listed --ref WHERE\n" in shown
    assert "--outcome" not in shown
    verified.ok("case observe 1 --restriction not-listed --ref list --as ben")
    shown = verified.ok("case view 1").out
    assert "  next: holdfast case close 1\n" in shown
    assert "before an unblock" not in shown


def test_what_is_owed_where_it_was_unblocked_outside(case: Shell) -> None:
    """There is nothing left to unblock: what is missing is missing before the close."""
    case.ok("case observe 1 --restriction not-listed --ref list --lifted-by mallory --as ben")
    shown = case.ok("case view 1").out
    assert "Missing before the case closes: " in shown
    assert "to request" not in shown


def test_stale_evidence_is_pointed_out(verified: Shell) -> None:
    """What lapsed since the last entry is said, though reading writes nothing."""
    verified.later(days=2)
    before = verified.view()["sequence"]

    assert "Went stale since the last entry: " in verified.ok("case view 1").out
    assert before == verified.view()["sequence"]


def test_as_it_was(verified: Shell) -> None:
    """A case is shown as it was at an entry or at a time, and says so."""
    opened = verified.view()["opened_at"]

    assert "As it was at 1, entry 1" in verified.ok("case view 1 --as-of 1").out
    assert "detected" == verified.ok("case view 1 --json --as-of", opened).data["state"]
    assert 1 == len(verified.ok("case history 1 --json --as-of 1").data["entries"])
    assert 5 == verified("case view 1 --as-of -1d").code
    assert 2 == verified("case view 1 --as-of yesterday").code


def test_steps(case: Shell) -> None:
    """A step says how it stands, what counts, where and how it is done, and what to type."""
    shown = case.ok("case prerequisites 1 password-reset").out

    assert shown.startswith("password-reset (ada@contoso.com): unanswered\n")
    assert "Update-MgUser -UserId 'ada@contoso.com'" in shown
    assert "next: holdfast case record 1 password-reset --ref WHERE" in shown
    assert "snapshot-taken: unanswered" in case.ok("case prerequisites 1").out


def test_answered_steps(verified: Shell) -> None:
    """An answer is shown with method, claimed name, times and values."""
    verified.ok("case record 1 inbox-rules-reviewed --ref T-2 --note odd --before 'one rule' --after none --as ana")
    shown = verified.ok("case prerequisites 1 inbox-rules-reviewed").out

    assert "answer     met, attested by ana (claimed), observed" in shown
    assert ["T-2", "odd", "one rule", "none"] == [
        line.split(maxsplit=1)[1]
        for line in shown.splitlines()
        if line.split()[0] in {"reference", "note", "before", "after"}
    ]


def test_steps_as_data(case: Shell) -> None:
    """JSON and CSV carry the steps that were asked for."""
    data = case.ok("case prerequisites 1 --missing --json").data
    rows = list(csv.DictReader(io.StringIO(case.ok("case prerequisites 1 mfa-enabled --csv").out)))

    assert "snapshot-taken" == data["prerequisites"][0]["id"]
    assert ["mfa-enabled"] == [row["id"] for row in rows]


def test_steps_that_are_not(verified: Shell) -> None:
    """An unknown step is refused; nothing missing is said."""
    assert 5 == verified("case prerequisites 1 nonsense").code
    assert "Nothing is missing.\n" == verified.ok("case prerequisites 1 mfa-enabled --missing").out
    assert "id\n" == verified.ok("case prerequisites 1 mfa-enabled --missing --csv").out


def test_history(case: Shell) -> None:
    """Who did what, claimed or not, what moved, and where it stands in the ledger."""
    case("case request-unblock 1 --yes --as ana")
    heading, first, opened, second, refused = case.ok("case history 1").out.splitlines()

    assert "History of case 1" == heading
    assert "   1  2025-06-11 14:01 CEST  ana (claimed, OS user " in first
    assert "[leaf " in second
    assert "      case opened: listed  [new → detected]" == opened
    assert refused.startswith("      refused: request-unblock (missing snapshot-taken, ")


def test_history_as_data(case: Shell) -> None:
    """The same as JSON and CSV."""
    (entry,) = case.ok("case history 1 --json").data["entries"]
    (row,) = csv.DictReader(io.StringIO(case.ok("case history 1 --csv").out))

    assert ("case:opened", True, "ana") == (entry["type"], entry["claimed"], entry["by"])
    assert "case:opened" == row["type"]


def test_hostile_text_on_every_page(shell: Shell) -> None:
    """Escapes, directions, line breaks and formulas from a tenant or a colleague never act."""
    evil = "=1+1\x1b[2J\u202egnp\nState: released"
    shell.ok("case open ada@contoso.com --reason", evil, "--name", evil, "--as", "@eve")
    shell.ok("case note 1", evil)
    shell.ok("case record 1 snapshot-taken --ref", evil, "--note", evil, "--before", evil, "--after", evil)
    shell.ok("case assign 1 =cmd")

    pages = [shell.ok(line).out for line in ("case view 1", "case history 1", "case prerequisites 1", "case list")]

    for page in pages:
        assert "\x1b" not in page
        assert "\u202e" not in page
        assert "State: released" not in page.splitlines()
    assert "'=cmd" in shell.ok("case list --csv").out
    assert "'@eve" in shell.ok("case history 1 --csv").out
    assert "\x1b" not in shell.ok("case view 1 --json").out


def test_a_tenant_is_shown_where_there_are_several(case: Shell) -> None:
    """One tenant's name on every line would say nothing."""
    assert "tenant" not in case.ok("case list").out
    case.ok("case open bob@fabrikam.com --tenant fabrikam --as ana")

    out = case.ok("case list").out
    assert ("tenant", ["default", "fabrikam"]) == (
        out.splitlines()[0].split()[-1],
        [line.split()[-1] for line in out.splitlines()[1:]],
    )


def test_missing_something_that_does_not_exist(case: Shell) -> None:
    """A slip of the pen is not an empty list."""
    ran = case("case list --missing pasword-reset")

    assert (2, True) == (ran.code, "Was password-reset meant?" in ran.err)


def test_a_step_that_was_answered_and_does_not_apply_any_more(case: Shell) -> None:
    """It is shown with its answer, and is not missing."""
    case.ok("case record 1 own-mailbox-reviewed --result not-met --ref x --for ada@contoso.com")
    case.ok("case identity 1 ada@contoso.com --fact no-shared-mailbox")

    shown = case.ok("case prerequisites 1 own-mailbox-reviewed").out
    assert "own-mailbox-reviewed (ada@contoso.com): does-not-apply-any-more" in shown
    assert "not-met, attested by" in shown
    assert "own-mailbox-reviewed" not in case.ok("case prerequisites 1 --missing").out + case.ok("case view 1").out


def test_what_a_case_waits_for(verified: Shell) -> None:
    """A column, where it is more than the answers that the list counts anyway."""
    verified.ok("case open bob@contoso.com --as ana")

    heads, *lines = verified.ok("case list").out.splitlines()
    assert ("waits for", ["answers", "request"]) == (
        re.split(" {2,}", heads)[-1],
        sorted(line.split()[-1] for line in lines),
    )
    assert "waits for" not in verified.ok("case list --search bob").out
    assert "request" in verified.ok("case list --csv").out
