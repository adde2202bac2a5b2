"""Standing in line for the write lock."""

import errno
import fcntl
import stat
import time
from pathlib import Path

import pytest

from workflow.storage.line import Line


def soon(seconds: float = 0.05) -> float:
    """A deadline."""
    return time.monotonic() + seconds


def is_free(path: Path) -> bool:
    """Tell whether nobody is the head of the line."""
    with Path(f"{path}-turn").open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def test_one_is_the_head_of_the_line(tmp_path: Path) -> None:
    """Whoever joined holds the place until leaving it."""
    path = tmp_path / "holdfast.db"
    line = Line(path)

    line.join(soon())
    assert not is_free(path)
    assert 0o600 == stat.S_IMODE(Path(f"{path}-turn").stat().st_mode)
    line.leave()
    assert is_free(path)
    line.close()
    line.close()


def test_the_next_one_gets_the_place(tmp_path: Path) -> None:
    """A waiter gets the place that is left in time, and only then."""
    first, second = Line(tmp_path / "a"), Line(tmp_path / "a")
    first.join(soon())

    started = time.monotonic()
    second.join(soon(0.05))
    assert time.monotonic() - started >= 0.05
    first.leave()

    second.join(soon(5))
    assert not is_free(tmp_path / "a")
    second.leave()
    first.close()
    second.close()


def test_a_place_is_handed_over_to_whoever_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaving wakes the one that waits."""
    first, second = Line(tmp_path / "a"), Line(tmp_path / "a")
    first.join(soon())
    started, flock = time.monotonic(), fcntl.flock

    def leave_meanwhile(file: int, operation: int) -> None:
        if operation == fcntl.LOCK_EX:
            time.sleep(0.05)
            first.leave()
        flock(file, operation)

    monkeypatch.setattr(fcntl, "flock", leave_meanwhile)
    second.join(soon(10))

    assert time.monotonic() - started < 5
    assert not is_free(tmp_path / "a")
    second.leave()


def test_a_place_given_up_is_not_kept(tmp_path: Path) -> None:
    """A waiter that went ahead without its turn lets the place go when it comes."""
    path = tmp_path / "a"
    first, second = Line(path), Line(path)
    first.join(soon())
    second.join(soon(0.01))
    first.leave()

    deadline = soon(5)
    while not is_free(path):
        assert time.monotonic() < deadline


def test_a_line_that_cannot_be_is_done_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file, no folder, no such locks: writers go ahead and SQLite decides."""
    for line in (Line(None), Line(tmp_path / "none" / "a")):
        line.join(soon())
        line.leave()

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "no locks")

    with monkeypatch.context() as patch:
        patch.setattr(fcntl, "flock", refuse)
        line = Line(tmp_path / "a")
        line.join(soon())
        line.leave()
