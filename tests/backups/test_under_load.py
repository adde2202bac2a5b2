"""While processes write as fast as they can, every backup is one moment of the ledger, whole and signed."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.kill.writer import write
from tests.services.desk import DAY, START, Clock, Place, sqlite_url
from workflow.app import App
from workflow.services import backups, verification

ROUNDS = int(os.environ.get("HOLDFAST_ROUNDS", "200"))
WRITERS = 2
CONTEXT = multiprocessing.get_context("forkserver")


@contextmanager
def busy(place: Place) -> Iterator[None]:
    """Let several processes write for a while."""
    CONTEXT.set_forkserver_preload(["tests.kill.writer"])
    lines, writers = [], []
    for number in range(WRITERS):
        line, theirs = CONTEXT.Pipe(duplex=False)
        writers.append(CONTEXT.Process(target=write, args=(theirs, place, number), daemon=True))
        writers[-1].start()
        theirs.close()
        lines.append(line)
    try:
        for line in lines:
            # What they acknowledge is read no further: a full pipe makes them wait, so that the ledger stays small.
            assert line.poll(60), "a writer is silent"
        yield
    finally:
        for writer in writers:
            writer.kill()
            writer.join(60)
        for line in lines:
            line.close()


def take(place: Place, folder: Path, number: int) -> int:
    """Take a backup, verify it on its own against the checkpoints of the living ledger, and return its entries."""
    home = folder / f"backup-{number}"
    home.mkdir()
    made = backups.backup(place.settings(), home / "holdfast.db")
    shutil.copy(place.settings().key_file, home / "signing.key")
    outside = home / "ticket"
    outside.write_text("\n".join(made.note.splitlines()[:3]))
    with App(Place(home, sqlite_url(home)).settings(), Clock(START + DAY)) as app:
        report = verification.verify(app, verification.Options(against=[outside]))
        assert ([], "verified") == (report.findings, report.completeness)
        assert made.entries == report.counts["entries"]
    shutil.rmtree(home)
    return made.entries


def run(place: Place, folder: Path, rounds: int) -> list[int]:
    """Take that many backups under load; returns how many entries each held."""
    with busy(place):
        return [take(place, folder, number) for number in range(rounds)]


def test_a_few_backups_under_load(sqlite_place: Place, tmp_path: Path) -> None:
    """A few backups of a ledger that is written to verify."""
    sizes = run(sqlite_place, tmp_path, 3)
    assert sorted(sizes) == sizes


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_many_backups_under_load(sqlite_place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Many do, a fresh ledger every so often."""
    began, sizes = time.monotonic(), []
    for number in range(0, ROUNDS, 25):
        place = sqlite_place.copy(tmp_path / f"ledger-{number}")
        sizes += run(place, tmp_path, min(25, ROUNDS - number))
    seconds = time.monotonic() - began
    said = (
        f"{len(sizes)} backups under load of {WRITERS} writers, {min(sizes)} to {max(sizes)} entries, all verify; "
        f"{len(sizes) / seconds:.1f} backups/s with verification"
    )
    with capsys.disabled():
        print(f"\n{said}")  # noqa: T201
    assert ROUNDS == len(sizes)
