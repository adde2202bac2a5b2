"""Erasing what is personal about an ended case: two people, after its time for audits, and what outlives it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from workflow.domain import actions as act
from workflow.domain import facts
from workflow.domain.decisions import linked_states
from workflow.domain.record import time_for_people
from workflow.domain.vocabulary import ENDED, EntryType, Outcome
from workflow.errors import InputError, NotFoundError, RuleRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workflow.domain.case import Case
    from workflow.domain.record import Entry, Record
    from workflow.domain.scene import Scene

PROPOSAL = "erasure"
"""Under which name a proposed erasure waits for its second person."""

_KEPT = frozenset(
    {
        *(act.AskException.name, act.DismissCase.name, act.MovePlaybook.name, act.EraseCase.name),
        act.ReviewApproval.name,
    }
)
_SECONDS = frozenset({act.ConfirmProposal.name, act.RefuseProposal.name})


def kept(entry: Entry) -> str:
    """Return the commitment of the one text in an entry that outlives an erasure, or "".

    That is the reason of a decision that took the place of a requirement, or ended a case without it: an exception, a
    dismissal, a playbook move, an approval that broke the glass and its review, the erasure itself. Without these
    reasons no auditor could judge the decision.
    """
    reason = entry.data.get("reason")
    if entry.outcome != Outcome.DONE or not isinstance(reason, dict):
        return ""
    about_a_user = str(entry.data.get("proposal", "")).startswith("identity:")
    stays = entry.action in _KEPT or (entry.action in _SECONDS and not about_a_user)
    stays = stays or bool(entry.data.get("break_glass"))
    return str(reason.get("commitment", "")) if stays else ""


REFUSALS = (EntryType.ACTION_REFUSED, EntryType.ACTION_DENIED)
"""Entries that may name somebody, or a file, whom nothing else in the case names."""
NEEDING = (
    *(EntryType.CASE_OPENED, EntryType.IDENTITY_ADDED),
    *(EntryType.EVIDENCE_RECORDED, EntryType.EVIDENCE_CONFIRMED),
    *REFUSALS,
)
"""Entries whose case needs the names and files they stand for, until it is erased."""
SUBJECTS = ("entity", "identities", "subject", "about")
"""Members of an entry's data that say whom it is about. People who act are never among them."""
FILE = "attachment"


def named(entry: Entry) -> Iterator[str]:
    """Return the mailboxes, connectors and users that an entry is about, by opaque id."""
    for member in SUBJECTS:
        value = entry.data.get(member) or []
        yield from value if isinstance(value, list) else [value]


def people(entry: Entry) -> Iterator[str]:
    """Return who an entry says acted, was listed or was to take a case, by opaque id; no erasure takes their names."""
    yield from (entry.actor["id"], entry.actor["os"])
    if entry.data.get("assignee"):
        yield entry.data["assignee"]
    if entry.type == EntryType.PEOPLE_CHANGED:
        yield from (row["id"] for row in entry.data["people"])


def not_erased(case: Case) -> None:
    """Refuse every step on an erased case; nothing that is said about it could be kept.

    Raises:
        NotFoundError: since when it is erased. It is recorded nowhere, because its texts would be kept again.
    """
    if case.erased_at is not None:
        message = f"Case #{case.number} was erased on {time_for_people(case.erased_at)}; what is left only proves it."
        raise NotFoundError(message)


def proposed(action: act.EraseCase, scene: Scene) -> list[Record]:
    """Propose the erasure; a second person confirms it."""
    facts.not_waiting(scene, PROPOSAL)
    facts.need_reason(action.reason, "an erasure")
    _may_erase(scene, action.retention, action.linked)
    basis = {"proposal": PROPOSAL, "hands": False, **linked_states(scene, *action.linked)}
    return [scene.record(EntryType.PROPOSAL_MADE, action, after=scene.case.state, basis=basis)]


def erased(action: act.ConfirmProposal, scene: Scene, proposed: act.EraseCase) -> list[Record]:
    """Confirm an erasure that still is possible, under the longer of the two retentions."""
    retention = max(action.retention, proposed.retention)
    _may_erase(scene, retention, action.linked)
    basis = {"retention": retention, **linked_states(scene, *action.linked)}
    return [scene.record(EntryType.CASE_ERASED, action, after=scene.case.state, basis=basis)]


def _may_erase(scene: Scene, retention: int, others: tuple[str, ...]) -> None:
    """Refuse before the time for audits is over, and while the mailbox or user has an open case.

    Raises:
        RuleRefusedError: until when it is kept, or what is open.
        InputError: the retention is no length of time.
    """
    case = scene.case
    assert case.ended_at is not None  # noqa: S101 - the machine lets nobody erase a case that has not ended
    if retention < 0:
        message = "The retention is a number of seconds, 0 or more."
        raise InputError(message)
    until = case.ended_at + timedelta(seconds=retention)
    if scene.now < until:
        message = f"Ended cases are kept for audits (setting 'retention'): this one until {time_for_people(until)}."
        raise RuleRefusedError(message)
    if any((scene.linked or {}).get(other) not in ENDED for other in others):
        message = "A case about the same mailbox or user is still open: it comes first. See: holdfast case list"
        raise RuleRefusedError(message)
