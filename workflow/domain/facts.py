"""Judging what people and automation say is so: evidence, exceptions, identities, readings, links.

Facts are never refused for being unwelcome, only for being impossible: observed in the future, before the restriction,
about a step the playbook does not have. What they mean for the case is concluded afterwards, by ``settle``.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from workflow.domain import actions as act
from workflow.domain import gate
from workflow.domain.playbook import Check, Condition, Prerequisite
from workflow.domain.record import Record, time_to_text
from workflow.domain.restriction import AUTHORITATIVE, Source
from workflow.domain.vocabulary import (
    ENDED,
    NEVER_EXCEPTED,
    PRESENT,
    EntryType,
    Kind,
    Resolution,
    RestrictionStatus,
    Result,
    Role,
    State,
)
from workflow.errors import (
    EvidenceRefusedError,
    InputError,
    NotFoundError,
    NotPermittedError,
    WrongStateError,
)

if TYPE_CHECKING:
    from datetime import datetime

    from workflow.domain.case import Case, Evidence
    from workflow.domain.playbook import Playbook
    from workflow.domain.scene import Scene

BOUNCES_LINGER = timedelta(hours=24)
"""After an unblock mail may bounce until the change has propagated (Microsoft: at most 24 hours)."""


class Effect(StrEnum):
    """What a report means for a case that already knows its entity."""

    KNOWN = "known"
    SEEN = "seen"
    RETURNED = "returned"
    NEW_CASE = "new-case"


def judge_report(case: Case, playbook: Playbook, report: act.ReportRestriction, now: datetime) -> Effect:
    """Say what a report of a present restriction means: a re-report, a new occurrence, or a case of its own.

    An occurrence is new when it is later than the last observed absence. Where nobody observed one, only an
    authoritative source with a later beginning than a known authoritative one proves that there was an absence.
    """
    if report.fingerprint and report.fingerprint in case.seen:
        return Effect.KNOWN
    moment = report.restricted_at or report.observed_at
    if moment is None:
        return Effect.SEEN
    later = False
    if case.absent_at is not None:
        linger = BOUNCES_LINGER if report.source is Source.BOUNCE else timedelta(0)
        later = moment > case.absent_at + linger
    elif report.source in AUTHORITATIVE and case.dated and report.restricted_at and case.restricted_at:
        later = report.restricted_at > case.restricted_at
    elif case.state in ENDED and case.ended_at is not None:
        later = moment > case.ended_at
    if not later:
        return Effect.SEEN
    return _again(case, playbook, now)


def _again(case: Case, playbook: Playbook, now: datetime) -> Effect:
    """Say whether a new occurrence reopens this case or wants one of its own (``reopen_within``)."""
    if case.state in ENDED and case.ended_at is not None and now > case.ended_at + playbook.reopen_within:
        return Effect.NEW_CASE
    return Effect.RETURNED


def opened(action: act.OpenCase, scene: Scene) -> Record:
    """Open a case; ``scene.case`` is an empty one that has only its id."""
    basis = _occurrence(action.source, action.restricted_at, action.observed_at, scene.now)
    record = scene.record(EntryType.CASE_OPENED, action, after=State.DETECTED, basis=basis)
    return Record(
        type=record.type,
        actor=record.actor,
        state_before="",
        state_after=record.state_after,
        recurrence=1,
        action=record.action,
        data=record.data,
        basis=record.basis,
        playbook=action.playbook,
    )


def _occurrence(
    source: Source, restricted_at: datetime | None, observed_at: datetime | None, now: datetime
) -> dict[str, object]:
    """Say when the occurrence began, how surely, and from when on evidence counts."""
    boundary = restricted_at or observed_at or now
    if boundary > now:
        message = "The restriction's time lies in the future; check the time and its zone."
        raise InputError(message)
    basis: dict[str, object] = {"boundary": time_to_text(boundary)}
    if restricted_at is not None:
        basis |= {"restricted_at": time_to_text(restricted_at), "dated": source in AUTHORITATIVE}
    return basis


def reported(action: act.ReportRestriction, scene: Scene) -> Record:
    """Note that a known occurrence was reported again; a better date or reading is taken over."""
    case = scene.case
    basis: dict[str, object] = {}
    better = action.restricted_at is not None and (
        case.restricted_at is None or (action.source in AUTHORITATIVE and not case.dated)
    )
    if better and action.restricted_at is not None and action.restricted_at <= scene.now:
        basis["restricted_at"] = time_to_text(action.restricted_at)
        basis["dated"] = action.source in AUTHORITATIVE
    known = case.reading.status
    if case.absent_at is None and action.status in PRESENT and known is not action.status:
        basis["reads"] = known is RestrictionStatus.UNKNOWN or action.source in AUTHORITATIVE
    moves = bool(basis.get("restricted_at") or basis.get("reads"))
    after = case.state if moves and case.state not in ENDED else None
    return scene.record(EntryType.RESTRICTION_SEEN, action, after=after, basis=basis if after else {})


def returned(action: act.ReportRestriction | act.ObserveRestriction, scene: Scene) -> Record:
    """Begin the next recurrence: the entity was restricted again."""
    source = action.source if isinstance(action, act.ReportRestriction) else Source.PORTAL
    restricted_at = action.restricted_at if isinstance(action, act.ReportRestriction) else None
    basis = _occurrence(source, restricted_at, action.observed_at, scene.now)
    return again(action, scene, EntryType.RESTRICTION_RETURNED, basis)


def again(action: act.Action, scene: Scene, kind: EntryType, basis: dict[str, object]) -> Record:
    """Make the record that enters ``detected`` as the next recurrence."""
    record = scene.record(kind, action, after=State.DETECTED, basis=basis)
    return Record(
        type=record.type,
        actor=record.actor,
        state_before=record.state_before,
        state_after=record.state_after,
        recurrence=scene.case.recurrence + 1,
        action=record.action,
        data=record.data,
        basis=record.basis,
        playbook=record.playbook,
    )


def comes_back(action: act.ObserveRestriction, scene: Scene) -> bool:
    """Say whether a reading shows the entity restricted again after it was seen free."""
    case = scene.case
    if action.status not in PRESENT or case.absent_at is None or action.observed_at <= case.absent_at:
        return False
    if _again(case, scene.playbook, scene.now) is Effect.NEW_CASE:
        message = "This case ended too long ago to take the new occurrence: open a new one with 'holdfast case open'."
        raise WrongStateError(message, possible=("open",))
    return True


def observed(action: act.ObserveRestriction, scene: Scene) -> list[Record]:
    """Record a reading. Only an absence after an approved intent can lead to a release (house rule)."""
    case = scene.case
    _not_in_the_future(action.observed_at, scene.now)
    if action.lifted_at is not None:
        _not_in_the_future(action.lifted_at, scene.now)
    last = case.reading.observed_at
    if last is not None and action.observed_at < last:
        return [scene.record(EntryType.RESTRICTION_OBSERVED, action, basis={"stale": True})]
    basis: dict[str, object] = {}
    if action.status is RestrictionStatus.NOT_LISTED and case.state not in {State.RELEASED, *ENDED}:
        basis = _absence(action, scene)
    after = None if case.state in ENDED else case.state
    return [scene.record(EntryType.RESTRICTION_OBSERVED, action, after=after, basis=basis)]


def _absence(action: act.ObserveRestriction, scene: Scene) -> dict[str, object]:
    case, attempt = scene.case, scene.case.open_attempt
    outside = bool(action.lifted_by)
    if attempt is not None:
        lifted_at = action.lifted_at or action.observed_at
        early = action.observed_at < attempt.intended_at or lifted_at < attempt.approved_at
        if not early:
            return {}
        return {"resolution": Resolution.UNBLOCKED_OUTSIDE.value, "ends_attempt": True}
    if case.absent_at is not None and case.resolution is not None and not outside:
        return {}
    expired = case.last_present is RestrictionStatus.TEMPORARY and not outside
    return {"resolution": (Resolution.EXPIRED if expired else Resolution.UNBLOCKED_OUTSIDE).value}


def _not_in_the_future(moment: datetime, now: datetime) -> None:
    if moment > now:
        message = (
            f"{time_to_text(moment)} lies in the future (now is {time_to_text(now)}); check the time and its zone."
        )
        raise EvidenceRefusedError(message)


def prerequisite(scene: Scene, name: str, about: str) -> Prerequisite:
    """Return the playbook's prerequisite, asked of this person or of the entity.

    Raises:
        NotFoundError: no such prerequisite in this playbook, or no such person in this case.
    """
    item = scene.playbook.get(name)
    if item is None:
        message = f"Playbook {scene.playbook.name!r} has no prerequisite {name!r}."
        raise NotFoundError(message)
    if about not in gate.people(scene.case, item):
        message = (
            f"{name!r} is answered per compromised user: name one of this case's with --for."
            if not about
            else f"{name!r} is not answered for that subject in this case."
        )
        raise NotFoundError(message)
    return item


def recorded(action: act.RecordEvidence, scene: Scene) -> list[Record]:
    """Record or confirm the answer to a prerequisite.

    Raises:
        EvidenceRefusedError: in the future, before the restriction, *not applicable* without ``applies_if``, no
            reference for a *met*, or a linked case that is not contained.
    """
    case = scene.case
    item = prerequisite(scene, action.prerequisite, action.about)
    _not_in_the_future(action.observed_at, scene.now)
    if case.boundary is not None and action.observed_at < case.boundary:
        message = (
            f"{item.id!r} was observed at {time_to_text(action.observed_at)}, before the restriction of "
            f"{time_to_text(case.boundary)}: what was done earlier does not count. Do it again, then record it."
        )
        raise EvidenceRefusedError(message)
    if action.result is Result.NOT_APPLICABLE:
        _may_not_apply(item, action, scene)
    elif action.result is Result.MET and not (action.reference or action.attachment):
        message = f"{item.id!r} needs evidence: say where it can be checked (--ref) or attach it (--attach)."
        raise EvidenceRefusedError(message)
    if item.check is Check.LINKED_CASE_CONTAINED and action.result is Result.MET:
        _linked_contained(item, action, scene)
    standing = case.evidence.get((item.id, action.about))
    kind = EntryType.EVIDENCE_RECORDED
    if standing is not None and _unchanged(standing, action):
        kind = EntryType.EVIDENCE_CONFIRMED
    basis: dict[str, object] = {"required": item.required}
    if scene.linked is not None and action.linked:
        basis["linked"] = {other: state.value for other, state in scene.linked.items() if other in action.linked}
    return [scene.record(kind, action, after=case.state, basis=basis)]


def _may_not_apply(item: Prerequisite, action: act.RecordEvidence, scene: Scene) -> None:
    if not item.applies_if:
        message = f"{item.id!r} always applies: this playbook does not accept 'not-applicable' for it."
        raise EvidenceRefusedError(message)
    if gate.applies(scene.case, item, action.about) is True:
        conditions = ", ".join(condition.value for condition in item.applies_if)
        message = f"{item.id!r} does apply: this case records that {conditions} holds."
        raise EvidenceRefusedError(message)
    if not (action.reference or action.note or action.attachment):
        message = f"Say why {item.id!r} does not apply, with --ref or --note."
        raise EvidenceRefusedError(message)


def _linked_contained(item: Prerequisite, action: act.RecordEvidence, scene: Scene) -> None:
    known = {link.case for link in scene.case.links}
    if not action.linked or not known.issuperset(action.linked):
        message = f"{item.id!r} is met by a linked case: link it first with 'holdfast case link'."
        raise EvidenceRefusedError(message)
    states = scene.linked or {}
    if any(states.get(other) not in gate.CONTAINED_OR_BETTER for other in action.linked):
        message = f"{item.id!r}: the linked case is not contained yet."
        raise EvidenceRefusedError(message)


def _unchanged(standing: Evidence, action: act.RecordEvidence) -> bool:
    """Say whether the answer repeats the standing one: same result, value, attachment and linked cases, not older."""
    return (
        standing.result is action.result
        and standing.before == action.before
        and standing.after == action.after
        and standing.attachment == action.attachment
        and standing.linked == action.linked
        and action.observed_at >= standing.observed_at
    )


def retracted(action: act.RetractEvidence, scene: Scene) -> list[Record]:
    """Take an answer or a granted exception back."""
    key = (action.prerequisite, action.about)
    if key not in scene.case.evidence and key not in scene.case.acceptances:
        message = f"Nothing stands recorded for {action.prerequisite!r}, so there is nothing to retract."
        raise NotFoundError(message)
    need_reason(action.reason, "a retraction")
    return [scene.record(EntryType.EVIDENCE_RETRACTED, action, after=scene.case.state)]


def asked_exception(action: act.AskException, scene: Scene) -> list[Record]:
    """Ask for a risk acceptance; another person grants it."""
    item = prerequisite(scene, action.prerequisite, action.about)
    if item.id in NEVER_EXCEPTED or item.exception is None:
        message = f"{item.id!r} cannot be excepted: it has to be met."
        raise EvidenceRefusedError(message)
    if not scene.now < action.expires_at <= scene.now + item.exception.at_most:
        days = item.exception.at_most.total_seconds() / 86400
        message = f"An exception from {item.id!r} ends within {days:g} days from now; choose another --until."
        raise EvidenceRefusedError(message)
    need_reason(action.reason, "an exception")
    about = f"/{action.about}" if action.about else ""
    basis = {
        "proposal": f"exception:{item.id}{about}",
        "hands": True,
        "granted_by": item.exception.granted_by.value,
    }
    return [scene.record(EntryType.PROPOSAL_MADE, action, after=scene.case.state, basis=basis)]


def granted_exception(action: act.ConfirmProposal, scene: Scene, asked: act.AskException) -> list[Record]:
    """Grant what another person asked for."""
    item = prerequisite(scene, asked.prerequisite, asked.about)
    if item.exception is None or item.id in NEVER_EXCEPTED:
        message = f"{item.id!r} cannot be excepted under the playbook now in force."
        raise EvidenceRefusedError(message)
    if not {item.exception.granted_by, Role.LEAD}.intersection(scene.actor.roles):
        message = f"An exception from {item.id!r} is granted by: {item.exception.granted_by.value}."
        raise NotPermittedError(message)
    if asked.expires_at <= scene.now:
        message = "The time asked for has passed; ask again with a later --until."
        raise EvidenceRefusedError(message)
    basis = {"prerequisite": item.id, "about": asked.about, "expires_at": time_to_text(asked.expires_at)}
    return [scene.record(EntryType.EXCEPTION_GRANTED, action, after=scene.case.state, basis=basis)]


def identified(action: act.AddIdentity, scene: Scene) -> list[Record]:
    """Name a compromised user, or record facts about one already named."""
    unknown = set(action.facts) - {condition.value for condition in Condition}
    if unknown:
        message = f"Not a known fact: {', '.join(sorted(unknown))}."
        raise InputError(message)
    return [scene.record(EntryType.IDENTITY_ADDED, action, after=scene.case.state)]


def removal_proposed(action: act.RemoveIdentity, scene: Scene) -> list[Record]:
    """Propose that a named user was not compromised; requirements fall away, so a second person confirms."""
    case = scene.case
    if action.subject not in case.identities:
        message = "That user is not named in this case."
        raise NotFoundError(message)
    if len(case.identities) == 1 and case.kind is not Kind.CONNECTOR:
        message = "A case keeps at least one compromised user: add the right one first, then remove this one."
        raise EvidenceRefusedError(message)
    need_reason(action.reason, "a removal")
    basis = {"proposal": f"identity:{action.subject}", "hands": True}
    return [scene.record(EntryType.PROPOSAL_MADE, action, after=case.state, basis=basis)]


def identity_removed(action: act.ConfirmProposal, scene: Scene, proposed: act.RemoveIdentity) -> list[Record]:
    """Confirm the removal, if the user is still named and not the last one."""
    removal_proposed(proposed, scene)
    basis = {"subject": proposed.subject}
    return [scene.record(EntryType.IDENTITY_REMOVED, action, after=scene.case.state, basis=basis)]


def assigned(action: act.AssignCase, scene: Scene) -> list[Record]:
    """Give the case to a person, or back to the queue."""
    return [scene.record(EntryType.CASE_ASSIGNED, action)]


def noted(action: act.AddNote, scene: Scene) -> list[Record]:
    """Keep a note; it moves nothing."""
    need_reason(action.note, "a note")
    return [scene.record(EntryType.CASE_NOTED, action)]


def linked(action: act.LinkCase, scene: Scene) -> list[Record]:
    """Link another case."""
    if action.case == scene.case.id:
        message = "A case cannot be linked to itself."
        raise InputError(message)
    return [scene.record(EntryType.CASE_LINKED, action)]


def need_reason(reason: object, what: str) -> None:
    """Refuse when nothing was given as the reason."""
    if not reason:
        message = f"{what[0].upper()}{what[1:]} needs a reason: give one with --reason."
        raise InputError(message)
