"""Running a piece of work in a process of its own, to learn how much memory it took at most."""

import multiprocessing
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LONGEST = 3600.0  # seconds


@dataclass(frozen=True, slots=True)
class Ran:
    """What came back, the seconds it took, and the peak memory in MB: of all, and of what came after the imports."""

    result: Any
    seconds: float
    peak: float
    added: float


def run(work: Callable[..., Any], *values: object) -> Ran:
    """Run a module's function in a new process."""
    context = multiprocessing.get_context("spawn")
    answers: Any = context.Queue()
    process = context.Process(target=_measure, args=(answers, work, values), daemon=True)
    process.start()
    found: Ran = answers.get(timeout=LONGEST)
    process.join(LONGEST)
    return found


def _measure(answers: Any, work: Callable[..., Any], values: tuple[object, ...]) -> None:
    before = _peak()
    start = time.perf_counter()
    result = work(*values)
    seconds = time.perf_counter() - start
    answers.put(Ran(result, seconds, _peak(), _peak() - before))


def _peak() -> float:
    # The usual figure is handed down from the process that started this one; the system's own is not.
    status = Path("/proc/self/status")
    if status.exists():
        lines = dict(line.partition(":")[::2] for line in status.read_text("utf-8").splitlines())
        return float(lines["VmHWM"].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
