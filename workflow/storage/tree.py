"""Reading the ledger as a verifier does: leaves in order, nodes, checkpoints, and what is not sealed.

Everything is read in pages by key, so that memory does not grow with the log.
"""

from collections.abc import Iterator
from typing import Any, Final

from workflow.ledger.merkle import Lookup
from workflow.storage.seal import LEVEL_BITS
from workflow.storage.transaction import Tx

_PAGE: Final = 5000
LOWEST: Final = -(2**63)
"""The lowest key that a database holds."""
OUTSIDE: Final = 'NOT EXISTS (SELECT 1 FROM leaf AS l WHERE l.entry = e.position AND l."index" >= 0)'
"""Holds of an entry ``e`` that has no place in the tree, whatever the queue says."""
UNSEALED: Final = 2**62
"""Stands for the leaf number of an entry that has none yet."""
_LEAVES: Final = 1024  # bodies are the bulk of a ledger: what was read is hashed while it is still in the cache


def leaves(tx: Tx) -> Iterator[tuple[int, bytes | None, bytes]]:
    """Yield index, stored body and stored hash of every leaf; the body is None where its entry is gone."""
    # The database hands out the bytes it stores; decoding them to text and back would cost as much as hashing them.
    body = "CAST(e.body AS BLOB)" if tx.sqlite else "convert_to(e.body, 'UTF8')"
    entries = f'SELECT l."index", {body}, l.hash FROM leaf AS l LEFT JOIN entry AS e ON e.position = l.entry'
    return _pages(tx, entries, 'l."index"', _LEAVES)


def _pages(tx: Tx, select: str, key: str, limit: int) -> Iterator[Any]:
    """Yield every row by its key, a page at a time; a forged one may stand before the first that a tree has."""
    where, after = ">=", LOWEST
    while True:
        rows = tx.all(f"{select} WHERE {key} {where} ? ORDER BY {key} LIMIT {limit}", (after,))
        yield from rows
        if len(rows) < limit:
            return
        where, after = ">", rows[-1][0]


def nodes(tx: Tx, level: int) -> Iterator[bytes]:
    """Yield the stored hashes of one level from 1, in the order of their index."""
    after = (level << LEVEL_BITS) - 1
    while True:
        rows = tx.all(
            f'SELECT "key", hash FROM node WHERE "key" > ? AND "key" < ? ORDER BY "key" LIMIT {_PAGE}',
            (after, level + 1 << LEVEL_BITS),
        )
        yield from [value for _, value in rows]
        if len(rows) < _PAGE:
            return
        after = rows[-1][0]


def checkpoints(tx: Tx) -> Iterator[tuple[int, str]]:
    """Yield size and signed note of every checkpoint, by size, whatever sizes there are."""
    return ((size, note) for size, note in _pages(tx, "SELECT size, note FROM checkpoint", "size", _PAGE))


def newest(tx: Tx) -> str | None:
    """Return the signed note of the newest checkpoint, or None."""
    row = tx.one("SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1")
    return None if row is None else str(row[0])


def size(tx: Tx) -> int:
    """Return how many leaves there are."""
    (count,) = tx.one('SELECT coalesce(max("index") + 1, 0) FROM leaf') or (0,)
    return int(count)


def lookup(tx: Tx) -> Lookup:
    """Return a reader of perfect nodes, level 0 being the leaf hashes; it raises ``LookupError`` for a missing one."""

    def read(level: int, index: int) -> bytes:
        found = (
            tx.one('SELECT hash FROM node WHERE "key" = ?', (level << LEVEL_BITS | index,))
            if level
            else tx.one('SELECT hash FROM leaf WHERE "index" = ?', (index,))
        )
        if found is None:
            raise LookupError((level, index))
        return bytes(found[0])

    return read


def unsealed(tx: Tx) -> list[tuple[str, int]]:
    """Return case and sequence of every entry outside the tree, found without trusting the queue."""
    rows = tx.all(f"SELECT e.case_id, e.sequence FROM entry AS e WHERE {OUTSIDE} ORDER BY e.position")
    return [(case_id, sequence) for case_id, sequence in rows]


def index_of(tx: Tx, case_id: str, sequence: int) -> int | None:
    """Return the leaf index of an entry, or None while it is not sealed."""
    row = tx.one(
        'SELECT l."index" FROM entry AS e JOIN leaf AS l ON l.entry = e.position '
        "WHERE e.case_id = ? AND e.sequence = ?",
        (case_id, sequence),
    )
    return None if row is None else int(row[0])


def bodies(tx: Tx, case_id: str) -> Iterator[tuple[bytes, bytes | None, int]]:
    """Yield stored body, stored leaf hash and leaf number of a case's entries, by sequence.

    While an entry is not sealed its hash is None, and its number one behind every other.
    """
    for body, value, index in tx.all(
        'SELECT e.body, l.hash, l."index" FROM entry AS e LEFT JOIN leaf AS l ON l.entry = e.position '
        "WHERE e.case_id = ? ORDER BY e.sequence",
        (case_id,),
    ):
        yield body.encode(), None if value is None else bytes(value), UNSEALED if index is None else index


def column_faults(tx: Tx) -> list[int]:
    """Return the positions of entries whose derived columns disagree with their body (at most 100).

    They can only disagree after somebody forced the database's schema open.
    """
    field = "json_extract(body, '$.{}')" if tx.sqlite else "((body)::jsonb ->> '{}')"
    number = field if tx.sqlite else f"({field})::integer"
    pairs = [
        ("id", "id", field),
        ("type", "type", field),
        ("tenant", "tenant", field),
        ("case_id", "case", field),
        ("sequence", "sequence", number),
        ("recorded_at", "recorded_at", field),
        ("state_after", "state_after", field),
        ("request", "request", field),
    ]
    differ = " OR ".join(f"{column} IS DISTINCT FROM {how.format(name)}" for column, name, how in pairs)
    if tx.sqlite:
        differ = differ.replace("IS DISTINCT FROM", "IS NOT")
    rows = tx.all(f"SELECT position FROM entry WHERE {differ} ORDER BY position LIMIT 100")
    return [position for (position,) in rows]


def body_at(tx: Tx, index: int) -> bytes | None:
    """Return the stored body of a leaf, or None."""
    row = tx.one('SELECT e.body FROM leaf AS l JOIN entry AS e ON e.position = l.entry WHERE l."index" = ?', (index,))
    return None if row is None else row[0].encode()
