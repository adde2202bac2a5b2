"""What people and automation can do to a case: one frozen dataclass per verb.

A new verb is one class here, its trigger in ``lifecycle`` and its branch in ``facts`` or ``decisions``. Free text is
:class:`~workflow.domain.private.Private`; people, users and cases are opaque ids. An entry keeps the action's inputs
(:mod:`~workflow.domain.encoding`), so that replay can judge the very same action again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from workflow.domain.private import NOTHING, Private
from workflow.domain.restriction import Source
from workflow.domain.vocabulary import (
    Alteration,
    Answer,
    Change,
    Kind,
    Made,
    Method,
    Resolution,
    RestrictionStatus,
    Result,
    Verdict,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Base of every action; ``name`` is the imperative that entries carry."""

    name: ClassVar[str] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision(Action):
    """An action that carries the picture its author saw; None means nothing was shown."""

    seen_version: int | None = None
    seen_digest: str = ""
    reason: Private = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCase(Action):
    """Take in a restriction, or a compromised identity by hand, as a new case.

    ``named`` says that whoever opens it named the compromised users, instead of the restricted mailbox's own.
    """

    name: ClassVar[str] = "open"
    number: int
    tenant: str
    kind: Kind
    entity: str
    playbook: str
    status: RestrictionStatus = RestrictionStatus.UNKNOWN
    source: Source = Source.PORTAL
    restricted_at: datetime | None = None
    observed_at: datetime | None = None
    reported: Private = NOTHING
    label: Private = NOTHING
    identities: tuple[str, ...] = ()
    named: bool = False
    facts: Mapping[str, bool] = field(default_factory=dict)
    previous: str = ""
    fingerprint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRestriction(Action):
    """Report a restriction that this case may already know; ``reading``: a row of a list taken at ``observed_at``."""

    name: ClassVar[str] = "report"
    status: RestrictionStatus
    source: Source
    restricted_at: datetime | None = None
    observed_at: datetime | None = None
    reported: Private = NOTHING
    fingerprint: str = ""
    reading: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ObserveRestriction(Action):
    """Record a reading of the restriction, or a person's attestation of one."""

    name: ClassVar[str] = "observe"
    status: RestrictionStatus
    observed_at: datetime
    method: Method = Method.ATTESTED
    reference: Private = NOTHING
    lifted_by: Private = NOTHING
    lifted_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordEvidence(Action):
    """Answer one prerequisite, about one person where it is asked per person.

    An answer that was recorded once for the whole tenant names the leaf hash of that entry, until when it counts, and
    by whom it was attested: the person, then the accounts that are theirs.
    """

    name: ClassVar[str] = "record"
    prerequisite: str
    about: str = ""
    result: Result = Result.MET
    method: Method = Method.ATTESTED
    observed_at: datetime
    reference: Private = NOTHING
    note: Private = NOTHING
    before: Private = NOTHING
    after: Private = NOTHING
    attachment: str = ""
    file: Private = NOTHING
    linked: tuple[str, ...] = ()
    tenant_entry: str = ""
    expires_at: datetime | None = None
    attested_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RetractEvidence(Action):
    """Take an answer back; ``tenant_entry`` is the leaf of the entry that took the tenant's record back, if it did."""

    name: ClassVar[str] = "retract"
    prerequisite: str
    about: str = ""
    reason: Private = NOTHING
    tenant_entry: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskException(Action):
    """Ask that the risk of one prerequisite be accepted until a time."""

    name: ClassVar[str] = "except"
    prerequisite: str
    about: str = ""
    expires_at: datetime
    reason: Private = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmProposal(Decision):
    """Be the second person for an exception, a dismissal, a playbook move, the removal of an identity or an erasure.

    ``retention`` and ``linked`` belong to an erasure, as in :class:`EraseCase`.
    """

    name: ClassVar[str] = "confirm"
    proposal: str
    retention: int = 0
    linked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RefuseProposal(Action):
    """Turn down, or take back, what was proposed."""

    name: ClassVar[str] = "refuse"
    proposal: str
    reason: Private = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignCase(Action):
    """Give the case to a person ("" gives it back to the queue)."""

    name: ClassVar[str] = "assign"
    assignee: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AddNote(Action):
    """Write down something that moves nothing."""

    name: ClassVar[str] = "note"
    note: Private


@dataclass(frozen=True, slots=True, kw_only=True)
class AddIdentity(Action):
    """Name a compromised user behind the entity, or say more about one: synced, federated, with roles."""

    name: ClassVar[str] = "identify"
    subject: str
    facts: Mapping[str, bool] = field(default_factory=dict)
    reference: Private = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveIdentity(Action):
    """Propose that a user was not compromised after all; a second person confirms."""

    name: ClassVar[str] = "remove-identity"
    subject: str
    reason: Private = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkCase(Action):
    """Link another case, for instance the admin's behind a connector."""

    name: ClassVar[str] = "link"
    case: str
    relation: str = "related"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelCase(Action):
    """Add and remove labels: tokens that stand in the entry as they are, and never personal data."""

    name: ClassVar[str] = "label"
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MovePlaybook(Action):
    """Move the case to another playbook or version; needs two people when requirements fall away (R8)."""

    name: ClassVar[str] = "playbook"
    playbook: str
    reason: Private = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestUnblock(Decision):
    """Ask that the entity be unblocked, standing on the evidence recorded now."""

    name: ClassVar[str] = "request-unblock"


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawRequest(Decision):
    """Take one's own request back, until the intent."""

    name: ClassVar[str] = "withdraw"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproveUnblock(Decision):
    """Approve the standing request on the evidence it cites (R4).

    ``bulk`` says how many cases are approved together with one look; 0 for a case approved alone. ``break_glass`` lets
    it stand in for a second person's (see ``glass``).
    """

    name: ClassVar[str] = "approve"
    bulk: int = 0
    break_glass: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewApproval(Decision):
    """Say afterwards, as somebody else, whether breaking the glass was justified."""

    name: ClassVar[str] = "review"
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectRequest(Decision):
    """Turn the request down, or take an approval back, until the intent."""

    name: ClassVar[str] = "reject"


@dataclass(frozen=True, slots=True, kw_only=True)
class IntendUnblock(Decision):
    """Record the intent to unblock now; consumes the approvals (R6).

    ``by_call`` says that Holdfast calls the tenant itself, where its call carries the intent's key into the audit log.
    """

    name: ClassVar[str] = "unblock"
    by_call: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordAnswer(Action):
    """Record what Microsoft answered to the open attempt. *Done* is believed only when observed."""

    name: ClassVar[str] = "answer"
    answer: Answer
    reference: Private = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class IntendChange(Action):
    """Record the intent to change the tenant now (R6); ``undoes`` is the sequence of the change it takes back.

    ``target`` is what is changed, so that it can be given back.
    """

    name: ClassVar[str] = "change"
    change: Change
    about: str = ""
    target: Private = NOTHING
    undoes: int = 0
    reason: Private = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerChange(Action):
    """Record what came of the change intended at that sequence, or of what it had removed."""

    name: ClassVar[str] = "answer-change"
    intent: int
    made: Made
    method: Method = Method.CHECKED
    reference: Private = NOTHING
    reason: Private = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class SeeChange(Action):
    """Record what the tenant's own log shows was done to an account of the case, and no intent of ours explains.

    ``accounts`` are the subjects of the case that are this account: its mailbox, its user, or both. ``own`` says that
    it was done under the name that Holdfast itself goes by there. ``fingerprint`` (64 hex digits) is of the record.
    """

    name: ClassVar[str] = "see-change"
    alteration: Alteration
    accounts: tuple[str, ...]
    altered_at: datetime
    fingerprint: str
    own: bool = False
    done_by: Private = NOTHING
    reference: Private = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseCase(Decision):
    """End the case after its watch, or because the restriction ended by itself and the work is complete."""

    name: ClassVar[str] = "close"
    resolution: Resolution | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DismissCase(Decision):
    """Propose to end the case without a release: a duplicate, or no compromise and nothing restricted."""

    name: ClassVar[str] = "dismiss"
    resolution: Resolution
    duplicate_of: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReopenCase(Decision):
    """Open an ended case again, as its next recurrence."""

    name: ClassVar[str] = "reopen"


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseCase(Decision):
    """Propose to erase names, texts and files of an ended case; a second person confirms.

    ``retention`` is how many seconds an ended case is kept for audits, ``linked`` are open cases about the same
    mailbox or user. Both are filled in under the lock, whatever a face says.
    """

    name: ClassVar[str] = "erase"
    retention: int = 0
    linked: tuple[str, ...] = ()


ACTIONS: Mapping[str, type[Action]] = {
    kind.name: kind
    for kind in (
        *(OpenCase, ReportRestriction, ObserveRestriction, RecordEvidence, RetractEvidence, AskException),
        *(ConfirmProposal, RefuseProposal, AssignCase, AddNote, AddIdentity, RemoveIdentity, LinkCase, LabelCase),
        *(MovePlaybook, RequestUnblock, WithdrawRequest, ApproveUnblock, ReviewApproval, RejectRequest),
        *(IntendUnblock, RecordAnswer, IntendChange, AnswerChange, SeeChange, CloseCase, DismissCase, ReopenCase),
        EraseCase,
    )
}
"""Every action by the name that entries carry."""
