"""Where tests keep files that nobody needs tomorrow: in memory, where this machine has room to spare there."""

import os
from pathlib import Path
from typing import Final

from workflow.storage.files import in_memory

DISK: Final = Path("/tmp")  # noqa: S108 - what is made there gets a name of its own
ROOM: Final = 2 << 30
"""Bytes free from which on there is room to spare; a whole run needs a tenth of them."""


def folder() -> Path:
    """Return a folder in memory, or else the one for temporary files.

    Copying a database is hundreds of small files, which a disk's file system makes many times slower. A container's
    shared memory may refuse to run programs: then they stay on the disk.
    """
    memory = in_memory(ROOM)
    if memory is None or os.statvfs(memory).f_flag & os.ST_NOEXEC:
        return DISK
    return memory
