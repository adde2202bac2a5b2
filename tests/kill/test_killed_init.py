"""The first start is killed at random points, and the next command completes it or works."""

import multiprocessing
import random
import time
from pathlib import Path

from tests.services.desk import ANN, DAY, START, Clock, Desk, Place, sqlite_url
from workflow.errors import StorageError
from workflow.services import setup, verification

CONTEXT = multiprocessing.get_context("forkserver")
KILLS = 8
LONGEST = 0.4  # seconds: an init that is left alone takes about half of it


def test_a_first_start_that_is_killed_is_completed(tmp_path: Path) -> None:
    """Wherever it was killed: init makes the rest or says that all is there, and the ledger verifies."""
    CONTEXT.set_forkserver_preload(["tests.kill.writer"])
    dice = random.Random(20261124)
    for number in range(KILLS):
        home = tmp_path / str(number)
        home.mkdir()
        place = Place(home, sqlite_url(home))
        process = CONTEXT.Process(target=place.set_up, daemon=True)
        process.start()
        time.sleep(dice.random() * LONGEST)
        process.kill()
        process.join(60)
        try:
            setup.init(place.settings(), ANN, Clock(START - DAY))
        except StorageError as error:
            assert "has been set up" in str(error)  # noqa: PT017 - both ways out are right
        desk = Desk(place)
        desk.restrict()
        assert [] == verification.verify(desk.app).findings
        desk.close()
