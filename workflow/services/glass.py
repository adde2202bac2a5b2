"""Whether people may break the glass, by the ledger's own word: the newest entry about the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.domain import actions as act
from workflow.domain.vocabulary import LOG_CASE, EntryType
from workflow.ledger.verify import Finding
from workflow.storage import cases

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from workflow.domain.record import Entry
    from workflow.services.agreement import Placed
    from workflow.services.verdict import Report
    from workflow.storage.transaction import Tx


def lock(tx: Tx, actions: Iterable[act.Action]) -> None:
    """Keep the settings from changing under an approval that breaks the glass; before any case is locked."""
    if any(_breaks(action) for action in actions):
        cases.lock_log(tx)


def setting(tx: Tx, action: act.Action) -> str:
    """Return the leaf of the entry that lets people break the glass now; "" where the newest word is another."""
    if not _breaks(action):
        return ""
    told = [entry for entry in cases.entries(tx, LOG_CASE) if entry.type == EntryType.SETTINGS_CHANGED]
    return told[-1].leaf if told and allows(told[-1]) else ""


def allows(entry: Entry) -> bool:
    """Say whether an entry about the settings turns breaking the glass on."""
    return entry.data.get("break_glass") is True


def check(report: Report, case_id: str, placed: Sequence[Placed], told: Sequence[Placed], *, ordered: bool) -> None:
    """Hold approvals that broke the glass against what the ledger then said of the setting.

    ``told`` are the log's entries about its settings. ``ordered`` says that leaves stand in the order of commits; where
    a sealer numbers them later, what was turned off before is told by the time of recording, which ``logbook`` keeps
    behind every such approval.
    """
    for entry, index in placed:
        if entry.type != EntryType.UNBLOCK_APPROVED or not entry.data.get("break_glass"):
            continue
        cited = entry.basis.get("setting")
        number = next((number for number, (said, _) in enumerate(told) if said.leaf == cited), None)
        if number is None or not allows(told[number][0]):
            why = "it broke the glass on a setting that no entry of the log turned on"
        elif ordered and told[number][1] > index:
            why = "it broke the glass before the setting was turned on"
        elif any(
            _before(later, (entry, index), ordered=ordered) for later in told[number + 1 :] if not allows(later[0])
        ):
            why = "it broke the glass after the setting was turned off"
        else:
            continue
        report.add(Finding("break-glass", case_id, entry.sequence, index, why))


def _before(first: Placed, second: Placed, *, ordered: bool) -> bool:
    return first[1] < second[1] if ordered else first[0].recorded_at < second[0].recorded_at


def _breaks(action: act.Action) -> bool:
    return isinstance(action, act.ApproveUnblock) and action.break_glass
