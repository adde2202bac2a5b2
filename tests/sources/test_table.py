"""CSV of Export-Csv, the portal and spreadsheets."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from tests.sources.written import GUID, as_csv, connector_row, restrictions, sender_row, skipped, taken
from workflow.domain.restriction import Restriction, Skipped, Source
from workflow.sources import ReadOptions, zone

AT = datetime(2026, 6, 11, 14, 3, 27, tzinfo=UTC)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("head", ["", "#TYPE Deserialized.BlockedSender\r\n", "sep=;\r\n", "\r\n"])
def test_every_dialect(encoding: str, delimiter: str, head: str) -> None:
    """Delimiter, type line, separator line and encoding are found out, not asked for."""
    row = sender_row(CreatedDatetime="2026-06-11T14:03:27Z", TemporaryBlock="True")

    (found,) = restrictions(as_csv([row], delimiter, head, encoding))

    assert ("noor.haddad@tailspin.example", "temporary", Source.EXPORT, AT) == (
        found.identifier,
        found.status,
        found.source,
        found.restricted_at,
    )
    assert f"line {3 if head else 2}" == found.where


@pytest.mark.parametrize(
    "written",
    [
        "6/25/2026 2:03:27 PM",
        "25.06.2026 14:03:27",
        "25/06/2026 14:03",
        "2026/06/25 14:03:27",
        "6/25/2026 2:03:27\u202fPM",
    ],
)
def test_unambiguous_local_dates(written: str) -> None:
    """A date that can be read in one way only is read, in the zone that was told."""
    options = ReadOptions(timezone=zone("Europe/Berlin"))

    (found,) = restrictions(as_csv([sender_row(CreatedDatetime=written)]), options)

    assert found.restricted_at is not None
    assert datetime(2026, 6, 25, 12, 3, tzinfo=UTC) == found.restricted_at.replace(second=0)


def test_an_ambiguous_date_is_refused_with_the_option() -> None:
    """A row whose date may be March or April is refused with what settles it, and the others are read."""
    content = as_csv(
        [sender_row(), sender_row(CreatedDatetime="03/04/2026 08:00:00"), sender_row("b@tailspin.example")]
    )

    first, refused, last = taken(content)

    assert isinstance(refused, Skipped)
    assert (True, "line 3") == (refused.broken, refused.where)
    assert re.search(r"--date-order dmy .*--date-order mdy.*--timezone", refused.why)
    assert [True, True] == [isinstance(item, Restriction) for item in (first, last)]


@pytest.mark.parametrize(("order", "month"), [("dmy", 4), ("mdy", 3)])
def test_the_option_settles_it(order: str, month: int) -> None:
    """With the order told the same file is read."""
    options = ReadOptions(date_order=order)  # type: ignore[arg-type]  # One of the two literals.

    (found,) = restrictions(as_csv([sender_row(CreatedDatetime="03/04/2026 08:00:00")]), options)

    assert found.restricted_at is not None
    assert month == found.restricted_at.month


def test_connectors() -> None:
    """A CSV of connectors is told by its columns."""
    assert [GUID] == [found.identifier for found in restrictions(as_csv([connector_row()]))]


def test_a_header_alone_says_nothing_is_restricted() -> None:
    """No rows and no columns both mean an empty list."""
    assert [] == taken(b'"SenderAddress","Reason"\r\n')
    assert [] == taken(b"#TYPE Selected.BlockedSender\r\n")


def test_a_lone_column_is_enough() -> None:
    """An export of addresses alone has no delimiter at all."""
    assert ["a@b.example"] == [found.identifier for found in restrictions(b"SenderAddress\na@b.example")]


def test_a_cell_may_break_its_line() -> None:
    """A line break inside quotation marks belongs to the cell, and lines are counted as an editor counts."""
    content = as_csv([sender_row(Reason="first\nsecond;\nthird"), sender_row("b@tailspin.example")])

    first, second = restrictions(content)

    assert "first\nsecond;\nthird" == first.reason
    assert ("line 2", "line 5") == (first.where, second.where)


def test_an_open_quotation_mark_costs_one_line() -> None:
    """A mark that is never closed does not swallow the rows behind it."""
    content = b'SenderAddress,Reason\n"a@b.example,x\nc@d.example,y\n\ne@f.example,z\n'

    found = taken(content)

    assert ["line 2"] == [item.where for item in found if not isinstance(item, Restriction)]
    assert ["c@d.example", "e@f.example"] == [i.identifier for i in found if isinstance(i, Restriction)]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (b"a@b.example", "1 cells"),
        (b"a@b.example,x,y", "3 cells"),
        (b"m?ller@b.example,x", "-Encoding utf8"),
        (b"a\x00@b.example,x", "control"),
        (b'a@b.example,"' + b"x" * 200_000 + b'"', "131,072"),
        (b"a@b.example," + b"x" * 1_200_000, "1,048,576"),
        (b'"a@b.example,' + b"x" * 1_200_000, "1,048,576"),
        (b'"a@b.example,\n' + b"x" * 1_200_000, "1,048,576"),
    ],
)
def test_a_broken_row_is_reported_and_the_rest_read(row: bytes, why: str) -> None:
    """Whatever is wrong with a row stands beside its line, and the row behind it is read."""
    content = b"SenderAddress,Reason\n" + row + b"\nlast@b.example,x\n"

    found = taken(content)

    assert why in skipped(content)[0].why
    assert "line 2" == skipped(content)[0].where
    assert isinstance(found[-1], Restriction)
    assert "last@b.example" == found[-1].identifier
