"""Moving a case to another playbook or version (R8): at once when it asks no less, by two people when it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.domain import actions as act
from workflow.domain import facts
from workflow.domain.comparison import loosened
from workflow.domain.decisions import shortened
from workflow.domain.record import Record
from workflow.domain.vocabulary import EntryType
from workflow.errors import InputError, NotFoundError, WrongStateError

if TYPE_CHECKING:
    from workflow.domain.playbook import Playbook
    from workflow.domain.scene import Scene

__all__ = ["loosened", "move_asked", "moved"]


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
