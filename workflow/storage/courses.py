"""What figures over many cases are read from: a few members of each entry, without decoding whole bodies."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final

from workflow.domain.course import READ, Mark
from workflow.domain.period import Period
from workflow.domain.picture import Picture
from workflow.storage.openings import marks
from workflow.storage.pictures import SELECT, from_row
from workflow.storage.transaction import Tx

_AT_ONCE: Final = 500
_TYPES: Final = ", ".join(f"'{kind}'" for kind in READ)
_MEMBERS: Final = (
    *("recurrence", "basis.prerequisite", "data.prerequisite", "data.result", "basis.resolution", "data.status"),
    *("data.observed_at", "data.method", "basis.restricted_at", "basis.stale"),
)
TOUCHED: Final = "c.opened_at < ? AND c.updated_at >= ?"
"""Which cases (the table as ``c``) can have an entry in a period: its end and its start are the values.

Every entry moves its case's row, so what was changed last before the period has no entry in it.
"""


def member(tx: Tx, path: str) -> str:
    """Return the SQL for a member of an entry's body (``e``), such as ``data.observed_at``; NULL where it is absent."""
    if tx.sqlite:
        return f"json_extract(e.body, '$.{path}')"
    return f"(e.body::jsonb #>> '{{{path.replace('.', ',')}}}')"


def of_period(tx: Tx, period: Period) -> Iterator[tuple[Picture, list[Mark]]]:
    """Yield each case with an entry in the period, and the marks of all its entries by sequence.

    Cases come in the order of their ids; a few hundred are in memory at once.
    """
    start, end = period.texts()
    after = ""
    while True:
        rows = tx.all(
            f'SELECT {SELECT} FROM "case" AS c WHERE c.id > ? AND {TOUCHED} ORDER BY c.id LIMIT {_AT_ONCE}',
            [after, end, start],
        )
        found = {row[0]: from_row(row) for row in rows}
        for case_id, group in groupby(_marks(tx, list(found)), key=lambda row: row[0]):
            yield found[case_id], [_mark(row) for row in group]
        if len(rows) < _AT_ONCE:
            return
        after = rows[-1][0]


def _marks(tx: Tx, ids: list[str]) -> list[tuple[Any, ...]]:
    if not ids:
        return []
    members = ", ".join(member(tx, path) for path in _MEMBERS)
    return tx.all(
        f"SELECT e.case_id, e.type, e.recorded_at, {members} FROM entry AS e "
        f"WHERE e.case_id IN ({marks(ids)}) AND e.type IN ({_TYPES}) ORDER BY e.case_id, e.sequence",
        ids,
    )


def _mark(row: tuple[Any, ...]) -> Mark:
    _, kind, at, recurrence, accepted, answered, result, resolution, status, observed, method, restricted, stale = row
    return Mark(
        kind,
        int(recurrence),
        at,
        answered or accepted or "",
        result or "",
        resolution or "",
        status or "",
        observed or "",
        method or "",
        restricted or "",
        stale in (1, "true"),
    )
