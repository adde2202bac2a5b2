"""Judging changes of the tenant: each begins with an intent on the ledger, and what it removes is owed back (R6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.domain import facts
from workflow.domain.changing import ENDINGS
from workflow.domain.record import time_for_people
from workflow.domain.vocabulary import ENDED, EntryType, Made
from workflow.errors import EvidenceRefusedError, NotFoundError, PendingError, RestoreOwedError, WrongStateError

if TYPE_CHECKING:
    from workflow.domain import actions as act
    from workflow.domain.case import Case, TenantChange
    from workflow.domain.record import Record
    from workflow.domain.scene import Scene


def intended(action: act.IntendChange, scene: Scene) -> list[Record]:
    """Record the intent to change the tenant.

    Raises:
        NotFoundError: the case names no such user, or owes nothing at that entry.
        PendingError: the same change of the same account is under way.
    """
    case = scene.case
    if action.about and action.about not in case.identities:
        message = "That user is not named in this case."
        raise NotFoundError(message)
    same = (item for item in case.changes.values() if (item.change, item.about) == (action.change, action.about))
    for item in same:
        if item.made is None:
            message = f"This change is under way since {time_for_people(item.at)} (entry {item.sequence})."
            raise PendingError(message)
    cites: tuple[str, ...] = ()
    if action.undoes:
        removed = _owed(case, action.undoes)
        if (removed.change, removed.about) != (action.change, action.about):
            message = "What is given back is not what that entry removed."
            raise EvidenceRefusedError(message)
        facts.need_reason(action.reason, "giving something back")
        cites = (removed.leaf,)
    return [scene.record(EntryType.CHANGE_INTENDED, action, after=case.state, cites=cites)]


def answered(action: act.AnswerChange, scene: Scene) -> list[Record]:
    """Record what came of a change, or how what it removed ended without another change.

    Raises:
        NotFoundError: there is no such change, or nothing is owed of it.
        WrongStateError: it was answered before.
        EvidenceRefusedError: nothing says where it can be checked.
        InputError: no reason is given for leaving something out.
    """
    case = scene.case
    change = case.changes.get(action.intent)
    if change is None:
        message = f"Entry {action.intent} of this case is no change of the tenant."
        raise NotFoundError(message)
    if action.made in ENDINGS:
        _owed(case, action.intent)
        facts.need_reason(action.reason, "giving something back, or leaving it out,")
        if any(item.undoes == action.intent and item.made is None for item in case.changes.values()):
            message = "It is being given back at this moment."
            raise PendingError(message)
    elif change.made is not None:
        message = f"What came of entry {action.intent} is recorded already: {change.made.value}."
        raise WrongStateError(message)
    if action.made is not Made.LEFT and not action.reference:
        message = "Say where it can be checked what came of the change."
        raise EvidenceRefusedError(message)
    after = None if case.state in ENDED else case.state
    return [scene.record(EntryType.CHANGE_ANSWERED, action, after=after, cites=(change.leaf,))]


def _owed(case: Case, sequence: int) -> TenantChange:
    change = case.changes.get(sequence)
    if change is None or not change.owed:
        owed = ", ".join(str(item.sequence) for item in case.changes.values() if item.owed) or "nothing"
        message = f"Entry {sequence} removed nothing that is still owed back (owed: {owed})."
        raise NotFoundError(message)
    return change


def nothing_owed(case: Case) -> None:
    """Refuse to end a case while a change has no answer, or what was removed is neither given back nor left out.

    Raises:
        RestoreOwedError: names the entries and how they are settled.
    """
    unknown = [item.sequence for item in case.changes.values() if item.made is None]
    if unknown:
        message = (
            f"Nobody knows what came of a change (entry {', '.join(map(str, unknown))}): "
            f"'holdfast case contain {case.number}' finds out by reading."
        )
        raise RestoreOwedError(message)
    owed = [item.sequence for item in case.changes.values() if item.owed]
    if owed:
        message = (
            f"Containment removed what is not given back yet (entry {', '.join(map(str, owed))}): restore each or "
            f"leave it out, with 'holdfast case restore {case.number}'."
        )
        raise RestoreOwedError(message)
