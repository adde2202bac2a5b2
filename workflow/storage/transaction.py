"""One transaction: the only thing the rest of this floor reads and writes through."""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any, Final

from workflow.errors import StorageError

SQLITE: Final = "sqlite"
POSTGRESQL: Final = "postgresql"


@lru_cache(maxsize=512)
def placeholders(sql: str) -> str:
    """Write a statement the way psycopg wants it: ``%s`` for ``?``, and each percent sign twice."""
    return sql.replace("%", "%%").replace("?", "%s")


def storable(text: str) -> bool:
    """Tell whether both databases can hold this text: no NUL, no lone surrogates."""
    try:
        return b"\x00" not in text.encode()
    except UnicodeEncodeError:
        return False


class Tx:
    """A transaction on one connection.

    Statements are written with ``?``. ``dialect`` is ``sqlite`` or ``postgresql``. Callbacks given to
    :meth:`before_commit` run inside the transaction, those given to :meth:`on_commit` only once it stands.
    ``checkpoint`` is the newest signed note that this transaction sealed, if it did. ``read`` is for whoever asks the
    same of it again and again: what has been read, under keys of their own. ``erasing`` are the cases whose names,
    texts and files go with its commit. What is written :meth:`later` is sent together, before anything else is.
    """

    __slots__ = (
        *("_after", "_ahead", "_before", "_connection", "_sent", "_waiting"),
        *("appended", "checkpoint", "dialect", "erasing", "read", "sqlite"),
    )

    def __init__(self, connection: Any, dialect: str) -> None:
        self._connection = connection
        self.dialect = dialect
        self.sqlite = dialect == SQLITE
        self._before: list[Callable[[Tx], None]] = []
        self._after: list[Callable[[], None]] = []
        self._waiting: dict[Callable[[Tx, list[Any]], None], list[Any]] = {}
        self._sent: list[tuple[Any, int]] | None = None
        self._ahead: dict[tuple[str, Sequence[Any]], Any] = {}
        self.appended = 0
        self.read: dict[Any, Any] = {}
        self.checkpoint: str | None = None
        self.erasing: list[str] = []

    def run(self, sql: str, params: Sequence[Any] = ()) -> Any:
        """Execute one statement and return the driver's cursor."""
        if self._waiting:
            self._send()
        if self.sqlite:
            return self._connection.execute(sql, params)
        if self._ahead:
            answered = self._ahead.pop((sql, tuple(params)), None)
            if answered is not None:
                return answered
            # What was read ahead may not be so any more.
            self._ahead.clear()
        return self._connection.execute(placeholders(sql), params)

    def ahead(self, *statements: tuple[str, Sequence[Any]]) -> None:
        """Send PostgreSQL what is about to be asked, in this order, so that it takes one trip; each runs by itself.

        An answer is given to whoever asks exactly that next; any other statement before then makes them all void.
        """
        with self._connection.pipeline():
            answers = [self._connection.execute(placeholders(sql), params) for sql, params in statements]
        asked = [(sql, tuple(params)) for sql, params in statements]
        self._ahead = dict(zip(asked, answers, strict=True))

    def all(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return every row."""
        rows: list[tuple[Any, ...]] = self.run(sql, params).fetchall()
        return rows

    def one(self, sql: str, params: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        """Return the first row, or None."""
        row: tuple[Any, ...] | None = self.run(sql, params).fetchone()
        return row

    def write(self, sql: str, params: Sequence[Any]) -> None:
        """Execute one statement that must change exactly one row (R5).

        A temporary trigger can make a write vanish without an error; the count of changed rows shows it.

        Raises:
            StorageError: another number of rows was changed.
        """
        self._expect(self.run(sql, params), 1)

    def write_all(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Execute one statement per row of values; each must change exactly one row (R5)."""
        if len(rows) == 1:
            self.write(sql, rows[0])
            return
        if self._waiting:
            self._send()
        self._ahead.clear()
        cursor = self._connection.cursor()
        cursor.executemany(sql if self.sqlite else placeholders(sql), rows)
        self._expect(cursor, len(rows))

    def later(self, write: "Callable[[Tx, list[Any]], None]", items: Iterable[Any]) -> None:
        """Have ``write(tx, items)`` write all that it was given so far, at the latest before the next statement.

        So many cases take few statements, and on a server one round trip. Who comes first here is written first. What
        the database refuses is raised then, and so may not be caught for one case of several: it is about them all.
        """
        self._waiting.setdefault(write, []).extend(items)

    def _send(self) -> None:
        waiting, self._waiting = self._waiting, {}
        if self.sqlite:
            for write, items in waiting.items():
                write(self, items)
            return
        sent: list[tuple[Any, int]] = []
        self._sent = sent
        with self._connection.pipeline():
            for write, items in waiting.items():
                write(self, items)
        self._sent = None
        for cursor, expected in sent:
            self._expect(cursor, expected)

    def copy(self, target: Any, pages: int, progress: Callable[[int, int, int], None] | None) -> None:
        """Copy the whole database, as this transaction sees it, into an SQLite connection (SQLite only)."""
        self._connection.backup(target, pages=pages, progress=progress)

    def before_commit(self, callback: "Callable[[Tx], None]") -> None:
        """Have ``callback(tx)`` run last in this transaction."""
        self._before.append(callback)

    def on_commit(self, callback: Callable[[], None]) -> None:
        """Have ``callback()`` run once the transaction stands; it must not raise."""
        self._after.append(callback)

    def close(self) -> Iterable[Callable[[], None]]:
        """Run what was to run last, and return what is to run after the commit."""
        for callback in self._before:
            callback(self)
        if self._waiting:
            self._send()
        return self._after

    def _expect(self, cursor: Any, expected: int) -> None:
        if self._sent is not None:
            # The server has not answered yet.
            self._sent.append((cursor, expected))
        elif cursor.rowcount != expected:
            raise StorageError(
                f"The database changed {cursor.rowcount} rows where {expected} were written, and gave no reason. "
                "Nothing was kept; compare the database's triggers with `holdfast ledger verify`."
            )
