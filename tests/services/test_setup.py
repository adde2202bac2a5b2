"""The first start: three files, once."""

import sqlite3
import stat
from pathlib import Path

import pytest

from tests.postgres import PostgresServer
from tests.services.desk import ANN, DAY, START, Clock, Desk, Place, sqlite_url
from workflow.errors import KeyMissingError, StorageError
from workflow.ledger.note import Signer
from workflow.services import setup, verification
from workflow.storage import keyfile
from workflow.storage.database import Database, create_file
from workflow.storage.migrations import upgrade


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


def _cut_short(place: Place, *, key: bool) -> None:
    """Leave what an init leaves that is killed before the first entry."""
    database = Database(place.url)
    if database.path is not None:
        create_file(database.path)
    upgrade(database)
    database.close()
    if key:
        keyfile.create(place.settings().key_file, Signer.generate("holdfast-cut-short/1"))


@pytest.mark.parametrize("key", [True, False])
def test_an_init_that_was_cut_short_is_completed(
    postgres_server: PostgresServer, home: Path, tmp_path: Path, *, key: bool
) -> None:
    """Until then nothing is written; afterwards the key is the one that was made, and the ledger verifies."""
    for place in (Place(home, sqlite_url(home)), Place(tmp_path / "server", postgres_server.create_database())):
        _cut_short(place, key=key)
        desk = Desk(place)
        with pytest.raises((StorageError, KeyMissingError)):
            desk.restrict()
        made = setup.init(place.settings(), ANN, Clock(START - DAY))
        assert key == (made.origin == "holdfast-cut-short/1")
        desk.restrict()
        assert verification.verify(desk.app).ok
        desk.close()


def test_an_empty_database_file_is_taken(empty: Place) -> None:
    """An init that was killed even earlier left a file without a table."""
    create_file(empty.home / "holdfast.db")
    assert setup.init(empty.settings(), ANN, Clock(START)).key_file.exists()


def test_a_key_beside_an_empty_file_is_not_ours(empty: Place) -> None:
    """A key comes after the tables: this one is another ledger's, and stays out of it."""
    create_file(empty.home / "holdfast.db")
    keyfile.create(empty.settings().key_file, Signer.generate("another/1"))
    with pytest.raises(StorageError, match="Nothing was changed"):
        setup.init(empty.settings(), ANN, Clock(START))


def test_somebody_elses_database_is_not_taken(empty: Place) -> None:
    """A file with tables of another program stays as it is."""
    connection = sqlite3.connect(empty.home / "holdfast.db")
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    with pytest.raises(StorageError, match="Nothing was changed"):
        setup.init(empty.settings(), ANN, Clock(START))


def test_a_server_that_cannot_be_reached_is_said_to_be(home: Path) -> None:
    """That is not a ledger that was set up."""
    place = Place(home, f"postgresql+psycopg://nobody@/none?host={home}")
    with pytest.raises(StorageError, match="connection"):
        setup.init(place.settings(), ANN, Clock(START))
