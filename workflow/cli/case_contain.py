"""``holdfast case contain`` and ``restore``: the tenant is changed, and what was removed is settled."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING, Any

import click

from workflow.cli.exits import Exit, exit_of, worst
from workflow.cli.many import Many, compact
from workflow.cli.output import as_json, hint, say
from workflow.cli.refusals import error_data
from workflow.cli.session import Session, Verb, interactive
from workflow.cli.steps import leave_with, report
from workflow.cli.text import visible
from workflow.cli.wave import Plan, agreed, carry_out, chosen
from workflow.domain.vocabulary import Made
from workflow.errors import HoldfastError, OutcomeUnknownError, ProviderError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from workflow.cli.many import Cases
    from workflow.services import containment, restore_list
    from workflow.services.casework import Done
    from workflow.services.wave import Chosen, Item


@click.command(cls=Many)
@click.argument("ids", metavar="[ID...]", nargs=-1)
@click.option("--dry-run", is_flag=True, help="Say what would be changed, and change nothing.")
@click.option("--passwords", is_flag=True, help="Print new passwords where they are not shown by themselves.")
@click.pass_obj
def contain(session: Session, cases: Cases, ids: tuple[str, ...], dry_run: bool, passwords: bool) -> None:
    """Shut the attacker out of the account.

    In Microsoft's order: keep a snapshot, block sign-in, set a new password, revoke sessions; then whatever ID names,
    and forwarding and harmful inbox rules in any case. Sign-in methods, applications' access, roles and delegates are
    taken away only where their step is named. Each change is recorded before and after, and what is not needed is not
    done. What was removed is settled before the case closes ('holdfast case restore'). What could not be looked at is
    named, and the exit code is then 1.

    A new password is printed once, for one case at a terminal; it is stored nowhere. Otherwise it is printed only with
    --passwords, and of many cases never as JSON.
    """
    if cases.single:
        _one(session, cases, ids, dry_run=dry_run, passwords=passwords)
        return
    items = chosen(session, cases)
    if dry_run:
        _tell_plans(session, items, ids)
        return

    def step(case: Chosen) -> Done:
        return _contain(session, case.id, ids, passwords=passwords)

    plan = Plan(title="Containing", verb="Contain the accounts of", step=step, decides=True)
    if agreed(session, cases, plan, items):
        carry_out(session, items, plan)


def _one(session: Session, cases: Cases, ids: tuple[str, ...], *, dry_run: bool, passwords: bool) -> None:
    from workflow.services import casework, checks, containment

    session.case = cases.single
    case_id = casework.find(session.app, cases.single)
    if dry_run or not cases.yes:
        found = containment.plan(session.app, session.who, case_id, ids)
        if session.as_json and dry_run:
            as_json({"plan": [step.to_data() for step in found.steps], "unread": list(found.unread)})
        elif not session.as_json:
            show_plan(found)
        if dry_run:
            _end_trial(session, [found.subject.case.number] if found.steps else [], ids)
        if dry_run or not _agreed(session, found):
            click.get_current_context().exit(Exit.ERROR if found.unread else Exit.DONE)
    unread: list[str] = []
    steps = containment.contain(session.app, session.who, case_id, ids, unread=unread)
    made: list[containment.Changed] = []
    try:
        made.extend(_told(session, steps, single=True, all_=passwords))
    except HoldfastError as error:
        if not session.as_json or not made:
            raise
        # What was changed, and a password that nobody could find out again, is told all the same.
        as_json({"changes": _data(made, passwords=passwords), "unread": unread, **error_data(error, session)})
        click.get_current_context().exit(exit_of(error))
    case = checks.read_subject(session.app, case_id).case
    report(
        session, casework.Done(case, [], session.app.warnings), changes=_data(made, passwords=passwords), unread=unread
    )
    if not session.as_json:
        _tell_unread(unread)
    leave_with(session, _unsettled(made, unread))


def _agreed(session: Session, found: containment.Plan) -> bool:
    if session.as_json or not interactive():
        raise click.UsageError("Nobody can be asked here: look at it with --dry-run and give --yes.")
    if not found.steps:
        return False
    if click.confirm("Make these changes in the tenant now?"):
        return True
    say("Nothing was done.")
    return False


def show_plan(found: containment.Plan) -> None:
    """Print what would be changed, one to a line; that nothing is to be changed is said only where it is known."""
    if not found.steps and found.unread:
        say("Holdfast could not look, so it is not known what it would change.")
    elif not found.steps:
        say("There is nothing that Holdfast would change.")
    for step in found.steps:
        say(f"  {step.prerequisite}: {visible(step.account)}: {visible(step.what)}")
    _tell_unread(found.unread)


def _tell_unread(unread: Iterable[str]) -> None:
    for text in unread:
        hint(f"Could not be looked at: {visible(text)}")


def _end_trial(session: Session, numbers: list[int], ids: tuple[str, ...]) -> None:
    """Say that nothing was changed, and the command that changes what was shown."""
    if numbers and not session.as_json:
        command = shlex.join(["holdfast", "case", "contain", compact(numbers), *ids, "--yes"])
        say(f"Nothing was changed. To do it: {visible(command)}")


def _tell_plans(session: Session, items: Iterable[Item], ids: tuple[str, ...]) -> None:
    """Print what would be changed for each of many cases; what refuses one is told beside it, and is the exit code."""
    from workflow.cli.tally import about
    from workflow.services import containment

    told: list[dict[str, Any]] = []
    codes, numbers = [Exit.DONE], []
    for item in items:
        told.append({**about(item), "message": "", "plan": [], "unread": []})
        if item.case is None or item.skipped:
            told[-1]["message"] = str(item.refused or item.skipped)
            codes += [exit_of(item.refused)] if item.refused else []
            continue
        try:
            found = containment.plan(session.app, session.who, item.case.id, ids)
        except HoldfastError as error:
            told[-1]["message"] = str(error)
            codes.append(exit_of(error))
            continue
        codes += [Exit.ERROR] if found.unread else []
        numbers += [item.case.number] if found.steps else []
        told[-1] |= {"plan": [step.to_data() for step in found.steps], "unread": list(found.unread)}
        if not session.as_json:
            say(f"#{item.case.number} {visible(item.case.entity, 120)}", bold=True)
            show_plan(found)
    if session.as_json:
        as_json({"plans": told})
    for line in () if session.as_json else told:
        if line["message"]:
            which = line["where"] if line["number"] is None else f"#{line['number']}"
            say(f"{visible(which)}: {visible(line['message'], 400)}", colour="red")
    _end_trial(session, numbers, ids)
    click.get_current_context().exit(worst(codes))


def _contain(session: Session, case_id: str, ids: tuple[str, ...], *, passwords: bool) -> Done:
    from workflow.services import casework, checks, containment

    unread: list[str] = []
    steps = containment.contain(session.app, session.who, case_id, ids, unread=unread)
    error = _unsettled(list(_told(session, steps, single=False, all_=passwords)), unread)
    if error is not None:
        raise error
    return casework.Done(checks.read_subject(session.app, case_id).case, [], session.app.warnings)


def _told(
    session: Session, steps: Iterable[containment.Changed], *, single: bool, all_: bool
) -> Iterable[containment.Changed]:
    """Tell each change as soon as it is made, and hand its password over: whoever waits longer could lose it."""
    for item in steps:
        if not session.as_json:
            word = "unknown" if item.made is None else item.made.value
            about = f": {visible(item.said, 400)}" if item.said else ""
            say(f"  {visible(item.planned.account)}: {visible(item.planned.what)}: {word}{about}")
            if item.secret is not None:
                _hand_over(item.secret.text, shown=all_ or (single and sys.stdout.isatty()))
        yield item


def _hand_over(password: str, *, shown: bool) -> None:
    if shown:
        say(f"    new password, shown this once: {password}")
        say("    Tell it to the person by voice, never to the restricted mailbox.")
    else:
        say("    The new password was not shown and is stored nowhere; --passwords shows it.")


def _data(made: Iterable[containment.Changed], *, passwords: bool) -> list[dict[str, Any]]:
    return [
        item.to_data() | ({"password": item.secret.text} if passwords and item.secret is not None else {})
        for item in made
    ]


def _unsettled(made: list[containment.Changed], unread: Sequence[str] = ()) -> HoldfastError | None:
    """Return the error to leave with where a change failed, something was not read, or nobody knows what came of it."""
    failed = [item for item in made if item.made in {Made.FAILED, Made.UNSEEN}]
    unknown = [item for item in made if item.made is None]
    if failed:
        said = f" ({failed[0].said})" if failed[0].said else ""
        return ProviderError(f"{len(failed)} of {len(made)} changes failed{said}. Repeat the command for what is left.")
    if unknown:
        return OutcomeUnknownError(
            f"Nobody knows what came of {len(unknown)} of {len(made)} changes: repeat the command in a few minutes, "
            "which finds out by reading."
        )
    if unread:
        nothing = "" if made else ", and nothing was changed"
        message = f"{len(unread)} could not be looked at{nothing}. Repeat the command for what is left. {unread[0]}"
        return ProviderError(message)
    return None


@click.command(cls=Verb)
@click.argument("case")
@click.argument("entries", metavar="[ENTRY...]", nargs=-1, type=int)
@click.option("--restore", "back", is_flag=True, help="Give it back, in the tenant.")
@click.option("--leave", is_flag=True, help="Leave it out on purpose.")
@click.option("--reason", metavar="TEXT", default="", help="Why.")
@click.option("--ref", metavar="TEXT", default="", help="With --restore: it was done by hand, and where that shows.")
@click.pass_obj
def restore(
    session: Session, case: str, entries: tuple[int, ...], back: bool, leave: bool, reason: str, ref: str
) -> None:
    """Restore, or deliberately leave out, what containment removed.

    Without ENTRY: the list of what was removed, each with the number of its entry. Every line is settled before the
    case closes, with a reason. Sign-in methods and applications' access are given back by the person alone: record it
    with --ref.
    """
    from workflow.services import casework, checks, restore_list

    session.case = case
    case_id = casework.find(session.app, case)
    if not entries:
        if back or leave:
            raise click.UsageError("Say which entries; 'holdfast case restore CASE' lists them.")
        _list(session, restore_list.removed(session.app, case_id))
        return
    if back == leave:
        raise click.UsageError("Choose one: --restore or --leave.")
    made = []
    for entry in entries:
        if leave:
            made.append(restore_list.leave(session.app, session.who, case_id, entry, reason))
        else:
            made.append(restore_list.restore(session.app, session.who, case_id, entry, reason, ref))
    told = list(_told(session, made, single=True, all_=False))
    done = casework.Done(checks.read_subject(session.app, case_id).case, [], session.app.warnings)
    report(session, done, brief=True, changes=[item.to_data() for item in told])
    leave_with(session, _unsettled(made))


def _list(session: Session, found: list[restore_list.Removed]) -> None:
    if session.as_json:
        as_json({"removed": [item.to_data() for item in found]})
        return
    if not found:
        say("Containment removed nothing in this case.")
    for item in found:
        ending = item.ending or ("owed" if item.by_call else "owed, by hand")
        say(f"  {item.entry}: {visible(item.account)}: {visible(item.what)}: {ending}")
