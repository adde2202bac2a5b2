"""``holdfast ledger reconcile``: the tenant's own audit log against our cases."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from workflow.cli.exits import Exit
from workflow.cli.files import Spool, could_not_be_opened, in_file, items_of
from workflow.cli.output import csv_line, hint, say
from workflow.cli.period import period_of, period_options, period_words
from workflow.cli.places import folded
from workflow.cli.progress import progress_bar
from workflow.cli.refusals import show_error
from workflow.cli.session import Session, Verb
from workflow.cli.text import visible
from workflow.domain.period import Period
from workflow.domain.restriction import Skipped
from workflow.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from workflow.domain.restriction import Restriction
    from workflow.services.reconciling import Line, Reconciliation
    from workflow.services.tenant_log import CaughtUp, TenantLog

COLUMNS = (
    *("account", "event", "at", "kind", "identifier", "tenant", "by", "case_number", "case", "sequence", "recorded"),
    *("why", "next", "file", "where"),
)
"""The columns of ``ledger reconcile --csv``."""
ORDER = ("tracked", "untracked", "outside", "missing", "awaited", "unreadable", "not in the period", "other records")


@click.command("reconcile", cls=Verb)
@click.argument("files", metavar="[FILE...]", nargs=-1)
@click.option(
    "--tenant-log", "asks", is_flag=True, help="Ask the connected tenant for its log instead of reading FILE."
)
@click.option("--record", "records", is_flag=True, help="With --tenant-log: record what the ledger does not know yet.")
@period_options
@click.option("--tenant", metavar="NAME", default="", callback=folded, help="The tenant these files are from.")
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

    With --tenant-log the connected tenant is asked, which takes minutes: for the last 26 hours, or from --from on. It
    also tells what was done to the accounts of cases: tracked, by a change of ours, or outside. With --record
    restrictions that nobody took in open cases, and what was unblocked or changed outside becomes an entry. Doing it
    again writes nothing.

    Exits with 0 when all is accounted for, with 9 when the two differ, with 1 when something could not be read.
    """
    from workflow.services import alterations
    from workflow.services.reconciling import Wanted
    from workflow.services.reconciling import reconcile as open_reading

    session: Session = ctx.obj
    if wants_csv and session.as_json:
        raise click.UsageError("Choose --csv or --json.")
    period = period_of(session, begins, ends)
    _one_source(files, **options)
    log, recorded = _ask(session, period, records=options["records"]) if options["asks"] else (None, None)
    if log is not None:
        wanted = Wanted(period=Period(log.since, period.end), taken_at=log.asked_at, tenant=session.app.settings.tenant)
    else:
        taken_at = session.time(options["taken_at"]) if options["taken_at"] else session.app.now()
        wanted = Wanted(period=period, taken_at=taken_at, tenant=options["tenant"])
    told = _Told(session, wants_csv=wants_csv, quiet=options["quiet"], recorded=recorded)
    with progress_bar("Reading") as step, told.spool, open_reading(session.app, wanted) as reading:
        told.items(reading, log.records if log else (), "")
        for line in alterations.lines(session.app, log.changes) if log else ():
            told.line(line)
        for name in files:
            _read(session, told, reading, name, options["tenant"], step)
        for line in reading.rest():
            told.line(line)
        told.end(wanted.period)
    if told.counts["unreadable"]:
        ctx.exit(Exit.USAGE if told.counts["unreadable"] == told.unopened else Exit.ERROR)
    if told.differences:
        ctx.exit(Exit.DIFFERS)


def _one_source(files: tuple[str, ...], *, asks: bool, records: bool, **options: Any) -> None:
    """Refuse what does not go together."""
    if bool(files) == asks:
        raise click.UsageError("Name the files of an export, or ask the connected tenant with --tenant-log.")
    if asks and (options["tenant"] or options["taken_at"]):
        raise click.UsageError("--tenant and --taken-at are for files: the connected tenant is asked now.")
    if records and not asks:
        raise click.UsageError("--record goes with --tenant-log; of a file, each finding names its command.")


def _ask(session: Session, period: Period, *, records: bool) -> tuple[TenantLog, CaughtUp | None]:
    """Read the connected tenant's log, and record what it shows where that is wanted."""
    from workflow.services import tenant_log

    with progress_bar("Asking") as step:
        log = tenant_log.read(session.app, period.start, period.end)
        step(len(log.records), len(log.records))
    return log, tenant_log.record(session.app, session.who, log) if records else None


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
            told.items(reading, items, name)
    except InputError as error:
        told.counts["unreadable"] += 1
        told.unopened += could_not_be_opened(error)
        show_error(in_file(error, name), session)


class _Told:
    """What is told while the log is read, in the form that was asked for, and what it came to."""

    def __init__(self, session: Session, *, wants_csv: bool, quiet: bool, recorded: CaughtUp | None) -> None:
        self.session, self.wants_csv, self.quiet = session, wants_csv, quiet
        self.counts: Counter[str] = Counter()
        self.differences = self.unopened = 0
        self.recorded = recorded
        self.spool = Spool()
        if wants_csv:
            click.echo(csv_line(COLUMNS), nl=False)

    def items(self, reading: Reconciliation, items: Iterable[Restriction | Skipped], name: str) -> None:
        """Judge records and tell what each is; ``name`` is their file's, "" for the tenant's own log."""
        for item in items:
            if isinstance(item, Skipped):
                self.skipped(name, item)
                continue
            line = reading.judge(item, name)
            if line is None:
                self.counts["not in the period"] += 1
            else:
                self.line(line)

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
        place = _place(line.file, line.where)
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
            hint(f"{_place(name, item.where)}unreadable ({visible(item.why, 300)})")

    def _verdict(self) -> str:
        if self.differences:
            return f"The two differ in {self.differences}."
        if self.counts["unreadable"]:
            return "Not everything could be read."
        # A search that failed leaves an empty file too.
        if not any(self.counts[name] for name in ORDER if name not in {"awaited", "missing"}):
            return "The log holds no record, so there was nothing to compare: make sure that it is the right one."
        awaited = self.counts["awaited"]
        return f"Nothing differs so far; {awaited} not in the log yet." if awaited else "All is accounted for."

    def end(self, period: Period) -> None:
        """Tell the sum."""
        counts = {name.replace(" ", "_"): self.counts[name] for name in ORDER}
        if self.session.as_json:
            rest = {"counts": counts, "differences": self.differences, "period": period.to_data()}
            recorded = {} if self.recorded is None else {"recorded": self.recorded.to_data()}
            self.spool.print(rest | recorded, "events")
            return
        words = ", ".join(f"{self.counts[name]} {name}" for name in ORDER if self.counts[name])
        closing = f"{words or 'No listing or delisting'}; {period_words(self.session, period)}."
        if self.wants_csv:
            hint(closing)
        else:
            say(closing, bold=True)
            say(self._verdict())
        if self.recorded is not None:
            self._say_recorded(self.recorded)

    def _say_recorded(self, found: CaughtUp) -> None:
        """Tell what became an entry, and what did not."""
        made = [item for item in found.found if item.outcome != "untracked"]
        for item in made:
            number = item.case_number or item.line.case_number
            case = f" case #{number}" if number else ""
            why = f" ({visible(self.session.localised(item.why), 300)})" if item.why else ""
            hint(f"{visible(item.line.where, 80)}: {item.outcome}{case}{why}")
        if not made:
            hint("Nothing had to be recorded.")


def _place(file: str, where: str) -> str:
    """Return where a record stands, ready to be put before what is said of it."""
    return ", ".join(filter(None, (visible(file, 60), visible(where, 80)))) + ": " if where else ""
