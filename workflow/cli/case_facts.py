"""Recording facts: answers, retractions, exceptions, assignment, notes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workflow.cli.answers import Answer, record_rows
from workflow.cli.case_open import one_of, second
from workflow.cli.many import Many
from workflow.cli.paths import FILE, STREAM
from workflow.cli.wave import Plan, act_on, each
from workflow.domain import actions as act
from workflow.domain.private import private
from workflow.domain.vocabulary import Result
from workflow.errors import InputError

if TYPE_CHECKING:
    from workflow.cli.many import Cases
    from workflow.cli.session import Session
    from workflow.services.glance import Glance
    from workflow.services.wave import Item

MOST_TYPED = 1 << 20
"""Characters read of standard input."""
FOR = click.option("--for", "user", metavar="USER", help="The compromised user it is about.")


@click.command(cls=Many, instead=("source",))
@click.argument("ids", metavar="ID...", nargs=-1)
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
@click.option("--attach", metavar="FILE", type=FILE, help="Evidence to keep, at most 10 MiB.")
@click.option("--linked", metavar="CASE", multiple=True, help="The linked case that meets it; may be repeated.")
@click.option(
    "--from", "source", metavar="FILE", type=STREAM, help="Answers of a script, one to a row; - for standard input."
)
@click.pass_obj
def record(
    session: Session, /, *, cases: Cases, ids: tuple[str, ...], source: str | None, attach: Path | None, **options: Any
) -> None:
    """Record the answer to one or more prerequisites.

    Several ids stand or fall together. 'met' needs --ref or --attach. 'unable-to-verify' is never 'met'.

    FILE is CSV or JSON with the columns case, id, result, reference, note, at, before, after and for; what a row
    leaves open is taken from the options. Every row stands for itself, and a broken one is named with its line.
    """
    from workflow.services.casework import find
    from workflow.services.glance import about

    if bool(ids) == bool(source):
        raise click.UsageError("Missing argument 'ID': say which prerequisites, or give --from FILE.")
    if any(word.lstrip("#").isdigit() for word in ids):
        raise click.UsageError("A number is no prerequisite: name cases, or give filters, not both.")
    answer = Answer(
        result=options["result"],
        observed_at=session.time(options["at"]) if options["at"] else session.app.now(),
        reference=options["ref"],
        attachment=attachment(session, attach) if attach else "",
        file=attach.name if attach else "",
        linked=tuple(find(session.app, other) for other in options["linked"]),
        **{name: options[name] or "" for name in ("note", "before", "after", "user")},
    )
    if source:
        record_rows(session, source, answer)
        return
    steps = tuple(dict.fromkeys(ids))

    def answers(_: Item, seen: Glance) -> list[act.Action]:
        return [answer.action(step, about(seen, step, options["user"])) for step in steps]

    act_on(session, cases, Plan(title="Recording", verb=f"Record {', '.join(steps)} in", make=answers))


def attachment(session: Session, path: Path) -> str:
    """Keep a file beside the ledger and return its digest.

    Raises:
        InputError: it cannot be read, or is too large.
    """
    from workflow.services.casework import MOST_BYTES, attach
    from workflow.storage.files import read_at_most

    content = read_at_most(path, MOST_BYTES)
    if len(content) > MOST_BYTES:
        raise InputError(f"{path} is larger than {MOST_BYTES >> 20} MiB; note its hash and where it is kept instead.")
    return attach(session.app, content)


@click.command(cls=Many)
@click.argument("step", metavar="ID")
@click.option("--reason", metavar="TEXT", default="", help="Why it is no longer so.")
@FOR
@click.pass_obj
def retract(session: Session, cases: Cases, step: str, reason: str, user: str | None) -> None:
    """Take an answer back.

    The old entry stays; a new one says that it no longer counts. Also takes a granted exception back.
    """
    from workflow.services.glance import about

    def taken_back(_: Item, seen: Glance) -> list[act.Action]:
        return [act.RetractEvidence(prerequisite=step, about=about(seen, step, user), reason=private(reason))]

    act_on(session, cases, Plan(title="Retracting", verb=f"Take back {step} in", make=taken_back))


@click.command("except", cls=Many)
@click.argument("step", metavar="ID")
@click.option("--reason", metavar="TEXT", default="", help="Why the risk is accepted, granted or refused.")
@click.option("--until", metavar="TIME", help="When the exception ends, such as +7d.")
@FOR
@click.option("--grant", is_flag=True, help="Grant what another person asked for.")
@click.option("--refuse", is_flag=True, help="Turn it down, or take your own back.")
@click.pass_obj
def except_(
    session: Session,
    cases: Cases,
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
    from workflow.services.glance import about, exception_key

    one_of(grant=grant, refuse=refuse)
    if grant or refuse:

        def answered(_: Item, seen: Glance) -> list[act.Action]:
            return [second(exception_key(seen, step, user), grant, reason)]

        verb = f"{'Grant' if grant else 'Refuse'} the exception from {step} in"
        act_on(session, cases, Plan(title="Answering", verb=verb, make=answered, decides=True))
        return
    if not until:
        raise click.UsageError("Say when the exception ends with --until, such as --until +7d.")
    expires_at = session.time(until)

    def asked(_: Item, seen: Glance) -> list[act.Action]:
        whom = about(seen, step, user)
        return [act.AskException(prerequisite=step, about=whom, expires_at=expires_at, reason=private(reason))]

    act_on(session, cases, Plan(title="Asking", verb=f"Ask for an exception from {step} in", make=asked))


@click.command(cls=Many)
@click.argument("name", required=False)
@click.option("--none", "nobody", is_flag=True, help="Give it back to the queue.")
@click.pass_obj
def assign(session: Session, cases: Cases, name: str | None, nobody: bool) -> None:
    """Give the case to a person, or back to the queue."""
    from workflow.services.casework import person

    if bool(name) == nobody:
        raise click.UsageError("Name a person, or give --none.")
    action = act.AssignCase(assignee=person(session.app, name) if name else "")
    act_on(session, cases, Plan(title="Assigning", verb="Assign", make=each(action)))


@click.command(cls=Many)
@click.option("--add", metavar="LABEL", multiple=True, help="Label to add; may be repeated.")
@click.option("--remove", metavar="LABEL", multiple=True, help="Label to remove; may be repeated.")
@click.pass_obj
def label(session: Session, cases: Cases, add: tuple[str, ...], remove: tuple[str, ...]) -> None:
    """Add labels to the case, or remove them.

    LABEL is a token to find cases by ('case list --label'): small letters, digits and hyphens, at most 32 characters.
    Labels stay on the ledger for ever, as they are: never a name, an address or anything else about a person.
    """
    if not (add or remove):
        raise click.UsageError("Give --add LABEL or --remove LABEL.")
    action = act.LabelCase(add=tuple(dict.fromkeys(add)), remove=tuple(dict.fromkeys(remove)))
    act_on(session, cases, Plan(title="Labelling", verb="Label", make=each(action)))


@click.command(cls=Many)
@click.argument("text")
@click.pass_obj
def note(session: Session, cases: Cases, text: str) -> None:
    """Add a note.

    TEXT is the note, or - to read it from standard input. Never write a password or a token into one.
    """
    if text == "-" and cases.piped:
        raise click.UsageError("Standard input cannot say both which cases and what the note is.")
    written = (_typed() if text == "-" else text).strip()
    if not written:
        raise InputError("The note is empty: write its text, or - to read it from standard input.")
    act_on(session, cases, Plan(title="Noting", verb="Add the note to", make=each(act.AddNote(note=private(written)))))


def _typed() -> str:
    if sys.stdin is None:
        raise InputError("Standard input is closed, so no note can be read from it.")
    # No note is nearly as long, and what has no end must not fill the memory.
    return sys.stdin.read(MOST_TYPED)
