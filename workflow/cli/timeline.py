"""Entries as a timeline: when, who (and whether only claimed), what changed, and where it stands in the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.cli.output import say
from workflow.cli.people import acted
from workflow.cli.text import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workflow.cli.session import Session
    from workflow.services.history import EntryView

ENTRY_COLUMNS = (
    *("case", "sequence", "at", "type", "action", "outcome", "state_before", "state_after", "recurrence"),
    *("by", "claimed", "os_user", "role", "text", "clock", "leaf", "leaf_index"),
)
"""The columns of ``--csv`` for entries."""


def show_timeline(session: Session, entries: Sequence[EntryView], *, cases: bool = False) -> None:
    """Print each entry in two lines, oldest first; ``cases`` says to which case each belongs."""
    for entry in entries:
        leaf = "not sealed" if entry.leaf_index is None else f"leaf {entry.leaf_index}"
        where = f"{visible(entry.case[-8:])} " if cases else ""
        who = acted(entry.by, entry.os_user, entry.claimed)
        clock = "" if entry.clock in {"", "ok"} else f", clock {visible(entry.clock)}"
        say(f"{where}{entry.sequence:>4}  {session.local(entry.at)}  {who}  [{leaf}{clock}]")
        colour = "red" if entry.outcome in {"refused", "denied"} else None
        say(f"      {visible(entry.text, 400)}{_move(entry)}", colour=colour)


def _move(entry: EntryView) -> str:
    if not entry.state_after or entry.state_before == entry.state_after:
        return ""
    return f"  [{entry.state_before or 'new'} → {entry.state_after}]"
