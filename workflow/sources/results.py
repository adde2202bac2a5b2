"""What a script or a spreadsheet answers, row by row: CSV or JSON whose columns are told by their names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from workflow.errors import InputError
from workflow.sources.fields import text
from workflow.sources.incoming import receive
from workflow.sources.json_items import items
from workflow.sources.json_scan import Broken
from workflow.sources.table import header, rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from workflow.sources.incoming import Incoming

LONGEST = 4_000
"""Characters of one cell, as of any free text that is kept."""
_BETWEEN = re.compile(r"[\s_-]+")

ANSWERS: Mapping[str, tuple[str, ...]] = {
    "case": ("case", "number", "casenumber"),
    "id": ("id", "prerequisite", "step"),
    "result": ("result", "answer"),
    "reference": ("reference", "ref"),
    "note": ("note", "comment"),
    "at": ("at", "time", "observedat"),
    "before": ("before",),
    "after": ("after",),
    "for": ("for", "user", "about"),
}
"""Columns of answers to prerequisites, each with the names it goes by."""
OUTCOMES: Mapping[str, tuple[str, ...]] = {
    "case": ("case", "number", "casenumber"),
    "attempt": ("attempt",),
    "outcome": ("outcome", "answer", "result"),
    "reference": ("reference", "ref", "message"),
    "time": ("time", "at"),
}
"""Columns of what became of unblocks."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: where it stands ("line 3"), its cells by column ("" where there is none), or why it is broken."""

    where: str
    cells: Mapping[str, str]
    broken: str = ""


def result_rows(
    stream: BinaryIO, name: str, columns: Mapping[str, tuple[str, ...]], required: tuple[str, ...]
) -> Iterator[Row]:
    """Yield the rows of a file in constant memory; one that cannot be read says why and ends nothing.

    Args:
        stream: the file, in UTF-8 or UTF-16, with commas, semicolons or tabs; or JSON, a list or lines of objects.
        name: what to call it in messages.
        columns: the columns there may be, each with the names it goes by: letter case, blanks, hyphens and
            underscores in them make no difference. Columns of other names are left alone.
        required: the columns that every row has to fill.

    Raises:
        SourceError: it cannot be read.
        InputError: a required column is missing, or several columns could be one.
    """
    incoming = receive(stream, name)
    known = {alias: column for column, aliases in columns.items() for alias in aliases}
    opening = incoming.opening.lstrip("\ufeff \t\r\n")
    found = _of_json(incoming, known) if opening.startswith(("{", "[")) else _of_table(incoming, known, required)
    for row in found:
        lacking = [column for column in required if not row.broken and not row.cells.get(column)]
        yield Row(row.where, {}, f"It has no {' and no '.join(lacking)}.") if lacking else row


def _of_table(incoming: Incoming, known: Mapping[str, str], required: tuple[str, ...]) -> Iterator[Row]:
    columns = header(incoming.opening)
    names = [_told(name, known) for name in columns.names] if columns is not None else []
    lacking = [column for column in required if column not in names]
    if columns is None or lacking:
        raise InputError(f"{incoming.name} has no column {', '.join(lacking or required)} in its first line.")
    repeated = sorted({name for name in names if name and names.count(name) > 1})
    if repeated:
        raise InputError(f"{incoming.name} has several columns that could be {', '.join(repeated)}.")
    for where, cells in rows(incoming.chunks(), columns):
        if isinstance(cells, str):
            yield Row(where, {}, cells)
        else:
            yield _row(where, {name: cells[told] for name, told in zip(names, columns.names, strict=True) if name})


def _of_json(incoming: Incoming, known: Mapping[str, str]) -> Iterator[Row]:
    for where, item in items(incoming.chunks()):
        if isinstance(item, Broken):
            yield Row(where, {}, item.why)
        elif isinstance(item, dict):
            told = {_told(name, known): value for name, value in item.items()}
            yield _row(where, {name: value for name, value in told.items() if name and value is not None})
        else:
            yield Row(where, {}, "It is no object.")


def _told(name: str, known: Mapping[str, str]) -> str:
    """Return which column a name means, "" for none."""
    return known.get(_BETWEEN.sub("", name.strip("\ufeff ").casefold()), "")


def _row(where: str, cells: Mapping[str, Any]) -> Row:
    kept: dict[str, str] = {}
    for name, value in cells.items():
        plain = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        if not isinstance(plain, str):
            return Row(where, {}, f"Its {name} is no text.")
        if len(plain) > LONGEST:
            return Row(where, {}, f"Its {name} has more than {LONGEST:,} characters.")
        kept[name] = text(plain, LONGEST)
    return Row(where, kept)
