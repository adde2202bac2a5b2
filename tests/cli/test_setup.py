"""init, config, version, completion, playbooks: the commands that need no case."""

from __future__ import annotations

import grp
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.shell import Shell
from workflow import __version__
from workflow.cli.setup import without_password
from workflow.domain.diagram import mermaid


def test_init(home: Path) -> None:
    """Three files in three places, private, and the public key to keep elsewhere."""
    ran = Shell().ok("init")
    place = home / "home"

    assert "public key   holdfast-" in ran.out
    assert "Next: holdfast import FILE" in ran.err
    assert ["0o600", "0o600"] == [
        oct((place / name).stat().st_mode & 0o777) for name in ("config/signing.key", "data/holdfast.db")
    ]


def test_init_twice(shell: Shell) -> None:
    """Nothing that exists is written over."""
    ran = shell("init")

    assert 1 == ran.code
    assert "Nothing was changed" in ran.err


def test_init_for_a_group(home: Path) -> None:
    """The members are told what they need and what the limit is; a group that is not there is refused."""
    assert 2 == Shell()("init --shared no-such-group-here").code
    assert not (home / "home").exists()
    ran = Shell().ok("init --shared", grp.getgrgid(os.getegid()).gr_name)

    assert "keep a checkpoint where the group cannot write" in ran.out
    assert f"export HOLDFAST_HOME={home / 'home'}" in ran.err
    assert "0o660" == oct((home / "home" / "data" / "holdfast.db").stat().st_mode & 0o777)


def test_init_as_json(home: Path) -> None:
    """The places and the public key as data."""
    assert {"key_file", "database", "checkpoint_file", "origin", "public_key", "shared_with"} == set(
        Shell().ok("init --json").data
    )


def test_config(shell: Shell, home: Path) -> None:
    """Settings and people as they are in force."""
    assert "nobody listed, so every name may do everything" in shell.ok("config show").out
    people = '[[people]]\nname = "cleo"\nroles = ["lead"]\ncontact = "4711"\non_call = true\n'
    people += 'identities = ["Cleo@contoso.com", "cleo.admin@contoso.com"]\n'
    (home / "home" / "config" / "config.toml").write_text(people, encoding="utf-8")

    shown, data = shell.ok("config show").out, shell.ok("config show --json").data

    accounts = "cleo@contoso.com, cleo.admin@contoso.com"
    assert f"person cleo: lead; team -; contact 4711; identities {accounts}; on call" in shown
    assert ["timezone", "Europe/Berlin"] in [line.split() for line in shown.splitlines()]
    assert ["cleo"] == [person["name"] for person in data["people"]]


def test_a_zone_that_is_none_is_a_wrong_setting(case: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said before anything is shown or done, and not taken for a time that somebody typed."""
    monkeypatch.setenv("HOLDFAST_TIMEZONE", "Foo")
    ran = case("case view 1")
    assert (1, "") == (ran.code, ran.out)
    assert "timezone: " in ran.err
    assert "'Foo' is not a time zone" in ran.err


def test_every_setting_is_described(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where one is wrong, and that is where the error points."""
    monkeypatch.setenv("HOLDFAST_TIMEZONE", "Nowhere/Land")
    monkeypatch.setenv("HOLDFAST_PROVIDER", "nobody")
    shell = Shell()

    assert "holdfast config describe" in shell("case list").err
    assert "timezone (HOLDFAST_TIMEZONE)\n  " in shell.ok("config describe").out
    names = [item["environment"] for item in shell.ok("config describe --json").data["settings"]]
    assert {"HOLDFAST_AS", "HOLDFAST_PROVIDER"} <= set(names)


def test_permissions(shell: Shell, home: Path) -> None:
    """Once somebody is listed, the others are analysts: not allowed is exit 4, and the ledger says so."""
    (home / "home" / "config" / "config.toml").write_text(
        '[[people]]\nname = "cleo"\nroles = ["lead"]\n', encoding="utf-8"
    )
    shell.ok("case open ada@contoso.com --as ana")
    shell.verify()
    asked = shell.ok("case request-unblock 1 --yes --as ben")
    ran = shell("case approve 1 --yes --as ana")

    assert "who can: cleo" in asked.out
    assert 4 == ran.code
    assert "Not allowed: Your roles do not include 'approve'" in ran.err
    assert "denied" == shell.ok("case history 1 --json").data["entries"][-1]["outcome"]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:////tmp/x.db", "sqlite:////tmp/x.db"),
        ("postgresql://ana:s3cret@db/x", "postgresql://ana:***@db/x"),
        ("postgresql://ana:s3@cret@db/x", "postgresql://ana:***@db/x"),
        ("postgresql://ana@db/x", "postgresql://ana@db/x"),
    ],
)
def test_no_password_is_shown(url: str, expected: str) -> None:
    """The database's address is shown without its password."""
    assert expected == without_password(url)


def test_version(home: Path) -> None:
    """The version and where things are, without a ledger."""
    assert f"holdfast {__version__}" in Shell().ok("version").out
    assert __version__ == Shell().ok("version --json").data["version"]


@pytest.mark.parametrize("shell_name", ["bash", "zsh", "fish"])
def test_completion(home: Path, shell_name: str) -> None:
    """What a shell sources names the command and its variable."""
    shown = Shell().ok(f"completion {shell_name}").out

    assert "_HOLDFAST_COMPLETE" in shown
    assert 2 == Shell()("completion tcsh").code


def test_completing(home: Path) -> None:
    """A shell that asks is answered."""
    asked = {**os.environ, "_HOLDFAST_COMPLETE": "bash_complete", "COMP_WORDS": "holdfast case hi", "COMP_CWORD": "2"}
    entry = "from workflow.cli import main; import sys; sys.argv = ['holdfast']; main()"
    ran = subprocess.run([sys.executable, "-c", entry], capture_output=True, text=True, env=asked, check=False)

    assert "plain,history\n" == ran.stdout


def test_playbooks(shell: Shell) -> None:
    """The list, as table, JSON and CSV."""
    assert "compromised-mailbox" in shell.ok("playbook list").out
    assert {"adopted", "digest", "shipped"} < set(shell.ok("playbook list --json").data["playbooks"][0])
    assert shell.ok("playbook list --csv").out.startswith("name,version,title,kinds,")


def test_one_playbook(home: Path) -> None:
    """Every step in full, even before there is a ledger."""
    shown = Shell().ok("playbook show compromised-mailbox").out

    assert "Compromised mailbox (compromised-mailbox 1.0)" in shown
    assert "2. account-disabled (recommended, about identity, action)" in shown
    assert "only after  password-reset" in shown
    assert "compromised-mailbox" == Shell().ok("playbook show compromised-mailbox --json").data["name"]
    assert 5 == Shell()("playbook show nonsense").code


def test_check(home: Path) -> None:
    """Every fault with file, line and cure; exit 1 when there is one."""
    (home / "bad.yaml").write_text("format: 1\nname: Bad Name\nkinds: [mailbox]\n", encoding="utf-8")
    good = Path(__file__).parents[2] / "playbooks" / "blocked-connector.yaml"

    ran, data = Shell()("playbook check bad.yaml"), Shell()("playbook check bad.yaml --json")

    assert (1, 1) == (ran.code, data.code)
    assert ran.out.startswith("bad.yaml:1: ")
    assert {"path", "line", "message", "cure"} == set(data.data["faults"][0])
    assert "No faults.\n" == Shell().ok(f"playbook check {good}").out
    assert 2 == Shell()("playbook check missing.yaml").code
    (home / "one.yaml").write_text(good.read_text(encoding="utf-8").replace("format: 1", "format: 2"), encoding="utf-8")
    assert Shell()("playbook check one.yaml").out.endswith("1 fault.\n")


def test_graph(home: Path) -> None:
    """The picture is the machine's own."""
    assert mermaid() == Shell().ok("playbook graph").out
    assert mermaid() == Shell().ok("playbook graph --json").data["mermaid"]


def test_an_empty_file_is_no_ledger_yet(home: Path) -> None:
    """It says how to begin, and beginning works."""
    file = home / "home" / "data" / "holdfast.db"
    file.parent.mkdir(parents=True)
    file.touch()
    ran = Shell()("case list")

    assert (1, ["Error: There is no ledger in this database yet, it is empty. Begin with: holdfast init"]) == (
        ran.code,
        ran.err.splitlines(),
    )
    assert 0 == Shell()("init").code
