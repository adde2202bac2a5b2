"""The restore list: what containment took away in a case, each given back or deliberately left out before it closes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workflow.domain import actions as act
from workflow.domain.private import private
from workflow.domain.vocabulary import Made, Method
from workflow.errors import InputError
from workflow.services import casework, checks
from workflow.services.changes import DOINGS
from workflow.services.containment import Changed, again, carry_out

if TYPE_CHECKING:
    from workflow.app import App
    from workflow.services.people import Who

UNSURE = " (perhaps: no answer came, and it was not seen)"
"""What the restore list adds where nobody knows whether something was removed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """One line of the restore list. ``ending`` is "", restored or left; ``by_call``: Holdfast can give it back."""

    entry: int
    change: str
    account: str
    what: str
    ending: str
    by_call: bool

    def to_data(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {name: getattr(self, name) for name in ("entry", "change", "account", "what", "ending", "by_call")}


def removed(app: App, case_id: str) -> list[Removed]:
    """Return what containment took away in a case, oldest first.

    Raises:
        NotFoundError: no such case, or it was erased.
    """
    subject = checks.read_subject(app, case_id)
    found = []
    for change in subject.case.changes.values():
        if change.owed or change.ending is not None:
            step = again(app, subject, change)
            found.append(
                Removed(
                    entry=change.sequence,
                    change=change.change.value,
                    account=step.account,
                    what=f"{step.what}{UNSURE if change.made is Made.UNSEEN else ''}",
                    ending=change.ending.value if change.ending else "",
                    by_call=DOINGS[change.change].undo is not None,
                )
            )
    return found


def restore(app: App, who: Who, case_id: str, entry: int, reason: str, reference: str = "") -> Changed:
    """Give back what one change removed; with a reference, record that somebody did so by hand.

    Raises:
        NotFoundError: nothing is owed at that entry.
        InputError: there is no call that gives it back, and nobody says where it can be checked.
        HoldfastError: whatever refuses the step.
    """
    subject = checks.read_subject(app, case_id)
    change = subject.case.changes.get(entry)
    by_call = change is not None and DOINGS[change.change].undo is not None
    if change is None or reference:
        return _ended(app, who, case_id, entry, Made.RESTORED, reason, reference)
    if not by_call:
        message = (
            "Only the person, or an administrator, can give this back. Record that it was done with --ref WHERE, or "
            "leave it out with --leave."
        )
        raise InputError(message)
    checks.connected(app, subject.case)
    return carry_out(app, who, case_id, again(app, subject, change), undoes=entry, reason=reason)


def leave(app: App, who: Who, case_id: str, entry: int, reason: str) -> Changed:
    """Deliberately leave out what one change removed.

    Raises:
        HoldfastError: whatever refuses the step.
    """
    return _ended(app, who, case_id, entry, Made.LEFT, reason)


def _ended(app: App, who: Who, case_id: str, entry: int, made: Made, reason: str, reference: str = "") -> Changed:
    answer = act.AnswerChange(
        intent=entry, made=made, method=Method.ATTESTED, reason=private(reason), reference=private(reference)
    )
    casework.perform(app, who, case_id, answer)
    subject = checks.read_subject(app, case_id)
    return Changed(planned=again(app, subject, subject.case.changes[entry]), sequence=entry, made=made)
