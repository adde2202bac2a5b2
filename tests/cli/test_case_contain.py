"""``holdfast case contain`` and ``restore``: what is asked, told and printed, and how it ends."""

from __future__ import annotations

import io
import sys

import pytest

from tests.cli.shell import Shell
from tests.services.tenant import Tenant
from workflow.cli.run import run
from workflow.errors import DatabaseBusyError, NotReachedError, OutcomeUnknownError, ProviderRefusedError
from workflow.providers.shapes import Forwarding, Restricted, RoleAssignment

ADA, EVE = "ada@contoso.com", "eve@contoso.com"
PASSWORD = "Tr0ub4dor-and-3"


@pytest.fixture
def tenant(case: Shell) -> Tenant:
    """The tenant of the one case: Ada's mailbox forwards to somebody, and she has a role."""
    found = case.connect()
    account = found.add(ADA)
    account.forwarding = Forwarding(external="x@evil.example\x1b[2J")
    account.roles = (RoleAssignment(id="r1", role="x", name="User Administrator"),)
    return found


class Terminal(io.StringIO):
    """A screen."""

    def isatty(self) -> bool:
        """Say that somebody watches."""
        return True


def test_a_dry_run_changes_nothing(case: Shell, tenant: Tenant) -> None:
    """What would be done is printed, as words and as data; hostile names do no harm."""
    ran = case.ok("case contain 1 --dry-run --as ana")
    assert "  forwarding-reviewed: ada@contoso.com: clear the forwarding to x@evil.example [2J\n" in ran.out
    data = case.ok("case contain 1 --dry-run --json --as ana").data
    assert ["block-sign-in", "reset-password", "revoke-sessions", "clear-forwarding"] == [
        step["change"] for step in data["plan"]
    ]
    assert tenant.accounts[ADA].user.enabled
    tenant.faults["user"] = ProviderRefusedError("no")
    ran = case("case contain 1 --dry-run --as ana")
    assert (1, True) == (ran.code, "Could not be looked at: account-disabled: no" in ran.err)
    assert ran.out.endswith("Nothing was changed. To do it: holdfast case contain 1 --yes\n")


def lose(tenant: Tenant) -> None:
    """Have every operation of the tenant be lost on its way."""
    lost = NotReachedError("no answer (ConnectError).")

    def watch(_operation: str) -> None:
        raise lost

    tenant.watch = watch


def test_an_unreachable_tenant_contains_nothing_and_says_so(case: Shell, tenant: Tenant) -> None:
    """What could not be looked at is named, the exit code is that of the provider, and nothing is recorded."""
    lose(tenant)
    before = case.view()["version"]
    ran = case("case contain 1 --yes --as ana")
    assert (1, True) == (ran.code, "Could not be looked at: account-disabled: no answer" in ran.err)
    assert "could not be looked at, and nothing was changed" in ran.err
    ran = case("case contain 1 --yes --json --as ana")
    assert (1, []) == (ran.code, ran.data["changes"])
    assert {"account-disabled: no answer (ConnectError).", "snapshot-taken: no answer (ConnectError)."} <= set(
        ran.data["unread"]
    )
    ran = case("case contain --state detected --yes --as ana")
    assert (1, True, False) == (ran.code, "1 error." in ran.out, "done" in ran.out)
    assert before == case.view()["version"]


def test_a_dry_run_that_cannot_look_knows_nothing(case: Shell, tenant: Tenant) -> None:
    """That nothing is to be changed is said only where it is known, of one case and of many."""
    lose(tenant)
    for which in ("1", "--state detected"):
        ran = case(f"case contain {which} --dry-run --as ana")
        assert (1, True) == (ran.code, "it is not known what it would change" in ran.out), ran
        assert "There is nothing" not in ran.out
        assert "Nothing was changed. To do it" not in ran.out
        assert 1 == case(f"case contain {which} --dry-run --json --as ana").code


def test_changes_stand_when_what_holds_afterwards_cannot_be_read(case: Shell, tenant: Tenant) -> None:
    """The change is told with its password all the same, and what was not seen is named."""

    def watch(operation: str) -> None:
        if tenant.counts["reset_password"] and operation != "reset_password":
            raise NotReachedError("no answer (ConnectError).")

    tenant.watch = watch
    ran = case("case contain 1 password-reset --yes --passwords --json --as ana")
    assert (1, [PASSWORD]) == (ran.code, [item["password"] for item in ran.data["changes"]])
    assert ["password-reset: no answer (ConnectError)."] == ran.data["unread"]


@pytest.mark.parametrize("before", ["reset_password", "revoke_sessions"])
def test_a_new_password_is_told_though_the_ledger_cannot_be_written(
    case: Shell, tenant: Tenant, monkeypatch: pytest.MonkeyPatch, before: str
) -> None:
    """Before what came of it is recorded, or at the change after it: it is in force and stored nowhere."""

    def busy(*_: object, **__: object) -> None:
        raise DatabaseBusyError("Somebody else is writing.")

    def watch(operation: str) -> None:
        if operation == before:
            monkeypatch.setattr("workflow.services.casework.logbook.prepare", busy)

    tenant.watch = watch
    ran = case("case contain 1 password-reset sessions-revoked --yes --passwords --json --as ana")
    assert [PASSWORD] == [item["password"] for item in ran.data["changes"] if "password" in item], ran
    assert "busy" == ran.data["error"]["code"]
    assert ran.code == ran.data["error"]["exit"]


def test_nothing_is_changed_unasked(case: Shell, tenant: Tenant) -> None:
    """Where nobody can be asked, --yes is needed."""
    ran = case("case contain 1 --as ana")
    assert (2, True) == (ran.code, "--dry-run and give --yes" in ran.err)
    assert tenant.accounts[ADA].user.enabled


def test_containment_is_told_and_recorded(case: Shell, tenant: Tenant) -> None:
    """Each change is a line; the password is not shown where nobody watches, and stands in no entry."""
    ran = case.ok("case contain 1 --yes --as ana")
    assert "  ada@contoso.com: block sign-in: done\n" in ran.out
    assert "    The new password was not shown and is stored nowhere" in ran.out
    assert PASSWORD not in ran.out
    assert not tenant.accounts[ADA].user.enabled
    assert "There is nothing that Holdfast would change." in case.ok("case contain 1 --dry-run --as ana").out
    assert 0 == case("ledger verify").code


def test_the_password_is_shown_when_asked(case: Shell, tenant: Tenant) -> None:
    """--passwords prints it, as words once and as data once."""
    ran = case.ok("case contain 1 password-reset --yes --passwords --as ana")
    assert 1 == ran.out.count(PASSWORD)
    account = tenant.accounts[ADA]
    account.user = type(account.user)(id="1", name=ADA, enabled=True)
    data = case.ok("case contain 1 password-reset --yes --passwords --json --as ana").data
    assert [PASSWORD] == [item["password"] for item in data["changes"]]
    account.user = type(account.user)(id="1", name=ADA, enabled=True)
    data = case.ok("case contain 1 password-reset --yes --json --as ana").data
    assert [False] == ["password" in item for item in data["changes"]]


def test_at_a_terminal_the_password_is_shown_once(case: Shell, tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who agrees to the plan sees the password; nobody who does not."""
    screen = Terminal()
    for typed, shown in (("n\n", 0), ("y\n", 1)):
        screen = Terminal()
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", screen)
            patch.setattr(sys, "stdin", Terminal(typed))
            assert 0 == run(["case", "contain", "1", "password-reset", "--as", "ana"], lambda: case.now, tenant)
        assert shown == screen.getvalue().count(PASSWORD)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", screen)
        patch.setattr(sys, "stdin", Terminal("y\n"))
        assert 0 == run(["case", "contain", "1", "password-reset", "--as", "ana"], lambda: case.now, tenant)
    assert 1 == tenant.counts["reset_password"]


def test_failures_and_silence_have_their_exit_codes(case: Shell, tenant: Tenant) -> None:
    """A refused change ends with 1, an unknown one with 8; as data there is one document still."""
    tenant.faults["set_enabled"] = ProviderRefusedError("no")
    ran = case("case contain 1 account-disabled --yes --as ana")
    assert (1, True) == (ran.code, "1 of 1 changes failed (no)" in ran.err)
    tenant.faults["set_enabled"] = OutcomeUnknownError("silence")
    ran = case("case contain 1 account-disabled --yes --json --as ana")
    assert (8, ["unknown"]) == (ran.code, [item["made"] for item in ran.data["changes"]])
    case.later(minutes=5)
    ran = case("case contain 1 account-disabled --yes --as ana")
    assert (1, True) == (ran.code, "1 of 2 changes failed (not found done by reading)" in ran.err)
    ran = case("case contain 1 account-disabled --yes --as ana")
    assert (8, True) == (ran.code, "under way since" in ran.err)


def test_many_cases_are_contained(case: Shell, tenant: Tenant) -> None:
    """A filter contains each case by itself; plans and faults stand beside their case."""
    tenant.add(EVE)
    case.ok(f"case open {EVE} --restricted-at -1h --as ana")
    ran = case("case contain 1,2,2,9 --dry-run --as ana")
    assert 5 == ran.code
    assert "Nothing was changed. To do it: holdfast case contain 1-2 --yes\n" in ran.out
    assert ("#1 ada" in ran.out, "#2 eve" in ran.out) == (True, True)
    assert "There is no case '9'" in ran.out
    data = case.ok("case contain --state detected --dry-run --json --as ana").data
    assert [(1, ADA, ""), (2, EVE, "")] == [(item["number"], item["entity"], item["message"]) for item in data["plans"]]
    data = case("case contain 1,9 --dry-run --json --as ana").data
    assert [(1, True, ""), (None, False, "There is no case '9'.")] == [
        (item["number"], bool(item["plan"]), item["message"]) for item in data["plans"]
    ]
    assert 2 == case("case contain --state detected --as ana").code
    tenant.faults["revoke_sessions"] = ProviderRefusedError("no")
    ran = case("case contain --state detected --yes --as ana")
    assert (1, True) == (ran.code, "2 error." in ran.out)
    tenant.faults.clear()
    ran = case.ok("case contain --state detected --yes --as ana")
    assert "2 done." in ran.out
    case.tenant = None
    ran = case("case contain 1,2 --dry-run --as ana")
    assert (1, True) == (ran.code, "No tenant is connected" in ran.out)


def test_what_was_removed_is_settled(case: Shell, tenant: Tenant) -> None:
    """The list names each line by its entry; lines are given back, or left out, with a reason."""
    assert "Containment removed nothing" in case.ok("case restore 1 --as ana").out
    case.ok("case contain 1 forwarding-reviewed admin-roles-reviewed --yes --as ana")
    removed = case.ok("case restore 1 --json --as ana").data["removed"]
    role, forwarding = (str(item["entry"]) for item in removed)
    told = case.ok("case restore 1 --as ana").out
    assert f"  {role}: ada@contoso.com: take away the role User Administrator: owed\n" in told
    assert 2 == case("case restore 1 --leave --as ana").code
    assert 2 == case(f"case restore 1 {role} --as ana").code
    assert "done" in case.ok(f"case restore 1 {role} --restore --reason 'she needs it' --as ana").out
    assert ("r1",) == tuple(item.id for item in tenant.accounts[ADA].roles)
    ran = case.ok(f"case restore 1 {forwarding} --leave --reason 'not hers' --json --as ana")
    assert ["left"] == [item["made"] for item in ran.data["changes"]]
    assert ["restored", "left"] == [
        item["ending"] for item in case.ok("case restore 1 --json --as ana").data["removed"]
    ]
    assert 0 == case("ledger verify").code


def test_a_case_does_not_close_on_what_is_owed(case: Shell, tenant: Tenant) -> None:
    """The refusal names the entries and the command that settles them."""
    tenant.listed[ADA] = Restricted(identifier=ADA)
    case.ok("case contain 1 forwarding-reviewed --yes --as ana")
    case.verify()
    case.release()
    case.later(days=8)
    ran = case("case close 1 --yes --as ben")
    assert (3, True) == (ran.code, "holdfast case restore 1" in ran.err)
