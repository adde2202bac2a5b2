"""The pulse: whether a worker is alive, and what it last did."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from workflow.errors import PendingError, StorageError
from workflow.settings import Settings, load_settings
from workflow.worker import pulse
from workflow.worker.pulse import Beating, Pulse

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings whose files are this test's."""
    monkeypatch.setenv("HOLDFAST_HOME", str(tmp_path))
    found = load_settings()
    found.checkpoint_file.parent.mkdir(parents=True)
    return found


def test_a_worker_is_alive_as_long_as_it_says_so(settings: Settings) -> None:
    """It writes every few seconds; whoever was silent for a minute is taken for dead."""
    path = pulse.place(settings)
    assert pulse.read(path) is None
    beating = Beating(path, Pulse(), NOON)
    beating.pulse.steps = 3
    beating.beat(NOON + 4 * SECOND)
    first = pulse.read(path)
    assert first is not None
    assert (0, "2026-11-24T12:00:00.000000Z") == (first.steps, first.seen_at)
    beating.beat(NOON + 5 * SECOND)
    second = pulse.read(path)
    assert second is not None
    assert 3 == second.steps
    assert [] == second.faults(NOON + 65 * SECOND)
    (silent,) = second.faults(NOON + 66 * SECOND)
    assert "was last alive at 2026-11-24 12:00 UTC" in silent
    beating.beat(NOON - timedelta(hours=1))
    assert "2026-11-24T11:00:00.000000Z" == (pulse.read(path) or Pulse()).seen_at


def test_what_failed_is_a_fault(settings: Settings) -> None:
    """Until it works again."""
    beating = Beating(pulse.place(settings), Pulse(), NOON)
    beating.chore("poll", "failed", "no way", NOON)
    assert ["poll failed at 2026-11-24 12:00 UTC: no way"] == beating.pulse.faults(NOON)
    beating.chore("poll", "done", "", NOON)
    assert [] == beating.pulse.faults(NOON)
    assert pulse.to_data(beating.pulse, [])["healthy"]


def test_a_worker_that_stopped_says_so(settings: Settings) -> None:
    """That is no silence, and no health either."""
    beating = Beating(pulse.place(settings), Pulse(), NOON)
    beating.end(NOON + SECOND)
    found = pulse.read(pulse.place(settings))
    assert found is not None
    assert ["The worker was stopped at 2026-11-24 12:00 UTC."] == found.faults(NOON)


def test_a_full_disk_keeps_nobody_from_the_work(settings: Settings, tmp_path: Path) -> None:
    """The file grows old, which says it."""
    beating = Beating(tmp_path / "nowhere" / "worker.json", Pulse(), NOON)
    beating.beat(NOON + timedelta(hours=1))
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"host": 1, "else": 2}', "\xff", "{}", '{"seen_at": "2026-11-24T12:00:00.000000Z", "chores": [1]}'],
)
def test_a_file_that_is_something_else_is_told(settings: Settings, text: str) -> None:
    """With what to do about it."""
    path = pulse.place(settings)
    path.write_text(text, encoding="latin-1")
    with pytest.raises(StorageError, match="Remove it"):
        pulse.read(path)


def test_one_worker_works_alone(settings: Settings) -> None:
    """A second one is told; when the first has ended, it may."""
    with pulse.alone(settings), pytest.raises(PendingError, match="Another worker"), pulse.alone(settings):
        pass
    with pulse.alone(settings):
        pass


def test_a_lock_that_cannot_be_made_is_told(settings: Settings) -> None:
    """Where a folder stands in its place."""
    pulse.place(settings).with_suffix(".lock").mkdir()
    with pytest.raises(StorageError, match="cannot be opened"), pulse.alone(settings):
        pass
