"""``holdfast tenant``: what is true of a whole tenant, recorded once for all its cases, and how it is connected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from workflow.cli.lazy import InOrder
from workflow.cli.moments import length
from workflow.cli.output import as_csv, as_json, fields, hint, say, table, warn
from workflow.cli.people import named
from workflow.cli.places import folded
from workflow.cli.session import Session, Verb, interactive
from workflow.cli.tenant_connect import permissions, probe
from workflow.cli.tenant_poll import poll
from workflow.cli.tenant_serve import serve
from workflow.cli.text import visible
from workflow.domain.vocabulary import Result, TenantFact

if TYPE_CHECKING:
    from workflow.services.tenants import FactView

FACT = click.argument("fact", type=click.Choice([item.value for item in TenantFact]), metavar="FACT")
TENANT = click.option(
    "--tenant", "place", metavar="NAME", default="", callback=folded, help="Which tenant, unless the settings' own."
)

COLUMNS = (
    *("tenant", "fact", "title", "standing", "result", "by", "claimed", "observed_at", "recorded_at", "expires_at"),
    *("reference", "note", "value", "sequence"),
)
"""The columns of ``--csv`` for facts."""


class Facts(Verb):
    """A command whose help ends with the facts there are."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the facts."""
        del ctx
        from workflow.services.tenants import TITLES

        formatter.write_paragraph()
        formatter.write("FACT is one of:\n\n")
        formatter.write_dl([(fact.value, title) for fact, title in TITLES.items()])


@click.group(cls=InOrder, order=("record", "list", "view", "retract"))
def tenant() -> None:
    """Connect to the tenant, and record once what is true of all of it.

    Every case that asks for a recorded fact is answered with it, while it is valid.
    """


tenant.add_command(permissions)
tenant.add_command(probe)
tenant.add_command(poll)
tenant.add_command(serve)


@tenant.command(cls=Facts)
@FACT
@click.option(
    "--result",
    type=click.Choice([Result.MET.value, Result.NOT_MET.value, Result.UNABLE_TO_VERIFY.value]),
    default=Result.MET.value,
    show_default=True,
    help="What was found.",
)
@click.option("--valid", metavar="LENGTH", default="30d", show_default=True, help="How long it counts; at most 90d.")
@click.option("--ref", metavar="TEXT", default="", help="Where it can be checked: a ticket, a log, an address.")
@click.option("--note", metavar="TEXT", default="", help="Anything worth saying. Never a password or a token.")
@click.option("--value", metavar="TEXT", default="", help="The value that was read, such as the recipients.")
@click.option("--at", metavar="TIME", help="When it was seen; now by default. A time without zone is local.")
@TENANT
@click.pass_obj
def record(
    session: Session,
    /,
    *,
    fact: str,
    result: str,
    valid: str,
    ref: str,
    note: str,
    value: str,
    at: str | None,
    place: str,
) -> None:
    """Record a fact about the tenant.

    It answers the prerequisites that ask for it in every open case and in every case opened later, until it has run
    out or is retracted. Recording it again prolongs it. What is met says where it can be checked (--ref), which a
    terminal asks for, or how it is known (--note).
    """
    from workflow.services.tenants import Found
    from workflow.services.tenants import record as record_fact

    if result == Result.MET.value and not (ref or note or session.as_json) and interactive():
        ref = click.prompt("Where can it be checked? (a ticket, a log, an address)")
    found = Found(
        fact=TenantFact(fact),
        result=Result(result),
        observed_at=session.time(at) if at else session.app.now(),
        valid=length(valid),
        reference=ref,
        note=note,
        value=value,
    )
    known, answered = record_fact(session.app, session.who, found, place)
    warn(session.app.warnings)
    if session.as_json:
        as_json({"fact": known.to_data(), "cases_answered": answered})
        return
    say(f"{known.fact}: {known.standing}, counts until {session.local(known.expires_at)}", bold=True)
    say(f"  answered in {answered} open {'case' if answered == 1 else 'cases'}, and in every case opened until then")


@tenant.command(cls=Facts)
@FACT
@click.option("--reason", metavar="TEXT", default="", help="Why it is no longer so.")
@TENANT
@click.pass_obj
def retract(session: Session, fact: str, reason: str, place: str) -> None:
    """Take a fact back, and what it answered in open cases."""
    from workflow.services.tenants import retract as retract_fact

    taken_back = retract_fact(session.app, session.who, TenantFact(fact), reason, place)
    if session.as_json:
        as_json({"fact": fact, "cases_retracted": taken_back})
        return
    say(f"{fact}: retracted", bold=True)
    say(f"  taken back in {taken_back} open {'case' if taken_back == 1 else 'cases'}")


@tenant.command("list", cls=Verb)
@TENANT
@click.option("--csv", "wants_csv", is_flag=True, help="Print CSV, times in UTC.")
@click.pass_obj
def list_(session: Session, place: str, wants_csv: bool) -> None:
    """List the facts, and how each stands."""
    from workflow.services.tenants import list_ as list_facts

    if wants_csv and session.as_json:
        raise click.UsageError("Choose --csv or --json.")
    found = list_facts(session.app, place)
    if session.as_json:
        as_json({"facts": [item.to_data() for item in found]})
        return
    if wants_csv:
        as_csv(COLUMNS, [item.to_data() for item in found])
        return
    rows = [(item.fact, item.standing, _until(session, item), _by(item), item.reference) for item in found]
    table(("fact", "standing", "counts until", "recorded by", "reference"), rows, flexible=(4, 3))
    if all(item.standing == "unrecorded" for item in found):
        hint("Record one with: holdfast tenant record audit-logging --ref WHERE")


@tenant.command(cls=Facts)
@FACT
@TENANT
@click.pass_obj
def view(session: Session, fact: str, place: str) -> None:
    """Show one fact in full."""
    from workflow.services.tenants import view as view_fact

    found = view_fact(session.app, TenantFact(fact), place)
    if session.as_json:
        as_json(found.to_data())
        return
    say(f"{found.fact}: {found.standing}", bold=True)
    fields(
        [
            ("what", found.title),
            ("tenant", visible(found.tenant)),
            ("result", found.result),
            ("recorded by", _by(found)),
            ("seen", session.local(found.observed_at) if found.observed_at else ""),
            ("counts until", _until(session, found)),
            ("reference", visible(found.reference)),
            ("value", visible(found.value)),
            ("note", visible(found.note)),
            ("log entry", "" if found.sequence is None else str(found.sequence)),
        ],
        "  ",
    )


def _until(session: Session, found: FactView) -> str:
    return session.local(found.expires_at) if found.expires_at else ""


def _by(found: FactView) -> str:
    return named(found.by, found.claimed) if found.by else ""
