"""Rows of results files and lists of cases, whatever wrote them."""

from __future__ import annotations

import io

import pytest

from workflow.errors import InputError, SourceError
from workflow.sources import case_list
from workflow.sources.case_list import case_references
from workflow.sources.results import ANSWERS, OUTCOMES, Row, result_rows


def rows(text: str) -> list[Row]:
    """Return the answers of a file."""
    return list(result_rows(io.BytesIO(text.encode()), "r.csv", ANSWERS, ("case", "id")))


def test_a_row_of_any_spelling() -> None:
    """Letter case, blanks, hyphens and underscores in a column's name make no difference; others are left alone."""
    (row,) = rows("Case-Number,STEP,observed at,colour\n 7 ,password-reset,now,red\n")

    assert Row("line 2", {"case": "7", "id": "password-reset", "at": "now"}) == row


def test_broken_json_is_named() -> None:
    """An item that is cut off costs itself alone."""
    found = rows('{"case": 1, "id": "a"}\n{"case": 2, "id": \n{"case": 3, "id": "c"}\n')

    assert [("item 1", False), ("item 2", True), ("item 3", False)] == [(row.where, bool(row.broken)) for row in found]


@pytest.mark.parametrize("text", ["", "\ufeff", "case;result\n1;met\n", "case,id,step\n1,a,b\n"])
def test_columns_that_are_missing_or_doubled(text: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(InputError, match="column"):
        rows(text)


def test_a_row_without_what_is_required() -> None:
    """It says all that it lacks."""
    found = result_rows(io.BytesIO(b"case,outcome\n,\n1,done\n"), "r.csv", OUTCOMES, ("case", "outcome"))

    assert "It has no case and no outcome." == next(found).broken


def test_a_list_that_never_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is given up at a bound."""
    monkeypatch.setattr(case_list, "LARGEST", 10)
    with pytest.raises(SourceError, match="longer than 10 characters"):
        case_references(io.BytesIO(b"1\n" * 20), "standard input")
