"""Reporting cases: formats, files, and text from outside that stays text."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from tests.cli.shell import Shell
from workflow.services.report import ROW

HOSTILE = "=cmd|' /C calc'!A0 </td><script>alert(1)</script> \u202e\x1b[2J\r\n+1"


@pytest.fixture
def released(verified: Shell) -> Shell:
    """Case 1, released, with hostile text wherever a person can type some."""
    verified.ok("case note 1", HOSTILE)
    verified.ok("case record 1 profile-reviewed --as ana --ref", HOSTILE, "--note", HOSTILE)
    verified.release()
    return verified


def test_the_outline(released: Shell) -> None:
    """A terminal gets each step, each decision with its ground, and what all of it rests on."""
    out = released.ok("case report 1").out

    assert "Unblocked after approval: attested only" in out
    assert "password-reset (ada@contoso.com)" in out
    assert "cleo (claimed, OS user" in out
    assert "stood on 17 answers" in out
    assert "Rests on holdfast-" in out
    assert "\x1b[2J" not in out
    assert "\u202e" not in out


def test_a_page(released: Shell) -> None:
    """The page can be sent to a file; nothing that somebody typed acts in it."""
    out = released.ok("case report 1 --html").out

    assert out.lstrip().startswith("<!DOCTYPE html>")
    assert "<script" not in out
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in out
    assert "\x1b" not in out


def test_a_table(released: Shell) -> None:
    """Every row has the columns, and no cell is a formula to a spreadsheet."""
    lines = list(csv.DictReader(io.StringIO(released.ok("case report 1 --csv").out)))

    assert {tuple(ROW)} == {tuple(line) for line in lines}
    assert [] == [value for line in lines for value in line.values() if value[:1] in {"=", "+", "-", "@", "\t", "\r"}]
    shown = HOSTILE.replace("\u202e\x1b", "\\u202e\\x1b").replace("\n+", "\n'+")
    assert [f"'{shown}"] == [line["reference"] for line in lines if line["prerequisite"] == "profile-reviewed"]


def test_data(released: Shell) -> None:
    """JSON carries the words as they were typed."""
    (case,) = released.ok("case report 1 --json").data["cases"]
    (step,) = (item for item in case["occurrences"][0]["prerequisites"] if item["id"] == "profile-reviewed")

    assert HOSTILE == step["reference"]


@pytest.mark.parametrize("form", ["--html", "--csv", "--json"])
def test_a_file_of_ones_own(case: Shell, form: str) -> None:
    """A file is made new for its owner alone and never written over."""
    ran = case.ok(f"case report 1 {form} --output report.out")
    path = Path("report.out")
    before = path.read_text(encoding="utf-8")

    assert ("", "1 case reported in report.out\n") == (ran.out, ran.err)
    assert 0o600 == path.stat().st_mode & 0o777
    assert before == case.ok(f"case report 1 {form}").out or form != "--csv"
    assert 2 == case(f"case report 1 {form} --output report.out").code
    assert before == path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "line", ["case report", "case report 1 --html --csv", "case report 1 --csv --json", "case report 1 --output x"]
)
def test_what_cannot_be_meant(case: Shell, line: str) -> None:
    """Case and format are said, and only one format."""
    assert 2 == case(line).code


def test_the_outline_of_exceptions_and_marks(case: Shell) -> None:
    """What is to be looked at first stands in front, and exceptions name both people."""
    case.ok("case except 1 admin-roles-reviewed --until +3d --as ana --reason", HOSTILE)
    case.ok("case except 1 admin-roles-reviewed --grant --as cleo")
    out = case.ok("case report 1").out

    assert "Look first: released or worked with exceptions" in out
    assert "Exception: admin-roles-reviewed until 2025-06-14" in out
    assert "granted by cleo (claimed), asked for by ana (claimed)" in out


def test_a_case_that_is_not_there(case: Shell) -> None:
    """Nothing is written when a case does not exist."""
    assert 5 == case("case report 1 99 --html --output report.html").code
    assert not Path("report.html").exists()


def test_cases_by_filter_and_from_standard_input(case: Shell) -> None:
    """The cases of a report are chosen as for every other command: by filter, by range, or as another one printed."""
    case.ok("case open bob@contoso.com")
    case.ok("case open eve@contoso.com")
    listed = case.ok("case list --search contoso --sort number --csv").out.encode()

    def numbers(line: str, typed: bytes = b"") -> list[int]:
        return [item["case"]["number"] for item in case.ok(f"case report {line} --json", typed=typed).data["cases"]]

    assert [1, 2, 3] == numbers("--state detected")
    assert [2] == numbers("--search bob")
    assert [2, 3, 1] == numbers("2-3 1 3")
    assert [1, 2, 3] == numbers("-", listed)


@pytest.mark.parametrize(
    ("line", "code"), [("--state released", 5), ("1 --state detected", 2), ("1 --yes", 2), ("1-9", 5)]
)
def test_cases_that_cannot_be_meant(case: Shell, line: str, code: int) -> None:
    """Filters that fit nothing, cases and filters at once, a question nobody asks, and a case that is not there."""
    assert code == case(f"case report {line}").code
