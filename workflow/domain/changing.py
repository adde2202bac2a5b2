"""The part of the fold that tells of changes of the tenant: intended, answered, given back, and made by others.

As in ``history``, entries are believed and nothing is judged. An intent without an answer says that nobody knows what
came of it; only a reading tells.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from workflow.domain.case import SeenChange, TenantChange
from workflow.domain.private import private_in
from workflow.domain.record import time_from_text
from workflow.domain.vocabulary import Alteration, Change, EntryType, Made

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from workflow.domain.case import Case
    from workflow.domain.record import Entry

ENDINGS = frozenset({Made.RESTORED, Made.LEFT})
"""What becomes at last of something that was removed."""


def _intended(case: Case, entry: Entry, at: datetime) -> None:
    data = entry.data
    case.changes[entry.sequence] = TenantChange(
        change=Change(data["change"]),
        about=data.get("about", ""),
        by=entry.actor["id"],
        at=at,
        sequence=entry.sequence,
        leaf=entry.leaf,
        target=private_in(data, "target"),
        undoes=data.get("undoes", 0),
    )
    # What was changed in the tenant is work that the gate stands on (R4).
    case.hands |= {entry.actor["id"]}


def _answered(case: Case, entry: Entry, at: datetime) -> None:
    made, changes = Made(entry.data["made"]), case.changes
    change = changes[entry.data["intent"]]
    if made in ENDINGS:
        changes[change.sequence] = replace(change, ending=made)
        return
    changes[change.sequence] = replace(change, made=made, made_at=at)
    if change.undoes and made not in {Made.FAILED, Made.UNSEEN}:
        changes[change.undoes] = replace(changes[change.undoes], ending=Made.RESTORED)


def _seen(case: Case, entry: Entry, at: datetime) -> None:
    data = entry.data
    case.altered[data["fingerprint"]] = SeenChange(
        alteration=Alteration(data["alteration"]),
        at=time_from_text(data["altered_at"]),
        accounts=tuple(data["accounts"]),
        sequence=entry.sequence,
        seen_at=at,
    )


CHANGING: Mapping[str, Callable[[Case, Entry, datetime], None]] = {
    EntryType.CHANGE_INTENDED: _intended,
    EntryType.CHANGE_ANSWERED: _answered,
    EntryType.CHANGE_SEEN: _seen,
}
"""What each of these entries does to a case."""
