"""What whoever opens a case by hand asks for besides the restriction itself: a playbook, users, facts."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workflow.domain import actions as act
from workflow.domain.adoption import DEFAULTS
from workflow.domain.moves import loosened
from workflow.domain.private import Private
from workflow.domain.record import time_to_text
from workflow.domain.subject import normalise
from workflow.domain.vocabulary import Kind, RestrictionStatus
from workflow.errors import InputError
from workflow.services import logbook, writing
from workflow.services.names import Names
from workflow.storage import cases, subjects

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workflow.app import App
    from workflow.domain.case import Case, Identity
    from workflow.domain.playbook import Playbook
    from workflow.domain.record import Actor
    from workflow.domain.restriction import Restriction
    from workflow.storage.transaction import Tx


@dataclass(frozen=True, slots=True)
class Wish:
    """What the opener by hand asks for beyond the restriction itself; ``why`` is why it is another playbook."""

    playbook: str = ""
    identities: tuple[str, ...] = ()
    facts: tuple[tuple[str, bool], ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The playbook a case opens under, and the one it was wished to be moved to by two people, where that asks less."""

    playbook: Playbook
    waiting: Playbook | None = None


def choose(app: App, tx: Tx, by: Actor, kind: Kind, wish: Wish) -> Chosen:
    """Say under which playbook a case opens: the one wished for, or the kind's own where the wished one asks less.

    Whoever opens a case is one person, and requirements fall away by two (R8).

    Raises:
        InputError: the playbook is for other kinds, or asks less and nobody says why.
        NotFoundError: there is no such playbook.
    """
    usual = logbook.current(app, tx, by, DEFAULTS[kind])
    if not wish.playbook:
        return Chosen(usual)
    wished = logbook.current(app, tx, by, wish.playbook)
    if kind not in wished.kinds:
        kinds = ", ".join(item.value for item in wished.kinds)
        message = f"Playbook {wished.name!r} is for: {kinds}. This is a {kind.value}."
        raise InputError(message)
    if not loosened(usual, wished):
        return Chosen(wished)
    if not wish.why.strip():
        message = (
            f"Playbook {wished.name!r} asks less than {usual.name!r}, so that a second person has to agree to it: "
            "say why with --playbook-reason."
        )
        raise InputError(message)
    return Chosen(usual, wished)


def propose(app: App, tx: Tx, by: Actor, case: Case, chosen: Chosen, why: str) -> None:
    """Propose the move that was wished for at opening, as anybody would later; without one, keep the reason given."""
    reason = Private(writing.checked("reason", why))
    if chosen.waiting is not None:
        action = act.MovePlaybook(playbook=chosen.waiting.digest, reason=reason)
        writing.take_step(app, tx, case, chosen.playbook, action, by, chosen.waiting)
    elif reason:
        writing.take_step(app, tx, case, chosen.playbook, act.AddNote(note=reason), by)


@dataclass(frozen=True, slots=True)
class NotTaken:
    """An option that a case which is open already did not take, and the command that does what it says."""

    option: str
    command: str

    def to_data(self) -> dict[str, str]:
        """Return plain JSON values."""
        return {"option": self.option, "command": self.command}


def not_taken(app: App, tx: Tx, case: Case, item: Restriction, wish: Wish) -> tuple[NotTaken, ...]:
    """Say what was asked for beside a report to a case that is open already, and does not hold of it."""
    return tuple(
        NotTaken(shlex.join(option), shlex.join(["holdfast", "case", verb, str(case.number), *words]))
        for option, verb, *words in _left(app, tx, case, item, wish)
    )


def _left(app: App, tx: Tx, case: Case, item: Restriction, wish: Wish) -> Iterator[tuple[Any, ...]]:
    """Yield each option with its words, the verb that does it, and what stands behind the case's number."""
    users = [normalise(Kind.USER, user) for user in wish.identities]
    for user in users:
        if _named(tx, case, user) is None:
            yield ("--user", user), "identity", user
    for name, value in wish.facts:
        told = name if value else f"no-{name}"
        for user in users or _whom(item):
            identity = _named(tx, case, user)
            known = dict(identity.facts if identity is not None else ()).get(name, case.facts.get(name))
            if known is not value:
                yield ("--fact", told), "identity", user, "--fact", told, *(("--ref", "WHERE") if known else ())
    if wish.playbook and wish.playbook != app.playbook(tx, case.playbook).name:
        waiting = case.proposals.get("playbook")
        waits = waiting is not None and wish.playbook == app.playbook(tx, str(waiting.data["playbook"])).name
        words = ("--confirm",) if waits else (wish.playbook, "--reason", wish.why or "WHY")
        yield ("--playbook", wish.playbook), "playbook", *words
    if item.restricted_at is not None and item.restricted_at != case.restricted_at:
        began = f"Restricted since {time_to_text(item.restricted_at)}, says whoever reported it again."
        yield ("--restricted-at", time_to_text(item.restricted_at)), "note", began
    if item.status is RestrictionStatus.TEMPORARY and case.reading.status is not item.status:
        yield ("--temporary",), "observe", "--restriction", item.status.value, "--ref", "WHERE"
    if item.name and item.name != _label(tx, case):
        yield ("--name", item.name), "note", f"Name: {item.name}"


def _whom(item: Restriction) -> list[str]:
    return ["USER"] if item.kind is Kind.CONNECTOR else [normalise(item.kind, item.identifier)]


def _named(tx: Tx, case: Case, user: str) -> Identity | None:
    """Return what a case knows of a user, None where it does not name them."""
    found = subjects.find(tx, case.tenant, Kind.USER, user)
    return case.identities.get(found or "")


def _label(tx: Tx, case: Case) -> str:
    commitment = cases.entries(tx, case.id)[0].data.get("label", {}).get("commitment", "")
    return Names(tx, (), [commitment]).commitment(commitment)
