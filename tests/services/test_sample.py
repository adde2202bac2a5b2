"""Samples of a period: who belongs to the population, and that it stays the same."""

from dataclasses import replace

import pytest

from tests.services.desk import ADA, BOB, DAY, EVE, HOUR, START, Desk, Place, plain, report
from workflow.domain import actions as act
from workflow.domain import sampling
from workflow.domain.period import Period
from workflow.domain.private import Private
from workflow.domain.vocabulary import Kind, Resolution, State
from workflow.services import audit, setup
from workflow.services.sample import Sample, Wanted, sample

WEEK = Wanted(period=Period(START, START + 7 * DAY), seed=4711)


def drawn(desk: Desk, wanted: Wanted = WEEK) -> Sample:
    """Draw a sample once everything is sealed."""
    setup.seal_now(desk.app)
    return sample(desk.app, wanted)


def test_the_population_is_what_happened_in_the_period(desk: Desk) -> None:
    """Released, closed and opened are asked for apart; what happened before or after does not count."""
    early, ada = desk.restrict("early@contoso.example"), desk.released(ADA)
    desk.clock.move(DAY)
    eve = desk.restrict(EVE)
    period = Period(START + HOUR, desk.clock.now + HOUR)
    desk.clock.move(DAY)
    desk.released("late@contoso.example")

    assert [ada] == drawn(desk, replace(WEEK, period=Period(START, period.end))).population
    assert [] == drawn(desk, replace(WEEK, period=period)).population
    assert [eve] == drawn(desk, replace(WEEK, period=period, event="opened")).population
    assert (
        sorted([early, ada, eve])
        == drawn(desk, replace(WEEK, period=Period(None, period.end), event="opened")).population
    )
    assert [] == drawn(desk, replace(WEEK, event="closed")).population


def test_a_population_does_not_change_when_its_cases_go_on(desk: Desk) -> None:
    """Filters mean each case as it stood at the end of the period, and so does what is shown of it."""
    desk.released(ADA)
    desk.requested(EVE)
    desk.clock.move(DAY)
    wanted = replace(WEEK, period=Period(START, desk.clock.now), event="opened", states=frozenset({State.RELEASED}))
    before = drawn(desk, wanted)
    desk.clock.move(DAY)
    assert "came-back" == desk.take(report(ADA, restricted_at=desk.clock.now - HOUR))[0].outcome
    desk.do(before.cases[0]["id"], act.AddNote(note=Private("later")))
    after = drawn(desk, wanted)

    assert (1, ADA, "released", 1) == (
        len(before.cases),
        *(before.cases[0][key] for key in ("entity", "state", "recurrence")),
    )
    assert (before.population, before.cases, before.digest) == (after.population, after.cases, after.digest)
    assert before.checkpoint != after.checkpoint


@pytest.mark.parametrize(
    ("change", "size"),
    [
        ({}, 3),
        ({"kind": "connector"}, 1),
        ({"tenant": "default"}, 3),
        ({"tenant": "nobody"}, 0),
        ({"resolution": "released"}, 1),
        ({"resolution": "expired"}, 0),
        ({"states": frozenset({State.DETECTED, State.RELEASED})}, 3),
        ({"states": frozenset({State.DETECTED}), "kind": "mailbox"}, 1),
    ],
)
def test_filters_narrow_the_population(sqlite_desk: Desk, change: dict[str, object], size: int) -> None:
    """Kind, tenant, resolution and state, together."""
    sqlite_desk.released(ADA)
    sqlite_desk.restrict(EVE)
    sqlite_desk.restrict("0f0e0d0c-0b0a-0908-0706-050403020100", kind=Kind.CONNECTOR)

    assert size == len(drawn(sqlite_desk, replace(WEEK, event="opened", **change)).population)  # type: ignore[arg-type]


def test_a_sample_says_what_it_takes_to_draw_it_again(sqlite_desk: Desk) -> None:
    """Population, digest, seed, number, checkpoint; and the rank of each case."""
    for number in range(30):
        sqlite_desk.restrict(f"user{number}@contoso.example")
    found = drawn(sqlite_desk, replace(WEEK, event="opened", number=10))
    data = found.to_data()

    assert plain(data) == data
    assert sampling.draw(found.population, 4711, 10) == [row["id"] for row in data["cases"]]
    assert sorted(row["rank"] for row in data["cases"]) == [row["rank"] for row in data["cases"]]
    assert {"size": 30, "sha256": sampling.digest(found.population)} == data["population"]
    assert audit.checkpoint(sqlite_desk.app).split("\n")[:3] == [str(value) for value in data["checkpoint"].values()]
    assert found.listing.split() == found.population


def test_closed_includes_dismissed(sqlite_desk: Desk) -> None:
    """Whoever wants only one of them filters by state."""
    case_id = sqlite_desk.restrict()
    sqlite_desk.do(case_id, sqlite_desk.gone())
    dismissal = act.DismissCase(resolution=Resolution.EXPECTED_ACTIVITY, reason=Private("a newsletter"))
    sqlite_desk.clock.move(HOUR)
    sqlite_desk.do(case_id, dismissal)
    sqlite_desk.do(case_id, act.ConfirmProposal(proposal="dismissal"), who=BOB)

    assert [case_id] == drawn(sqlite_desk, replace(WEEK, event="closed")).population
    assert (
        "dismissed"
        == drawn(sqlite_desk, replace(WEEK, event="closed", resolution="expected_activity")).cases[0]["state"]
    )


def test_progress_is_told(sqlite_desk: Desk) -> None:
    """Now and then, while cases are read for a filter."""
    sqlite_desk.take(*(report(f"user{number}@contoso.example") for number in range(101)))
    told: list[tuple[int, int]] = []
    sample(sqlite_desk.app, replace(WEEK, event="opened", kind="user"), lambda done, total: told.append((done, total)))

    assert [(1, 101), (101, 101)] == told


def test_what_is_not_sealed_is_left_out_and_counted(postgres_place: Place) -> None:
    """On a server the newest entries may wait for the sealer."""
    desk = Desk(postgres_place)
    desk.restrict()
    before = sample(desk.app, replace(WEEK, event="opened"))
    after = drawn(desk, replace(WEEK, event="opened"))
    desk.close()

    assert ((0, 1), (1, 0)) == ((len(before.population), before.unsealed), (len(after.population), after.unsealed))


def test_before_anything_is_sealed_there_is_no_checkpoint() -> None:
    """A population of nothing still has a digest."""
    found = Sample(WEEK, [], None, 0)

    assert {"origin": "", "size": 0, "root": ""} == found.to_data()["checkpoint"]
    assert sampling.digest([]) == found.digest
