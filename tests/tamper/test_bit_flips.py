"""Single bits flipped in the files: nothing that changes what the ledger says goes unnoticed, and nothing crashes."""

import os
import random
import sqlite3
from collections import Counter
from pathlib import Path

import pytest

from tests.tamper.attacker import Attacker, dump
from tests.tamper.conftest import Bench, look
from tests.tamper.histories import Place
from workflow.errors import HoldfastError, InputError, StorageError
from workflow.services import keptpoints
from workflow.services.verification import Options

pytestmark = pytest.mark.slow

QUICK = 60
"""Flips of which all are held against the ledger in one look."""
FEW = 20
"""Flips of which each takes a look of its own."""
ROUNDS = int(os.environ.get("HOLDFAST_ROUNDS", "1000"))
"""Flips in a long run; read before the fixture forgets what the environment says."""


def flip(path: Path, rng: random.Random) -> int:
    """Flip one bit and return the byte it was in."""
    content = bytearray(path.read_bytes())
    place = rng.randrange(len(content))
    content[place] ^= 1 << rng.randrange(8)
    path.write_bytes(content)
    return place


def wound(path: Path, content: bytes, seed: str) -> Path:
    """Write a file with one bit flipped."""
    path.write_bytes(content)
    flip(path, random.Random(seed))
    return path


def outcome(place: Place, vkey: str, honest: object) -> str:
    """How a flip came out: named, unreadable, unchanged, or silent, which must never be."""
    try:
        report = look(place, Options(key=vkey))
    except StorageError as error:
        return "unreadable" if str(error) else "silent"
    if not report.ok:
        assert report.findings
        return "named"
    try:
        return "unchanged" if dump(place.database) == honest else "silent"
    except sqlite3.Error:
        return "silent"


def flips(bench: Bench, rounds: int) -> Counter[str]:
    """Flip so many bits, each in a copy of its own, and count what came of them."""
    honest = dump(bench.place.database)
    vkey = bench.signer.verifier.text
    source = bench.copy()
    with Attacker(source.database) as attacker:
        attacker.sql.execute("SELECT 1")
    counts: Counter[str] = Counter()
    for seed in range(rounds):
        rng = random.Random(f"flip/{seed}")
        place = bench.copy(source.database)
        where = flip(place.database, rng)
        found = outcome(place, vkey, honest)
        assert found != "silent", (seed, where, where // 4096 + 1, where % 4096)
        counts[found] += 1
        for file in place.root.iterdir():
            file.unlink()
        place.root.rmdir()
    return counts


def test_no_flipped_bit_passes_silently(bench: Bench) -> None:
    """Each of a few flips is named, makes the file unreadable, or changed nothing the ledger says."""
    counts = flips(bench, FEW)
    assert FEW == counts.total()
    assert counts["named"] > counts["unchanged"] / 10


@pytest.mark.long
@pytest.mark.timeout(0)
def test_no_flipped_bit_passes_silently_at_length(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    """The same for a thousand flips (HOLDFAST_ROUNDS), with the counts printed."""
    counts = flips(bench, max(ROUNDS, 1000))
    with capsys.disabled():
        print(f"\nflipped bits: {dict(counts)}")  # noqa: T201 - the figures are the point


def test_a_flipped_bit_in_the_checkpoint_file_accuses_nobody_wrongly(bench: Bench) -> None:
    """A wounded line is passed over and an older one counts; a file of which nothing is left is refused or named."""
    content = bench.place.checkpoints.read_bytes()
    vkey = bench.signer.verifier.text
    wounded = [wound(bench.root / f"wounded-{seed}", content, f"checkpoints/{seed}") for seed in range(QUICK)]
    # One look holds the ledger against every file.
    report = look(bench.place, Options(key=vkey, against=wounded))
    assert (True, "verified", QUICK) == (report.ok, report.completeness, report.counts["kept_checkpoints"])

    last = content.splitlines()[-1] + b"\n"
    refused, readable = set(), []
    for seed in range(QUICK):
        path = wound(bench.root / f"single-{seed}", last, f"checkpoint/{seed}")
        try:
            keptpoints.read(path, [bench.signer.verifier])
        except InputError as error:
            refused.add(str(error).split(" ", 1)[1][:19])
        else:
            readable.append(path)
    assert {"holds no checkpoint"} == refused
    if readable:
        assert look(bench.place, Options(key=vkey, against=readable)).completeness in {"verified", "failed"}


def test_a_flipped_bit_in_the_key_file_is_told(bench: Bench) -> None:
    """A wounded key is no key, or another one: what it would have vouched for is not taken for proven."""
    for seed in range(FEW):
        place = bench.copy()
        place.key.touch(mode=0o600)
        place.key.write_bytes(bench.place.key.read_bytes())
        flip(place.key, random.Random(f"key/{seed}"))
        try:
            report = look(place)
        except HoldfastError as error:
            pytest.fail(f"{seed}: {error!r}")
        whole = bench.signer.dump() == place.key.read_text("latin-1").strip()
        assert whole or not report.ok or report.authorship == "claimed", seed


def test_a_schema_that_is_no_text_is_a_damaged_file(bench: Bench) -> None:
    """SQLite quotes what it cannot parse, and Python cannot read the quotation: that is damage, not an accident."""
    place = bench.copy()
    content = place.database.read_bytes()
    wounded = content.replace(b"CREATE TRIGGER entry_queue", b"CREATE TRIGG\xe5R entry_queue", 1)
    assert wounded != content
    place.database.write_bytes(wounded)
    with pytest.raises(StorageError, match="damaged"):
        look(place)
