"""An upgrade is killed at random points: the old or the new schema stands, and the next one completes it."""

import multiprocessing
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.postgres import PostgresServer
from tests.services.desk import DAY, MINUTE, START, Desk, Place
from tests.services.test_backups import older, older_server
from workflow.services import health, upgrading, verification
from workflow.storage import schema
from workflow.storage.database import Database
from workflow.storage.migrations import HEAD

pytestmark = pytest.mark.slow

CONTEXT = multiprocessing.get_context("forkserver")
KILLS = 5


def upgrade(place: Place) -> None:
    """Upgrade a ledger; the main function of a process."""
    upgrading.upgrade(place.settings(), START, backed_up=True)


def killed(make: Callable[[int], Place]) -> tuple[set[str | None], list[Place]]:
    """Upgrade one ledger to its end, then others that are killed; returns what those had come to."""
    CONTEXT.set_forkserver_preload(["tests.kill.test_killed_upgrade"])
    dice = random.Random(20261124)
    longest, stood, places = 0.0, set[str | None](), list[Place]()
    for number in range(1 + KILLS):
        place = make(number)
        process = CONTEXT.Process(target=upgrade, args=(place,), daemon=True)
        begun = time.monotonic()
        process.start()
        process.join(longest * dice.random() if number else 60)
        if not number:
            assert 0 == process.exitcode
            longest = time.monotonic() - begun
        process.kill()
        process.join(60)
        database = Database(place.url)
        with database.reading() as tx:
            stood.add(schema.revision(tx))
        database.close()
        again = upgrading.upgrade(place.settings(), START + MINUTE, backed_up=True)
        assert HEAD == again.after
        assert upgrading.Upgraded(HEAD, HEAD) == upgrading.upgrade(place.settings(), START + DAY)
        places.append(place)
    return stood, places


def test_an_upgrade_that_is_killed_is_completed(tmp_path: Path) -> None:
    """Nothing is half-way, nothing of the ledger is lost, and what was left beside it is named by the doctor."""

    def make(number: int) -> Place:
        home = tmp_path / str(number)
        home.mkdir()
        return older(home)

    stood, places = killed(make)
    assert stood <= {"0001", HEAD}
    for place in places:
        desk = Desk(place)
        desk.clock.move(2 * DAY)
        assert ([], 7) == (verification.verify(desk.app).findings, desk.count())
        desk.close()
        left = [item.said for item in health.examine(place.settings(), START + 2 * DAY) if item.what == "left behind"]
        assert len(list(place.home.glob("*.partial"))) == len(left)


@pytest.mark.timeout(300)
def test_a_server_whose_upgrade_is_killed(tmp_path: Path, postgres_server: PostgresServer) -> None:
    """The server takes back what was begun; the next upgrade waits for that, and completes."""

    def make(number: int) -> Place:
        home = tmp_path / str(number)
        home.mkdir()
        return older_server(home, postgres_server)

    stood, _ = killed(make)
    assert stood <= {"0001", HEAD}
