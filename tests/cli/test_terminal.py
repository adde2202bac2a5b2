"""On a real terminal: questions, colours, narrow tables and progress."""

from __future__ import annotations

import os
import pty
import select
import struct
import subprocess
import sys
import termios
from datetime import UTC, datetime, timedelta
from fcntl import ioctl
from pathlib import Path

import pytest

from tests.cli.shell import Shell

COLUMNS = 70


def at_a_terminal(arguments: list[str], answer: str = "", **environment: str) -> tuple[int, str]:
    """Run a command on a pseudo-terminal of 70 columns; type the answer once it asks."""
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
    command = [sys.executable, "-m", "workflow", *arguments]
    variables = {**os.environ, "TERM": "xterm", **environment}
    variables.pop("COLUMNS", None)
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=variables) as process:
        os.close(theirs)
        shown = b""
        asked = False
        while True:
            select.select([ours], [], [])
            try:
                block = os.read(ours, 4096)
            except OSError:
                break
            if not block:
                break
            shown += block
            if answer and not asked and b"[y/N]" in shown:
                os.write(ours, answer.encode() + b"\n")
                asked = True
    os.close(ours)
    return process.returncode, shown.decode()


@pytest.mark.parametrize(("answer", "state"), [("n", "verified"), ("y", "unblock_requested")])
def test_asking(shell: Shell, answer: str, state: str) -> None:
    """The overview is shown, then the question; only *yes* does it."""
    # The terminal's command runs by the real clock, by which the evidence has to be fresh.
    shell.now = datetime.now(UTC) - timedelta(hours=1)
    shell.ok("case open ada@contoso.com")
    shell.verify()

    code, shown = at_a_terminal(["case", "request-unblock", "1", "--as", "ben"], answer)

    assert 0 == code
    assert "Request the unblock on this evidence? [y/N]" in shown
    assert ("Nothing was done." in shown) is (answer == "n")
    shell.now = datetime.now(UTC)
    assert state == shell.view()["state"]


def test_colours(case: Shell) -> None:
    """Colours on a terminal, none with NO_COLOR; the words are the same."""
    _, bright = at_a_terminal(["case", "view", "1"])
    _, plain = at_a_terminal(["case", "view", "1"], NO_COLOR="1")

    assert "\x1b[31m\x1b[1mState: detected\x1b[0m" in bright
    assert "\x1b" not in plain


def test_narrow_tables(shell: Shell) -> None:
    """A row fits the terminal: what the row is about is whole, what else there is, is cut or named as left out."""
    shell.ok("case open", f"{'a' * 26}@contoso.com")
    _, shown = at_a_terminal(["case", "list"], NO_COLOR="1")

    head, row, left_out = shown.replace("\r", "").splitlines()[:3]
    assert COLUMNS >= max(len(head), len(row))
    assert f"1  detected  {'a' * 26}@contoso.com  1" in row
    assert "…" in row
    assert left_out.startswith("Left out for want of room: restriction, assignee, due. A wider terminal, --csv or")


def test_tables_that_cannot_be_narrow(shell: Shell) -> None:
    """Where nothing more can be cut the row is printed all the same."""
    shell.ok("playbook list")
    code, shown = at_a_terminal(["playbook", "list"], NO_COLOR="1")

    assert 0 == code
    assert "compromised-mailbox" in shown


def test_progress(shell: Shell, home: Path) -> None:
    """On a terminal an import and a verification show how far they are."""
    (home / "list.json").write_text('[{"SenderAddress": "ada@contoso.com"}]', encoding="utf-8")
    code, shown = at_a_terminal(["import", "list.json"])

    assert 0 == code
    assert "Importing" in shown
    assert "opened #1 ada@contoso.com" in shown
    assert "Verifying cases" in at_a_terminal(["ledger", "verify"])[1]
