"""The workers' queue: one job per case, what is lost comes back, and its schema is the library's."""

from __future__ import annotations

import re
from collections.abc import Iterator

import psycopg
import pytest
from procrastinate.schema import SchemaManager

from tests.postgres import PostgresServer
from workflow.errors import StorageError
from workflow.storage import queue, schema
from workflow.storage.database import Database
from workflow.storage.migrations import migrate, upgrade
from workflow.storage.transaction import Tx

pytestmark = pytest.mark.postgres

CATALOG = """
SELECT 'column ' || c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull
    || ' ' || a.attidentity::text || ' ' || coalesce(pg_get_expr(d.adbin, d.adrelid), '')
FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = 'procrastinate'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL SELECT 'constraint ' || k.conname || ' ' || pg_get_constraintdef(k.oid)
FROM pg_constraint AS k WHERE k.connamespace = 'procrastinate'::regnamespace
UNION ALL SELECT 'index ' || i.indexdef FROM pg_indexes AS i WHERE i.schemaname = 'procrastinate'
UNION ALL SELECT 'trigger ' || pg_get_triggerdef(t.oid) FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
WHERE c.relnamespace = 'procrastinate'::regnamespace AND NOT t.tgisinternal
UNION ALL SELECT 'function ' || pg_get_functiondef(p.oid) FROM pg_proc AS p
WHERE p.pronamespace = 'procrastinate'::regnamespace
UNION ALL SELECT 'enum ' || t.typname || ' ' || e.enumsortorder || ' ' || e.enumlabel
FROM pg_enum AS e JOIN pg_type AS t ON t.oid = e.enumtypid WHERE t.typnamespace = 'procrastinate'::regnamespace
"""


@pytest.fixture
def tx(postgres_database: Database) -> Iterator[Tx]:
    """A transaction on a migrated database."""
    with postgres_database.transaction() as found:
        found.run("SET LOCAL search_path = procrastinate, public, pg_temp")
        yield found


def jobs(tx: Tx) -> list[tuple[str, str]]:
    """Return case and status of every job, in the order of the queue."""
    return [
        (str(case), str(status)) for case, status in tx.all("SELECT lock, status FROM procrastinate_jobs ORDER BY id")
    ]


def fetched(tx: Tx, name: str = queue.CASES) -> int:
    """Sign a worker on, have it take one job, and return the worker."""
    row = tx.one("SELECT worker_id FROM procrastinate_register_worker_v1()")
    assert row is not None
    tx.run("SELECT procrastinate_fetch_job_v2(ARRAY[?]::varchar[], ?)", (name, row[0]))
    return int(row[0])


def silence(tx: Tx, worker: int, seconds: float) -> None:
    """Let a worker have been silent for so long."""
    sql = "UPDATE procrastinate_workers SET last_heartbeat = now() - ? * interval '1 second' WHERE id = ?"
    tx.run(sql, (seconds, worker))


def described(url: str) -> list[str]:
    """Return what a database says of the schema of the queue, blanks and comments aside."""
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        return sorted(" ".join(re.sub("--.*", "", line).split()) for (line,) in connection.execute(CATALOG))


def test_the_queues_schema_is_the_installed_librarys(postgres_server: PostgresServer, postgres_template: str) -> None:
    """A release with another schema makes this fail: it needs a revision with that release's own migrations."""
    ours, theirs = postgres_server.create_database(postgres_template), postgres_server.create_database()
    with psycopg.connect(theirs.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("CREATE SCHEMA procrastinate")
        connection.execute("SET search_path = procrastinate, pg_temp")
        connection.execute(SchemaManager.get_schema())

    assert described(theirs) == described(ours)


def test_a_case_is_queued_once(tx: Tx) -> None:
    """In the order given; whoever waits or is in somebody's hands is left alone, and nothing else is said of a case."""
    assert 2 == queue.put(tx, ["b", "a"])
    fetched(tx)
    assert 1 == queue.put(tx, ["a", "b", "c"])
    assert 0 == queue.put(tx, [])

    assert [("b", "doing"), ("a", "todo"), ("c", "todo")] == jobs(tx)
    assert [("b", "b", "step", "cases", {"case_id": "b"})] == tx.all(
        "SELECT lock, queueing_lock, task_name, queue_name, args FROM procrastinate_jobs WHERE lock = 'b'"
    )


def test_the_chores_are_queued_once(tx: Tx) -> None:
    """There is one job for the chores of the whole ledger."""
    assert [1, 0] == [queue.put_chores(tx), queue.put_chores(tx)]
    fetched(tx, queue.CHORES)

    assert 0 == queue.put_chores(tx)
    assert [("chores", "doing")] == jobs(tx)


def test_what_a_silent_worker_held_is_queued_again(tx: Tx) -> None:
    """Once it was silent for the lease and not before, at once and for anybody."""
    queue.put(tx, ["a"])
    worker = fetched(tx)
    silence(tx, worker, 9)
    assert ((False, False, 1), 0) == (queue.look(tx, 10), queue.take_back(tx, 10, 300))
    silence(tx, worker, 11)

    assert (False, True, 0) == queue.look(tx, 10)
    assert 1 == queue.take_back(tx, 10, 300)
    assert (False, False, 0) == queue.look(tx, 10)
    fetched(tx)
    assert [("a", "doing")] == jobs(tx)


def test_workers_that_are_alive_are_counted(tx: Tx) -> None:
    """Each signs on twice; one that is just signing on, or off, counts, and one that is silent does not."""
    queue.put(tx, [f"case {number}" for number in range(5)])
    alive = [fetched(tx) for _ in range(5)]

    assert 3 == queue.look(tx, 10)[2]
    for worker in alive[:2]:
        silence(tx, worker, 11)
    assert 2 == queue.look(tx, 10)[2]


def test_what_a_worker_held_when_it_signed_off_is_queued_again(tx: Tx) -> None:
    """A job that is nobody's is lost, however short a time ago."""
    queue.put(tx, ["a"])
    tx.run("SELECT procrastinate_unregister_worker_v1(?)", (fetched(tx),))

    assert (False, True, 0) == queue.look(tx, 10)
    assert 1 == queue.take_back(tx, 10, 300)
    assert [("a", "todo")] == jobs(tx)


def test_a_case_that_takes_workers_down_waits_longer_each_time(tx: Tx) -> None:
    """The first loss is made good at once, later ones after twice the wait, up to the longest."""
    waits = []
    queue.put(tx, ["a"])
    for _ in range(4):
        tx.run("UPDATE procrastinate_jobs SET scheduled_at = NULL")
        silence(tx, fetched(tx), 11)
        queue.take_back(tx, 10, 3)
        row = tx.one("SELECT extract(epoch FROM scheduled_at - now())::integer FROM procrastinate_jobs")
        waits.append(row and row[0])

    assert [0, 2, 3, 3] == waits


def test_a_lost_job_gives_way_to_one_that_waits(tx: Tx) -> None:
    """Whoever queued the case by another way: one job is left, and nothing is refused."""
    queue.put(tx, ["a"])
    silence(tx, fetched(tx), 11)
    tx.run("INSERT INTO procrastinate_jobs (queue_name, task_name, queueing_lock, lock) VALUES ('q', 'step', 'a', 'a')")

    assert 0 == queue.take_back(tx, 10, 300)
    assert [("a", "todo")] == jobs(tx)


def test_the_address_has_time_outs_and_keeps_its_own(postgres_server: PostgresServer) -> None:
    """A connection that is lost on the way is noticed within seconds, or as the address says."""
    url = postgres_server.create_database()
    database = Database(f"{url}&connect_timeout=17&application_name=mine")
    found = queue.address(database)
    with psycopg.connect(**found) as connection:
        assert "mine" == connection.info.get_parameters()["application_name"]
    database.close()

    assert ("17", 10_000) == (found["connect_timeout"], found["tcp_user_timeout"])


def test_several_workers_need_postgresql(sqlite_database: Database) -> None:
    """A file is refused, with the reason."""
    with pytest.raises(StorageError, match="PostgreSQL only"):
        queue.address(sqlite_database)


def test_whoever_may_write_entries_may_use_the_queue(postgres_server: PostgresServer) -> None:
    """A role that owns no table, and was let write before the upgrade, queues cases after it."""
    url = postgres_server.create_database()
    database = Database(url)
    with database.engine.connect() as connection:
        migrate(connection, "0004")
        connection.commit()
    with database.transaction() as tx:
        tx.run('CREATE ROLE "the app" LOGIN')
        tx.run("CREATE ROLE reader LOGIN")
        tx.run('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO "the app"')
        tx.run("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
    upgrade(database)
    assert [] == schema.compare(database)
    database.close()

    app = Database(url.replace("postgres@", "the%20app@"))
    with app.transaction() as tx:
        assert [1, 1] == [queue.put(tx, ["a"]), queue.put_chores(tx)]
        silence(tx, fetched(tx), 11)
        assert ((False, True, 0), 1) == (queue.look(tx, 10), queue.take_back(tx, 10, 300))
        tx.run("DELETE FROM procrastinate_jobs")
    app.close()
    reader = Database(url.replace("postgres@", "reader@"))
    with pytest.raises(StorageError, match="procrastinate_jobs"), reader.transaction() as tx:
        queue.put(tx, ["a"])
    reader.close()
    owner = Database(url)
    with owner.transaction() as tx:
        for role in ('"the app"', "reader"):
            tx.run(f"DROP OWNED BY {role}")
            tx.run(f"DROP ROLE {role}")
    owner.close()
