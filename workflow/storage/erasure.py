"""Erasing what is personal: register, openings and files. Entries and proofs stay as they are."""

import json
from collections.abc import Sequence

from workflow.domain.erasure import FILE, NEEDING, SUBJECTS, kept, named
from workflow.domain.vocabulary import EntryType
from workflow.errors import DatabaseBusyError, ErasurePendingError
from workflow.storage import cases, subjects
from workflow.storage.database import Database
from workflow.storage.openings import marks
from workflow.storage.transaction import Tx


def erase_with_commit(tx: Tx, case_id: str) -> None:
    """Have the names, texts and files of an erased case deleted with the commit that says so."""
    if not tx.erasing:
        tx.before_commit(lambda transaction: erase(transaction, transaction.erasing))
    tx.erasing.append(case_id)


def erase(tx: Tx, erased: Sequence[str]) -> None:
    """Delete what is personal about cases whose entries say that they were erased.

    The reasons of decisions stay (``domain.erasure.kept``), and so does what a case that was not erased needs as well:
    a user named in both, a file attached to both. The same address later is a new subject.
    """
    wanted: set[str] = set()
    files: set[str] = set()
    for case_id in erased:
        entries = cases.entries(tx, case_id)
        wanted.update(name for entry in entries for name in named(entry))
        files.update(entry.data[FILE] for entry in entries if FILE in entry.data)
        staying = sorted({kept(entry) for entry in entries})
        # Where nothing stays the list holds "" alone, which no commitment is.
        tx.run(f"DELETE FROM opening WHERE case_id = ? AND commitment NOT IN ({marks(staying)})", (case_id, *staying))
    names = subjects.same_identifier(tx, wanted)
    # Whoever is about to name one of them in another case goes first, or finds it gone.
    subjects.lock(tx, names)
    needed = _needed(tx)
    for gone in sorted(names - needed):
        tx.run("DELETE FROM opening WHERE subject = ?", (gone,))
        tx.run("DELETE FROM subject WHERE id = ?", (gone,))
    for gone in sorted(files - needed):
        tx.run("DELETE FROM attachment WHERE digest = ?", (gone,))


def _needed(tx: Tx) -> set[str]:
    """Return the subjects and files that cases need which were not erased."""
    read = "json_extract(body, '$.data.{}')" if tx.sqlite else "(body::jsonb #>> '{{data,{}}}')"
    erased = {
        case_id for (case_id,) in tx.all("SELECT case_id FROM entry WHERE type = ?", (EntryType.CASE_ERASED.value,))
    }
    rows = tx.run(
        f"SELECT case_id, {', '.join(read.format(member) for member in (*SUBJECTS, FILE))} FROM entry "
        f"WHERE type IN ({marks(NEEDING)})",
        [kind.value for kind in NEEDING],
    )
    needed: set[str] = set()
    for case_id, entity, identities, subject, about, file in rows:
        if case_id not in erased:
            needed.update((entity, subject, about, file), json.loads(identities or "[]"))
    return needed


def scrub(database: Database) -> None:
    """Remove the last bytes of what was erased from the SQLite file; a server's are its administrator's.

    ``secure_delete`` overwrites deleted rows, but not the copies that stay behind where SQLite moved rows to another
    page; a full-text index keeps deleted trigrams until it is optimised; and the write-ahead log keeps old pages until
    it is truncated. So the index is optimised, the file written anew, and the log emptied.

    Raises:
        ErasurePendingError: another process kept that from happening; the rows are gone, try this again later.
    """
    if database.path is None:
        return
    try:
        with database.transaction() as tx:
            if tx.one("SELECT 1 FROM sqlite_master WHERE name = 'subject_search'") is not None:
                tx.run("INSERT INTO subject_search (subject_search) VALUES ('optimize')")
        blocked = database.compact()
    except DatabaseBusyError:
        blocked = True
    if blocked:
        raise ErasurePendingError
