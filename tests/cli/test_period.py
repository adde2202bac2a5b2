"""The options ``--from`` and ``--to``: one half-open period, in which a last date counts as a whole day."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from workflow.cli.period import period_of, period_words
from workflow.cli.session import Session
from workflow.errors import InputError

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Session:
    """A session whose people read times in Berlin."""
    monkeypatch.setenv("HOLDFAST_TIMEZONE", "Europe/Berlin")
    return Session(clock=lambda: datetime(2026, 11, 24, 12, tzinfo=UTC))


def test_a_quarter(session: Session) -> None:
    """From the first to the last day of a quarter is the whole quarter, local days with their change of clocks."""
    found = period_of(session, "2026-07-01", "2026-10-31")

    assert datetime(2026, 7, 1, tzinfo=BERLIN) == found.start
    assert datetime(2026, 11, 1, tzinfo=BERLIN) == found.end
    assert "from 2026-07-01 00:00 CEST until before 2026-11-01 00:00 CET" == period_words(session, found)


def test_the_end_is_echoed_as_it_was_typed(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody typed the day behind it."""
    period_of(session, "-1h", "2026-12-31")

    first, last = capsys.readouterr().err.splitlines()
    assert "-1h is 2026-11-24 12:00 CET (2026-11-24 11:00 UTC)" == first
    assert "2026-12-31, that day included, ends at 2027-01-01 00:00 CET (2026-12-31 23:00 UTC)" == last


def test_where_people_read_utc_it_is_echoed_once(
    session: Session, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same time twice would say nothing."""
    monkeypatch.setenv("HOLDFAST_TIMEZONE", "UTC")
    session.time("2026-11-24T10:00")

    assert "2026-11-24T10:00 is 2026-11-24 10:00 UTC\n" == capsys.readouterr().err


def test_a_time_as_the_end_is_excluded(session: Session) -> None:
    """Only a date grows to a whole day."""
    assert datetime(2026, 10, 31, 8, tzinfo=UTC) == period_of(session, None, "2026-10-31T08:00Z").end


def test_an_open_period(session: Session) -> None:
    """Without either option everything counts."""
    assert "from the beginning until now" == period_words(session, period_of(session, None, None))


@pytest.mark.parametrize("ends", ["2026-02-30", "9999-12-31", "soon", "2026-01-01"])
def test_what_is_no_end(session: Session, ends: str) -> None:
    """No day of the calendar, none behind the last, no time at all, and one before the beginning."""
    with pytest.raises(InputError):
        period_of(session, "2026-07-01", ends)


def test_a_day_that_has_none_behind_it(session: Session) -> None:
    """The message says up to which day one may ask."""
    with pytest.raises(InputError, match="from 0001-01-01 to 9999-12-30"):
        period_of(session, None, "9999-12-31")
