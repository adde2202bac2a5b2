"""JSON text becomes items, one at a time: of a list, an envelope, lines of objects, or one object."""

from __future__ import annotations

import re
from itertools import count
from typing import TYPE_CHECKING, Any

from workflow.sources.json_scan import Broken, Window
from workflow.sources.limits import MAX_ITEM

if TYPE_CHECKING:
    from collections.abc import Iterator

Item = tuple[str, Any]
"""Where the item stands ("item 3"), and its value or :class:`Broken`."""

_ENVELOPES = frozenset({"value", "records"})
"""Members that hold the list: of an OData answer, and of an audit log download."""

_NEXT_PAGE = "@odata.nextlink"
_FRESH_LINE = re.compile(r"\n[\[{]")
_FRESH_OBJECT = "\n{"
_PAGE = Broken(
    "The file is one page of several (it carries @odata.nextLink): what stands on the next pages is missing."
)


def items(chunks: Iterator[str]) -> Iterator[Item]:
    """Yield every item of the text. Memory is bounded by one item, whatever the text's length."""
    window = Window(chunks)
    numbers = count(1)
    while mark := window.peek():
        if mark == "[":
            yield from _list(window, numbers)
        elif mark == "{":
            taken = window.small()
            yield from _members(window, numbers) if taken is None else _opened(taken, numbers)
        elif window.text.startswith("null", window.at):
            window.at += len("null")
        else:
            yield _broken(numbers, "Neither a JSON list nor an object begins here.")
            window.skip(_FRESH_LINE)


def _broken(numbers: Iterator[int], why: str) -> Item:
    return f"item {next(numbers)}", Broken(why)


def _list(window: Window, numbers: Iterator[int]) -> Iterator[Item]:
    window.at += 1
    fresh: str | None = None
    while mark := window.peek():
        if mark == ",":
            window.at += 1
        elif mark == "]":
            window.at += 1
            return
        elif mark == "}":
            yield _broken(numbers, "A closing brace stands where an item should.")
            while window.peek() == "}":
                window.at += 1
        else:
            fresh = window.fresh() if fresh is None else fresh
            yield f"item {next(numbers)}", window.value(fresh)
    yield _broken(numbers, "The file ends before its list does: it was cut off.")


def _opened(taken: dict[str, Any], numbers: Iterator[int]) -> Iterator[Item]:
    """Yield what an object in sight holds: the items of its envelope, or itself."""
    envelope = next((name for name in taken if name.casefold() in _ENVELOPES), None)
    inside = taken.get(envelope or "")
    if envelope is None or not isinstance(inside, list | dict | None):
        yield f"item {next(numbers)}", taken
        return
    for item in inside if isinstance(inside, list) else [inside] if inside else []:
        yield f"item {next(numbers)}", item
    if any(name.casefold() == _NEXT_PAGE for name in taken):
        yield "end", _PAGE


def _members(window: Window, numbers: Iterator[int]) -> Iterator[Item]:
    """Walk through an object too large, or too broken, to be taken whole."""
    start = window.position
    window.at += 1
    kept: dict[str, Any] = {}
    fault = ""
    streamed = paged = False
    while (mark := window.peek()) != "}":
        if mark == ",":
            window.at += 1
            continue
        name = window.key() if mark == '"' else None
        if name is None:
            yield _broken(numbers, "It is not valid JSON." if mark else "The file ends in the middle of it.")
            window.skip(_FRESH_LINE)
            return
        paged = paged or name.casefold() == _NEXT_PAGE
        if name.casefold() in _ENVELOPES and window.peek() == "[":
            streamed = True
            yield from _list(window, numbers)
            continue
        value = window.value(_FRESH_OBJECT)
        if window.text.startswith(_FRESH_OBJECT, window.at):
            yield _broken(numbers, "It is not valid JSON: it is never closed.")
            return
        fault = fault or _kept(kept, name, value, fits=window.position - start <= MAX_ITEM)
    window.at += 1
    if streamed:
        yield from [("end", _PAGE)] if paged else []
    else:
        yield from [_broken(numbers, fault)] if fault else _opened(kept, numbers)


def _kept(kept: dict[str, Any], name: str, value: Any, *, fits: bool) -> str:
    """Keep a member of an object, or keep none and return why the object cannot be taken."""
    if isinstance(value, Broken):
        kept.clear()
        return value.why
    if not fits:
        kept.clear()
        return f"It is longer than {MAX_ITEM:,} characters."
    kept[name] = value
    return ""
