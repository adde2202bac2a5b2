"""What a step names has to exist before it is judged: an entry is no place for whatever a face was handed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from workflow import errors
from workflow.domain import actions as act
from workflow.domain.record import time_for_people, time_from_text
from workflow.domain.vocabulary import ENDED, PRESENT, Kind, Method, Outcome
from workflow.errors import ConflictError, HoldfastError, InputError, NotFoundError, RuleRefusedError
from workflow.storage import attachments, cases, subjects

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workflow.domain.case import Case
    from workflow.domain.record import Entry
    from workflow.storage.transaction import Tx

_KEY = re.compile(r"[A-Za-z0-9._:-]{0,64}").fullmatch
_DIGEST = re.compile(r"(?:[0-9a-f]{64})?").fullmatch


def request_key(request: str) -> None:
    """Refuse an idempotency key that does not look like one: it stands in the entry as it is.

    Raises:
        InputError: longer than 64 characters, or others than letters, digits and ``._:-``.
    """
    if not _KEY(request):
        message = "An idempotency key has at most 64 characters, of letters, digits and ._:- only."
        raise InputError(message)


def existing(tx: Tx, case: Case, action: act.Action) -> None:
    """Refuse an action that names what is not here, or opens a case that is open elsewhere; recorded nowhere.

    Raises:
        NotFoundError: it names nothing real.
        InputError: the evidence digest is none.
        RuleRefusedError: as :func:`nowhere_else`.
    """
    for case_id in _cases(action):
        if cases.row(tx, case_id) is None:
            message = "The other case does not exist."
            raise NotFoundError(message, next_step="See them with: holdfast case list --all")
    if _opens_again(case, action):
        nowhere_else(tx, case.tenant, case.kind, case.entity)
    subject = _subject(action)
    # Whom the case is about stays until it is erased itself.
    if subject and subject not in {case.entity, *case.identities} and not subjects.held(tx, subject):
        message = "That person or user is not registered here."
        raise NotFoundError(message)
    if isinstance(action, act.RecordEvidence) and action.attachment and not attachments.known(tx, action.attachment):
        message = "That file is not kept here."
        raise NotFoundError(message, next_step="Attach it with --attach FILE.")
    if isinstance(action, act.Decision) and not _DIGEST(action.seen_digest):
        message = "The evidence digest seen is 64 hexadecimal digits, as the overview showed it."
        raise InputError(message)


def nowhere_else(tx: Tx, tenant: str, kind: Kind, entity: str) -> None:
    """Refuse to open a case by hand, or anew, about what has an open case under another tenant's name.

    Of a mailbox in two cases each one's gate could be passed by; a report of a tool or of the tenant is taken in even
    so, because nothing reported may be lost.

    Raises:
        RuleRefusedError: names that case and its tenant.
    """
    others = cases.open_elsewhere(tx, tenant, kind.value, entity)
    if others:
        told = ", ".join(f"#{other.number} of tenant {other.tenant!r}" for other in others)
        first = others[0]
        message = (
            f"This {kind.value} has an open case under another tenant's name: {told}. Work on that one (holdfast case "
            f"view {first.number}); if it is the wrong tenant, end it first with 'holdfast case dismiss'."
        )
        raise RuleRefusedError(message)


def _opens_again(case: Case, action: act.Action) -> bool:
    """Say whether somebody is about to open an ended case again by hand."""
    if case.state not in ENDED:
        return False
    seen = isinstance(action, act.ObserveRestriction) and action.method is Method.ATTESTED and action.status in PRESENT
    return seen or isinstance(action, act.ReopenCase)


def _cases(action: act.Action) -> tuple[str, ...]:
    if isinstance(action, act.RecordEvidence):
        return action.linked
    if isinstance(action, act.LinkCase):
        return (action.case,)
    return (action.duplicate_of,) if isinstance(action, act.DismissCase) and action.duplicate_of else ()


def _subject(action: act.Action) -> str:
    if isinstance(action, act.AssignCase):
        return action.assignee
    return str(getattr(action, "subject", "") or getattr(action, "about", ""))


def same_step(entries: Sequence[Entry], actions: Sequence[act.Action]) -> None:
    """Let the step that an idempotency key stands for pass again; nothing is written.

    Raises:
        ConflictError: the key was used for another step.
        HoldfastError: the step was refused then, and still is; of the class it was refused with.
    """
    names = {action.name for action in actions}
    if not names.issuperset(entry.action for entry in entries if entry.action):
        message = "This idempotency key stands for another step of this case: use a new one."
        raise ConflictError(message)
    last = entries[-1]
    if last.outcome != Outcome.DONE:
        at = time_for_people(time_from_text(last.recorded_at))
        message = f"This step was refused at {at} already; to try again use a new idempotency key."
        raise _refusals()[last.basis["code"]](message)


def _refusals() -> dict[str, type[HoldfastError]]:
    kinds = [item for item in vars(errors).values() if isinstance(item, type) and issubclass(item, HoldfastError)]
    return {kind.code: kind for kind in kinds}
