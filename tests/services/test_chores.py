"""The chores of a worker: each at its own interval, none kept from by another."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.services.desk import ADA, DAY, HOUR, MINUTE, Desk
from workflow.domain.vocabulary import Kind
from workflow.errors import ProviderRefusedError, SettingsError
from workflow.providers.shapes import Restricted
from workflow.services import alert_delivery, automation
from workflow.services.chores import Chores, chores

ALL = {"log", "poll", "clock", "digest", "alerts"}


def did(desk: Desk, memory: Chores, after: timedelta = timedelta(0)) -> dict[str, tuple[str, str]]:
    """Do what is due a while later; returns what came of each chore."""
    desk.clock.move(after)
    return {item.name: (item.outcome, item.said) for item in chores(desk.app, desk.clock.now, memory)}


def test_each_chore_has_its_interval(open_desk: Callable[..., Desk]) -> None:
    """The lists every five minutes, the outbox every few seconds, the digest's day now and then."""
    desk, memory = open_desk(connected=True), Chores()
    desk.tenant.listed[ADA] = Restricted(identifier=ADA)
    desk.tenant.kinds = {Kind.MAILBOX}
    assert {
        "log": ("done", ""),
        "poll": ("done", "opened 1"),
        "clock": ("done", ""),
        "digest": ("done", "raised 1"),
        "alerts": ("done", "raised 1"),
    } == did(desk, memory)
    assert {} == did(desk, memory, timedelta(seconds=14))
    assert {"alerts": ("done", "")} == did(desk, memory, timedelta(seconds=1))
    assert {"poll": ("done", "known 1"), "alerts": ("done", "")} == did(desk, memory, 5 * MINUTE)
    assert {"poll", "digest", "alerts"} == did(desk, memory, 15 * MINUTE).keys()
    memory.forget("alerts")
    memory.forget("alerts")
    assert ["alerts"] == list(did(desk, memory))


def test_a_clock_that_was_put_back_keeps_nothing_from_being_done(open_desk: Callable[..., Desk]) -> None:
    """What seems to have been done in the future is done again."""
    desk, memory = open_desk(connected=True), Chores()
    did(desk, memory)
    assert ALL == did(desk, memory, -timedelta(hours=5)).keys()


def test_without_a_tenant_nothing_is_polled(desk: Desk) -> None:
    """Alerts are sent all the same."""
    assert {"clock", "digest", "alerts"} == did(desk, Chores()).keys()


@pytest.mark.parametrize("error", [ProviderRefusedError, SettingsError, KeyError])
def test_a_tenant_that_cannot_be_read_is_told_once_a_day(
    open_desk: Callable[..., Desk], error: type[Exception]
) -> None:
    """The poll fails, at the tenant or at a key file; the other chores are done, and somebody hears of it."""
    desk, memory = open_desk(connected=True), Chores()
    desk.tenant.faults["restricted"] = error("no\x1b[2J way")
    found = did(desk, memory)
    assert "failed" == found["poll"][0]
    assert "\x1b" not in found["poll"][1]
    assert "done" == found["alerts"][0]
    did(desk, memory, 5 * MINUTE)
    assert 1 == len(alert_delivery.log(desk.app, policy="tenant"))


def test_what_a_chore_came_to_is_plain_data(desk: Desk) -> None:
    """For logs that programs read."""
    (first, *_) = chores(desk.app, desk.clock.now, Chores())
    assert {"chore": "clock", "outcome": "done", "message": ""} == first.to_data()


def test_what_nobody_foresaw_in_one_chore_keeps_none_of_the_others(open_desk: Callable[..., Desk]) -> None:
    """A worker outlives an answer that trips it up, and does not say what stood in it."""
    desk, memory = open_desk(connected=True), Chores()
    desk.tenant.faults["restricted"] = KeyError(ADA)
    found = did(desk, memory)
    assert ("failed", "KeyError, which nobody foresaw") == found["poll"]
    assert ALL == found.keys()


def test_a_log_that_could_not_be_read_is_read_from_where_it_was_left(open_desk: Callable[..., Desk]) -> None:
    """However long that took, nobody unblocks behind our back in between."""
    desk, memory = open_desk(connected=True), Chores()
    desk.tenant.kinds = {Kind.MAILBOX}
    desk.tenant.listed[ADA] = Restricted(identifier=ADA)
    did(desk, memory)
    desk.tenant.faults["audit_log"] = ProviderRefusedError("no")
    desk.tenant.faults["restricted"] = ProviderRefusedError("no")
    desk.clock.move(2 * MINUTE)
    desk.tenant.removed(ADA, "mallory@contoso.example")
    for _ in range(4):
        assert "failed" == did(desk, memory, timedelta(days=2))["log"][0]
    desk.tenant.faults.clear()
    assert ("done", "recorded 1") == did(desk, memory, timedelta(hours=1))["log"]


def test_a_search_that_takes_long_is_taken_up_by_the_next_look(open_desk: Callable[..., Desk]) -> None:
    """What came since is searched for then: where every search takes long, all is read all the same."""
    desk, memory = open_desk(connected=True), Chores()
    desk.tenant.kinds, desk.tenant.slow = {Kind.MAILBOX}, True
    desk.tenant.listed[ADA] = Restricted(identifier=ADA)
    outcome, said = did(desk, memory)["log"]
    assert ("failed", True) == (outcome, "takes long" in said)
    desk.clock.move(2 * MINUTE)
    desk.tenant.removed(ADA, "mallory@contoso.example")
    assert [("done", ""), ("done", "recorded 1"), ("done", "known 1")] == [
        did(desk, memory, HOUR)["log"] for _ in range(3)
    ]
    asked = desk.tenant.searched
    assert [0, 0, 1, 1, 2, 2, 3] == [sorted(set(asked), key=asked.index).index(stretch) for stretch in asked]
    desk.tenant.slow = False
    assert ("done", "known 2") == did(desk, memory, HOUR)["log"]
    assert memory.searched is None


def test_the_log_keeps_its_rhythm_across_processes(open_desk: Callable[..., Desk]) -> None:
    """It takes minutes, so that every pass of cron does not begin it anew; the lists are read by each."""
    desk = open_desk(connected=True)
    assert did(desk, Chores()).keys() == ALL
    assert "log" not in (found := did(desk, Chores(), 59 * MINUTE))
    assert "poll" in found
    desk.tenant.faults["audit_log"] = ProviderRefusedError("no")
    assert "failed" == did(desk, Chores(), MINUTE)["log"][0]
    assert "failed" == did(desk, Chores(), MINUTE)["log"][0]
    desk.tenant.faults.clear()
    assert "done" == did(desk, Chores(), MINUTE)["log"][0]
    assert "log" not in did(desk, Chores(), MINUTE)


def test_a_worker_that_was_away_for_long_reads_the_log_from_where_the_last_one_left_it(
    open_desk: Callable[..., Desk],
) -> None:
    """What was unblocked behind our back in the meantime is found, after a fortnight too."""
    desk = open_desk(connected=True)
    desk.tenant.kinds = {Kind.MAILBOX}
    desk.tenant.listed[ADA] = Restricted(identifier=ADA)
    did(desk, Chores())
    desk.clock.move(2 * MINUTE)
    desk.tenant.removed(ADA, "mallory@contoso.example")
    assert ("done", "recorded 1") == did(desk, Chores(), timedelta(days=14))["log"]


def test_cases_of_a_clock_that_ran_ahead_are_told(open_desk: Callable[..., Desk]) -> None:
    """Put right, it leaves them asleep until it is that late: their times never run backwards."""
    desk = open_desk(connected=True)
    desk.tenant.kinds = {Kind.MAILBOX}
    desk.tenant.listed[ADA] = Restricted(identifier=ADA)
    desk.tenant.add(ADA)
    desk.clock.move(DAY)
    case_id = desk.restrict()
    assert "done" == automation.step(desk.app, case_id).outcome
    desk.clock.move(-DAY)
    desk.restrict("bea@contoso.example")
    assert "nothing falls due in them until 2026-11-25 08:01 UTC: #1" in did(desk, Chores())["clock"][1]
    assert case_id not in automation.due(desk.app, desk.clock.now + 20 * HOUR)
    desk.clock.move(DAY)
    assert ("done", "") == did(desk, Chores())["clock"]
    assert case_id in automation.due(desk.app, desk.clock.now + HOUR)
