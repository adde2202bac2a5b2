"""``holdfast ledger reconcile``: the tenant's own audit log against our cases."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from workflow.cli.exits import Exit
from workflow.cli.files import Spool, in_file, items_of
from workflow.cli.output import csv_line, hint, say
from workflow.cli.period import period_of, period_options, period_words
from workflow.cli.progress import progress_bar
from workflow.cli.refusals import show_error
from workflow.cli.session import Session, Verb
from workflow.cli.text import visible
from workflow.domain.restriction import Skipped
from workflow.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from workflow.domain.period import Period
    from workflow.services.reconciling import Line, Reconciliation

COLUMNS = (
    *("account", "event", "at", "kind", "identifier", "tenant", "by", "case_number", "case", "sequence", "recorded"),
    *("why", "next", "file", "where"),
)
"""The columns of ``ledger reconcile --csv``."""
ORDER = ("tracked", "untracked", "outside", "missing", "awaited", "unreadable", "not in the period", "other records")


@click.command("reconcile", cls=Verb)
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@period_options
@click.option("--tenant", metavar="NAME", default="", help="The tenant these files are from.")
@click.option("--taken-at", metavar="TIME", help="When the log was exported; now by default.")
@click.option("--quiet", is_flag=True, help="Only what is not tracked, and the summary.")
@click.option("--csv", "wants_csv", is_flag=True, help="Print CSV, times in UTC.")
@click.pass_context
def reconcile(
    ctx: click.Context, /, files: tuple[str, ...], begins: str | None, ends: str | None, wants_csv: bool, **options: Any
) -> None:
    """Hold the tenant's own audit log against our cases.

    FILE is an export of the unified audit log (CSV with AuditData, or JSON); - reads standard input. Each listing and
    delisting is tracked (by which case and entry), untracked (no case was about it), or outside (delisted without an
    approved unblock of ours). An unblock of ours that the log does not show is missing, or awaited while records may
    still arrive: they take up to 24 hours. Nothing is written; each finding names the command that records it.

    Exits with 0 when all is accounted for, with 9 when the two differ, with 1 when something could not be read.
    """
    from workflow.services.reconciling import Wanted
    from workflow.services.reconciling import reconcile as open_reading

    session: Session = ctx.obj
    if wants_csv and session.as_json:
        raise click.UsageError("Choose --csv or --json.")
    taken_at = session.time(options["taken_at"]) if options["taken_at"] else session.app.now()
    wanted = Wanted(period=period_of(session, begins, ends), taken_at=taken_at, tenant=options["tenant"])
    told = _Told(session, wants_csv=wants_csv, quiet=options["quiet"])
    with progress_bar("Reading") as step, told.spool, open_reading(session.app, wanted) as reading:
        for name in files:
            _read(session, told, reading, name, options["tenant"], step)
        for line in reading.rest():
            told.line(line)
        told.end(wanted.period)
    if told.counts["unreadable"]:
        ctx.exit(Exit.ERROR)
    if told.differences:
        ctx.exit(Exit.DIFFERS)


def _read(
    session: Session,
    told: _Told,
    reading: Reconciliation,
    name: str,
    tenant: str,
    step: Callable[[int, int], None],
) -> None:
    """Judge one file, record by record; what cannot be read is told and does not end the reading of the others."""
    from workflow.sources import ReadOptions

    try:
        with items_of(name, ReadOptions(tenant=tenant), step) as items:
            for item in items:
                if isinstance(item, Skipped):
                    told.skipped(name, item)
                    continue
                line = reading.judge(item, name)
                if line is None:
                    told.counts["not in the period"] += 1
                else:
                    told.line(line)
    except SourceError as error:
        told.counts["unreadable"] += 1
        show_error(in_file(error, name), session)


class _Told:
    """What is told while the log is read, in the form that was asked for, and what it came to."""

    def __init__(self, session: Session, *, wants_csv: bool, quiet: bool) -> None:
        self.session, self.wants_csv, self.quiet = session, wants_csv, quiet
        self.counts: Counter[str] = Counter()
        self.differences = 0
        self.spool = Spool()
        if wants_csv:
            click.echo(csv_line(COLUMNS), nl=False)

    def line(self, line: Line) -> None:
        """Tell one event."""
        self.counts[line.account] += 1
        differs = line.account in {"untracked", "missing"} or (line.account == "outside" and not line.recorded)
        self.differences += differs
        if self.session.as_json:
            self.spool.keep(line.to_data())
        elif self.wants_csv:
            data = line.to_data()
            click.echo(csv_line([data[name] for name in COLUMNS]), nl=False)
        elif not (self.quiet and line.account == "tracked"):
            self._say(line, differs=differs)

    def _say(self, line: Line, *, differs: bool) -> None:
        place = f"{visible(line.file, 60)}, {visible(line.where, 40)}: " if line.file else ""
        case = f", case #{line.case_number}" if line.case_number else ""
        entry = f", entry {line.sequence}" if line.sequence else ""
        by = f" by {visible(line.by, 120)}" if line.by else ""
        who = f"{line.event} {visible(line.identifier, 120)} {self.session.local(line.at)}{by}"
        say(
            f"{place}{line.account.upper() if differs else line.account}: {who} ({line.why}{case}{entry})",
            colour="red" if differs else None,
        )
        if line.next:
            say(f"    next: {visible(line.next)}")

    def skipped(self, name: str, item: Skipped) -> None:
        """Count a record of another kind; tell one that cannot be read."""
        self.counts["unreadable" if item.broken else "other records"] += 1
        if item.broken:
            hint(f"{visible(name, 60)}, {visible(item.where, 40)}: unreadable ({visible(item.why, 300)})")

    def _verdict(self) -> str:
        if self.differences:
            return f"The two differ in {self.differences}."
        return "Not everything could be read." if self.counts["unreadable"] else "All is accounted for."

    def end(self, period: Period) -> None:
        """Tell the sum."""
        counts = {name.replace(" ", "_"): self.counts[name] for name in ORDER}
        if self.session.as_json:
            rest = {"counts": counts, "differences": self.differences, "period": period.to_data()}
            self.spool.print(rest, "events")
            return
        words = ", ".join(f"{self.counts[name]} {name}" for name in ORDER if self.counts[name])
        closing = f"{words or 'No listing or delisting'}; {period_words(self.session, period)}."
        if self.wants_csv:
            hint(closing)
        else:
            say(closing, bold=True)
            say(self._verdict())
