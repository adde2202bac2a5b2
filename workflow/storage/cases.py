"""Cases: locking, loading and finding them.

``lock`` comes first in every transaction that changes a case, alone and before anything is read (R3): reading and
locking in one statement was measured to return a row newer than its entries.
"""

import re
from collections import OrderedDict
from collections.abc import Collection, Iterable, Sequence
from itertools import chain
from typing import Any, Final

from workflow.domain.case import Case
from workflow.domain.history import fold
from workflow.domain.picture import Picture
from workflow.domain.record import Entry, entry_from_body
from workflow.domain.vocabulary import LOG_CASE
from workflow.errors import NotFoundError
from workflow.ledger.entry import leaf_hash, read_body
from workflow.storage.openings import marks
from workflow.storage.pictures import OPEN, SELECT, from_row
from workflow.storage.transaction import Tx, storable

Statement = tuple[str, Sequence[Any]]

_INTAKE: Final = 0x494E544B  # any number that is ours: one opener of cases at a time on PostgreSQL
_MOST: Final = 50
_SHORTEST_SUFFIX: Final = 4
_LARGEST: Final = 2**31 - 1
_END_OF_ID: Final = re.compile(r"[0-9a-f-]{1,35}").fullmatch


class FoldCache:
    """Folded cases by id, the least recently used forgotten first. A case is added onto, never trusted blindly.

    What is handed out and taken in is no copy: outside ``domain`` a case is only read, and there it is copied to be
    carried forward.
    """

    def __init__(self, size: int = 1024) -> None:
        """Keep at most ``size`` cases."""
        self._size = size
        self._cases: OrderedDict[str, Case] = OrderedDict()

    def get(self, case_id: str) -> Case | None:
        """Return the case as it was last kept."""
        return self._cases.get(case_id)

    def since(self, case_id: str) -> int:
        """Return the sequence that the case as last kept ended with, 1 where none is."""
        case = self._cases.get(case_id)
        return 1 if case is None else case.sequence

    def keep(self, tx: Tx, case: Case) -> None:
        """Keep the case once this transaction stands (at once for a reading one, which never commits)."""
        tx.on_commit(lambda: self._put(case))

    def _put(self, case: Case) -> None:
        self._cases[case.id] = case
        self._cases.move_to_end(case.id)
        while len(self._cases) > self._size:
            self._cases.popitem(last=False)


def lock(tx: Tx, ids: Iterable[str]) -> None:
    """Lock cases against every other writer, in the order of their ids; unknown ids are ignored.

    On SQLite the transaction is alone already.
    """
    wanted = sorted(set(ids))
    if not tx.sqlite and wanted:
        tx.all(*_locking(wanted))


def ahead(tx: Tx, ids: Collection[str], case_id: str, cache: FoldCache) -> None:
    """Ask at once for what a step begins with: :func:`lock`, the log's :func:`length`, and :func:`load`."""
    if not tx.sqlite:
        tx.ahead(_locking(sorted(ids)), _length(LOG_CASE), _stored(case_id, cache.since(case_id)))


def lock_intake(tx: Tx) -> None:
    """Let one transaction at a time open cases, so that two reports of one mailbox do not race; before any read."""
    if not tx.sqlite:
        tx.run("SELECT pg_advisory_xact_lock(?)", (_INTAKE,))


def lock_log(tx: Tx) -> None:
    """Let one transaction at a time append to the log's own case, which has no row to lock; before any read."""
    lock_intake(tx)


def load(tx: Tx, case_id: str, cache: FoldCache | None = None) -> Case:
    """Return the fold of a case's entries.

    A cached case is only carried forward after the entry it ended with is seen to be the stored one still.

    Raises:
        NotFoundError: there is no such case.
    """
    known = cache.get(case_id) if cache is not None else None
    case = _folded(tx, case_id, known, _bodies(tx, case_id, 1 if known is None else known.sequence))
    if case is None:
        raise NotFoundError(f"There is no case {case_id}.")
    if cache is not None and case is not known:
        # What a transaction reads before it appends is committed already, but it may read its own entries too.
        cache.keep(tx, case)
    return case


def load_many(tx: Tx, ids: Iterable[str], cache: FoldCache) -> dict[str, Case]:
    """Return the folds of many cases as :func:`load` does, with one statement; unknown ids are left out.

    Nothing is cached: whoever loads so many is about to carry them forward.
    """
    known = {case_id: cache.get(case_id) for case_id in ids}
    if not known:
        return {}
    since = [(case_id, 1 if case is None else case.sequence) for case_id, case in known.items()]
    rows = tx.all(
        f"WITH wanted (id, since) AS (VALUES {', '.join(['(?, ?)'] * len(since))}) "
        "SELECT e.case_id, e.body FROM wanted AS w JOIN entry AS e ON e.case_id = w.id AND e.sequence >= w.since "
        "ORDER BY e.case_id, e.sequence",
        tuple(chain.from_iterable(since)),
    )
    bodies: dict[str, list[str]] = {case_id: [] for case_id in known}
    for case_id, body in rows:
        bodies[case_id].append(body)
    found = {case_id: _folded(tx, case_id, case, bodies[case_id]) for case_id, case in known.items()}
    return {case_id: case for case_id, case in found.items() if case is not None}


def decoded(body: str) -> Entry:
    """Return a stored entry; its leaf hash is computed here, from the stored bytes."""
    data = body.encode()
    return entry_from_body(read_body(data), leaf_hash(data).hex())


def entries(tx: Tx, case_id: str, since: int = 1) -> list[Entry]:
    """Return a case's entries from sequence ``since``."""
    return _decoded(_bodies(tx, case_id, since))


def head(tx: Tx, case_id: str) -> tuple[str, int]:
    """Return leaf hash and sequence of a case's newest entry, ``("", 0)`` where there is none."""
    row = tx.one("SELECT body, sequence FROM entry WHERE case_id = ? ORDER BY sequence DESC LIMIT 1", (case_id,))
    return ("", 0) if row is None else (leaf_hash(row[0].encode()).hex(), row[1])


def length(tx: Tx, case_id: str) -> int:
    """Return the sequence of a case's newest entry, 0 where there is none."""
    (newest,) = tx.one(*_length(case_id)) or (0,)
    return int(newest)


def by_request(tx: Tx, case_id: str, request: str) -> list[Entry]:
    """Return the entries that an idempotency key has caused in a case before."""
    rows = tx.all("SELECT body FROM entry WHERE case_id = ? AND request = ? ORDER BY sequence", (case_id, request))
    return _decoded([body for (body,) in rows])


def row(tx: Tx, case_id: str) -> Picture | None:
    """Return a case's row, or None."""
    return _first(tx, "c.id = ?", (case_id,))


def by_number(tx: Tx, number: int) -> Picture | None:
    """Return the case of that number, or None."""
    return _first(tx, "c.number = ?", (number,)) if 0 < number <= _LARGEST else None


def find(tx: Tx, text: str) -> list[Picture]:
    """Return the cases that a person may mean: by number, whole id, end of an id, or identifier; newest first.

    The first of these readings that finds anything wins; at most 50 cases are returned.
    """
    plain = text.strip().removeprefix("#")
    if plain.isascii() and plain.isdigit() and (found := by_number(tx, int(plain[:12]))):
        return [found]
    if not storable(plain):
        return []
    readings = [("c.id = ?", plain)]
    if len(plain) >= _SHORTEST_SUFFIX and _END_OF_ID(plain.lower()):
        # Only the end of an id makes the database walk through all cases; no address can be one.
        readings.append(("c.id LIKE ?", f"%{plain.lower()}"))
    readings.append(("c.entity IN (SELECT s.id FROM subject AS s WHERE s.identifier = ?)", plain.casefold()))
    for condition, value in readings:
        rows = tx.all(
            f'SELECT {SELECT} FROM "case" AS c WHERE {condition} ORDER BY c.number DESC LIMIT {_MOST}', (value,)
        )
        if rows:
            return [from_row(item) for item in rows]
    return []


def open_case_of(tx: Tx, tenant: str, kind: str, entity: str) -> Picture | None:
    """Return the open case about an entity, of which there is at most one."""
    return _first(
        tx,
        f"c.tenant = ? AND c.kind = ? AND c.entity = ? AND {OPEN}",
        (tenant, kind, entity),
    )


def open_elsewhere(tx: Tx, tenant: str, kind: str, entity: str) -> list[Picture]:
    """Return open cases about the same kind and identifier under other tenants' names, oldest first."""
    rows = tx.all(
        f'SELECT {SELECT} FROM "case" AS c WHERE c.kind = ? AND c.tenant <> ? AND {OPEN} AND c.entity IN '
        "(SELECT o.id FROM subject AS s JOIN subject AS o ON o.kind = s.kind AND o.identifier = s.identifier "
        f"WHERE s.id = ?) ORDER BY c.number LIMIT {_MOST}",
        (kind, tenant, entity),
    )
    return [from_row(item) for item in rows]


def open_tenants(tx: Tx) -> int:
    """Return how many tenants have open cases."""
    (count,) = tx.one(f'SELECT count(DISTINCT tenant) FROM "case" WHERE {OPEN}') or (0,)
    return int(count)


def open_about(tx: Tx, entities: Iterable[str], limit: int = 20) -> list[str]:
    """Return the ids of open cases about any of these entities, at most ``limit``."""
    wanted = sorted(entities) or [""]
    rows = tx.all(
        f'SELECT id FROM "case" WHERE entity IN ({marks(wanted)}) AND {OPEN} ORDER BY id LIMIT {limit}',
        wanted,
    )
    return [item for (item,) in rows]


def standing_since(tx: Tx, tenant: str, since: str) -> list[str]:
    """Return the ids of a tenant's cases that are open, or ended at that time (UTC text) or later."""
    rows = tx.all(
        f'SELECT id FROM "case" WHERE tenant = ? AND ({OPEN} OR ended_at >= ?) ORDER BY number', (tenant, since)
    )
    return [item for (item,) in rows]


def latest_case_of(tx: Tx, tenant: str, kind: str, entity: str) -> Picture | None:
    """Return the newest case about an entity, open or not."""
    return _first(tx, "c.tenant = ? AND c.kind = ? AND c.entity = ? ORDER BY c.number DESC", (tenant, kind, entity))


def about(tx: Tx, entity: str) -> list[str]:
    """Return the ids of all cases about an entity, oldest first."""
    return [case_id for (case_id,) in tx.all('SELECT id FROM "case" WHERE entity = ? ORDER BY number', (entity,))]


def next_number(tx: Tx) -> int:
    """Return the next free case number; hold :func:`lock_intake` on PostgreSQL."""
    (number,) = tx.one('SELECT coalesce(max(number), 0) + 1 FROM "case"') or (1,)
    return int(number)


def ids(tx: Tx) -> list[str]:
    """Return the id of every case that has entries, the log's own case included."""
    return [item for (item,) in tx.all("SELECT DISTINCT case_id FROM entry ORDER BY case_id")]


def literal(text: str) -> str:
    """Write text so that LIKE, with ``!`` as its escape, takes it as it stands."""
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")


def _bodies(tx: Tx, case_id: str, since: int) -> list[str]:
    return [body for (body,) in tx.all(*_stored(case_id, since))]


def _locking(ids: Sequence[str]) -> Statement:
    return f'SELECT 1 FROM "case" WHERE id IN ({marks(ids)}) ORDER BY id FOR UPDATE', ids


def _length(case_id: str) -> Statement:
    return "SELECT coalesce(max(sequence), 0) FROM entry WHERE case_id = ?", (case_id,)


def _stored(case_id: str, since: int) -> Statement:
    return "SELECT body FROM entry WHERE case_id = ? AND sequence >= ? ORDER BY sequence", (case_id, since)


def _folded(tx: Tx, case_id: str, known: Case | None, bodies: Sequence[str]) -> Case | None:
    """Return the fold of a case; ``bodies`` are its entries from the one on that the known case ended with."""
    if known is not None:
        last, *new = bodies or [""]
        if leaf_hash(last.encode()).hex() == known.head:
            return fold(_decoded(new), known) if new else known
        bodies = _bodies(tx, case_id, 1)
    return fold(_decoded(bodies)) if bodies else None


def _decoded(bodies: Iterable[str]) -> list[Entry]:
    return [decoded(body) for body in bodies]


def _first(tx: Tx, condition: str, params: Sequence[Any]) -> Picture | None:
    found = tx.one(f'SELECT {SELECT} FROM "case" AS c WHERE {condition} LIMIT 1', params)
    return None if found is None else from_row(found)
