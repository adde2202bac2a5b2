"""The state machine and the one function that moves a case: ``advance``.

``transitions`` decides which step is legal from which state, with the gate as its guards. There is one shared machine
without automatic transitions, so no method exists that jumps to a state. Conclusions (*contained*, *verified*,
*released*, and falling back) are drawn by ``settle``; people and automation only record facts and decide.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from transitions import Machine, MachineError

from workflow.domain import access, conclusions, decisions, erasure, facts, verbs
from workflow.domain import actions as act
from workflow.domain.encoding import from_data
from workflow.domain.record import SYSTEM
from workflow.domain.scene import Scene, carry, drawn
from workflow.domain.vocabulary import Answer, EntryType, Outcome, Phase, State
from workflow.errors import (
    ConflictError,
    GateClosedError,
    HoldfastError,
    NotFoundError,
    NotPermittedError,
    RuleRefusedError,
    WrongStateError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from transitions import EventData

    from workflow.domain.case import Case
    from workflow.domain.gate import Missing
    from workflow.domain.playbook import Playbook
    from workflow.domain.record import Actor, Record

CONTAIN = (Phase.CONTAIN,)
VERIFY = (Phase.CONTAIN, Phase.VERIFY)
REQUEST = (Phase.CONTAIN, Phase.VERIFY, Phase.REQUEST)

Rule = dict[str, Any]


def contained(event: EventData) -> bool:
    """Every prerequisite of containment holds."""
    scene: Scene = event.model  # type: ignore[assignment]  # transitions calls any object a model
    return scene.holds(*CONTAIN)


def verified(event: EventData) -> bool:
    """Every prerequisite of containment and verification holds."""
    scene: Scene = event.model  # type: ignore[assignment]
    return scene.holds(*VERIFY)


def gate_open(event: EventData) -> bool:
    """Every prerequisite of an unblock holds, linked cases included."""
    scene: Scene = event.model  # type: ignore[assignment]
    return scene.holds(*REQUEST)


def seen_gone(event: EventData) -> bool:
    """The restriction was observed gone after the intent of the open attempt."""
    scene: Scene = event.model  # type: ignore[assignment]
    return conclusions.seen_gone(scene.case)


_OPEN = [State.DETECTED, State.CONTAINED, State.VERIFIED, State.UNBLOCK_REQUESTED]


def _rules() -> list[Rule]:
    """Draw the whole machine: every arrow, its trigger and its guard."""
    back: list[Rule] = [
        {"dest": State.VERIFIED, "conditions": verified},
        {"dest": State.CONTAINED, "conditions": contained},
        {"dest": State.DETECTED},
    ]
    return [
        {"trigger": "record", "source": [*_OPEN, State.RELEASED], "dest": None},
        {"trigger": "note", "source": list(State), "dest": None},
        {"trigger": "contain", "source": State.DETECTED, "dest": State.CONTAINED, "conditions": contained},
        {"trigger": "verify", "source": State.CONTAINED, "dest": State.VERIFIED, "conditions": verified},
        {
            "trigger": "fall_back",
            "source": State.VERIFIED,
            "dest": State.CONTAINED,
            "conditions": contained,
            "unless": verified,
        },
        {
            "trigger": "fall_back",
            "source": [State.CONTAINED, State.VERIFIED],
            "dest": State.DETECTED,
            "unless": contained,
        },
        {
            "trigger": "request",
            "source": State.VERIFIED,
            "dest": State.UNBLOCK_REQUESTED,
            "conditions": gate_open,
        },
        {"trigger": "approve", "source": State.UNBLOCK_REQUESTED, "dest": None, "conditions": gate_open},
        {"trigger": "intend", "source": State.UNBLOCK_REQUESTED, "dest": None, "conditions": gate_open},
        {"trigger": "answer", "source": State.UNBLOCK_REQUESTED, "dest": None},
        *({"trigger": "end_request", "source": State.UNBLOCK_REQUESTED, **rule} for rule in back),
        {
            "trigger": "release",
            "source": State.UNBLOCK_REQUESTED,
            "dest": State.RELEASED,
            "conditions": [seen_gone, gate_open],
        },
        {"trigger": "close", "source": [State.VERIFIED, State.RELEASED], "dest": State.CLOSED},
        {
            "trigger": "dismiss",
            "source": [State.DETECTED, State.CONTAINED, State.VERIFIED],
            "dest": State.DISMISSED,
        },
        {"trigger": "erase", "source": [State.CLOSED, State.DISMISSED], "dest": None},
        {"trigger": "reopen", "source": [State.CLOSED, State.DISMISSED], "dest": State.DETECTED},
        {"trigger": "recur", "source": list(State), "dest": State.DETECTED},
    ]


MACHINE = Machine(
    model=None,
    states=State,
    initial=State.DETECTED,
    transitions=_rules(),
    auto_transitions=False,
    send_event=True,
)

_UNGUARDED = frozenset(
    (name, State[state])
    for name, event in MACHINE.events.items()
    for state, arrows in event.transitions.items()
    if all(arrow.dest is None and not arrow.conditions for arrow in arrows)
)
"""Arrows that move nothing and ask nothing: that the machine has them is all there is to ask of it."""


@dataclass(frozen=True, slots=True)
class Step:
    """What an action leads to: the records to append, in order, and the refusal to raise once they are committed.

    ``case`` is carried forward by the records (provisionally: they have no leaf hashes yet).
    """

    case: Case
    records: tuple[Record, ...]
    error: HoldfastError | None = None


def fire(trigger: str, scene: Scene) -> State:
    """Ask the machine for one step; returns the state it leads to, which is also left in ``scene.state``.

    Raises:
        WrongStateError: there is no such arrow from here; ``possible`` names the actions there are.
        GateClosedError: the arrow's guard refuses; ``missing`` says why.
    """
    if (trigger, scene.state) in _UNGUARDED:
        return scene.state
    try:
        done = MACHINE.events[trigger].trigger(scene)
    except MachineError:
        state = scene.case.state
        missing = scene.missing(*REQUEST) if trigger == "request" and state in _OPEN else ()
        if missing:
            raise gate_closed(missing) from None
        names = possible(state, under_way=scene.case.open_attempt is not None)
        message = f"This is not possible while a case is {state.value}."
        ahead = scene.missing(*VERIFY) if trigger == "close" else ()
        raise WrongStateError(message, possible=names, missing=ahead) from None
    if not done:
        raise gate_closed(scene.missing(*REQUEST))
    return scene.state


def gate_closed(missing: tuple[Missing, ...]) -> GateClosedError:
    """Make the refusal that lists what is missing."""
    names = tuple(dict.fromkeys(item.prerequisite for item in missing))
    noun = "prerequisite is" if len(names) == 1 else "prerequisites are"
    return GateClosedError(f"The gate is closed: {len(names)} {noun} missing ({', '.join(names)}).", missing)


_NOT_UNDER_WAY = frozenset({act.WithdrawRequest, act.RejectRequest, act.ApproveUnblock, act.IntendUnblock})
"""What is refused while an unblock is under way; only then is there an answer to record."""


def possible(state: State, *, under_way: bool = False) -> tuple[str, ...]:
    """Name the actions of people that the machine knows from this state, guards aside.

    ``under_way`` says whether an attempt to unblock is open.
    """
    idle = _NOT_UNDER_WAY if under_way else {act.RecordAnswer}
    return tuple(
        kind.name
        for kind, trigger in verbs.TRIGGERS.items()
        if state.name in MACHINE.events[trigger].transitions
        and access.PERMITTED[kind] != access.MACHINE
        and kind not in idle
    )


def advance(
    case: Case,
    action: act.Action,
    actor: Actor,
    playbooks: Mapping[str, Playbook],
    now: datetime,
    linked: Mapping[str, State] | None = None,
    setting: str = "",
) -> Step:
    """Settle the case, judge the action, and draw the conclusions that follow.

    Args:
        case: the fold of the case so far (for ``OpenCase``, an empty case that has only its id); not changed.
        action: what is asked for.
        actor: who asks.
        playbooks: at least the playbook the case is pinned to (and a move's target), by digest.
        now: aware time, never before the case's newest entry.
        linked: present states of linked cases, read under the lock; None believes what was recorded.
        setting: leaf of the log's entry that lets people break the glass; "" while they may not.

    A rule's refusal and a lack of permission are records too (R9): they come back in ``Step.error`` beside their
    record. Input that names nothing real (``NotFoundError``, ``InputError``), a pending unblock, and whatever speaks
    against opening a case that does not exist yet, are raised and recorded nowhere.
    """
    version = case.version
    current = case.copy()
    if case.opened_at is None and not isinstance(action, act.OpenCase):
        message = "There is no such case."
        raise NotFoundError(message)
    erasure.not_erased(case)
    digest = current.playbook or getattr(action, "playbook", "")
    if digest not in playbooks:
        message = "That playbook has not been adopted here."
        raise NotFoundError(message)
    records: list[Record] = []
    if case.opened_at is not None and conclusions.next_lapse(current, playbooks[digest], now) is not None:
        # Every step leaves its case settled, so until something runs out of time there is nothing new to conclude.
        records += settle(current, playbooks[digest], now)
    scene = Scene(current, actor, playbooks[digest], now, playbooks, linked, setting)
    try:
        made = _judge(action, scene, version)
    except (RuleRefusedError, NotPermittedError, ConflictError) as error:
        if current.opened_at is None:
            raise
        record = _refusal(action, scene, error, _ground(action, scene, error))
        carry(current, record, now)
        return Step(current, (*records, record), error)
    for record in made:
        carry(current, record, now)
    records += made
    if any(record.state_after for record in made):
        records += settle(current, playbooks[current.playbook], now)
    return Step(current, tuple(records))


def refuse(
    case: Case,
    action: act.Action,
    actor: Actor,
    playbooks: Mapping[str, Playbook],
    now: datetime,
    error: HoldfastError,
) -> Step:
    """Record that a command of several actions was refused as a whole, on the case as it was before it.

    What it was refused for shows only with the actions before it, which leave no entry; so the record says no more
    than the code, and that it stood ``together`` with others.
    """
    current = case.copy()
    records = settle(current, playbooks[current.playbook], now)
    scene = Scene(current, actor, playbooks[current.playbook], now, playbooks)
    record = _refusal(action, scene, error, {"code": error.code, "together": True})
    carry(current, record, now)
    return Step(current, (*records, record), error)


def _ground(action: act.Action, scene: Scene, error: HoldfastError) -> dict[str, object]:
    basis: dict[str, object] = {"code": error.code}
    if isinstance(error, GateClosedError):
        basis["missing"] = decisions.shortened(item.prerequisite for item in error.missing)
    return basis | decisions.linked_states(scene, *getattr(action, "linked", ()))


def _refusal(action: act.Action, scene: Scene, error: HoldfastError, basis: Mapping[str, object]) -> Record:
    denied = isinstance(error, NotPermittedError)
    return scene.record(
        EntryType.ACTION_DENIED if denied else EntryType.ACTION_REFUSED,
        action,
        basis=basis,
        outcome=Outcome.DENIED if denied else Outcome.REFUSED,
    )


def _judge(action: act.Action, scene: Scene, version: int) -> list[Record]:
    access.permit(scene.actor, action)
    if isinstance(action, act.OpenCase):
        return [facts.opened(action, scene)]
    access.not_a_subject(scene.case, scene.actor, access.PERMITTED[type(action)])
    if isinstance(action, act.IntendUnblock | act.ApproveUnblock):
        decisions.not_pending(scene)
    if isinstance(action, act.Decision):
        decisions.same_picture(action, scene, version)
    if isinstance(action, act.ReportRestriction):
        return _judge_report(action, scene)
    if isinstance(action, act.ObserveRestriction) and facts.comes_back(action, scene):
        fire("recur", scene)
        return [facts.returned(action, scene)]
    if isinstance(action, act.ConfirmProposal):
        return _judge_confirmation(action, scene)
    fails = isinstance(action, act.RecordAnswer) and action.answer is not Answer.DONE
    fire("end_request" if fails else verbs.trigger_of(action), scene)
    return verbs.MAKERS[type(action)](action, scene)


def _judge_report(action: act.ReportRestriction, scene: Scene) -> list[Record]:
    effect = facts.judge_report(scene.case, scene.playbook, action, scene.now)
    if effect is facts.Effect.KNOWN:
        return []
    if effect is facts.Effect.NEW_CASE:
        message = "This case ended too long ago to take the new occurrence: it wants a case of its own."
        raise WrongStateError(message, possible=("open",))
    if effect is facts.Effect.RETURNED:
        fire("recur", scene)
        return [facts.returned(action, scene)]
    fire("note", scene)
    return [facts.reported(action, scene)]


def _judge_confirmation(action: act.ConfirmProposal, scene: Scene) -> list[Record]:
    proposal = decisions.standing_proposal(scene, action.proposal)
    proposed = from_data(proposal.kind, proposal.data)
    fire(verbs.trigger_of(proposed), scene)
    access.second_person(scene.case, scene.actor, proposal.by, "this")
    return verbs.SECONDERS[type(proposed)](action, scene, proposed)


def settle(case: Case, playbook: Playbook, now: datetime) -> list[Record]:
    """Draw every conclusion that is due, carrying the case forward in place; returns their records in order."""
    records: list[Record] = []
    while (record := settle_next(case, playbook, now)) is not None:
        carry(case, record, now)
        records.append(record)
    return records


def settle_next(case: Case, playbook: Playbook, now: datetime) -> Record | None:
    """Return the next conclusion the machine has to draw, or None when the case is settled.

    First what lapsed with time, then a release that was observed, then a request whose ground is gone, then where the
    evidence puts the case.
    """
    lapse = conclusions.next_lapse(case, playbook, now)
    if lapse is not None or case.state not in _OPEN:
        return lapse
    scene = Scene(case, SYSTEM, playbook, now)
    if case.state is State.UNBLOCK_REQUESTED:
        return _settle_request(scene)
    held = State.VERIFIED if scene.holds(*VERIFY) else State.CONTAINED if scene.holds(*CONTAIN) else State.DETECTED
    if held is case.state:
        return None
    if _takes("fall_back", scene):
        return drawn(case, EntryType.CASE_RETURNED, scene.state)
    if _takes("contain", scene):
        return drawn(case, EntryType.CASE_CONTAINED, State.CONTAINED, conclusions.evidence_basis(scene, CONTAIN))
    fire("verify", scene)
    return drawn(case, EntryType.CASE_VERIFIED, State.VERIFIED, conclusions.evidence_basis(scene, VERIFY))


def _settle_request(scene: Scene) -> Record | None:
    case = scene.case
    if conclusions.seen_gone(case) and _takes("release", scene):
        return drawn(case, EntryType.CASE_RELEASED, State.RELEASED, conclusions.release_basis(case))
    why = conclusions.void_reason(scene)
    if not why:
        return None
    return drawn(case, EntryType.UNBLOCK_VOIDED, fire("end_request", scene), {"because": why})


def _takes(trigger: str, scene: Scene) -> bool:
    """Say whether the machine takes this arrow now; the state it leads to is left in ``scene.state``."""
    event = MACHINE.events[trigger]
    return scene.state.name in event.transitions and event.trigger(scene)
