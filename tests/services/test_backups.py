"""Backups: checked before they count, and never in the place of something else."""

import gzip
import shutil
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from tests.postgres import PostgresServer
from tests.services.desk import DAY, MINUTE, START, Desk, Place, sqlite_url
from workflow.errors import InputError, SchemaError, StorageError, VerificationError
from workflow.services import backups, upgrading, verification
from workflow.services.verification import Options
from workflow.storage.database import Database, create_file
from workflow.storage.migrations import HEAD, migrate, upgrade

LEDGERS = Path(__file__).parent / "ledgers"


def restored(place: Place, file: Path, home: Path) -> Desk:
    """A desk on a backup, with the key and the checkpoints of its ledger."""
    home.mkdir()
    for name in ("signing.key", "checkpoints"):
        shutil.copy(place.home / name, home / name)
    shutil.copy(file, home / "holdfast.db")
    return Desk(Place(home, sqlite_url(home)))


def test_a_backup_is_the_whole_ledger(sqlite_desk: Desk, tmp_path: Path) -> None:
    """Everything up to its moment, for its owner alone, and complete against the checkpoints kept outside."""
    sqlite_desk.restrict()
    pages: list[tuple[int, int]] = []
    made = backups.backup(
        sqlite_desk.place.settings(), tmp_path / "backup", progress=lambda done, total: pages.append((done, total))
    )

    assert (sqlite_desk.count(), True) == (made.entries, made.own_key)
    assert (made.entries, 0o600) == (made.checkpoint.size, stat.S_IMODE(made.file.stat().st_mode))
    assert made.size == made.file.stat().st_size
    assert pages[-1][0] == pages[-1][1]
    desk = restored(sqlite_desk.place, made.file, tmp_path / "elsewhere")
    report = verification.verify(desk.app)
    assert (True, [], "verified") == (report.ok, report.findings, report.completeness)
    desk.close()


@pytest.mark.parametrize("name", ["holdfast.db", "holdfast.db-wal", "holdfast.db-turn", "signing.key", "checkpoints"])
def test_a_backup_never_takes_the_place_of_the_ledger(sqlite_desk: Desk, name: str) -> None:
    """Not even by force, nor by another way to the same folder."""
    sqlite_desk.restrict()
    around = sqlite_desk.place.home / ".." / sqlite_desk.place.home.name
    with pytest.raises(InputError, match="own"):
        backups.backup(sqlite_desk.place.settings(), around / name, over=True)
    assert verification.verify(sqlite_desk.app).ok


def test_a_backup_without_the_key_says_so(sqlite_desk: Desk, tmp_path: Path) -> None:
    """Without the key file only the ledger's own word is there to check with; without that, nothing."""
    settings = sqlite_desk.place.settings(key_file=tmp_path / "none")
    assert not backups.backup(settings, tmp_path / "backup").own_key
    bare = Place(tmp_path, sqlite_url(tmp_path))
    create_file(tmp_path / "holdfast.db")
    with closing(backups.file_of(bare.settings())) as database:
        upgrade(database)
    with pytest.raises(StorageError, match="could not be checked"):
        backups.backup(bare.settings(), tmp_path / "bare")
    assert not (tmp_path / "bare").exists()


def test_there_has_to_be_a_file(tmp_path: Path) -> None:
    """No ledger, no backup."""
    with pytest.raises(StorageError, match="holdfast init"):
        backups.backup(Place(tmp_path, sqlite_url(tmp_path)).settings(), tmp_path / "backup")


def test_a_server_has_its_own_tools(postgres_place: Place, tmp_path: Path) -> None:
    """They are named, for the backup and before an upgrade."""
    with pytest.raises(StorageError, match="pg_dump"):
        backups.backup(postgres_place.settings(), tmp_path / "backup")
    assert upgrading.Upgraded(HEAD, HEAD) == upgrading.upgrade(postgres_place.settings(), START)


def older(home: Path) -> Place:
    """A ledger as revision 0001 made it, without its key and its checkpoint file."""
    (home / "holdfast.db").write_bytes(gzip.decompress((LEDGERS / "schema-0001.db.gz").read_bytes()))
    return Place(home, sqlite_url(home))


def older_server(home: Path, server: PostgresServer) -> Place:
    """A database on a server as revision 0001 made it, with nothing in it."""
    place = Place(home, server.create_database())
    database = Database(place.url)
    with database.engine.connect() as connection:
        migrate(connection, "0001")
        connection.commit()
    database.close()
    return place


def test_an_upgrade_keeps_what_was_before(home: Path) -> None:
    """The old database stays beside the new one, and nothing is said against the new one."""
    place = older(home)
    done = upgrading.upgrade(place.settings(), START)

    assert ("0001", HEAD) == (done.before, done.after)
    desk = Desk(place)
    desk.clock.move(DAY)
    assert verification.verify(desk.app, Options()).findings == []
    assert 7 == desk.count()
    desk.close()
    assert upgrading.Upgraded(HEAD, HEAD) == upgrading.upgrade(place.settings(), START)


def test_an_upgrade_that_leaves_something_else_says_so(home: Path) -> None:
    """What somebody added by hand stays a difference, and the backup stays as well."""
    place = older(home)
    with closing(sqlite3.connect(home / "holdfast.db")) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    with pytest.raises(SchemaError, match="extra: table theirs"):
        upgrading.upgrade(place.settings(), START)
    assert 1 == len(list(home.glob("*before-upgrade*")))
    with pytest.raises(SchemaError, match="extra: table theirs"):
        upgrading.upgrade(place.settings(), START)


@pytest.mark.parametrize(
    "tampered",
    [
        "UPDATE entry SET body = json_set(body, '$.type', 'evidence:recorded') WHERE case_id <> 'log'",
        "UPDATE entry SET body = json_set(body, '$.state_after', 'nowhere') WHERE case_id <> 'log'",
        "UPDATE entry SET body = json_set(body, '$.recorded_at', 'never') WHERE case_id <> 'log'",
        "DELETE FROM playbook",
    ],
)
def test_a_ledger_that_was_tampered_with_is_not_upgraded(home: Path, tampered: str) -> None:
    """It is said what is wrong, everything is left as it was, and asking again says the same."""
    place = older(home)
    with closing(sqlite3.connect(home / "holdfast.db", isolation_level=None)) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(tampered)
        before = list(connection.iterdump())
    for minute in range(2):
        with pytest.raises(VerificationError, match="nothing was upgraded"):
            upgrading.upgrade(place.settings(), START + minute * MINUTE)
    with closing(sqlite3.connect(home / "holdfast.db")) as connection:
        assert before == list(connection.iterdump())


def test_a_table_in_the_way_of_an_upgrade_is_told(home: Path) -> None:
    """Somebody made one of a name that is ours: the database says so, and stays what it was."""
    place = older(home)
    with closing(sqlite3.connect(home / "holdfast.db")) as connection:
        connection.execute("CREATE TABLE chore (x)")
    for minute in range(2):
        with pytest.raises(StorageError, match="table chore already exists"):
            upgrading.upgrade(place.settings(), START + minute * MINUTE)


def test_a_server_is_upgraded_once_it_is_backed_up(postgres_server: PostgresServer, home: Path) -> None:
    """Holdfast cannot take that backup, and asks."""
    place = older_server(home, postgres_server)
    with pytest.raises(StorageError, match="--backed-up"):
        upgrading.upgrade(place.settings(), START)
    assert upgrading.Upgraded("0001", HEAD) == upgrading.upgrade(place.settings(), START, backed_up=True)


def test_what_cannot_be_upgraded(sqlite_desk: Desk, tmp_path: Path) -> None:
    """A newer database, an empty one and none at all."""
    settings = sqlite_desk.place.settings()
    with sqlite_desk.app.database.transaction() as tx:
        tx.run("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaError, match="Update Holdfast"):
        upgrading.upgrade(settings, START)
    empty = Place(tmp_path, sqlite_url(tmp_path)).settings()
    with pytest.raises(StorageError, match="There is no ledger"):
        upgrading.upgrade(empty, START)
    create_file(tmp_path / "holdfast.db")
    with pytest.raises(StorageError, match="holdfast init"):
        upgrading.upgrade(empty, START)
