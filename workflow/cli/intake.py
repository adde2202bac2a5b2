"""``holdfast import``: files of Microsoft's tools become cases."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, Any, BinaryIO

import click

from workflow.cli.exits import Exit
from workflow.cli.output import hint, say
from workflow.cli.progress import progress_bar
from workflow.cli.refusals import show_error
from workflow.cli.session import Session, Verb
from workflow.cli.text import visible
from workflow.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from workflow.domain.restriction import Restriction, Skipped
    from workflow.services.intake import Taken
    from workflow.sources import ReadOptions

MEMORY = 1 << 20
"""Bytes of results held in memory before they go to a temporary file."""
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
    session: Session = ctx.obj
    options = _options(session, tenant, date_order, timezone)
    counts: Counter[str] = Counter()
    failed = False
    # What became of each item waits in a file, so that memory stays constant and the JSON comes whole or not at all.
    with progress_bar("Importing") as step, SpooledTemporaryFile(MEMORY, "w+", encoding="ascii") as kept:
        for name in files:
            try:
                for taken in _take(session, name, options, tenant, step):
                    counts[taken.outcome] += 1
                    if session.as_json:
                        _keep(kept, {"file": name, **taken.to_data()})
                    else:
                        _line(name, taken, quiet=quiet)
            except SourceError as error:
                failed = True
                counts["broken"] += 1
                if session.as_json:
                    _keep(kept, {"file": name, "outcome": "broken", "why": str(error)})
                else:
                    show_error(_in_file(error, name), session)
        if session.as_json:
            _print_json(kept, {"counts": {name: counts[name] for name in ORDER}, "failed": failed})
    if not session.as_json:
        _summary(counts)
    if counts["broken"]:
        ctx.exit(Exit.ERROR)


def _in_file(error: SourceError, name: str) -> SourceError:
    """Name the file where the message does not: several may be imported at once."""
    told = str(error)
    return error if told.startswith(name) else SourceError(f"{name}: {told}")


def _options(session: Session, tenant: str, date_order: str | None, timezone: str | None) -> ReadOptions:
    from datetime import UTC

    from workflow.sources import ReadOptions, zone

    order: Any = date_order or session.settings.date_order or None
    return ReadOptions(timezone=zone(timezone) if timezone else UTC, date_order=order, tenant=tenant)


def _take(
    session: Session, name: str, options: ReadOptions, tenant: str, step: Callable[[int, int], None]
) -> Iterator[Taken]:
    from workflow.services.intake import take_in
    from workflow.sources import read

    with _opened(name) as (stream, size):
        items = read(stream, name="standard input" if name == "-" else name, options=options)
        yield from take_in(session.app, session.who, _counted(items, stream, size, step), tenant)


def _counted(
    items: Iterable[Restriction | Skipped], stream: BinaryIO, size: int, step: Callable[[int, int], None]
) -> Iterator[Restriction | Skipped]:
    """Pass items on and report progress: bytes of a file, items of a pipe."""
    for number, item in enumerate(items, start=1):
        step(stream.tell() if size else number, size)
        yield item


@contextmanager
def _opened(name: str) -> Iterator[tuple[BinaryIO, int]]:
    """Open a file, or take standard input; with its size in bytes, 0 where nobody knows."""
    with ExitStack() as stack:
        if name == "-":
            if sys.stdin is None:
                raise SourceError("Standard input is closed: nothing can be read from it.")
            yield sys.stdin.buffer, 0
            return
        try:
            stream = stack.enter_context(Path(name).open("rb"))
            size = os.fstat(stream.fileno()).st_size if stream.seekable() else 0
        except OSError as error:
            raise SourceError(f"{name} cannot be read: {error.strerror}.") from None
        yield stream, size


def _keep(kept: IO[str], item: dict[str, Any]) -> None:
    kept.write(f"{',' if kept.tell() else ''}\n    {json.dumps(item)}")


def _print_json(kept: IO[str], rest: dict[str, Any]) -> None:
    """Print ``{"items": […], …}`` from the file of items, piece by piece."""
    kept.seek(0)
    click.echo('{\n  "items": [', nl=False)
    while piece := kept.read(MEMORY):
        click.echo(piece, nl=False)
    click.echo(f"\n  ],{json.dumps(rest)[1:]}")


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
