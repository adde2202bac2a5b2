"""Databases for storage tests: one freshly migrated SQLite file or PostgreSQL database per test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres import PostgresServer
from tests.storage.ledgers import Ledger
from workflow.storage.database import Database, create_file
from workflow.storage.migrations import upgrade

DIALECTS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PostgresServer) -> str:
    """A migrated database that others are copied from."""
    url = postgres_server.create_database()
    database = Database(url)
    upgrade(database)
    database.close()
    return postgres_server.template(url)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a migrated database file."""
    path = tmp_path_factory.mktemp("template") / "holdfast.db"
    create_file(path)
    database = Database(f"sqlite:///{path}")
    upgrade(database)
    database.truncate_log()
    database.close()
    return path.read_bytes()


@pytest.fixture
def sqlite_path(tmp_path: Path, sqlite_template: bytes) -> Path:
    """A migrated SQLite file."""
    path = tmp_path / "holdfast.db"
    create_file(path)
    path.write_bytes(sqlite_template)
    return path


@pytest.fixture
def sqlite_database(sqlite_path: Path) -> Iterator[Database]:
    """A migrated SQLite database."""
    database = Database(f"sqlite:///{sqlite_path}", busy_timeout=1)
    yield database
    database.close()


@pytest.fixture
def postgres_database(postgres_server: PostgresServer, postgres_template: str) -> Iterator[Database]:
    """A migrated PostgreSQL database."""
    url = postgres_server.create_database(postgres_template)
    database = Database(url, busy_timeout=1)
    yield database
    database.close()
    postgres_server.drop_database(url)


@pytest.fixture(params=DIALECTS)
def database(request: pytest.FixtureRequest) -> Database:
    """A migrated database, once on SQLite and once on PostgreSQL."""
    name = "sqlite_database" if request.param == "sqlite" else "postgres_database"
    found: Database = request.getfixturevalue(name)
    return found


@pytest.fixture
def ledger(database: Database) -> Ledger:
    """A ledger on either database."""
    return Ledger(database)


@pytest.fixture
def sqlite_ledger(sqlite_database: Database) -> Ledger:
    """A ledger on SQLite."""
    return Ledger(sqlite_database)


@pytest.fixture
def postgres_ledger(postgres_database: Database) -> Ledger:
    """A ledger on PostgreSQL."""
    return Ledger(postgres_database)
