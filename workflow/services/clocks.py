"""What comes of a clock that ran ahead: cases recorded in the future, in which nothing falls due until then."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from workflow.domain import actions as act
from workflow.domain.record import time_for_people
from workflow.errors import PendingError
from workflow.storage import worklist

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from workflow.domain.case import Case
    from workflow.storage.transaction import Tx

AHEAD = timedelta(minutes=1)
"""How far an entry may lie in the clock's future: other machines' clocks differ a little."""
SHOWN = 10
_DECIDED = (act.RequestUnblock, act.ApproveUnblock, act.IntendUnblock)


def asleep(tx: Tx, now: datetime) -> str:
    """Say which open cases were recorded in the future, and until when nothing falls due in them; "" for none."""
    found = worklist.ahead(tx, now + AHEAD)
    if not found:
        return ""
    numbers = ", ".join(f"#{number}" for number, _ in found[:SHOWN]) + (" and more" if len(found) > SHOWN else "")
    until = time_for_people(max(at for _, at in found))
    return f"A clock that ran ahead recorded open cases; nothing falls due in them until {until}: {numbers}"


def trust(now: datetime, case: Case, actions: Iterable[act.Action]) -> None:
    """Refuse to decide on an unblock while the case's own time is ahead of the clock.

    By the case's time, which never runs backwards, a reading of yesterday looks as if it had just been made.

    Raises:
        PendingError: one of the actions decides on an unblock, and the case was recorded in the future.
    """
    if case.updated_at is None or case.updated_at <= now + AHEAD:
        return
    if any(isinstance(action, _DECIDED) for action in actions):
        message = (
            f"Case #{case.number} was recorded at {time_for_people(case.updated_at)}, which by this machine's clock is "
            "still to come: how old its readings are is not known before, and no unblock is decided. "
            "'holdfast doctor' says more."
        )
        raise PendingError(message)
