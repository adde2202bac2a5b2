"""What the tenant's log shows was done to the accounts of our cases: by an intent of ours, or outside it.

Read and judged here; nothing is written. Names in the log may be anybody's choice: they are kept as one line of limited
length, and only as a text that can be erased.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workflow.domain import actions as act
from workflow.domain.alterations import explained_by, within
from workflow.domain.private import Private, private
from workflow.domain.reconciliation import SKEW, Account
from workflow.domain.record import time_to_text
from workflow.domain.subject import normalise
from workflow.domain.vocabulary import Kind
from workflow.errors import InputError
from workflow.providers.alterations import account_of, alteration_of
from workflow.services.predicates import shown
from workflow.services.reconciling import Line
from workflow.storage import cases, subjects

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from workflow.app import App
    from workflow.domain.case import Case
    from workflow.domain.subject import Subject
    from workflow.domain.vocabulary import Alteration
    from workflow.providers.shapes import AuditEvent
    from workflow.storage.transaction import Tx

AT_ONCE = 500
"""Cases that are loaded with one statement."""
RECORD = "holdfast ledger reconcile --tenant-log --record"
"""What records whatever the tenant's log shows and the ledger does not know."""


@dataclass(frozen=True, slots=True)
class Altered:
    """One change of an account of one case: what is told of it, and the action that records it."""

    case: Case
    line: Line
    action: act.SeeChange


def altered(app: App, events: Sequence[AuditEvent]) -> list[Altered]:
    """Return what these records of the log tell of the accounts of our cases, in their order.

    One that a change of ours explains, in whichever case it was intended, is told of that case alone; any other of
    every case that was about the account then.
    """
    told = [(event, alteration, _name(event)) for event in events if (alteration := alteration_of(event)) is not None]
    if not told:
        return []
    with app.database.reading() as tx:
        found = _cases_by_account(app, tx, min(event.at for event, _, _ in told) - SKEW)
    judged: list[Altered] = []
    for event, alteration, name in told:
        every = [_judged(case, accounts, event, alteration) for case, accounts in found.get(name, ())]
        ours = [item for item in every if item.line.account == Account.TRACKED]
        judged += ours[:1] or [item for item in every if within(item.case, event.at)]
    return judged


def _name(event: AuditEvent) -> str:
    """Return the account that a record is about as subjects are registered, "" where it names none."""
    try:
        return normalise(Kind.USER, account_of(event))
    except InputError:
        return ""


def _cases_by_account(app: App, tx: Tx, since: datetime) -> dict[str, list[tuple[Case, list[Subject]]]]:
    """Return, by the name of an account, the cases that were about it since then, each with its subjects of that name.

    A mailbox and its user go by one name.
    """
    ids = cases.standing_since(tx, app.settings.tenant, time_to_text(since))
    loaded = [cases.load_many(tx, ids[start : start + AT_ONCE], app.cache) for start in range(0, len(ids), AT_ONCE)]
    standing = [case for batch in loaded for case in batch.values() if case.erased_at is None]
    known = subjects.names(tx, {subject for case in standing for subject in (case.entity, *case.identities)})
    found: dict[str, list[tuple[Case, list[Subject]]]] = {}
    for case in standing:
        own: dict[str, list[Subject]] = {}
        for item in [known[subject] for subject in dict.fromkeys((case.entity, *case.identities)) if subject in known]:
            own.setdefault(item.identifier, []).append(item)
        for name, same in own.items():
            found.setdefault(name, []).append((case, same))
    return found


def _judged(case: Case, accounts: Sequence[Subject], event: AuditEvent, alteration: Alteration) -> Altered:
    """Return what a record is to a case that is about the account."""
    where = shown(f"audit record {event.id}")
    action = act.SeeChange(
        alteration=alteration,
        accounts=tuple(item.id for item in accounts),
        altered_at=event.at,
        fingerprint=hashlib.sha256(event.id.encode("utf-8", "surrogatepass")).hexdigest(),
        own=event.own,
        done_by=private(shown(event.actor)),
        reference=Private(where),
    )
    intent, told = explained_by(case, action), case.altered.get(action.fingerprint)
    entry = intent or (told.sequence if told else 0)
    why = "by a change of ours" if intent else "no change of ours explains it"
    line = Line(
        account=(Account.TRACKED if intent else Account.OUTSIDE).value,
        event=alteration.value,
        at=event.at,
        kind=accounts[0].kind.value,
        identifier=accounts[0].identifier,
        tenant=case.tenant,
        by=shown(event.actor),
        file="",
        where=where,
        case=case.id,
        case_number=case.number,
        sequence=entry or None,
        recorded=entry > 0,
        why=why,
        next="" if entry else RECORD,
    )
    return Altered(case, line, action)


def lines(app: App, events: Sequence[AuditEvent]) -> Iterator[Line]:
    """Yield what is told of each."""
    return (item.line for item in altered(app, events))
