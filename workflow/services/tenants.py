"""What is true of a tenant as a whole: recorded, listed and taken back once, for every open case that asks for it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from workflow.domain import access
from workflow.domain import actions as act
from workflow.domain.private import Private
from workflow.domain.record import SYSTEM, time_for_people, time_to_text
from workflow.domain.tenant import MOST_VALID, RESULTS, TenantRecord, asked_by
from workflow.domain.tenant import standing as standing_records
from workflow.domain.vocabulary import ENDED, EntryType, Result, TenantFact
from workflow.errors import EvidenceRefusedError, InputError, NotFoundError, RuleRefusedError
from workflow.services import casework, logbook, people, tenantwide, writing
from workflow.services.names import Names
from workflow.storage import cases, worklist
from workflow.storage.openings import Opening

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime, timedelta

    from workflow.app import App
    from workflow.domain.case import Case
    from workflow.domain.record import Entry
    from workflow.services.people import Who
    from workflow.storage.transaction import Tx

    Step = Callable[[Case], tuple[Case, list[Entry]]]

TITLES = {
    TenantFact.AUDIT_LOGGING: "Audit logging is on",
    TenantFact.ALERT_POLICY: "The alert policy “User restricted from sending email” is on",
    TenantFact.ALERT_OPT_IN: "Notifications of that alert are opted in to",
    TenantFact.ALERT_RECIPIENTS: "Notifications of that alert reach people who act on them",
    TenantFact.ALERT_DAILY_LIMIT: "The daily limit of notifications does not hide restrictions",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What somebody found about a tenant. ``valid`` counts from ``observed_at``."""

    fact: TenantFact
    result: Result
    observed_at: datetime
    valid: timedelta
    reference: str = ""
    note: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FactView:
    """One fact about a tenant as it stands: ``standing`` is held, not-met, unable-to-verify, lapsed or unrecorded."""

    tenant: str
    fact: str
    title: str
    standing: str
    result: str = ""
    by: str = ""
    claimed: bool = False
    observed_at: str | None = None
    recorded_at: str | None = None
    expires_at: str | None = None
    reference: str = ""
    note: str = ""
    value: str = ""
    sequence: int | None = None

    def to_data(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


def record(app: App, who: Who, found: Found, tenant: str = "") -> tuple[FactView, int]:
    """Record a fact about a tenant, and answer with it in every open case that asks for it; returns how many.

    A command cut short has recorded the fact and answered in some cases: recording it again answers in the others.

    Raises:
        InputError: it would count for more than 90 days, or nothing says where a *met* can be checked, or how it
            is known.
        EvidenceRefusedError: it lies in the future, or has run out already.
        NotPermittedError: the actor may not.
    """
    place = writing.place(app, tenant)
    _sensible(found, app.now())
    texts = {"reference": found.reference, "note": found.note, "value": found.value}
    data: dict[str, Any] = {
        "tenant": place,
        "fact": found.fact.value,
        "result": found.result.value,
        "observed_at": time_to_text(found.observed_at),
        "expires_at": time_to_text(found.observed_at + found.valid),
    }
    cure = f"'holdfast tenant retract {found.fact.value} --reason WHY' takes the record back, and keeps its words."
    writing.warn_of_secrets(app, texts, cure)
    _write(app, who, EntryType.TENANT_RECORDED, lambda _: data, texts)

    def begin(tx: Tx) -> Step:
        # What another process took back, or recorded, since then counts as it stands behind this transaction's locks.
        standing = [item for item in tenantwide.standing(tx, place) if item.fact is found.fact]
        return lambda case: tenantwide.hand_on(app, tx, case, standing)

    return view(app, found.fact, place), sum(bool(made) for made in _each(app, place, begin))


def retract(app: App, who: Who, fact: TenantFact, reason: str, tenant: str = "") -> int:
    """Take the standing record of a fact back, and what it answered in every open case; returns in how many.

    A command cut short has taken the record back and its answers in some cases: repeating it does so in the others.

    Raises:
        InputError: no reason was given.
        NotFoundError: nothing stands recorded.
        NotPermittedError: the actor may not.
    """
    place = writing.place(app, tenant)
    if not reason.strip():
        message = "A retraction needs a reason: give one with --reason."
        raise InputError(message)

    def data(tx: Tx) -> dict[str, Any]:
        standing = standing_records(tenantwide.entries(tx)).get((place, fact))
        if standing is None:
            message = f"Nothing stands recorded about {fact.value!r}, so there is nothing to retract."
            raise NotFoundError(message)
        return {"tenant": place, "fact": fact.value, "entry": standing.leaf}

    try:
        leaf = _write(app, who, EntryType.TENANT_RETRACTED, data, {"reason": reason}).leaf
    except NotFoundError:
        leaf = _taken_back(app, place, fact)
        done = leaf and _take_back(app, place, fact, leaf, reason)
        if not done:
            raise
        return done
    return _take_back(app, place, fact, leaf, reason)


def _taken_back(app: App, place: str, fact: TenantFact) -> str:
    """Return the leaf of the entry that took the newest record of a fact back, "" where there is none."""
    with app.database.reading() as tx:
        told = [item for item in tenantwide.entries(tx) if (item.data["tenant"], item.data["fact"]) == (place, fact)]
    return told[-1].leaf if told else ""


def _take_back(app: App, place: str, fact: TenantFact, leaf: str, reason: str) -> int:
    """Take back what open cases stand on and the tenant's log does not say any more; returns in how many."""

    def begin(tx: Tx) -> Step:
        standing = {item.leaf for item in tenantwide.standing(tx, place)}
        return lambda case: take_back(tx, case, standing)

    def take_back(tx: Tx, case: Case, standing: set[str]) -> tuple[Case, list[Entry]]:
        playbook = app.playbook(tx, case.playbook)
        made: list[Entry] = []
        for item in asked_by(playbook, fact):
            known = case.evidence.get((item.id, ""))
            if known is not None and known.tenant_entry and known.tenant_entry not in standing:
                action = act.RetractEvidence(prerequisite=item.id, reason=Private(reason), tenant_entry=leaf)
                case, entries = writing.take_step(app, tx, case, playbook, action, SYSTEM)
                made += entries
        return case, made

    return sum(bool(made) for made in _each(app, place, begin))


def list_(app: App, tenant: str = "") -> list[FactView]:
    """Return every fact there is about a tenant, recorded or not, in the order of the list."""
    place = writing.place(app, tenant)
    with app.database.reading() as tx:
        known = {item.fact: item for item in tenantwide.standing(tx, place)}
        texts = [text.commitment for item in known.values() for text in (item.reference, item.note, item.value) if text]
        names = Names(tx, [item.attested_by[0] for item in known.values()], texts)
    return [_shown(place, fact, known.get(fact), names, app.now()) for fact in TenantFact]


def view(app: App, fact: TenantFact, tenant: str = "") -> FactView:
    """Return one fact about a tenant as it stands."""
    return next(item for item in list_(app, tenant) if item.fact == fact.value)


def _shown(tenant: str, fact: TenantFact, known: TenantRecord | None, names: Names, now: datetime) -> FactView:
    if known is None:
        return FactView(tenant=tenant, fact=fact.value, title=TITLES[fact], standing="unrecorded")
    standing = "held" if known.result is Result.MET else known.result.value
    return FactView(
        tenant=tenant,
        fact=fact.value,
        title=TITLES[fact],
        standing="lapsed" if known.expires_at <= now else standing,
        result=known.result.value,
        by=names.subject(known.attested_by[0]),
        claimed=known.claimed,
        observed_at=time_to_text(known.observed_at),
        recorded_at=time_to_text(known.recorded_at),
        expires_at=time_to_text(known.expires_at),
        reference=names.text(known.reference),
        note=names.text(known.note),
        value=names.text(known.value),
        sequence=known.sequence,
    )


def _sensible(found: Found, now: datetime) -> None:
    if found.result not in RESULTS:
        message = f"A fact about a tenant is one of: {', '.join(item.value for item in RESULTS)}."
        raise InputError(message)
    if found.valid > MOST_VALID:
        message = f"A record of the tenant counts for at most {MOST_VALID.days} days: look again after that."
        raise InputError(message)
    if found.observed_at > now:
        message = f"{time_for_people(found.observed_at)} lies in the future; check time and zone."
        raise EvidenceRefusedError(message)
    if found.observed_at + found.valid <= now:
        message = f"What was seen at {time_for_people(found.observed_at)} counts no longer: look again, then record it."
        raise EvidenceRefusedError(message)
    if found.result is Result.MET and not (found.reference.strip() or found.note.strip()):
        message = "It needs evidence: say where it can be checked (--ref), or how you know (--note)."
        raise InputError(message)


def _write(app: App, who: Who, kind: EntryType, data: Callable[[Tx], dict[str, Any]], texts: dict[str, str]) -> Entry:
    """Write an entry about a tenant onto the log, its texts as commitments."""
    kept: dict[str, Opening] = {}
    members: dict[str, Any] = {}
    for name, text in texts.items():
        if text.strip():
            members[name] = {"commitment": writing.keep(writing.checked(name, text), kept)}
    logbook.prepare(app, who)
    with app.database.transaction() as tx:
        cases.lock_log(tx)
        logbook.hold(app, tx)
        by = people.actor(app, tx, who)
        access.needs(by, access.WORKERS, "recording for a tenant")
        (written,) = logbook.write(app, tx, by, [(kind, data(tx) | members)], kept)
    return written


def _each(app: App, tenant: str, begin: Callable[[Tx], Step]) -> Iterator[list[Entry]]:
    """Take a step on every open case of a tenant, many to a transaction; yields what was written on each.

    ``begin`` makes the step of a transaction once that holds the log's lock.
    """
    with app.database.reading() as tx:
        waiting = iter([case.id for case in worklist.every(tx, worklist.Filters(tenant=tenant))])
    while batch := list(islice(waiting, casework.AT_ONCE)):
        made = []
        with app.database.transaction() as tx:
            cases.lock_log(tx)
            cases.lock(tx, batch)
            step = begin(tx)
            for case_id in batch:
                case = cases.load(tx, case_id, app.cache)
                # One that has ended since asks for nothing; a refusal is recorded, and concerns that case alone.
                with suppress(RuleRefusedError):
                    made.append([] if case.state in ENDED else step(case)[1])
        yield from made
