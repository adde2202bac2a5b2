"""A case worked without storage: steps are judged by the domain, stamped as the journal stamps them, and folded."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from workflow.domain import actions as act
from workflow.domain import gate
from workflow.domain.case import Case
from workflow.domain.history import fold
from workflow.domain.lifecycle import Step, advance
from workflow.domain.playbook import About, Condition, ExceptionRule, Nature, Playbook, Prerequisite, digest
from workflow.domain.private import Private
from workflow.domain.record import Actor, Entry, Record, entry_from_body, time_to_text
from workflow.domain.restriction import Source
from workflow.domain.vocabulary import Kind, Phase, RestrictionStatus, Role, State
from workflow.ledger.entry import VERSION, leaf_hash, seal_body

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

START = datetime(2026, 11, 24, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
CASE = "0193a1c0-0000-7000-8000-000000000001"
LISTED, TEMPORARY = RestrictionStatus.LISTED, RestrictionStatus.TEMPORARY
NOT_LISTED, UNKNOWN = RestrictionStatus.NOT_LISTED, RestrictionStatus.UNKNOWN
WORDS = Private(commitment="aa" * 32)
OTHER_WORDS = Private(commitment="bb" * 32)


def person(name: str, *roles: Role, team: str = "", identities: tuple[str, ...] = ()) -> Actor:
    """Return an actor with these roles, or with every working role when none is named."""
    return Actor(name, "os", roles or (Role.ANALYST, Role.APPROVER, Role.LEAD), team=team, identities=identities)


ANN = person("ann", team="blue")
BOB, CAT, DAN = (person(name, team="red") for name in ("bob", "cat", "dan"))
ADA = "sub_ada"


def pinned(playbook: Playbook) -> Playbook:
    """Return the playbook with its digest filled in."""
    return replace(playbook, digest=digest(replace(playbook, digest="")))


def small(**changes: object) -> Playbook:
    """Return a small playbook with a bit of everything; ``changes`` replace its fields."""
    fields: dict[str, object] = {
        "name": "small",
        "version": "1",
        "title": "Small",
        "kinds": (Kind.MAILBOX, Kind.USER),
        "prerequisites": (
            Prerequisite(id="password-reset", title="Reset", required_by=Phase.CONTAIN, about=About.IDENTITY),
            Prerequisite(
                id="sessions-revoked",
                title="Revoke",
                required_by=Phase.CONTAIN,
                about=About.IDENTITY,
                after=("password-reset",),
            ),
            Prerequisite(
                id="rules",
                title="Rules",
                required_by=Phase.VERIFY,
                nature=Nature.READING,
                fresh_within=DAY,
                after=("sessions-revoked",),
                exception=ExceptionRule(Role.LEAD, 7 * DAY),
            ),
            Prerequisite(
                id="relay", title="Relay", required_by=Phase.REQUEST, applies_if=(Condition.ON_PREMISES_RELAY,)
            ),
            Prerequisite(id="sent-mail", title="Sent mail", required_by=Phase.CLOSE, required=False),
        ),
    }
    return pinned(Playbook(**(fields | changes)))  # type: ignore[arg-type]  # fields of a playbook, by name


SMALL = small()


class Casebook:
    """One case, its entries, and the playbooks it may be under; ``now`` is where the clock stands.

    ``setting`` is the leaf of the log's entry that lets people break the glass, "" while they may not.
    """

    def __init__(self, *playbooks: Playbook, now: datetime = START) -> None:
        """Begin with an empty case; the first playbook is the one it will be opened under."""
        self.playbooks = {item.digest: item for item in playbooks or (SMALL,)}
        self.first = next(iter(self.playbooks))
        self.now = now
        self.case = Case(id=CASE)
        self.entries: list[Entry] = []
        self.step = Step(self.case, ())
        self.commits = 0
        self.setting = ""

    def do(self, action: act.Action, actor: Actor = ANN, linked: Mapping[str, State] | None = None) -> Step:
        """Take one step a minute later, stamp and fold it."""
        self.now += timedelta(minutes=1)
        self.step = advance(self.case, action, actor, self.playbooks, self.now, linked, self.setting)
        self.stamp(self.step.records)
        return self.step

    def stamp(self, records: Iterable[Record]) -> None:
        """Give records what the journal gives them, and fold them."""
        self.commits += 1
        new: list[Entry] = []
        head, sequence = self.case.head, self.case.sequence
        for record in records:
            sequence += 1
            data = seal_body(body(record, sequence, head, self.now, f"request-{self.commits}"))
            head = leaf_hash(data).hex()
            new.append(entry_from_body(json.loads(data), head))
        self.entries += new
        self.case = fold(new, self.case)

    def done(self, action: act.Action, actor: Actor = ANN, linked: Mapping[str, State] | None = None) -> list[str]:
        """Take a step that is not refused; returns the types of its entries."""
        step = self.do(action, actor, linked)
        assert step.error is None, repr(step.error)
        return [record.type.value for record in step.records]

    def refused(self, action: act.Action, actor: Actor = ANN, linked: Mapping[str, State] | None = None) -> str:
        """Take a step that a rule refuses; returns the code of the refusal, and checks that it is recorded."""
        step = self.do(action, actor, linked)
        assert step.error is not None
        assert step.error.code == step.records[-1].basis["code"]
        return step.error.code

    def open(self, *, identities: tuple[str, ...] = (ADA,), actor: Actor = CAT, **changes: object) -> Casebook:
        """Open the case as a listed mailbox, restricted when it was opened; ``changes`` replace inputs."""
        fields: dict[str, object] = {
            "number": 1,
            "tenant": "tenant",
            "kind": Kind.MAILBOX,
            "entity": "sub_box",
            "playbook": self.first,
            "status": LISTED,
            "source": Source.CMDLET,
            "restricted_at": self.now,
            "identities": identities,
        }
        self.done(act.OpenCase(**(fields | changes)), actor)  # type: ignore[arg-type]  # fields of the action, by name
        return self

    def record(self, name: str, about: str = "", actor: Actor = ANN, **changes: object) -> list[str]:
        """Record one prerequisite as met now."""
        fields: dict[str, object] = {"observed_at": self.now, "reference": WORDS}
        action = act.RecordEvidence(prerequisite=name, about=about, **(fields | changes))  # type: ignore[arg-type]
        return self.done(action, actor)

    def fulfil(self, *, actor: Actor = ANN) -> Casebook:
        """Record whatever required prerequisite stands before an unblock."""
        for item in self.playbook.required:
            if item.required_by is not Phase.CLOSE:
                for about in tuple(self.case.identities) if item.about is About.IDENTITY else ("",):
                    self.record(item.id, about, actor)
        return self

    def requested(self) -> Casebook:
        """Fulfil the playbook and request the unblock as Ann."""
        self.fulfil()
        self.done(act.RequestUnblock(), ANN)
        return self

    def approved(self) -> Casebook:
        """Request as Ann, approve as Bob (and Dan, where two approvals are wanted)."""
        self.requested()
        for approver in (BOB, DAN)[: self.playbook.approvals]:
            self.done(act.ApproveUnblock(), approver)
        return self

    def intended(self) -> Casebook:
        """Approve, then record the intent."""
        self.approved()
        self.done(act.IntendUnblock(), ANN)
        return self

    def released(self) -> Casebook:
        """Intend, then observe the absence."""
        self.intended()
        self.observe(NOT_LISTED)
        assert self.case.state is State.RELEASED
        return self

    def observe(self, status: RestrictionStatus, actor: Actor = ANN, **changes: object) -> list[str]:
        """Observe the restriction now."""
        fields: dict[str, object] = {"observed_at": self.now, "reference": WORDS}
        action = act.ObserveRestriction(status=status, **(fields | changes))  # type: ignore[arg-type]
        return self.done(action, actor)

    def later(self, span: timedelta) -> Casebook:
        """Let time pass."""
        self.now += span
        return self

    @property
    def playbook(self) -> Playbook:
        """The playbook in force."""
        return self.playbooks[self.case.playbook]


def another(**changes: object) -> Playbook:
    """Return a second version of the small playbook."""
    return small(**({"name": "another", "version": "2"} | changes))


def body(record: Record, sequence: int, prev: str, at: datetime, request: str) -> dict[str, object]:
    """Return the body of one entry in format 1."""
    return {
        "v": VERSION,
        "log": "holdfast.example/test",
        "id": f"0193a1c0-0000-7000-8000-{sequence:012x}",
        "type": record.type.value,
        "tenant": "tenant",
        "case": CASE,
        "sequence": sequence,
        "prev": prev,
        "recorded_at": time_to_text(at),
        "clock": "ok",
        "actor": record.actor.to_data(),
        "action": record.action,
        "state_before": record.state_before,
        "state_after": record.state_after,
        "recurrence": record.recurrence,
        "outcome": record.outcome.value,
        "playbook": record.playbook,
        "data": dict(record.data),
        "basis": dict(record.basis),
        "cites": record.cites,
        "request": request,
    }


def reasons(book: Casebook) -> dict[str, str]:
    """Return why each missing prerequisite is missing."""
    found = gate.missing(book.case, book.playbook, tuple(Phase), book.now)
    return {item.prerequisite: item.reason.value for item in found}


def entity_only() -> Playbook:
    """Return a playbook that asks nothing about persons."""
    return small(prerequisites=tuple(item for item in SMALL.prerequisites if item.id in {"rules", "relay"}))


def swapped(**changes: object) -> Playbook:
    """Return another version of the small playbook in which ``rules`` differs."""
    items = (replace(item, **changes) if item.id == "rules" else item for item in SMALL.prerequisites)  # type: ignore[arg-type]
    return another(prerequisites=tuple(items))
