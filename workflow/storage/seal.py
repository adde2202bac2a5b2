"""Sealing: giving entries their place in the tree and signing the tree's new head.

On SQLite this happens inside every commit that appends, so that no entry is ever unsealed. On PostgreSQL a sealer
does it in a transaction of its own, one at a time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from os import urandom
from typing import Final

from workflow.errors import KeyMissingError, StorageError
from workflow.ledger import checkpoint as checkpoints
from workflow.ledger.checkpoint import Checkpoint
from workflow.ledger.malformed import Malformed
from workflow.ledger.merkle import Frontier, frontier_positions, leaf_hash
from workflow.ledger.note import Signer, Verifier
from workflow.storage.openings import marks
from workflow.storage.transaction import Tx

LEVEL_BITS: Final = 56
"""A node's key is ``level << 56 | index``: one integer, sorted by level."""

_LOCK: Final = 0x5345414C  # any number that is ours: one sealer at a time on PostgreSQL

# CROSS JOIN keeps SQLite from walking the entries in search of the queue. By position is by sequence within a case,
# because an entry is only let in behind the last one of its case and of the table.
_QUEUE_SQLITE: Final = (
    "SELECT e.position, e.body FROM unsealed AS u CROSS JOIN entry AS e ON e.position = u.entry "
    "WHERE NOT EXISTS (SELECT 1 FROM leaf AS l WHERE l.entry = u.entry) ORDER BY u.entry"
)
# Identities are not handed out in the order of commits, so that here the sequence has to say it.
_QUEUE_POSTGRESQL: Final = (
    "SELECT e.position, e.body FROM unsealed AS u JOIN entry AS e ON e.position = u.entry "
    "WHERE NOT EXISTS (SELECT 1 FROM leaf AS l WHERE l.entry = u.entry) ORDER BY e.case_id, e.sequence"
)


@dataclass(slots=True)
class Journal:
    """Who writes the ledger, and under which name.

    Args:
        origin: the log's name, first line of every checkpoint and part of every entry.
        signer: the log's key, or None where it is missing: reading works, writing does not.
        verifiers: keys whose earlier checkpoints may be extended, besides the signer's own.
        random: source of the random part of entry ids (bytes by count).
        publish: given each new signed note once its transaction stands; it must not raise.
    """

    origin: str
    signer: Signer | None
    verifiers: Sequence[Verifier] = ()
    random: Callable[[int], bytes] = urandom
    publish: Callable[[str], None] | None = None
    # The newest note this process sealed, and the tree's right edge under it: equal notes have equal trees.
    edge: tuple[str, int, tuple[bytes, ...]] | None = field(default=None, repr=False)

    def key(self) -> Signer:
        """Return the signer.

        Raises:
            KeyMissingError: there is none.
        """
        if self.signer is None:
            raise KeyMissingError(
                "The signing key is missing, so nothing can be written; reading works. "
                "Put the key file back where `holdfast init` made it."
            )
        return self.signer


def lock(tx: Tx) -> None:
    """Let one transaction at a time seal; on PostgreSQL before anything is read, on SQLite it is alone already."""
    if not tx.sqlite:
        tx.run("SELECT pg_advisory_xact_lock(?)", (_LOCK,))


def is_waiting(tx: Tx) -> bool:
    """Say whether some entry is not sealed yet: one cheap look."""
    return tx.one("SELECT 1 FROM unsealed LIMIT 1") is not None


def seal(tx: Tx, journal: Journal) -> Checkpoint | None:
    """Number the unsealed entries, complete the tree and sign its head; return None when nothing was unsealed.

    On PostgreSQL this must be the transaction's first work: a lock of its own precedes what is read.

    Raises:
        KeyMissingError: there is no key to sign with.
        StorageError: the tree as stored is not what the newest checkpoint says, so that it must not be extended.
    """
    signer = journal.key()
    lock(tx)
    queue = tx.all(_QUEUE_SQLITE if tx.sqlite else _QUEUE_POSTGRESQL)
    return _extend(tx, journal, signer, queue) if queue else None


def finish(tx: Tx, journal: Journal) -> None:
    """Seal what this transaction appended, and nothing else (SQLite, before the commit).

    Raises:
        StorageError: entries are waiting that Holdfast did not write, and signing them would vouch for them; or what
            it wrote does not wait.
    """
    queue = tx.all(_QUEUE_SQLITE)
    foreign = len(queue) - tx.appended
    if foreign:
        raise StorageError(
            (
                f"{foreign} entries were put into the ledger by somebody else and are not sealed. "
                if foreign > 0
                else f"Of {tx.appended} new entries {len(queue)} wait to be sealed: a trigger that the ledger "
                "stands on is missing or was changed. "
            )
            + "Nothing was changed; see `holdfast ledger verify`."
        )
    _extend(tx, journal, journal.key(), queue)


def frontier(tx: Tx, journal: Journal) -> Frontier:
    """Return the right edge of the tree under the newest checkpoint.

    Raises:
        StorageError: no known key signed that checkpoint, or the stored nodes are not its tree.
    """
    newest = tx.one("SELECT size, note FROM checkpoint ORDER BY size DESC LIMIT 1")
    if newest is None:
        return Frontier()
    size, note = newest
    if journal.edge is not None and journal.edge[0] == note:
        return Frontier(journal.edge[1], journal.edge[2])
    positions = frontier_positions(size)
    keys = [level << LEVEL_BITS | index for level, index in positions if level]
    nodes = dict(tx.all(f'SELECT "key", hash FROM node WHERE "key" IN ({marks(keys)})', keys))
    last = tx.one('SELECT hash FROM leaf WHERE "index" = ?', (size - 1,))
    try:
        signer = journal.key()
        known = {(key.name, key.key_hash): key for key in (signer.verifier, *journal.verifiers)}
        stated = checkpoints.open_checkpoint(note, list(known.values()))
        hashes = [
            bytes(nodes[level << LEVEL_BITS | index] if level else last[0])  # type: ignore[index]
            for level, index in positions
        ]
        edge = Frontier(size, hashes)
    except (Malformed, KeyError, TypeError) as error:
        raise _unfounded(str(error)) from error
    if stated != Checkpoint(stated.origin, size, edge.root()):
        raise _unfounded("its root is another")
    return edge


def _extend(tx: Tx, journal: Journal, signer: Signer, queue: Sequence[tuple[int, str]]) -> Checkpoint:
    edge = frontier(tx, journal)
    leaves, nodes = [], []
    for position, body in queue:
        leaf = leaf_hash(body.encode())
        leaves.append((edge.size, position, leaf))
        nodes += [(level << LEVEL_BITS | index, value) for level, index, value in edge.append(leaf)]
    head = Checkpoint(journal.origin, edge.size, edge.root())
    note = checkpoints.sign(head, signer)
    tx.write_all('INSERT INTO leaf ("index", entry, hash) VALUES (?, ?, ?)', leaves)
    if nodes:
        tx.write_all('INSERT INTO node ("key", hash) VALUES (?, ?)', nodes)
    tx.write("INSERT INTO checkpoint (size, note) VALUES (?, ?)", (edge.size, note))
    tx.run("DELETE FROM unsealed WHERE EXISTS (SELECT 1 FROM leaf AS l WHERE l.entry = unsealed.entry)")
    tx.checkpoint = note

    def stands() -> None:
        journal.edge = (note, edge.size, tuple(edge.hashes))
        if journal.publish is not None:
            journal.publish(note)

    tx.on_commit(stands)
    return head


def _unfounded(reason: str) -> StorageError:
    return StorageError(
        f"The newest checkpoint does not vouch for the stored tree ({reason}). Nothing was changed; "
        "see `holdfast ledger verify`."
    )
