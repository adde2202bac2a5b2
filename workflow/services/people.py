"""Who acts: from a face's *who* to the domain's actor, and from opaque ids back to names."""

from __future__ import annotations

import getpass
import os
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from workflow.domain.record import SYSTEM, Actor
from workflow.domain.roster import EVERYTHING, UNLISTED
from workflow.domain.subject import check_name, normalise
from workflow.domain.vocabulary import Assurance, Kind, Role
from workflow.errors import InputError
from workflow.storage import subjects

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workflow.app import App
    from workflow.settings import Person
    from workflow.storage.transaction import Tx


@dataclass(frozen=True, slots=True)
class Who:
    """Who a face says is acting: a claimed name ("" for none) on top of the operating system's user.

    ``machine`` says that Holdfast itself acts, on what it read: it is nobody's word, and never approves.
    """

    name: str = ""
    channel: str = "cli"
    machine: bool = False


def os_user() -> str:
    """Return the operating system's user: by the process's user id where there is one, not by the environment."""
    if hasattr(os, "getuid"):
        return _name_of(os.getuid())
    return getpass.getuser()  # pragma: no cover - Windows


@lru_cache(maxsize=8)
def _name_of(number: int) -> str:
    """Look a user up once per process: on some machines that asks a directory server."""
    import pwd  # noqa: PLC0415 - POSIX only

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"uid-{number}"


def listed(app: App, name: str) -> Person | None:
    """Return the person the settings list under this name, or with an account of this name, or None."""
    wanted = _folded(name)
    for person in app.settings.people:
        if wanted == _folded(person.name) or wanted in person.identities:
            return person
    return None


def _folded(name: str) -> str:
    """Return a name as :func:`normalise` does, whatever stands in it."""
    return unicodedata.normalize("NFC", " ".join(name.split())).casefold()


def actor(app: App, tx: Tx, who: Who) -> Actor:
    """Return the actor, registering the names it goes by.

    With nobody listed in the settings every name may do everything; once somebody is, the others are analysts. Within
    one transaction, which may be about many cases, names are looked up once.
    """
    if who.machine:
        return SYSTEM
    if who not in tx.read:
        tx.read[who] = _actor(app, tx, who)
    found: Actor = tx.read[who]
    return found


def _actor(app: App, tx: Tx, who: Who) -> Actor:
    user = os_user()
    name = who.name or user
    if who.name:
        check_name(who.name)
    person = listed(app, name)
    # Who goes by an account of theirs is the same human as under their name (R4).
    person_id, os_id = _registered(tx, name if person is None else person.name, user)
    roles: tuple[Role, ...] = UNLISTED if app.settings.people else EVERYTHING
    return Actor(
        id=person_id,
        os=os_id,
        roles=roles if person is None else _roles(person),
        team=person.team if person else "",
        channel=who.channel,
        assurance=Assurance.OS_USER if name.casefold() == user.casefold() else Assurance.CLAIMED,
        identities=accounts(app, tx, name),
    )


def _roles(person: Person) -> tuple[Role, ...]:
    return tuple(Role(role) for role in person.roles)


def would_be(app: App, tx: Tx, person: Person) -> Actor:
    """Return the actor that somebody on the list would be; a name that nobody has used yet is registered nowhere."""
    known = known_person(tx, person.name) or f"unknown {person.name}"
    return Actor(known, known, _roles(person), person.team, identities=accounts(app, tx, person.name))


def accounts(app: App, tx: Tx, name: str) -> tuple[str, ...]:
    """Return the mailboxes and users known by now that are the person's own, by the settings and by the name."""
    return subjects.alike(tx, addresses(app, name))


def addresses(app: App, name: str) -> list[str]:
    """Return the addresses of the person's own accounts, by the settings and by the name."""
    person = listed(app, name)
    given = [*(person.identities if person else ()), *([name] if "@" in name else ())]
    return [normalise(Kind.USER, address) for address in given if _is_address(address)]


def _is_address(text: str) -> bool:
    try:
        normalise(Kind.USER, text)
    except InputError:
        return False
    return True


def register_person(tx: Tx, name: str) -> str:
    """Return the opaque id of a person by name."""
    (found,) = _registered(tx, name)
    return found


def _registered(tx: Tx, *names: str) -> list[str]:
    """Return the opaque ids of people by name; every step asks for two, so they are asked for at once."""
    known = _known(tx, *names)
    texts = [normalise(Kind.PERSON, name) for name in names]
    return [known.get(text) or subjects.register(tx, "", Kind.PERSON, text) for text in texts]


def known_person(tx: Tx, name: str) -> str:
    """Return the opaque id of a person by name, "" where nobody of that name was ever registered."""
    return _known(tx, name).get(normalise(Kind.PERSON, name), "")


def _known(tx: Tx, *names: str) -> dict[str, str]:
    """Return the ids of registered people by their normalised names."""
    texts = {normalise(Kind.PERSON, name) for name in names}
    known = subjects.known(tx, "", Kind.PERSON, texts)
    if len(known) < len(texts):
        # Old versions kept every blank of a name: whoever acted under such a one is still the same person (R4).
        spelled = {_folded(old): identifier for old, identifier in subjects.people(tx)}
        known |= {text: spelled[text] for text in texts - known.keys() if text in spelled}
    return known


def ids_of(app: App, tx: Tx, name: str) -> set[str]:
    """Return every id under which somebody acted: by the name, the listed name of that account, or an old spelling."""
    person = listed(app, name)
    texts = {_folded(name), _folded(person.name if person else name)}
    return {identifier for old, identifier in subjects.people(tx) if _folded(old) in texts}


@dataclass(frozen=True, slots=True)
class Reachable:
    """Somebody who can take a step: name, how to reach them, whether they are on call now."""

    name: str
    contact: str
    on_call: bool

    def __str__(self) -> str:
        """Return "name (contact), on call"."""
        return f"{self.name}{f' ({self.contact})' if self.contact else ''}{', on call' if self.on_call else ''}"


def with_role(app: App, roles: Iterable[str]) -> list[Person]:
    """Return who the settings list with one of these roles, people on call first."""
    wanted = set(roles)
    able = [person for person in app.settings.people if wanted.intersection(person.roles)]
    return sorted(able, key=lambda person: (not person.on_call, person.name))


def reachable(person: Person) -> Reachable:
    """Return how somebody on the list is reached."""
    return Reachable(person.name, person.contact, person.on_call)
