"""A peer: the worker's steps per second against DBOS Transact, an engine for durable workflows, on the same machine.

The job is the same on both sides: many cases are due, each in a database that survives a kill. Of each, the worker asks
whether its restriction is gone; the answer is a constant, given in the process, so that no tenant's time is in any
rate. The case is moved to ``released`` and what happened is written down, and a worker killed half-way goes on.

*Holdfast* is the product's own worker with its own step. It finds the case due, folds its history, judges the reading
and writes the entries, which are chained, sealed and signed: on SQLite within the commit, on PostgreSQL by the sealer
that runs beside the steps in the same process.

*DBOS* runs one workflow per case with one step. The step reads the case's row, updates it and inserts a history row, in
one transaction of hand-written SQL in a database of its own; DBOS keeps the checkpoints in another. It has no chain, no
seal, no signature, no rules and no second look. The target is held against the fastest of the ways that DBOS offers:
workflows started directly, which stay with the process that began them, and a plain step, which is faster than a
transaction of its datasource. Its SQLite files are in WAL mode, like ours, although it leaves them in SQLite's slower
default. Beside it stand the same workflows through its queue, which shares them among processes as our workers on
PostgreSQL do, asked twenty times a second instead of once.

Each takes four cases at once in a process of its own that is new in every round and not warmed up. The clock runs from
the moment the work is there and the engine stands until the last step is done, so that starting and stopping is on no
side. DBOS takes each workflow in within that time, as Holdfast on PostgreSQL puts each case into its queue.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import threading
from pathlib import Path
from statistics import median
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any, cast

from tests.bench import apart
from tests.bench.flows import AT_ONCE, Pace, Watch, flowed
from tests.bench.house import ANN, BOB, House, settings
from tests.bench.table import Line, Section, at_least
from tests.bench.table import time as written
from tests.bench.transition import durable_server
from workflow.app import App, utc_now
from workflow.domain.agenda import SETTLES
from workflow.domain.vocabulary import State
from workflow.providers.shapes import Answer, Read
from workflow.services import automation, casework
from workflow.worker import fleet, loop, pulse
from workflow.worker.log import Log

if TYPE_CHECKING:
    from datetime import datetime

    from tests.postgres import PostgresServer
    from workflow.domain.vocabulary import Kind
    from workflow.providers.port import Provider
    from workflow.providers.shapes import Restricted
    from workflow.services.automation import Stepped

HOLDFAST, STARTED, QUEUED = "Holdfast", "DBOS", "DBOS through its queue"
TARGET = 4.0  # times DBOS


def sqlite(root: Path, *, quick: bool) -> Section:
    """Take steps on SQLite."""
    return measured(root, None, *((20, 1) if quick else (200, 3)))


def postgresql(root: Path, *, quick: bool) -> Section:
    """Take steps on PostgreSQL, ``fsync`` on."""
    with durable_server("18") as server:
        return measured(root, server, *((20, 1) if quick else (200, 3)))


def measured(root: Path, server: PostgresServer | None, count: int, rounds: int) -> Section:
    """Let everybody take so many steps in so many rounds, on databases that are new in every round."""
    title = f"Worker steps against DBOS, {'PostgreSQL 18, fsync on' if server else 'SQLite FULL'}"
    if importlib.util.find_spec("dbos") is None:
        return Section(title, [Line("not run", "dbos is not installed", f"≥ {TARGET:g} x")])
    folder, url = Path(mkdtemp(dir=root)), server.create_database() if server else ""
    due(folder, url, count)
    template = server.template(url) if server else ""
    found: dict[str, list[Pace]] = {HOLDFAST: [], STARTED: [], QUEUED: []}
    for number in range(rounds):
        names = list(found)
        for name in names[number % len(names) :] + names[: number % len(names)]:
            place = Path(mkdtemp(dir=root))
            if name == HOLDFAST:
                shutil.copytree(folder, place, dirs_exist_ok=True)
                ran = apart.run(worked, place, server.create_database(template) if server else "", count)
            else:
                urls = [server.create_database() if server else f"sqlite:///{place / file}" for file in "ab"]
                ran = apart.run(flowed, *urls, count, name == QUEUED)
            found[name].append(ran.result)
    return judged(title, found)


def judged(title: str, found: dict[str, list[Pace]]) -> Section:
    """Hold the paces against the target, round by round."""

    def ratios(peer: str) -> list[float]:
        return [mine.rate / theirs.rate for mine, theirs in zip(found[HOLDFAST], found[peer], strict=True)]

    direct = ratios(STARTED)
    lines = [
        at_least("Holdfast, in DBOS's steps per second", median(direct), TARGET),
        Line("lowest and highest round", f"{min(direct):.2f} x, {max(direct):.2f} x"),
        Line("Holdfast, in those of DBOS through its queue", f"{median(ratios(QUEUED)):.2f} x"),
    ]
    for name, paces in found.items():
        rate, processor = median(pace.rate for pace in paces), median(pace.processor / pace.steps for pace in paces)
        lines.append(Line(f"{name}: steps per second, processor time each", f"{rate:.0f}, {written(processor)}"))
    notes = [
        f"{found[HOLDFAST][0].steps} cases in each of {len(direct)} rounds, {AT_ONCE} at once, one process at a time.",
        "A step asks whether a restriction is gone, which a constant answers, and releases the case.",
        "Holdfast folds, judges, chains, seals and signs; DBOS updates a row, inserts one and keeps its checkpoints.",
    ]
    return Section(title, lines, notes)


def due(folder: Path, url: str, count: int) -> None:
    """Make a ledger in which so many cases are to be looked at after their unblock."""
    with House(folder, url) as house:
        # What was called minutes ago is what is due to be looked at now.
        house.app.now = lambda: utc_now() - 2 * SETTLES
        for case_id in house.take_in(count):
            moves = house.way(case_id)[:-1]
            *answers, request = [move.make() for move in moves if move.who is ANN]
            casework.perform(house.app, ANN, case_id, *answers)
            casework.perform(house.app, ANN, case_id, request)
            for move in moves:
                if move.who is BOB:
                    casework.perform(house.app, BOB, case_id, move.make())


class Constant:
    """A tenant in this process whose list of restricted entities is empty."""

    acts = True

    def share(self, workers: int) -> None:
        """Do nothing: there is no limit."""

    def restriction(self, kind: Kind, identifier: str) -> Answer[Restricted | None]:
        """Answer that nothing is listed."""
        del kind, identifier
        return Answer(None, Read("constant", "", utc_now()))


class Counted:
    """The product's automation without the chores: stops the worker after so many steps, and knows their pace."""

    def __init__(self, count: int, stop: threading.Event) -> None:
        self._left, self._stop, self._lock = count, stop, threading.Lock()
        self._watch: Watch | None = None
        self.pace = Pace(count, 0, 0)
        self.chores = lambda *_: ()
        self.lanes = tuple

    def due(self, app: App, now: datetime, limit: int) -> list[str]:
        """Return what is due; the clock runs from the first time on."""
        self._watch = self._watch or Watch()
        return automation.due(app, now, limit)

    def step(self, app: App, case_id: str) -> Stepped:
        """Look at one case."""
        found = automation.step(app, case_id)
        with self._lock:
            self._left -= 1
            if not self._left and self._watch:
                self.pace = self._watch.pace(self.pace.steps)
                self._stop.set()
        return found


def worked(folder: Path, url: str, count: int) -> Pace:
    """Let the product's worker take so many steps, each on a case of its own that is due."""
    found, stop, tenant = settings(folder, url), threading.Event(), cast("Provider", Constant())
    counted = Counted(count, stop)
    work: Any = counted
    with Path(os.devnull).open("w") as nowhere:
        log, beating = Log(utc_now, stream=nowhere), pulse.Beating(pulse.place(found), pulse.Pulse(), utc_now())

        def make_app() -> App:
            return App(found, utc_now, tenant)

        if url:
            fleet.run(make_app, work=work, concurrency=AT_ONCE, stop=stop, log=log, beating=beating)
        else:
            loop.run(make_app, work, room=AT_ONCE, stop=stop, log=log, beating=beating)
    with App(found) as app, app.database.reading() as tx:
        assert (count,) == tx.one('SELECT count(*) FROM "case" WHERE state = ?', (State.RELEASED.value,))
    return counted.pace
