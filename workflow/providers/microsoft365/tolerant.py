"""Fields of what a service answers, read tolerantly: what is not there, or is of another type, was not said.

For what people are shown and nothing is concluded from: names, times, details of a log, a refusal's own words.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from workflow.errors import ProviderError
from workflow.providers.microsoft365 import values
from workflow.providers.microsoft365.values import Row

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


def text(row: Mapping[str, Any], *names: str) -> str:
    """Return the first field of these names that says something; numbers as they are written."""
    for name in names:
        with suppress(ProviderError):
            found = values.text(_row(row), name)
            if found:
                return found
    return ""


def flag(row: Mapping[str, Any], name: str) -> bool | None:
    """Return a yes or no; None where it is neither."""
    with suppress(ProviderError):
        return values.flag(_row(row), name)
    return None


def rows(row: Mapping[str, Any], name: str) -> tuple[Row, ...]:
    """Return a list of objects; anything else in the list is passed over."""
    value = row.get(name)
    return tuple(Row("", item) for item in value if isinstance(item, dict)) if isinstance(value, list) else ()


def child(row: Mapping[str, Any], *names: str) -> Row:
    """Return an object inside an object, and so on; an empty one when there is none."""
    with suppress(ProviderError):
        return values.child(_row(row), *names)
    return Row("", {})


def moment(row: Mapping[str, Any], *names: str) -> datetime | None:
    """Return the first of these fields that is a time."""
    for name in names:
        with suppress(ProviderError):
            found = values.moment(_row(row), name)
            if found is not None:
                return found
    return None


def _row(row: Mapping[str, Any]) -> Row:
    return row if isinstance(row, Row) else Row("", row)
