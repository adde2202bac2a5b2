"""The occurrences of a case one by one: what was decided in each, and what whoever decided was shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workflow.domain import gate
from workflow.domain.case import Case
from workflow.domain.course import BEGINNINGS
from workflow.domain.history import apply
from workflow.domain.record import time_from_text, time_to_text
from workflow.domain.vocabulary import EntryType

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from workflow.domain.case import Proposal
    from workflow.domain.playbook import Playbook
    from workflow.domain.record import Entry
    from workflow.services.history import EntryView
    from workflow.services.names import Names

GROUNDED = frozenset({EntryType.UNBLOCK_REQUESTED, EntryType.UNBLOCK_APPROVED, EntryType.UNBLOCK_INTENDED})
"""Decisions that stand on the evidence: what they stood on is drawn again as it was then."""

DECISIONS = GROUNDED | {
    EntryType.CASE_CLOSED,
    EntryType.CASE_DISMISSED,
    EntryType.CASE_ERASED,
    EntryType.CASE_REOPENED,
    EntryType.CASE_RELEASED,
    EntryType.IDENTITY_REMOVED,
    EntryType.RESTRICTION_OBSERVED,
    EntryType.EXCEPTION_GRANTED,
    EntryType.PROPOSAL_MADE,
    EntryType.PROPOSAL_REFUSED,
    EntryType.PLAYBOOK_MOVED,
    EntryType.UNBLOCK_WITHDRAWN,
    EntryType.UNBLOCK_REJECTED,
    EntryType.UNBLOCK_VOIDED,
    EntryType.UNBLOCK_ANSWERED,
    EntryType.APPROVAL_LAPSED,
    EntryType.APPROVAL_REVIEWED,
}
"""What people decided, and what became of it."""


@dataclass(slots=True)
class Occurrence:
    """The entries of one occurrence, how many entries the case had at its end, and what they say of decisions."""

    entries: list[Entry] = field(default_factory=list)
    last: int = 0
    states: list[dict[str, Any]] = field(default_factory=list)
    decisions: list[dict[str, Any]] = field(default_factory=list)
    exceptions: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Walk:
    """A walk along the entries of one case; the case is folded alongside, so that every decision is seen as it was.

    ``handed`` says of entries handed on from the tenant whether the name of who recorded them there is only claimed.
    """

    names: Names
    playbook: Callable[[str], Playbook]
    told: Mapping[int, EntryView]
    handed: Mapping[int, bool]
    case: Case = field(default_factory=Case)
    found: list[Occurrence] = field(default_factory=list)
    by_leaf: dict[str, Entry] = field(default_factory=dict)

    def along(self, entries: Sequence[Entry]) -> list[Occurrence]:
        """Return the occurrences, oldest first."""
        for count, entry in enumerate(entries, start=1):
            if entry.type in BEGINNINGS:
                self.found.append(Occurrence())
            self.by_leaf[entry.leaf] = entry
            current = self.found[-1]
            current.entries.append(entry)
            current.last = count
            self._step(current, entry)
        return self.found

    def _step(self, current: Occurrence, entry: Entry) -> None:
        shown = self._shown(entry) if entry.type in GROUNDED else None
        asked = self.case.proposals.get(str(entry.data.get("proposal", "")))
        apply(self.case, entry)
        if entry.type in DECISIONS:
            current.decisions.append(self._decision(entry, shown))
        if entry.type == EntryType.EXCEPTION_GRANTED and asked is not None:
            current.exceptions.append(self._exception(entry, asked))
        elif entry.type in {EntryType.EXCEPTION_EXPIRED, EntryType.EVIDENCE_RETRACTED}:
            self._ends(current, entry)
        if entry.state_after and (not current.states or current.states[-1]["state"] != entry.state_after):
            if current.states:
                current.states[-1]["to"] = entry.recorded_at
            current.states.append({"state": entry.state_after, "from": entry.recorded_at, "to": None})

    def _decision(self, entry: Entry, shown: dict[str, Any] | None) -> dict[str, Any]:
        told = self.told[entry.sequence]
        return {
            "sequence": entry.sequence,
            "at": entry.recorded_at,
            "type": entry.type,
            "text": told.text,
            "by": told.by,
            "claimed": told.claimed,
            "os_user": told.os_user,
            "role": told.role,
            "bulk": int(entry.data.get("bulk", 0)),
            "break_glass": bool(entry.data.get("break_glass", False)),
            "shown": shown,
        }

    def _shown(self, entry: Entry) -> dict[str, Any]:
        """Draw again what the decision stood on, from the entries before it."""
        playbook = self.playbook(self.case.playbook)
        at = gate.gate_time(self.case, time_from_text(entry.recorded_at))
        rows = gate.evidence_set(self.case, playbook, at)
        evidence = [self._ground(*row) for row in rows]
        digest = str(entry.basis["digest"])
        return {
            "version": entry.data.get("seen_version"),
            "seen_digest": entry.data.get("seen_digest", ""),
            "digest": digest,
            "repeats": digest == gate.evidence_digest(self.case, rows),
            "evidence": evidence,
            "exceptions": [item for item in evidence if item["standing"] == "exception"],
        }

    def _ground(self, prerequisite: str, about: str, standing: str, leaf: str) -> dict[str, Any]:
        entry = self.by_leaf.get(leaf)
        accepted = self.case.acceptances.get((prerequisite, about)) if standing == "exception" else None
        return {
            "prerequisite": prerequisite,
            "about": self.names.subject(about),
            "standing": standing,
            "entry": entry.sequence if entry else None,
            "by": self.names.subject(_author(entry)) if entry else "",
            "claimed": entry is not None and self.handed.get(entry.sequence, self.told[entry.sequence].claimed),
            "until": time_to_text(accepted.expires_at) if accepted else None,
        }

    def _exception(self, entry: Entry, asked: Proposal) -> dict[str, Any]:
        accepted = self.case.acceptances[entry.basis["prerequisite"], entry.basis["about"]]
        return {
            "prerequisite": accepted.prerequisite,
            "about": self.names.subject(accepted.about),
            "asked_by": self.names.subject(asked.by),
            "asked_claimed": self.told[asked.sequence].claimed,
            "asked_at": time_to_text(asked.at),
            "granted_by": self.names.subject(accepted.granted_by),
            "granted_claimed": self.told[entry.sequence].claimed,
            "granted_at": entry.recorded_at,
            "until": time_to_text(accepted.expires_at),
            "reason": self.names.text(accepted.reason),
            "ended": "",
            "sequence": entry.sequence,
        }

    def _ends(self, current: Occurrence, entry: Entry) -> None:
        details = self.told[entry.sequence].details
        how = "expired" if entry.type == EntryType.EXCEPTION_EXPIRED else "retracted"
        for item in current.exceptions:
            same = (item["prerequisite"], item["about"]) == (details["prerequisite"], details.get("about", ""))
            if same and not item["ended"]:
                item["ended"] = how


def _author(entry: Entry) -> str:
    """Return the person behind an entry, who may have recorded it once for the whole tenant."""
    return str(next(iter(entry.data.get("attested_by", ())), entry.actor["id"]))
