"""Times that people type and read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from workflow.cli.moments import duration, local, localised, parse, utc, zone_of
from workflow.errors import InputError

NOW = datetime(2026, 6, 11, 12, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("now", NOW),
        ("-2h", NOW - timedelta(hours=2)),
        ("+7d", NOW + timedelta(days=7)),
        ("-30m", NOW - timedelta(minutes=30)),
        ("+1w", NOW + timedelta(weeks=1)),
        ("2026-06-11T10:00", datetime(2026, 6, 11, 8, 0, tzinfo=UTC)),
        ("2026-06-11 10:00:30", datetime(2026, 6, 11, 8, 0, 30, tzinfo=UTC)),
        ("2026-06-11", datetime(2026, 6, 10, 22, 0, tzinfo=UTC)),
        ("2026-06-11T10:00Z", datetime(2026, 6, 11, 10, 0, tzinfo=UTC)),
        ("2026-06-11T10:00+05:30", datetime(2026, 6, 11, 4, 30, tzinfo=UTC)),
    ],
)
def test_typed_times(typed: str, expected: datetime) -> None:
    """A time without a zone is local; the others are as they say."""
    assert expected == parse(typed, NOW, BERLIN)


@pytest.mark.parametrize("typed", ["2026-10-25T02:30", "2026-03-29T02:30"])
def test_the_hour_of_the_change(typed: str) -> None:
    """A local time that exists twice or never is refused instead of guessed."""
    with pytest.raises(InputError, match="change of clocks"):
        parse(typed, NOW, BERLIN)


@pytest.mark.parametrize("typed", ["", "yesterday", "03/04/2026", "-2y", "2026-13-01", "9999-12-31T23:59-10:00"])
def test_not_a_time(typed: str) -> None:
    """Anything else is refused with examples."""
    with pytest.raises(InputError, match="expected one such as"):
        parse(typed, NOW, BERLIN)


@pytest.mark.parametrize("typed", ["0001-01-01T00:00Z", "1999-12-31T23:59Z", "2200-01-01T00:00Z", "-99999w", "+99999w"])
def test_a_time_of_another_age(typed: str) -> None:
    """Typed times have the bounds of imported ones: what is outside cannot be shown in every zone."""
    with pytest.raises(InputError, match="not a time between the years 2000 and 2199"):
        parse(typed, NOW, BERLIN)


def test_the_system_zone() -> None:
    """Without a setting the system's zone is asked."""
    assert zone_of("") is None
    assert datetime(2026, 6, 11, 10, 0).astimezone(UTC) == parse("2026-06-11T10:00", NOW, None)


def test_shown_times() -> None:
    """People see local time with its zone, data is UTC."""
    assert "2026-06-11 14:00 CEST" == local(NOW, BERLIN)
    assert "2026-06-11 17:30:00 +0530" == local(NOW, timezone(timedelta(hours=5, minutes=30)), seconds=True)
    assert "-" == local(None, BERLIN)
    assert "2026-06-11T12:00:00Z" == utc(NOW.astimezone(BERLIN))


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (12, "12 s"),
        (90, "1 min"),
        (3600, "1 h"),
        (7500, "2 h 5 min"),
        (86400, "1 d"),
        (90000, "1 d 1 h"),
    ],
)
def test_durations(seconds: float, expected: str) -> None:
    """A length of time in its two largest units."""
    assert expected == duration(seconds)


def test_a_sentence_in_local_time() -> None:
    """Times of ours are told as people read them; what only looks like one stays."""
    assert "up to 2026-06-11 14:00 CEST (1.0 hours)" == localised("up to 2026-06-11 12:00 UTC (1.0 hours)", BERLIN)
    assert "up to 2026-99-11 12:00 UTC" == localised("up to 2026-99-11 12:00 UTC", BERLIN)
