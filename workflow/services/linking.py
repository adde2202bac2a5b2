"""Which linked cases count where an answer stands on them: those that contain whom the step is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.domain import actions as act
from workflow.domain import gate
from workflow.domain.playbook import About, Check
from workflow.domain.record import clamp, time_for_people
from workflow.domain.vocabulary import ENDED, Kind, Phase, State
from workflow.errors import EvidenceRefusedError
from workflow.storage import cases, subjects

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from workflow.app import App
    from workflow.domain.case import Case
    from workflow.domain.picture import Picture
    from workflow.domain.playbook import Playbook
    from workflow.errors import HoldfastError
    from workflow.storage.transaction import Tx


def states(app: App, tx: Tx, case: Case, playbook: Playbook, rows: Mapping[str, Picture | None]) -> dict[str, State]:
    """Return how other cases stand; one that contains nobody whom this case names is left out, as if it were not.

    Several users may have to be contained: while the cases do not contain all of them, none counts.
    """
    if not rows:
        return {}
    accounts = _accounts(tx, case, playbook)
    found = {other: _contains(app, tx, case, accounts, other) for other, row in rows.items() if row is not None}
    if set().union(*found.values()) != set(accounts):
        return {}
    return {other: State(row.state) for other, row in rows.items() if row is not None and found[other]}


def told(
    app: App, tx: Tx, case: Case, playbook: Playbook, actions: Sequence[act.Action], error: HoldfastError
) -> HoldfastError:
    """Return the refusal of an answer whose linked cases do not count, with what would; any other as it is."""
    answers = [action for action in actions if isinstance(action, act.RecordEvidence)]
    named = {other for action in answers for other in action.linked}
    if not isinstance(error, EvidenceRefusedError) or not named or not named <= {link.case for link in case.links}:
        return error
    accounts = _accounts(tx, case, playbook)
    covered = {user for other in named for user in _contains(app, tx, case, accounts, other)}
    if accounts and covered == set(accounts):
        return error
    about = cases.open_about(tx, {name for user in set(accounts) - covered for name in accounts[user]})
    fit = [cases.load(tx, other, app.cache).number for other in about if _contains(app, tx, case, accounts, other)]
    numbers = ", ".join(f"#{number}" for number in fit) or "none is open now"
    since = time_for_people(case.boundary) if case.boundary is not None else "this restriction began"
    conditions = " and ".join(_conditions(playbook)) or "nothing more"
    message = (
        "The linked cases do not count for this step, as they do not contain every user whom it asks about (named with "
        f"holdfast case identity {case.number} USER --fact …, here: {conditions}). For each of them, link a mailbox's "
        "or user's case that names the same user, is under a playbook that contains accounts, and contains that user "
        f"now or has done so after {since}: {numbers}."
    )
    return EvidenceRefusedError(message)


def _conditions(playbook: Playbook) -> list[str]:
    asked = [item for item in playbook.prerequisites if item.check is Check.LINKED_CASE_CONTAINED]
    return list(dict.fromkeys(condition.value for item in asked for condition in item.applies_if))


def _accounts(tx: Tx, case: Case, playbook: Playbook) -> dict[str, set[str]]:
    """Return the users whom the case names with what the step asks about, each with all subjects of its address."""
    conditions = _conditions(playbook)
    known = {subject: case.facts | dict(identity.facts) for subject, identity in case.identities.items()}
    return {
        subject: subjects.same_identifier(tx, [subject])
        for subject, facts in known.items()
        if not conditions or any(facts.get(name) for name in conditions)
    }


def _contains(app: App, tx: Tx, case: Case, accounts: Mapping[str, set[str]], case_id: str) -> set[str]:
    """Return which of these accounts the other case is there to contain and, where it claims to have, has contained.

    Its state does not tell: somebody may be named when others were contained long ago. Where its own evidence no longer
    moves, because its unblock began or it ended, that must have been after this case's restriction.
    """
    other = cases.load(tx, case_id, app.cache)
    if other.kind is Kind.CONNECTOR:
        return set()
    playbook = app.playbook(tx, other.playbook)
    steps = [item for item in playbook.by_phase[Phase.CONTAIN] if item.about is About.IDENTITY]
    at = _held_at(other, clamp(app.now(), other.updated_at)[0])
    if not steps or (case.boundary is not None and at < case.boundary):
        return set()

    def contained(user: str) -> bool:
        return other.state not in gate.CONTAINED_OR_BETTER or all(
            gate.standing(other, playbook, item, user, at) is None for item in steps
        )

    named = {user: names.intersection(other.identities) for user, names in accounts.items()}
    return {user for user, same in named.items() if any(map(contained, same))}


def _held_at(case: Case, now: datetime) -> datetime:
    """Return the moment at which a case's containment was judged last."""
    return (case.released_at or case.ended_at or now) if case.state in ENDED else gate.gate_time(case, now)
