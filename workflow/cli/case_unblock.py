"""The five decisions about an unblock: request, withdraw, approve, reject, unblock.

Whoever requests, approves or starts one is shown first what the decision stands on, and sends the version and the
evidence digest of exactly that.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from workflow.cli.case_page import review_command
from workflow.cli.case_tenant import unblock_many, unblock_one
from workflow.cli.many import Cases, Many
from workflow.cli.output import hint, say
from workflow.cli.overview import instructions, show_overview
from workflow.cli.paths import FILE, STREAM
from workflow.cli.refusals import named
from workflow.cli.rereading import connected, read_again
from workflow.cli.rereading import decide as take
from workflow.cli.session import Session, interactive
from workflow.cli.steps import look, report
from workflow.cli.text import visible
from workflow.cli.unblock_many import approve_many, record_outcomes, write_script
from workflow.cli.wave import Plan, act_on, each, over_many
from workflow.domain import actions as act
from workflow.domain.private import private
from workflow.domain.vocabulary import Answer

if TYPE_CHECKING:
    from workflow.services.casework import Done
    from workflow.services.unblock import Overview

REASON = click.option("--reason", metavar="TEXT", default="", help="Why.")


def decide(session: Session, shown: Overview, action: act.Decision, question: str, yes: bool) -> Done | None:
    """Show an overview, ask, and send the decision with the picture that was shown.

    A step that the case does not allow is sent without asking: it is refused, and the refusal goes on the ledger.

    Raises:
        click.UsageError: nobody can be asked and ``--yes`` was not given.
    """
    if not agreed(session, shown, action, question, yes):
        return None
    seen = replace(action, seen_version=shown.case.version, seen_digest=shown.case.digest)
    return take(session, shown.case.id, seen)


def agreed(session: Session, shown: Overview, action: act.Decision, question: str, yes: bool) -> bool:
    """Show an overview and ask; what the case does not allow is neither shown nor asked about.

    Raises:
        click.UsageError: nobody can be asked and ``--yes`` was not given.
    """
    asked_for = allowed(shown, action.name)
    if asked_for and not session.as_json:
        session.deciding = True
        show_overview(session, shown, brief=isinstance(action, act.IntendUnblock))
        session.deciding = False
    if asked_for and not yes:
        if session.as_json or not interactive():
            raise click.UsageError("Nobody can be asked here: look at 'holdfast case view' and give --yes.")
        if not click.confirm(question):
            say("Nothing was done.")
            return False
    return True


def allowed(shown: Overview, name: str) -> bool:
    """Say whether the case, as shown, lets the decision through to the person taking it."""
    case = shown.case
    if name not in case.possible or (case.attempt and case.attempt["open"]):
        return False
    return all(step.held for step in case.prerequisites if step.required and step.phase != "close")


def approvers(session: Session, case_id: str) -> str:
    """Return who can approve the case's request, or what helps where nobody can; "" where nobody is listed."""
    from workflow.services.deputies import of_approval

    return named(of_approval(session.app, case_id))


def overview_of(session: Session, case: str) -> Overview:
    """Return what is shown before a decision, read again where the tenant is connected."""
    from workflow.services.unblock import overview

    found = look(session, case)
    read_again(session, found.id)
    return overview(session.app, found.id)


@click.command("request-unblock", cls=Many, several=True)
@REASON
@click.pass_obj
def request_unblock(session: Session, cases: Cases, reason: str) -> None:
    """Ask that the entity be unblocked.

    Shows the evidence it stands on, checked or only attested, and what an unblock means today.
    """
    action = act.RequestUnblock(reason=private(reason))
    if not cases.single:
        verb = "Request the unblock of"
        over_many(
            session, cases, Plan(title="Requesting", verb=verb, make=each(action), decides=True, unblocks=action.name)
        )
        return
    shown = overview_of(session, cases.single)
    done = decide(session, shown, action, "Request the unblock on this evidence?", cases.yes)
    if done is None:
        return
    after = report(session, done, overview=shown.to_data())
    if not session.as_json:
        say(f"  next: somebody else approves it: holdfast case approve {after.number} --as NAME")
        if able := approvers(session, done.case.id):
            say(f"  who can: {able}")


@click.command(cls=Many, several=True)
@REASON
@click.pass_obj
def withdraw(session: Session, cases: Cases, reason: str) -> None:
    """Take your own request back; a lead may take back another's.

    Possible until the unblock is started.
    """
    action = act.WithdrawRequest(reason=private(reason))
    act_on(session, cases, Plan(title="Withdrawing", verb="Withdraw the request of", make=each(action), decides=True))


@click.command(cls=Many, several=True)
@click.option("--break-glass", is_flag=True, help="Stand in for a second person; needs --reason and the setting.")
@REASON
@click.pass_obj
def approve(session: Session, cases: Cases, break_glass: bool, reason: str) -> None:
    """Approve the request, as a second person.

    Shows what the request stands on and what changed since. The approver is neither the requester, nor a user of the
    case, nor anybody whose evidence it stands on. Of many cases, those with exceptions, with changes or with nothing
    but people's word are shown first, and each approval says that it was one of so many.

    With --break-glass, where nobody else can be had: stands in for the second person and for nothing else, where the
    setting break_glass and the playbook let it, and somebody else reviews it before the case closes.
    """
    if not cases.single:
        if break_glass:
            raise click.UsageError("The glass is broken for one case at a time: name one.")
        approve_many(session, cases, reason)
        return
    shown = overview_of(session, cases.single)
    action = act.ApproveUnblock(reason=private(reason), break_glass=break_glass)
    alone = "Break the glass: approve the unblock without a second person?"
    done = decide(session, shown, action, alone if break_glass else "Approve the unblock on this evidence?", cases.yes)
    if done is None:
        return
    after = report(session, done, overview=shown.to_data())
    if not session.as_json:
        lacking = after.approvals_needed - len(after.approvals)
        step = f"{lacking} more to approve" if lacking > 0 else f"holdfast case unblock {after.number}"
        say(f"  next: {step}")
        if break_glass:
            say(f"  before the case closes, somebody else reviews it: {review_command(after.number)}")


@click.command(cls=Many, several=True)
@REASON
@click.pass_obj
def reject(session: Session, cases: Cases, reason: str) -> None:
    """Turn the request down, or take an approval back.

    Possible until the unblock is started; needs --reason.
    """
    action = act.RejectRequest(reason=private(reason))
    act_on(session, cases, Plan(title="Rejecting", verb="Reject the request of", make=each(action), decides=True))


@click.command(cls=Many, several=True, instead=("outcomes",))
@click.option("--outcome", type=click.Choice([item.value for item in Answer]), help="What Microsoft answered.")
@click.option("--ref", metavar="TEXT", default="", help="Where the answer can be checked.")
@REASON
@click.option("--manual", is_flag=True, help="Say what to do by hand, though a tenant is connected.")
@click.option("--script", metavar="FILE", type=FILE, help="Write the commands as a script.")
@click.option("--force", is_flag=True, help="Let --script write over a file.")
@click.option(
    "--outcomes", metavar="FILE", type=STREAM, help="Record what that script wrote down; - for standard input."
)
@click.pass_obj
def unblock(
    session: Session,
    /,
    *,
    cases: Cases,
    outcome: str | None,
    ref: str,
    reason: str,
    manual: bool,
    script: Path | None,
    force: bool,
    outcomes: str | None,
) -> None:
    """Start the approved unblock, or record what Microsoft answered.

    With a connected tenant: reads everything again, records the intent, unblocks once, and reads again. Without one, or
    with --manual: records that you are about to unblock, then prints the portal page and the command; --outcome then
    records the answer. The case is released only once the restriction is seen gone ('holdfast case look', or
    'holdfast case observe').

    Of many cases --script writes the commands into one PowerShell file, which writes its results into a CSV file beside
    it; --outcomes records those. Both can be repeated.
    """
    if sum(map(bool, (outcome, script, outcomes))) > 1:
        raise click.UsageError("--outcome, --script and --outcomes contradict each other: choose one.")
    if outcomes:
        record_outcomes(session, outcomes, ref)
    elif outcome:
        answer(session, cases, outcome, ref)
    elif script:
        write_script(session, cases, script, reason, force=force)
    elif cases.single:
        start(session, cases, reason, manual=manual)
    elif session.app.provider.acts and not manual:
        unblock_many(session, cases, act.IntendUnblock(reason=private(reason)))
    else:
        raise click.UsageError("Say with --script FILE where the commands for many cases are to be written.")


def answer(session: Session, cases: Cases, outcome: str, ref: str) -> None:
    """Record what Microsoft answered."""
    if not ref:
        raise click.UsageError("Say where the answer can be checked, with --ref.")
    action = act.RecordAnswer(answer=Answer(outcome), reference=private(ref))
    plan = Plan(title="Recording", verb=f"Record the answer {outcome!r} of Microsoft in", make=each(action))
    act_on(session, cases, plan)
    if outcome == Answer.DONE and not session.as_json:
        say(f"  next: once it is gone from the list: {_observe(session.case)}")


def start(session: Session, cases: Cases, reason: str, *, manual: bool) -> None:
    """Unblock one entity, or record the intent and say what to do."""
    shown = overview_of(session, cases.single)
    action = act.IntendUnblock(reason=private(reason))
    if connected(session, shown.case.id) and not manual:
        if agreed(session, shown, action, "Unblock it in the tenant now?", cases.yes):
            unblock_one(session, shown.case.id, replace(action, seen_digest=shown.case.digest))
        return
    done = decide(session, shown, action, "Start the unblock now?", cases.yes)
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
    say(f"  and:      {_observe(str(number))}")
    if shown.warning:
        hint(f"Warning: {visible(shown.warning)}")


def _observe(case: str) -> str:
    return f"holdfast case observe {case} --restriction not-listed --ref WHERE"
