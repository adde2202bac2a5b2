"""``holdfast tenant permissions`` and ``probe``: what a connection needs, and what it finds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from workflow.cli.exits import Exit
from workflow.cli.output import as_json, hint, say, table
from workflow.cli.paths import FileName
from workflow.cli.progress import progress_bar
from workflow.cli.session import Session, Verb
from workflow.cli.text import visible
from workflow.errors import SettingsError

if TYPE_CHECKING:
    from workflow.providers.grants import Grant, Grants
    from workflow.providers.microsoft365.probe import Finding, Report

_SCRIPT = FileName(stream=True, path_type=Path)
FEATURES = ("check", "contain", "unblock", "roles")


@click.command(cls=Verb)
@click.option(
    "--for",
    "features",
    type=click.Choice(FEATURES),
    multiple=True,
    help="What Holdfast is to do: check, contain and unblock by default. Reading comes with the others.",
)
@click.option("--script", metavar="FILE", type=_SCRIPT, help="Write the set-up script; - prints it.")
@click.pass_obj
def permissions(session: Session, features: tuple[str, ...], script: Path | None) -> None:
    """List the least that Holdfast needs in the tenant, as it signs in by the setting m365_sign_in.

    The script sets it up: the application with its certificate, or the managed identity, permissions with consent, and
    an Exchange role group that may run the cmdlets needed and no others. With an application of its own for --for
    check, a stolen key can do less; with --for roles it could make its holder administrator of everything, so that is
    never granted unasked.
    """
    from workflow.providers.grant_script import script as set_up
    from workflow.providers.grants import USUAL, Feature, grants
    from workflow.providers.ways import Way

    needed = grants([Feature(name) for name in features] or USUAL, Way(session.settings.m365_sign_in))
    if script is not None:
        _write(session, script, set_up(needed))
    elif session.as_json:
        as_json(_data(needed))
    else:
        _show(needed)


@click.command(cls=Verb)
@click.option("--user", metavar="UPN", default="", help="An account to look at; without one, only the tenant is.")
@click.option("--audit-log", is_flag=True, help="Search the audit log too: minutes, and the search stays listed.")
@click.option("--for", "features", type=click.Choice(FEATURES), multiple=True, help="As for 'tenant permissions'.")
@click.pass_context
def probe(ctx: click.Context, user: str, audit_log: bool, features: tuple[str, ...]) -> None:
    """Ask the connected tenant everything that reads, and change nothing.

    Prints what answered, what was refused and why, and which permissions are missing or more than needed. With --json
    also the shape of every answer. Made to be shown to others: no value, name, address or token is in it. Exits with 1
    when something is missing or did not answer.
    """
    from workflow.providers.grants import USUAL, Feature
    from workflow.providers.microsoft365.probe import probe as ask
    from workflow.providers.microsoft365.tenant import Microsoft365

    session: Session = ctx.obj
    tenant = session.app.provider
    if not isinstance(tenant, Microsoft365):
        raise SettingsError("No tenant is connected: set HOLDFAST_PROVIDER=microsoft365 and the settings beside it.")
    wanted = tuple(Feature(name) for name in features) or USUAL
    with progress_bar("Asking") as step:
        report = ask(tenant, session.app.now(), user, audit_log=audit_log, features=wanted, step=step)
    if session.as_json:
        as_json(report.to_data())
    else:
        _report(report)
    if not report.well:
        ctx.exit(Exit.ERROR)


def _report(report: Report) -> None:
    rows = [(finding.operation, finding.outcome, ", ".join(_calls(finding))) for finding in report.findings]
    table(("operation", "outcome", "calls"), rows, flexible=(2,))
    for finding in report.findings:
        if finding.said and finding.outcome != "skipped":
            say(f"{finding.operation}: {visible(finding.said)}", colour="yellow")
    for service, names in report.held.items():
        say(f"permissions for {service}: {visible(', '.join(names) or 'none in the token')}")
    if report.roles:
        say(f"directory roles: {visible(', '.join(report.roles))}")
    for service, why in report.errors.items():
        say(f"no token for {service}: {visible(why)}", colour="red")
    if report.missing:
        say(f"missing: {', '.join(report.missing)}", bold=True)
        hint("How to grant them: holdfast tenant permissions --script FILE")
    if report.excess:
        say(f"more than needed: {visible(', '.join(report.excess))}", bold=True)
    if any(finding.outcome == "skipped" for finding in report.findings):
        hint("Skipped: --user UPN looks at an account, --audit-log searches the log.")


def _calls(finding: Finding) -> list[str]:
    """Return the calls of an operation with what came of each; pages of one list are one call."""
    return list(dict.fromkeys(f"{seen.call} {seen.status}" for seen in finding.seen))


def _write(session: Session, path: Path, text: str) -> None:
    from workflow.storage.files import write_named

    if str(path) == "-":
        click.echo(text, nl=False)
        return
    write_named(path, text)
    if session.as_json:
        as_json({"script": str(path)})
    else:
        say(f"Wrote {visible(path)}. Read it, then run it where you administer the tenant.", bold=True)


def _data(needed: Grants) -> dict[str, object]:
    def plain(grants: tuple[Grant, ...], name: str) -> list[dict[str, object]]:
        return [{name: grant.permission, "operations": list(grant.operations)} for grant in grants]

    return {
        "features": [feature.value for feature in needed.features],
        "sign_in": needed.way.value,
        "graph": plain(needed.graph, "permission"),
        "exchange": {"permission": needed.exchange, "cmdlets": plain(needed.cmdlets, "cmdlet")},
        "roles": plain(needed.roles, "role"),
    }


def _show(needed: Grants) -> None:
    from workflow.providers.grants import FEATURES as TITLES

    kind = "delegated permission" if needed.by_person else "permission"
    say("To " + "; ".join(TITLES[feature] for feature in needed.features) + ":", bold=True)
    say()
    _table(f"Microsoft Graph {kind}", needed.graph)
    say()
    say(f"Office 365 Exchange Online {kind} {needed.exchange}, and an Exchange role group with these cmdlets:")
    say()
    _table("cmdlet", needed.cmdlets)
    if needed.roles:
        say()
        say(f"And for {'whoever signs in' if needed.by_person else 'the application'}, Microsoft's roles:")
        say()
        _table("role", needed.roles)
    hint("The script that sets this up: holdfast tenant permissions --script FILE")


def _table(head: str, grants: tuple[Grant, ...]) -> None:
    rows = [(grant.permission, " ".join(grant.operations)) for grant in grants]
    table((head, "for"), rows, flexible=(1,))
