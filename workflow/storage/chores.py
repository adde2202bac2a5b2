"""When each chore of the workers was last done; what is remembered here can be lost."""

from datetime import datetime

from workflow.domain.record import time_from_text, time_to_text
from workflow.storage.transaction import Tx


def done(tx: Tx) -> dict[str, datetime]:
    """Return when each chore was last done, by its name; nothing where no worker was ever at work."""
    return {name: time_from_text(at) for name, at in tx.all("SELECT name, done_at FROM chore")}


def note(tx: Tx, name: str, at: datetime) -> None:
    """Keep when a chore was done."""
    tx.write(
        "INSERT INTO chore (name, done_at) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET done_at = excluded.done_at",
        (name, time_to_text(at)),
    )
