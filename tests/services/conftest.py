"""Desks for tests of the services: a ledger set up once per session and database, copied for every test."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.postgres import PostgresServer
from tests.services.desk import TEAM, Desk, Place, sqlite_url

DIALECTS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands for the user's home, and an environment that says nothing else."""
    for name in [name for name in os.environ if name.startswith("HOLDFAST_")]:
        monkeypatch.delenv(name)
    path = tmp_path / "home"
    path.mkdir()
    monkeypatch.setenv("HOLDFAST_HOME", str(path))
    return path


@pytest.fixture(scope="session")
def sqlite_ledger(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A ledger just set up, on SQLite."""
    folder = tmp_path_factory.mktemp("ledger")
    return Place(folder, sqlite_url(folder)).set_up()


@pytest.fixture(scope="session")
def postgres_ledger(tmp_path_factory: pytest.TempPathFactory, postgres_server: PostgresServer) -> Place:
    """A ledger just set up, on PostgreSQL; its database is a template."""
    url = postgres_server.create_database()
    place = Place(tmp_path_factory.mktemp("ledger"), url).set_up()
    postgres_server.template(url)
    return place


@pytest.fixture
def sqlite_place(sqlite_ledger: Place, home: Path) -> Place:
    """A ledger of this test's own, on SQLite."""
    return sqlite_ledger.copy(home)


@pytest.fixture
def postgres_place(postgres_ledger: Place, postgres_server: PostgresServer, home: Path) -> Iterator[Place]:
    """A ledger of this test's own, on PostgreSQL."""
    url = postgres_server.create_database(postgres_ledger.url)
    yield postgres_ledger.copy(home, url)
    postgres_server.drop_database(url)


@pytest.fixture(params=DIALECTS)
def place(request: pytest.FixtureRequest) -> Place:
    """A ledger of this test's own, once on SQLite and once on PostgreSQL."""
    name = "sqlite_place" if request.param == "sqlite" else "postgres_place"
    found: Place = request.getfixturevalue(name)
    return found


def _opener(place: Place) -> Iterator[Callable[..., Desk]]:
    desks: list[Desk] = []

    def open_desk(**changes: Any) -> Desk:
        desks.append(Desk(place, **changes))
        return desks[-1]

    yield open_desk
    for desk in desks:
        desk.close()


@pytest.fixture
def open_desk(place: Place) -> Iterator[Callable[..., Desk]]:
    """Opens desks with settings of one's own, on either database."""
    yield from _opener(place)


@pytest.fixture
def desk(open_desk: Callable[..., Desk]) -> Desk:
    """A desk at which every name may do everything, on either database."""
    return open_desk()


@pytest.fixture
def team(open_desk: Callable[..., Desk]) -> Desk:
    """A desk whose settings list Ann (analyst), Bob (approver), Cat (lead) and Dan (auditor), on either database."""
    return open_desk(people=TEAM)


@pytest.fixture
def sqlite_desk(sqlite_place: Place) -> Iterator[Desk]:
    """A desk on SQLite, where the database makes no difference."""
    found = Desk(sqlite_place)
    yield found
    found.close()
