"""Importing many rows, and then working with the list of cases they made: pages, search, counts, history."""

import itertools
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import mkdtemp

from tests.bench import apart
from tests.bench.house import ANN, House, opened, settings
from tests.bench.table import Line, Section, at_most
from tests.bench.table import time as text
from tests.bench.timing import Samples, quiet, timed
from workflow.app import App
from workflow.services import history, intake, worklist
from workflow.services.worklist import Filters
from workflow.sources import ReadOptions, read
from workflow.storage import worklist as stored

ROUNDS = 3


def lists(root: Path, *, quick: bool) -> list[Section]:
    """Import, then look."""
    return measured(root, 1000 if quick else 100_000, 20 if quick else 60)


def measured(root: Path, rows: int, times: int) -> list[Section]:
    """Import so many rows from a file, and look at the list so many times in each round."""
    folder = Path(mkdtemp(dir=root))
    House(folder).app.close()
    write_file(folder / "rows.json", rows)
    small = apart.run(read_rows, folder / "rows.json", rows // 10)
    whole = apart.run(imported, folder, rows)
    again = apart.run(imported, folder, rows // 10)
    imports = Section(
        f"Import of {rows:,} rows (JSON of Get-BlockedSenderAddress), SQLite FULL",
        [
            Line("rows per second, every row a new case", f"{whole.result / whole.seconds:.0f}"),
            Line(f"rows per second, {rows // 10:,} that are known already", f"{again.result / again.seconds:.0f}"),
            Line("peak memory", f"{whole.peak:.0f} MB"),
            Line("of that beyond the program itself", f"{whole.added:.0f} MB"),
            Line(f"reading {rows // 10:,} rows without taking them in, beyond the program", f"{small.added:.0f} MB"),
        ],
        ["No target: the rows stream, so memory must not follow their number."],
    )
    with opened(settings(folder)) as app:
        looked = {name: samples(work, times) for name, work in looks(app, rows)}
    return [imports, Section(f"Working with {rows:,} cases, SQLite", list(judged(looked)), NOTES)]


NOTES = (
    "Page: 50 cases with names and counts as `case list` shows them, every sort, and a second page.",
    "Search: text that one, some, all or no addresses contain. History: all entries of one case, told in words.",
)


def write_file(path: Path, rows: int) -> None:
    """Write what the cmdlet's ConvertTo-Json writes."""
    with path.open("w", encoding="utf-8") as file:
        file.write("[")
        for number in range(rows):
            row = {
                "SenderAddress": f"person.{number}@contoso{number % 97}.example.com",
                "Reason": "OutboundSpamLast24Hours=312;OutboundMailLast24Hours=1840;OutboundSpamPercent=17",
                "CreatedDatetime": "2026-11-01T08:12:33Z",
                "ChangedDatetime": "2026-11-01T08:12:33Z",
                "TemporaryBlock": False,
            }
            file.write(f"{',' if number else ''}\n{json.dumps(row)}")
        file.write("]\n")


def read_rows(path: Path, rows: int) -> int:
    """Read rows and drop them."""
    with path.open("rb") as file:
        return sum(1 for _ in itertools.islice(read(file, name=path.name, options=ReadOptions()), rows))


def imported(folder: Path, rows: int) -> int:
    """Import the first rows of the file; returns how many were taken in."""
    path = folder / "rows.json"
    with opened(settings(folder)) as app, path.open("rb") as file:
        items = read(file, name=path.name, options=ReadOptions())
        return sum(1 for _ in intake.take_in(app, ANN, itertools.islice(items, rows)))


def looks(app: App, rows: int) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield what is looked at, each as a call that takes another look."""
    chance = random.Random(7)
    sorts = itertools.cycle(["urgent", "-updated_at", "due_at", "-number", "opened_at", "number"])
    first = worklist.worklist_page(app, Filters(), "number").next

    def page() -> None:
        sort = next(sorts)
        worklist.worklist_page(app, Filters(), sort, 50, first if sort == "number" else "")

    def search() -> None:
        wanted = chance.choice([f"son.{chance.randrange(rows)}@", "contoso13.", "contoso", "nobody.at.all", "o9"])
        worklist.worklist_page(app, Filters(text=wanted), "-updated_at", 50)

    def counts() -> None:
        with app.database.reading() as tx:
            stored.counts(tx)

    yield "page of 50 with counts", page
    yield "substring search", search
    yield "counts", counts
    yield "history of a case", lambda: history.history(app, str(chance.randrange(1, rows + 1)))


def samples(work: Callable[[], object], times: int) -> Samples:
    """Look so many times in each of a few rounds."""
    work()
    with quiet():
        return Samples([[timed(work) for _ in range(times)] for _ in range(ROUNDS)])


def judged(looked: dict[str, Samples]) -> Iterator[Line]:
    """Hold each look against its target."""
    for name, found in looked.items():
        share = 0.95 if name == "substring search" else 0.99
        value = found.quantile(share) * 1000
        wished = None if name == "substring search" else 10
        yield at_most(f"{name}, p{share * 100:.0f}", value, 50, wished, unit=" ms")
        yield Line(f"{name}, p50 and worst", f"{text(found.median)}, {text(found.quantile(1))}")
