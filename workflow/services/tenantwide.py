"""What stands recorded of a tenant as a whole, and what it answers in a case, with its words."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from workflow.domain import tenant as rules
from workflow.domain.private import Private, private
from workflow.domain.record import SYSTEM, clamp, time_for_people
from workflow.domain.vocabulary import LOG_CASE, EntryType
from workflow.services import people
from workflow.services.writing import take_step
from workflow.storage import entries as entries_of
from workflow.storage import openings, subjects

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from workflow.app import App
    from workflow.domain import actions as act
    from workflow.domain.case import Case
    from workflow.domain.playbook import Playbook
    from workflow.domain.record import Entry
    from workflow.domain.tenant import TenantRecord
    from workflow.storage.transaction import Tx

BEGINNINGS = frozenset(
    {EntryType.CASE_OPENED, EntryType.CASE_REOPENED, EntryType.RESTRICTION_RETURNED, EntryType.PLAYBOOK_MOVED}
)
"""After these a case asks anew, so that what is recorded of its tenant answers anew."""

TYPES = (EntryType.TENANT_RECORDED.value, EntryType.TENANT_RETRACTED.value)


def entries(tx: Tx) -> list[Entry]:
    """Return the log's entries about tenants, oldest first."""
    return entries_of.of_types(tx, LOG_CASE, TYPES)


def standing(tx: Tx, tenant: str) -> list[TenantRecord]:
    """Return the records that stand for a tenant, expired ones included."""
    return [record for (name, _), record in rules.standing(entries(tx)).items() if name == tenant]


def claimed(tx: Tx, handed: Iterable[Entry]) -> dict[int, bool]:
    """Say of the entries handed on from the tenant, by sequence, whether the name of who recorded it is claimed."""
    cited = {entry.sequence: entry.data["tenant_entry"] for entry in handed if entry.data.get("attested_by")}
    known = {record.leaf: record.claimed for record in rules.records(entries(tx))} if cited else {}
    return {sequence: known.get(leaf, True) for sequence, leaf in cited.items()}


def answers(
    app: App, tx: Tx, case: Case, playbook: Playbook, record: TenantRecord, now: datetime
) -> Iterator[act.RecordEvidence]:
    """Yield what a record answers in a case, with the words it was recorded with: each case keeps its own copy.

    Accounts of whoever recorded it count that became known only since.
    """
    person = record.attested_by[0]
    found = subjects.names(tx, [person]).get(person)
    since = people.accounts(app, tx, found.identifier) if found is not None else ()
    known = replace(record, attested_by=tuple(dict.fromkeys((*record.attested_by, *since))))
    actions = [(action, rules.repeated(case, action)) for action in rules.answers(case, playbook, known, now)]
    wanted = [text.commitment for text in (record.reference, record.value) if text]
    words = openings.reveal(tx, wanted) if actions else {}
    until = time_for_people(record.expires_at)
    note = f"Recorded for the whole tenant, log entry {record.sequence}; counts until {until}."
    for action, own in actions:
        # An answer of the case's own that says the same is confirmed as it stands: what was requested on it stays so.
        value = {"after": _words(words, record.value)}
        same = {} if own is None else {"before": own.before, "after": own.after, "attachment": own.attachment}
        yield replace(action, reference=_words(words, record.reference), note=Private(note), **(same or value))


def _words(words: dict[str, str], text: Private) -> Private:
    return private(words.get(text.commitment))


def follow(app: App, tx: Tx, case: Case, written: Sequence[Entry]) -> tuple[Case, list[Entry]]:
    """Answer from the tenant's standing records what a step has just begun to ask; ``cases.lock_log`` was taken."""
    if not BEGINNINGS.intersection(entry.type for entry in written):
        return case, []
    playbook = app.playbook(tx, case.playbook)
    if not any(item.fact for item in playbook.prerequisites):
        return case, []
    return hand_on(app, tx, case, standing(tx, case.tenant))


def hand_on(app: App, tx: Tx, case: Case, records: Iterable[TenantRecord]) -> tuple[Case, list[Entry]]:
    """Give a case evidence of its own for each record of its tenant that answers something in it (the machine does)."""
    playbook = app.playbook(tx, case.playbook)
    made: list[Entry] = []
    for record in records:
        now, _ = clamp(app.now(), case.updated_at)
        for action in answers(app, tx, case, playbook, record, now):
            case, written = take_step(app, tx, case, playbook, action, SYSTEM)
            made += written
    return case, made
