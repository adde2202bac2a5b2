"""What a worker does for the whole tenant and ledger, each at its own interval and whatever became of the others.

Each may be done as often as anybody likes: losing the memory of when it was done costs a repetition and no more.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from workflow.domain.alerts import Policy
from workflow.errors import HoldfastError, ProviderError
from workflow.services import alerts, polling, tenant_log
from workflow.services.people import Who
from workflow.services.predicates import shown

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
"""For how long nobody is taken to have read the log when a worker begins: over a weekend it may have stood still."""
DIGESTS = timedelta(minutes=15)
"""How often it is looked whether the day's digest is owed: the first look of a day (UTC) sends it."""


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
    """When each chore was last begun, by name, and until when the tenant's log was read; made anew by every worker."""

    begun: dict[str, datetime] = field(default_factory=dict)
    read_until: datetime | None = None

    def forget(self, name: str) -> None:
        """Have a chore done at the next look, whenever it was done last."""
        self.begun.pop(name, None)


def chores(app: App, now: datetime, memory: Chores) -> Iterator[Chore]:
    """Do the chores that are due, and yield what came of each.

    What one of them lacks (a tenant that does not answer, a recipient that cannot be reached) keeps none of the others.

    Raises:
        StorageError: the database refused, so that nothing can be done.
    """
    for name, every, do in _chores(app, memory):
        last = memory.begun.get(name)
        if last is not None and last <= now < last + every:
            continue
        memory.begun[name] = now
        try:
            yield Chore(name, "done", do(app, now))
        except HoldfastError as error:
            yield Chore(name, "failed", shown(str(error)))
        except Exception as error:  # noqa: BLE001 - what nobody foresaw in one keeps none of the others, nor any case.
            # Its text may be anybody's, such as an address out of a record.
            yield Chore(name, "failed", f"{type(error).__name__}, which nobody foresaw")


def _chores(app: App, memory: Chores) -> Iterator[tuple[str, timedelta, Callable[[App, datetime], str]]]:
    if app.provider.acts:
        # What the log tells late, the lists set right afterwards.
        yield "log", RECONCILES, partial(_log, memory)
        yield "poll", timedelta(seconds=app.settings.worker_poll), _poll
    yield "digest", DIGESTS, _digest
    yield "alerts", DELIVERS, _alerts


def _log(memory: Chores, app: App, now: datetime) -> str:
    """Read the tenant's own audit log for what lay between two polls, from before the last time that it could be read.

    Its records come late, so that each look goes back a day and more behind that.
    """
    known = now - AWAY if memory.read_until is None else min(memory.read_until, now)
    found = tenant_log.catch_up(app, MACHINE, known - tenant_log.LOOKS_BACK, now)
    memory.read_until = now
    return _counted(found.counts)


def _poll(app: App, now: datetime) -> str:
    """Read the lists of restricted entities; that they cannot be read is told once a day."""
    found = polling.Polled()
    for _ in polling.poll(app, MACHINE, found):
        pass
    if found.unread:
        alerts.alarm(app, Policy.TENANT, now)
        raise ProviderError("; ".join(found.unread))
    return _counted(found.counts)


def _alerts(app: App, now: datetime) -> str:
    """Find what gives cause to alerts, and send what is due."""
    raised = alerts.collect(app, now)
    came = alerts.deliver(app, now).to_data()
    return _counted({"raised": raised, **came})


def _digest(app: App, now: datetime) -> str:
    """Verify the ledger and send the day's digest, once a day."""
    return _counted({"raised": alerts.digest(app, now)})


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items() if count)
