"""Unblocking in the connected tenant: read again, record the intent, read, call once, record, and look again (R6).

Nothing is read or called inside a transaction. Microsoft counts successful unblocks against a limit, so a call whose
outcome is not known is never made again: the restricted list and the tenant's own audit log, where the call carries
the intent's key, tell what became of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from workflow.domain import actions as act
from workflow.domain import gate, unblocking
from workflow.domain.agenda import SETTLES
from workflow.domain.playbook import Check
from workflow.domain.private import NOTHING, private
from workflow.domain.record import time_for_people, time_to_text
from workflow.domain.vocabulary import Answer, Kind, Method, RestrictionStatus
from workflow.errors import (
    NotReachedError,
    OutcomeUnknownError,
    PendingError,
    ProviderError,
    UnblockLimitError,
)
from workflow.providers.alterations import succeeded
from workflow.services import casework, checks
from workflow.services.predicates import shown
from workflow.sources import reason

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from workflow.app import App
    from workflow.domain.case import Attempt, Case
    from workflow.domain.playbook import Playbook, Prerequisite
    from workflow.providers.shapes import AuditEvent, Restricted
    from workflow.services.casework import Done
    from workflow.services.checks import Examined, Subject
    from workflow.services.people import Who

ANEW = timedelta(minutes=1)
"""A reading younger than this is not made again before a decision."""
EVERY = timedelta.min
"""No reading is young enough."""
SKEW = timedelta(minutes=2)
"""How far the tenant's clock may be off ours."""
REMOVALS = {Kind.MAILBOX: "Remove-BlockedSenderAddress", Kind.CONNECTOR: "Remove-BlockedConnector"}
"""The operation that the tenant's audit log names for an unblock, by whomever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a look at a case's restriction found. ``case`` is the case after it; ``said`` is for people."""

    case: Case
    status: RestrictionStatus
    observed_at: datetime
    reference: str
    answer: Answer | None = None
    lifted_by: str = ""
    said: str = ""

    def to_data(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "case": self.case.id,
            "case_number": self.case.number,
            "state": self.case.state.value,
            "restriction": self.status.value,
            "observed_at": time_to_text(self.observed_at),
            "reference": self.reference,
            "answer": self.answer.value if self.answer else "",
            "lifted_by": self.lifted_by,
            "message": self.said,
        }


def connected(app: App, case: Case) -> bool:
    """Say whether Holdfast can read this case's restriction in the tenant, and lift it."""
    return app.provider.acts and case.tenant == app.settings.tenant and case.kind in REMOVALS


def refresh(app: App, who: Who, case_id: str) -> Case:
    """Read again, and record, what a decision about an unblock stands on and what is older than a minute.

    What a person attested, and what still stands, is left alone. Where the tenant is not reached nothing is recorded,
    and the decision is judged by what stands and how old it is, unless something has run out.

    Raises:
        NotReadableError: no tenant is connected, or the case is another tenant's.
        HoldfastError: whatever refuses the step.
    """
    subject = checks.read_subject(app, case_id)
    checks.connected(app, subject.case)
    try:
        if _read_again(app, who, subject, ANEW) is not None:
            subject = checks.read_subject(app, case_id)
    except NotReachedError:
        if subject.lapsed:
            raise
        return subject.case
    read_at = subject.case.reading.observed_at
    recent = read_at is not None and subject.now - read_at <= ANEW
    if recent or subject.case.kind not in REMOVALS or subject.case.open_attempt is not None:
        return subject.case
    try:
        return _look(app, checks.asking(app, who, subject), subject).case
    except ProviderError:
        # The restriction is no prerequisite: that it cannot be read keeps nobody from deciding.
        return subject.case


def _read_again(app: App, who: Who, subject: Subject, within: timedelta) -> Examined | None:
    """Make and record the checks behind the gate that are older, or wanting; None where none is."""
    wanted = _wanted(subject, within)
    return checks.check(app, who, subject.case.id, wanted, subject=subject) if wanted else None


def _wanted(subject: Subject, within: timedelta) -> list[str]:
    """Return what is asked again: what the gate lacks, and what it stands on by older checks, alternatives too."""
    case, playbook = subject.case, subject.playbook
    required = [item for item in playbook.required if item.required_by in gate.UNBLOCK_PHASES]
    behind = {name for item in required for name in (item.id, *item.any_of)}
    lacking = {item.prerequisite for item in gate.missing(case, playbook, gate.UNBLOCK_PHASES, subject.now)}
    return [
        item.id
        for item in playbook.prerequisites
        if checks.probe(item)
        and item.check is not Check.SNAPSHOT_SAVED
        and (item.id in lacking or (item.id in behind and _is_old(subject, item, within)))
    ]


def _is_old(subject: Subject, item: Prerequisite, within: timedelta) -> bool:
    """Say whether an answer that a check gave is older; an action taken is looked at again as well, if it shows."""
    found = [(about, subject.case.evidence.get((item.id, about))) for about in gate.people(subject.case, item)]
    return any(
        one is not None
        and one.method is Method.CHECKED
        and subject.now - one.observed_at > within
        and not gate.tenant_wide(item, one)
        and gate.applies(subject.case, item, about) is not False
        for about, one in found
    )


def _all_read(examined: Examined | None, playbook: Playbook) -> None:
    """Refuse to unblock where an answer that could not be had again would stand as it was.

    What was done once, such as a reset, needs no new answer where the tenant keeps it from being read.

    Raises:
        NotReachedError: says what could not be read.
    """
    kept = [item for item in (examined.checks if examined else ()) if not item.recorded]
    readings = {item.id for item in playbook.prerequisites if item.fresh_within is not None}
    unread = [f"{item.prerequisite}: {item.note}" for item in kept if item.unread or item.prerequisite in readings]
    if unread:
        message = (
            f"Nothing was called: everything is read again before an unblock, and this cannot be. {' '.join(unread)}"
        )
        raise NotReachedError(message)


def decide(app: App, who: Who, case_id: str, decision: act.Decision) -> Done:
    """Take a decision about an unblock on what the tenant shows now.

    It is sent with the evidence digest that its author was shown, and with the version after the readings: reading the
    same again is no change that they would have to look at.

    Raises:
        ConflictError: the tenant shows something else than its author saw.
        HoldfastError: as :func:`refresh`, and whatever refuses the decision.
    """
    case = refresh(app, who, case_id)
    return casework.perform(app, who, case_id, replace(decision, seen_version=case.version))


def look(app: App, who: Who, case_id: str, *, subject: Subject | None = None) -> Seen:
    """Read the restriction of a case once and record it; what came of an open unblock attempt is found out on the way.

    An absence that no unblock of ours explains is recorded with the actor whom the tenant's audit log names.
    ``subject`` is the case, where it was read a moment ago.

    Raises:
        NotReadableError: no tenant is connected, or nothing can be read of this kind.
        PendingError: another process began an unblock so recently that it may still be at it.
        ProviderError: the tenant did not answer; nothing was recorded.
        HoldfastError: whatever refuses the step.
    """
    subject = subject or checks.read_subject(app, case_id)
    checks.connected(app, subject.case)
    attempt = subject.case.open_attempt
    if attempt is not None and attempt.answer is None and app.now() - attempt.intended_at < SETTLES:
        raise PendingError(f"An unblock is under way since {time_for_people(attempt.intended_at)}.")
    return _look(app, checks.asking(app, who, subject), subject)


def _look(app: App, who: Who, subject: Subject, *, ask_log: bool = True) -> Seen:
    case, tenant = subject.case, app.provider
    found = tenant.restriction(case.kind, subject.entity)
    status = status_of(found.value)
    reference, lifted = checks.source(found.read), None
    attempt, answer, said = case.open_attempt, None, ""
    if status is RestrictionStatus.NOT_LISTED and case.absent_at is None and attempt is None:
        lifted = _lifted(app, subject, found.read.at)
    observation = act.ObserveRestriction(
        status=status,
        observed_at=found.read.at,
        method=Method.CHECKED,
        reference=private(shown("; ".join(filter(None, (reference, f"audit record {lifted.id}" if lifted else ""))))),
        lifted_by=private(shown(lifted.actor)) if lifted else NOTHING,
        lifted_at=lifted.at if lifted else None,
    )
    actions: list[act.Action] = [observation]
    if ask_log and attempt is not None and attempt.answer is None:
        answer, said = _outcome(app, subject, attempt, status)
        if answer is not None:
            # An answer that ends the attempt is given before the reading; "done" too, as it came about first.
            actions.insert(0, act.RecordAnswer(answer=answer, reference=private(shown(said))))
    done = casework.perform(app, who, case.id, *actions)
    return Seen(
        case=done.case,
        status=status,
        observed_at=found.read.at,
        reference=reference,
        answer=answer,
        lifted_by=lifted.actor if lifted else "",
        said=said,
    )


def unblock(app: App, who: Who, case_id: str, decision: act.IntendUnblock | None = None) -> Seen:
    """Lift the restriction of a case whose unblock was approved, and say what came of it.

    Args:
        app: the app.
        who: who starts it: a person, or the machine.
        case_id: the case.
        decision: the intent, with the picture its author was shown.

    Raises:
        NotReadableError: no tenant is connected, or the case is another tenant's.
        PendingError: another process has started it.
        ProviderError: the tenant could not be read before the intent; nothing was recorded or called.
        HoldfastError: whatever refuses the intent; nothing is called then.
    """
    subject = checks.read_subject(app, case_id)
    checks.connected(app, subject.case)
    machine = checks.asking(app, who, subject)
    if subject.case.open_attempt is None and subject.case.request is not None:
        # Whatever their time says, which a wrong clock may have given them: nothing is called on readings from before.
        _all_read(_read_again(app, who, subject, EVERY), subject.playbook)
        subject = checks.read_subject(app, case_id)
        before = _look(app, machine, subject)
        if before.status is RestrictionStatus.NOT_LISTED:
            return before
    intent = replace(decision or act.IntendUnblock(), by_call=True)
    done = casework.perform(app, who, case_id, intent)
    attempt = done.case.open_attempt
    assert attempt is not None  # noqa: S101 - an intent opens one
    answer, said = _call(app, subject, attempt)
    if answer is not None:
        casework.perform(app, machine, case_id, act.RecordAnswer(answer=answer, reference=private(shown(said))))
    try:
        seen = _look(app, machine, checks.read_subject(app, case_id), ask_log=False)
    except ProviderError as error:
        # What was done stands recorded; another look, later, finds out the rest.
        case, now = checks.read_subject(app, case_id).case, app.now()
        unread = f"{said} {shown(str(error))}"
        return Seen(
            case=case, status=RestrictionStatus.UNKNOWN, observed_at=now, reference="", answer=answer, said=unread
        )
    return replace(seen, answer=answer, said=said)


def _call(app: App, subject: Subject, attempt: Attempt) -> tuple[Answer | None, str]:
    """Read once more and call once; returns the answer, None where nobody knows, and what was said."""
    kind, entity = subject.case.kind, subject.entity
    try:
        if app.provider.restriction(kind, entity).value is None:
            return None, "It was gone already; nothing was called."
        answer = app.provider.unblock(kind, entity, f"Holdfast case {subject.case.number}, intent {key(attempt)}")
    except OutcomeUnknownError as error:
        return None, shown(str(error))
    except UnblockLimitError as error:
        return Answer.SUPPORT, shown(str(error))
    except ProviderError as error:
        return Answer.FAILED, shown(str(error))
    return Answer.DONE, checks.source(answer.read)


def key(attempt: Attempt) -> str:
    """Return what an unblock carries into the tenant's log, so that it can be told whose it was."""
    return unblocking.key(attempt.leaf)


def _outcome(app: App, subject: Subject, attempt: Attempt, status: RestrictionStatus) -> tuple[Answer | None, str]:
    """Find out what became of a call to which no answer is recorded; None while nobody can tell."""
    if status is RestrictionStatus.NOT_LISTED:
        return None, "No answer is recorded; the restriction is gone."
    try:
        ours = [item for item in _removals(app, subject, attempt.intended_at) if key(attempt) in _reason(item)]
    except ProviderError as error:
        return None, f"The tenant's audit log could not be read: {shown(str(error))}"
    if ours:
        return Answer.DONE, f"No answer came; audit record {ours[0].id} shows the call."
    known_by = unblocking.known_by(attempt)
    if known_by is not None and app.now() < known_by:
        # A wrong "failed" invites a second unblock, which Microsoft counts.
        by = time_for_people(known_by)
        return None, f"No answer is recorded, and the tenant's audit log shows no call yet: it is sure to by {by}."
    return Answer.FAILED, "No answer came, and the tenant's audit log shows no call."


def _lifted(app: App, subject: Subject, until: datetime) -> AuditEvent | None:
    """Return the newest removal by somebody else since the restriction; None where the log tells of none."""
    since = subject.case.boundary or subject.now
    try:
        found = [item for item in _removals(app, subject, since) if item.actor and item.at <= until]
    except ProviderError:
        return None
    return max(found, key=lambda item: item.at, default=None)


def _removals(app: App, subject: Subject, since: datetime) -> list[AuditEvent]:
    """Return what the tenant's log tells of removals of this entity; clocks may differ by a minute."""
    wanted = subject.entity.casefold()
    events = removals(app, subject.case.kind, since - SKEW, app.now() + SKEW)
    return [item for item in events if wanted in {value.casefold() for _, value in item.details}]


def removals(app: App, kind: Kind, since: datetime, until: datetime) -> Iterator[AuditEvent]:
    """Yield what the tenant's log tells of unblocks of one kind, by whomever, that were carried out.

    Raises:
        ProviderError: the log cannot be read.
    """
    return filter(succeeded, app.provider.audit_log((REMOVALS[kind],), since, until))


def _reason(event: AuditEvent) -> str:
    return dict(event.details).get("Reason", "")


def status_of(found: Restricted | None) -> RestrictionStatus:
    """Return what a row of the list, or that there is none, says of the restriction."""
    if found is None:
        return RestrictionStatus.NOT_LISTED
    return reason.status(found.reason, temporary=found.temporary)
