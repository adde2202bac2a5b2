"""Readings of the restriction, and the ends of a case: observe, close, dismiss, reopen."""

from __future__ import annotations

import click

from workflow.cli.case_open import one_of, second
from workflow.cli.many import Cases, Many
from workflow.cli.session import Session
from workflow.cli.wave import Plan, act_on, each
from workflow.domain import actions as act
from workflow.domain.private import private
from workflow.domain.vocabulary import Resolution, RestrictionStatus, Verdict

REASON = click.option("--reason", metavar="TEXT", default="", help="Why.")


@click.command(cls=Many, several=True)
@click.option(
    "--restriction",
    "status",
    required=True,
    type=click.Choice([item.value for item in RestrictionStatus]),
    help="What the portal, or the cmdlet, shows.",
)
@click.option("--ref", metavar="TEXT", required=True, help="Where you saw it.")
@click.option("--at", metavar="TIME", help="When you saw it; now by default.")
@click.option("--lifted-by", metavar="NAME", default="", help="Who lifted it, according to the audit log.")
@click.option("--lifted-at", metavar="TIME", help="When, according to the audit log.")
@click.pass_obj
def observe(
    session: Session, cases: Cases, status: str, ref: str, at: str | None, lifted_by: str, lifted_at: str | None
) -> None:
    """Record a reading of the restriction.

    Only an absence that was seen after an approved unblock makes a case released.
    """
    action = act.ObserveRestriction(
        status=RestrictionStatus(status),
        observed_at=session.time(at) if at else session.app.now(),
        reference=private(ref),
        lifted_by=private(lifted_by),
        lifted_at=session.time(lifted_at) if lifted_at else None,
    )
    verb = f"Record that the restriction is {status} in"
    act_on(session, cases, Plan(title="Recording", verb=verb, make=each(action)))


@click.command(cls=Many, several=True)
@click.option(
    "--result", required=True, type=click.Choice([item.value for item in Verdict]), help="What you found about it."
)
@click.option("--reason", metavar="TEXT", required=True, help="Why.")
@click.pass_obj
def review(session: Session, cases: Cases, result: str, reason: str) -> None:
    """Review an approval that broke the glass.

    By an approver or a lead who did not give it, before the case closes. It covers every such approval of the case.
    """
    action = act.ReviewApproval(verdict=Verdict(result), reason=private(reason))
    verb = "Review the broken glass of"
    act_on(session, cases, Plan(title="Reviewing", verb=verb, make=each(action), decides=True))


@click.command(cls=Many, several=True)
@click.option("--resolution", type=click.Choice([item.value for item in Resolution]), help="How it ended.")
@REASON
@click.pass_obj
def close(session: Session, cases: Cases, resolution: str | None, reason: str) -> None:
    """End the case.

    After its watch, or once the restriction ended by itself and the work is complete. '--resolution not_unblocked'
    leaves the entity restricted for good.
    """
    chosen = Resolution(resolution) if resolution else None
    action = act.CloseCase(resolution=chosen, reason=private(reason))
    act_on(session, cases, Plan(title="Closing", verb="Close", make=each(action), decides=True))


@click.command(cls=Many, several=True)
@click.option(
    "--resolution",
    type=click.Choice(["duplicate", "false_positive", "expected_activity"]),
    help="Why nothing is to be done.",
)
@REASON
@click.option("--of", "other", metavar="CASE", help="The case that this one duplicates.")
@click.option("--confirm", is_flag=True, help="Agree to the dismissal, as a second person.")
@click.option("--refuse", is_flag=True, help="Turn it down.")
@click.pass_obj
def dismiss(
    session: Session, cases: Cases, resolution: str | None, reason: str, other: str | None, confirm: bool, refuse: bool
) -> None:
    """Propose or confirm a dismissal.

    Only for a duplicate, or where there is no compromise and the restriction is seen gone. It needs two people.
    """
    from workflow.services.casework import find

    one_of(confirm=confirm, refuse=refuse)
    if bool(resolution) == (confirm or refuse):
        raise click.UsageError("Give --resolution to propose a dismissal, or --confirm or --refuse for a proposed one.")
    action = second("dismissal", confirm, reason)
    verb = "Confirm the dismissal of" if confirm else "Refuse the dismissal of"
    if resolution is not None:
        duplicate_of = find(session.app, other) if other else ""
        action = act.DismissCase(resolution=Resolution(resolution), duplicate_of=duplicate_of, reason=private(reason))
        verb = "Propose the dismissal of"
    act_on(session, cases, Plan(title="Dismissing", verb=verb, make=each(action), decides=True))


@click.command(cls=Many, several=True)
@REASON
@click.pass_obj
def reopen(session: Session, cases: Cases, reason: str) -> None:
    """Open an ended case again.

    It begins its next recurrence: earlier evidence and approvals do not count.
    """
    action = act.ReopenCase(reason=private(reason))
    act_on(session, cases, Plan(title="Reopening", verb="Reopen", make=each(action), decides=True))
