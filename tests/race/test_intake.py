"""Many processes import the same file at once: each mailbox gets one case, and every row is answered."""

import random
from itertools import cycle, islice

from tests.race.crew import Crew, Job
from tests.services.desk import Desk, Place, report
from workflow.domain import actions as act
from workflow.domain.restriction import Restriction
from workflow.services import setup, verification
from workflow.storage import cases

IMPORTERS = 6
ROWS = 25


def test_one_file_imported_at_once_opens_each_case_once(place: Place) -> None:
    """In every round the importers open as many cases as there are mailboxes, numbered without a gap."""
    desk, dice = Desk(place), random.Random(20261124)
    with Crew(place, IMPORTERS) as crew:
        for number in range(3):
            rows = [report(f"user{number}-{row}@contoso.example") for row in range(ROWS)]
            # Everybody begins somewhere else in the file, so that they meet in the middle.
            jobs = [
                Job("", f"racer-{racer}", act.AssignCase(assignee=""), desk.clock.now, items=_from(rows, racer * 4))
                for racer in range(IMPORTERS)
            ]
            answers = crew.race(jobs, dice)
            assert ROWS == sum(int(answer) for answer in answers if answer.isdigit()), answers
    setup.seal_now(desk.app)
    with desk.app.database.reading() as tx:
        numbers = [cases.by_number(tx, number) for number in range(1, 3 * ROWS + 1)]
        assert 3 * ROWS + 1 == cases.next_number(tx)
    assert None not in numbers
    assert [] == verification.verify(desk.app).findings
    desk.close()


def _from(rows: list[Restriction], start: int) -> tuple[Restriction, ...]:
    return tuple(islice(cycle(rows), start, start + len(rows)))
