"""What a source says about one restricted entity: the neutral shape between files and cases."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from workflow.domain.vocabulary import Kind, RestrictionStatus


class Source(StrEnum):
    """Where a report of a restriction came from."""

    CMDLET = "cmdlet"
    EXPORT = "export"
    ALERT = "alert"
    AUDIT_LOG = "audit-log"
    BOUNCE = "bounce"
    PORTAL = "portal"


AUTHORITATIVE = frozenset({Source.CMDLET, Source.EXPORT, Source.PORTAL})
"""Sources whose ``restricted_at`` is the restriction's own time; the others report it late or roughly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restriction:
    """One report about one entity.

    Args:
        kind: mailbox, connector or user.
        identifier: UPN of a hosted mailbox, SMTP address of a non-hosted sender, GUID of a connector,
            normalised by :func:`workflow.domain.subject.normalise`.
        status: what the report says: listed, temporary, not-listed (a delisting), or unknown (a bounce).
        source: the shape it came in.
        restricted_at: when the restriction began according to the source (aware UTC), if it says.
        observed_at: when the source saw what it says (aware UTC), if it says; a file has no such time.
        reason: Microsoft's own text, raw and untrusted, at most 2,000 characters.
        name: a connector's or user's display name, untrusted.
        tenant: the tenant the report itself names, or "".
        lifted_by: for a delisting, who did it according to the audit log, or "".
        lifted_at: for a delisting, when, according to the audit log.
        where: "line 12" or "item 3" of the file, for messages.
        reading: True for a row of a whole list, taken at ``observed_at``.
    """

    kind: Kind
    identifier: str
    status: RestrictionStatus
    source: Source
    restricted_at: datetime | None = None
    observed_at: datetime | None = None
    reason: str = ""
    name: str = ""
    tenant: str = ""
    lifted_by: str = ""
    lifted_at: datetime | None = None
    where: str = ""
    reading: bool = False


@dataclass(frozen=True, slots=True)
class Skipped:
    """One item of a file that opens nothing, and why."""

    where: str
    why: str
    broken: bool = False
    """True when the item could not be read; False when it was read and says nothing of interest."""
