"""Times between people and data: local with its zone for people, UTC in data."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo

from workflow.domain.record import FIRST_YEAR, LAST_YEAR, possible_time
from workflow.errors import InputError

_RELATIVE = re.compile(r"(?P<sign>[+-])(?P<number>[0-9]{1,5})(?P<unit>[mhdw])")
_FOR_PEOPLE = re.compile(r"\b([0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}) UTC\b")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def zone_of(name: str) -> tzinfo | None:
    """Return the zone of the settings, or None for the system's.

    Raises:
        InputError: no such zone on this machine.
    """
    if not name:
        return None
    from workflow.domain.zones import zone

    return zone(name)


def parse(text: str, now: datetime, zone: tzinfo | None) -> datetime:
    """Return the time somebody typed, as aware UTC.

    Understands ``now``, ``-2h`` and ``+7d`` (m, h, d, w), dates, and ISO 8601 times; without an offset they are
    local.

    Raises:
        InputError: it is none of these, falls into the hour that a change of clocks skips or repeats, or lies outside
            the years that imported times have.
    """
    moment = _read(text.strip(), now, zone)
    if not possible_time(moment):
        raise InputError(f"{text.strip()[:40]!r} is not a time between the years {FIRST_YEAR} and {LAST_YEAR}.")
    return moment


def _read(written: str, now: datetime, zone: tzinfo | None) -> datetime:
    if written.lower() == "now":
        return now
    relative = _RELATIVE.fullmatch(written)
    if relative is not None:
        distance = int(relative["number"]) * _UNITS[relative["unit"]]
        return now - distance if relative["sign"] == "-" else now + distance
    try:
        moment = datetime.fromisoformat(written)
        return _localised(moment, zone, written) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        message = (
            f"{written[:40]!r} is not a time: expected one such as 2026-05-01T08:12, 2026-05-01T08:12Z, "
            "2026-05-01 08:12+02:00, -2h or now."
        )
        raise InputError(message) from None


def length(text: str) -> timedelta:
    """Return a length of time such as ``30d`` (m, h, d, w).

    Raises:
        InputError: it is none.
    """
    written = _RELATIVE.fullmatch(f"+{text.strip()}")
    if written is None:
        raise InputError(f"{text[:40]!r} is not a length of time: expected one such as 12h, 30d or 4w.")
    return int(written["number"]) * _UNITS[written["unit"]]


def _localised(moment: datetime, zone: tzinfo | None, written: str) -> datetime:
    candidates = {_as_utc(moment.replace(fold=fold), zone) for fold in (0, 1)}
    if len(candidates) > 1:
        message = f"{written!r} falls into a change of clocks: write the offset too, such as {written}+01:00."
        raise InputError(message)
    return candidates.pop()


def _as_utc(moment: datetime, zone: tzinfo | None) -> datetime:
    # The system's zone is asked for by astimezone() of a naive time; a named one is set.
    return (moment if zone is None else moment.replace(tzinfo=zone)).astimezone(UTC)


def utc(moment: datetime) -> str:
    """Return a time as data: UTC to the second, with Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def local(moment: datetime | None, zone: tzinfo | None, *, seconds: bool = False) -> str:
    """Return a time for people: local, with its zone; a dash when there is none."""
    if moment is None:
        return "-"
    there = moment.astimezone(zone)
    name = there.strftime("%Z")
    if not (name.isascii() and name.isalpha()):
        name = there.strftime("%z")
    return there.strftime("%Y-%m-%d %H:%M:%S " if seconds else "%Y-%m-%d %H:%M ") + name


def localised(text: str, zone: tzinfo | None) -> str:
    """Return a sentence of ours with its times, written as ``2026-11-24 08:00 UTC``, in local time."""

    def there(found: re.Match[str]) -> str:
        try:
            return local(datetime.fromisoformat(found[1]).replace(tzinfo=UTC), zone)
        except (ValueError, OverflowError):
            return found[0]

    return _FOR_PEOPLE.sub(there, text)


def duration(seconds: float) -> str:
    """Return a length of time in its two largest units: ``2 h 5 min``."""
    whole = int(abs(seconds))
    if whole >= _DAY:
        days, rest = divmod(whole, _DAY)
        return f"{days} d {rest // _HOUR} h" if rest >= _HOUR else f"{days} d"
    if whole >= _HOUR:
        hours, rest = divmod(whole, _HOUR)
        return f"{hours} h {rest // _MINUTE} min" if rest >= _MINUTE else f"{hours} h"
    return f"{whole // _MINUTE} min" if whole >= _MINUTE else f"{whole} s"
