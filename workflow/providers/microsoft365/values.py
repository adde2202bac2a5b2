"""Fields of what a service answers, read strictly, because conclusions rest on them.

What is null or not there was not said. What is of another type than is documented is an error and never *nothing*: a
list that could not be read must not pass for an empty one. Where nothing is concluded from a value,
:mod:`workflow.providers.microsoft365.tolerant` reads it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from workflow.errors import ProviderError

if TYPE_CHECKING:
    from collections.abc import Mapping

_TICKS = re.compile(r"/Date\((-?\d{1,18})(?:[+-]\d{4})?\)/")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FLAGS = {"true": True, "false": False}


class Row(dict[str, Any]):
    """An object of an answer, which knows the call that gave it and, for errors, its place in the answer."""

    __slots__ = ("call", "place")

    def __init__(self, call: str, found: Mapping[str, Any], place: str = "") -> None:
        """Keep both beside the members."""
        super().__init__(found)
        self.call = call
        self.place = place

    def within(self, found: Mapping[str, Any], name: str) -> Row:
        """Return an object that stands in a member of this one."""
        return Row(self.call, found, f"{self.place}{name}.")

    def strange(self, name: str) -> ProviderError:
        """Return the error for a member of another type than is documented."""
        return ProviderError(
            f"{self.call}: {self.place}{name} is not of the type that is documented for it "
            f"({type(self.get(name)).__name__}), so that nothing can be concluded from the answer."
        )

    def lacking(self, name: str) -> ProviderError:
        """Return the error for a member that the service always sends."""
        return ProviderError(f"{self.call}: the answer leaves out {self.place}{name}, which is always part of it.")


def present(row: Row, *names: str) -> None:
    """Make sure of members that the service always sends, if only as null.

    Raises:
        ProviderError: one is left out.
    """
    for name in names:
        if name not in row:
            raise row.lacking(name)


def text(row: Row, *names: str) -> str:
    """Return the first field of these names that says something; numbers as they are written."""
    for name in names:
        value = row.get(name)
        if isinstance(value, bool) or not isinstance(value, (str, int, float, type(None))):
            raise row.strange(name)
        if value is not None and value != "":
            return str(value)
    return ""


def told(row: Row, name: str) -> str:
    """Return a text that the service always sends.

    Raises:
        ProviderError: it is left out, or empty.
    """
    found = text(row, name)
    if not found:
        raise row.lacking(name)
    return found


def flag(row: Row, name: str) -> bool | None:
    """Return a yes or no, which the gateway also writes as text, or None."""
    value = row.get(name)
    if isinstance(value, str):
        value = _FLAGS.get(value.strip().casefold(), value)
    if not isinstance(value, (bool, type(None))):
        raise row.strange(name)
    return value


def number(row: Row, name: str) -> int | None:
    """Return a whole number, or None."""
    value = row.get(name)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= len(str(2**63)):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, (int, type(None))):
        raise row.strange(name)
    return value


def texts(row: Row, name: str) -> tuple[str, ...]:
    """Return a list of texts; a single text is a list of one."""
    value = row.get(name)
    found = [value] if isinstance(value, str) else [] if value is None else value
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        raise row.strange(name)
    return tuple(item for item in found if item)


def rows(row: Row, name: str) -> tuple[Row, ...]:
    """Return a list of objects."""
    found = row.get(name)
    found = [] if found is None else found
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise row.strange(name)
    return tuple(row.within(item, name) for item in found)


def child(row: Row, *names: str) -> Row:
    """Return an object inside an object, and so on; an empty one when there is none."""
    for name in names:
        found = row.get(name)
        if not isinstance(found, (dict, type(None))):
            raise row.strange(name)
        row = row.within(found or {}, name)
    return row


def moment(row: Row, *names: str) -> datetime | None:
    """Return the first time among these fields as aware UTC: ISO 8601 (without a zone: UTC) or ``/Date(ms)/``.

    The year 1 is .NET's *never*.
    """
    for name in names:
        value = row.get(name)
        if not isinstance(value, (str, type(None))):
            raise row.strange(name)
        if value:
            try:
                found = _moment(value.strip())
            except (ValueError, OverflowError):
                raise row.strange(name) from None
            if found.year > 1:
                return found
    return None


def _moment(written: str) -> datetime:
    ticks = _TICKS.fullmatch(written)
    if ticks:
        return _EPOCH + timedelta(milliseconds=int(ticks[1]))
    found = datetime.fromisoformat(written)
    # .NET's *never* in a zone east of Greenwich lies before Python's first instant.
    if found.year == 1 or found.tzinfo is None:
        return found.replace(tzinfo=UTC)
    return found.astimezone(UTC)


def iso(at: datetime) -> str:
    """Return a time as Graph's filters and cmdlets take it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
