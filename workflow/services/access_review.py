"""Who could write, approve and sign in a period, when that changed, and who did: from the ledger's own entries."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from workflow.domain.access import SECOND, WORKERS
from workflow.domain.record import SYSTEM
from workflow.domain.roster import EVERYTHING, UNLISTED, Roster, rosters
from workflow.domain.vocabulary import LOG_CASE, EntryType, Outcome
from workflow.services.history import told
from workflow.services.names import Names
from workflow.storage import cases
from workflow.storage import entries as stored

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workflow.app import App
    from workflow.domain.period import Period
    from workflow.services.history import EntryView
    from workflow.storage.transaction import Tx

TOLD = frozenset({"log", "key", "people", "settings", "alerts", "playbook"})
"""Of the log's own entries those that change who may do what, or under which rules: by the noun of their type."""
SECOND_ACTIONS = frozenset({"approve", "confirm"})
"""What only a second person does."""
EVERYBODY = "(everybody)"
OTHERS = "(everybody else)"


@dataclass(slots=True)
class Access:
    """Four lists: who could, whose key signed, what changed, who did.

    ``everybody`` says that for some of the period nobody was listed, so that every name could do everything.
    ``could`` has one row for each person and list in force; ``since`` is None where that was so before the ledger says
    anything, ``until`` is None where it is so still. Times are UTC text.
    """

    period: Period
    everybody: bool = False
    could: list[dict[str, Any]] = field(default_factory=list)
    keys: list[dict[str, Any]] = field(default_factory=list)
    changes: list[dict[str, Any]] = field(default_factory=list)
    did: list[dict[str, Any]] = field(default_factory=list)

    @property
    def several(self) -> dict[str, list[str]]:
        """Operating system users behind whom more than one name acted, with the names."""
        names: dict[str, set[str]] = {}
        for row in self.did:
            names.setdefault(row["os_user"], set()).add(row["name"])
        return {user: sorted(found) for user, found in sorted(names.items()) if len(found) > 1}

    def to_data(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "period": self.period.to_data(),
            "nobody_listed": self.everybody,
            "could": self.could,
            "keys": self.keys,
            "changes": self.changes,
            "did": self.did,
            "several_names": [{"os_user": user, "names": names} for user, names in self.several.items()],
        }


def access(app: App, period: Period) -> Access:
    """Review a period; nothing is written."""
    begins, ends = period.texts()
    found = Access(period)
    with app.database.reading() as tx:
        log = [entry for entry in cases.entries(tx, LOG_CASE) if entry.recorded_at < ends]
        known = rosters((entry, entry.sequence) for entry in log)
        names = _names(tx, known.lists)
        times: dict[int, str | None] = {entry.sequence: entry.recorded_at for entry in log}
        for place, roster in enumerate(known.lists):
            since = times.get(roster.since)
            until = times[known.lists[place + 1].since] if place + 1 < len(known.lists) else None
            if until is None or until > begins:
                found.everybody |= not roster.people
                found.could += [row | {"since": since, "until": until} for row in _could(names, roster)]
        found.keys = [
            {"key": entry.data["vkey"], "origin": entry.data.get("origin", ""), "since": entry.recorded_at}
            for entry in log
            if "vkey" in entry.data
        ]
        wanted = [entry for entry in log if entry.recorded_at >= begins and entry.type.split(":")[0] in TOLD]
        changed = {after.since: _difference(names, before, after) for before, after in pairwise(known.lists)}
        for view in told(tx, wanted):
            found.changes.append(
                {
                    "at": view.at,
                    "sequence": view.sequence,
                    "type": view.type,
                    "what": view.text,
                    "details": changed.get(view.sequence, []) or _details(view),
                    "by": view.by,
                    "os_user": view.os_user,
                }
            )
        found.did = _did(tx, begins, ends)
    return found


def _names(tx: Tx, lists: Sequence[Roster]) -> Names:
    return Names(tx, {person for roster in lists for person in roster.people})


def _could(names: Names, roster: Roster) -> list[dict[str, Any]]:
    """Return what a list lets each person do; the last row stands for whoever is not on it."""
    rows = [(names.subject(person), roles, team) for person, (roles, team) in roster.people.items()]
    rows = sorted(rows, key=lambda row: row[0])
    everybody = (OTHERS, tuple(map(str, UNLISTED)), "") if rows else (EVERYBODY, tuple(map(str, EVERYTHING)), "")
    return [
        {
            "name": name,
            "roles": list(roles),
            "team": team,
            "may_write": bool(WORKERS.intersection(roles)),
            "may_approve": bool(SECOND.intersection(roles)),
        }
        for name, roles, team in [*rows, everybody]
    ]


def _difference(names: Names, before: Roster, after: Roster) -> list[str]:
    """Say person by person what a new list changed; a list may differ in contacts and accounts alone."""
    lines = []
    for person in sorted({*before.people, *after.people}, key=names.subject):
        old, new = before.people.get(person), after.people.get(person)
        if old != new:
            words = [
                f"{', '.join(item[0]) or 'no roles'}{f' ({item[1]})' if item[1] else ''}" if item else "not listed"
                for item in (old, new)
            ]
            lines.append(f"{names.subject(person)}: {words[0]} -> {words[1]}")
    return lines or ["contacts or accounts only"]


def _details(view: EntryView) -> list[str]:
    """Return what the entry's one line does not say: the settings it names, a playbook that is not the shipped one."""
    if view.type == EntryType.SETTINGS_CHANGED:
        return [f"{name} {value}" for name, value in view.details.items() if name != "digest" and value not in {"", 0}]
    if view.type == EntryType.ALERTS_CHANGED:
        limit = view.details.get("daily_limit", "none")
        told = ", ".join(view.details["recipients"]) if view.details["opted_in"] else ""
        return [f"told: {told or 'nobody'}", f"severity {view.details['severity']}", f"daily limit {limit}"]
    return ["not the shipped version"] if view.details.get("shipped") is False else []


def _did(tx: Tx, begins: str, ends: str) -> list[dict[str, Any]]:
    """Return everybody who acted, with the roles of the time; each step that was done was signed by its process."""
    rows: dict[str, dict[str, Any]] = {}
    actors: dict[str, dict[str, Any]] = {}
    for who, action, outcome, count, first, last in stored.acts(tx, begins, ends):
        actor = json.loads(who)
        if actor["id"] == SYSTEM.id:
            continue
        key = json.dumps([actor["id"], actor["os"], actor["roles"], actor["team"], actor["assurance"]])
        actors[key] = actor
        row = rows.setdefault(key, {"entries": 0, "approvals": 0, "refused": 0, "first": first, "last": last})
        row["entries"] += count
        row["approvals"] += count if outcome == Outcome.DONE and action in SECOND_ACTIONS else 0
        row["refused"] += count if outcome != Outcome.DONE else 0
        row["first"], row["last"] = min(row["first"], first), max(row["last"], last)
    names = Names(tx, {actor[part] for actor in actors.values() for part in ("id", "os")})
    found = [
        {
            "name": names.subject(actors[key]["id"]),
            "os_user": names.subject(actors[key]["os"]),
            "claimed": actors[key]["assurance"] == "claimed",
            "roles": actors[key]["roles"],
            "team": actors[key]["team"],
            **row,
        }
        for key, row in rows.items()
    ]
    return sorted(found, key=lambda row: (row["os_user"], row["name"], row["first"]))
