"""What went another way than usual, for people at a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.cli.many import compact
from workflow.cli.output import fields, hint, say
from workflow.cli.people import acted, named
from workflow.cli.period import period_words
from workflow.cli.text import paragraphs, visible
from workflow.domain.notable import KINDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workflow.cli.session import Session
    from workflow.domain.period import Period
    from workflow.services.notable import Notable


def show_notable(session: Session, found: Sequence[Notable], period: Period, kinds: Sequence[str]) -> None:
    """Print each in a few lines, oldest first; where there is none, what was looked for."""
    when = period_words(session, period)
    if not found:
        say(f"Nothing of the kind happened, {when}. Looked for:", bold=True)
        fields([(kind, KINDS[kind]) for kind in kinds or KINDS], "  ")
        return
    # What one command did to a wave is told once: an auditor reads a page, not a line for each of three hundred cases.
    alike: dict[tuple[str, ...], list[Notable]] = {}
    for item in found:
        key = (item.kind, session.local(item.at), item.by, item.os_user, item.second_by, item.what, item.reason)
        alike.setdefault(key, []).append(item)
    for items in alike.values():
        item = items[0]
        many = f"{len(items)} cases, {compact(one.case_number for one in items)}"
        where = many if len(items) > 1 else f"case #{item.case_number}, entry {item.sequence}"
        say(f"{session.local(item.at)}  {where}: {item.kind}, {KINDS[item.kind]}", bold=True)
        say(f"    {visible(item.what, 300)}")
        say(f"    by {acted(item.by, item.os_user, item.claimed)}{_second(item)}")
        for line in paragraphs(item.reason, "    reason: ", 1) if item.reason else []:
            say(line)
    counts = {kind: sum(item.kind == kind for item in found) for kind in KINDS}
    hint(f"{len(found)} in all, {when}: {', '.join(f'{count} {kind}' for kind, count in counts.items() if count)}.")
    hint("More about one: holdfast case history NUMBER")


def _second(item: Notable) -> str:
    if not item.second_by:
        return ""
    before = "also as" if item.kind == "two-names" else "asked for by"
    return f", {before} {named(item.second_by, item.second_claimed)}"
