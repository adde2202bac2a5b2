"""Playbook versions, by the digest of their canonical bytes; never changed, never deleted (R8)."""

from typing import NamedTuple

from workflow.errors import NotFoundError
from workflow.storage.transaction import Tx


class Adopted(NamedTuple):
    """A stored playbook version; ``body`` is its canonical JSON."""

    digest: str
    name: str
    version: str
    body: str


def adopt(tx: Tx, name: str, version: str, digest: str, body: str) -> bool:
    """Store a playbook version; return False where it is stored already. The caller hashed ``body``."""
    if tx.one("SELECT 1 FROM playbook WHERE digest = ?", (digest,)) is not None:
        return False
    done = tx.run(
        "INSERT INTO playbook (digest, name, version, body) VALUES (?, ?, ?, ?) ON CONFLICT (digest) DO NOTHING",
        (digest, name, version, body),
    )
    return bool(done.rowcount == 1)


def get(tx: Tx, digest: str) -> Adopted:
    """Return a playbook version.

    Raises:
        NotFoundError: nobody adopted it here.
    """
    row = tx.one("SELECT digest, name, version, body FROM playbook WHERE digest = ?", (digest,))
    if row is None:
        raise NotFoundError(f"There is no playbook with the digest {digest}.")
    return Adopted(*row)


def every(tx: Tx) -> list[Adopted]:
    """Return every playbook version, by name and version."""
    rows = tx.all("SELECT digest, name, version, body FROM playbook ORDER BY name, version, digest")
    return [Adopted(*row) for row in rows]
