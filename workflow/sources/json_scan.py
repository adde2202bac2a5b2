"""A window that moves over JSON text of any length and finds where each value ends."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workflow.sources.limits import CHUNK, MAX_DEPTH, MAX_ITEM

if TYPE_CHECKING:
    from collections.abc import Iterator

_SPACE = re.compile("[\\s\ufeff]*")
_OUTSIDE = re.compile(r'["\[\]{},]')
_INSIDE = re.compile(r'["\n\\]')
_STEP = {"[": 1, "{": 1, "]": -1, "}": -1}
_DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Broken:
    """A value that could not be read, and why."""

    why: str


class Window:
    """The part of the text that is in memory: what has been taken is dropped when more is read."""

    __slots__ = ("_chunks", "_dropped", "at", "ended", "text")

    def __init__(self, chunks: Iterator[str]) -> None:
        """Begin before the first chunk."""
        self._chunks = chunks
        self.text = ""
        self.at = 0
        self.ended = False
        self._dropped = 0

    @property
    def position(self) -> int:
        """Characters from the beginning of the text."""
        return self._dropped + self.at

    def more(self) -> bool:
        """Read another chunk behind what is left; False at the end of the text."""
        chunk = next(self._chunks, "")
        if not chunk:
            self.ended = True
            return False
        self.text = self.text[self.at :] + chunk
        self._dropped += self.at
        self.at = 0
        return True

    def ahead(self) -> None:
        """Have at least :data:`CHUNK` characters in sight, or all that are left."""
        while len(self.text) - self.at < CHUNK and not self.ended:
            self.more()

    def peek(self) -> str:
        """Skip white space and return the next character, or "" at the end."""
        while True:
            found = _SPACE.match(self.text, self.at)
            self.at = found.end() if found else self.at
            if self.at < len(self.text):
                return self.text[self.at]
            if not self.more():
                return ""

    def skip(self, pattern: re.Pattern[str]) -> None:
        """Skip to the last character of the next match of a two-character pattern, or to the end."""
        while True:
            found = pattern.search(self.text, self.at)
            if found:
                self.at = found.end() - 1
                return
            self.at = max(self.at, len(self.text) - 1)
            if not self.more():
                self.at = len(self.text)
                return

    def key(self) -> str | None:
        """Take a member's name and its colon; None when there is no such thing here."""
        self.ahead()
        try:
            name, self.at = _DECODER.raw_decode(self.text, self.at)
        except ValueError:
            return None
        if not isinstance(name, str) or self.peek() != ":":
            return None
        self.at += 1
        return name

    def value(self) -> Any:
        """Take the value that begins here, or :class:`Broken` where it is not one or is too large."""
        taken = self.small()
        if taken is not None:
            return taken
        raw = self._extent()
        if isinstance(raw, Broken):
            return raw
        try:
            return json.loads(raw)
        except RecursionError:
            return Broken(f"It is nested deeper than {MAX_DEPTH} levels.")
        except ValueError as error:
            return Broken(f"It is not valid JSON: {str(error)[:100]}.")

    def small(self) -> dict[str, Any] | None:
        """Take an object that lies whole within sight; None, with nothing taken, for anything else."""
        self.ahead()
        if not self.text.startswith("{", self.at):
            return None
        try:
            taken, end = _DECODER.raw_decode(self.text, self.at)
        except (ValueError, RecursionError):
            return None
        self.at = end
        return taken if isinstance(taken, dict) else None

    def _extent(self) -> str | Broken:
        """Take everything up to the comma or bracket that ends this value, keeping no more than the limit."""
        kept: list[str] = []
        size = 0
        extent = _Extent()
        while True:
            start = self.at
            whole = extent.advance(self)
            size += self.at - start
            kept = [*kept, self.text[start : self.at]] if size <= MAX_ITEM else []
            if whole:
                break
            if not self.more():
                self.at = len(self.text)
                return Broken("The file ends in the middle of it.")
        if size > MAX_ITEM:
            return Broken(f"It is longer than {MAX_ITEM:,} characters.")
        if extent.deepest > MAX_DEPTH:
            return Broken(f"It is nested deeper than {MAX_DEPTH} levels.")
        return "".join(kept)


class _Extent:
    """How deep inside a value the window stands.

    A line break ends a string, where JSON allows none: one missing quotation mark does not swallow the rest.
    """

    __slots__ = ("deepest", "depth", "quoted")

    def __init__(self) -> None:
        self.depth = self.deepest = 0
        self.quoted = False

    def advance(self, window: Window) -> bool:
        """Move to the end of the value, True, or to the end of what is in sight, False."""
        text = window.text
        while True:
            found = (_INSIDE if self.quoted else _OUTSIDE).search(text, window.at)
            if found is None:
                window.at = len(text)
                return False
            mark = found.group()
            if mark == "\\":
                if found.end() == len(text):  # What it escapes is not in sight yet.
                    window.at = found.start()
                    return False
                window.at = found.end() + 1
                continue
            if self.depth == 0 and mark in ",]}" and not self.quoted:
                window.at = found.start()
                return True
            window.at = found.end()
            if mark in '"\n':
                self.quoted = mark == '"' and not self.quoted
            else:
                self.depth += _STEP.get(mark, 0)
                self.deepest = max(self.deepest, self.depth)
