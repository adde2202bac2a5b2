"""The demo's second act: a wave on a simulated tenant, contained by a worker, judged and released by people."""

from __future__ import annotations

import csv
import json
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from workflow.cli import demo_files as files
from workflow.cli.demo_stage import LAST
from workflow.cli.exits import Exit
from workflow.providers.simulated.scenario import NAMED

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from workflow.cli.demo_stage import Stage
    from workflow.providers.microsoft365.tenant import Microsoft365
    from workflow.providers.simulated.served import Served

WAVE = NAMED["wave"]
FEWEST = max(WAVE.fates)
"""The smallest wave in which everything happens that the act shows."""
BACK = next(number for number, fate in WAVE.fates.items() if fate.returns_after)
"""The number of the account whose attacker comes back."""
SEED = 1
TENANT = "contoso.example"
SHIFT = "--label first-shift --yes"
TICKET = "INC-2044"
REACHED = 24
"""How many owners are reached in the first shift."""


@contextmanager
def connected(stage: Stage, accounts: int) -> Iterator[Served]:
    """Serve a simulated tenant and connect the stage to it, with its clock for the stage's, until the block ends."""
    from workflow.providers.simulated.served import Served
    from workflow.providers.simulated.simulator import Simulator

    scenario = replace(WAVE, users=2 * accounts, restricted=accounts)
    settings = stage.folder / "home" / "config" / "config.toml"
    alone = settings.read_text(encoding="utf-8")
    with Served(Simulator(scenario, SEED, stage.now)) as tenant:
        told = files.connected_settings(alone, TENANT, tenant.simulator.tenant.id, tenant.url)
        settings.write_text(told, encoding="utf-8")
        stage.connect(tenant.now, tenant.wait, lambda: _provider(tenant))
        try:
            yield tenant
        finally:
            stage.leave()
            settings.write_text(alone, encoding="utf-8")


def _provider(tenant: Served) -> Microsoft365:
    """Return the product's own connection to Microsoft 365 as the settings say, in the simulated tenant's time."""
    from workflow.app import connection_of
    from workflow.providers.microsoft365.pace import Pace
    from workflow.providers.microsoft365.tenant import Microsoft365
    from workflow.settings import load_settings

    pace = Pace(now=lambda: tenant.now().timestamp(), wait=tenant.wait)
    return Microsoft365(connection_of(load_settings()), tenant.now, pace=pace)


def play(stage: Stage, accounts: int) -> None:
    """Play the act with so many restricted accounts."""
    with connected(stage, accounts) as tenant:
        _contain(stage)
        _judge(stage, tenant, _divided(stage, tenant))
        _unblock(stage)
        _afterwards(stage, tenant)


def _contain(stage: Stage) -> None:
    """The worker polls the tenant, opens the cases, contains the accounts and verifies what it can read."""
    stage.run("ana", "worker --once", bar="The worker")
    stage.run("ana", f"case list --tenant {TENANT} --limit 8 --sort number")


def _divided(stage: Stage, tenant: Served) -> list[str]:
    """Label the accounts whose owners are reached in the first shift; the others stay shut and wait. Returns them."""
    found = _listed(stage, f"--kind mailbox --tenant {TENANT} --sort number")
    people = tenant.people()
    told_of = [people[number]["upn"] for number in WAVE.fates]
    others = [case for case in found if case["entity"] not in told_of]
    chosen = [case for case in found if case["entity"] in told_of] + others[: REACHED - len(told_of)]
    numbers = ",".join(str(case["number"]) for case in chosen)
    stage.run("ana", f"case label {numbers} --add first-shift --yes", last=LAST)
    return [case["entity"] for case in chosen]


def _judge(stage: Stage, tenant: Served, reached: Collection[str]) -> None:
    """People answer what no interface tells, while somebody goes past everybody in the portal; the worker tells who."""
    for person in tenant.people():
        if person["synced"] and person["attacked"] and person["upn"] in reached:
            tenant.control("on-premises/password", user=person["upn"])
    for wanted in ("attacker-methods-removed", "app-consents-reviewed"):
        stage.run("ana", f"case contain --missing {wanted} {wanted} {SHIFT}", last=LAST)
    write_results(stage, "judged.csv")
    stage.run("ana", "case record --from judged.csv --yes", last=LAST)
    stage.later(minutes=45)
    stage.run("ana", "worker --once", bar="The worker")
    stage.run("ana", "case list --all --label first-shift --resolution unblocked_outside")
    stage.run("ana", "ledger reconcile --tenant-log --record --quiet", last=LAST)
    for name in reached:
        tenant.control("portal/sign-in", user=name, enabled=True)
    answered = "sign-in-enabled mfa-reregistered"
    stage.run("ana", f"case record --state verified {answered} --ref {TICKET} {SHIFT}", last=LAST)


def _unblock(stage: Stage) -> None:
    """One asks for all, another approves, the worker unblocks and looks until the restriction is seen gone."""
    stage.run("ben", f"case request-unblock --state verified {SHIFT} --reason 'Cleaned up.'", Exit.REFUSED, last=LAST)
    stage.run("cleo", f"case approve --state unblock_requested {SHIFT}", last=LAST)
    stage.run("ana", "worker --once", bar="The worker")
    stage.later(minutes=30)
    stage.run("ana", "worker --once", bar="The worker")
    stage.run("ana", "case list --state unblock_requested")
    stage.later(minutes=15)
    stage.run("ana", "worker --once", bar="The worker")


def _afterwards(stage: Stage, tenant: Served) -> None:
    """In the night one attacker is back, and a day after its approval one unblock is overdue."""
    stage.later(hours=14)
    stage.run("ana", "tenant poll --quiet")
    stage.run("ana", f"case view {tenant.people()[BACK]['upn']}")
    stage.later(hours=12)
    stage.run("ana", "case list --state unblock_requested")


def write_results(stage: Stage, name: str) -> None:
    """Write what a team's own script would: an answer to everything that the worker left open."""
    with (stage.folder / name).open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("case", "id", "result", "reference"))
        for case in _listed(stage, "--state detected --label first-shift"):
            for wanted in case["missing"]:
                none = wanted == "app-passwords-removed"
                rows.writerow((case["entity"], wanted, "not-applicable" if none else "met", TICKET))


def _listed(stage: Stage, which: str) -> list[dict[str, Any]]:
    """Return cases as a script would read them."""
    found: list[dict[str, Any]] = json.loads(stage.read("ana", f"case list {which} --limit 500 --json"))["cases"]
    return found
