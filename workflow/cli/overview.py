"""What stands before a decision about an unblock: what the portal's flyout shows, and what it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workflow.cli.case_page import exception_words, label, playbook_words, show_approvals, show_broken_glass
from workflow.cli.output import fields, say
from workflow.cli.people import named
from workflow.cli.text import visible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workflow.cli.session import Session
    from workflow.services.shapes import PrerequisiteView
    from workflow.services.unblock import Overview


def show_overview(session: Session, shown: Overview, *, brief: bool = False) -> None:
    """Print the overview; every line is a fact the decision will stand on.

    ``brief`` leaves out what requester and approver have weighed: the evidence and the recommendations.
    """
    case = shown.case
    restriction = case.restriction_reading
    say(f"Unblock of case #{case.number}: {visible(case.entity, 120)}", bold=True)
    since = f" since {session.local(restriction['restricted_at'])}" if restriction["restricted_at"] else ""
    fields(
        (
            ("restriction", f"{restriction['status']}{since}"),
            ("reason", visible(restriction["reason"], 160)),
            ("users", visible(", ".join(item["user"] for item in case.identities), 300)),
            ("playbook", visible(playbook_words(case))),
            ("version", f"{case.version}, evidence digest {case.digest[:16]}"),
        ),
        "  ",
    )
    if case.request:
        say(f"  requested by {named(case.request['by'], case.request['claimed'])}, {session.local(case.request['at'])}")
        if case.request["reason"]:
            say(f"    {visible(case.request['reason'], 300)}")
    show_approvals(session, case)
    show_broken_glass(session, case)
    if not brief:
        _evidence(session, shown)
    _list("Changed since the request", shown.changed_since_request, "nothing" if case.request else "")
    if not brief:
        _list("Recommended and not answered yet", shown.recommendations, "")
    _list("Open about the same under another tenant's name", [_other(item) for item in shown.elsewhere], "")
    say(f"  It takes {visible(shown.propagation)} until mail flows again.")
    for warning in filter(None, (shown.support, shown.warning)):
        say(f"Warning: {visible(warning)}", bold=True, colour="yellow")


def _evidence(session: Session, shown: Overview) -> None:
    judged = f" ({len(shown.judged)} of them read as a person had judged them)" if shown.judged else ""
    attested = f"{len(shown.attested)} only attested by a person"
    say(f"  Evidence: {len(shown.checked)} checked in the tenant{judged}, {attested}")
    groups: dict[str, list[PrerequisiteView]] = {}
    for step in shown.case.prerequisites:
        if step.required and step.result and step.by and step.applies:
            how = f"{step.result}, {step.method} by {named(step.by, step.claimed)}"
            groups.setdefault(how, []).append(step)
    for how, steps in groups.items():
        say(f"    {how}, {_observed(session, steps)}:")
        say(f"      {', '.join(label(step) for step in steps)}")
    for step in shown.case.prerequisites:
        if step.exception and step.applies:
            say(f"    exception {label(step)}: {exception_words(session, step)}")


def _observed(session: Session, steps: Sequence[PrerequisiteView]) -> str:
    """Return when the steps were observed: the oldest and the newest time."""
    times = sorted(step.observed_at for step in steps if step.observed_at)
    first, last = session.local(times[0]), session.local(times[-1])
    return f"observed {first}" if first == last else f"observed {first} to {last}"


def _other(other: Mapping[str, Any]) -> str:
    return f"#{other['case_number']} of tenant {other['tenant']}, {other['state']}: its steps are not asked for here"


def _list(heading: str, items: Sequence[str], otherwise: str) -> None:
    if items:
        say(f"  {heading}:")
        for item in items:
            say(f"    {visible(item, 200)}")
    elif otherwise:
        say(f"  {heading}: {otherwise}")


def instructions(shown: Overview) -> dict[str, Any]:
    """Return what to do in the tenant, for ``--json``."""
    return {
        "portal": shown.portal,
        "command": shown.command,
        "role": shown.role,
        "warning": shown.warning,
        "support": shown.support,
        "unprotected_until": shown.unprotected_until,
        "propagation": shown.propagation,
    }
