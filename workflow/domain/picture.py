"""The picture: what a worklist needs to know of a case, without personal data. Thrown away and rebuilt at will."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from workflow.domain.agenda import next_task
from workflow.domain.gate import gate_time, lapses_at, missing_names
from workflow.domain.vocabulary import ENDED, Phase, State, Verdict

if TYPE_CHECKING:
    from datetime import datetime

    from workflow.domain.case import Case
    from workflow.domain.playbook import Playbook

LATE_AFTER = timedelta(hours=1)
"""Microsoft: most unblocked users can send again within one hour."""
OVERDUE_AFTER = timedelta(hours=24)
"""Microsoft: it takes no longer than 24 hours."""

UNREVIEWED = "unreviewed"
"""How a case stands in which an approval broke the glass and nobody else has said whether that was justified."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One row of the case table. Times are aware UTC; ``missing`` stands between the case and ``verified``.

    ``due_at`` is when people should look; ``wake_at`` when a worker with a connected tenant has something to do.
    """

    id: str
    number: int
    tenant: str
    kind: str
    entity: str
    state: str
    recurrence: int
    version: int
    playbook: str
    missing: tuple[str, ...]
    assignee: str
    opened_at: datetime
    updated_at: datetime
    due_at: datetime | None
    due: str
    resolution: str
    restriction: str
    restricted_at: datetime | None
    requested_at: datetime | None
    intended_at: datetime | None
    released_at: datetime | None
    ended_at: datetime | None
    linked: tuple[str, ...]
    labels: tuple[str, ...] = ()
    break_glass: str = ""
    wake_at: datetime | None = None
    wake: str = ""


def picture(case: Case, playbook: Playbook) -> Picture:
    """Draw the case as it stood when its newest entry was recorded (nothing is settled here)."""
    assert case.opened_at is not None  # noqa: S101 - a case without an opening entry does not exist
    assert case.updated_at is not None  # noqa: S101 - the same
    due_at, due = next_due(case, playbook)
    wake_at, wake = next_task(case, playbook)
    attempt = case.open_attempt
    return Picture(
        id=case.id,
        number=case.number,
        tenant=case.tenant,
        kind=case.kind.value,
        entity=case.entity,
        state=case.state.value,
        recurrence=case.recurrence,
        version=case.version,
        playbook=case.playbook,
        missing=missing_names(case, playbook, (Phase.CONTAIN, Phase.VERIFY), gate_time(case, case.updated_at)),
        assignee=case.assignee,
        opened_at=case.opened_at,
        updated_at=case.updated_at,
        due_at=due_at,
        due=due,
        resolution=case.resolution.value if case.resolution else "",
        restriction=case.reading.status.value,
        restricted_at=case.restricted_at,
        requested_at=case.request.at if case.request else None,
        intended_at=attempt.intended_at if attempt else None,
        released_at=case.released_at,
        ended_at=case.ended_at,
        linked=tuple(dict.fromkeys(link for item in case.evidence.values() for link in item.linked)),
        labels=case.labels,
        break_glass=broken_glass(case),
        wake_at=wake_at,
        wake=wake,
    )


def broken_glass(case: Case) -> str:
    """Say how the case stands with approvals that broke the glass: "", unreviewed, not-justified or justified."""
    if case.unreviewed:
        return UNREVIEWED
    verdicts = {item.verdict for item in case.glass}
    return next((verdict.value for verdict in (Verdict.NOT_JUSTIFIED, Verdict.JUSTIFIED) if verdict in verdicts), "")


def lateness(intended_at: datetime | None, due_at: datetime | None, now: datetime) -> tuple[bool, bool, int]:
    """Say whether an unblock under way is late and whether it is overdue, and how many seconds the case is past due.

    An unblock is late from its due time on, and overdue from the last moment at which Microsoft says that it works.
    """
    late = intended_at is not None and now - intended_at > LATE_AFTER
    overdue = intended_at is not None and now - intended_at > OVERDUE_AFTER
    since = intended_at + OVERDUE_AFTER if overdue and intended_at else due_at
    return late, overdue, max(int((now - since).total_seconds()), 0) if since else 0


def waits_for(state: str, resolution: str, *, under_way: bool, approved: bool) -> str:
    """Say what has to come next: answers, request, approver, unblock, confirmation, end-of-watch or close; or ""."""
    if state in ENDED:
        return ""
    if under_way:
        return "confirmation"
    if state == State.UNBLOCK_REQUESTED:
        return "unblock" if approved else "approver"
    if state == State.VERIFIED:
        # Where the restriction came to an end by itself, there is nothing to ask for.
        return "close" if resolution else "request"
    return "end-of-watch" if state == State.RELEASED else "answers"


def next_due(case: Case, playbook: Playbook) -> tuple[datetime | None, str]:
    """Return when the case next needs a look, and why; ``(None, "")`` when nothing is waiting for the clock."""
    attempt = case.open_attempt
    if attempt is not None:
        return attempt.intended_at + LATE_AFTER, "confirm-release"
    if case.state is State.RELEASED and case.released_at is not None:
        return case.released_at + playbook.watch_within, "end-of-watch"
    if case.state in {State.CLOSED, State.DISMISSED}:
        return None, ""
    waiting = [(item.expires_at, "approval-expires") for item in case.approvals]
    waiting += [(item.expires_at, "exception-expires") for item in case.acceptances.values() if not item.expired]
    for evidence in case.evidence.values():
        item = playbook.get(evidence.prerequisite)
        lapses = lapses_at(item, evidence) if item is not None and item.required and not evidence.lapsed else None
        if lapses is not None:
            waiting.append((lapses, "evidence-lapses"))
    return min(waiting, default=(None, ""))
