"""Eight writing processes at once, each with cases of its own, on one SQLite file and on one PostgreSQL server."""

import multiprocessing
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from tests.bench.floor import PostgresFloor, SQLiteFloor
from tests.bench.house import Beat, House, opened, settings
from tests.bench.table import Line, Section, at_least, at_most, spread
from tests.bench.table import time as text
from tests.bench.timing import Samples, quiet
from tests.bench.transition import FLOOR, PRODUCT, durable_server
from workflow.errors import DatabaseBusyError

WRITERS = 8
LONGEST = 300.0  # seconds: a writer that hangs ends the run instead of holding it up


@dataclass(slots=True)
class Job:
    """What one writer does: its cases by round, and where they are."""

    folder: Path
    url: str
    floor: str
    rounds: list[list[str]]
    tape: list[Beat]


@dataclass(slots=True)
class Work:
    """What one writer, or all of them, did as one contestant: waits, seconds by round, refused locks."""

    samples: Samples = field(default_factory=Samples)
    seconds: list[float] = field(default_factory=list)
    lock_errors: int = 0


def contest(root: Path, url: str, floor_url: str, cases: int, rounds: int, count: int = WRITERS) -> dict[str, Work]:
    """Let so many processes take their cases to the release, product and floor in turn."""
    folder = Path(mkdtemp(dir=root))
    with House(folder, url) as house:
        tape = house.tape()
        ids = house.take_in(cases * rounds * count)
    numbered = [(case_id, number) for number, case_id in enumerate(ids, start=1)]
    with PostgresFloor(floor_url) if floor_url else SQLiteFloor(folder) as floor:
        floor.open(numbered, tape[0])
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(count)
    results: Any = context.Queue()
    jobs = [
        Job(folder, url, floor_url, [ids[(turn * count + writer) * cases :][:cases] for turn in range(rounds)], tape)
        for writer in range(count)
    ]
    writers = [context.Process(target=work, args=(job, barrier, results), daemon=True) for job in jobs]
    for writer in writers:
        writer.start()
    parts = [results.get(timeout=LONGEST) for _ in writers]
    for writer in writers:
        writer.join(LONGEST)
    return {name: together([part[name] for part in parts]) for name in (PRODUCT, FLOOR)}


def work(job: Job, barrier: Any, results: Any) -> None:
    """Be one writer."""
    app = opened(settings(job.folder, job.url))
    house = House.__new__(House)
    house.settings, house.app = app.settings, app
    done = {PRODUCT: Work(), FLOOR: Work()}
    with ExitStack() as stack:
        stack.enter_context(app)
        floor = PostgresFloor(job.floor, new=False) if job.floor else SQLiteFloor(job.folder)
        stack.enter_context(floor)
        for part in job.rounds:
            ways = [(case_id, house.way(case_id)) for case_id in part]
            product = [partial(house.step, case_id, move) for case_id, way in ways for move in way]
            by_hand = [partial(floor.step, case_id, beat) for case_id in part for beat in job.tape[1:]]
            for name, steps in ((PRODUCT, product), (FLOOR, by_hand)):
                barrier.wait(LONGEST)
                timed_round(done[name], steps)
    results.put(done)


def timed_round(done: Work, steps: Sequence[Callable[[], object]]) -> None:
    """Take the steps, and again where the lock was refused."""
    waits: list[float] = []
    with quiet():
        began = time.perf_counter()
        for step in steps:
            start = time.perf_counter()
            while True:
                try:
                    step()
                except (DatabaseBusyError, sqlite3.OperationalError):
                    done.lock_errors += 1
                else:
                    break
            waits.append(time.perf_counter() - start)
        done.seconds.append(time.perf_counter() - began)
    done.samples.rounds.append(waits)


def together(parts: list[Work]) -> Work:
    """Add the writers up: a round lasts as long as its slowest writer."""
    rounds = [list(chain.from_iterable(waits)) for waits in zip(*(part.samples.rounds for part in parts), strict=True)]
    seconds = [max(round_) for round_ in zip(*(part.seconds for part in parts), strict=True)]
    return Work(Samples(rounds), seconds, sum(part.lock_errors for part in parts))


def speed(found: dict[str, Work]) -> float:
    """Return the product's throughput in floors."""
    return sum(found[FLOOR].seconds) / sum(found[PRODUCT].seconds)


def rates(found: dict[str, Work]) -> list[Line]:
    """Return each contestant's absolute figures."""
    lines = []
    for name, done in found.items():
        lines.append(spread(name, done.samples))
        rate = len(done.samples.every) / sum(done.seconds)
        lines.append(Line(f"{name}, all {WRITERS} writers", f"{rate:.0f} steps/s"))
    return lines


def on_sqlite(root: Path, *, quick: bool) -> Section:
    """Eight processes on one file."""
    cases, rounds = (1, 1) if quick else (3, 3)
    found = contest(root, "", "", cases, rounds)
    done = found[PRODUCT]
    worst = done.samples.quantile(1)
    lines = [
        Line("lock errors", str(done.lock_errors), "0", "", done.lock_errors == 0),
        at_most("p99 of a step", done.samples.quantile(0.99) * 1000, 100, unit=" ms"),
        at_most("worst wait", worst * 1000, 1000, 100, unit=" ms"),
        Line("throughput, in floors", f"{speed(found):.2f} x"),
        Line("floor's worst wait", text(found[FLOOR].samples.quantile(1))),
        *rates(found),
    ]
    return Section(
        f"{WRITERS} processes on one SQLite file, FULL",
        lines,
        [f"Each process has cases of its own. The floor waits with SQLite's own busy_timeout. {rounds} rounds."],
    )


def on_postgresql(root: Path, *, quick: bool) -> Section:
    """Eight processes on one server."""
    cases, rounds = (1, 1) if quick else (3, 3)
    with durable_server("18") as server:
        found = contest(root, server.create_database(), server.create_database(), cases, rounds)
    lines = [at_least("throughput, in floors", speed(found), 0.6, 1.0), *rates(found)]
    return Section(
        f"{WRITERS} writers on PostgreSQL 18, fsync on",
        lines,
        ["Floor: eight psycopg connections in eight processes, the same rows; nobody seals meanwhile."],
    )
