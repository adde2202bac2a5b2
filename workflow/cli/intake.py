"""``holdfast import``: files of Microsoft's tools become cases."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from workflow.cli.exits import Exit
from workflow.cli.files import Spool, could_not_be_opened, counted, in_file, items_of, opened
from workflow.cli.output import hint, say, table
from workflow.cli.places import folded
from workflow.cli.progress import progress_bar
from workflow.cli.refusals import show_error
from workflow.cli.session import Session, Verb
from workflow.cli.text import visible
from workflow.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import BinaryIO

    from workflow.cli.intake_list import Found
    from workflow.services.intake import Taken
    from workflow.sources import ReadOptions

    Step = Callable[[int, int], None]
    Taking = Callable[[Step], Iterator[Taken]]

ORDER = (
    *("opened", "reopened", "came-back", "observed", "seen", "known", "skipped", "broken"),
    *("released", "expired", "unblocked-outside", "left", "incomplete"),
)
FAULTS = frozenset({"broken", "incomplete"})


class Import(Verb):
    """A command whose help ends with the one-liners that produce each kind of file."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write how each file is made, unwrapped, so that it can be pasted."""
        del ctx
        from workflow.sources import ONE_LINERS

        formatter.write_paragraph()
        formatter.write("How each kind of file is made (PowerShell, connected to Exchange Online or Graph):\n\n")
        for shape, line in ONE_LINERS.items():
            formatter.write(f"  {shape}:\n    {line}\n")


@click.command("import", cls=Import)
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--tenant", metavar="NAME", default="", callback=folded, help="The tenant these files are from.")
@click.option("--date-order", type=click.Choice(["dmy", "mdy", "ymd"]), help="How numeric dates are written.")
@click.option(
    "--timezone", metavar="ZONE", help="Zone of times written without one, such as Europe/Berlin; UTC unless given."
)
@click.option("--quiet", is_flag=True, help="Only the summary and what is broken.")
@click.option("--complete", is_flag=True, help="Each FILE is the whole list of its kind: what it lacks is gone.")
@click.option("--taken-at", metavar="TIME", help="With --complete: when the list was taken.")
@click.option(
    "--kind",
    type=click.Choice(["mailbox", "connector"]),
    help="With --complete: of what an empty FILE is the list.",
)
@click.pass_context
def import_(
    ctx: click.Context,
    /,
    *,
    files: tuple[str, ...],
    tenant: str,
    date_order: str | None,
    timezone: str | None,
    quiet: bool,
    complete: bool,
    taken_at: str | None,
    kind: str | None,
) -> None:
    """Import restrictions from what Microsoft's tools export.

    FILE is told by its content; - reads standard input. Importing a file again, or an older one, opens and reopens
    nothing. Every item stands for itself: a broken one is reported with its place and the others are taken in; the
    exit code is then 1.

    With --complete and --taken-at a FILE names everything of its kind that was restricted then. An open case that it
    does not name is observed as not listed; the summary is the week's work. Nothing is observed as gone when a row
    could not be read.
    """
    if not complete and (taken_at or kind):
        raise click.UsageError("--taken-at and --kind go with --complete.")
    if complete and not taken_at:
        raise click.UsageError("Say with --taken-at when the list was taken: what it does not name was gone then.")
    session: Session = ctx.obj
    options = _options(session, tenant, date_order, timezone)
    with ExitStack() as stack:
        takings: dict[str, Taking] = {name: partial(_take, session, name, options) for name in files}
        if taken_at:
            from workflow.cli.intake_list import whole_lists

            streams = {name: stack.enter_context(opened(name)) for name in dict.fromkeys(files)}
            lists = whole_lists(streams, options, kind, session.time(taken_at))
            takings = {name: partial(_take_list, session, streams[name], one, options) for name, one in lists.items()}
        counts, unopened = _report(session, takings, quiet=quiet)
    if not session.as_json:
        _summary(counts, complete=complete)
    if faults := sum(counts[name] for name in FAULTS):
        ctx.exit(Exit.USAGE if faults == unopened else Exit.ERROR)


def _report(session: Session, takings: Mapping[str, Taking], *, quiet: bool) -> tuple[Counter[str], int]:
    """Take the files in, say what became of each item; return how often each came about, and files not opened."""
    counts: Counter[str] = Counter()
    unopened, failed = 0, False
    with progress_bar("Importing") as step, Spool() as kept:
        for name, taking in takings.items():
            try:
                for taken in taking(step):
                    counts[taken.outcome] += 1
                    if session.as_json:
                        kept.keep({"file": name, **taken.to_data()})
                    else:
                        tell_item(session, name, taken, quiet=quiet)
            except InputError as error:
                failed = True
                unopened += could_not_be_opened(error)
                counts["broken"] += 1
                if session.as_json:
                    kept.keep({"file": name, "outcome": "broken", "why": str(error)})
                else:
                    show_error(in_file(error, name), session)
        if session.as_json:
            kept.print({"counts": counts_data(counts), "failed": failed})
    return counts, unopened


def _options(session: Session, tenant: str, date_order: str | None, timezone: str | None) -> ReadOptions:
    from datetime import UTC

    from workflow.sources import ReadOptions, zone

    order: Any = date_order or session.settings.date_order or None
    return ReadOptions(timezone=zone(timezone) if timezone else UTC, date_order=order, tenant=tenant)


def _take(session: Session, name: str, options: ReadOptions, step: Step) -> Iterator[Taken]:
    from workflow.services.intake import take_in

    with items_of(name, options, step) as items:
        yield from take_in(session.app, session.who, items, options.tenant)


def _take_list(
    session: Session, stream: tuple[BinaryIO, int], found: Found, options: ReadOptions, step: Step
) -> Iterator[Taken]:
    from workflow.services.listing import take_list

    items = counted(found.items, *stream, step)
    yield from take_list(session.app, session.who, items, found.whole, options.tenant)


def tell_item(session: Session, name: str, taken: Taken, *, quiet: bool) -> None:
    """Print what became of one item; ``quiet`` leaves out what is no fault."""
    if quiet and taken.outcome not in FAULTS:
        return
    number = f" #{taken.case_number}" if taken.case_number else ""
    who = f" {visible(taken.identifier, 120)}" if taken.identifier else ""
    why = f" ({visible(session.localised(taken.why), 300)})" if taken.why else ""
    colour = "red" if taken.outcome in FAULTS else None
    say(f"{visible(name, 60)}, {visible(taken.where, 40)}: {taken.outcome}{number}{who}{why}", colour=colour)


def counts_data(counts: Counter[str]) -> dict[str, int]:
    """Return how often each outcome came about; the keys are written as everywhere in JSON, with underscores."""
    return {name.replace("-", "_"): counts[name] for name in ORDER}


def _summary(counts: Counter[str], *, complete: bool) -> None:
    if complete:
        week(counts)
    else:
        told = ", ".join(f"{counts[name]} {name}" for name in ORDER if counts[name])
        say(f"{told}." if told else "Nothing is restricted: the input lists nobody.", bold=True)
    if counts["opened"]:
        hint("Next: holdfast case list")


WEEK = {
    "new": ("opened",),
    "still listed": ("seen", "known"),
    "came back": ("came-back", "reopened"),
    "gone after our unblock": ("released",),
    "gone, release waits": ("observed",),
    "expired": ("expired",),
    "unblocked outside Holdfast": ("unblocked-outside",),
    "left alone": ("left",),
    "skipped": ("skipped",),
    "broken": ("broken",),
}
"""The lines of the week's work, each with the outcomes that it counts."""


def week(counts: Counter[str]) -> None:
    """Print the week's work as a table; what did not happen is left out, except what a Monday asks about."""
    always = {"new", "still listed", "came back", "gone after our unblock", "expired", "unblocked outside Holdfast"}
    rows = [(name, sum(counts[outcome] for outcome in outcomes)) for name, outcomes in WEEK.items()]
    say()
    table(("the week's work", "cases"), [(name, count) for name, count in rows if count or name in always])
    if counts["incomplete"]:
        say("The list is not complete: what it does not name was left as it stands.", colour="red")
