"""Replay: was every recorded step legal under the playbook then in force?

Each commit of a case is judged again from its own inputs: the actions its entries carry are handed to ``advance`` on
the case as it then was, at the time they were recorded, and what comes out has to be what stands written, to the
letter.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from workflow.domain import actions as act
from workflow.domain.case import Case
from workflow.domain.history import apply
from workflow.domain.lifecycle import advance, settle
from workflow.domain.record import Entry, Record, actor_from_data, time_from_text
from workflow.domain.vocabulary import State
from workflow.errors import HoldfastError

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
    for _, group in groupby(entries, key=lambda entry: entry.request):
        commit = list(group)
        if not case.id:
            case.id = commit[0].case
        fault = _judge_commit(case, commit, playbooks)
        if fault is not None:
            return case, fault
        for entry in commit:
            apply(case, entry)
    return case, None


def _judge_commit(case: Case, commit: list[Entry], playbooks: Mapping[str, Playbook]) -> Fault | None:
    first = commit[0]
    try:
        expected = _expected(case, commit, playbooks)
    except HoldfastError as error:
        return Fault(first.case, first.sequence, f"no such step was possible: {error}")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return Fault(first.case, first.sequence, f"the entry cannot be understood: {error!r}")
    for number, entry in enumerate(commit):
        if entry.recorded_at != first.recorded_at:
            return Fault(entry.case, entry.sequence, "one commit has one time")
        if number >= len(expected):
            return Fault(entry.case, entry.sequence, f"nothing explains {entry.type}")
        why = _difference(expected[number], entry)
        if why:
            return Fault(entry.case, entry.sequence, why)
    if len(expected) > len(commit):
        return Fault(first.case, commit[-1].sequence, f"after this entry {expected[len(commit)].type} is missing")
    return None


def _expected(case: Case, commit: list[Entry], playbooks: Mapping[str, Playbook]) -> list[Record]:
    now = time_from_text(commit[0].recorded_at)
    steps = [entry for entry in commit if entry.action]
    if not steps:
        current = case.copy()
        return settle(current, playbooks[current.playbook], now)
    records: list[Record] = []
    for entry in steps:
        action = act.from_data(entry.action, entry.data)
        linked = entry.basis.get("linked")
        states = None if linked is None else {other: State(state) for other, state in linked.items()}
        step = advance(case, action, actor_from_data(entry.actor), playbooks, now, states)
        records += step.records
        case = step.case
    return records


def _difference(record: Record, entry: Entry) -> str:
    """Name the first member in which the entry differs from the legal record, or return ""."""
    pairs = (
        ("type", record.type, entry.type),
        ("state before", record.state_before, entry.state_before),
        ("state after", record.state_after, entry.state_after),
        ("outcome", record.outcome, entry.outcome),
        ("recurrence", record.recurrence, entry.recurrence),
        ("actor", record.actor.to_data(), entry.actor),
        ("action", record.action, entry.action),
        ("data", record.data, entry.data),
        ("basis", record.basis, entry.basis),
        ("cites", record.cites, entry.cites),
        ("playbook", record.playbook, entry.playbook),
    )
    for name, legal, written in pairs:
        if legal != written:
            return f"{name} is {written!r}, the rules lead to {legal!r}"
    return ""
