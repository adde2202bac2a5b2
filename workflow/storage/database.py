"""The database: where it is, how a connection to it behaves, and how a transaction begins and ends.

SQLite runs WAL with ``synchronous=FULL``: NORMAL lost acknowledged writes in simulated power cuts (R5). Writers begin
with ``BEGIN IMMEDIATE``, in line and with short waits of our own, because SQLite's grow to 100 ms and starve some.

In a folder where this user may not write, SQLite cannot even make the files that reading takes. As long as nobody else
writes to the database there, it is read as a file that does not change.
"""

import random
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from sqlalchemy import create_engine, event
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.exc import DisconnectionError, SQLAlchemyError
from sqlalchemy.pool import QueuePool, StaticPool

from workflow.errors import DatabaseBusyError, StorageError
from workflow.storage.faults import BUSY, is_busy, translate, translate_write
from workflow.storage.files import write_new
from workflow.storage.line import Line
from workflow.storage.sqlite_file import connected, is_left_alone, stamp
from workflow.storage.transaction import POSTGRESQL, SQLITE, Tx

BUSY_TIMEOUT: Final = 5.0
"""Seconds a writer waits for its turn before it says so."""

_POOL: Final = 16
_READERS_LEAVE: Final = 1.0  # seconds in which a reader who is nearly done gets done
_BELIEVED: Final = 3.0  # seconds for which a pooled connection is taken to be alive
_SHORTEST, _LONGEST = 0.00005, 0.0002  # seconds between two tries for the lock


class Database:
    """A Holdfast database by URL: ``sqlite:////path/to/file`` or ``postgresql://…``.

    Args:
        url: an SQLAlchemy URL; an SQLite file must exist (see :func:`create_file`).
        busy_timeout: seconds to wait for another writer.
        synchronous: SQLite's setting; ``NORMAL`` is for benchmarks only.
        still: read a file that nobody writes to, such as a backup, and leave no trace in it or beside it.

    Raises:
        StorageError: the URL names no database that Holdfast knows.
    """

    def __init__(
        self, url: str, *, busy_timeout: float = BUSY_TIMEOUT, synchronous: str = "FULL", still: bool = False
    ) -> None:
        try:
            parsed = make_url(url)
        except (SQLAlchemyError, ValueError) as error:
            raise StorageError(
                "This is not the address of a database: expected sqlite:/// or postgresql://."
            ) from error
        self.dialect = parsed.get_backend_name()
        self.path = Path(parsed.database) if self.dialect == SQLITE and parsed.database else None
        self._busy_timeout = busy_timeout
        self._synchronous = synchronous
        self._still = still
        self._seen: tuple[int, int] | None = None
        self._turn = threading.Lock()
        self._line = Line(self.path)
        if self.dialect == SQLITE:
            pool: dict[str, Any] = {"poolclass": StaticPool}
            if self.path is not None:
                pool = {"poolclass": QueuePool, "pool_size": _POOL, "max_overflow": -1, "pool_use_lifo": True}
            # Whoever takes a connection ends his transaction before giving it back.
            pool["pool_reset_on_return"] = None
            self.engine: Engine = create_engine("sqlite://", creator=self._connect_sqlite, **pool)
        elif self.dialect == POSTGRESQL:
            try:
                self.engine = create_engine(
                    parsed.set(drivername="postgresql+psycopg"), pool_size=_POOL, max_overflow=-1
                )
            except ImportError as error:
                raise StorageError("PostgreSQL needs the extra: pip install 'holdfast[postgresql]'.") from error
            event.listen(self.engine, "connect", self._settle_postgresql)
            event.listen(self.engine, "checkin", _lay_down)
            event.listen(self.engine, "checkout", self._pick_up)
        else:
            raise StorageError("Holdfast keeps its ledger in SQLite or PostgreSQL.")
        self.errors: type[Exception] = self.engine.dialect.loaded_dbapi.Error

    def transaction(self) -> "Transaction":
        """Begin a write: alone on SQLite, READ COMMITTED on PostgreSQL. Commits unless an exception leaves it.

        Raises:
            DatabaseBusyError: another process held the lock for ``busy_timeout``.
            ConflictError: somebody else wrote a value that must be unique.
            StorageError: the database refused; nothing was changed unless the connection was lost at the commit.
        """
        return Transaction(self)

    def reading(self) -> "Reading":
        """Begin a read of one consistent state of the database; writes are refused."""
        return Reading(self)

    @contextmanager
    def glance(self) -> Iterator[Tx]:
        """Read where no two statements have to see the same state; a server then needs one trip for each, not three.

        For whoever asks the same again and again and hardly ever finds anything.
        """
        if self.dialect == SQLITE:
            with self.reading() as tx:
                yield tx
            return
        pooled = self.connect()
        connection = pooled.driver_connection
        try:
            connection.autocommit = True
            yield Tx(connection, self.dialect)
            connection.autocommit = False
        except BaseException as error:
            pooled.invalidate()
            if isinstance(error, self.errors):
                raise translate(error) from error
            raise
        finally:
            pooled.close()

    def close(self) -> None:
        """Close every idle connection."""
        self.engine.dispose()
        self._line.close()

    def truncate_log(self) -> bool:
        """Write SQLite's log back into the file and empty it; return whether a reader kept that from happening."""
        pooled = self.connect()
        try:
            (blocked, _, _) = pooled.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            pooled.close()
        return bool(blocked)

    def compact(self) -> bool:
        """Write the SQLite file anew, without what it no longer uses, and empty its log.

        Returns whether a reader kept the log from being emptied for a second.

        Raises:
            DatabaseBusyError: another process held the lock for ``busy_timeout``.
            StorageError: the database refused; for a while it needs room for a second copy.
        """
        self.take_turn()
        try:
            pooled = self.connect()
            try:
                self.begin(pooled.driver_connection, "VACUUM")
            except self.errors as error:
                raise translate(error) from error
            finally:
                pooled.close()
            deadline = time.monotonic() + _READERS_LEAVE
            while blocked := self.truncate_log():
                if time.monotonic() > deadline:
                    break
                time.sleep(_LONGEST)
        finally:
            self.pass_turn()
        return blocked

    def connect(self) -> Any:
        """Take a connection from the pool.

        Raises:
            StorageError: there is no such database, or it cannot be reached.
        """
        try:
            return self.engine.raw_connection()
        except (self.errors, UnicodeDecodeError) as error:
            raise translate(error) from error

    def open(self, *, write: bool) -> Any:
        """Take a connection and begin on it. One that cannot begin is thrown away, whatever its state.

        Raises:
            DatabaseBusyError: another writer held the lock for too long.
            StorageError: the database refused.
        """
        pooled = self.connect()
        connection = pooled.driver_connection
        try:
            if self.dialect != SQLITE:
                if not write:
                    connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            elif write:
                self._begin_write(connection)
            else:
                connection.execute("PRAGMA query_only=ON")
                self.begin(connection, "BEGIN", "SELECT 1 FROM sqlite_master LIMIT 1")
        except (self.errors, UnicodeDecodeError) as error:
            pooled.invalidate()
            raise translate(error) from error
        except BaseException:
            pooled.invalidate()
            raise
        return pooled

    def begin(self, connection: Any, statement: str, first: str = "") -> None:
        """Try to begin on SQLite until it is our turn; ``first`` is read at once, to fix what is seen."""
        deadline = time.monotonic() + self._busy_timeout
        while True:
            try:
                connection.execute(statement)
                if first:
                    connection.execute(first).fetchone()
            except sqlite3.OperationalError as error:
                with suppress(sqlite3.Error):
                    connection.rollback()
                if not is_busy(error) or time.monotonic() > deadline:
                    raise
            else:
                return
            time.sleep(random.uniform(_SHORTEST, _LONGEST))  # noqa: S311 - spreading waiters, not secrets

    def _begin_write(self, connection: sqlite3.Connection) -> None:
        self._line.join(time.monotonic() + self._busy_timeout)
        try:
            self.begin(connection, "BEGIN IMMEDIATE")
        finally:
            self._line.leave()

    def take_turn(self) -> None:
        """Queue behind the writers of this process, so that only one of them tries for SQLite's lock."""
        if self.dialect == SQLITE and not self._turn.acquire(timeout=self._busy_timeout):
            raise DatabaseBusyError(BUSY)

    def pass_turn(self) -> None:
        """Let the next writer of this process try."""
        if self.dialect == SQLITE:
            self._turn.release()

    def look_again(self) -> None:
        """Refuse what was read from a file that was taken to stand still and did not.

        Raises:
            DatabaseBusyError: somebody began to write to it meanwhile.
        """
        if self._seen is not None and self.path is not None and self._seen != stamp(self.path):
            raise DatabaseBusyError("Somebody wrote to the database while it was read here; look again.")

    def _connect_sqlite(self) -> sqlite3.Connection:
        try:
            return connected(self.path, self._synchronous, still=self._still)
        except sqlite3.OperationalError:
            if self.path is None or not is_left_alone(self.path):
                raise
            self._seen = stamp(self.path)
            return connected(self.path, self._synchronous, still=True)

    def _pick_up(self, connection: Any, record: Any, _pooled: Any) -> None:
        """Ask a connection that lay idle whether it is still there; SQLAlchemy replaces one that is not.

        Asking takes a round trip to the server, so a connection used a moment ago is believed.
        """
        if time.monotonic() - record.info.get("used", time.monotonic()) > _BELIEVED:
            try:
                self.engine.dialect.do_ping(connection)
            except self.errors as error:
                raise DisconnectionError from error

    def _settle_postgresql(self, connection: Any, _record: Any) -> None:
        """Fix what the server's or the role's defaults could change about our transactions."""
        connection.autocommit = True
        connection.execute("SET search_path = public, pg_temp")
        connection.execute("SET TIME ZONE 'UTC'")
        connection.execute("SET default_transaction_isolation = 'read committed'")
        connection.execute("SET default_transaction_deferrable = off")
        connection.execute(f"SET lock_timeout = {int(self._busy_timeout * 1000)}")
        connection.autocommit = False


class Transaction:
    """A write transaction as a context manager; see :meth:`Database.transaction`."""

    __slots__ = ("_connection", "_database", "_pooled", "_tx")

    def __init__(self, database: Database) -> None:
        self._database = database

    def __enter__(self) -> Tx:
        """Begin."""
        database = self._database
        database.take_turn()
        try:
            self._pooled = database.open(write=True)
        except BaseException:
            database.pass_turn()
            raise
        self._connection = self._pooled.driver_connection
        self._tx = Tx(self._connection, database.dialect)
        return self._tx

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        """Commit, or take everything back."""
        try:
            if error is not None:
                self._take_back()
                if isinstance(error, self._database.errors):
                    raise translate_write(error, self._connection) from error
                return
            try:
                after = self._tx.close()
                self._connection.commit()
            except BaseException as failure:
                self._take_back()
                if isinstance(failure, self._database.errors):
                    raise translate_write(failure, self._connection) from failure
                raise
        finally:
            self._pooled.close()
            self._database.pass_turn()
        for callback in after:
            callback()

    def _take_back(self) -> None:
        # The first failure is the one to report; a broken connection cannot roll back and need not.
        with suppress(*[self._database.errors]):
            self._connection.rollback()


class Reading:
    """A read-only snapshot as a context manager; see :meth:`Database.reading`."""

    __slots__ = ("_connection", "_database", "_pooled", "_tx")

    def __init__(self, database: Database) -> None:
        self._database = database

    def __enter__(self) -> Tx:
        """Fix the state that will be seen."""
        self._pooled = self._database.open(write=False)
        self._connection = self._pooled.driver_connection
        self._tx = Tx(self._connection, self._database.dialect)
        return self._tx

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        """Let the snapshot go."""
        self._leave()
        if isinstance(error, (self._database.errors, UnicodeDecodeError)):
            raise translate(error) from error
        if error is None:
            self._database.look_again()
            for callback in self._tx.close():
                callback()

    def _leave(self) -> None:
        with suppress(*[self._database.errors]):
            self._connection.rollback()
            if self._database.dialect == SQLITE:
                self._connection.execute("PRAGMA query_only=OFF")
        self._pooled.close()


def _lay_down(_connection: Any, record: Any) -> None:
    record.info["used"] = time.monotonic()


def create_file(path: Path) -> None:
    """Create an empty database file, never over another.

    Raises:
        StorageError: something is there already, or the file cannot be made.
    """
    write_new(path)
