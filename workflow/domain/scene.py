"""The scene of one action: the case, who acts, under which playbook, when. Judging functions read it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workflow.domain import actions as act
from workflow.domain import gate
from workflow.domain.encoding import to_data
from workflow.domain.history import apply
from workflow.domain.record import SYSTEM, Actor, Entry, Record, time_to_text
from workflow.domain.vocabulary import EntryType, Outcome, Phase, State

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from workflow.domain.case import Case
    from workflow.domain.playbook import Playbook


@dataclass(slots=True)
class Scene:
    """What one judgement looks at.

    ``linked`` gives the present state of linked cases, read under the same lock; None believes the recorded reading.
    ``setting`` is the leaf of the log's entry that lets people break the glass, "" while they may not.
    A scene lasts until the case is carried forward: what holds is remembered.
    ``state`` is what the state machine moves: it starts as the case's own.
    """

    case: Case
    actor: Actor
    playbook: Playbook
    now: datetime
    playbooks: Mapping[str, Playbook] = field(default_factory=dict)
    linked: Mapping[str, State] | None = None
    setting: str = ""
    state: State = State.DETECTED
    _held: dict[Phase, bool] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        """Start from where the case stands."""
        self.state = self.case.state

    def missing(self, *phases: Phase) -> tuple[gate.Missing, ...]:
        """List what does not hold of these phases, at the time that counts for this case."""
        return gate.missing(self.case, self.playbook, phases, gate.gate_time(self.case, self.now), self.linked)

    def holds(self, *phases: Phase) -> bool:
        """Say whether every required prerequisite of these phases holds; each phase is judged once."""
        for phase in phases:
            held = self._held.get(phase)
            if held is None:
                at = gate.gate_time(self.case, self.now)
                held = self._held[phase] = gate.holds(self.case, self.playbook, phase, at, self.linked)
            if not held:
                return False
        return True

    def evidence_set(self) -> list[list[str]]:
        """List what the gate stands on now; linked cases are believed as recorded, so that replay sees the same."""
        return gate.evidence_set(self.case, self.playbook, gate.gate_time(self.case, self.now))

    def digest(self) -> str:
        """Return the digest of :meth:`evidence_set`."""
        return gate.evidence_digest(self.case, self.evidence_set())

    def record(
        self,
        kind: EntryType,
        action: act.Action,
        *,
        after: State | None = None,
        basis: Mapping[str, Any] | None = None,
        cites: tuple[str, ...] = (),
        outcome: Outcome = Outcome.DONE,
    ) -> Record:
        """Make the record of a person's action; ``after`` None means that it does not bear state."""
        return Record(
            type=kind,
            actor=self.actor,
            state_before=self.case.state,
            state_after="" if after is None else after,
            recurrence=self.case.recurrence,
            action=action.name,
            data=to_data(action),
            basis=basis or {},
            cites=tuple(cite for cite in cites if cite),
            outcome=outcome,
            playbook=self.case.playbook,
        )


def drawn(case: Case, kind: EntryType, after: State, basis: Mapping[str, Any] | None = None) -> Record:
    """Make the record of a conclusion that the machine draws by itself."""
    return Record(
        type=kind,
        actor=SYSTEM,
        state_before=case.state,
        state_after=after,
        recurrence=case.recurrence,
        basis=basis or {},
        playbook=case.playbook,
    )


def carry(case: Case, record: Record, now: datetime) -> None:
    """Carry a case forward, in place, by a record that has not been stamped yet (so it has no leaf hash)."""
    entry = Entry(
        id="",
        type=record.type,
        tenant=record.data.get("tenant", case.tenant),
        case=case.id,
        sequence=case.sequence + 1,
        prev=case.head,
        recorded_at=time_to_text(now),
        clock="ok",
        actor=record.actor.to_data(),
        action=record.action,
        state_before=record.state_before,
        state_after=record.state_after,
        recurrence=record.recurrence,
        outcome=record.outcome,
        playbook=record.playbook,
        data=record.data,
        basis=record.basis,
        cites=record.cites,
        request="",
        leaf="",
    )
    apply(case, entry)
