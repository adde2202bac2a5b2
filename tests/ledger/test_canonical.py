"""Canonical JSON: equal to the reference encoder, and refusing everything with two readings."""

import enum
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from workflow.errors import InputError
from workflow.ledger import canonical
from workflow.ledger.canonical import MAX_BYTES, MAX_DEPTH, MAX_INTEGER, decode, encode
from workflow.ledger.malformed import Malformed

KEYS = st.text(st.characters(max_codepoint=127), max_size=8).filter(lambda key: "\0" not in key)
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-MAX_INTEGER, MAX_INTEGER) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


class Colour(enum.StrEnum):
    """A string enum, as domain values are."""

    RED = "red"


@given(VALUES)
def test_encoding_is_rfc_8785(value: Any) -> None:
    """Within the restricted set the encoding is that of the reference package, byte for byte."""
    assert rfc8785.dumps(value) == encode(value)


@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_decoding_returns_what_was_encoded(value: dict[str, Any]) -> None:
    """Encoding and decoding an object gives the object back."""
    assert value == decode(encode(value))


@given(st.binary(max_size=60) | TEXTS.map(str.encode) | VALUES.map(lambda value: json.dumps(value).encode()))
def test_only_canonical_bytes_are_read(data: bytes) -> None:
    """Whatever is read re-encodes to the very bytes; everything else is malformed, never another error."""
    try:
        value = decode(data)
    except Malformed:
        return
    assert data == encode(value)


PLAIN = st.text(st.characters(min_codepoint=32, max_codepoint=127), max_size=6)
OBJECTS = st.dictionaries(
    PLAIN,
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | PLAIN,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PLAIN | st.integers(), inner, max_size=3),
        max_leaves=8,
    ),
    max_size=4,
)


@given(OBJECTS)
def test_the_short_way_writes_what_the_long_way_writes(value: dict[str, Any]) -> None:
    """What is written the short way is RFC 8785 and would be written so the long way; what that refuses is not."""
    data = canonical._encode_plain(value)
    if data is not None:
        assert (data, value) == (rfc8785.dumps(value), canonical._decode_any(data))


@given(
    OBJECTS,
    st.integers(0, 200),
    st.sampled_from([b"", b" ", b"0", b".0", b"e1", b"-", b'"', b"\x7f", b",", b"{}", b"x"]),
)
def test_the_short_way_reads_what_the_long_way_reads(value: dict[str, Any], at: int, put: bytes) -> None:
    """Whatever stands among the bytes of an object: what is read the short way is read the long way, and equal."""
    data = json.dumps(value, separators=(",", ":")).encode()
    data = data[:at] + put + data[at:]
    found = canonical._decode_plain(data)
    if found is not None:
        assert found == canonical._decode_any(data)


def test_an_entry_takes_the_short_way() -> None:
    """An object with as many levels as entries have, and every kind of value, is plain."""
    value = {"data": {"a": [1, True, None, {"b": "x"}]}, "v": -MAX_INTEGER}

    assert (encode(value), value) == (canonical._encode_plain(value), canonical._decode_plain(encode(value)))


def test_enums_and_tuples_are_plain_json() -> None:
    """A string enum is its text and a tuple is an array."""
    assert b'{"a":["red",1]}' == encode({"a": (Colour.RED, 1)})


def test_text_that_only_looks_like_an_escaped_nul_is_kept() -> None:
    """A backslash followed by u0000 is six characters, not a NUL."""
    assert rb'["\\u0000"]' == encode([r"\u0000"])


def _nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def test_sixteen_levels_may_nest() -> None:
    """The deepest value allowed is encoded."""
    assert b"[" * MAX_DEPTH + b"1" + b"]" * MAX_DEPTH == encode(_nested(MAX_DEPTH))


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (1.0, "float"),
        ([float("nan")], "float"),
        ({"a": 1.0}, "float"),
        ({"a": 2**53}, "2^53"),
        ({"a": datetime.now(UTC)}, "datetime"),
        ({"a": Decimal(1)}, "Decimal"),
        ({"a": object()}, "object"),
        ({"a": "\ud800"}, "surrogate"),
        ({"a": b"x"}, "bytes"),
        ({"a": {1, 2}}, "set"),
        (2**53, "2^53"),
        ([-(2**53)], "2^53"),
        ({"é": 1}, "outside ASCII"),
        ({1: 1}, "not a string"),
        ("a\0b", "U+0000"),
        ("\\\0", "U+0000"),
        ({"\0": 1}, "U+0000"),
        ("\ud800", "surrogate"),
        (_nested(MAX_DEPTH + 1), "nested deeper"),
    ],
)
def test_values_without_one_reading_are_refused(value: Any, why: str) -> None:
    """What JSON readers or databases would take differently cannot be written."""
    with pytest.raises(InputError, match=why.replace("^", r"\^").replace("+", r"\+")):
        encode(value)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b'{"a":1,"a":1}', "canonical"),
        (b'{"a":1,"a":2}', "canonical"),
        (b'{"b":1,"a":2}', "canonical"),
        (b'{"a": 1}', "canonical"),
        (b'{"a":1}\n', "canonical"),
        (b'{"a":-0}', "canonical"),
        (b'{"a":"\\u0041"}', "canonical"),
        (b'{"a":"\\/"}', "canonical"),
        (b'{"a":"\\u0000"}', r"U\+0000"),
        (b'{"a":"\\ud800"}', "surrogate"),
        (b'{"a":1.0}', "float"),
        (b'{"a":1e2}', "float"),
        (b'{"a":NaN}', "float"),
        (b'{"a":9007199254740992}', "2\\^53"),
        (b'\xef\xbb\xbf{"a":1}', "not JSON"),
        ('{"a":1}'.encode("utf-16"), "not JSON"),
        (b'{"a":"\xff"}', "not JSON"),
        (b'{"a":' + b"9" * 5000 + b"}", "not JSON"),
        (b"[" * 50_000, "not JSON"),
        (b"", "not JSON"),
        (b"[1]", "not a JSON object"),
        (b'{"a":"' + b"x" * MAX_BYTES + b'"}', "more than the 65535"),
    ],
)
def test_bytes_with_two_readings_are_malformed(data: bytes, why: str) -> None:
    """Each classic of parser disagreement is refused with its reason."""
    with pytest.raises(Malformed, match=why):
        decode(data)


def test_the_reader_accepts_its_bound() -> None:
    """Exactly 65,535 bytes are still read."""
    data = b'{"a":"' + b"x" * (MAX_BYTES - 8) + b'"}'
    assert MAX_BYTES == len(encode(decode(data)))
