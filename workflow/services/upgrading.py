"""Bringing a database to the schema that this version works with, with a backup first."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from workflow.app import App
from workflow.errors import SchemaError, StorageError, VerificationError
from workflow.services import audit, backups
from workflow.services.predicates import shown
from workflow.services.verdict import SURPRISES
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
    """From which schema to which, and the backup taken before; equal schemas mean that nothing was migrated.

    ``mended`` names the guards (triggers, indexes, functions) that were not the expected ones, and are again.
    """

    before: str
    after: str
    backup: Backup | None = None
    mended: tuple[str, ...] = ()


def upgrade(
    settings: Settings, now: datetime, *, backed_up: bool = False, progress: Progress | None = None
) -> Upgraded:
    """Back the database up beside itself, then migrate it in one transaction: killed half-way, nothing has changed.

    A database of this version gets its guards back where somebody took or changed them.

    Args:
        settings: where the ledger is.
        now: names the backup.
        backed_up: somebody took a backup of a PostgreSQL database, which Holdfast cannot take itself.
        progress: called with (done, total) pages of the backup.

    Raises:
        SchemaError: the database was made by a newer version, or differs from the expected one afterwards.
        VerificationError: an entry cannot be read; nothing was changed.
        StorageError: there is no ledger, it is empty, or there is no backup of it.
    """
    database = Database(settings.database_url.get_secret_value())
    try:
        if database.path is not None:
            backups.file_of(settings).close()
        with database.reading() as tx:
            before = schema.revision(tx)
        if before == HEAD:
            # One that was killed after its last statement has not looked yet.
            mended = schema.mend(database)
            _as_expected(database, "")
            return Upgraded(before, HEAD, mended=tuple(mended))
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
        try:
            migrate(database, partial(audit.draw_anew, App(settings)))
        except StorageError:
            raise
        except SURPRISES as error:
            message = (
                f"An entry does not read as Holdfast wrote it ({type(error).__name__}: {shown(str(error))}), so that "
                "nothing was upgraded. Verify the ledger with the version that wrote it, or put a backup back."
            )
            raise VerificationError(message) from error
        _as_expected(database, " after the upgrade")
        return Upgraded(str(before), HEAD, saved)
    finally:
        database.close()


def _as_expected(database: Database, when: str) -> None:
    differences = schema.compare(database)
    if differences:
        message = (
            f"The schema is not the expected one{when} ({differences[0]}). "
            "Ask whoever changed it, or restore the backup that was taken before."
        )
        raise SchemaError(message)
