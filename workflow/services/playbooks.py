"""Playbooks as people see them: the shipped and adopted versions, one in full, a file's faults, the state machine."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workflow.domain.adoption import Shelf, takes_over
from workflow.domain.playbook import Playbook, from_data
from workflow.errors import InputError, NotFoundError, StorageError
from workflow.services import logbook, people
from workflow.sources import playbook_file
from workflow.sources.strict_yaml import MOST_BYTES
from workflow.storage import cases, files, playbooks, worklist

if TYPE_CHECKING:
    from pathlib import Path

    from workflow.app import App
    from workflow.services.people import Who
    from workflow.sources.playbook_faults import Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One playbook version of the list.

    ``in_force`` says that new cases get it, ``installed`` that somebody put it in force, ``waiting`` is the digest that
    waits for a second person to take its name over, or "".
    """

    name: str
    version: str
    title: str
    kinds: list[str]
    digest: str
    shipped: bool
    adopted: bool
    installed: bool
    in_force: bool
    waiting: str
    open_cases: int
    prerequisites: int

    def to_data(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {name: getattr(self, name) for name in self.__slots__}


def list_(app: App) -> list[Listed]:
    """Return every version: those that came with the product, and those adopted here before."""
    shipped = {
        playbook.digest: playbook
        for playbook in (playbook_file.load(source, name) for name, source in playbook_file.shipped().items())
    }
    adopted = {playbook.digest: playbook for playbook in _adopted(app)}
    shelf, used = Shelf(), dict[str, int]()
    if adopted:
        with app.database.reading() as tx:
            shelf, used = logbook.shelf(tx), worklist.open_by_playbook(tx)
    found = {
        digest: Listed(
            name=playbook.name,
            version=playbook.version,
            title=playbook.title,
            kinds=[kind.value for kind in playbook.kinds],
            digest=digest,
            shipped=digest in shipped or digest in shelf.shipped,
            adopted=digest in adopted,
            installed=digest in shelf.installed,
            in_force=shelf.in_force.get(playbook.name) == digest,
            waiting=shelf.waiting[playbook.name].digest if playbook.name in shelf.waiting else "",
            open_cases=used.get(digest, 0),
            prerequisites=len(playbook.prerequisites),
        )
        for digest, playbook in (shipped | adopted).items()
    }
    return sorted(found.values(), key=lambda item: (item.name, item.version, item.digest))


def show(app: App, name: str) -> Playbook:
    """Return a playbook by name (the version that new cases get) or by the beginning of its digest.

    Raises:
        NotFoundError: there is none.
        InputError: several versions begin with these digits.
    """
    adopted = _adopted(app)
    shelf = Shelf()
    if adopted:
        with app.database.reading() as tx:
            shelf = logbook.shelf(tx)
    source = playbook_file.shipped().get(name)
    if source is not None and takes_over(shelf, name):
        return playbook_file.load(source, name)
    wanted = shelf.in_force.get(name, name.lower())
    fits = [item for item in adopted if item.digest.startswith(wanted)]
    if not fits:
        known = ", ".join(playbook_file.shipped())
        message = f"There is no playbook {name!r}. Shipped: {known}."
        raise NotFoundError(message, next_step="Adopted versions: holdfast playbook list")
    if len(fits) > 1:
        message = f"{name!r} fits several versions: {', '.join(item.digest[:12] for item in fits)}."
        raise InputError(message)
    return fits[0]


def adopted_digest(app: App, who: Who, name: str) -> str:
    """Return the digest of the playbook a name or digest means; a shipped version that is new here is adopted.

    Raises:
        NotFoundError, InputError: as :func:`show`.
    """
    playbook = show(app, name)
    logbook.prepare(app, who)
    with app.database.transaction() as tx:
        cases.lock_log(tx)
        logbook.adopt(app, tx, people.actor(app, tx, who), playbook)
    return playbook.digest


def check(path: Path) -> list[Fault]:
    """Return every fault of a playbook file, each with its line and cure.

    Raises:
        InputError: the file cannot be read.
    """
    return playbook_file.check(files.read_at_most(path, MOST_BYTES), str(path))


def _adopted(app: App) -> list[Playbook]:
    try:
        with app.database.reading() as tx:
            return [from_data(json.loads(item.body), item.digest) for item in playbooks.every(tx)]
    except StorageError:
        # Before `holdfast init` there is no ledger, and the shipped playbooks can be looked at all the same.
        return []
