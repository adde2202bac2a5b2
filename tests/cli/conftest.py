"""A place, a clock and a shell for the tests of the command line."""

from __future__ import annotations

import os
import shutil
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


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger just made, to be copied: making one takes longer than copying it."""
    place = tmp_path_factory.mktemp("prepared")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOLDFAST_HOME", str(place / "home"))
        patch.setenv("HOLDFAST_TIMEZONE", "Europe/Berlin")
        assert 0 == Shell()("init").code
    return place / "home"


@pytest.fixture
def shell(home: Path, prepared: Path) -> Shell:
    """A shell on a ledger of its own."""
    shutil.copytree(prepared, home / "home")
    return Shell()


@pytest.fixture
def case(shell: Shell) -> Shell:
    """A shell on a ledger with one case: #1, ada@contoso.com, restricted an hour ago."""
    assert 0 == shell("case open ada@contoso.com --restricted-at -1h --as ana").code
    return shell


@pytest.fixture
def verified(case: Shell) -> Shell:
    """The case with everything recorded by ana that an unblock needs."""
    case.verify()
    return case
