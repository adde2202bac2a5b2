"""``holdfast ledger access``: who could, what changed, who did."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from tests.cli.shell import Shell

PEOPLE = """
[[people]]
name = "Ana"
roles = ["analyst"]

[[people]]
name = "Cleo"
roles = ["approver"]
team = "red"
"""


@pytest.fixture
def listed(case: Shell, home: Path) -> Shell:
    """A shell whose settings list Ana and Cleo since the second step."""
    (home / "home" / "config").mkdir(exist_ok=True)
    (home / "home" / "config" / "config.toml").write_text(PEOPLE, encoding="utf-8")
    case.ok("case note 1 hello --as ana")
    return case


def test_everybody(case: Shell) -> None:
    """With nobody listed that is said plainly."""
    ran = case.ok("ledger access")

    assert "While nobody is listed, everybody may do both" in ran.out
    assert "signed with holdfast-" in ran.out
    assert "acted under 2 names: ana, " in ran.out


def test_people(listed: Shell) -> None:
    """Who may write and approve, since when, and by whom the list was put on the ledger."""
    ran = listed.ok("ledger access")

    assert "ana: not listed -> analyst; cleo: not listed -> approver (red)" in ran.out
    assert ["cleo", "approver", "red", "yes", "yes"] == next(
        line.split()[:5] for line in ran.out.splitlines() if line.startswith("cleo")
    )
    assert "still" in ran.out


def test_csv_and_json(listed: Shell) -> None:
    """One table of four kinds of rows, and four lists."""
    rows = list(csv.DictReader(io.StringIO(listed.ok("ledger access --csv").out)))
    data = listed.ok("ledger access --json").data

    assert {"could", "key", "changed", "did"} == {row["row"] for row in rows}
    assert {"could", "keys", "changes", "did", "nobody_listed", "several_names", "period"} == set(data)
    assert 2 == listed("ledger access --csv --json").code


def test_nothing_happened(listed: Shell) -> None:
    """In a period in which nobody did anything the list in force is shown all the same."""
    listed.later(days=20)
    ran = listed.ok("ledger access --from -2d")

    assert "Nothing: no people, settings, playbooks or keys." in ran.out
    assert "Nobody acted." in ran.out
    assert "cleo" in ran.out
