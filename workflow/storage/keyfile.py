"""The signing key's file: made once, for its owner or the group it is shared with, and never written over."""

import os
import stat
from pathlib import Path

from workflow.errors import KeyMissingError, StorageError
from workflow.ledger.malformed import Malformed
from workflow.ledger.note import Signer
from workflow.storage.files import is_shared, write_new


def create(path: Path, signer: Signer) -> None:
    """Write a new key file.

    Raises:
        StorageError: a file is there already, or it cannot be written.
    """
    write_new(path, signer.dump() + "\n")


def read(path: Path) -> Signer:
    """Read the key.

    Raises:
        KeyMissingError: there is no key file.
        StorageError: others can read it, or it holds no key.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise StorageError(f"The signing key {path} cannot be read: it is a folder, a pipe or a device.")
        with path.open("rb") as file:
            loose = is_loose(path, os.fstat(file.fileno()))
            text = file.read(4096)
    except FileNotFoundError:
        raise KeyMissingError(
            f"The signing key {path} is missing, so nothing can be written; reading works. Put it back there, "
            "or name its place in the settings."
        ) from None
    except OSError as error:
        raise StorageError(f"The signing key {path} cannot be read: {error.strerror}.") from error
    if loose:
        raise StorageError(f"The signing key {path} is open to other users. Run: chmod 600 {path}")
    try:
        return Signer.load(text.decode("ascii"))
    except (Malformed, UnicodeDecodeError):
        raise StorageError(f"The file {path} does not hold a signing key. Restore it from your copy.") from None


def is_loose(path: Path, found: os.stat_result | None = None) -> bool:
    """Say whether people can read the key who should not: others, or a group that its folder is not shared with."""
    if os.name != "posix":  # pragma: no cover - Windows keeps modes of another kind
        return False
    found = found or path.stat()
    shared = is_shared(path.parent) and path.parent.stat().st_gid == found.st_gid
    return bool(found.st_mode & (stat.S_IRWXO if shared else stat.S_IRWXG | stat.S_IRWXO))
