"""Installing a changed playbook, or one of your own, and comparing versions before anybody does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workflow.domain.adoption import DEFAULTS, Installing, held_against
from workflow.domain.adoption import install as judged
from workflow.domain.comparison import Change, compared, loosened, redirected
from workflow.domain.playbook import Playbook, canonical
from workflow.domain.vocabulary import EntryType
from workflow.errors import InputError
from workflow.services import logbook, people
from workflow.services.playbooks import show
from workflow.services.writing import checked, keep
from workflow.sources import playbook_file
from workflow.storage import cases
from workflow.storage import playbooks as stored

if TYPE_CHECKING:
    from workflow.app import App
    from workflow.domain.record import Actor
    from workflow.services.people import Who
    from workflow.storage.openings import Opening
    from workflow.storage.transaction import Tx

SHIPPED = "shipped"
"""What stands for the version that came with the product, where versions are compared."""


@dataclass(frozen=True, slots=True)
class Installed:
    """What an installation led to: the playbook, whether it is in force now, and why it takes two people, if it does.

    ``falls_away`` names requirements, ``redirected`` commands and portal pages that are others.
    """

    playbook: Playbook
    in_force: bool
    falls_away: tuple[str, ...]
    redirected: tuple[str, ...]

    def to_data(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            **named(self.playbook),
            "in_force": self.in_force,
            "falls_away": list(self.falls_away),
            "redirected": list(self.redirected),
        }


def install(app: App, who: Who, source: str, reason: str, *, confirm: bool = False) -> Installed:
    """Put a playbook in force for new cases, or propose it where that takes a second person.

    Args:
        app: the app.
        who: who installs.
        source: a file, or the name of a playbook that came with the product.
        reason: why; a second person may leave it out.
        confirm: whether this is the second person, who agrees to what was proposed.

    Raises:
        PlaybookError: the file has faults.
        InputError: no reason, no such file or name, or it is in force already.
        NotFoundError: it does not wait for a second person.
        NotPermittedError, SamePersonError: the actor may not.
    """
    playbook = _read(source)
    if not (confirm or reason.strip()):
        message = "Installing a playbook needs a reason: give one with --reason."
        raise InputError(message)
    text = checked("reason", reason.strip())
    kept: dict[str, Opening] = {}
    logbook.prepare(app, who)
    try:
        with app.database.transaction() as tx:
            cases.lock_log(tx)
            logbook.hold(app, tx)
            by = people.actor(app, tx, who)
            kind, data = _judged(app, tx, by, playbook, confirm=confirm)
            if text:
                data["reason"] = {"commitment": keep(text, kept)}
            logbook.write(app, tx, by, [(kind, data)], kept)
    finally:
        # What was in force before is not any more, or was only looked up in a transaction that did not stand.
        app.adopted.clear()
    in_force = kind is EntryType.PLAYBOOK_ADOPTED
    return Installed(playbook, in_force, tuple(data["falls_away"]), tuple(data.get("redirected", ())))


def _judged(app: App, tx: Tx, by: Actor, playbook: Playbook, *, confirm: bool) -> Installing:
    """Return the entry to write, and store the bytes of what it puts in force."""
    names = {playbook.name, *(DEFAULTS[kind] for kind in playbook.kinds)}
    for name in sorted(names & playbook_file.shipped().keys()):
        logbook.current(app, tx, by, name)
    shelf = logbook.shelf(tx)
    in_force = {digest: app.playbook(tx, digest) for digest in shelf.in_force.values()}
    replaced = held_against(shelf, playbook, in_force)
    shipped = logbook.is_shipped(playbook)
    kind, data = judged(shelf, playbook, replaced, by, shipped=shipped, confirm=confirm)
    if kind is EntryType.PLAYBOOK_ADOPTED:
        stored.adopt(tx, playbook.name, playbook.version, playbook.digest, canonical(playbook).decode())
    return kind, data


def _read(source: str) -> Playbook:
    path = Path(source)
    entry = playbook_file.shipped().get(source)
    if entry is not None and not path.exists():
        return playbook_file.load(entry, source)
    if not path.is_file():
        message = f"{source} is neither a playbook file nor the name of a playbook that came with the product."
        raise InputError(message)
    return playbook_file.load(path)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two versions: what differs, which requirements fall away, and which commands and pages are others."""

    old: Playbook
    new: Playbook
    changes: tuple[Change, ...]
    falls_away: tuple[str, ...]
    redirected: tuple[str, ...]

    def to_data(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "old": named(self.old),
            "new": named(self.new),
            "falls_away": list(self.falls_away),
            "redirected": list(self.redirected),
            "changes": [change.to_data() for change in self.changes],
        }


def compare(app: App, name: str, *versions: str) -> Comparison:
    """Compare two versions of a playbook.

    Args:
        app: the app.
        name: the playbook.
        versions: none (what came with the product against what is in force), one (what is in force against it), or
            two. Each is a file, the beginning of a digest, or ``shipped``.

    Raises:
        PlaybookError, NotFoundError, InputError: as :func:`workflow.services.playbooks.show`.
    """
    own = show(app, name)
    given = [_version(app, name, item) for item in versions] or [_version(app, name, SHIPPED), own]
    old, new = given if len(given) > 1 else (own, given[0])
    return Comparison(old, new, compared(old, new), loosened(old, new), redirected(old, new))


def _version(app: App, name: str, text: str) -> Playbook:
    entry = playbook_file.shipped().get(name)
    if text == SHIPPED:
        if entry is None:
            message = f"No playbook {name!r} came with the product: name the version to compare with."
            raise InputError(message)
        return playbook_file.load(entry, name)
    return playbook_file.load(Path(text)) if Path(text).is_file() else show(app, text)


def named(playbook: Playbook) -> dict[str, str]:
    """Return what says which version a playbook is."""
    return {"name": playbook.name, "version": playbook.version, "digest": playbook.digest}
