"""Writing a step down: its texts sealed beside the ledger, its records appended, its case carried forward."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from workflow.domain import actions as act
from workflow.domain.encoding import private_fields
from workflow.domain.lifecycle import advance
from workflow.domain.picture import picture
from workflow.domain.private import Private, looks_secret
from workflow.domain.record import clamp
from workflow.domain.subject import tenant_name
from workflow.errors import InputError
from workflow.ledger.commitment import commit
from workflow.storage import entries as entries_of
from workflow.storage import openings
from workflow.storage.journal import append, move
from workflow.storage.openings import Opening
from workflow.storage.transaction import storable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from workflow.app import App
    from workflow.domain.case import Case
    from workflow.domain.playbook import Playbook
    from workflow.domain.record import Actor, Entry, Record
    from workflow.storage.transaction import Tx

LONGEST_TEXT = 4000
"""Characters of one free text: it is kept beside the ledger, which carries only its commitment."""
SALT_BYTES = 32


class Stamp(NamedTuple):
    """When a step is recorded, whether the clock had to be held back, and the step's idempotency key."""

    at: datetime
    clock: str
    request: str


def write(
    app: App,
    tx: Tx,
    case: Case,
    records: Sequence[Record],
    stamp: Stamp,
    opened: Mapping[str, Opening],
    tenant: str = "",
) -> tuple[Case, list[Entry]]:
    """Append the records to the case's history; returns the case they lead to. Its row is the caller's to move.

    Of a command that was refused as a whole only one action is recorded, and only its texts are kept.
    """
    named = {value["commitment"] for record in records for value in record.data.values() if is_commitment(value)}
    entries = append(
        tx,
        app.journal,
        case.id,
        tenant or case.tenant,
        records,
        at=stamp.at,
        clock=stamp.clock,
        request=stamp.request,
        openings={commitment: opening for commitment, opening in opened.items() if commitment in named},
        head=case.head,
        sequence=case.sequence,
    )
    return entries_of.follow(tx, case, entries, app.cache), entries


def take_step(
    app: App, tx: Tx, case: Case, playbook: Playbook, action: act.Action, by: Actor, *others: Playbook
) -> tuple[Case, list[Entry]]:
    """Judge and write one step inside a transaction that holds the case's lock; ``others`` are what it may move to.

    Raises:
        HoldfastError: what refuses it; a rule's refusal is recorded with the transaction first (R9).
    """
    at, clock = clamp(app.now(), case.updated_at)
    (sealed,), opened = seal(tx, case, [action])
    step = advance(case, sealed, by, {item.digest: item for item in (playbook, *others)}, at)
    stamp = Stamp(at, clock, secrets.token_hex(8))
    tenant = action.tenant if isinstance(action, act.OpenCase) else ""
    after, written = write(app, tx, case, step.records, stamp, opened, tenant)
    move(tx, picture(after, playbook), new=not case.sequence)
    if step.error is not None:
        raise step.error
    return after, written


def seal(tx: Tx, case: Case, actions: Sequence[act.Action]) -> tuple[list[act.Action], dict[str, Opening]]:
    """Replace free text by salted commitments; returns the actions and what opens the new commitments.

    A before or after value that repeats the standing one keeps its commitment, so that the domain can tell that
    nothing changed.

    Raises:
        InputError: a text is too long or cannot be stored.
    """
    kept: dict[str, Opening] = {}
    sealed: list[act.Action] = []
    for action in actions:
        same = _standing_values(tx, case, action)
        changes: dict[str, Private] = {}
        for name, private in private_fields(action).items():
            if private.commitment:
                continue
            text = checked(name, private.text)
            if same.get(name, ("", ""))[0] == text:
                changes[name] = Private(commitment=same[name][1])
                continue
            changes[name] = Private(commitment=keep(text, kept))
        sealed.append(replace(action, **changes) if changes else action)
    return sealed, kept


def warn_of_secrets(app: App, texts: Mapping[str, str], cure: str) -> None:
    """Warn of texts, by their names, that seem to hold a password or a token; ``cure`` says what can be done.

    They are recorded all the same: whether one does, a person has to say.
    """
    for name, text in texts.items():
        warning = f"The {name} looks as if it held a password or a token. Change that where it is in use. {cure}"
        if looks_secret(text) and warning not in app.warnings:
            app.warnings.append(warning)


def keep(text: str, kept: dict[str, Opening]) -> str:
    """Commit to a text under a salt of its own; returns the commitment, and puts what opens it into ``kept``."""
    salt = secrets.token_bytes(SALT_BYTES)
    commitment = commit(text, salt)
    kept[commitment] = Opening(salt, text)
    return commitment


def _standing_values(tx: Tx, case: Case, action: act.Action) -> dict[str, tuple[str, str]]:
    """Return text and commitment of the standing before and after values, by field."""
    if not isinstance(action, act.RecordEvidence) or not (action.before or action.after):
        return {}
    standing = case.evidence.get((action.prerequisite, action.about))
    if standing is None:
        return {}
    values = {"before": standing.before.commitment, "after": standing.after.commitment}
    known = openings.reveal(tx, [commitment for commitment in values.values() if commitment])
    return {name: (known[commitment], commitment) for name, commitment in values.items() if commitment in known}


def is_commitment(value: object) -> bool:
    """Say whether a member of an entry stands for a text that is kept beside the ledger."""
    return isinstance(value, dict) and value.keys() == {"commitment"}


def place(app: App, tenant: str) -> str:
    """Return the name of the tenant that was named, in its one spelling, else that of the settings.

    Raises:
        InputError: too long, or not valid Unicode text.
    """
    return tenant_name(checked("tenant", tenant)) or app.settings.tenant


def checked(name: str, text: str) -> str:
    """Refuse text that could not be stored or read back.

    Raises:
        InputError: too long, or not valid Unicode text.
    """
    if len(text) > LONGEST_TEXT:
        message = f"The {name} has {len(text)} characters; at most {LONGEST_TEXT} are kept. Attach a file instead."
        raise InputError(message)
    if not storable(text):
        message = f"The {name} contains characters that are not text."
        raise InputError(message)
    return text
