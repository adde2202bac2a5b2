"""Installing and comparing playbooks on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.shell import Shell
from workflow.sources.playbook_file import shipped

NAME = "compromised-mailbox"


@pytest.fixture
def tighter(case: Shell) -> Shell:
    """A shell on one case, beside a file that wants two approvals."""
    text = shipped()[NAME].read_text(encoding="utf-8")
    swapped = text.replace("approvals: 1", "approvals: 2").replace('version: "1.0"', 'version: "1.1"')
    Path("own.yaml").write_text(swapped, encoding="utf-8")
    return case


def test_diff(tighter: Shell) -> None:
    """What differs, in words and as JSON, and how many people it takes."""
    same = tighter.ok(f"playbook diff {NAME}").out
    plain = tighter.ok(f"playbook diff {NAME} own.yaml").out
    back = tighter.ok(f"playbook diff {NAME} own.yaml shipped")
    data = tighter.ok(f"playbook diff {NAME} own.yaml shipped --json").data

    assert "Nothing differs." in same
    assert "the playbook itself\n  tightened: approvals: 1 → 2\n  reworded: version: 1.0 → 1.1\n" in plain
    assert "Nothing falls away and no command changes: one person may install" in plain
    assert "Falls away or weakens: approvals." in back.out
    assert (["approvals"], "1.1", "1.0") == (data["falls_away"], data["old"]["version"], data["new"]["version"])
    assert {"prerequisite", "effect", "member", "before", "after"} == set(data["changes"][0])
    assert [2, 5] == [tighter(f"playbook diff {NAME} {words}").code for words in ("a b c", "nonsense")]


def test_diff_of_steps(shell: Shell) -> None:
    """Steps that are new, and steps that are gone."""
    out = shell.ok(f"playbook diff {NAME} shipped legitimate-bulk-sender").out

    assert "  added: prerequisite: required by " in out
    assert "password-reset\n  removed: prerequisite: required by contain: " in out


def test_install(tighter: Shell) -> None:
    """One person tightens; two people loosen; it is seen on cases opened since."""
    first = tighter.ok("playbook install own.yaml --reason 'two pairs of eyes' --as ana")
    tighter.ok("case open bob@contoso.com --as ana")
    assert "(not the shipped version)" in tighter.ok("case view 2").out
    assert "(not the shipped version)" not in tighter.ok("case view 1").out
    assert "not the shipped playbook" in tighter.ok("case list").out
    second = tighter.ok(f"playbook install {NAME} --reason back --as ana")
    listed = tighter.ok("playbook list").out
    third = tighter(f"playbook install {NAME} --confirm --as ana")
    last = tighter.ok(f"playbook install {NAME} --confirm --as ben --json").data

    assert "in force for new cases" in first.out
    assert f"  waits for a second person: holdfast playbook install {NAME} --confirm --as NAME" in second.out
    assert "Another version of compromised-mailbox waits for a second person" in listed
    assert "adopted, installed, in force" in listed
    assert (4, True, ["approvals"]) == (third.code, last["in_force"], last["falls_away"])
    assert "playbook proposed, waiting for a second person" in tighter.ok("ledger log").out
    tighter.ok("ledger verify")


def test_not_installed(tighter: Shell) -> None:
    """Without a reason, without a file, and with a faulty one."""
    Path("bad.yaml").write_text("format: 1\nname: [", encoding="utf-8")
    words = ("own.yaml", "none.yaml --reason x", "bad.yaml --reason x")

    assert [2, 2, 1] == [tighter(f"playbook install {word} --as ana").code for word in words]


def test_other_commands(case: Shell) -> None:
    """They are shown whole, however long, and wait for a second person."""
    text = shipped()[NAME].read_text(encoding="utf-8")
    command = f"Revoke-MgUserSignInSession -UserId {{user}}; {'Get-It; ' * 30}Set-Evil"
    swapped = text.replace("command: Revoke-MgUserSignInSession -UserId {user}", f'command: "{command}"')
    Path("own.yaml").write_text(swapped.replace('version: "1.0"', 'version: "1.1"'), encoding="utf-8")
    out = case.ok(f"playbook diff {NAME} own.yaml").out
    put = case.ok("playbook install own.yaml --reason 'a cmdlet more' --as ana").out

    assert f"sessions-revoked\n  redirected: command: Revoke-MgUserSignInSession -UserId {{user}} → {command}\n" in out
    assert "Other commands or pages: sessions-revoked: command.\nInstalling the second" in out
    assert "  other commands or pages: sessions-revoked: command\n  waits for a second person" in put
