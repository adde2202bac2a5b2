"""Which arrow of the state machine each action takes, and which function then judges it and makes its records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workflow.domain import actions as act
from workflow.domain import alterations, changes, decisions, erasure, evidence, facts, glass, labels, moves

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from workflow.domain.record import Record
    from workflow.domain.scene import Scene

TRIGGERS: Mapping[type[act.Action], str] = {
    act.RecordEvidence: "record",
    act.RetractEvidence: "record",
    act.AskException: "record",
    act.RefuseProposal: "record",
    act.AddIdentity: "record",
    act.RemoveIdentity: "record",
    act.MovePlaybook: "record",
    act.AssignCase: "note",
    act.AddNote: "note",
    act.LinkCase: "note",
    act.LabelCase: "note",
    act.ReportRestriction: "note",
    act.ObserveRestriction: "note",
    act.RequestUnblock: "request",
    act.WithdrawRequest: "end_request",
    act.RejectRequest: "end_request",
    act.ApproveUnblock: "approve",
    act.ReviewApproval: "note",
    act.IntendUnblock: "intend",
    act.RecordAnswer: "answer",
    act.IntendChange: "record",
    act.AnswerChange: "note",
    act.SeeChange: "note",
    act.CloseCase: "close",
    act.DismissCase: "dismiss",
    act.ReopenCase: "reopen",
    act.EraseCase: "erase",
}
"""The arrow each action takes. Opening, and confirming what was proposed, are judged in functions of their own."""

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
    act.LabelCase: labels.labelled,
    act.ObserveRestriction: facts.observed,
    act.RequestUnblock: decisions.requested,
    act.WithdrawRequest: decisions.ended_request,
    act.RejectRequest: decisions.ended_request,
    act.ApproveUnblock: decisions.approved,
    act.ReviewApproval: glass.reviewed,
    act.IntendUnblock: decisions.intended,
    act.RecordAnswer: decisions.answered,
    act.IntendChange: changes.intended,
    act.AnswerChange: changes.answered,
    act.SeeChange: alterations.seen,
    act.CloseCase: decisions.closed,
    act.DismissCase: decisions.dismissal_proposed,
    act.ReopenCase: decisions.reopened,
    act.EraseCase: erasure.proposed,
}
SECONDERS: Mapping[type[act.Action], Callable[[Any, Scene, Any], list[Record]]] = {
    act.AskException: evidence.granted_exception,
    act.RemoveIdentity: facts.identity_removed,
    act.MovePlaybook: moves.moved,
    act.DismissCase: decisions.dismissed,
    act.EraseCase: erasure.erased,
}


def trigger_of(action: act.Action) -> str:
    """Return the arrow an action takes; what waits on an ended case is turned down there."""
    on_ended = isinstance(action, act.RefuseProposal) and action.proposal == erasure.PROPOSAL
    return TRIGGERS[act.EraseCase if on_ended else type(action)]
