"""JSON of any length becomes items, and a broken one loses nothing but itself."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.sources.json_items import items
from workflow.sources.json_scan import Broken

CUT = "The file ends in the middle of it."
FAULTS = [
    '{"a": }',
    '{"a": tru}',
    '{"a": "b}',
    '{"a": "\\x"}',
    "nothing",
    '{"a" "b"}',
    '{"a": [1}',
    '{"a"',
    '{"a": {"b": 1}',
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.text(max_size=6).filter(lambda name: name.casefold() not in {"value", "records"})
LISTS = st.lists(st.dictionaries(NAMES, VALUES, max_size=4), max_size=4)
"""Small enough that most of the time goes into reading and not into making them up."""


def read(text: str, size: int = 7) -> list[Any]:
    """Return the values of all items, of a text that comes in chunks of that many characters."""
    return [value for _, value in items(text[at : at + size] for at in range(0, len(text), size))]


@given(LISTS, st.integers(1, 40), st.sampled_from([None, 2]), st.booleans())
def test_lists_in_any_chunks(values: list[Any], size: int, indent: int | None, ascii_only: bool) -> None:  # noqa: FBT001 - drawn.
    """A list comes back as it was written, wherever the chunks are cut."""
    assert values == read(json.dumps(values, indent=indent, ensure_ascii=ascii_only), size)


@given(LISTS, st.integers(1, 40))
def test_lines_and_envelopes_in_any_chunks(values: list[Any], size: int) -> None:
    """So do lines of objects, and an envelope."""
    assert values == read("\n".join(json.dumps(value) for value in values), size)
    assert values == read(json.dumps({"value": values, "Count": len(values)}), size)


def broken(values: list[Any]) -> list[Any]:
    """Return the values with their faults in words alone."""
    return [value.why if isinstance(value, Broken) else value for value in values]


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("indent", ["", "    "])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_item_in_a_list(fault: str, indent: str, size: int) -> None:
    """The items before and behind a broken one are read, where items begin on lines of their own."""
    text = ",\n".join(f"{indent}{item}" for item in ['{"n": 1}', fault, '{"n": 2}', '{"n": 3}'])

    found = read(f"[\n{text}\n]", size)

    assert [{"n": 1}, True, {"n": 2}, {"n": 3}] == [isinstance(v, Broken) or v for v in found]


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("fault", [*FAULTS, "}", "{7: 1}", '{"a": "\\"', '{"a": 1,'])
def test_a_broken_line(fault: str, size: int) -> None:
    """The lines before and behind a broken one are read."""
    found = read(f'{{"n": 1}}\n{fault}\n{{"n": 2}}\n{{"n": 3}}', size)

    assert [{"n": 1}, True, {"n": 2}, {"n": 3}] == [isinstance(v, Broken) or v for v in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[{"a": 1}', [{"a": 1}, "The file ends before its list does: it was cut off."]),
        ('[{"a": 1}, {"b', [{"a": 1}, CUT, "The file ends before its list does: it was cut off."]),
        ('{"a": 1', [CUT]),
        ('{"a": 1,', [CUT]),
        ('{"a": "x\\', [CUT]),
        ("[}}\n}, {}]", ["A closing brace stands where an item should.", {}]),
        ('[{"a": 1} {"b": 2},,]', [{"a": 1}, {"b": 2}]),
        ('{"records": {"a": 1}}', [{"a": 1}]),
        ('{"value": 7}', [{"value": 7}]),
    ],
)  # fmt: skip
def test_odd_texts(text: str, expected: list[Any]) -> None:
    """Truncation and stray marks are told for what they are."""
    assert expected == broken(read(text))


def test_limits() -> None:
    """Items too long or too deep are named and passed over, in lists and alone."""
    long = json.dumps({"a": "x" * 1_100_000})
    many = json.dumps({f"k{number}": "x" * 9_000 for number in range(200)})
    deep = '{"a":' * 5_000 + "1" + "}" * 5_000

    assert ["It is longer than 1,048,576 characters."] * 2 + ["It is nested deeper than 64 levels."] + [{"n": 1}] == (
        broken(read(f'[{long}, {many}, {deep}, {{"n": 1}}]', 65_536))
    )
    assert ["It is longer than 1,048,576 characters."] * 2 == broken(read(f"{long}\n{many}", 65_536))


def test_an_alert_of_many_members() -> None:
    """An object larger than what is in sight at once is taken member by member."""
    large = {f"k{number}": ['x\\"\n' * 100, {"n": number}] for number in range(500)}

    assert [large] == read(json.dumps(large), 4_096)


def test_numbers_without_end() -> None:
    """A number of a million digits costs its own item."""
    assert isinstance(read("[{" + f'"a": {"9" * 1_000_000}' + "}]", 65_536)[0], Broken)
    assert isinstance(read('[{"a": ' + "9" * 5_000 + "}]")[0], Broken)
