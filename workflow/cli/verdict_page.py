"""What verification says, for people: the verdicts, what is wrong, and what to do now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.cli.output import fields, say
from workflow.cli.text import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workflow.cli.session import Session
    from workflow.ledger.verify import Finding
    from workflow.services.verdict import Report

SHOWN = 2
"""Differences of the schema that are named; all of them are in the JSON."""


def show_report(session: Session, report: Report, what: str) -> None:
    """Print what verification of the ledger, or of an export, says; ``what`` names it."""
    unchecked = [
        name
        for name, value in (("completeness", report.completeness), ("freshness", report.freshness))
        if value == "not checked"
    ]
    if not report.ok:
        say(f"The {what} does NOT verify.", bold=True, colour="red")
    elif unchecked:
        say(
            f"What was checked of the {what} verifies. NOT CHECKED: {', '.join(unchecked)}.", bold=True, colour="yellow"
        )
    else:
        say(f"The {what} verifies.", bold=True, colour="green")
    fields(
        (
            ("integrity", report.integrity),
            ("completeness", report.completeness),
            ("freshness", visible(session.localised(report.freshness))),
            ("authorship", f"signatures held against: {visible(report.authorship)}"),
            ("counts", ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in report.counts.items())),
        ),
        "  ",
    )
    for number, line in enumerate(_faults(session, report)):
        say(f"{'First fault' if number == 0 else '  Fault'}: {line}", bold=number == 0)
    if report.more:
        say(f"  … and {report.more} more faults")
    for note in report.notes:
        say(f"  Note: {visible(session.localised(note))}")


def show_steps(steps: Sequence[str]) -> None:
    """Print what to do now, after a verification that failed."""
    if steps:
        say("What to do now:", bold=True)
        for number, step in enumerate(steps, start=1):
            say(f"  {number}. {visible(step)}")


def _faults(session: Session, report: Report) -> list[str]:
    """Return a line for each fault: first what names an entry or a case, last the schema's, all in one."""
    schema = [item for item in report.findings if item.kind == "schema"]
    others = [item for item in report.findings if item.kind != "schema"]
    others.sort(key=lambda item: not (item.case or item.sequence or item.index >= 0))
    lines = [f"{visible(item.kind)}, {_place(item, report)}: {visible(session.localised(item.why))}" for item in others]
    if schema:
        named = "; ".join(visible(item.why, 120) for item in schema[:SHOWN])
        rest = "" if len(schema) <= SHOWN else f"; and {len(schema) - SHOWN} more, which --json names"
        lines.append(f"schema, the ledger: {len(schema)} guards and tables are not as they should be: {named}{rest}")
    return lines


def _place(item: Finding, report: Report) -> str:
    where = f"case #{report.numbers[item.case]}" if item.case in report.numbers else visible(item.case)
    place = [where] if where else []
    place += [f"entry {item.sequence}"] if item.sequence else []
    place += [f"leaf {item.index}"] if item.index >= 0 else []
    return ", ".join(place) or "the ledger"
