"""One worker on one ledger: look what is due, hand it to a few threads, do the chores, rest a moment, look again.

Nothing is remembered that could be lost: what is put off for a while, because the tenant did not answer, is due all the
same, and the next process asks again.
"""

from __future__ import annotations

import random
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from workflow.errors import DatabaseBusyError, HoldfastError, NotFoundError
from workflow.worker.backoff import LONGEST, after_answer, after_failure
from workflow.worker.hands import Hands
from workflow.worker.log import unforeseen

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from workflow.app import App
    from workflow.worker.log import Log
    from workflow.worker.port import Automation, Chore, Stepped
    from workflow.worker.pulse import Beating

REST: Final = 1.0
"""Seconds between two looks when nothing is at hand."""
GRACE: Final = 30.0
"""Seconds that a worker told to stop gives the steps in hand."""

_UNANSWERED: Final = frozenset({"busy", "unread"})
"""Outcomes of a step that failed because the tenant gave no answer; one that waits for people did not fail."""


@dataclass(slots=True)
class Loop:
    """The state of one worker: what is in hand, what is put off until when, and how often it failed."""

    app: App
    work: Automation
    hands: Hands
    helper: Hands
    log: Log
    beating: Beating
    room: int
    lanes: Sequence[Any]
    in_hand: dict[str, Future[Stepped]] = field(default_factory=dict)
    put_off: dict[str, tuple[datetime, datetime]] = field(default_factory=dict)
    failed: Counter[str] = field(default_factory=Counter)
    at_chores: dict[int, Future[list[Chore]]] = field(default_factory=dict)
    rested_at: dict[int, float] = field(default_factory=dict)

    def turn(self) -> bool:
        """Take back what is done, hand out what is due; say whether anything is in hand."""
        self.collect(REST)
        self.collect_chores()
        self.hand_out()
        self.beating.beat(self.app.now())
        return bool(self.in_hand or self.at_chores)

    def begin_chores(self) -> None:
        """Have the chores done that are due, beside the steps: some of them take minutes."""
        for lane, memory in enumerate(self.lanes):
            if lane not in self.at_chores and monotonic() >= self.rested_at.get(lane, 0.0):
                self.rested_at[lane] = monotonic() + REST
                self.at_chores[lane] = self.helper.give(self._chores(memory))

    def _chores(self, memory: Any) -> Callable[[App], list[Chore]]:
        return lambda app: list(self.work.chores(app, app.now(), memory))

    def collect_chores(self) -> None:
        """Note what came of the chores, once they are done."""
        for lane in [lane for lane, future in self.at_chores.items() if future.done()]:
            for chore in self.at_chores.pop(lane).result():
                self.beating.chore(chore.name, chore.outcome, chore.said, self.app.now())
                tell_chore(self.log, chore)

    def hand_out(self) -> None:
        """Give the free hands what is due and not put off."""
        now = self.app.now()
        # A clock that was put back makes nothing wait for as long again.
        self.put_off = {name: span for name, span in self.put_off.items() if span[0] <= now < span[1]}
        free = self.room - len(self.in_hand)
        if free <= 0:
            return
        busy = self.in_hand.keys() | self.put_off.keys()
        for case_id in self.work.due(self.app, now, free + len(busy)):
            if free > 0 and case_id not in busy:
                self.in_hand[case_id] = self.hands.give(self._step(case_id))
                free -= 1

    def _step(self, case_id: str) -> Callable[[App], Stepped]:
        return lambda app: self.work.step(app, case_id)

    def collect(self, seconds: float) -> None:
        """Wait for something in hand for a while, and note what came of what is done."""
        in_hand: list[Future[Any]] = [*self.in_hand.values(), *self.at_chores.values()]
        if in_hand:
            wait(in_hand, seconds, FIRST_COMPLETED)
        for case_id in [case_id for case_id, future in self.in_hand.items() if future.done()]:
            self._note(case_id, self.in_hand.pop(case_id))

    def _note(self, case_id: str, future: Future[Stepped]) -> None:
        now, pulse = self.app.now(), self.beating.pulse
        try:
            stepped = future.result()
        except NotFoundError:
            # Erased meanwhile, and due no more; where it still is, what it needs is gone, and asking at once is idle.
            self.put_off[case_id] = (now, now + LONGEST)
            return
        except Exception as error:  # noqa: BLE001 - one case that nobody foresaw keeps no other from being looked at.
            self.failed[case_id] += 1
            self.put_off[case_id] = (now, now + after_failure(self.failed[case_id], random.random))
            pulse.put_off += 1
            self.beating.failed = True
            words = str(error) if isinstance(error, HoldfastError) else unforeseen(error)
            quiet = isinstance(error, DatabaseBusyError)
            self.log(f"{case_id}: {words}", "busy" if quiet else "failure", case=case_id)
            return
        del self.failed[case_id]
        pulse.steps += 1
        if stepped.again is not None:
            self.put_off[case_id] = (now, now + after_answer(stepped.again, random.random))
            pulse.put_off += 1
        if stepped.outcome in _UNANSWERED:
            self.beating.failed = True
        if stepped.task:
            self.log(sentence(stepped), "step", **stepped.to_data())


def tell_chore(log: Callable[..., None], chore: Chore) -> None:
    """Say what came of a chore, where there is anything to say."""
    if chore.said:
        failed = "" if chore.outcome == "done" else " failed"
        log(f"{chore.name}{failed}: {chore.said}", "chore", **chore.to_data())


def sentence(stepped: Stepped) -> str:
    """Say what came of a step."""
    words = f"case #{stepped.case}: {stepped.task} {stepped.outcome}"
    return f"{words}: {stepped.said}" if stepped.said else words


def run(
    make_app: Callable[[], App],
    work: Automation,
    *,
    room: int,
    stop: threading.Event,
    log: Log,
    beating: Beating,
    once: bool = False,
) -> bool:
    """Work until ``stop`` is set, or with ``once`` until nothing is due; say whether what was in hand was finished.

    Args:
        make_app: makes an app; called once for every thread, and once for the loop itself.
        work: what is due and how it is done.
        room: how many cases are looked at at once.
        stop: set by a signal's handler, or by another thread.
        log: told what is done.
        beating: told that the worker is alive.
        once: do the chores once and every due case until it is settled or put off, then end.
    """
    lanes = work.lanes()
    hands, helper = Hands(make_app, room, "step"), Hands(make_app, len(lanes), "chores")
    try:
        with make_app() as app:
            loop = Loop(app, work, hands, helper, log, beating, room, lanes)
            if once:
                _pass(loop, stop)
            else:
                _shift(loop, stop)
            if stop.is_set():
                log("Stopping: no new work is begun.")
            wait(loop.in_hand.values(), GRACE)
            loop.collect(0.0)
            beating.end(app.now())
            return not loop.in_hand
    finally:
        hands.close(REST)
        helper.close(REST)


def _shift(loop: Loop, stop: threading.Event) -> None:
    """Look again and again; a database that cannot be reached is tried again after a rest."""
    while not stop.is_set():
        try:
            loop.begin_chores()
            loop.turn()
        except HoldfastError as error:
            loop.log(str(error), "failure")
        if not loop.in_hand:
            stop.wait(REST)


def _pass(loop: Loop, stop: threading.Event) -> None:
    """Do the chores, and every case until nothing is due; what that gave cause to is told at the end."""
    for _ in range(2):
        for memory in loop.lanes:
            memory.forget("alerts")
        loop.rested_at.clear()
        loop.begin_chores()
        while loop.turn() and not stop.is_set():
            pass
