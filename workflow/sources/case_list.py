"""Which cases a text names: one to a line, or the CSV or JSON that ``case list`` and other lists print."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, BinaryIO

from workflow.errors import SourceError
from workflow.sources.incoming import receive
from workflow.sources.table import header, rows

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGEST = 64 << 20
"""Characters of a list that is looked at; a million cases, one to a line, stay well below."""
_NAMES = ("id", "number", "case")
"""Columns and members that name a case, the surest first."""
_LISTS = ("cases", "results", "items")
"""Members of printed JSON that hold the list."""


def case_references(stream: BinaryIO, name: str) -> list[tuple[str, str]]:
    """Return what a text names as cases, each with where it stands ("line 3", "item 3").

    Blank lines say nothing.

    Raises:
        SourceError: it cannot be read, is too long, or is JSON or CSV that names no cases.
    """
    incoming = receive(stream, name)
    pieces, size = [], 0
    for piece in incoming.chunks():
        pieces.append(piece)
        size += len(piece)
        if size > LARGEST:
            raise SourceError(f"{name} is longer than {LARGEST:,} characters: name the cases in several goes.")
    text = "".join(pieces).lstrip("\ufeff")
    if text.lstrip().startswith(("{", "[")):
        return list(_of_json(text, name))
    columns = header(text)
    if columns is not None and (found := [item for item in _NAMES if item in columns.names]):
        return [(where, _cell(cells, found[0], where, name)) for where, cells in rows(iter([text]), columns)]
    lines = ((f"line {number}", line.strip()) for number, line in enumerate(text.split("\n"), start=1))
    return [(where, line) for where, line in lines if line]


def _cell(cells: dict[str, str] | str, column: str, where: str, name: str) -> str:
    if isinstance(cells, str):
        raise SourceError(f"{name}, {where}: {cells}")
    return cells[column].strip()


def _of_json(text: str, name: str) -> Iterator[tuple[str, str]]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise SourceError(f"{name} begins like JSON and is none.") from None
    if isinstance(data, dict):
        if data.get("next"):
            raise SourceError(f"{name} is one page of several: give the filters instead, which fit every case.")
        data = next((data[key] for key in _LISTS if isinstance(data.get(key), list)), [data])
    for number, item in enumerate(data, start=1):
        # A result that was about no case has nothing to go on with.
        if not isinstance(item, dict) or any(item.get(key, item) for key in _NAMES):
            yield f"item {number}", _of_item(item, f"{name}, item {number}")


def _of_item(item: Any, where: str) -> str:
    if isinstance(item, dict):
        item = next((item[key] for key in _NAMES if item.get(key)), None)
    if isinstance(item, str) and item.strip():
        return item.strip()
    if isinstance(item, int) and not isinstance(item, bool):
        return str(item)
    raise SourceError(f"{where} names no case: expected a number, an address, or an object with id or number.")
