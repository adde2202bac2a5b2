"""Which linked cases count where an answer stands on them: those that contain whom the step is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.domain import actions as act
from workflow.domain.playbook import About, Check
from workflow.domain.record import time_for_people, time_to_text
from workflow.domain.vocabulary import ENDED, EntryType, Kind, Phase, State
from workflow.errors import EvidenceRefusedError
from workflow.storage import cases, subjects

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from workflow.app import App
    from workflow.domain.case import Case
    from workflow.domain.picture import Picture
    from workflow.domain.playbook import Playbook
    from workflow.errors import HoldfastError
    from workflow.storage.transaction import Tx


def states(app: App, tx: Tx, case: Case, playbook: Playbook, rows: Mapping[str, Picture | None]) -> dict[str, State]:
    """Return how other cases stand; one that contains nobody whom this case names is left out, as if it were not."""
    whom = _accounts(tx, case, playbook) if rows else set()
    return {
        other: State(row.state)
        for other, row in rows.items()
        if row is not None and _counts(app, tx, case, whom, cases.load(tx, other, app.cache))
    }


def told(
    app: App, tx: Tx, case: Case, playbook: Playbook, actions: Sequence[act.Action], error: HoldfastError
) -> HoldfastError:
    """Return the refusal of an answer whose linked case does not count, with what would; any other as it is."""
    answers = [action for action in actions if isinstance(action, act.RecordEvidence)]
    named = {other for action in answers for other in action.linked}
    if not isinstance(error, EvidenceRefusedError) or not named <= {link.case for link in case.links}:
        return error
    whom = _accounts(tx, case, playbook)
    if all(_counts(app, tx, case, whom, cases.load(tx, other, app.cache)) for other in named):
        return error
    about = [cases.load(tx, other, app.cache) for other in cases.open_about(tx, whom)]
    fit = [f"#{other.number}" for other in about if _counts(app, tx, case, whom, other)]
    numbers = ", ".join(fit) or "none is open now"
    since = time_for_people(case.boundary) if case.boundary is not None else "this restriction began"
    conditions = " and ".join(_conditions(playbook)) or "nothing more"
    message = (
        "The linked case does not count for this step. What counts is a mailbox's or user's case about somebody whom "
        f"this case names (holdfast case identity {case.number} USER --fact …, here: {conditions}), under a playbook "
        f"that contains accounts, open or contained after {since}: {numbers}."
    )
    return EvidenceRefusedError(message)


def _conditions(playbook: Playbook) -> list[str]:
    asked = [item for item in playbook.prerequisites if item.check is Check.LINKED_CASE_CONTAINED]
    return list(dict.fromkeys(condition.value for item in asked for condition in item.applies_if))


def _accounts(tx: Tx, case: Case, playbook: Playbook) -> set[str]:
    """Return the users whom the case names with what the step asks about, and the mailboxes of their addresses."""
    conditions = _conditions(playbook)
    known = {subject: case.facts | dict(identity.facts) for subject, identity in case.identities.items()}
    return subjects.same_identifier(
        tx,
        [subject for subject, facts in known.items() if not conditions or any(facts.get(name) for name in conditions)],
    )


def _counts(app: App, tx: Tx, case: Case, whom: Iterable[str], other: Case) -> bool:
    """Say whether the other case contains one of these accounts, now or since this case's restriction began."""
    if other.kind is Kind.CONNECTOR or not {other.entity, *other.identities}.intersection(whom):
        return False
    contains = any(
        item.required_by is Phase.CONTAIN and item.about is About.IDENTITY
        for item in app.playbook(tx, other.playbook).required
    )
    if not contains or other.state not in ENDED or case.boundary is None:
        return contains
    began = time_to_text(case.boundary)
    return any(
        entry.type == EntryType.CASE_CONTAINED and entry.recorded_at >= began for entry in cases.entries(tx, other.id)
    )
