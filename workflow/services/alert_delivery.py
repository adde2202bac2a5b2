"""Delivering alerts: at least once, to nobody whom they are about, within the daily limit, and given up after a day.

A message that was sent by a process that died before it could say so is sent again, under the same id.
"""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from workflow.domain import access
from workflow.domain.alerts import Policy
from workflow.domain.record import time_to_text
from workflow.errors import DeliveryError, NotFoundError, RuleRefusedError, SettingsError
from workflow.services import alert_messages, alert_policies, logbook, people
from workflow.services.alert_causes import Cause, messages, put
from workflow.storage import alerts as outbox
from workflow.storage import cases
from workflow.storage.alerts import DUE, FAILED, HELD, SENT, SUPPRESSED, TEST, Alert
from workflow.storage.transaction import storable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from workflow.app import App
    from workflow.domain.alerts import Rule
    from workflow.messages.message import Message
    from workflow.messages.recipient import Recipient
    from workflow.services.people import Who
    from workflow.storage.transaction import Tx

LEASE = timedelta(minutes=5)
"""How long a message is one process's to send; if it dies meanwhile, another sends it then."""
DELAYS = (
    *(timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1)),
    *(timedelta(hours=3), timedelta(hours=6), timedelta(hours=12)),
)
"""What is waited after each failed attempt; the one after the last gives a message up, a day after the first."""
MOST_SENT = 200
"""Messages of one delivery, so that whoever calls it gets back to other work."""
MANY, MOST_TOGETHER = 6, 500
"""From how many alerts on, due at once for one recipient by one policy, one message tells them all; and how many."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """What came of one delivery, in alerts. ``failed`` were given up, ``waiting`` are tried again later."""

    sent: int = 0
    held: int = 0
    suppressed: int = 0
    failed: int = 0
    waiting: int = 0

    def to_data(self) -> dict[str, int]:
        """Return plain JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertView:
    """One alert of the log; times are UTC text, None where there is none. ``message`` is what it went out in."""

    id: str
    policy: str
    severity: str
    recipient: str
    case: str | None
    case_number: int | None
    cause: str
    raised_at: str
    state: str
    attempts: list[dict[str, Any]]
    next_at: str | None
    settled_at: str | None
    message: str
    detail: str

    def to_data(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


def deliver(app: App, now: datetime, only: Collection[str] | None = None) -> Delivered:
    """Send what is due, the longest waiting first, many of one policy in one message; ``only`` names alerts.

    A recipient that fails is left alone for the rest of this delivery.
    """
    came, down = Counter[str](), set[str]()
    for _ in range(MOST_SENT):
        taken = _take(app, max(now, app.now()), down, only)
        if taken is None:
            break
        came += taken.came
        if taken.recipient is None or taken.message is None:
            continue
        try:
            taken.recipient.send(taken.message)
        except DeliveryError as error:
            down.add(taken.recipient.name)
            came += _failed(app, taken.alerts, str(error))
        else:
            with app.database.transaction() as tx:
                outbox.lock(tx)
                for alert in taken.alerts:
                    outbox.settle(tx, alert, SENT, max(now, app.now()))
            came[SENT] += len(taken.alerts)
    return Delivered(came[SENT], came[HELD], came[SUPPRESSED], came[FAILED], came[DUE])


class _Taken(NamedTuple):
    """Alerts in our hands, with their recipient and message; without them nothing is to be sent.

    ``came`` counts what was settled or put off already.
    """

    came: Counter[str]
    alerts: Sequence[Alert] = ()
    recipient: Recipient | None = None
    message: Message | None = None


def _take(app: App, now: datetime, down: set[str], only: Collection[str] | None) -> _Taken | None:
    """Take the next message into our hands; None when nothing is due."""
    why, wanted, message = dict[str, str](), list[Alert](), None
    with app.database.reading() as tx:
        first = outbox.next_due(tx, now, down, only)
        if first is None:
            return None
        batch = _batch(tx, first, now)
        rule = alert_policies.in_force(tx)[Policy(first.policy)]
        recipient, fault = _recipient(app, first)
        if recipient is not None:
            for alert in batch:
                why[alert.id] = _unwanted(alert, rule) or alert_messages.forbidden(app, tx, alert, recipient)
            wanted = [alert for alert in batch if not why[alert.id]]
            message = alert_messages.message(app, tx, wanted, recipient.channel) if wanted else None
    if recipient is None:
        down.add(first.recipient)
        return _Taken(_failed(app, batch, fault))
    with app.database.transaction() as tx:
        outbox.lock(tx)
        known = {alert.id: alert for alert in outbox.found(tx, ids=list(why), limit=len(why))}
        if known != {alert.id: alert for alert in batch}:
            # Somebody else took some of them since they were read: there is nothing to count.
            return _Taken(Counter())
        came = _settled(tx, [alert for alert in batch if why[alert.id]], SUPPRESSED, now, why)
        if message is None:
            return _Taken(came)
        if _is_full(tx, first, rule, now):
            full = f"the daily limit of {rule.daily_limit} is reached"
            return _Taken(came + _settled(tx, wanted, HELD, now, dict.fromkeys(why, full)))
        outbox.claim(tx, wanted, message.id, now + LEASE)
    return _Taken(came, wanted, recipient, message)


def _batch(tx: Tx, first: Alert, now: datetime) -> list[Alert]:
    """Return what goes out with an alert: itself, or everything like it where that is many."""
    if _is_test(first) or not first.case_id:
        return [first]
    # What was being sent together when its sender died goes out together again, under the same id.
    found = [item for item in outbox.alike(tx, first, now, MOST_TOGETHER) if item.message == first.message]
    return found if len(found) >= MANY else [first]


def _settled(tx: Tx, alerts: Sequence[Alert], state: str, now: datetime, why: Mapping[str, str]) -> Counter[str]:
    for alert in alerts:
        outbox.settle(tx, alert, state, now, why[alert.id])
    return Counter({state: len(alerts)})


def _recipient(app: App, alert: Alert) -> tuple[Recipient | None, str]:
    """Return the recipient, or why the settings have none that can be reached."""
    try:
        return alert_policies.recipient(app, alert.recipient), ""
    except SettingsError as error:
        return None, str(error)


def _is_full(tx: Tx, alert: Alert, rule: Rule, now: datetime) -> bool:
    """Say whether the recipient has had as many messages of the policy today (UTC) as its limit lets through."""
    if rule.daily_limit is None or _is_test(alert):
        return False
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return outbox.told_since(tx, alert, midnight, now) >= rule.daily_limit


def _unwanted(alert: Alert, rule: Rule) -> str:
    """Say why a policy does not send this message any more, "" where it does; a test is always sent."""
    if _is_test(alert) or alert.recipient in rule.told:
        return ""
    return "the policy does not send it to this recipient any more"


def _is_test(alert: Alert) -> bool:
    return alert.cause.startswith(TEST)


def _failed(app: App, alerts: Sequence[Alert], why: str) -> Counter[str]:
    """Record a failed attempt; returns how many are tried again (due) or given up (failed)."""
    now, came = app.now(), Counter[str]()
    with app.database.transaction() as tx:
        outbox.lock(tx)
        for alert in alerts:
            again = alert.attempts < len(DELAYS) and not _is_test(alert)
            outbox.settle(
                tx, alert, DUE if again else FAILED, now, why, now + DELAYS[alert.attempts] if again else None
            )
            came[DUE if again else FAILED] += 1
        # Whoever cannot be reached is not asked for each message: the others wait for a moment too.
        outbox.put_off(tx, alerts[0].recipient, now + DELAYS[0])
    return came


def try_out(app: App, who: Who, policy: Policy, recipient: str = "") -> list[AlertView]:
    """Send a test message to a policy's recipients, or to one of the settings', at once; returns what came of each.

    Raises:
        NotFoundError: the settings name no recipient of this name.
        RuleRefusedError: the policy has no recipients.
        NotPermittedError: the actor may not.
    """
    now = app.now()
    _permit(app, who, "sending test alerts")
    with app.database.reading() as tx:
        rule, name = alert_policies.in_force(tx)[policy], outbox.ledger(tx)
    names = (recipient,) if recipient else rule.recipients
    if not names:
        message = f"The policy {policy.value!r} has no recipients."
        step = f"Name one with --recipient, or set them: holdfast alert set {policy.value} --recipient NAME"
        raise RuleRefusedError(message, next_step=step)
    unknown = [item for item in names if item not in app.settings.alert_recipients]
    if unknown:
        message = f"The settings name no recipient {unknown[0]!r} (alert_recipients)."
        raise NotFoundError(message, next_step="See those it names: holdfast alert recipients")
    cause = Cause(f"{TEST}{secrets.token_hex(8)}", time_to_text(now))
    rows = messages(name, replace(rule, on=True, opted_in=True, recipients=names), cause, now)
    put(app, rows)
    ids = [item.id for item in rows]
    deliver(app, now, ids)
    return log(app, ids=ids)


def retry(app: App, who: Who, ids: Collection[str] = ()) -> int:
    """Make messages due again that were given up or held, all that were given up without any named; returns how many.

    Each is tried once more, and given up again if that fails.

    Raises:
        NotFoundError: one of them is no message that was given up or held.
        NotPermittedError: the actor may not.
    """
    _permit(app, who, "retrying alerts")
    with app.database.transaction() as tx:
        outbox.lock(tx)
        if not all(map(storable, ids)):
            message = "No message is called so."
            raise NotFoundError(message, next_step="See them with: holdfast alert log")
        given_up = outbox.found(tx, states=[FAILED], limit=MOST_SENT)
        wanted = ids or [item.id for item in given_up if not _is_test(item)]
        if not wanted:
            return 0
        able = {item.id for item in outbox.found(tx, ids=wanted, states=(FAILED, HELD), limit=len(wanted))}
        wrong = sorted(set(wanted) - able)
        if wrong:
            message = f"{wrong[0]!r} is no message that was given up or held."
            raise NotFoundError(message, next_step="See them with: holdfast alert log")
        return outbox.again(tx, sorted(able), app.now())


def _permit(app: App, who: Who, what: str) -> None:
    logbook.prepare(app, who)
    with app.database.transaction() as tx:
        access.needs(people.actor(app, tx, who), access.WORKERS, what)


def log(
    app: App,
    *,
    states: Collection[str] = (),
    policy: str = "",
    recipient: str = "",
    case_id: str = "",
    ids: Collection[str] = (),
    since: datetime | None = None,
    limit: int = 50,
) -> list[AlertView]:
    """Return the newest messages that are all of this, with every attempt to deliver them, the newest first."""
    if not storable(recipient):
        return []
    with app.database.reading() as tx:
        rows = outbox.found(
            tx,
            states=states,
            policy=policy,
            recipient=recipient,
            case_id=case_id,
            ids=ids,
            since=since,
            limit=limit,
        )
        tried = outbox.attempts(tx, [item.id for item in rows])
        numbers = {case: row.number for case in {item.case_id for item in rows} if (row := cases.row(tx, case))}
    return [_view(item, tried[item.id], numbers.get(item.case_id)) for item in rows]


def _view(item: Alert, tried: Iterable[tuple[int, str, str, str]], number: int | None) -> AlertView:
    return AlertView(
        id=item.id,
        policy=item.policy,
        severity=item.severity,
        recipient=item.recipient,
        case=item.case_id if number is not None else None,
        case_number=number,
        cause=item.cause,
        raised_at=item.raised_at,
        state=item.state,
        attempts=[
            {"number": count, "at": at, "outcome": outcome, "detail": detail} for count, at, outcome, detail in tried
        ],
        next_at=item.due_at or None,
        settled_at=item.settled_at or None,
        message=item.message,
        detail=item.detail,
    )
