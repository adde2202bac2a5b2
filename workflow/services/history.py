"""A case's history and the log as people read them: each entry in one line, with names put back."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from workflow.domain.record import SYSTEM, time_from_text, time_to_text
from workflow.domain.vocabulary import EntryType
from workflow.errors import InputError, NotFoundError
from workflow.services import casework
from workflow.services.names import Names
from workflow.services.people import ids_of
from workflow.storage import cases, tree
from workflow.storage import entries as stored

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from workflow.app import App
    from workflow.domain.record import Entry
    from workflow.storage.transaction import Tx

DIGITS = 12
"""Digits of a sequence that are read; no case gets that long."""

WORDS: Mapping[str, str] = {
    EntryType.CASE_OPENED: "case opened",
    EntryType.CASE_CONTAINED: "contained: every containment prerequisite holds",
    EntryType.CASE_VERIFIED: "verified: every verification prerequisite holds",
    EntryType.CASE_RETURNED: "fell back: a prerequisite no longer holds",
    EntryType.CASE_RELEASED: "released: seen gone after the approved unblock",
    EntryType.CASE_CLOSED: "case closed",
    EntryType.CASE_DISMISSED: "case dismissed",
    EntryType.CASE_REOPENED: "case reopened",
    EntryType.CASE_ASSIGNED: "assigned",
    EntryType.CASE_ERASED: "names, texts and files erased",
    EntryType.CASE_NOTED: "note",
    EntryType.CASE_LINKED: "case linked",
    EntryType.CASE_LABELLED: "labels changed",
    EntryType.RESTRICTION_SEEN: "restriction reported again",
    EntryType.RESTRICTION_OBSERVED: "restriction read",
    EntryType.RESTRICTION_RETURNED: "restricted again",
    EntryType.IDENTITY_ADDED: "compromised user named",
    EntryType.IDENTITY_REMOVED: "user removed from the case",
    EntryType.EVIDENCE_RECORDED: "evidence recorded",
    EntryType.EVIDENCE_CONFIRMED: "evidence confirmed",
    EntryType.EVIDENCE_RETRACTED: "evidence retracted",
    EntryType.EVIDENCE_LAPSED: "evidence lapsed",
    EntryType.EVIDENCE_LISTED: "evidence listed for the request",
    EntryType.EXCEPTION_GRANTED: "exception granted",
    EntryType.EXCEPTION_EXPIRED: "exception expired",
    EntryType.PROPOSAL_MADE: "proposed, waiting for a second person",
    EntryType.PROPOSAL_REFUSED: "proposal refused",
    EntryType.PLAYBOOK_MOVED: "moved to another playbook",
    EntryType.UNBLOCK_REQUESTED: "unblock requested",
    EntryType.UNBLOCK_WITHDRAWN: "request withdrawn",
    EntryType.UNBLOCK_APPROVED: "unblock approved",
    EntryType.UNBLOCK_REJECTED: "request rejected",
    EntryType.UNBLOCK_VOIDED: "request and approval void",
    EntryType.UNBLOCK_INTENDED: "unblock started",
    EntryType.UNBLOCK_ANSWERED: "Microsoft answered",
    EntryType.CHANGE_INTENDED: "change of the tenant begun",
    EntryType.CHANGE_ANSWERED: "change of the tenant answered",
    EntryType.CHANGE_SEEN: "changed outside Holdfast",
    EntryType.APPROVAL_LAPSED: "approval lapsed",
    EntryType.APPROVAL_REVIEWED: "break-glass approval reviewed",
    EntryType.ACTION_REFUSED: "refused",
    EntryType.ACTION_DENIED: "denied",
    EntryType.LOG_CREATED: "log created",
    EntryType.LOG_RESTORED: "log restored from a backup",
    EntryType.SETTINGS_CHANGED: "settings changed",
    EntryType.PEOPLE_CHANGED: "people changed",
    EntryType.ALERTS_CHANGED: "alert policy changed",
    EntryType.PLAYBOOK_ADOPTED: "playbook adopted",
    EntryType.TENANT_RECORDED: "recorded for the whole tenant",
    EntryType.TENANT_RETRACTED: "taken back for the whole tenant",
    EntryType.PLAYBOOK_PROPOSED: "playbook proposed, waiting for a second person",
}
"""What each entry type is called when people read it."""

_SUBJECT_KEYS = frozenset({"entity", "about", "subject", "assignee"})
_SUBJECT_LISTS = frozenset({"identities", "attested_by", "accounts"})


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryView:
    """One entry as people read it; ``details`` are its own members with names and texts put back."""

    sequence: int
    case: str
    type: str
    at: str
    clock: str
    by: str
    os_user: str
    claimed: bool
    role: str
    action: str
    outcome: str
    state_before: str
    state_after: str
    recurrence: int
    text: str
    details: dict[str, Any]
    leaf: str
    leaf_index: int | None

    def to_data(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


def until(entries: list[Entry], as_of: str) -> list[Entry]:
    """Return the entries up to a sequence ("12") or an aware time in UTC text.

    Raises:
        NotFoundError: the case did not exist yet, or has fewer entries.
        InputError: neither a sequence nor a time.
    """
    if as_of.isascii() and as_of.isdigit():
        wanted, last = int(as_of[:DIGITS]), entries[-1].sequence
        if wanted > last:
            message = f"The case has {last} {'entry' if last == 1 else 'entries'}, and none numbered {wanted}."
            raise NotFoundError(message, next_step="See them with: holdfast case history CASE")
        kept = [entry for entry in entries if entry.sequence <= wanted]
    else:
        try:
            moment = time_to_text(time_from_text(as_of))
        except ValueError:
            message = f"{as_of!r} is neither an entry's sequence nor a time such as 2026-11-24T08:00:00Z."
            raise InputError(message) from None
        kept = [entry for entry in entries if entry.recorded_at <= moment]
    if not kept:
        message = "The case did not exist then."
        raise NotFoundError(message)
    return kept


def history(app: App, reference: str, as_of: str | None = None) -> list[EntryView]:
    """Return a case's entries, oldest first, up to a sequence or time.

    Raises:
        NotFoundError, InputError: as :func:`workflow.services.views.case_view`.
    """
    case_id = casework.find(app, reference)
    with app.database.reading() as tx:
        entries = cases.entries(tx, case_id)
        return told(tx, entries if as_of is None else until(entries, as_of))


def log(app: App, limit: int = 50, by: str = "") -> list[EntryView]:
    """Return the newest entries of the whole ledger, oldest of them first.

    ``by`` leaves those of one person: under the claimed name, as the operating system's user, or Holdfast's own
    ("system").

    Raises:
        NotFoundError: nobody of that name ever did anything here.
    """
    with app.database.reading() as tx:
        ids = None if not by else {SYSTEM.id} if by.casefold() == SYSTEM.id else ids_of(app, tx, by)
        if ids is not None and not ids:
            message = f"Nobody called {by!r} has done anything in this ledger."
            raise NotFoundError(message, next_step="See who has with: holdfast ledger access")
        return told(tx, stored.newest(tx, limit, ids))


def told(tx: Tx, entries: list[Entry], names: Names | None = None) -> list[EntryView]:
    """Return entries as people read them."""
    names = names or names_of(tx, entries)
    return [_view(tx, names, entry) for entry in entries]


def names_of(tx: Tx, entries: Iterable[Entry]) -> Names:
    """Return every name and text that these entries stand for."""
    subjects, commitments = set(), set()
    for entry in entries:
        subjects |= {entry.actor["id"], entry.actor["os"]}
        for key, value in _members(entry):
            if key in _SUBJECT_KEYS and isinstance(value, str):
                subjects.add(value)
            elif key in _SUBJECT_LISTS:
                subjects |= set(value)
            elif isinstance(value, dict) and value.keys() == {"commitment"}:
                commitments.add(value["commitment"])
    return Names(tx, subjects, commitments)


def _members(entry: Entry) -> Iterator[tuple[str, Any]]:
    yield from entry.data.items()
    yield from entry.basis.items()


def _view(tx: Tx, names: Names, entry: Entry) -> EntryView:
    details = plain(names, entry)
    return EntryView(
        sequence=entry.sequence,
        case=entry.case,
        type=entry.type,
        at=entry.recorded_at,
        clock=entry.clock,
        by=names.subject(entry.actor["id"]),
        os_user=names.subject(entry.actor["os"]),
        claimed=entry.actor["assurance"] == "claimed",
        role=", ".join(entry.actor["roles"]),
        action=entry.action,
        outcome=entry.outcome,
        state_before=entry.state_before,
        state_after=entry.state_after,
        recurrence=entry.recurrence,
        text=_line(entry, details),
        details=details,
        leaf=entry.leaf,
        leaf_index=tree.index_of(tx, entry.case, entry.sequence),
    )


def plain(names: Names, entry: Entry) -> dict[str, Any]:
    """Return the members of an entry's data and basis with names and texts put back."""
    return {key: _plain(names, key, value) for key, value in _members(entry)}


def _plain(names: Names, key: str, value: Any) -> Any:
    if key in _SUBJECT_KEYS and isinstance(value, str):
        return names.subject(value)
    if key in _SUBJECT_LISTS:
        return [names.subject(item) for item in value]
    if isinstance(value, dict) and value.keys() == {"commitment"}:
        return names.commitment(value["commitment"])
    return value


def _line(entry: Entry, details: Mapping[str, Any]) -> str:
    """Say in one line what happened; the untrusted parts are escaped by the face."""
    words = WORDS.get(entry.type, entry.type)
    if entry.type in {EntryType.ACTION_REFUSED, EntryType.ACTION_DENIED}:
        missing = details.get("missing")
        because = f"missing {', '.join(missing)}" if missing else str(details["code"]).replace("_", " ")
        return f"{words}: {entry.action} ({because})"
    if details.get("break_glass") and entry.type == EntryType.UNBLOCK_APPROVED:
        words = f"{words}, BREAK-GLASS: without a second person"
    if entry.type == EntryType.SETTINGS_CHANGED:
        words = f"{words}, break-glass {'on' if details.get('break_glass') else 'off'}"
    if entry.type == EntryType.ALERTS_CHANGED:
        words = f"{words}: {details['policy']} {'on' if details['on'] else 'off'}"
    if details.get("own"):
        words = f"{words}, under its own name"
    if details.get("bulk"):
        words = f"{words}, one of {details['bulk']} approved together"
    shown = [f"{sign}{label}" for sign, key in (("+", "add"), ("-", "remove")) for label in details.get(key, ())]
    shown += [_told(details[key]) for key in _TELLING if details.get(key)]
    return f"{words}: {', '.join(shown)}" if shown else words


def _told(value: Any) -> str:
    # A mailbox and its user go by one name.
    return ", ".join(dict.fromkeys(value)) if isinstance(value, list) else str(value)


_TELLING = (
    *(
        "alteration",
        "accounts",
        "prerequisite",
        "result",
        "about",
        "status",
        "resolution",
        "verdict",
        "answer",
        "subject",
        "assignee",
        "proposal",
    ),
    *("because", "relation", "name", "version", "reason", "note", "reference", "lifted_by", "done_by"),
)
"""Members worth a place in the one line, in this order."""
