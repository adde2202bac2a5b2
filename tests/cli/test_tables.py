"""Tables on a narrow terminal: what the next command needs is whole, and what is left out is named."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click
import pytest

from workflow.cli.output import table

CLAIMED = "bartholomew.longfellow@contoso.example (claimed)"


def printed(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    columns: int,
    heads: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    flexible: Sequence[int] = (),
    spare: Sequence[int] = (),
) -> list[str]:
    """Print a table on a terminal of so many columns."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", str(columns))
    table(heads, rows, flexible=flexible, spare=spare)
    return click.unstyle(capsys.readouterr().out).splitlines()


def test_columns_are_left_out_by_their_weight_and_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Cells are cut while they still tell something, then the least important columns go; the id stays whole."""
    heads = ("id", "what", "team", "when")
    rows = [("alert_0123456789abcdef0123456789", "w" * 60, "team of three", "2026-11-02 07:12 UTC")]

    lines = printed(monkeypatch, capsys, 56, heads, rows, flexible=(1,), spare=(3, 2))

    assert [
        "id                                what",
        f"alert_0123456789abcdef0123456789  {'w' * 19}…",
        "Left out for want of room: team, when. A wider terminal, --csv or --json shows them.",
    ] == lines


def test_a_claimed_name_stays_claimed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """However narrow, a name is cut before the word that says that nobody authenticated it."""
    lines = printed(monkeypatch, capsys, 21, ("#", "by"), [("1", CLAIMED), ("2", "ann")], flexible=(1,))

    assert ["#  by", "1  barthol… (claimed)", "2  ann"] == [line.rstrip() for line in lines]


def test_what_must_not_be_cut_goes_on_on_the_next_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Columns that are neither cut nor left out are folded, heads and cells alike."""
    row = ("1", "yara.longfellow@contoso.example", "unblock_requested")

    lines = printed(monkeypatch, capsys, 40, ("#", "entity", "state"), [row, ("2", "bea@contoso.example", "-")])

    told = ["1  yara.longfellow@contoso.example", "    unblock_requested", "2  bea@contoso.example"]
    assert ["#  entity", "    state", *told] == [line.rstrip() for line in lines]


def test_a_wide_terminal_and_a_pipe_show_everything(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is cut, left out or named where there is room; a pipe has room for everything."""
    heads, rows = ("#", "by"), [("1", CLAIMED)]
    table(heads, rows, flexible=(1,), spare=(1,))
    piped = capsys.readouterr().out.splitlines()

    assert ["#  by", f"1  {CLAIMED}"] == piped
    assert piped == printed(monkeypatch, capsys, 80, heads, rows, flexible=(1,), spare=(1,))
