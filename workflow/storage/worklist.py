"""Pages of cases for people to work through: filtered, sorted, and continued by key instead of by count.

Each state is read along its own ``(state, column, id)`` index and the states are merged here, so that a page costs
what it shows, however many cases there are.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from heapq import merge
from itertools import islice
from typing import Any, Final

from workflow.domain.picture import Picture
from workflow.domain.record import time_from_text, time_to_text
from workflow.domain.vocabulary import ENDED, State
from workflow.errors import InputError
from workflow.storage.openings import marks
from workflow.storage.pictures import COLUMNS, OPEN, SELECT, from_row, values
from workflow.storage.search import condition
from workflow.storage.transaction import Tx

SORTS: Final = ("number", "opened_at", "updated_at", "due_at", "state")
MOST: Final = 500
OPEN_STATES: Final = tuple(state for state in State if state not in ENDED)

Key = tuple[str, str | int, str]
"""Where a page ended: state, value of the sorted column, id."""


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
    column = "number" if sort == "state" else sort
    if after is not None and (len(after) != len(Key.__args__) or isinstance(after[1], int) != (column == "number")):  # type: ignore[attr-defined]
        raise InputError("This page does not continue the one before; begin again.")
    where, params = _conditions(tx, filters)
    wanted = filters.states or OPEN_STATES
    # An ended case lacks nothing, whatever its row says that it had not reached.
    wanted = tuple(state for state in wanted if not (filters.missing and state in ENDED))
    states = sorted(wanted, reverse=descending)
    place = COLUMNS.index(column)
    anew: list[tuple[Any, ...]] = []
    if redrawn:
        anew = _redrawn(tx, filters, redrawn)
        where += f" AND c.id NOT IN ({marks(list(redrawn))})"
        params += redrawn

    def order(row: tuple[Any, ...]) -> tuple[Any, str]:
        return row[place], row[0]

    def of_state(state: State) -> Iterator[tuple[Any, ...]]:
        bound = _bound(state, sort, after, descending)
        rows = _of_state(tx, state, column, where, params, limit + 1, bound, descending)
        changed = [row for row in anew if row[_STATE] == state and _behind(order(row), bound, descending)]
        return merge(rows, sorted(changed, key=order, reverse=descending), key=order, reverse=descending)

    pages = [of_state(state) for state in dict.fromkeys(states)]
    if sort == "state":
        rows = list(islice((item for part in pages for item in part), limit + 1))
    else:
        rows = list(islice(merge(*pages, key=order, reverse=descending), limit + 1))
    shown = rows[:limit]
    last = shown[-1] if len(rows) > limit else None
    key = None if last is None else (last[_STATE], last[place], last[0])
    return Page(tuple(from_row(item) for item in shown), key)


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


_SKIP: Final = ("skip", "")
_STATE: Final = COLUMNS.index("state")


def _bound(state: State, sort: str, after: Key | None, descending: bool) -> tuple[Any, str] | None:  # noqa: FBT001
    """Return where reading a state begins: after a key, from its start (None), or nowhere (``_SKIP``)."""
    if after is None:
        return None
    if sort == "state" and state.value != after[0]:
        passed = state.value > after[0] if descending else state.value < after[0]
        return _SKIP if passed else None
    return (after[1], after[2])


def _behind(key: tuple[Any, str], bound: tuple[Any, str] | None, descending: bool) -> bool:  # noqa: FBT001
    """Say whether a row comes after where reading begins."""
    return bound is None or (bound is not _SKIP and (key < bound if descending else key > bound))


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
    column: str,
    where: str,
    params: list[Any],
    limit: int,
    bound: tuple[Any, str] | None,
    descending: bool,  # noqa: FBT001
) -> Iterator[tuple[Any, ...]]:
    if bound is _SKIP:
        return
    order = "DESC" if descending else "ASC"
    # A few named entities are looked up and sorted. The plus keeps SQLite from walking through the whole state in the
    # order of the page to find them, as it would for the sake of not sorting.
    of_state = "+c.state" if tx.sqlite and "c.entity IN" in where else "c.state"
    key = "" if bound is None else f" AND (c.{column}, c.id) {'<' if descending else '>'} (?, ?)"
    yield from tx.all(
        f'SELECT {SELECT} FROM "case" AS c WHERE {of_state} = ?{where}{key} '
        f"ORDER BY c.{column} {order}, c.id {order} LIMIT {limit}",
        [state.value, *params, *(bound or ())],
    )


def _conditions(tx: Tx, filters: Filters) -> tuple[str, list[Any]]:
    parts: list[str] = []
    params: list[Any] = []
    for column, value in (
        ("c.tenant = ?", filters.tenant or None),
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
