"""Judging the answers to prerequisites: evidence, its retraction, and exceptions.

Evidence is refused only when it cannot count: observed in the future or before the restriction, without a reference,
about a step that the playbook does not have.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from workflow.domain import access, gate, tenant
from workflow.domain import actions as act
from workflow.domain.facts import need_reason, not_in_the_future, not_waiting
from workflow.domain.playbook import Check, Prerequisite
from workflow.domain.record import Record, time_for_people, time_to_text
from workflow.domain.vocabulary import GOOD, NEVER_EXCEPTED, EntryType, Method, Result, Role
from workflow.errors import EvidenceRefusedError, InputError, NotFoundError, NotPermittedError

if TYPE_CHECKING:
    from datetime import datetime

    from workflow.domain.case import Evidence
    from workflow.domain.playbook import ExceptionRule, Playbook
    from workflow.domain.scene import Scene

LONGEST_ID = 64
"""Characters of a mistyped id that are compared with the known ones."""
MOST_LINKED = 10
"""Linked cases that one answer may stand on."""


def prerequisite(scene: Scene, name: str, about: str) -> Prerequisite:
    """Return the playbook's prerequisite, asked of this person or of the entity.

    Raises:
        NotFoundError: no such prerequisite in this playbook, or no such person in this case.
    """
    item = scene.playbook.get(name)
    if item is None:
        raise unknown(scene.playbook, name)
    if about not in gate.people(scene.case, item):
        message = (
            f"{name!r} is answered per compromised user: name one of this case's with --for."
            if not about
            else f"{name!r} is not answered for that user in this case: leave --for out, or name one of its users."
        )
        raise NotFoundError(message)
    return item


def unknown(playbook: Playbook, name: str) -> NotFoundError:
    """Return the error about a prerequisite that a playbook does not have, with the ids that were probably meant."""
    close = get_close_matches(name[:LONGEST_ID], [item.id for item in playbook.prerequisites])
    meant = f" Was one of these meant: {', '.join(close)}?" if close else ""
    message = f"Playbook {playbook.name!r} has no prerequisite {name!r}.{meant}"
    return NotFoundError(message, next_step="See them with: holdfast case prerequisites CASE")


def recorded(action: act.RecordEvidence, scene: Scene) -> list[Record]:
    """Record or confirm the answer to a prerequisite.

    Raises:
        EvidenceRefusedError: in the future, before the restriction, *not applicable* without ``applies_if``, no
            reference for a *met*, or a linked case that is not contained.
    """
    case = scene.case
    item = prerequisite(scene, action.prerequisite, action.about)
    not_in_the_future(action.observed_at, scene.now)
    if action.tenant_entry or action.expires_at is not None or action.attested_by:
        tenant.judge(item, action, scene)
    elif case.boundary is not None and action.observed_at < case.boundary:
        message = (
            f"{item.id!r} was observed at {time_for_people(action.observed_at)}, before the restriction of "
            f"{time_for_people(case.boundary)}: what was done earlier does not count. Do it again, then record it."
        )
        raise EvidenceRefusedError(message)
    if action.result is Result.NOT_APPLICABLE:
        _may_not_apply(item, action, scene)
    elif action.result is Result.MET and not (action.reference or action.attachment or action.tenant_entry):
        message = f"{item.id!r} needs evidence: say where it can be checked (--ref) or attach it (--attach)."
        raise EvidenceRefusedError(message)
    if item.check is Check.LINKED_CASE_CONTAINED and action.result is Result.MET:
        _linked_contained(item, action, scene)
    standing = case.evidence.get((item.id, action.about))
    if standing is not None and _overruled(standing, action):
        message = (
            f"{item.id!r} was found {standing.result.value} at {time_for_people(standing.observed_at)}, later: "
            "look again now, or retract that answer first."
        )
        raise EvidenceRefusedError(message)
    kind = EntryType.EVIDENCE_RECORDED
    if standing is not None and _unchanged(standing, action):
        kind = EntryType.EVIDENCE_CONFIRMED
    basis: dict[str, object] = {"required": item.id in scene.playbook.counting}
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


def _overruled(standing: Evidence, action: act.RecordEvidence) -> bool:
    """Say whether a good answer is older than the bad one that stands."""
    return action.result in GOOD and standing.result not in GOOD and action.observed_at < standing.observed_at


def _linked_contained(item: Prerequisite, action: act.RecordEvidence, scene: Scene) -> None:
    known = {link.case for link in scene.case.links}
    if len(action.linked) > MOST_LINKED:
        message = f"One answer stands on at most {MOST_LINKED} linked cases."
        raise InputError(message)
    if not action.linked or not known.issuperset(action.linked):
        message = f"{item.id!r} is met by a linked case: link it first with 'holdfast case link'."
        raise EvidenceRefusedError(message)
    states = scene.linked or {}
    if any(states.get(other) not in gate.CONTAINED_OR_BETTER for other in action.linked):
        message = f"{item.id!r}: the linked case is not contained yet."
        raise EvidenceRefusedError(message)


def _unchanged(standing: Evidence, action: act.RecordEvidence) -> bool:
    """Say whether the answer repeats the standing one: same result, value, attachment and linked cases, not older.

    What a provider checked is not confirmed by word alone: that is another answer.
    """
    return (
        standing.result is action.result
        and not (standing.method is Method.CHECKED and action.method is Method.ATTESTED)
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
    if Role.SYSTEM in scene.actor.roles or action.tenant_entry:
        tenant.judge_retraction(action, scene)
    need_reason(action.reason, "a retraction")
    return [scene.record(EntryType.EVIDENCE_RETRACTED, action, after=scene.case.state)]


def asked_exception(action: act.AskException, scene: Scene) -> list[Record]:
    """Ask for a risk acceptance; another person grants it."""
    item = prerequisite(scene, action.prerequisite, action.about)
    if item.id in NEVER_EXCEPTED or item.exception is None:
        message = f"{item.id!r} cannot be excepted: it has to be met."
        raise EvidenceRefusedError(message)
    _not_too_long(item.id, item.exception, action.expires_at, scene.now)
    need_reason(action.reason, "an exception")
    about = f"/{action.about}" if action.about else ""
    key = f"exception:{item.id}{about}"
    not_waiting(scene, key)
    basis = {
        "proposal": key,
        "hands": True,
        "granted_by": item.exception.granted_by.value,
    }
    return [scene.record(EntryType.PROPOSAL_MADE, action, after=scene.case.state, basis=basis)]


def _not_too_long(name: str, rule: ExceptionRule, expires_at: datetime, now: datetime) -> None:
    if not now < expires_at <= now + rule.at_most:
        days = rule.at_most.total_seconds() / 86400
        message = f"An exception from {name!r} ends within {days:g} days from now; ask again with another --until."
        raise EvidenceRefusedError(message)


def granted_exception(action: act.ConfirmProposal, scene: Scene, asked: act.AskException) -> list[Record]:
    """Grant what another person asked for."""
    item = prerequisite(scene, asked.prerequisite, asked.about)
    if item.exception is None or item.id in NEVER_EXCEPTED:
        message = f"{item.id!r} cannot be excepted under the playbook now in force."
        raise EvidenceRefusedError(message)
    if not {item.exception.granted_by, Role.LEAD}.intersection(scene.actor.roles):
        message = f"An exception from {item.id!r} is granted by: {item.exception.granted_by.value}."
        raise NotPermittedError(message, access.names(frozenset({item.exception.granted_by, Role.LEAD})))
    _not_too_long(item.id, item.exception, asked.expires_at, scene.now)
    basis = {"prerequisite": item.id, "about": asked.about, "expires_at": time_to_text(asked.expires_at)}
    return [scene.record(EntryType.EXCEPTION_GRANTED, action, after=scene.case.state, basis=basis)]
