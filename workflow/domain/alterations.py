"""Judging what the tenant's log shows was done to an account of a case: by an intent of ours, or by somebody else.

What others did becomes an entry, which moves nothing and is evidence of nothing: only a reading tells what is so now.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from workflow.domain.facts import not_in_the_future
from workflow.domain.reconciliation import SKEW
from workflow.domain.vocabulary import Alteration, Change, EntryType, Made
from workflow.errors import EvidenceRefusedError, InputError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from workflow.domain import actions as act
    from workflow.domain.case import Case, TenantChange
    from workflow.domain.record import Record
    from workflow.domain.scene import Scene

_OURS: Mapping[Alteration, frozenset[tuple[Change, bool]]] = {
    Alteration.SIGN_IN_BLOCKED: frozenset({(Change.BLOCK_SIGN_IN, False)}),
    Alteration.PASSWORD_SET: frozenset({(Change.RESET_PASSWORD, False)}),
    # A directory ends the sessions of whoever gets another password, and writes that down beside it.
    Alteration.SESSIONS_REVOKED: frozenset({(Change.REVOKE_SESSIONS, False), (Change.RESET_PASSWORD, False)}),
    Alteration.METHOD_REMOVED: frozenset({(Change.REMOVE_METHOD, False)}),
    Alteration.CONSENT_REMOVED: frozenset({(Change.REMOVE_CONSENT, False)}),
    Alteration.ROLE_REMOVED: frozenset({(Change.REMOVE_ROLE, False)}),
    Alteration.ROLE_GIVEN: frozenset({(Change.REMOVE_ROLE, True)}),
    Alteration.FORWARDING_CLEARED: frozenset({(Change.CLEAR_FORWARDING, False)}),
    Alteration.FORWARDING_SET: frozenset({(Change.CLEAR_FORWARDING, True)}),
    Alteration.RULE_OFF: frozenset({(Change.DISABLE_RULE, False)}),
    Alteration.RULE_ON: frozenset({(Change.DISABLE_RULE, True)}),
    Alteration.RIGHT_REMOVED: frozenset({(Change.REMOVE_DELEGATE, False)}),
    Alteration.RIGHT_GIVEN: frozenset({(Change.REMOVE_DELEGATE, True)}),
    Alteration.RIGHTS_SET: frozenset({(Change.REMOVE_DELEGATE, False), (Change.REMOVE_DELEGATE, True)}),
}
"""Which changes of ours alter an account so, and whether by taking them back. What is not here we never do."""
_FINGERPRINT = re.compile(r"[0-9a-f]{64}").fullmatch


def within(case: Case, at: datetime) -> bool:
    """Say whether it was done while the case was about the account: since the restriction, and until the case ended."""
    if case.opened_at is None:
        return False
    begins = min(case.opened_at, case.boundary or case.opened_at)
    return begins <= at and (case.ended_at is None or at <= case.ended_at)


def explained_by(case: Case, action: act.SeeChange) -> int:
    """Return the sequence of the intent of ours that explains what was done, 0 where none does.

    It explains what was done under our own name, to that account, and not before it or after its answer, by however
    much clocks may differ (:mod:`~workflow.domain.reconciliation`). While there is no answer nobody knows when it was
    made; where none was needed it was not.
    """
    if not action.own:
        return 0
    covering = (item for item in case.changes.values() if _covers(case, item, action))
    return next((item.sequence for item in covering), 0)


def _covers(case: Case, intent: TenantChange, action: act.SeeChange) -> bool:
    same = (intent.change, bool(intent.undoes)) in _OURS.get(action.alteration, ())
    if not same or intent.made is Made.NOT_NEEDED or (intent.about or case.entity) not in action.accounts:
        return False
    ends = intent.made_at
    return intent.at - SKEW <= action.altered_at and (ends is None or action.altered_at <= ends + SKEW)


def seen(action: act.SeeChange, scene: Scene) -> list[Record]:
    """Record what somebody else did, each record of the log once; nothing where ours explains it, or it is out of time.

    Raises:
        InputError: it does not say of which record it is.
        NotFoundError: the case is about no such account.
        EvidenceRefusedError: nothing says where it can be checked, or it lies in the future.
    """
    case = scene.case
    if not _FINGERPRINT(action.fingerprint):
        message = "A record of the tenant's log is known by a fingerprint of 64 hexadecimal digits."
        raise InputError(message)
    if not action.accounts or not {case.entity, *case.identities}.issuperset(action.accounts):
        message = "That account is not named in this case."
        raise NotFoundError(message)
    if not action.reference:
        message = "Say which record of the tenant's log shows it."
        raise EvidenceRefusedError(message)
    not_in_the_future(action.altered_at, scene.now)
    if action.fingerprint in case.altered or not within(case, action.altered_at) or explained_by(case, action):
        return []
    return [scene.record(EntryType.CHANGE_SEEN, action)]
