"""What went another way than usual in a period: what an auditor looks at first, and the command that shows more."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any

from workflow.domain.notable import KINDS, RECORDED_LATE
from workflow.domain.record import time_for_people, time_from_text
from workflow.domain.vocabulary import EntryType
from workflow.services import history
from workflow.services.names import Names
from workflow.storage import cases
from workflow.storage import notable as stored

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from workflow.app import App
    from workflow.domain.period import Period
    from workflow.domain.record import Entry
    from workflow.storage.notable import Acted, Found
    from workflow.storage.transaction import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Notable:
    """One thing worth a look: which case and entry, who, with whom, what, and why.

    ``second_by`` is who asked for or proposed what ``by`` granted or confirmed, or the other name of the operating
    system's user; ``next`` is the command that shows more.
    """

    kind: str
    case: str
    case_number: int
    sequence: int
    at: str
    by: str
    claimed: bool
    os_user: str
    second_by: str
    second_claimed: bool
    what: str
    reason: str
    next: str

    def to_data(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


COLUMNS = tuple(item.name for item in fields(Notable))
"""The columns of a table of these."""


def notable(app: App, period: Period, kinds: Iterable[str] = ()) -> list[Notable]:
    """Return what was found of these kinds (all without any) in a period, in the order in which it was recorded."""
    wanted = tuple(kinds) or tuple(KINDS)
    with app.database.reading() as tx:
        found = list(stored.entries(tx, period, wanted, RECORDED_LATE))
        rows = _rows(app, tx, found)
        if "two-names" in wanted:
            rows += _two_names(tx, stored.actors(tx, period))
    return sorted(rows, key=lambda item: (item.at, item.case_number, item.sequence))


@dataclass(slots=True)
class _Told:
    """One entry found, and the proposal it confirms, if it confirms one."""

    found: Found
    entry: Entry
    proposal: Entry | None


def _rows(app: App, tx: Tx, found: list[Found]) -> list[Notable]:
    told: list[_Told] = []
    for case_id, group in groupby(sorted(found, key=lambda item: item.case), key=lambda item: item.case):
        entries = cases.entries(tx, case_id)
        told += [_Told(item, entries[item.sequence - 1], _proposal(entries, item.sequence)) for item in group]
    names = history.names_of(tx, [entry for item in told for entry in (item.entry, item.proposal) if entry is not None])
    return [_row(app, tx, names, kind, item) for item in told for kind in item.found.kinds]


def _proposal(entries: list[Entry], sequence: int) -> Entry | None:
    """Return the newest proposal that the entry confirms."""
    key = entries[sequence - 1].data.get("proposal")
    before = (entry for entry in reversed(entries[: sequence - 1]) if entry.type == EntryType.PROPOSAL_MADE)
    return next((entry for entry in before if entry.basis["proposal"] == key), None)


def _row(app: App, tx: Tx, names: Names, kind: str, item: _Told) -> Notable:
    entry, first = item.entry, item.proposal
    told = [history.plain(names, one) for one in (first, entry) if one is not None]
    details = {key: value for one in told for key, value in one.items()}
    return Notable(
        kind=kind,
        case=entry.case,
        case_number=item.found.number,
        sequence=entry.sequence,
        at=entry.recorded_at,
        by=names.subject(entry.actor["id"]),
        claimed=_claimed(entry),
        os_user=names.subject(entry.actor["os"]),
        second_by=names.subject(first.actor["id"]) if first else "",
        second_claimed=first is not None and _claimed(first),
        what=_what(app, tx, kind, entry, details),
        reason="; ".join(str(one["reason"]) for one in told if one.get("reason")),
        next=f"holdfast case history {item.found.number}",
    )


def _claimed(entry: Entry) -> bool:
    return bool(entry.actor["assurance"] == "claimed")


_PLAINLY = {
    "break-glass": "unblock approved by breaking the glass",
    "erased": "names and texts erased",
    "retracted": "retracted",
}


def _what(app: App, tx: Tx, kind: str, entry: Entry, details: Mapping[str, Any]) -> str:
    about = f" for {details['about']}" if details.get("about") else ""
    match kind:
        case "exception":
            return f"{details['prerequisite']}{about} accepted until {_time(details['expires_at'])}"
        case "dismissal":
            return f"dismissed as {details['resolution']}"
        case "playbook":
            before, after = (app.playbook(tx, digest) for digest in (entry.playbook, entry.basis["playbook"]))
            return f"{before.name} {before.version} to {after.name} {after.version}"
        case "outside":
            by = f", lifted by {details['lifted_by']}" if details.get("lifted_by") else ""
            return f"seen gone at {_time(details['observed_at'])}{by}"
        case "changed-outside":
            by = f", by {details['done_by']}" if details.get("done_by") else ""
            whose = ", ".join(dict.fromkeys(details["accounts"]))
            return f"{details['alteration']} of {whose} at {_time(details['altered_at'])}{by}"
        case "recorded-late":
            late = time_from_text(entry.recorded_at) - time_from_text(details["observed_at"])
            hours = late // timedelta(hours=1)
            what = details.get("prerequisite", "restriction")
            return f"{what}{about} observed at {_time(details['observed_at'])}, recorded {hours} h later"
        case "bulk":
            return f"unblock approved as one of {details['bulk']}"
        case _:
            return f"{details.get('prerequisite', '')}{about} {_PLAINLY[kind]}".strip()


def _time(text: str) -> str:
    return time_for_people(time_from_text(text))


def _two_names(tx: Tx, acted: list[Acted]) -> list[Notable]:
    names = Names(tx, {name for item in acted for name in (item.os_user, item.person)})
    rows = []
    for (number, case_id, user), group in groupby(acted, key=lambda item: (item.number, item.case, item.os_user)):
        first, *others = group
        if others:
            rows.append(
                Notable(
                    kind="two-names",
                    case=case_id,
                    case_number=number,
                    sequence=others[0].sequence,
                    at=others[0].at,
                    by=names.subject(others[0].person),
                    claimed=others[0].assurance == "claimed",
                    os_user=names.subject(user),
                    second_by=names.subject(first.person),
                    second_claimed=first.assurance == "claimed",
                    what="acted as " + ", ".join(names.subject(item.person) for item in (first, *others)),
                    reason="",
                    next=f"holdfast case history {number}",
                )
            )
    return rows
