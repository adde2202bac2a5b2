"""Figures over many cases: what is counted, between which times, told apart how, on both databases."""

from __future__ import annotations

from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.services.desk import ADA, BOB, CONNECTOR, DAY, EVE, HOUR, LISTED, MINUTE, START, Desk, plain
from workflow.domain import actions as act
from workflow.domain.period import Period
from workflow.domain.vocabulary import Kind, Phase, Result
from workflow.services.figures import COLUMNS, By, Group, Spread, figures, rows, spread


def only(desk: Desk, period: Period | None = None) -> Group:
    """Return the figures of everything in a period as one group."""
    (group,) = figures(desk.app, period or Period())
    return group


@pytest.mark.parametrize(
    ("lengths", "expected"),
    [
        ([], Spread(0, None, None, None)),
        ([3.0], Spread(1, 3.0, 3.0, 3.0)),
        ([4.0, 2.0], Spread(2, 3.0, 4.0, 4.0)),
        ([float(item) for item in range(10, 0, -1)], Spread(10, 5.5, 9.0, 10.0)),
        ([float(item) for item in range(1, 12)], Spread(11, 6.0, 10.0, 11.0)),
    ],
)
def test_a_spread(lengths: list[float], expected: Spread) -> None:
    """The middle, what nine of ten do not exceed, and the longest; nothing of nothing."""
    assert expected == spread(lengths)


def test_no_case(desk: Desk) -> None:
    """Of nothing there are no figures, and nobody is told of progress."""
    assert [] == figures(desk.app, Period(), progress=lambda _done, _total: pytest.fail("nothing was looked at"))


def test_the_times_of_a_release(desk: Desk) -> None:
    """Each measure lies between the two times it names."""
    case_id = desk.restrict()
    began = desk.clock.now
    desk.clock.move(HOUR)
    desk.do(case_id, *desk.every(case_id, Phase.CONTAIN))
    desk.clock.move(HOUR)
    desk.do(case_id, *desk.every(case_id, Phase.VERIFY, Phase.REQUEST))
    desk.do(case_id, act.RequestUnblock())
    desk.clock.move(2 * HOUR)
    desk.do(case_id, act.ApproveUnblock(), who=BOB)
    desk.clock.move(3 * HOUR)
    desk.do(case_id, act.IntendUnblock())
    desk.do(case_id, desk.gone())
    released = (desk.clock.now - began).total_seconds()
    group = only(desk)

    names = ("contain", "verify", "request_to_approve", "approve_to_unblock", "release")
    assert set(names) == set(group.measures)
    assert [61 * 60, 122 * 60, 121 * 60, 181 * 60, released] == [group.measures[name].median_seconds for name in names]
    assert [1, 1, 0, 0] == [group.cases, group.occurrences, group.recurrences, group.unresolved]
    assert {"released": 1} == group.resolutions
    waited = {wait.prerequisite: wait.waited.median_seconds for wait in group.waiting if not wait.open}
    assert [61 * 60, 122 * 60] == [waited[name] for name in ("password-reset", "inbox-rules-reviewed")]


def test_what_is_waited_for(desk: Desk) -> None:
    """A bad answer ends no waiting; what an open case lacks is counted, what an ended one lacked is not."""
    case_id = desk.restrict()
    desk.met(case_id, "snapshot-taken")
    desk.do(case_id, desk.evidence("forwarding-reviewed", result=Result.UNABLE_TO_VERIFY))
    desk.restrict(EVE)
    desk.released("zoe@contoso.example")
    waits = {wait.prerequisite: wait for wait in only(desk).waiting}

    assert (2, 1) == (waits["snapshot-taken"].waited.count, waits["snapshot-taken"].open)
    assert (1, 2) == (waits["forwarding-reviewed"].waited.count, waits["forwarding-reviewed"].open)


def test_what_came_back(desk: Desk) -> None:
    """An occurrence that came back counts with its own times and its own ending, in its own period."""
    case_id = desk.released()
    desk.clock.move(DAY)
    desk.do(case_id, act.ObserveRestriction(status=LISTED, observed_at=desk.clock.now))
    whole = only(desk)
    later = only(desk, Period(START + DAY))

    assert (1, 2, 1, {"released": 1}, 1) == (
        whole.cases,
        whole.occurrences,
        whole.recurrences,
        whole.resolutions,
        whole.unresolved,
    )
    assert (1, 1, {}, 1) == (later.occurrences, later.recurrences, later.resolutions, later.unresolved)
    assert 0 == later.measures["release"].count
    assert (1, 0) == tuple(
        next(wait.open for wait in group.waiting if wait.prerequisite == "snapshot-taken")
        for group in (whole, only(desk, Period(end=START + DAY)))
    )


def test_a_period_is_that_of_the_beginning(desk: Desk) -> None:
    """What began in the period counts, with everything that came of it later; its end is not in it."""
    case_id = desk.restrict()
    began = desk.case(case_id).opened_at
    assert began is not None
    desk.clock.move(DAY)
    desk.fulfil(case_id)

    assert 1 == only(desk, Period(began, began + MINUTE)).measures["verify"].count
    assert [] == figures(desk.app, Period(began - DAY, began))
    assert [] == figures(desk.app, Period(began + MINUTE))


def test_groups(desk: Desk) -> None:
    """By kind, by playbook with its version, and by the month of the beginning where people are."""
    desk.restrict(ADA)
    desk.restrict(CONNECTOR, kind=Kind.CONNECTOR)
    desk.clock.now = START.replace(month=12, day=31, hour=23, minute=30)
    desk.restrict(EVE)

    assert [("connector", 1), ("mailbox", 2)] == [
        (group.name, group.cases) for group in figures(desk.app, Period(), By.KIND)
    ]
    assert ["blocked-connector", "compromised-mailbox"] == [
        group.name.split()[0] for group in figures(desk.app, Period(), By.PLAYBOOK)
    ]
    assert [["2026-11", "2026-12"], ["2026-11", "2027-01"]] == [
        [group.name for group in figures(desk.app, Period(), By.MONTH, zone)]
        for zone in (UTC, ZoneInfo("Europe/Berlin"))
    ]


def test_many_cases_are_read_in_parts(sqlite_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where one part ends the next goes on, and every case is told of once."""
    monkeypatch.setattr("workflow.storage.courses._AT_ONCE", 2)
    for number in range(4):
        sqlite_desk.restrict(f"user{number}@contoso.example")
    told: list[tuple[int, int]] = []
    (group,) = figures(sqlite_desk.app, Period(), progress=lambda done, total: told.append((done, total)))

    assert (4, [(1, 0), (2, 0), (3, 0), (4, 0)]) == (group.cases, told)


def test_figures_as_data(desk: Desk) -> None:
    """Figures are plain JSON, and one flat table with the same columns in every row."""
    desk.released()
    desk.restrict(EVE)
    groups = figures(desk.app, Period(), By.KIND)
    table = list(rows(groups))

    assert [plain(group.to_data()) for group in groups] == [group.to_data() for group in groups]
    assert {COLUMNS} == {tuple(row) for row in table}
    assert {"count", "resolution", "time", "waited", "open"} == {row["figure"] for row in table}
    assert [("none yet", 1), ("released", 1)] == sorted(
        (row["name"], row["count"]) for row in table if row["figure"] == "resolution"
    )
    assert [timedelta(minutes=1).total_seconds()] == [
        row["median_seconds"] for row in table if row["name"] == "request_to_approve"
    ]
