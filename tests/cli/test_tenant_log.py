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


def test_what_others_did_to_an_account(case: Shell) -> None:
    """Told beside listings, with the command that records it; on record it is accounted for, and told once."""
    tenant = case.connect()
    tenant.log.append(
        AuditEvent(
            id="c1", at=case.now, operation="Enable account.", actor="sam\x1b@contoso.com", target="Ada@contoso.com"
        )
    )
    ran = case("ledger reconcile --tenant-log")
    table = case("ledger reconcile --tenant-log --csv").out.splitlines()[1]
    recorded = case.ok("ledger reconcile --tenant-log --record --as ana")
    again = case.ok("ledger reconcile --tenant-log --record --json --as ana").data

    assert (9, True) == (ran.code, "audit record c1: OUTSIDE: sign-in-allowed ada@contoso.com" in ran.out)
    assert "by sam @contoso.com (no change of ours explains it, case #1)" in ran.out
    assert "next: holdfast ledger reconcile --tenant-log --record" in ran.out
    assert table.startswith("outside,sign-in-allowed,")
    assert "audit record c1: changed-outside case #1" in recorded.err
    assert "outside: sign-in-allowed ada@contoso.com" in recorded.out
    assert "All is accounted for." in recorded.out
    assert ([], 1) == (again["recorded"]["found"], again["recorded"]["counts"]["known"])
    assert [("outside", "sign-in-allowed", True)] == [
        (item["account"], item["event"], item["recorded"]) for item in again["events"]
    ]
    assert "changed outside Holdfast: sign-in-allowed, ada@contoso.com" in case.ok("case history 1").out
    assert "changed-outside, an account of a case was changed outside" in case.ok("case exceptions").out
    assert "changed outside Holdfast" in case.ok("case report 1").out


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


def test_over_http_what_is_ours_is_told_from_what_others_did(shell: Shell, calm: Site) -> None:
    """Contained by us, then an attacker's rule and the portal's: as the log of a simulated tenant has it."""
    look = "ledger reconcile --tenant-log --record --json --as ana"
    run(shell, calm, "tenant poll --as ana")
    (case,) = (item for item in run(shell, calm, "case list --json").data["cases"] if item["entity"] == calm.ada)
    number = case["number"]
    run(shell, calm, f"case identity {number} {calm.ada} --as ana")
    run(shell, calm, f"case contain {number} --yes --as ana")
    account = calm.simulator.tenant.find(calm.ada)
    assert account is not None
    calm.simulator.tenant.attacker.does(account, ("rule", "consent", "forwarding"), calm.simulator.tenant.now())
    calm.simulator.tenant.set_enabled(account, PORTAL, calm.simulator.tenant.now(), enabled=True)
    calm.simulator.tenant.clock.advance(5 * 3600)
    told = run(shell, calm, look).data
    mine = [item for item in told["events"] if item["case_number"] == number]

    assert {"rule-set", "consent-given", "forwarding-set", "sign-in-allowed"} == {
        item["event"] for item in told["recorded"]["found"] if item["outcome"] == "changed-outside"
    }
    assert {"sign-in-blocked", "password-set", "sessions-revoked"} <= {
        item["event"] for item in mine if item["account"] == "tracked"
    }
    assert [] == run(shell, calm, look).data["recorded"]["found"]
    run(shell, calm, "ledger verify")
