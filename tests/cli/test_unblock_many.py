"""Many unblocks by one script: intents first, the script, and its results back."""

from __future__ import annotations

import csv
import stat
from pathlib import Path

import pytest

from tests.cli.shell import Shell

COLUMNS = ("case", "attempt", "outcome", "reference", "time")


@pytest.fixture
def approved(shell: Shell) -> Shell:
    """Three cases; the unblock of the first two is approved."""
    for number, name in enumerate(("ada", "o'neil", "joe"), start=1):
        shell.ok("case open", f"{name}@contoso.com", "--as", "ana")
        shell.verify(number)
    shell.ok("case request-unblock 1,2 --yes --as ben")
    shell.ok("case approve 1,2 --yes --as cleo")
    return shell


def results(path: Path, *rows: tuple[str, str, str, str, str], mark: str = "utf-8-sig") -> None:
    """Write a results file as PowerShell does."""
    with path.open("w", encoding=mark, newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([COLUMNS, *rows])


def attempt(shell: Shell, number: int) -> str:
    """Return how a script names the newest attempt of a case."""
    entries = shell.ok(f"case history {number} --json").data["entries"]
    return str(next(item["leaf"] for item in reversed(entries) if item["type"] == "unblock:intended"))[:16]


def answers(shell: Shell, number: int) -> list[str]:
    """Return the answers that a case's history tells of."""
    entries = shell.ok(f"case history {number} --json").data["entries"]
    return [item["details"]["answer"] for item in entries if item["type"] == "unblock:answered"]


def test_a_script_and_its_results(approved: Shell, home: Path) -> None:
    """The intents stand before the script is written; its results come back as answers, once."""
    ran = approved("case unblock 1,2,3 --script wave.ps1 --yes --as ben")
    script = home / "wave.ps1"
    text = script.read_text(encoding="utf-8")

    assert 3 == ran.code
    assert "#3 joe@contoso.com: refused" in ran.out
    assert "holdfast case unblock --outcomes wave.results.csv" in ran.out
    assert 0o600 == stat.S_IMODE(script.stat().st_mode)
    assert text.startswith("\ufeff# Unblocks 2 entities")
    assert "-SenderAddress 'o''neil@contoso.com'" in text
    assert "joe" not in text
    assert [attempt(approved, number) in text for number in (1, 2)] == [True, True]

    results(
        home / "wave.results.csv",
        ("1", attempt(approved, 1), "done", "unblocked", "2025-06-11T13:00:00Z"),
        ("2", attempt(approved, 2), "support", "Contact Microsoft Support", "2025-06-11T13:00:01Z"),
    )
    assert "2 done." in approved.ok("case unblock --outcomes wave.results.csv --as ben").out
    again = approved.ok("case unblock --outcomes wave.results.csv --as ben")
    assert "#1 ada@contoso.com (line 2): skipped: It was recorded before." in again.out
    assert (["done"], ["support"]) == (answers(approved, 1), answers(approved, 2))
    assert "verified" == approved.view(2)["state"]
    assert "unblocked (2025-06-11T13:00:00Z)" in approved.ok("case history 1").out


def test_a_script_that_was_lost(approved: Shell, home: Path) -> None:
    """It is written again: what is pending is told as pending, and its commands are in the new one."""
    approved.ok("case unblock 1,2 --script wave.ps1 --yes --as ben")
    assert 2 == approved("case unblock 1,2 --script wave.ps1 --yes --as ben").code
    (home / "wave.ps1").write_text("old", encoding="utf-8")
    ran = approved("case unblock 1,2 --script wave.ps1 --force --yes --as ben --json")

    assert 8 == ran.code
    assert {"pending": 2} == ran.data["counts"]
    assert "wave.ps1" == ran.data["script"]
    assert "Unblocks 2 entities" in (home / "wave.ps1").read_text(encoding="utf-8")
    assert ["wave.ps1"] == sorted(path.name for path in home.iterdir() if "wave" in path.name)


@pytest.mark.parametrize("name", ["missing/wave.ps1", "home", "a\nb.ps1"])
def test_a_script_that_cannot_be_written(approved: Shell, name: str) -> None:
    """Nothing is recorded then."""
    ran = approved("case unblock 1,2 --yes --as ben --script", name)

    assert 2 == ran.code
    assert not (approved.view(1)["attempt"] or {}).get("open")


def test_nothing_to_write(approved: Shell, home: Path) -> None:
    """Where every case is refused there is no script."""
    ran = approved("case unblock 3 --script wave.ps1 --yes --as ben")

    assert 3 == ran.code
    assert not (home / "wave.ps1").exists()


def test_a_script_that_fails_at_the_last_moment(approved: Shell, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The intents stand, and how to get the script is said."""
    monkeypatch.setattr(Path, "replace", _refused)
    ran = approved("case unblock 1 --script wave.ps1 --yes --as ben")

    assert 1 == ran.code
    assert "write their script with: holdfast case unblock 1 --script" in ran.err
    assert approved.view(1)["attempt"]["open"]


def _refused(_self: Path, _target: Path) -> None:
    raise OSError(28, "No space left on device")


def test_results_of_an_earlier_attempt(approved: Shell, home: Path) -> None:
    """They never answer a later one: known ones are skipped, others are a conflict."""
    approved.ok("case unblock 1,2 --script wave.ps1 --yes --as ben")
    first = attempt(approved, 1)
    results(home / "r.csv", ("1", first, "failed", "timed out", ""))
    told = approved.ok("case unblock --outcomes r.csv --as ben").out
    assert "Failed: 1. The attempt has ended; another takes a new request and approval:\n" in told
    assert "  next: holdfast case request-unblock 1\n" in told
    approved.ok("case request-unblock 1 --yes --as ben")
    approved.ok("case approve 1 --yes --as cleo")
    approved.ok("case unblock 1 --yes --as ben")
    results(
        home / "r.csv",
        ("1", first, "failed", "timed out", ""),
        ("1", first, "done", "x", ""),
        ("1", "0", "done", "x", ""),
    )
    ran = approved("case unblock --outcomes r.csv --as ben")

    assert 7 == ran.code
    assert "(line 2): skipped: It was recorded before." in ran.out
    assert 2 == ran.out.count("conflict: It belongs to another unblock attempt")
    assert ["failed"] == answers(approved, 1)


def test_results_by_hand(approved: Shell, home: Path) -> None:
    """Without an attempt a row answers the open one; what is missing, unknown or doubled is said with its line."""
    approved.ok("case unblock 1,2 --script wave.ps1 --yes --as ben")
    (home / "r.csv").write_text(
        "Case;Outcome;Message\n1;Done;seen\n1;done;seen\n2;perhaps;x\n2;done;\n;done;x\n9;done;x\n", encoding="utf-16"
    )
    ran = approved("case unblock --outcomes r.csv --as ben")

    assert 1 != ran.code
    assert "#1 ada@contoso.com (line 3): skipped" in ran.out
    assert "(line 4): error: 'perhaps' is no outcome: expected done, failed or support." in ran.out
    assert "(line 5): error: Nothing says where the outcome can be checked" in ran.out
    assert "line 6: error: It has no case." in ran.out
    assert "line 7: not found" in ran.out
    assert (
        "#2 o'neil@contoso.com: unblock_requested" in approved.ok("case unblock 2 --outcome done --ref x --as ben").out
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("case,what\n", "no column outcome"),
        ("", "no column case, outcome"),
        ("case,outcome,answer\n1,done,done\n", "several"),
    ],
)
def test_files_that_are_no_results(approved: Shell, home: Path, text: str, message: str) -> None:
    """A file without the columns is refused before anything is recorded."""
    (home / "r.csv").write_text(text, encoding="utf-8")
    ran = approved("case unblock --outcomes r.csv")

    assert 2 == ran.code
    assert message in ran.err
