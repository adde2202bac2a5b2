"""What a section found, as lines with the target beside each."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench.timing import Samples


@dataclass(frozen=True, slots=True)
class Line:
    """One figure: what was measured, what came out, what must and what should come out, and whether it did."""

    what: str
    found: str
    must: str = ""
    stretch: str = ""
    met: bool | None = None

    @property
    def verdict(self) -> str:
        """One word for the last column."""
        return {None: "", True: "met", False: "MISSED"}[self.met]


@dataclass(frozen=True, slots=True)
class Section:
    """A table and the sentences that say what stands in it."""

    title: str
    lines: Sequence[Line]
    notes: Sequence[str] = ()


HEAD = ("", "found", "must", "stretch", "")


def rendered(section: Section) -> str:
    """Return the section as a Markdown table, its columns aligned."""
    rows = [HEAD, *((line.what, line.found, line.must, line.stretch, line.verdict) for line in section.lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    text = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    text.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    notes = [f"- {note}" for note in section.notes]
    return "\n".join([f"## {section.title}", "", *text, "", *notes, ""])


def at_most(what: str, value: float, must: float, stretch: float | None = None, unit: str = " x") -> Line:
    """Return a line whose figure must not be larger than its target."""
    wished = "" if stretch is None else f"≤ {stretch:g}{unit}"
    return Line(what, f"{value:.2f}{unit}", f"≤ {must:g}{unit}", wished, value <= must)


def at_least(what: str, value: float, must: float, stretch: float | None = None, unit: str = " x") -> Line:
    """Return a line whose figure must not be smaller than its target."""
    wished = "" if stretch is None else f"≥ {stretch:g}{unit}"
    return Line(what, f"{value:.2f}{unit}", f"≥ {must:g}{unit}", wished, value >= must)


def spread(name: str, samples: Samples) -> Line:
    """Return a line with the absolute figures of one contestant."""
    return Line(name, f"p50 {time(samples.median)}, p99 {time(samples.quantile(0.99))}")


def time(seconds: float) -> str:
    """Write a duration in the unit a person would choose."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.2f} {unit}"
    return f"{seconds * 1e6:.0f} µs"
