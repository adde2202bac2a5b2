"""The bytes of a file or a pipe, in whatever encoding PowerShell wrote them, as chunks of text."""

from __future__ import annotations

import codecs
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, BinaryIO

from workflow.errors import SourceError
from workflow.sources.limits import CHUNK

if TYPE_CHECKING:
    from collections.abc import Iterator

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # Before UTF-16, whose mark is its beginning.
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True, slots=True)
class Incoming:
    """A stream whose beginning has been looked at.

    ``head`` is at most :data:`CHUNK` bytes without the byte order mark; the stream stands behind it.
    """

    name: str
    stream: BinaryIO
    head: bytes
    encoding: str

    @property
    def opening(self) -> str:
        """The head as text."""
        return codecs.getincrementaldecoder(self.encoding)(errors="replace").decode(self.head)

    def chunks(self) -> Iterator[str]:
        """Yield the whole text. Bytes that are no text become U+FFFD, which no identifier may contain.

        Raises:
            SourceError: the stream broke while it was read.
        """
        decoder = codecs.getincrementaldecoder(self.encoding)(errors="replace")
        block = self.head
        while block:
            text = decoder.decode(block)
            if text:
                yield text
            block = fill(self.stream, CHUNK, self.name)
        rest = decoder.decode(b"", final=True)
        if rest:
            yield rest

    def content(self, limit: int) -> bytes:
        """Return all bytes, at most ``limit`` and one more, by which the caller knows that it is too long."""
        return self.head + fill(self.stream, max(0, limit + 1 - len(self.head)), self.name)


def receive(stream: BinaryIO, name: str) -> Incoming:
    """Look at the beginning of a stream and find its encoding.

    Raises:
        SourceError: the stream cannot be read.
    """
    incoming = look(fill(stream, CHUNK, name), stream, name)
    while incoming.opening.isspace() and (block := fill(stream, CHUNK, name)):
        incoming = replace(incoming, head=block)  # White space alone says nothing and is not kept.
    return incoming


def look(head: bytes, stream: BinaryIO, name: str) -> Incoming:
    """Take the beginning of a stream that was read already."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return Incoming(name, stream, head[len(mark) :], encoding)
    # Without a mark, every second byte of the ASCII that all known files begin with is NUL.
    if len(head) > 1 and head[1] == 0 and head[0] != 0:
        return Incoming(name, stream, head, "utf-16-le")
    if len(head) > 1 and head[0] == 0 and head[1] != 0:
        return Incoming(name, stream, head, "utf-16-be")
    return Incoming(name, stream, head, "utf-8")


def fill(stream: BinaryIO, size: int, name: str) -> bytes:
    """Read ``size`` bytes, or all there are: a pipe gives them in smaller pieces.

    Raises:
        SourceError: the stream cannot be read.
    """
    pieces: list[bytes] = []
    try:
        while size > 0 and (piece := stream.read(size)):
            pieces.append(piece)
            size -= len(piece)
    except OSError as error:
        raise SourceError(f"{name} cannot be read: {error}.") from error
    return b"".join(pieces)
