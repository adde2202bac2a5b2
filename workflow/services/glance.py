"""Many cases at a glance: what a decision about each of them stands on, read together and written nowhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workflow.domain import gate
from workflow.domain.lifecycle import possible
from workflow.domain.playbook import About
from workflow.domain.subject import normalise
from workflow.domain.unblocking import refused_for_good
from workflow.domain.vocabulary import Kind, Method, State
from workflow.errors import InputError, NotFoundError
from workflow.services import linking
from workflow.services.names import Names
from workflow.services.present import present
from workflow.services.unblock import CHANGES
from workflow.storage import cases

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from workflow.app import App
    from workflow.domain.case import Attempt, Case
    from workflow.domain.playbook import Playbook
    from workflow.storage.transaction import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """A case, settled as of now: little enough that thousands of them can be shown before one decision.

    Args:
        entity: the mailbox, connector or user, as text.
        version, digest: what a decision taken on this glance sends back as seen.
        held: whether every prerequisite of an unblock holds.
        exceptions: prerequisites that only an accepted risk carries.
        attested: whether all that counts was said by people and nothing checked in the tenant.
        elsewhere: open cases about the same under other tenants' names, each as number and tenant.
        changed: how many entries came after the request that an approver should know of.
        users: opaque id by name of each compromised user.
        asked_of_users: the prerequisites that are answered for each user.
        boundary: from when on evidence counts.
        proposals: the keys of what waits for a second person.
        attempt: the newest unblock attempt.
        erased: whether what was personal about it is gone.
        playbook: the version the case is pinned to.
    """

    id: str
    number: int
    kind: Kind
    entity: str
    state: State
    version: int
    digest: str
    held: bool
    exceptions: tuple[str, ...]
    attested: bool
    elsewhere: tuple[tuple[int, str], ...]
    changed: int
    users: Mapping[str, str]
    asked_of_users: frozenset[str]
    boundary: datetime | None
    proposals: tuple[str, ...]
    attempt: Attempt | None
    erased: bool
    playbook: Playbook
    support: bool

    @property
    def pending(self) -> bool:
        """Whether an unblock is under way."""
        return self.attempt is not None and self.attempt.ended_at is None

    def lets(self, name: str) -> bool:
        """Say whether the case lets a decision about its unblock through, whoever takes it."""
        return name in possible(self.state) and not self.pending and self.held


def glances(app: App, ids: Iterable[str]) -> dict[str, Glance]:
    """Return the cases by id, all as of one moment.

    Raises:
        NotFoundError: one of them does not exist.
    """
    now = app.now()
    with app.database.reading() as tx:
        loaded = [cases.load(tx, case_id, app.cache) for case_id in dict.fromkeys(ids)]
        names = Names(tx, {name for case in loaded for name in (case.entity, *case.identities)})
        apart = cases.open_tenants(tx) > 1
        return {case.id: _glance(app, tx, case, names, now, _elsewhere(tx, case) if apart else ()) for case in loaded}


def _elsewhere(tx: Tx, case: Case) -> tuple[tuple[int, str], ...]:
    others = cases.open_elsewhere(tx, case.tenant, case.kind.value, case.entity)
    return tuple((other.number, other.tenant) for other in others)


def _glance(
    app: App, tx: Tx, stored: Case, names: Names, now: datetime, elsewhere: tuple[tuple[int, str], ...]
) -> Glance:
    case, playbook, at, _ = present(app, tx, stored, now)
    at = gate.gate_time(case, at)
    others = {other for item in case.evidence.values() for other in item.linked}
    rows = {other: cases.row(tx, other) for other in others}
    linked = linking.states(app, tx, case, playbook, rows)
    standing = gate.evidence_set(case, playbook, at)
    since = case.request.sequence + 1 if case.request else 0
    return Glance(
        id=case.id,
        number=case.number,
        kind=case.kind,
        state=case.state,
        entity=names.subject(case.entity),
        version=stored.version,
        digest=gate.evidence_digest(case, standing),
        held=not gate.missing(case, playbook, gate.UNBLOCK_PHASES, at, linked),
        exceptions=tuple(dict.fromkeys(step for step, _, how, _ in standing if how == "exception")),
        attested=not any(item.method is Method.CHECKED for item in case.evidence.values()),
        elsewhere=elsewhere,
        changed=sum(entry.type in CHANGES for entry in cases.entries(tx, case.id, since)) if since else 0,
        users={names.subject(user): user for user in case.identities},
        asked_of_users=frozenset(item.id for item in playbook.prerequisites if item.about is About.IDENTITY),
        boundary=case.boundary,
        proposals=tuple(case.proposals),
        attempt=case.attempt,
        erased=case.erased_at is not None,
        playbook=playbook,
        support=refused_for_good(case),
    )


def about(seen: Glance, step: str, user: str | None) -> str:
    """Return whom a step is recorded about: "" for the entity, else the id of the user named, or of the only one.

    Raises:
        InputError: several users are named and nobody said which; or it is no user's address.
        NotFoundError: the case names no such user.
    """
    if user is None and (step not in seen.asked_of_users or not seen.users):
        return ""
    listed = ", ".join(seen.users) or "nobody yet"
    if user is None and len(seen.users) > 1:
        message = f"{step!r} is answered for each user: say whom with --for ({listed})."
        raise InputError(message)
    wanted = next(iter(seen.users)) if user is None else normalise(Kind.USER, user)
    if wanted not in seen.users:
        message = f"Case #{seen.number} does not name {wanted}; it names: {listed}."
        raise NotFoundError(message, next_step="Add a user with: holdfast case identity CASE USER")
    return seen.users[wanted]


def exception_key(seen: Glance, step: str, user: str | None) -> str:
    """Return the key of the exception from a step that waits for a second person.

    Raises:
        InputError: several wait and nobody said about whom.
        NotFoundError: none waits, or the case names no such user.
    """
    key = f"exception:{step}"
    if user is not None:
        return f"{key}/{about(seen, step, user)}"
    fits = [name for name in seen.proposals if name == key or name.startswith(f"{key}/")]
    if len(fits) > 1:
        message = f"Several exceptions from {step!r} wait: say whom with --for."
        raise InputError(message)
    if not fits:
        message = f"No exception from {step!r} waits for a second person in case #{seen.number}."
        raise NotFoundError(message)
    return fits[0]
