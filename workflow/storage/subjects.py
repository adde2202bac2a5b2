"""The erasable register of subjects: opaque id ↔ tenant, kind and normalised identifier."""

import secrets
from collections.abc import Iterable

from workflow.domain.subject import Subject
from workflow.domain.vocabulary import Kind
from workflow.storage.openings import marks
from workflow.storage.transaction import Tx

_AT_ONCE = 500


def register(tx: Tx, tenant: str, kind: Kind, identifier: str) -> str:
    """Return the subject's id, given out now if it is new; of two who race, both get the same one.

    ``identifier`` is normalised (``domain.subject.normalise``).
    """
    found = find(tx, tenant, kind, identifier)
    if found is None:
        # An id says nothing about whom it stands for, so that entries can keep it after an erasure.
        tx.run(
            "INSERT INTO subject (id, tenant, kind, identifier) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (tenant, kind, identifier) DO NOTHING",
            (f"sub_{secrets.token_hex(16)}", tenant, kind.value, identifier),
        )
        return register(tx, tenant, kind, identifier)
    return found


def find(tx: Tx, tenant: str, kind: Kind, identifier: str) -> str | None:
    """Return the subject's id, or None where nobody registered it."""
    row = tx.one(
        "SELECT id FROM subject WHERE tenant = ? AND kind = ? AND identifier = ?", (tenant, kind.value, identifier)
    )
    return None if row is None else str(row[0])


def known(tx: Tx, tenant: str, kind: Kind, identifiers: Iterable[str]) -> dict[str, str]:
    """Return the ids of a few subjects by identifier, in one statement; unregistered ones are not among them."""
    wanted = list(dict.fromkeys(identifiers))
    rows = tx.all(
        f"SELECT identifier, id FROM subject WHERE tenant = ? AND kind = ? AND identifier IN ({marks(wanted)})",
        (tenant, kind.value, *wanted),
    )
    return dict(rows)


def names(tx: Tx, ids: Iterable[str]) -> dict[str, Subject]:
    """Return the subjects by id; those that were erased are not among them."""
    wanted, found = list(dict.fromkeys(ids)), {}
    for start in range(0, len(wanted), _AT_ONCE):
        part = wanted[start : start + _AT_ONCE]
        rows = tx.all(f"SELECT id, tenant, kind, identifier FROM subject WHERE id IN ({marks(part)})", part)
        found.update({row[0]: Subject(row[0], row[1], Kind(row[2]), row[3]) for row in rows})
    return found


def alike(tx: Tx, identifiers: Iterable[str]) -> tuple[str, ...]:
    """Return the mailboxes and users of any tenant that have one of these (normalised) identifiers."""
    wanted = list(dict.fromkeys(identifiers))
    if not wanted:
        return ()
    rows = tx.all(
        f"SELECT id FROM subject WHERE kind IN ('mailbox', 'user') AND identifier IN ({marks(wanted)}) ORDER BY id",
        wanted,
    )
    return tuple(row[0] for row in rows)
