"""Files that are made once, for their owner alone, and never written over."""

import os
from pathlib import Path

from workflow.errors import InputError, StorageError


def write_new(path: Path, text: str = "") -> None:
    """Write a file that did not exist (0600, in folders of 0700), through to the disk.

    Raises:
        StorageError: something is there already, or the file cannot be made.
    """
    make_folder(path)
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise StorageError(f"There is a file at {path} already; Holdfast does not write over it.") from None
    except OSError as error:
        raise StorageError(f"The file {path} cannot be made: {error.strerror}.") from error


def make_folder(path: Path) -> None:
    """Make the folder a file is to stand in, and those above it, for their owner alone.

    Raises:
        StorageError: a folder cannot be made.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"The folder of {path} cannot be made: {error.strerror}.") from error


def write_beside(path: Path, content: bytes) -> None:
    """Write a file that did not exist into a folder that does, for its owner alone (0600).

    Raises:
        InputError: something is there already, or the file cannot be made.
    """
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
    except FileExistsError:
        raise InputError(f"{path} exists already; nothing was written over it. Choose another name.") from None
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}.") from None
