"""No bulk form ever does what the single form refuses: the same commands, once case by case and once over many."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cli.shell import Shell

pytestmark = pytest.mark.slow

NAMES = ("ada", "eve", "joe", "kim", "lea", "max", "nan")
PEOPLE = ("ana", "ben", "cleo", "fay", "eve@contoso.com")
NOW = datetime(2025, 6, 11, 18, 0, tzinfo=UTC)
SAID_ONLY_OF_MANY = {"seen_version", "seen_digest", "bulk"}
"""A bulk form says what it showed, and of how many it was; nothing else may differ."""
VERBS = (
    "record {} password-reset sessions-revoked --ref T-1",
    "record {} sign-ins-reviewed --result unable-to-verify --note n",
    "record {} no-such-step --ref T-1",
    "record {} cause-decided",
    "retract {} cause-decided --reason wrong",
    "except {} audit-logging-on --until +7d --reason r",
    "except {} audit-logging-on --grant",
    "except {} audit-logging-on --refuse --reason r",
    "assign {} cleo",
    "note {} hello",
    "label {} --add wave",
    "link {} 2",
    "request-unblock {} --reason r",
    "withdraw {}",
    "approve {}",
    "reject {} --reason r",
    "unblock {} --outcome done --ref x",
    "unblock {} --outcome failed --ref x",
    "unblock {} --script SCRIPT",
    "observe {} --restriction not-listed --ref x",
    "observe {} --restriction listed --ref x --at -200d",
    "close {} --resolution not_unblocked --reason r",
    "dismiss {} --resolution duplicate --of 1 --reason r",
    "dismiss {} --confirm",
    "reopen {} --reason r",
    "review {} --result justified --reason r",
    "playbook {} legitimate-bulk-sender --reason r",
    "playbook {} --confirm",
)
ASKED = {"request-unblock", "approve", "unblock"}
"""The verbs whose single form asks too."""


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with a case in each state that matters, and somebody's proposals waiting."""
    home = tmp_path_factory.mktemp("ledger") / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOLDFAST_HOME", str(home))
        shell = Shell()
        shell.ok("init")
        for number, name in enumerate(NAMES, start=1):
            shell.ok(f"case open {name}@contoso.com --restricted-at -1h --as ana")
            if number > 1:
                shell.verify(number)
        shell.ok("case except 3 audit-logging-on --until +7d --reason r --as ana")
        shell.ok("case dismiss 3 --resolution duplicate --of 1 --reason same --as ana")
        shell.ok("case request-unblock 4,5,6,7 --yes --as ben")
        shell.ok("case approve 5,6,7 --yes --as cleo")
        shell.ok("case unblock 6 --yes --as ben")
        shell.ok("case unblock 7 --yes --as ben")
        shell.ok("case observe 7 --restriction not-listed --ref list --as ben")
    return home


def entries(shell: Shell, number: int) -> list[dict[str, Any]]:
    """Return what a case's history says, without what every run makes anew."""
    found = shell.ok(f"case history {number} --json").data["entries"]
    for item in found:
        item["details"] = {name: value for name, value in item["details"].items() if name not in SAID_ONLY_OF_MANY}
        for name in ("leaf", "leaf_index", "text", "at"):
            del item[name]
    return list(found)


def typed(shell: Shell, line: str, who: str) -> tuple[int, Any]:
    """Run a case command in the one moment at which everything here happens; return code and JSON."""
    verb = line.split(" ", 1)[0]
    shell.now = NOW
    ran = shell(f"case {line} --as {who} --json")
    assert ran.out, (verb, ran)
    return ran.code, json.loads(ran.out)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    verb=st.sampled_from(VERBS),
    who=st.sampled_from(PEOPLE),
    numbers=st.lists(st.integers(1, len(NAMES) + 1), min_size=2, max_size=5, unique=True),
)
def test_many_as_one(ledger: Path, monkeypatch: pytest.MonkeyPatch, verb: str, who: str, numbers: list[int]) -> None:
    """Every case ends the same way, with the same exit code and the same entries."""
    shell = Shell()
    codes, histories = [], []
    for many in (False, True):
        with TemporaryDirectory() as folder:
            home = Path(folder) / "home"
            shutil.copytree(ledger, home)
            monkeypatch.setenv("HOLDFAST_HOME", str(home))
            line = verb.replace("SCRIPT", str(home / "x.ps1"))
            agreed = " --yes" if many or verb.split(maxsplit=1)[0] in ASKED else ""
            if many:
                _, data = typed(shell, line.format(",".join(map(str, numbers))) + agreed, who)
                codes.append([item["exit"] for item in data["results"]])
            else:
                alone = line.split(" --script")[0] if "--script" in line else line
                codes.append([typed(shell, alone.format(number) + agreed, who)[0] for number in numbers])
            histories.append({number: entries(shell, number) for number in range(1, len(NAMES) + 1)})
            assert 0 == shell("ledger verify").code

    assert codes[0] == codes[1]
    assert histories[0] == histories[1]
