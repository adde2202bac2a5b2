"""Waits before another try: spread, bounded, and never shorter than was asked for."""

from datetime import timedelta

import pytest

from workflow.worker.backoff import LONGEST, after_answer, after_failure


@pytest.mark.parametrize(("attempts", "seconds"), [(0, 1), (1, 2), (4, 16), (9, 300), (10_000, 300)])
def test_failures_wait_twice_as_long_each_time(attempts: int, seconds: int) -> None:
    """Between half of the wait and all of it, up to five minutes."""
    whole = timedelta(seconds=seconds)
    assert [whole / 2, whole] == [after_failure(attempts, lambda: 0.0), after_failure(attempts, lambda: 1.0)]
    assert whole <= LONGEST


def test_what_a_step_asked_for_is_never_cut_short() -> None:
    """It is spread over a fifth more; a time that has passed is now."""
    assert timedelta(seconds=10) == after_answer(timedelta(seconds=10), lambda: 0.0)
    assert timedelta(seconds=12) == after_answer(timedelta(seconds=10), lambda: 1.0)
    assert timedelta(0) == after_answer(timedelta(seconds=-1), lambda: 0.5)
