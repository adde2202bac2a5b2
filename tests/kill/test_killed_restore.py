"""A restore is killed at random points: the old or the new state stands, and the next command works."""

import multiprocessing
import random
import time
from pathlib import Path

import pytest

from tests.services.desk import ANN, Desk, Place
from workflow.domain import actions as act
from workflow.domain.private import Private
from workflow.services import backups, restoring, verification

CONTEXT = multiprocessing.get_context("forkserver")
KILLS = 8
LONGEST = 0.5  # seconds: a restore that is left alone takes about half of it
NEXT = act.AddNote(note=Private("goes on"))


def restore(place: Place, backup: Path) -> None:
    """Restore a backup; the main function of a process."""
    restoring.restore(place.settings(), Desk(place).clock, ANN, backup, "disk failed")


@pytest.mark.slow
def test_a_restore_that_is_killed_is_whole_or_not_at_all(sqlite_place: Place, tmp_path: Path) -> None:
    """Whatever stands verifies against the checkpoint file, takes the next step, and can be restored again."""
    CONTEXT.set_forkserver_preload(["tests.kill.writer"])
    dice = random.Random(20261124)
    desk = Desk(sqlite_place)
    case_id = desk.restrict()
    backup = backups.backup(sqlite_place.settings(), tmp_path / "backup").file
    for _ in range(KILLS):
        desk.do(case_id, NEXT)
        before = desk.count()
        process = CONTEXT.Process(target=restore, args=(sqlite_place, backup), daemon=True)
        process.start()
        time.sleep(dice.random() * LONGEST)
        process.kill()
        process.join(60)
        desk.close()
        desk = desk.again()
        restored = desk.types()[-1] == "log:restored"
        assert restored or desk.count() == before
        desk.do(case_id, NEXT)
        report = verification.verify(desk.app)
        assert ([], "verified") == (report.findings, report.completeness)
    desk.close()
