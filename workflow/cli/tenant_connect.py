"""``holdfast tenant permissions`` and ``probe``: what a connection needs, and what it finds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from workflow.cli.output import as_json, hint, say, table
from workflow.cli.session import Session, Verb
from workflow.cli.text import visible

if TYPE_CHECKING:
    from workflow.providers.grants import Grant, Grants

FEATURES = ("check", "contain", "unblock", "roles")


@click.command(cls=Verb)
@click.option(
    "--for",
    "features",
    type=click.Choice(FEATURES),
    multiple=True,
    help="What Holdfast is to do: check, contain and unblock by default. Reading comes with the others.",
)
@click.option("--script", metavar="FILE", type=click.Path(path_type=Path), help="Write the set-up script; - prints it.")
@click.pass_obj
def permissions(session: Session, features: tuple[str, ...], script: Path | None) -> None:
    """List the least that Holdfast's application needs.

    The script registers it: application with certificate, permissions with consent, and an Exchange role group that may
    run the cmdlets needed and no others. With an application of its own for --for check, a stolen key can do less; with
    --for roles it could make its holder administrator of everything, so that is never granted unasked.
    """
    from workflow.providers.grant_script import script as set_up
    from workflow.providers.grants import USUAL, Feature, grants

    needed = grants([Feature(name) for name in features] or USUAL)
    if script is not None:
        _write(session, script, set_up(needed))
    elif session.as_json:
        as_json(_data(needed))
    else:
        _show(needed)


def _write(session: Session, path: Path, text: str) -> None:
    from workflow.storage.files import write_new

    if str(path) == "-":
        click.echo(text, nl=False)
        return
    write_new(path, text)
    if session.as_json:
        as_json({"script": str(path)})
    else:
        say(f"Wrote {visible(path)}. Read it, then run it where you administer the tenant.", bold=True)


def _data(needed: Grants) -> dict[str, object]:
    from workflow.providers.operations import EXCHANGE

    def plain(grants: tuple[Grant, ...], name: str) -> list[dict[str, object]]:
        return [{name: grant.permission, "operations": list(grant.operations)} for grant in grants]

    return {
        "features": [feature.value for feature in needed.features],
        "graph": plain(needed.graph, "permission"),
        "exchange": {"permission": EXCHANGE, "cmdlets": plain(needed.cmdlets, "cmdlet")},
        "roles": plain(needed.roles, "role"),
    }


def _show(needed: Grants) -> None:
    from workflow.providers.grants import FEATURES as TITLES
    from workflow.providers.operations import EXCHANGE

    say("To " + "; ".join(TITLES[feature] for feature in needed.features) + ":", bold=True)
    say()
    _table("Microsoft Graph permission", needed.graph)
    say()
    say(f"Office 365 Exchange Online permission {EXCHANGE}, and an Exchange role group with these cmdlets:")
    say()
    _table("cmdlet", needed.cmdlets)
    say()
    say("In place of that role group, and for administrators' accounts, Microsoft's roles:")
    say()
    _table("role", needed.roles)
    hint("The script that sets this up: holdfast tenant permissions --script FILE")


def _table(head: str, grants: tuple[Grant, ...]) -> None:
    rows = [(grant.permission, " ".join(grant.operations)) for grant in grants]
    table((head, "for"), rows, flexible=(1,))
