"""The optional index behind substring search; without it a search scans in the order of the page."""

from typing import Any, Final

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
