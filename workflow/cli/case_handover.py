"""``holdfast case handover``: give a shift's open cases to somebody else, with a page about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from workflow.cli.case_page import ATTENTION, attempt_line
from workflow.cli.exits import Exit
from workflow.cli.output import as_json, say, warn
from workflow.cli.session import Session, Verb
from workflow.cli.steps import SUMMARY
from workflow.cli.text import markdown, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from workflow.services.handover import HandedCase, Handover

SHOWN = 5
"""Missing steps that the page names."""


@click.command(cls=Verb)
@click.option("--to", "taker", metavar="NAME", required=True, help="Who takes the cases over.")
@click.option("--from", "giver", metavar="NAME", help="Whose cases; your own by default.")
@click.option("--note", metavar="TEXT", default="", help="Written on every case. Never a password or a token.")
@click.option("--dry-run", is_flag=True, help="Show the page and write nothing.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print the page as Markdown, for a ticket or a chat.")
@click.pass_obj
def handover(session: Session, taker: str, giver: str | None, note: str, dry_run: bool, as_markdown: bool) -> int:
    """Give a shift's open cases to somebody else.

    Assigns every open case of yours to NAME and prints a page about them: open unblock attempts, readings that go
    stale within a day, what waits for a second person, and the newest notes. What is due first stands first. Nobody's
    cases that cannot wait follow in a section of their own; they stay nobody's.
    """
    from workflow.services.handover import handover as give

    if giver is not None and not giver.strip():
        raise click.UsageError("--from names nobody: give a name, or leave it out for your own cases.")
    page = give(session.app, session.who, giver or "", taker, note, only_show=dry_run)
    if session.as_json:
        as_json(_data(page))
    elif as_markdown:
        _page(session, page, markdown, case="## ", item="- ")
    else:
        _page(session, page, visible, case="", item="  ")
    warn(session.app.warnings)
    return Exit.REFUSED if any(item.refused for item in page.cases) else Exit.DONE


def _data(page: Handover) -> dict[str, Any]:
    shift = {"from": page.giver, "to": page.taker, "at": page.at, "note": page.note, "done": page.done}
    return shift | {"cases": [_case(item) for item in page.cases], "unassigned": [_case(item) for item in page.nobodys]}


def _case(item: HandedCase) -> dict[str, Any]:
    data = item.case.to_data()
    extra = {"lapsing": item.lapsing, "waits_for": item.waits_for, "notes": item.notes, "refused": item.refused}
    return {name: data[name] for name in SUMMARY} | extra


def _page(session: Session, page: Handover, safe: Callable[..., str], *, case: str, item: str) -> None:
    """Print the page; ``safe`` makes untrusted text harmless where it is going to be read."""
    giver, taker = safe(page.giver, 80), safe(page.taker, 80)
    if not page.cases:
        say(f"{giver} has no open cases. Others' are listed by: holdfast case list --assignee NAME")
    else:
        _given(session, page, safe, giver, taker, case)
        _cases(session, page.cases, safe, case, item)
    if page.nobodys:
        say()
        say(f"{case and '# '}Nobody's, and cannot wait: holdfast case assign CASE NAME", bold=not case)
        _cases(session, page.nobodys, safe, case, item)


def _given(session: Session, page: Handover, safe: Callable[..., str], giver: str, taker: str, case: str) -> None:
    refused = sum(bool(handed.refused) for handed in page.cases)
    what = "would go" if not page.done else "went"
    count = len(page.cases) - refused
    say(f"{case and '# '}Handover, {session.local(page.at)}", bold=not case)
    say()
    say(f"{count} open {'case' if count == 1 else 'cases'} {what} from {giver} to {taker}.")
    if page.note:
        say(f"Note: {safe(page.note, 400)}")


def _cases(session: Session, cases: Sequence[HandedCase], safe: Callable[..., str], case: str, item: str) -> None:
    for handed in cases:
        shown = handed.case
        say()
        say(f"{case}#{shown.number} {safe(shown.entity, 120)}: {safe(shown.state)}", bold=not case)
        say()
        for line in _lines(session, handed):
            say(f"{item}{safe(line, 400)}")


def _lines(session: Session, handed: HandedCase) -> list[str]:
    """Return what the next shift has to know about one case, the urgent first; untrusted."""
    case = handed.case
    lines = [f"NOT handed over: {handed.refused}"] if handed.refused else []
    if case.attempt and case.attempt["open"]:
        lines.append(attempt_line(session, case))
    lines += [f"waits for a second person: {what}" for what in handed.waits_for]
    if case.due_at:
        lines.append(f"due {session.local(case.due_at)}: {ATTENTION.get(case.due, case.due)}")
    stale: dict[str, list[str]] = {}
    for reading in handed.lapsing:
        about = f" ({reading['about']})" if reading["about"] else ""
        stale.setdefault(session.local(reading["fresh_until"]), []).append(f"{reading['id']}{about}")
    lines += [f"goes stale {when}: {', '.join(readings)}" for when, readings in stale.items()]
    if case.missing:
        more = f" and {len(case.missing) - SHOWN} more" if len(case.missing) > SHOWN else ""
        lines.append(f"missing: {', '.join(case.missing[:SHOWN])}{more}")
    lines += [f"note by {note['by']}, {session.local(note['at'])}: {note['text']}" for note in handed.notes]
    return [*lines, f"go on with: holdfast case work {case.number}"]
