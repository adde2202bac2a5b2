"""The optional index behind substring search; without it a search scans in the order of the page."""

import sqlite3
from contextlib import closing
from typing import Any, Final

from workflow.storage.transaction import Tx

_ADD: Final = """CREATE TRIGGER subject_search_add AFTER INSERT ON subject
BEGIN INSERT INTO subject_search (rowid, identifier) VALUES (NEW.position, NEW.identifier); END"""
_DROP: Final = """CREATE TRIGGER subject_search_drop AFTER DELETE ON subject
BEGIN INSERT INTO subject_search (subject_search, rowid, identifier)
VALUES ('delete', OLD.position, OLD.identifier); END"""
_TABLE: Final = """CREATE VIRTUAL TABLE subject_search
USING fts5(identifier, content='subject', content_rowid='position', tokenize='trigram')"""

SQLITE: Final[tuple[str, ...]] = (_TABLE, _ADD, _DROP)
POSTGRESQL: Final[tuple[str, ...]] = (
    "CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public",
    "CREATE INDEX subject_search ON public.subject USING gin (identifier public.gin_trgm_ops)",
)

_PARTS: Final[tuple[tuple[str, str], ...]] = (
    ("subject_search_data", "id, block"),
    ("subject_search_idx", "segid, term, pgno"),
    ("subject_search_docsize", "id, sz"),
    ("subject_search_config", "k, v"),
)
"""The tables in which SQLite keeps the index, each with its columns."""
_LOST: Final = """SELECT count(*) FROM temp.words WHERE doc <> (SELECT count(*) FROM subject_search
WHERE subject_search MATCH '"' || replace(term, '"', '""') || '"')"""


def fault(tx: Tx) -> str:
    """Return why the index of an SQLite file does not find what the register holds, or "".

    SQLite's own check writes to be let run, which a reader may not: so it is asked of a copy of the index in memory.
    What it passes over is the way from a word to its rows; each word is looked for once.
    """
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as copy:
        copy.execute("CREATE TABLE subject (position INTEGER PRIMARY KEY, identifier TEXT)")
        copy.execute(_TABLE)
        for table, columns in (("subject", "position, identifier"), *_PARTS):
            copy.execute(f"DELETE FROM {table}")
            values = ", ".join("?" * len(columns.split(",")))
            copy.executemany(f"INSERT INTO {table} VALUES ({values})", tx.run(f"SELECT {columns} FROM {table}"))
        # What the connection read when it made the index is forgotten with its schema.
        copy.execute("PRAGMA writable_schema = RESET")
        try:
            copy.execute("INSERT INTO subject_search (subject_search, rank) VALUES ('integrity-check', 1)")
            copy.execute("CREATE VIRTUAL TABLE temp.words USING fts5vocab('main', 'subject_search', 'row')")
            (lost,) = copy.execute(_LOST).fetchone()
        except sqlite3.Error as error:
            return str(error)
    return f"{lost} of its words do not lead to their rows" if lost else ""


def create(connection: Any) -> None:
    """Create the index where this server or library can have it (an SQLAlchemy connection, in a transaction)."""
    available = "SELECT 1 FROM pragma_module_list WHERE name = 'fts5'"
    statements = SQLITE
    if connection.dialect.name != "sqlite":
        # Whoever may not create the extension goes without; asking first keeps the transaction alive.
        available = (
            "SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm' AND (installed_version IS NOT NULL "
            "OR has_database_privilege(current_database(), 'CREATE'))"
        )
        statements = POSTGRESQL
    if connection.exec_driver_sql(available).first() is not None:
        for statement in statements:
            connection.exec_driver_sql(statement)
