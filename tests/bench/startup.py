"""How long the command line takes to answer, against what its libraries alone take to be imported."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp

from tests.bench.house import House
from tests.bench.table import Section, at_most, spread
from tests.bench.timing import Samples, interleave, ratio

CLICK, SQLMODEL = "import click", "import sqlmodel"
HELP, READ, WRITE = "holdfast --help", "holdfast case list (a read)", "holdfast case note (a write)"


def startup(root: Path, *, quick: bool) -> Section:
    """Measure whole processes, from start to exit."""
    return measured(root, 1 if quick else 3, 2 if quick else 3)


def measured(root: Path, rounds: int, times: int) -> Section:
    """Start each of them in turn."""
    folder = Path(mkdtemp(dir=root))
    with House(folder) as house:
        house.take_in(20)
    environment = {**os.environ, "HOLDFAST_HOME": str(folder)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)

    def start(*arguments: str) -> Callable[[], object]:
        return lambda: subprocess.run([sys.executable, *arguments], env=environment, check=True, capture_output=True)

    step = {
        CLICK: start("-c", CLICK),
        SQLMODEL: start("-c", SQLMODEL),
        HELP: start("-m", "workflow", "--help"),
        READ: start("-m", "workflow", "case", "list"),
        WRITE: start("-m", "workflow", "case", "note", "1", "seen"),
    }
    found: dict[str, Samples] = interleave([step] * times for _ in range(rounds))
    lines = [
        at_most(f"{HELP}, in '{CLICK}'", ratio(found[HELP], found[CLICK]), 1.3),
        at_most(f"{READ}, in '{SQLMODEL}'", ratio(found[READ], found[SQLMODEL]), 1.5),
        at_most(f"{READ}, in '{CLICK}' (the stretch alone)", ratio(found[READ], found[CLICK]), 2.0),
        at_most(f"{WRITE}, in '{SQLMODEL}'", ratio(found[WRITE], found[SQLMODEL]), 1.5),
        *(spread(name, samples) for name, samples in found.items()),
    ]
    notes = [f"Whole processes, {rounds * times} starts of each, byte code compiled, files in the cache."]
    return Section("Start of the command line", lines, notes)
