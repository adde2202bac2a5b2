"""What the figures were measured on."""

import compileall
import importlib.metadata
import os
import platform
import sqlite3
from pathlib import Path
from statistics import median

from tests.bench.timing import timed

LIBRARIES = ("sqlmodel", "sqlalchemy", "transitions", "cryptography", "psycopg", "click")
PACKAGE = Path(__file__).parents[2] / "workflow"
FSYNCS = 200


def compiled() -> None:
    """Compile the byte code first: nobody measures the compiler."""
    for folder in (PACKAGE, Path(__file__).parent):
        compileall.compile_dir(folder, quiet=2)


def described(root: Path) -> str:
    """Return machine and versions in a few lines."""
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in LIBRARIES)
    busy = f"; load average before the start {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return (
        f"{processor()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}; "
        f"append + fsync here {fsync(root) * 1e6:.0f} µs (median of {FSYNCS}){busy}\n"
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {versions}\n"
    )


def processor() -> str:
    """Return the processor's name where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


def fsync(root: Path) -> float:
    """Return how many seconds it takes to append 200 bytes and have them on the disk."""
    with (root / "fsync").open("ab", buffering=0) as file:

        def append() -> None:
            file.write(b"x" * 200)
            os.fsync(file.fileno())

        return median(timed(append) for _ in range(FSYNCS))
