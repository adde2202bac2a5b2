"""``holdfast ledger sample``: a draw, its population, and what it is quoted with."""

from __future__ import annotations

import csv
import hashlib
import io
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.shell import Shell

OPENED = "ledger sample --of opened --from 2025-06-01 --to 2025-06-30"


@pytest.fixture
def cases(shell: Shell) -> Shell:
    """A shell on a ledger with five cases."""
    for name in ("ada", "ben", "cleo", "dora", "emil"):
        shell.ok(f"case open {name}@contoso.com --restricted-at -1h --as ana")
    return shell


def test_a_sample_is_drawn_again(cases: Shell, home: Path) -> None:
    """The same population and seed; the population's file has the digest that was printed."""
    ran = cases.ok(f"{OPENED} --n 2 --seed 7 --population population.txt")
    data = cases.ok(f"{OPENED} --n 2 --seed 7 --json").data
    content = (home / "population.txt").read_bytes()
    ids = content.decode().split()
    drawn = sorted(ids, key=lambda item: hashlib.sha256(f"7:{item}".encode()).hexdigest())[:2]

    assert "2 of 5 cases" in ran.out
    assert f"SHA-256 {hashlib.sha256(content).hexdigest()}; seed 7." in ran.err
    assert drawn == [row["id"] for row in data["cases"]]
    assert "may still grow" in ran.err
    assert "may still grow" not in cases.ok("ledger sample --seed 7 --to 2025-06-10").err
    assert all(row["entity"] in ran.out for row in data["cases"])
    assert {"from": "2025-05-31T22:00:00.000000Z", "to": "2025-06-30T22:00:00.000000Z"} == data["period"]


def test_the_recipe_of_the_page_draws_it_again(cases: Shell, home: Path) -> None:
    """Three lines of Python that know nothing of this program."""
    page = Path(__file__).parents[2] / "docs" / "how-to" / "sample-a-quarter.md"
    recipe = page.read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    data = cases.ok(f"{OPENED} --n 3 --seed 99 --population population.txt --json").data
    command = [sys.executable, "-W", "ignore", "-c", recipe, str(home / "population.txt"), "99", "3"]
    done = subprocess.run(command, capture_output=True, check=True, encoding="utf-8")

    assert [row["id"] for row in data["cases"]] == done.stdout.split()


def test_csv_and_filters(cases: Shell) -> None:
    """A row for each case; what it is quoted with goes to standard error."""
    ran = cases.ok(f"{OPENED} --seed 1 --state detected --kind mailbox --csv")

    assert ["1", "2", "3", "4", "5"] == [row["place"] for row in csv.DictReader(io.StringIO(ran.out))]
    assert "Checkpoint: holdfast-" in ran.err
    assert "only        detected, mailbox" in cases.ok(f"{OPENED} --seed 1 --state detected --kind mailbox").out


def test_nothing_to_draw_from(cases: Shell) -> None:
    """Nobody was released; that is an answer."""
    assert "No case fits" in cases.ok("ledger sample --seed 1").out
    assert [] == cases.ok("ledger sample --seed 1 --json").data["cases"]


@pytest.mark.parametrize(
    "words",
    [
        "",
        "--seed -1",
        "--seed x",
        "--seed 1 --n 0",
        "--seed 1 --csv --json",
        "--seed 1 --from 2025-07-01 --to 2025-06-01",
        "--seed 1 --of forgotten",
        "--seed 1 --population .",
        "--seed 1 --population no/such/folder/file",
    ],
)
def test_what_cannot_be_drawn(cases: Shell, words: str) -> None:
    """A usage error says what to write instead."""
    assert 2 == cases(f"ledger sample {words}").code


def test_a_file_is_not_written_over(cases: Shell, home: Path) -> None:
    """Nor one behind a link."""
    (home / "link").symlink_to(home / "precious")

    assert 2 == cases(f"{OPENED} --seed 1 --population link").code
    assert not (home / "precious").exists()
