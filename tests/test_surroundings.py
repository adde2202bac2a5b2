"""The tests' own surroundings: no network beyond this machine, and PostgreSQL that leaves nothing behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from tests.conftest import NetworkForbiddenError
from tests.postgres import PostgresServer, PostgresUnavailableError, binaries


@pytest.mark.parametrize("address", [("192.0.2.1", 443), ("2001:db8::1", 443), ("holdfast.invalid", 443)])
def test_other_machines_are_out_of_reach(address: tuple[str, int]) -> None:
    """Neither an address nor a name outside this machine can be connected to."""
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family) as outside:
        outside.settimeout(1)
        with pytest.raises(NetworkForbiddenError):
            outside.connect(address)
        with pytest.raises(NetworkForbiddenError):
            outside.connect_ex(address)
    with pytest.raises(NetworkForbiddenError):
        socket.getaddrinfo(*address)


def test_loopback_and_unix_sockets_work(tmp_path: Path) -> None:
    """Tests may talk to servers that they started on this machine."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(("localhost", server.getsockname()[1]), timeout=5).close()
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(str(tmp_path / "s"))
        server.listen()
        client.connect(str(tmp_path / "s"))


@pytest.mark.postgres
def test_databases_are_copied_from_a_template(postgres_server: PostgresServer) -> None:
    """A database made from a template holds what the template held, and does not change it."""
    template = postgres_server.create_database()
    _execute(template, "CREATE TABLE mark AS SELECT 7 AS value")
    copy = postgres_server.create_database(postgres_server.template(template))
    assert _read(copy, "SELECT value FROM mark") == 7
    _execute(copy, "DELETE FROM mark")
    assert _read(template, "SELECT count(*) FROM mark") == 1
    postgres_server.drop_database(copy)
    postgres_server.drop_database(template)


@pytest.mark.postgres
def test_the_server_is_the_version_that_was_asked_for(postgres_server: PostgresServer) -> None:
    """The server answers with the major version it was started as."""
    url = postgres_server.create_database()
    assert postgres_server.version == str(_read(url, "SHOW server_version")).split(".")[0]


def test_an_unknown_version_is_refused() -> None:
    """A version that the wheel does not carry is named in the refusal."""
    with pytest.raises(PostgresUnavailableError, match="PostgreSQL 9 "):
        binaries("9")


@pytest.mark.postgres
@pytest.mark.usefixtures("postgres_server")  # Skips where there are no binaries.
def test_a_killed_session_leaves_no_server_behind() -> None:
    """When the process that started it is killed, the server stops and its directory goes."""
    program = (
        "from tests.postgres import PostgresServer\n"
        "with PostgresServer() as server:\n"
        "    print(server.create_database(), flush=True)\n"
        "    input()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent.parent,
    ) as session:
        assert session.stdout is not None
        url = session.stdout.readline().strip()
        directory = Path(url.split("host=")[1])
        assert directory.is_dir()
        os.kill(session.pid, signal.SIGKILL)
    deadline = time.monotonic() + 20
    while directory.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not directory.exists()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(host=str(directory), user="postgres")


def _execute(url: str, statement: str) -> None:
    with create_engine(url, poolclass=NullPool).begin() as connection:
        connection.execute(text(statement))


def _read(url: str, query: str) -> object:
    with create_engine(url, poolclass=NullPool).connect() as connection:
        return connection.execute(text(query)).scalar_one()
