"""Verifying that the tables beside the entries hold the rows they should and no others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.ledger.verify import Finding, Kind
from workflow.services.verdict import told
from workflow.storage import strays, tree

if TYPE_CHECKING:
    from workflow.services.verdict import Report
    from workflow.storage.transaction import Tx


def check(tx: Tx, report: Report, errors: type[Exception]) -> None:
    """Name every row that nothing in Holdfast puts where it is, and what is missing beside the entries."""
    with told(report, errors, "the nodes of the tree"):
        _nodes(tx, report)
    with told(report, errors, "what is not sealed"):
        _unsealed(tx, report)
    with told(report, errors, "where the cases stand"):
        for case_id in strays.standing(tx):
            why = "what the database keeps of where it stands is not what its newest entry says"
            report.add(Finding("picture", case_id, 0, -1, why))
    with told(report, errors, "the numbering of rows"):
        for table, last in strays.numbering(tx):
            why = f"the rows of {table} go on behind {last!r}, which is not where they end"
            report.add(Finding("database", "", 0, -1, why))
        _misnumbered(tx, report)
    with told(report, errors, "the search index"):
        _search(tx, report)


def check_columns(tx: Tx, report: Report) -> None:
    """Hold the columns that the database derives from each entry against its body."""
    for position in tree.column_faults(tx):
        why = f"a derived column of the entry in row {position} does not follow its body"
        report.add(Finding("column", "", 0, position, why))


def _misnumbered(tx: Tx, report: Report) -> None:
    found = strays.misnumbered(tx)
    if found is not None:
        case, sequence, index = found
        why = "from this entry on the rows are numbered in another order than the tree"
        report.add(Finding("database", case, sequence, index, why))


def _nodes(tx: Tx, report: Report) -> None:
    size = report.counts["sealed"]
    for key in strays.nodes(tx, size):
        why = f"a node is stored under key {key}, which a tree of {size} entries does not have"
        report.add(Finding(Kind.NODE, "", 0, -1, why))


def _unsealed(tx: Tx, report: Report) -> None:
    for position in strays.queued(tx):
        why = f"the queue of unsealed entries names row {position}, which is sealed or is no entry"
        report.add(Finding(Kind.UNSEALED, "", 0, -1, why))
    unsealed = tree.unsealed(tx)
    if not unsealed:
        return
    report.counts["entries"] = report.counts.get("entries", 0) + len(unsealed)
    report.counts["unsealed"] = len(unsealed)
    if tx.sqlite:
        # Every commit seals what it appended, so an entry outside the tree was not written by Holdfast.
        for case, sequence in unsealed:
            report.add(Finding(Kind.UNSEALED, case, sequence, -1, "the entry is not sealed"))
        return
    for case, sequence in strays.unqueued(tx):
        why = "the entry is not sealed, and was taken out of the queue from which it would be"
        report.add(Finding(Kind.UNSEALED, case, sequence, -1, why))
    report.notes.append(f"Not sealed: {len(unsealed)} entries. Seal them with: holdfast ledger checkpoint")


def _search(tx: Tx, report: Report) -> None:
    foreign, missing, broken = strays.search(tx)
    if foreign:
        why = f"the search index knows {foreign} names that the register does not have"
        report.add(Finding("search", "", 0, -1, why))
    if missing:
        why = f"the search index lacks {missing} names of the register: searching does not find their cases"
        report.add(Finding("search", "", 0, -1, why))
    if broken:
        why = f"the search index does not lead to the names of the register, and searching misses their cases: {broken}"
        report.add(Finding("search", "", 0, -1, why))
