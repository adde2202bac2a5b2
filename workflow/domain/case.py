"""A case as its entries tell it. Built and changed by ``history`` alone; everyone else reads."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from workflow.domain.private import NOTHING, Private
from workflow.domain.vocabulary import REMOVALS, Kind, Made, RestrictionStatus, State, Verdict

if TYPE_CHECKING:
    from datetime import datetime

    from workflow.domain.vocabulary import Alteration, Answer, Change, Method, Resolution, Result


class Evidence(NamedTuple):
    """The answer that stands for one prerequisite, about one person ("" for the entity).

    A tuple because folding a case builds dozens of them on the hot path.

    ``established_*`` name the entry that first said this result and value; ``observed_at`` moves with every
    confirmation. ``lapsed`` is set when its freshness ran out. ``tenant_entry`` and ``expires_at`` are set where it was
    recorded once for the whole tenant, by the person ``attested_by``.
    """

    prerequisite: str
    about: str
    result: Result
    method: Method
    actor: str
    observed_at: datetime
    recorded_at: datetime
    established_at: datetime
    sequence: int
    leaf: str
    reference: Private
    note: Private
    before: Private
    after: Private
    attachment: str
    linked: tuple[str, ...] = ()
    lapsed: bool = False
    tenant_entry: str = ""
    expires_at: datetime | None = None
    attested_by: str = ""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A granted exception: the risk of one prerequisite, accepted until a time.

    ``asked`` and ``sequence`` are the sequences of the entries that asked for it and granted it.
    """

    prerequisite: str
    about: str
    asked_by: str
    granted_by: str
    granted_at: datetime
    expires_at: datetime
    sequence: int
    leaf: str
    reason: Private
    asked: int = 0
    expired: bool = False


@dataclass(frozen=True, slots=True)
class Identity:
    """A compromised user behind the restricted entity, and what is known about the account.

    ``had_roles`` says that it was once recorded with administrator roles, whatever was said of it since.
    """

    subject: str
    facts: tuple[tuple[str, bool], ...] = ()
    sequence: int = 0
    leaf: str = ""
    had_roles: bool = False


@dataclass(frozen=True, slots=True)
class Proposal:
    """Something asked for by one person that needs a second: an exception, a dismissal, a move, a removal."""

    key: str
    kind: str
    by: str
    at: datetime
    sequence: int
    leaf: str
    data: dict[str, object]


@dataclass(frozen=True, slots=True)
class Request:
    """An unblock request, bound to the evidence digest its author saw."""

    by: str
    team: str
    at: datetime
    digest: str
    sequence: int
    leaf: str
    reason: Private


@dataclass(frozen=True, slots=True)
class Approval:
    """One approval of the standing request, bound to the same digest.

    ``bulk`` says how many cases were approved together with one look; 0 for a case approved alone. ``break_glass`` says
    that it stands in for a second person's.
    """

    by: str
    team: str
    at: datetime
    expires_at: datetime
    digest: str
    sequence: int
    leaf: str
    reason: Private
    bulk: int = 0
    break_glass: bool = False


@dataclass(frozen=True, slots=True)
class BrokenGlass:
    """An approval that stood in for a second person's, and what somebody else found about it afterwards.

    ``sequence`` is the approval's, ``reviewed`` that of the review (0 until then).
    """

    by: str
    at: datetime
    recurrence: int
    sequence: int
    leaf: str
    reason: Private
    reviewed: int = 0
    reviewed_by: str = ""
    reviewed_at: datetime | None = None
    verdict: Verdict | None = None
    finding: Private = NOTHING


@dataclass(frozen=True, slots=True)
class Attempt:
    """An unblock intent and what came of it. ``ended_at`` None means it is still open."""

    by: str
    intended_at: datetime
    approved_at: datetime
    digest: str
    sequence: int
    leaf: str
    answer: Answer | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TenantChange:
    """A change of the tenant, from its intent on. ``made`` is None while nobody knows what came of it.

    ``made_at`` is when that was recorded. ``undoes`` is the sequence of the change that this one takes back; ``ending``
    says what became of what was removed: restored, left, or None while it is owed.
    """

    change: Change
    about: str
    by: str
    at: datetime
    sequence: int
    leaf: str
    target: Private
    undoes: int = 0
    made: Made | None = None
    made_at: datetime | None = None
    ending: Made | None = None

    @property
    def owed(self) -> bool:
        """Whether it removed something, or may have, that was neither given back nor deliberately left out."""
        removed = self.change in REMOVALS and self.made in {Made.DONE, Made.UNSEEN}
        return removed and not self.undoes and self.ending is None


class SeenChange(NamedTuple):
    """What somebody else did to an account of the case, as the tenant's log showed it: what, when, to which subjects.

    ``sequence`` is that of the entry that tells of it, recorded at ``seen_at``.
    """

    alteration: Alteration
    at: datetime
    accounts: tuple[str, ...]
    sequence: int
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Reading:
    """What was last observed about the restriction, and when."""

    status: RestrictionStatus = RestrictionStatus.UNKNOWN
    observed_at: datetime | None = None
    sequence: int = 0
    leaf: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """Another case this one belongs to, and how."""

    case: str
    relation: str


@dataclass(slots=True)
class Case:
    """The fold of a case's entries.

    ``sequence`` counts all entries, ``version`` is the sequence of the last state-bearing one (R9), ``head`` the leaf
    hash of the newest. ``hands`` are the people whose work the gate stands on in this recurrence (R4), ``lasting``
    those of them whose word outlasts it, as users, facts and the playbook do. ``boundary`` is the restriction's own
    time or, while nobody knows it, the time of the first report: evidence observed earlier does not count (R7).
    ``dated`` says that an authoritative source gave ``restricted_at``. ``read`` is, by prerequisite and user, the
    commitment of the value that a check showed last, and ``judged`` that of the value that a person found good when a
    check had shown it; another value read, and a retraction, end it. ``altered`` is, by the fingerprint of the log's
    record, what others did to its accounts.
    """

    id: str = ""
    number: int = 0
    tenant: str = ""
    kind: Kind = Kind.MAILBOX
    entity: str = ""
    facts: dict[str, bool] = field(default_factory=dict)
    state: State = State.DETECTED
    recurrence: int = 0
    sequence: int = 0
    version: int = 0
    head: str = ""
    playbook: str = ""
    opened_at: datetime | None = None
    updated_at: datetime | None = None
    restricted_at: datetime | None = None
    dated: bool = False
    boundary: datetime | None = None
    entered_at: datetime | None = None
    reading: Reading = field(default_factory=Reading)
    last_present: RestrictionStatus = RestrictionStatus.UNKNOWN
    absent_at: datetime | None = None
    resolution: Resolution | None = None
    identities: dict[str, Identity] = field(default_factory=dict)
    evidence: dict[tuple[str, str], Evidence] = field(default_factory=dict)
    acceptances: dict[tuple[str, str], Acceptance] = field(default_factory=dict)
    proposals: dict[str, Proposal] = field(default_factory=dict)
    read: dict[tuple[str, str], str] = field(default_factory=dict)
    judged: dict[tuple[str, str], str] = field(default_factory=dict)
    listing: tuple[str, ...] = ()
    request: Request | None = None
    approvals: tuple[Approval, ...] = ()
    glass: tuple[BrokenGlass, ...] = ()
    attempt: Attempt | None = None
    attempts: int = 0
    released_at: datetime | None = None
    ended_at: datetime | None = None
    erased_at: datetime | None = None
    hands: frozenset[str] = frozenset()
    lasting: frozenset[str] = frozenset()
    assignee: str = ""
    changes: dict[int, TenantChange] = field(default_factory=dict)
    altered: dict[str, SeenChange] = field(default_factory=dict)
    links: tuple[Link, ...] = ()
    labels: tuple[str, ...] = ()
    seen: frozenset[str] = frozenset()

    def copy(self) -> Case:
        """Return a case that can be carried forward without changing this one."""
        other = Case(*_values(self))
        other.facts = dict(self.facts)
        other.identities = dict(self.identities)
        other.evidence = dict(self.evidence)
        other.acceptances = dict(self.acceptances)
        other.proposals = dict(self.proposals)
        other.read = dict(self.read)
        other.judged = dict(self.judged)
        other.changes = dict(self.changes)
        other.altered = dict(self.altered)
        return other

    @property
    def unreviewed(self) -> tuple[BrokenGlass, ...]:
        """The approvals that broke the glass and that nobody has reviewed."""
        return tuple(item for item in self.glass if item.verdict is None)

    @property
    def open_attempt(self) -> Attempt | None:
        """The unblock attempt under way, if there is one."""
        return self.attempt if self.attempt is not None and self.attempt.ended_at is None else None


_values = attrgetter(*(item.name for item in fields(Case)))
