"""Answers from a file: what a script wrote, row by row."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.shell import NOT_SO, Shell


@pytest.fixture
def two(shell: Shell) -> Shell:
    """Two cases, ada's and eve's."""
    for number, name in enumerate(("ada", "eve"), start=1):
        shell.ok(f"case open {name}@contoso.com --restricted-at -3h --as ana")
        shell.ok(f"case identity {number} {name}@contoso.com {NOT_SO} --as ana")
    return shell


def step(shell: Shell, number: int, name: str) -> dict[str, str]:
    """Return how a prerequisite stands."""
    found: dict[str, str] = shell.ok(f"case prerequisites {number} {name} --json").data["prerequisites"][0]
    return found


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_a_table(two: Shell, home: Path, encoding: str, mark: str) -> None:
    """Whatever PowerShell or a spreadsheet made of it; the columns are told by their names."""
    rows = [
        ("Case Number", "Prerequisite", "RESULT", "ref", "Note", "Observed_At", "before", "after", "User", "other"),
        ("1", "password-reset", "met", "T-1", "näh", "2025-06-11T11:30:00Z", "a", "b", "ada@contoso.com", "x"),
        ("eve@contoso.com", "password-reset", "Not Met", "", "", "", "", "", "", ""),
    ]
    (home / "r.csv").write_text("\n".join(mark.join(row) for row in rows), encoding=encoding)
    ran = two.ok("case record --from r.csv --ref INC-1 --as ana")

    assert "2 done." in ran.out
    first = step(two, 1, "password-reset")
    assert ("met", "T-1", "näh", "a", "b") == tuple(
        first[name] for name in ("result", "reference", "note", "before", "after")
    )
    assert "2025-06-11T11:30:00.000000Z" == first["observed_at"]
    second = step(two, 2, "password-reset")
    assert ("not-met", "INC-1") == (second["result"], second["reference"])


def test_json_from_standard_input(two: Shell) -> None:
    """A list, or one object to a line; numbers may be numbers."""
    lines = (
        b'{"case": 1, "id": "password-reset", "reference": "T"}\n{"case": 2, "id": "mfa-enabled", "reference": "T"}\n'
    )
    assert "2 done." in two.ok("case record --from - --as ana", typed=lines).out
    ran = two("case record --from - --as ana --json", typed=b'[{"case": [1], "id": "x"}, 7, {"case": null, "id": "x"}]')

    assert [
        "Its case is no text.",
        "It is no object.",
        "It has no case.",
    ] == [item["message"] for item in ran.data["results"]]
    assert ["item 1", "item 2", "item 3"] == [item["where"] for item in ran.data["results"]]
    assert 2 == ran.code


def test_broken_rows_are_named(two: Shell, home: Path) -> None:
    """Each with its line; the others are recorded."""
    long = "x" * 4001
    (home / "r.csv").write_text(
        "case,id,result,reference,at\n"
        "1,password-reset,maybe,T,\n"
        "1,password-reset,met,T,yesterday\n"
        "1,password-reset,met,T,03/04/2025 10:00\n"
        "1,,met,T,\n"
        "1,password-reset\n"
        f"1,password-reset,met,{long},\n"
        "7,password-reset,met,T,\n"
        "1,no-such-step,met,T,\n"
        "1,sessions-revoked,met,,\n"
        "1,password-reset,met,T,2025-06-11 13:30\n"
        "2,password-reset,met,T,6/20/2025 1:00:00 PM\n"
        "2,password-reset,met,T,25/05/2025 11:00\n"
        '1,mfa-enabled,met,"never closed,\n',
        encoding="utf-8",
    )
    ran = two("case record --from r.csv --as ana")

    assert 2 == ran.code
    for line in (
        "(line 2): error: 'maybe' is no result: expected one of met, not-applicable, not-met, unable-to-verify.",
        "(line 3): error: 'yesterday' is not a time",
        "line 5: error: It has no id.",
        "line 6: error: It has 2 cells where the header has 5.",
        "line 7: error: Its reference has more than 4,000 characters.",
        "line 8, password-reset: not found: There is no case '7'.",
    ):
        assert line in ran.out
    assert ran.out.count("#1 ada@contoso.com, password-reset: detected") == 1
    assert "2025-06-11T11:30:00.000000Z" == step(two, 1, "password-reset")["observed_at"]


@pytest.mark.parametrize(
    "content", ["number,result\n1,met\n", "case,id,step\n1,x,y\n", "case,id\n1,\n", "case,id\n1\n"]
)
def test_what_cannot_be_understood_has_one_code(two: Shell, home: Path, content: str) -> None:
    """A header without its columns, one that says a column twice, and a broken row."""
    (home / "r.csv").write_text(content, encoding="utf-8")

    assert 2 == two("case record --from r.csv --as ana").code


def test_rows_of_one_case_stand_for_themselves(two: Shell, home: Path) -> None:
    """A refused row takes no other with it, and a later one stands on those before it."""
    (home / "r.csv").write_text(
        "case,id,reference\n1,snapshot-taken,T\n1,password-reset,\n1,mfa-enabled,T\n", encoding="utf-8"
    )
    ran = two("case record --from r.csv --as ana")

    assert 3 == ran.code
    assert "2 done, 1 refused." in ran.out
    assert "#1 ada@contoso.com, snapshot-taken: detected" in ran.out
    assert "#1 ada@contoso.com, password-reset (line 3): refused" in ran.out
    results = two("case record --from r.csv --as ana --json").data["results"]
    assert ["snapshot-taken", "password-reset", "mfa-enabled"] == [item["step"] for item in results]
    assert "held" == step(two, 1, "snapshot-taken")["standing"]


@pytest.mark.parametrize(("name", "code"), [("missing.csv", 2), ("-", 2)])
def test_no_such_file(two: Shell, name: str, code: int) -> None:
    """A file that cannot be read, and an empty standard input."""
    assert code == two(f"case record --from {name} --as ana").code


@pytest.mark.parametrize("ids", ["", "password-reset"])
def test_ids_or_a_file(two: Shell, home: Path, ids: str) -> None:
    """One of both, and never both."""
    source = "--from r.csv" if ids else "1"
    assert 2 == two(f"case record {source} {ids}").code
