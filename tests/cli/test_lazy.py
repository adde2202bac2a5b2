"""Help and completion answer without loading what they do not need."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from tests.cli.shell import Shell
from workflow.cli import case, door, ledger, playbook, tenant
from workflow.cli.lazy import InOrder, Lazy

HEAVY = {
    "sqlmodel",
    "sqlalchemy",
    "alembic",
    "cryptography",
    "msgspec",
    "yaml",
    "rich",
    "pydantic",
    "transitions",
    "hypothesis",
}
LIST = """
import contextlib, io, json, sys
from workflow.cli.run import run
with contextlib.redirect_stdout(io.StringIO()):
    run(ARGS)
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["case", "--help"], ["case", "list", "--help"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    """What is loaded for help is click and little else."""
    script = LIST.replace("ARGS", repr(arguments))
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert set() == HEAVY & set(json.loads(found.stdout))


@pytest.mark.parametrize("arguments", [["case", "list"], ["case", "open", "eve@tailspin.example"]])
def test_working_loads_no_table_definitions(arguments: list[str], home: Path) -> None:
    """What the tables are defined with takes as long to load as everything else; only migrations need it."""
    assert 0 == Shell()("init").code
    script = LIST.replace("ARGS", repr(arguments))
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert set() == {"sqlmodel", "alembic", "rich"} & set(json.loads(found.stdout))


@pytest.mark.parametrize("table", [door.COMMANDS, case.COMMANDS])
def test_tables_say_what_the_commands_say(table: dict[str, Lazy]) -> None:
    """The line in the table is the first sentence of the command's own help, and the names agree."""
    for name, entry in table.items():
        group = door.root if table is door.COMMANDS else case.case
        command = group.get_command(click.Context(group), name)
        assert command is not None
        assert (entry.short_help, name) == ((command.help or "").split("\n")[0], command.name)


@pytest.mark.parametrize("group", [ledger.ledger, playbook.playbook, tenant.tenant])
def test_commands_stand_in_the_order_of_the_work(group: InOrder) -> None:
    """Help lists each command once, as the group says, and no sentence is cut."""
    shown = CliRunner().invoke(group, ["--help"], terminal_width=80).output
    listed = re.findall(r"^  ([a-z]+)  ", shown.partition("Commands:")[2], re.MULTILINE)

    assert list(group.order) == [name for name in listed if name in group.order]
    assert set(group.commands) == set(listed)
    assert "..." not in shown.partition("Commands:")[2]


def test_a_mistyped_command(home: Path) -> None:
    """The one that was meant is named."""
    ran = Shell()("case lsit")

    assert 2 == ran.code
    assert "Did you mean 'list'?" in ran.err


def test_an_unknown_command(home: Path) -> None:
    """Nothing is guessed where nothing is near."""
    ran = Shell()("qqqq")

    assert 2 == ran.code
    assert "Did you mean" not in ran.err
