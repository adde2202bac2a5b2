"""Threads with an app of their own: what goes wrong in one time keeps no later one from being done."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from workflow.app import App
from workflow.settings import load_settings
from workflow.worker.hands import Round


def test_a_round_outlives_what_nobody_foresaw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said once, and done again."""
    monkeypatch.setenv("HOLDFAST_HOME", str(tmp_path))
    again, said, times = threading.Event(), list[str](), list[int]()

    def work(_app: App) -> None:
        times.append(len(times))
        if len(times) < 3:
            raise ZeroDivisionError("what")
        again.set()

    round_ = Round(App(load_settings()), work, 0.01, said.append)
    assert again.wait(10)
    assert round_.end(10)
    assert ["work: ZeroDivisionError: what"] == said


def test_a_round_without_a_rhythm_is_done_when_called_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once for each call, however the one before ended, and once more at the end."""
    monkeypatch.setenv("HOLDFAST_HOME", str(tmp_path))
    again, times = threading.Semaphore(0), list[int]()

    def work(_app: App) -> None:
        times.append(len(times))
        again.release()
        if len(times) == 1:
            raise ZeroDivisionError("what")

    round_ = Round(App(load_settings()), work, None, lambda _: None)
    for _ in range(2):
        round_.call()
        assert again.acquire(timeout=10)
    assert round_.end(10)
    assert [0, 1, 2] == times
