"""Decisions about an unblock where Holdfast reads the tenant itself: what is decided on is read again first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.cli.output import hint
from workflow.cli.progress import progress_bar
from workflow.cli.text import visible
from workflow.errors import HoldfastError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workflow.cli.session import Session
    from workflow.domain import actions as act
    from workflow.services.casework import Done
    from workflow.services.wave import Item


def connected(session: Session, case_id: str) -> bool:
    """Say whether Holdfast reads this case's tenant by itself."""
    from workflow.services import checks, releasing

    if not session.app.provider.acts:
        return False
    return releasing.connected(session.app, checks.read_subject(session.app, case_id).case)


def read_again(session: Session, case_id: str) -> None:
    """Read again what a decision stands on, before it is shown."""
    from workflow.services import releasing

    if connected(session, case_id):
        hint("Reading the tenant …")
        releasing.refresh(session.app, session.who, case_id)


def read_many_again(session: Session, items: Sequence[Item]) -> None:
    """Read again what decisions about many cases stand on; what cannot be read is told with the decision."""
    from workflow.services import releasing

    if not session.app.provider.acts:
        return
    wanted = [item.case for item in items if item.case is not None and not item.skipped]
    with progress_bar("Reading the tenant") as step:
        for number, case in enumerate(wanted, start=1):
            try:
                if connected(session, case.id):
                    releasing.refresh(session.app, session.who, case.id)
            except HoldfastError as error:
                hint(f"#{case.number}: {visible(session.localised(str(error)))}")
            step(number, len(wanted))


def decide(session: Session, case_id: str, decision: act.Decision) -> Done:
    """Take a decision, on what the tenant shows now where it is connected."""
    from workflow.services import casework, releasing

    if connected(session, case_id):
        return releasing.decide(session.app, session.who, case_id, decision)
    return casework.perform(session.app, session.who, case_id, decision)
