"""Adopting playbooks: which version is in force, and who may put another in its place.

A version that asks no less may be installed by one person. Where requirements fall away, or commands or portal pages
are others, one proposes and a second person confirms. The log's entries are judged again from this by verification.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workflow.domain import access
from workflow.domain.comparison import loosened, redirected
from workflow.domain.decisions import shortened
from workflow.domain.record import actor_from_data
from workflow.domain.vocabulary import EntryType, Kind
from workflow.errors import HoldfastError, InputError, NotFoundError, SamePersonError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from workflow.domain.playbook import Playbook
    from workflow.domain.record import Actor, Entry

DEFAULTS = {
    Kind.MAILBOX: "compromised-mailbox",
    Kind.CONNECTOR: "blocked-connector",
    Kind.USER: "privileged-account",
}
"""The playbook a new case gets when nobody says otherwise; what is for a kind anew is held against these."""
ADOPTING = (EntryType.PLAYBOOK_PROPOSED, EntryType.PLAYBOOK_ADOPTED)
Installing = tuple[EntryType, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A proposed version: its digest, who proposed it, and in which entry of the log."""

    digest: str
    by: str
    sequence: int


@dataclass(slots=True)
class Shelf:
    """What the log's entries say of playbooks.

    ``in_force`` is the newest adopted digest by name, which new cases get; ``waiting`` what a second person has to
    agree to, by name; ``shipped`` the digests that came with the product when they were adopted; ``installed`` those
    that a person put in force; ``versions`` name and version of every adopted digest.
    """

    in_force: dict[str, str] = field(default_factory=dict)
    waiting: dict[str, Waiting] = field(default_factory=dict)
    shipped: set[str] = field(default_factory=set)
    installed: set[str] = field(default_factory=set)
    versions: dict[str, tuple[str, str]] = field(default_factory=dict)


def shelf(entries: Iterable[Entry]) -> Shelf:
    """Fold the log's entries about playbooks (:data:`ADOPTING`), oldest first."""
    found = Shelf()
    for entry in entries:
        follow(found, entry)
    return found


def follow(found: Shelf, entry: Entry) -> None:
    """Carry the shelf forward by one entry."""
    name, digest = entry.data.get("name", ""), entry.data.get("digest", "")
    if entry.type == EntryType.PLAYBOOK_PROPOSED:
        found.waiting[name] = Waiting(digest, entry.actor["id"], entry.sequence)
    else:
        found.waiting.pop(name, None)
        found.in_force[name] = digest
        found.versions[digest] = (name, entry.data.get("version", ""))
        if entry.data.get("shipped"):
            found.shipped.add(digest)
        if entry.data.get("installed"):
            found.installed.add(digest)


def takes_over(found: Shelf, name: str) -> bool:
    """Say whether a newer version that came with the product replaces what is in force: never what was installed."""
    return found.in_force.get(name, "") in {"", *found.shipped}


def held_against(found: Shelf, playbook: Playbook, books: Mapping[str, Playbook]) -> list[Playbook]:
    """Return what a playbook has to ask no less than: what is in force under its name, and for kinds new to it.

    Args:
        found: the shelf as it stands.
        playbook: what is to be installed.
        books: at least what is in force under its name and under those that its kinds get.

    Raises:
        KeyError: one of them is not there.
    """
    own = [books[digest] for digest in (found.in_force.get(playbook.name),) if digest is not None]
    known = {kind for item in own for kind in item.kinds}
    others = [books[found.in_force[DEFAULTS[kind]]] for kind in playbook.kinds if kind not in known]
    return sorted({item.digest: item for item in (*own, *others)}.values(), key=lambda item: item.name)


def install(
    found: Shelf, playbook: Playbook, replaced: Iterable[Playbook], actor: Actor, *, shipped: bool, confirm: bool
) -> Installing:
    """Return the entry that installing a playbook makes: its adoption, or a proposal where it takes a second person.

    Args:
        found: the shelf as it stands.
        playbook: what is to be in force.
        replaced: what it is held against (:func:`held_against`).
        actor: who installs.
        shipped: whether it is, to the byte, a version that came with the product.
        confirm: whether this is the second person, who agrees to what was proposed.

    Raises:
        InputError: it is in force already, or would leave new cases of a kind without a playbook.
        NotFoundError: nothing like it waits for a second person.
        NotPermittedError, SamePersonError: the actor may not.
    """
    access.needs(actor, access.SECOND if confirm else access.WORKERS, "installing a playbook")
    if found.in_force.get(playbook.name) == playbook.digest:
        message = f"This version of {playbook.name!r} is in force already; nothing was changed."
        raise InputError(message)
    bereft = [kind.value for kind, name in DEFAULTS.items() if name == playbook.name and kind not in playbook.kinds]
    if bereft:
        message = f"New cases about a {bereft[0]} get {playbook.name!r}, so it has to be for them: add it to kinds."
        raise InputError(message)
    old = list(replaced)
    lost = shortened(name for item in old for name in loosened(item, playbook))
    data = {
        "name": playbook.name,
        "version": playbook.version,
        "digest": playbook.digest,
        "shipped": shipped,
        "replaces": [item.digest for item in old],
        "falls_away": lost,
    }
    other = shortened(name for item in old for name in redirected(item, playbook))
    if other:
        data["redirected"] = other
    if not confirm:
        return (EntryType.PLAYBOOK_PROPOSED if lost or other else EntryType.PLAYBOOK_ADOPTED), data | {
            "installed": True
        }
    waiting = found.waiting.get(playbook.name)
    if waiting is None or waiting.digest != playbook.digest:
        message = f"This version of {playbook.name!r} does not wait for a second person: propose it first."
        raise NotFoundError(message)
    if waiting.by == actor.id:
        message = "You proposed this playbook yourself: a second person has to agree to it."
        raise SamePersonError(message)
    return EntryType.PLAYBOOK_ADOPTED, data | {"installed": True, "proposal": waiting.sequence}


def faults(entries: Iterable[Entry], books: Mapping[str, Playbook]) -> Iterator[tuple[int, str]]:
    """Judge the log's entries about playbooks again; yields the sequence of each that no legal step explains, and why.

    A version that came with the product is adopted without a person's doing, as long as nobody installed another.
    """
    found = Shelf()
    for entry in entries:
        why = _fault(found, entry, books)
        if why:
            yield entry.sequence, why
        follow(found, entry)


def _fault(found: Shelf, entry: Entry, books: Mapping[str, Playbook]) -> str:
    data = entry.data
    book = books.get(data.get("digest", ""))
    if "installed" not in data:
        legal = data.get("shipped") is True and takes_over(found, data.get("name", ""))
        return "" if legal else "a playbook was adopted that did not come with the product, and nobody installed it"
    if book is None and entry.type == EntryType.PLAYBOOK_PROPOSED:
        return ""  # It was never adopted, so its bytes are not kept; nothing stands on it.
    try:
        replaced = [] if book is None else held_against(found, book, books)
    except KeyError:
        replaced = []
    if book is None or [item.digest for item in replaced] != data.get("replaces"):
        return "it was not held against the version that was in force"
    try:
        kind, expected = install(
            found,
            book,
            replaced,
            actor_from_data(entry.actor),
            shipped=bool(data.get("shipped")),
            confirm="proposal" in data,
        )
    except HoldfastError as error:
        return f"no such step was possible: {error}"
    written = {name: value for name, value in data.items() if name != "reason"}
    return "" if (kind, expected) == (entry.type, written) else f"the rules lead to {kind}: {expected}"
