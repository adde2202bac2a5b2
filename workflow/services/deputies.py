"""Who on the list could take a step that somebody else may not: the rules themselves are asked, and nothing is written.

The list says who has the role; the case says whom separation of duties (R4) leaves.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from workflow.domain import access
from workflow.domain import actions as act
from workflow.domain.lifecycle import advance
from workflow.domain.playbook import Team
from workflow.domain.private import Private
from workflow.domain.record import clamp
from workflow.domain.vocabulary import Verdict
from workflow.errors import HoldfastError, NotPermittedError, ReviewOwedError, SamePersonError
from workflow.services import glass
from workflow.services.casework import playbooks_for
from workflow.services.people import Reachable, listed, os_user, reachable, with_role, would_be
from workflow.storage import cases

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workflow.app import App
    from workflow.settings import Person
    from workflow.storage.transaction import Tx


@dataclass(frozen=True, slots=True)
class Able:
    """Who could take a step, people on call first, and what helps where nobody on the list is left."""

    people: tuple[Reachable, ...] = ()
    instead: str = ""


def of_error(app: App, error: HoldfastError, besides: str) -> Able:
    """Return who could take the step that a rule or a missing role refused to ``besides`` ("": the system's user)."""
    roles = error.details().get("roles", ())
    if not roles or not app.settings.people:
        return Able()
    if error.step is None:
        asking = listed(app, besides or os_user())
        left = [person for person in with_role(app, roles) if person is not asking]
        return Able(tuple(reachable(person) for person in left), "" if left else _to_list(roles))
    case_id, action = error.step
    if isinstance(error, ReviewOwedError):
        action = act.ReviewApproval(verdict=Verdict.JUSTIFIED, reason=Private("asked"))
    return _of_step(app, case_id, action, roles)


def of_approval(app: App, case_id: str) -> Able:
    """Return who could approve the request that stands in a case; nobody is named where nobody is listed."""
    return _of_step(app, case_id, act.ApproveUnblock(), access.names(access.SECOND)) if app.settings.people else Able()


def _of_step(app: App, case_id: str, action: act.Action, roles: Sequence[str]) -> Able:
    if isinstance(action, act.Decision):
        # Somebody else looks at the case as it then is.
        action = replace(action, seen_version=None, seen_digest="")
    if isinstance(action, act.ApproveUnblock):
        action = replace(action, break_glass=False)
    with app.database.reading() as tx:
        found = [person for person in with_role(app, roles) if _lets(app, tx, case_id, action, person)]
        if found:
            return Able(tuple(reachable(person) for person in found))
        if not isinstance(action, act.ApproveUnblock):
            return Able(instead=_to_list(roles))
        alone = replace(action, break_glass=True, bulk=0, reason=Private("asked"))
        breakers = [person for person in with_role(app, roles) if _lets(app, tx, case_id, alone, person)]
        case = cases.load(tx, case_id, app.cache)
        other = app.playbook(tx, case.playbook).approval_team is Team.OTHER
    if breakers:
        who = " or ".join(person.name for person in breakers)
        return Able(
            instead=f"{who} can break the glass: holdfast case approve {case.number} --break-glass --reason WHY"
        )
    return Able(instead=_to_list(roles, " of another team than the requester's" if other else ""))


def _to_list(roles: Sequence[str], team: str = "") -> str:
    return f"list somebody else{team} with the role {' or '.join(roles)} under [[people]] in the settings"


def _lets(app: App, tx: Tx, case_id: str, action: act.Action, person: Person) -> bool:
    """Ask the rules; what they say besides of the person (that a step is missing, say) is as true for anybody."""
    case = cases.load(tx, case_id, app.cache)
    now, _ = clamp(app.now(), case.updated_at)
    breaks = isinstance(action, act.ApproveUnblock) and action.break_glass
    try:
        books = playbooks_for(app, tx, case, [action])
        step = advance(case, action, would_be(app, tx, person), books, now, setting=glass.setting(tx, action))
    except HoldfastError:
        return not breaks
    return step.error is None if breaks else not isinstance(step.error, SamePersonError | NotPermittedError)
