"""A stored case as it stands now: what ran out since its newest entry is settled, and nothing is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from workflow.domain.lifecycle import settle
from workflow.domain.record import clamp

if TYPE_CHECKING:
    from datetime import datetime

    from workflow.app import App
    from workflow.domain.case import Case
    from workflow.domain.playbook import Playbook
    from workflow.storage.transaction import Tx


class Present(NamedTuple):
    """A copy of the case, its playbook, the present by the case's own time, and whether anything ran out."""

    case: Case
    playbook: Playbook
    at: datetime
    lapsed: bool


def present(app: App, tx: Tx, stored: Case, now: datetime) -> Present:
    """Return the case as it stands at a time; the stored one is left as it is."""
    case, playbook = stored.copy(), app.playbook(tx, stored.playbook)
    at, _ = clamp(now, stored.updated_at)
    return Present(case, playbook, at, bool(settle(case, playbook, at)))
