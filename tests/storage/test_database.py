"""Connections, transactions, and errors that stay at home."""

import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.storage.ledgers import Ledger
from workflow.errors import ConflictError, DatabaseBusyError, StorageError
from workflow.storage.database import Database, create_file
from workflow.storage.faults import translate
from workflow.storage.migrations import HEAD
from workflow.storage.transaction import Tx


def test_a_new_database_is_its_owners_alone(tmp_path: Path) -> None:
    """File 0600, folder 0700, and so are the files SQLite puts beside it."""
    path = tmp_path / "deep" / "holdfast.db"
    create_file(path)
    database = Database(f"sqlite:///{path}")
    with database.transaction() as tx:
        tx.run("CREATE TABLE t (a)")

    assert {0o600} == {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert 0o700 == stat.S_IMODE(path.parent.stat().st_mode)
    database.close()


def test_a_file_is_never_written_over(tmp_path: Path) -> None:
    """Creating twice is refused, also through a link that leads nowhere."""
    create_file(tmp_path / "a.db")
    (tmp_path / "b.db").symlink_to(tmp_path / "elsewhere")

    for name in ("a.db", "b.db"):
        with pytest.raises(StorageError, match="already"):
            create_file(tmp_path / name)
    with pytest.raises(StorageError, match="folder"):
        create_file(tmp_path / "a.db" / "below.db")


@pytest.mark.parametrize("url", ["mysql://localhost/x", "not a url", "sqlite://host:port/x:y"])
def test_other_databases_are_refused(url: str) -> None:
    """Only SQLite and PostgreSQL are known."""
    with pytest.raises(StorageError):
        Database(url)


def test_a_missing_database_is_not_made_on_the_way(tmp_path: Path) -> None:
    """Opening is not creating."""
    database = Database(f"sqlite:///{tmp_path / 'none.db'}")

    with pytest.raises(StorageError, match="holdfast init"), database.reading():
        pass
    with pytest.raises(StorageError, match="holdfast init"), database.transaction():
        pass
    assert [] == list(tmp_path.iterdir())
    database.close()


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    """Rubbish is not read as an empty ledger."""
    path = tmp_path / "holdfast.db"
    path.write_bytes(b"rubbish " * 1000)
    database = Database(f"sqlite:///{path}")

    with pytest.raises(StorageError, match="not a Holdfast database"), database.transaction():
        pass
    database.close()


def test_an_unreachable_server_is_named() -> None:
    """A server that is not there is a storage error with what the driver said."""
    database = Database("postgresql://nobody@/nothing?host=/nonexistent")

    with pytest.raises(StorageError, match="connection"), database.reading():
        pass
    database.close()


def test_postgresql_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the driver the address is understood and the cure named."""
    monkeypatch.setitem(sys.modules, "psycopg", None)

    with pytest.raises(StorageError, match="extra"):
        Database("postgresql://localhost/holdfast")


def test_an_interrupt_while_waiting_keeps_nothing(sqlite_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is interrupted before the transaction began holds neither lock nor turn."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sqlite_database, "begin", interrupt)
    with pytest.raises(KeyboardInterrupt), sqlite_database.transaction():
        pass
    monkeypatch.undo()

    with sqlite_database.transaction() as tx:
        tx.run("DELETE FROM subject")


def test_an_exception_leaves_a_reading_as_it_is(database: Database) -> None:
    """What goes wrong elsewhere while reading is not turned into something else."""
    with pytest.raises(ValueError, match="stop"), database.reading():
        raise ValueError("stop")


def test_connections_are_set_up_for_durability(sqlite_database: Database) -> None:
    """Every connection runs WAL, FULL, with foreign keys, recursive triggers and secure deletion."""
    with sqlite_database.reading() as tx:
        found = {
            name: tx.one(f"PRAGMA {name}")
            for name in ("journal_mode", "synchronous", "foreign_keys", "recursive_triggers", "secure_delete")
        }

    assert {
        "journal_mode": ("wal",),
        "synchronous": (2,),
        "foreign_keys": (1,),
        "recursive_triggers": (1,),
        "secure_delete": (1,),
    } == found


def test_reading_refuses_to_write(database: Database) -> None:
    """A reading transaction cannot change anything, and the next write is not affected."""
    with pytest.raises(StorageError), database.reading() as tx:
        tx.run("DELETE FROM subject")

    with database.transaction() as tx:
        tx.run("DELETE FROM subject")


def test_reading_sees_one_state(ledger: Ledger) -> None:
    """What commits after a reading began is not seen by it."""
    with ledger.database.reading() as tx:
        before = tx.one('SELECT count(*) FROM "case"')
        ledger.open()
        assert before == tx.one('SELECT count(*) FROM "case"') == (0,)


def test_a_glance_sees_what_is_and_leaves_no_trace(database: Database) -> None:
    """Whoever glances again and again sees what others did meanwhile; the connection writes transactions as before."""
    with database.glance() as tx:
        assert (0,) == tx.one("SELECT count(*) FROM chore")
    with pytest.raises(KeyError), database.glance():
        raise KeyError

    def half_done() -> None:
        with database.transaction() as tx:
            tx.run("INSERT INTO chore (name, done_at) VALUES ('poll', 'now')")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half_done()
    with database.glance() as tx:
        assert (0,) == tx.one("SELECT count(*) FROM chore")


def test_a_glance_at_what_is_not_there_is_the_houses_own_error(database: Database) -> None:
    """As with every other way to read."""
    with pytest.raises(StorageError), database.glance() as tx:
        tx.one("SELECT nothing FROM nowhere")


def test_a_percent_sign_is_a_percent_sign(database: Database) -> None:
    """Statements may hold percent signs on both databases."""
    with database.reading() as tx:
        assert ("100%", 1) == tx.one("SELECT '100%', CAST(? AS INTEGER) % 2", (5,))


def test_another_writer_is_waited_for_and_then_named(sqlite_path: Path) -> None:
    """A lock held elsewhere is waited for up to the limit, then reported as busy, having changed nothing."""
    database = Database(f"sqlite:///{sqlite_path}", busy_timeout=0.1)
    stranger = sqlite3.connect(sqlite_path, isolation_level=None)
    stranger.execute("BEGIN IMMEDIATE")

    with pytest.raises(DatabaseBusyError), database.transaction():
        pass
    stranger.rollback()
    with database.transaction():
        pass
    stranger.close()
    database.close()


def test_writers_of_one_process_take_turns(sqlite_path: Path) -> None:
    """A second thread waits for the first one's turn to end, or says busy."""
    database = Database(f"sqlite:///{sqlite_path}", busy_timeout=0.05)
    errors: list[Exception] = []

    def second() -> None:
        try:
            with database.transaction():
                pass
        except StorageError as error:
            errors.append(error)

    with database.transaction():
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()

    assert [DatabaseBusyError] == [type(error) for error in errors]
    database.close()


def test_callbacks_run_at_their_time(database: Database) -> None:
    """Before the commit inside the transaction; after it outside; neither when it fails."""
    order: list[str] = []
    with database.transaction() as tx:
        tx.before_commit(lambda _: order.append("before"))
        tx.on_commit(lambda: order.append("after"))
        order.append("inside")

    def fail() -> None:
        with database.transaction() as tx:
            tx.before_commit(lambda _: order.append("never"))
            tx.on_commit(lambda: order.append("never"))
            raise ValueError("stop")

    def fail_last() -> None:
        with database.transaction() as tx:
            tx.before_commit(lambda _: order.remove("nothing"))
            tx.on_commit(lambda: order.append("never"))

    with pytest.raises(ValueError, match="stop"):
        fail()
    with pytest.raises(ValueError, match="not in list"):
        fail_last()
    assert ["inside", "before", "after"] == order


def test_what_is_written_later_is_sent_together(database: Database) -> None:
    """Nothing is written before anybody looks; then all of it is, in the order of first asking; the rest at the end."""
    sent: list[list[int]] = []

    def write(tx: Tx, items: list[int]) -> None:
        sent.append(items)
        tx.write_all("INSERT INTO numbers (entry) VALUES (?)", [(item,) for item in items])

    def delete(tx: Tx, items: list[int]) -> None:
        sent.append(items)
        tx.write("DELETE FROM numbers WHERE entry < ?", items)

    def count() -> int:
        with database.transaction() as tx:
            tx.run("CREATE TEMP TABLE numbers (entry integer)")
            tx.later(write, [1])
            tx.later(delete, [2])
            tx.later(write, [2, 3])
            assert [] == sent
            found = tx.all("SELECT entry FROM numbers ORDER BY entry")
            tx.later(write, [4])
            tx.write_all("INSERT INTO numbers (entry) VALUES (?)", [(5,), (6,)])
            tx.later(write, [7])
        return len(found)

    assert 2 == count()
    assert [[1, 2, 3], [2], [4], [7]] == sent


def test_what_is_read_ahead_answers_only_what_is_asked_next(postgres_database: Database) -> None:
    """An answer is given once, and never behind another statement: that may have changed it."""
    turn = "SELECT nextval('turn') + ?", (0,)
    with postgres_database.transaction() as tx:
        tx.run("CREATE SEQUENCE turn")
        tx.ahead(turn)
        assert [(1,), (2,)] == [tx.one(*turn), tx.one(*turn)]
        tx.ahead(turn)
        tx.run("SELECT 1")
        assert (4,) == tx.one(*turn)
        tx.ahead(turn)
        tx.write_all("INSERT INTO playbook (digest, name, version, body) VALUES (?, 'x', '1', '{}')", [("a",), ("b",)])
        assert (6,) == tx.one(*turn)


def test_a_later_write_that_vanishes_is_noticed(database: Database) -> None:
    """What changes another number of rows than were written is not committed, wherever the answer comes from (R5)."""

    def write_into_nothing() -> None:
        with database.transaction() as tx:
            tx.run("CREATE TABLE lost (a integer)")
            tx.later(lambda inner, _: inner.write("DELETE FROM unsealed WHERE entry = ?", (-1,)), [None])

    with pytest.raises(StorageError, match="changed 0 rows where 1 were written"):
        write_into_nothing()
    with pytest.raises(StorageError), database.reading() as tx:
        tx.all("SELECT a FROM lost")


def test_errors_are_the_houses_own(database: Database) -> None:
    """A driver's exception never leaves this floor."""
    with pytest.raises(StorageError), database.transaction() as tx:
        tx.run("SELECT nonsense FROM nowhere")
    with pytest.raises(ConflictError), database.transaction() as tx:
        tx.write_all("INSERT INTO alembic_version (version_num) VALUES (?)", [(HEAD,)])
    with pytest.raises(StorageError, match="changed 0 rows"), database.transaction() as tx:
        tx.write("DELETE FROM subject WHERE id = ?", ("sub_404",))


def test_a_connection_lost_at_the_commit_is_not_hidden(postgres_database: Database) -> None:
    """When the server goes away nobody may believe that the step failed, or that it stands."""

    def lose() -> None:
        with postgres_database.transaction() as tx:
            with postgres_database.transaction() as other:
                other.run("SELECT pg_terminate_backend(?)", tx.one("SELECT pg_backend_pid()") or ())
            tx.run("SELECT 1")

    with pytest.raises(StorageError):
        lose()


def test_a_connection_that_lay_idle_is_asked_whether_it_lives(
    postgres_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that restarted in a pause costs nobody a step."""
    with postgres_database.transaction() as tx:
        pid = tx.one("SELECT pg_backend_pid()") or ()
    other = Database(postgres_database.engine.url.render_as_string(hide_password=False))
    with other.transaction() as tx:
        tx.run("SELECT pg_terminate_backend(?)", pid)
    other.close()

    monkeypatch.setattr("workflow.storage.database._BELIEVED", -1.0)
    with postgres_database.transaction() as tx:
        assert (1,) == tx.one("SELECT 1")


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (sqlite3.SQLITE_FULL, "disk is full"),
        (sqlite3.SQLITE_IOERR_WRITE, "disk failed"),
        (sqlite3.SQLITE_READONLY_DBMOVED, "read-only"),
        (sqlite3.SQLITE_CORRUPT_INDEX, "Restore a backup"),
        (sqlite3.SQLITE_PERM, "may not use"),
        (sqlite3.SQLITE_MISMATCH, "refused"),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, "try again"),
    ],
)
def test_every_fault_says_what_to_do(code: int, expected: str) -> None:
    """SQLite's codes become sentences with a next step."""
    error = sqlite3.OperationalError("particulars")
    error.sqlite_errorcode = code

    assert expected in str(translate(error))


WRITER = """
import sys
from tests.storage.ledgers import Ledger, noted
from workflow.storage.migrations import HEAD
from workflow.storage.transaction import Tx
from workflow.storage.database import Database
from workflow.ledger.note import Signer
from workflow.storage.seal import Journal

database = Database("sqlite:///" + sys.argv[1])
ledger = Ledger(database)
ledger.journal = Journal("holdfast.example/1", Signer.load(sys.argv[2]))
for _ in range(25):
    with database.transaction() as tx:
        ledger.append(tx, "case_1", [noted()])
"""


def test_processes_share_one_file(sqlite_ledger: Ledger, sqlite_path: Path) -> None:
    """Four processes append at once: no lock errors, and one dense, verified tree."""
    sqlite_ledger.open()
    command = [sys.executable, "-c", WRITER, str(sqlite_path), sqlite_ledger.signer.dump()]
    writers = [subprocess.Popen(command) for _ in range(4)]

    assert [0, 0, 0, 0] == [writer.wait(60) for writer in writers]
    with sqlite_ledger.database.reading() as tx:
        assert (101, 101) == tx.one('SELECT count(*), max("index") + 1 FROM leaf')
        assert (0,) == tx.one("SELECT count(*) FROM unsealed")
