"""What the database's own guards cost: the product with its triggers against the product without them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import mkdtemp

from tests.bench.house import House
from tests.bench.table import Section, at_most, spread
from tests.bench.timing import interleave, ratio
from tests.bench.transition import durable_server

GUARDED, BARE = "with guards", "without"
QUEUE = (
    "CREATE OR REPLACE FUNCTION public.holdfast_entry() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    "INSERT INTO public.unsealed (entry) VALUES (NEW.position); RETURN NULL; END $$"
)


def measured(guarded: House, bare: House, cases: int, rounds: int, must: float, title: str) -> Section:
    """Take the same steps in both houses."""
    drop_guards(bare)
    one, other = guarded.take_in(cases * (rounds + 1)), bare.take_in(cases * (rounds + 1))

    def steps(start: int) -> Iterator[dict[str, Callable[[], object]]]:
        for mine, theirs in zip(one[start : start + cases], other[start : start + cases], strict=True):
            for move, same in zip(guarded.way(mine), bare.way(theirs), strict=True):
                yield {
                    GUARDED: partial(guarded.step, mine, move),
                    BARE: partial(bare.step, theirs, same),
                }

    found = interleave(steps(start) for start in range(0, len(one), cases))
    for samples in found.values():
        del samples.rounds[0]
    cost = (ratio(found[GUARDED], found[BARE]) - 1) * 100
    lines = [
        at_most("added to one transition", cost, must, unit=" %"),
        *(spread(name, samples) for name, samples in found.items()),
    ]
    return Section(title, lines, ["Without: every trigger dropped except the one that fills the queue of the seal."])


def drop_guards(house: House) -> None:
    """Drop what refuses; what the seal needs stays."""
    with house.app.database.transaction() as tx:
        if tx.sqlite:
            kept = "('entry_queue', 'subject_search_add', 'subject_search_drop')"
            for (name,) in tx.all(f"SELECT name FROM sqlite_master WHERE type = 'trigger' AND name NOT IN {kept}"):
                tx.run(f"DROP TRIGGER {name}")
            return
        rows = tx.all(
            "SELECT t.tgname, c.relname FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid "
            "WHERE NOT t.tgisinternal AND t.tgname <> 'entry_queue'"
        )
        for name, table in rows:
            tx.run(f'DROP TRIGGER {name} ON public."{table}"')
        tx.run(QUEUE)


def sqlite(root: Path, *, quick: bool) -> Section:
    """On SQLite, FULL."""
    cases, rounds = (3, 2) if quick else (10, 5)
    with ExitStack() as stack:
        one, other = (stack.enter_context(House(Path(mkdtemp(dir=root)))) for _ in range(2))
        return measured(one, other, cases, rounds, 5, "Database guards, SQLite FULL")


def postgresql(root: Path, *, quick: bool) -> Section:
    """On PostgreSQL, fsync on."""
    cases, rounds = (3, 2) if quick else (10, 4)
    with ExitStack() as stack:
        server = stack.enter_context(durable_server("18"))
        one, other = (stack.enter_context(House(Path(mkdtemp(dir=root)), server.create_database())) for _ in range(2))
        return measured(one, other, cases, rounds, 15, "Database guards, PostgreSQL 18")
