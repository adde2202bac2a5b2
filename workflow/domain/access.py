"""Who may do what (roles), and who may not do it to this case (separation of duties, R4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.domain import actions as act
from workflow.domain.vocabulary import Role
from workflow.errors import NotPermittedError, SamePersonError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workflow.domain.case import Case
    from workflow.domain.record import Actor

WORKERS = frozenset({Role.ANALYST, Role.APPROVER, Role.LEAD})
SECOND = frozenset({Role.APPROVER, Role.LEAD})
MACHINE = frozenset({Role.SYSTEM})

PERMITTED: Mapping[type[act.Action], frozenset[Role]] = {
    act.OpenCase: WORKERS | MACHINE,
    act.ReportRestriction: WORKERS | MACHINE,
    act.ObserveRestriction: WORKERS | MACHINE,
    act.RecordEvidence: WORKERS | MACHINE,
    act.RetractEvidence: WORKERS | MACHINE,
    act.AskException: WORKERS,
    act.ConfirmProposal: SECOND,
    act.RefuseProposal: WORKERS,
    act.AssignCase: WORKERS,
    act.AddNote: WORKERS,
    act.AddIdentity: WORKERS,
    act.RemoveIdentity: WORKERS,
    act.LinkCase: WORKERS,
    act.LabelCase: WORKERS,
    act.MovePlaybook: WORKERS,
    act.RequestUnblock: WORKERS,
    act.WithdrawRequest: WORKERS,
    act.ApproveUnblock: SECOND,
    act.RejectRequest: SECOND,
    act.IntendUnblock: WORKERS | MACHINE,
    act.RecordAnswer: WORKERS | MACHINE,
    act.CloseCase: WORKERS,
    act.DismissCase: WORKERS,
    act.ReopenCase: WORKERS,
    act.EraseCase: WORKERS,
}
"""Every action has a row: an action without a declared permission does not start (R11)."""


def permit(actor: Actor, action: act.Action) -> None:
    """Refuse an action that none of the actor's roles include.

    Raises:
        NotPermittedError: the message names the roles that may.
    """
    allowed = PERMITTED[type(action)]
    if not allowed.intersection(actor.roles):
        roles = ", ".join(role.value for role in Role if role in allowed and role is not Role.SYSTEM)
        message = f"Your roles do not include {action.name!r}; it needs one of: {roles}."
        raise NotPermittedError(message)


def is_subject(case: Case, actor: Actor) -> bool:
    """Say whether the actor is the restricted entity or one of the compromised users."""
    involved = {case.entity, *case.identities}
    return actor.id in involved or not involved.isdisjoint(actor.identities)


def not_a_subject(case: Case, actor: Actor) -> None:
    """Refuse any step by somebody the case is about: no gate is satisfied through the restricted entity.

    Raises:
        SamePersonError: the actor is an identity of the case.
    """
    if is_subject(case, actor):
        message = "This case is about your own account: somebody else has to work on it."
        raise SamePersonError(message)


def second_person(case: Case, actor: Actor, first: str, what: str) -> None:
    """Refuse when the second person of a two-person step is the first one.

    Raises:
        SamePersonError: the same person, by opaque subject id.
    """
    not_a_subject(case, actor)
    if Role.SYSTEM in actor.roles:
        message = "Automation is nobody's second person."
        raise SamePersonError(message)
    if actor.id == first:
        message = f"You asked for {what} yourself: a second person has to agree to it."
        raise SamePersonError(message)


def may_approve(case: Case, actor: Actor, *, other_team: bool) -> None:
    """Refuse an approver who is the requester, an identity, or whose own work the gate stands on (R4).

    Raises:
        SamePersonError: with the reason.
    """
    not_a_subject(case, actor)
    request = case.request
    if request is not None and actor.id == request.by:
        message = "You requested this unblock: somebody else has to approve it."
        raise SamePersonError(message)
    if actor.id in case.hands:
        message = (
            "You recorded a required prerequisite, an identity or an exception of this case: somebody else approves it."
        )
        raise SamePersonError(message)
    if any(approval.by == actor.id for approval in case.approvals):
        message = "You have approved this request already: the next approval has to come from somebody else."
        raise SamePersonError(message)
    if other_team and request is not None and (not actor.team or not request.team or actor.team == request.team):
        message = "This playbook wants an approver from another team than the requester's; settings name the teams."
        raise SamePersonError(message)
