"""Erasing what is personal about ended cases: one person proposes, another confirms, and then it is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from workflow.cli.case_open import one_of, second
from workflow.cli.exits import exit_of
from workflow.cli.output import as_json, hint, say
from workflow.cli.progress import progress_bar
from workflow.cli.refusals import error_data, show_error
from workflow.cli.session import Session, Verb, interactive
from workflow.cli.steps import look
from workflow.cli.text import visible
from workflow.domain import actions as act
from workflow.domain.erasure import PROPOSAL
from workflow.domain.private import private
from workflow.errors import HoldfastError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workflow.services.shapes import CaseView

GOES = (
    "Names, addresses, texts, references and files of these cases go for good. What was done, by whom and when stays, "
    "with the reasons of exceptions, dismissals, playbook moves and of this erasure."
)


@click.command(cls=Verb)
@click.argument("cases", metavar="CASE...", nargs=-1, required=True)
@click.option("--reason", metavar="TEXT", default="", help="Why. It stays: name nobody in it.")
@click.option("--confirm", is_flag=True, help="Agree to the erasure, as a second person; also finishes a pending one.")
@click.option("--refuse", is_flag=True, help="Turn it down.")
@click.option("--yes", is_flag=True, help="Skip the confirmation; needed where there is no terminal.")
@click.pass_context
def erase(ctx: click.Context, cases: tuple[str, ...], reason: str, confirm: bool, refuse: bool, yes: bool) -> None:
    """Erase names, texts and files of ended cases.

    It takes two people, and is refused while the mailbox or user has an open case, and for the time that ended cases
    are kept for audits (setting 'retention'). Every proof on the ledger stays valid. Who acted is never erased.
    """
    session: Session = ctx.obj
    one_of(confirm=confirm, refuse=refuse)
    found = list({shown.id: shown for shown in (look(session, case) for case in cases)}.values())
    session.case = str(found[0].number) if len(found) == 1 else ""
    if confirm and not _agreed(session, found, yes):
        return
    action = second(PROPOSAL, confirm, reason) if confirm or refuse else act.EraseCase(reason=private(reason))
    outcome = "erased" if confirm else "erasure refused" if refuse else "erasure proposed"
    # An erased case takes no step any more; confirming it again only finishes what a reader had delayed.
    error = _perform(session, [shown for shown in found if not (confirm and shown.erased_at)], action, outcome)
    if confirm and (error is None or len(found) > 1):
        _scrub(session)
    if error is not None:
        ctx.exit(exit_of(error))


def _agreed(session: Session, found: Sequence[CaseView], yes: bool) -> bool:
    """Ask; what goes cannot be brought back.

    Raises:
        click.UsageError: nobody can be asked and ``--yes`` was not given.
    """
    if yes:
        return True
    if session.as_json or not interactive():
        raise click.UsageError("Nobody can be asked here: look at 'holdfast case view' and give --yes.")
    say(GOES)
    for shown in found:
        say(f"  #{shown.number} {visible(shown.entity, 120)}, {shown.state}")
    if click.confirm("Erase now?"):
        return True
    say("Nothing was done.")
    return False


def _perform(session: Session, found: Sequence[CaseView], action: act.Action, outcome: str) -> HoldfastError | None:
    """Take the step on each case and say what came of it; returns the first error."""
    from workflow.services.casework import perform_many

    numbers = {shown.id: shown.number for shown in found}
    first: HoldfastError | None = None
    results = []
    with progress_bar("Erasing") as step:
        wanted = [(shown.id, [action]) for shown in found]
        for count, (case_id, done) in enumerate(perform_many(session.app, session.who, wanted), start=1):
            step(count, len(found))
            session.case = str(numbers[case_id])
            if isinstance(done, HoldfastError):
                first = first or done
                results.append({"number": numbers[case_id], "outcome": "refused", **error_data(done, session)})
                if not session.as_json:
                    show_error(done, session)
                continue
            results.append({"number": numbers[case_id], "outcome": outcome})
            if not session.as_json:
                say(f"#{numbers[case_id]}: {outcome}", bold=True)
                if isinstance(action, act.EraseCase):
                    say(f"  waits for a second person: holdfast case erase {numbers[case_id]} --confirm --as NAME")
    if session.as_json:
        as_json({"cases": results})
    return first


def _scrub(session: Session) -> None:
    from workflow.services.erasure import scrub

    left = scrub(session.app)
    hint(left or "No byte of it stays in the database file. Backups and exports of yours may still hold it.")
