"""The stage of the demo: a place and a clock of its own, on which the product's real commands run."""

from __future__ import annotations

import os
import shlex
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from workflow.cli.moments import local
from workflow.cli.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

BETWEEN = timedelta(minutes=1)
"""What the stage's clock moves on before each command."""


@dataclass
class Stage:
    """Runs commands of this very command line, echoes them, and keeps count of what did not go as promised.

    Args:
        folder: where the files are; commands run there.
        now: the stage's clock.
    """

    folder: Path
    now: datetime
    commands: int = 0
    refusals: int = 0
    surprises: list[str] = field(default_factory=list)

    def clock(self) -> datetime:
        """Return the present on this stage."""
        return self.now

    def later(self, **length: float) -> None:
        """Let time pass."""
        self.now += timedelta(**length)

    def run(self, who: str, line: str, expect: int = 0) -> None:
        """Run one command as one person and hold its exit code against what was expected.

        Args:
            who: the claimed name.
            line: what stands behind ``holdfast``, quoted as in a shell.
            expect: the exit code.
        """
        from workflow.cli.run import run

        self.later(minutes=BETWEEN / timedelta(minutes=1))
        arguments = ["--as", who, *shlex.split(line)]
        click.secho(f"[{local(self.now, None)}] $ holdfast {visible(shlex.join(arguments))}", bold=True)
        code = run(arguments, self.clock)
        if code:
            click.secho(f"(exit {code})", dim=True)
            self.refusals += 1
        click.echo()
        self.commands += 1
        if code != expect:
            self.surprises.append(f"exit {code} instead of {expect}: holdfast {shlex.join(arguments)}")

    def stands(self, number: int, state: str, resolution: str | None = None) -> None:
        """Hold a case against what was expected of it."""
        from workflow.cli.session import Session
        from workflow.services.views import case_view

        session = Session(clock=self.clock)
        case = case_view(session.app, str(number))
        session.close()
        if (case.state, case.resolution) != (state, resolution):
            told = f"case #{number} is {case.state} ({case.resolution}) instead of {state} ({resolution})"
            self.surprises.append(told)


@contextmanager
def set_up(folder: Path) -> Iterator[None]:
    """Move into a folder with no settings but its own, and back again."""
    kept, place = dict(os.environ), Path.cwd()
    for name in [name for name in os.environ if name.startswith("HOLDFAST_") and name != "HOLDFAST_DEBUG"]:
        del os.environ[name]
    os.environ["HOLDFAST_HOME"] = str(folder / "home")
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(place)
        os.environ.clear()
        os.environ.update(kept)


def start_time() -> datetime:
    """Return when the story begins: ten days ago at eight in the morning UTC, so that it ends before now."""
    return (datetime.now(UTC) - timedelta(days=10)).replace(hour=8, minute=0, second=0, microsecond=0)
