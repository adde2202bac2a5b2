"""Times in every spelling that PowerShell, Graph and the audit log use."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.errors import InputError, SourceError
from workflow.sources import ReadOptions, zone
from workflow.sources.moment import moment

AT = datetime(2026, 6, 25, 14, 3, 27, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        "/Date(1782396207000)/",
        "/Date(1782396207000+0200)/",
        "2026-06-25T14:03:27Z",
        "2026-06-25T14:03:27",
        "2026-06-25 14:03:27",
        "2026-06-25T14:03:27.0000009Z",
        "2026-06-25T16:03:27+02:00",
        "2026-06-25T09:33:27-0430",
        " 06/25/2026 14:03:27 ",
        "25/06/2026 14:03:27",
        "25-06-2026 14:03:27",
        "25.06.2026 14:03:27",
        "25. 6. 2026 14:03:27",
        "2026/6/25 14:03:27",
        "6/25/2026 2:03:27 PM",
        "25/06/2026 2:03:27 p. m.",
        "6/25/2026 2:03:27\u202fPM",
        "6/25/2026 2:03:27 PM +00:00",
        {"value": "/Date(1782396207000)/", "DisplayHint": 2, "DateTime": "Thursday"},
    ],
)
def test_one_moment_in_many_spellings(written: object) -> None:
    """Every spelling is the same moment in UTC."""
    assert AT == moment(written, ReadOptions())


@pytest.mark.parametrize(
    "written", [None, "", "  ", "0001-01-01T00:00:00", "/Date(-62135596800000)/", "01/01/0001 00:00:00"]
)
def test_no_time(written: object) -> None:
    """An empty field, and .NET's first moment that stands for never, are no time."""
    assert moment(written, ReadOptions()) is None


@pytest.mark.parametrize(
    "written",
    [
        "soon",
        "2026-13-01T00:00:00Z",
        "2026-06-31T00:00:00Z",
        "2026-06-25T25:00:00Z",
        "2026-06-25T14:03:27+99:00",
        "2026-06-25T14:03:60Z",
        "1447-06-25T14:03:27Z",
        "2569-06-25T14:03:27Z",
        "/Date(999999999999999999)/",
        "/Date(1)/",
        "25/06/2026 14:03 PM",
        "25/06/2026 0:03 AM",
        "32/13/2026 10:00",
        "\u0662\u0665/06/2026 14:03",
        {"other": 1},
        17823962,
        True,
        ["2026-06-25T14:03:27Z"],
        "2" * 70,
    ],
)
def test_no_guesses(written: object) -> None:
    """What is no sane time is refused, not guessed."""
    with pytest.raises(InputError) as refused:
        moment(written, ReadOptions())
    assert not isinstance(refused.value, SourceError)


@pytest.mark.parametrize("written", ["03/04/2026 08:00", "3-4-2026 8:00", "03/04/26 08:00", "25/06/26 08:00"])
def test_ambiguous_dates(written: str) -> None:
    """A date that can be read in two ways is refused with the options that settle it."""
    with pytest.raises(InputError, match="--date-order"):
        moment(written, ReadOptions())


def test_date_order() -> None:
    """The order told is followed, and refused where the date cannot have it."""
    assert datetime(2026, 4, 3, 8, tzinfo=UTC) == moment("03/04/26 08:00", ReadOptions(date_order="dmy"))
    assert datetime(2003, 4, 26, 8, tzinfo=UTC) == moment("03/04/26 08:00", ReadOptions(date_order="ymd"))
    with pytest.raises(InputError):
        moment("25/06/2026 08:00", ReadOptions(date_order="mdy"))


def test_midnight_and_noon() -> None:
    """Twelve is the first hour of each half of the day."""
    assert datetime(2026, 6, 25, 0, 5, tzinfo=UTC) == moment("6/25/2026 12:05 AM", ReadOptions())
    assert datetime(2026, 6, 25, 12, 5, tzinfo=UTC) == moment("6/25/2026 12:05 PM", ReadOptions())


def test_the_zone_holds_for_times_without_one() -> None:
    """The zone is that of the date itself, summer or winter, and never overrides a written one."""
    berlin = ReadOptions(timezone=zone("Europe/Berlin"))

    assert datetime(2026, 6, 25, 12, tzinfo=UTC) == moment("2026-06-25T14:00:00", berlin)
    assert datetime(2026, 1, 25, 13, tzinfo=UTC) == moment("2026-01-25T14:00:00", berlin)
    assert datetime(2026, 1, 25, 14, tzinfo=UTC) == moment("2026-01-25T14:00:00Z", berlin)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("utc", UTC),
        ("Z", UTC),
        ("+02:00", timezone(timedelta(hours=2))),
        ("-0430", timezone(-timedelta(hours=4, minutes=30))),
    ],
)
def test_zone_names(name: str, expected: tzinfo) -> None:
    """UTC and offsets need no time zone database."""
    assert expected == zone(name)


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../../etc/passwd", "/etc/passwd", "+99:00", "Europe", "a\x00"])
def test_no_such_zone(name: str) -> None:
    """Anything else is refused with examples."""
    with pytest.raises(InputError, match="Europe/Berlin"):
        zone(name)


@given(st.datetimes(datetime(2000, 1, 2), datetime(2199, 12, 30)))  # noqa: DTZ001 - made aware below.
def test_what_dotnet_writes_comes_back(at: datetime) -> None:
    """Every moment survives the round trip through ISO 8601 and through ticks."""
    aware = at.replace(tzinfo=UTC)
    ticks = int(aware.timestamp()) * 1000

    assert aware == moment(aware.isoformat(), ReadOptions())
    assert aware.replace(microsecond=0) == moment(f"/Date({ticks})/", ReadOptions())
