"""Which function judges each action and makes its records, once the state machine has let it pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workflow.domain import actions as act
from workflow.domain import decisions, evidence, facts, moves

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from workflow.domain.record import Record
    from workflow.domain.scene import Scene

MAKERS: Mapping[type[act.Action], Callable[[Any, Scene], list[Record]]] = {
    act.RecordEvidence: evidence.recorded,
    act.RetractEvidence: evidence.retracted,
    act.AskException: evidence.asked_exception,
    act.RefuseProposal: decisions.proposal_refused,
    act.AddIdentity: facts.identified,
    act.RemoveIdentity: facts.removal_proposed,
    act.MovePlaybook: moves.move_asked,
    act.AssignCase: facts.assigned,
    act.AddNote: facts.noted,
    act.LinkCase: facts.linked,
    act.ObserveRestriction: facts.observed,
    act.RequestUnblock: decisions.requested,
    act.WithdrawRequest: decisions.ended_request,
    act.RejectRequest: decisions.ended_request,
    act.ApproveUnblock: decisions.approved,
    act.IntendUnblock: decisions.intended,
    act.RecordAnswer: decisions.answered,
    act.CloseCase: decisions.closed,
    act.DismissCase: decisions.dismissal_proposed,
    act.ReopenCase: decisions.reopened,
}
SECONDERS: Mapping[type[act.Action], Callable[[Any, Scene, Any], list[Record]]] = {
    act.AskException: evidence.granted_exception,
    act.RemoveIdentity: facts.identity_removed,
    act.MovePlaybook: moves.moved,
    act.DismissCase: decisions.dismissed,
}
