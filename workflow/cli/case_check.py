"""``holdfast case check``: the tenant is read, and answers what it can."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from workflow.cli.many import Many
from workflow.cli.output import say
from workflow.cli.steps import leave_with, report
from workflow.cli.text import visible
from workflow.cli.wave import Plan, agreed, carry_out, chosen
from workflow.errors import ProviderError

if TYPE_CHECKING:
    from workflow.cli.many import Cases
    from workflow.cli.session import Session
    from workflow.services.casework import Done
    from workflow.services.checks import Checked, Examined
    from workflow.services.wave import Chosen


@click.command(cls=Many)
@click.argument("ids", metavar="[ID...]", nargs=-1)
@click.pass_obj
def check(session: Session, cases: Cases, ids: tuple[str, ...]) -> None:
    """Read the tenant and record what holds.

    Without ID: every step of the playbook that Holdfast can check. Nothing is changed in the tenant. What it finds is
    recorded as checked, by Holdfast itself: met, not met, or unable to verify, which is never met. What only a person
    can judge is not met until somebody records it after looking; the very same reading then leaves it alone.

    Where the tenant gave no answer for now, the exit code is 1: what could be read is recorded, the rest is named.
    Where it was not reached at all, nothing is recorded.
    """
    from workflow.services import casework, checks

    if cases.single:
        session.case = cases.single
        case_id = casework.find(session.app, cases.single)
        found = checks.check(session.app, session.who, case_id, ids)
        report(session, found.done, checks=[item.to_data() for item in found.checks], unread=list(found.unread))
        if not session.as_json:
            tell(found.checks)
        leave_with(session, _unread(found))
        return

    def step(case: Chosen) -> Done:
        found = checks.check(session.app, session.who, case.id, ids)
        error = _unread(found)
        if error is not None:
            raise error
        return found.done

    plan = Plan(title="Checking", verb="Check", step=step, reads=True)
    items = chosen(session, cases)
    if agreed(session, cases, plan, items):
        carry_out(session, items, plan)


def _unread(found: Examined) -> ProviderError | None:
    """Return the error to leave with where the tenant gave no answer for now."""
    if not found.unread:
        return None
    return ProviderError(f"{len(found.unread)} of {len(found.checks)} could not be read: {'; '.join(found.unread)}")


def tell(found: tuple[Checked, ...]) -> None:
    """Print what each check found, one to a line."""
    if not found:
        say("There is nothing here that Holdfast can check.")
    for item in found:
        about = f" ({visible(item.about)})" if item.about else ""
        value = f": {visible(item.after)}" if item.after else ""
        say(f"  {item.prerequisite}{about}: {item.result.value}{value}")
        if item.before:
            say(f"    before: {visible(item.before)}")
        if item.note:
            say(f"    note: {visible(item.note)}")
