"""``holdfast import``: files of Microsoft's tools become cases."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from workflow.cli.exits import Exit
from workflow.cli.files import Spool, in_file, items_of
from workflow.cli.output import hint, say
from workflow.cli.progress import progress_bar
from workflow.cli.refusals import show_error
from workflow.cli.session import Session, Verb
from workflow.cli.text import visible
from workflow.errors import SourceError

if TYPE_CHECKING:
    from workflow.services.intake import Taken
    from workflow.sources import ReadOptions

ORDER = ("opened", "reopened", "came-back", "observed", "seen", "known", "skipped", "broken")


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
@click.option("--tenant", metavar="NAME", default="", help="The tenant these files are from.")
@click.option("--date-order", type=click.Choice(["dmy", "mdy", "ymd"]), help="How numeric dates are written.")
@click.option(
    "--timezone", metavar="ZONE", help="Zone of times written without one, such as Europe/Berlin; UTC unless given."
)
@click.option("--quiet", is_flag=True, help="Only the summary and what is broken.")
@click.pass_context
def import_(
    ctx: click.Context, files: tuple[str, ...], tenant: str, date_order: str | None, timezone: str | None, quiet: bool
) -> None:
    """Take restrictions in from files that Microsoft's tools write.

    FILE is told by its content; - reads standard input. Importing a file again, or an older one, opens and reopens
    nothing. Every item stands for itself: a broken one is reported with its place and the others are taken in; the
    exit code is then 1.
    """
    from workflow.services.intake import take_in

    session: Session = ctx.obj
    options = _options(session, tenant, date_order, timezone)
    counts: Counter[str] = Counter()
    failed = False
    with progress_bar("Importing") as step, Spool() as kept:
        for name in files:
            try:
                with items_of(name, options, step) as items:
                    for taken in take_in(session.app, session.who, items, tenant):
                        counts[taken.outcome] += 1
                        if session.as_json:
                            kept.keep({"file": name, **taken.to_data()})
                        else:
                            _line(name, taken, quiet=quiet)
            except SourceError as error:
                failed = True
                counts["broken"] += 1
                if session.as_json:
                    kept.keep({"file": name, "outcome": "broken", "why": str(error)})
                else:
                    show_error(in_file(error, name), session)
        if session.as_json:
            kept.print({"counts": {name: counts[name] for name in ORDER}, "failed": failed})
    if not session.as_json:
        _summary(counts)
    if counts["broken"]:
        ctx.exit(Exit.ERROR)


def _options(session: Session, tenant: str, date_order: str | None, timezone: str | None) -> ReadOptions:
    from datetime import UTC

    from workflow.sources import ReadOptions, zone

    order: Any = date_order or session.settings.date_order or None
    return ReadOptions(timezone=zone(timezone) if timezone else UTC, date_order=order, tenant=tenant)


def _line(name: str, taken: Taken, *, quiet: bool) -> None:
    if quiet and taken.outcome != "broken":
        return
    number = f" #{taken.case_number}" if taken.case_number else ""
    who = f" {visible(taken.identifier, 120)}" if taken.identifier else ""
    why = f" ({visible(taken.why, 300)})" if taken.why else ""
    colour = "red" if taken.outcome == "broken" else None
    say(f"{visible(name, 60)}, {visible(taken.where, 40)}: {taken.outcome}{number}{who}{why}", colour=colour)


def _summary(counts: Counter[str]) -> None:
    told = ", ".join(f"{counts[name]} {name}" for name in ORDER if counts[name])
    say(f"{told}." if told else "Nothing is restricted: the input lists nobody.", bold=True)
    if counts["opened"]:
        hint("Next: holdfast case list")
