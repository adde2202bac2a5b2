"""Case rows: a picture of each case as one row, and back."""

import json
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from operator import itemgetter
from typing import Any, Final

from workflow.domain.picture import Picture
from workflow.domain.record import optional_time_to_text, time_from_text, time_to_text
from workflow.storage.openings import marks
from workflow.storage.transaction import Tx

NEVER: Final = "9999-12-31T23:59:59.999999Z"
"""The due time of a case in which nothing is due: it sorts behind every real one, as NULL would not."""

OPEN: Final = "state NOT IN ('closed', 'dismissed')"
"""Which cases are open; only one of them may be about the same entity."""

_FIXED: Final = ("id", "number", "tenant", "kind", "entity", "opened_at")
_MOVED: Final = (
    *("state", "recurrence", "version", "playbook", "missing", "assignee", "updated_at", "due_at", "due"),
    *("resolution", "restriction", "restricted_at", "requested_at", "intended_at", "released_at", "ended_at"),
    *("linked", "labels", "break_glass", "wake_at", "wake"),
)
COLUMNS: Final = (*_FIXED, *_MOVED)
SELECT: Final = ", ".join(f"c.{column}" for column in COLUMNS)
INSERT: Final = f'INSERT INTO "case" ({", ".join(COLUMNS)}) VALUES ({", ".join("?" * len(COLUMNS))})'
_INDEXED: Final = ("state", "due_at", "wake_at")
"""Columns behind six of the table's indexes that most steps leave as they are."""
_UNKNOWN: Final = (...,) * len(_INDEXED)
"""What stands in them where nobody looked: nothing that a row could hold."""


def _taking(*columns: str) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    return itemgetter(*map(COLUMNS.index, columns))


_INDEXED_OF: Final = _taking(*_INDEXED)
_encode: Final = json.JSONEncoder(separators=(",", ":")).encode


def values(picture: Picture) -> tuple[Any, ...]:
    """Return the picture as a row, in the order of :data:`COLUMNS`."""
    return (
        picture.id,
        picture.number,
        picture.tenant,
        picture.kind,
        picture.entity,
        time_to_text(picture.opened_at),
        picture.state,
        picture.recurrence,
        picture.version,
        picture.playbook,
        _list(picture.missing),
        picture.assignee,
        time_to_text(picture.updated_at),
        optional_time_to_text(picture.due_at) or NEVER,
        picture.due,
        picture.resolution,
        picture.restriction,
        optional_time_to_text(picture.restricted_at),
        optional_time_to_text(picture.requested_at),
        optional_time_to_text(picture.intended_at),
        optional_time_to_text(picture.released_at),
        optional_time_to_text(picture.ended_at),
        _list(picture.linked),
        _list(picture.labels),
        picture.break_glass,
        optional_time_to_text(picture.wake_at),
        picture.wake,
    )


def insert(tx: Tx, pictures: Sequence[Picture]) -> None:
    """Write the rows of new cases."""
    tx.write_all(INSERT, [values(picture) for picture in pictures])


def update(tx: Tx, pictures: Sequence[Picture]) -> None:
    """Write the pictures over their cases' rows; of several of one case the last counts."""
    rows = {row[0]: row for row in map(values, pictures)}
    stored: dict[str, tuple[Any, ...]] = {}
    if tx.sqlite:
        # SQLite writes anew every index that a named column stands in, whether its value changes or not.
        standing = f'SELECT id, {", ".join(_INDEXED)} FROM "case" WHERE id IN ({marks(tuple(rows))})'
        stored = {row[0]: row[1:] for row in tx.all(standing, tuple(rows))}
    alike: dict[tuple[str, ...], list[tuple[Any, ...]]] = {}
    for case_id, row in rows.items():
        known = zip(_INDEXED, _INDEXED_OF(row), stored.get(case_id, _UNKNOWN), strict=True)
        alike.setdefault(tuple([column for column, new, old in known if new != old]), []).append(row)
    for indexed, group in alike.items():
        statement, of = _updating(indexed)
        tx.write_all(statement, [of(row) for row in group])


@cache
def _updating(indexed: tuple[str, ...]) -> tuple[str, Callable[[tuple[Any, ...]], tuple[Any, ...]]]:
    """Return the statement that moves a row, these of the indexed columns too, and what takes its values from a row."""
    columns = [column for column in _MOVED if column in indexed or column not in _INDEXED]
    changes = ", ".join(f"{column} = ?" for column in columns)
    return f'UPDATE "case" SET {changes} WHERE id = ?', _taking(*columns, "id")


def from_row(row: tuple[Any, ...]) -> Picture:
    """Return the picture of a row whose columns stand in the order of :data:`COLUMNS`."""
    found = dict(zip(COLUMNS, row, strict=True))
    found["missing"] = tuple(json.loads(found["missing"]))
    found["linked"] = tuple(json.loads(found["linked"]))
    found["labels"] = tuple(json.loads(found["labels"]))
    found["due_at"] = None if found["due_at"] == NEVER else found["due_at"]
    for column in COLUMNS:
        if column.endswith("_at") and found[column] is not None:
            found[column] = time_from_text(found[column])
    return Picture(**found)


def differences(tx: Tx, picture: Picture) -> tuple[str, ...] | None:
    """Return the columns in which a stored row is not, to the letter, that of its picture; None where there is none."""
    row = tx.one(f'SELECT {SELECT} FROM "case" AS c WHERE c.id = ?', (picture.id,))
    if row is None:
        return None
    return tuple(name for name, is_, should in zip(COLUMNS, row, values(picture), strict=True) if is_ != should)


@lru_cache(maxsize=1024)
def _list(items: tuple[str, ...]) -> str:
    return _encode(items) if items else "[]"
