"""The erasable register of subjects: opaque id ↔ tenant, kind and normalised identifier.

An id is a salted commitment to what it stands for. So entries, which carry only ids, bind the names too: a register
whose rows were exchanged does not verify. Once salt and identifier are erased the id says nothing about anybody.
"""

import secrets
from collections.abc import Iterable

from workflow.domain.subject import Subject
from workflow.domain.vocabulary import Kind
from workflow.ledger.commitment import commit
from workflow.storage.openings import marks
from workflow.storage.transaction import Tx

_AT_ONCE = 500
_SALT_BYTES = 32
_ID_DIGITS = 32


def register(tx: Tx, tenant: str, kind: Kind, identifier: str) -> str:
    """Return the subject's id, given out now if it is new; of two who race, both get the same one.

    ``identifier`` is normalised (``domain.subject.normalise``).
    """
    found = find(tx, tenant, kind, identifier)
    if found is None:
        salt = secrets.token_bytes(_SALT_BYTES)
        tx.run(
            "INSERT INTO subject (id, salt, tenant, kind, identifier) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (tenant, kind, identifier) DO NOTHING",
            (identify(salt, tenant, kind.value, identifier), salt, tenant, kind.value, identifier),
        )
        return register(tx, tenant, kind, identifier)
    return found


def identify(salt: bytes, tenant: str, kind: str, identifier: str) -> str:
    """Return the id that commits to a subject: ``sub_`` and the first 128 bits of the salted SHA-256, in hex."""
    return f"sub_{commit([tenant, kind, identifier], salt)[:_ID_DIGITS]}"


def faults(tx: Tx) -> list[str]:
    """Return the ids of rows that do not stand for what they commit to."""
    found, after = [], 0
    while rows := tx.all(
        "SELECT position, id, salt, tenant, kind, identifier FROM subject WHERE position > ? "
        f"ORDER BY position LIMIT {_AT_ONCE}",
        (after,),
    ):
        found += [row[1] for row in rows if identify(bytes(row[2]), *row[3:]) != row[1]]
        after = rows[-1][0]
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


def people(tx: Tx) -> list[tuple[str, str]]:
    """Return the identifier and the id of every registered person; the oldest comes last."""
    return tx.all(
        "SELECT identifier, id FROM subject WHERE tenant = '' AND kind = ? ORDER BY position DESC", (Kind.PERSON.value,)
    )


def names(tx: Tx, ids: Iterable[str]) -> dict[str, Subject]:
    """Return the subjects by id; those that were erased are not among them."""
    wanted, found = list(dict.fromkeys(ids)), {}
    for start in range(0, len(wanted), _AT_ONCE):
        part = wanted[start : start + _AT_ONCE]
        rows = tx.all(f"SELECT id, tenant, kind, identifier FROM subject WHERE id IN ({marks(part)})", part)
        found.update({row[0]: Subject(row[0], row[1], Kind(row[2]), row[3]) for row in rows})
    return found


def same_identifier(tx: Tx, ids: Iterable[str]) -> set[str]:
    """Return the mailboxes, connectors and users that go by the identifier of one of these in its tenant, itself too.

    A mailbox and its user are two subjects of one address. People who act are never among them.
    """
    wanted, found = list(dict.fromkeys(ids)), set[str]()
    for start in range(0, len(wanted), _AT_ONCE):
        part = wanted[start : start + _AT_ONCE]
        rows = tx.all(
            "SELECT o.id FROM subject AS s JOIN subject AS o ON o.tenant = s.tenant AND o.identifier = s.identifier "
            "AND o.kind IN ('mailbox', 'connector', 'user') "
            f"WHERE s.kind <> 'person' AND s.id IN ({marks(part)})",
            part,
        )
        found.update(item for (item,) in rows)
    return found


def lock(tx: Tx, ids: Iterable[str]) -> None:
    """Lock subjects against whoever is about to name them (:func:`held`); on SQLite the transaction is alone."""
    wanted = sorted(ids)
    if not tx.sqlite and wanted:
        tx.all(f"SELECT 1 FROM subject WHERE id IN ({marks(wanted)}) ORDER BY id FOR UPDATE", wanted)


def held(tx: Tx, identifier: str) -> bool:
    """Say whether a subject is registered, and keep it from being erased until this transaction ends."""
    share = "" if tx.sqlite else " FOR SHARE"
    return tx.one(f"SELECT 1 FROM subject WHERE id = ?{share}", (identifier,)) is not None


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
