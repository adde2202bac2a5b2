"""A draw that anybody can repeat without this program."""

import hashlib
import string

from hypothesis import given
from hypothesis import strategies as st

from workflow.domain import sampling

IDS = st.lists(st.text(string.hexdigits + "-", min_size=1, max_size=12), max_size=30)
SEEDS = st.integers(0, 10**18)


def test_a_known_draw_never_changes() -> None:
    """What was drawn once is drawn for ever; these values were made by hand with sha256sum."""
    population = [f"case-{number:02}" for number in range(12)]

    assert "1a95a1bec2e626573942677741defdea3311ae62a7d77c221792dcfd91049566" == sampling.digest(population)
    assert ["case-05", "case-07", "case-09", "case-06"] == sampling.draw(population, 4711, 4)


@given(IDS, SEEDS, st.integers(0, 40))
def test_a_draw_depends_on_ids_and_seed_alone(population: list[str], seed: int, number: int) -> None:
    """Not on the order or the number of times an id is named; a larger sample keeps the smaller one."""
    drawn = sampling.draw(population, seed, number)

    assert drawn == sampling.draw([*reversed(population), *population], seed, number)
    assert len(drawn) == min(number, len(set(population)))
    assert drawn == list(sampling.draw(population, seed, number + 5))[:number]


@given(IDS, SEEDS)
def test_three_lines_draw_it_again(population: list[str], seed: int) -> None:
    """The script of the documentation, on the text of the population."""
    ids = sampling.listing(population).split()
    drawn = sorted(ids, key=lambda item: hashlib.sha256(f"{seed}:{item}".encode()).hexdigest())[:25]

    assert drawn == sampling.draw(population, seed, 25)
    assert hashlib.sha256(sampling.listing(population).encode()).hexdigest() == sampling.digest(population)
