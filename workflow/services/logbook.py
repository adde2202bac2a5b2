"""Entries about the log itself, under the reserved case ``log``: its making, its keys, people, settings, playbooks."""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import TYPE_CHECKING, Any

from workflow.domain.playbook import Playbook, canonical
from workflow.domain.record import Actor, Entry, Record, clamp, time_from_text
from workflow.domain.vocabulary import LOG_CASE, EntryType
from workflow.errors import NotFoundError
from workflow.services.people import Who, actor, register_person
from workflow.sources.playbook_file import load, shipped
from workflow.storage import cases, playbooks
from workflow.storage.journal import append

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from workflow.app import App
    from workflow.storage.transaction import Tx

PEOPLE_PER_ENTRY = 20


def write(app: App, tx: Tx, by: Actor, records: Iterable[tuple[EntryType, Mapping[str, Any]]]) -> list[Entry]:
    """Append entries about the log itself; ``cases.lock_log`` has been taken."""
    made = [
        Record(type=kind, actor=by, state_before="", state_after="", recurrence=0, data=data) for kind, data in records
    ]
    if not made:
        return []
    head, sequence = cases.head(tx, LOG_CASE)
    newest = cases.entries(tx, LOG_CASE, sequence)[-1] if sequence else None
    at, clock = clamp(app.now(), time_from_text(newest.recorded_at) if newest else None)
    return append(
        tx,
        app.journal,
        LOG_CASE,
        "",
        made,
        at=at,
        clock=clock,
        request=secrets.token_hex(8),
        openings={},
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

    A version that came with the product and was never adopted here is adopted now; ``cases.lock_log`` has been taken.

    Raises:
        NotFoundError: there is no such playbook.
    """
    source = shipped().get(name)
    if name not in app.adopted and source is not None:
        playbook = load(source, name)
        adopt(app, tx, by, playbook)
    if name not in app.adopted:
        digests = [
            entry.data["digest"]
            for entry in cases.entries(tx, LOG_CASE)
            if entry.type == EntryType.PLAYBOOK_ADOPTED and entry.data["name"] == name
        ]
        if not digests:
            known = ", ".join(sorted({*shipped(), *(item.name for item in playbooks.every(tx))}))
            message = f"There is no playbook {name!r}. Known: {known}."
            raise NotFoundError(message)
        app.adopted[name] = digests[-1]
    return app.playbook(tx, app.adopted[name])


def is_shipped(playbook: Playbook) -> bool:
    """Say whether this is, to the byte, the version that came with the product."""
    entry = shipped().get(playbook.name)
    return entry is not None and load(entry, playbook.name).digest == playbook.digest


def prepare(app: App, who: Who) -> None:
    """Before a process first writes: put changed people and settings on the ledger (house rule)."""
    if app.prepared:
        return
    app.prepared = True
    with app.database.reading() as tx:
        changed = bool(_changes(app, tx))
    if not changed:
        return
    with app.database.transaction() as tx:
        cases.lock_log(tx)
        by = actor(app, tx, who)
        write(app, tx, by, _changes(app, tx, register=True))


def _changes(app: App, tx: Tx, *, register: bool = False) -> list[tuple[EntryType, dict[str, Any]]]:
    known: dict[str, str] = {}
    for entry in cases.entries(tx, LOG_CASE):
        if "digest" in entry.data:
            known[entry.type] = entry.data["digest"]
    settings = app.settings
    general = {"tenant": settings.tenant, "timezone": settings.timezone, "date_order": settings.date_order}
    people = [person.model_dump(mode="json") for person in settings.people]
    changes: list[tuple[EntryType, dict[str, Any]]] = []
    if known.get(EntryType.SETTINGS_CHANGED) != _digest(general):
        changes.append((EntryType.SETTINGS_CHANGED, {"digest": _digest(general), **general}))
    if known.get(EntryType.PEOPLE_CHANGED, _digest([])) != _digest(people):
        changes += _people_entries(app, tx, _digest(people)) if register else [(EntryType.PEOPLE_CHANGED, {})]
    return changes


def _people_entries(app: App, tx: Tx, digest: str) -> list[tuple[EntryType, dict[str, Any]]]:
    """Name people by opaque id with their roles; contacts stay out of the ledger."""
    rows = [
        {"id": register_person(tx, person.name), "roles": list(person.roles), "team": person.team}
        for person in app.settings.people
    ]
    parts = [rows[start : start + PEOPLE_PER_ENTRY] for start in range(0, len(rows), PEOPLE_PER_ENTRY)] or [[]]
    return [
        (EntryType.PEOPLE_CHANGED, {"digest": digest, "part": number, "parts": len(parts), "people": part})
        for number, part in enumerate(parts, start=1)
    ]


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
