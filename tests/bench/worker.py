"""The worker: what doing nothing costs, how fast it steps, how soon entries are sealed and a dead peer replaced."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

from tests.bench import apart
from tests.bench.house import ANN, House, settings
from tests.bench.table import Line, Section, at_most
from tests.bench.table import time as text
from tests.bench.timing import Samples
from tests.bench.transition import durable_server
from tests.served import ServedTenant
from tests.services.desk import Desk, Place
from tests.worker.member import Process
from tests.worker.stand_in import Diary, StandIn, wait_for
from workflow.app import App, utc_now
from workflow.domain import actions as act
from workflow.domain.private import Private
from workflow.services import automation, casework, polling
from workflow.services.chores import MACHINE
from workflow.worker import fleet, loop, pulse
from workflow.worker.log import Log

if TYPE_CHECKING:
    from workflow.services.automation import Stepped
    from workflow.settings import Settings

SETTLES = 20.0  # seconds after which a worker has done its first chores
PATIENCE = 120.0  # seconds
SERVED = "the simulated tenant, a process of its own on the same machine"


def sweep(root: Path, *, quick: bool) -> Section:
    """Poll a tenant in which many entities are restricted, twice."""
    return swept(root, 500 if quick else 10_000)


def swept(root: Path, count: int) -> Section:
    """Poll so many restricted entities."""
    folder = Path(mkdtemp(dir=root))
    House(folder).app.close()
    with ServedTenant(folder, users=count + 2, restricted=count, connectors=0) as tenant:
        given = tenant.settings()
        first = apart.run(polled, folder, given)
        called = calls(tenant)
        second = apart.run(polled, folder, given)
        again = calls(tenant) - called
    assert {"opened": count} == first.result
    assert {"known": count} == second.result
    return Section(
        f"Sweep of {count:,} restricted entities in {SERVED}, SQLite FULL",
        [
            Line("first poll, every row a new case", f"{text(first.seconds)}, {count / first.seconds:.0f} cases/s"),
            Line("calls made by it", f"{called}"),
            Line("peak memory, beyond the program itself", f"{first.peak:.0f} MB, {first.added:.0f} MB"),
            Line("next poll, every row known", f"{text(second.seconds)}, nothing written"),
            Line("calls made by it", f"{again}"),
            Line("peak memory, beyond the program itself", f"{second.peak:.0f} MB, {second.added:.0f} MB"),
        ],
        ["No target. The list comes in pages; sign-in is among the calls."],
    )


def polled(folder: Path, given: dict[str, Any]) -> dict[str, int]:
    """Poll once; returns what was counted."""
    found = polling.Polled()
    with App(connected(folder, "", given)) as app:
        for _ in polling.poll(app, MACHINE, found):
            pass
    assert [] == found.unread
    return dict(found.counts)


def connected(folder: Path, url: str, given: dict[str, Any]) -> Settings:
    """Return the settings of a house that is connected to a tenant."""
    found = settings(folder, url)
    return found.model_copy(update=given)


def calls(tenant: ServedTenant) -> int:
    """Return how many calls the tenant has heard."""
    return int(tenant.ask("calls")["total"])


def steps(root: Path, *, quick: bool) -> list[Section]:
    """Let a worker look at many cases for the first time, on either database."""
    count = 20 if quick else 200
    with durable_server("18") as server:
        return [
            stepped(root, "", count, "SQLite FULL"),
            stepped(root, server.create_database(), count, "PostgreSQL 18, fsync on"),
        ]


def stepped(root: Path, url: str, count: int, title: str) -> Section:
    """Let a worker read so many cases."""
    folder = Path(mkdtemp(dir=root))
    House(folder, url).app.close()
    with ServedTenant(folder, users=count + 2, restricted=count, connectors=0) as tenant:
        given = tenant.settings()
        with App(connected(folder, url, given)) as app:
            list(polling.poll(app, ANN))
        before = calls(tenant)
        ran = apart.run(worked, folder, url, given, count)
        made = calls(tenant) - before
    taken, seconds, processor, written = ran.result
    return Section(
        f"One worker, four cases at once, {count} cases due, {title}",
        [
            Line("steps per second", f"{taken / seconds:.1f}"),
            Line("calls to the tenant per second, per step", f"{made / seconds:.0f}, {made / taken:.1f}"),
            Line("entries per second", f"{written / seconds:.0f}"),
            Line("the worker's processor time per step", text(processor / taken)),
        ],
        [
            f"Against {SERVED}: its processor time is in the rate and not in the last row.",
            "A step reads what the playbook asks of an account, judges it and records it in one commit.",
            "The target (four times DBOS) is held against it in the sections of that name, without a tenant.",
        ],
    )


class Counted:
    """The product's automation, steps counted; stops the worker when all are done."""

    def __init__(self, count: int, stop: threading.Event) -> None:
        self._left, self._stop, self._lock = count, stop, threading.Lock()
        self.due = automation.due
        self.chores = lambda *_: ()
        self.lanes = tuple

    def step(self, app: App, case_id: str) -> Stepped:
        """Look at one case."""
        found = automation.step(app, case_id)
        with self._lock:
            self._left -= 1
            if not self._left:
                self._stop.set()
        return replace(found, again=None)


def worked(folder: Path, url: str, given: dict[str, Any], count: int) -> tuple[int, float, float, int]:
    """Take so many steps; returns how many, the seconds, the processor's seconds and the entries written."""
    found, stop = connected(folder, url, given), threading.Event()
    with App(found) as app, Path(os.devnull).open("w") as nowhere:
        before, provider = entries(app), app.provider
        log, beating = Log(utc_now, stream=nowhere), pulse.Beating(pulse.place(found), pulse.Pulse(), utc_now())
        work: Any = Counted(count, stop)
        begun, spent = time.perf_counter(), time.process_time()

        def make_app() -> App:
            return App(found, utc_now, provider)

        if url:
            fleet.run(make_app, work=work, concurrency=4, stop=stop, log=log, beating=beating)
        else:
            loop.run(make_app, work, room=4, stop=stop, log=log, beating=beating)
        seconds, spent = time.perf_counter() - begun, time.process_time() - spent
        return count, seconds, spent, entries(app) - before


def entries(app: App) -> int:
    """Return how many entries there are."""
    with app.database.reading() as tx:
        (count,) = tx.one("SELECT count(*) FROM entry") or (0,)
    return int(count)


def idle(root: Path, *, quick: bool) -> Section:
    """Measure what a worker costs that has nothing to do."""
    seconds = 5.0 if quick else 60.0
    with durable_server("18") as server:
        found = {"SQLite": idled(root, "", seconds), "PostgreSQL 18": idled(root, server.create_database(), seconds)}
    lines = [at_most(f"processor use on {name}", 100 * share, 0.5, unit=" %") for name, share in found.items()]
    notes = [
        f"`holdfast worker` connected to {SERVED}, nothing due, {seconds:.0f} s after the first {SETTLES:.0f} s.",
        "100 % is one processor. The server's own time is not in it.",
    ]
    return Section("A worker with nothing to do", lines, notes)


def idled(root: Path, url: str, seconds: float) -> float:
    """Return which share of a processor a worker took for so many seconds."""
    folder = Path(mkdtemp(dir=root))
    House(folder, url).app.close()
    with ServedTenant(folder, users=20, restricted=0, connectors=0) as tenant, started(folder, url, tenant) as process:
        time.sleep(SETTLES)
        before, begun = used(process.pid), time.monotonic()
        time.sleep(seconds)
        share = (used(process.pid) - before) / (time.monotonic() - begun)
        process.terminate()
        assert 0 == process.wait(PATIENCE)
    return share


def started(folder: Path, url: str, tenant: ServedTenant) -> subprocess.Popen[bytes]:
    """Start ``holdfast worker`` in a process of its own."""
    said = {f"HOLDFAST_{name.upper()}": value for name, value in tenant.settings().items() if isinstance(value, str)}
    where = {"HOLDFAST_HOME": str(folder), **({"HOLDFAST_DATABASE_URL": url} if url else {})}
    command = [sys.executable, "-m", "workflow", "worker"]
    return subprocess.Popen(command, env={**os.environ, **said, **where}, stderr=subprocess.DEVNULL)


def used(process: int) -> float:
    """Return the processor's seconds that a process has used, as Linux counts them."""
    ticks = Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(ticks[11]) + int(ticks[12])) / os.sysconf("SC_CLK_TCK")


def sealing(root: Path, *, quick: bool) -> Section:
    """Measure how long an entry waits for its place in the tree, beside a running fleet."""
    times = 20 if quick else 300
    folder = Path(mkdtemp(dir=root))
    with durable_server("18") as server:
        url = server.create_database()
        with House(folder, url) as house, ServedTenant(folder, users=20, restricted=0, connectors=0) as tenant:
            (case_id,) = house.take_in(1)
            with started(folder, url, tenant) as process:
                time.sleep(SETTLES)
                waits = Samples([[sealed_after(house, case_id) for _ in range(times)]])
                process.terminate()
                assert 0 == process.wait(PATIENCE)
    return Section(
        "From commit to seal, PostgreSQL 18, fsync on",
        [
            at_most("p99", waits.quantile(0.99), 1.0, unit=" s"),
            Line("p50 and worst", f"{text(waits.median)}, {text(waits.quantile(1))}"),
        ],
        [f"{times} steps, one at a time, at random moments, beside one `holdfast worker`, looked at every 5 ms."],
    )


def sealed_after(house: House, case_id: str) -> float:
    """Take a step, and return the seconds until its entry has its place in the tree."""
    time.sleep(random.Random().random() / 2)
    casework.perform(house.app, ANN, case_id, act.AddNote(note=Private("seen")))
    begun = time.perf_counter()
    while time.perf_counter() - begun < PATIENCE:
        with house.app.database.reading() as tx:
            if tx.one("SELECT 1 FROM unsealed LIMIT 1") is None:
                return time.perf_counter() - begun
        time.sleep(0.005)
    return PATIENCE


def takeover(root: Path, *, quick: bool) -> Section:
    """Measure how soon a peer goes on with what a killed worker had in hand."""
    return taken_over(root, 1 if quick else 5, fleet.LEASE)


def taken_over(root: Path, times: int, lease: float) -> Section:
    """Kill a worker in the midst of a step so many times."""
    with durable_server("18") as server:
        waits = [taken_over_once(Path(mkdtemp(dir=root)), server.create_database(), lease) for _ in range(times)]
    return Section(
        "Takeover after kill -9, PostgreSQL 18, fsync on",
        [
            at_most(f"worst of {times}, the lease being {lease:g} s", max(waits), lease + 2, unit=" s"),
            Line("all of them", ", ".join(f"{wait:.1f} s" for wait in sorted(waits))),
        ],
        ["Two processes, one case: from the kill until the other one begins the step."],
    )


def taken_over_once(home: Path, url: str, lease: float) -> float:
    """Kill a worker in the midst of a step; returns the seconds until its peer begins it."""
    place = Place(home, url).set_up()
    diary = Diary(home / "diary")
    desk = Desk(place)
    desk.restrict()
    desk.close()
    with Process(place, StandIn(diary, slow=PATIENCE), lease=lease) as first:
        wait_for(lambda: diary.lines("begin"), PATIENCE)
        with Process(place, StandIn(diary), lease=lease):
            # Long enough for the peer to have signed on, and at no fixed time after a beat.
            time.sleep(5.0 + random.Random().random() * lease / 3)
            first.process.kill()
            first.process.join()
            killed = time.monotonic()
            wait_for(lambda: len(diary.lines("begin")) > 1, PATIENCE)
    return diary.lines("begin")[1].at - killed
