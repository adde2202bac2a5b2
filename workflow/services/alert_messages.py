"""What an alert says, and whom it may not reach: drawn from the case as it stands when the message is sent."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from workflow.domain import addressee
from workflow.domain.alerts import STANDARD, Policy
from workflow.domain.picture import LATE_AFTER, OVERDUE_AFTER, UNREVIEWED
from workflow.domain.record import time_for_people, time_from_text
from workflow.domain.vocabulary import Kind
from workflow.messages.message import Message
from workflow.messages.recipient import Channel
from workflow.storage import cases, subjects, tree, worklist
from workflow.storage.alerts import TEST

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from workflow.app import App
    from workflow.domain.case import Case
    from workflow.messages.recipient import Recipient
    from workflow.storage.alerts import Alert
    from workflow.storage.transaction import Tx

SOON = timedelta(days=1)
"""Exceptions that run out within this time stand in the digest."""
MOST_NAMED = 20
"""Cases named by number in one line of the digest."""
CHECKPOINT_LINES = 3


def forbidden(app: App, tx: Tx, alert: Alert, recipient: Recipient) -> str:
    """Say why a recipient may not get a message, "" where nothing speaks against it.

    What is about one case does not go to an account of that case; what is about none, to no account of an open case.
    """
    about = [cases.load(tx, alert.case_id, app.cache)] if alert.case_id else _open(app, tx)
    accounts, erased = _accounts(app, tx, about)
    if alert.case_id and erased:
        return "the names of this case are erased, so nobody can tell whether it is about the recipient"
    if addressee.reaches(recipient.mentions, accounts):
        return "the recipient is, or is reached through, an account that the case is about"
    return ""


def _open(app: App, tx: Tx) -> Iterator[Case]:
    for row in worklist.every(tx, worklist.Filters()):
        yield cases.load(tx, row.id, app.cache)


def _accounts(app: App, tx: Tx, about: Iterable[Case]) -> tuple[set[str], bool]:
    """Return every address of the accounts that cases are about, with those of the same person; and if one is gone."""
    ids = {name for case in about for name in (case.entity, *case.identities)}
    found = subjects.names(tx, ids)
    accounts = {item.identifier for item in found.values() if item.kind in {Kind.MAILBOX, Kind.USER}}
    for person in app.settings.people:
        own = {*person.identities, *([person.contact] if "@" in person.contact else [])}
        if addressee.reaches(own, accounts):
            accounts |= own
    return accounts, len(found) < len(ids)


def message(app: App, tx: Tx, alert: Alert, channel: Channel) -> Message:
    """Write a message as its recipient gets it."""
    standard = STANDARD[Policy(alert.policy)]
    row = cases.row(tx, alert.case_id) if alert.case_id else None
    test = alert.cause.startswith(TEST)
    lines = ["This is a test: nothing happened."] if test else []
    entity = ""
    if row is not None:
        lines.append(f"Case #{row.number}, a {row.kind}, is {row.state.replace('_', ' ')}")
        wanted = app.settings.alert_addresses
        if wanted == "all" or (wanted == "mail" and channel is Channel.MAIL):
            entity = next((item.identifier for item in subjects.names(tx, [row.entity]).values()), "")
    lines.append(f"Raised {time_for_people(time_from_text(alert.raised_at))}")
    if alert.policy == Policy.DIGEST and not test:
        lines += _digest(app, tx, time_from_text(alert.raised_at))
    return Message(
        id=alert.id,
        policy=alert.policy,
        severity=alert.severity,
        title=f"{'Test: ' if test else ''}{standard.title}{f', case #{row.number}' if row is not None else ''}",
        lines=tuple(lines),
        raised_at=alert.raised_at,
        advice=standard.advice,
        command=standard.command.format(case=row.number if row is not None else "CASE"),
        case=row.number if row is not None else None,
        entity=entity,
        test=test,
    )


def _digest(app: App, tx: Tx, now: datetime) -> Iterator[str]:
    rows = list(worklist.every(tx, worklist.Filters()))
    yield f"{len(rows)} open {'case' if len(rows) == 1 else 'cases'}"
    pending = [(row.number, now - row.intended_at) for row in rows if row.intended_at is not None]
    soon = [
        case.number
        for case in _open(app, tx)
        if any(not item.expired and item.expires_at <= now + SOON for item in case.acceptances.values())
    ]
    for what, numbers in (
        ("Unblock overdue", [number for number, span in pending if span >= OVERDUE_AFTER]),
        ("Unblock late", [number for number, span in pending if LATE_AFTER <= span < OVERDUE_AFTER]),
        ("Exception runs out within a day", soon),
        ("Break-glass approval not reviewed", [row.number for row in rows if row.break_glass == UNREVIEWED]),
    ):
        if numbers:
            named = ", ".join(f"#{number}" for number in numbers[:MOST_NAMED])
            yield f"{what}: {named}{f' and {len(numbers) - MOST_NAMED} more' if len(numbers) > MOST_NAMED else ''}"
    yield "Newest checkpoint of the ledger:"
    yield from (tree.newest(tx) or "").splitlines()[:CHECKPOINT_LINES]
