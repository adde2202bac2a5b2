"""Replay: was every recorded step legal under the playbook then in force?

Each commit of a case is judged again from its own inputs: the actions its entries carry are handed to ``advance`` on
the case as it then was, at the time they were recorded, and what comes out has to be what stands written, to the
letter.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from workflow.domain.case import Case
from workflow.domain.encoding import from_data
from workflow.domain.history import apply
from workflow.domain.lifecycle import advance, refuse, settle
from workflow.domain.record import Entry, Record, actor_from_data, time_from_text, time_to_text
from workflow.domain.vocabulary import Outcome, State
from workflow.errors import HoldfastError, NotPermittedError, RuleRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from workflow.domain.playbook import Playbook


@dataclass(frozen=True, slots=True)
class Fault:
    """The first entry of a case that no legal step explains."""

    case: str
    sequence: int
    why: str


def replay(entries: Iterable[Entry], playbooks: Mapping[str, Playbook]) -> tuple[Case, Fault | None]:
    """Judge a case's entries, in order of sequence; returns the case as far as they are legal and the first fault."""
    case = Case()
    for _, group in groupby(entries, key=lambda entry: entry.request or entry.recorded_at):
        commit = list(group)
        if not case.id:
            case = Case(id=commit[0].case, tenant=commit[0].tenant)
        fault = _judge_commit(case, commit, playbooks)
        if fault is not None:
            return case, fault
        for entry in commit:
            apply(case, entry)
    return case, None


def _judge_commit(case: Case, commit: list[Entry], playbooks: Mapping[str, Playbook]) -> Fault | None:
    first = commit[0]
    fault = _out_of_place(case, commit)
    if fault is not None:
        return fault
    try:
        expected = _expected(case, commit, playbooks)
    except HoldfastError as error:
        return Fault(first.case, first.sequence, f"no such step was possible: {error}")
    except (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError) as error:
        return Fault(first.case, first.sequence, f"the entry cannot be understood: {error!r}")
    if case.opened_at is None and expected[0].data.get("tenant", "") != first.tenant:
        return Fault(first.case, first.sequence, "it was opened for another tenant")
    for number, entry in enumerate(commit):
        if number >= len(expected):
            return Fault(entry.case, entry.sequence, f"nothing explains {entry.type}")
        why = _difference(expected[number], entry)
        if why:
            return Fault(entry.case, entry.sequence, why)
    if len(expected) > len(commit):
        return Fault(first.case, commit[-1].sequence, f"after this entry {expected[len(commit)].type} is missing")
    return None


def _out_of_place(case: Case, commit: list[Entry]) -> Fault | None:
    """Name the first place where an entry does not follow the one before it: time, number, link, case, tenant."""
    place, head, moment = case.sequence, case.head, commit[0].recorded_at
    if case.updated_at is not None and moment < time_to_text(case.updated_at):
        return Fault(case.id, place + 1, "recorded time runs backwards")
    for entry in commit:
        place += 1
        if entry.sequence != place:
            why = f"number {entry.sequence} stands in its place"
        elif (entry.case, entry.tenant) != (case.id, case.tenant):
            why = "it belongs to another case"
        elif entry.prev != head:
            why = "it does not continue the entry before it"
        elif entry.recorded_at != moment:
            why = "one commit has one time"
        else:
            head = entry.leaf
            continue
        return Fault(case.id, place, why)
    return None


def _expected(case: Case, commit: list[Entry], playbooks: Mapping[str, Playbook]) -> list[Record]:
    now = time_from_text(commit[0].recorded_at)
    steps = [entry for entry in commit if entry.action]
    if not steps:
        current = case.copy()
        return settle(current, playbooks[current.playbook], now)
    records: list[Record] = []
    for entry in steps:
        action = from_data(entry.action, entry.data)
        actor = actor_from_data(entry.actor)
        linked = entry.basis.get("linked")
        states = None if linked is None else {other: State(state) for other, state in linked.items()}
        if entry.basis.get("together") is True:
            step = refuse(case, action, actor, playbooks, now, _refused_with(entry))
        else:
            step = advance(case, action, actor, playbooks, now, states, entry.basis.get("setting", ""))
        records += step.records
        case = step.case
    return records


def _refused_with(entry: Entry) -> HoldfastError:
    """Rebuild what a command of several actions was refused with; such an entry moves nothing."""
    error: HoldfastError = NotPermittedError() if entry.outcome == Outcome.DENIED else RuleRefusedError()
    error.code = str(entry.basis["code"])
    return error


def _difference(record: Record, entry: Entry) -> str:
    """Name the first member in which the entry differs from the legal record, or return ""."""
    legal = (
        record.type,
        record.state_before,
        record.state_after,
        record.outcome,
        record.recurrence,
        record.actor.to_data(),
        record.action,
        record.data,
        record.basis,
        record.cites,
        record.playbook,
    )
    written = (
        entry.type,
        entry.state_before,
        entry.state_after,
        entry.outcome,
        entry.recurrence,
        entry.actor,
        entry.action,
        entry.data,
        entry.basis,
        entry.cites,
        entry.playbook,
    )
    if legal == written:
        return ""
    name, is_, should = next(
        (name, is_, should) for name, is_, should in zip(_COMPARED, written, legal, strict=True) if is_ != should
    )
    return f"{name} is {is_!r}, the rules lead to {should!r}"


_COMPARED = (
    "type",
    "state before",
    "state after",
    "outcome",
    "recurrence",
    "actor",
    "action",
    "data",
    "basis",
    "cites",
    "playbook",
)
