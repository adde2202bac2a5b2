"""What comes after the steps: the decision a case waits for, asked for where the person at hand may take it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from workflow.cli.asking import agreed, ask
from workflow.cli.case_page import attempt_line
from workflow.cli.case_unblock import allowed, approvers, overview_of, show_instructions
from workflow.cli.output import say
from workflow.cli.overview import show_overview
from workflow.cli.steps import take
from workflow.cli.text import visible
from workflow.domain import actions as act
from workflow.domain.private import private
from workflow.domain.vocabulary import Answer, RestrictionStatus

if TYPE_CHECKING:
    from workflow.cli.session import Session
    from workflow.services.shapes import CaseView

PRESENT = frozenset({"listed", "temporary"})


def next_decision(session: Session, shown: CaseView) -> bool:
    """Lead to the decision that the case waits for; say whether the case moved.

    Approving is not among them: it belongs to a second person, who gives a command of their own.

    Raises:
        HoldfastError: the decision was refused.
        Stopped: the person stopped.
    """
    attempt = shown.attempt
    if attempt and attempt["open"]:
        say(attempt_line(session, shown))
        return _outcome(session, shown) if attempt["answer"] is None else _look_again(session, shown)
    if shown.state == "unblock_requested":
        return _approved(session, shown)
    if shown.state == "verified" and shown.restriction in {*PRESENT, "unknown"} and shown.kind != "user":
        return _request(session, shown)
    if shown.state in {"verified", "released"}:
        return _close(session, shown)
    say(f"Nothing is left to ask here. How it stands: holdfast case view {shown.number}")
    return False


def _request(session: Session, shown: CaseView) -> bool:
    overview = overview_of(session, str(shown.number))
    if not allowed(overview, act.RequestUnblock.name):
        return False
    show_overview(session, overview)
    if not agreed("Request the unblock on this evidence?"):
        return False
    reason = ask("Reason (Enter for none)", "")
    seen = overview.case
    take(
        session,
        seen,
        act.RequestUnblock(seen_version=seen.version, seen_digest=seen.digest, reason=private(reason)),
    )
    _same(session, "request-unblock", shown.number, "--yes", *(("--reason", reason) if reason else ()))
    return True


def _approved(session: Session, shown: CaseView) -> bool:
    lacking = shown.approvals_needed - len(shown.approvals)
    if lacking > 0:
        people = "1 more person" if lacking == 1 else f"{lacking} more people"
        say(f"It waits for {people} to approve: holdfast case approve {shown.number} --as NAME")
        if able := approvers(session, shown.id):
            say(f"  who can: {able}")
        return False
    overview = overview_of(session, str(shown.number))
    show_overview(session, overview, brief=True)
    if not agreed("Start the approved unblock now?"):
        return False
    seen = overview.case
    take(session, seen, act.IntendUnblock(seen_version=seen.version, seen_digest=seen.digest))
    _same(session, "unblock", shown.number, "--yes")
    show_instructions(overview)
    return True


def _outcome(session: Session, shown: CaseView) -> bool:
    reply = ask("What did Microsoft answer? (d done, f failed, t contact support, Enter not yet)", "")
    answers = {"d": Answer.DONE, "f": Answer.FAILED, "t": Answer.SUPPORT}
    if reply not in answers:
        say(f"Come back to it with: holdfast case work {shown.number}")
        return False
    reference = ask("Where can the answer be checked?", "")
    take(session, shown, act.RecordAnswer(answer=answers[reply], reference=private(reference)))
    _same(session, "unblock", shown.number, "--outcome", answers[reply].value, "--ref", reference)
    return True


def _look_again(session: Session, shown: CaseView) -> bool:
    reply = ask("What does the list show now? (g gone, l still listed, Enter not looked)", "")
    readings = {"g": RestrictionStatus.NOT_LISTED, "l": RestrictionStatus.LISTED}
    if reply not in readings:
        say(f"It takes an hour as a rule, a day at most. Come back with: holdfast case work {shown.number}")
        return False
    reference = ask("Where did you see it?", "")
    status = readings[reply]
    take(
        session,
        shown,
        act.ObserveRestriction(status=status, observed_at=session.app.now(), reference=private(reference)),
    )
    _same(session, "observe", shown.number, "--restriction", status.value, "--ref", reference)
    return status is RestrictionStatus.NOT_LISTED


def _close(session: Session, shown: CaseView) -> bool:
    lacking = [step for step in shown.prerequisites if not step.held]
    if lacking:
        say(f"Before it closes, {len(lacking)} steps want an answer: holdfast case work {shown.number} --all")
        return False
    if not agreed("Close the case?"):
        return False
    take(session, shown, act.CloseCase())
    _same(session, "close", shown.number)
    return False


def same(session: Session, *words: str) -> str:
    """Return the command that does the same under the same name, ready to paste."""
    claimed = ("--as", session.who.name) if session.who.name else ()
    return f"  the same: {visible(shlex.join(('holdfast', 'case', *words, *claimed)))}"


def _same(session: Session, verb: str, number: int, *words: str) -> None:
    say(same(session, verb, str(number), *words))
