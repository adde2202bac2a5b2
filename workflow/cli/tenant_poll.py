"""``holdfast tenant poll``: everything that the tenant restricts now, taken in as a whole list."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import click

from workflow.cli.exits import Exit
from workflow.cli.files import Spool
from workflow.cli.intake import FAULTS, counts_data, tell_item, week
from workflow.cli.output import hint, say
from workflow.cli.progress import progress_bar
from workflow.cli.session import Verb
from workflow.cli.text import visible

if TYPE_CHECKING:
    from workflow.cli.session import Session
    from workflow.services.polling import Polled

QUIET = frozenset({"left"})
"""What is counted and not told: a case that nothing was found about."""


@click.command(cls=Verb)
@click.option("--quiet", is_flag=True, help="Only the summary and what is broken.")
@click.pass_context
def poll(ctx: click.Context, quiet: bool) -> None:
    """Read the lists of restricted entities and take them in.

    Does with the connected tenant what 'holdfast import --complete' does with a file: new restrictions open cases, what
    is restricted again comes back, and an open case that is no longer listed is observed as released, expired or
    unblocked outside Holdfast, then with whom the tenant's audit log names. What stands as it was known writes nothing.
    Nothing is concluded from a list that could not be read to its end; the exit code is then 1.
    """
    from workflow.services import polling

    session: Session = ctx.obj
    found = polling.Polled()
    counts: Counter[str] = Counter()
    with progress_bar("Polling") as step, Spool() as kept:
        for number, taken in enumerate(polling.poll(session.app, session.who, found), start=1):
            if session.as_json:
                kept.keep(taken.to_data())
            elif taken.outcome not in QUIET:
                tell_item(session, "tenant", taken, quiet=quiet)
            step(number, 0)
        counts = found.counts
        if session.as_json:
            told = counts_data(counts) if _listed(found) else {}
            kept.print({"counts": told, "unlisted": [kind.value for kind in found.unlisted], "unread": found.unread})
    if not session.as_json:
        _tell(found)
    if found.unread or FAULTS.intersection(+counts):
        ctx.exit(Exit.ERROR)


def _tell(found: Polled) -> None:
    """Print what was counted, and of which kind nothing is known: its zeros would look like findings."""
    if _listed(found):
        week(found.counts)
    for kind in found.unlisted:
        say(f"{kind.value}: not read")
    for line in found.unread:
        hint(f"Could not be read: {visible(line)}")
    if found.counts["opened"]:
        hint("Next: holdfast case list")


def _listed(found: Polled) -> bool:
    """Say whether any list was read, so that its counts are findings."""
    from workflow.services.releasing import REMOVALS

    return len(found.unlisted) < len(REMOVALS)
