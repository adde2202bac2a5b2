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
_OUTSIDE = re.compile(r'["\[\]{},\n]')
_INSIDE = re.compile(r'["\n\\]')
_STEP = {"[": 1, "{": 1, "]": -1, "}": -1}
_LOOK_BACK = 64
"""Characters kept behind the window's place: enough for a line's indentation."""
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
        dropped = max(0, self.at - _LOOK_BACK)
        self.text = self.text[dropped:] + chunk
        self._dropped += dropped
        self.at -= dropped
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
        """Skip to the last character of the next match of a two-character pattern, or to the end.

        The match may begin one character behind the window's place.
        """
        while True:
            found = pattern.search(self.text, max(0, self.at - 1))
            if found:
                self.at = found.end() - 1
                return
            self.at = len(self.text)
            if not self.more():
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

    def fresh(self) -> str:
        """Return the line break and indentation before the brace that stands here, with it, or ""."""
        line = self.text.rfind("\n", max(0, self.at - _LOOK_BACK), self.at)
        return self.text[line : self.at + 1] if line >= 0 and not self.text[line : self.at].strip() else ""

    def value(self, fresh: str = "") -> Any:
        """Take the value that begins here, or :class:`Broken` where it is not one or is too large.

        ``fresh`` is how the next item begins on its own line: a value that is not closed ends there at the latest.
        """
        taken = self.small()
        if taken is not None:
            return taken
        raw = self._extent(fresh)
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
        if self.text.count("{", self.at, end) + self.text.count("[", self.at, end) > MAX_DEPTH:
            # It may be nested too deep, of which some Pythons' decoders take any amount: its extent tells.
            return None
        self.at = end
        return taken if isinstance(taken, dict) else None

    def _extent(self, fresh: str) -> str | Broken:
        """Take everything up to the comma or bracket that ends this value, keeping no more than the limit."""
        kept: list[str] = []
        size = 0
        extent = _Extent(fresh)
        while True:
            start = self.at
            whole = extent.advance(self)
            size += self.at - start
            kept = [*kept, self.text[start : self.at]] if size <= MAX_ITEM else []
            if whole:
                break
            if not self.more() and self.at == len(self.text):
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

    __slots__ = ("_fresh", "deepest", "depth", "quoted")

    def __init__(self, fresh: str) -> None:
        self._fresh = fresh
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
            window.at = found.start()
            if self._ends(text, window.at, mark):
                return True
            # What a backslash escapes, or whether a fresh item begins, may not be in sight yet.
            needed = {"\\": 2, "\n": len(self._fresh)}.get(mark, 1)
            if len(text) - window.at < needed and not window.ended:
                return False
            window.at += 2 if mark == "\\" else 1
            if mark in '"\n':
                self.quoted = mark == '"' and not self.quoted
            else:
                self.depth += _STEP.get(mark, 0)
                self.deepest = max(self.deepest, self.depth)

    def _ends(self, text: str, at: int, mark: str) -> bool:
        if mark == "\n":
            return bool(self._fresh) and text.startswith(self._fresh, at)
        return self.depth == 0 and not self.quoted and mark in ",]}"
