"""Verifying the whole ledger: three verdicts that never pass for one another.

*Integrity*: bytes, chains, tree, columns, schema, folds, replay, openings, signatures. *Completeness*: against a
checkpoint kept outside the database. *Freshness*: how old the newest such outside fact is.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workflow.domain.history import fold
from workflow.domain.picture import picture
from workflow.domain.playbook import Playbook, from_data
from workflow.domain.record import entry_from_body, time_from_text, time_to_text
from workflow.domain.replay import replay
from workflow.domain.vocabulary import LOG_CASE, EntryType
from workflow.errors import HoldfastError, InputError, KeyMissingError, NotFoundError, StorageError
from workflow.ledger import entry as entries_of
from workflow.ledger import verify as ledger
from workflow.ledger.checkpoint import Checkpoint
from workflow.ledger.commitment import matches
from workflow.ledger.malformed import Malformed
from workflow.ledger.note import Verifier
from workflow.services import keptpoints
from workflow.storage import attachments, cases, keyfile, openings, outside, playbooks, schema, tree
from workflow.storage import entries as stored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from workflow.app import App
    from workflow.domain.record import Entry
    from workflow.ledger.verify import Finding
    from workflow.storage.transaction import Tx

NOT_CHECKED = "not checked"
VERIFIED = "verified"
FAILED = "failed"


@dataclass(slots=True)
class Report:
    """What verification found.

    ``integrity`` is verified or failed; ``completeness`` verified, failed or not checked; ``authorship`` says whose key
    the signatures were held against: ``given``, ``key file``, ``claimed`` (the ledger's own word: proves nothing).
    """

    integrity: str = VERIFIED
    completeness: str = NOT_CHECKED
    freshness: str = NOT_CHECKED
    authorship: str = "claimed"
    findings: list[Finding] = field(default_factory=list)
    more: int = 0
    numbers: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    checkpoint: Checkpoint | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing failed; what was not checked is not a failure, and is said."""
        return FAILED not in {self.integrity, self.completeness}

    def add(self, finding: Finding) -> None:
        """Keep a finding; beyond a hundred they are only counted."""
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(finding)
        else:
            self.more += 1

    def to_data(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "ok": self.ok,
            "integrity": self.integrity,
            "completeness": self.completeness,
            "freshness": self.freshness,
            "authorship": self.authorship,
            "findings": [
                {
                    "kind": str(item.kind),
                    "case": item.case,
                    "case_number": self.numbers.get(item.case),
                    "sequence": item.sequence,
                    "index": item.index,
                    "why": item.why,
                }
                for item in self.findings
            ],
            "more_findings": self.more,
            "counts": self.counts,
            "notes": self.notes,
            "checkpoint": None
            if self.checkpoint is None
            else {"origin": self.checkpoint.origin, "size": self.checkpoint.size, "root": self.checkpoint.root.hex()},
        }


MOST_FINDINGS = 100


@dataclass(frozen=True, slots=True)
class Options:
    """How to verify.

    Args:
        key: the public key to hold signatures against (vkey text), or None for the key file's, or the ledger's claim.
        against: files with kept checkpoints; none means the checkpoint file of this installation.
        every_signature: check the signature of every checkpoint, not only of the newest.
        progress: called with (done, total) cases.
    """

    key: str | None = None
    against: Sequence[Path] = ()
    every_signature: bool = True
    progress: Callable[[int, int], None] | None = None


def verify(app: App, options: Options | None = None) -> Report:
    """Verify the ledger in one consistent reading of the database; nothing is written.

    Raises:
        InputError: the key or a kept checkpoint cannot be read.
        StorageError: the database cannot be read at all.
    """
    options = options or Options()
    report = Report()
    for difference in schema.compare(app.database):
        report.add(ledger.Finding("schema", "", 0, -1, difference))
    with app.database.reading() as tx:
        origins, claimed = _log(tx)
    verifiers = _verifiers(app, options, claimed, report)
    # Before the ledger is read: a step that others take meanwhile is in the file and not in what is read here.
    kept, source = _kept_points(app, options, verifiers)
    with app.database.reading() as tx:
        for line in schema.integrity(tx):
            report.add(ledger.Finding("database", "", 0, -1, line))
        _tree(tx, report, origins, verifiers, every=options.every_signature)
        _columns(tx, report)
        books = _playbooks(tx, report)
        _cases(tx, report, origins, books, options.progress)
        _files(tx, report)
        _kept(app, tx, report, kept, source)
    if report.findings or report.more:
        # A kept checkpoint that does not fit is a matter of completeness, everything else of integrity.
        outside_only = all(item.kind in KEPT_KINDS for item in report.findings)
        report.integrity = VERIFIED if outside_only else FAILED
    return report


KEPT_KINDS = frozenset({"kept-truncated", "kept-rewritten", "kept-unknown"})


def _log(tx: Tx) -> tuple[tuple[str, ...], str]:
    """Return the log's names, oldest first, and the public key it claims as its own."""
    origins: list[str] = []
    claimed = ""
    for body, _ in tree.bodies(tx, LOG_CASE):
        try:
            found = entries_of.open_body(body)
        except Malformed:
            continue
        if found["type"] == EntryType.LOG_CREATED and isinstance(found["data"].get("vkey"), str):
            claimed = found["data"]["vkey"]
            origins.append(str(found["data"].get("origin", "")))
    return tuple(origins), claimed


def _verifiers(app: App, options: Options, claimed: str, report: Report) -> list[Verifier]:
    if options.key is not None:
        report.authorship = "given"
        return [read_key(options.key)]
    try:
        own = keyfile.read(app.settings.key_file).verifier
    except (KeyMissingError, StorageError):
        report.notes.append(
            "Authorship not proven: no key was given, so signatures were held against the key the ledger names itself. "
            "Verify with --key and a public key you keep elsewhere."
        )
        try:
            return [Verifier(claimed)]
        except Malformed:
            report.add(ledger.Finding("origin", LOG_CASE, 1, -1, "the log's first entry names no public key"))
            return []
    report.authorship = "key file"
    report.notes.append(
        "Signatures were held against this machine's own key file; whoever can read it could have re-signed it all: "
        "keep a checkpoint elsewhere (holdfast ledger checkpoint --print) and verify with --against."
    )
    return [own]


def read_key(text: str) -> Verifier:
    """Read a public key in its text form.

    Raises:
        InputError: it is none.
    """
    try:
        return Verifier(text.strip())
    except Malformed as malformed:
        message = (
            f"That is not a public key of a ledger (name+hash+key, as 'holdfast init' printed it): {malformed.why}"
        )
        raise InputError(message) from None


def _tree(tx: Tx, report: Report, origins: tuple[str, ...], verifiers: list[Verifier], *, every: bool) -> None:
    result = ledger.check_tree(
        tree.leaves(tx), tree.checkpoints(tx), origins=origins, verifiers=verifiers, every_signature=every
    )
    for finding in result.findings:
        report.add(finding)
    report.more += result.more
    levels = max(tree.levels(tx), len(result.node_digests))
    for level in range(1, levels + 1):
        fault = ledger.check_nodes(result, level, tree.nodes(tx, level))
        if fault is not None:
            report.add(fault)
    report.checkpoint = result.newest
    unsealed = tree.unsealed(tx)
    report.counts |= {
        "entries": result.size + len(unsealed),
        "sealed": result.size,
        "unsealed": len(unsealed),
        "checkpoints": result.checkpoints,
        "signatures": result.checked_signatures,
    }
    if not unsealed:
        return
    if tx.sqlite:
        # Every commit seals what it appended, so an entry outside the tree was not written by Holdfast.
        for case, sequence in unsealed[:MOST_FINDINGS]:
            report.add(ledger.Finding("unsealed", case, sequence, -1, "the entry is not sealed"))
    else:
        report.notes.append(f"Not sealed: {len(unsealed)} entries. Seal them with: holdfast ledger checkpoint")


def _columns(tx: Tx, report: Report) -> None:
    try:
        positions = tree.column_faults(tx)
    except StorageError as error:
        report.add(ledger.Finding("column", "", 0, -1, f"the derived columns cannot be compared: {error}"))
        return
    for position in positions:
        why = f"a derived column of the entry in row {position} does not follow its body"
        report.add(ledger.Finding("column", "", 0, position, why))


def _playbooks(tx: Tx, report: Report) -> dict[str, Playbook]:
    found: dict[str, Playbook] = {}
    for item in playbooks.every(tx):
        if hashlib.sha256(item.body.encode()).hexdigest() != item.digest:
            report.add(
                ledger.Finding("playbook", "", 0, -1, f"playbook {item.digest[:12]} is not what its digest says")
            )
            continue
        try:
            found[item.digest] = from_data(json.loads(item.body), item.digest)
        except (KeyError, TypeError, ValueError) as error:
            why = f"playbook {item.digest[:12]} cannot be read: {error!r}"
            report.add(ledger.Finding("playbook", "", 0, -1, why))
    return found


def _cases(
    tx: Tx,
    report: Report,
    origins: tuple[str, ...],
    books: Mapping[str, Playbook],
    progress: Callable[[int, int], None] | None,
) -> None:
    with_entries = cases.ids(tx)
    erased = refusals = 0
    for number, case_id in enumerate(with_entries, start=1):
        if progress is not None:
            progress(number, len(with_entries))
        entries = list(_chain(tx, report, case_id, origins))
        refusals += sum(entry.outcome != "done" for entry in entries)
        erased += _openings(tx, report, case_id, entries)
        if case_id != LOG_CASE:
            _replayed(tx, report, case_id, entries, books)
    for case_id in stored.rows_without(tx):
        report.add(ledger.Finding("picture", case_id, 0, -1, "a case row has no entries behind it"))
    report.counts |= {
        "cases": len([case_id for case_id in with_entries if case_id != LOG_CASE]),
        "refused_attempts": refusals,
        "texts_without_opening": erased,
    }


def _chain(tx: Tx, report: Report, case_id: str, origins: tuple[str, ...]) -> Iterator[Entry]:
    pairs = list(tree.bodies(tx, case_id))
    leaves = iter(pairs)
    for found in ledger.check_chain(case_id, pairs, origins=origins):
        if isinstance(found, ledger.Finding):
            report.add(found)
            if found.kind == "malformed":
                next(leaves, None)
            continue
        body, leaf = next(leaves)
        yield entry_from_body(found, (leaf or entries_of.leaf_hash(body)).hex())


def _replayed(tx: Tx, report: Report, case_id: str, entries: list[Entry], books: Mapping[str, Playbook]) -> None:
    if not entries:
        return
    case, fault = replay(entries, books)
    if fault is not None:
        report.add(ledger.Finding("replay", case_id, fault.sequence, -1, fault.why))
    row = cases.row(tx, case_id)
    if row is not None:
        report.numbers[case_id] = row.number
    try:
        folded = case if fault is None else fold(entries)
        expected = picture(folded, books[folded.playbook])
    except (KeyError, ValueError, TypeError, AttributeError, AssertionError, HoldfastError) as error:
        report.add(ledger.Finding("replay", case_id, entries[-1].sequence, -1, f"the case cannot be folded: {error!r}"))
        return
    if row is None:
        report.add(ledger.Finding("picture", case_id, 0, -1, "the case has entries and no row"))
    elif row != expected:
        differ = [name for name in expected.__slots__ if getattr(row, name) != getattr(expected, name)]
        why = f"the case row does not equal the fold of its entries ({', '.join(differ)}): 'holdfast ledger rebuild'"
        report.add(ledger.Finding("picture", case_id, entries[-1].sequence, -1, why))


def _openings(tx: Tx, report: Report, case_id: str, entries: list[Entry]) -> int:
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
            report.add(ledger.Finding("opening", case_id, 0, -1, "a text is stored that no entry commits to"))
        elif not matches(commitment, opening.salt, opening.value):
            report.add(ledger.Finding("opening", case_id, sequence, -1, "the stored text is not the one recorded"))
    return len(named.keys() - stored.keys())


def _files(tx: Tx, report: Report) -> None:
    for digest in attachments.faults(tx):
        why = f"the stored file {digest[:12]} is not what its digest says"
        report.add(ledger.Finding("attachment", "", 0, -1, why))


def _kept_points(app: App, options: Options, verifiers: list[Verifier]) -> tuple[list[Checkpoint], str]:
    """Return the checkpoints kept outside the database, and where they were found."""
    if options.against:
        kept = [point for path in options.against for point in keptpoints.read(path, verifiers)]
        return kept, ", ".join(str(path) for path in options.against)
    newest = outside.newest(app.settings.checkpoint_file, verifiers)
    return [] if newest is None else [newest[0]], f"{app.settings.checkpoint_file} (on this machine)"


def _kept(app: App, tx: Tx, report: Report, kept: Sequence[Checkpoint], source: str) -> None:
    """Hold the ledger against checkpoints kept outside the database."""
    if not kept:
        report.notes.append(
            "Completeness not checked: no kept checkpoint was found. Keep one elsewhere and use --against."
        )
        return
    size = tree.size(tx)
    for point in kept:
        finding = ledger.compare(point, size, tree.lookup(tx))
        if finding is not None:
            kind = "kept-truncated" if finding.kind == "truncated" else "kept-rewritten"
            report.add(ledger.Finding(kind, finding.case, finding.sequence, finding.index, finding.why))
    largest = max(point.size for point in kept)
    bad = any(item.kind in KEPT_KINDS for item in report.findings)
    report.completeness = FAILED if bad else VERIFIED
    report.counts["kept_checkpoints"] = len(kept)
    report.notes.append(f"Completeness was held against {source}: it covers the first {largest} of {size} entries.")
    _freshness(app, tx, report, largest, size)


def _freshness(app: App, tx: Tx, report: Report, kept: int, size: int) -> None:
    """Say how old the newest outside fact is, by the newest entry it covers."""
    body = tree.body_at(tx, kept - 1) if 0 < kept <= size else None
    if body is None:
        return
    try:
        covered = time_from_text(entries_of.open_body(body)["recorded_at"])
    except (Malformed, NotFoundError):
        return
    hours = max((app.now() - covered).total_seconds() / 3600, 0)
    report.freshness = f"the kept checkpoint covers everything up to {time_to_text(covered)} ({hours:.1f} h ago)"
    if size > kept:
        report.freshness += f"; {size - kept} later entries rest on the database alone"
