"""Erasing what is personal: register, openings and files. Entries and proofs stay as they are."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from workflow.errors import PendingError, RuleRefusedError
from workflow.storage.database import Database
from workflow.storage.openings import marks
from workflow.storage.transaction import Tx


class Erased(NamedTuple):
    """How many openings and files disappeared."""

    openings: int
    attachments: int


def erase(tx: Tx, subject: str, cases: Sequence[str], attachments: Iterable[str] = ()) -> Erased:
    """Erase a subject from the register, the openings of its cases and those about it, and the given files.

    The caller appends the entry that says so. The same address later is a new subject.

    Raises:
        RuleRefusedError: the subject has an open case.
    """
    standing = tx.one(
        "SELECT number FROM \"case\" WHERE entity = ? AND state NOT IN ('closed', 'dismissed')", (subject,)
    )
    if standing is not None:
        raise RuleRefusedError(f"Case {standing[0]} about this subject is still open; nothing was erased.")
    openings = tx.run("DELETE FROM opening WHERE subject = ?", (subject,)).rowcount
    if cases:
        openings += tx.run(f"DELETE FROM opening WHERE case_id IN ({marks(cases)})", cases).rowcount
    files = sum(tx.run("DELETE FROM attachment WHERE digest = ?", (digest,)).rowcount for digest in attachments)
    tx.run("DELETE FROM subject WHERE id = ?", (subject,))
    return Erased(openings, files)


def scrub(database: Database) -> None:
    """Remove the last bytes of what was erased from the SQLite file; PostgreSQL's vacuum does it by itself.

    ``secure_delete`` overwrites rows, but a full-text index keeps deleted trigrams until it is optimised, and the
    write-ahead log keeps old pages until it is truncated.

    Raises:
        PendingError: a reader still holds the log; the rows are gone, try this again later.
    """
    with database.transaction() as tx:
        if not tx.sqlite:
            return
        if tx.one("SELECT 1 FROM sqlite_master WHERE name = 'subject_search'") is not None:
            tx.run("INSERT INTO subject_search (subject_search) VALUES ('optimize')")
    if database.truncate_log():
        raise PendingError(
            "The rows are erased, but a reader still holds the log that has their last bytes; try again."
        )
