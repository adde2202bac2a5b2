"""The timeline of an occurrence as a picture: where its bars and marks stand. The template draws them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workflow.domain.record import time_from_text

if TYPE_CHECKING:
    from datetime import datetime

WIDTH = 960
"""Units of the drawing; the page scales it."""
MARGIN = 8
LETTER = 6.3
"""Width of a letter of the labels, in the same units: a little more than measured, so that none overlap."""
ROW = 18
BAR = 26
NARROWEST = 1.5
LABELS = {
    "restricted_at": "restricted",
    "began_at": "taken in",
    "contained_at": "contained",
    "verified_at": "verified",
    "requested_at": "requested",
    "approved_at": "approved",
    "intended_at": "unblock started",
    "answered_at": "answered",
    "gone_at": "seen gone",
    "released_at": "released",
    "ended_at": "ended",
}
"""The milestones that are drawn, in the order in which they usually come."""


@dataclass(frozen=True, slots=True)
class Bar:
    """The stretch of time that an occurrence spent in one state."""

    state: str
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Tick:
    """A milestone: where it is, where its label begins or (``before``) ends, and in which row below."""

    label: str
    at: str
    x: float
    text_x: float
    before: bool
    row: int


@dataclass(frozen=True, slots=True)
class Timeline:
    """Bars above, milestones below; ``height`` in units of the drawing."""

    bars: list[Bar]
    ticks: list[Tick]
    height: float


def timeline(times: dict[str, str | None], states: list[dict[str, Any]], until: str) -> Timeline:
    """Lay an occurrence out along its time, to scale; what has not ended is drawn until ``until``."""
    moments = [(label, times[name]) for name, label in LABELS.items()]
    marks = sorted(((time_from_text(text), label, text) for label, text in moments if text), key=lambda item: item[0])
    spans = [(item["state"], time_from_text(item["from"]), time_from_text(item["to"] or until)) for item in states]
    every = [at for at, _, _ in marks] + [at for _, start, end in spans for at in (start, end)]
    first, last = min(every), max(every)
    scale = (WIDTH - 2 * MARGIN) / max((last - first).total_seconds(), 1.0)

    def place(at: datetime) -> float:
        return round(MARGIN + (at - first).total_seconds() * scale, 1)

    bars = [
        Bar(state, place(start), max(round(place(end) - place(start), 1), NARROWEST)) for state, start, end in spans
    ]
    ticks: list[Tick] = []
    ends: list[float] = []
    for at, label, text in marks:
        x, length = place(at), len(label) * LETTER
        # A label that has no room behind its mark ends at it, however wide the reader's font is.
        before = x + length > WIDTH
        begin = x - length if before else x
        row = next((number for number, end in enumerate(ends) if end < begin), len(ends))
        ends[row : row + 1] = [begin + length + LETTER]
        ticks.append(Tick(label, text, x, x, before, row))
    return Timeline(bars, ticks, BAR + ROW * (len(ends) + 1))
