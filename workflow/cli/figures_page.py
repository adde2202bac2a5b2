"""Figures for people at a terminal: words and numbers first, and behind them a bar for those who see."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

from workflow.cli.moments import duration
from workflow.cli.output import say, table
from workflow.cli.period import period_words
from workflow.cli.text import visible
from workflow.cli.wave import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workflow.cli.session import Session
    from workflow.domain.period import Period
    from workflow.services.figures import Group, Spread

MEASURES = {
    "contain": "to contain",
    "verify": "to verify",
    "request_to_approve": "request to approval",
    "approve_to_unblock": "approval to unblock",
    "release": "to release",
}
BAR = 24
"""Columns of the longest bar."""
SHORTEST = 5
"""Columns of the longest bar where there is least room; with less, bars tell nothing apart."""


def show_figures(session: Session, groups: Sequence[Group], period: Period) -> None:
    """Print every group: counts, how things ended, how long they took, and what was waited for."""
    if not groups:
        say(f"No case began, {period_words(session, period)}.")
        return
    say(f"Occurrences that began {period_words(session, period)}", bold=True)
    for group in groups:
        _group(group)


def _group(group: Group) -> None:
    name = f"{visible(group.name, 60)}: " if group.name else ""
    plural = "" if group.occurrences == 1 else "s"
    came_back = f", {group.recurrences} of them came back" if group.recurrences else ""
    say(f"{name}{counted(group.cases)}, {group.occurrences} occurrence{plural}{came_back}", bold=True)
    endings = [f"{count} {visible(ending)}" for ending, count in group.resolutions.items()]
    endings += [f"{group.unresolved} without a resolution yet"] if group.unresolved else []
    say(f"  ended: {', '.join(endings)}")
    _lengths("time", [(MEASURES[name], found, None) for name, found in group.measures.items()])
    _lengths("waited for", [(wait.prerequisite, wait.waited, wait.open) for wait in group.waiting])


def _lengths(head: str, lengths: Sequence[tuple[str, Spread, int | None]]) -> None:
    if not lengths:
        return
    longest = max((found.median_seconds or 0 for _, found, _ in lengths), default=0)
    heads = [head, "count", "median", "nine of ten", "longest"]
    heads += ["open now"] if lengths[0][2] is not None else []
    rows = []
    for name, found, waiting in lengths:
        row = [
            name,
            str(found.count),
            *(_length(item) for item in (found.median_seconds, found.p90_seconds, found.longest_seconds)),
        ]
        row += [str(waiting)] if waiting is not None else []
        rows.append(row)
    room = _room([heads, *rows])
    if room:
        heads = [*heads, ""]
        rows = [
            [*row, bar(found.median_seconds, longest, room)] for row, (_, found, _) in zip(rows, lengths, strict=True)
        ]
    table(heads, rows, flexible=(0,))


def _room(lines: Sequence[Sequence[str]]) -> int:
    """Return how long a bar may be behind these cells, 0 for none.

    It says nothing that the numbers do not, so no word is cut for it, and it is spared whoever has the output read out
    or sent elsewhere.
    """
    if not sys.stdout.isatty():
        return 0
    taken = sum(max(map(len, column)) + 2 for column in zip(*lines, strict=True))
    room = min(BAR, shutil.get_terminal_size().columns - taken)
    return room if room >= SHORTEST else 0


def _length(seconds: float | None) -> str:
    return "-" if seconds is None else duration(seconds)


def bar(value: float | None, longest: float, columns: int = BAR) -> str:
    """Return a bar of at most so many columns; the smallest that is not nothing has one."""
    if not value or not longest:
        return ""
    return "#" * max(1, round(columns * value / longest))
