"""Hostile text: nothing that comes from a tenant, a mail or a person acts on a terminal or in a spreadsheet."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.cli.output import csv_line
from workflow.cli.text import cell, padded, paragraphs, shortened, visible, width


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[2J\x1b]0;title\x07", "\\x1b[2J\\x1b]0;title\\x07"),
        ("line\nfeed\r\ttab", "line\\nfeed\\r\\ttab"),
        ("abc\u202edef", "abc\\u202edef"),
        ("a\u2066b\u200bc\u2028d", "a\\u2066b\\u200bc\\u2028d"),
        ("\x9b31m\x7f", "\\x9b31m\\x7f"),
        ("\U000e0041", "\\U000e0041"),
        ("wide\u3000space", "wide space"),
        ("e" + "\u0301" * 5, "e" + "\u0301" * 3 + "\\u0301" * 2),
        ("日本 é ß", "日本 é ß"),
    ],
)
def test_every_invisible_character_is_shown(text: str, expected: str) -> None:
    """Escapes, directions, line ends and piles of marks become readable; letters of any script stay."""
    assert expected == visible(text)


@given(st.text())
def test_nothing_gets_through(text: str) -> None:
    """Whatever goes in, one printable line comes out."""
    shown = visible(text)

    assert [] == [character for character in shown if not character.isprintable() and character != " "]


@given(st.text(), st.integers(1, 40))
def test_cut_to_length(text: str, limit: int) -> None:
    """A limit is kept, in columns."""
    assert width(visible(text, limit)) <= limit


def test_columns() -> None:
    """Wide characters take two columns, marks none."""
    assert [2, 4, 1, 3] == [width("ab"), width("日本"), width("e\u0301"), width("abc")]
    assert "日…" == shortened("日本語", 4)
    assert "日本 " == padded("日本", 5)


def test_a_paragraph_cannot_fake_a_line() -> None:
    """Every line of a note is indented, and a flood of lines is counted instead of shown."""
    assert ["  a", "  \\x1bb"] == paragraphs("a\r\n\x1bb", "  ")
    assert ["> 0", "> … 2 more lines"] == paragraphs("0\n1\n2", "> ", limit=1)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
def test_no_cell_is_a_formula(start: str) -> None:
    """A spreadsheet takes the cell for text."""
    assert f"'{start}cmd|' /C calc'!A0" == cell(f"{start}cmd|' /C calc'!A0")


def test_other_cells_stay() -> None:
    """Plain values and nothing are left alone."""
    assert ["ada@contoso.com", "", "3"] == [cell("ada@contoso.com"), cell(None), cell(3)]


@pytest.mark.parametrize("mark", [";", "\t", ",", "\r", "\n"])
@pytest.mark.parametrize(
    "start", ["=", "+", "-", "@", "\t", "\r", "\uff1d", '"=', '""@', '";=', ";=", "\t=", "\t\t-", "\r\n=", '\t"=']
)
def test_no_piece_of_a_line_is_a_formula(mark: str, start: str) -> None:
    """Whatever a spreadsheet of another country splits a line at, no column begins with what it would run."""
    line = csv_line(["1", f"a{mark}{start}1+1", f"{start}b", f"x{mark}"])
    for split in ";\t,":
        for row in csv.reader(io.StringIO(line, newline=""), delimiter=split):
            assert not [column for column in row if column.startswith(("=", "+", "-", "@", "\t", "\r", "\uff1d"))]


@pytest.mark.parametrize("text", ["note: x;=1+1", "a,b", "a\tb", 'say "no"', "two\nlines", "a\rb"])
def test_a_cell_stays_one_cell(text: str) -> None:
    """Where a semicolon or a tab separates, no part of a cell becomes one of its own."""
    line = csv_line(["1", text, None])
    assert '1,"' + cell(text).replace('"', '""') + '",\n' == line
    assert [["1", cell(text), ""]] == list(csv.reader(io.StringIO(line, newline="")))


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=2))
def test_a_line_is_read_back(texts: list[str]) -> None:
    """Whatever stands in its cells."""
    assert [[cell(text) for text in texts]] == list(csv.reader(io.StringIO(csv_line(texts), newline="")))
