"""The referee: reads a case's entries after a race and knows nothing of the code that wrote them.

What the product itself says (replay, and the row as the fold of the entries) is asked as well, but the rule that
matters here, nothing approved or started on evidence that was taken back, is judged by hand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.domain.history import fold
from workflow.domain.picture import picture
from workflow.domain.replay import replay
from workflow.storage import cases

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.services.desk import Desk
    from workflow.domain.record import Entry

VOIDING = {"unblock:voided", "unblock:rejected", "unblock:withdrawn", "approval:lapsed"}


def violations(desk: Desk, case_id: str) -> list[str]:
    """Return every rule that the case's history breaks, in words."""
    with desk.app.database.reading() as tx:
        entries = cases.entries(tx, case_id)
        row = cases.row(tx, case_id)
        case = fold(entries)
        books = {entry.playbook: desk.app.playbook(tx, entry.playbook) for entry in entries}
    found = by_hand(entries)
    fault = replay(entries, books)[1]
    if fault is not None:
        found.append(f"replay refuses entry {fault.sequence}: {fault.why}")
    if row != picture(case, books[case.playbook]):
        found.append("the row is not the fold of the entries")
    return found


def by_hand(entries: Sequence[Entry], conditions: Mapping[str, Sequence[str]] | None = None) -> list[str]:
    """Walk through a history and name what was approved or started on evidence that was taken back.

    ``conditions`` are, by prerequisite, those of which one has to be true for it to apply: what is known not to apply
    may be taken back.
    """
    found: list[str] = []
    taken_back: set[tuple[str, str]] = set()
    facts: dict[str, dict[str, bool]] = {}
    approvals = intents = 0
    for entry in entries:
        about = (entry.data.get("prerequisite", ""), entry.data.get("about", ""))
        facts.setdefault(str(entry.data.get("subject", "")), {}).update(entry.data.get("facts", {}))
        retracted = [item for item in taken_back if _applies(item, conditions or {}, facts)]
        if entry.type in {"evidence:recorded", "evidence:confirmed"}:
            taken_back.discard(about)
        elif entry.type == "evidence:retracted":
            taken_back.add(about)
        elif entry.type in {"restriction:returned", "case:reopened"}:
            facts = {who: {name: True for name, holds in known.items() if holds} for who, known in facts.items()}
        elif entry.type in VOIDING:
            approvals = 0
        elif entry.type == "unblock:approved":
            approvals += 1
            found += [f"entry {entry.sequence} approves on retracted {name}" for name, _ in retracted]
        elif entry.type == "unblock:intended":
            intents += 1
            found += [f"entry {entry.sequence} starts on retracted {name}" for name, _ in retracted]
            if not approvals:
                found.append(f"entry {entry.sequence} starts without an approval that stands")
            if intents > 1:
                found.append(f"entry {entry.sequence} is the {intents}. intent")
    return found


def _applies(
    item: tuple[str, str], conditions: Mapping[str, Sequence[str]], facts: Mapping[str, Mapping[str, bool]]
) -> bool:
    name, about = item
    known = {**facts.get("", {}), **facts.get(about, {})}
    return name not in conditions or not all(known.get(condition) is False for condition in conditions[name])
