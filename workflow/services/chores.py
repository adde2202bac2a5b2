"""What a worker does for the whole tenant and ledger, each at its own interval and whatever became of the others.

Each may be done as often as anybody likes: losing the memory of when it was done costs a repetition and no more. What
takes minutes keeps its rhythm across processes, by what the database remembers.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from workflow.domain.alerts import Policy
from workflow.errors import HoldfastError, ProviderBusyError, ProviderError
from workflow.providers.anonymous import anonymous
from workflow.services import alerts, clocks, polling, tenant_log
from workflow.services.people import Who
from workflow.services.predicates import shown
from workflow.storage import chores as kept

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from workflow.app import App

MACHINE = Who(channel="worker", machine=True)
"""As whom a worker acts: Holdfast itself, which records and unblocks what was approved, and never approves."""
DELIVERS = timedelta(seconds=15)
"""How often the outbox is looked into."""
RECONCILES = timedelta(hours=1)
"""How often the tenant's own audit log is read; its records come late, so that each look goes back a day and more."""
AWAY = timedelta(days=2)
"""For how long nobody is taken to have read the log where no worker ever did."""
DIGESTS = timedelta(minutes=15)
"""How often it is looked whether the day's digest is owed: the first look of a day (UTC) sends it."""
LOG = "log"
SEARCHING, QUICK = (LOG, "poll"), ("clock", "digest", "alerts")
"""What may wait for a tenant's search for minutes, and what does not: nothing of this waits for that."""


@dataclass(frozen=True, slots=True)
class Chore:
    """What came of one chore: its name, done or failed, and what there is to say of it ("" for nothing)."""

    name: str
    outcome: str
    said: str = ""

    def to_data(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"chore": self.name, "outcome": self.outcome, "message": self.said}


@dataclass(slots=True)
class Chores:
    """When each of some chores was last begun, by name; made anew by every worker.

    ``kept`` is when the tenant's log was last read, by any of them, once the database was asked for it; ``searched`` is
    the stretch of it for which a search was begun and not seen to its end.
    """

    names: tuple[str, ...] = (*SEARCHING, *QUICK)
    begun: dict[str, datetime] = field(default_factory=dict)
    kept: datetime | None = None
    asked: bool = False
    searched: tuple[datetime, datetime] | None = None

    def forget(self, name: str) -> None:
        """Have a chore done at the next look, whenever it was done last."""
        self.begun.pop(name, None)


def lanes() -> list[Chores]:
    """Return memories of chores of which nothing was done yet, each for a thread of its own."""
    return [Chores(SEARCHING), Chores(QUICK)]


def chores(app: App, now: datetime, memory: Chores) -> Iterator[Chore]:
    """Do the chores that are due, and yield what came of each.

    What one of them lacks (a tenant that does not answer, a recipient that cannot be reached) keeps none of the others.

    Raises:
        StorageError: the database refused, so that nothing can be done.
    """
    if LOG in memory.names and not memory.asked:
        with app.database.reading() as tx:
            memory.kept = kept.done(tx).get(LOG)
        if memory.kept is not None:
            # It takes minutes, so that a pass made every minute does not begin it anew each time.
            memory.begun[LOG] = memory.kept
        memory.asked = True
    for name, every, do in _chores(app, memory):
        last = memory.begun.get(name)
        if name not in memory.names or (last is not None and last <= now < last + every):
            continue
        memory.begun[name] = now
        try:
            said = do(app, now)
            if every > DELIVERS:
                _keep(app, name, now)
            yield Chore(name, "done", said)
        except HoldfastError as error:
            yield Chore(name, "failed", logged(error))
        except Exception as error:  # noqa: BLE001 - what nobody foresaw in one keeps none of the others, nor any case.
            # Its text may be anybody's, such as an address out of a record.
            yield Chore(name, "failed", f"{type(error).__name__}, which nobody foresaw")


def logged(error: HoldfastError) -> str:
    """Return what a worker's log says of an error: a tenant's words may name people, and no erasure reaches a log."""
    return anonymous(shown(str(error))) if isinstance(error, ProviderError) else shown(str(error))


def _chores(app: App, memory: Chores) -> Iterator[tuple[str, timedelta, Callable[[App, datetime], str]]]:
    if app.provider.acts:
        # What the log tells late, the lists set right afterwards.
        yield LOG, RECONCILES, partial(_log, memory)
        yield "poll", timedelta(seconds=app.settings.worker_poll), _poll
    yield "clock", RECONCILES, _clock
    yield "digest", DIGESTS, _digest
    yield "alerts", DELIVERS, _alerts


def _log(memory: Chores, app: App, now: datetime) -> str:
    """Read the tenant's own audit log for what lay between two polls, from before the last time that it could be read.

    Its records come late, so that each look goes back a day and more behind that. A search that took too long for the
    last look is not begun anew: this look takes up what came of it first.
    """
    counts: Counter[str] | None = None
    while True:
        known = now - AWAY if memory.kept is None else min(memory.kept, now)
        since, until = memory.searched or (known - tenant_log.LOOKS_BACK, now)
        memory.searched = None
        try:
            found = tenant_log.catch_up(app, MACHINE, since, until).counts
        except ProviderBusyError:
            memory.searched = since, until
            if counts is None:
                raise
            # What the last look asked for was read; the next one takes this up.
            return _counted(counts)
        counts = (counts or Counter()) + found
        memory.kept = until
        if until >= now:
            return _counted(counts)


def _poll(app: App, now: datetime) -> str:
    """Read the lists of restricted entities; that they cannot be read is told once a day."""
    found = polling.Polled()
    try:
        for _ in polling.poll(app, MACHINE, found):
            pass
    except Exception:
        # The key's file, say, or an answer that nobody foresaw: nothing is read before somebody looks into it.
        alerts.alarm(app, Policy.TENANT, now)
        raise
    if found.unread:
        alerts.alarm(app, Policy.TENANT, now)
        raise ProviderError("; ".join(found.unread))
    return _counted(found.counts)


def _clock(app: App, now: datetime) -> str:
    """Tell of open cases that a clock recorded which ran ahead: nothing is due in them before it is that late."""
    with app.database.reading() as tx:
        return clocks.asleep(tx, now)


def _alerts(app: App, now: datetime) -> str:
    """Find what gives cause to alerts, and send what is due."""
    raised = alerts.collect(app, now)
    came = alerts.deliver(app, now).to_data()
    return _counted({"raised": raised, **came})


def _digest(app: App, now: datetime) -> str:
    """Verify the ledger and send the day's digest, once a day."""
    return _counted({"raised": alerts.digest(app, now)})


def _keep(app: App, name: str, now: datetime) -> None:
    with app.database.transaction() as tx:
        kept.note(tx, name, now)


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items() if count)
