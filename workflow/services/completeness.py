"""Is the ledger complete? It is held against checkpoints kept outside the database: file, ticket, another machine."""

from __future__ import annotations

from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from workflow.domain.record import time_for_people, time_from_text
from workflow.errors import NotFoundError
from workflow.ledger import entry as entries_of
from workflow.ledger import verify as ledger
from workflow.ledger.checkpoint import parse
from workflow.ledger.malformed import Malformed
from workflow.ledger.origin import number, rank, stem
from workflow.services import keptpoints, restores
from workflow.services.verdict import ACCEPTED, FAILED, KEPT_KINDS, TREE_KINDS, VERIFIED
from workflow.storage import outside, tree

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from pathlib import Path

    from workflow.app import App
    from workflow.ledger.checkpoint import Checkpoint
    from workflow.ledger.merkle import Lookup
    from workflow.ledger.note import Verifier
    from workflow.services.restores import Restore
    from workflow.services.verdict import Report
    from workflow.storage.transaction import Tx


class Kept(NamedTuple):
    """Checkpoints kept outside the database, where they were found, and the keys they were held against.

    ``points`` are the newest of each file, which may hold many more.
    """

    points: Sequence[Checkpoint]
    source: str
    verifiers: Sequence[Verifier]
    files: Sequence[Path]


class Held(NamedTuple):
    """What is held against kept checkpoints: how many entries it has, the nodes over them, an entry's bytes by leaf.

    ``stored`` misses the checkpoints that are kept and not stored; an export stores only its newest.
    """

    size: int
    lookup: Lookup
    body_at: Callable[[int], bytes | None]
    name: str = "the ledger"
    stored: Callable[[], None] = lambda: None


def given(against: Sequence[Path], verifiers: Sequence[Verifier], report: Report) -> Kept:
    """Read the kept checkpoints in these files; a file of which no known key signed any fails completeness.

    Raises:
        InputError: a file cannot be read, or holds no checkpoint.
    """
    found = [(path, keptpoints.read(path, verifiers)) for path in against]
    for path in [path for path, points in found if not points]:
        why = f"no checkpoint in {path} is signed by this key: the ledger, its key or the file was exchanged"
        report.add(ledger.Finding("kept-unknown", "", 0, -1, why))
        report.completeness = FAILED
    source = ", ".join(str(path) for path, _ in found)
    return Kept([point for _, points in found for point in points], source, verifiers, against)


def kept_points(app: App, against: Sequence[Path], verifiers: Sequence[Verifier], report: Report) -> Kept:
    """Read the kept checkpoints: those given, or the newest of this installation's own file."""
    if against:
        return given(against, verifiers, report)
    path = app.settings.checkpoint_file
    newest = outside.newest(path, verifiers)
    if newest is None and any(outside.notes(path)):
        report.completeness = FAILED
        why = f"no checkpoint in {path} is signed by this key: the ledger was exchanged, or the file was"
        report.add(ledger.Finding("kept-unknown", "", 0, -1, why))
    return Kept([] if newest is None else [newest[0]], f"{path} (on this machine)", verifiers, [path])


def check(app: App, tx: Tx, report: Report, kept: Kept, declared: Sequence[Restore], *, accept: bool) -> None:
    """Hold the ledger against the kept checkpoints, and say what declared restores lost of them.

    Args:
        app: whose clock says how old they are.
        tx: the ledger.
        report: gets verdict, findings and notes.
        kept: the checkpoints.
        declared: the restores that the ledger declares, oldest first.
        accept: entries that a declared restore lost do not fail the ledger.
    """
    for item in declared:
        report.notes.append(
            f"Restored from a backup of {item.size} entries at {restores.when(item)}, declared as {item.origin}: "
            f"{item.lost} entries known before were lost."
        )
    size = tree.size(tx)
    stored = partial(_stored, tx, report, kept, declared, size)
    held = Held(size, tree.lookup(tx), partial(tree.body_at, tx), stored=stored)
    hold(app.now(), held, report, kept, declared, accept=accept)


def hold(
    now: datetime, held: Held, report: Report, kept: Kept, declared: Sequence[Restore] = (), *, accept: bool = False
) -> None:
    """Hold entries, of the database or of an export, against the kept checkpoints.

    Args:
        now: says how old they are.
        held: the entries.
        report: gets verdict, findings and notes.
        kept: the checkpoints.
        declared: the restores that the ledger declares, oldest first.
        accept: entries that a declared restore lost do not fail the ledger.
    """
    if not kept.points:
        if report.completeness != FAILED:
            report.notes.append(
                "Completeness not checked: no kept checkpoint was found. Keep one elsewhere and use --against."
            )
        return
    accepted, largest = False, 0
    for point in kept.points:
        finding = _compared(point, held, kept.verifiers)
        loss = None if finding is None else restores.lost(point, declared, kept.verifiers)
        largest = max(largest, point.size if loss is None else loss.first)
        if loss is not None and accept:
            accepted = True
            report.notes.append(f"Accepted: {loss}.")
        elif loss is not None:
            report.add(ledger.Finding("kept-lost", "", 0, loss.first, str(loss)))
        elif finding is not None:
            report.add(finding)
    report.counts["kept_checkpoints"] = len(kept.points)
    covers = f"it covers {max(point.size for point in kept.points)} entries, {held.name} holds {held.size}"
    report.notes.append(f"Completeness was held against {kept.source}: {covers}.")
    held.stored()
    if any(item.kind in KEPT_KINDS for item in report.findings):
        report.completeness = FAILED
    elif "sealed" not in report.counts or any(item.kind in TREE_KINDS for item in report.findings):
        report.notes.append("Completeness not checked: the entries do not give the tree that is stored over them.")
        return
    else:
        report.completeness = ACCEPTED if accepted else VERIFIED
    _freshness(now, held, report, largest)


def _stored(tx: Tx, report: Report, kept: Kept, declared: Sequence[Restore], size: int) -> None:
    """Miss every checkpoint that was kept and is stored no more: one that is gone vouches for no entries any more.

    What a declared restore displaced is not missed. Behind one a server seals anew what its dump held unsealed, and so
    keeps checkpoints under earlier names in another rhythm.
    """
    if any(item.kind in KEPT_KINDS for item in report.findings):
        return
    newest = max(map(rank, kept.points))
    names = [number(item.origin) for item in declared]
    points = {point.text(): point for point in kept.points}
    gone: set[int] = set()
    for note in outside.unstored(tx, chain(points, *map(outside.notes, kept.files)), size):
        try:
            point = points[note] if note in points else parse(note)
            later = [item for item, name in zip(declared, names, strict=True) if name > number(point.origin)]
            # What somebody kept since this ledger was read is not in it.
            if rank(point) > newest or any(item.size < point.size or not tx.sqlite for item in later):
                continue
            if note not in points:
                outside.signed(note, kept.verifiers)
        except Malformed:
            continue
        gone = {min(gone | {point.size}), max(gone | {point.size})}
    if gone:
        which = f"checkpoints of {min(gone)} to {max(gone)} entries" if len(gone) > 1 else f"checkpoint of {min(gone)}"
        why = f"kept outside and stored no more: {which}"
        report.add(ledger.Finding("kept-missing", "", 0, min(gone), why))


def _compared(point: Checkpoint, held: Held, verifiers: Sequence[Verifier]) -> ledger.Finding | None:
    """Return what is wrong with these entries by a kept checkpoint; another ledger's is named as such."""
    finding = ledger.compare(point, held.size, held.lookup)
    if finding is None:
        return None
    own = {stem(key.name) for key in verifiers}
    if own and stem(point.origin) not in own:
        why = f"the kept checkpoint is one of another ledger, {point.origin}: {finding.why}"
        return ledger.Finding("kept-unknown", "", 0, -1, why)
    kind = "kept-truncated" if finding.kind == "truncated" else "kept-rewritten"
    return ledger.Finding(kind, finding.case, finding.sequence, finding.index, finding.why)


def _freshness(now: datetime, held: Held, report: Report, kept: int) -> None:
    """Say how old the newest outside fact is, by the newest entry it covers."""
    body = held.body_at(kept - 1) if 0 < kept <= held.size else None
    if body is None:
        return
    try:
        covered = time_from_text(entries_of.open_body(body)["recorded_at"])
    except (Malformed, NotFoundError):
        return
    hours = max((now - covered).total_seconds() / 3600, 0)
    report.freshness = f"the kept checkpoint covers everything up to {time_for_people(covered)} ({hours:.1f} hours ago)"
    if held.size > kept:
        report.freshness += f"; {held.size - kept} later entries rest on the database alone"
