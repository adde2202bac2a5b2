"""The writer that is killed: it takes restrictions in and works on them, and acknowledges each step that returned."""

from __future__ import annotations

import os
import random
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.services.desk import ANN, START, Clock, Place, report
from workflow.app import App
from workflow.domain import actions as act
from workflow.domain.private import Private
from workflow.services import casework, intake, setup
from workflow.storage import cases

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

    from workflow.domain.record import Entry


def write(line: Connection, place: Place, number: int) -> None:
    """Work until killed; ``number`` tells this writer's cases from others'. The main function of a process.

    After every step that returned, one message says which entries it wrote: case, sequence and leaf hash of each.
    """
    clock = Clock(START + timedelta(hours=number))
    dice = random.Random(number)
    with App(place.settings(), clock) as app:
        line.send([])
        for entries in _steps(app, clock, dice, number):
            line.send([(entry.case, entry.sequence, entry.leaf) for entry in entries])
            clock.move(timedelta(seconds=1))


def _steps(app: App, clock: Clock, dice: random.Random, number: int) -> Iterator[list[Entry]]:
    """Open a case, work on it, open the next."""
    for case_number in range(1_000):
        restriction = report(f"user{number}-{case_number}@contoso.example", restricted_at=clock.now)
        (taken,) = intake.take_in(app, ANN, [restriction])
        case_id = casework.find(app, str(taken.case_number))
        with app.database.reading() as tx:
            yield cases.entries(tx, case_id)
        for _ in range(dice.randint(1, 6)):
            text = Private(f"{os.getpid()} says {dice.random()}")
            record = act.RecordEvidence(prerequisite="snapshot-taken", observed_at=clock.now, reference=text)
            yield casework.perform(app, ANN, case_id, dice.choice([record, act.AddNote(note=text)])).entries
        setup.seal_now(app)
