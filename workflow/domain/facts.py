"""Judging what people and automation say is so: restrictions and readings of them, identities, notes, links.

Facts are never refused for being unwelcome, only for being impossible. What they mean for the case is concluded
afterwards, by ``settle``. Answers to prerequisites have a room of their own (``evidence``).
"""

from __future__ import annotations

import re
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from workflow.domain import access
from workflow.domain import actions as act
from workflow.domain.playbook import Condition
from workflow.domain.record import Record, time_for_people, time_to_text
from workflow.domain.restriction import AUTHORITATIVE, Source
from workflow.domain.vocabulary import (
    ENDED,
    PRESENT,
    EntryType,
    Kind,
    Resolution,
    RestrictionStatus,
    Role,
    State,
)
from workflow.errors import (
    EvidenceRefusedError,
    InputError,
    NotFoundError,
    NotPermittedError,
    SamePersonError,
    WrongStateError,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from workflow.domain.case import Case
    from workflow.domain.playbook import Playbook
    from workflow.domain.scene import Scene

BOUNCES_LINGER = timedelta(hours=24)
"""After an unblock mail may bounce until the change has propagated (Microsoft: at most 24 hours)."""
MOST_IDENTITIES = 20
"""Compromised users of one case; what stands on all their evidence has to fit one entry. More are linked cases."""
MOST_LINKS = 20
"""Links of one case, so that their states fit one entry."""

_RELATION = re.compile(r"[a-z]+(?:-[a-z]+)*").fullmatch
_LONGEST_RELATION = 30


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
    effect = _effect(case, playbook, report, now)
    if case.erased_at is not None:
        # Nothing is added to an erased case: what it knows of is old, and what is new is a case of its own.
        return Effect.KNOWN if effect is Effect.SEEN else Effect.NEW_CASE
    return effect


def _effect(case: Case, playbook: Playbook, report: act.ReportRestriction, now: datetime) -> Effect:
    moment = report.restricted_at or report.observed_at
    if report.reading and case.absent_at is not None:
        # What is read as listed after it was seen gone is restricted again, whenever the list says that it began.
        moment = report.observed_at
    if moment is None or report.status is RestrictionStatus.NOT_LISTED:
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
    """Open a case; ``scene.case`` is an empty one that has only its id.

    Raises:
        WrongStateError: it was opened before.
        InputError: the playbook is for other kinds, a fact is unknown, too many users, a time in the future.
        SamePersonError: it would be about the opener's own account.
    """
    if scene.case.opened_at is not None:
        message = "This case is open already; a case is opened once."
        raise WrongStateError(message, possible=("report", "reopen"))
    if action.kind not in scene.playbook.kinds:
        kinds = ", ".join(kind.value for kind in scene.playbook.kinds)
        message = f"Playbook {scene.playbook.name!r} is for {kinds}; this case is about a {action.kind.value}."
        raise InputError(message)
    _known_facts(action.facts)
    _not_too_many(set(action.identities))
    if not {action.entity, *action.identities}.isdisjoint({scene.actor.id, *scene.actor.identities}):
        message = "This case would be about your own account: somebody else has to open it."
        raise SamePersonError(message, access.names(access.WORKERS))
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
    if max(boundary, observed_at or now) > now:
        message = "The restriction's time lies in the future; check the time and its zone."
        raise InputError(message)
    basis: dict[str, object] = {"boundary": time_to_text(boundary)}
    if restricted_at is not None:
        basis |= {"restricted_at": time_to_text(restricted_at), "dated": source in AUTHORITATIVE}
    return basis


def reported(action: act.ReportRestriction, scene: Scene) -> Record:
    """Note that a known occurrence was reported again; a better date or a newer reading is taken over."""
    case = scene.case
    basis: dict[str, object] = {}
    seen_at = action.observed_at or scene.now
    if max(seen_at, action.restricted_at or seen_at) > scene.now:
        message = "The report's time lies in the future; check the time and its zone."
        raise InputError(message)
    better = action.restricted_at is not None and (
        case.restricted_at is None or (action.source in AUTHORITATIVE and not case.dated)
    )
    if better and action.restricted_at is not None:
        basis["restricted_at"] = time_to_text(action.restricted_at)
        basis["dated"] = action.source in AUTHORITATIVE
    known = case.reading.status
    newer = case.reading.observed_at is None or seen_at >= case.reading.observed_at
    news = action.reading or known is not action.status
    if newer and case.absent_at is None and action.status in PRESENT and news:
        basis["reads"] = known is RestrictionStatus.UNKNOWN or action.source in AUTHORITATIVE
    moves = bool(basis.get("restricted_at") or basis.get("reads"))
    after = case.state if moves and case.state not in ENDED else None
    return scene.record(EntryType.RESTRICTION_SEEN, action, after=after, basis=basis if after else {})


def returned(action: act.ReportRestriction | act.ObserveRestriction, scene: Scene) -> Record:
    """Begin the next recurrence: the entity was restricted again."""
    source = action.source if isinstance(action, act.ReportRestriction) else Source.PORTAL
    restricted_at = action.restricted_at if isinstance(action, act.ReportRestriction) else None
    absent_at = scene.case.absent_at
    if restricted_at is not None and absent_at is not None and restricted_at <= absent_at:
        # That beginning is the earlier occurrence's; of this one no more is known than when it was read.
        restricted_at = None
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
    not_in_the_future(action.observed_at, scene.now)
    if action.lifted_at is not None:
        not_in_the_future(action.lifted_at, scene.now)
    last = case.reading.observed_at
    stale = last is not None and action.observed_at < last
    if action.status in PRESENT and case.absent_at is not None:
        # What is later than the absence has begun the next recurrence; what is not later is older news.
        stale = True
    if stale:
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


def not_in_the_future(moment: datetime, now: datetime) -> None:
    """Refuse what claims to have been observed later than now."""
    if moment > now:
        message = f"{time_for_people(moment)} lies in the future (it is {time_for_people(now)}); check time and zone."
        raise EvidenceRefusedError(message)


def identified(action: act.AddIdentity, scene: Scene) -> list[Record]:
    """Name a compromised user, or record facts about one already named."""
    _known_facts(action.facts)
    named = scene.case.identities
    if Role.SYSTEM in scene.actor.roles and (action.subject not in named or not all(action.facts.values())):
        # What it did itself is a fact it knows; who was compromised, and what does not hold of them, people say.
        message = "Automation names nobody compromised, and says of nobody what does not hold."
        raise NotPermittedError(message, access.names(access.WORKERS))
    _not_too_many({*named, action.subject})
    known = dict(named[action.subject].facts) if action.subject in named else {}
    turned = [name for name, value in action.facts.items() if not value and known.get(name, scene.case.facts.get(name))]
    if turned and not action.reference:
        message = f"This case records that {', '.join(sorted(turned))} holds: say with --ref where the opposite shows."
        raise EvidenceRefusedError(message)
    return [scene.record(EntryType.IDENTITY_ADDED, action, after=scene.case.state)]


def _known_facts(given: Iterable[str]) -> None:
    unknown = set(given) - {condition.value for condition in Condition}
    if unknown:
        message = f"Not a known fact: {', '.join(sorted(unknown))}."
        raise InputError(message)


def _not_too_many(subjects: set[str]) -> None:
    if len(subjects) > MOST_IDENTITIES:
        message = f"A case names at most {MOST_IDENTITIES} compromised users: open linked cases for the others."
        raise InputError(message)


def removal_proposed(action: act.RemoveIdentity, scene: Scene) -> list[Record]:
    """Propose that a named user was not compromised; requirements fall away, so a second person confirms."""
    key = f"identity:{action.subject}"
    not_waiting(scene, key)
    _may_remove(action, scene)
    basis = {"proposal": key, "hands": True}
    return [scene.record(EntryType.PROPOSAL_MADE, action, after=scene.case.state, basis=basis)]


def _may_remove(action: act.RemoveIdentity, scene: Scene) -> None:
    case = scene.case
    if action.subject not in case.identities:
        message = "That user is not named in this case."
        raise NotFoundError(message)
    if len(case.identities) == 1 and case.kind is not Kind.CONNECTOR:
        message = "A case keeps at least one compromised user: add the right one first, then remove this one."
        raise EvidenceRefusedError(message)
    need_reason(action.reason, "a removal")


def identity_removed(action: act.ConfirmProposal, scene: Scene, proposed: act.RemoveIdentity) -> list[Record]:
    """Confirm the removal, if the user is still named and not the last one."""
    _may_remove(proposed, scene)
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
    if len(action.relation) > _LONGEST_RELATION or not _RELATION(action.relation):
        message = "A relation is one word in small letters, such as 'related' or 'admin'."
        raise InputError(message)
    if len(scene.case.links) >= MOST_LINKS:
        message = f"A case has at most {MOST_LINKS} links."
        raise InputError(message)
    return [scene.record(EntryType.CASE_LINKED, action)]


def not_waiting(scene: Scene, key: str) -> None:
    """Refuse to replace what waits for a second person, who may be about to confirm what stands there.

    Raises:
        WrongStateError: something of that name waits already.
    """
    if key in scene.case.proposals:
        message = f"{key!r} waits for a second person already: it is confirmed, or turned down before it is asked anew."
        raise WrongStateError(message, possible=("confirm", "refuse"))


def need_reason(reason: object, what: str) -> None:
    """Refuse when nothing was given as the reason."""
    if not reason:
        message = f"{what[0].upper()}{what[1:]} needs a reason: give one with --reason."
        raise InputError(message)
