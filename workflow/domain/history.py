"""The only definition of what a case is: the fold of its entries.

``fold`` believes what entries say and judges nothing; ``replay`` (in ``replay.py``) judges.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from workflow.domain.case import (
    Acceptance,
    Case,
    Evidence,
    Identity,
    Link,
    Proposal,
    Reading,
)
from workflow.domain.changing import CHANGING
from workflow.domain.playbook import Condition
from workflow.domain.private import private_in
from workflow.domain.record import time_from_text
from workflow.domain.unblocking import UNBLOCKING, ended
from workflow.domain.vocabulary import (
    GOOD,
    EntryType,
    Kind,
    Method,
    Resolution,
    RestrictionStatus,
    Result,
    State,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from workflow.domain.record import Entry

_RESULTS = {item.value: item for item in Result}
_METHODS = {item.value: item for item in Method}


def fold(entries: Iterable[Entry], onto: Case | None = None) -> Case:
    """Return the case its entries tell, in order of sequence; ``onto`` is a case already folded so far.

    ``onto`` is not changed.

    Raises:
        KeyError, ValueError: an entry does not have the shape that Holdfast writes.
    """
    case = Case() if onto is None else onto.copy()
    for entry in entries:
        apply(case, entry)
    return case


def along(entries: Iterable[Entry]) -> Iterator[tuple[Entry, Case]]:
    """Yield each entry with the case as it stands after it: one case, which the next entry carries forward."""
    case = Case()
    for entry in entries:
        apply(case, entry)
        yield entry, case


def apply(case: Case, entry: Entry) -> None:
    """Carry the case forward, in place, by one entry."""
    at = time_from_text(entry.recorded_at)
    case.sequence = entry.sequence
    case.head = entry.leaf
    case.updated_at = at
    handler = _HANDLERS.get(entry.type)
    if handler is not None:
        handler(case, entry, at)
    if entry.state_after:
        case.version = entry.sequence
        if entry.state_after != case.state or case.entered_at is None:
            case.state = State(entry.state_after)
            case.entered_at = at


def _time(data: Mapping[str, Any], key: str) -> datetime | None:
    text = data.get(key)
    return None if text is None else time_from_text(text)


def _opened(case: Case, entry: Entry, at: datetime) -> None:
    data = entry.data
    case.id = entry.case
    case.number = data["number"]
    case.tenant = entry.tenant
    case.kind = Kind(data["kind"])
    case.entity = data["entity"]
    case.playbook = data["playbook"]
    case.recurrence = entry.recurrence
    case.opened_at = at
    case.facts = dict(data.get("facts", {}))
    for subject in data.get("identities", ()):
        case.identities[subject] = Identity(subject, sequence=entry.sequence, leaf=entry.leaf)
    case.links = (Link(data["previous"], "previous"),) if "previous" in data else ()
    _begin(case, entry, at)
    if case.facts or data.get("named"):
        # A fact can let a requirement fall away, and so can a user who is not named: it is a hand in the work (R4).
        _stays(case, entry.actor["id"])


def _stays(case: Case, *people: str) -> None:
    """Count people among the hands for good: users, facts and the playbook go on into the next recurrence."""
    case.lasting |= set(people)
    case.hands |= case.lasting


def _begin(case: Case, entry: Entry, at: datetime) -> None:
    """Start an occurrence: what was recorded before it counts no longer."""
    data, basis = entry.data, entry.basis
    case.recurrence = entry.recurrence
    fingerprint = data.get("fingerprint")
    if fingerprint:
        case.seen |= {fingerprint}
    case.evidence, case.acceptances, case.proposals, case.read, case.judged = {}, {}, {}, {}, {}
    case.request, case.approvals = None, ()
    case.hands = case.lasting
    case.resolution = None
    case.released_at = case.ended_at = None
    case.attempt = ended(case.attempt, at)
    case.restricted_at, case.boundary = _time(basis, "restricted_at"), _time(basis, "boundary")
    case.dated = bool(basis.get("dated"))
    if "status" in data:
        _read(case, entry, at)


def _read(case: Case, entry: Entry, at: datetime) -> None:
    """Take over what was read. A row without a time of reading proves no more than that the restriction had begun."""
    status = RestrictionStatus(entry.data["status"])
    observed_at = _time(entry.data, "observed_at") or _time(entry.data, "restricted_at") or at
    case.reading = Reading(status, observed_at, entry.sequence, entry.leaf)
    if status in {RestrictionStatus.LISTED, RestrictionStatus.TEMPORARY}:
        case.last_present = status
    if status is not RestrictionStatus.UNKNOWN:
        case.absent_at = observed_at if status is RestrictionStatus.NOT_LISTED else None


def _seen(case: Case, entry: Entry, at: datetime) -> None:
    basis = entry.basis
    fingerprint = entry.data.get("fingerprint")
    if fingerprint:
        case.seen |= {fingerprint}
    if "restricted_at" in basis:
        case.restricted_at = _time(basis, "restricted_at")
        case.boundary = case.restricted_at
        case.dated = bool(basis.get("dated"))
    if basis.get("reads"):
        _read(case, entry, at)


def _observed(case: Case, entry: Entry, at: datetime) -> None:
    basis = entry.basis
    if basis.get("stale"):
        return
    _read(case, entry, at)
    if "resolution" in basis:
        case.resolution = Resolution(basis["resolution"])
    if basis.get("ends_attempt"):
        case.attempt = ended(case.attempt, at)


def _recurred(case: Case, entry: Entry, at: datetime) -> None:
    """Begin anew; what was found not to hold of one occurrence is asked again for the next."""
    case.facts = {name: True for name, holds in case.facts.items() if holds}
    for subject, identity in case.identities.items():
        facts = tuple(item for item in identity.facts if item[1])
        case.identities[subject] = replace(identity, facts=facts)
    _begin(case, entry, at)


def _recorded(case: Case, entry: Entry, at: datetime) -> None:
    data = entry.data
    key = (data["prerequisite"], data.get("about", ""))
    observed_at = time_from_text(data["observed_at"])
    case.evidence[key] = Evidence(
        prerequisite=key[0],
        about=key[1],
        result=_RESULTS[data.get("result", "met")],
        method=_METHODS[data.get("method", "attested")],
        actor=entry.actor["id"],
        observed_at=observed_at,
        recorded_at=at,
        established_at=observed_at,
        sequence=entry.sequence,
        leaf=entry.leaf,
        reference=private_in(data, "reference"),
        note=private_in(data, "note"),
        before=private_in(data, "before"),
        after=private_in(data, "after"),
        attachment=data.get("attachment", ""),
        linked=tuple(data.get("linked", ())),
        tenant_entry=data.get("tenant_entry", ""),
        expires_at=_time(data, "expires_at"),
        attested_by=next(iter(data.get("attested_by", ())), ""),
    )
    _answered(case, key, case.evidence[key].result, data)
    if entry.basis.get("required"):
        case.hands |= {entry.actor["id"]}


def _answered(case: Case, key: tuple[str, str], result: Result, data: Mapping[str, Any]) -> None:
    """Keep what a check showed, and whether a person who saw it found it good."""
    if data.get("method") == Method.CHECKED:
        if result is Result.UNABLE_TO_VERIFY:
            return
        case.read[key] = private_in(data, "after").commitment
        if result is Result.NOT_MET:
            case.judged.pop(key, None)
    elif result in GOOD and case.read.get(key):
        case.judged[key] = case.read[key]
    else:
        case.judged.pop(key, None)


def _confirmed(case: Case, entry: Entry, at: datetime) -> None:
    key = (entry.data["prerequisite"], entry.data.get("about", ""))
    observed_at = time_from_text(entry.data["observed_at"])
    case.evidence[key] = standing = case.evidence[key]._replace(
        observed_at=observed_at,
        recorded_at=at,
        lapsed=False,
        tenant_entry=entry.data.get("tenant_entry", ""),
        expires_at=_time(entry.data, "expires_at"),
    )
    _answered(case, key, standing.result, entry.data)
    if entry.basis.get("required"):
        case.hands |= {entry.actor["id"]}


def _retracted(case: Case, entry: Entry, _at: datetime) -> None:
    key = (entry.data["prerequisite"], entry.data.get("about", ""))
    case.evidence.pop(key, None)
    case.acceptances.pop(key, None)
    case.judged.pop(key, None)


def _lapsed(case: Case, entry: Entry, _at: datetime) -> None:
    key = (entry.basis["prerequisite"], entry.basis["about"])
    case.evidence[key] = case.evidence[key]._replace(lapsed=True)


def _granted(case: Case, entry: Entry, at: datetime) -> None:
    basis = entry.basis
    key = (basis["prerequisite"], basis["about"])
    proposal = case.proposals.pop(entry.data["proposal"])
    case.acceptances[key] = Acceptance(
        prerequisite=key[0],
        about=key[1],
        asked_by=proposal.by,
        granted_by=entry.actor["id"],
        granted_at=at,
        expires_at=time_from_text(basis["expires_at"]),
        sequence=entry.sequence,
        leaf=entry.leaf,
        reason=private_in(proposal.data, "reason"),
        asked=proposal.sequence,
    )
    case.hands |= {entry.actor["id"], proposal.by}


def _exception_expired(case: Case, entry: Entry, _at: datetime) -> None:
    key = (entry.basis["prerequisite"], entry.basis["about"])
    case.acceptances[key] = replace(case.acceptances[key], expired=True)


def _proposed(case: Case, entry: Entry, at: datetime) -> None:
    key = entry.basis["proposal"]
    case.proposals[key] = Proposal(
        key, entry.action, entry.actor["id"], at, entry.sequence, entry.leaf, dict(entry.data)
    )
    if entry.basis.get("hands"):
        case.hands |= {entry.actor["id"]}


def _proposal_refused(case: Case, entry: Entry, _at: datetime) -> None:
    case.proposals.pop(entry.data["proposal"], None)


def _identified(case: Case, entry: Entry, _at: datetime) -> None:
    subject = entry.data["subject"]
    known = case.identities.get(subject, Identity(subject))
    facts = dict(known.facts) | entry.data.get("facts", {})
    had_roles = known.had_roles or facts.get(Condition.HAS_ROLES) is True
    case.identities[subject] = Identity(subject, tuple(sorted(facts.items())), entry.sequence, entry.leaf, had_roles)
    _stays(case, entry.actor["id"])


def _identity_removed(case: Case, entry: Entry, _at: datetime) -> None:
    proposal = case.proposals.pop(entry.data["proposal"])
    subject = entry.basis["subject"]
    case.identities.pop(subject, None)
    case.evidence = {key: value for key, value in case.evidence.items() if key[1] != subject}
    case.acceptances = {key: value for key, value in case.acceptances.items() if key[1] != subject}
    _stays(case, entry.actor["id"], proposal.by)


def _moved(case: Case, entry: Entry, _at: datetime) -> None:
    if "proposal" in entry.data:
        proposal = case.proposals.pop(entry.data["proposal"])
        _stays(case, entry.actor["id"], proposal.by)
    # The new playbook may require what the old one only recommended.
    case.hands |= {evidence.actor for evidence in case.evidence.values()}
    case.playbook = entry.basis["playbook"]


def _listed(case: Case, entry: Entry, _at: datetime) -> None:
    before = () if entry.basis["part"] == 1 else case.listing
    case.listing = (*before, entry.leaf)


def _ended(case: Case, entry: Entry, at: datetime) -> None:
    case.resolution = Resolution(entry.basis["resolution"])
    case.ended_at = at
    case.proposals = {}


def _erased(case: Case, _entry: Entry, at: datetime) -> None:
    case.erased_at = at
    case.proposals = {}


def _assigned(case: Case, entry: Entry, _at: datetime) -> None:
    case.assignee = entry.data["assignee"]


def _linked(case: Case, entry: Entry, _at: datetime) -> None:
    case.links += (Link(entry.data["case"], entry.data.get("relation", "related")),)


def _labelled(case: Case, entry: Entry, _at: datetime) -> None:
    case.labels = tuple(sorted(set(case.labels) - set(entry.data.get("remove", ())) | set(entry.data.get("add", ()))))


_HANDLERS: Mapping[str, Callable[[Case, Entry, datetime], None]] = {
    **UNBLOCKING,
    **CHANGING,
    EntryType.CASE_OPENED: _opened,
    EntryType.CASE_CLOSED: _ended,
    EntryType.CASE_DISMISSED: _ended,
    EntryType.CASE_REOPENED: _recurred,
    EntryType.CASE_ERASED: _erased,
    EntryType.CASE_ASSIGNED: _assigned,
    EntryType.CASE_LINKED: _linked,
    EntryType.CASE_LABELLED: _labelled,
    EntryType.RESTRICTION_SEEN: _seen,
    EntryType.RESTRICTION_OBSERVED: _observed,
    EntryType.RESTRICTION_RETURNED: _recurred,
    EntryType.IDENTITY_ADDED: _identified,
    EntryType.IDENTITY_REMOVED: _identity_removed,
    EntryType.EVIDENCE_RECORDED: _recorded,
    EntryType.EVIDENCE_CONFIRMED: _confirmed,
    EntryType.EVIDENCE_RETRACTED: _retracted,
    EntryType.EVIDENCE_LAPSED: _lapsed,
    EntryType.EVIDENCE_LISTED: _listed,
    EntryType.EXCEPTION_GRANTED: _granted,
    EntryType.EXCEPTION_EXPIRED: _exception_expired,
    EntryType.PROPOSAL_MADE: _proposed,
    EntryType.PROPOSAL_REFUSED: _proposal_refused,
    EntryType.PLAYBOOK_MOVED: _moved,
}
