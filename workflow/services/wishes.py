"""What whoever opens a case by hand asks for besides the restriction itself: a playbook, users, facts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workflow.domain import actions as act
from workflow.domain.adoption import DEFAULTS
from workflow.domain.moves import loosened
from workflow.domain.private import Private
from workflow.errors import InputError, RuleRefusedError
from workflow.services import logbook, writing
from workflow.storage import cases

if TYPE_CHECKING:
    from workflow.app import App
    from workflow.domain.case import Case
    from workflow.domain.playbook import Playbook
    from workflow.domain.record import Actor
    from workflow.domain.restriction import Restriction
    from workflow.domain.vocabulary import Kind
    from workflow.storage.transaction import Tx


@dataclass(frozen=True, slots=True)
class Wish:
    """What the opener by hand asks for beyond the restriction itself; ``why`` is why it is another playbook."""

    playbook: str = ""
    identities: tuple[str, ...] = ()
    facts: tuple[tuple[str, bool], ...] = ()
    why: str = ""


def nowhere_else(tx: Tx, tenant: str, item: Restriction, entity: str) -> None:
    """Refuse to open a case by hand about what has an open case under another tenant's name.

    Of a mailbox in two cases each one's gate could be passed by; a report of a tool or of the tenant is taken in even
    so, because nothing reported may be lost.

    Raises:
        RuleRefusedError: names that case and its tenant.
    """
    others = cases.open_elsewhere(tx, tenant, item.kind.value, entity)
    if others:
        told = ", ".join(f"#{other.number} of tenant {other.tenant!r}" for other in others)
        first = others[0]
        message = (
            f"{item.identifier} has an open case under another tenant's name: {told}. Work on that one (holdfast case "
            f"view {first.number}); if it is the wrong tenant, end it first with 'holdfast case dismiss'."
        )
        raise RuleRefusedError(message)


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
