"""What programs and people read of one case in several places is the same in all of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from tests.cli.shell import Shell


def kind(value: Any) -> str:
    """Return a value's JSON type, of a time and of an array's items too."""
    if isinstance(value, list):
        return f"array of {', '.join(sorted({kind(item) for item in value}))}"
    if isinstance(value, str) and value.endswith("Z"):
        return f"time {datetime.fromisoformat(value).tzinfo}"
    return type(value).__name__


def dismissed(shell: Shell) -> None:
    """Dismiss case 1 as a duplicate of case 2, with two people."""
    shell.ok("case open bea@contoso.com --as ana")
    shell.ok("case record 1 snapshot-taken --ref T-1 --as ana")
    shell.ok("case dismiss 1 --resolution duplicate --of 2 --reason twice --as ana")
    shell.ok("case dismiss 1 --as ben --confirm")


def test_list_and_view_have_one_shape(verified: Shell) -> None:
    """Every key of the list stands in the view, with the same type and the same value, at each stage of a case."""
    stages = (
        "case request-unblock 1 --yes --as ben",
        "case approve 1 --yes --as cleo",
        "case unblock 1 --yes --as ben",
        "case observe 1 --restriction not-listed --ref list --as ben",
    )
    for stage in ("case view 1", *stages):
        verified.ok(stage)
        verified.later(hours=2)
        (row,) = verified.ok("case list --json").data["cases"]
        verified.later(minutes=-1)
        view = verified.view()

        assert {name: kind(value) for name, value in row.items()} == {name: kind(view[name]) for name in row}
        assert row == {name: view[name] for name in row}


def test_an_ended_case_lacks_nothing(case: Shell) -> None:
    """View, list, prerequisites and JSON show how it ended, what was answered and how it is reopened; no work."""
    dismissed(case)
    shown = case.ok("case view 1").out
    listed = case.ok("case list --all").out

    assert "next:" not in shown
    assert "Missing" not in shown
    assert "dismissed as duplicate: nothing is missing. Reopen it with: holdfast case reopen 1 --reason WHY" in shown
    assert "Answered (1 answer):\n  snapshot-taken: met, attested by ana (claimed)" in shown
    assert "The case ended" in case.ok("case prerequisites 1 --missing").out
    assert [] == case.ok("case prerequisites 1 --missing --json").data["prerequisites"]
    assert "next:" not in case.ok("case prerequisites 1").out
    assert [] == case.view()["missing"]
    assert [[]] == [row["missing"] for row in case.ok("case list --all --json --state dismissed").data["cases"]]
    assert [2] == [row["number"] for row in case.ok("case list --all --missing password-reset --json").data["cases"]]
    heads, *rows = listed.splitlines()
    (ended,) = [row for row in rows if "ada@" in row]
    assert heads.index("resolution") == ended.index("duplicate")


def test_one_count_is_named_in_words(case: Shell) -> None:
    """The list and the JSON count prerequisites until verified; answers count each user, and the request too."""
    case.ok("case identity 1 ada@contoso.com --as ana")
    case.ok("case identity 1 bea@contoso.com --as ana")
    view = case.view()
    wanted = [step for step in view["prerequisites"] if step["required"] and step["phase"] != "close"]
    request = {step["id"] for step in wanted if step["phase"] == "request"}
    until = f"{len(view['missing'])} prerequisites until verified, {len(request)} for the request"

    assert len(wanted) > len(view["missing"]) + len(request)
    assert f"Missing before an unblock: {len(wanted)} answers ({until}):" in case.ok("case view 1").out
    assert f"{len(wanted)} answers to go." in case.ok("case work 1 --as ana", typed=b"q\n").out
    assert "until verified" in case.ok("case list").out.splitlines()[0]
    assert f" {len(view['missing'])}: snapshot-taken, " in case.ok("case list").out


def test_what_was_only_reported_was_not_read(case: Shell) -> None:
    """A case typed in by hand says so, until somebody looks."""
    assert ", reported by portal, not read\n" in case.ok("case view 1").out
    case.ok("case observe 1 --restriction listed --ref list --as ana")
    shown = case.ok("case view 1").out
    assert ", read 2025-06-11" in shown
    assert "not read" not in shown


def test_an_answer_that_nobody_recorded(verified: Shell) -> None:
    """An unblock that was seen to work before anybody wrote Microsoft's answer down says that none was recorded."""
    verified.ok("case request-unblock 1 --yes --as ben")
    verified.ok("case approve 1 --yes --as cleo")
    verified.ok("case unblock 1 --yes --as ben")
    assert "answer: none yet, pending for" in verified.ok("case view 1").out
    verified.ok("case observe 1 --restriction not-listed --ref list --as ben")
    assert "answer: none recorded, ended" in verified.ok("case view 1").out


@pytest.mark.parametrize("line", ["case exceptions --from 2025-01-01", "import nobody.json"])
def test_keys_have_underscores(shell: Shell, line: str) -> None:
    """A key is a name in every language; values that name an option keep their dash."""
    with open("nobody.json", "w", encoding="utf-8") as file:  # noqa: PTH123 - the test's own folder.
        file.write("[]")
    data = shell.ok(f"{line} --json").data
    keys = data.get("looked_for") or data["counts"]

    assert [] == [key for key in keys if not key.isidentifier()]
