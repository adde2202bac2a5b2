"""The machine's part in a case: look at one that is due, do the one thing that is due, record it.

Level-triggered. A case is due because its row says so (:mod:`workflow.domain.agenda`), which is written with the entry
that made it so; a step looks again before it does anything, so that a step taken twice, late, or by two workers does
what one would have done. Every effect goes through the services that people's commands call (R6).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from workflow.domain import agenda
from workflow.domain.agenda import Task, may_contain
from workflow.domain.gate import missing
from workflow.domain.vocabulary import GOOD, Phase, State
from workflow.errors import (
    ConflictError,
    NotReachedError,
    PendingError,
    ProviderBusyError,
    ProviderError,
    RuleRefusedError,
)
from workflow.services import checks, containment, releasing
from workflow.services.changes import PLANNERS
from workflow.services.chores import MACHINE, chores, lanes, logged
from workflow.services.predicates import Look
from workflow.storage import worklist

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from workflow.app import App
    from workflow.errors import HoldfastError
    from workflow.services.checks import Subject

SOON = timedelta(minutes=1)
"""After which a step that another process was in the middle of is tried again."""
LATER = timedelta(minutes=5)
"""After which a step that was refused, or for which the tenant did not answer, is tried again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stepped:
    """What came of one look at a case.

    ``task`` is "" where nothing was due any more. ``again`` is None where the case's own row says when it is due next,
    else how long to wait before it is tried again: the tenant did not answer, or somebody else is at it.
    """

    case: int
    task: str
    outcome: str
    said: str = ""
    again: timedelta | None = None

    def to_data(self) -> dict[str, Any]:
        """Return plain JSON values, the waiting time in seconds."""
        again = None if self.again is None else int(self.again.total_seconds())
        return {
            "case_number": self.case,
            "task": self.task,
            "outcome": self.outcome,
            "message": self.said,
            "again_seconds": again,
        }


def able(app: App) -> bool:
    """Say whether a tenant is connected in which the machine can do anything at all."""
    return app.provider.acts


def due(app: App, now: datetime, limit: int = worklist.MOST) -> list[str]:
    """Return the ids of cases in which the machine has something to do by now, the longest due first."""
    if not able(app):
        return []
    with app.database.glance() as tx:
        return worklist.waking(tx, app.settings.tenant, now, limit)


def step(app: App, case_id: str) -> Stepped:
    """Look at one case and do the one thing that is due in it.

    Args:
        app: the app.
        case_id: the case; one in which nothing is due any more is left alone.

    Raises:
        NotFoundError: no such case, or it was erased.
        StorageError: the database refused, or has no ledger that this version can write.
    """
    subject = checks.read_subject(app, case_id)
    at, name = agenda.next_task(subject.case, subject.playbook)
    if at is not None and at <= subject.now:
        task = Task(name)
    elif subject.lapsed:
        # An approval that ran out is what the row is due for: another reading takes it off the ledger.
        task = Task.LOOK
    else:
        return Stepped(case=subject.case.number, task="", outcome="idle")
    try:
        said = _DOES[task](app, subject)
    except ProviderBusyError as error:
        return _put_off(subject, task, "busy", error, timedelta(seconds=error.retry_after or LATER.total_seconds()))
    except ProviderError as error:
        # Nothing is recorded of a check that got no answer: it waits as long as one that is repeated at the soonest.
        lost = task is Task.CHECK and isinstance(error, NotReachedError)
        return _put_off(subject, task, "unread", error, agenda.SOONEST if lost else LATER)
    except (PendingError, ConflictError) as error:
        return _put_off(subject, task, "pending", error, SOON)
    except RuleRefusedError as error:
        return _put_off(subject, task, "refused", error, LATER)
    after = checks.read_subject(app, case_id)
    due_at, _ = agenda.next_task(after.case, after.playbook)
    # What could not be read, and stands, leaves the case due: it is not asked again at once.
    still = due_at is not None and due_at <= after.now
    moved = "" if after.case.state is subject.case.state else f"{subject.case.state.value} → {after.case.state.value}"
    words = "; ".join(filter(None, (moved, said)))
    return Stepped(
        case=subject.case.number, task=task.value, outcome="done", said=words, again=LATER if still else None
    )


def _put_off(subject: Subject, task: Task, outcome: str, error: HoldfastError, again: timedelta) -> Stepped:
    return Stepped(
        case=subject.case.number, task=task.value, outcome=outcome, said=logged(error), again=max(again, SOON)
    )


def _find_out(app: App, subject: Subject) -> str:
    """Find out by reading what came of changes that nobody has an answer to; what gives none keeps nothing waiting."""
    found = list(containment.found_out(app, MACHINE, subject.case.id, subject=subject))
    told = [f"{item.planned.change.value} {item.made.value if item.made else 'unknown'}" for item in found]
    if any(item.made is None for item in found):
        subject = checks.read_subject(app, subject.case.id)
        at, name = agenda.next_task(subject.case, subject.playbook, aside=Task.FIND_OUT)
        if at is not None and at <= subject.now:
            told.append(_DOES[Task(name)](app, subject))
    return "; ".join(told)


def _unblock(app: App, subject: Subject) -> str:
    """Unblock what two people agreed to."""
    seen = releasing.unblock(app, MACHINE, subject.case.id)
    answer = f"answered {seen.answer.value}" if seen.answer else "no answer"
    return f"{answer}, {seen.status.value}"


def _look(app: App, subject: Subject) -> str:
    """Look whether the restriction is gone, and what came of an unblock without an answer."""
    return releasing.look(app, MACHINE, subject.case.id, subject=subject).status.value


def _check(app: App, subject: Subject) -> str:
    """Contain the account where the settings let the machine, and read what wants to be read."""
    case_id, told, look = subject.case.id, [], Look.at(app)
    if _contains(app, subject):
        made = list(containment.contain(app, MACHINE, case_id, after=look, subject=subject))
        told += [f"{item.planned.change.value} {item.made.value if item.made else 'unknown'}" for item in made]
        subject = checks.read_subject(app, case_id)
    ids = agenda.wanted(subject.case, subject.playbook, subject.now)
    found = checks.check(app, MACHINE, case_id, ids, look=look, subject=subject).checks if ids else ()
    good = sum(item.result in GOOD for item in found)
    return ", ".join([*told, f"read {len(found)}, {good} good"])


def _contains(app: App, subject: Subject) -> bool:
    """Say whether the machine is to contain the account now: somebody has to, it may, and has not tried too often."""
    case, playbook = subject.case, subject.playbook
    if not app.settings.worker_contains or case.state is not State.DETECTED or not may_contain(case):
        return False
    open_ = missing(case, playbook, (Phase.CONTAIN,), subject.now)
    able_to = {item.id for item in playbook.required if item.check in PLANNERS}
    return any(item.prerequisite in able_to for item in open_)


_DOES: Mapping[Task, Callable[[App, Subject], str]] = {
    Task.FIND_OUT: _find_out,
    Task.UNBLOCK: _unblock,
    Task.LOOK: _look,
    Task.CHECK: _check,
}

__all__ = ["Stepped", "able", "chores", "due", "lanes", "step"]
