"""Bringing a database to the schema that this version works with, with a backup first."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from workflow.app import App
from workflow.errors import SchemaError, StorageError
from workflow.services import audit, backups
from workflow.storage import schema
from workflow.storage.database import Database
from workflow.storage.migrations import HEAD
from workflow.storage.migrations import upgrade as migrate

if TYPE_CHECKING:
    from datetime import datetime

    from workflow.services.backups import Backup
    from workflow.settings import Settings
    from workflow.storage.copies import Progress


@dataclass(frozen=True, slots=True)
class Upgraded:
    """From which schema to which, and the backup taken before; equal schemas mean that there was nothing to do."""

    before: str
    after: str
    backup: Backup | None = None


def upgrade(
    settings: Settings, now: datetime, *, backed_up: bool = False, progress: Progress | None = None
) -> Upgraded:
    """Back the database up beside itself, then migrate it in one transaction: killed half-way, nothing has changed.

    Args:
        settings: where the ledger is.
        now: names the backup.
        backed_up: somebody took a backup of a PostgreSQL database, which Holdfast cannot take itself.
        progress: called with (done, total) pages of the backup.

    Raises:
        SchemaError: the database was made by a newer version, or differs from the expected one afterwards.
        StorageError: there is no ledger, it is empty, or there is no backup of it.
    """
    database = Database(settings.database_url.get_secret_value())
    try:
        if database.path is not None:
            backups.file_of(settings).close()
        with database.reading() as tx:
            before = schema.revision(tx)
        if before == HEAD:
            return Upgraded(before, HEAD)
        if before is None or before > HEAD:
            schema.check(database)
        if database.path is None and not backed_up:
            message = f"{backups.NOT_SQLITE}. With such a backup at hand: holdfast upgrade --backed-up"
            raise StorageError(message)
        saved = None
        if database.path is not None:
            name = f"{database.path.name}.before-upgrade-{before}-{now:%Y%m%dT%H%M%SZ}"
            saved = backups.backup(settings, database.path.with_name(name), progress=progress)
        # What a case's row says is a picture of its entries, and this version's may say more.
        migrate(database, partial(audit.draw_anew, App(settings)))
        differences = schema.compare(database)
        if differences:
            message = (
                f"After the upgrade the schema is not the expected one ({differences[0]}). "
                "Ask whoever changed it, or restore the backup that was taken before."
            )
            raise SchemaError(message)
        return Upgraded(str(before), HEAD, saved)
    finally:
        database.close()
