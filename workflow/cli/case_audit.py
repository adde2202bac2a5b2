"""What auditors ask of cases: reports, what went another way than usual, and figures. Nothing here writes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from workflow.cli.many import Cases, Many
from workflow.cli.output import as_csv, as_json, csv_text, hint, json_text
from workflow.cli.paths import FileName
from workflow.cli.period import period_of, period_options
from workflow.cli.progress import progress_bar
from workflow.cli.session import Session, Verb
from workflow.cli.text import visible
from workflow.domain.notable import KINDS

if TYPE_CHECKING:
    from workflow.services.report import Report

_FILE = FileName(dir_okay=False, path_type=Path)


@click.command(cls=Many, several=True, asks=False)
@click.option("--html", "wants_html", is_flag=True, help="One page that loads nothing and prints well.")
@click.option("--csv", "wants_csv", is_flag=True, help="One row per case, occurrence and prerequisite, times in UTC.")
@click.option("--output", metavar="FILE", type=_FILE, help="Write to this new file (readable by you alone).")
@click.pass_obj
def report(session: Session, cases: Cases, wants_html: bool, wants_csv: bool, output: Path | None) -> None:
    """Report cases for an auditor: as a page to print, as CSV or as JSON.

    Per prerequisite what was done, by whom, when, how that is known and on what reference; who requested and approved
    and what they stood on; exceptions; when it was unblocked; and the checkpoint all of it rests on. Without a format
    the outline is printed.
    """
    from workflow.services.report import report as make

    if wants_html + wants_csv + session.as_json > 1:
        raise click.UsageError("Choose one of --html, --csv and --json.")
    if output is not None and not (wants_html or wants_csv or session.as_json):
        raise click.UsageError("--output needs one of --html, --csv and --json.")
    if wants_html and output is None and sys.stdout.isatty():
        raise click.UsageError("A page is for a browser: name a file with --output, or send it to one with '>'.")
    with progress_bar("Cases") as progress:
        found = make(session.app, _wanted(session, cases), progress)
    if not (wants_html or wants_csv or session.as_json):
        from workflow.cli.report_page import show_report

        show_report(session, found)
        return
    text = _html(session, found) if wants_html else _csv(found) if wants_csv else json_text(found.to_data()) + "\n"
    if output is None:
        click.echo(text, nl=False)
        return
    from workflow.storage.files import write_named

    write_named(output, text)
    hint(f"{len(found.cases)} {'case' if len(found.cases) == 1 else 'cases'} reported in {visible(output)}")


def _wanted(session: Session, cases: Cases) -> list[str]:
    """Return the ids of the cases; one that cannot be found is no smaller report, but none at all."""
    from workflow.cli.wave import chosen

    items = chosen(session, cases)
    for item in items:
        if item.refused is not None:
            raise item.refused
    return [item.case.id for item in items if item.case is not None]


def _html(session: Session, found: Report) -> str:
    from workflow import __version__
    from workflow.reports.page import Reader, page

    return page(found, Reader(session.zone, visible, __version__))


def _csv(found: Report) -> str:
    from workflow.services.report import ROW, rows

    return csv_text(ROW, rows(found))


@click.command(cls=Verb)
@period_options
@click.option(
    "--kind-of", "kinds", metavar="KIND", multiple=True, type=click.Choice(list(KINDS)), help="Only these; repeatable."
)
@click.option("--csv", "wants_csv", is_flag=True, help="Print CSV, times in UTC.")
@click.pass_obj
def exceptions(session: Session, begins: str | None, ends: str | None, kinds: tuple[str, ...], wants_csv: bool) -> None:
    """List exceptions and irregularities of a period.

    Exceptions, break-glass, dismissals, playbook switches, unblocked outside, one operating system's user behind two
    names, recorded late (more than 24 hours after the observation), approved in bulk, erased, retracted: each with its
    case, when, who and why.
    """
    from workflow.services.notable import COLUMNS, notable

    _one_format(session, wants_csv)
    period = period_of(session, begins, ends)
    found = notable(session.app, period, kinds)
    if session.as_json:
        looked = {kind.replace("-", "_"): KINDS[kind] for kind in kinds or KINDS}
        as_json({"period": period.to_data(), "looked_for": looked, "exceptions": [item.to_data() for item in found]})
    elif wants_csv:
        as_csv(COLUMNS, [item.to_data() for item in found])
    else:
        from workflow.cli.notable_page import show_notable

        show_notable(session, found, period, kinds)


@click.command(cls=Verb)
@period_options
@click.option("--by", type=click.Choice(["kind", "playbook", "month"]), default=None, help="Group the figures by this.")
@click.option("--csv", "wants_csv", is_flag=True, help="Print CSV, lengths in seconds.")
@click.pass_obj
def stats(session: Session, begins: str | None, ends: str | None, by: str | None, wants_csv: bool) -> None:
    """Show how long each stage took, and where the time went.

    Of all occurrences that began in the period: time to contain, to verify, from request to approval, from approval to
    unblock, and to release; how long each prerequisite was waited for; what came back, and how it ended. The median,
    what nine of ten did not exceed, and the longest.
    """
    from workflow.services.figures import COLUMNS, By, figures, rows

    _one_format(session, wants_csv)
    period = period_of(session, begins, ends)
    with progress_bar("Cases") as progress:
        found = figures(session.app, period, By(by or ""), session.zone, progress)
    if session.as_json:
        as_json({"period": period.to_data(), "by": by, "groups": [group.to_data() for group in found]})
    elif wants_csv:
        as_csv(COLUMNS, rows(found))
    else:
        from workflow.cli.figures_page import show_figures

        show_figures(session, found, period)


def _one_format(session: Session, wants_csv: bool) -> None:
    if wants_csv and session.as_json:
        raise click.UsageError("Choose --csv or --json.")
