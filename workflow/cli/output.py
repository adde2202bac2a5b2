"""How results are printed: JSON for programs, CSV for spreadsheets, plain aligned text for people."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import sys
from typing import TYPE_CHECKING, Any

import click

from workflow.cli.text import cell, padded, shortened, visible, width

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

NARROWEST = 8
"""Columns to which a table's column may be cut so that the row fits the terminal."""
TELLING = 20
"""The same for the first of them, which says what the row is about: cut further only when nothing else is left."""


def say(text: str = "", *, bold: bool = False, colour: str | None = None) -> None:
    """Print one line; colour only adds to what the words say."""
    click.echo(click.style(text, bold=bold or None, fg=colour) if bold or colour else text)


def close_output() -> None:
    """Let the rest go nowhere: whoever read it has had enough, and closing the stream must not fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def hint(text: str) -> None:
    """Print a line that is not part of the result, on standard error."""
    click.echo(text, err=True)


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
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow([cell(_flat(value)) for value in values])
    return out.getvalue()


def _flat(value: Any) -> Any:
    if isinstance(value, list):
        return " ".join(str(item) for item in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return value


def table(heads: Sequence[str], rows: Sequence[Sequence[object]], *, flexible: Sequence[int] = ()) -> None:
    """Print an aligned table without lines around it, which screen readers would spell out.

    Args:
        heads: the columns' names.
        rows: their cells, untrusted; each is made visible here.
        flexible: columns that may be cut, widest first, so that a row fits a terminal; nothing is cut in a pipe. The
            first of them says what the row is about.
    """
    shown = [[visible(value) for value in row] for row in rows]
    widths = [max(width(line[column]) for line in [list(heads), *shown]) for column in range(len(heads))]
    if sys.stdout.isatty():
        _fit(widths, flexible, shutil.get_terminal_size().columns)
    for index, line in enumerate([list(heads), *shown]):
        cells = [padded(shortened(text, columns), columns) for text, columns in zip(line, widths, strict=True)]
        say("  ".join(cells).rstrip(), bold=index == 0)


def _fit(widths: list[int], flexible: Sequence[int], columns: int) -> None:
    while sum(widths) + 2 * (len(widths) - 1) > columns:
        wide = [column for column in flexible if widths[column] > (TELLING if column == flexible[0] else NARROWEST)]
        if not wide:
            wide = [column for column in flexible[:1] if widths[column] > NARROWEST]
        if not wide:
            return
        widths[max(wide, key=lambda column: widths[column])] -= 1


def fields(pairs: Iterable[tuple[str, str]], indent: str = "") -> None:
    """Print names and values, one to a line; values have been made visible by the caller."""
    kept = [(name, value) for name, value in pairs if value]
    columns = max((width(name) for name, _ in kept), default=0) + 2
    for name, value in kept:
        say(f"{indent}{padded(name, columns)}{value}")
