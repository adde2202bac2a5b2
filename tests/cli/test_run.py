"""From arguments to exit codes: errors, pipes, interruptions and surprises."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from tests.cli.shell import Shell
from workflow.cli.run import run

HOLDFAST = [sys.executable, "-m", "workflow"]


def test_before_init(home: Path) -> None:
    """Without a ledger the first command to run is named."""
    ran = Shell()("case list")

    assert 1 == ran.code
    assert "holdfast init" in ran.err
    assert "" == ran.out


def test_a_database_that_is_gone(shell: Shell, home: Path) -> None:
    """A ledger that was there is not offered to be begun."""
    for path in (home / "home" / "data").glob("holdfast.db*"):
        path.unlink()
    ran = shell("case list")

    assert 1 == ran.code
    assert "is gone" in ran.err
    assert "init" not in ran.err


def test_before_init_as_json(home: Path) -> None:
    """The same as an error object on standard output."""
    ran = Shell()("case list --json")

    assert ("storage", 1) == (ran.data["error"]["code"], ran.data["error"]["exit"])


@pytest.mark.parametrize(
    "line", ["--as ana --json case open ada@contoso.com", "case open ada@contoso.com --as ana --json"]
)
def test_the_shared_options_stand_anywhere(shell: Shell, line: str) -> None:
    """--as and --json may stand before and behind the command's name."""
    assert "opened" == shell.ok(line).data["outcome"]
    assert ["ana"] == [entry["by"] for entry in shell.ok("case history 1 --json").data["entries"]]


def test_usage_errors(shell: Shell) -> None:
    """What cannot be understood exits with 2, as JSON too."""
    plain, data = shell("case view"), shell("case view --json")

    assert (2, 2) == (plain.code, data.code)
    assert "Missing argument" in plain.err
    assert ("usage", 2) == (data.data["error"]["code"], data.data["error"]["exit"])


def test_usage_errors_hide_nothing(shell: Shell) -> None:
    """A word that a script had from a hostile file can neither move the cursor nor fake a line."""
    ran = shell("case label 1", "\x1b[2J\u202e\n#1 released")
    assert (2, True) == (ran.code, "(\\x1b[2J\\u202e\\n#1 released)" in ran.err)


def test_not_found(shell: Shell) -> None:
    """An unknown case exits with 5 and says where to look."""
    ran = shell("case view 9")

    assert 5 == ran.code
    assert "holdfast case list" in ran.err


def test_wrong_settings(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong setting is named, and its value's control characters do not act."""
    monkeypatch.setenv("HOLDFAST_DATE_ORDER", "\x1b[31mxyz")

    ran = shell("case list")

    assert 1 == ran.code
    assert "date_order" in ran.err
    assert "\x1b" not in ran.err


def test_the_unexpected(shell: Shell, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A fault of ours is one short message, or an error object; the traceback only on request."""

    def broken() -> datetime:
        raise RuntimeError("\x1bno clock")

    assert 1 == run(["case", "list"], broken)
    short = capsys.readouterr()
    assert 1 == run(["case", "list", "--json"], broken)
    data = json.loads(capsys.readouterr().out)
    monkeypatch.setenv("HOLDFAST_DEBUG", "1")
    assert 1 == run(["case", "list"], broken)

    assert "" == short.out
    assert "Error: Something unexpected went wrong: RuntimeError: \\x1bno clock\n" in short.err
    assert "HOLDFAST_DEBUG=1" in short.err
    assert "Traceback" not in short.err
    assert "unexpected" == data["error"]["code"]
    assert "Traceback" in capsys.readouterr().err


def test_no_claim_but_the_environment(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """HOLDFAST_AS claims a name too, and --as goes before it."""
    monkeypatch.setenv("HOLDFAST_AS", "eve")
    shell.ok("case open ada@contoso.com")
    shell.ok("case note 1 hello --as ana")

    entries = shell.ok("case history 1 --json").data["entries"]
    assert [("eve", True), ("ana", True)] == [(entry["by"], entry["claimed"]) for entry in entries]


def test_python_m_and_version() -> None:
    """``python -m workflow --version`` is the command itself."""
    ran = subprocess.run([*HOLDFAST, "--version"], capture_output=True, text=True, check=True)

    assert ran.stdout.startswith("holdfast, version ")


def test_a_reader_who_has_had_enough(shell: Shell) -> None:
    """A closed pipe ends the command quietly."""
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as pipe:
        ran = subprocess.run(
            [*HOLDFAST, "playbook", "show", "compromised-mailbox"], stdout=pipe, stderr=subprocess.PIPE, check=False
        )

    assert (1, b"") == (ran.returncode, ran.stderr)


def test_closed_streams(shell: Shell) -> None:
    """Where standard output and standard error are closed, as in some services, the command still does its work."""
    script = 'exec 1>&- 2>&- 0<&-; "$0" -m workflow case note 1 hi'
    shell.ok("case open ada@contoso.com")
    ran = subprocess.run(["/bin/sh", "-c", script, sys.executable], check=False)

    assert 0 == ran.returncode
    assert "hi" in shell.ok("case history 1").out


def test_a_terminal_without_the_letters(shell: Shell) -> None:
    """A character that the terminal lacks is escaped instead of ending the command."""
    shell.ok("case open", "jürgen@contoso.com")
    environment = {**os.environ, "PYTHONIOENCODING": "iso8859-5"}

    ran = subprocess.run([*HOLDFAST, "case", "view", "1"], capture_output=True, env=environment, check=False)

    assert 0 == ran.returncode
    assert b"j\\xfcrgen@contoso.com" in ran.stdout


def test_control_c(shell: Shell, home: Path) -> None:
    """An interruption says so and exits as shells expect."""
    os.mkfifo(home / "pipe")
    # A shell starts what it runs in the background deaf to interruptions, and the tests may be run so.
    listening = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    command = [sys.executable, "-c", listening + "from workflow.cli import main; sys.exit(main())", "import", "pipe"]
    with (
        subprocess.Popen(command, stderr=subprocess.PIPE) as process,
        # Opening returns once the command has opened the other end, and so is waiting for what never comes.
        (home / "pipe").open("wb"),
    ):
        process.send_signal(signal.SIGINT)
        _, said = process.communicate()

    assert 130 == process.returncode
    assert b"Interrupted." in said
