"""What every test may count on: no network beyond this machine, and a PostgreSQL server for those who ask."""

import gc
import ipaddress
import os
import socket
import tempfile
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.memory import folder
from tests.postgres import PostgresServer, PostgresUnavailableError

# No test asserts a time: what else a machine does meanwhile is not the fault of what is tested.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


def pytest_configure(config: pytest.Config) -> None:
    """Keep temporary files in memory, but for long runs, in which a writer shall meet a disk as it is."""
    if config.getoption("markexpr") != "long":
        os.environ.setdefault("TMPDIR", str(folder()))
        tempfile.tempdir = None  # Whoever asked before us would decide for all.


def pytest_collection_finish() -> None:
    """Spare every collection of garbage the modules and thousands of tests that stay until the end."""
    gc.collect()
    gc.freeze()


class NetworkForbiddenError(Exception):
    """A test tried to reach a machine other than its own."""


def _refuse_strangers(address: object) -> None:
    """Let unix sockets and loopback addresses pass; names other than localhost are not resolved for tests."""
    if isinstance(address, str | bytes):
        return
    host = str(address[0]) if isinstance(address, tuple) and address else repr(address)
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = host == "localhost"
    if not loopback:
        raise NetworkForbiddenError(f"tests do not talk to {host}")


@pytest.fixture(autouse=True, scope="session")
def _no_network() -> Iterator[None]:
    """Refuse connections and name look-ups that would leave this machine, for the whole session."""
    connect, connect_ex, look_up = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def guarded_connect(self: socket.socket, address: Any) -> None:
        _refuse_strangers(address)
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        _refuse_strangers(address)
        return connect_ex(self, address)

    def guarded_look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host is not None:
            _refuse_strangers((host.decode() if isinstance(host, bytes) else host,))
        return look_up(host, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded_connect)
        patch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
        patch.setattr(socket, "getaddrinfo", guarded_look_up)
        yield


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One PostgreSQL server per test session (per worker under xdist); HOLDFAST_TEST_PG chooses 16 or 18."""
    try:
        server = PostgresServer()
    except PostgresUnavailableError as unavailable:
        pytest.skip(str(unavailable))
    with server:
        yield server
