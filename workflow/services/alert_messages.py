"""What an alert says, and whom it may not reach: drawn from the case as it stands when the message is sent."""

from __future__ import annotations

import hashlib
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
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from workflow.app import App
    from workflow.domain.case import Case
    from workflow.domain.picture import Picture
    from workflow.messages.recipient import Recipient
    from workflow.storage.alerts import Alert
    from workflow.storage.transaction import Tx

SOON = timedelta(days=1)
"""Exceptions that run out within this time stand in the digest."""
MOST_NAMED = 20
"""Cases named by number in one line."""
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


def message(app: App, tx: Tx, alerts: Sequence[Alert], channel: Channel) -> Message:
    """Write one message about alerts of one policy as their recipient gets it."""
    first = alerts[0]
    standard, test = STANDARD[Policy(first.policy)], first.cause.startswith(TEST)
    rows = [row for item in alerts if item.case_id and (row := cases.row(tx, item.case_id)) is not None]
    lines = ["This is a test: nothing happened."] if test else []
    lines += _about(rows)
    lines.append(f"Raised {' to '.join(_span(alerts))}")
    if first.policy == Policy.DIGEST and not test:
        lines += _digest(app, tx, time_from_text(first.raised_at))
    what = f", case #{rows[0].number}" if len(rows) == 1 else f": {len(rows)} cases" if rows else ""
    named = app.settings.alert_addresses
    wanted = len(rows) == 1 and (named == "all" or (named == "mail" and channel is Channel.MAIL))
    return Message(
        id=_name(alerts),
        policy=first.policy,
        severity=first.severity,
        title=f"{'Test: ' if test else ''}{standard.title}{what}",
        lines=tuple(lines),
        raised_at=first.raised_at,
        advice=standard.advice,
        command=standard.command.format(case=rows[0].number) if len(rows) == 1 else _for_many(standard.command),
        cases=tuple(row.number for row in rows),
        alerts=tuple(item.id for item in alerts),
        entity=_entity(tx, rows[0]) if wanted else "",
        test=test,
    )


def _name(alerts: Sequence[Alert]) -> str:
    """Return the id of a message: the alert's own, or what the ids of many come to, whoever sends them together."""
    ids = sorted(item.id for item in alerts)
    return ids[0] if len(ids) == 1 else f"alert_{hashlib.sha256(' '.join(ids).encode()).hexdigest()[:32]}"


def _about(rows: Sequence[Picture]) -> list[str]:
    if len(rows) == 1:
        return [f"Case #{rows[0].number}, a {rows[0].kind}, is {rows[0].state.replace('_', ' ')}"]
    return [f"{len(rows)} cases: {_numbers([row.number for row in rows])}"] if rows else []


def _span(alerts: Sequence[Alert]) -> list[str]:
    times = sorted(item.raised_at for item in alerts)
    return list(dict.fromkeys(time_for_people(time_from_text(text)) for text in (times[0], times[-1])))


def _for_many(command: str) -> str:
    """Return the command for what is about no single case."""
    return "holdfast case list" if "{case}" in command else command


def _entity(tx: Tx, row: Picture) -> str:
    return next((item.identifier for item in subjects.names(tx, [row.entity]).values()), "")


def _numbers(numbers: Sequence[int]) -> str:
    named = ", ".join(f"#{number}" for number in numbers[:MOST_NAMED])
    return f"{named} and {len(numbers) - MOST_NAMED} more" if len(numbers) > MOST_NAMED else named


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
            yield f"{what}: {_numbers(numbers)}"
    yield "Newest checkpoint of the ledger:"
    yield from (tree.newest(tx) or "").splitlines()[:CHECKPOINT_LINES]
