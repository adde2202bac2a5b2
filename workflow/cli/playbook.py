"""``holdfast playbook``: list, show, check, graph; install and diff have a room of their own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from workflow.cli.exits import Exit
from workflow.cli.lazy import InOrder
from workflow.cli.moments import duration
from workflow.cli.output import as_csv, as_json, fields, say, table
from workflow.cli.playbook_change import diff, install
from workflow.cli.session import Session, Verb
from workflow.cli.text import paragraphs, visible

if TYPE_CHECKING:
    from workflow.domain.playbook import Playbook, Prerequisite

COLUMNS = (
    *("name", "version", "title", "kinds", "prerequisites", "shipped", "adopted", "installed", "in_force", "waiting"),
    *("open_cases", "digest"),
)


MARKS = ("shipped", "adopted", "installed", "in_force")
"""What can be said of a version, in the order in which it comes about."""


@click.group(cls=InOrder, commands=(install, diff), order=("list", "show", "check", "diff", "install", "graph"))
def playbook() -> None:
    """Show, check, compare and install playbooks; draw the state machine."""


@playbook.command("list", cls=Verb)
@click.option("--csv", "wants_csv", is_flag=True, help="Print CSV.")
@click.pass_obj
def list_(session: Session, wants_csv: bool) -> None:
    """List the playbooks that came with the product and those adopted here.

    New cases get the version in force.
    """
    from workflow.services.playbooks import list_ as read

    found = [item.to_data() for item in read(session.app)]
    if session.as_json:
        as_json({"playbooks": found})
    elif wants_csv:
        as_csv(COLUMNS, found)
    else:
        rows = [
            (
                item["name"],
                item["version"],
                item["title"],
                ", ".join(item["kinds"]),
                item["prerequisites"],
                ", ".join(name.replace("_", " ") for name in MARKS if item[name]),
                item["open_cases"],
                item["digest"][:12],
            )
            for item in found
        ]
        table(
            ("name", "version", "title", "kinds", "steps", "what", "open cases", "digest"),
            rows,
            flexible=(5,),
            spare=(7, 4, 3, 5),
        )
        for name, digest in dict.fromkeys((item["name"], item["waiting"]) for item in found if item["waiting"]):
            say(f"Another version of {visible(name)} waits for a second person: digest {visible(digest[:12])}")


@playbook.command(cls=Verb)
@click.argument("name")
@click.pass_obj
def show(session: Session, name: str) -> None:
    """Show a playbook in full, by name or by the beginning of its digest."""
    from workflow.services.playbooks import show as read

    found = read(session.app, name)
    if session.as_json:
        as_json({"digest": found.digest, **found.to_data()})
    else:
        _show(found)


def _show(found: Playbook) -> None:
    say(f"{visible(found.title)} ({visible(found.name)} {visible(found.version)})", bold=True)
    say(f"  {visible(found.summary)}")
    fields(
        (
            ("digest", found.digest),
            ("for", ", ".join(found.kinds)),
            ("approvals", f"{found.approvals}, from team: {found.approval_team}, break-glass: {found.break_glass}"),
            ("approval good for", duration(found.approval_within.total_seconds())),
            ("watch", duration(found.watch_within.total_seconds())),
            ("reopens within", duration(found.reopen_within.total_seconds())),
            ("unblock role", visible(found.unblock_role)),
            ("unblock portal", visible(found.unblock_portal)),
        ),
        "  ",
    )
    for line in paragraphs(found.unblock_command, "    ") if found.unblock_command else []:
        say(line)
    for number, item in enumerate(found.prerequisites, start=1):
        _show_step(number, item)


def _show_step(number: int, item: Prerequisite) -> None:
    need = f"required by {item.required_by}" if item.required else "recommended"
    say(f"{number}. {item.id} ({need}, about {item.about}, {item.nature})", bold=True)
    say(f"  {visible(item.title)}.")
    fields(
        (
            ("evidence", visible(item.evidence)),
            ("fresh for", duration(item.fresh_within.total_seconds()) if item.fresh_within else ""),
            ("applies if", ", ".join(item.applies_if)),
            ("or instead", ", ".join(item.any_of)),
            ("only after", ", ".join(item.after)),
            ("exception", f"granted by {item.exception.granted_by}" if item.exception else "never"),
            ("role", visible(item.role)),
            ("portal", visible(item.portal)),
            ("trap", visible(item.trap)),
            ("source", visible(item.source)),
        ),
        "  ",
    )
    for line in paragraphs(item.command, "    ") if item.command else []:
        say(line)


@playbook.command(cls=Verb)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.pass_context
def check(ctx: click.Context, files: tuple[Path, ...]) -> None:
    """Report every fault of playbook files, with file, line and cure.

    Exits with 1 when there is one.
    """
    from workflow.services.playbooks import check as read

    faults = [fault for file in files for fault in read(file)]
    if ctx.obj.as_json:
        as_json({"ok": not faults, "faults": [fault.to_data() for fault in faults]})
    else:
        for fault in faults:
            say(visible(fault))
        many = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        say(f"{many}." if faults else "No faults.", bold=True, colour="red" if faults else "green")
    if faults:
        ctx.exit(Exit.ERROR)


@playbook.command(cls=Verb)
@click.pass_obj
def graph(session: Session) -> None:
    """Draw the state machine as a Mermaid diagram, taken from the machine itself."""
    from workflow.domain.diagram import mermaid

    text = mermaid()
    if session.as_json:
        as_json({"mermaid": text})
    else:
        click.echo(text, nl=False)
