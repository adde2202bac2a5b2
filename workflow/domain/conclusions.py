"""What time and evidence bring about by themselves: lapses, and the grounds of the machine's conclusions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.domain import gate, glass
from workflow.domain.record import Record, time_to_text
from workflow.domain.scene import Scene, drawn
from workflow.domain.vocabulary import GOOD, EntryType, Phase, RestrictionStatus, State

if TYPE_CHECKING:
    from datetime import datetime

    from workflow.domain.case import Approval, Case
    from workflow.domain.playbook import Playbook

LAPSING = frozenset({State.DETECTED, State.CONTAINED, State.VERIFIED, State.UNBLOCK_REQUESTED})
"""Outside these states, and while an intent is open, nothing goes stale: the gate has been passed, or is not needed."""
MOST_NAMED = 200
"""Entries that a conclusion names one by one; of more it gives the evidence digest, so that it fits one entry."""


def next_lapse(case: Case, playbook: Playbook, now: datetime) -> Record | None:
    """Return the record of the next thing that ran out of time: evidence, an exception, an approval."""
    if case.state not in LAPSING or case.open_attempt is not None:
        return None
    lapsing = playbook.lapsing
    for (name, about), evidence in case.evidence.items():
        if name not in lapsing or evidence.lapsed:
            continue
        lapses_at = gate.lapses_at(lapsing[name], evidence)
        if lapses_at is not None and lapses_at <= now and evidence.result in GOOD:
            basis = {"prerequisite": name, "about": about, "lapsed_at": time_to_text(lapses_at)}
            return drawn(case, EntryType.EVIDENCE_LAPSED, case.state, basis)
    for (name, about), acceptance in case.acceptances.items():
        if not acceptance.expired and acceptance.expires_at <= now:
            basis = {"prerequisite": name, "about": about, "lapsed_at": time_to_text(acceptance.expires_at)}
            return drawn(case, EntryType.EXCEPTION_EXPIRED, case.state, basis)
    for approval in case.approvals:
        gone = _approval_gone(case, approval, playbook, now)
        if gone is not None:
            return drawn(case, EntryType.APPROVAL_LAPSED, case.state, {"approval": approval.sequence, **gone})
    return None


def _approval_gone(case: Case, approval: Approval, playbook: Playbook, now: datetime) -> dict[str, object] | None:
    """Say since when, and why, an approval no longer counts; None while it does."""
    if approval.expires_at <= now:
        return {"lapsed_at": time_to_text(approval.expires_at)}
    if approval.break_glass:
        # What became known since, such as roles, wants the second person after all.
        never = glass.never(case, playbook)
        return {"lapsed_at": time_to_text(now), "because": "no-break-glass"} if never else None
    if approval.by in case.hands:
        # Whoever worked on the ground of the gate after approving it has not approved it (R4).
        return {"lapsed_at": time_to_text(now), "because": "own-work"}
    return None


def seen_gone(case: Case) -> bool:
    """Say whether the restriction was observed gone after the intent of the open attempt."""
    attempt, reading = case.open_attempt, case.reading
    return (
        attempt is not None
        and reading.status is RestrictionStatus.NOT_LISTED
        and reading.observed_at is not None
        and reading.observed_at >= attempt.intended_at
    )


def void_reason(scene: Scene) -> str:
    """Say why the standing request no longer stands, or "" when it does."""
    case = scene.case
    if case.request is None or case.open_attempt is not None:
        return ""
    if case.absent_at is not None:
        return "restriction-gone"
    if case.request.digest != scene.digest():
        return "evidence-changed"
    return ""


def evidence_basis(scene: Scene, phases: tuple[Phase, ...]) -> dict[str, object]:
    """Name, by sequence, the entries of this case that a conclusion stands on (``prev`` binds them)."""
    wanted = {item.id for item in scene.playbook.required if item.required_by in phases}
    sequences = {evidence.sequence for (name, _), evidence in scene.case.evidence.items() if name in wanted}
    sequences |= {accepted.sequence for (name, _), accepted in scene.case.acceptances.items() if name in wanted}
    if len(sequences) > MOST_NAMED:
        return {"digest": scene.digest()}
    return {"stands_on": sorted(sequences)}


def release_basis(case: Case) -> dict[str, object]:
    """Name the intent and the observation that a release stands on."""
    attempt = case.attempt
    return {"stands_on": [attempt.sequence if attempt else 0, case.reading.sequence]}
