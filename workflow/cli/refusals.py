"""Errors as people and programs read them: what is wrong, and exactly what to do next."""

from __future__ import annotations

import shlex
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from workflow.cli.exits import cure_of, exit_of
from workflow.cli.text import visible
from workflow.errors import (
    ConflictError,
    GateClosedError,
    HoldfastError,
    NotPermittedError,
    PendingError,
    PlaybookError,
    RuleRefusedError,
    VerificationError,
    WrongStateError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workflow.cli.session import Session
    from workflow.services.deputies import Able

COMMANDS: dict[str, str] = {
    "open": "case open",
    "report": "import",
    "observe": "case observe CASE --restriction not-listed --ref WHERE",
    "record": "case record CASE ID --ref WHERE",
    "retract": "case retract CASE ID --reason WHY",
    "except": "case except CASE ID --reason WHY --until +7d",
    "confirm": "case except CASE ID --grant",
    "refuse": "case except CASE ID --refuse",
    "assign": "case assign CASE NAME",
    "note": "case note CASE TEXT",
    "identify": "case identity CASE USER",
    "remove-identity": "case identity CASE USER --remove --reason WHY",
    "link": "case link CASE OTHER",
    "label": "case label CASE --add LABEL",
    "playbook": "case playbook CASE NAME --reason WHY",
    "request-unblock": "case request-unblock CASE",
    "withdraw": "case withdraw CASE",
    "approve": "case approve CASE",
    "review": "case review CASE --result WHICH --reason WHY",
    "reject": "case reject CASE --reason WHY",
    "unblock": "case unblock CASE",
    "answer": "case unblock CASE --outcome done --ref WHERE",
    "close": "case close CASE",
    "dismiss": "case dismiss CASE --resolution WHICH --reason WHY",
    "reopen": "case reopen CASE --reason WHY",
    "erase": "case erase CASE --reason WHY",
}
"""The command that takes each action of the domain."""

HEADINGS: Mapping[type[HoldfastError], str] = {
    RuleRefusedError: "Refused",
    NotPermittedError: "Not allowed",
    PendingError: "Still pending",
    ConflictError: "Conflict",
    VerificationError: "Not verified",
}
"""The first word of an error's message; any other begins with *Error*."""

ASIDE = frozenset(
    {
        *("report", "note", "assign", "link", "label", "retract", "except", "refuse", "identify", "remove-identity"),
        "erase",
        "review",
    }
)
"""Actions that are possible almost always: people who took a wrong step are not helped by their names."""


def next_commands(names: tuple[str, ...], reference: str, *, connected: bool = False) -> list[str]:
    """Return the commands for these actions, with the case filled in; a connected tenant is looked at by Holdfast."""
    known = COMMANDS | {"observe": "case look CASE"} if connected else COMMANDS
    return [_filled(f"holdfast {known[name]}", reference) for name in names if name in known]


def _connected(session: Session) -> bool:
    """Say whether Holdfast reads the tenant; settings that are wrong keep no refusal from being told."""
    try:
        return session.app.provider.acts
    except HoldfastError:
        return False


def _filled(command: str, reference: str) -> str:
    return command.replace("CASE", shlex.quote(visible(reference))) if reference else command


def next_step(error: HoldfastError, reference: str) -> str:
    """Return in one line what to do next about one case among many."""
    if isinstance(error, GateClosedError | WrongStateError) and error.missing:
        return f"holdfast case prerequisites {reference} --missing"
    return (
        f"holdfast case view {reference}"
        if isinstance(error, WrongStateError | PendingError)
        else _filled(cure_of(error), reference)
    )


def error_data(error: HoldfastError, session: Session) -> dict[str, Any]:
    """Return the error object that ``--json`` prints."""
    details = dict(error.details())
    if isinstance(error, GateClosedError | WrongStateError) and error.missing:
        details["missing"] = _missing(error, session)
    if isinstance(error, WrongStateError):
        details["next"] = next_commands(error.possible, session.case, connected=_connected(session))
    if "roles" in details:
        details["on_call"] = on_call_data(error, session)
    return {
        "error": {
            "code": error.code,
            "message": str(error),
            "exit": int(exit_of(error)),
            "next_step": _filled(cure_of(error), session.case),
            **details,
        }
    }


def _able(error: HoldfastError, session: Session) -> Able:
    from workflow.services.deputies import Able, of_error

    try:
        return of_error(session.app, error, session.who.name) if error.details().get("roles") else Able()
    except HoldfastError:
        # A database that cannot be read now keeps no refusal from being told.
        return Able()


def on_call_data(error: HoldfastError, session: Session) -> list[dict[str, Any]]:
    """Return the people who could take a refused step, as ``--json`` prints them."""
    return [asdict(person) for person in _able(error, session).people]


def who_can(error: HoldfastError, session: Session) -> str:
    """Return the line that names them, "" where the step needs nobody else or nobody is listed."""
    said = named(_able(error, session))
    return f"  who can: {said}" if said else ""


def named(able: Able) -> str:
    """Return who can take a step in words, or that nobody on the list can and what helps then."""
    if able.people:
        return visible("; ".join(str(person) for person in able.people))
    return visible(f"nobody on the list; {able.instead}") if able.instead else ""


def _missing(error: GateClosedError | WrongStateError, session: Session) -> list[dict[str, Any]]:
    """Return each missing prerequisite with who can supply it and the exact next command."""
    wanted = {item.prerequisite for item in error.missing}
    try:
        from workflow.services.views import case_view

        shown = case_view(session.app, session.case)
        found = [
            {
                "id": item.id,
                "about": item.about,
                "reason": item.standing,
                "title": item.title,
                "required": item.required,
                "phase": item.phase,
                "who": item.who,
                "role": item.role,
                "next": shlex.join(item.next),
            }
            for item in shown.prerequisites
            if item.id in wanted and not item.held
        ]
    except HoldfastError:
        found = []
    return found or [{"id": item.prerequisite, **item.to_data()} for item in error.missing]


def show_error(error: HoldfastError, session: Session) -> None:
    """Print an error on standard error: one clear message, then what to do next."""
    heading = next((word for kind, word in HEADINGS.items() if isinstance(error, kind)), "Error")
    lines = [f"{click.style(heading, bold=True, fg='red')}: {visible(session.localised(str(error)))}"]
    if isinstance(error, GateClosedError | WrongStateError) and error.missing:
        for item in _missing(error, session):
            lines += _missing_lines(item)
    elif isinstance(error, WrongStateError):
        names = tuple(name for name in error.possible if name not in ASIDE)
        commands = next_commands(names, session.case, connected=_connected(session))
        lines += [f"  possible: {command}" for command in commands]
    elif isinstance(error, PlaybookError):
        lines += [f"  {visible(fault)}" for fault in error.faults]
    cure = _filled(cure_of(error), session.case)
    if cure:
        lines.append(f"  {cure}")
    click.echo("\n".join(filter(None, [*lines, who_can(error, session)])), err=True)


def _missing_lines(item: Mapping[str, Any]) -> list[str]:
    about = f" for {visible(item['about'])}" if item["about"] else ""
    lines = [f"  {visible(item['id'])}{about}: {visible(item['reason'])}. {visible(item['title'])}."]
    if item.get("who"):
        role = f"; in Microsoft 365: {visible(item['role'])}" if item["role"] else ""
        lines += [f"    who:  {visible(', '.join(item['who']))}{role}", f"    next: {visible(item['next'])}"]
    return lines
