"""Schema revisions, applied in one transaction each time: killed half-way, nothing has changed."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from workflow.errors import SchemaError
from workflow.storage.database import Database
from workflow.storage.faults import translate
from workflow.storage.transaction import SQLITE, Tx

HEAD: Final = "0007"
"""The revision this code works with."""

_LOCK: Final = 0x484F4C44  # any number that is ours: one upgrade at a time on PostgreSQL


def upgrade(database: Database, then: Callable[[Tx], object] | None = None) -> None:
    """Bring the schema to :data:`HEAD`, or leave everything as it was; ``then`` runs in the same transaction.

    Alembic's own transactions leave half a schema on SQLite when the process is killed, because Python's driver
    begins them late; here ``BEGIN IMMEDIATE`` stands before the first statement.

    Raises:
        DatabaseBusyError: another process holds the database.
        StorageError: the database refused.
    """
    from alembic.util.exc import CommandError  # noqa: PLC0415 - Alembic takes a quarter of a second to load.

    with database.engine.connect() as connection:
        try:
            if database.dialect == SQLITE:
                database.begin(connection.connection.driver_connection, "BEGIN IMMEDIATE")
                # Alembic commits by itself unless it is told that somebody else has begun.
                connection.begin()
            else:
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
            migrate(connection)
            if then is not None:
                then(Tx(connection.connection.driver_connection, database.dialect))
            connection.commit()
        except database.errors as error:
            raise translate(error) from error
        except DBAPIError as error:
            raise translate(error.orig) from error
        except CommandError as error:
            raise SchemaError(
                f"The database was made by another version of Holdfast: install that one or a newer one. ({error})"
            ) from error


def migrate(connection: Connection, to: str = HEAD) -> None:
    """Run the revisions up to one on a connection whose transaction the caller began and will commit."""
    from alembic import command  # noqa: PLC0415 - as above: reading commands never migrate.
    from alembic.config import Config  # noqa: PLC0415 - the same.

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, to)
