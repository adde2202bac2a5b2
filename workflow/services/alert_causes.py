"""What gives cause to alerts: found on the ledger and by the clock, and put down as messages in the outbox.

Level-triggered: the sealed ledger is walked from where the last look ended, and the messages are put down in the
transaction that moves that place on. So a process that is lost loses and doubles nothing.
"""

from __future__ import annotations

import hashlib
import itertools
from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

from workflow.domain.alerts import RAISING, Policy, raised_by, standing
from workflow.domain.picture import LATE_AFTER, OVERDUE_AFTER
from workflow.domain.reconciliation import occurrence
from workflow.domain.record import time_from_text, time_to_text
from workflow.domain.vocabulary import LOG_CASE, EntryType
from workflow.services import alert_policies, setup, verification
from workflow.storage import alerts as outbox
from workflow.storage import cases, tree
from workflow.storage import entries as stored
from workflow.storage.alerts import DUE, NOBODY, Alert

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from workflow.app import App
    from workflow.domain.alerts import Rule
    from workflow.domain.record import Entry
    from workflow.storage.transaction import Tx

AT_ONCE = 500
"""Entries looked at in one transaction."""


class Cause(NamedTuple):
    """What is told: its key, since when it is so, and the case and entry it is about."""

    key: str
    at: str
    case: str = ""
    sequence: int = 0


def messages(ledger: str, rule: Rule, cause: Cause, now: datetime) -> list[Alert]:
    """Return the messages of one cause: one to each recipient, or one that says that there was nobody to tell."""
    if not rule.on:
        return []
    return [
        Alert(
            id=_name(ledger, cause.key, recipient),
            cause=cause.key,
            policy=rule.policy.value,
            severity=rule.severity.value,
            recipient=recipient,
            case_id=cause.case,
            sequence=cause.sequence,
            raised_at=cause.at,
            due_at=time_to_text(now) if recipient else "",
            state=DUE if recipient else NOBODY,
            settled_at="" if recipient else time_to_text(now),
        )
        for recipient in rule.told or ("",)
    ]


def _name(ledger: str, cause: str, recipient: str) -> str:
    return f"alert_{hashlib.sha256(f'{ledger} {cause} {recipient}'.encode()).hexdigest()[:32]}"


def collect(app: App, now: datetime) -> int:
    """Find what gives cause to alerts, and put the messages into the outbox; returns how many.

    An entry is judged by the policies that were in force when it was recorded.

    Raises:
        KeyMissingError: something is unsealed, so that its place is not known yet, and there is no key.
    """
    setup.seal_now(app)
    raised = 0
    while _unseen(app):
        with app.database.transaction() as tx:
            outbox.lock(tx)
            raised += _look(tx, now)
    return raised + _pending(app, now)


def _unseen(app: App) -> bool:
    with app.database.reading() as tx:
        return outbox.looked_at(tx) < tree.size(tx)


def _look(tx: Tx, now: datetime) -> int:
    """Look at the next entries of the ledger."""
    begins, size = outbox.looked_at(tx), tree.size(tx)
    told = stored.of_types(tx, LOG_CASE, (EntryType.ALERTS_CHANGED,))
    found = outbox.causes(tx, begins, size, RAISING, AT_ONCE)
    name, rows = outbox.ledger(tx), list[Alert]()
    for _, entry in found:
        policy = raised_by(entry)
        if policy is not None:
            # By time and not by place: a sealer numbers what several cases wrote in another order than they did.
            before = bisect_right(told, entry.recorded_at, key=lambda item: item.recorded_at)
            cause = Cause(_key(tx, entry, policy), entry.recorded_at, entry.case, entry.sequence)
            rows += messages(name, standing(told[:before])[policy], cause, now)
    outbox.look_on(tx, found[-1][0] + 1 if len(found) == AT_ONCE else size)
    return outbox.add(tx, rows)


def _key(tx: Tx, entry: Entry, policy: Policy) -> str:
    """Return what is told once: an entry, what others changed in a case on one day (UTC), or an unblock outside.

    That one a poll may see first, and the log name later.
    """
    if policy is Policy.CHANGED:
        return f"{policy}:{entry.case}:{entry.recorded_at[:10]}"
    if policy is not Policy.OUTSIDE:
        return f"entry:{entry.id}"
    entries = itertools.takewhile(lambda item: item.sequence <= entry.sequence, cases.entries(tx, entry.case))
    return f"{policy}:{entry.case}:{occurrence(entry, entries)}"


def _pending(app: App, now: datetime) -> int:
    """Look for unblocks that are late or overdue now."""
    with app.database.reading() as tx:
        rules, name, rows = alert_policies.in_force(tx), outbox.ledger(tx), list[Alert]()
        for case_id, since in outbox.pending_since(tx, now - LATE_AFTER):
            overdue = now - time_from_text(since) >= OVERDUE_AFTER
            policy = Policy.OVERDUE if overdue else Policy.LATE
            cause = Cause(f"{policy}:{case_id}:{since}", time_to_text(now), case_id)
            rows += messages(name, rules[policy], cause, now)
    return put(app, rows)


def put(app: App, rows: Sequence[Alert]) -> int:
    """Put messages into the outbox that are not there yet; nothing is locked where all of them are."""
    with app.database.reading() as tx:
        known = outbox.known(tx, [item.id for item in rows])
    if known.issuperset(item.id for item in rows):
        return 0
    with app.database.transaction() as tx:
        outbox.lock(tx)
        return outbox.add(tx, rows)


def alarm(app: App, policy: Policy, now: datetime) -> int:
    """Tell of something that is on no ledger, at most once a day (UTC): that it does not verify, or no tenant answers.

    Returns how many messages were put into the outbox.
    """
    with app.database.reading() as tx:
        rule, name = alert_policies.in_force(tx)[policy], outbox.ledger(tx)
    cause = Cause(f"{policy}:{time_to_text(now)[:10]}", time_to_text(now))
    return put(app, messages(name, rule, cause, now))


def digest(app: App, now: datetime) -> int:
    """Put the digest of the day (UTC) into the outbox, once; returns how many messages.

    The ledger is verified first; where it does not verify, that is told too.
    """
    with app.database.reading() as tx:
        rule, name = alert_policies.in_force(tx)[Policy.DIGEST], outbox.ledger(tx)
        cause = Cause(f"{Policy.DIGEST}:{time_to_text(now)[:10]}", time_to_text(now))
        rows = messages(name, rule, cause, now)
        if outbox.known(tx, [item.id for item in rows]).issuperset(item.id for item in rows):
            return 0
    found = 0 if verification.verify(app).ok else alarm(app, Policy.LEDGER, now)
    return found + put(app, rows)
