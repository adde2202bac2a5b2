"""Moving a case to another playbook or version (R8): at once when it asks no less, by two people when it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.domain import actions as act
from workflow.domain import facts
from workflow.domain.decisions import shortened
from workflow.domain.playbook import BreakGlass, Playbook, Team
from workflow.domain.record import Record
from workflow.domain.vocabulary import EntryType, Phase
from workflow.errors import InputError, NotFoundError, WrongStateError

if TYPE_CHECKING:
    from workflow.domain.scene import Scene


def loosened(old: Playbook, new: Playbook) -> tuple[str, ...]:
    """Name every requirement of ``old`` that falls away or weakens under ``new``."""
    lost = []
    for item in old.required:
        other = new.get(item.id)
        if other is None or not other.required:
            lost.append(item.id)
            continue
        order = tuple(Phase)
        weaker = (
            order.index(other.required_by) > order.index(item.required_by)
            or (other.applies_if and set(other.applies_if) != set(item.applies_if))
            or set(other.any_of) - set(item.any_of)
            or set(item.after) - set(other.after)
            or other.about is not item.about
            or (item.check and other.check is not item.check)
            or (other.fact is not None and other.fact is not item.fact)
            or (
                item.fresh_within is not None and (other.fresh_within is None or other.fresh_within > item.fresh_within)
            )
            or (other.exception is not None and other.exception != item.exception)
        )
        if weaker:
            lost.append(item.id)
    if new.approvals < old.approvals:
        lost.append("approvals")
    if new.approval_within > old.approval_within:
        lost.append("approval-within")
    if new.watch_within < old.watch_within:
        lost.append("watch-within")
    if old.approval_team is Team.OTHER and new.approval_team is not Team.OTHER:
        lost.append("approval-team")
    if new.break_glass is not old.break_glass and new.break_glass is BreakGlass.ALLOWED:
        lost.append("break-glass")
    return tuple(lost)


def move_asked(action: act.MovePlaybook, scene: Scene) -> list[Record]:
    """Move to another playbook at once, or propose the move when requirements fall away (R8)."""
    facts.need_reason(action.reason, "a playbook move")
    lost = loosened(scene.playbook, _target(action.playbook, scene))
    if lost:
        facts.not_waiting(scene, "playbook")
        basis = {"proposal": "playbook", "hands": True, "falls_away": shortened(lost)}
        return [scene.record(EntryType.PROPOSAL_MADE, action, after=scene.case.state, basis=basis)]
    basis = {"playbook": action.playbook, "falls_away": []}
    return [scene.record(EntryType.PLAYBOOK_MOVED, action, after=scene.case.state, basis=basis)]


def moved(action: act.ConfirmProposal, scene: Scene, proposed: act.MovePlaybook) -> list[Record]:
    """Confirm a move under which requirements fall away."""
    lost = loosened(scene.playbook, _target(proposed.playbook, scene))
    basis = {"playbook": proposed.playbook, "falls_away": shortened(lost)}
    return [scene.record(EntryType.PLAYBOOK_MOVED, action, after=scene.case.state, basis=basis)]


def _target(digest: str, scene: Scene) -> Playbook:
    case = scene.case
    if case.open_attempt is not None:
        message = "An unblock is under way: its outcome comes first."
        raise WrongStateError(message, possible=("answer", "observe"))
    target = scene.playbooks.get(digest)
    if target is None:
        message = "That playbook has not been adopted here."
        raise NotFoundError(message)
    if case.kind not in target.kinds:
        kinds = ", ".join(kind.value for kind in target.kinds)
        message = f"Playbook {target.name!r} is for {kinds}; this case is about a {case.kind.value}."
        raise InputError(message)
    return target
