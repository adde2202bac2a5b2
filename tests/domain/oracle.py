"""A second opinion on the gate: slow, plain, and read off the entries alone, without the product's fold or gate."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workflow.domain.playbook import Playbook, Prerequisite
    from workflow.domain.record import Entry
    from workflow.domain.vocabulary import State

BEGINS = {"case:opened", "case:reopened", "restriction:returned"}
UNBLOCK = ("contain", "verify", "request")
CONTAINED = {"contained", "verified", "unblock_requested", "released", "closed"}
Key = tuple[str, str]


@dataclass
class Ground:
    """What the entries of the present recurrence say."""

    playbook: str = ""
    entity: str = ""
    boundary: datetime | None = None
    entity_facts: dict[str, bool] = field(default_factory=dict)
    people: dict[str, dict[str, bool]] = field(default_factory=dict)
    answers: dict[Key, dict[str, Any]] = field(default_factory=dict)
    accepted: dict[Key, datetime] = field(default_factory=dict)
    hands: list[tuple[str, str]] = field(default_factory=list)
    lasting: list[tuple[str, str]] = field(default_factory=list)
    asked: dict[str, Entry] = field(default_factory=dict)
    requester: str = ""
    approvers: dict[int, str] = field(default_factory=dict)
    alone: set[int] = field(default_factory=set)
    unreviewed: dict[int, str] = field(default_factory=dict)
    intended_at: datetime | None = None


def time(text: str) -> datetime:
    """Read a time of an entry."""
    return datetime.fromisoformat(text)


def read(entries: Sequence[Entry]) -> Ground:
    """Read the ground that the gate stands on from the entries."""
    ground = Ground()
    for entry in entries:
        _take(ground, entry)
    return ground


def _take(ground: Ground, entry: Entry) -> None:
    data, basis, who = entry.data, entry.basis, entry.actor["id"]
    key = (data.get("prerequisite", ""), data.get("about", ""))
    if entry.type in BEGINS:
        _begin(ground, entry)
    elif entry.type == "restriction:seen" and "restricted_at" in basis:
        ground.boundary = time(basis["restricted_at"])
    elif entry.type in {"evidence:recorded", "evidence:confirmed"}:
        told = dict(data) | {"observed": time(data["observed_at"])}
        first = ground.answers[key]["first"] if entry.type == "evidence:confirmed" else told["observed"]
        ground.answers[key] = told | {"first": first}
        ground.hands.append((who, data["prerequisite"]))
    elif entry.type == "evidence:retracted":
        ground.answers.pop(key, None)
        ground.accepted.pop(key, None)
    elif entry.type == "proposal:made":
        ground.asked[basis["proposal"]] = entry
        ground.hands += [] if entry.action in {"dismiss", "erase"} else [(who, "")]
    elif entry.type == "exception:granted":
        asked = ground.asked[data["proposal"]]
        ground.accepted[asked.data["prerequisite"], asked.data.get("about", "")] = time(asked.data["expires_at"])
        ground.hands += [(who, ""), (asked.actor["id"], "")]
    elif entry.type == "identity:added":
        ground.people.setdefault(data["subject"], {}).update(data.get("facts", {}))
        ground.lasting.append((who, ""))
    elif entry.type == "identity:removed":
        gone = ground.asked[data["proposal"]].data["subject"]
        ground.lasting += [(who, ""), (ground.asked[data["proposal"]].actor["id"], "")]
        ground.people.pop(gone)
        ground.answers = {k: v for k, v in ground.answers.items() if k[1] != gone}
        ground.accepted = {k: v for k, v in ground.accepted.items() if k[1] != gone}
    elif entry.type == "playbook:moved":
        asked = ground.asked[data["proposal"]] if "proposal" in data else entry
        ground.playbook = asked.data["playbook"]
        ground.lasting += [(who, ""), (asked.actor["id"], "")] if asked is not entry else []
    else:
        _take_decision(ground, entry)


def _take_decision(ground: Ground, entry: Entry) -> None:
    if entry.type == "unblock:requested":
        ground.requester, ground.approvers, ground.intended_at = entry.actor["id"], {}, None
    elif entry.type == "unblock:approved":
        ground.approvers[entry.sequence] = entry.actor["id"]
        if entry.data.get("break_glass"):
            ground.alone.add(entry.sequence)
            ground.unreviewed[entry.sequence] = entry.actor["id"]
    elif entry.type == "approval:reviewed":
        ground.unreviewed = {}
    elif entry.type == "change:intended":
        ground.hands.append((entry.actor["id"], ""))
    elif entry.type == "approval:lapsed":
        ground.approvers.pop(entry.basis["approval"])
    elif entry.type == "unblock:intended":
        ground.intended_at = time(entry.recorded_at)
    elif entry.state_after and entry.state_after != "unblock_requested":
        ground.requester, ground.approvers, ground.intended_at = "", {}, None


def _begin(ground: Ground, entry: Entry) -> None:
    if entry.type == "case:opened":
        ground.playbook, ground.entity = entry.data["playbook"], entry.data["entity"]
        ground.entity_facts = dict(entry.data.get("facts", {}))
        ground.people = {name: {} for name in entry.data.get("identities", ())}
        ground.lasting = [(entry.actor["id"], "")] if ground.entity_facts or entry.data.get("named") else []
    else:
        ground.entity_facts = {k: v for k, v in ground.entity_facts.items() if v}
        ground.people = {name: {k: v for k, v in facts.items() if v} for name, facts in ground.people.items()}
    ground.boundary = time(entry.basis["boundary"])
    ground.answers, ground.accepted, ground.hands, ground.asked = {}, {}, [], {}
    ground.requester, ground.approvers, ground.intended_at = "", {}, None


def one_person_may(ground: Ground, playbook: Playbook) -> bool:
    """Say whether the glass may be broken: the playbook lets it, and nobody is known to hold roles."""
    known = [ground.entity_facts, *ground.people.values()]
    return playbook.break_glass.value == "allowed" and not any(facts.get("has-roles") for facts in known)


def workers(ground: Ground, playbook: Playbook) -> set[str]:
    """Return who recorded a required prerequisite (or what stands in for one), or had a say in what is asked."""
    needed = {name for item in playbook.required for name in (item.id, *item.any_of)} | {""}
    return {who for who, name in (*ground.hands, *ground.lasting) if name in needed}


def open_steps(
    ground: Ground,
    playbook: Playbook,
    phases: Sequence[str],
    at: datetime,
    linked: Mapping[str, State] | None = None,
) -> set[Key]:
    """Return the required prerequisites of these phases that are open, each with the person it is open for."""
    found = set()
    for item in playbook.prerequisites:
        if not item.required or item.required_by.value not in phases:
            continue
        people = list(ground.people) if item.about.value == "identity" else [""]
        found |= {(item.id, who) for who in people if not _closed(ground, playbook, item, who, at, linked)}
        found |= set() if people else {(item.id, "nobody")}
    return found


def _applies(ground: Ground, item: Prerequisite, who: str) -> bool | None:
    facts = ground.entity_facts | ground.people.get(who, {})
    known = [facts.get(condition.value) for condition in item.applies_if]
    return None if not known else True if True in known else None if None in known else False


def _closed(
    ground: Ground, playbook: Playbook, item: Prerequisite, who: str, at: datetime, linked: Mapping[str, State] | None
) -> bool:
    if item.applies_if and _applies(ground, item, who) is False:
        return True
    if item.exception and ground.accepted.get((item.id, who), at - timedelta(1)) > at:
        return True
    if _answered(ground, item, who, at, linked, ("met", "not-applicable")):
        return True
    return any(
        other.id in item.any_of
        and _answered(ground, other, who if other.about.value == "identity" else "", at, linked, ("met",))
        for other in playbook.prerequisites
    )


def _answered(
    ground: Ground,
    item: Prerequisite,
    who: str,
    at: datetime,
    linked: Mapping[str, State] | None,
    good: Sequence[str],
) -> bool:
    told = ground.answers.get((item.id, who))
    if told is None or told.get("result", "met") not in good:
        return False
    if ground.boundary is not None and told["observed"] < ground.boundary:
        return False
    if item.fresh_within and told["observed"] + item.fresh_within <= at:
        return False
    if told.get("result", "met") == "not-applicable":
        # A step that does not apply needs no linked case either, but the playbook has to know that it may not.
        return bool(item.applies_if) and _applies(ground, item, who) is not True and _in_order(ground, item, told)
    if item.check.value == "linked-case-contained":
        cases = told.get("linked", [])
        if not cases or (linked is not None and any(str(linked.get(case, "")) not in CONTAINED for case in cases)):
            return False
    return _in_order(ground, item, told)


def _in_order(ground: Ground, item: Prerequisite, told: Mapping[str, Any]) -> bool:
    about = told.get("about", "")
    for (name, person), earlier in ground.answers.items():
        mine = person in {about, ""} or not about
        if (
            name in item.after
            and mine
            and earlier.get("result", "met") == "met"
            and told["observed"] < earlier["first"]
        ):
            return False
    return True
