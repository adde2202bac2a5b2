"""Whatever bytes arrive, checking a playbook ends in faults or in a playbook, soon, and in nothing else."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflow.domain.playbook import from_data
from workflow.errors import PlaybookError
from workflow.sources.playbook_fields import PLAYBOOK, PREREQUISITE
from workflow.sources.playbook_file import check, load, shipped, shipped_bytes

pytestmark = pytest.mark.slow

_WORDS = [*PLAYBOOK, *PREREQUISITE, "mailbox", "contain", "1", "24h", "true", "x", "compromised-mailbox"]
_PIECES = [
    *_WORDS,
    ": ",
    "\n",
    "  - ",
    "\n    ",
    "[",
    "]",
    "{",
    "}",
    "&a ",
    "*a",
    "!!str ",
    "'",
    '"',
    "<<",
    "#",
    "%",
]
_SHIPPED = [entry.read_bytes() for entry in shipped().values()]


def _judge(data: bytes) -> None:
    faults = check(data, "p.yaml")
    if not faults:
        playbook = load(data, "p.yaml")
        assert playbook == from_data(playbook.to_data(), playbook.digest)
        return
    with pytest.raises(PlaybookError) as raised:
        load(data, "p.yaml")
    assert faults == list(raised.value.faults)
    assert all(fault.line >= 1 and fault.message and fault.cure for fault in faults)


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    """Bytes that are no text at all."""
    _judge(data)


@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    """Text that is no YAML, or by accident some."""
    _judge(text.encode("utf-8", "surrogatepass"))


@given(st.lists(st.sampled_from(_PIECES), max_size=60))
def test_any_heap_of_yaml(pieces: list[str]) -> None:
    """Everything that has a meaning in YAML or in a playbook, in any order."""
    _judge("".join(pieces).encode())


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(_SHIPPED), st.data())
def test_any_wound_of_a_shipped_playbook(data: bytes, draw: st.DataObject) -> None:
    """A piece cut out of a sound file, or put into it."""
    lines = data.split(b"\n")
    at = draw.draw(st.integers(0, len(lines) - 1))
    column = draw.draw(st.integers(0, len(lines[at])))
    piece = draw.draw(st.sampled_from(_PIECES)).encode()
    lines[at] = lines[at][:column] + draw.draw(st.sampled_from([piece, b""]))
    _judge(b"\n".join(lines))


def test_the_worst_files_within_the_limit_take_little_time() -> None:
    """Many faults, long circles, long words and deep nesting stay far below what would hold anybody up."""
    head = b"format: 1\nname: a\nversion: 1\ntitle: A\nkinds: [mailbox]\nprerequisites:\n"
    every = b", ".join(b"n%d" % number for number in range(200))
    dense = b"".join(
        b"  - {id: n%d, title: T, required_by: contain, after: [%s]}\n" % (number, every) for number in range(199)
    )
    files = [
        b"a: 1\n" * 50_000,
        b"".join(b"k%d: 1\n" % number for number in range(20_000)),
        b"[" * 200_000,
        b"{a: " * 60_000,
        b"- " * 100_000,
        b"x" * 200_000 + b": 1\n",
        (head + dense)[: 255 * 1024],
        head + b'  - {id: n, title: T, required_by: contain, command: "' + b"{address}'" * 190 + b'"}\n',
    ]
    started = time.process_time()
    for data in files:
        _judge(data[: 255 * 1024])

    assert time.process_time() - started < 30


def test_the_bytes_of_every_shipped_playbook_are_sound() -> None:
    """The wounds above begin from health."""
    assert [[]] * len(_SHIPPED) == [check(data, "p.yaml", shipped_bytes) for data in _SHIPPED]
