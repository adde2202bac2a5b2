"""What comes of a clock that ran ahead: cases recorded in the future, in which nothing falls due until then."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from workflow.domain.record import time_for_people
from workflow.storage import worklist

if TYPE_CHECKING:
    from datetime import datetime

    from workflow.storage.transaction import Tx

AHEAD = timedelta(minutes=1)
"""How far an entry may lie in the clock's future: other machines' clocks differ a little."""
SHOWN = 10


def asleep(tx: Tx, now: datetime) -> str:
    """Say which open cases were recorded in the future, and until when nothing falls due in them; "" for none."""
    found = worklist.ahead(tx, now + AHEAD)
    if not found:
        return ""
    numbers = ", ".join(f"#{number}" for number, _ in found[:SHOWN]) + (" and more" if len(found) > SHOWN else "")
    until = time_for_people(max(at for _, at in found))
    return f"A clock that ran ahead recorded open cases; nothing falls due in them until {until}: {numbers}"
