"""How results are printed: JSON for programs, CSV for spreadsheets, plain aligned text for people."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from typing import TYPE_CHECKING, Any

import click

from workflow.cli.text import CLAIMED, cell, padded, shortened, visible, width

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

NARROWEST = 8
"""Columns to which a table's column may be cut so that the row fits the terminal."""
TELLING = 20
"""The same before whole columns are left out: a cell of that length still tells something."""
FOLD = "    "
"""What stands before the columns of a row that go on on the next line."""
EMPTY = frozenset({"", "-"})
"""Cells that tell nothing; no next line is printed for these alone."""
_SEPARATING = re.compile(r'[",;\t\r\n]')
"""What ends a cell, in one country or another."""


def say(text: str = "", *, bold: bool = False, colour: str | None = None) -> None:
    """Print one line; colour only adds to what the words say."""
    click.echo(click.style(text, bold=bold or None, fg=colour) if bold or colour else text)


def close_output() -> None:
    """Let the rest go nowhere: whoever read it has had enough, and closing the stream must not fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def hint(text: str) -> None:
    """Print a line that is not part of the result, on standard error."""
    click.echo(text, err=True)


def warn(warnings: Iterable[str]) -> None:
    """Print warnings on standard error, each once."""
    for warning in dict.fromkeys(warnings):
        hint(f"Warning: {visible(warning)}")


def as_json(data: Any) -> None:
    """Print JSON that stands alone on standard output; everything but ASCII is escaped, so no text can act."""
    click.echo(json_text(data))


def json_text(data: Any) -> str:
    """Return data as JSON in ASCII."""
    return json.dumps(data, indent=2, ensure_ascii=True, default=str)


def as_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Print rows as CSV."""
    click.echo(csv_text(columns, rows), nl=False)


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Return rows as CSV (RFC 4180) whose cells no spreadsheet runs; lists are joined by spaces."""
    return "".join([csv_line(columns), *(csv_line([row[name] for name in columns]) for row in rows)])


def csv_line(values: Iterable[Any]) -> str:
    """Return one line of such CSV, with its line feed."""
    return ",".join([_quoted(cell(_flat(value))) for value in values]) + "\n"


def _quoted(text: str) -> str:
    """Return a cell that stays one, where another sign than the comma separates them too."""
    return '"' + text.replace('"', '""') + '"' if _SEPARATING.search(text) else text


def _flat(value: Any) -> Any:
    if isinstance(value, list):
        return " ".join(str(item) for item in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return value


def table(
    heads: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    flexible: Sequence[int] = (),
    spare: Sequence[int] = (),
) -> None:
    """Print an aligned table without lines around it, which screen readers would spell out.

    What no argument names is never cut: numbers, ids, entities and states, which the next command needs. In a pipe
    nothing is cut, left out or folded.

    Args:
        heads: the columns' names.
        rows: their cells, untrusted; each is made visible here.
        flexible: columns that may be cut, widest first, so that a row fits a terminal.
        spare: columns that are left out when that is not enough, the least important first. A line below the table
            names them; a command that has some offers ``--csv`` and ``--json``.
    """
    shown = [[visible(value) for value in row] for row in rows]
    widths = [max(width(line[column]) for line in [list(heads), *shown]) for column in range(len(heads))]
    kept, least = list(range(len(heads))), [_least(column, [list(heads), *shown]) for column in range(len(heads))]
    folds = [kept]
    if sys.stdout.isatty():
        room = shutil.get_terminal_size().columns
        kept = _fit(widths, least, flexible, spare, room)
        folds = _folded(widths, kept, room)
    for index, line in enumerate([list(heads), *shown]):
        for number, columns in enumerate(folds):
            if number and index and all(line[column] in EMPTY for column in columns):
                continue
            cells = [padded(_cut(line[column], widths[column]), widths[column]) for column in columns]
            say((FOLD * bool(number) + "  ".join(cells)).rstrip(), bold=index == 0)
    left_out = ", ".join(head for column, head in enumerate(heads) if column not in kept)
    if left_out:
        say(f"Left out for want of room: {left_out}. A wider terminal, --csv or --json shows them.")


def _least(column: int, lines: Sequence[Sequence[str]]) -> int:
    """Return to how many columns one of a table may be cut: its head and every ``(claimed)`` stay whole."""
    claimed = any(line[column].endswith(CLAIMED) for line in lines)
    return max(NARROWEST + len(CLAIMED) * claimed, width(lines[0][column]))


def _cut(text: str, columns: int) -> str:
    """Return a cell cut to so many columns; that a name is only claimed is never cut away."""
    if text.endswith(CLAIMED) and width(text) > columns:
        return shortened(text.removesuffix(CLAIMED), columns - len(CLAIMED)) + CLAIMED
    return shortened(text, columns)


def _fit(
    widths: list[int], least: Sequence[int], flexible: Sequence[int], spare: Sequence[int], room: int
) -> list[int]:
    """Cut and leave out until a row fits, and return the columns that are kept.

    Long cells are cut first, then whole columns go, and only then are cells cut down to their first few letters.
    """
    kept = list(range(len(widths)))
    _shrink(widths, kept, {column: max(TELLING, least[column]) for column in flexible}, room)
    for column in spare:
        if _total(widths, kept) <= room:
            break
        kept.remove(column)
    _shrink(widths, kept, {column: least[column] for column in flexible}, room)
    return kept


def _shrink(widths: list[int], kept: Sequence[int], floors: Mapping[int, int], room: int) -> None:
    while _total(widths, kept) > room:
        wide = [column for column, floor in floors.items() if column in kept and widths[column] > floor]
        if not wide:
            return
        widths[max(wide, key=lambda column: widths[column])] -= 1


def _total(widths: Sequence[int], kept: Sequence[int]) -> int:
    return sum(widths[column] for column in kept) + 2 * (len(kept) - 1)


def _folded(widths: Sequence[int], kept: Sequence[int], room: int) -> list[list[int]]:
    """Return the columns line by line: what does not fit beside the others goes on, indented, on the next line."""
    folds: list[list[int]] = [[]]
    for column in kept:
        indent = len(FOLD) if len(folds) > 1 else 0
        if folds[-1] and indent + _total(widths, [*folds[-1], column]) > room:
            folds.append([])
        folds[-1].append(column)
    return folds


def fields(pairs: Iterable[tuple[str, str]], indent: str = "") -> None:
    """Print names and values, one to a line; values have been made visible by the caller."""
    kept = [(name, value) for name, value in pairs if value]
    columns = max((width(name) for name, _ in kept), default=0) + 2
    for name, value in kept:
        say(f"{indent}{padded(name, columns)}{value}")
