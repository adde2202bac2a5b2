"""The first start: a key, a database and a checkpoint file, in three folders, as three separate files."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workflow.app import App
from workflow.domain.vocabulary import LOG_CASE, EntryType
from workflow.errors import StorageError
from workflow.ledger.note import Signer
from workflow.services import logbook, people
from workflow.sources.playbook_file import load, shipped
from workflow.storage import cases, keyfile, schema, seal
from workflow.storage.database import Database, create_file
from workflow.storage.migrations import upgrade

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from workflow.services.people import Who
    from workflow.settings import Settings


@dataclass(frozen=True, slots=True)
class Made:
    """What ``init`` made, and the public key an auditor verifies with."""

    key_file: Path
    database: str
    checkpoint_file: Path
    origin: str
    vkey: str


def init(settings: Settings, who: Who, clock: Callable[[], datetime] | None = None) -> Made:
    """Make key, database and checkpoint file, and write the first entries.

    Raises:
        StorageError: something of it is there already; nothing is written over.
    """
    database = Database(settings.database_url.get_secret_value())
    for path in (settings.key_file, settings.checkpoint_file, *([database.path] if database.path else [])):
        if path.exists():
            message = f"There is something at {path} already: this ledger has been set up. Nothing was changed."
            raise StorageError(message)
    if database.path is not None:
        create_file(database.path)
    elif _in_use(database):
        database.close()
        message = "This database holds a ledger already: it has been set up. Nothing was changed."
        raise StorageError(message)
    upgrade(database)
    database.close()
    origin = f"holdfast-{secrets.token_hex(8)}/1"
    signer = Signer.generate(origin)
    keyfile.create(settings.key_file, signer)
    app = App(settings, clock) if clock is not None else App(settings)
    with app, app.database.transaction() as tx:
        cases.lock_log(tx)
        by = people.actor(app, tx, who)
        data = {"format": 1, "origin": origin, "vkey": signer.verifier.text}
        logbook.write(app, tx, by, [(EntryType.LOG_CREATED, data)])
        for name, source in shipped().items():
            logbook.adopt(app, tx, by, load(source, name))
    logbook.prepare(app, who)
    seal_now(app)
    app.close()
    return Made(
        key_file=settings.key_file,
        database=str(database.path or database.dialect),
        checkpoint_file=settings.checkpoint_file,
        origin=origin,
        vkey=signer.verifier.text,
    )


def _in_use(database: Database) -> bool:
    with database.reading() as tx:
        return schema.revision(tx) is not None and cases.head(tx, LOG_CASE) != ("", 0)


def seal_now(app: App) -> None:
    """Seal what is not sealed yet; on SQLite every commit has done so already."""
    if app.database.dialect != "sqlite":
        with app.database.transaction() as tx:
            seal.seal(tx, app.journal)
