"""A bulk step: the same action on many cases, 500 to a transaction with one seal, against one transaction per case."""

from contextlib import ExitStack
from pathlib import Path
from tempfile import mkdtemp

from tests.bench.floor import SQLiteFloor
from tests.bench.house import ANN, House
from tests.bench.ordinary import OrdinaryCode
from tests.bench.table import Line, Section, at_least
from tests.bench.timing import Samples, quiet, ratio, timed
from workflow.services.casework import Done, perform_many


def bulk(root: Path, *, quick: bool) -> Section:
    """Measure on SQLite, FULL."""
    rounds, product, floor, ordinary = (2, 500, 100, 30) if quick else (5, 2000, 500, 100)
    return measured(root, rounds, product, floor, ordinary)


def measured(root: Path, rounds: int, product: int, floor: int, ordinary: int) -> Section:
    """Take so many cases one step further in every round, and compare the seconds per case."""
    folder = Path(mkdtemp(dir=root))
    names = ("Holdfast", "floor", "ordinary SQLModel + transitions")
    found = {name: Samples() for name in names}
    with ExitStack() as stack:
        house = stack.enter_context(House(folder))
        tape = house.tape()
        by_hand = stack.enter_context(SQLiteFloor(folder))
        orm = stack.enter_context(OrdinaryCode(f"sqlite:///{folder / 'ordinary.db'}", tape))
        ids = house.take_in(rounds * product)
        by_hand.open([(case_id, number) for number, case_id in enumerate(ids, start=1)], tape[0])
        orm.open([(case_id, number) for number, case_id in enumerate(ids, start=1)], tape[0])
        house.app.cache.__init__()  # type: ignore[misc]  # a bulk step meets cases that nobody has just looked at
        for turn in range(rounds):
            part = ids[turn * product : (turn + 1) * product]
            action = house.way(part[0])[0].make

            def whole(part: list[str] = part, action=action) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
                results = perform_many(house.app, ANN, ((case_id, (action(),)) for case_id in part))
                refused = [result for _, result in results if not isinstance(result, Done)]
                if refused:
                    raise refused[0]

            with quiet():
                found[names[0]].rounds.append([timed(whole) / product])
                for name, contestant, count in ((names[1], by_hand, floor), (names[2], orm, ordinary)):

                    def one_by_one(contestant=contestant, ids=part[:count]) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
                        for case_id in ids:
                            contestant.step(case_id, tape[1])

                    found[name].rounds.append([timed(one_by_one) / count])
    lines = [
        at_least("faster than the floor, row by row", ratio(found[names[1]], found[names[0]]), 1.2, 4),
        at_least("faster than ordinary SQLModel + transitions", ratio(found[names[2]], found[names[0]]), 20),
        *(Line(name, f"{1 / samples.median:.0f} cases/s") for name, samples in found.items()),
    ]
    return Section(
        f"Bulk step over {rounds * product:,} cases, SQLite FULL",
        lines,
        [
            "Holdfast: casework.perform_many, 500 cases to a transaction, one seal each, every case folded and judged.",
            "Floor and ordinary code: one transaction per case, as in the tables above.",
        ],
    )
