"""The signing key's file: made once, for its owner alone, and never written over."""

import os
import stat
from pathlib import Path

from workflow.errors import KeyMissingError, StorageError
from workflow.ledger.malformed import Malformed
from workflow.ledger.note import Signer
from workflow.storage.files import write_new


def create(path: Path, signer: Signer) -> None:
    """Write a new key file (0600, in folders of 0700).

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
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read(4096)
    except FileNotFoundError:
        raise KeyMissingError(
            f"The signing key {path} is missing, so nothing can be written; reading works. Put it back there, "
            "or name its place in the settings."
        ) from None
    except OSError as error:
        raise StorageError(f"The signing key {path} cannot be read: {error.strerror}.") from error
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise StorageError(f"The signing key {path} is open to other users. Run: chmod 600 {path}")
    try:
        return Signer.load(text.decode("ascii"))
    except (Malformed, UnicodeDecodeError):
        raise StorageError(f"The file {path} does not hold a signing key. Restore it from your copy.") from None
