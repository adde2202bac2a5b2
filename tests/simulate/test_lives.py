"""Ten thousand days of a tenant's life, and the rules that hold on every one of them."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.memory import folder
from tests.services.desk import Place
from tests.simulate.life import Tally, live, lives

DAYS = int(os.environ.get("HOLDFAST_DAYS", "10000"))
SEED = int(os.environ.get("HOLDFAST_SEED", "20261124"))


@pytest.mark.parametrize("seed", [21, 28])
def test_a_few_days(sqlite_ledger: Place, tmp_path: Path, seed: int) -> None:
    """In the first days of a few lives no rule is broken."""
    _, tally = live(sqlite_ledger.copy(tmp_path / "life"), seed, 4)
    assert 4 == tally.days


def test_the_same_life_again(sqlite_ledger: Place, tmp_path: Path) -> None:
    """Two lives of one seed are the same to the byte; another seed's is another."""
    one, same, other = (
        live(sqlite_ledger.copy(tmp_path / name), seed, 1)[0] for name, seed in (("one", 5), ("same", 5), ("other", 6))
    )
    assert "\n".join(one) == "\n".join(same)
    assert one != other


@pytest.mark.long
@pytest.mark.timeout(0)  # Hours on a small machine; every life that is over is told.
def test_many_days(sqlite_ledger: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """In as many lives as ten thousand days take no rule is broken."""
    tally = Tally()
    # Nobody cuts the power of a simulated life, so that it need not wait for a disk.
    with TemporaryDirectory(dir=folder()) as fresh, capsys.disabled():
        print()  # noqa: T201
        for tally in lives(Path(fresh), sqlite_ledger, SEED, DAYS):
            print(f"{tally.days:,} of {DAYS:,} days, {tally.lives} lives", end="\r", flush=True)  # noqa: T201
        print(tally)  # noqa: T201
    assert DAYS <= tally.days
