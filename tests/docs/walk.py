"""Walking through a page as its reader would: every command run, every output held against what is printed there."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from tests.docs.pages import blocks, joined
from workflow.cli.demo_wave import FEWEST
from workflow.cli.run import run
from workflow.cli.tenant_serve import announce, serve, sized
from workflow.providers.simulated.scenario_file import scenario
from workflow.providers.simulated.server import HOST, PORT, Server
from workflow.providers.simulated.simulator import Simulator

if TYPE_CHECKING:
    from tests.docs.pages import Block

BEGIN = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
BETWEEN_COMMANDS = timedelta(minutes=1)
SERVED = f"http://{HOST}:{PORT}"
"""Where a page finds its simulated tenant; a test serves it wherever a port is free."""
_DOCUMENT = re.compile(r"^cat > (\S+) <<'(\w+)'\n(.*?)^\2\n", re.MULTILINE | re.DOTALL)


@dataclass
class Reader:
    """Somebody who types what a page says, in the present folder; between two commands a minute passes.

    ``codes`` are the exit codes of the newest block, ``output`` is what it printed, ``key`` the public key that
    ``init`` printed, which stands for ``holdfast-…`` in a file of the reader's. ``server`` is the simulated tenant that
    the page started; its clock is the reader's.
    """

    now: datetime = BEGIN
    codes: list[int] = field(default_factory=list)
    output: str = ""
    key: str = ""
    server: Server | None = None

    def clock(self) -> datetime:
        """Return the reader's present."""
        return self.now

    def type(self, block: Block) -> None:
        """Type a block: here-documents, ``export``, ``make``, keys, and ``holdfast``, perhaps into a file."""
        documents = {name: content for name, _, content in _DOCUMENT.findall(block.text)}
        self.codes, self.output = [], ""
        for line in joined(block.text):
            words = shlex.split(line, comments=True)
            if not words:
                continue
            if words[0] == "cat":
                content = documents[words[2]].replace("holdfast-…", self.key)
                Path(words[2]).write_text(content, encoding="utf-8")
                continue
            if words[0] == "export":
                self._export(words[1])
            elif words[0] in {"openssl", "(umask", "chmod"}:
                subprocess.run(["/bin/sh", "-ec", line], check=True, capture_output=True)
            elif words[:3] == ["holdfast", "tenant", "serve"]:
                self._serve(words[3:])
            elif words[0] == "make":
                # The demo is one command of the product, here with the smallest wave; these tests are what `make test`
                # runs.
                self._run(["demo", "--accounts", str(FEWEST)] if words[1] == "demo" else ["--version"])
            else:
                assert "holdfast" == words[0], f"a reader does not know how to type {line!r}"
                self._run(words[1:])

    def _export(self, assignment: str) -> None:
        name, _, value = assignment.partition("=")
        if name != "HOLDFAST_HOME":
            os.environ[name] = value.replace(SERVED, self.server.url if self.server else SERVED)

    def _serve(self, arguments: list[str]) -> None:
        """Serve a tenant as the command does, in the background, where a port is free."""
        self.stop()
        asked = serve.make_context("serve", arguments).params
        found = sized(scenario(asked["name"]), asked["users"], asked["restricted"])
        simulator = Simulator(found, asked["seed"], self.now, 1.0, lambda: self.clock().timestamp())
        self.server = Server(simulator).__enter__()
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            announce(self.server, json=False)
        self.codes.append(0)
        self.output += printed.getvalue().replace(self.server.url, SERVED)
        if "HOLDFAST_M365_URL" in os.environ:
            os.environ["HOLDFAST_M365_URL"] = self.server.url

    def stop(self) -> None:
        """Stop the tenant that was served."""
        if self.server:
            self.server.__exit__()
            self.server = None

    def _run(self, arguments: list[str]) -> None:
        self.now += BETWEEN_COMMANDS
        target = arguments[arguments.index(">") + 1] if ">" in arguments else ""
        if target:
            arguments = arguments[: arguments.index(">")]
        out, both = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out if target else both), contextlib.redirect_stderr(both):
            self.codes.append(run(arguments, self.clock))
        if target:
            Path(target).write_text(out.getvalue(), encoding="utf-8")
        self.output += both.getvalue()
        printed = re.search(r"^  public key +(\S+)$", self.output, re.MULTILINE)
        self.key = printed[1] if printed else self.key


def follow(page: Path, reader: Reader) -> list[str]:
    """Follow a page from top to bottom; returns each way in which it does not tell the truth.

    A ``text`` block is held against the commands above it: its lines appear in that order, ``…`` standing for anything.
    ``<!-- exit: 3 -->`` above a block says how its last command ends, ``<!-- later: 40 -->`` how many minutes pass
    first, ``<!-- file: NAME -->`` that the block is a file of that name.
    """
    faults = []
    for block in blocks(page):
        if "file" in block.remarks:
            Path(block.remarks["file"]).write_text(block.text, encoding="utf-8")
        elif block.language == "sh":
            reader.now += timedelta(minutes=int(block.remarks.get("later", 0)))
            reader.type(block)
            *before, last = reader.codes or [0]
            if any(before) or last != int(block.remarks.get("exit", 0)):
                faults.append(f"{block.text}ended with {reader.codes}:\n{reader.output}")
        elif block.language == "text":
            missing = first_missing(block.text, reader.output)
            if missing:
                faults.append(f"{missing!r} is not printed (any more):\n{reader.output}")
    return faults


def first_missing(expected: str, output: str) -> str:
    """Return the first expected line that does not stand in the output after the ones before it, or ""."""
    printed = iter(output.splitlines())
    for line in expected.splitlines():
        if line.strip() in {"", "…"}:
            continue
        pattern = re.compile(".*".join(re.escape(part) for part in line.rstrip().split("…")))
        if not any(pattern.fullmatch(candidate.rstrip()) for candidate in printed):
            return line
    return ""
