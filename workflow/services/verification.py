"""Verifying the whole ledger: three verdicts that never pass for one another.

*Integrity*: bytes, chains, tree, columns, schema, folds, replay, openings, signatures. *Completeness*: against a
checkpoint kept outside the database. *Freshness*: how old the newest such outside fact is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workflow.domain import adoption, alerts, tenant
from workflow.domain.history import fold
from workflow.domain.picture import picture
from workflow.domain.record import entry_from_body
from workflow.domain.replay import replay
from workflow.domain.roster import Rosters, rosters
from workflow.domain.vocabulary import LOG_CASE, EntryType
from workflow.errors import HoldfastError, InputError, KeyMissingError, StorageError
from workflow.ledger import entry as entries_of
from workflow.ledger import verify as ledger
from workflow.ledger.malformed import Malformed
from workflow.ledger.note import Verifier
from workflow.ledger.origin import named
from workflow.services import agreement, completeness, erasure, glass, holdings, restores, strays
from workflow.services.verdict import (
    FAILED,
    LONGEST,
    NOT_CHECKED,
    SURPRISES,
    VERIFIED,
    Report,
    told,
)
from workflow.storage import cases, keyfile, openings, pictures, schema, tree
from workflow.storage import entries as stored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from workflow.app import App
    from workflow.domain.playbook import Playbook
    from workflow.domain.record import Entry
    from workflow.services.restores import Restore
    from workflow.storage.transaction import Tx

__all__ = ["FAILED", "NOT_CHECKED", "VERIFIED", "Options", "Report", "read_key", "verify"]


@dataclass(frozen=True, slots=True)
class Options:
    """How to verify.

    Args:
        key: the public key to hold signatures against (vkey text), or None for the key file's, or the ledger's claim.
        against: files with kept checkpoints; none means the checkpoint file of this installation.
        every_signature: check the signature of every checkpoint, not only of the newest.
        progress: called with (done, total) cases.
        accept_restore: entries that a declared restore lost do not fail the ledger.
    """

    key: str | None = None
    against: Sequence[Path] = ()
    every_signature: bool = True
    progress: Callable[[int, int], None] | None = None
    accept_restore: bool = False


def verify(app: App, options: Options | None = None) -> Report:
    """Verify the ledger in one consistent reading of the database; nothing is written.

    Raises:
        InputError: the key or a kept checkpoint cannot be read.
        StorageError: the database cannot be read at all.
    """
    options = options or Options()
    report, errors = Report(), app.database.errors
    with told(report, errors, "the schema"):
        for difference in schema.compare(app.database):
            report.add(ledger.Finding("schema", "", 0, -1, difference))
    log = Log()
    with app.database.reading() as tx, told(report, errors, "the log's own entries", LOG_CASE):
        log = _log(tx, report)
    verifiers = _verifiers(app, options, log.vkey, report)
    # Before the ledger is read: a step that others take meanwhile is in the file and not in what is read here.
    kept = completeness.kept_points(app, options.against, verifiers, report)
    with app.database.reading() as tx:
        with told(report, errors, "the database"):
            for line in schema.integrity(tx):
                report.add(ledger.Finding("database", "", 0, -1, line))
        with told(report, errors, "the tree"):
            _tree(tx, report, log.origins, verifiers, every=options.every_signature)
        declared: list[Restore] = []
        with told(report, errors, "the restores", LOG_CASE):
            declared = _restores(tx, report, log, verifiers)
        strays.check(tx, report, errors)
        with told(report, errors, "the derived columns", kind="column"):
            strays.check_columns(tx, report)
        books: dict[str, Playbook] = {}
        needs = holdings.Needs()
        with told(report, errors, "the playbooks"):
            holdings.check_playbooks(tx, report, log.adopted, books)
        with told(report, errors, "what the log says of playbooks", LOG_CASE):
            for sequence, why in adoption.faults(log.about_playbooks, books):
                report.add(ledger.Finding("replay", LOG_CASE, sequence, -1, why))
        with told(report, errors, "what the log says of tenants", LOG_CASE):
            for sequence, why in tenant.faults(log.about_tenants):
                report.add(ledger.Finding("replay", LOG_CASE, sequence, -1, why))
        with told(report, errors, "what the log says of alerts", LOG_CASE):
            for sequence, why in alerts.faults(log.about_alerts):
                report.add(ledger.Finding("replay", LOG_CASE, sequence, -1, why))
        with told(report, errors, "the cases"):
            _cases(tx, report, errors, log, books, needs, options.progress)
        with told(report, errors, "the names"):
            holdings.check_subjects(tx, report, needs)
        with told(report, errors, "the files"):
            holdings.check_files(tx, report, needs)
        with told(report, errors, "what the kept checkpoint covers"):
            completeness.check(app, tx, report, kept, declared, accept=options.accept_restore)
    report.conclude()
    return report


@dataclass(slots=True)
class Log:
    """What the log says of itself: names (oldest first), the key it claims as its own, playbooks, people, settings."""

    origins: tuple[str, ...] = ()
    vkey: str = ""
    adopted: set[str] = field(default_factory=set)
    about_playbooks: list[Entry] = field(default_factory=list)
    about_tenants: list[Entry] = field(default_factory=list)
    about_alerts: list[Entry] = field(default_factory=list)
    rosters: Rosters = field(default_factory=Rosters)
    restored: list[tuple[dict[str, Any], int, str]] = field(default_factory=list)
    """Bodies of restores, their leaf numbers, and the name before."""
    tenants: agreement.Tenants = field(default_factory=agreement.Tenants)
    settings: list[tuple[Entry, int]] = field(default_factory=list)


def _log(tx: Tx, report: Report) -> Log:
    log = Log()
    told_people: list[tuple[Entry, int]] = []
    told_tenants: list[tuple[Entry, int]] = []
    told_playbooks: list[tuple[Entry, int]] = []
    told_alerts: list[tuple[Entry, int]] = []
    for number, (body, leaf, index) in enumerate(tree.bodies(tx, LOG_CASE), start=1):
        try:
            found = entries_of.open_body(body)
        except Malformed:
            continue
        data, kind = found["data"], found["type"]
        if kind == EntryType.LOG_CREATED:
            log.vkey = str(data.get("vkey", ""))
        if kind == EntryType.LOG_RESTORED:
            log.restored.append((found, index, log.origins[-1] if log.origins else ""))
        if kind in {EntryType.LOG_CREATED, EntryType.LOG_RESTORED}:
            log.origins = (*log.origins, str(data.get("origin", "")))
        placed = (entry_from_body(found, (leaf or entries_of.leaf_hash(body)).hex()), index)
        for kinds, kept in (
            ({EntryType.PEOPLE_CHANGED}, told_people),
            ({EntryType.SETTINGS_CHANGED}, log.settings),
            (TENANT_TYPES, told_tenants),
            ({EntryType.ALERTS_CHANGED}, told_alerts),
            (adoption.ADOPTING, told_playbooks),
        ):
            if kind in kinds:
                kept.append(placed)
        if (kind == EntryType.LOG_CREATED) != (number == 1) or kind not in LOG_TYPES:
            why = f"a {kind} entry does not belong here in the log's own case"
            report.add(ledger.Finding("origin", LOG_CASE, found["sequence"], -1, why))
        elif any(found[name] != value for name, value in PLAIN.items()):
            why = "an entry of the log itself carries what only a case's entries say"
            report.add(ledger.Finding("replay", LOG_CASE, found["sequence"], -1, why))
    log.about_playbooks = [entry for entry, _ in told_playbooks]
    log.about_tenants = [entry for entry, _ in told_tenants]
    log.about_alerts = [entry for entry, _ in told_alerts]
    log.adopted = {
        str(entry.data.get("digest", "")) for entry in log.about_playbooks if entry.type == EntryType.PLAYBOOK_ADOPTED
    }
    with told(report, HoldfastError, "the list of people", LOG_CASE):
        log.rosters = rosters(told_people)
    with told(report, HoldfastError, "the records of tenants", LOG_CASE):
        log.tenants = agreement.tenants(told_tenants)
    return log


PLAIN: Mapping[str, Any] = {
    **dict.fromkeys(("action", "state_before", "state_after", "playbook"), ""),
    "recurrence": 0,
    "outcome": "done",
    "basis": {},
    "cites": [],
}
"""What the log's own entries say in the members that are there for cases."""
TENANT_TYPES = frozenset({EntryType.TENANT_RECORDED, EntryType.TENANT_RETRACTED})


LOG_TYPES = frozenset(
    {
        EntryType.LOG_CREATED,
        EntryType.LOG_RESTORED,
        EntryType.SETTINGS_CHANGED,
        EntryType.PEOPLE_CHANGED,
        EntryType.ALERTS_CHANGED,
        EntryType.PLAYBOOK_ADOPTED,
        *TENANT_TYPES,
        EntryType.PLAYBOOK_PROPOSED,
    }
)


def _restores(tx: Tx, report: Report, log: Log, verifiers: Sequence[Verifier]) -> list[Restore]:
    """Return the declared restores, oldest first, and say what is wrong with them; a wrong one explains nothing."""
    found = []
    for body, index, previous in log.restored:
        try:
            restore = restores.from_body(body)
            why = restores.fault(restore, previous, body["log"], index, verifiers, tree.lookup(tx))
        except (KeyError, TypeError, ValueError) as error:
            why = f"the restore cannot be understood: {error}"[:LONGEST]
        else:
            found += [] if why else [restore]
        if why:
            report.add(ledger.Finding("origin", LOG_CASE, body["sequence"], index, why))
    return found


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
        "verify with --key and the public key that you keep elsewhere, and with --against and a checkpoint kept there "
        "(holdfast ledger checkpoint --print)."
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
    # The log's key signs under each of the log's names.
    keys = {key.text: key for origin in origins for key in named(verifiers, origin)}
    result = ledger.check_tree(
        tree.leaves(tx),
        tree.checkpoints(tx),
        origins=origins,
        verifiers=list(keys.values()) or verifiers,
        every_signature=every,
    )
    for finding in result.findings:
        report.add(finding)
    report.more += result.more
    # That no node stands elsewhere than these is looked at with the other strays.
    for level in range(1, len(result.node_digests) + 1):
        fault = ledger.check_nodes(result, level, tree.nodes(tx, level))
        if fault is not None:
            report.add(fault)
    report.checkpoint = result.newest
    report.counts |= {
        "entries": result.size,
        "sealed": result.size,
        "unsealed": 0,
        "checkpoints": result.checkpoints,
        "signatures": result.checked_signatures,
    }


def _cases(
    tx: Tx,
    report: Report,
    errors: type[Exception],
    log: Log,
    books: Mapping[str, Playbook],
    needs: holdings.Needs,
    progress: Callable[[int, int], None] | None,
) -> None:
    with_entries = cases.ids(tx)
    report.counts |= {"cases": sum(case_id != LOG_CASE for case_id in with_entries)}
    report.counts |= {"refused_attempts": 0, "texts_without_opening": 0, "erased_cases": 0}
    for number, case_id in enumerate(with_entries, start=1):
        if progress is not None:
            progress(number, len(with_entries))
        with told(report, errors, "the case", str(case_id)):
            placed = list(_chain(tx, report, case_id, log.origins))
            entries = [entry for entry, _ in placed]
            report.counts["refused_attempts"] += sum(entry.outcome != "done" for entry in entries)
            with told(report, errors, "the texts of the case", case_id):
                needs.of(entries)
                report.counts["erased_cases"] += holdings.is_erased(entries)
                report.counts["texts_without_opening"] += holdings.check_texts(tx, report, case_id, entries)
            with told(report, errors, "what the case says of others", case_id):
                agreement.check_roles(report, case_id, placed, log.rosters, ordered=tx.sqlite)
                agreement.check_linked(tx, report, case_id, placed)
                agreement.check_tenant(report, case_id, placed, log.tenants, books, ordered=tx.sqlite)
                erasure.check(report, case_id, placed, log.settings, ordered=tx.sqlite)
                glass.check(report, case_id, placed, log.settings, ordered=tx.sqlite)
            if case_id != LOG_CASE:
                _replayed(tx, report, case_id, entries, books)
    for case_id in stored.rows_without(tx):
        report.add(ledger.Finding("picture", case_id, 0, -1, "a case row has no entries behind it"))
    for case_id in sorted(set(openings.cases(tx)) - set(with_entries)):
        report.add(ledger.Finding("opening", case_id, 0, -1, "a text is stored for a case that has no entries"))


def _chain(tx: Tx, report: Report, case_id: str, origins: tuple[str, ...]) -> Iterator[tuple[Entry, int]]:
    """Yield a case's entries, each with its leaf's number; what is none becomes a finding."""
    rows = list(tree.bodies(tx, case_id))
    leaves = iter(rows)
    for found in ledger.check_chain(case_id, [row[:2] for row in rows], origins=origins):
        if isinstance(found, ledger.Finding):
            report.add(found)
            if found.kind == "malformed":
                next(leaves, None)
            continue
        body, leaf, index = next(leaves)
        yield entry_from_body(found, (leaf or entries_of.leaf_hash(body)).hex()), index


def _replayed(tx: Tx, report: Report, case_id: str, entries: list[Entry], books: Mapping[str, Playbook]) -> None:
    if not entries:
        return
    case, fault = replay(entries, books)
    if fault is not None:
        report.add(ledger.Finding("replay", case_id, fault.sequence, -1, fault.why))
    try:
        folded = case if fault is None else fold(entries)
        report.numbers[case_id] = folded.number
        differ = pictures.differences(tx, picture(folded, books[folded.playbook]))
    except SURPRISES as error:
        why = f"the case cannot be folded: {error!r}"[:LONGEST]
        report.add(ledger.Finding("replay", case_id, entries[-1].sequence, -1, why))
        return
    if differ is None:
        report.add(ledger.Finding("picture", case_id, 0, -1, "the case has entries and no row"))
    elif differ:
        why = f"the case row does not equal the fold of its entries ({', '.join(differ)}): 'holdfast ledger rebuild'"
        report.add(ledger.Finding("picture", case_id, entries[-1].sequence, -1, why))
