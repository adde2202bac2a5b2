"""Putting a backup back: a ceremony that leaves a mark on the ledger for good.

The backup is copied beside the database, verified there, and declared there: a ``log:restored`` entry under the log's
next name says what was put back and what was known to be lost. Only then does SQLite itself put the copy's pages in the
place of the database's, in one transaction. Killed before that, the old state stands; killed after it, the new one
does, and whoever writes next adds it to the checkpoint file.
"""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import SecretStr

from workflow.app import App
from workflow.domain import access
from workflow.domain.vocabulary import EntryType
from workflow.errors import DatabaseBusyError, InputError, RuleRefusedError, StorageError, VerificationError
from workflow.ledger.checkpoint import parse
from workflow.ledger.entry import open_body as parse_body
from workflow.ledger.malformed import Malformed
from workflow.ledger.origin import following, number, rank
from workflow.ledger.verify import compare
from workflow.services import logbook, people, setup, verification
from workflow.services.restores import MOST_KNOWN, Restore
from workflow.services.writing import checked, keep
from workflow.storage import cases, copies, files, keyfile, outside, seal, tree
from workflow.storage.database import Database, create_file
from workflow.storage.faults import is_no_ledger
from workflow.storage.migrations import upgrade

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from workflow.ledger.checkpoint import Checkpoint
    from workflow.ledger.note import Verifier
    from workflow.services.people import Who
    from workflow.settings import Settings
    from workflow.storage.openings import Opening
    from workflow.storage.transaction import Tx

MEANWHILE = "Somebody wrote to the database meanwhile. Nothing was changed; let the others stop, and try again."


@dataclass(frozen=True, slots=True)
class Exchange:
    """What takes the place of what: a copy beside the database, and the database's own file."""

    staged: Path
    live: Database
    place: Path


@dataclass(frozen=True, slots=True)
class Plan:
    """What a restore would do, or has done.

    Args:
        declared: the restore as the ledger will say it.
        newest_at: when the backup's newest entry was recorded (UTC text).
        present: entries in the database that would be displaced; None where it is not there or cannot be read.
        aside: where the displaced database is kept; None where there is none, or where it stays in place.
    """

    declared: Restore
    newest_at: str
    present: int | None
    aside: Path | None


def plan(settings: Settings, clock: Callable[[], datetime], backup: Path | None) -> Plan:
    """Say what restoring a backup would do; nothing is changed.

    Args:
        settings: where the ledger is.
        clock: returns the present.
        backup: the backup, or None to declare that the database in place was put back by other means.

    Raises:
        KeyMissingError: there is no key to declare a restore with.
        InputError: the backup cannot be read.
        RuleRefusedError: nothing would have to be declared.
        VerificationError: the backup does not verify, or is no earlier state of this ledger.
    """
    with _opened(settings, clock, backup) as (app, change):
        return _plan(app, change, clock())


def restore(settings: Settings, clock: Callable[[], datetime], who: Who, backup: Path | None, reason: str) -> Plan:
    """Put a backup back and declare it; the displaced database is kept aside.

    Args:
        settings: where the ledger is.
        clock: returns the present.
        who: who declares it.
        backup: the backup, or None to declare that the database in place was put back by other means.
        reason: why; kept as a private text.

    Raises:
        DatabaseBusyError: somebody wrote to the database meanwhile; nothing was changed.
        KeyMissingError, InputError, RuleRefusedError, VerificationError: as :func:`plan`.
    """
    text = checked("reason", reason.strip())
    if not text:
        message = "A restore is declared on the ledger for good: say why with --reason."
        raise InputError(message)
    with _opened(settings, clock, backup) as (app, change):
        if change is None:
            _seal_rest(app)
        made = _plan(app, change, clock())
        _declare(app, who, made.declared, text)
        if change is not None and made.present is not None and made.aside is not None:
            with files.whole(made.aside) as partial:
                copies.copy(change.live, partial)
        with app.database.reading() as tx:
            note = tree.newest(tx) or ""
        if change is not None:
            app.database.truncate_log()
            app.close()
            _exchange(change, made)
        outside.append(settings.checkpoint_file, note)
        _look_back(settings, made.declared)
        return made


@contextmanager
def _opened(
    settings: Settings, clock: Callable[[], datetime], backup: Path | None
) -> Iterator[tuple[App, Exchange | None]]:
    """Yield an app on what is to be declared: a copy of the backup beside the database, or the database itself."""
    keyfile.read(settings.key_file)
    if backup is None:
        with App(settings, clock) as app:
            yield app, None
        return
    live = Database(settings.database_url.get_secret_value())
    place = live.path
    if place is None:
        message = "This ledger is in PostgreSQL: put the backup back with pg_restore, then: holdfast ledger restore"
        raise InputError(message)
    staged = place.with_name(f"{place.name}.{secrets.token_hex(4)}.restoring")
    try:
        _stage(backup, staged)
        with App(settings.model_copy(update={"database_url": SecretStr(copies.url(staged))}), clock) as app:
            yield app, Exchange(staged, live, place)
    finally:
        live.close()
        for end in ("", "-wal", "-shm", "-turn"):
            staged.with_name(staged.name + end).unlink(missing_ok=True)


def _stage(backup: Path, staged: Path) -> None:
    """Copy a backup, which is left exactly as it is, and bring the copy to the present schema."""
    if not backup.is_file():
        message = f"There is no backup at {backup}."
        raise InputError(message)
    log = backup.with_name(backup.name + "-wal")
    if log.exists() and log.stat().st_size:
        message = (
            f"{backup} is not a finished backup: {log.name} beside it belongs to it. "
            "Make backups with: holdfast backup FILE"
        )
        raise InputError(message)
    create_file(staged)
    source = Database(copies.url(backup), still=True)
    try:
        copies.copy(source, staged)
    except StorageError as error:
        message = f"{backup} cannot be restored: {error}"
        raise VerificationError(message) from error
    finally:
        source.close()
    copy = Database(copies.url(staged))
    try:
        upgrade(copy)
    finally:
        copy.close()


def _plan(app: App, change: Exchange | None, now: datetime) -> Plan:
    verifiers = [keyfile.read(app.settings.key_file).verifier]
    _hold_up(app)
    with app.database.reading() as tx:
        size, newest = tree.size(tx), parse(tree.newest(tx) or "")
        _hold_against_file(app, tx, verifiers)
        present, seen = _present(change, newest, verifiers)
        known = _known(app, size, verifiers, seen)
        newest_at = parse_body(tree.body_at(tx, size - 1) or b"")["recorded_at"]
    largest = max((point.size for point, _ in known), default=0)
    if change is None and largest <= size:
        message = "Nothing is missing from the database in place, so there is no restore to declare."
        raise RuleRefusedError(message)
    declared = Restore(
        at="",
        origin=following(newest.origin, *(point.origin for point, _ in known)),
        previous=newest.origin,
        size=size,
        root=newest.root,
        known=tuple(note for _, note in known),
        lost=max(largest - size, 0),
    )
    return Plan(declared, newest_at, present, _aside(change, now))


def _hold_up(app: App) -> None:
    """Refuse what does not verify; that the checkpoints kept outside cover more is what a backup is like."""
    report = verification.verify(app)
    wrong = [item for item in report.findings if item.kind not in {"kept-truncated", "kept-lost"}]
    if wrong or report.more:
        message = (
            "This is not an earlier state of this ledger that verifies: "
            f"{wrong[0].why if wrong else 'too many faults'}. Nothing was changed."
        )
        raise VerificationError(message)


def _known(
    app: App, size: int, verifiers: list[Verifier], seen: tuple[Checkpoint, str] | None
) -> list[tuple[Checkpoint, str]]:
    """Return the last checkpoint known under each name: those beyond the backup, and the newest in any case."""
    found = {
        point.origin: (point, note) for point, note in outside.newest_of_each(app.settings.checkpoint_file, verifiers)
    }
    if seen is not None:
        other = found.get(seen[0].origin, seen)
        found[seen[0].origin] = max(other, seen, key=_rank)
    every = sorted(found.values(), key=_rank)
    return [item for item in every if item[0].size > size or item is every[-1]][-MOST_KNOWN:]


def _rank(found: tuple[Checkpoint, str]) -> tuple[int, int]:
    return rank(found[0])


def _hold_against_file(app: App, tx: Tx, verifiers: list[Verifier]) -> None:
    """Refuse a backup of another history than the checkpoint file remembers."""
    path, size = app.settings.checkpoint_file, tree.size(tx)
    point = outside.before(path, size, verifiers)
    found = None if point is None else compare(point, size, tree.lookup(tx))
    if found is not None:
        message = f"This is no earlier state of the ledger that {path} remembers: {found.why}. Nothing was changed."
        raise VerificationError(message)


def _present(
    change: Exchange | None, backup: Checkpoint, verifiers: list[Verifier]
) -> tuple[int | None, tuple[Checkpoint, str] | None]:
    """Return the number of entries in place, and their newest checkpoint where they continue the backup.

    Raises:
        StorageError: the database cannot be looked at for now; it may be whole.
    """
    size: int | None = None
    if change is None or not change.place.exists():
        return size, None
    try:
        with change.live.reading() as tx:
            size, note, lookup = tree.size(tx), tree.newest(tx) or "", tree.lookup(tx)
            newest = outside.signed(note, verifiers)
            continues = all(compare(point, size, lookup) is None for point in (backup, newest))
            return size, (newest, note) if continues else None
    except StorageError as error:
        if not is_no_ledger(error):
            raise
    except Malformed:
        pass
    return size, None


def _aside(change: Exchange | None, now: datetime) -> Path | None:
    """Return where the displaced database is kept, None where there is none or where it stays in place."""
    if change is None:
        return None
    place = change.place
    there = any(place.with_name(place.name + end).exists() for end in ("", "-wal"))
    return place.with_name(f"{place.name}.before-restore-{now:%Y%m%dT%H%M%SZ}") if there else None


def _seal_rest(app: App) -> None:
    """Seal what a PostgreSQL database was put back with and had not sealed yet, under the name it has."""
    with app.database.reading() as tx:
        name = parse(tree.newest(tx) or "").origin
        if not tree.unsealed(tx):
            return
    app.continue_as(name)
    setup.seal_now(app)


def _declare(app: App, who: Who, declared: Restore, reason: str) -> None:
    """Write the restore down under the log's next name, sealed in the same transaction."""
    app.continue_as(declared.origin)
    kept: dict[str, Opening] = {}
    data = {**declared.to_data(), "reason": {"commitment": keep(reason, kept)}}
    with app.database.transaction() as tx:
        seal.lock(tx)
        cases.lock_log(tx)
        if tree.size(tx) != declared.size:
            raise DatabaseBusyError(MEANWHILE)
        by = people.actor(app, tx, who)
        access.needs(by, access.WORKERS, "restoring the ledger")
        logbook.write(app, tx, by, [(EntryType.LOG_RESTORED, data)], kept)
        if not tx.sqlite:
            seal.seal(tx, app.journal)


def _exchange(change: Exchange, made: Plan) -> None:
    """Put the declared copy in the place of the database, or of what is left of one."""
    if made.present is None:
        change.live.close()
        copies.take_place(change.staged, change.place, made.aside)
        return
    with change.live.reading() as tx:
        if tree.size(tx) != made.present:
            raise DatabaseBusyError(MEANWHILE)
    copies.put(change.staged, change.live)


def _look_back(settings: Settings, declared: Restore) -> None:
    """Tell of entries that somebody recorded in the very moment of the exchange: they are in no file."""
    verifiers = [keyfile.read(settings.key_file).verifier]
    before = {point.origin: point.size for note in declared.known for point in (outside.signed(note, verifiers),)}
    for point, _ in outside.newest_of_each(settings.checkpoint_file, verifiers):
        missed = point.size - max(before.get(point.origin, 0), declared.size)
        if number(point.origin) < number(declared.origin) and point.origin in before and missed > 0:
            message = (
                f"The backup is restored, but {missed} entries were recorded in the moment of the exchange and are "
                "lost without having been declared. Ask whoever was working to repeat the last step."
            )
            raise StorageError(message)
