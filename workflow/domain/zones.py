"""Time zones by the names that people, settings and files give them."""

from __future__ import annotations

import re
from datetime import UTC, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from workflow.errors import InputError

_OFFSET = re.compile(r"(?P<sign>[+-])(?P<hours>[0-9]{2}):?(?P<minutes>[0-9]{2})")


def zone(name: str) -> tzinfo:
    """Return the time zone of that name: ``UTC``, an offset such as ``+02:00``, or an IANA name.

    Raises:
        InputError: there is no such zone on this machine.
    """
    if name.upper() in {"UTC", "Z", "GMT"}:
        return UTC
    try:
        return offset(name) or ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InputError(
            f"{name[:60]!r} is not a time zone: expected UTC, +02:00, or a name such as Europe/Berlin.",
        ) from None


def offset(written: str) -> tzinfo | None:
    """Return the zone of an offset such as ``+02:00``, or None where it is none."""
    match = _OFFSET.fullmatch(written)
    if match is None:
        return None
    offset = timedelta(hours=int(match["hours"]), minutes=int(match["minutes"]))
    return timezone(-offset if match["sign"] == "-" else offset)
