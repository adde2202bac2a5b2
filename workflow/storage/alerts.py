"""The outbox of alerts: what is to be told to whom, what came of each attempt, and how far the ledger was looked at."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from workflow.domain.record import Entry, time_to_text
from workflow.domain.vocabulary import LOG_CASE
from workflow.storage.cases import decoded
from workflow.storage.openings import marks
from workflow.storage.transaction import Tx
from workflow.storage.worklist import OPEN_STATES

_OUTBOX: Final = 0x414C5254  # any number that is ours: one collector or deliverer at a time on PostgreSQL

DUE, SENDING, SENT, HELD = "due", "sending", "sent", "held"
SUPPRESSED, FAILED, NOBODY = "suppressed", "failed", "nobody"
STATES: Final = (DUE, SENDING, SENT, HELD, SUPPRESSED, FAILED, NOBODY)
"""How a message stands: to be sent, in somebody's hands, sent, held by the daily limit, not for this recipient, given
up, and raised without anybody to tell."""

FURTHEST: Final = timedelta(days=1)
"""No message waits as long: what seems to was put off under a clock that ran ahead, and is due."""

_IS_DUE: Final = "a.due_at <> '' AND (a.due_at <= ? OR a.due_at > ?)"

TEST: Final = "test:"
"""How the cause of a message begins that only tries whether somebody is reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One message to one recipient; times are UTC text, "" where there is none."""

    id: str
    cause: str
    policy: str
    severity: str
    recipient: str
    case_id: str = ""
    sequence: int = 0
    raised_at: str = ""
    due_at: str = ""
    attempts: int = 0
    state: str = DUE
    settled_at: str = ""
    message: str = ""
    detail: str = ""


_COLUMNS: Final = tuple(Alert.__dataclass_fields__)
_SELECT: Final = ", ".join(f"a.{name}" for name in _COLUMNS)


def _alert(row: Iterable[Any]) -> Alert:
    return Alert(**dict(zip(_COLUMNS, row, strict=True)))


def lock(tx: Tx) -> None:
    """Let one transaction at a time work on the outbox; before any read."""
    if not tx.sqlite:
        tx.run("SELECT pg_advisory_xact_lock(?)", (_OUTBOX,))


def looked_at(tx: Tx) -> int:
    """Return how many leaves have been looked at."""
    (leaves,) = tx.one("SELECT leaves FROM alert_cursor") or (0,)
    return int(leaves)


def look_on(tx: Tx, leaves: int) -> None:
    """Say how many leaves have been looked at."""
    tx.write("UPDATE alert_cursor SET leaves = ? WHERE id = 1", (leaves,))


def causes(tx: Tx, begins: int, ends: int, types: Collection[str], limit: int) -> list[tuple[int, Entry]]:
    """Return the first sealed entries of these types from a leaf on and before another, with their leaves' numbers."""
    rows = tx.all(
        'SELECT l."index", e.body FROM leaf AS l CROSS JOIN entry AS e WHERE e.position = l.entry '
        f'AND l."index" >= ? AND l."index" < ? AND e.type IN ({marks(tuple(types))}) ORDER BY l."index" LIMIT {limit}',
        (begins, ends, *types),
    )
    return [(index, decoded(body)) for index, body in rows]


def ledger(tx: Tx) -> str:
    """Return what tells this ledger from every other: the id of its first entry, "" where it has none."""
    row = tx.one("SELECT id FROM entry WHERE case_id = ? AND sequence = 1", (LOG_CASE,))
    return "" if row is None else str(row[0])


def pending_since(tx: Tx, until: datetime) -> list[tuple[str, str]]:
    """Return the cases with an unblock that was begun by then and is still open, and when it was begun (UTC text)."""
    rows = tx.all(
        f'SELECT id, intended_at FROM "case" WHERE state IN ({marks(OPEN_STATES)}) AND intended_at <= ? '
        "ORDER BY intended_at, id",
        (*OPEN_STATES, time_to_text(until)),
    )
    return [(case_id, intended_at) for case_id, intended_at in rows]


def known(tx: Tx, ids: Collection[str]) -> set[str]:
    """Return which of these messages there are."""
    wanted, found = list(ids), set[str]()
    for start in range(0, len(wanted), 500):
        part = wanted[start : start + 500]
        found.update(name for (name,) in tx.all(f"SELECT id FROM alert WHERE id IN ({marks(part)})", part))
    return found


def add(tx: Tx, alerts: Iterable[Alert]) -> int:
    """Add messages; one that is there already is left as it stands. Returns how many are new."""
    count = 0
    for item in alerts:
        count += tx.run(
            f"INSERT INTO alert ({', '.join(_COLUMNS)}) VALUES ({marks(_COLUMNS)}) ON CONFLICT DO NOTHING",
            [getattr(item, name) for name in _COLUMNS],
        ).rowcount
    return count


def next_due(tx: Tx, now: datetime, besides: Collection[str] = (), only: Collection[str] | None = None) -> Alert | None:
    """Return the message that has waited longest, none for the recipients ``besides``; ``only`` names messages."""
    left_out = f" AND a.recipient NOT IN ({marks(tuple(besides))})" if besides else ""
    chosen = "" if only is None else f" AND a.id IN ({marks(tuple(only))})"
    row = tx.one(
        f"SELECT {_SELECT} FROM alert AS a WHERE {_IS_DUE}{left_out}{chosen} "
        "ORDER BY a.due_at, a.raised_at, a.id LIMIT 1",
        (*_about(now), *besides, *(only or ())),
    )
    return None if row is None else _alert(row)


def alike(tx: Tx, alert: Alert, now: datetime, limit: int) -> list[Alert]:
    """Return what is due of one alert's policy for its recipient about cases, tests left out, longest waiting first."""
    rows = tx.all(
        f"SELECT {_SELECT} FROM alert AS a WHERE {_IS_DUE} AND a.policy = ? "
        f"AND a.recipient = ? AND a.case_id <> '' AND a.cause NOT LIKE '{TEST}%' "
        f"ORDER BY a.due_at, a.raised_at, a.id LIMIT {limit}",
        (*_about(now), alert.policy, alert.recipient),
    )
    return [_alert(row) for row in rows]


def _about(now: datetime) -> tuple[str, str]:
    return time_to_text(now), time_to_text(now + FURTHEST)


def told_since(tx: Tx, alert: Alert, since: datetime, now: datetime) -> int:
    """Return how many messages of its policy its recipient got since a time, or is being sent now, tests left out."""
    (count,) = tx.one(
        "SELECT count(DISTINCT message) FROM alert "
        f"WHERE policy = ? AND recipient = ? AND id <> ? AND cause NOT LIKE '{TEST}%' "
        f"AND ((state = '{SENT}' AND settled_at >= ?) OR (state = '{SENDING}' AND due_at > ?))",
        (alert.policy, alert.recipient, alert.id, time_to_text(since), time_to_text(now)),
    ) or (0,)
    return int(count)


def claim(tx: Tx, alerts: Iterable[Alert], message: str, until: datetime) -> None:
    """Keep alerts from everybody else until then: one more attempt begins, to send them in this message."""
    tx.write_all(
        f"UPDATE alert SET state = '{SENDING}', due_at = ?, attempts = ?, message = ? WHERE id = ?",
        [(time_to_text(until), item.attempts + 1, message, item.id) for item in alerts],
    )


def settle(tx: Tx, alert: Alert, state: str, now: datetime, detail: str = "", due_at: datetime | None = None) -> None:
    """Record what came of an attempt; with ``due_at`` the message is tried again then.

    Where somebody else has taken the message over meanwhile, theirs is the word on how it stands, unless it was sent.
    """
    number, at = alert.attempts + 1, time_to_text(now)
    outcome = FAILED if state == DUE else state
    tx.write(
        "INSERT INTO alert_attempt (alert, number, at, outcome, detail) VALUES (?, ?, ?, ?, ?)",
        (alert.id, number, at, outcome, detail),
    )
    taken_over = "" if state == SENT else f" AND attempts <= {number}"
    tx.run(
        "UPDATE alert SET state = ?, due_at = ?, settled_at = ?, detail = ?, "
        f"attempts = CASE WHEN attempts < {number} THEN {number} ELSE attempts END "
        f"WHERE id = ? AND state <> '{SENT}'{taken_over}",
        (state, time_to_text(due_at) if due_at else "", "" if due_at else at, detail, alert.id),
    )


def put_off(tx: Tx, recipient: str, until: datetime) -> None:
    """Let everything that is due for a recipient earlier wait until then, without counting as an attempt."""
    tx.run(
        f"UPDATE alert SET due_at = ? WHERE recipient = ? AND state = '{DUE}' AND due_at < ?",
        (time_to_text(until), recipient, time_to_text(until)),
    )


def again(tx: Tx, ids: Collection[str], now: datetime) -> int:
    """Make given-up and held messages due once more; returns how many."""
    return int(
        tx.run(
            f"UPDATE alert SET state = '{DUE}', due_at = ?, settled_at = '', detail = '' "
            f"WHERE state IN ('{FAILED}', '{HELD}') AND id IN ({marks(tuple(ids))})",
            (time_to_text(now), *ids),
        ).rowcount
    )


def found(
    tx: Tx,
    *,
    states: Collection[str] = (),
    policy: str = "",
    recipient: str = "",
    case_id: str = "",
    ids: Collection[str] = (),
    since: datetime | None = None,
    limit: int = 50,
) -> list[Alert]:
    """Return the newest messages that are all of this, newest first."""
    parts, params = ["1 = 1"], list[Any]()
    for column, values in (
        ("state", tuple(states)),
        ("policy", (policy,) if policy else ()),
        ("recipient", (recipient,) if recipient else ()),
        ("case_id", (case_id,) if case_id else ()),
        ("id", tuple(ids)),
    ):
        if values:
            parts.append(f"a.{column} IN ({marks(values)})")
            params += values
    if since is not None:
        parts.append("a.raised_at >= ?")
        params.append(time_to_text(since))
    rows = tx.all(
        f"SELECT {_SELECT} FROM alert AS a WHERE {' AND '.join(parts)} ORDER BY a.raised_at DESC, a.id LIMIT {limit}",
        params,
    )
    return [_alert(row) for row in rows]


def attempts(tx: Tx, ids: Collection[str]) -> dict[str, list[tuple[int, str, str, str]]]:
    """Return, by message, its attempts in order: number, when, outcome, detail."""
    told: dict[str, list[tuple[int, str, str, str]]] = {name: [] for name in ids}
    if told:
        for name, *attempt in tx.all(
            f"SELECT alert, number, at, outcome, detail FROM alert_attempt WHERE alert IN ({marks(tuple(told))}) "
            "ORDER BY position",
            tuple(told),
        ):
            number, at, outcome, detail = attempt
            told[name].append((number, at, outcome, detail))
    return told
