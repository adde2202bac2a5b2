"""The same seed, scenario and calls give the same bytes."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.providers.simulated.client import START, Client
from workflow.providers.simulated.clock import Clock
from workflow.providers.simulated.dice import Dice
from workflow.providers.simulated.scenario import NAMED
from workflow.providers.simulated.schedule import Schedule


def story(name: str, seed: int) -> bytes:
    """Return everything that a run of calls is answered, headers included, and the log of effects."""
    client = Client(NAMED[name], seed)
    found = []
    for number in range(1, 6):
        account = client.victim(number)
        replies = [
            client.cmdlet("Get-BlockedSenderAddress", SenderAddress=account.upn),
            client.graph("PATCH", f"/users/{account.id}", {"accountEnabled": False}),
            client.graph("GET", f"/users/{account.id}/authentication/methods"),
            client.graph("GET", "/security/alerts_v2", top="3"),
            client.unblock(account),
        ]
        found += [(reply.status, dict(reply.headers), reply.body.hex()) for reply in replies]
        client.advance(hours=9)
    return json.dumps([found, client.control("GET", "effects"), client.control("GET", "audit")]).encode()


@settings(max_examples=5, deadline=None)
@given(st.sampled_from(["calm", "ordinary", "rough"]), st.integers(0, 1000))
def test_the_same_twice(name: str, seed: int) -> None:
    """Byte for byte."""
    assert story(name, seed) == story(name, seed)


def test_another_seed_is_another_tenant() -> None:
    """Nothing is the same but the rules."""
    assert story("calm", 1) != story("calm", 2)


@given(st.integers(), st.integers(-50, 50), st.integers(0, 50))
def test_draws_stay_in_bounds(seed: int, low: int, width: int) -> None:
    """Whole numbers include both ends; fractions never reach one."""
    dice = Dice(seed)

    assert low <= dice.whole(low, low + width) <= low + width
    assert low <= dice.between(low, low + width) <= low + width
    assert 0.0 <= dice.fraction() < 1.0
    assert not dice.chance(0.0)
    assert dice.chance(1.0)


def test_streams_do_not_disturb_each_other() -> None:
    """One more draw in one stream moves nothing in another."""
    one, two = Dice(1), Dice(1)
    one.stream("a").guid()

    assert one.stream("b").guid() == two.stream("b").guid()
    assert one.stream("a").guid() != one.stream("b").guid()


def test_the_schedule_keeps_order() -> None:
    """Events run in the order of time, at the same time as planned, and each is told its own."""
    schedule = Schedule()
    seen: list[tuple[str, datetime]] = []
    later = START + timedelta(hours=1)

    def note(name: str) -> Callable[[datetime], None]:
        return lambda at: seen.append((name, at))

    for name, when in (("c", later), ("a", START), ("b", START)):
        schedule.at(when, note(name))
    schedule.at(START, lambda at: schedule.at(at, note("d")))

    assert START == schedule.next()
    schedule.run(START)
    schedule.run(later)
    assert [("a", START), ("b", START), ("d", START), ("c", later)] == seen
    assert schedule.next() is None


def test_the_clock_never_runs_backwards() -> None:
    """A negative length moves nothing; a clock without a machine's clock stands still."""
    clock = Clock(START, factor=9.0)

    assert (0.0, START, START) == (clock.factor, clock.now(), clock.advance(-5))
    assert 5.0 == clock.client_seconds(5.0)
