"""Fields of what a service answers, read tolerantly: what is not there, or is of another type, was not said."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

Row = dict[str, Any]

_TICKS = re.compile(r"/Date\((-?\d{1,18})(?:[+-]\d{4})?\)/")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def text(row: Mapping[str, Any], *names: str) -> str:
    """Return the first field of these names that says something; numbers as they are written."""
    for name in names:
        value = row.get(name)
        if isinstance(value, str) and value:
            return value
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return str(value)
    return ""


def flag(row: Mapping[str, Any], name: str) -> bool | None:
    """Return a yes or no, which the gateway also writes as text, or None."""
    value = row.get(name)
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value.strip().casefold()) if isinstance(value, str) else None


def number(row: Mapping[str, Any], name: str) -> int | None:
    """Return a whole number, or None."""
    value = row.get(name)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= len(str(2**63)):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def texts(row: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Return a list of texts; a single text is a list of one."""
    value = row.get(name)
    if isinstance(value, str):
        return (value,) if value else ()
    return tuple(item for item in value if isinstance(item, str) and item) if isinstance(value, list) else ()


def rows(row: Mapping[str, Any], name: str) -> tuple[Row, ...]:
    """Return a list of objects; anything else in the list is passed over."""
    value = row.get(name)
    return tuple(item for item in value if isinstance(item, dict)) if isinstance(value, list) else ()


def child(row: Mapping[str, Any], *names: str) -> Row:
    """Return an object inside an object, and so on; an empty one when there is none."""
    found: Any = row
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def moment(row: Mapping[str, Any], *names: str) -> datetime | None:
    """Return the first time among these fields as aware UTC: ISO 8601 (without a zone: UTC) or ``/Date(ms)/``.

    The year 1 is .NET's *never*.
    """
    for name in names:
        value = row.get(name)
        found = _moment(value.strip()) if isinstance(value, str) else None
        if found is not None:
            return found
    return None


def _moment(written: str) -> datetime | None:
    ticks = _TICKS.fullmatch(written)
    try:
        if ticks:
            found = _EPOCH + timedelta(milliseconds=int(ticks[1]))
        else:
            found = datetime.fromisoformat(written)
            found = found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return found if found.year > 1 else None


def iso(at: datetime) -> str:
    """Return a time as Graph's filters and cmdlets take it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
