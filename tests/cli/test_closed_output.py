"""A reader who has had enough: whether a step was taken is never left open."""

from __future__ import annotations

import contextlib
import io
import os
import shlex
import stat
import sys
from pathlib import Path

import pytest

from tests.cli.shell import Ran, Shell
from workflow.cli import main
from workflow.cli.run import run


class Narrow(io.StringIO):
    """Standard output whose reader goes away after so many lines."""

    def __init__(self, lines: int, place: Path) -> None:
        super().__init__()
        self.lines = lines
        self.number = os.open(place, os.O_CREAT | os.O_WRONLY)

    def fileno(self) -> int:
        """The number that is turned to nowhere once nobody reads."""
        return self.number

    def write(self, text: str) -> int:
        """Take a piece of output."""
        if stat.S_ISCHR(os.fstat(self.number).st_mode):
            return len(text)
        if self.getvalue().count("\n") >= self.lines:
            raise BrokenPipeError(32, "Broken pipe")
        return super().write(text)


def head(shell: Shell, lines: int, line: str) -> Ran:
    """Run a command and read so many lines of what it prints."""
    shell.later(minutes=1)
    out, err = Narrow(lines, Path("narrow")), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(shlex.split(line), lambda: shell.now)
    os.close(out.number)
    return Ran(int(code), out.getvalue(), err.getvalue())


@pytest.fixture
def requested(verified: Shell) -> Shell:
    """A shell on one case whose unblock is requested."""
    verified.ok("case request-unblock 1 --yes --as ben")
    return verified


@pytest.mark.parametrize("lines", range(0, 40, 3))
def test_a_decision_is_taken_or_not(requested: Shell, lines: int) -> None:
    """Wherever its output is cut, standard error and exit code say what the ledger says."""
    whole = len(requested.ok("case history 1 --json").data["entries"])
    ran = head(requested, lines, "case approve 1 --yes --as cleo")
    taken = len(requested.ok("case history 1 --json").data["entries"]) > whole

    assert taken == (ran.code == 0)
    assert taken == ("approved" in ran.out or "Recorded: #1: unblock:approved" in ran.err)
    assert taken != ("The output was closed before everything was shown: nothing was decided." in ran.err)


def test_what_was_shown_half_is_not_decided(requested: Shell) -> None:
    """Of one case, and of many."""
    for line in ("case approve 1", "case approve --state unblock_requested"):
        ran = head(requested, 1, f"{line} --yes --as cleo")
        assert (1, True) == (ran.code, "nothing was decided" in ran.err)
    assert "unblock_requested" == requested.view()["state"]
    assert [] == requested.view()["approvals"]


def test_what_was_taken_is_acknowledged(requested: Shell) -> None:
    """On standard error, where standard output is closed; as JSON nothing is shown before."""
    ran = head(requested, 0, "case approve 1 --yes --as cleo --json")

    assert (0, "The output was closed before the end. Recorded: #1: unblock:approved\n") == (ran.code, ran.err)
    assert 1 == len(requested.view()["approvals"])


@pytest.mark.parametrize("json", ["", " --json"])
@pytest.mark.parametrize("lines", [0, 1, 2])
def test_many_cases_are_all_done(shell: Shell, lines: int, json: str) -> None:
    """What was agreed to goes on; how it ended is told on standard error."""
    for name in ("ada", "bob", "eve"):
        shell.ok(f"case open {name}@contoso.com --as ana")
    ran = head(shell, lines, f"case note hello --state detected --yes --as ana{json}")

    assert (0, "The output was closed before the end: 3 done.") == (ran.code, ran.err.splitlines()[-1])
    assert all("hello" in shell.ok(f"case history {number}").out for number in (1, 2, 3))


def test_reading_ends_quietly(shell: Shell) -> None:
    """Nothing was to be done, so nothing is said."""
    ran = head(shell, 1, "playbook show compromised-mailbox")

    assert (1, "") == (ran.code, ran.err)


def test_an_interruption_while_modules_are_loaded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It ends as any other: no traceback, and the code that shells expect."""

    class Slow:
        """Finds modules so slowly that somebody loses patience."""

        def find_spec(self, name: str, *_: object) -> None:
            if name == "workflow.cli.run":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "workflow.cli.run")
    monkeypatch.setattr(sys, "meta_path", [Slow(), *sys.meta_path])
    with pytest.raises(SystemExit) as stop:
        main(["--version"])

    assert (130, ("", "Interrupted.\n")) == (stop.value.code, tuple(capsys.readouterr()))
