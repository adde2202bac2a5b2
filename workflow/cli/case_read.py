"""Looking at cases: list, view, prerequisites, history. Nothing here writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from workflow.cli import moments
from workflow.cli.filters import filter_options, filters_of
from workflow.cli.output import as_csv, as_json, hint, say, table
from workflow.cli.session import Session, Verb
from workflow.cli.text import visible
from workflow.domain.vocabulary import ENDED
from workflow.errors import NotFoundError

if TYPE_CHECKING:
    from workflow.services.worklist import CaseRow, Page

COLUMNS = (
    *("id", "number", "tenant", "kind", "entity", "state", "recurrence", "version", "playbook", "playbook_version"),
    *("playbook_digest", "playbook_shipped", "missing", "assignee"),
    *("opened_at", "updated_at", "due_at", "due", "overdue_seconds", "resolution", "restriction", "restricted_at"),
    *("requested_at", "intended_at", "released_at", "ended_at", "labels", "break_glass", "waits_for"),
    *("late", "overdue"),
)
"""The columns of ``case list --csv``."""
SHOWN = 2
"""Missing prerequisites named in the table; JSON and CSV carry them all."""


@click.command("list", cls=Verb, params=[*filter_options()])
@click.option("--sort", metavar="[-]FIELD", default="urgent", show_default=True, help="- for the largest first.")
@click.option("--limit", type=int, default=50, show_default=True, help="Cases on a page.")
@click.option("--after", metavar="KEY", default="", help="Continue after the key that the page before printed.")
@click.option("--csv", "wants_csv", is_flag=True, help="Print CSV, times in UTC.")
@click.pass_obj
def list_(session: Session, /, sort: str, limit: int, after: str, wants_csv: bool, **options: Any) -> None:
    """List cases: filter, sort, page.

    LATE stands beside an unblock that was not seen to work after 1 hour, OVERDUE after 24. FIELD is urgent, number,
    opened_at, updated_at, due_at or state. Urgent are unblocks under way, the longest first; then what waits for
    somebody to approve or unblock; then the rest as it falls due.
    """
    from workflow.services.worklist import worklist_page

    if wants_csv and session.as_json:
        raise click.UsageError("Choose --csv or --json.")
    page = worklist_page(session.app, filters_of(session, options), sort, limit, after)
    if session.as_json:
        rows = [row.to_data() for row in page.rows]
        as_json({"cases": rows, "next": page.next, "counts": page.counts, "lagging": page.lagging})
    elif wants_csv:
        as_csv(COLUMNS, [row.to_data() for row in page.rows])
        if page.next:
            hint(f"There is more: --after {page.next}")
    else:
        _show_page(session, page)
    if page.lagging:
        hint("In so many cases something ran out that some are listed as they stood before: see 'holdfast case view'.")


def _show_page(session: Session, page: Page) -> None:
    if not page.rows:
        total = sum(page.counts.values())
        say(
            "No case fits. 'holdfast case list --all' lists ended ones too."
            if total
            else "There are no cases yet. Begin with 'holdfast import FILE' or 'holdfast case open ADDRESS'."
        )
        return
    # One tenant's name on every line would say nothing, and neither would a column without labels or resolutions.
    extra = [("tenant", [row.tenant for row in page.rows])] if len({row.tenant for row in page.rows}) > 1 else []
    extra += [("labels", [" ".join(row.labels) for row in page.rows])] if any(row.labels for row in page.rows) else []
    extra += [("resolution", [row.resolution or "-" for row in page.rows])] if any(map(_ended, page.rows)) else []
    if any(row.waits_for not in {"", "answers"} for row in page.rows):
        extra.append(("waits for", [row.waits_for or "-" for row in page.rows]))
    if any(not row.playbook_shipped for row in page.rows):
        names = ["" if row.playbook_shipped else f"{row.playbook} {row.playbook_version}" for row in page.rows]
        extra.append(("not the shipped playbook", names))
    rows = [
        (
            *(row.number, _state(row), row.entity, row.restriction, _missing(row), row.assignee or "-"),
            _due(session, row),
            *(column[number] for _, column in extra),
        )
        for number, row in enumerate(page.rows)
    ]
    heads = ("#", "state", "entity", "restriction", "until verified", "assignee", "due", *(head for head, _ in extra))
    more = {head: column for column, head in enumerate(heads) if column > heads.index("due")}
    spare = [more[head] for head in ("not the shipped playbook", "labels", "waits for") if head in more]
    ended = [more["resolution"]] if "resolution" in more else []
    due = [heads.index("due")]
    # Where nothing is due the column says nothing; otherwise it names what is late, and is the last to go.
    last = [*ended, *due] if any(row.due_at for row in page.rows) else [*due, *ended]
    table(heads, rows, flexible=(3, 4, 5, *more.values()), spare=(*spare, 3, 5, *last))
    counts = ", ".join(f"{count} {state}" for state, count in page.counts.items() if count)
    hint(f"{len(page.rows)} shown; in all: {counts}." + (f" More: --after {page.next}" if page.next else ""))


def _state(row: CaseRow) -> str:
    return f"{row.state}, break-glass {row.break_glass[0]}" if row.break_glass else row.state


def _ended(row: CaseRow) -> bool:
    return row.state in ENDED


def _missing(row: CaseRow) -> str:
    more = ", …" if len(row.missing) > SHOWN else ""
    return f"{len(row.missing)}: {', '.join(row.missing[:SHOWN])}{more}" if row.missing else "-"


def _due(session: Session, row: CaseRow) -> str:
    if row.overdue:
        return f"OVERDUE by {moments.duration(row.overdue_seconds)}"
    if row.late:
        return f"LATE by {moments.duration(row.overdue_seconds)}"
    return session.local(row.due_at)


def as_of_text(session: Session, text: str | None) -> str | None:
    """Return ``--as-of`` as the views take it: a sequence, or a time in UTC text."""
    if text is None or (text.isascii() and text.isdigit()):
        return text
    from workflow.domain.record import time_to_text

    return time_to_text(session.time(text))


AS_OF = click.option("--as-of", metavar="SEQ|TIME", help="The case as it was at this entry or time.")


@click.command(cls=Verb)
@click.argument("case")
@AS_OF
@click.pass_obj
def view(session: Session, case: str, as_of: str | None) -> None:
    """Show a case on one screen, now or as it was."""
    from workflow.cli.case_page import show_case
    from workflow.services.views import case_view

    session.case = case
    shown = case_view(session.app, case, as_of_text(session, as_of))
    if session.as_json:
        as_json(shown.to_data())
    else:
        show_case(session, shown)


@click.command(cls=Verb)
@click.argument("case")
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--missing", "only_missing", is_flag=True, help="Only what does not hold.")
@click.option("--csv", "wants_csv", is_flag=True, help="Print CSV, times in UTC.")
@AS_OF
@click.pass_obj
def prerequisites(
    session: Session, case: str, ids: tuple[str, ...], only_missing: bool, wants_csv: bool, as_of: str | None
) -> None:
    """Show each playbook step, its status and how to do it."""
    from workflow.cli.case_page import ended_words, show_step
    from workflow.services.views import case_view

    session.case = case
    shown = case_view(session.app, case, as_of_text(session, as_of))
    # An ended case lacks nothing: whatever was left open is not asked for any more.
    done = shown.state in ENDED
    steps = [
        step
        for step in shown.prerequisites
        if not (only_missing and (step.held or done)) and (not ids or step.id in ids)
    ]
    known = {step.id for step in shown.prerequisites}
    for name in ids:
        if name not in known:
            raise NotFoundError(
                f"Case #{shown.number} has no prerequisite {name!r}.",
                next_step=f"See them with: holdfast case prerequisites {shown.number}",
            )
    data = [step_data for step_data in shown.to_data()["prerequisites"] if _chosen(step_data, steps)]
    if session.as_json:
        as_json({"number": shown.number, "prerequisites": data})
    elif wants_csv:
        as_csv([name for name in data[0] if name != "exception"] if data else ["id"], data)
    elif not steps:
        say(ended_words(session, shown) if shown.state in ENDED else "Nothing is missing.")
    else:
        for step in steps:
            show_step(session, step)


def _chosen(data: dict[str, Any], steps: list[Any]) -> bool:
    return any((data["id"], data["about"]) == (step.id, step.about) for step in steps)


@click.command(cls=Verb)
@click.argument("case")
@click.option("--csv", "wants_csv", is_flag=True, help="Print CSV, times in UTC.")
@AS_OF
@click.pass_obj
def history(session: Session, case: str, wants_csv: bool, as_of: str | None) -> None:
    """Show everything that happened to a case.

    Refused and denied attempts too, oldest first.
    """
    from workflow.cli.timeline import ENTRY_COLUMNS, show_timeline
    from workflow.services.history import history as read

    session.case = case
    entries = read(session.app, case, as_of_text(session, as_of))
    if session.as_json:
        as_json({"entries": [entry.to_data() for entry in entries]})
    elif wants_csv:
        as_csv(ENTRY_COLUMNS, [entry.to_data() for entry in entries])
    else:
        say(f"History of case {visible(case, 120)}", bold=True)
        show_timeline(session, entries)
