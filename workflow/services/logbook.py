"""Entries about the log itself, under the reserved case ``log``: its making, its keys, people, settings, playbooks."""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import TYPE_CHECKING, Any

from workflow.domain.adoption import ADOPTING, Shelf, takes_over
from workflow.domain.adoption import shelf as fold_shelf
from workflow.domain.playbook import Playbook, canonical
from workflow.domain.record import Actor, Entry, Record, clamp, time_from_text
from workflow.domain.vocabulary import LOG_CASE, EntryType
from workflow.errors import ConflictError, NotFoundError, StorageError
from workflow.services.people import Who, actor, register_person
from workflow.services.writing import keep
from workflow.sources.playbook_file import load, shipped
from workflow.storage import cases, openings, playbooks
from workflow.storage import entries as stored
from workflow.storage.journal import append

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from workflow.app import App
    from workflow.storage.openings import Opening
    from workflow.storage.transaction import Tx

PEOPLE_PER_ENTRY = 20
NOBODY = "[]"
"""How a list of nobody reads."""


def write(
    app: App,
    tx: Tx,
    by: Actor,
    records: Iterable[tuple[EntryType, Mapping[str, Any]]],
    kept: Mapping[str, Opening] | None = None,
    not_before: str = "",
) -> list[Entry]:
    """Append entries about the log itself, recorded at ``not_before`` (UTC text) or later.

    ``cases.lock_log`` has been taken.
    """
    made = [
        Record(type=kind, actor=by, state_before="", state_after="", recurrence=0, data=data) for kind, data in records
    ]
    if not made:
        return []
    head, sequence = cases.head(tx, LOG_CASE)
    newest = cases.entries(tx, LOG_CASE, sequence)[-1] if sequence else None
    floor = max(newest.recorded_at if newest else "", not_before)
    at, clock = clamp(app.now(), time_from_text(floor) if floor else None)
    return append(
        tx,
        app.journal,
        LOG_CASE,
        "",
        made,
        at=at,
        clock=clock,
        request=secrets.token_hex(8),
        openings=kept or {},
        head=head,
        sequence=sequence,
    )


def adopt(app: App, tx: Tx, by: Actor, playbook: Playbook) -> bool:
    """Store a playbook version and say so on the ledger; False when it was adopted before."""
    body = canonical(playbook).decode()
    if not playbooks.adopt(tx, playbook.name, playbook.version, playbook.digest, body):
        return False
    data = {
        "name": playbook.name,
        "version": playbook.version,
        "digest": playbook.digest,
        "shipped": is_shipped(playbook),
    }
    write(app, tx, by, [(EntryType.PLAYBOOK_ADOPTED, data)])
    return True


def current(app: App, tx: Tx, by: Actor, name: str) -> Playbook:
    """Return the version of a playbook that new cases get: the one adopted last.

    A version that came with the product and was never adopted here is adopted now, unless somebody installed another
    of this name; ``cases.lock_log`` has been taken.

    Raises:
        NotFoundError: there is no such playbook.
    """
    if name not in app.adopted:
        found = shelf(tx)
        source = shipped().get(name)
        if source is not None and takes_over(found, name) and adopt(app, tx, by, load(source, name)):
            found = shelf(tx)
        if name not in found.in_force:
            known = ", ".join(sorted({*shipped(), *found.in_force}))
            cure = "Adopt one of yours with: holdfast playbook install FILE"
            message = f"There is no playbook {name!r}. Known: {known}. {cure}"
            raise NotFoundError(message)
        app.adopted[name] = found.in_force[name]
    return app.playbook(tx, app.adopted[name])


def shelf(tx: Tx) -> Shelf:
    """Return what the log says of playbooks: which are in force, wait for a second person, came with the product."""
    return fold_shelf(stored.of_types(tx, LOG_CASE, ADOPTING))


def is_shipped(playbook: Playbook) -> bool:
    """Say whether this is, to the byte, the version that came with the product."""
    entry = shipped().get(playbook.name)
    return entry is not None and load(entry, playbook.name).digest == playbook.digest


def prepare(app: App, who: Who) -> None:
    """Before a process first writes: put changed people and settings on the ledger (house rule)."""
    if app.prepared:
        return
    with app.database.reading() as tx:
        changed = bool(_changes(app, tx))
        app.log_read = cases.length(tx, LOG_CASE)
    if changed:
        with app.database.transaction() as tx:
            cases.lock_log(tx)
            by = actor(app, tx, who)
            changes = _changes(app, tx)
            kept: dict[str, Opening] = {}
            if EntryType.PEOPLE_CHANGED in changes:
                changes[EntryType.PEOPLE_CHANGED] = _people_parts(app, tx, kept)
            told = [(kind, data) for kind, parts in changes.items() for data in parts]
            # A clock that is behind another's must not put changed settings before an approval that came under the old.
            floor = stored.latest(tx, EntryType.UNBLOCK_APPROVED) if EntryType.SETTINGS_CHANGED in changes else ""
            write(app, tx, by, told, kept, floor)
            app.log_read = cases.length(tx, LOG_CASE)
    # Only now: what failed to be written has to be written before the next step.
    app.prepared = True


def hold(app: App, tx: Tx) -> None:
    """Refuse to go on under people or settings that another process has replaced since this one began.

    Asked inside each step's transaction, behind its locks: what stands on the ledger as somebody's roles is then what
    the list of people in force says. :func:`prepare` came before.

    Raises:
        ConflictError: they were replaced; a new process reads the settings anew.
    """
    length = cases.length(tx, LOG_CASE)
    if length == app.log_read:
        return
    if _changes(app, tx):
        message = "Other people or settings were put on the ledger since this command began: repeat it."
        raise ConflictError(message)
    app.log_read = length


def _begun(entries: list[Entry]) -> list[Entry]:
    """Refuse to write onto a ledger that has no beginning: nobody could ever verify it."""
    if not entries:
        message = "Setting this ledger up was cut short. Complete it first: holdfast init"
        raise StorageError(message)
    return entries


def _changes(app: App, tx: Tx) -> dict[EntryType, list[dict[str, Any]]]:
    """Return what differs from the log's newest word, with the data of its entries; people get theirs when written."""
    known: dict[str, Mapping[str, Any]] = {}
    for entry in _begun(cases.entries(tx, LOG_CASE)):
        known[entry.type] = entry.data
    settings = app.settings
    general: dict[str, Any] = {
        "tenant": settings.tenant,
        "timezone": settings.timezone,
        "date_order": settings.date_order,
        "retention": settings.retention,
    }
    if settings.break_glass:
        # Said only where it is on, so that a ledger made before there was such a setting says nothing new.
        general["break_glass"] = True
    digest = _digest({**general, "tenants": settings.tenants})
    changes: dict[EntryType, list[dict[str, Any]]] = {}
    if known.get(EntryType.SETTINGS_CHANGED, {}).get("digest") != digest:
        changes[EntryType.SETTINGS_CHANGED] = [{"digest": digest, **general, "tenants": len(settings.tenants)}]
    listed = known.get(EntryType.PEOPLE_CHANGED, {}).get("listed", {}).get("commitment")
    before = openings.reveal(tx, [listed]).get(listed) if listed else NOBODY
    if before != _people(app):
        changes[EntryType.PEOPLE_CHANGED] = []
    return changes


def _people(app: App) -> str:
    return json.dumps([person.model_dump(mode="json") for person in app.settings.people], sort_keys=True)


def _people_parts(app: App, tx: Tx, kept: dict[str, Opening]) -> list[dict[str, Any]]:
    """Name people by opaque id with their roles; names and contacts stand behind a commitment, put into ``kept``."""
    commitment = keep(_people(app), kept)
    rows = [
        {"id": register_person(tx, person.name), "roles": list(person.roles), "team": person.team}
        for person in app.settings.people
    ]
    parts = [rows[start : start + PEOPLE_PER_ENTRY] for start in range(0, len(rows), PEOPLE_PER_ENTRY)] or [[]]
    return [
        {"listed": {"commitment": commitment}, "part": number, "parts": len(parts), "people": part}
        for number, part in enumerate(parts, start=1)
    ]


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
