"""Each section runs, however small, and holds its figures against its targets. Nothing here looks at a clock."""

import importlib.util
from pathlib import Path

import pytest

from tests.bench import bulk, guards, lists, peer, startup, transition, verifying, worker, writers
from tests.bench.house import House
from tests.bench.table import Line, Section, at_least, at_most, rendered
from tests.bench.timing import Samples, ratio
from tests.postgres import PostgresServer

pytestmark = pytest.mark.slow


def checked(*sections: Section) -> None:
    """A section has a title, lines, and something found in each."""
    for section in sections:
        assert section.title in rendered(section)
        assert all(line.what and line.found for line in section.lines)


@pytest.mark.parametrize("synchronous", ["FULL", "NORMAL"])
def test_transition_on_sqlite(tmp_path: Path, synchronous: str) -> None:
    """Product, floor and ordinary code take the same steps."""
    found = transition.sqlite(tmp_path, 1, 1, synchronous=synchronous, keep=synchronous == "FULL")
    counts = {name: len(samples.every) for name, samples in found.items()}
    assert 3 == len(counts)
    assert 1 == len(set(counts.values()))
    checked(transition.section("transition", found, 2, 1, []))


@pytest.mark.postgres
def test_transition_on_postgresql(tmp_path: Path) -> None:
    """The same on a server."""
    checked(transition.section("transition", transition.postgresql(tmp_path, "18", 1, 1), 2, 1, []))


def test_writers(tmp_path: Path) -> None:
    """Processes write at once, and nobody is turned away."""
    found = writers.contest(tmp_path, "", "", 1, 1, count=3)
    assert 0 == found[transition.PRODUCT].lock_errors
    assert len(found[transition.FLOOR].samples.every) == len(found[transition.PRODUCT].samples.every)
    checked(Section("writers", writers.rates(found)))


def test_guards(tmp_path: Path) -> None:
    """A house without guards takes the same steps."""
    one, other = tmp_path / "one", tmp_path / "other"
    with House(one) as guarded, House(other) as bare:
        checked(guards.measured(guarded, bare, 1, 1, 5, "guards"))


def test_bulk(tmp_path: Path) -> None:
    """Many cases take one step."""
    checked(bulk.measured(tmp_path, 2, 3, 2, 1))


def test_verification_and_size(tmp_path: Path) -> None:
    """What was built verifies."""
    sections = verifying.measured(tmp_path, 2, 1)
    checked(*sections)
    assert "integrity verified, completeness verified" in rendered(sections[0])


def test_lists(tmp_path: Path) -> None:
    """Rows are imported, and looked at."""
    checked(*lists.measured(tmp_path, 60, 2))


def test_startup(tmp_path: Path) -> None:
    """The command line answers."""
    checked(startup.measured(tmp_path, 1, 1))


def test_sweep(tmp_path: Path) -> None:
    """A tenant is polled twice."""
    checked(worker.swept(tmp_path, 20))


def test_steps_of_a_worker(tmp_path: Path) -> None:
    """Cases that are due are looked at once."""
    checked(worker.stepped(tmp_path, "", 3, "SQLite"))


def test_peer_on_sqlite(tmp_path: Path) -> None:
    """Another engine does the same job."""
    checked(peer.measured(tmp_path, None, 3, 1))


@pytest.mark.postgres
def test_peer_on_postgresql(tmp_path: Path, postgres_server: PostgresServer) -> None:
    """The same on a server."""
    checked(peer.measured(tmp_path, postgres_server, 3, 1))


def test_a_peer_that_is_not_installed_is_said_to_be_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is measured then."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert ["not run"] == [line.what for line in peer.measured(tmp_path, None, 3, 1).lines]


@pytest.mark.postgres
def test_takeover(tmp_path: Path) -> None:
    """A killed worker's case goes on."""
    checked(worker.taken_over(tmp_path, 1, 2.0))


def test_a_ratio_is_taken_round_by_round() -> None:
    """A slow round counts for both, and the median of the rounds is what stands."""
    one, other = Samples([[2.0], [40.0, 40.0], [6.0]]), Samples([[1.0], [10.0, 10.0], [2.0]])
    assert 3 == ratio(one, other)


def test_a_target_that_is_missed_says_so() -> None:
    """Beside each figure stands its target, and whether it was met."""
    lines = [at_most("a", 2, 1.5, 1), at_least("b", 2, 1.5), Line("c", "2")]
    assert ["MISSED", "met", ""] == [line.verdict for line in lines]
    assert "| a | 2.00 x | ≤ 1.5 x | ≤ 1 x   | MISSED |" in rendered(Section("t", lines))
