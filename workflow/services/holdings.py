"""Verifying what stands beside the entries and is named by them: playbooks, names, texts and files."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from workflow.domain.playbook import Playbook, from_data
from workflow.ledger.commitment import matches
from workflow.ledger.verify import Finding
from workflow.storage import attachments, openings, playbooks, subjects

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workflow.domain.record import Entry
    from workflow.services.verdict import Report
    from workflow.storage.transaction import Tx


def check_playbooks(tx: Tx, report: Report, adopted: set[str], books: dict[str, Playbook]) -> None:
    """Hold every stored playbook against its digest and the log's adoptions; put the sound ones into ``books``."""
    stored = playbooks.every(tx)
    for item in stored:
        why = ""
        if hashlib.sha256(item.body.encode()).hexdigest() != item.digest:
            why = "is not what its digest says"
        else:
            try:
                book = from_data(json.loads(item.body), item.digest)
            except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
                why = f"cannot be read: {error!r}"
            else:
                books[item.digest] = book
                if (item.name, item.version) != (book.name, book.version):
                    why = "stands under another name or version than its own"
                elif item.digest not in adopted:
                    why = "was never adopted: no entry of the log names it"
        if why:
            report.add(Finding("playbook", "", 0, -1, f"playbook {item.digest[:12]} {why}"))
    for digest in sorted(adopted - {item.digest for item in stored}):
        report.add(Finding("playbook", "", 0, -1, f"playbook {digest[:12]} was adopted and is not there"))


def check_texts(tx: Tx, report: Report, case_id: str, entries: Sequence[Entry]) -> int:
    """Hold the stored texts against the commitments; returns how many commitments have no text (any more)."""
    stored = openings.of_case(tx, case_id)
    named: dict[str, int] = {}
    for entry in entries:
        for value in entry.data.values():
            if isinstance(value, dict) and value.keys() == {"commitment"}:
                named.setdefault(str(value["commitment"]), entry.sequence)
    for commitment, opening in stored.items():
        sequence = named.get(commitment, 0)
        if not sequence:
            report.add(Finding("opening", case_id, 0, -1, "a text is stored that no entry commits to"))
        elif not matches(commitment, opening.salt, opening.value):
            report.add(Finding("opening", case_id, sequence, -1, "the stored text is not the one recorded"))
    return len(named.keys() - stored.keys())


def check_subjects(tx: Tx, report: Report) -> None:
    """Hold every name of the register against the id that entries carry for it."""
    for subject in subjects.faults(tx):
        why = f"{subject} does not stand for the name it was given out for: a person or mailbox was exchanged"
        report.add(Finding("subject", "", 0, -1, why))


def check_files(tx: Tx, report: Report) -> None:
    """Hold every stored file against its digest."""
    for digest in attachments.faults(tx):
        why = f"the stored file {digest[:12]} is not what its digest says"
        report.add(Finding("attachment", "", 0, -1, why))
