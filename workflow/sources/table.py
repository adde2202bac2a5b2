"""CSV as ``Export-Csv``, the portal and spreadsheets write it, a record at a time."""

from __future__ import annotations

import csv
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workflow.sources.limits import MAX_ITEM
from workflow.sources.lines import Line, numbered
from workflow.sources.shape import Shape, of_fields

if TYPE_CHECKING:
    from collections.abc import Iterator

_DELIMITERS = (",", ";", "\t")
_CSV_SHAPES = {
    Shape.SENDERS_JSON: Shape.SENDERS_CSV,
    Shape.CONNECTORS_JSON: Shape.CONNECTORS_CSV,
    Shape.AUDIT_JSON: Shape.AUDIT_CSV,
}
_TYPE_LINE = "#TYPE"
_SEPARATOR_LINE = "sep="


@dataclass(frozen=True, slots=True)
class Header:
    """The columns of a table: what it is, its delimiter, the case-folded names, and its line (from 1)."""

    shape: Shape | None
    delimiter: str
    names: tuple[str, ...]
    line: int


def header(opening: str) -> Header | None:
    """Find the header in the beginning of a text; None when there is no line that could be one."""
    for number, line in enumerate(opening.split("\n"), start=1):
        bare = line.strip("\r\ufeff ")
        if not bare.strip() or bare.upper().startswith(_TYPE_LINE) or bare.lower().startswith(_SEPARATOR_LINE):
            continue
        found = [_columns(bare, delimiter, number) for delimiter in _DELIMITERS]
        return max(found, key=lambda one: (one.shape is not None, len(one.names)))
    return None


def _columns(line: str, delimiter: str, number: int) -> Header:
    names = tuple(cell.strip().casefold() for cell in _cells(line, delimiter) or [])
    return Header(_CSV_SHAPES.get(of_fields(names) or Shape.EMPTY), delimiter, names, number)


def rows(chunks: Iterator[str], columns: Header) -> Iterator[tuple[str, dict[str, str] | str]]:
    """Yield each record behind the header with its line: the cells by column name, or why it is broken."""
    for number, record in _records(numbered(chunks), columns.line):
        where = f"line {number}"
        if record is None:
            yield where, f"It is longer than {MAX_ITEM:,} characters, or a quotation mark is never closed."
            continue
        cells = _cells(record, columns.delimiter)
        if cells is None:
            yield where, f"It has a cell longer than {csv.field_size_limit():,} characters."
        elif len(cells) != len(columns.names):
            yield where, f"It has {len(cells)} cells where the header has {len(columns.names)}."
        else:
            yield where, dict(zip(columns.names, cells, strict=True))


def _cells(record: str, delimiter: str) -> list[str] | None:
    try:
        return next(csv.reader([record], delimiter=delimiter), [])
    except csv.Error:
        return None


def _records(lines: Iterator[Line], header_line: int) -> Iterator[Line]:
    """Join the lines of cells with line breaks: a record ends where its quotation marks are even.

    A mark that is never closed costs only its own line: the lines behind it are read again.
    """
    waiting: deque[Line] = deque()
    while (first := _next(waiting, lines)) is not None:
        number, text = first
        if number <= header_line or (text is not None and not text.strip()):
            continue
        taken: list[Line] = []
        record = text
        if text is not None and text.count('"') % 2:
            record = _joined(text, taken, waiting, lines)
            if record is None:
                waiting.extendleft(reversed(taken))
        yield number, record


def _joined(text: str, taken: list[Line], waiting: deque[Line], lines: Iterator[Line]) -> str | None:
    """Return the record that begins with this line, None if it never ends; ``taken`` is what was read."""
    parts = [text]
    size = len(text)
    while size <= MAX_ITEM and (following := _next(waiting, lines)) is not None:
        taken.append(following)
        line = following[1]
        if line is None:
            break
        parts.append(line)
        size += len(line) + 1
        if line.count('"') % 2:
            return "\n".join(parts)
    return None


def _next(waiting: deque[Line], lines: Iterator[Line]) -> Line | None:
    return waiting.popleft() if waiting else next(lines, None)
