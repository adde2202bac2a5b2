"""Times as PowerShell, Graph and the audit log write them, each as one aware UTC value."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

from workflow.domain.record import possible_time
from workflow.domain.zones import offset
from workflow.errors import InputError

if TYPE_CHECKING:
    from workflow.sources.options import DateOrder, ReadOptions

_TIME = (
    r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,9}))?)?"
    r"(?:\s*(?P<half>[AaPp])\.?\s*[Mm]\.?)?"
    r"\s*(?P<zone>Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2})?"
)
_ISO = re.compile(rf"(?P<year>[0-9]{{4}})-(?P<month>[0-9]{{2}})-(?P<day>[0-9]{{2}})[T\s]\s*{_TIME}")
_NUMERIC = re.compile(
    rf"(?P<a>[0-9]{{1,4}})\s?(?P<mark>[/.-])\s?(?P<b>[0-9]{{1,2}})\s?(?P=mark)\s?(?P<c>[0-9]{{1,4}})\.?,?\s+{_TIME}",
)
_TICKS = re.compile(r"/Date\((?P<ms>-?[0-9]{1,18})(?:[+-][0-9]{4})?\)/")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNSET_MS = -62_135_596_800_000
_UNSET_YEAR = 1
_LONGEST = 64
_MONTHS = 12
_NOON = 12
_FULL_YEAR = 4


def moment(value: object, options: ReadOptions) -> datetime | None:
    """Return the time in a field, or None when the field is empty or holds .NET's "never" (year 1).

    Understands ``/Date(ms)/`` of PowerShell 5.1 (milliseconds since 1970 in UTC; an offset behind them only
    says where the writer was), ISO 8601 with any fraction, and numeric local dates. A time without a zone is
    taken in ``options.timezone``.

    Raises:
        InputError: it is not a time between the years 2000 and 2199, or a numeric date that can be read in two ways
            and that ``options.date_order`` does not settle.
    """
    if isinstance(value, dict):  # PowerShell 5.1 writes a decorated date as an object around the value.
        value = next((inner for name, inner in value.items() if str(name).casefold() == "value"), "?")
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise InputError("A time is expected as text, and this is none.")
    if len(value) > _LONGEST:
        raise InputError(f"{value[:60]!r}… is too long for a time.")
    written = value.strip()
    if not written:
        return None
    try:
        return _read(written, options)
    except (ValueError, OverflowError):
        raise InputError(
            f"{written!r} is not a time that can be read: expected one such as 2026-05-01T08:12:33Z.",
        ) from None


def _read(written: str, options: ReadOptions) -> datetime | None:
    ticks = _TICKS.fullmatch(written)
    if ticks:
        milliseconds = int(ticks["ms"])
        return None if milliseconds == _UNSET_MS else _sane(_EPOCH + timedelta(milliseconds=milliseconds))
    match = _ISO.fullmatch(written)
    if match:
        return _assembled(match, int(match["year"]), int(match["month"]), int(match["day"]), options)
    match = _NUMERIC.fullmatch(written)
    if not match:
        raise ValueError(written)
    order = _order(match, options.date_order)
    parts = dict(zip(order, (match["a"], match["b"], match["c"]), strict=True))
    year = int(parts["y"]) + (0 if len(parts["y"]) == _FULL_YEAR else 2000)
    return _assembled(match, year, int(parts["m"]), int(parts["d"]), options)


def _order(match: re.Match[str], told: DateOrder | None) -> DateOrder:
    first, second = int(match["a"]), int(match["b"])
    if len(match["a"]) == _FULL_YEAR:
        return "ymd"
    if told:
        return told
    if len(match["c"]) == _FULL_YEAR:
        if first > _MONTHS or match["mark"] == ".":  # Where dates have dots, the day comes first.
            return "dmy"
        if second > _MONTHS or first == second:
            return "mdy"
    raise InputError(
        f"The date {match.group()!r} can be read in more than one way: say --date-order dmy (day first) or "
        "--date-order mdy (month first). If its time is not UTC, say --timezone as well.",
    )


def _assembled(match: re.Match[str], year: int, month: int, day: int, options: ReadOptions) -> datetime | None:
    if year == _UNSET_YEAR:
        return None
    hour = int(match["hour"])
    if match["half"]:
        if not 1 <= hour <= _NOON:
            raise ValueError(hour)
        hour = hour % _NOON + (_NOON if match["half"] in "Pp" else 0)
    microsecond = int((match["fraction"] or "").ljust(6, "0")[:6])
    written = match["zone"] or ""
    where: tzinfo = options.timezone
    if written:
        where = offset(written) or UTC
    naive = datetime(year, month, day, hour, int(match["minute"]), int(match["second"] or 0), microsecond)  # noqa: DTZ001 - the zone follows.
    return _sane(naive.replace(tzinfo=where).astimezone(UTC))


def _sane(at: datetime) -> datetime:
    # Other calendars write years such as 1447 or 2569, which must not pass for Gregorian ones.
    if not possible_time(at):
        raise ValueError(at)
    return at
