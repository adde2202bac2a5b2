"""Verifying what stands beside the entries and is named by them: playbooks, names, texts and files."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workflow.domain.erasure import FILE, NEEDING, REFUSALS, kept, named, people
from workflow.domain.playbook import Playbook, from_data
from workflow.domain.record import SYSTEM
from workflow.domain.vocabulary import EntryType
from workflow.ledger.commitment import matches
from workflow.ledger.verify import Finding
from workflow.storage import attachments, openings, playbooks, subjects

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from workflow.domain.record import Entry
    from workflow.services.verdict import Report
    from workflow.storage.openings import Opening
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
                # A case under a playbook that nobody adopted does not replay.
                if item.digest in adopted:
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
    told: dict[str, int] = {}
    for entry in entries:
        for value in entry.data.values():
            if isinstance(value, dict) and value.keys() == {"commitment"}:
                told.setdefault(str(value["commitment"]), entry.sequence)
    erased = is_erased(entries)
    staying = {kept(entry) for entry in entries} if erased else told
    for commitment, sequence in told.items():
        if commitment in staying and commitment not in stored:
            why = "its text is gone, which no erasure on the ledger explains"
            report.add(Finding("opening", case_id, sequence, -1, why))
    for commitment, opening in stored.items():
        sequence = told.get(commitment, 0)
        why = "a text is stored that no entry commits to"
        if sequence:
            why = _wrong(commitment, opening, stays=commitment in staying)
        if why:
            report.add(Finding("opening", case_id, sequence, -1, why))
    return len(told.keys() - stored.keys())


def _wrong(commitment: str, opening: Opening, *, stays: bool) -> str:
    if not stays:
        return "the case was erased, and its text is still here"
    if opening.subject is not None:
        # Erasing deletes by this column too, and every text belongs to its case alone.
        return f"the stored text is put down to {opening.subject!r}, with whom it would be erased"
    return "" if matches(commitment, opening.salt, opening.value) else "the stored text is not the one recorded"


def is_erased(entries: Iterable[Entry]) -> bool:
    """Say whether a case's entries say that it was erased."""
    return any(entry.type == EntryType.CASE_ERASED for entry in entries)


@dataclass(slots=True)
class Needs:
    """What has to be here: all people, and the names and files of every case that was not erased.

    What only refusals of a case name went, before refusals were counted, with the first erasure of another case that
    named it: ``refused`` is needed unless ``erased`` cases name it too.
    """

    subjects: set[str] = field(default_factory=set)
    files: set[str] = field(default_factory=set)
    refused_subjects: set[str] = field(default_factory=set)
    refused_files: set[str] = field(default_factory=set)
    erased: set[str] = field(default_factory=set)

    def of(self, entries: Sequence[Entry]) -> None:
        """Add what a case's entries need."""
        self.subjects.update(name for entry in entries for name in people(entry))
        erased = is_erased(entries)
        for entry in entries:
            files = [entry.data[FILE]] if FILE in entry.data else []
            if erased:
                self.erased.update(named(entry), files)
            elif entry.type in REFUSALS:
                self.refused_subjects.update(named(entry))
                self.refused_files.update(files)
            elif entry.type in NEEDING:
                self.subjects.update(named(entry))
                self.files.update(files)


def check_subjects(tx: Tx, report: Report, needs: Needs) -> None:
    """Hold every name of the register against the id that entries carry for it, and miss none that is needed."""
    needed = needs.subjects | (needs.refused_subjects - needs.erased)
    for subject in sorted(needed - subjects.names(tx, needed).keys() - {SYSTEM.id}):
        why = f"nothing says any more whom {subject} stands for, which no erasure on the ledger explains"
        report.add(Finding("subject", "", 0, -1, why))
    for subject in subjects.faults(tx):
        why = f"{subject} does not stand for the name it was given out for: a person or mailbox was exchanged"
        report.add(Finding("subject", "", 0, -1, why))


def check_files(tx: Tx, report: Report, needs: Needs) -> None:
    """Hold every stored file against its digest, and miss none that is needed."""
    needed = needs.files | (needs.refused_files - needs.erased)
    for digest in sorted(needed - attachments.sizes(tx, needed).keys()):
        why = f"the file {digest[:12]} is gone, which no erasure on the ledger explains"
        report.add(Finding("attachment", "", 0, -1, why))
    for digest in attachments.faults(tx):
        why = f"the stored file {digest[:12]} is not what its digest says"
        report.add(Finding("attachment", "", 0, -1, why))
