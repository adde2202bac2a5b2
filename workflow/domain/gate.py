"""The gate: which prerequisites hold for a case at a given time, and what is missing.

Everything is judged from the recorded evidence alone. *Unable to verify* is never *met*, evidence observed before the
restriction or past its freshness does not count (R7).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from workflow.domain.playbook import About, Check, Playbook, Prerequisite, Scope
from workflow.domain.vocabulary import NEVER_EXCEPTED, Phase, Result, State

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from workflow.domain.case import Acceptance, Case, Evidence

CONTAINED_OR_BETTER = frozenset(
    {State.CONTAINED, State.VERIFIED, State.UNBLOCK_REQUESTED, State.RELEASED, State.CLOSED}
)
UNBLOCK_PHASES = (Phase.CONTAIN, Phase.VERIFY, Phase.REQUEST)
"""The phases that stand before a request, an approval and an intent."""


class Reason(StrEnum):
    """Why a prerequisite does not hold."""

    UNANSWERED = "unanswered"
    NOT_MET = "not-met"
    UNABLE_TO_VERIFY = "unable-to-verify"
    LAPSED = "lapsed"
    APPLIES = "applies"
    BEFORE_RESTRICTION = "before-restriction"
    OUT_OF_ORDER = "out-of-order"
    EXCEPTION_EXPIRED = "exception-expired"
    NO_IDENTITY = "no-identity"
    LINKED_CASE_OPEN = "linked-case-open"


@dataclass(frozen=True, slots=True)
class Missing:
    """One prerequisite that does not hold, for one person ("" for the entity)."""

    prerequisite: str
    about: str
    reason: Reason
    phase: Phase
    title: str
    required: bool = True
    after: tuple[str, ...] = ()

    def to_data(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "prerequisite": self.prerequisite,
            "about": self.about,
            "reason": self.reason.value,
            "phase": self.phase.value,
            "title": self.title,
            "required": self.required,
            "after": list(self.after),
        }


def people(case: Case, item: Prerequisite) -> tuple[str, ...]:
    """Return for whom the prerequisite is answered: ``("",)``, or one id per compromised user (perhaps none)."""
    return tuple(case.identities) if item.about is About.IDENTITY else ("",)


def applies(case: Case, item: Prerequisite, about: str) -> bool | None:
    """Say whether the prerequisite applies: True, False, or None when no fact settles it.

    Without ``applies_if`` it always applies. Any one condition known to be true suffices; it does not apply only when
    every condition is known to be false.
    """
    if not item.applies_if:
        return True
    known = _known(case, item, about)
    if True in known:
        return True
    return None if None in known else False


def unsettled(case: Case, item: Prerequisite, about: str) -> list[str]:
    """Return the conditions nobody has stated yet, while they decide whether the prerequisite applies."""
    if applies(case, item, about) is not None:
        return []
    known = _known(case, item, about)
    return [condition.value for condition, fact in zip(item.applies_if, known, strict=True) if fact is None]


def _known(case: Case, item: Prerequisite, about: str) -> list[bool | None]:
    """Return what is known of each condition: about the person, or else about the case."""
    facts = dict(case.identities[about].facts) if about in case.identities else {}
    return [facts.get(condition, case.facts.get(condition)) for condition in item.applies_if]


def gate_time(case: Case, now: datetime) -> datetime:
    """Return the time at which freshness is judged: an open intent and a release freeze it."""
    if case.open_attempt is not None:
        return case.open_attempt.intended_at
    return case.released_at if case.state is State.RELEASED and case.released_at is not None else now


def standing(
    case: Case,
    playbook: Playbook,
    item: Prerequisite,
    about: str,
    at: datetime,
    linked: Mapping[str, State] | None = None,
) -> Reason | None:
    """Return why the prerequisite does not hold for this person at this time, or None when it holds.

    ``linked`` gives the present state of linked cases; without it the recorded reading is believed.
    """
    # What its own answer carries, as most do, needs no look at conditions, exceptions and alternatives; nor does what
    # nobody has answered, where there are none.
    evidence = case.evidence.get((item.id, about))
    if evidence is None and not (item.applies_if or item.any_of or case.acceptances):
        return Reason.UNANSWERED
    reason = _judge(case, item, evidence, at, linked)
    if reason is None or (item.applies_if and applies(case, item, about) is False):
        return None
    acceptance = case.acceptances.get((item.id, about))
    if acceptance is not None and accepts(acceptance, item, at):
        return None
    for other in item.any_of:
        alternative = playbook.get(other)
        if alternative is not None and _alternative_met(case, alternative, about, at, linked):
            return None
    if evidence is None and acceptance is not None and item.exception is not None:
        return Reason.EXCEPTION_EXPIRED
    return reason


def accepts(acceptance: Acceptance, item: Prerequisite, at: datetime) -> bool:
    """Say whether an accepted risk counts now; never under a playbook that grants no exception here."""
    return (
        not acceptance.expired
        and acceptance.expires_at > at
        and item.exception is not None
        and item.id not in NEVER_EXCEPTED
    )


def _alternative_met(
    case: Case, item: Prerequisite, about: str, at: datetime, linked: Mapping[str, State] | None
) -> bool:
    """Say whether an alternative is plainly met: an exception or *not applicable* there proves nothing here."""
    evidence = case.evidence.get((item.id, about if item.about is About.IDENTITY else ""))
    return evidence is not None and evidence.result is Result.MET and _judge(case, item, evidence, at, linked) is None


def _judge(
    case: Case,
    item: Prerequisite,
    evidence: Evidence | None,
    at: datetime,
    linked: Mapping[str, State] | None,
) -> Reason | None:
    if evidence is None:
        return Reason.UNANSWERED
    result = evidence.result
    if result is not Result.MET:
        if result is Result.NOT_MET:
            return Reason.NOT_MET
        if result is Result.UNABLE_TO_VERIFY:
            return Reason.UNABLE_TO_VERIFY
    lapses, boundary = lapses_at(item, evidence), case.boundary
    if evidence.lapsed or (lapses is not None and lapses <= at):
        return Reason.LAPSED
    if boundary is not None and evidence.observed_at < boundary and not tenant_wide(item, evidence):
        return Reason.BEFORE_RESTRICTION
    if result is Result.NOT_APPLICABLE and (not item.applies_if or applies(case, item, evidence.about) is True):
        return Reason.APPLIES
    if item.after and too_early(case, item, evidence):
        return Reason.OUT_OF_ORDER
    if item.check is Check.LINKED_CASE_CONTAINED and result is Result.MET:
        return _linked_open(evidence, linked)
    return None


def tenant_wide(item: Prerequisite, evidence: Evidence) -> bool:
    """Say whether the answer is the tenant's, recorded once for all its cases; only such a prerequisite takes it so."""
    return item.scope is Scope.TENANT and evidence.expires_at is not None


def lapses_at(item: Prerequisite, evidence: Evidence) -> datetime | None:
    """Return until when the answer counts: a reading while it is fresh, the tenant's record while it is valid."""
    if evidence.expires_at is not None and tenant_wide(item, evidence):
        return evidence.expires_at
    return None if item.fresh_within is None else evidence.observed_at + item.fresh_within


def too_early(case: Case, item: Prerequisite, evidence: Evidence) -> bool:
    """Say whether work that comes before was done only after this was observed.

    What is answered for the entity waits for every person that the earlier step is about.
    """
    given, observed_at = case.evidence, evidence.observed_at
    persons = (evidence.about, "") if evidence.about else ("", *case.identities)
    for earlier in item.after:
        for about in persons:
            first = given.get((earlier, about))
            if first is not None and observed_at < first.established_at and first.result is Result.MET:
                return True
    return False


def _linked_open(evidence: Evidence, linked: Mapping[str, State] | None) -> Reason | None:
    if evidence.linked and linked is None:
        return None
    states = [(linked or {}).get(other) for other in evidence.linked]
    return None if states and CONTAINED_OR_BETTER.issuperset(states) else Reason.LINKED_CASE_OPEN


def missing(
    case: Case,
    playbook: Playbook,
    phases: tuple[Phase, ...],
    at: datetime,
    linked: Mapping[str, State] | None = None,
) -> tuple[Missing, ...]:
    """List the required prerequisites of these phases that do not hold, in playbook order."""
    return tuple(
        Missing(item.id, about, reason, item.required_by, item.title, required=True, after=item.after)
        for item, about, reason in survey(case, playbook, at, linked, phases)
        if reason is not None
    )


def missing_names(case: Case, playbook: Playbook, phases: tuple[Phase, ...], at: datetime) -> tuple[str, ...]:
    """Name each prerequisite of :func:`missing` once; linked cases are believed as recorded."""
    # Where nothing but its own answer could carry a prerequisite, nobody having answered settles it.
    answered = None if case.acceptances else {name for name, _ in case.evidence}
    return tuple(
        [
            item.id
            for item in playbook.required
            if item.required_by in phases
            and (
                (answered is not None and item.id not in answered and not item.applies_if and not item.any_of)
                or not _holds(case, playbook, item, at, None)
            )
        ]
    )


def holds(
    case: Case, playbook: Playbook, phase: Phase, at: datetime, linked: Mapping[str, State] | None = None
) -> bool:
    """Say whether every required prerequisite of one phase holds; stops at the first that does not."""
    # Work goes in the playbook's order, so that what is wanting is found first from the end.
    return all(_holds(case, playbook, item, at, linked) for item in reversed(playbook.by_phase[phase]))


def _holds(
    case: Case, playbook: Playbook, item: Prerequisite, at: datetime, linked: Mapping[str, State] | None
) -> bool:
    """Say whether one prerequisite holds for everybody it is about; for nobody, it does not."""
    about = people(case, item)
    for person in about:
        if standing(case, playbook, item, person, at, linked) is not None:
            return False
    return bool(about)


def survey(
    case: Case,
    playbook: Playbook,
    at: datetime,
    linked: Mapping[str, State] | None = None,
    phases: tuple[Phase, ...] = tuple(Phase),
) -> Iterator[tuple[Prerequisite, str, Reason | None]]:
    """Judge every required prerequisite of these phases for every person it is about, in playbook order."""
    for item in playbook.required:
        if item.required_by not in phases:
            continue
        about = people(case, item)
        if not about:
            yield item, "", Reason.NO_IDENTITY
        for person in about:
            yield item, person, standing(case, playbook, item, person, at, linked)


def unanswered(case: Case, playbook: Playbook) -> tuple[Missing, ...]:
    """List the recommended steps nobody has answered; they never block an unblock, only the close."""
    return tuple(
        Missing(item.id, about, Reason.UNANSWERED, Phase.CLOSE, item.title, required=False)
        for item in playbook.recommended
        for about in people(case, item)
        if (item.id, about) not in case.evidence
        and (item.id, about) not in case.acceptances
        and applies(case, item, about) is not False
    )


def evidence_set(
    case: Case, playbook: Playbook, at: datetime, linked: Mapping[str, State] | None = None
) -> list[list[str]]:
    """List what the gate stands on: ``[prerequisite, person, how it stands, leaf of the entry that established it]``.

    The order is the playbook's. Prerequisites due only before close are left out.
    """
    rows: list[list[str]] = []
    for item, about, reason in survey(case, playbook, at, linked):
        if item.required_by is Phase.CLOSE:
            continue
        rows.append([item.id, about, *_ground(case, playbook, item, about, at, reason)])
    return rows


def _ground(
    case: Case, playbook: Playbook, item: Prerequisite, about: str, at: datetime, reason: Reason | None
) -> tuple[str, str]:
    if reason is not None:
        return f"missing:{reason}", ""
    if item.applies_if and applies(case, item, about) is False:
        identity = case.identities.get(about)
        return "not-applicable:fact", identity.leaf if identity else ""
    acceptance = case.acceptances.get((item.id, about))
    if acceptance is not None and accepts(acceptance, item, at):
        return "exception", acceptance.leaf
    evidence = case.evidence.get((item.id, about))
    if evidence is not None and _judge(case, item, evidence, at, None) is None:
        return evidence.result.value, evidence.leaf
    # It holds and not by its own answer, so one of its alternatives is met.
    return next(
        (f"met:{other.id}", case.evidence[other.id, about if other.about is About.IDENTITY else ""].leaf)
        for other in map(playbook.get, item.any_of)
        if other is not None and _alternative_met(case, other, about, at, None)
    )


def evidence_digest(case: Case, rows: list[list[str]]) -> str:
    """Return the SHA-256 (hex) of the evidence set, bound to case, recurrence, playbook, entity and compromised users.

    Re-confirming unchanged evidence leaves it alone; anything else changes it.
    """
    bound = [case.id, case.recurrence, case.playbook, case.entity, sorted(case.identities)]
    text = json.dumps([*bound, rows], separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
