"""What must be true of a playbook as a whole, whoever wrote it.

Each rule looks at all prerequisites and adds a fault for every place that breaks it. A playbook that passed
cannot lock a case up for good, nor let it go without the three things that are never excepted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.domain.playbook import About, BreakGlass, Nature, Scope
from workflow.domain.vocabulary import NEVER_EXCEPTED, Kind, Phase
from workflow.sources.playbook_faults import nearest, shown

if TYPE_CHECKING:
    from workflow.sources.playbook_faults import Faults
    from workflow.sources.playbook_fields import Draft

READING_FRESH_WITHIN = 24 * 3600
"""Seconds a reading counts when the file does not say."""

_PHASES = [phase.value for phase in Phase]


def settle_defaults(item: Draft, faults: Faults) -> None:
    """Fill in what follows from other keys: a reading's freshness, a recommended step's phase."""
    values = item.values
    if item.unread & {"nature", "required", "required_by"}:
        return  # Already a fault; what follows from it would only be noise.
    if values["nature"] == Nature.READING:
        values["fresh_within"] = values["fresh_within"] or READING_FRESH_WITHIN
    elif "fresh_within" in item.at:
        message = f"Only a reading goes stale, and this is of nature {values['nature']}"
        faults.add(*item.where("fresh_within"), message, "Remove fresh_within, or write “nature: reading”")
    if values["required"] and "required_by" not in item.at:
        message = "The key required_by is missing in a prerequisite that is required"
        faults.add(item.path, item.line, message, f"Add “required_by: …” with one of {', '.join(_PHASES)}")
    elif not values["required"] and values["required_by"] != Phase.CLOSE:
        message = "A recommended step is due before close and blocks nothing earlier"
        faults.add(*item.where("required_by"), message, "Remove required_by, or make the step required")


def check_playbook(top: Draft, items: list[Draft], faults: Faults) -> None:
    """Add a fault for every rule that the prerequisites break."""
    by_id = _unique(items, faults)
    for item in by_id.values():
        _never_excepted(item, faults)
        _tenant_wide(item, by_id, faults)
        for key in ("any_of", "after"):
            _known_ids(item, key, by_id, faults)
        _phases_in_order(item, by_id, faults)
    for key in ("any_of", "after"):
        _no_circle(by_id, key, faults)
    if top.values.get("break_glass") == BreakGlass.ALLOWED and Kind.CONNECTOR in top.values["kinds"]:
        message = "A connector is never unblocked on one person's word, and this playbook is for connectors too"
        faults.add(*top.where("break_glass"), message, "Remove break_glass, or connector from kinds")
    if not any(item.values["required"] and item.values["required_by"] == Phase.CONTAIN for item in items):
        cure = "Write “required_by: contain” for what stops the sending"
        faults.add(*top.where("prerequisites"), "No prerequisite is required by contain", cure)


def _unique(items: list[Draft], faults: Faults) -> dict[str, Draft]:
    found: dict[str, Draft] = {}
    for item in items:
        name = item.values["id"]
        if name in found:
            path, line = found[name].where("id")
            message = f"The id {shown(name)} is taken by {path} line {line}"
            faults.add(*item.where("id"), message, "Choose another id, or remove one of the two")
        elif name:
            found[name] = item
    return found


def _never_excepted(item: Draft, faults: Faults) -> None:
    """Refuse every key that would let one of the three pass unmet, not only the exception itself."""
    name = item.values["id"]
    if name not in NEVER_EXCEPTED:
        return
    for key in ("exception", "applies_if", "any_of"):
        if key in item.at:
            message = f"{name} is never excepted, so it has no {key}"
            faults.add(*item.where(key), message, f"Remove {key}")
    if not item.values["required"]:
        faults.add(*item.where("required"), f"{name} is always required", "Remove “required: false”")


def _tenant_wide(item: Draft, by_id: dict[str, Draft], faults: Faults) -> None:
    """What one record answers in every case is a reading of the tenant, and nothing but itself rests on it."""
    wide = item.values.get("scope") == Scope.TENANT
    if wide != ("fact" in item.at):
        message = "scope: tenant and fact go together" if wide else "fact is for what has “scope: tenant”"
        faults.add(*item.where("scope" if wide else "fact"), message, "Write both, or neither")
    for name in item.values["any_of"]:
        if name in by_id and by_id[name].values.get("scope") == Scope.TENANT:
            message = f"{name} is about the whole tenant, so it is no alternative to {item.values['id']}"
            faults.add(*item.where("any_of"), message, f"Drop {name} from any_of")
    if not wide:
        return
    if item.values["id"] in NEVER_EXCEPTED:
        faults.add(*item.where("scope"), f"{item.values['id']} is asked of each case", "Remove scope and fact")
    for key in ("applies_if", "any_of", "after", "check"):
        if key in item.at:
            faults.add(*item.where(key), f"What is true of the whole tenant has no {key}", f"Remove {key}")
    if item.values["nature"] != Nature.READING or item.values["about"] != About.ENTITY:
        message = "What is true of the whole tenant is a reading, asked once and not of each person"
        faults.add(*item.where("scope"), message, "Write “nature: reading” and “about: entity”")


def _known_ids(item: Draft, key: str, by_id: dict[str, Draft], faults: Faults) -> None:
    for name in item.values[key]:
        if name not in by_id:
            message = f"{key} names {shown(name)}, and no prerequisite has that id"
            faults.add(*item.where(key), message, nearest(name, by_id, "Known ids are"))


def _phases_in_order(item: Draft, by_id: dict[str, Draft], faults: Faults) -> None:
    """A step that waits for one of a later phase would keep its own phase from ever being reached."""
    if not item.values["required"]:
        return
    own = item.values["required_by"]
    for name in item.values["after"]:
        other = by_id.get(name)
        if other and _PHASES.index(other.values["required_by"]) > _PHASES.index(own):
            needed = other.values["required_by"]
            message = f"{item.values['id']} is required by {own} but comes after {name}, required by {needed}"
            faults.add(*item.where("after"), message, f"Require {name} by {own} too, or drop it from after")


def _no_circle(by_id: dict[str, Draft], key: str, faults: Faults) -> None:
    told: set[str] = set()
    for name, item in by_id.items():
        circle = [] if name in told else _way_back(name, key, by_id)
        if circle:
            told.update(circle)
            message = f"{key} goes round in a circle: {' → '.join([*circle, name])}"
            faults.add(*item.where(key), message, "Remove one of them")


def _way_back(start: str, key: str, by_id: dict[str, Draft]) -> list[str]:
    """Return the shortest way from an id back to itself, breadth first; empty when there is none."""
    came_from: dict[str, str] = {}
    edge = [start]
    while edge:
        following = []
        for name in edge:
            for target in by_id[name].values[key]:
                if target == start:
                    way = [name]
                    while way[-1] != start:
                        way.append(came_from[way[-1]])
                    return way[::-1]
                if target in by_id and target not in came_from:
                    came_from[target] = name
                    following.append(target)
        edge = following
    return []
