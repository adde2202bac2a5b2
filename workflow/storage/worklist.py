"""Pages of cases for people to work through: filtered, sorted, and continued by key instead of by count.

Each state is read along its own ``(state, column, id)`` index and the states are merged here, so that a page costs
what it shows, however many cases there are.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from heapq import merge
from itertools import chain, islice
from typing import Any, Final

from workflow.domain.picture import Picture
from workflow.domain.record import time_from_text, time_to_text
from workflow.domain.vocabulary import ENDED, State
from workflow.errors import InputError
from workflow.storage.openings import marks
from workflow.storage.pictures import COLUMNS, OPEN, SELECT, from_row, values
from workflow.storage.search import condition
from workflow.storage.transaction import Tx

URGENT: Final = "urgent"
"""Unblocks under way, the longest first; what waits for somebody to approve or unblock; the rest as it falls due."""
SORTS: Final = ("number", "opened_at", "updated_at", "due_at", "state", URGENT)
MOST: Final = 500
OPEN_STATES: Final = tuple(state for state in State if state not in ENDED)

Key = tuple[str, str | int, str]
"""Where a page ended: the part of the list, value of the sorted column, id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which cases to show; every field that is given narrows the page.

    Args:
        states: any of these; the open ones without any.
        missing: id of a prerequisite that the case still lacks.
        labels: all of these.
        text: part of the entity's identifier.
        due_until: only cases in which something is due by then.
        opened_from, opened_until, released_from, released_until: half-open ranges, from ≤ time < until.
    """

    states: tuple[State, ...] = ()
    tenant: str = ""
    kind: str = ""
    missing: str = ""
    labels: tuple[str, ...] = ()
    text: str = ""
    assignee: str | None = None
    resolution: str | None = None
    due_until: datetime | None = None
    opened_from: datetime | None = None
    opened_until: datetime | None = None
    released_from: datetime | None = None
    released_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Cases, and the key after which the next page begins; None on the last one."""

    cases: tuple[Picture, ...]
    after: Key | None


def page(
    tx: Tx,
    filters: Filters,
    sort: str = "due_at",
    *,
    descending: bool = False,
    limit: int = 50,
    after: Key | None = None,
    redrawn: Mapping[str, Picture] | None = None,
) -> Page:
    """Return the next ``limit`` cases after a key; equal values are ordered by id.

    ``redrawn`` gives cases, by id, as they stand now: each is found, sorted and returned so, and not as stored.

    Raises:
        InputError: an unknown sort, a limit outside 1…500, or a key that no page gave.
    """
    if sort not in SORTS:
        raise InputError(f"Cases can be sorted by {', '.join(SORTS)}.")
    if not 0 < limit <= MOST:
        raise InputError(f"A page has 1 to {MOST} cases.")
    where, params = _conditions(tx, filters)
    # An ended case lacks nothing, whatever its row says that it had not reached.
    wanted = [state for state in filters.states or OPEN_STATES if not (filters.missing and state in ENDED)]
    parts = _parts(sort, tuple(dict.fromkeys(wanted)), descending=descending)
    if after is not None:
        parts = _from(parts, after)
    anew: list[tuple[Any, ...]] = []
    if redrawn:
        anew = _redrawn(tx, filters, redrawn)
        where += f" AND c.id NOT IN ({marks(list(redrawn))})"
        params += redrawn

    def of_part(part: _Part) -> Iterator[tuple[_Part, tuple[Any, ...]]]:
        bound = after[1:] if after is not None and part.name == after[0] else None
        read = [_of_state(tx, state, part, where, params, limit + 1, bound) for state in part.states]
        changed = sorted((row for row in anew if part.holds(row, bound)), key=part.order, reverse=part.descending)
        for row in merge(*read, changed, key=part.order, reverse=part.descending):
            yield part, row

    rows = list(islice(chain.from_iterable(map(of_part, parts)), limit + 1))
    shown = rows[:limit]
    last = shown[-1] if len(rows) > limit else None
    key = None if last is None else (last[0].name, *last[0].order(last[1]))
    return Page(tuple(from_row(row) for _, row in shown), key)


def every(tx: Tx, filters: Filters) -> Iterator[Picture]:
    """Yield every case that the filters leave, by number."""
    after: Key | None = None
    while True:
        found = page(tx, filters, "number", limit=MOST, after=after)
        yield from found.cases
        after = found.after
        if after is None:
            return


def counts(tx: Tx, redrawn: Mapping[str, Picture] | None = None) -> dict[State, int]:
    """Return how many cases are in each state, zero included; ``redrawn`` as for :func:`page`."""
    found = Counter(dict(tx.all('SELECT state, count(*) FROM "case" GROUP BY state')))
    if redrawn:
        ids = list(redrawn)
        found.subtract(state for (state,) in tx.all(f'SELECT state FROM "case" WHERE id IN ({marks(ids)})', ids))
        found.update(item.state for item in redrawn.values())
    return {state: found[state.value] for state in State}


def open_by_playbook(tx: Tx) -> dict[str, int]:
    """Return how many open cases each playbook digest has; those with none are not among them."""
    return dict(tx.all(f'SELECT playbook, count(*) FROM "case" WHERE {OPEN} GROUP BY playbook'))


def due(tx: Tx, until: datetime, limit: int = MOST) -> list[Picture]:
    """Return open cases in which something is due by ``until``, the longest waiting first."""
    return list(page(tx, Filters(due_until=until), "due_at", limit=limit).cases)


def waking(tx: Tx, tenant: str, until: datetime, limit: int = MOST) -> list[str]:
    """Return the ids of a tenant's cases in which the machine has something to do by then, the longest due first."""
    rows = tx.all(
        f'SELECT id FROM "case" WHERE wake_at <= ? AND tenant = ? ORDER BY wake_at, id LIMIT {limit}',
        (time_to_text(until), tenant),
    )
    return [case_id for (case_id,) in rows]


def ahead(tx: Tx, after: datetime) -> list[tuple[int, datetime]]:
    """Return the numbers of open cases whose newest entry was recorded after a time, and when, by number."""
    rows = tx.all(
        f'SELECT number, updated_at FROM "case" WHERE updated_at > ? AND {OPEN} ORDER BY number', (time_to_text(after),)
    )
    return [(int(number), time_from_text(at)) for number, at in rows]


@dataclass(frozen=True, slots=True)
class _Part:
    """What of a list is read before the next part: cases in these states, in the order of one indexed column.

    ``under_way`` takes only those with an unblock under way, or only those without; None takes both.
    """

    name: str
    states: tuple[State, ...]
    column: str
    descending: bool
    under_way: bool | None = None

    def order(self, row: tuple[Any, ...]) -> tuple[Any, str]:
        """Return what the row is sorted by: the column's value, then its id."""
        return row[COLUMNS.index(self.column)], row[0]

    def holds(self, row: tuple[Any, ...], bound: tuple[Any, str] | None) -> bool:
        """Say whether a row that was drawn anew stands here, behind the bound."""
        under_way = row[_INTENDED_AT] is not None
        if row[_STATE] not in self.states or self.under_way not in {None, under_way}:
            return False
        return bound is None or (self.order(row) < bound if self.descending else self.order(row) > bound)


_STATE: Final = COLUMNS.index("state")
_INTENDED_AT: Final = COLUMNS.index("intended_at")
_UNDER_WAY: Final = {None: "", True: " AND c.intended_at IS NOT NULL", False: " AND c.intended_at IS NULL"}


def _parts(sort: str, wanted: tuple[State, ...], *, descending: bool) -> list[_Part]:
    if sort == "state":
        return [_Part(state.value, (state,), "number", descending) for state in sorted(wanted, reverse=descending)]
    if sort != URGENT:
        return [_Part("", wanted, sort, descending)]
    asked = tuple(state for state in wanted if state is State.UNBLOCK_REQUESTED)
    ended = tuple(state for state in wanted if state in ENDED)
    parts = [
        _Part("under-way", asked, "due_at", descending, under_way=True),
        _Part("requested", asked, "due_at", descending, under_way=False),
        _Part("open", tuple(state for state in wanted if state not in {*asked, *ended}), "due_at", descending),
        # Nothing is due in these: what ended last comes first.
        _Part("ended", ended, "updated_at", not descending),
    ]
    return parts[::-1] if descending else parts


def _from(parts: list[_Part], after: Key) -> list[_Part]:
    """Return the parts from the one on in which the page before ended.

    Raises:
        InputError: no page of this sort gave the key.
    """
    names = [part.name for part in parts]
    fits = len(after) == len(Key.__args__) and after[0] in names  # type: ignore[attr-defined]
    if not fits or isinstance(after[1], int) != (parts[0].column == "number"):
        raise InputError("This page does not continue the one before; begin again.")
    return parts[names.index(after[0]) :]


def _redrawn(tx: Tx, filters: Filters, redrawn: Mapping[str, Picture]) -> list[tuple[Any, ...]]:
    """Return, as rows, the redrawn cases that the filters leave in whatever state; what time changes is looked at here.

    Only time moved them, so all other filters are asked of what is stored.
    """
    where, params = _conditions(tx, replace(filters, missing="", due_until=None))
    ids = list(redrawn)
    found = tx.all(f'SELECT c.id FROM "case" AS c WHERE c.id IN ({marks(ids)}){where}', [*ids, *params])
    until = filters.due_until
    return [
        values(item)
        for item in (redrawn[case_id] for (case_id,) in found)
        if not (filters.missing and filters.missing not in item.missing)
        and not (until and (item.due_at is None or item.due_at > until))
    ]


def _of_state(
    tx: Tx,
    state: State,
    part: _Part,
    where: str,
    params: list[Any],
    limit: int,
    bound: tuple[Any, str] | None,
) -> Iterator[tuple[Any, ...]]:
    order = "DESC" if part.descending else "ASC"
    # A few named entities are looked up and sorted. The plus keeps SQLite from walking through the whole state in the
    # order of the page to find them, as it would for the sake of not sorting.
    of_state = "+c.state" if tx.sqlite and "c.entity IN" in where else "c.state"
    column, under_way = f"c.{part.column}", _UNDER_WAY[part.under_way]
    key = "" if bound is None else f" AND ({column}, c.id) {'<' if part.descending else '>'} (?, ?)"
    yield from tx.all(
        f'SELECT {SELECT} FROM "case" AS c WHERE {of_state} = ?{under_way}{where}{key} '
        f"ORDER BY {column} {order}, c.id {order} LIMIT {limit}",
        [state.value, *params, *(bound or ())],
    )


def _conditions(tx: Tx, filters: Filters) -> tuple[str, list[Any]]:
    parts: list[str] = []
    params: list[Any] = []
    for column, value in (
        ("c.kind = ?", filters.kind or None),
        ("c.assignee = ?", filters.assignee),
        ("c.resolution = ?", filters.resolution),
        ("c.due_at <= ?", _time(filters.due_until)),
        ("c.opened_at >= ?", _time(filters.opened_from)),
        ("c.opened_at < ?", _time(filters.opened_until)),
        ("c.released_at >= ?", _time(filters.released_from)),
        ("c.released_at < ?", _time(filters.released_until)),
    ):
        if value is not None:
            parts.append(column)
            params.append(value)
    if filters.tenant:
        # Old versions kept a name's capitals.
        parts.append("? IN (c.tenant, lower(c.tenant))")
        params.append(filters.tenant)
    listed = [("missing", filters.missing)] if filters.missing else []
    for column, item in [*listed, *(("labels", label) for label in filters.labels)]:
        # What stands in these lists is quoted, so that one is never found inside another.
        parts.append(f"instr(c.{column}, ?) > 0" if tx.sqlite else f"position(? in c.{column}) > 0")
        params.append(f'"{item}"')
    if filters.text:
        clause, values = condition(tx, filters.text)
        parts.append(clause)
        params += values
    return "".join(f" AND {part}" for part in parts), params


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else time_to_text(moment)


__all__ = [
    "MOST",
    "OPEN_STATES",
    "SORTS",
    "Filters",
    "Key",
    "Page",
    "counts",
    "due",
    "every",
    "open_by_playbook",
    "page",
    "waking",
]
