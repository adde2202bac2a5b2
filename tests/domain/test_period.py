"""The period of an auditor's question."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from workflow.domain.period import Period
from workflow.errors import InputError

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_a_period_as_text_sorts_as_time_does() -> None:
    """Open sides lie before and behind every time; a zone makes no difference."""
    there = NOON.astimezone(timezone(timedelta(hours=2)))

    assert ("2026-11-24T12:00:00.000000Z", "9999-12-31T23:59:59.999999Z") == Period(there).texts()
    assert ("0001-01-01T00:00:00.000000Z", "2026-11-24T12:00:00.000000Z") == Period(end=NOON).texts()


def test_a_period_as_data() -> None:
    """An open side is null."""
    assert {"from": "2026-11-24T12:00:00.000000Z", "to": None} == Period(NOON).to_data()


@pytest.mark.parametrize("length", [timedelta(), timedelta(hours=-1)])
def test_nothing_lies_in_a_period_that_ends_where_it_begins(length: timedelta) -> None:
    """Such a period is a mistake, not an empty answer."""
    with pytest.raises(InputError, match="ends before it begins"):
        Period(NOON, NOON + length)
