"""Schema revisions: complete or nothing, and equal to the tables as defined."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import MetaData
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlmodel import SQLModel

from tests.postgres import PostgresServer
from tests.storage.conftest import DIALECTS
from tests.storage.test_guards import forged
from workflow.errors import SchemaError, StorageError
from workflow.storage import schema, search_index
from workflow.storage.database import Database, create_file
from workflow.storage.migrations import migrate, upgrade
from workflow.storage.pictures import COLUMNS
from workflow.storage.tables import CaseRow

HALF_WAY = """
import os, signal, sys
from sqlalchemy import event
from workflow.storage.database import Database
from workflow.storage.migrations import migrate, upgrade

database = Database(sys.argv[1])
left = int(sys.argv[2])

@event.listens_for(database.engine, "before_cursor_execute")
def count(*_):
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)

upgrade(database)
"""


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """An empty database file."""
    path = tmp_path / "holdfast.db"
    create_file(path)
    return path


@pytest.mark.parametrize("statement", [3, 20, 60])
def test_a_migration_killed_half_way_leaves_nothing(empty: Path, statement: int) -> None:
    """After SIGKILL in the midst of it the file has no schema, and the next upgrade completes."""
    url = f"sqlite:///{empty}"
    killed = subprocess.run([sys.executable, "-c", HALF_WAY, url, str(statement)], check=False)

    assert -signal.SIGKILL == killed.returncode
    database = Database(url)
    with database.reading() as tx:
        assert [] == tx.all("SELECT name FROM sqlite_master")
    upgrade(database)
    assert [] == schema.compare(database)
    database.close()


def test_a_killed_migration_leaves_nothing_on_a_server(postgres_server: PostgresServer) -> None:
    """The same on PostgreSQL."""
    url = postgres_server.create_database()
    killed = subprocess.run([sys.executable, "-c", HALF_WAY, url, "20"], check=False)

    assert -signal.SIGKILL == killed.returncode
    database = Database(url)
    with database.reading() as tx:
        assert schema.revision(tx) is None
    upgrade(database)
    assert [] == schema.compare(database)
    database.close()


def test_upgrading_twice_changes_nothing(database: Database) -> None:
    """An upgraded database is left as it is."""
    upgrade(database)

    assert [] == schema.compare(database)
    schema.check(database)


def test_sqlite_tables_are_as_defined(sqlite_database: Database) -> None:
    """The statements of the migration are those that the table definitions compile to, blanks aside."""
    with sqlite_database.reading() as tx:
        found = {bare(sql) for (sql,) in tx.all("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")}
    dialect = sqlite_database.engine.dialect
    for table in SQLModel.metadata.sorted_tables:
        assert bare(str(CreateTable(table).compile(dialect=dialect))) in found
        for index in table.indexes:
            assert bare(str(CreateIndex(index).compile(dialect=dialect))) in found


def test_postgresql_tables_are_as_defined(postgres_server: PostgresServer) -> None:
    """Tables created from the definitions have the columns, keys and indexes of the migrated ones."""
    database = Database(postgres_server.create_database())
    copied = MetaData()
    for table in SQLModel.metadata.sorted_tables:
        table.to_metadata(copied)
    copied.create_all(database.engine, tables=[table for table in copied.sorted_tables if table.name != "standing"])
    with database.reading() as tx:
        found = schema.describe(tx)
    database.close()

    kinds = ("column ", "constraint ", "index ", "table ")
    expected = [line for line in schema.EXPECTED.read_text("utf-8").splitlines() if line.startswith(kinds)]
    assert [line for line in expected if "alembic_version" not in line] == [
        line for line in found if line.startswith(kinds)
    ]


def bare(sql: str) -> str:
    """A statement without its blanks."""
    return "".join(sql.split())


def test_case_rows_are_written_whole() -> None:
    """The explicit statements name every column of the case table."""
    assert set(CaseRow.model_fields) == set(COLUMNS)


def test_the_expected_schema_is_that_of_a_fresh_database(postgres_database: Database) -> None:
    """The kept description equals a database just migrated; write ``describe`` to the file after a new revision."""
    with postgres_database.reading() as tx:
        assert schema.EXPECTED.read_text("utf-8").splitlines() == schema.describe(tx)


def test_an_empty_database_is_told_apart(empty: Path) -> None:
    """No schema, no work, and the cure is named."""
    database = Database(f"sqlite:///{empty}")
    with pytest.raises(StorageError, match="holdfast init"):
        schema.check(database)
    database.close()


def test_a_newer_database_is_refused(database: Database) -> None:
    """A database of a later version is neither used nor upgraded."""
    with database.transaction() as tx:
        tx.run("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(SchemaError, match="9999"):
        schema.check(database)
    with pytest.raises(SchemaError, match="another version"):
        upgrade(database)


def test_a_database_without_a_revision_is_told_apart(database: Database) -> None:
    """An emptied version table counts as no schema."""
    with database.transaction() as tx:
        tx.run("DELETE FROM alembic_version")

    with database.reading() as tx:
        assert schema.revision(tx) is None


def test_a_failing_migration_is_a_storage_error(empty: Path) -> None:
    """What a driver says in the midst of a migration leaves as our own error, and nothing stays."""
    database = Database(f"sqlite:///{empty}")
    with database.transaction() as tx:
        tx.run("CREATE TABLE leaf (mine)")

    with pytest.raises(StorageError, match="leaf"):
        upgrade(database)
    with database.reading() as tx:
        assert [("leaf",)] == tx.all("SELECT name FROM sqlite_master")
    database.close()


def test_a_held_database_is_waited_for(empty: Path) -> None:
    """An upgrade beside a writer says busy instead of half doing it."""
    database = Database(f"sqlite:///{empty}", busy_timeout=0.05)
    other = Database(f"sqlite:///{empty}")
    with other.transaction(), pytest.raises(StorageError, match="try again"):
        upgrade(database)
    other.close()
    database.close()


def test_a_library_without_full_text_search_goes_without(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The search index is optional: without it the schema still compares equal."""
    monkeypatch.setattr(search_index, "SQLITE", ())
    database = Database(f"sqlite:///{empty}")
    upgrade(database)
    monkeypatch.undo()

    assert [] == schema.compare(database)
    database.close()


OLDER_ROW = """INSERT INTO "case" (id, number, tenant, kind, entity, state, recurrence, version, playbook, missing,
assignee, opened_at, updated_at, due_at, due, resolution, restriction, linked)
VALUES ('case_1', 1, 't', 'mailbox', 'sub_1', 'detected', 1, 1, 'd', '[]', '', 'x', 'x', 'x', '', '', 'listed', '[]')"""


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_database_of_the_first_revision_is_brought_up(dialect: str, request: pytest.FixtureRequest) -> None:
    """Its cases stay as they were, without labels or broken glass, and the schema is then the expected one."""
    if dialect == "sqlite":
        url = f"sqlite:///{request.getfixturevalue('empty')}"
    else:
        url = request.getfixturevalue("postgres_server").create_database()
    database = Database(url)
    with database.engine.connect() as connection:
        migrate(connection, "0001")
        connection.commit()
    with database.transaction() as tx:
        tx.write("INSERT INTO entry (body) VALUES (?)", (forged(sequence=1, state="detected"),))
        tx.write(OLDER_ROW, ())
    with pytest.raises(SchemaError, match="holdfast upgrade"):
        schema.check(database)
    upgrade(database)

    assert [] == schema.compare(database)
    with database.reading() as tx:
        assert [("detected", "[]", "")] == tx.all('SELECT state, labels, break_glass FROM "case"')
    database.close()
