"""Recording facts: answers, retractions, exceptions, assignment, notes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from workflow.cli.case_open import one_of, second
from workflow.cli.session import Session, Verb
from workflow.cli.steps import about_id, look, private, take, user_id
from workflow.domain import actions as act
from workflow.domain.vocabulary import Result
from workflow.errors import InputError, NotFoundError

if TYPE_CHECKING:
    from workflow.services.shapes import CaseView

FOR = click.option("--for", "user", metavar="USER", help="The compromised user it is about.")


@click.command(cls=Verb)
@click.argument("case")
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@click.option(
    "--result",
    type=click.Choice([item.value for item in Result]),
    default=Result.MET.value,
    show_default=True,
    help="What was found.",
)
@click.option("--ref", metavar="TEXT", default="", help="Where it can be checked: a ticket, a log, an address.")
@click.option("--note", metavar="TEXT", default="", help="Anything worth saying. Never a password or a token.")
@click.option("--at", metavar="TIME", help="When it was done or seen; now by default. A time without zone is local.")
@click.option("--before", metavar="TEXT", default="", help="The value before.")
@click.option("--after", metavar="TEXT", default="", help="The value after.")
@FOR
@click.option("--attach", metavar="FILE", type=click.Path(path_type=Path), help="Evidence to keep, at most 10 MiB.")
@click.option("--linked", metavar="CASE", multiple=True, help="The linked case that meets it; may be repeated.")
@click.pass_obj
def record(
    session: Session,
    /,
    *,
    case: str,
    ids: tuple[str, ...],
    result: str,
    ref: str,
    note: str,
    at: str | None,
    before: str,
    after: str,
    user: str | None,
    attach: Path | None,
    linked: tuple[str, ...],
) -> None:
    """Record the answer to one or more prerequisites.

    Several ids stand or fall together. 'met' needs --ref or --attach. 'unable-to-verify' is never 'met'.
    """
    from workflow.services.casework import find

    found = look(session, case)
    observed_at = session.time(at) if at else session.app.now()
    digest = attachment(session, attach) if attach else ""
    others = tuple(find(session.app, other) for other in linked)
    actions = [
        act.RecordEvidence(
            prerequisite=step,
            about=about_id(session, found, step, user),
            result=Result(result),
            observed_at=observed_at,
            reference=private(ref),
            note=private(note),
            before=private(before),
            after=private(after),
            attachment=digest,
            file=private(attach.name if attach else ""),
            linked=others,
        )
        for step in dict.fromkeys(ids)
    ]
    take(session, found, *actions)


def attachment(session: Session, path: Path) -> str:
    """Keep a file beside the ledger and return its digest.

    Raises:
        InputError: it cannot be read, or is too large.
    """
    from workflow.services.casework import MOST_BYTES, attach

    try:
        with path.open("rb") as stream:
            # One byte more than is kept tells that it is too large; a device or pipe may have no end.
            content = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from None
    if len(content) > MOST_BYTES:
        raise InputError(f"{path} is larger than {MOST_BYTES >> 20} MiB; note its hash and where it is kept instead.")
    return attach(session.app, content)


@click.command(cls=Verb)
@click.argument("case")
@click.argument("step", metavar="ID")
@click.option("--reason", metavar="TEXT", default="", help="Why it is no longer so.")
@FOR
@click.pass_obj
def retract(session: Session, case: str, step: str, reason: str, user: str | None) -> None:
    """Take an answer back.

    The old entry stays; a new one says that it no longer counts. Also takes a granted exception back.
    """
    found = look(session, case)
    about = about_id(session, found, step, user)
    take(session, found, act.RetractEvidence(prerequisite=step, about=about, reason=private(reason)))


@click.command("except", cls=Verb)
@click.argument("case")
@click.argument("step", metavar="ID")
@click.option("--reason", metavar="TEXT", default="", help="Why the risk is accepted, granted or refused.")
@click.option("--until", metavar="TIME", help="When the exception ends, such as +7d.")
@FOR
@click.option("--grant", is_flag=True, help="Grant what another person asked for.")
@click.option("--refuse", is_flag=True, help="Turn it down, or take your own back.")
@click.pass_obj
def except_(
    session: Session,
    case: str,
    step: str,
    reason: str,
    until: str | None,
    user: str | None,
    grant: bool,
    refuse: bool,
) -> None:
    """Ask for, grant or refuse an exception.

    One person asks (--reason, --until), another grants. password-reset, mfa-enabled and sessions-revoked are never
    excepted.
    """
    one_of(grant=grant, refuse=refuse)
    found = look(session, case)
    if grant or refuse:
        take(session, found, second(_proposal(session, found, step, user), grant, reason))
        return
    if not until:
        raise click.UsageError("Say when the exception ends with --until, such as --until +7d.")
    about = about_id(session, found, step, user)
    expires_at = session.time(until)
    take(
        session, found, act.AskException(prerequisite=step, about=about, expires_at=expires_at, reason=private(reason))
    )


def _proposal(session: Session, case: CaseView, step: str, user: str | None) -> str:
    """Return the key of the exception that waits for a second person."""
    key = f"exception:{step}"
    if user is not None:
        return f"{key}/{user_id(session, case, user)}"
    waiting = [item["proposal"] for item in case.proposals]
    fits = [name for name in waiting if name == key or name.startswith(f"{key}/")]
    if len(fits) > 1:
        raise InputError(f"Several exceptions from {step!r} wait: say whom with --for.")
    if not fits:
        raise NotFoundError(f"No exception from {step!r} waits for a second person in case #{case.number}.")
    return str(fits[0])


@click.command(cls=Verb)
@click.argument("case")
@click.argument("name", required=False)
@click.option("--none", "nobody", is_flag=True, help="Give it back to the queue.")
@click.pass_obj
def assign(session: Session, case: str, name: str | None, nobody: bool) -> None:
    """Give the case to a person, or back to the queue."""
    from workflow.services.casework import person

    if bool(name) == nobody:
        raise click.UsageError("Name a person, or give --none.")
    found = look(session, case)
    take(session, found, act.AssignCase(assignee=person(session.app, name) if name else ""))


@click.command(cls=Verb)
@click.argument("case")
@click.option("--add", metavar="LABEL", multiple=True, help="Label to add; may be repeated.")
@click.option("--remove", metavar="LABEL", multiple=True, help="Label to remove; may be repeated.")
@click.pass_obj
def label(session: Session, case: str, add: tuple[str, ...], remove: tuple[str, ...]) -> None:
    """Add labels to the case, or remove them.

    LABEL is a token to find cases by ('case list --label'): small letters, digits and hyphens, at most 32 characters.
    Labels stay on the ledger for ever, as they are: never a name, an address or anything else about a person.
    """
    if not (add or remove):
        raise click.UsageError("Give --add LABEL or --remove LABEL.")
    action = act.LabelCase(add=tuple(dict.fromkeys(add)), remove=tuple(dict.fromkeys(remove)))
    take(session, look(session, case), action)


@click.command(cls=Verb)
@click.argument("case")
@click.argument("text")
@click.pass_obj
def note(session: Session, case: str, text: str) -> None:
    """Add a note.

    TEXT is the note, or - to read it from standard input. Never write a password or a token into one.
    """
    found = look(session, case)
    written = (_typed() if text == "-" else text).strip()
    if not written:
        raise InputError("The note is empty: write its text, or - to read it from standard input.")
    take(session, found, act.AddNote(note=private(written)))


def _typed() -> str:
    if sys.stdin is None:
        raise InputError("Standard input is closed, so no note can be read from it.")
    return sys.stdin.read()
