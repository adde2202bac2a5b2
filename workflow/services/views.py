"""What people look at: a case, settled as of now, without writing anything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from workflow.domain import gate
from workflow.domain.history import fold
from workflow.domain.lifecycle import possible, settle
from workflow.domain.picture import LATE_AFTER, OVERDUE_AFTER, UNREVIEWED, broken_glass, lateness, next_due, waits_for
from workflow.domain.record import clamp, optional_time_to_text, time_from_text
from workflow.domain.restriction import AUTHORITATIVE
from workflow.domain.unblocking import known_by, refused_for_good
from workflow.domain.vocabulary import ENDED, REPORTS, Phase, State
from workflow.services import casework, guidance, linking, logbook, tenantwide
from workflow.services.history import until
from workflow.services.names import Names
from workflow.services.shapes import HOLDING, NO_LONGER, CaseView, PrerequisiteView
from workflow.storage import cases

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from workflow.app import App
    from workflow.domain.case import Case
    from workflow.domain.picture import Picture
    from workflow.domain.playbook import Playbook, Prerequisite
    from workflow.domain.record import Entry
    from workflow.storage.transaction import Tx


def case_view(app: App, reference: str, as_of: str | None = None) -> CaseView:
    """Return a case, settled now, or unsettled as it was at an entry (sequence) or a time.

    Raises:
        NotFoundError: no such case, or it did not exist then.
        InputError: ``as_of`` is neither a sequence nor a time, or the reference is ambiguous.
    """
    case_id = casework.find(app, reference)
    with app.database.reading() as tx:
        entries = cases.entries(tx, case_id)
        if as_of is None:
            at, _ = clamp(app.now(), time_from_text(entries[-1].recorded_at))
        else:
            entries = until(entries, as_of)
            at = time_from_text(entries[-1].recorded_at)
        return view_of(app, tx, entries, at, as_of)


def view_of(app: App, tx: Tx, entries: list[Entry], at: datetime, as_of: str | None) -> CaseView:
    """Draw the case that these entries tell, as it stands at a time; settled unless ``as_of`` says that it is past."""
    stored = fold(entries)
    case = stored.copy()
    playbook = app.playbook(tx, case.playbook)
    lapses = [] if as_of else settle(case, playbook, at)
    claimed = {entry.sequence: entry.actor["assurance"] == "claimed" for entry in entries}
    claimed |= tenantwide.claimed(tx, entries)
    by_entry = {entry.sequence: entry for entry in entries}
    told = _told(case, entries)
    names = Names(tx, _subjects(case), _commitments(case, entries[0], told))
    behind = {} if as_of else _linked_rows(tx, case)
    linked = None if as_of else linking.states(app, tx, case, playbook, behind)
    place = Place(app, case, playbook, names, claimed, at, linked, behind)
    due_at, due = next_due(case, playbook)
    intended_at = case.open_attempt.intended_at if case.open_attempt else None
    late, overdue, overdue_seconds = lateness(intended_at, due_at, at)
    phases = () if case.state in ENDED else (Phase.CONTAIN, Phase.VERIFY)
    open_items = gate.missing(case, playbook, phases, gate.gate_time(case, at), linked)
    rows = gate.evidence_set(case, playbook, gate.gate_time(case, at))
    return CaseView(
        id=case.id,
        number=case.number,
        tenant=case.tenant,
        kind=case.kind.value,
        entity=names.subject(case.entity),
        state=case.state.value,
        recurrence=case.recurrence,
        version=stored.version,
        sequence=stored.sequence,
        digest=gate.evidence_digest(case, rows),
        missing=list(dict.fromkeys(item.prerequisite for item in open_items)),
        assignee=names.subject(case.assignee),
        labels=list(case.labels),
        opened_at=optional_time_to_text(case.opened_at),
        updated_at=optional_time_to_text(stored.updated_at),
        due_at=optional_time_to_text(due_at),
        due=due,
        waits_for=waits_for(
            case.state,
            case.resolution or "",
            under_way=intended_at is not None,
            approved=len(case.approvals) >= playbook.approvals,
        ),
        late=late,
        overdue=overdue,
        overdue_seconds=overdue_seconds,
        resolution=case.resolution.value if case.resolution else None,
        restriction=case.reading.status.value,
        restricted_at=optional_time_to_text(case.restricted_at),
        requested_at=optional_time_to_text(case.request.at if case.request else None),
        intended_at=optional_time_to_text(intended_at),
        released_at=optional_time_to_text(case.released_at),
        ended_at=optional_time_to_text(case.ended_at),
        restriction_reading=_reading(case, names, by_entry, told),
        identities=[
            {"user": names.subject(item.subject), "facts": dict(item.facts)} for item in case.identities.values()
        ],
        facts=dict(case.facts),
        playbook=playbook.name,
        playbook_version=playbook.version,
        playbook_title=playbook.title,
        playbook_digest=playbook.digest,
        playbook_shipped=playbook.digest in logbook.shelf(tx).shipped,
        prerequisites=place.prerequisites(),
        request=place.request(),
        approvals=place.approvals(),
        approvals_needed=playbook.approvals,
        break_glass=[word for word in [broken_glass(case)] if word],
        break_glass_approvals=place.break_glass(),
        attempt=place.attempt(),
        attempts=case.attempts,
        proposals=place.proposals(),
        links=_links(tx, case),
        possible=[] if case.erased_at else list(possible(case.state, under_way=case.open_attempt is not None)),
        erased_at=optional_time_to_text(case.erased_at),
        as_of=as_of,
        lapsed_since=[str(record.basis["prerequisite"]) for record in lapses if "prerequisite" in record.basis],
    )


def _told(case: Case, entries: Sequence[Entry]) -> Entry:
    """Return what tells why it is restricted now: the newest report with a reason, a list's before any other's."""
    found = [
        ("reported" in entry.data, entry.data.get("source") in AUTHORITATIVE, entry.sequence)
        for entry in entries
        if entry.type in REPORTS and entry.recurrence == case.recurrence
    ]
    return entries[max(found)[-1] - 1] if found else entries[0]


def _reading(case: Case, names: Names, by_entry: Mapping[int, Entry], told: Entry) -> dict[str, Any]:
    """Draw what was last known of the restriction; what nobody gave a time of reading for was only reported."""
    known = by_entry[case.reading.sequence].data if case.reading.sequence else {}
    return {
        "status": case.reading.status.value,
        "observed_at": optional_time_to_text(case.reading.observed_at),
        "read": known.get("observed_at") is not None,
        "restricted_at": optional_time_to_text(case.restricted_at),
        "counts_from": optional_time_to_text(case.boundary),
        "source": told.data.get("source", "portal"),
        "reason": names.commitment(_commitment(told.data.get("reported"))),
        "name": names.commitment(_commitment(told.data.get("label") or by_entry[1].data.get("label"))),
    }


@dataclass(slots=True)
class Place:
    """Everything the parts of a view are drawn from."""

    app: App
    case: Case
    playbook: Playbook
    names: Names
    claimed: Mapping[int, bool]
    at: datetime
    linked: Mapping[str, State] | None
    behind: Mapping[str, Picture]

    def prerequisites(self) -> list[PrerequisiteView]:
        """Draw every prerequisite in playbook order, for everybody it is asked about, or was before a fact spoke."""
        answered = self.case.evidence.keys() | self.case.acceptances.keys()
        return [
            self._prerequisite(item, about)
            for item in self.playbook.prerequisites
            for about in gate.people(self.case, item) or ("",)
            if gate.applies(self.case, item, about) is not False or (item.id, about) in answered
        ]

    def _prerequisite(self, item: Prerequisite, about: str) -> PrerequisiteView:
        case, names = self.case, self.names
        at = gate.gate_time(case, self.at)
        reason = (
            gate.standing(case, self.playbook, item, about, at, self.linked)
            if about in gate.people(case, item)
            else gate.Reason.NO_IDENTITY
        )
        evidence = case.evidence.get((item.id, about))
        accepted = case.acceptances.get((item.id, about))
        ended = "record" not in possible(case.state)
        standing = reason.value if reason is not None else "held"
        if not item.required and evidence is not None and not evidence.lapsed:
            standing = "held"
        if gate.applies(case, item, about) is False:
            standing = NO_LONGER
        user = names.subject(about)
        counts = evidence if standing != NO_LONGER else None
        fresh_until = gate.lapses_at(item, counts) if counts is not None else None
        return PrerequisiteView(
            id=item.id,
            title=item.title,
            phase=item.required_by.value,
            required=item.required,
            about=user,
            conditions=gate.unsettled(case, item, about),
            standing=standing,
            result=evidence.result.value if evidence else ("exception" if accepted else ""),
            method=evidence.method.value if evidence else "",
            by=names.subject(evidence.attested_by or evidence.actor) if evidence else "",
            claimed=self.claimed.get(evidence.sequence, False) if evidence else False,
            observed_at=optional_time_to_text(evidence.observed_at) if evidence else None,
            recorded_at=optional_time_to_text(evidence.recorded_at) if evidence else None,
            fresh_until=optional_time_to_text(fresh_until),
            reference=names.text(evidence.reference) if evidence else "",
            note=names.text(evidence.note) if evidence else "",
            before=names.text(evidence.before) if evidence else "",
            after=names.text(evidence.after) if evidence else "",
            attachment=evidence.attachment if evidence else "",
            exception=None
            if accepted is None
            else {
                "asked_by": names.subject(accepted.asked_by),
                "granted_by": names.subject(accepted.granted_by),
                "asked_claimed": self.claimed.get(accepted.asked, False),
                "granted_claimed": self.claimed.get(accepted.sequence, False),
                "expires_at": optional_time_to_text(accepted.expires_at),
                "expired": accepted.expired,
                "reason": names.text(accepted.reason),
            },
            evidence=item.evidence,
            command="" if case.erased_at else guidance.command(item.command, case, names, user),
            portal="" if case.erased_at else guidance.portal(item.portal, case, names, user),
            role=item.role,
            trap=item.trap,
            who=guidance.suppliers(self.app),
            next=[] if standing in HOLDING or ended else self._next(item, user, reason),
        )

    def _next(self, item: Prerequisite, user: str, reason: gate.Reason | None) -> list[str]:
        """Return the command that helps: to record the step, or to see what the linked case behind it lacks."""
        lacking = [row.number for row in self.behind.values() if State(row.state) not in gate.CONTAINED_OR_BETTER]
        if reason is gate.Reason.LINKED_CASE_OPEN and lacking:
            return ["holdfast", "case", "prerequisites", str(lacking[0]), "--missing"]
        return guidance.next_command(self.case, item, user)

    def request(self) -> dict[str, Any] | None:
        """Draw the standing request."""
        request = self.case.request
        if request is None:
            return None
        return {
            "by": self.names.subject(request.by),
            "claimed": self.claimed.get(request.sequence, False),
            "at": optional_time_to_text(request.at),
            "reason": self.names.text(request.reason),
            "digest": request.digest,
            "sequence": request.sequence,
        }

    def approvals(self) -> list[dict[str, Any]]:
        """Draw the approvals that stand."""
        return [
            {
                "by": self.names.subject(item.by),
                "claimed": self.claimed.get(item.sequence, False),
                "at": optional_time_to_text(item.at),
                "expires_at": optional_time_to_text(item.expires_at),
                "reason": self.names.text(item.reason),
                "bulk": item.bulk,
                "break_glass": item.break_glass,
                "sequence": item.sequence,
            }
            for item in self.case.approvals
        ]

    def break_glass(self) -> list[dict[str, Any]]:
        """Draw every approval that broke the glass, of earlier recurrences too, with its review."""
        return [
            {
                "by": self.names.subject(item.by),
                "claimed": self.claimed.get(item.sequence, False),
                "at": optional_time_to_text(item.at),
                "recurrence": item.recurrence,
                "reason": self.names.text(item.reason),
                "sequence": item.sequence,
                "verdict": item.verdict.value if item.verdict else UNREVIEWED,
                "reviewed_by": self.names.subject(item.reviewed_by),
                "reviewed_claimed": self.claimed.get(item.reviewed, False),
                "reviewed_at": optional_time_to_text(item.reviewed_at),
                "finding": self.names.text(item.finding),
            }
            for item in self.case.glass
        ]

    def attempt(self) -> dict[str, Any] | None:
        """Draw the newest unblock attempt; late after one hour, overdue after 24 (Microsoft's own figures).

        ``known_by`` is when a connected tenant's audit log is sure to tell what came of a call without an answer.
        """
        attempt = self.case.attempt
        if attempt is None:
            return None
        age, is_open = self.at - attempt.intended_at, attempt.ended_at is None
        read = self.app.provider.acts and self.case.tenant == self.app.settings.tenant
        return {
            "by": self.names.subject(attempt.by),
            "claimed": self.claimed.get(attempt.sequence, False),
            "intended_at": optional_time_to_text(attempt.intended_at),
            "approved_at": optional_time_to_text(attempt.approved_at),
            "answer": attempt.answer.value if attempt.answer else None,
            "answered_at": optional_time_to_text(attempt.answered_at),
            "ended_at": optional_time_to_text(attempt.ended_at),
            "known_by": optional_time_to_text(known_by(attempt) if read else None),
            "refused_for_good": refused_for_good(self.case),
            "open": is_open,
            "age_seconds": int(age / timedelta(seconds=1)) if is_open else None,
            "late": is_open and age > LATE_AFTER,
            "overdue": is_open and age > OVERDUE_AFTER,
        }

    def proposals(self) -> list[dict[str, Any]]:
        """Draw what waits for a second person."""
        return [
            {
                "proposal": item.key,
                "kind": item.kind,
                "about": self.names.subject(str(item.data.get("about") or item.data.get("subject") or "")),
                "by": self.names.subject(item.by),
                "claimed": self.claimed.get(item.sequence, False),
                "at": optional_time_to_text(item.at),
                "until": item.data.get("expires_at"),
                "reason": self.names.commitment(_commitment(item.data.get("reason"))),
            }
            for item in self.case.proposals.values()
        ]


def _linked_rows(tx: Tx, case: Case) -> dict[str, Picture]:
    """Return the cases that evidence names, as they stand; the gate looks at them again at each decision."""
    wanted = {other for item in case.evidence.values() for other in item.linked}
    rows = {other: cases.row(tx, other) for other in sorted(wanted)}
    return {other: row for other, row in rows.items() if row is not None}


def _links(tx: Tx, case: Case) -> list[dict[str, Any]]:
    rows = [(link, cases.row(tx, link.case)) for link in case.links]
    return [
        {"id": link.case, "number": row.number if row else None, "relation": link.relation, "state": row and row.state}
        for link, row in rows
    ]


def _subjects(case: Case) -> set[str]:
    people = {case.entity, case.assignee, *case.identities, *case.hands}
    people |= {item.attested_by or item.actor for item in case.evidence.values()}
    people |= {person for item in case.acceptances.values() for person in (item.asked_by, item.granted_by)}
    people |= {str(item.data.get(key, "")) for item in case.proposals.values() for key in ("about", "subject")}
    people |= {item.by for item in case.proposals.values()} | {item.by for item in case.approvals}
    people |= {person for item in case.glass for person in (item.by, item.reviewed_by)}
    people |= {case.request.by} if case.request else set()
    people |= {case.attempt.by} if case.attempt else set()
    return people - {""}


def _commitments(case: Case, *reports: Entry) -> set[str]:
    found = {_commitment(report.data.get(name)) for report in reports for name in ("reported", "label")}
    for item in case.evidence.values():
        found |= {private.commitment for private in (item.reference, item.note, item.before, item.after)}
    found |= {item.reason.commitment for item in case.acceptances.values()}
    found |= {item.reason.commitment for item in case.approvals}
    found |= {private.commitment for item in case.glass for private in (item.reason, item.finding)}
    found |= {_commitment(item.data.get("reason")) for item in case.proposals.values()}
    if case.request is not None:
        found.add(case.request.reason.commitment)
    return found - {""}


def _commitment(value: object) -> str:
    return str(value.get("commitment", "")) if isinstance(value, dict) else ""
