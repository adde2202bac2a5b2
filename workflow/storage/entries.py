"""Entries beyond one case's: the newest of the log, rows that none stand behind, and carrying a case forward."""

from collections.abc import Collection, Sequence

from workflow.domain.case import Case
from workflow.domain.history import fold
from workflow.domain.record import Entry
from workflow.storage.cases import FoldCache, decoded
from workflow.storage.courses import member
from workflow.storage.openings import marks
from workflow.storage.transaction import Tx


def follow(tx: Tx, case: Case, written: Sequence[Entry], cache: FoldCache | None = None) -> Case:
    """Return the case carried forward by what this transaction wrote; it is cached once the transaction stands."""
    after = fold(written, case)
    if cache is not None:
        cache.keep(tx, after)
    return after


def newest(tx: Tx, limit: int, by: Collection[str] | None = None) -> list[Entry]:
    """Return the newest entries of all cases: in the order of the tree, and behind it what is not sealed yet.

    ``by`` leaves only those whose actor, or whose user of the operating system, is among these opaque ids.

    The numbers of rows, which anybody who owns the database can change, only order what no tree orders.
    """
    theirs, ids = "1 = 1", list[str]()
    if by is not None:
        one = marks(tuple(by))
        theirs, ids = f"({member(tx, 'actor.id')} IN ({one}) OR {member(tx, 'actor.os')} IN ({one}))", [*by, *by]
    waiting = tx.all(
        "SELECT e.body FROM unsealed AS u JOIN entry AS e ON e.position = u.entry "
        f"WHERE NOT EXISTS (SELECT 1 FROM leaf AS l WHERE l.entry = u.entry) AND {theirs} "
        "ORDER BY u.entry DESC LIMIT ?",
        (*ids, limit),
    )
    sealed = tx.all(
        f"SELECT e.body FROM leaf AS l JOIN entry AS e ON e.position = l.entry WHERE {theirs} "
        'ORDER BY l."index" DESC LIMIT ?',
        (*ids, limit - len(waiting)),
    )
    return [decoded(body) for (body,) in reversed([*waiting, *sealed])]


def of_types(tx: Tx, case_id: str, types: Collection[str]) -> list[Entry]:
    """Return a case's entries of these types, oldest first."""
    rows = tx.all(
        f"SELECT body FROM entry WHERE case_id = ? AND type IN ({marks(tuple(types))}) ORDER BY sequence",
        (case_id, *types),
    )
    return [decoded(body) for (body,) in rows]


def rows_without(tx: Tx) -> list[str]:
    """Return the ids of case rows that no entry stands behind."""
    found = tx.all(
        'SELECT c.id FROM "case" AS c WHERE NOT EXISTS (SELECT 1 FROM entry AS e WHERE e.case_id = c.id) ORDER BY c.id'
    )
    return [case_id for (case_id,) in found]


def latest(tx: Tx, kind: str) -> str:
    """Return the latest time of recording of the entries of one type, "" where there is none."""
    row = tx.one("SELECT max(recorded_at) FROM entry WHERE type = ?", (kind,))
    return "" if row is None or row[0] is None else str(row[0])


def state_before(tx: Tx, case_id: str, index: int) -> str:
    """Return the state a case was in before a leaf was added, "" where it was not yet open."""
    row = tx.one(
        "SELECT e.state_after FROM entry AS e JOIN leaf AS l ON l.entry = e.position "
        "WHERE e.case_id = ? AND e.state_after <> '' AND l.\"index\" < ? ORDER BY e.sequence DESC LIMIT 1",
        (case_id, index),
    )
    return "" if row is None else str(row[0])


def was_in_state(tx: Tx, case_id: str, state: str) -> bool:
    """Say whether a case was ever in a state."""
    found = tx.one("SELECT 1 FROM entry WHERE case_id = ? AND state_after = ? LIMIT 1", (case_id, state))
    return found is not None


def cases_with(tx: Tx, types: Collection[str], begins: str, ends: str) -> list[str]:
    """Return the ids of the cases that have a sealed entry of one of these types, recorded from ``begins`` to ``ends``.

    Sorted by their characters' codes; ``ends`` (UTC text) is excluded.
    """
    rows = tx.all(
        "SELECT DISTINCT e.case_id FROM entry AS e JOIN leaf AS l ON l.entry = e.position "
        f"WHERE e.type IN ({marks(tuple(types))}) AND e.recorded_at >= ? AND e.recorded_at < ?",
        (*types, begins, ends),
    )
    return sorted(case_id for (case_id,) in rows)


def acts(tx: Tx, begins: str, ends: str) -> list[tuple[str, str, str, int, str, str]]:
    """Return who acted in a period: actor (JSON), action, outcome, how many entries, the first and the last time.

    Times are UTC text; ``ends`` is excluded.
    """
    field = "json_extract(body, '$.{}')" if tx.sqlite else "((body)::jsonb ->> '{}')"
    who, action, outcome = (field.format(name) for name in ("actor", "action", "outcome"))
    return tx.all(
        f"SELECT {who}, {action}, {outcome}, count(*), min(recorded_at), max(recorded_at) FROM entry "
        "WHERE recorded_at >= ? AND recorded_at < ? GROUP BY 1, 2, 3 ORDER BY 5, 1, 2, 3",
        (begins, ends),
    )
