"""A place, a clock and a shell for the tests of the command line."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from tests.cli.shell import Shell


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty place with nothing of this machine's settings; the test runs in it."""
    for name in [name for name in os.environ if name.startswith("HOLDFAST_")]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("HOLDFAST_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HOLDFAST_TIMEZONE", "Europe/Berlin")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@dataclass(frozen=True)
class Prepared:
    """A ledger to be copied, because making one takes longer than copying it, and what its clock showed then."""

    home: Path
    now: datetime

    def then(self, place: Path, work: Callable[[Shell], None]) -> Prepared:
        """Return a copy in another place, worked on; nothing of this machine's settings counts."""
        shutil.copytree(self.home, place / "home", dirs_exist_ok=True)
        shell = Shell()
        shell.now = self.now
        with pytest.MonkeyPatch.context() as patch:
            for name in [name for name in os.environ if name.startswith("HOLDFAST_")]:
                patch.delenv(name)
            patch.setenv("HOLDFAST_HOME", str(place / "home"))
            patch.setenv("HOLDFAST_TIMEZONE", "Europe/Berlin")
            work(shell)
        return Prepared(place / "home", shell.now)

    def copy(self, place: Path, shell: Shell) -> Shell:
        """Put a copy where ``HOLDFAST_HOME`` is, and move the shell's clock to when it was made."""
        shutil.copytree(self.home, place / "home", dirs_exist_ok=True)
        shell.now = self.now
        return shell


def _init(shell: Shell) -> None:
    shell.ok("init")


def _open_case(shell: Shell) -> None:
    shell.ok("case open ada@contoso.com --restricted-at -1h --as ana")


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """A ledger just made."""
    place = tmp_path_factory.mktemp("prepared")
    (place / "nothing").mkdir()
    made = Prepared(place / "nothing", Shell().now).then(place, _init)
    return Prepared(made.home, Shell().now)


@pytest.fixture(scope="session")
def prepared_case(prepared: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """A ledger with one case."""
    return prepared.then(tmp_path_factory.mktemp("case"), _open_case)


@pytest.fixture(scope="session")
def prepared_verified(prepared_case: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """A ledger with one case that only wants its unblock."""
    return prepared_case.then(tmp_path_factory.mktemp("verified"), Shell.verify)


@pytest.fixture
def shell(home: Path, prepared: Prepared) -> Shell:
    """A shell on a ledger of its own."""
    return prepared.copy(home, Shell())


@pytest.fixture
def case(shell: Shell, home: Path, prepared_case: Prepared) -> Shell:
    """A shell on a ledger with one case: #1, ada@contoso.com, restricted an hour ago."""
    return prepared_case.copy(home, shell)


@pytest.fixture
def verified(case: Shell, home: Path, prepared_verified: Prepared) -> Shell:
    """The case with everything recorded by ana that an unblock needs."""
    return prepared_verified.copy(home, case)
