"""What is true of a tenant as a whole: recorded once on the log, and answered for in every case that asks for it.

A case stays a function of its own entries: each gets evidence of its own, which names the log's entry by its leaf
hash. What such evidence may do is judged here; that the entry exists and says the same is verified beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from workflow.domain import access
from workflow.domain import actions as act
from workflow.domain.playbook import Scope
from workflow.domain.private import Private, private_in
from workflow.domain.record import time_from_text
from workflow.domain.vocabulary import EntryType, Method, Result, Role, TenantFact
from workflow.errors import EvidenceRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from workflow.domain.case import Case, Evidence
    from workflow.domain.playbook import Playbook, Prerequisite
    from workflow.domain.record import Entry
    from workflow.domain.scene import Scene

MOST_VALID = timedelta(days=90)
"""How long a record of the tenant may count."""
RESULTS = (Result.MET, Result.NOT_MET, Result.UNABLE_TO_VERIFY)
"""What may be found about a tenant; what is asked of the whole of it always applies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantRecord:
    """One record about a tenant, as the log's entry tells it.

    ``attested_by`` are the opaque ids of who recorded it and of the accounts that are theirs; ``retracted`` is the leaf
    hash of the entry that took it back, "" while it stands.
    """

    tenant: str
    fact: TenantFact
    result: Result
    observed_at: datetime
    expires_at: datetime
    recorded_at: datetime
    attested_by: tuple[str, ...]
    claimed: bool
    reference: Private
    note: Private
    value: Private
    sequence: int
    leaf: str


def records(entries: Iterable[Entry]) -> Iterator[TenantRecord]:
    """Yield every record that the log's entries made, oldest first."""
    for entry in entries:
        if entry.type == EntryType.TENANT_RECORDED:
            data, actor = entry.data, entry.actor
            yield TenantRecord(
                tenant=data["tenant"],
                fact=TenantFact(data["fact"]),
                result=Result(data["result"]),
                observed_at=time_from_text(data["observed_at"]),
                expires_at=time_from_text(data["expires_at"]),
                recorded_at=time_from_text(entry.recorded_at),
                attested_by=(actor["id"], *actor["identities"]),
                claimed=actor["assurance"] == "claimed",
                reference=private_in(data, "reference"),
                note=private_in(data, "note"),
                value=private_in(data, "value"),
                sequence=entry.sequence,
                leaf=entry.leaf,
            )


def standing(entries: Iterable[Entry]) -> dict[tuple[str, TenantFact], TenantRecord]:
    """Return the newest record of each fact by tenant, those taken back left out; one may have expired."""
    found: dict[tuple[str, TenantFact], TenantRecord] = {}
    for entry in entries:
        if entry.type == EntryType.TENANT_RETRACTED:
            found.pop((entry.data["tenant"], TenantFact(entry.data["fact"])), None)
        found |= {(item.tenant, item.fact): item for item in records([entry])}
    return found


def faults(entries: Iterable[Entry]) -> Iterator[tuple[int, str]]:
    """Judge the log's entries about tenants again; yields the sequence of each that no legal step explains, and why."""
    known: dict[tuple[str, TenantFact], str] = {}
    for entry in entries:
        place = (entry.data["tenant"], TenantFact(entry.data["fact"]))
        if access.WORKERS.isdisjoint(entry.actor["roles"]):
            yield entry.sequence, "somebody spoke for a tenant without a role that lets them"
        if entry.type == EntryType.TENANT_RETRACTED:
            if entry.data["entry"] != known.pop(place, ""):
                yield entry.sequence, "it takes back what did not stand recorded of the tenant"
            continue
        known[place] = entry.leaf
        for record in records([entry]):
            if record.result not in RESULTS or (record.result is Result.MET and not (record.reference or record.note)):
                yield entry.sequence, "it says of a tenant what cannot be recorded, or not how it is known"
            until = record.observed_at + MOST_VALID
            if not record.observed_at <= record.recorded_at < record.expires_at <= until:
                yield (
                    entry.sequence,
                    f"it counts longer than {MOST_VALID.days} days, had run out, or is of the future",
                )


def asked_by(playbook: Playbook, fact: TenantFact) -> Iterator[Prerequisite]:
    """Yield the prerequisites of a playbook that a fact about the tenant answers."""
    return (item for item in playbook.prerequisites if item.scope is Scope.TENANT and item.fact is fact)


def answers(case: Case, playbook: Playbook, record: TenantRecord, now: datetime) -> Iterator[act.RecordEvidence]:
    """Yield what the record answers in a case now; texts are the caller's to add.

    Nothing where it has run out or is still to come by this clock, where something as new is answered already, or where
    it was recorded by somebody the case is about: no gate is satisfied through the restricted entity.
    """
    if record.tenant != case.tenant or not record.observed_at <= now < record.expires_at:
        return
    if _about(case, record.attested_by):
        return
    for item in asked_by(playbook, record.fact):
        known = case.evidence.get((item.id, ""))
        if known is None or known.observed_at < record.observed_at or known.lapsed:
            yield act.RecordEvidence(
                prerequisite=item.id,
                result=record.result,
                observed_at=record.observed_at,
                tenant_entry=record.leaf,
                expires_at=record.expires_at,
                attested_by=record.attested_by,
            )


def repeated(case: Case, action: act.RecordEvidence) -> Evidence | None:
    """Return the answer that the case gave by itself, where the record says the same of it."""
    known = case.evidence.get((action.prerequisite, ""))
    return known if known is not None and not known.tenant_entry and known.result is action.result else None


def _about(case: Case, people: Iterable[str]) -> bool:
    return not {case.entity, *case.identities}.isdisjoint(people)


def judge(item: Prerequisite, action: act.RecordEvidence, scene: Scene) -> None:
    """Refuse evidence that claims to be the tenant's where it may not be.

    Raises:
        EvidenceRefusedError: it is not the machine that hands it on, the prerequisite is the case's own, it is not
            complete, has run out or counts for too long, or somebody the case is about attested it.
    """
    observed_at, expires_at = action.observed_at, action.expires_at
    if Role.SYSTEM not in scene.actor.roles:
        why = "is recorded for the whole tenant with 'holdfast tenant record', and for one case without it"
    elif item.scope is not Scope.TENANT:
        why = "is asked of this case alone, so no record of the tenant answers it"
    elif not action.tenant_entry or expires_at is None or not action.attested_by:
        why = "does not say which record of the tenant it is, by whom, and until when it counts"
    elif not scene.now < expires_at <= observed_at + MOST_VALID:
        why = f"has run out, or would count for more than {MOST_VALID.days} days"
    elif action.result not in RESULTS or action.method is not Method.ATTESTED:
        why = "is attested as met, not met, or unable to verify"
    elif _about(scene.case, action.attested_by):
        why = "was recorded by somebody this case is about"
    else:
        return
    message = f"{item.id!r} {why}."
    raise EvidenceRefusedError(message)


def judge_retraction(action: act.RetractEvidence, scene: Scene) -> None:
    """Let the machine, and nobody else, hand on that a record of the tenant was taken back.

    Raises:
        EvidenceRefusedError: somebody else says so, or what stands is not the tenant's.
    """
    known = scene.case.evidence.get((action.prerequisite, action.about))
    machine = Role.SYSTEM in scene.actor.roles
    if not machine or not action.tenant_entry or known is None or not known.tenant_entry:
        message = f"What stands for {action.prerequisite!r} is not handed on from the tenant: retract it in the case."
        raise EvidenceRefusedError(message)
