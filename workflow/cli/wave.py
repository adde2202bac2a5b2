"""One command over many cases: what will be done is shown and asked, each case has its result, the end is counted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import takewhile
from typing import TYPE_CHECKING, Any, cast

import click

from workflow.cli.files import Spool
from workflow.cli.output import say
from workflow.cli.progress import progress_bar
from workflow.cli.rereading import decide, read_many_again
from workflow.cli.session import Session, interactive
from workflow.cli.steps import report
from workflow.cli.stopping import stoppable
from workflow.cli.tally import Tally
from workflow.cli.text import visible
from workflow.errors import HoldfastError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from workflow.cli.many import Cases
    from workflow.domain.actions import Action, Decision
    from workflow.domain.case import Case
    from workflow.services.casework import Done
    from workflow.services.glance import Glance
    from workflow.services.wave import Chosen, Item, Taken

FEW = 3
"""Cases that a question names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a command does to each of its cases.

    Args:
        title: stands before the progress bar, such as "Approving".
        verb: begins the question, such as "Approve the unblock of".
        make: the actions for one case, or why there are none; the error it raises refuses that case alone.
        decides: whether it is a decision, which is shown first and needs ``--yes`` where nobody can be asked.
        reads: whether it only reads the tenant, to which nobody has to agree where nobody can be asked.
        unblocks: the action's name where the decision stands on the evidence for an unblock.
        check: looks at each case under its lock.
        step: does it to one case after the other instead, as what asks the tenant does.
    """

    title: str
    verb: str
    make: Callable[[Item, Glance], Sequence[Action] | str] = lambda _item, _seen: ()
    decides: bool = False
    reads: bool = False
    unblocks: str = ""
    check: Callable[[Case], None] | None = None
    step: Callable[[Chosen], Done] | None = None


def each(action: Action) -> Callable[[Item, Glance], Sequence[Action]]:
    """Return what does the same to every case."""
    return lambda _item, _seen: (action,)


def act_on(session: Session, cases: Cases, plan: Plan) -> None:
    """Do it to the one case that was named, or to many."""
    if cases.single:
        report(session, once(session, cases.single, plan))
    else:
        over_many(session, cases, plan)


def once(session: Session, reference: str, plan: Plan) -> Done:
    """Do it to one case."""
    from workflow.services import casework, glance
    from workflow.services.wave import Item

    session.case = reference
    case_id = casework.find(session.app, reference)
    seen = glance.glances(session.app, [case_id])[case_id]
    session.case = str(seen.number)
    return casework.perform(session.app, session.who, case_id, *cast("Sequence[Action]", plan.make(Item(), seen)))


def over_many(session: Session, cases: Cases, plan: Plan, items: list[Item] | None = None, **hooks: Any) -> None:
    """Do it to every case that was chosen, once somebody agreed; ``hooks`` go to :func:`carry_out`.

    Raises:
        NotFoundError: as :func:`chosen`.
        click.UsageError: as :func:`agreed`.
    """
    from workflow.services.wave import looked_at

    items = chosen(session, cases) if items is None else items
    if plan.unblocks:
        read_many_again(session, items)
    shown = looked_at(session.app, items) if plan.decides else None
    if shown is not None and not session.as_json:
        session.deciding = True
        show(session, shown, plan)
        session.deciding = False
    if agreed(session, cases, plan, items):
        if shown is not None and plan.unblocks and session.app.provider.acts:
            plan = _on_new_readings(session, plan, shown)
        carry_out(session, items, plan, shown=shown, **hooks)


def _on_new_readings(session: Session, plan: Plan, shown: Mapping[str, Glance]) -> Plan:
    """Take each case's decision right after its readings, because those of a whole wave grow old before its end."""
    from workflow.services.wave import Item

    def step(case: Chosen) -> Done:
        seen = shown[case.id]
        (decision,) = cast("Sequence[Decision]", plan.make(Item(case), seen))
        return decide(session, case.id, replace(decision, seen_version=seen.version, seen_digest=seen.digest))

    return replace(plan, step=step)


def chosen(session: Session, cases: Cases) -> list[Item]:
    """Return the cases that a command is about.

    Raises:
        NotFoundError: there is none.
    """
    items = cases.items(session)
    if not items:
        where = "Standard input names no case" if cases.piped else "No case fits these filters"
        raise NotFoundError(f"{where}, so nothing was done.", next_step="'holdfast case list' takes the same filters.")
    return items


def agreed(session: Session, cases: Cases, plan: Plan, items: Sequence[Item]) -> bool:
    """Ask whether it is to be done to all of these.

    Where nobody can be asked, facts go without asking to cases that were named, and to no other; readings go to any.

    Raises:
        click.UsageError: a decision, or cases that filters chose; nobody can be asked, and ``--yes`` was not given.
    """
    if cases.yes:
        return True
    if session.as_json or cases.piped or not interactive():
        if plan.decides or (cases.filters is not None and not plan.reads):
            raise click.UsageError("Nobody can be asked here: look at 'holdfast case list' and give --yes.")
        return True
    named = [item.case for item in items if item.case is not None and not item.skipped]
    few = ", ".join(f"#{case.number} {visible(case.entity, 60)}" for case in named[:FEW])
    more = ", …" if len(named) > FEW else ""
    if click.confirm(f"{plan.verb} {counted(len(named))}: {few}{more}?"):
        return True
    say("Nothing was done.")
    return False


def carry_out(
    session: Session,
    items: Iterable[Item],
    plan: Plan,
    *,
    shown: dict[str, Glance] | None = None,
    also: Callable[[Taken], None] | None = None,
    finish: Callable[[], Mapping[str, Any]] = dict,
) -> None:
    """Do it, tell what came of each, and leave with the worst of their exit codes.

    Args:
        session: the run.
        items: what to do it to: a list, or a stream of which nobody knows the length.
        plan: what is done.
        shown: the glances that were shown.
        also: is told of each result too.
        finish: is called before the end is told; returns further members of the printed JSON. What it raises is told
            last: what was done to the cases stands.
    """
    from workflow.services import wave

    known = items if isinstance(items, list) else []
    stopped: HoldfastError | KeyboardInterrupt | None = None
    with Spool() as spool:
        tally = Tally(session, shown or {}, spool)
        with progress_bar(plan.title) as step, stoppable() as asked:
            source = takewhile(lambda _: not asked(), items)
            if plan.step is not None:
                results = wave.one_by_one(source, plan.step)
            else:
                results = wave.carry_out(session.app, session.who, source, plan.make, shown=shown, check=plan.check)
            try:
                for number, taken in enumerate(results, start=1):
                    tally.tell(taken)
                    if also is not None:
                        also(taken)
                    step(number, len(known))
            except (HoldfastError, KeyboardInterrupt) as error:
                # Whole transactions stand; what they did is told before why there are no more of them.
                stopped = error
            interrupted = asked()
        tally.rest(known)
        more: Mapping[str, Any] = {}
        try:
            more = finish()
        except HoldfastError as error:
            stopped = stopped or error
        code = tally.close(stopped, interrupted=interrupted, **more)
    click.get_current_context().exit(code)


def counted(number: int) -> str:
    """Return how many cases, in words."""
    return "1 case" if number == 1 else f"{number} cases"


def show(session: Session, shown: Mapping[str, Glance], plan: Plan) -> None:
    """Print what a decision about many cases stands on; what asks for a second look comes first."""
    say(f"{plan.verb} {counted(len(shown))}", bold=True)
    groups: dict[str, list[Glance]] = {heading: [] for heading in _HEADINGS}
    for seen in sorted(shown.values(), key=lambda seen: seen.number):
        groups[_heading(seen, plan.unblocks)].append(seen)
    for heading, members in groups.items():
        if members:
            say(f"  {heading} ({len(members)}):")
        for seen in members:
            say(f"    #{seen.number} {visible(seen.entity, 120)}: {'; '.join(_telling(seen, plan.unblocks))}")
    if plan.unblocks and any(seen.kind != "connector" for seen in shown.values()):
        from workflow.services.unblock import warning

        say(f"Warning: {warning(session.app.now())}", bold=True, colour="yellow")


_HEADINGS = (
    *("Not possible now, will be refused", "Only Microsoft Support helps", "With exceptions"),
    *("Changed since the request", "Open under another tenant's name too"),
    *("Only attested by people", "Checked in the tenant", "Cases"),
)


def _heading(seen: Glance, unblocks: str) -> str:
    if not unblocks:
        return "Cases"
    if not seen.lets(unblocks):
        return "Not possible now, will be refused"
    if seen.support:
        return "Only Microsoft Support helps"
    if seen.exceptions:
        return "With exceptions"
    if seen.changed:
        return "Changed since the request"
    if seen.elsewhere:
        return "Open under another tenant's name too"
    return "Only attested by people" if seen.attested else "Checked in the tenant"


def _telling(seen: Glance, unblocks: str) -> list[str]:
    told = [seen.state.value]
    if unblocks:
        told += ["Microsoft answered the last unblock: contact support"] if seen.support else []
        told += [f"exception {visible(step)}" for step in seen.exceptions]
        told += [f"{seen.changed} changes since the request"] if seen.changed else []
        told += [f"#{number} of tenant {visible(tenant)} is open" for number, tenant in seen.elsewhere]
    return told
