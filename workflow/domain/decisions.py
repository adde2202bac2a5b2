"""Judging what people decide: request, approve, reject, withdraw, unblock, close, dismiss, reopen, move playbook.

The state machine has said that the step is legal from here; these functions check who takes it and on what picture, and
make its records.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.domain import access, changes, facts, gate, glass, readings
from workflow.domain import actions as act
from workflow.domain.playbook import Team
from workflow.domain.record import Record, time_for_people, time_to_text
from workflow.domain.unblocking import known_by
from workflow.domain.vocabulary import (
    Answer,
    EntryType,
    Kind,
    Phase,
    Resolution,
    RestrictionStatus,
    Role,
    State,
)
from workflow.errors import (
    ConflictError,
    GateClosedError,
    InputError,
    NotFoundError,
    NotPermittedError,
    PendingError,
    RuleRefusedError,
    SamePersonError,
    WrongStateError,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workflow.domain.case import Case, Proposal
    from workflow.domain.scene import Scene

LARGEST_LISTING = 2_800
"""Characters of evidence rows in one ``evidence:listed`` entry, so that it stays under the 4 KiB an entry may have."""
MOST_NAMED = 40
"""Prerequisites that one entry names one by one."""
MOST_CITED = 30
"""Listings that a decision cites one by one. Of a longer list it cites the last, which ``prev`` binds to the others."""


def same_picture(action: act.Decision, scene: Scene, version_before: int) -> None:
    """Refuse a decision taken on a picture that is no longer the case's.

    Raises:
        ConflictError: the version or the evidence digest its author saw is not the present one.
    """
    if action.seen_version is not None and action.seen_version != version_before:
        message = f"The case moved on: you saw version {action.seen_version}, it is now {version_before}. Look again."
        raise ConflictError(message)
    if action.seen_digest and action.seen_digest != scene.digest():
        message = "The evidence changed since you looked. Look again, then decide."
        raise ConflictError(message)


def not_pending(scene: Scene) -> None:
    """Refuse to approve or start an unblock that is under way; repeating changes nothing.

    Raises:
        PendingError: since when it is pending.
    """
    attempt = scene.case.open_attempt
    if attempt is not None:
        since = time_for_people(attempt.intended_at)
        message = f"The unblock of case #{scene.case.number} is pending since {since}; nothing was changed."
        until = known_by(attempt)
        if until is not None:
            message += (
                " No answer to it is recorded, so that it may have been carried out, and Microsoft counts unblocks: a "
                f"connected tenant's audit log is sure to tell by {time_for_people(until)}."
            )
        raise PendingError(message)


def standing_proposal(scene: Scene, key: str) -> Proposal:
    """Return what was proposed.

    Raises:
        NotFoundError: nothing of that name waits for a second person.
    """
    proposal = scene.case.proposals.get(key)
    if proposal is None:
        waiting = ", ".join(scene.case.proposals) or "nothing"
        message = f"Nothing called {key!r} waits for a second person here (waiting: {waiting})."
        raise NotFoundError(message)
    return proposal


def proposal_refused(action: act.RefuseProposal, scene: Scene) -> list[Record]:
    """Take one's own proposal back, or turn another's down as an approver."""
    proposal = standing_proposal(scene, action.proposal)
    if proposal.by != scene.actor.id and not access.SECOND.intersection(scene.actor.roles):
        message = "Another person's proposal is turned down by an approver or a lead."
        raise NotPermittedError(message, access.names(access.SECOND))
    return [scene.record(EntryType.PROPOSAL_REFUSED, action, after=scene.case.state)]


def requested(action: act.RequestUnblock, scene: Scene) -> list[Record]:
    """List the evidence the request stands on, then the request that cites its digest.

    Raises:
        RuleRefusedError: there is nothing to unblock.
        OldReadingsError: a provider's reading is not recent.
    """
    case = scene.case
    if case.absent_at is not None:
        message = "The restriction was observed gone, so there is nothing to unblock: close the case."
        raise RuleRefusedError(message)
    if case.kind is Kind.USER and case.last_present is RestrictionStatus.UNKNOWN:
        message = "No restriction of this user is known, so there is nothing to unblock: close the case when verified."
        raise RuleRefusedError(message)
    readings.all_recent(scene)
    rows = scene.evidence_set()
    digest = gate.evidence_digest(scene.case, rows)
    parts = _parts(rows)
    records = [
        Record(
            type=EntryType.EVIDENCE_LISTED,
            actor=scene.actor,
            state_before=scene.case.state.value,
            state_after="",
            recurrence=scene.case.recurrence,
            basis={"digest": digest, "part": number, "parts": len(parts), "rows": part},
            playbook=scene.case.playbook,
        )
        for number, part in enumerate(parts, start=1)
    ]
    basis = {"digest": digest, **linked_states(scene)}
    return [
        *records,
        scene.record(EntryType.UNBLOCK_REQUESTED, action, after=State.UNBLOCK_REQUESTED, basis=basis),
    ]


def _parts(rows: list[list[str]]) -> list[list[list[str]]]:
    """Divide the rows so that each part fits an entry; quotation marks, commas and brackets count as well."""
    parts: list[list[list[str]]] = [[]]
    room = LARGEST_LISTING
    for row in rows:
        size = sum(map(len, row)) + 3 * len(row) + 2
        if size > room and parts[-1]:
            parts.append([])
            room = LARGEST_LISTING
        parts[-1].append(row)
        room -= size
    return parts


def linked_states(scene: Scene, *others: str) -> dict[str, object]:
    """Keep which state the linked cases were in that evidence (or ``others``) names, so that replay judges alike."""
    if scene.linked is None:
        return {}
    named = {*others, *(other for item in scene.case.evidence.values() for other in item.linked)}
    states = {other: scene.linked[other].value for other in sorted(named) if other in scene.linked}
    return {"linked": states} if named else {}


def approved(action: act.ApproveUnblock, scene: Scene) -> list[Record]:
    """Approve the standing request; the approval binds to its digest and lapses after ``approval_within``."""
    case = scene.case
    assert case.request is not None  # noqa: S101 - the machine lets nobody approve without a request
    if Role.SYSTEM in scene.actor.roles:
        message = "Automation never approves."
        raise SamePersonError(message, access.names(access.SECOND))
    if action.bulk < 0:
        message = "A bulk approval says how many cases are approved together."
        raise InputError(message)
    setting = ""
    if action.break_glass:
        setting = glass.broken(action, scene)
    else:
        access.may_approve(case, scene.actor, other_team=scene.playbook.approval_team is Team.OTHER)
    readings.all_recent(scene)
    expires_at = time_to_text(scene.now + scene.playbook.approval_within)
    basis = {"digest": case.request.digest, "expires_at": expires_at, **linked_states(scene)}
    if setting:
        basis["setting"] = setting
    cites = (*_listing(case), case.request.leaf, setting)
    return [scene.record(EntryType.UNBLOCK_APPROVED, action, after=case.state, basis=basis, cites=cites)]


def _listing(case: Case) -> tuple[str, ...]:
    return case.listing if len(case.listing) <= MOST_CITED else case.listing[-1:]


def ended_request(action: act.WithdrawRequest | act.RejectRequest, scene: Scene) -> list[Record]:
    """Withdraw one's own request, or reject somebody's; impossible once the intent is recorded."""
    case = scene.case
    if case.open_attempt is not None:
        message = "The unblock has been started: record its outcome instead ('holdfast case unblock --outcome')."
        raise WrongStateError(message, possible=("answer", "observe"))
    assert case.request is not None  # noqa: S101 - unblock_requested without an attempt has a request
    if isinstance(action, act.WithdrawRequest):
        if scene.actor.id != case.request.by and Role.LEAD not in scene.actor.roles:
            message = "Only the requester (or a lead) withdraws a request; an approver rejects it."
            raise SamePersonError(message, (Role.LEAD.value,))
        return [scene.record(EntryType.UNBLOCK_WITHDRAWN, action, after=scene.state, basis=linked_states(scene))]
    facts.need_reason(action.reason, "a rejection")
    basis, cites = linked_states(scene), (case.request.leaf,)
    return [scene.record(EntryType.UNBLOCK_REJECTED, action, after=scene.state, basis=basis, cites=cites)]


def intended(action: act.IntendUnblock, scene: Scene) -> list[Record]:
    """Record the intent to unblock, which consumes the approvals (R6).

    Raises:
        RuleRefusedError: approvals are missing.
        OldReadingsError: a provider's reading is not recent.
    """
    case = scene.case
    need, have = scene.playbook.approvals, len(case.approvals)
    if have < need:
        message = f"This unblock has {have} of {need} approvals; another person approves with 'holdfast case approve'."
        raise RuleRefusedError(message, access.names(access.SECOND))
    readings.all_recent(scene)
    assert case.request is not None  # noqa: S101 - the machine lets nobody unblock without a request
    basis = {
        "digest": case.request.digest,
        "approved_at": time_to_text(max(item.at for item in case.approvals)),
        **linked_states(scene),
    }
    cites = (*_listing(case), case.request.leaf, *(item.leaf for item in case.approvals))
    return [scene.record(EntryType.UNBLOCK_INTENDED, action, after=case.state, basis=basis, cites=cites)]


def answered(action: act.RecordAnswer, scene: Scene) -> list[Record]:
    """Record Microsoft's answer. *Done* changes nothing yet; *failed* and *support* end the attempt."""
    case = scene.case
    if case.open_attempt is None:
        message = "No unblock is under way, so there is no answer to record."
        raise WrongStateError(message, possible=("approve", "unblock"))
    after = case.state if action.answer is Answer.DONE else scene.state
    cites, basis = (case.open_attempt.leaf,), {} if action.answer is Answer.DONE else linked_states(scene)
    return [scene.record(EntryType.UNBLOCK_ANSWERED, action, after=after, basis=basis, cites=cites)]


def closed(action: act.CloseCase, scene: Scene) -> list[Record]:
    """End the case: after its watch, or verified with the restriction gone by itself (or nothing to release).

    Raises:
        ReviewOwedError: an approval broke the glass, and nobody else has said whether that was justified.
        RestoreOwedError: what containment removed is neither given back nor deliberately left out.
        GateClosedError: required steps do not hold or recommended ones are unanswered.
        RuleRefusedError: the watch still runs, or the restriction is still there.
    """
    case = scene.case
    glass.no_review_owed(case)
    changes.nothing_owed(case)
    resolution = case.resolution
    if case.state is State.RELEASED:
        assert case.released_at is not None  # noqa: S101 - a released case has the time of its release
        until = case.released_at + scene.playbook.watch_within
        if scene.now < until:
            message = f"The watch after the release runs until {time_for_people(until)}; close the case then."
            raise RuleRefusedError(message)
    else:
        resolution = _resolution_without_release(action, scene)
    missing = (*scene.missing(*Phase), *gate.unanswered(case, scene.playbook))
    if missing:
        message = "Before the case closes, these are to be answered: " + ", ".join(
            dict.fromkeys(item.prerequisite for item in missing)
        )
        raise GateClosedError(message, missing)
    assert resolution is not None  # noqa: S101 - a release sets one, and so does every other way out
    return [scene.record(EntryType.CASE_CLOSED, action, after=State.CLOSED, basis={"resolution": resolution.value})]


def _resolution_without_release(action: act.CloseCase, scene: Scene) -> Resolution:
    case = scene.case
    if case.reading.status is RestrictionStatus.NOT_LISTED and case.resolution is not None:
        return case.resolution
    if case.kind is Kind.USER and case.last_present is RestrictionStatus.UNKNOWN:
        resolution = action.resolution or Resolution.NOT_UNBLOCKED
        if resolution not in ENDINGS:
            message = f"A user's case is closed as one of: {', '.join(item.value for item in ENDINGS)}."
            raise InputError(message)
        return resolution
    if action.resolution is Resolution.NOT_UNBLOCKED:
        facts.need_reason(action.reason, "leaving the entity restricted")
        return action.resolution
    message = (
        "The restriction is not known to be gone: record a reading ('holdfast case observe'), request the unblock, or "
        "close with --resolution not_unblocked to leave the entity restricted for good."
    )
    raise RuleRefusedError(message)


ENDINGS = (Resolution.NOT_UNBLOCKED, Resolution.EXPECTED_ACTIVITY, Resolution.FALSE_POSITIVE)
DISMISSALS = (Resolution.DUPLICATE, Resolution.FALSE_POSITIVE, Resolution.EXPECTED_ACTIVITY)


def dismissal_proposed(action: act.DismissCase, scene: Scene) -> list[Record]:
    """Propose a dismissal; a second person confirms it."""
    facts.not_waiting(scene, "dismissal")
    facts.need_reason(action.reason, "a dismissal")
    _may_dismiss(action, scene)
    basis = {"proposal": "dismissal", "hands": False}
    return [scene.record(EntryType.PROPOSAL_MADE, action, after=scene.case.state, basis=basis)]


def _may_dismiss(action: act.DismissCase, scene: Scene) -> None:
    case = scene.case
    glass.no_review_owed(case)
    changes.nothing_owed(case)
    if action.resolution not in DISMISSALS:
        message = f"A dismissal is one of: {', '.join(item.value for item in DISMISSALS)}."
        raise InputError(message)
    if action.resolution is Resolution.DUPLICATE:
        if not action.duplicate_of or action.duplicate_of == case.id:
            message = "A duplicate names the other case (--of CASE)."
            raise InputError(message)
        return
    never_restricted = case.kind is Kind.USER and case.last_present is RestrictionStatus.UNKNOWN
    if not never_restricted and case.reading.status is not RestrictionStatus.NOT_LISTED:
        message = (
            "The entity may still be restricted, so the case is not dismissed: move it to the playbook "
            "'legitimate-bulk-sender' and release it, or record a reading that shows the restriction gone."
        )
        raise RuleRefusedError(message)


def dismissed(action: act.ConfirmProposal, scene: Scene, proposed: act.DismissCase) -> list[Record]:
    """Confirm a dismissal that still is possible."""
    _may_dismiss(proposed, scene)
    basis = {"resolution": proposed.resolution.value}
    return [scene.record(EntryType.CASE_DISMISSED, action, after=State.DISMISSED, basis=basis)]


def reopened(action: act.ReopenCase, scene: Scene) -> list[Record]:
    """Open an ended case again as its next recurrence; evidence starts anew."""
    facts.need_reason(action.reason, "reopening")
    case = scene.case
    basis: dict[str, object] = {"boundary": time_to_text(case.boundary or scene.now)}
    if case.restricted_at is not None:
        basis |= {"restricted_at": time_to_text(case.restricted_at), "dated": case.dated}
    return [facts.again(action, scene, EntryType.CASE_REOPENED, basis)]


def shortened(names: Iterable[str]) -> list[str]:
    """Return the names without repetition, cut so that they fit an entry; the last element then counts the rest."""
    distinct = list(dict.fromkeys(names))
    rest = len(distinct) - MOST_NAMED
    return distinct if rest <= 0 else [*distinct[:MOST_NAMED], f"and {rest} more"]
