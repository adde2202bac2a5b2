"""Erasing what is personal about ended cases: what the judgement needs to know, and the last bytes afterwards."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from workflow.domain import actions as act
from workflow.domain.erasure import PROPOSAL
from workflow.domain.vocabulary import EntryType
from workflow.ledger.verify import Finding
from workflow.settings import days
from workflow.storage import cases, subjects
from workflow.storage.erasure import scrub as scrub_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from workflow.app import App
    from workflow.domain.case import Case
    from workflow.services.agreement import Placed
    from workflow.services.verdict import Report
    from workflow.storage.transaction import Tx

SERVER_KEEPS = (
    "The rows are deleted. What the database server still holds of them, in unused space of its files, in its log and "
    "in its backups, is its administrator's to remove (VACUUM, and the retention of log and backups)."
)


def lock(tx: Tx, actions: Iterable[act.Action]) -> None:
    """Keep others from opening cases meanwhile, about somebody who is being erased; before any read."""
    if any(_is_erasure(action) for action in actions):
        cases.lock_intake(tx)


def completed(app: App, tx: Tx, case: Case, action: act.Action) -> act.Action:
    """Fill in what an erasure is judged by: the retention of the settings, and open cases about the same subject."""
    if not _is_erasure(action):
        return action
    named = subjects.same_identifier(tx, {case.entity, *case.identities})
    seconds = app.settings.retention_within // timedelta(seconds=1)
    return replace(action, retention=seconds, linked=tuple(cases.open_about(tx, named)))  # type: ignore[call-arg]


def _is_erasure(action: act.Action) -> bool:
    confirms = isinstance(action, act.ConfirmProposal) and action.proposal == PROPOSAL
    return confirms or isinstance(action, act.EraseCase)


def others(action: act.Action) -> set[str]:
    """Return the open cases that speak against an erasure."""
    return set(action.linked) if isinstance(action, act.EraseCase | act.ConfirmProposal) else set()


def check(report: Report, case_id: str, placed: Sequence[Placed], told: Sequence[Placed], *, ordered: bool) -> None:
    """Hold each erasure against the retention that the log then said was the setting.

    ``told`` are the log's entries about its settings. Where a sealer numbers leaves later, and their order says
    nothing, the shortest retention there ever was may have been the one.
    """
    for entry, index in placed:
        if entry.type == EntryType.CASE_ERASED:
            before = [said.data for said, at in told if not ordered or at < index]
            spans = [days(data["retention"]) for data in before if "retention" in data]
            shortest = timedelta.max if not spans else spans[-1] if ordered else min(spans)
            if timedelta(seconds=entry.basis["retention"]) < shortest:
                why = "it was erased under a shorter retention than the log's settings then said"
                report.add(Finding("replay", case_id, entry.sequence, index, why))


def scrub(app: App) -> str:
    """Remove the last bytes of what was erased from the database file; returns what is left to somebody else, or "".

    Raises:
        ErasurePendingError: the rows are gone, but another process kept their last bytes from going.
    """
    scrub_file(app.database)
    return "" if app.database.path is not None else SERVER_KEEPS
