"""The connected tenant's own audit log: what happened between two polls, and the entries that it is worth.

A poll sees what is restricted now. The log tells what came and went in between, who lifted it, and what others did
meanwhile to the accounts of a case. Its records come late, out of order and twice, so every look reaches back further
than they are late and judges each anew: what the ledger knows writes nothing. Nothing recorded here moves a case
towards its release.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from workflow.domain import actions as act
from workflow.domain.private import Private, private
from workflow.domain.reconciliation import SKEW, Account
from workflow.domain.record import optional_time_to_text, time_to_text
from workflow.domain.restriction import Restriction, Skipped
from workflow.domain.vocabulary import ENDED, Method, RestrictionStatus, State
from workflow.errors import (
    ConflictError,
    InputError,
    NotFoundError,
    NotPermittedError,
    NotReadableError,
    ProviderError,
    RuleRefusedError,
)
from workflow.providers.alterations import OPERATIONS as CHANGES
from workflow.services import alterations, casework, checks, intake
from workflow.services.predicates import shown
from workflow.services.reconciling import Line, Verdicts, line_of
from workflow.services.releasing import REMOVALS, status_of
from workflow.sources import ReadOptions, audit_log
from workflow.storage import cases

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from workflow.app import App
    from workflow.domain.case import Case
    from workflow.domain.reconciliation import Judged
    from workflow.domain.vocabulary import Kind
    from workflow.providers.shapes import AuditEvent
    from workflow.services.alterations import Altered
    from workflow.services.people import Who

LOOKS_BACK = timedelta(hours=26)
"""How far a look reaches back: records arrive up to a day late, and a look may be late itself."""
LISTINGS = "HygieneTenantEvents"
OPERATIONS = (LISTINGS, *REMOVALS.values())
"""What is searched for: listings and delistings, and who removed a restriction; in the same search also what tells of
an account that was changed (:data:`workflow.providers.alterations.OPERATIONS`).
"""
TRIES = 3
"""How often an event is judged anew because somebody else moved its case meanwhile."""
CHANGED = "changed-outside"
ORDER = (
    *("known", "recorded", "opened", "reopened", "came-back", CHANGED, "untracked", "left", "unreadable", "other"),
)
"""The outcomes of events, in the order in which they are told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantLog:
    """What the log showed of a stretch of time, each record once, oldest first; ``asked_at`` is when it was asked.

    ``changes`` are the records that tell of an account that was changed, whoever's it is.
    """

    since: datetime
    until: datetime
    asked_at: datetime
    records: tuple[Restriction | Skipped, ...]
    changes: tuple[AuditEvent, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """One event that the ledger did not know, and what became of it.

    ``outcome`` is recorded, opened, reopened, came-back or changed-outside where it became an entry; untracked where no
    case can take it and ``line.next`` says what a person does; left where it was not recorded, for the reason in
    ``why``.
    """

    line: Line
    outcome: str
    case_number: int | None = None
    why: str = ""

    def to_data(self) -> dict[str, Any]:
        """Return plain JSON values."""
        number = self.case_number or self.line.case_number
        return {**self.line.to_data(), "case_number": number, "outcome": self.outcome, "said": self.why}


@dataclass(slots=True)
class CaughtUp:
    """What a look at the log came to: how often each outcome of :data:`ORDER` came about, and what was new.

    ``unread`` says which records could not be read, and why.
    """

    since: datetime
    until: datetime
    counts: Counter[str] = field(default_factory=Counter)
    found: list[Found] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

    def to_data(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "since": optional_time_to_text(self.since),
            "until": optional_time_to_text(self.until),
            "counts": {name.replace("-", "_"): self.counts[name] for name in ORDER},
            "found": [item.to_data() for item in self.found],
            "unread": self.unread,
        }


def catch_up(app: App, who: Who, since: datetime | None = None, until: datetime | None = None) -> CaughtUp:
    """Read the tenant's log and record what the ledger does not know yet; the same or an overlapping time is harmless.

    Polled afterwards, the lists set right what a late record could not know: whether it is restricted now.

    Args:
        app: the app.
        who: who looks: a person, or the machine.
        since: from when on, 26 hours before ``until`` by default.
        until: until when; now by default. What the tenant dates later than now is found by the next look.

    Raises:
        NotReadableError: no tenant is connected, or it keeps no log that can be read.
        ProviderError: the log could not be read; nothing was recorded.
        NotPermittedError: who looks may not record what was found.
        ConflictError: a case was moved again and again meanwhile; what was recorded stands, the next look goes on.
    """
    return record(app, who, read(app, since, until))


def read(app: App, since: datetime | None = None, until: datetime | None = None) -> TenantLog:
    """Read the log of the connected tenant; a search takes minutes. Nothing is written.

    Raises:
        InputError: it ends before it begins.
        NotReadableError, ProviderError: as :func:`catch_up`.
    """
    if not app.provider.acts:
        message = (
            "No tenant is connected: export its audit log ('holdfast ledger reconcile FILE'), or set HOLDFAST_PROVIDER."
        )
        raise NotReadableError(message)
    asked_at = app.now()
    until = min(until or asked_at, asked_at)
    since = until - LOOKS_BACK if since is None else since
    if since >= until:
        message = "The audit log is asked for a time that ends before it begins."
        raise InputError(message)
    found = app.provider.audit_log((*OPERATIONS, *CHANGES), since, until)
    events = {event.id: event for event in found if since <= event.at <= until}
    wanted = sorted(events.values(), key=lambda event: (event.at, event.id))
    return TenantLog(
        since=since,
        until=until,
        asked_at=asked_at,
        records=tuple(_restriction(event) for event in wanted if event.operation in OPERATIONS),
        changes=tuple(event for event in wanted if event.operation not in OPERATIONS),
    )


def _restriction(event: AuditEvent) -> Restriction | Skipped:
    """Return what a record says, by the rules that exported records are read by.

    The provider tells a record's own members and its cmdlet's parameters in one row, the members first.
    """
    where = shown(f"audit record {event.id}")
    own: dict[str, Any] = {}
    parameters: dict[str, Any] = {"identity": event.target}
    for name, value in event.details:
        own.setdefault(name.casefold(), value)
        parameters[name.casefold()] = value
    fields = {
        "eventvalue": event.target,
        **own,
        "operation": event.operation,
        "creationtime": time_to_text(event.at),
        "userid": event.actor,
        "organizationid": "",
        "parameters": parameters,
    }
    try:
        return audit_log.record({"auditdata": fields}, where, ReadOptions())
    except InputError as error:
        return Skipped(where, shown(str(error)), broken=True)


def record(app: App, who: Who, log: TenantLog) -> CaughtUp:
    """Record what the log shows and the ledger does not know yet.

    Raises:
        NotPermittedError, ConflictError: as :func:`catch_up`.
    """
    done = CaughtUp(log.since, log.until)
    for item in log.records:
        if isinstance(item, Skipped):
            done.counts["unreadable" if item.broken else "other"] += 1
            if item.broken:
                done.unread.append(f"{item.where}: {item.why}")
    events = _events([item for item in log.records if isinstance(item, Restriction)])
    with app.database.reading() as tx:
        verdicts = Verdicts(tx)
        unknown = {event.entity for event in events if not _judged(app, verdicts, event).recorded}
    # Each is judged anew: what one event records changes what the entity's next one is.
    for event in events:
        found = _settled(app, who, event) if event.entity in unknown else None
        done.counts[found.outcome if found else "known"] += 1
        if found is not None:
            done.found.append(found)
    # What a listing has just opened a case about is told of that case.
    for change in alterations.altered(app, log.changes):
        outcome, why = ("known", "") if change.line.recorded else _changed(app, who, change)
        done.counts[outcome] += 1
        if outcome != "known":
            done.found.append(Found(change.line, outcome, why=why))
    return done


def _changed(app: App, who: Who, item: Altered) -> tuple[str, str]:
    """Record what somebody else did to an account; returns what became of it, and why."""
    try:
        machine = checks.asking(app, who, checks.read_subject(app, item.line.case))
        done = casework.perform(app, machine, item.line.case, item.action)
    except (RuleRefusedError, NotPermittedError, NotFoundError) as error:
        return "left", shown(str(error))
    return (CHANGED if done.entries else "known"), ""


@dataclass(frozen=True, slots=True)
class _Event:
    """A record of the log; of a delisting also the removal that led to it, where the log names one."""

    item: Restriction
    cause: Restriction | None = None

    @property
    def entity(self) -> tuple[Kind, str]:
        """What it is about."""
        return self.item.kind, self.item.identifier


def _events(items: Sequence[Restriction]) -> list[_Event]:
    """Return what happened in its order: what the lists showed, then who had made it so.

    The list follows a removal after up to a day. So it is the delisting that says when it was gone, and the removal,
    which names somebody, is told with it.
    """
    removals: dict[tuple[Kind, str], list[_Event]] = {}
    for item in items:
        if item.lifted_by:
            removals.setdefault((item.kind, item.identifier), []).append(_Event(item))
    return [
        *(
            _Event(item, _cause(item, removals.get((item.kind, item.identifier), ())))
            for item in items
            if not item.lifted_by
        ),
        *(event for events in removals.values() for event in events),
    ]


def _cause(item: Restriction, removals: Sequence[_Event]) -> Restriction | None:
    """Return the last removal before a delisting."""
    if item.status is not RestrictionStatus.NOT_LISTED:
        return None
    before = [one.item for one in removals if _at(one.item) <= _at(item) + SKEW]
    return before[-1] if before else None


def _judged(app: App, verdicts: Verdicts, event: _Event) -> Judged:
    """Judge an event; a delisting is what the removal was that led to it, once that can be tied to a case."""
    judged = verdicts.of(event.item, _at(event.item), app.settings.tenant)
    if event.cause is None:
        return judged
    cause = verdicts.of(event.cause, _at(event.cause), app.settings.tenant)
    if cause.stay is None or (cause.recorded and cause.account is Account.OUTSIDE):
        return judged
    return cause


def _at(item: Restriction) -> datetime:
    """Return when it happened; every record of an audit log is dated."""
    assert item.observed_at is not None  # noqa: S101 - sources.audit_log refuses records without a time
    return item.observed_at


def _settled(app: App, who: Who, event: _Event, tries: int = TRIES) -> Found | None:
    """Record one event; None where the ledger knows it by now.

    A case that moves whenever it is judged is left to a later look, which judges every event anew.
    """
    try:
        return _take(app, who, event, last=tries == 1)
    except ConflictError:
        return _settled(app, who, event, tries - 1)


def _take(app: App, who: Who, event: _Event, *, last: bool) -> Found | None:
    item, tenant = event.item, app.settings.tenant
    with app.database.reading() as tx:
        verdicts = Verdicts(tx)
        judged = _judged(app, verdicts, event)
        case = cases.load(tx, judged.stay.case, app.cache) if judged.stay else None
        present = judged.stay in verdicts.stays(item, tenant)[-1:]
    told = event.cause or item
    line = line_of(told, _at(told), tenant, judged)
    if judged.recorded:
        return None
    if item.status is not RestrictionStatus.NOT_LISTED:
        return _taken_in(app, who, item, line)
    if case is None:
        return Found(line, "untracked", why=judged.why)
    try:
        action = _observation(app, case, judged, event, present=present)
        if action is None:
            return Found(line, "left", why="something newer is known, or an unblock of ours is pending")
        casework.perform(app, who, case.id, action, check=_unmoved(case.sequence))
    except (RuleRefusedError, ProviderError) as error:
        return Found(line, "left", why=shown(str(error)))
    except ConflictError:
        if not last:
            raise
        return Found(line, "left", why="the case is being worked on: the next look takes it up")
    return Found(line, "recorded")


def _taken_in(app: App, who: Who, item: Restriction, line: Line) -> Found | None:
    """Take in a restriction that no case was about, as an import of the same record does."""
    (taken,) = intake.take_in(app, who, [item], app.settings.tenant)
    if taken.outcome in {"known", "seen"}:
        return None
    if taken.outcome == "broken":
        return Found(line, "left", taken.case_number, taken.why)
    return Found(line, taken.outcome, taken.case_number, taken.why)


def _observation(
    app: App, case: Case, judged: Judged, event: _Event, *, present: bool
) -> act.ObserveRestriction | None:
    """Return the entry that a delisting is worth, None for none; ``present`` says that it is of the last occurrence.

    A delisting is dated as itself, so that it is old news to a case that was read since. A removal says who and when,
    and not that it is gone: that is read, unless a reading has shown it or the occurrence is over. While an unblock of
    ours is pending, only a removal by somebody else is told, since no record says that ours worked.
    """
    item, cause = event.item, event.cause or event.item
    at, last, attempt = _at(item), case.reading.observed_at, case.open_attempt
    outside = judged.account is Account.OUTSIDE
    over = not present or case.state in {State.RELEASED, *ENDED}
    old = last is not None and at < last
    pending = attempt is not None and _at(cause) >= attempt.approved_at
    left = pending and not item.lifted_by if outside else pending or old or over
    if left:
        return None
    status, seen_at, references = RestrictionStatus.NOT_LISTED, at, [item.where]
    if not over and case.reading.status is RestrictionStatus.NOT_LISTED:
        seen_at = max(at, last or at)
    elif not over and item.lifted_by:
        found = app.provider.restriction(case.kind, item.identifier)
        status, seen_at = status_of(found.value), found.read.at
        references.append(checks.source(found.read))
    if event.cause is not None:
        references.append(event.cause.where)
    return act.ObserveRestriction(
        status=status,
        observed_at=seen_at,
        method=Method.CHECKED,
        reference=Private(shown("; ".join(references))),
        lifted_by=private(shown(cause.lifted_by)),
        lifted_at=_at(cause) if outside else None,
    )


def _unmoved(sequence: int) -> Callable[[Case], None]:
    def check(case: Case) -> None:
        if case.sequence != sequence:
            raise ConflictError("The case was moved since it was judged.")

    return check
