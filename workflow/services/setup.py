"""The first start: a key, a database and a checkpoint file, in three folders, as three separate files."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workflow.app import App
from workflow.domain.vocabulary import EntryType
from workflow.errors import StorageError
from workflow.ledger.note import Signer
from workflow.services import logbook, people
from workflow.sources.playbook_file import load, shipped
from workflow.storage import cases, keyfile, schema, seal
from workflow.storage.database import Database, create_file
from workflow.storage.files import is_there
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
        StorageError: something of it is there already; nothing is written over. What an earlier ``init`` that was cut
            short has left is completed.
    """
    database = Database(settings.database_url.get_secret_value())
    begun = _begun(database)
    used = [settings.checkpoint_file, *([] if begun else [settings.key_file])]
    if database.path is not None and begun is None:
        used.append(database.path)
    for path in used:
        if is_there(path):
            database.close()
            message = f"There is something at {path} already: this ledger has been set up. Nothing was changed."
            raise StorageError(message)
    if begun is None and database.path is None:
        database.close()
        message = "This database holds a ledger already: it has been set up. Nothing was changed."
        raise StorageError(message)
    if database.path is not None and not is_there(database.path):
        create_file(database.path)
    upgrade(database)
    database.close()
    if is_there(settings.key_file):
        signer = keyfile.read(settings.key_file)
    else:
        signer = Signer.generate(f"holdfast-{secrets.token_hex(8)}/1")
        keyfile.create(settings.key_file, signer)
    origin = signer.name
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


def _begun(database: Database) -> bool | None:
    """Say whether an earlier ``init`` was cut short here after it had made the tables; None where there is more.

    Only then the key file is that init's own, made between the tables and the first entry, and is used again.
    """
    if database.path is not None and not is_there(database.path):
        return False
    try:
        with database.reading() as tx:
            if schema.revision(tx) is None:
                return False if schema.is_empty(tx) else None
            return None if cases.ids(tx) else True
    except StorageError:
        if database.path is None:
            raise
        return None


def seal_now(app: App) -> None:
    """Seal what is not sealed yet; on SQLite every commit has done so already."""
    if app.database.dialect != "sqlite":
        with app.database.transaction() as tx:
            seal.seal(tx, app.journal)
