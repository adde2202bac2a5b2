"""Breaking the glass: one person's approval where no second person can be had, reviewed by somebody else afterwards.

It stands in for the second person (the approver who requested, or whose own work the gate stands on) and for nothing
else: no prerequisite, no role, no other team, no second approval of one request. A setting, off unless turned on, lets
it happen; what the ledger says of that setting is what counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.domain import access, facts
from workflow.domain.playbook import BreakGlass, Condition, Team
from workflow.domain.vocabulary import EntryType, Kind, Role
from workflow.errors import InputError, ReviewOwedError, RuleRefusedError, SamePersonError

if TYPE_CHECKING:
    from workflow.domain import actions as act
    from workflow.domain.case import Case
    from workflow.domain.playbook import Playbook
    from workflow.domain.record import Record
    from workflow.domain.scene import Scene


def never(case: Case, playbook: Playbook) -> str:
    """Say why nobody breaks the glass in this case, or return "" where it may be done."""
    if case.kind is Kind.CONNECTOR:
        return "A connector is never unblocked on one person's word."
    if playbook.break_glass is not BreakGlass.ALLOWED:
        return f"Playbook {playbook.name!r} never lets one person stand in for the second."
    if case.facts.get(Condition.HAS_ROLES) or any(identity.had_roles for identity in case.identities.values()):
        # One person who says that the roles are gone does not do away with the second person.
        return "This case is about an account with administrator roles: it always takes a second person."
    return ""


def broken(action: act.ApproveUnblock, scene: Scene) -> str:
    """Judge an approval that breaks the glass; returns the leaf of the log's entry that turned the setting on.

    The setting comes last: every other ground is a matter of the case itself, and reads the same in a replay.

    Raises:
        InputError: no reason is given, or several cases are approved together.
        RuleRefusedError: never in this case, not needed, or turned off.
        SamePersonError: it would be for an identity, the same team, or the second approval of a request.
    """
    case, actor = scene.case, scene.actor
    facts.need_reason(action.reason, "breaking the glass")
    if action.bulk:
        message = "The glass is broken for one case at a time: approve this one alone."
        raise InputError(message)
    why = never(case, scene.playbook)
    if why:
        raise RuleRefusedError(
            f"{why} An approver or a lead who did none of its work approves.", access.names(access.SECOND)
        )
    access.fresh_eyes(case, actor, other_team=scene.playbook.approval_team is Team.OTHER)
    if any(item.break_glass for item in case.approvals):
        message = "One approval of this request broke the glass already: the other comes from an independent person."
        raise SamePersonError(message, access.names(access.SECOND))
    if not access.own_work(case, actor):
        message = "You are a second person here: approve without --break-glass."
        raise RuleRefusedError(message)
    if not scene.setting:
        message = "Breaking the glass is turned off here (the setting break_glass): an independent person approves."
        raise RuleRefusedError(message, access.names(access.SECOND))
    return scene.setting


def no_review_owed(case: Case) -> None:
    """Refuse to end a case while an approval that broke the glass is not reviewed.

    Raises:
        ReviewOwedError: names the approvals' entries, who reviews them, and how.
    """
    if case.unreviewed:
        which = ", ".join(str(item.sequence) for item in case.unreviewed)
        message = (
            f"An approval broke the glass (entry {which}) and is not reviewed: an approver or a lead other than its "
            f"giver says whether that was justified, with 'holdfast case review {case.number}'."
        )
        raise ReviewOwedError(message, access.names(access.SECOND))


def reviewed(action: act.ReviewApproval, scene: Scene) -> list[Record]:
    """Record what somebody else found about every approval of the case that broke the glass and is not reviewed.

    Raises:
        RuleRefusedError: nothing waits for a review.
        SamePersonError: the reviewer broke it, or is automation.
    """
    owed = scene.case.unreviewed
    if not owed:
        message = "No approval of this case broke the glass and waits for a review."
        raise RuleRefusedError(message)
    facts.need_reason(action.reason, "a review")
    if Role.SYSTEM in scene.actor.roles:
        message = "Automation reviews nothing."
        raise SamePersonError(message, access.names(access.SECOND))
    if any(item.by == scene.actor.id for item in owed):
        message = "You broke the glass yourself: an approver or a lead other than you reviews it."
        raise SamePersonError(message, access.names(access.SECOND))
    basis = {"approvals": [item.sequence for item in owed]}
    cites = tuple(item.leaf for item in owed)
    return [scene.record(EntryType.APPROVAL_REVIEWED, action, after=scene.case.state, basis=basis, cites=cites)]
