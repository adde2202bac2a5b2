"""Verifying what entries say of other entries: somebody's roles, a linked case's state, a record of the tenant."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workflow.domain import tenant
from workflow.domain.record import SYSTEM, time_to_text
from workflow.domain.vocabulary import LOG_CASE, EntryType, Outcome, TenantFact
from workflow.ledger.verify import Finding
from workflow.storage import entries as stored

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workflow.domain.playbook import Playbook
    from workflow.domain.record import Entry
    from workflow.domain.roster import Roster, Rosters
    from workflow.domain.tenant import TenantRecord
    from workflow.services.verdict import Report
    from workflow.storage.transaction import Tx

Placed = tuple["Entry", int]
"""An entry and the number of its leaf."""


def check_roles(report: Report, case_id: str, placed: Sequence[Placed], known: Rosters, *, ordered: bool) -> None:
    """Hold the roles and team that entries carry against the list of people then in force.

    ``ordered`` says that leaves stand in the order of commits. Where a sealer numbers them later, any list that was
    ever in force may have been the one.
    """
    machine = SYSTEM.to_data()
    for entry, index in placed:
        actor = entry.actor
        if actor["id"] == machine["id"]:
            if actor != machine:
                why = "the machine acts with roles or names that are not its own"
                report.add(Finding("roles", case_id, entry.sequence, index, why))
            continue
        claimed = (tuple(actor["roles"]), actor["team"])
        lists = _in_force(known, case_id, index) if ordered else known.lists
        if all(roster.of(actor["id"]) != claimed for roster in lists):
            roles = ", ".join(claimed[0]) or "no roles"
            why = f"somebody acts as {roles}, team {claimed[1]!r}, which the list of people then in force does not say"
            report.add(Finding("roles", case_id, entry.sequence, index, why))


@dataclass(frozen=True, slots=True)
class Tenants:
    """What the log says of its tenants, by leaf hash: the records with their leaf's number, and where each ended.

    ``ended`` gives the number of the leaf that took a record back, ``retractions`` what each such entry took back.
    """

    records: Mapping[str, tuple[TenantRecord, int]] = field(default_factory=dict)
    ended: Mapping[str, int] = field(default_factory=dict)
    retractions: Mapping[str, tuple[str, TenantFact, int]] = field(default_factory=dict)


def tenants(placed: Sequence[Placed]) -> Tenants:
    """Return what the log's own entries say of its tenants."""
    records: dict[str, tuple[TenantRecord, int]] = {}
    ended: dict[str, int] = {}
    retractions: dict[str, tuple[str, TenantFact, int]] = {}
    for entry, index in placed:
        if entry.type == EntryType.TENANT_RETRACTED:
            ended[entry.data["entry"]] = index
            retractions[entry.leaf] = (entry.data["tenant"], TenantFact(entry.data["fact"]), index)
        records |= {item.leaf: (item, index) for item in tenant.records([entry])}
    return Tenants(records, ended, retractions)


def check_tenant(
    report: Report,
    case_id: str,
    placed: Sequence[Placed],
    known: Tenants,
    books: Mapping[str, Playbook],
    *,
    ordered: bool,
) -> None:
    """Hold evidence that was handed on from the tenant against the log's entry it names.

    ``ordered`` as in :func:`check_roles`: elsewhere the order between the log and a case says nothing.
    """
    for entry, index in placed:
        cited = entry.data.get("tenant_entry", "")
        if not cited or entry.outcome != Outcome.DONE:
            continue
        if entry.type == EntryType.EVIDENCE_RETRACTED:
            why = _wrong_retraction(entry, index, known, books, ordered=ordered)
        else:
            why = _wrong_answer(entry, index, known, books, ordered=ordered)
        if why:
            report.add(Finding("tenant-record", case_id, entry.sequence, index, why))


def _wrong_retraction(entry: Entry, index: int, known: Tenants, books: Mapping[str, Playbook], *, ordered: bool) -> str:
    found = known.retractions.get(entry.data["tenant_entry"])
    if found is None or (ordered and found[2] > index):
        return "it says that a record of the tenant was taken back, and the log has no such entry before it"
    agrees = found[:2] == (entry.tenant, _fact(entry, books))
    return "" if agrees else "the record of the tenant that was taken back is about something else"


def _wrong_answer(entry: Entry, index: int, known: Tenants, books: Mapping[str, Playbook], *, ordered: bool) -> str:
    record, place = known.records.get(entry.data["tenant_entry"], (None, 0))
    if record is None or (ordered and place > index):
        return "it stands on a record of the tenant, and the log has no such entry before it"
    data = entry.data
    people = data.get("attested_by", ())
    said = (data.get("result", "met"), data["observed_at"], data.get("expires_at"), people[:1])
    meant = (record.result, time_to_text(record.observed_at), time_to_text(record.expires_at), [record.attested_by[0]])
    about = (record.tenant, record.fact)
    # Accounts of whoever recorded it may have become known since, and none of those known then is left out.
    if (entry.tenant, _fact(entry, books), *said) != (*about, *meant) or not set(people).issuperset(record.attested_by):
        return "it says something else than the record of the tenant on which it stands"
    if entry.recorded_at >= time_to_text(record.expires_at):
        return "it stands on a record of the tenant that had run out"
    if ordered and known.ended.get(record.leaf, index) < index:
        return "it stands on a record of the tenant that had been taken back"
    return ""


def _fact(entry: Entry, books: Mapping[str, Playbook]) -> TenantFact | None:
    book = books.get(entry.playbook)
    item = book.get(entry.data["prerequisite"]) if book is not None else None
    return None if item is None else item.fact


def _in_force(known: Rosters, case_id: str, index: int) -> Sequence[Roster]:
    """Return the list in force at a leaf; the log's own entries may come just before the list they are written under.

    What is written about the log when a process starts stands under the settings it started with.
    """
    place = known.place(index)
    return known.lists[place : place + 2] if case_id == LOG_CASE else (known.lists[place],)


def check_linked(tx: Tx, report: Report, case_id: str, placed: Sequence[Placed]) -> None:
    """Hold the states of linked cases that a decision stood on against the histories of those cases at that time."""
    for entry, index in placed:
        for other, state in entry.basis.get("linked", {}).items():
            # Where a sealer numbers the leaves later, their order between two cases says nothing.
            if tx.sqlite:
                agrees = stored.state_before(tx, other, index) == state
            else:
                agrees = stored.was_in_state(tx, other, state)
            if not agrees:
                why = f"it stands on a linked case that was {state!r}, which that case's own entries do not say"
                report.add(Finding("linked", case_id, entry.sequence, index, why))
