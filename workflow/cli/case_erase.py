"""Erasing what is personal about ended cases: one person proposes, another confirms, and then it is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from workflow.cli.case_open import one_of, second
from workflow.cli.exits import exit_of
from workflow.cli.many import Cases, Many
from workflow.cli.output import as_json, hint, say, warn
from workflow.cli.refusals import error_data, show_error
from workflow.cli.session import Session, interactive
from workflow.cli.steps import look
from workflow.cli.text import visible
from workflow.cli.wave import Plan, over_many
from workflow.domain import actions as act
from workflow.domain.erasure import PROPOSAL
from workflow.domain.private import private
from workflow.errors import HoldfastError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workflow.services.glance import Glance
    from workflow.services.shapes import CaseView
    from workflow.services.wave import Item

GOES = (
    "Names, addresses, texts, references and files of these cases go for good. What was done, by whom and when stays, "
    "with the reasons of exceptions, dismissals, playbook moves and of this erasure."
)


@click.command(cls=Many, several=True)
@click.option("--reason", metavar="TEXT", default="", help="Why. It stays: name nobody in it.")
@click.option("--confirm", is_flag=True, help="Agree to the erasure, as a second person; also finishes a pending one.")
@click.option("--refuse", is_flag=True, help="Turn it down.")
@click.pass_context
def erase(ctx: click.Context, cases: Cases, reason: str, confirm: bool, refuse: bool) -> None:
    """Erase names, texts and files of ended cases.

    It takes two people, and is refused while the mailbox or user has an open case, and for the time that ended cases
    are kept for audits (setting 'retention'). Every proof on the ledger stays valid. Who acted is never erased.
    Filters leave only open cases without --state or --all.
    """
    session: Session = ctx.obj
    one_of(confirm=confirm, refuse=refuse)
    action = second(PROPOSAL, confirm, reason) if confirm or refuse else act.EraseCase(reason=private(reason))
    if not cases.single:
        verb = "Erase" if confirm else "Turn down the erasure of" if refuse else "Propose the erasure of"
        if confirm and not cases.yes and not session.as_json:
            say(GOES)
        _over_many(session, cases, Plan(title="Erasing", verb=verb, make=_not_again(action), decides=confirm))
        return
    shown = look(session, cases.single)
    if confirm and not _agreed(session, shown, cases.yes):
        return
    # An erased case takes no step any more; confirming it again only finishes what a reader had delayed.
    error = None if confirm and shown.erased_at else _perform(session, shown, action)
    if confirm and error is None:
        _scrub(session)
    if error is not None:
        ctx.exit(exit_of(error))


def _not_again(action: act.Action) -> Any:
    def make(_item: Item, seen: Glance) -> Sequence[act.Action] | str:
        return "It is erased already." if seen.erased else (action,)

    return make


def _over_many(session: Session, cases: Cases, plan: Plan) -> None:
    def finish() -> Mapping[str, Any]:
        _scrub(session)
        return {}

    over_many(session, cases, plan, finish=finish if plan.decides else dict)


def _agreed(session: Session, shown: CaseView, yes: bool) -> bool:
    """Ask; what goes cannot be brought back.

    Raises:
        click.UsageError: nobody can be asked and ``--yes`` was not given.
    """
    if yes:
        return True
    if session.as_json or not interactive():
        raise click.UsageError("Nobody can be asked here: look at 'holdfast case view' and give --yes.")
    say(GOES)
    say(f"  #{shown.number} {visible(shown.entity, 120)}, {shown.state}")
    if click.confirm("Erase now?"):
        return True
    say("Nothing was done.")
    return False


def _perform(session: Session, shown: CaseView, action: act.Action) -> HoldfastError | None:
    """Take the step and say what came of it; returns the error that refused it."""
    from workflow.services.casework import perform

    number = shown.number
    try:
        perform(session.app, session.who, shown.id, action)
    except HoldfastError as error:
        if session.as_json:
            as_json({"cases": [{"number": number, "outcome": "refused", **error_data(error, session)}]})
        else:
            show_error(error, session)
        return error
    proposed = isinstance(action, act.EraseCase)
    refused = isinstance(action, act.RefuseProposal)
    outcome = "erasure proposed" if proposed else "erasure refused" if refused else "erased"
    if session.as_json:
        as_json({"cases": [{"number": number, "outcome": outcome}]})
    else:
        say(f"#{number}: {outcome}", bold=True)
        if proposed:
            say(f"  waits for a second person: holdfast case erase {number} --confirm --as NAME")
    warn(session.app.warnings)
    return None


def _scrub(session: Session) -> None:
    from workflow.services.erasure import scrub

    left = scrub(session.app)
    hint(left or "No byte of it stays in the database file. Backups and exports of yours may still hold it.")
