"""Many rows are read in the memory of a few: twenty thousand of each form, and a hundred thousand in the long run."""

from __future__ import annotations

import io
import itertools
import json
import tracemalloc
from collections.abc import Iterator

import pytest

from tests.sources.written import SPAM
from workflow.domain.restriction import Restriction
from workflow.sources import ReadOptions, read

pytestmark = pytest.mark.slow

ROWS, FEWER = 100_000, 20_000
ROW = json.dumps({"SenderAddress": "u%d@tailspin.example", "Reason": SPAM, "TemporaryBlock": False})
CELLS = f'"u%d@tailspin.example","{SPAM}","2026-06-11T14:03:27Z","False"\r\n'
BLOCK = f"SenderAddress  : u%d@tailspin.example\r\nReason         : {SPAM}\r\nTemporaryBlock : False\r\n"
LINE = "u%050d@tailspin.example" + " " * 12 + "spam\n"


class Endless(io.BytesIO):
    """A stream that makes its text up while it is read, so that only the reader's memory is measured."""

    def __init__(self, pieces: Iterator[str]) -> None:
        super().__init__()
        self._pieces = pieces
        self._rest = b""

    def read(self, size: int | None = -1) -> bytes:
        """Return up to ``size`` bytes."""
        size = size or 0
        while len(self._rest) < size and (batch := "".join(itertools.islice(self._pieces, 200))):
            self._rest += batch.encode()
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken


def pieces(start: str, row: str, between: str, end: str, rows: int) -> Iterator[str]:
    """Yield the text of a file of many rows."""
    yield start
    for number in range(rows):
        yield (between if number else "") + row % number
    yield end


FORMS = {
    "list": ("[", ROW, ",\n", "]"),
    "csv": ("SenderAddress,Reason,CreatedDatetime,TemporaryBlock\r\n", CELLS, "", ""),
    "printed list": ("", BLOCK, "\r\n", ""),
    "printed table": (f"{'SenderAddress':79} Reason\n{'-' * 13:79} ------\n", LINE, "", ""),
    "envelope": ('{"@odata.context":"x","value":[', ROW, ",", "]}"),
    "lines": ("", ROW, "\n", "\n"),
}
"""How rows can be wrapped: what stands before them, one row, what stands between two, and what behind them."""


@pytest.mark.parametrize("rows", [FEWER, pytest.param(ROWS, marks=[pytest.mark.long, pytest.mark.timeout(0)])])
@pytest.mark.parametrize("form", FORMS)
def test_constant_memory(form: str, rows: int) -> None:
    """The peak stays far below the size of the file, whichever way the rows are wrapped."""
    stream = Endless(pieces(*FORMS[form], rows))
    tracemalloc.start()
    try:
        count = sum(isinstance(item, Restriction) for item in read(stream, name="x", options=ReadOptions()))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert rows == count
    assert peak < 2_000_000
