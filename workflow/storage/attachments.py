"""Evidence files, stored once by the SHA-256 of their bytes. Names are openings, because a name can say whose it is."""

import hashlib
from collections.abc import Iterable
from typing import Final

from workflow.errors import InputError, NotFoundError
from workflow.storage.openings import marks
from workflow.storage.transaction import Tx

MAX_BYTES: Final = 10 * 1024 * 1024
"""Largest file kept: 10 MiB. Larger evidence belongs where evidence is kept, with its hash in the note."""

_AT_ONCE: Final = 500


def keep(tx: Tx, content: bytes) -> str:
    """Store a file and return its digest (64 hexadecimal digits); the same bytes are stored once.

    Raises:
        InputError: the file is larger than 10 MiB.
    """
    if len(content) > MAX_BYTES:
        raise InputError(f"The file has {len(content)} bytes; at most {MAX_BYTES} (10 MiB) are kept here.")
    digest = hashlib.sha256(content).hexdigest()
    if tx.one("SELECT 1 FROM attachment WHERE digest = ?", (digest,)) is None:
        tx.run(
            "INSERT INTO attachment (digest, size, content) VALUES (?, ?, ?) ON CONFLICT (digest) DO NOTHING",
            (digest, len(content), content),
        )
    return digest


def get(tx: Tx, digest: str) -> bytes:
    """Return a file's bytes.

    Raises:
        NotFoundError: there is no such file, or it was erased.
    """
    row = tx.one("SELECT content FROM attachment WHERE digest = ?", (digest,))
    if row is None:
        raise NotFoundError(f"There is no file with the digest {digest}; it may have been erased.")
    return bytes(row[0])


def sizes(tx: Tx, digests: Iterable[str]) -> dict[str, int]:
    """Return how many bytes each of these files has; what is not here (any more) is not among them."""
    wanted, found = list(dict.fromkeys(digests)), {}
    for start in range(0, len(wanted), _AT_ONCE):
        part = wanted[start : start + _AT_ONCE]
        found.update(dict(tx.all(f"SELECT digest, size FROM attachment WHERE digest IN ({marks(part)})", part)))
    return found


def faults(tx: Tx) -> list[str]:
    """Return the digests of stored files whose bytes or size are not theirs; one file is in memory at a time."""
    digests = [row[0] for row in tx.all("SELECT digest FROM attachment ORDER BY digest")]
    return [digest for digest in digests if not _sound(tx, digest)]


def _sound(tx: Tx, digest: str) -> bool:
    content, size = tx.one("SELECT content, size FROM attachment WHERE digest = ?", (digest,)) or (b"", -1)
    return isinstance(content, bytes) and len(content) == size and hashlib.sha256(content).hexdigest() == digest


def known(tx: Tx, digest: str) -> bool:
    """Say whether a file is stored."""
    return tx.one("SELECT 1 FROM attachment WHERE digest = ?", (digest,)) is not None
