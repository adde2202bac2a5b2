"""The side of DBOS in :mod:`tests.bench.peer`: workflows of one step. It loads no more than DBOS itself needs."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Engine, create_engine, text

AT_ONCE = 4  # cases
OFTEN = 0.05  # seconds between two times that DBOS asks its queue, or for a result
WORK = (
    "CREATE TABLE work (id TEXT PRIMARY KEY, state TEXT NOT NULL, version INTEGER NOT NULL, updated_at TEXT NOT NULL)"
)
HISTORY = """
CREATE TABLE history (work_id TEXT NOT NULL, version INTEGER NOT NULL, at TEXT NOT NULL, before TEXT NOT NULL,
                      after TEXT NOT NULL, reading TEXT NOT NULL, PRIMARY KEY (work_id, version))
"""
OPEN = "INSERT INTO work VALUES (:id, 'unblock_requested', 1, '')"
READ = "SELECT state, version FROM work WHERE id = :id"
MOVE = "UPDATE work SET state = :state, version = :version, updated_at = :at WHERE id = :id"
NOTE = "INSERT INTO history VALUES (:id, :version, :at, :before, :state, :reading)"


@dataclass(frozen=True, slots=True)
class Pace:
    """How many steps were taken, in how many seconds, of the clock and of the processor."""

    steps: int
    seconds: float
    processor: float

    @property
    def rate(self) -> float:
        """Steps per second."""
        return self.steps / self.seconds


class Watch:
    """A stopwatch for the clock and the processor."""

    def __init__(self) -> None:
        self._begun, self._spent = time.perf_counter(), time.process_time()

    def pace(self, steps: int) -> Pace:
        """Return the pace of so many steps since it was started."""
        return Pace(steps, time.perf_counter() - self._begun, time.process_time() - self._spent)


def flowed(checkpoints: str, work: str, count: int, queued: bool) -> Pace:  # noqa: FBT001 - handed to a process.
    """Let DBOS run so many workflows of one step, each on a row of its own."""
    from dbos import DBOS  # noqa: PLC0415 - it is not there everywhere, and nobody else is to pay for loading it.

    engine, names = create_engine(work), [f"case_{number}" for number in range(count)]
    if engine.dialect.name == "sqlite":
        for url in (checkpoints, work):
            with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file:
                file.execute("PRAGMA journal_mode=WAL")
    with engine.begin() as connection:
        for statement in (WORK, HISTORY):
            connection.execute(text(statement))
        connection.execute(text(OPEN), [{"id": name} for name in names])

    @DBOS.step()
    def look(name: str) -> str:
        return released(engine, name)

    @DBOS.workflow()
    def release(name: str) -> str:
        return look(name)

    DBOS(
        config={
            "name": "peer",
            "system_database_url": checkpoints,
            "max_executor_threads": AT_ONCE,
            "log_level": "ERROR",
        }
    )
    DBOS.launch()
    try:
        queue = DBOS.register_queue("cases", polling_interval_sec=OFTEN) if queued else None
        watch = Watch()
        handles = [queue.enqueue(release, name) if queue else DBOS.start_workflow(release, name) for name in names]
        for handle in handles:
            handle.get_result(polling_interval_sec=OFTEN)
        pace = watch.pace(count)
    finally:
        DBOS.destroy()
    with engine.connect() as connection:
        assert count == connection.execute(text("SELECT count(*) FROM history")).scalar()
    engine.dispose()
    return pace


def released(engine: Engine, name: str) -> str:
    """Release a case as ordinary code would."""
    reading, lock = "not-listed", "" if engine.dialect.name == "sqlite" else " FOR UPDATE"
    with engine.begin() as connection:
        before, version = connection.execute(text(READ + lock), {"id": name}).one()
        row = {"id": name, "state": "released", "version": version + 1, "at": datetime.now(UTC).isoformat()}
        connection.execute(text(MOVE), row)
        connection.execute(text(NOTE), {**row, "before": before, "reading": reading})
    return reading
