"""Files that are made once and never written over: for their owner alone, or for the group their folder is shared with.

A folder is shared when its group may write in it and what is made in it belongs to that group (mode 2770, as
``init --shared`` makes it). What Holdfast makes there is the group's (0660); anywhere else it is the owner's (0600).
"""

import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from workflow.errors import InputError, StorageError

PRIVATE: Final = 0o600
SHARED: Final = 0o660
MEMORY: Final = Path("/dev/shm")  # noqa: S108 - what is made there gets a name of its own, as in /tmp
_SHARED_FOLDER: Final = stat.S_ISGID | stat.S_IRWXG


def is_there(path: Path) -> bool:
    """Say whether there is such a file; ``Path.exists`` of Python 3.14 takes what may not be looked at for nothing.

    Raises:
        StorageError: it may not be looked at.
    """
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        message = f"{path} cannot be looked at: {error.strerror}."
        raise StorageError(message) from None
    return True


def read_at_most(path: Path, most: int) -> bytes:
    """Return a file's bytes: at most ``most``, and one more by which the caller knows that it is larger.

    Only a file has an end that can be relied on: a pipe would be waited for, and a device may give bytes for ever.

    Raises:
        InputError: it is a folder, a pipe or a device, or cannot be read.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise InputError(f"{path} cannot be read: it is a folder, a pipe or a device. Name a file.")
        with path.open("rb") as stream:
            return stream.read(most + 1)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from None


def in_memory(room: int) -> Path | None:
    """Return the machine's folder in memory, for what nobody needs tomorrow; None where it has not ``room`` bytes free.

    A container's is often small, and not every system has one.
    """
    if os.access(MEMORY, os.R_OK | os.W_OK | os.X_OK) and shutil.disk_usage(MEMORY).free >= room:
        return MEMORY
    return None


def is_shared(folder: Path) -> bool:
    """Say whether a folder is shared with its group."""
    try:
        return folder.stat().st_mode & _SHARED_FOLDER == _SHARED_FOLDER
    except OSError:
        return False


def mode_in(folder: Path) -> int:
    """Return the mode of a file of ours in this folder."""
    return SHARED if is_shared(folder) else PRIVATE


def opened(path: Path, flags: int) -> int:
    """Open a file that is made where there is none, with the mode that belongs there whatever the umask says.

    Raises:
        OSError: as ``os.open``.
    """
    mode = mode_in(path.parent)
    descriptor = os.open(path, flags | os.O_CREAT, mode)
    if mode == SHARED:
        found = os.fstat(descriptor)
        if found.st_uid == os.geteuid() and stat.S_IMODE(found.st_mode) != mode:
            os.fchmod(descriptor, mode)
    return descriptor


def write_new(path: Path, text: str = "") -> None:
    """Write a file that did not exist, through to the disk; folders that are not there are made for the owner alone.

    Raises:
        StorageError: something is there already, or the file cannot be made.
    """
    make_folder(path)
    try:
        descriptor = opened(path, os.O_EXCL | os.O_WRONLY)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise StorageError(f"There is a file at {path} already; Holdfast does not write over it.") from None
    except OSError as error:
        raise StorageError(f"The file {path} cannot be made: {error.strerror}.") from error


def write_named(path: Path, text: str) -> None:
    """Write a new file under a name that somebody typed, as :func:`write_new` does.

    Raises:
        InputError: something is there already.
        StorageError: the file cannot be made.
    """
    _must_be_free(path, over=False)
    write_new(path, text)


def make_folder(path: Path) -> None:
    """Make the folder a file is to stand in, and those above it, for their owner alone.

    Raises:
        StorageError: a folder cannot be made.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"The folder of {path} cannot be made: {error.strerror}.") from error


@contextmanager
def whole(path: Path, *, over: bool = False) -> Iterator[Path]:
    """Yield the name of an empty file (0600) that takes the place of ``path`` once it is complete and on the disk.

    Whatever ends the work before that, ``path`` is what it was. Only a kill leaves the unfinished ``….partial`` behind.

    Args:
        path: the file to make.
        over: replace a file that is there.

    Raises:
        InputError: something is there already, or the file cannot be made.
    """
    try:
        _must_be_free(path, over=over)
        partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}.partial")
        os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE))
        try:
            yield partial
            settle(partial)
            _must_be_free(path, over=over)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
        settle(path)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}.") from error


def write_beside(path: Path, content: bytes) -> None:
    """Write a file that did not exist into a folder that does, for its owner alone (0600).

    Raises:
        InputError: something is there already, or the file cannot be made.
    """
    with whole(path) as partial:
        partial.write_bytes(content)


def _must_be_free(path: Path, *, over: bool) -> None:
    if path.is_dir():
        raise InputError(f"{path} is a folder: name a file in it.")
    if not over and os.path.lexists(path):
        raise InputError(f"{path} exists already; nothing was written over it. Choose another name.")


def settle(path: Path) -> None:
    """Wait until a file, and its name in its folder, are on the disk.

    Raises:
        OSError: the disk refused.
    """
    for place in (path, path.parent):
        descriptor = os.open(place, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
