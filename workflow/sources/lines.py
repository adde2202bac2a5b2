"""The lines of a text, counted as an editor counts them, in the memory of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.sources.limits import MAX_ITEM

if TYPE_CHECKING:
    from collections.abc import Iterator

Line = tuple[int, str | None]
"""A line's number (from 1), and its text: None when it is too long."""


def numbered(chunks: Iterator[str]) -> Iterator[Line]:
    """Yield numbered lines without their ends; None stands for one that is too long."""
    number = 0
    rest: str | None = ""
    for chunk in chunks:
        pieces = chunk.split("\n")
        for piece in pieces[:-1]:
            number += 1
            yield number, None if rest is None else (rest + piece).removesuffix("\r")
            rest = ""
        rest = None if rest is None or len(rest) + len(pieces[-1]) > MAX_ITEM else rest + pieces[-1]
    if rest != "":
        yield number + 1, rest
