"""One worker on one ledger: what is due is done once, what fails is put off, and stopping finishes what is in hand."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from workflow.app import App
from workflow.errors import DatabaseBusyError, NotFoundError, StorageError
from workflow.services.automation import Stepped
from workflow.services.chores import Chore, Chores
from workflow.settings import load_settings
from workflow.worker import loop
from workflow.worker.log import Log
from workflow.worker.pulse import Beating, Pulse

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@dataclass
class Work:
    """Cases that are due until a step was taken; ``comes`` says by case what its next steps come to."""

    comes: dict[str, list[Stepped | Exception]]
    does: list[Chore | Exception] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    at_once: int = 0
    most: int = 0
    takes: float = 0.0
    done: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    waits: threading.Event | None = None

    def lanes(self) -> list[Chores]:
        """Return a lane that may be kept waiting, where it is, and one that is not."""
        return [Chores(("slow",)), Chores(("quick",))] if self.waits else [Chores()]

    def due(self, _app: App, _now: datetime, limit: int, /) -> list[str]:
        """Return what is left."""
        with self.lock:
            return [name for name, left in self.comes.items() if left][:limit]

    def step(self, _app: App, case_id: str, /) -> Stepped:
        """Come to what is next."""
        with self.lock:
            self.steps.append(case_id)
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        time.sleep(self.takes)
        with self.lock:
            self.at_once -= 1
            came = self.comes[case_id].pop(0)
            if not any(self.comes.values()):
                self.done.set()
        if isinstance(came, Exception):
            raise came
        return came

    def chores(self, _app: App, _now: datetime, done: Any, /) -> Iterable[Chore]:
        """Do the next chore."""
        if self.waits and done.names == ("slow",):
            self.waits.wait(10)
            return
        if self.does:
            came = self.does.pop(0)
            if isinstance(came, Exception):
                raise came
            yield came


@dataclass
class Place:
    """Where a loop runs: its clock, its log, its pulse."""

    path: Path
    now: datetime = NOON
    said: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        """Make what it needs."""
        self.beating = Beating(self.path / "worker.json", Pulse(), NOON)

    def write(self, line: str) -> None:
        """Keep what was logged."""
        self.said.append(line.strip())

    def flush(self) -> None:
        """Do nothing."""

    def app(self) -> App:
        """Return an app that opens nothing."""
        return App(load_settings(), lambda: self.now)

    def run(self, work: Work, *, room: int = 2, once: bool = True) -> bool:
        """Run the loop."""
        log = Log(lambda: self.now, stream=self)  # type: ignore[arg-type]  # it writes and flushes
        return loop.run(self.app, work, room=room, stop=self.stop, log=log, beating=self.beating, once=once)

    def told(self) -> list[str]:
        """Return what was said, without times."""
        return sorted(re.sub(r"\.py:\d+", ".py:…", line.partition(" ")[2]) for line in self.said if line)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A place of the test's own, without a rest worth speaking of."""
    monkeypatch.setenv("HOLDFAST_HOME", str(tmp_path))
    monkeypatch.setattr(loop, "REST", 0.01)
    return Place(tmp_path)


def stepped(number: int, again: timedelta | None = None, said: str = "") -> Stepped:
    """Return a step of a case."""
    return Stepped(case=number, task="check", outcome="done", said=said, again=again)


def test_a_pass_does_everything_that_is_due(place: Place) -> None:
    """Several cases at once, never more than there is room for, each until nothing is due in it."""
    work = Work({f"c{n}": [stepped(n)] * 2 for n in range(7)}, takes=0.01)
    assert place.run(work, room=3)
    assert sorted([f"c{n}" for n in range(7)] * 2) == sorted(work.steps)
    assert 1 < work.most <= 3
    assert place.beating.pulse.stopped
    assert 14 == place.beating.pulse.steps


def test_what_is_put_off_is_left_alone_for_a_while(place: Place) -> None:
    """A pass does not wait for it."""
    work = Work({"c1": [stepped(1, timedelta(minutes=5), "busy"), stepped(1)]})
    assert place.run(work)
    assert ["c1"] == work.steps
    assert ["case #1: check done: busy"] == place.told()
    assert 1 == place.beating.pulse.put_off


def test_one_case_that_fails_keeps_no_other(place: Place) -> None:
    """It is put off and said; what nobody foresaw as well, and a case that is gone is dropped."""
    work = Work(
        {
            "c1": [StorageError("no"), stepped(1)],
            "c2": [ZeroDivisionError("what")],
            "c3": [NotFoundError("gone"), stepped(3)],
            "c4": [DatabaseBusyError("busy")],
            "c5": [stepped(5), Stepped(case=5, task="", outcome="idle")],
        }
    )
    assert place.run(work)
    assert [
        "c1: no",
        "c2: ZeroDivisionError at test_loop.py:…, which nobody foresaw",
        "c4: busy",
        "case #5: check done",
    ] == place.told()
    assert [1, 1] == [work.steps.count("c1"), work.steps.count("c3")]


def test_what_failed_is_tried_again_later_and_later(place: Place) -> None:
    """As soon as its time has come."""
    work = Work({"c1": [StorageError("no"), StorageError("no"), stepped(1)]})

    def hasten() -> None:
        while not work.done.wait(0.005):
            place.now += timedelta(seconds=1)
        place.stop.set()

    helper = threading.Thread(target=hasten)
    helper.start()
    assert place.run(work, once=False)
    helper.join()
    assert ["c1"] * 3 == work.steps
    assert place.now - NOON >= timedelta(seconds=2)


def test_chores_are_told_and_their_failures_noted(place: Place) -> None:
    """The pulse remembers what each came to."""
    work = Work({}, [Chore("poll", "failed", "no way"), Chore("alerts", "done", "sent 1")])
    assert place.run(work)
    assert ["alerts: sent 1", "poll failed: no way"] == place.told()
    assert {"poll": "failed", "alerts": "done"} == {
        name: chore["outcome"] for name, chore in place.beating.pulse.chores.items()
    }


def test_a_search_that_takes_minutes_keeps_no_alert_waiting(place: Place) -> None:
    """What waits for the tenant does it in a lane of its own."""
    waits = threading.Event()
    work = Work({}, [Chore("alerts", "done", "sent 1")], waits=waits)

    def end() -> None:
        deadline = time.monotonic() + 10
        while not place.told() and time.monotonic() < deadline:
            time.sleep(0.01)
        place.stop.set()
        waits.set()

    helper = threading.Thread(target=end)
    helper.start()
    assert place.run(work, once=False)
    helper.join()
    assert place.said[0].endswith("alerts: sent 1")


def test_a_pass_on_a_ledger_that_refuses_ends_with_its_error(place: Place) -> None:
    """Whoever started it hears of it."""
    with pytest.raises(StorageError):
        place.run(Work({}, [StorageError("disk full")]))


def test_a_worker_outlives_a_ledger_that_refuses(place: Place) -> None:
    """It says so, and tries again."""
    work = Work({"c1": [stepped(1)]}, [StorageError("disk full"), Chore("alerts", "done", "")])

    def end() -> None:
        work.done.wait(10)
        place.stop.set()

    helper = threading.Thread(target=end)
    helper.start()
    assert place.run(work, once=False)
    helper.join()
    assert "disk full" in place.told()
    assert "Stopping: no new work is begun." in place.told()


def test_stopping_finishes_what_is_in_hand_and_begins_nothing(place: Place) -> None:
    """What was begun is recorded; the rest stays due."""
    work = Work({f"c{n}": [stepped(n)] for n in range(4)}, takes=0.2)
    threading.Timer(0.1, place.stop.set).start()
    assert place.run(work, room=2, once=False)
    assert 2 == len(work.steps)
    assert 2 == place.beating.pulse.steps


def test_a_step_that_hangs_is_left_to_the_next_worker(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopping waits for it only so long."""
    monkeypatch.setattr(loop, "GRACE", 0.05)
    work = Work({"c1": [stepped(1)]}, takes=1.0)
    threading.Timer(0.1, place.stop.set).start()
    assert not place.run(work, once=False)
