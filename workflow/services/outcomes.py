"""Many unblocks at once: the commands for a script, and what it says became of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.domain import actions as act
from workflow.domain.command import fill
from workflow.domain.private import Private
from workflow.domain.script import ATTEMPT_DIGITS, Unblock
from workflow.domain.vocabulary import Answer, EntryType
from workflow.errors import ConflictError, InputError
from workflow.services.guidance import values
from workflow.services.names import ERASED
from workflow.storage import cases

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workflow.app import App
    from workflow.domain.case import Case
    from workflow.services.glance import Glance


def commands(seen: Glance) -> tuple[str, str]:
    """Return the commands that read the restriction and that lift it, filled in for a case; the first may be "".

    Raises:
        InputError: a value cannot stand in a command, or the playbook has none.
    """
    if seen.entity == ERASED or not seen.playbook.unblock_command:
        message = "There is no command that a script could run for this case: unblock it by hand."
        raise InputError(message)
    given = values(seen.number, seen.kind, seen.entity, seen.boundary)
    read = seen.playbook.read_command
    return fill(read, given) if read else "", fill(seen.playbook.unblock_command, given)


def unblock_of(seen: Glance, attempt: str) -> Unblock:
    """Return a case's part of the script, for the attempt with this leaf."""
    read, command = commands(seen)
    return Unblock(number=seen.number, attempt=attempt, read=read, command=command)


class Outcomes:
    """What a script says, as answers to the attempts it belongs to."""

    def __init__(self, app: App) -> None:
        """Begin with nothing told."""
        self._app = app
        self._attempts: dict[str, str] = {}
        self._told: set[tuple[str, str]] = set()

    def answer(self, seen: Glance, cells: Mapping[str, str], otherwise: str = "") -> list[act.Action] | str:
        """Return what records one row, or why there is nothing to record.

        Args:
            seen: the case.
            cells: ``outcome``, and perhaps ``attempt``, ``reference`` and ``time``.
            otherwise: where the answer can be checked when the row does not say it.

        Raises:
            InputError: the outcome is none, or nothing says where it can be checked.
            ConflictError: it belongs to another attempt than the newest.
        """
        outcome = cells["outcome"].strip().casefold()
        if outcome not in {item.value for item in Answer}:
            message = f"{outcome[:40]!r} is no outcome: expected done, failed or support."
            raise InputError(message)
        reference = cells.get("reference") or otherwise
        if not reference.strip():
            message = "Nothing says where the outcome can be checked: fill the column reference, or give --ref."
            raise InputError(message)
        leaf = seen.attempt.leaf if seen.attempt else ""
        named = cells.get("attempt", "").strip().casefold()
        if named and (len(named) < ATTEMPT_DIGITS or not leaf.startswith(named)):
            return self._of_earlier(seen, named, outcome)
        recorded = seen.attempt is not None and seen.attempt.answer == outcome
        if recorded or (seen.id, outcome) in self._told:
            return "It was recorded before."
        self._told.add((seen.id, outcome))
        self._attempts[seen.id] = leaf
        text = f"{reference} ({cells['time']})" if cells.get("time") else reference
        return [act.RecordAnswer(answer=Answer(outcome), reference=Private(text=text))]

    def check(self, case: Case) -> None:
        """Refuse an answer whose attempt is no longer the newest once the case is locked.

        Raises:
            ConflictError: another attempt has begun.
        """
        leaf = case.attempt.leaf if case.attempt else ""
        if leaf != self._attempts[case.id]:
            message = "Another unblock began meanwhile, to which this outcome does not belong."
            raise ConflictError(message)

    def _of_earlier(self, seen: Glance, named: str, outcome: str) -> str:
        with self._app.database.reading() as tx:
            entries = cases.entries(tx, seen.id)
        for entry in entries:
            cited = any(leaf.startswith(named) for leaf in entry.cites)
            if entry.type == EntryType.UNBLOCK_ANSWERED and cited and entry.data.get("answer") == outcome:
                return "It was recorded before."
        message = "It belongs to another unblock attempt than the newest; nothing was recorded."
        raise ConflictError(message)
