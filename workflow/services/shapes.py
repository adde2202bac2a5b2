"""The shapes of what people and programs are shown of a case; their fields are the stable JSON."""

from __future__ import annotations

import shlex
from dataclasses import asdict, dataclass
from typing import Any

NO_LONGER = "does-not-apply-any-more"
"""How a step stands that was answered before a fact said that it does not apply: shown, and asked of nobody."""
HOLDING = ("held", NO_LONGER)


@dataclass(frozen=True, slots=True, kw_only=True)
class PrerequisiteView:
    """One prerequisite, for one person where it is asked per person. Times are text in UTC.

    ``conditions`` are the facts that nobody has stated yet and that decide whether it applies at all.
    """

    id: str
    title: str
    phase: str
    required: bool
    about: str
    conditions: list[str]
    standing: str
    result: str
    method: str
    by: str
    claimed: bool
    observed_at: str | None
    recorded_at: str | None
    fresh_until: str | None
    reference: str
    note: str
    before: str
    after: str
    attachment: str
    exception: dict[str, Any] | None
    evidence: str
    command: str
    portal: str
    role: str
    trap: str
    who: list[str]
    next: list[str]

    @property
    def held(self) -> bool:
        """Whether it holds now, or is not asked for any more: nothing is missing here."""
        return self.standing in HOLDING

    @property
    def applies(self) -> bool:
        """Whether it is asked for: its answer counts, or one is wanted."""
        return self.standing != NO_LONGER


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    """A case as a person or a program sees it; :meth:`to_data` is the stable JSON.

    ``restriction_reading`` is what was last known of the restriction; its ``read`` says whether somebody looked at the
    tenant then, or only reported it. It has every field of :class:`workflow.services.worklist.CaseRow`, under the same
    name and with the same type.
    """

    id: str
    number: int
    tenant: str
    kind: str
    entity: str
    state: str
    recurrence: int
    version: int
    sequence: int
    digest: str
    missing: list[str]
    assignee: str
    labels: list[str]
    opened_at: str | None
    updated_at: str | None
    due_at: str | None
    due: str
    waits_for: str
    late: bool
    overdue: bool
    overdue_seconds: int
    resolution: str | None
    restriction: str
    restricted_at: str | None
    requested_at: str | None
    intended_at: str | None
    released_at: str | None
    ended_at: str | None
    restriction_reading: dict[str, Any]
    identities: list[dict[str, Any]]
    facts: dict[str, bool]
    playbook: str
    playbook_version: str
    playbook_title: str
    playbook_digest: str
    playbook_shipped: bool
    prerequisites: list[PrerequisiteView]
    request: dict[str, Any] | None
    approvals: list[dict[str, Any]]
    approvals_needed: int
    break_glass: list[str]
    break_glass_approvals: list[dict[str, Any]]
    attempt: dict[str, Any] | None
    attempts: int
    proposals: list[dict[str, Any]]
    links: list[dict[str, Any]]
    possible: list[str]
    erased_at: str | None
    as_of: str | None
    lapsed_since: list[str]

    def to_data(self) -> dict[str, Any]:
        """Return plain JSON values: snake_case keys, lists are arrays, times are UTC text."""
        data = asdict(self)
        for step in data["prerequisites"]:
            step["next"] = shlex.join(step["next"])
        return data
