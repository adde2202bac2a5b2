"""What PowerShell prints for people: ``Format-List`` blocks, and tables whose columns are told by position.

Such text is made for a window, which cuts and wraps what does not fit. What was wrapped is joined where that can be
done for sure; what was cut is refused, with the command that prints it in full.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from workflow.sources.limits import MAX_ITEM
from workflow.sources.lines import Line, numbered
from workflow.sources.shape import ONE_LINERS, Shape, of_fields

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

Row = tuple[str, dict[str, str] | str]
"""Where a row stands, and its values by case-folded name, or why it cannot be read."""

_NAMED = re.compile(r"([A-Za-z]\w{0,63}) *? :(?: (.*))?")
_PROMPT = re.compile(r"(?:\[[^\]]*\]: ?)?PS\b.*>")
_RULE = re.compile(r" *-+(?: +-+)*\s*")
_RUN = re.compile(r"-+")
_WORD = re.compile(r"\S+")
_CUT = ("…", "...", "…}", "...}")
_GUID = re.compile(r"\{?[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}\}?", re.IGNORECASE)
_SHAPES = {Shape.SENDERS_JSON: Shape.SENDERS_TEXT, Shape.CONNECTORS_JSON: Shape.CONNECTORS_TEXT}
_NAMES = {Shape.SENDERS_TEXT: "senderaddress", Shape.CONNECTORS_TEXT: "connectorid"}


def text_shape(names: Collection[str]) -> Shape | None:
    """Return the shape of printed text with these case-folded names, or None."""
    return _SHAPES.get(of_fields(names) or Shape.EMPTY)


def list_shape(opening: str) -> Shape | None:
    """Return what a ``Format-List`` text is, by its first block; None when it is no such text."""
    names: list[str] = []
    for line in opening.split("\n"):
        match = _NAMED.fullmatch(line.removesuffix("\r"))
        if match:
            names.append(match[1].casefold())
        elif names and not line.strip():
            break
        elif not names and line.strip() and not _PROMPT.match(line):
            return None
    return text_shape(names)


@dataclass(slots=True)
class _Block:
    """One block of a list while it is read."""

    line: int
    pieces: dict[str, list[str]] = field(default_factory=dict)
    last: str = ""
    indent: int = 0
    size: int = 0
    fault: str = ""

    def read(self, line: str | None) -> None:
        """Take one more line."""
        self.size += MAX_ITEM + 1 if line is None else len(line) + 1
        if line is None or self.size > MAX_ITEM:
            self.fault = f"It is longer than {MAX_ITEM:,} characters."
            return
        match = _NAMED.fullmatch(line)
        if match:
            self.last = match[1].casefold()
            self.indent = match.start(2) if match[2] is not None else 0
            if self.last in self.pieces:
                self.fault = f"It names {match[1]} twice."
            self.pieces[self.last] = [match[2] or ""]
        elif line[0].isspace() and self.last:
            whole = bool(self.indent) and not line[: self.indent].strip()
            self.pieces[self.last].append(line[self.indent :] if whole else line.lstrip())
        else:
            self.fault = self.fault or f"{line.strip()[:60]!r} belongs to no value."

    def values(self) -> dict[str, str]:
        """Return the values, wrapped ones joined again."""
        return {name: _joined(name, pieces) for name, pieces in self.pieces.items()}


def _joined(name: str, pieces: list[str]) -> str:
    """Join what was wrapped: PowerShell breaks behind a blank, or inside a word that fills the line."""
    if name.endswith("time"):
        # Between date and time there is a blank, unless a T says where the time begins.
        return ("" if "T" in pieces[0] else " ").join(piece.strip() for piece in pieces).strip()
    if name in _NAMES.values():
        return "".join(piece.strip() for piece in pieces)
    return "".join(pieces).strip()


def blocks(chunks: Iterator[str]) -> Iterator[Row]:
    """Yield each block of a ``Format-List`` text with the line at which it begins.

    All objects of one cmdlet have the same names, so a block that lacks one was cut off.
    """
    known: dict[Shape, frozenset[str]] = {}
    block: _Block | None = None
    for number, line in numbered(chunks):
        if line is not None and (not line.strip("\ufeff \t") or _PROMPT.match(line)):
            if block is not None:
                yield _finished(block, known)
            block = None
            continue
        block = block or _Block(number)
        block.read(line)
    if block is not None:
        yield _finished(block, known)


def _finished(block: _Block, known: dict[Shape, frozenset[str]]) -> Row:
    where = f"line {block.line}"
    if block.fault:
        return where, block.fault
    values = block.values()
    shape = text_shape(values)
    if shape is None:
        return where, "It is no item of a known kind."
    lacks = known.setdefault(shape, frozenset(values)) - values.keys()
    if lacks:
        return where, f"It lacks {', '.join(sorted(lacks))}, which the first one has. {_in_full(shape)}"
    return where, _cut(values, shape) or values


def _in_full(shape: Shape) -> str:
    return f"A full file comes from: {ONE_LINERS[shape]}"


def _cut(values: dict[str, str], shape: Shape) -> str:
    """Say which value was cut off, or ""."""
    name = next((name for name, value in values.items() if value.endswith(_CUT)), "")
    return f"The value of {name} was cut off to fit a window. {_in_full(shape)}" if name else ""


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a printed table: what it is, their case-folded names, where each begins, the line of the rule.

    ``cut`` says that a name of the header was cut off.
    """

    shape: Shape | None
    names: tuple[str, ...]
    starts: tuple[int, ...]
    line: int
    cut: bool

    @property
    def key(self) -> int:
        """The column that tells rows apart."""
        return self.names.index(_NAMES[self.shape]) if self.shape else 0


def table_columns(opening: str) -> Columns | None:
    """Find the header of a printed table: a line of names above a line of dashes; None when there is none."""
    for number, (above, rule) in enumerate(pairwise(opening.split("\n")), start=2):
        if not above.strip() or _PROMPT.match(above):
            continue
        starts = tuple(match.start() for match in _RUN.finditer(rule)) if _RULE.fullmatch(rule) else ()
        words = list(_WORD.finditer(above.replace("\ufeff", " ")))
        if not starts or starts != tuple(match.start() for match in words):
            return None
        names = tuple(match[0].casefold() for match in words)
        whole = [_completed(name) for name in names]
        return Columns(text_shape(whole), names, starts, number, cut=any(name.endswith(_CUT) for name in names))
    return None


def _completed(name: str) -> str:
    """Return the name that a header's cut one began, if it is one that matters."""
    stem = name.rstrip(".…")
    return next((known for known in _NAMES.values() if stem and name.endswith(_CUT) and known.startswith(stem)), name)


def cut_header(columns: Columns) -> str:
    """Say what to do about a header that was cut off."""
    return f"The names of its columns were cut off to fit a window. {_in_full(columns.shape or Shape.SENDERS_TEXT)}"


@dataclass(slots=True)
class _Held:
    """A row that waits for the next line, which may be a piece of it."""

    first: int
    line: str | None
    lines: int = 1


def table_rows(chunks: Iterator[str], columns: Columns) -> Iterator[Row]:
    """Yield each row of a printed table with its line; one wrapped over several lines is one that cannot be read."""
    held: _Held | None = None
    for number, line in _table_lines(chunks, columns):
        if held is not None and _goes_on(held.line, line, columns):
            held = _Held(held.first, line, held.lines + 1)
            continue
        if held is not None:
            yield _row(held, columns)
        held = _Held(number, line)
    if held is not None:
        yield _row(held, columns)


def _table_lines(chunks: Iterator[str], columns: Columns) -> Iterator[Line]:
    for number, line in numbered(chunks):
        if number > columns.line and (line is None or (line.strip() and not _PROMPT.match(line))):
            yield number, line


def _goes_on(line: str | None, following: str | None, columns: Columns) -> bool:
    """Say whether the following line may be a piece of this row.

    Of an address or GUID broken in two at most one piece is one; so where the value fills its column and this or the
    next is none, nobody can tell which lines belong together.
    """
    if line is None or following is None:
        return False
    value, next_value = (_cells(item, columns)[columns.key] for item in (line, following))
    if not next_value:
        return True
    last = columns.key == len(columns.starts) - 1
    fills = last or len(value) >= columns.starts[columns.key + 1] - columns.starts[columns.key] - 1
    return fills and not value.endswith(_CUT) and not (_whole(value, columns) and _whole(next_value, columns))


def _whole(value: str, columns: Columns) -> bool:
    return bool(_GUID.fullmatch(value)) if columns.shape is Shape.CONNECTORS_TEXT else "@" in value


def _cells(line: str, columns: Columns) -> list[str]:
    ends = (*columns.starts[1:], len(line))
    return [line[start:end].strip() for start, end in zip(columns.starts, ends, strict=True)]


def _row(held: _Held, columns: Columns) -> Row:
    where, line, shape = f"line {held.first}", held.line, columns.shape or Shape.SENDERS_TEXT
    if line is None:
        return where, f"It is longer than {MAX_ITEM:,} characters."
    if held.lines > 1:
        return where, f"It is wrapped over {held.lines} lines to fit a window. {_in_full(shape)}"
    if "\t" in line or line[: columns.starts[0]].strip() or any(_crossed(line, at) for at in columns.starts[1:]):
        return where, f"Its values do not stand under the names of their columns. {_in_full(shape)}"
    values = dict(zip(columns.names, _cells(line, columns), strict=True))
    return where, _cut(values, shape) or values


def _crossed(line: str, start: int) -> bool:
    return len(line) >= start and line[start - 1] != " "
