"""Evidence files on the command line: listed, given back, and never trusted."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.shell import Shell

CONTENT = b"PK\x00\xff\x1b[2J"


@pytest.fixture
def attached(case: Shell) -> Shell:
    """The case with one file, whose name would move a cursor and leave its folder."""
    name = "..\x1b[2J=cmd|calc"
    Path(name).write_bytes(CONTENT)
    case.ok("case record 1 snapshot-taken --as ana --attach", name)
    return case


def test_list(attached: Shell) -> None:
    """As a table, as JSON and as CSV, and nothing in a name can act."""
    plain, data = attached.ok("case attachment list 1").out, attached.ok("case attachment list 1 --json").data

    assert "..\\x1b[2J=cmd|calc" in plain
    assert "\x1b[2J" not in plain + attached.ok("case attachment list 1 --json").out
    assert [("..\x1b[2J=cmd|calc", 8, True)] == [
        (item["name"], item["size"], item["stands"]) for item in data["attachments"]
    ]
    assert attached.ok("case attachment list 1 --csv").out.startswith("sequence,prerequisite,about,name,digest")


def test_an_empty_list(case: Shell) -> None:
    """It says how a file gets there."""
    assert "--attach FILE" in case.ok("case attachment list 1").out


def test_get(attached: Shell) -> None:
    """The bytes under the name that was asked for, once."""
    (digest,) = [item["digest"] for item in attached.ok("case attachment list 1 --json").data["attachments"]]
    ran = attached.ok(f"case attachment get 1 {digest[:12]} --output back.bin")
    again = attached(f"case attachment get 1 {digest} --output back.bin")
    data = attached.ok(f"case attachment get 1 {digest} --output again.bin --json").data

    assert CONTENT == Path("back.bin").read_bytes() == Path("again.bin").read_bytes()
    assert f"{digest}, as entry 2 has it" in ran.out
    assert (2, "exists already") == (again.code, again.err[again.err.index("exists") :][:14])
    assert (True, digest) == (data["verified"], data["attachment"]["digest"])
    assert 2 == attached("case attachment get 1 x --output - --json").code
    assert 5 == attached("case attachment get 1 x --output y").code


def test_get_into_a_pipe(attached: Shell) -> None:
    """Standard output is the file, to the byte."""
    (digest,) = [item["digest"] for item in attached.ok("case attachment list 1 --json").data["attachments"]]
    words = ["case", "attachment", "get", "1", digest, "--output", "-"]
    ran = subprocess.run([sys.executable, "-m", "workflow", *words], capture_output=True, check=True)

    assert (CONTENT, True) == (ran.stdout, digest.encode() in ran.stderr)


def test_get_onto_a_terminal(attached: Shell) -> None:
    """Hostile bytes are not sent to one."""
    ours, theirs = pty.openpty()
    words = ["case", "attachment", "get", "1", "x", "--output", "-"]
    ran = subprocess.run([sys.executable, "-m", "workflow", *words], stdout=theirs, stderr=subprocess.PIPE, check=False)
    os.close(ours)
    os.close(theirs)

    assert (2, True) == (ran.returncode, b"not printed on a terminal" in ran.stderr)
