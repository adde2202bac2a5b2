"""Many processes race for one case: to unblock it, and against whoever takes its evidence back."""

import os
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from tests.race.crew import DONE, Crew, Job
from tests.race.referee import by_hand, violations
from tests.services.desk import Desk, Place
from workflow.domain import actions as act
from workflow.domain.private import Private
from workflow.domain.vocabulary import State
from workflow.services import setup, verification

ROUNDS = int(os.environ.get("HOLDFAST_ROUNDS", "200"))
RACERS = int(os.environ.get("HOLDFAST_RACERS", "64"))
RIVALS = int(os.environ.get("HOLDFAST_RIVALS", "16"))
"""Processes where half of them race against the other half: here all but a few write, and the order is what counts."""
SEED = int(os.environ.get("HOLDFAST_SEED", "20261124"))
LOST = {"pending", "wrong_state", "gate_closed", "refused", "conflict", "busy", "not_found", "same_person"}
"""How a racer may lose; anything else is an accident."""

RETRACTION = act.RetractEvidence(prerequisite="forwarding-reviewed", reason=Private("looked at the wrong mailbox"))


@dataclass
class Tally:
    """What the rounds came to."""

    rounds: int = 0
    won: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lost = ", ".join(f"{count} {code}" for code, count in sorted(self.lost.items()))
        won = ", ".join(f"{count} {name}" for name, count in sorted(self.won.items()))
        return f"{self.rounds} rounds; winners: {won}; refusals: {lost}; violations: {len(self.broken)}"


def unblock(desk: Desk, address: str, size: int) -> list[Job]:
    """Everybody wants to start the same approved unblock."""
    case_id = desk.approved(address)
    return [Job(case_id, f"racer-{number}", act.IntendUnblock(), desk.clock.now) for number in range(size)]


def approve_or_retract(desk: Desk, address: str, size: int) -> list[Job]:
    """Half of them approve a request, half take back evidence that it stands on."""
    case_id = desk.requested(address)
    deeds: tuple[act.Action, ...] = (act.ApproveUnblock(), RETRACTION)
    return [Job(case_id, f"racer-{number}", deeds[number % 2], desk.clock.now) for number in range(size)]


def unblock_or_retract(desk: Desk, address: str, size: int) -> list[Job]:
    """Half of them start an approved unblock, half take back evidence that it stands on."""
    case_id = desk.approved(address)
    deeds: tuple[act.Action, ...] = (act.IntendUnblock(), RETRACTION)
    return [Job(case_id, f"racer-{number}", deeds[number % 2], desk.clock.now) for number in range(size)]


Race = Callable[[Desk, str, int], list[Job]]
RACES: list[Race] = [unblock, approve_or_retract, unblock_or_retract]


def run(place: Place, race: Race, rounds: int, size: int) -> Tally:
    """Run the rounds, judge each, and verify the whole ledger at the end."""
    tally, dice = Tally(), random.Random(SEED)
    desk = Desk(place)
    with Crew(place, size) as crew:
        for number in range(rounds):
            jobs = race(desk, f"user{number}@contoso.example", size)
            outcomes = crew.race(jobs, dice)
            tally.rounds += 1
            tally.won.update(job.action.name for job, got in zip(jobs, outcomes, strict=True) if got == DONE)
            tally.lost.update(outcome for outcome in outcomes if outcome != DONE)
            tally.broken += [f"round {number}: {why}" for why in judge(desk, race, jobs, outcomes)]
    setup.seal_now(desk.app)
    tally.broken += [str(finding) for finding in verification.verify(desk.app).findings]
    desk.close()
    return tally


def judge(desk: Desk, race: Race, jobs: list[Job], outcomes: list[str]) -> list[str]:
    """Return what went wrong in one round."""
    done = [job.action.name for job, outcome in zip(jobs, outcomes, strict=True) if outcome == DONE]
    found = violations(desk, jobs[0].case_id)
    found += [f"an accident: {outcome}" for outcome in outcomes if outcome != DONE and outcome not in LOST]
    if race is unblock and done != ["unblock"]:
        found.append(f"not one winner: {done}")
    if done.count("unblock") > 1 or done.count("retract") > 1:
        found.append(f"too many winners: {done}")
    written = [entry.type for entry in desk.entries(jobs[0].case_id)]
    for name, kind in (("unblock", "unblock:intended"), ("retract", "evidence:retracted")):
        if done.count(name) != written.count(kind):
            found.append(f"{done.count(name)} acknowledged, {written.count(kind)} written: {kind}")
    if desk.case(jobs[0].case_id).state is State.RELEASED:
        found.append("released by a race")
    return found


@pytest.mark.parametrize("race", RACES)
def test_a_few_processes_race(place: Place, race: Race) -> None:
    """In a short round nobody wins twice, and nothing stands on evidence that was taken back."""
    tally = run(place, race, 3, 8)
    assert [] == tally.broken
    assert tally.rounds <= tally.won.total()


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("race", RACES)
def test_many_processes_race(place: Place, race: Race, capsys: pytest.CaptureFixture[str]) -> None:
    """In every one of many rounds nobody wins twice, and nothing stands on evidence that was taken back."""
    size = RACERS if race is unblock else RIVALS
    tally = run(place, race, ROUNDS, size)
    with capsys.disabled():
        print(f"\n{place.url.split(':')[0]}, {size} processes, {race.__name__}: {tally}")  # noqa: T201
    assert [] == tally.broken


def test_the_referee_sees_an_intent_on_retracted_evidence(sqlite_place: Place) -> None:
    """The referee that finds nothing in a race finds something in a history put into a wrong order."""
    desk = Desk(sqlite_place)
    case_id = desk.approved()
    desk.do(case_id, act.IntendUnblock())
    desk.do(case_id, RETRACTION)
    entries = desk.entries(case_id)
    desk.close()
    *before, intent, retraction = entries
    without_approval = [entry for entry in before if entry.type != "unblock:approved"]
    assert [] == by_hand(entries)
    assert ["entry 24 starts on retracted forwarding-reviewed"] == by_hand([*before, retraction, intent])
    assert ["entry 24 starts without an approval that stands"] == by_hand([*without_approval, intent])
    assert ["entry 24 is the 2. intent"] == by_hand([*before, intent, intent])
