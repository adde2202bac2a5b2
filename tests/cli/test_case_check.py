"""``holdfast case check``: what is printed of what the tenant said, for one case and for many."""

from __future__ import annotations

from tests.cli.shell import Shell
from workflow.errors import NotReachedError, NotReadableError
from workflow.providers.shapes import Forwarding, RoleAssignment

ADA, EVE = "ada@contoso.com", "eve@contoso.com"


def test_one_case_is_checked(case: Shell) -> None:
    """Each finding is one line; values before and notes stand below it, and hostile text does no harm."""
    account = case.connect().add(ADA)
    account.forwarding = Forwarding(external="x@evil.example\x1b[31m")
    case.connect().accounts[ADA] = account
    ran = case.ok("case check 1 forwarding-reviewed admin-roles-reviewed --as ana")
    assert "  forwarding-reviewed: not-met: x@evil.example [31m" in ran.out
    assert "  admin-roles-reviewed (ada@contoso.com): met: none" in ran.out
    assert "    note: Not looked at: eligible roles" in ran.out
    assert "\x1b" not in ran.out
    account.forwarding = Forwarding()
    ran = case.ok("case check 1 forwarding-reviewed --as ana")
    assert "  forwarding-reviewed: met: none\n    before: x@evil.example [31m" in ran.out
    assert "checked" == next(
        step["method"] for step in case.view()["prerequisites"] if step["id"] == "forwarding-reviewed"
    )


def test_checks_are_data(case: Shell) -> None:
    """With --json what was found is an array beside the case and its entries."""
    tenant = case.connect()
    tenant.add(ADA)
    tenant.faults["roles"] = NotReadableError("no licence")
    data = case.ok("case check 1 admin-roles-reviewed mfa-enabled --json --as ana").data
    assert [("mfa-enabled", "met", True), ("admin-roles-reviewed", "unable-to-verify", True)] == [
        (item["prerequisite"], item["result"], item["recorded"]) for item in data["checks"]
    ]
    assert ["evidence:recorded"] * 2 == [entry["type"] for entry in data["entries"]]


def test_an_unreachable_tenant_is_no_reading(case: Shell) -> None:
    """Where no check got an answer nothing is recorded; where some did, those are, and the others are named."""
    tenant = case.connect()
    tenant.add(ADA)
    before = case.view()["version"]
    lost = NotReachedError("no answer (ConnectError).")
    answering: set[str] = set()

    def watch(operation: str) -> None:
        if operation not in answering:
            raise lost

    tenant.watch = watch
    for _ in range(2):
        ran = case("case check 1 --as ana")
        assert (1, "", True) == (ran.code, ran.out, "no answer (ConnectError)" in ran.err)
    assert "not_reached" == case("case check 1 --json --as ana").data["error"]["code"]
    assert before == case.view()["version"]
    answering.add("forwarding")
    ran = case("case check 1 forwarding-reviewed delegates-reviewed --as ana")
    assert (1, True) == (ran.code, "1 of 2 could not be read: delegates-reviewed: no answer" in ran.err)
    ran = case("case check 1 forwarding-reviewed delegates-reviewed --json --as ana")
    assert (1, ["delegates-reviewed: no answer (ConnectError)."]) == (ran.code, ran.data["unread"])
    assert [False, True] == [item["unread"] for item in ran.data["checks"]]
    ran = case("case check --state detected --as ana")
    assert (1, True) == (ran.code, "1 error." in ran.out)


def test_nothing_to_check_is_said(shell: Shell) -> None:
    """A playbook whose steps are all for people or answered leaves nothing to read."""
    shell.connect()
    shell.ok("case open 0f0e0d0c-0b0a-0908-0706-050403020100 --kind connector --as ana")
    shell.ok("tenant record audit-logging --valid 30d --ref T-1 --as ana")
    assert "There is nothing here that Holdfast can check." in shell.ok("case check 1 --as ana").out


def test_many_cases_are_checked(shell: Shell) -> None:
    """A filter checks each case by itself; a fault of one is told beside the others."""
    tenant = shell.connect()
    for name in (ADA, EVE):
        tenant.add(name)
        shell.ok(f"case open {name} --restricted-at -1h --as ana")
    tenant.accounts[EVE].roles = (RoleAssignment(id="1", role="x"),)
    ran = shell.ok("case check --state detected --as ana")
    assert "2 done." in ran.out
    assert (1, 2) == (tenant.counts["audit_posture"], tenant.counts["roles"])
    ran = shell("case check 1,9 admin-roles-reviewed --as ana")
    assert (5, True, True) == (ran.code, "1 done, 1 not found." in ran.out, "#1 ada" in ran.out)


def test_without_a_tenant_a_person_looks(case: Shell) -> None:
    """Nothing is connected by default; the message says what to do."""
    ran = case("case check 1 --as ana")
    assert (1, True) == (ran.code, "holdfast case record" in ran.err)
