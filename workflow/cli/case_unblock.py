"""The five decisions about an unblock: request, withdraw, approve, reject, unblock.

Whoever requests, approves or starts one is shown first what the decision stands on, and sends the version and the
evidence digest of exactly that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from workflow.cli.output import hint, say
from workflow.cli.overview import instructions, show_overview
from workflow.cli.session import Session, Verb, interactive
from workflow.cli.steps import look, private, report, take
from workflow.cli.text import visible
from workflow.domain import actions as act
from workflow.domain.vocabulary import Answer

if TYPE_CHECKING:
    from workflow.services.casework import Done
    from workflow.services.unblock import Overview

REASON = click.option("--reason", metavar="TEXT", default="", help="Why.")
YES = click.option("--yes", is_flag=True, help="Do not ask; needed where nobody can be asked.")


def decide(session: Session, shown: Overview, action: act.Decision, question: str, yes: bool) -> Done | None:
    """Show an overview, ask, and send the decision with the picture that was shown.

    A step that the case does not allow is sent without asking: it is refused, and the refusal goes on the ledger.

    Raises:
        click.UsageError: nobody can be asked and ``--yes`` was not given.
    """
    from workflow.services.casework import perform

    asked_for = allowed(shown, action.name)
    if asked_for and not session.as_json:
        show_overview(session, shown, brief=isinstance(action, act.IntendUnblock))
    if asked_for and not yes:
        if session.as_json or not interactive():
            raise click.UsageError("Nobody can be asked here: look at 'holdfast case view' and give --yes.")
        if not click.confirm(question):
            say("Nothing was done.")
            return None
    return perform(session.app, session.who, shown.case.id, action)


def allowed(shown: Overview, name: str) -> bool:
    """Say whether the case, as shown, lets the decision through to the person taking it."""
    case = shown.case
    if name not in case.possible or (case.attempt and case.attempt["open"]):
        return False
    return all(step.held for step in case.prerequisites if step.required and step.phase != "close")


def overview_of(session: Session, case: str) -> Overview:
    """Return what is shown before a decision."""
    from workflow.services.unblock import overview

    found = look(session, case)
    return overview(session.app, found.id)


@click.command("request-unblock", cls=Verb)
@click.argument("case")
@REASON
@YES
@click.pass_obj
def request_unblock(session: Session, case: str, reason: str, yes: bool) -> None:
    """Ask that the entity be unblocked.

    Shows the evidence it stands on, checked or only attested, and what an unblock means today.
    """
    shown = overview_of(session, case)
    action = act.RequestUnblock(seen_version=shown.case.version, seen_digest=shown.case.digest, reason=private(reason))
    done = decide(session, shown, action, "Request the unblock on this evidence?", yes)
    if done is None:
        return
    after = report(session, done, overview=shown.to_data())
    if not session.as_json:
        from workflow.services.people import on_call

        able = on_call(session.app)
        who = f" On call: {visible('; '.join(able))}." if able else ""
        say(f"  next: somebody else approves it: holdfast case approve {after.number} --as NAME{who and '.'}{who}")


@click.command(cls=Verb)
@click.argument("case")
@REASON
@click.pass_obj
def withdraw(session: Session, case: str, reason: str) -> None:
    """Take your own request back; a lead may take back another's.

    Possible until the unblock is started.
    """
    take(session, look(session, case), act.WithdrawRequest(reason=private(reason)))


@click.command(cls=Verb)
@click.argument("case")
@REASON
@YES
@click.pass_obj
def approve(session: Session, case: str, reason: str, yes: bool) -> None:
    """Approve the request, as a second person.

    Shows what the request stands on and what changed since. The approver is neither the requester, nor a user of the
    case, nor anybody whose evidence it stands on.
    """
    shown = overview_of(session, case)
    action = act.ApproveUnblock(seen_version=shown.case.version, seen_digest=shown.case.digest, reason=private(reason))
    done = decide(session, shown, action, "Approve the unblock on this evidence?", yes)
    if done is None:
        return
    after = report(session, done, overview=shown.to_data())
    if not session.as_json:
        lacking = after.approvals_needed - len(after.approvals)
        step = f"{lacking} more to approve" if lacking > 0 else f"holdfast case unblock {after.number}"
        say(f"  next: {step}")


@click.command(cls=Verb)
@click.argument("case")
@REASON
@click.pass_obj
def reject(session: Session, case: str, reason: str) -> None:
    """Turn the request down, or take an approval back.

    Possible until the unblock is started; needs --reason.
    """
    take(session, look(session, case), act.RejectRequest(reason=private(reason)))


@click.command(cls=Verb)
@click.argument("case")
@click.option("--outcome", type=click.Choice([item.value for item in Answer]), help="What Microsoft answered.")
@click.option("--ref", metavar="TEXT", default="", help="Where the answer can be checked.")
@REASON
@YES
@click.pass_obj
def unblock(session: Session, case: str, outcome: str | None, ref: str, reason: str, yes: bool) -> None:
    """Start the approved unblock, or record what Microsoft answered.

    Without --outcome: records that you are about to unblock, then prints the portal page and the command. With it:
    records the answer. The case is released only once the restriction is seen gone ('holdfast case observe').
    """
    if outcome:
        if not ref:
            raise click.UsageError("Say where the answer can be checked, with --ref.")
        found = look(session, case)
        take(session, found, act.RecordAnswer(answer=Answer(outcome), reference=private(ref)))
        if outcome == Answer.DONE and not session.as_json:
            say(f"  next: once it is gone from the list: {_observe(found.number)}")
        return
    shown = overview_of(session, case)
    action = act.IntendUnblock(seen_version=shown.case.version, seen_digest=shown.case.digest, reason=private(reason))
    done = decide(session, shown, action, "Start the unblock now?", yes)
    if done is None:
        return
    report(session, done, instructions=instructions(shown))
    if not session.as_json:
        show_instructions(shown)


def show_instructions(shown: Overview) -> None:
    """Print what to do in the tenant, once the intent is recorded."""
    number = shown.case.number
    say("Do it now:", bold=True)
    say(f"  portal:   {visible(shown.portal)}")
    for line in shown.command.splitlines():
        say(f"  command:  {visible(line)}")
    say(f"  role:     {visible(shown.role)}")
    say(f"  takes:    {visible(shown.propagation)}")
    say(f"  then:     holdfast case unblock {number} --outcome done --ref WHERE")
    say(f"  and:      {_observe(number)}")
    if shown.warning:
        hint(f"Warning: {visible(shown.warning)}")


def _observe(number: int) -> str:
    return f"holdfast case observe {number} --restriction not-listed --ref WHERE"
