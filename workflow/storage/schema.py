"""Comparing a database's schema with the expected one: tables, derived columns, indexes, triggers and functions.

The guards of R1 and R2 hold only while they are there. Whoever owns the database can drop or weaken them; this names
what is missing, what is extra and what reads differently.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

from workflow.errors import SchemaError, StorageError
from workflow.storage.database import Database
from workflow.storage.migrations import HEAD, migrate
from workflow.storage.openings import marks
from workflow.storage.transaction import SQLITE, Tx

EXPECTED: Final = Path(__file__).with_name("postgresql.schema")
"""What :func:`describe` says of a PostgreSQL database just migrated; a test holds it equal to one."""

_STATISTICS: Final = (
    "CREATE TABLE sqlite_stat1(tbl,idx,stat)",
    "CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)",
)
"""What SQLite itself makes when somebody runs ANALYZE: they say nothing but how to search."""
_SEARCH: Final = "subject_search"
_OURS: Final = (
    "'alembic_version', 'alert', 'alert_attempt', 'alert_cursor', 'attachment', 'case', 'checkpoint', 'chore', "
    "'entry', 'leaf', 'node', 'opening', 'playbook', 'subject', 'unsealed'"
)
_TABLE: Final = f"c.relnamespace = 'public'::regnamespace AND c.relname IN ({_OURS})"

# One line per fact, so that a difference can be named. Internal triggers keep foreign keys; they matter when disabled.
_POSTGRESQL: Final = f"""
SELECT 'table ' || c.relname || ': ' || c.relkind::text || c.relpersistence::text
    || CASE WHEN c.relrowsecurity THEN ' row security' ELSE '' END
    || CASE WHEN c.relhassubclass THEN ' inherited' ELSE '' END
FROM pg_catalog.pg_class AS c WHERE {_TABLE}
UNION ALL
SELECT 'column ' || c.relname || '.' || a.attname || ': ' || pg_catalog.format_type(a.atttypid, a.atttypmod)
    || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END || ' ' || a.attgenerated::text || a.attidentity::text
    || ' ' || coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid), '') || ' ' || coalesce(l.collname::text, '')
FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid
LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
LEFT JOIN pg_catalog.pg_collation AS l ON l.oid = a.attcollation
WHERE {_TABLE} AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT 'constraint ' || c.relname || '.' || k.conname || ': ' || pg_catalog.pg_get_constraintdef(k.oid)
    || CASE WHEN k.convalidated THEN '' ELSE ' not validated' END
FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_constraint AS k ON k.conrelid = c.oid
WHERE {_TABLE} AND k.contype IN ('p', 'u', 'f', 'c', 'x')
UNION ALL
SELECT 'index ' || i.relname || ': ' || pg_catalog.pg_get_indexdef(i.oid)
    || CASE WHEN x.indisvalid THEN '' ELSE ' not valid' END
FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_index AS x ON x.indrelid = c.oid
JOIN pg_catalog.pg_class AS i ON i.oid = x.indexrelid WHERE {_TABLE} AND i.relname <> '{_SEARCH}'
UNION ALL
SELECT 'trigger ' || c.relname || '.' || t.tgname || ': ' || t.tgenabled::text || ' '
    || pg_catalog.pg_get_triggerdef(t.oid)
FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_trigger AS t ON t.tgrelid = c.oid
WHERE {_TABLE} AND (NOT t.tgisinternal OR t.tgenabled <> 'O')
UNION ALL
SELECT 'rule ' || c.relname || '.' || r.rulename || ': ' || pg_catalog.pg_get_ruledef(r.oid)
FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_rewrite AS r ON r.ev_class = c.oid WHERE {_TABLE}
UNION ALL
SELECT 'function ' || p.proname || ': ' || pg_catalog.pg_get_functiondef(p.oid)
FROM pg_catalog.pg_proc AS p WHERE p.pronamespace = 'public'::regnamespace AND p.proname LIKE 'holdfast!_%' ESCAPE '!'
"""


def check(database: Database) -> None:
    """Refuse a database that this version of Holdfast does not work with; quick enough for every start.

    Raises:
        StorageError: it was never set up.
        SchemaError: it belongs to another version.
    """
    with database.reading() as tx:
        found = revision(tx)
    if found == HEAD:
        return
    if found is None:
        raise StorageError("There is no ledger in this database yet, it is empty. Begin with: holdfast init")
    if found > HEAD:
        raise SchemaError(
            f"This database has schema {found}, a newer Holdfast's; this one knows {HEAD}. Update Holdfast."
        )
    raise SchemaError(f"This database has schema {found}; this version works with {HEAD}. Run: holdfast upgrade")


def is_empty(tx: Tx) -> bool:
    """Say whether an SQLite file holds no table of anybody's; a server's database may be shared with others."""
    return not tx.sqlite or tx.one("SELECT 1 FROM sqlite_master LIMIT 1") is None


def revision(tx: Tx) -> str | None:
    """Return the schema's revision, or None where there is no schema."""
    known = (
        "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
        if tx.sqlite
        else "SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = 'public' AND tablename = 'alembic_version'"
    )
    if tx.one(known) is None:
        return None
    row = tx.one("SELECT version_num FROM alembic_version")
    return None if row is None else str(row[0])


def _revisions(tx: Tx) -> str:
    """Return every revision that the database claims; there is to be one."""
    if revision(tx) is None:
        return "None"
    return ", ".join(str(name) for (name,) in tx.all("SELECT version_num FROM alembic_version ORDER BY 1"))


def compare(database: Database) -> list[str]:
    """Return the differences from the expected schema, each in a line; none means equal."""
    with database.reading() as tx:
        actual = describe(tx)
    expected = list(_expected_sqlite()) if database.dialect == SQLITE else EXPECTED.read_text("utf-8").splitlines()
    if not any(_is_search(line) for line in actual):
        # The search index is optional: not every library or server has what it needs.
        expected = [line for line in expected if not _is_search(line)]
    return list(_differences(expected, actual))


def can_mend(difference: str) -> bool:
    """Say whether :func:`mend` takes this difference away: a guard holds nothing that could be lost."""
    how, kind, name = difference.split(" ", 2)
    # What a constraint made belongs to the constraint; an extra function is nobody's guard.
    return (
        (kind == "trigger" and ".RI_ConstraintTrigger_" not in name)
        or kind == "index"
        or (kind == "function" and how != "extra:")
    )


def mend(database: Database) -> list[str]:
    """Make the guards the expected ones: put back what is missing or changed, drop what is extra; returns what it did.

    Tables and columns are left as they are: what they hold cannot be made anew.

    Raises:
        StorageError: the database refused.
    """
    found = [difference for difference in compare(database) if can_mend(difference)]
    if found:
        with database.transaction() as tx:
            for statement in _mending_sqlite(tx, found) if tx.sqlite else _mending_postgresql(found):
                tx.run(statement)
    return found


def _mending_sqlite(tx: Tx, differences: Iterable[str]) -> Iterator[str]:
    """Go by the statements themselves: a trigger's name may be made to pass for another's."""
    query = "SELECT type, name, sql FROM sqlite_master WHERE type IN ('trigger', 'index') AND sql IS NOT NULL"
    with _fresh() as fresh:
        wanted = fresh.all(query)
    found, differ = tx.all(query), {difference.split(" ", 1)[1] for difference in differences}
    yield from (f"DROP {kind} {_quoted(name)}" for kind, name, sql in found if (kind, name, sql) not in wanted)
    # A database without the optional search index lacks its triggers, and that is no difference.
    gone = [(f"{kind} {name}", sql) for kind, name, sql in wanted if (kind, name, sql) not in found]
    yield from (sql for named, sql in gone if named in differ)


def _mending_postgresql(differences: Iterable[str]) -> Iterator[str]:
    expected = dict(line.split(": ", 1) for line in EXPECTED.read_text("utf-8").splitlines())
    for difference in differences:
        named = difference.split(" ", 1)[1]
        kind, name = named.split(" ", 1)
        if kind == "function":
            yield expected[named]
            continue
        if kind == "index":
            yield f"DROP INDEX IF EXISTS {_quoted(name)}"
            yield from [expected[named]] if named in expected else []
            continue
        table, trigger = (_quoted(part) for part in name.split(".", 1))
        yield f"DROP TRIGGER IF EXISTS {trigger} ON {table}"
        if named in expected:
            # The letter before the statement says when it fires: a trigger of ours does so for replicas as well.
            yield expected[named].removeprefix("A ")
            yield f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def describe(tx: Tx) -> list[str]:
    """Return the schema as sorted lines ``kind name: definition``, blanks normalised."""
    if tx.sqlite:
        rows = tx.all(
            "SELECT coalesce(type, '') || ' ' || coalesce(name, '') || ': on ' || coalesce(tbl_name, '') || ' ' "
            "|| coalesce(sql, '') FROM sqlite_master "
            f"WHERE NOT (coalesce(type, '') = 'table' AND coalesce(sql, '') IN ({marks(_STATISTICS)}))",
            _STATISTICS,
        )
    else:
        rows = tx.all(_POSTGRESQL)
    lines = [" ".join(line.split()) for (line,) in rows]
    return sorted([*lines, f"revision: {_revisions(tx)}"])


def integrity(tx: Tx) -> list[str]:
    """Return what SQLite finds wrong with its own file (pages, indexes, types, foreign keys), at most 100 lines."""
    if not tx.sqlite:
        return []
    found = [str(line) for (line,) in tx.all("PRAGMA integrity_check(100)") if line != "ok"]
    broken = tx.all("PRAGMA foreign_key_check")
    return found + [
        f"table {table}, row {row}: refers to nothing in {parent}" for table, row, parent, _ in broken[:100]
    ]


@cache
def _expected_sqlite() -> tuple[str, ...]:
    """Describe a database just migrated; once per process, since it takes longer than reading a small ledger."""
    with _fresh() as tx:
        return tuple(describe(tx))


@contextmanager
def _fresh() -> Iterator[Tx]:
    """Read an SQLite database that was just migrated."""
    fresh = Database("sqlite://")
    with fresh.engine.connect() as connection:
        migrate(connection)
        connection.commit()
    with fresh.reading() as tx:
        yield tx
    fresh.close()


def _differences(expected: Iterable[str], actual: Iterable[str]) -> Iterable[str]:
    # Whole lines are compared first: a name may hold a colon, and must not pass for another's.
    wanted, found = Counter(expected), Counter(actual)
    gone = {line.split(": ", 1)[0] for line in wanted - found}
    come = {line.split(": ", 1)[0] for line in found - wanted}
    for name in sorted(gone | come):
        yield f"{'missing' if name not in come else 'extra' if name not in gone else 'changed'}: {name}"


def _is_search(line: str) -> bool:
    return line.split(" ", 2)[1].startswith(_SEARCH)
