"""The stage of the demo: a place and a clock of its own, on which the product's real commands run."""

from __future__ import annotations

import contextlib
import io
import os
import shlex
import shutil
import sys
import textwrap
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from workflow.cli.exits import INTERRUPTED
from workflow.cli.moments import local
from workflow.cli.progress import progress_bar
from workflow.cli.text import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from workflow.providers.microsoft365.tenant import Microsoft365

BETWEEN = timedelta(minutes=1)
"""What the stage's clock moves on before each command."""
FIRST, LAST = 8, 4
"""How many lines of a long output are shown, from its beginning and from its end."""


class Excerpt(io.TextIOBase):
    """Takes what a command prints, and shows the beginning and the end of it once it is through.

    Args:
        step: told how many lines there are by now.
        last: how many of the last lines to keep.
        columns: how many the terminal has, so that no line ends in the middle of a word there; 0 for no terminal.
    """

    def __init__(self, step: Callable[[int, int], None], last: int, columns: int = 0) -> None:
        """Begin with nothing."""
        self._step = step
        self._columns = columns
        self._first: list[str] = []
        self._last: deque[str] = deque(maxlen=last)
        self._count = 0
        self._line = ""

    def write(self, text: str) -> int:
        """Take some text."""
        *lines, self._line = (self._line + text).split("\n")
        for line in lines:
            self._count += 1
            (self._first if self._count <= FIRST else self._last).append(line)
            self._step(self._count, 0)
        return len(text)

    def show(self) -> None:
        """Print the excerpt."""
        left_out = self._count - len(self._first) - len(self._last)
        gap = [f"  … {left_out} more lines"] if left_out else []
        for line in (*self._first, *gap, *self._last, *filter(None, [self._line])):
            click.echo(self._wrapped(line))

    def _wrapped(self, line: str) -> str:
        if len(line) <= self._columns or not self._columns:
            return line
        indent = " " * (len(line) - len(line.lstrip()) + 4)
        return textwrap.fill(line, self._columns, subsequent_indent=indent, break_on_hyphens=False)


@dataclass
class Stage:
    """Runs commands of this very command line, echoes them, and keeps count of what did not go as promised.

    Args:
        folder: where the files are; commands run there.
        now: the stage's clock, while it has no tenant's.
        whole: whether long outputs are shown whole.
    """

    folder: Path
    now: datetime
    whole: bool = False
    commands: int = 0
    refusals: int = 0
    surprises: list[str] = field(default_factory=list)

    _tenant_now: Callable[[], datetime] | None = None
    _tenant_wait: Callable[[float], None] | None = None
    _provider: Callable[[], Microsoft365] | None = None

    def connect(
        self, now: Callable[[], datetime], wait: Callable[[float], None], provider: Callable[[], Microsoft365]
    ) -> None:
        """Take a tenant's clock for the stage's, and give each command a connection to it."""
        self._tenant_now, self._tenant_wait, self._provider = now, wait, provider

    def leave(self) -> None:
        """Go on without a tenant, at the time it has there."""
        self.now = self.clock()
        self._tenant_now = self._tenant_wait = self._provider = None

    def clock(self) -> datetime:
        """Return the present on this stage."""
        return self.now if self._tenant_now is None else self._tenant_now()

    def later(self, **length: float) -> None:
        """Let time pass."""
        if self._tenant_wait is None:
            self.now += timedelta(**length)
        else:
            self._tenant_wait(timedelta(**length).total_seconds())

    def run(self, who: str, line: str, expect: int = 0, *, last: int = 0, bar: str = "") -> None:
        """Run one command as one person and hold its exit code against what was expected.

        Args:
            who: the claimed name.
            line: what stands behind ``holdfast``, quoted as in a shell.
            expect: the exit code.
            last: of a long output, how many of its last lines are shown beside the first ones; 0 for all of it.
            bar: the title of a bar for a command that has none of its own; it prints an excerpt too.
        """
        self.later(minutes=BETWEEN / timedelta(minutes=1))
        arguments = ["--as", who, *shlex.split(line)]
        click.secho(f"[{local(self.clock(), None)}] $ holdfast {visible(shlex.join(arguments))}", bold=True)
        code = self._excerpt(arguments, last or LAST, bar) if (last or bar) and not self.whole else self._run(arguments)
        if code == INTERRUPTED:
            raise KeyboardInterrupt
        if code:
            click.secho(f"(exit {code})", dim=True)
            self.refusals += 1
        click.echo()
        self.commands += 1
        if code != expect:
            self.surprises.append(f"exit {code} instead of {expect}: holdfast {shlex.join(arguments)}")

    def read(self, who: str, line: str) -> str:
        """Return what a command prints, as a script of somebody's would read it; nothing is shown or counted."""
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            code = self._run(["--as", who, *shlex.split(line)])
        if code:
            self.surprises.append(f"exit {code} instead of 0: holdfast {line}")
        return out.getvalue()

    def _run(self, arguments: list[str]) -> int:
        from workflow.cli.run import run

        if self._provider is None:
            return run(arguments, self.clock)
        with contextlib.closing(self._provider()) as provider:
            return run(arguments, self.clock, provider)

    def _excerpt(self, arguments: list[str], last: int, bar: str) -> int:
        with progress_bar(bar) if bar else contextlib.nullcontext(_nothing) as step:
            columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
            excerpt = Excerpt(step, last, columns)
            # A command's own bar is drawn on a terminal; whatever else it says belongs into the excerpt.
            told = sys.stderr if sys.stderr.isatty() and not bar else excerpt
            with contextlib.redirect_stdout(excerpt), contextlib.redirect_stderr(told):
                code = self._run(arguments)
        excerpt.show()
        return code

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


def _nothing(done: int, total: int) -> None:
    """Show nothing: the command has a bar of its own."""


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
