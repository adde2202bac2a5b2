"""The picture of the state machine, drawn from the machine itself: nothing in it is written down twice."""

from __future__ import annotations

from dataclasses import dataclass

from workflow.domain.lifecycle import MACHINE
from workflow.domain.vocabulary import State

OPENING = "open"
"""The arrow into the machine: opening makes a case, so no state stands before it."""

MEANINGS = {
    "open": "A restriction is taken in, or a compromised identity is opened by hand.",
    "contain": "The machine concludes that every prerequisite of containment holds.",
    "verify": "The machine concludes that every prerequisite of verification holds too.",
    "fall_back": "Evidence was retracted, lapsed or turned out bad: the machine takes the conclusion back.",
    "request": "Somebody asks that the entity be unblocked; every prerequisite before an unblock holds.",
    "approve": "Another person approves the request on the evidence it cites, and the gate is open.",
    "intend": "Somebody starts the unblock: enough approvals stand, and the gate is open.",
    "answer": "Microsoft answered that the unblock was done; only an observation will be believed.",
    "end_request": (
        "The request is withdrawn, rejected or void, or the unblock failed: the case goes back to the highest "
        "conclusion that still holds."
    ),
    "release": "The restriction was observed gone after the intent, and the gate was open when it was recorded.",
    "close": "The watch has ended and every step is answered, or the restriction ended by itself.",
    "dismiss": "A second person confirms that there is nothing to work on: a duplicate, or no compromise.",
    "reopen": "Somebody opens an ended case again, as its next recurrence.",
    "erase": "Two people erase names, texts and files of an ended case; what was done and decided stays.",
    "recur": "The entity is restricted again after it was seen free: the next recurrence begins.",
    "record": "Facts are recorded: evidence, exceptions, identities, another playbook.",
    "note": "Something is written down or read that moves nothing by itself.",
}
"""One sentence for every trigger."""


@dataclass(frozen=True, slots=True)
class Arrow:
    """One arrow: ``target`` is None when it stays where it is; ``guards`` are names, ``not …`` when they must fail."""

    trigger: str
    source: State
    target: State | None
    guards: tuple[str, ...]


def arrows() -> tuple[Arrow, ...]:
    """Return every arrow of the machine, by state and in the order in which the machine tries them."""
    found = [
        Arrow(
            trigger=trigger,
            source=State[source],
            target=None if arrow.dest is None else State[arrow.dest],
            guards=tuple(
                _name(guard.func) if guard.target else f"not {_name(guard.func)}" for guard in arrow.conditions
            ),
        )
        for trigger, event in MACHINE.events.items()
        for source, group in event.transitions.items()
        for arrow in group
    ]
    order = tuple(State)
    return tuple(sorted(found, key=lambda arrow: order.index(arrow.source)))


def mermaid() -> str:
    """Return the machine as a Mermaid ``stateDiagram-v2``; arrows that stay where they are become notes."""
    lines = ["stateDiagram-v2", f"    [*] --> {State.DETECTED.value}: {OPENING}"]
    lines += [
        f"    {arrow.source.value} --> {arrow.target.value}: {_label(arrow)}"
        for arrow in arrows()
        if arrow.target is not None
    ]
    for state in State:
        inside = ", ".join(_label(arrow) for arrow in arrows() if arrow.source is state and arrow.target is None)
        lines += [f"    note right of {state.value}", f"        {inside}", "    end note"]
    return "\n".join(lines) + "\n"


def table() -> str:
    """Return the arrows as a Markdown table with what each trigger means."""
    rows = ["| from | trigger | guard | to | when |", "|---|---|---|---|---|"]
    rows.append(f"| (nothing) | `{OPENING}` | | `{State.DETECTED.value}` | {MEANINGS[OPENING]} |")
    for arrow in arrows():
        guards = ", ".join(guard.replace("_", " ") for guard in arrow.guards)
        target = f"`{arrow.target.value}`" if arrow.target else "stays"
        rows.append(f"| `{arrow.source.value}` | `{arrow.trigger}` | {guards} | {target} | {MEANINGS[arrow.trigger]} |")
    return "\n".join(rows) + "\n"


def _name(guard: object) -> str:
    """Return the guard function's name; the machine is given functions only, never names to look up."""
    return str(getattr(guard, "__name__", guard))


def _label(arrow: Arrow) -> str:
    guards = " and ".join(guard.replace("_", " ") for guard in arrow.guards)
    return f"{arrow.trigger} [{guards}]" if guards else arrow.trigger
