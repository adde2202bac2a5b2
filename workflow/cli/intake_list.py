"""``holdfast import --complete``: the files are looked at together before any of them is taken in."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from workflow.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from workflow.domain.restriction import Restriction, Skipped
    from workflow.services.listing import WholeList
    from workflow.sources import ReadOptions


@dataclass(frozen=True, slots=True)
class Found:
    """A file that is a whole list, and its rows."""

    whole: WholeList
    items: Iterator[Restriction | Skipped]


class Digesting:
    """A stream that is hashed while it is read."""

    def __init__(self, stream: BinaryIO) -> None:
        """Begin with nothing read."""
        self._stream = stream
        self._hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """Read, and hash what was read."""
        piece = self._stream.read(size)
        self._hash.update(piece)
        return piece

    def digest(self) -> str:
        """Return the SHA-256 (hex) of the whole stream; what a reader had no need of is read now."""
        while self.read(1 << 16):
            pass
        return self._hash.hexdigest()


def whole_lists(
    opened: Mapping[str, tuple[BinaryIO, int]], options: ReadOptions, kind: str | None, taken_at: datetime
) -> dict[str, Found]:
    """Return each file as a whole list taken at that time.

    Raises:
        SourceError: a file is none of the known ones, or no list of everything that is restricted.
        InputError: two of them are of one kind (each would seem to lack what the other names), an empty one does not
            say of what, or ``kind`` is not what the only file holds.
    """
    from workflow.domain.vocabulary import Kind
    from workflow.services.listing import WholeList
    from workflow.sources import whole_list

    lists: dict[str, Found] = {}
    empty = 0
    for name, (stream, _) in opened.items():
        hashed = Digesting(stream)
        shown = "standard input" if name == "-" else Path(name).name
        held, items = whole_list(hashed, name="standard input" if name == "-" else name, options=options)  # type: ignore[arg-type]  # Only read() is asked of it.
        if held is None:
            if kind is None:
                raise InputError(f"{shown} is empty: say with --kind of what it is the list, mailbox or connector.")
            empty += 1
            held = Kind(kind)
        whole = WholeList(
            kind=held,
            taken_at=taken_at,
            reference=lambda hashed=hashed, shown=shown: f"{shown}, SHA-256 {hashed.digest()}",  # type: ignore[misc]  # Bound now.
        )
        lists[name] = Found(whole, items)
    kinds = [found.whole.kind for found in lists.values()]
    if len(set(kinds)) < len(kinds):
        raise InputError(
            "Several files are lists of the same kind, and each would be taken for the whole: put them into one file."
        )
    if kind is not None and not empty and Kind(kind) not in kinds:
        raise InputError(
            f"The input is a list of another kind ({kinds[0].value}): leave --kind out, or name the right file."
        )
    return lists
