"""The tenant's audit log against our cases, read in constant memory; nothing is written."""

from __future__ import annotations

import shlex
from collections import OrderedDict
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workflow.domain import reconciliation
from workflow.domain.reconciliation import Account, Judged, Stay
from workflow.domain.record import optional_time_to_text
from workflow.domain.restriction import Source
from workflow.domain.vocabulary import EntryType, RestrictionStatus
from workflow.errors import SourceError
from workflow.services.intake import tenant_of
from workflow.services.names import Names
from workflow.storage import cases, subjects
from workflow.storage import entries as stored

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from workflow.app import App
    from workflow.domain.period import Period
    from workflow.domain.restriction import Restriction
    from workflow.storage.transaction import Tx

CLAIMING = frozenset({EntryType.CASE_RELEASED, EntryType.UNBLOCK_ANSWERED})
MOST_KNOWN = 1000
"""Entities whose stays are remembered while a log is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which events: those of a period and, where one is named, a tenant; ``taken_at`` is when the log was exported."""

    period: Period
    taken_at: datetime
    tenant: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One event of the audit log, or one unblock of ours, and what it is to the other side.

    ``event`` is listed, delisted, removed (a person ran the removal), unblocked (ours), or what was done to an account
    (:class:`workflow.domain.vocabulary.Alteration`). ``next`` is the command that records the finding, "" where the
    ledger knows of it already.
    """

    account: str
    event: str
    at: datetime
    kind: str
    identifier: str
    tenant: str
    by: str
    file: str
    where: str
    case: str
    case_number: int | None
    sequence: int | None
    recorded: bool
    why: str
    next: str

    def to_data(self) -> dict[str, object]:
        """Return plain JSON values."""
        found = {name: getattr(self, name) for name in self.__slots__}
        return {**found, "at": optional_time_to_text(self.at)}


class Verdicts:
    """What events of the audit log are to our cases, by one reading of the ledger."""

    def __init__(self, tx: Tx) -> None:
        """Nothing is read yet."""
        self._tx = tx
        self._known: OrderedDict[tuple[str, str, str], list[Stay]] = OrderedDict()

    def of(self, item: Restriction, at: datetime, tenant: str) -> Judged:
        """Judge an event of this time."""
        known = self.stays(item, tenant)
        if item.status is not RestrictionStatus.NOT_LISTED:
            return reconciliation.judge_listing(at, known)
        return reconciliation.judge_delisting(at, item.lifted_by, known, item.reason)

    def stays(self, item: Restriction, tenant: str) -> list[Stay]:
        """Return all stays of an entity; those asked for last are remembered."""
        key = (tenant, item.kind.value, item.identifier)
        if key not in self._known:
            entity = subjects.find(self._tx, tenant, item.kind, item.identifier)
            found = cases.about(self._tx, entity) if entity else []
            self._known[key] = [
                stay for case_id in found for stay in reconciliation.stays(cases.entries(self._tx, case_id))
            ]
        self._known.move_to_end(key)
        while len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)
        return self._known[key]


class Reconciliation:
    """One reading of the ledger, against which events are judged one by one."""

    def __init__(self, app: App, tx: Tx, wanted: Wanted) -> None:
        """Find the unblocks of ours that the log has to show."""
        self._app, self._tx, self._wanted = app, tx, wanted
        self._verdicts = Verdicts(tx)
        self._begins, self._ends = wanted.period.texts()
        self._claims = {
            (stay.case, effort.sequence): effort.claimed_at
            for case_id in stored.cases_with(tx, CLAIMING, self._begins, self._ends)
            for stay in reconciliation.stays(cases.entries(tx, case_id))
            for effort in stay.efforts
            if effort.claimed_at is not None and self._inside(effort.claimed_at)
        }

    def judge(self, item: Restriction, file: str) -> Line | None:
        """Judge one record of the audit log; None where it lies outside the period or tenant.

        Raises:
            SourceError: it is no record of an audit log.
        """
        if item.source is not Source.AUDIT_LOG:
            message = "This is no export of the audit log, which alone says what happened in the tenant."
            raise SourceError(message)
        at = item.lifted_at or item.observed_at
        tenant = tenant_of(self._app, item, self._wanted.tenant)
        if at is None or not self._inside(at):
            return None
        self._shown(item, at, tenant)
        return line_of(item, at, tenant, self._verdicts.of(item, at, tenant), file)

    def rest(self) -> Iterator[Line]:
        """Yield the unblocks of ours that no record showed, once everything was judged."""
        for (case_id, sequence), claimed_at in self._claims.items():
            case = cases.load(self._tx, case_id)
            if self._wanted.tenant not in {"", case.tenant}:
                continue
            judged = reconciliation.judge_silence(claimed_at, self._wanted.taken_at)
            text = f"The tenant's audit log shows no delisting for the unblock of entry {sequence}"
            yield Line(
                account=judged.account.value,
                event="unblocked",
                at=claimed_at,
                kind=case.kind.value,
                identifier=Names(self._tx, [case.entity]).subject(case.entity),
                tenant=case.tenant,
                by="",
                file="",
                where="",
                case=case_id,
                case_number=case.number,
                sequence=sequence,
                recorded=judged.recorded,
                why=judged.why,
                next="" if judged.recorded else shlex.join(["holdfast", "case", "note", str(case.number), text]),
            )

    def _inside(self, at: datetime) -> bool:
        return self._begins <= (optional_time_to_text(at) or "") < self._ends

    def _shown(self, item: Restriction, at: datetime, tenant: str) -> None:
        """Strike out the unblocks of ours that this record, where it is of a delisting, shows."""
        if item.status is not RestrictionStatus.NOT_LISTED:
            return
        for stay in self._verdicts.stays(item, tenant):
            for effort in stay.efforts:
                if effort.covers(at, item.lifted_by, item.reason):
                    self._claims.pop((stay.case, effort.sequence), None)


@contextmanager
def reconcile(app: App, wanted: Wanted) -> Iterator[Reconciliation]:
    """Open one consistent reading of the ledger to judge an audit log against."""
    with app.database.reading() as tx:
        yield Reconciliation(app, tx, wanted)


def line_of(item: Restriction, at: datetime, tenant: str, judged: Judged, file: str = "") -> Line:
    """Return what is told of one judged event; ``file`` is "" where the tenant itself was asked."""
    stay = judged.stay
    delisted = "removed" if item.lifted_by else "delisted"
    return Line(
        account=judged.account.value,
        event=delisted if item.status is RestrictionStatus.NOT_LISTED else "listed",
        at=at,
        kind=item.kind.value,
        identifier=item.identifier,
        tenant=tenant,
        by=item.lifted_by,
        file=file,
        where=item.where,
        case=stay.case if stay else "",
        case_number=stay.number if stay else None,
        sequence=judged.sequence or None,
        recorded=judged.recorded,
        why=judged.why,
        next="" if judged.recorded else _next(judged, item, at, file),
    )


def _next(judged: Judged, item: Restriction, at: datetime, file: str) -> str:
    """Return the command that records a finding."""
    time = optional_time_to_text(at) or ""
    listing = item.status is not RestrictionStatus.NOT_LISTED
    if judged.later:
        shows = f"The tenant's audit log shows a {'listing' if listing else 'delisting'} at {time}"
        text = f"{shows} while no case was about it ({item.where})"
        return shlex.join(["holdfast", "case", "note", str(judged.later), text])
    if judged.stay is None:
        if listing and file not in {"", "-"}:
            return shlex.join(["holdfast", "import", file])
        dated = ["--restricted-at", time] if listing else []
        end = ["--"] if item.identifier.startswith("-") else []
        return shlex.join(["holdfast", "case", "open", *dated, *end, item.identifier])
    stay = judged.stay
    if stay.gone and not item.lifted_by:
        text = f"The tenant's audit log shows a delisting at {time} outside every approved unblock ({item.where})"
        return shlex.join(["holdfast", "case", "note", str(stay.number), text])
    lifted = ["--lifted-by", item.lifted_by] if item.lifted_by else []
    words = ["holdfast", "case", "observe", str(stay.number), "--restriction", "not-listed"]
    return shlex.join([*words, "--ref", f"audit log, {item.where}", "--at", time, *lifted, "--lifted-at", time])


__all__ = ["Account", "Line", "Reconciliation", "Verdicts", "Wanted", "line_of", "reconcile"]
