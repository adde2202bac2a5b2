"""What a requester and an approver are shown before they decide, and what they are told to do in the tenant."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

from workflow.domain import unblocking
from workflow.domain.history import fold
from workflow.domain.record import time_to_text
from workflow.domain.vocabulary import EntryType, Kind
from workflow.services import casework, guidance, history, views
from workflow.services.names import Names
from workflow.services.predicates import JUDGED
from workflow.storage import cases

if TYPE_CHECKING:
    from datetime import datetime

    from workflow.app import App
    from workflow.services.shapes import CaseView, PrerequisiteView

CHANGES = frozenset(
    {
        EntryType.EVIDENCE_RECORDED,
        EntryType.EVIDENCE_CONFIRMED,
        EntryType.EVIDENCE_RETRACTED,
        EntryType.EVIDENCE_LAPSED,
        EntryType.EXCEPTION_GRANTED,
        EntryType.EXCEPTION_EXPIRED,
        EntryType.IDENTITY_ADDED,
        EntryType.IDENTITY_REMOVED,
        EntryType.RESTRICTION_OBSERVED,
        EntryType.RESTRICTION_SEEN,
        EntryType.PLAYBOOK_MOVED,
    }
)
"""Entries worth telling an approver about when they came after the request."""

SUPPORT = (
    "Microsoft answered the last unblock: contact support. Another try changes nothing before its "
    "support has been asked."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """What the portal's own flyout shows, and what it does not.

    ``judged`` are those of ``checked`` that are good because a person judged just what is read. ``elsewhere`` are open
    cases about the same mailbox, connector or user under other tenants' names. ``case.version`` and ``case.digest`` are
    what a decision on this overview sends back as seen. ``support`` says that only Microsoft Support helps, where that
    was its answer. ``unprotected_until`` is the coming midnight in UTC: Microsoft does not restrict an unblocked user
    again on the same day.
    """

    case: CaseView
    recommendations: list[str]
    checked: list[str]
    judged: list[str]
    attested: list[str]
    claimed: list[str]
    exceptions: list[str]
    changed_since_request: list[str]
    elsewhere: list[dict[str, Any]]
    warning: str
    support: str
    unprotected_until: str
    unprotected_hours: float
    portal: str
    command: str
    role: str
    propagation: str

    def to_data(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


def overview(app: App, reference: str) -> Overview:
    """Draw the overview of a case, settled as of now; nothing is written.

    Raises:
        NotFoundError, InputError: as :func:`workflow.services.views.case_view`.
    """
    case_view = views.case_view(app, reference)
    case_id = casework.find(app, reference)
    with app.database.reading() as tx:
        case = fold(cases.entries(tx, case_id))
        playbook = app.playbook(tx, case.playbook)
        names = Names(tx, {case.entity})
        command = guidance.command(playbook.unblock_command, case, names)
        others = cases.open_elsewhere(tx, case.tenant, case.kind.value, case.entity)
        portal = guidance.portal(playbook.unblock_portal, case, names)
    since = case_view.request["sequence"] if case_view.request else 0
    changes = [entry for entry in history.history(app, case_id) if since and entry.sequence > since]
    midnight, hours = unprotected(app.now())
    counted = [item for item in case_view.prerequisites if item.required and item.result and item.applies]
    connector = case.kind is Kind.CONNECTOR
    return Overview(
        case=case_view,
        recommendations=[item.title for item in case_view.prerequisites if not item.required and not item.result],
        checked=[_label(item) for item in counted if item.method == "checked"],
        judged=[_label(item) for item in counted if item.method == "checked" and item.note == JUDGED],
        attested=[_label(item) for item in counted if item.method == "attested"],
        claimed=[_label(item) for item in counted if item.claimed],
        exceptions=[_label(item) for item in counted if item.exception and not item.exception["expired"]],
        changed_since_request=[f"{item.sequence}: {item.text}" for item in changes if item.type in CHANGES],
        elsewhere=[
            {"case_number": other.number, "tenant": other.tenant, "state": str(other.state)} for other in others
        ],
        warning="" if connector else warning(app.now()),
        support=SUPPORT if unblocking.refused_for_good(case) else "",
        unprotected_until=time_to_text(midnight),
        unprotected_hours=hours,
        portal=portal,
        command=command,
        role=playbook.unblock_role,
        propagation="up to 1 hour" if connector else "normally within 1 hour, at most 24 hours",
    )


def unprotected(now: datetime) -> tuple[datetime, float]:
    """Return the coming midnight in UTC, until when nobody who is unblocked now is restricted again, and the hours."""
    now = now.astimezone(UTC)
    midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight, round((midnight - now).total_seconds() / 3600, 1)


def warning(now: datetime) -> str:
    """Say what an unblock of a user means today."""
    _, hours = unprotected(now)
    return f"An unblocked user is not restricted again today: unprotected until 00:00 UTC, {hours:g} h from now."


def _label(item: PrerequisiteView) -> str:
    return f"{item.id} ({item.about})" if item.about else item.id
