"""The first start: three files, once."""

import stat
from pathlib import Path

import pytest

from tests.services.desk import ANN, START, Clock, Desk, Place, sqlite_url
from workflow.errors import StorageError
from workflow.services import setup, verification


@pytest.fixture
def empty(home: Path) -> Place:
    """A folder without a ledger."""
    return Place(home, sqlite_url(home))


def test_init_makes_key_database_and_checkpoints(empty: Place) -> None:
    """What was made is named, and the key is its owner's alone."""
    made = setup.init(empty.settings(), ANN)
    assert (empty.home / "signing.key", str(empty.home / "holdfast.db"), empty.home / "checkpoints") == (
        made.key_file,
        made.database,
        made.checkpoint_file,
    )
    assert 0o600 == stat.S_IMODE(made.key_file.stat().st_mode)
    assert made.checkpoint_file.exists()
    assert made.vkey.startswith(made.origin)


def test_the_first_entries_say_how_the_log_began(desk: Desk) -> None:
    """The log begins with its key, the shipped playbooks and the settings, and verifies."""
    types = desk.types()
    assert ["log:created", *["playbook:adopted"] * 4, "settings:changed"] == types
    assert verification.verify(desk.app).ok


@pytest.mark.parametrize("name", ["signing.key", "holdfast.db", "checkpoints"])
def test_init_writes_nothing_over(empty: Place, name: str) -> None:
    """Whichever of the three is there already, nothing is made."""
    (empty.home / name).write_text("mine")
    with pytest.raises(StorageError, match="Nothing was changed"):
        setup.init(empty.settings(), ANN, Clock(START))
    assert [name] == [path.name for path in empty.home.iterdir()]


def test_init_twice_is_refused(place: Place) -> None:
    """A ledger that was set up stays as it is."""
    desk = Desk(place)
    before = desk.bodies()
    with pytest.raises(StorageError, match="already"):
        setup.init(place.settings(), ANN)
    assert before == desk.bodies()
    desk.close()
