"""What every host of a fleet sees to beside the steps: due cases are queued, lost ones taken back, entries sealed.

It also counts who is alive, because the hosts share what the tenant lets through.

A *tender* looks in one trip for what waits and what is lost, because an idle host pays for every trip that wakes it. A
*sealer* seals when the tender calls it, in a thread of its own, so that neither waits for a lock that the other wants.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from workflow.errors import KeyMissingError
from workflow.storage import queue, seal
from workflow.worker.backoff import LONGEST

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from workflow.app import App
    from workflow.worker.port import Automation

TEND: Final = 0.7
"""Seconds between two looks for entries to seal and for lost workers."""

_SWEEP: Final = 3  # of these looks from one look for due cases to the next
_CHORES_PUT: Final = 5  # sweeps that find nothing due between two looks whether somebody has the chores
_MANY: Final = 500  # cases looked at in one sweep, unless those are all in somebody's hands


class Sealer:
    """Seals what waits. A host without the key leaves it to the others, and looks for one now and then."""

    def __init__(self, log: Callable[..., None]) -> None:
        self._log = log
        self._is_told = False

    def seal_waiting(self, app: App) -> None:
        """Seal if there is something to seal, one host at a time."""
        with app.database.glance() as tx:
            if not seal.is_waiting(tx):
                return
        try:
            with app.database.transaction() as tx:
                seal.seal(tx, app.journal)
                self._is_told = False
        except KeyMissingError:
            if not self._is_told:
                self._is_told = True
                self._log("There is no signing key on this host; a host that has it seals what is written.")


class Tender:
    """Queues what is due, and what lost workers held, and calls the sealer."""

    def __init__(self, work: Automation, lease: float, stop: threading.Event, call_sealer: Callable[[], None]) -> None:
        self._work = work
        self._lease = lease
        self._stop = stop
        self._call_sealer = call_sealer
        self._rounds = self._sweeps = 0

    def tend(self, app: App) -> None:
        """Have sealed what waits, take back what is lost, and share the tenant; every few times, queue what is due."""
        with app.database.glance() as tx:
            unsealed, lost, workers = queue.look(tx, self._lease)
        # What the tenant lets through is the whole fleet's.
        app.provider.share(workers)
        if unsealed:
            self._call_sealer()
        if lost:
            with app.database.transaction() as tx:
                queue.take_back(tx, self._lease, LONGEST.total_seconds())
        if not self._stop.is_set() and self._rounds % _SWEEP == 0:
            self._sweep(app)
        self._rounds += 1

    def _sweep(self, app: App) -> None:
        """Queue due cases; look beyond the first ones only when those are all in somebody's hands."""
        limit = _MANY
        while True:
            due = self._work.due(app, app.now(), limit)
            queued = 0
            if due or not self._sweeps % _CHORES_PUT:
                with app.database.transaction() as tx:
                    queue.put_chores(tx)
                    queued = queue.put(tx, due)
            self._sweeps += 1
            if queued or len(due) < limit:
                return
            limit *= 4
