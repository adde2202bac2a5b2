"""backup, upgrade, doctor: keeping what was recorded."""

from __future__ import annotations

from pathlib import Path

from tests.cli.shell import Shell


def test_backup(case: Shell, home: Path) -> None:
    """What was written, the checkpoint it holds, and what is not in it."""
    ran = case.ok("backup copy.db")
    note = case.ok("ledger checkpoint --print").out.split()

    assert f"  checkpoint  {' '.join(note)}" in ran.out
    assert "holds against this machine's key file" in ran.out
    assert "signing key      " in ran.out
    assert (2, 0) == (case("backup copy.db").code, case("backup copy.db --force").code)
    assert 2 == case("backup home/data/holdfast.db --force").code


def test_backup_as_json(case: Shell, home: Path) -> None:
    """The same as data."""
    data = case.ok("backup copy.db --json").data

    assert (data["entries"], "key file") == (data["checkpoint"]["size"], data["signature_held_against"])
    assert str(home / "home" / "config" / "signing.key") in {item["file"] for item in data["not_included"]}


def test_upgrade(shell: Shell) -> None:
    """Nothing to do is said."""
    assert "Nothing to do" in shell.ok("upgrade").out
    assert (False, None) == tuple(shell.ok("upgrade --json").data[name] for name in ("changed", "backup"))
