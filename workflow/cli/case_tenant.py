"""Looking at a restriction in the connected tenant, and lifting it there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from workflow.cli.exits import Exit
from workflow.cli.many import Many
from workflow.cli.output import hint, say
from workflow.cli.steps import SUPPORT, report
from workflow.cli.text import visible
from workflow.cli.wave import Plan, agreed, carry_out, chosen
from workflow.domain.vocabulary import Answer, State

if TYPE_CHECKING:
    from workflow.cli.many import Cases
    from workflow.cli.session import Session
    from workflow.domain import actions as act
    from workflow.services.casework import Done
    from workflow.services.releasing import Seen
    from workflow.services.wave import Chosen


@click.command("look", cls=Many)
@click.pass_obj
def look_again(session: Session, cases: Cases) -> None:
    """Read the restriction in the tenant now, and record it.

    Also finds out what came of an unblock to which no answer was recorded. A restriction that is gone and that no
    unblock of ours explains is recorded as unblocked outside Holdfast, with whom the tenant's audit log names. Where no
    tenant is connected a person looks: 'holdfast case observe'.
    """
    from workflow.services import casework, releasing

    if cases.single:
        session.case = cases.single
        case_id = casework.find(session.app, cases.single)
        tell(session, releasing.look(session.app, session.who, case_id))
        return

    def step(case: Chosen) -> Done:
        return done(session, releasing.look(session.app, session.who, case.id))

    plan = Plan(title="Looking", verb="Read the restriction of", step=step, reads=True)
    items = chosen(session, cases)
    if agreed(session, cases, plan, items):
        carry_out(session, items, plan)


def unblock_one(session: Session, case_id: str, decision: act.IntendUnblock) -> None:
    """Lift one restriction, say what came of it, and leave with the exit code that says whether it is settled."""
    from workflow.services import releasing

    hint("Reading the tenant, then unblocking …")
    seen = releasing.unblock(session.app, session.who, case_id, decision)
    tell(session, seen)
    click.get_current_context().exit(code(seen))


def unblock_many(session: Session, cases: Cases, decision: act.IntendUnblock) -> None:
    """Lift the restrictions of many cases, each judged by itself and on readings of its own."""
    from workflow.services import releasing
    from workflow.services.wave import looked_at

    items = chosen(session, cases)
    shown = looked_at(session.app, items)

    def step(case: Chosen) -> Done:
        from dataclasses import replace

        sent = replace(decision, seen_digest=shown[case.id].digest)
        return done(session, releasing.unblock(session.app, session.who, case.id, sent))

    plan = Plan(title="Unblocking", verb="Unblock", step=step, decides=True, unblocks="unblock")
    if agreed(session, cases, plan, items):
        carry_out(session, items, plan, shown=shown)


def code(seen: Seen) -> Exit:
    """Return the exit code of an unblock: done, still pending, or failed."""
    if seen.answer is Answer.DONE or seen.case.state is State.RELEASED:
        return Exit.DONE
    return Exit.PENDING if seen.case.open_attempt is not None else Exit.ERROR


def done(session: Session, seen: Seen) -> Done:
    """Return what was seen as the step of a command over many cases."""
    from workflow.services.casework import Done

    return Done(seen.case, [], session.app.warnings)


def tell(session: Session, seen: Seen) -> None:
    """Print what a look or an unblock found."""
    report(session, done(session, seen), tenant=seen.to_data())
    if session.as_json:
        return
    by = f", lifted by {visible(seen.lifted_by)}" if seen.lifted_by else ""
    say(f"  restriction: {seen.status.value}{by} ({visible(seen.reference) or 'not read'})")
    if seen.answer is not None:
        say(f"  Microsoft answered: {seen.answer.value}")
    if seen.said:
        say(f"  {visible(seen.said)}")
    if seen.answer is Answer.SUPPORT:
        say(f"  next: {SUPPORT}.")
    elif seen.case.open_attempt is not None:
        say(f"  next: it takes up to an hour, at most 24 hours: holdfast case look {seen.case.number}")
