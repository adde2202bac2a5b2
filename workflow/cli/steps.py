"""Taking a step on a case and saying what it led to."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import click

from workflow.cli.exits import exit_of
from workflow.cli.output import as_json, say, warn
from workflow.cli.text import visible
from workflow.domain.vocabulary import Kind
from workflow.errors import InputError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from workflow.cli.session import Session
    from workflow.domain.actions import Action
    from workflow.errors import HoldfastError
    from workflow.services.casework import Done
    from workflow.services.shapes import CaseView

SUMMARY = (
    *("id", "number", "tenant", "kind", "entity", "state", "recurrence", "version", "digest", "missing", "assignee"),
    *("labels", "opened_at", "updated_at", "due_at", "due", "resolution", "restriction", "restriction_reading"),
    *("attempt", "proposals", "break_glass", "break_glass_approvals", "possible"),
)
"""The members of a case that a result carries."""


def look(session: Session, reference: str) -> CaseView:
    """Return the case that a command works on, and remember it for refusals."""
    from workflow.services.views import case_view

    session.case = reference
    found = case_view(session.app, reference)
    session.case = str(found.number)
    return found


def user_id(session: Session, case: CaseView, user: str) -> str:
    """Return the opaque id of a compromised user that the case names.

    Raises:
        NotFoundError: the case names no such user; the message lists those it names.
    """
    from workflow.domain.subject import normalise
    from workflow.services.casework import subject

    wanted = normalise(Kind.USER, user)
    named = [identity["user"] for identity in case.identities]
    if wanted not in named:
        listed = ", ".join(named) or "nobody yet"
        message = f"Case #{case.number} does not name {wanted}; it names: {listed}."
        raise NotFoundError(message, next_step="Add a user with: holdfast case identity CASE USER")
    return subject(session.app, case.tenant, Kind.USER, wanted)


def about_id(session: Session, case: CaseView, step: str, user: str | None) -> str:
    """Return whom a step is recorded about: "" for the entity, else the id of ``--for``, or of the only user.

    Raises:
        InputError: several users are named and nobody said which.
        NotFoundError: as :func:`user_id`.
    """
    per_user = any(item.about for item in case.prerequisites if item.id == step)
    if user is not None:
        return user_id(session, case, user)
    if not per_user:
        return ""
    if len(case.identities) > 1:
        named = ", ".join(identity["user"] for identity in case.identities)
        message = f"{step!r} is answered for each user: say whom with --for ({named})."
        raise InputError(message)
    return user_id(session, case, case.identities[0]["user"])


def take(session: Session, case: CaseView, *actions: Action, brief: bool = False) -> None:
    """Take a step and print where it led: the state, and (unless ``brief``) what is still missing."""
    from workflow.services.casework import perform

    done = perform(session.app, session.who, case.id, *actions)
    report(session, done, brief=brief)


def report(session: Session, done: Done, *, brief: bool = False, **extra: Any) -> CaseView:
    """Print what a step led to and return the case after it."""
    from workflow.services.views import case_view

    after = case_view(session.app, done.case.id)
    session.recorded = f"#{after.number}: {', '.join(entry.type for entry in done.entries) or 'nothing new'}"
    if session.as_json:
        data = after.to_data()
        entries = [
            {"sequence": item.sequence, "type": item.type, "state_after": item.state_after, "leaf": item.leaf}
            for item in done.entries
        ]
        case = {name: data[name] for name in SUMMARY}
        as_json({"case": case, "entries": entries, "warnings": done.warnings, "repeated": done.repeated, **extra})
    else:
        _show(session, done, after, brief=brief)
    warn(map(session.localised, done.warnings))
    return after


def leave_with(session: Session, error: HoldfastError | None) -> None:
    """End with the error; printed JSON has told of it already, and is followed by no other.

    Raises:
        HoldfastError: the error, where people read.
    """
    if error is not None and session.as_json:
        click.get_current_context().exit(exit_of(error))
    if error is not None:
        raise error


def next_commands(case: CaseView) -> Iterator[str]:
    """Yield the commands that take a case on which nothing is missing further, the likeliest first."""
    number, attempt = case.number, case.attempt
    if needs_support(case):
        yield f"holdfast case observe {number} --restriction not-listed --ref REQUEST"
    elif case.state == "released" or (case.state == "verified" and case.resolution is not None):
        yield f"holdfast case close {number}"
    elif case.state == "verified" and case.kind != Kind.USER.value:
        yield f"holdfast case request-unblock {number}"
    elif case.state == "unblock_requested" and attempt is not None and attempt["open"]:
        if not attempt["answer"]:
            yield f"holdfast case unblock {number} --outcome done --ref WHERE"
        yield f"holdfast case observe {number} --restriction not-listed --ref WHERE"
    elif case.state == "unblock_requested" and len(case.approvals) < case.approvals_needed:
        yield f"holdfast case approve {number} --as NAME"
    elif case.state == "unblock_requested":
        yield f"holdfast case unblock {number}"


SUPPORT = "open a request with Microsoft Support: nothing else lifts this restriction now"


def needs_support(case: CaseView) -> bool:
    """Say whether the case waits for Microsoft Support, as Microsoft answered its last unblock."""
    return case.attempt is not None and case.attempt["refused_for_good"]


def _next(session: Session, before: str, case: CaseView) -> str:
    """Return what comes next where a case has just reached a turning point, else ""."""
    command = next(next_commands(case), "")
    if needs_support(case) and before == "unblock_requested":
        return f"{SUPPORT}; then: {command}"
    if case.state == "released" != before and case.due_at:
        return f"the watch ends {session.local(case.due_at)}; then: {command}"
    if case.state == "verified" and before in {"detected", "contained"} and case.resolution is None:
        return command
    return ""


def _show(session: Session, done: Done, after: CaseView, *, brief: bool) -> None:
    from workflow.services.history import WORDS

    before = next((entry.state_before for entry in done.entries if entry.state_before), after.state)
    moved = f"{before} → {after.state}" if before != after.state else after.state
    say(f"#{after.number} {visible(after.entity, 120)}: {moved}", bold=True)
    for entry in done.entries:
        about = f": {entry.data['prerequisite']}" if entry.data.get("prerequisite") else ""
        say(f"  {entry.sequence}: {WORDS.get(entry.type, entry.type)}{visible(about)}")
    if after.missing and not brief and after.state in {"detected", "contained"}:
        say(f"  missing: {', '.join(after.missing)}")
    if after.resolution:
        say(f"  resolution: {after.resolution}")
    step = _next(session, before, after)
    if step:
        say(f"  next: {step}")
    for item in after.proposals:
        say(f"  waits for a second person: {visible(second_command(after, item))} --as NAME")


def second_command(case: CaseView, proposal: Mapping[str, Any]) -> str:
    """Return the command with which a second person agrees to what was proposed."""
    kind, _, rest = str(proposal["proposal"]).partition(":")
    user = shlex.quote(str(proposal["about"]))
    if kind == "exception":
        about = f" --for {user}" if "/" in rest else ""
        return f"holdfast case except {case.number} {rest.partition('/')[0]}{about} --grant"
    if kind == "identity":
        return f"holdfast case identity {case.number} {user} --confirm"
    verb = {"dismissal": "dismiss", "erasure": "erase"}.get(kind, kind)
    return f"holdfast case {verb} {case.number} --confirm"
