"""Where tests keep files that nobody needs tomorrow: in memory, where this machine has room to spare there."""

import os
import shutil
from pathlib import Path
from typing import Final

SHARED_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - what is made there gets a name of its own, as in /tmp
DISK: Final = Path("/tmp")  # noqa: S108 - as above
ROOM: Final = 2 << 30
"""Bytes free from which on there is room to spare; a whole run needs a tenth of them."""


def folder() -> Path:
    """Return a folder in memory, or else the one for temporary files.

    Copying a database is hundreds of small files, which a disk's file system makes many times slower. A container's
    shared memory is often small or refuses to run programs: those stay on the disk.
    """
    if not os.access(SHARED_MEMORY, os.R_OK | os.W_OK | os.X_OK):
        return DISK
    roomy = shutil.disk_usage(SHARED_MEMORY).free >= ROOM
    runs = not os.statvfs(SHARED_MEMORY).f_flag & os.ST_NOEXEC
    return SHARED_MEMORY if roomy and runs else DISK
