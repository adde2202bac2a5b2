"""One life from its first to its last day: drawn from one number, lived, and judged."""

from __future__ import annotations

import gc
import itertools
import multiprocessing
import os
import random
import shutil
import time
from collections import Counter, deque
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.services.desk import START
from tests.simulate.chance import seeded
from tests.simulate.people import People, team
from tests.simulate.referee import Referee
from tests.simulate.world import Broken, World
from workflow.cli import COLLECTING
from workflow.providers.simulated.faults import FAULTS
from workflow.providers.simulated.scenario import NAMED, FaultRule, Scenario
from workflow.providers.simulated.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.services.desk import Place

SHORTEST, LONGEST = 7, 30  # days
POLL = 14_400
"""Seconds between two polls: what is lost between them is what the tenant's log is there for."""
LOOK = 9000
"""Seconds between two looks of the worker, on the average."""
DIGESTED = 0.01
"""How often a look may bring the day's digest, which verifies the whole ledger and takes as long as ten looks."""
CALM = timedelta(days=2)
"""How long everything works at the end of a life, so that whoever has something to do can do it."""
HARSH = frozenset({"not-found", "bad-request", "denied", "role-gap", "no-premium", "unauthorized"})
"""Faults that say something wrong instead of nothing; rarer."""


@dataclass
class Tally:
    """What lives came to."""

    lives: int = 0
    days: int = 0
    seconds: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        told = ", ".join(f"{count} {name}" for name, count in sorted(self.counts.items()))
        pace = f"{self.days / self.seconds:.1f} days per second of a processor"
        return f"{self.days:,} days in {self.lives} lives, {pace}: {told}; 0 violations"


class LifeError(AssertionError):
    """A life broke a rule; the message says which, and how to live it again."""


def drawn(dice: random.Random) -> Scenario:
    """Return a tenant to live in."""
    base = NAMED[dice.choice(("calm", "ordinary", "ordinary", "rough", "no-premium", "limit"))]
    names = dice.sample(sorted(FAULTS), dice.randint(0, 8))
    faults = tuple(
        FaultRule(name, chance=dice.uniform(0, 0.004 if name in HARSH else 0.03), seconds=dice.choice((0, 1, 2, 90)))
        for name in names
    )
    users = dice.randint(5, 30)
    return replace(
        base,
        users=users,
        restricted=dice.randint(0, 3),
        connectors=dice.randint(0, 1),
        new_per_day=dice.choice((0.0, 0.1, 0.2)),
        portal=dice.choice((0.0, 0.2)),
        returns=dice.choice((0.0, 0.3)),
        late=dice.choice((0.0, 0.2)),
        overdue=dice.choice((0.0, 0.1)),
        never=dice.choice((0.0, 0.05)),
        audit_query=(0.0, dice.choice((0.0, 20.0))),
        not_listed=dice.choice(("error", "nothing")),
        faults=faults,
    )


def live(place: Place, seed: int, days: int = 0, judge: type[Referee] = Referee) -> tuple[list[str], Tally]:
    """Live one life on a ledger that was just set up; returns its trace and what it came to.

    Args:
        place: the ledger.
        seed: everything is drawn from it.
        days: how long; 0 for what is drawn.
        judge: who judges it.

    Raises:
        LifeError: a rule was broken.
    """
    began = time.process_time()
    with seeded(seed) as dice:
        length = SHORTEST + int((LONGEST - SHORTEST + 1) * dice.random() ** 2)
        life = Life(place, seed, dice, judge)
        try:
            with life.world.time.everywhere():
                life.live(days or length)
        except Broken as broken:
            tail = "\n  ".join(life.world.trace[-25:])
            message = f"{broken}\n  {tail}\n\nThe same life again: HOLDFAST_SEED={seed} HOLDFAST_DAYS=1 make simulate"
            raise LifeError(message) from broken.__cause__
        finally:
            life.world.close()
    return life.world.trace, life.tally(days or length, time.process_time() - began)


class Life:
    """One life: its world, its people, and who judges it."""

    def __init__(self, place: Place, seed: int, dice: random.Random, judge: type[Referee] = Referee) -> None:
        self.dice = dice
        scenario = drawn(dice)
        simulator = Simulator(scenario, seed, START + timedelta(minutes=dice.randint(0, 1440)))
        victim = simulator.tenant.accounts[1].upn
        settings = place.settings(
            people=team(victim), worker_contains=dice.random() < 0.6, worker_poll=POLL, worker_steps=dice.randint(1, 4)
        )
        self.world = World(place, simulator, dice, settings)
        self.people = People(self.world, victim)
        self.referee = judge(self.world, victim)
        self.jumps = 0

    def live(self, days: int) -> None:
        """Let days pass: people and accidents at random, the worker in between; then calm, then judgement."""
        world, dice = self.world, self.dice
        end = world.time.true() + timedelta(days=days)
        calm = end - min(CALM, timedelta(days=days) / 2)
        while world.time.true() < calm:
            world.time.wait(dice.expovariate(1 / LOOK))
            if dice.random() < 0.02:
                self._jump()
            self._work()
            self._somebody()
            self.referee.watch()
        world.simulator.faults.clear()
        world.time.put(timedelta(0))
        world.say("calm")
        while world.time.true() < end:
            world.time.wait(dice.expovariate(1 / LOOK))
            self._work(safe=True)
            self.referee.watch()
        for _ in range(30):
            world.time.wait(360)
            self._work(safe=True)
        self.referee.judge()

    def _work(self, *, safe: bool = False) -> None:
        world = self.world
        process = world.worker
        assert process.loop is not None
        if self.dice.random() > DIGESTED:
            for memory in process.loop.lanes:
                memory.begun["digest"] = world.time.ours()
        if not safe and self.dice.random() < 0.08:
            process.accidents.plan(int(self.dice.expovariate(1 / 25)) + 1)
        world.survive(process, process.work, "worker")

    def _somebody(self) -> None:
        world = self.world
        process = world.desk
        if self.dice.random() < 0.06:
            process.accidents.plan(int(self.dice.expovariate(1 / 12)) + 1)
        world.survive(process, self.people.do_something, "desk")

    def _jump(self) -> None:
        """Have our clock jump by minutes or hours, or be set right again."""
        self.jumps += 1
        sign = self.dice.choice((-1, 1, 0))
        length = timedelta(seconds=self.dice.choice((90, 600, 7200, 20_000)) * self.dice.random())
        self.world.time.put(sign * length)
        self.world.say(f"our clock is off by {self.world.time.ahead}")

    def tally(self, days: int, seconds: float) -> Tally:
        """Return what this life came to."""
        calls = self.world.simulator.calls
        counts = Counter({
            "calls": calls.total(),
            "crashes": self.world.crashes,
            "clock jumps": self.jumps,
            "unblocks of ours": sum(item.effects for item in self.world.lifted),
            "forbidden tries": self.people.forbidden,
            "effects": len(self.world.simulator.tenant.effects),
        })  # fmt: skip
        return Tally(1, days, seconds, counts)


def lives(fresh: Path, template: Place, seed: int, days: int) -> Iterator[Tally]:
    """Live as many lives as the days take, one on each processor, each by a seed of its own and on its own ledger.

    The first has the seed itself. Yields what they have come to so far, after each life and in the order of the seeds,
    so that the same ones count whoever is done first.
    """
    whole = Tally()
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as pool:
        ahead = deque[Future[Tally]]()
        seeds = itertools.count(seed)
        while whole.days < days:
            while len(ahead) < 2 * (os.cpu_count() or 1):
                one = next(seeds)
                ahead.append(pool.submit(_lived, template, fresh / f"life-{one}", one))
            found = ahead.popleft().result()
            whole.lives += 1
            whole.days += found.days
            whole.seconds += found.seconds
            whole.counts += found.counts
            yield whole
        for future in ahead:
            future.cancel()


def _lived(template: Place, home: Path, seed: int) -> Tally:
    gc.set_threshold(*COLLECTING)
    _, found = live(template.copy(home), seed)
    shutil.rmtree(home)
    return found
