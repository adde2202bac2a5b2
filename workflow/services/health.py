"""The doctor: every condition that keeping a ledger depends on, each with its finding and the command that cures it.

Nothing here writes, and nothing stops: what cannot be looked at is itself a finding.
"""

from __future__ import annotations

import platform
import shlex
import shutil
import sqlite3
from dataclasses import asdict
from datetime import timedelta
from importlib import metadata
from typing import TYPE_CHECKING, Any

from workflow import __version__
from workflow.domain.record import time_for_people, time_from_text
from workflow.domain.subject import folded_tenant, seen
from workflow.domain.tenant import standing as recorded
from workflow.domain.vocabulary import LOG_CASE, EntryType
from workflow.errors import HoldfastError, KeyMissingError, StorageError
from workflow.ledger.malformed import Malformed
from workflow.ledger.origin import number, rank
from workflow.ledger.verify import compare
from workflow.services import clocks, permissions, tenantwide
from workflow.services.alert_policies import in_force
from workflow.services.clocks import AHEAD
from workflow.services.permissions import FAIL, OK, WARN, Finding
from workflow.services.verdict import SURPRISES
from workflow.sources.playbook_file import load, shipped
from workflow.storage import cases, chores, health, keyfile, outside, playbooks, schema, tree
from workflow.storage.database import Database
from workflow.storage.files import mode_in
from workflow.storage.migrations import HEAD

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from workflow.settings import Settings
    from workflow.storage.health import Condition

LIBRARIES = ("alembic", "click", "cryptography", "pydantic-settings", "pyyaml", "rich", "sqlmodel", "transitions")
OLDEST_SQLITE = (3, 38, 0)
"""The first SQLite whose JSON functions are always there; strict tables came with 3.37."""
SCARCE, LOW = 100 * 2**20, 2**30
"""Bytes of free disk: below the first nothing should be written, below the second somebody should look."""
LONG_LOG = 64 * 2**20
"""Bytes of write-ahead log beyond which something keeps it from being written back."""
OF_TENANT = frozenset({"log", "poll"})
QUIET = timedelta(hours=3)
"""After how long without any of the chores of workers, the rarest of which are done every hour, somebody looks."""
_NOT_WRITTEN = "nothing can be written without a copy of the ledger's own."
_BACK = "holdfast ledger verify, then: holdfast ledger restore BACKUP"
LEFT_BEHIND = (".partial", ".restoring", ".restoring-wal", ".restoring-shm", ".restoring-turn")


def examine(settings: Settings, now: datetime) -> list[Finding]:
    """Look at everything; returns findings in the order of the report."""
    found = [*_versions(), *permissions.examine(settings)]
    database = Database(settings.database_url.get_secret_value())
    try:
        found += _database(settings, database, now)
    finally:
        database.close()
    return [*found, *_disk(settings, database.path), *_left_behind(settings, database.path)]


def _versions() -> Iterator[Finding]:
    yield Finding("version", OK, f"Holdfast {__version__}, Python {platform.python_version()}")
    yield Finding("libraries", OK, ", ".join(f"{name} {metadata.version(name)}" for name in LIBRARIES))
    recent = sqlite3.sqlite_version_info >= OLDEST_SQLITE
    cure = "" if recent else "Install a Python with SQLite 3.38 or newer."
    yield Finding("sqlite", OK if recent else FAIL, f"SQLite {sqlite3.sqlite_version}", cure)


def _database(settings: Settings, database: Database, now: datetime) -> list[Finding]:
    """Look at the database, and at everything that is judged by what it says."""
    if database.path is not None and not database.path.exists():
        known = settings.checkpoint_file.exists()
        cure = "holdfast ledger restore BACKUP" if known else "holdfast init"
        return [Finding("database", FAIL, f"There is no database at {database.path}.", cure), *_key(settings, None)]
    try:
        with database.reading() as tx:
            found = schema.revision(tx)
        findings = [_schema(found)]
        if found != HEAD:
            return [*findings, *_key(settings, None)]
        state = health.condition(database)
        return [
            *findings,
            *_guards(database),
            *_running(database, state),
            _clock(database, state, now),
            *_worker(settings, database, now),
            _alerts(database),
            *_key(settings, database),
            _checkpoints(settings, database, state),
            *_playbooks(database),
            *_tenants(database, now),
        ]
    except SURPRISES as error:
        return [Finding("database", FAIL, f"It cannot be read: {error}", _BACK), *_key(settings, None)]


def _schema(found: str | None) -> Finding:
    if found == HEAD:
        return Finding("schema", OK, f"schema {found}")
    if found is None:
        return Finding("schema", FAIL, "The database is empty.", "holdfast init")
    if found < HEAD:
        return Finding("schema", FAIL, f"The database has schema {found}, not {HEAD}.", "holdfast upgrade")
    return Finding("schema", FAIL, f"A newer Holdfast made this database (schema {found}).", "Update Holdfast.")


def _guards(database: Database) -> Iterator[Finding]:
    differences = schema.compare(database)
    if differences:
        said = f"The schema is not the expected one, in {len(differences)} places: {differences[0]}"
        said += ", …" if len(differences) > 1 else ""
        mendable = all(schema.can_mend(item) for item in differences)
        cure = "holdfast ledger verify, then: holdfast upgrade, which puts them back" if mendable else _BACK
        yield Finding("triggers", FAIL, said, cure, tuple(differences))
    else:
        yield Finding("triggers", OK, "tables, columns, indexes and triggers are the expected ones")


def _running(database: Database, state: Condition) -> Iterator[Finding]:
    yield Finding("database", OK, f"{database.dialect} {state.version}, {state.entries} entries")
    if database.path is not None:
        # A database that can only be read here was opened without touching how it is kept.
        sound = state.journal == "wal" and state.synchronous == "2"
        said = f"journal {state.journal}, synchronous {'full' if state.synchronous == '2' else state.synchronous}"
        cure = "" if sound else "Open it with Holdfast as the user who owns it: holdfast ledger checkpoint"
        yield Finding("journal", OK if sound else WARN, said, cure)
        size = health.log_size(database.path)
        cure = (
            "End the programs that keep the database open, then: holdfast ledger checkpoint" if size > LONG_LOG else ""
        )
        yield Finding("log", WARN if size > LONG_LOG else OK, f"{size} bytes of write-ahead log", cure)
    if not state.unsealed:
        yield Finding("sealed", OK, "every entry is sealed")
    elif database.path is not None:
        yield Finding("sealed", FAIL, f"{state.unsealed} entries that Holdfast did not write", _BACK)
    else:
        yield Finding("sealed", WARN, f"{state.unsealed} entries are not sealed", "holdfast ledger checkpoint")


def _clock(database: Database, state: Condition, now: datetime) -> Finding:
    if not state.newest_at:
        return Finding("clock", WARN, "there is no entry to compare it with", "holdfast init")
    newest = time_from_text(state.newest_at)
    ahead = newest - now
    if ahead > AHEAD:
        said = f"The newest entry was recorded {time_for_people(newest)}, {ahead} in this clock's future."
        with database.reading() as tx:
            cases_ahead = clocks.asleep(tx, now)
        cure = "Set the clock: timedatectl set-ntp true"
        if cases_ahead:
            said, cure = f"{said} {cases_ahead}.", f"{cure}. If it is right, look into those cases by hand until then."
        return Finding("clock", FAIL, said, cure)
    return Finding("clock", OK, f"behind no entry; the newest is of {time_for_people(newest)}")


def _worker(settings: Settings, database: Database, now: datetime) -> Iterator[Finding]:
    """Judge workers by what they last did for the whole ledger; nothing where none was ever at work."""
    with database.reading() as tx:
        done = chores.done(tx)
    if settings.provider == "manual":
        # Without a tenant there are no lists and no log to read.
        done = {name: at for name, at in done.items() if name not in OF_TENANT}
    late = {name: at for name, at in done.items() if now - at > QUIET}
    if late and len(late) == len(done):
        said = f"No worker has been heard of since {time_for_people(max(late.values()))}: nothing is done unasked."
        yield Finding("worker", WARN, said, "holdfast worker, as a service or from cron with --once")
    for name, at in sorted(late.items() if len(late) < len(done) else ()):
        said = f"The {name} was last done {time_for_people(at)}."
        yield Finding("worker", WARN, said, "holdfast worker --health; the worker's log says why")
    if done and not late:
        yield Finding("worker", OK, f"heard of {time_for_people(max(done.values()))}")


def _alerts(database: Database) -> Finding:
    """Say whether anybody at all is told of what cannot wait."""
    with database.reading() as tx:
        rules = in_force(tx).values()
    told = {name for rule in rules for name in rule.told}
    if told:
        return Finding("alerts", OK, f"sent to {', '.join(sorted(told))}")
    if any(rule.on for rule in rules):
        cure = "holdfast alert recipients, then: holdfast alert set POLICY --recipient NAME"
        return Finding("alerts", WARN, "Alerts are on, and nobody receives them.", cure)
    return Finding("alerts", OK, "switched off")


def _key(settings: Settings, database: Database | None) -> Iterator[Finding]:
    path = settings.key_file
    mode, there = f"{mode_in(path.parent):o}", shlex.quote(str(path))
    put_back = f"install -D -m {mode} COPY {there}"
    try:
        own = keyfile.read(path).verifier
    except KeyMissingError:
        yield Finding("key", FAIL, f"There is no key at {path}: {_NOT_WRITTEN}", put_back)
        return
    except StorageError as error:
        cure = f"chmod {mode} {there}" if path.is_file() and keyfile.is_loose(path) else put_back
        yield Finding("key", FAIL, str(error), cure)
        return
    if database is None:
        yield Finding("key", OK, f"{own.name} in {path}; there is no ledger to hold it against")
        return
    with database.reading() as tx:
        first = cases.entries(tx, LOG_CASE)[:1]
    claimed = str(first[0].data.get("vkey", "")) if first else ""
    if not claimed or own.under(claimed.partition("+")[0]).text != claimed:
        yield Finding("key", FAIL, f"The key in {path} is not this ledger's: {_NOT_WRITTEN}", put_back)
    else:
        yield Finding("key", OK, f"{claimed} is this ledger's")


def _checkpoints(settings: Settings, database: Database, state: Condition) -> Finding:
    """Hold the checkpoint file against the database: behind is healed by the next step, ahead is not."""
    path = settings.checkpoint_file
    try:
        own = [keyfile.read(settings.key_file).verifier]
        kept, last = outside.newest(path, own), outside.signed(state.note, own)
    except (HoldfastError, Malformed) as error:
        return Finding("checkpoints", FAIL, f"They cannot be judged: {error}", "holdfast ledger verify")
    if kept is None:
        said = f"{path} holds no checkpoint of this ledger."
        return Finding("checkpoints", WARN, said, "The next step begins it anew; verify against one kept elsewhere.")
    with database.reading() as tx:
        # Behind a declared restore the file may cover more than the database does.
        restored = number(kept[0].origin) < number(last.origin)
        fault = None if restored else compare(kept[0], tree.size(tx), tree.lookup(tx))
    if fault is not None:
        cure = "holdfast ledger verify; if a backup was put back on purpose: holdfast ledger restore"
        return Finding("checkpoints", FAIL, f"The database does not continue {path}: {fault.why}.", cure)
    if rank(kept[0]) < rank(last):
        said = f"{path} ends with {kept[0].size} entries of {kept[0].origin}, the database is further."
        return Finding("checkpoints", WARN, said, "The next step adds what is missing.")
    return Finding("checkpoints", OK, f"{path} covers every sealed entry")


def _playbooks(database: Database) -> Iterator[Finding]:
    with database.reading() as tx:
        newest = {
            entry.data["name"]: bool(entry.data["shipped"])
            for entry in cases.entries(tx, LOG_CASE)
            if entry.type == EntryType.PLAYBOOK_ADOPTED
        }
        adopted = {item.digest for item in playbooks.every(tx)}
    for name, source in sorted(shipped().items()):
        own = load(source, name).digest in adopted
        if own and not newest.get(name, True):
            said = f"{name}: new cases get a version that did not come with Holdfast"
            yield Finding("playbook", WARN, said, "holdfast playbook list")
        else:
            said = (
                "the version that came with Holdfast" if own else "Holdfast's own version is adopted with the next case"
            )
            yield Finding("playbook", OK, f"{name}: {said}")


def _tenants(database: Database, now: datetime) -> Iterator[Finding]:
    """Name what old versions recorded of a tenant under a spelling that no case of today has."""
    with database.reading() as tx:
        standing = [item for item in recorded(tenantwide.entries(tx)).values() if item.expires_at > now]
    reached = {(item.tenant, item.fact) for item in standing}
    for item in standing:
        own = seen(folded_tenant(item.tenant))
        if item.tenant != own and (own, item.fact) not in reached:
            fact = item.fact.value
            said = f"What is recorded of tenant {item.tenant!r}, {fact}, answers in no case: its name is {own!r}."
            cure = f"holdfast tenant record {fact} --result {item.result.value} --tenant {shlex.quote(own)} --ref WHERE"
            yield Finding("tenant", WARN, said, cure)


def _disk(settings: Settings, database: Path | None) -> Iterator[Finding]:
    folders = {path.parent for path in (settings.checkpoint_file, *([database] if database else []))}
    for folder in sorted(folders):
        if folder.is_dir():
            free = shutil.disk_usage(folder).free
            status = FAIL if free < SCARCE else WARN if free < LOW else OK
            cure = "" if status == OK else f"Make room on the disk of {folder}."
            yield Finding("disk", status, f"{free / 2**30:.1f} GiB free for {folder}", cure)


def _left_behind(settings: Settings, database: Path | None) -> Iterator[Finding]:
    folders = {path.parent for path in (settings.checkpoint_file, *([database] if database else []))}
    for folder in sorted(folders):
        if permissions.readable(folder):
            for path in sorted(path for path in folder.iterdir() if path.name.endswith(LEFT_BEHIND)):
                said = f"{path} was left behind by a command that was cut short."
                yield Finding("left behind", WARN, said, f"rm {shlex.quote(str(path))}")


def to_data(findings: list[Finding]) -> dict[str, Any]:
    """Return findings as plain values."""
    worst = FAIL if any(item.status == FAIL for item in findings) else OK
    return {"ok": worst == OK, "findings": [asdict(item) for item in findings]}
