"""What a worker says: whole lines, harmless ones, for people or for programs."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime

import pytest

from workflow.worker.log import Log, unforeseen

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_people_read_sentences() -> None:
    """The time stands before them; nothing that a terminal would obey is let through."""
    out = io.StringIO()
    Log(lambda: NOON, stream=out)("Case #1\x1b[2J:\nreleased", "step", case=1)

    assert "2026-11-24T12:00:00Z Case #1 [2J: released\n" == out.getvalue()


def test_programs_read_objects(capsys: pytest.CaptureFixture[str]) -> None:
    """One a line, on standard error."""
    Log(lambda: NOON, as_json=True)("Ünblocked", "step", case=1, message="is not ours to say")

    told = json.loads(capsys.readouterr().err)
    assert {"at": "2026-11-24T12:00:00.000000Z", "event": "step", "case": 1, "message": "Ünblocked"} == told


def test_what_nobody_foresaw_is_told_by_kind_and_place() -> None:
    """Its text may be an address; without a place the kind has to do."""
    assert "KeyError, which nobody foresaw" == unforeseen(KeyError("ada@contoso.example"))
    with pytest.raises(KeyError) as raised:
        dict[str, int]()["ada@contoso.example"]
    told = unforeseen(raised.value)
    assert told.startswith("KeyError at test_log.py:")
    assert "ada" not in told
