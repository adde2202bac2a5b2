"""Rows that nothing in Holdfast puts where they are, and rows that are missing: what only a database's owner can do.

Tree, entries and cases are read by their own keys, so that a row under a key of no use is never met there. Each of
these looks for what the others pass over, and names at most a hundred.
"""

from typing import Final

from workflow.storage import search_index
from workflow.storage.faults import NUMBERED
from workflow.storage.guards import NEWEST
from workflow.storage.seal import LEVEL_BITS
from workflow.storage.transaction import Tx
from workflow.storage.tree import LOWEST, OUTSIDE

_MOST: Final = 100
_PLENTY: Final = 2**62
"""A row number that no ledger reaches, and from which the end of all numbers can be seen."""


def nodes(tx: Tx, size: int) -> list[int]:
    """Return the keys of nodes at places that a tree of so many leaves does not have; gaps between levels are read."""
    found: list[tuple[int]] = []
    low = LOWEST
    for level in range(1, size.bit_length()):
        gap = f'SELECT "key" FROM node WHERE "key" >= ? AND "key" < ? ORDER BY "key" LIMIT {_MOST}'
        found += tx.all(gap, (low, level << LEVEL_BITS))
        low = (level << LEVEL_BITS) + (size >> level)
    found += tx.all(f'SELECT "key" FROM node WHERE "key" >= ? ORDER BY "key" LIMIT {_MOST}', (low,))
    return [key for (key,) in found[:_MOST]]


def queued(tx: Tx) -> list[int]:
    """Return what the queue of unsealed entries names that is sealed already, or is no entry."""
    rows = tx.all(
        "SELECT u.entry FROM unsealed AS u WHERE EXISTS (SELECT 1 FROM leaf AS l WHERE l.entry = u.entry) "
        f"OR NOT EXISTS (SELECT 1 FROM entry AS e WHERE e.position = u.entry) ORDER BY u.entry LIMIT {_MOST}"
    )
    return [position for (position,) in rows]


def unqueued(tx: Tx) -> list[tuple[str, int]]:
    """Return case and sequence of entries that are neither sealed nor waiting for it: no sealer will ever find them."""
    rows = tx.all(
        f"SELECT e.case_id, e.sequence FROM entry AS e WHERE {OUTSIDE} "
        f"AND NOT EXISTS (SELECT 1 FROM unsealed AS u WHERE u.entry = e.position) ORDER BY e.position LIMIT {_MOST}"
    )
    return [(case_id, sequence) for case_id, sequence in rows]


def standing(tx: Tx) -> list[str]:
    """Return the cases of which the database does not keep where their newest entry left them (SQLite alone does).

    Case rows are held against the entries elsewhere, so that here they say which cases there are.
    """
    if not tx.sqlite:
        return []
    rows = tx.all(
        "SELECT s.case_id FROM standing AS s "
        f"WHERE (s.version, s.state) IS NOT ({NEWEST.format(id='s.case_id')}) "
        'UNION SELECT c.id FROM "case" AS c WHERE NOT EXISTS (SELECT 1 FROM standing AS s WHERE s.case_id = c.id) '
        f"ORDER BY 1 LIMIT {_MOST}"
    )
    return [case_id for (case_id,) in rows]


def misnumbered(tx: Tx) -> tuple[str, int, int] | None:
    """Return case, sequence and leaf of the first entry by which rows are in another order than the tree.

    On SQLite every commit seals what it appended, row by row. A server hands row numbers out before it is known who
    commits first, and nothing of ours reads an order from them there.
    """
    if not tx.sqlite:
        return None
    return tx.one(
        'SELECT e.case_id, e.sequence, l."index" FROM leaf AS l JOIN entry AS e ON e.position = l.entry '
        'WHERE l."index" = (SELECT min(at) FROM '
        '(SELECT "index" AS at, lag("index") OVER (ORDER BY entry) AS before FROM leaf) WHERE before > at)'
    )


def numbering(tx: Tx) -> list[tuple[str, object]]:
    """Return the tables, with the last number given out or used, that are not numbered on from where they end.

    Of entries none is ever taken back, so that on SQLite the last number given out is the last one there; a server also
    gives numbers out that a step then does not use. No ledger comes near the end of all numbers, behind which nothing
    can be written any more.
    """
    used = " UNION ALL ".join(f"SELECT '{table}' AS name, max(position) AS last FROM {table}" for table in NUMBERED)
    if tx.sqlite:
        given = "SELECT name, seq AS given FROM sqlite_sequence"
        wrong = "(u.name = 'entry' AND given IS NOT last) OR typeof(given) NOT IN ('integer', 'null')"
    else:
        # Whoever may not look at a counter is not told of it.
        given = (
            "SELECT replace(sequencename, '_position_seq', '') AS name, last_value AS given "
            "FROM pg_catalog.pg_sequences WHERE schemaname = 'public'"
        )
        wrong = "given < last"
    rows = tx.all(
        f"SELECT u.name, coalesce(given, last) FROM ({used}) AS u LEFT JOIN ({given}) AS g ON g.name = u.name "
        f"WHERE {wrong} OR given > {_PLENTY} OR last > {_PLENTY} ORDER BY u.name"
    )
    return [(name, last) for name, last in rows]


def search(tx: Tx) -> tuple[int, int, str]:
    """Return how many names only the search index has, how many only the register, and why it does not find the others.

    SQLite's index alone is apart. It keeps the length of every text it knows under the number of its row; what it says
    of the text itself is always read from the register.
    """
    if not tx.sqlite or tx.one("SELECT 1 FROM sqlite_master WHERE name = 'subject_search_docsize'") is None:
        return 0, 0, ""
    indexed, registered = "SELECT id FROM subject_search_docsize", "SELECT position FROM subject"
    (foreign,) = tx.one(f"SELECT count(*) FROM ({indexed} EXCEPT {registered})") or (0,)
    (missing,) = tx.one(f"SELECT count(*) FROM ({registered} EXCEPT {indexed})") or (0,)
    return int(foreign), int(missing), "" if foreign or missing else search_index.fault(tx)
