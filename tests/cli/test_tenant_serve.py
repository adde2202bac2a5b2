"""``holdfast tenant serve``: a simulated tenant on this machine."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.cli.shell import Shell
from workflow.providers.simulated.server import Server


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody presses Ctrl-C as soon as it serves."""

    def stop(self: Server, poll_interval: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Server, "serve_forever", stop)


def test_it_says_where_it_is(home: Path, interrupted: None) -> None:
    """The address, what is in it, and how to look into it."""
    ran = Shell()("tenant serve --port 0 --users 9 --restricted 20 --seed 7")

    assert 0 == ran.code
    assert "answers at http://127.0.0.1:" in ran.out
    assert "users       9" in ran.out
    assert "/simulator/" in ran.err


def test_for_programs(home: Path, interrupted: None) -> None:
    """One object on standard output; nobody is restricted who is not there."""
    ran = Shell()("tenant serve --port 0 --users 9 --restricted 20 --time-factor 0 --json")
    found = json.loads(ran.out)

    assert (9, 8 + 1, "calm", 1) == tuple(found[name] for name in ("users", "restricted", "scenario", "seed"))


def test_scenarios_are_named(home: Path) -> None:
    """In the help, and where one is mistyped."""
    assert "one attacker who returns" in " ".join(Shell()("tenant serve --help").out.split())
    ran = Shell()("tenant serve --scenario sunny")

    assert 1 <= ran.code
    assert "Scenarios: calm, ordinary" in ran.err


def test_it_serves_and_stops(home: Path) -> None:
    """A process of its own answers until it is interrupted, and ends well."""
    # A shell starts what it runs in the background deaf to interruptions, and the tests may be run so.
    listening = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    program = listening + "from workflow.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", program, "tenant", "serve", "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            lines: list[str] = []
            while not lines or lines[-1] != "}\n":
                lines.append(process.stdout.readline())
            url = json.loads("".join(lines))["url"]
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(f"{url}/simulator/", timeout=10) as reply:
                assert 50 == json.load(reply)["users"]
            process.send_signal(signal.SIGINT)
            assert 0 == process.wait(timeout=20)
        finally:
            process.kill()
