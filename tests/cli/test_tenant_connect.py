"""``holdfast tenant permissions``: as a list, as data and as a script."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.shell import Shell
from tests.providers.microsoft365.probed import EXCHANGE, GRAPH, READ, Probed, tenant_wide


def test_permissions_are_listed(shell: Shell) -> None:
    """Each with what it is for; the features can be chosen."""
    ran = shell.ok("tenant permissions")

    assert "User.RevokeSessions.All" in ran.out
    assert "Remove-BlockedSenderAddress  unblock" in ran.out
    assert "RoleManagement.ReadWrite.Directory" not in ran.out
    assert "--script FILE" in ran.err
    assert "Remove-BlockedSenderAddress" not in shell.ok("tenant permissions --for check").out
    assert "RoleManagement.ReadWrite.Directory" in shell.ok("tenant permissions --for roles").out


def test_permissions_as_data(shell: Shell) -> None:
    """The same, plain."""
    data = shell.ok("tenant permissions --for unblock --json").data

    assert (["check", "unblock"], "Exchange.ManageAsApp") == (data["features"], data["exchange"]["permission"])
    assert {"cmdlet": "Remove-BlockedConnector", "operations": ["unblock"]} in data["exchange"]["cmdlets"]
    reading = ["user", "sign_ins", "directory_audit", "message_trace"]
    assert {"permission": "User.Read.All", "operations": reading} in data["graph"]


def test_permissions_are_for_the_configured_sign_in(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """An application needs a role for administrators alone; who signs in with a code needs roles of their own."""
    ran = shell.ok("tenant permissions --for check")
    assert "Microsoft's roles" not in ran.out
    ran = shell.ok("tenant permissions")
    assert "And for the application, Microsoft's roles:" in ran.out
    assert "Exchange Administrator" not in ran.out
    monkeypatch.setenv("HOLDFAST_M365_SIGN_IN", "device-code")
    ran = shell.ok("tenant permissions")
    assert "delegated permission Exchange.Manage," in ran.out
    assert "And for whoever signs in, Microsoft's roles:" in ran.out
    data = shell.ok("tenant permissions --json").data
    assert ("device-code", "Exchange.Manage") == (data["sign_in"], data["exchange"]["permission"])
    assert "-People" in shell.ok("tenant permissions --script -").out


def test_the_script_is_written_once(shell: Shell, tmp_path: Path) -> None:
    """To a new file, or to standard output; never over anything."""
    path = tmp_path / "setup.ps1"

    assert "Read it, then run it" in shell.ok(f"tenant permissions --script {path}").out
    assert path.read_text() == shell.ok("tenant permissions --script -").out
    assert 2 == shell(f"tenant permissions --script {path}").code
    other = tmp_path / "other.ps1"
    assert {"script": str(other)} == shell.ok(f"tenant permissions --script {other} --json").data


def test_without_a_tenant_there_is_nothing_to_probe(case: Shell) -> None:
    """The setting is named."""
    ran = case("tenant probe")

    assert (1, True) == (ran.code, "HOLDFAST_PROVIDER=microsoft365" in ran.err)


def test_a_probe_that_finds_everything(shell: Shell) -> None:
    """Each operation with its calls, the permissions, and what was skipped; the same as data, with shapes."""
    shell.tenant = Probed(*tenant_wide()).tenant()
    ran = shell.ok("tenant probe --for check")
    assert "restricted mailboxes   answered  Get-BlockedSenderAddress 200" in ran.out
    assert "permissions for exchange: Exchange.ManageAsApp" in ran.out
    assert "directory roles: Global Reader" in ran.out
    assert "--user UPN" in ran.err
    shell.tenant = Probed(*tenant_wide()).tenant()
    data = shell.ok("tenant probe --for check --json").data
    assert (True, "address") == (
        data["well"],
        data["operations"][0]["calls"][0]["shape"]["value"][0]["SenderAddress"],
    )


def test_a_probe_that_does_not(shell: Shell) -> None:
    """What is missing, too much or without a token is said, and the exit code says so too."""
    script = Probed(*tenant_wide())
    script.claims = ({"roles": [*READ, "Mail.Read"]}, EXCHANGE)
    shell.tenant = script.tenant()
    ran = shell("tenant probe")
    assert 1 == ran.code
    assert "missing: " in ran.out
    assert "User.RevokeSessions.All" in ran.out
    assert "more than needed: Mail.Read" in ran.out
    assert "tenant permissions --script" in ran.err

    script = Probed(*tenant_wide()[2:])
    script.claims = (GRAPH, {"error": "invalid_client", "error_description": "\x1b[31mno"})
    shell.tenant = script.tenant()
    ran = shell("tenant probe --for check")
    assert 1 == ran.code
    assert "no token for exchange: Signing in: Entra ID refuses: […" in ran.out
    assert "restricted mailboxes: Signing in" in ran.out
