"""Verifying what entries say of other entries: which roles somebody had, in which state a linked case was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.domain.record import SYSTEM
from workflow.domain.vocabulary import LOG_CASE
from workflow.ledger.verify import Finding
from workflow.storage import entries as stored

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workflow.domain.record import Entry
    from workflow.domain.roster import Roster, Rosters
    from workflow.services.verdict import Report
    from workflow.storage.transaction import Tx

Placed = tuple["Entry", int]
"""An entry and the number of its leaf."""


def check_roles(report: Report, case_id: str, placed: Sequence[Placed], known: Rosters, *, ordered: bool) -> None:
    """Hold the roles and team that entries carry against the list of people then in force.

    ``ordered`` says that leaves stand in the order of commits. Where a sealer numbers them later, any list that was
    ever in force may have been the one.
    """
    machine = SYSTEM.to_data()
    for entry, index in placed:
        actor = entry.actor
        if actor["id"] == machine["id"]:
            if actor != machine:
                why = "the machine acts with roles or names that are not its own"
                report.add(Finding("roles", case_id, entry.sequence, index, why))
            continue
        claimed = (tuple(actor["roles"]), actor["team"])
        lists = _in_force(known, case_id, index) if ordered else known.lists
        if all(roster.of(actor["id"]) != claimed for roster in lists):
            roles = ", ".join(claimed[0]) or "no roles"
            why = f"somebody acts as {roles}, team {claimed[1]!r}, which the list of people then in force does not say"
            report.add(Finding("roles", case_id, entry.sequence, index, why))


def _in_force(known: Rosters, case_id: str, index: int) -> Sequence[Roster]:
    """Return the list in force at a leaf; the log's own entries may come just before the list they are written under.

    What is written about the log when a process starts stands under the settings it started with.
    """
    place = known.place(index)
    return known.lists[place : place + 2] if case_id == LOG_CASE else (known.lists[place],)


def check_linked(tx: Tx, report: Report, case_id: str, placed: Sequence[Placed]) -> None:
    """Hold the states of linked cases that a decision stood on against the histories of those cases at that time."""
    for entry, index in placed:
        for other, state in entry.basis.get("linked", {}).items():
            # Where a sealer numbers the leaves later, their order between two cases says nothing.
            if tx.sqlite:
                agrees = stored.state_before(tx, other, index) == state
            else:
                agrees = stored.was_in_state(tx, other, state)
            if not agrees:
                why = f"it stands on a linked case that was {state!r}, which that case's own entries do not say"
                report.add(Finding("linked", case_id, entry.sequence, index, why))
