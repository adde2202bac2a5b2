"""The only writer of entries and of case rows.

A step is: :func:`append` its records, fold what they say, :func:`move` the case row, commit. On SQLite the commit
seals what was appended.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from workflow.domain.picture import Picture
from workflow.domain.record import Entry, Record, entry_from_body, time_to_text
from workflow.ledger.entry import VERSION, leaf_hash, read_body, seal_body, uuid7
from workflow.storage.openings import Opening, keep
from workflow.storage.pictures import insert, update
from workflow.storage.seal import Journal, finish
from workflow.storage.transaction import Tx

__all__ = ["Journal", "append", "move"]

_RANDOM_BYTES = 10


def append(  # noqa: PLR0913 - what an entry says, each said once
    tx: Tx,
    journal: Journal,
    case_id: str,
    tenant: str,
    records: Sequence[Record],
    *,
    at: datetime,
    clock: str,
    request: str,
    openings: Mapping[str, Opening],
    head: str,
    sequence: int,
) -> list[Entry]:
    """Stamp records as the case's next entries, write them and the openings of their commitments.

    Args:
        tx: an open write transaction that holds the case's lock.
        journal: who signs, and under which origin.
        case_id: the case, or ``log``.
        tenant: the case's tenant.
        records: what happened, in order.
        openings: salts and texts by the commitments that the records carry.
        at: when they are recorded, never before the case's newest entry.
        clock: ``ok`` or ``clamped``.
        request: the idempotency key of what asked for this, or "".
        head: leaf hash of the case's newest entry, "" for a new case.
        sequence: sequence of that entry, 0 for a new case.

    Raises:
        KeyMissingError: there is no key to sign with.
        InputError: a record has no canonical form, or is larger than an entry may be.
        ConflictError: when they are written, somebody else appended to this case first.
        StorageError: when they are written, the database refused, or changed fewer rows.
    """
    journal.key()
    moment = time_to_text(at)
    milliseconds = int(at.timestamp() * 1000)
    same = {"log": journal.origin, "tenant": tenant, "case": case_id, "request": request}
    same |= {"recorded_at": moment, "clock": clock}
    entries, rows = [], []
    for record in records:
        sequence += 1
        identifier = uuid7(milliseconds, journal.random(_RANDOM_BYTES))
        body = _body(record, identifier, sequence, head) | same
        data = seal_body(body)
        head = leaf_hash(data).hex()
        # What is handed on is what will be read back: lists for tuples, plain text for enumerations.
        entries.append(entry_from_body(read_body(data), head))
        rows.append((data.decode(),))
    if rows:
        if tx.sqlite and not tx.appended:
            tx.before_commit(lambda transaction: finish(transaction, journal))
        tx.later(_put, rows)
        tx.appended += len(rows)
    keep(tx, case_id, openings)
    return entries


def move(tx: Tx, picture: Picture, *, new: bool = False) -> None:
    """Write the case row that pictures the case after its newest entry; ``new`` says that it has none yet.

    Raises, when it is written:
        StorageError: the row does not follow the newest entry (R1), or the write vanished (R5).
        ConflictError: another open case is about the same entity, or has this number.
    """
    tx.later(insert if new else update, [picture])


def _put(tx: Tx, rows: list[tuple[str]]) -> None:
    tx.write_all("INSERT INTO entry (body) VALUES (?)", rows)


def _body(record: Record, identifier: str, sequence: int, head: str) -> dict[str, Any]:
    return {
        "v": VERSION,
        "id": identifier,
        "type": record.type.value,
        "sequence": sequence,
        "prev": head,
        "actor": record.actor.to_data(),
        "action": record.action,
        "state_before": record.state_before,
        "state_after": record.state_after,
        "recurrence": record.recurrence,
        "outcome": record.outcome.value,
        "playbook": record.playbook,
        "data": dict(record.data),
        "basis": dict(record.basis),
        "cites": list(record.cites),
    }
