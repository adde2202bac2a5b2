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
    act.AddIdentity: WORKERS | MACHINE,
    act.RemoveIdentity: WORKERS,
    act.LinkCase: WORKERS,
    act.LabelCase: WORKERS,
    act.MovePlaybook: WORKERS,
    act.RequestUnblock: WORKERS,
    act.WithdrawRequest: WORKERS,
    act.ApproveUnblock: SECOND,
    act.ReviewApproval: SECOND,
    act.RejectRequest: SECOND,
    act.IntendUnblock: WORKERS | MACHINE,
    act.RecordAnswer: WORKERS | MACHINE,
    act.IntendChange: WORKERS | MACHINE,
    act.AnswerChange: WORKERS | MACHINE,
    act.SeeChange: MACHINE,
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
    needs(actor, PERMITTED[type(action)], repr(action.name))


def needs(actor: Actor, allowed: frozenset[Role], what: str) -> None:
    """Refuse somebody who has none of the roles that ``what`` takes.

    Raises:
        NotPermittedError: the message names the roles that may.
    """
    if not allowed.intersection(actor.roles):
        roles = names(allowed)
        able = f"it needs one of: {', '.join(roles)}" if roles else "only Holdfast itself does that"
        message = f"Your roles do not include {what}; {able}."
        raise NotPermittedError(message, roles)


def names(roles: frozenset[Role]) -> tuple[str, ...]:
    """Name the roles that people hold, in the order of their list."""
    return tuple(role.value for role in Role if role in roles and role is not Role.SYSTEM)


def is_subject(case: Case, actor: Actor) -> bool:
    """Say whether the actor is the restricted entity or one of the compromised users."""
    involved = {case.entity, *case.identities}
    return actor.id in involved or not involved.isdisjoint(actor.identities)


def not_a_subject(case: Case, actor: Actor, able: frozenset[Role] = SECOND) -> None:
    """Refuse any step by somebody the case is about: no gate is satisfied through the restricted entity.

    ``able`` are the roles that may take the step.

    Raises:
        SamePersonError: the actor is an identity of the case.
    """
    if is_subject(case, actor):
        message = "This case is about your own account: somebody else has to work on it."
        raise SamePersonError(message, names(able))


def second_person(case: Case, actor: Actor, first: str, what: str) -> None:
    """Refuse when the second person of a two-person step is the first one.

    Raises:
        SamePersonError: the same person, by opaque subject id.
    """
    not_a_subject(case, actor)
    if Role.SYSTEM in actor.roles:
        message = "Automation is nobody's second person."
        raise SamePersonError(message, names(SECOND))
    if actor.id == first:
        message = f"You asked for {what} yourself: a second person has to agree to it."
        raise SamePersonError(message, names(SECOND))


def may_approve(case: Case, actor: Actor, *, other_team: bool) -> None:
    """Refuse an approver who is the requester, an identity, or whose own work the gate stands on (R4).

    Raises:
        SamePersonError: with the reason.
    """
    not_a_subject(case, actor)
    why = own_work(case, actor)
    if why:
        raise SamePersonError(why, names(SECOND))
    fresh_eyes(case, actor, other_team=other_team)


def own_work(case: Case, actor: Actor) -> str:
    """Say why the actor is not the second person of the standing request, or return "" where they are."""
    if case.request is not None and actor.id == case.request.by:
        return "You requested this unblock: somebody else has to approve it."
    if actor.id in case.hands:
        return (
            "You recorded a required prerequisite, an identity or an exception of this case: somebody else approves it."
        )
    return ""


def fresh_eyes(case: Case, actor: Actor, *, other_team: bool) -> None:
    """Refuse who has approved this request already, or is of the requester's team where the playbook wants another.

    Raises:
        SamePersonError: with the reason.
    """
    request = case.request
    if any(approval.by == actor.id for approval in case.approvals):
        message = "You have approved this request already: the next approval has to come from somebody else."
        raise SamePersonError(message, names(SECOND))
    if other_team and request is not None and (not actor.team or not request.team or actor.team == request.team):
        message = "This playbook wants an approver from another team than the requester's; settings name the teams."
        raise SamePersonError(message, names(SECOND))
