"""The part of the fold that tells of unblocks: requested, approved, reviewed, started, answered, released.

As in ``history``, entries are believed and nothing is judged.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from workflow.domain.case import Approval, Attempt, BrokenGlass, Case, Request
from workflow.domain.private import private_in
from workflow.domain.record import time_from_text
from workflow.domain.vocabulary import Answer, EntryType, Resolution, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from workflow.domain.record import Entry

KEY_DIGITS = 16
"""Hex digits of the intent's leaf that a call carries as its reason, so that the tenant's log shows whose it was."""


ARRIVAL = timedelta(hours=24)
"""Microsoft: an audit record comes between half an hour and a day after what it tells of ("Search the audit log")."""
LOGGED_WITHIN = ARRIVAL + timedelta(hours=1)
"""How long after an intent the tenant's audit log shows its call or shows that there was none; an hour for clocks."""


def key(leaf: str) -> str:
    """Return what an unblock carries into the tenant's log, by the leaf of its intent."""
    return leaf[:KEY_DIGITS]


def ended(attempt: Attempt | None, at: datetime) -> Attempt | None:
    """Return the attempt as ended at this time, unless it had ended before."""
    return attempt if attempt is None or attempt.ended_at is not None else replace(attempt, ended_at=at)


def known_by(attempt: Attempt) -> datetime | None:
    """Return when the tenant's audit log is sure to tell what came of a call; None where that is known, or over."""
    told = attempt.answer is not None or attempt.ended_at is not None
    return None if told else attempt.intended_at + LOGGED_WITHIN


def _requested(case: Case, entry: Entry, at: datetime) -> None:
    actor = entry.actor
    case.request = Request(
        actor["id"],
        actor["team"],
        at,
        entry.basis["digest"],
        entry.sequence,
        entry.leaf,
        private_in(entry.data, "reason"),
    )
    case.approvals = ()


def _approved(case: Case, entry: Entry, at: datetime) -> None:
    actor, basis = entry.actor, entry.basis
    case.approvals += (
        Approval(
            actor["id"],
            actor["team"],
            at,
            time_from_text(basis["expires_at"]),
            basis["digest"],
            entry.sequence,
            entry.leaf,
            private_in(entry.data, "reason"),
            entry.data.get("bulk", 0),
            entry.data.get("break_glass", False),
        ),
    )
    if case.approvals[-1].break_glass:
        reason = private_in(entry.data, "reason")
        case.glass += (BrokenGlass(actor["id"], at, entry.recurrence, entry.sequence, entry.leaf, reason),)


def _reviewed(case: Case, entry: Entry, at: datetime) -> None:
    found = {
        "reviewed": entry.sequence,
        "reviewed_by": entry.actor["id"],
        "reviewed_at": at,
        "verdict": Verdict(entry.data["verdict"]),
        "finding": private_in(entry.data, "reason"),
    }
    case.glass = tuple(item if item.verdict else replace(item, **found) for item in case.glass)


def _approval_lapsed(case: Case, entry: Entry, _at: datetime) -> None:
    case.approvals = tuple(item for item in case.approvals if item.sequence != entry.basis["approval"])


def _request_ended(case: Case, _entry: Entry, _at: datetime) -> None:
    case.request, case.approvals = None, ()


def _intended(case: Case, entry: Entry, at: datetime) -> None:
    case.attempt = Attempt(
        by=entry.actor["id"],
        intended_at=at,
        approved_at=time_from_text(entry.basis["approved_at"]),
        digest=entry.basis["digest"],
        sequence=entry.sequence,
        leaf=entry.leaf,
    )
    case.attempts += 1


def _answered(case: Case, entry: Entry, at: datetime) -> None:
    answer = Answer(entry.data["answer"])
    if case.open_attempt is None:
        message = "An answer without an open attempt."
        raise ValueError(message)
    case.attempt = replace(case.open_attempt, answer=answer, answered_at=at)
    if answer is not Answer.DONE:
        case.attempt = ended(case.attempt, at)
        _request_ended(case, entry, at)


def _released(case: Case, entry: Entry, at: datetime) -> None:
    case.resolution = Resolution.RELEASED
    case.released_at = at
    case.attempt = ended(case.attempt, at)
    _request_ended(case, entry, at)


UNBLOCKING: Mapping[str, Callable[[Case, Entry, datetime], None]] = {
    EntryType.UNBLOCK_REQUESTED: _requested,
    EntryType.UNBLOCK_APPROVED: _approved,
    EntryType.UNBLOCK_WITHDRAWN: _request_ended,
    EntryType.UNBLOCK_REJECTED: _request_ended,
    EntryType.UNBLOCK_VOIDED: _request_ended,
    EntryType.UNBLOCK_INTENDED: _intended,
    EntryType.UNBLOCK_ANSWERED: _answered,
    EntryType.APPROVAL_LAPSED: _approval_lapsed,
    EntryType.APPROVAL_REVIEWED: _reviewed,
    EntryType.CASE_RELEASED: _released,
}
"""What each of these entries does to a case."""


def refused_for_good(case: Case) -> bool:
    """Say whether Microsoft answered this recurrence's last unblock with a limit that only its support lifts."""
    attempt = case.attempt
    if attempt is None or case.boundary is None or case.resolution is not None:
        return False
    return attempt.answer is Answer.SUPPORT and attempt.intended_at >= case.boundary
