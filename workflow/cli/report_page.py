"""The outline of a report, for people at a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.cli.output import say, table
from workflow.cli.people import acted, named
from workflow.cli.text import visible

if TYPE_CHECKING:
    from workflow.cli.session import Session
    from workflow.services.report import CaseReport, OccurrenceReport, Report


def show_report(session: Session, report: Report) -> None:
    """Print each case, and at the end what the report rests on."""
    for item in report.cases:
        _case(session, item)
    point = report.checkpoint
    if point is None:
        say("There is no checkpoint yet: nothing of this is sealed.")
    else:
        say(f"Rests on {visible(point['origin'])}, {point['size']} entries, root {visible(point['root'])}.")
        say("Verify with: holdfast ledger verify --key FILE --against FILE")


def _case(session: Session, item: CaseReport) -> None:
    case = item.case
    say(f"Case #{case['number']}: {visible(case['entity'], 120)}, {case['state']}", bold=True)
    for mark in item.marks:
        say(f"  Look first: {visible(mark)}", colour="yellow")
    for occurrence in item.occurrences:
        _occurrence(session, occurrence)


def _occurrence(session: Session, part: OccurrenceReport) -> None:
    own = "" if part.playbook_shipped else ", not the shipped version"
    say(f"Occurrence {part.recurrence}, playbook {visible(part.playbook)} {visible(part.playbook_version)}{own}")
    say(f"  Unblocked after approval: {part.unblocked_words}")
    steps = [
        (
            f"{step['id']} ({step['about']})" if step["about"] else step["id"],
            f"{step['standing']}: {step['result']}" if step["result"] else step["standing"],
            step["method"] or "-",
            named(step["by"], step["claimed"]),
            session.local(step["observed_at"]),
            step["reference"] or "-",
        )
        for step in part.prerequisites
    ]
    table(("prerequisite", "stands", "known", "by", "observed", "reference"), steps, flexible=(5,), spare=(4, 2, 5))
    for one in part.exceptions:
        granted, asked = (named(one[f"{how}_by"], one[f"{how}_claimed"]) for how in ("granted", "asked"))
        until = session.local(one["until"])
        say(f"  Exception: {visible(one['prerequisite'])} until {until}, granted by {granted}, asked for by {asked}")
    for one in part.decisions:
        by = acted(one["by"], one["os_user"], one["claimed"])
        say(f"  {one['sequence']:>4}  {session.local(one['at'])}  {by}")
        say(f"        {visible(one['text'], 300)}")
        if one["shown"]:
            shown = one["shown"]
            say(f"        stood on {len(shown['evidence'])} answers, evidence digest {shown['digest'][:16]}")
