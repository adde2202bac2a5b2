"""What a worker says of itself, one line at a time: in sentences for people, or as JSON for programs.

Cases are named by number and chores by name. No address, name or secret is among what is said.
"""

from __future__ import annotations

import json
import sys
import threading
import traceback
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from workflow.domain.record import time_to_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime


def unforeseen(error: BaseException) -> str:
    """Say what nobody foresaw by its kind and place alone: its text may be anybody's."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}, which nobody foresaw"


class Log:
    """Writes lines with the time before them, each whole, from any thread.

    Args:
        clock: returns the present.
        as_json: whether each line is a JSON object: ``at``, ``event``, ``message`` and what else there is to say.
        stream: where to write; standard error by default, looked up at each line.
    """

    def __init__(self, clock: Callable[[], datetime], *, as_json: bool = False, stream: IO[str] | None = None) -> None:
        """Write nothing yet."""
        self._clock, self._as_json, self._stream = clock, as_json, stream
        self._lock = threading.Lock()

    def __call__(self, message: str, event: str = "worker", /, **facts: Any) -> None:
        """Write one line; what is no printable character is not let through."""
        at, clean = time_to_text(self._clock()), "".join(mark if mark.isprintable() else " " for mark in message)
        if self._as_json:
            line = json.dumps({"at": at, "event": event, **facts, "message": clean}, ensure_ascii=True)
        else:
            line = f"{at[:19]}Z {clean}"
        with self._lock:
            print(line, file=self._stream or sys.stderr, flush=True)
