"""Lines of a file that several processes add to, while others read it and one may be killed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

LENGTH = 512  # bytes; a page of memory holds a whole number of them


def append(path: Path, text: str) -> None:
    """Add a line that is there whole or not at all.

    The system writes page by page: a line over the edge of two could be read, or be cut off by a kill, half-way. Padded
    to equal length, none lies there.
    """
    line = text.encode().ljust(LENGTH - 1) + b"\n"
    assert len(line) == LENGTH
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(file, line)
    os.close(file)
