"""``holdfast ledger reconcile --tenant-log``: the connected tenant's own log, by hand and over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.cli.shell import Ran, Shell
from tests.providers.test_contract import Site, site
from workflow.errors import ProviderBusyError
from workflow.providers.shapes import AuditEvent, Restricted
from workflow.providers.simulated.founding import PORTAL, portal_unblock

EVE = "eve@contoso.com"


def listed(shell: Shell, name: str, event: str = "Listed", number: int = 1) -> AuditEvent:
    """Return the record of a listing."""
    details = (("Event", event), ("EventValue", name))
    return AuditEvent(
        id=f"h{number}", at=shell.now, operation="HygieneTenantEvents", actor=name, target=name, details=details
    )


def test_the_log_is_asked_and_nothing_is_written(case: Shell) -> None:
    """The report of a file, each record under its own name; the findings differ until they are recorded."""
    tenant = case.connect()
    tenant.removed("ada@contoso.com", "sam@contoso.com")
    tenant.log.append(listed(case, EVE))
    tenant.log.append(listed(case, "odd\x1b[2J", number=2))
    before = case.view()["version"]
    ran = case("ledger reconcile --tenant-log")

    assert 1 == ran.code
    assert "audit record audit-1: OUTSIDE: removed ada@contoso.com" in ran.out
    assert "audit record h1: UNTRACKED: listed eve@contoso.com" in ran.out
    assert "next: holdfast case open --restricted-at 2025" in ran.out
    assert "audit record h2: unreadable" in ran.err
    assert "\x1b" not in ran.out + ran.err
    assert "recorded" not in case("ledger reconcile --tenant-log --json").data
    assert before == case.view()["version"]


def test_what_is_recorded_is_accounted_for(case: Shell) -> None:
    """Exit code 0 then, and the second time nothing is left to record; as JSON with what became of each event."""
    tenant = case.connect()
    tenant.removed("ada@contoso.com", "sam@contoso.com")
    tenant.log.append(listed(case, EVE))
    ran = case.ok("ledger reconcile --tenant-log --record --as ana")
    again = case.ok("ledger reconcile --tenant-log --record --json --as ana").data

    assert "outside: removed ada@contoso.com" in ran.out
    assert "All is accounted for." in ran.out
    assert "audit record audit-1: recorded case #1" in ran.err
    assert "audit record h1: opened case #2" in ran.err
    assert ({"known": 2}, []) == (
        {name: number for name, number in again["recorded"]["counts"].items() if number},
        again["recorded"]["found"],
    )
    assert "Nothing had to be recorded." in case.ok("ledger reconcile --tenant-log --record --as ana").err
    assert "sam@contoso.com" in case.ok("case history 1").out


def test_what_was_left_is_told_with_the_reason(case: Shell) -> None:
    """And differs still, so that whoever calls it knows."""
    tenant = case.connect()
    tenant.listed["ada@contoso.com"] = Restricted(identifier="ada@contoso.com")
    tenant.removed("ada@contoso.com", "sam@contoso.com")
    tenant.faults["restriction"] = ProviderBusyError("try later")
    ran = case("ledger reconcile --tenant-log --record --as ana")

    assert (9, True) == (ran.code, "left case #1 (try later)" in ran.err)


@pytest.mark.parametrize(
    "words",
    [
        "ledger reconcile",
        "ledger reconcile ual.csv --tenant-log",
        "ledger reconcile ual.csv --record",
        "ledger reconcile --tenant-log --tenant other",
        "ledger reconcile --tenant-log --taken-at 2025-06-11",
    ],
)
def test_files_or_the_tenant(case: Shell, words: str) -> None:
    """One or the other, each with the options that belong to it."""
    assert 2 == case(words).code


def test_without_a_tenant_both_ways_are_named(case: Shell) -> None:
    """An export, or the setting."""
    ran = case("ledger reconcile --tenant-log")

    assert (1, True) == (ran.code, "HOLDFAST_PROVIDER" in ran.err)


@pytest.fixture
def calm() -> Iterator[Site]:
    """A simulated tenant that answers over HTTP."""
    with site() as found:
        yield found


def run(shell: Shell, calm: Site, line: str) -> Ran:
    """Run a command as a process of its own, with a connection of its own, at the tenant's time."""
    with closing(Site(calm.server).provider) as shell.tenant:
        shell.now = calm.simulator.tenant.now()
        return shell.ok(line)


def test_over_http_an_unblock_in_the_portal_is_found(shell: Shell, calm: Site) -> None:
    """Removed by hand and gone an hour later, as the log of a simulated tenant has it: one case, one name, once."""
    simulated, look = calm.simulator.tenant, "ledger reconcile --tenant-log --record --json --as ana"
    run(shell, calm, "tenant poll --as ana")
    portal_unblock(simulated, "mailbox", calm.ada, simulated.now())
    simulated.clock.advance(3 * 3600)
    found = run(shell, calm, look).data["recorded"]["found"]
    (number,) = {item["case_number"] for item in found}

    assert [("removed", "recorded", PORTAL.name)] == [(item["event"], item["outcome"], item["by"]) for item in found]
    assert "unblocked_outside" == shell.view(number)["resolution"]
    assert [] == run(shell, calm, look).data["recorded"]["found"]
    run(shell, calm, "ledger verify")
