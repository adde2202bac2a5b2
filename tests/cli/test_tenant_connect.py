"""``holdfast tenant permissions``: as a list, as data and as a script."""

from __future__ import annotations

from pathlib import Path

from tests.cli.shell import Shell


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
    assert {"permission": "User.Read.All", "operations": ["user", "sign_ins", "directory_audit"]} in data["graph"]


def test_the_script_is_written_once(shell: Shell, tmp_path: Path) -> None:
    """To a new file, or to standard output; never over anything."""
    path = tmp_path / "setup.ps1"

    assert "Read it, then run it" in shell.ok(f"tenant permissions --script {path}").out
    assert path.read_text() == shell.ok("tenant permissions --script -").out
    assert 1 == shell(f"tenant permissions --script {path}").code
    other = tmp_path / "other.ps1"
    assert {"script": str(other)} == shell.ok(f"tenant permissions --script {other} --json").data
