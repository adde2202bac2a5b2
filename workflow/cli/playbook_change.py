"""``holdfast playbook install`` and ``diff``: putting another version in force, and seeing first what it changes."""

from __future__ import annotations

import shlex
from itertools import groupby
from typing import TYPE_CHECKING

import click

from workflow.cli.output import as_json, say, warn
from workflow.cli.session import Session, Verb
from workflow.cli.text import visible

if TYPE_CHECKING:
    from workflow.domain.playbook import Playbook
    from workflow.services.adoption import Comparison

LONGEST = 200


@click.command(cls=Verb)
@click.argument("file", metavar="FILE")
@click.option("--reason", metavar="TEXT", default="", help="Why. Needed to install or propose.")
@click.option("--confirm", is_flag=True, help="Agree to what was proposed, as a second person.")
@click.pass_obj
def install(session: Session, file: str, reason: str, confirm: bool) -> None:
    """Put a changed playbook, or your own, in force for new cases.

    Where requirements fall away, or commands or portal pages are others, it takes two people: one proposes, another
    runs the same command with --confirm. Open cases keep the version they began with. FILE may also name a playbook
    that came with the product, to go back to it.
    """
    from workflow.services.adoption import install as put

    done = put(session.app, session.who, file, reason, confirm=confirm)
    if session.as_json:
        as_json(done.to_data())
        return
    how = "in force for new cases" if done.in_force else "proposed"
    say(f"{_named(done.playbook)}: {how}", bold=True)
    if done.falls_away:
        say(f"  falls away or weakens: {visible(', '.join(done.falls_away))}")
    if done.redirected:
        say(f"  other commands or pages: {visible(', '.join(done.redirected))}")
    if not done.in_force:
        say(f"  waits for a second person: holdfast playbook install {visible(shlex.quote(file))} --confirm --as NAME")
    warn(session.app.warnings)


@click.command(cls=Verb)
@click.argument("name")
@click.argument("versions", metavar="[FILE|DIGEST]...", nargs=-1)
@click.pass_obj
def diff(session: Session, name: str, versions: tuple[str, ...]) -> None:
    """Say what differs between two versions of a playbook.

    Without versions: what came with the product against what is in force. With one: what is in force against it. With
    two: the first against the second. A version is a file, the beginning of a digest, or 'shipped'.
    """
    from workflow.services.adoption import compare

    if len(versions) > 2:  # noqa: PLR2004 - a comparison has two sides
        raise click.UsageError("Two versions are compared; more were named.")
    found = compare(session.app, name, *versions)
    if session.as_json:
        as_json(found.to_data())
    else:
        _show(found)


def _named(playbook: Playbook) -> str:
    return f"{visible(playbook.name)} {visible(playbook.version)} ({playbook.digest[:12]})"


def _show(found: Comparison) -> None:
    say(f"{_named(found.old)} → {_named(found.new)}", bold=True)
    if not found.changes:
        say("Nothing differs.")
        return
    for where, changes in groupby(found.changes, key=lambda change: change.prerequisite):
        say(visible(where) if where else "the playbook itself", bold=True)
        for change in changes:
            # Of what somebody will run every word counts, and most at its end.
            limit = 0 if change.effect == "redirected" else LONGEST
            before, after = (visible(text, limit) or "nothing" for text in (change.before, change.after))
            said = {"added": after, "removed": before}.get(change.effect, f"{before} → {after}")
            say(f"  {change.effect}: {change.member.replace('_', ' ')}: {said}")
    if found.falls_away:
        say(f"Falls away or weakens: {visible(', '.join(found.falls_away))}.", bold=True, colour="yellow")
    if found.redirected:
        say(f"Other commands or pages: {visible(', '.join(found.redirected))}.", bold=True, colour="yellow")
    if found.falls_away or found.redirected:
        say("Installing the second in place of the first takes two people.")
    else:
        say("Nothing falls away and no command changes: one person may install the second in place of the first.")
