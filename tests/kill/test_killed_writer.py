"""A writer is killed at random points, inside its commits and checkpoints included, and nothing it said is lost."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from tests.kill.writer import write
from tests.postgres import PostgresServer
from tests.services.desk import HOUR, START, Desk, Place
from workflow.domain import actions as act
from workflow.domain.private import Private
from workflow.services import setup, verification

ROUNDS = int(os.environ.get("HOLDFAST_ROUNDS", "1000"))
SEED = int(os.environ.get("HOLDFAST_SEED", "20261124"))
PER_LEDGER = 25
"""Kills that one ledger goes through; verifying it whole after each of them stays quick."""
PATIENCE = 60.0  # seconds
LONGEST = 0.05  # seconds between an acknowledgement, or the start, and the kill

CONTEXT = multiprocessing.get_context("forkserver")
Entry = tuple[str, int, str]


@dataclass
class Tally:
    """What the kills came to."""

    kills: int = 0
    steps: int = 0
    unsaid: int = 0
    silent: int = 0
    healed: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        return (
            f"{self.kills} kills ({self.silent} before the first step), {self.steps} acknowledged steps, 0 lost; "
            f"{self.unsaid} steps stood that nobody had acknowledged, {self.healed} times the database was ahead of "
            f"the checkpoint file; {self.kills / self.seconds:.1f} kills/s with all that is checked after each"
        )


def kill_one(place: Place, number: int, dice: random.Random) -> list[list[Entry]]:
    """Start a writer, kill it at a random point, and return what it acknowledged, step by step."""
    line, theirs = CONTEXT.Pipe(duplex=False)
    writer = CONTEXT.Process(target=write, args=(theirs, place, number), daemon=True)
    writer.start()
    theirs.close()
    said: list[list[Entry]] = []
    if dice.random() < 0.8:
        # After some acknowledgements; otherwise anywhere from the first instruction on.
        said += [_hear(line) for _ in range(dice.randint(2, 7))]
    time.sleep(dice.random() ** 2 * LONGEST)
    assert writer.pid is not None
    os.kill(writer.pid, signal.SIGKILL)
    writer.join(PATIENCE)
    assert -signal.SIGKILL == writer.exitcode
    said += _rest(line)
    line.close()
    return [step for step in said if step]


def _hear(line: Connection) -> list[Entry]:
    assert line.poll(PATIENCE), "the writer is silent"
    found: list[Entry] = line.recv()
    return found


def _rest(line: Connection) -> list[list[Entry]]:
    """Read what was acknowledged before the end; a message that the kill cut short acknowledges nothing."""
    found: list[list[Entry]] = []
    try:
        while line.poll():
            found.append(line.recv())
    except (EOFError, OSError):
        pass
    return found


def examine(place: Place, number: int, said: list[list[Entry]], before: int, tally: Tally) -> int:
    """Look at what is left as the next command would; return how many steps stand in all."""
    desk = Desk(place)
    desk.clock.now = START + number * HOUR + HOUR / 2
    with desk.app.database.reading() as tx:
        stored = {(case, sequence) for case, sequence in tx.all("SELECT case_id, sequence FROM entry")}
        (steps,) = tx.one("SELECT count(DISTINCT request) FROM entry") or (0,)
    leaves = {leaf for case in {case for case, _ in stored} for leaf in (entry.leaf for entry in desk.entries(case))}
    for case, sequence, leaf in (entry for step in said for entry in step):
        assert (case, sequence) in stored
        assert leaf in leaves
    found = verification.verify(desk.app)
    assert [] == found.findings
    assert "verified" == found.completeness
    unsaid = steps - before - len(said)
    # One step can have been committed and not acknowledged yet; never more.
    assert 0 <= unsaid <= 1
    tally.healed += found.counts["entries"] - found.counts["unsealed"] > _kept(place, found.notes)
    desk.do(desk.restrict(f"next-{number}@contoso.example"), act.AddNote(note=Private("works")))
    setup.seal_now(desk.app)
    desk.close()
    tally.kills += 1
    tally.steps += len(said)
    tally.silent += not said
    tally.unsaid += unsaid
    return int(steps) + 2


def _kept(place: Place, notes: list[str]) -> int:
    """Return how many entries the checkpoint file covers, as verification says."""
    note = next(note for note in notes if str(place.home) in note and "covers" in note)
    return int(note.rsplit("it covers ", 1)[1].split(" ", 1)[0])


def run(fresh: Callable[[], Place], rounds: int) -> Tally:
    """Kill that many writers, with a fresh ledger every so often."""
    CONTEXT.set_forkserver_preload(["tests.kill.writer"])
    tally, dice, began = Tally(), random.Random(SEED), time.monotonic()
    place, steps = fresh(), -1
    for number in range(rounds):
        if number and number % PER_LEDGER == 0:
            place, steps = fresh(), -1
        if steps < 0:
            steps = _count(place)
        said = kill_one(place, number, dice)
        steps = examine(place, number, said, steps, tally)
    tally.seconds = time.monotonic() - began
    return tally


def _count(place: Place) -> int:
    desk = Desk(place)
    with desk.app.database.reading() as tx:
        (steps,) = tx.one("SELECT count(DISTINCT request) FROM entry") or (0,)
    desk.close()
    return int(steps)


@pytest.fixture
def fresh(request: pytest.FixtureRequest, place: Place, tmp_path: Path) -> Callable[[], Place]:
    """Hands out fresh ledgers of the same database product as ``place``."""
    number = iter(range(1_000_000))

    def sqlite() -> Place:
        template: Place = request.getfixturevalue("sqlite_ledger")
        return template.copy(tmp_path / f"ledger-{next(number)}")

    def postgresql() -> Place:
        template: Place = request.getfixturevalue("postgres_ledger")
        server: PostgresServer = request.getfixturevalue("postgres_server")
        return template.copy(tmp_path / f"ledger-{next(number)}", server.create_database(template.url))

    return sqlite if place.url.startswith("sqlite") else postgresql


def test_a_few_writers_are_killed(fresh: Callable[[], Place]) -> None:
    """After each of a few kills every acknowledged step stands, the ledger verifies, and the next command works."""
    assert 10 == run(fresh, 10).kills


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_many_writers_are_killed(fresh: Callable[[], Place], place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """After each of many kills every acknowledged step stands, the ledger verifies, and the next command works."""
    # A server survives its clients, so that fewer kills show what there is to see; each takes longer, too.
    rounds = ROUNDS if place.url.startswith("sqlite") else max(ROUNDS // 5, 1)
    tally = run(fresh, rounds)
    with capsys.disabled():
        print(f"\n{place.url.split(':')[0]}: {tally}")  # noqa: T201
    assert rounds == tally.kills
