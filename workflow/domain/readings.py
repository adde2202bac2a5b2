"""What a provider read is judged only while it is recent: at the request, at the approval and at the intent (R6).

A tenant changes without asking Holdfast, so between two steps the gate believes a reading for as long as the playbook
says, and at the three steps that lead to an unblock only for five minutes. What a person attests keeps its own
freshness: nobody can look again at every word.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from workflow.domain import gate
from workflow.domain.playbook import About
from workflow.domain.vocabulary import GOOD, Method, Result
from workflow.errors import OldReadingsError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from workflow.domain.case import Case, Evidence
    from workflow.domain.playbook import Playbook, Prerequisite
    from workflow.domain.scene import Scene

READ_WITHIN = timedelta(minutes=5)
"""How old a provider's reading may be when an unblock is requested, approved or started."""


def all_recent(scene: Scene) -> None:
    """Refuse a decision on readings that are no longer recent.

    Raises:
        OldReadingsError: names the prerequisites.
    """
    names = tuple(dict.fromkeys(item.id for item, _ in read_before(scene.case, scene.playbook, scene.now)))
    if names:
        message = (
            f"The tenant was read more than {READ_WITHIN.seconds // 60} minutes ago for: {', '.join(names)}. "
            "An unblock is decided on what it shows now."
        )
        raise OldReadingsError(message, names)


def read_before(case: Case, playbook: Playbook, now: datetime) -> Iterator[tuple[Prerequisite, str]]:
    """Yield what the gate stands on by readings no longer recent, each with the person it is about ("": the entity).

    Actions taken, such as a password reset, are no readings of a state and do not go stale; what was recorded once for
    the whole tenant counts as long as that record says.
    """
    for item in playbook.required:
        if item.required_by not in gate.UNBLOCK_PHASES:
            continue
        for about in gate.people(case, item):
            if gate.applies(case, item, about) is False:
                continue
            grounds = _grounds(case, playbook, item, about, now)
            if grounds and all(
                _is_reading(ground, one) and now - one.observed_at > READ_WITHIN for ground, one in grounds
            ):
                yield item, about


def _grounds(
    case: Case, playbook: Playbook, item: Prerequisite, about: str, now: datetime
) -> list[tuple[Prerequisite, Evidence]]:
    """Return the answers any of which carries a prerequisite: its own, else its alternatives; none for an exception."""
    own = case.evidence.get((item.id, about))
    if own is not None and own.result in GOOD:
        return [(item, own)]
    acceptance = case.acceptances.get((item.id, about))
    if acceptance is not None and gate.accepts(acceptance, item, now):
        return []
    others = [other for other in map(playbook.get, item.any_of) if other is not None]
    found = [(other, case.evidence.get((other.id, about if other.about is About.IDENTITY else ""))) for other in others]
    return [(other, one) for other, one in found if one is not None and one.result is Result.MET]


def _is_reading(item: Prerequisite, evidence: Evidence) -> bool:
    checked = evidence.method is Method.CHECKED and item.fresh_within is not None
    return checked and not gate.tenant_wide(item, evidence)
