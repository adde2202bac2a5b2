"""Files that options take: none is made or read because a file was forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tests.cli.shell import Shell
from workflow.cli.door import root
from workflow.cli.paths import FileName


def options(command: click.Command, ctx: click.Context) -> Iterator[click.Option]:
    """Return every option of a command and of those below it."""
    yield from (item for item in command.params if isinstance(item, click.Option))
    if isinstance(command, click.Group):
        for name in command.list_commands(ctx):
            below = command.get_command(ctx, name)
            assert below is not None
            yield from options(below, click.Context(below, ctx))


def test_every_option_that_takes_a_file_looks_at_its_name() -> None:
    """Nobody has to remember it for the next one."""
    found = list(options(root, click.Context(root)))
    files = [item for item in found if item.metavar and {"FILE", "CHECKPOINT"} & set(item.metavar.split("|"))]
    assert len(files) > 9
    assert [] == [item.opts for item in files if not isinstance(item.type, FileName)]
    assert [] == [item.opts for item in found if type(item.type) in {click.Path, click.File}]


@pytest.mark.parametrize(
    "line",
    [
        "case unblock 1 --script --as ben --yes",
        "case unblock 1 --script - --yes",
        "case unblock --outcomes --as ben",
        "case record --from --as ben",
        "ledger verify --key --json",
        "ledger verify --against -x",
        "case report 1 --json --output --as",
        "tenant serve --scenario --users",
    ],
)
def test_an_option_is_no_file(case: Shell, home: Path, line: str) -> None:
    """It says how to write a file of that name, and nothing is written anywhere."""
    before = sorted(item.name for item in home.iterdir())
    ran = case(line)
    assert 2 == ran.code
    assert "looks like an option" in ran.err + ran.out
    assert "'./-" in ran.err + ran.out
    assert before == sorted(item.name for item in home.iterdir())


def test_a_file_whose_name_begins_with_a_hyphen(case: Shell, home: Path) -> None:
    """Named from its folder it is a file as any other; and what is no option's value was told apart already."""
    case.ok("case report 1 --json --output ./-report")
    case.ok("ledger export -- -ledger")
    assert {"-report", "-ledger"} <= {item.name for item in home.iterdir()}
