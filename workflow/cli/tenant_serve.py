"""``holdfast tenant serve``: a simulated tenant on this machine, to try everything without a real one."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from workflow.cli.output import as_json, fields, hint, say
from workflow.cli.paths import FileName
from workflow.cli.session import Session, Verb

if TYPE_CHECKING:
    from workflow.providers.simulated.scenario import Scenario
    from workflow.providers.simulated.server import Server

_SEEDS = click.IntRange(0, 2**63 - 1)


class Scenarios(Verb):
    """A command whose help ends with the scenarios there are."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the scenarios."""
        del ctx
        from workflow.providers.simulated.scenario import NAMED

        formatter.write_paragraph()
        formatter.write("NAME is one of:\n\n")
        formatter.write_dl([(item.name, item.about) for item in NAMED.values()])


@click.command(cls=Scenarios)
@click.option("--port", type=click.IntRange(0, 65535), default=8365, show_default=True, help="0 for any that is free.")
@click.option("--seed", type=_SEEDS, default=1, show_default=True, help="What all chance is drawn from.")
@click.option(
    "--scenario",
    "name",
    metavar="NAME|FILE",
    type=FileName(),
    default="calm",
    show_default=True,
    help="How it behaves.",
)
@click.option("--users", type=click.IntRange(1, 200_000), help="How many accounts, unless the scenario says.")
@click.option("--restricted", type=click.IntRange(0, 200_000), help="How many of them are restricted at the start.")
@click.option(
    "--time-factor",
    type=click.FloatRange(0, 1_000_000),
    default=1.0,
    show_default=True,
    help="Virtual seconds per second; 0 for a clock that only calls and the control API move.",
)
@click.pass_obj
def serve(
    session: Session, *, port: int, seed: int, name: str, users: int | None, restricted: int | None, time_factor: float
) -> None:
    """Serve a simulated tenant to this machine alone until Ctrl-C.

    It answers as the sign-in service, the Exchange gateway and Microsoft Graph do. With --time-factor 0 the same seed,
    scenario and calls give the same answers, to the byte.
    """
    from time import monotonic

    from workflow.providers.simulated.scenario_file import scenario
    from workflow.providers.simulated.server import Server
    from workflow.providers.simulated.simulator import Simulator

    found = sized(scenario(name), users, restricted)
    simulator = Simulator(found, seed, session.now(), time_factor, monotonic if time_factor else None)
    server = Server(simulator, port)
    announce(server, json=session.as_json)
    try:
        server.serve_forever(poll_interval=0.1)
    except KeyboardInterrupt:
        hint("Stopped.")
    finally:
        server.waiter.set()
        server.server_close()


def sized(found: Scenario, users: int | None, restricted: int | None) -> Scenario:
    """Return the scenario with the numbers that were asked for; nobody is restricted who is not there."""
    count = found.users if users is None else users
    wanted = found.restricted if restricted is None else restricted
    return replace(found, users=count, restricted=min(wanted, count - 1))


def announce(server: Server, *, json: bool) -> None:
    """Print where a simulated tenant answers, and what it holds."""
    tenant = server.simulator.tenant
    about = {
        "url": server.url,
        "tenant": tenant.id,
        "scenario": tenant.scenario.name,
        "seed": server.simulator.seed,
        "users": len(tenant.accounts),
        "restricted": len(tenant.restrictions.rows),
    }
    if json:
        as_json(about)
    else:
        say(f"A simulated tenant answers at {server.url}", bold=True)
        fields([(name, str(value)) for name, value in about.items() if name != "url"], "  ")
        hint(f"Look into it at {server.url}/simulator/ and stop it with Ctrl-C.")
    # Whoever reads this through a pipe waits for it.
    sys.stdout.flush()
