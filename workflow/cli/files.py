"""Files that are read item by item, however long: opened with progress, and their results kept until all are there."""

from __future__ import annotations

import json
import os
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, Any, BinaryIO, Self

import click

from workflow.errors import InputError, SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from workflow.domain.restriction import Restriction, Skipped
    from workflow.sources import ReadOptions

MEMORY = 1 << 20
"""Bytes of results held in memory before they go to a temporary file."""


@contextmanager
def items_of(
    name: str, options: ReadOptions, step: Callable[[int, int], None]
) -> Iterator[Iterator[Restriction | Skipped]]:
    """Open a file, or take standard input for ``-``, and give what it says; ``step`` is told how far it was read.

    Raises:
        InputError: there is no such file, or it cannot be opened.
        SourceError: it is none of the known kinds.
    """
    from workflow.sources import read

    with opened(name) as (stream, size):
        items = read(stream, name=called(name), options=options)
        yield counted(items, stream, size, step)


def called(name: str) -> str:
    """Return what messages call a file."""
    return "standard input" if name == "-" else name


def in_file(error: InputError, name: str) -> InputError:
    """Name the file where the message does not: several may be read at once."""
    told = str(error)
    return error if told.startswith(name) else type(error)(f"{name}: {told}")


def could_not_be_opened(error: InputError) -> bool:
    """Say whether a file was not even opened, so that what was typed is at fault and not what the file holds."""
    return not isinstance(error, SourceError)


def counted(
    items: Iterable[Restriction | Skipped], stream: BinaryIO, size: int, step: Callable[[int, int], None]
) -> Iterator[Restriction | Skipped]:
    """Pass items on and report progress: bytes of a file, items of a pipe."""
    for number, item in enumerate(items, start=1):
        step(stream.tell() if size else number, size)
        yield item


@contextmanager
def opened(name: str) -> Iterator[tuple[BinaryIO, int]]:
    """Open a file, or take standard input; with its size in bytes, 0 where nobody knows."""
    with ExitStack() as stack:
        if name == "-":
            if sys.stdin is None:
                raise SourceError("Standard input is closed: nothing can be read from it.")
            yield sys.stdin.buffer, 0
            return
        try:
            stream = stack.enter_context(Path(name).open("rb"))
            size = os.fstat(stream.fileno()).st_size if stream.seekable() else 0
        except OSError as error:
            raise InputError(f"{name} cannot be read: {error.strerror}.") from None
        yield stream, size


class Spool:
    """Results that wait in a file, so that memory stays constant and the JSON comes whole or not at all."""

    def __init__(self) -> None:
        """Begin with nothing kept."""
        self._kept: IO[str] = SpooledTemporaryFile(MEMORY, "w+", encoding="ascii")  # noqa: SIM115 - close() closes it.

    def keep(self, item: dict[str, Any]) -> None:
        """Keep one more item."""
        self._kept.write(f"{',' if self._kept.tell() else ''}\n    {json.dumps(item)}")

    def print(self, rest: dict[str, Any], name: str = "items") -> None:
        """Print ``{"items": […], …}`` piece by piece, with the rest behind."""
        self._kept.seek(0)
        click.echo(f'{{\n  "{name}": [', nl=False)
        while piece := self._kept.read(MEMORY):
            click.echo(piece, nl=False)
        click.echo(f"\n  ],{json.dumps(rest)[1:]}")

    def __enter__(self) -> Self:
        """Use it for a while."""
        return self

    def __exit__(self, *_: object) -> None:
        """Throw away what was kept."""
        self._kept.close()
