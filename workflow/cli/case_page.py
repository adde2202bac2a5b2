"""One screen about one case: where it stands, what is missing, and what to do next."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from workflow.cli.moments import duration
from workflow.cli.output import fields, say
from workflow.cli.people import named
from workflow.cli.steps import SUPPORT, needs_support, next_commands, second_command
from workflow.cli.text import paragraphs, visible
from workflow.domain.gate import UNBLOCK_PHASES
from workflow.domain.picture import UNREVIEWED
from workflow.domain.vocabulary import ENDED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from workflow.cli.session import Session
    from workflow.services.shapes import CaseView, PrerequisiteView

STATE_COLOURS = {
    "detected": "red",
    "contained": "yellow",
    "verified": "cyan",
    "unblock_requested": "magenta",
    "released": "green",
}
ATTENTION = {
    "confirm-release": "read whether the restriction is gone",
    "end-of-watch": "the watch after the release ends",
    "approval-expires": "an approval expires",
    "exception-expires": "an exception expires",
    "evidence-lapses": "a reading goes stale",
}
"""What is due, in words."""


def show_case(session: Session, case: CaseView) -> None:
    """Print the whole page."""
    entity = visible(case.entity, 120)
    say(f"Case #{case.number}: {entity} ({visible(case.kind)}, tenant {visible(case.tenant, 60)})", bold=True)
    if case.as_of:
        say(f"As it was at {visible(case.as_of)}, entry {case.sequence}; not as it is now.", colour="yellow")
    if case.erased_at:
        words = "names, texts and files; what was done and decided stays, and so does every proof of it"
        say(f"Erased {session.local(case.erased_at)}: {words}.", colour="yellow")
    say(f"State: {case.state}", bold=True, colour=STATE_COLOURS.get(case.state))
    fields(_facts(session, case), "  ")
    _decisions(session, case)
    _waiting(session, case)
    if case.state in ENDED:
        _show_ended(session, case)
    else:
        show_missing(case)


def playbook_words(case: CaseView) -> str:
    """Return a case's playbook by name and version, and whether it is another than came with the product."""
    own = "" if case.playbook_shipped else " (not the shipped version)"
    return f"{case.playbook} {case.playbook_version}{own}"


def _facts(session: Session, case: CaseView) -> Iterable[tuple[str, str]]:
    restriction, local = case.restriction_reading, session.local
    recurrence = f"recurrence {case.recurrence}, " if case.recurrence > 1 else ""
    yield "version", f"{case.version} ({recurrence}opened {local(case.opened_at)}, changed {local(case.updated_at)})"
    yield "playbook", visible(f"{playbook_words(case)}, digest {case.playbook_digest[:12]}")
    since = f", restricted {local(restriction['restricted_at'])}" if restriction["restricted_at"] else ""
    reported = f", reported by {visible(restriction['source'])}"
    told = f", read {local(restriction['observed_at'])}{reported}" if restriction["read"] else f"{reported}, not read"
    yield "restriction", f"{restriction['status']}{since}{told}"
    yield "evidence counts", f"from {local(restriction['counts_from'])}"
    yield "name", visible(restriction["name"], 120)
    yield "reason", visible(restriction["reason"], 160)
    yield "resolution", case.resolution or ""
    yield "assignee", visible(case.assignee, 80) if case.assignee else "nobody"
    yield "labels", ", ".join(case.labels)
    if case.due_at:
        yield "due", f"{local(case.due_at)}: {ATTENTION.get(case.due, visible(case.due))}"
    for identity in case.identities:
        known = ", ".join(name if value else f"no {name}" for name, value in identity["facts"].items())
        yield "user", visible(identity["user"], 120) + (f" ({visible(known)})" if known else "")
    for link in case.links:
        yield "linked", f"#{link['number']} {visible(link['relation'], 60)}, {link['state']}"


def _decisions(session: Session, case: CaseView) -> None:
    if case.request:
        by = named(case.request["by"], case.request["claimed"])
        say(f"Unblock requested by {by}, {session.local(case.request['at'])}")
        say(f"  evidence digest {case.request['digest'][:16]}")
        _reason(case.request["reason"])
        say(f"  approvals: {len(case.approvals)} of {case.approvals_needed}")
    show_approvals(session, case)
    show_broken_glass(session, case)
    if case.attempt:
        say(attempt_line(session, case))


def show_approvals(session: Session, case: CaseView) -> None:
    """Print the approvals that stand, and of each whether it was one of many given together."""
    for approval in case.approvals:
        by = named(approval["by"], approval["claimed"])
        say(f"  approved by {by}, {session.local(approval['at'])}, good until {session.local(approval['expires_at'])}")
        if approval["break_glass"]:
            say("    BREAK-GLASS: it stands in for a second person's", colour="yellow")
        if approval["bulk"]:
            say(f"    in bulk: one of {approval['bulk']} cases approved together")
        _reason(approval["reason"])


def show_broken_glass(session: Session, case: CaseView) -> None:
    """Print every approval that broke the glass, whenever it was given, and who found what about it afterwards."""
    for item in case.break_glass_approvals:
        by = named(item["by"], item["claimed"])
        say(f"BREAK-GLASS: approved without a second person by {by}, {session.local(item['at'])}", colour="yellow")
        _reason(item["reason"])
        if item["verdict"] == UNREVIEWED:
            say(f"  not reviewed; somebody else does, before the case closes: {review_command(case.number)}")
        else:
            reviewer = named(item["reviewed_by"], item["reviewed_claimed"])
            say(f"  reviewed by {reviewer}, {session.local(item['reviewed_at'])}: {item['verdict']}")
            _reason(item["finding"])


def review_command(number: int) -> str:
    """Return the command with which somebody else reviews an approval that broke the glass."""
    return f"holdfast case review {number} --result justified|not-justified --reason WHY --as NAME"


def attempt_line(session: Session, case: CaseView) -> str:
    """Return how the newest unblock attempt stands, with *late* and *overdue* computed now."""
    attempt = case.attempt
    if attempt is None:
        return "No unblock was started."
    by = named(attempt["by"], attempt["claimed"])
    line = f"Unblock attempt {case.attempts} by {by}, {session.local(attempt['intended_at'])}"
    line += f", answer: {attempt['answer'] or ('none yet' if attempt['open'] else 'none recorded')}"
    if attempt["known_by"]:
        line += f" (the tenant's audit log is sure to tell by {session.local(attempt['known_by'])})"
    if not attempt["open"]:
        return f"{line}, ended {session.local(attempt['ended_at'])}"
    mark = "OVERDUE, " if attempt["overdue"] else "LATE, " if attempt["late"] else ""
    return f"{line}, {mark}pending for {duration(attempt['age_seconds'])}"


def _waiting(session: Session, case: CaseView) -> None:
    for item in case.proposals:
        by = named(item["by"], item["claimed"])
        command = visible(second_command(case, item))
        say(f"Waits for a second person: {item['kind']}, by {by}, {session.local(item['at'])}")
        say(f"    next: {command} --as NAME")
        _reason(item["reason"])
    for step in case.prerequisites:
        if step.exception and step.applies:
            say(f"Exception: {label(step)}: {exception_words(session, step)}")
    if case.lapsed_since:
        say(f"Went stale since the last entry: {visible(', '.join(case.lapsed_since))}", colour="yellow")


def exception_words(session: Session, step: PrerequisiteView) -> str:
    """Return who accepted the risk of a step, and until when."""
    granted = step.exception or {}
    first = named(granted["asked_by"], granted["asked_claimed"])
    by = f"granted by {named(granted['granted_by'], granted['granted_claimed'])}, asked for by {first}"
    until = "expired" if granted["expired"] else "until"
    reason = f": {visible(granted['reason'], 160)}" if granted["reason"] else ""
    return f"{by}, {until} {session.local(granted['expires_at'])}{reason}"


def _reason(text: str) -> None:
    for line in paragraphs(text, "    ") if text else []:
        say(line)


def label(step: PrerequisiteView) -> str:
    """Return a step's id and whom it is about."""
    return f"{step.id} ({visible(step.about, 120)})" if step.about else step.id


def show_missing(case: CaseView) -> None:
    """Print what stands between the case and what comes next in it, each with the exact next command.

    That is its unblock, or, where the restriction has come to an end, the close.
    """
    open_steps = [step for step in case.prerequisites if step.required and not step.held]
    gone = case.resolution is not None
    before = [step for step in open_steps if step.phase in (UNBLOCK_PHASES[:-1] if gone else UNBLOCK_PHASES)]
    after = [step for step in open_steps if step.phase == "close"]
    advised = [step for step in case.prerequisites if not step.required and not step.held]
    until = "the case closes" if gone else "an unblock"
    if before:
        say(f"Missing before {until}: {_counted(before)}:", bold=True)
        now = before[0].phase
        for step in before:
            if step.phase == now:
                say(f"  {label(step)}: {step.standing}. {visible(step.title)}.")
                say(f"    next: {visible(shlex.join(step.next))}")
        for phase in UNBLOCK_PHASES:
            later = [label(step) for step in before if step.phase == phase != now]
            if later:
                say(f"  then, to {phase}: {', '.join(later)}")
    elif not gone or not (after or advised):
        say(f"Nothing is missing before {until}.", bold=True)
    if needs_support(case):
        say(f"  next: {SUPPORT}")
    for command in [] if before or case.as_of else next_commands(case):
        say(f"  next: {command}")
    if after or advised:
        names = dict.fromkeys(step.id for step in (*after, *advised))
        say(f"To be answered before the case closes: {', '.join(names)}")
    say(f"How each step is done: holdfast case prerequisites {case.number}")


def _counted(before: Sequence[PrerequisiteView]) -> str:
    """Return how many answers are missing, and of how many prerequisites: some are asked about each user."""
    request = len({step.id for step in before if step.phase == "request"})
    parts = [(len({step.id for step in before}) - request, "until verified"), (request, "for the request")]
    first, *rest = [(count, where) for count, where in parts if count]
    words = [f"{first[0]} {'prerequisite' if first[0] == 1 else 'prerequisites'} {first[1]}"]
    words += [f"{count} {where}" for count, where in rest]
    return f"{answers(len(before))} ({', '.join(words)})"


def answers(count: int) -> str:
    """Return how many answers are wanted, one for each prerequisite and each user it is asked about."""
    return f"{count} {'answer' if count == 1 else 'answers'}"


def ended_words(session: Session, case: CaseView) -> str:
    """Return how a case ended, that nothing is missing any more, and how it is taken up again."""
    how = f" as {case.resolution}" if case.resolution else ""
    again = f" Reopen it with: holdfast case reopen {case.number} --reason WHY" if "reopen" in case.possible else ""
    return f"The case ended {session.local(case.ended_at)}, {case.state}{how}: nothing is missing.{again}"


def _show_ended(session: Session, case: CaseView) -> None:
    """Print how the case ended and what was answered; it asks for nothing any more."""
    say(ended_words(session, case), bold=True)
    answered = [step for step in case.prerequisites if step.result]
    if answered:
        say(f"Answered ({answers(len(answered))}):")
        for step in answered:
            who = f" by {named(step.by, step.claimed)}" if step.by else ""
            mark = "" if step.applies else f" ({step.standing})"
            say(f"  {label(step)}: {step.result}{f', {step.method}' if step.method else ''}{who}{mark}")
    say(f"How each step was answered: holdfast case prerequisites {case.number}")


def show_step(session: Session, step: PrerequisiteView, *, guided: bool = False) -> None:
    """Print everything about one step: how it stands, what counts, where and how it is done.

    ``guided`` leaves the next command out, for whoever is about to be asked.
    """
    kind = f"required by {step.phase}" if step.required else "recommended"
    say(f"{label(step)}: {step.standing}", bold=True, colour="green" if step.held and step.applies else None)
    say(f"  {visible(step.title)}. ({kind})")
    fields(_step_fields(session, step), "  ")
    for line in paragraphs(step.command, "      ") if step.command and not step.held else []:
        say(line)
    if step.next and not guided:
        say(f"  next: {visible(shlex.join(step.next))}")


def _step_fields(session: Session, step: PrerequisiteView) -> Iterable[tuple[str, str]]:
    if step.result and step.by:
        how = f"{step.result}, {step.method} by {named(step.by, step.claimed)}"
        fresh = f", fresh until {session.local(step.fresh_until)}" if step.fresh_until else ""
        yield "answer", f"{how}, observed {session.local(step.observed_at)}{fresh}"
    yield "reference", visible(step.reference, 200)
    yield "note", visible(step.note, 400)
    yield "before", visible(step.before, 200)
    yield "after", visible(step.after, 200)
    yield "attachment", visible(step.attachment)
    if step.exception:
        yield "exception", exception_words(session, step)
    if step.held:
        return
    yield "evidence", visible(step.evidence)
    yield "role", visible(step.role)
    yield "portal", visible(step.portal)
    yield "trap", visible(step.trap)
    yield "command", "(paste as it stands)" if step.command else ""
