"""One audited transition: the product against the floor and against ordinary code, step by step."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import mkdtemp

from tests.bench.floor import PostgresFloor, SQLiteFloor
from tests.bench.house import Beat, House
from tests.bench.ordinary import OrdinaryCode
from tests.bench.table import Line, Section, at_least, at_most, spread
from tests.bench.timing import Samples, interleave, ratio
from tests.postgres import PostgresServer

PRODUCT, FLOOR, ORDINARY = "Holdfast", "floor", "ordinary SQLModel + transitions"
Contest = Iterator[dict[str, Callable[[], object]]]


def sqlite(root: Path, cases: int, rounds: int, *, synchronous: str, keep: bool) -> dict[str, Samples]:
    """Take cases to their release on SQLite."""
    folder = Path(mkdtemp(dir=root))
    with ExitStack() as stack:
        house = stack.enter_context(House(folder, synchronous=synchronous, keep=keep))
        tape = house.tape()
        floor = stack.enter_context(SQLiteFloor(folder, synchronous, keep=keep))
        ordinary = stack.enter_context(OrdinaryCode(f"sqlite:///{folder / 'ordinary.db'}", tape, synchronous))
        return contest(house, floor, ordinary, tape, cases, rounds)


def postgresql(root: Path, version: str, cases: int, rounds: int) -> dict[str, Samples]:
    """Take cases to their release on PostgreSQL, ``fsync`` on."""
    with ExitStack() as stack:
        server = stack.enter_context(durable_server(version))
        house = stack.enter_context(House(Path(mkdtemp(dir=root)), server.create_database()))
        tape = house.tape()
        floor = stack.enter_context(PostgresFloor(server.create_database()))
        ordinary = stack.enter_context(OrdinaryCode(server.create_database(), tape))
        return contest(house, floor, ordinary, tape, cases, rounds)


def durable_server(version: str) -> PostgresServer:
    """Return a server that loses nothing it acknowledged."""
    settings = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on", "max_wal_size": "1GB"}
    return PostgresServer(version, settings)


def contest(
    house: House,
    floor: SQLiteFloor | PostgresFloor,
    ordinary: OrdinaryCode,
    tape: list[Beat],
    cases: int,
    rounds: int,
) -> dict[str, Samples]:
    """Open cases everywhere, then take the same steps in turn; the first round warms everybody up and is dropped."""
    ids = house.take_in(cases * (rounds + 1))
    numbered = [(case_id, number) for number, case_id in enumerate(ids, start=1)]
    floor.open(numbered, tape[0])
    ordinary.open(numbered, tape[0])

    def steps(part: list[str]) -> Contest:
        for case_id in part:
            for move, beat in zip(house.way(case_id), tape[1:], strict=True):
                yield {
                    PRODUCT: partial(house.step, case_id, move),
                    FLOOR: partial(floor.step, case_id, beat),
                    ORDINARY: partial(ordinary.step, case_id, beat),
                }

    found = interleave(steps(ids[start : start + cases]) for start in range(0, len(ids), cases))
    for samples in found.values():
        del samples.rounds[0]
    return found


def section(title: str, found: dict[str, Samples], must: float, stretch: float, notes: list[str]) -> Section:
    """Judge a contest."""
    product, floor, ordinary = found[PRODUCT], found[FLOOR], found[ORDINARY]
    lines: list[Line] = [
        at_most("Holdfast, in floors", ratio(product, floor), must, stretch),
        at_least("faster than ordinary SQLModel + transitions", ratio(ordinary, product), 4),
        *(spread(name, samples) for name, samples in found.items()),
    ]
    steps = f"{len(product.every)} steps of each contestant in {len(product.rounds)} rounds, one at a time, in turn."
    return Section(title, lines, [steps, *notes])


SAME = "Floor: standard library sqlite3, same entry bodies, texts, case row, tree, signature; it judges nothing."


def full(root: Path, *, quick: bool) -> Section:
    """SQLite, FULL."""
    cases, rounds = (3, 3) if quick else (12, 5)
    notes = [SAME, "All wait for the disk once, at the commit; ordinary code neither seals nor keeps checkpoints."]
    return section(
        "One audited transition, SQLite synchronous=FULL",
        sqlite(root, cases, rounds, synchronous="FULL", keep=True),
        2.0,
        1.6,
        notes,
    )


def normal(root: Path, *, quick: bool) -> Section:
    """SQLite, NORMAL: nobody waits for the disk."""
    cases, rounds = (3, 3) if quick else (12, 5)
    notes = [SAME, "Nobody waits for the disk: no checkpoint is kept outside. For measuring the processor's part only."]
    return section(
        "The same with synchronous=NORMAL",
        sqlite(root, cases, rounds, synchronous="NORMAL", keep=False),
        3.5,
        2.0,
        notes,
    )


def on_postgresql(version: str) -> Callable[..., Section]:
    """Return the section for a server version."""

    def run(root: Path, *, quick: bool) -> Section:
        cases, rounds = (3, 2) if quick else (10, 4)
        notes = [
            "Floor: one psycopg connection, prepared statements, FOR UPDATE, the same rows.",
            "Sealing is a step apart on PostgreSQL, and outside all three.",
        ]
        found = postgresql(root, version, cases, rounds)
        return section(f"The same on PostgreSQL {version}, fsync on", found, 1.3, 1.0, notes)

    return run
