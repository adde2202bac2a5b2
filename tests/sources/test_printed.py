"""What PowerShell prints for people: lists and tables, wrapped and cut by a window."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.sources.written import (
    GUID,
    SPAM,
    as_list,
    as_table,
    connector_row,
    restrictions,
    sender_row,
    skipped,
    taken,
)
from workflow.domain.restriction import Restriction, Source
from workflow.domain.vocabulary import Kind
from workflow.errors import SourceError
from workflow.sources import ReadOptions

AT = datetime(2026, 6, 25, 14, 3, 27, tzinfo=UTC)
LONG = "noor.haddad.of.the.department.with.a.very.long.name@tailspin.example"


def told(content: bytes) -> list[tuple[str, str]]:
    """Return of each item where it stands, and its identifier or why it is broken."""
    return [
        (item.where, item.identifier if isinstance(item, Restriction) else f"broken: {item.why}")
        for item in taken(content)
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("width", [40, 60, 4096])
def test_a_list_in_any_window(encoding: str, width: int) -> None:
    """However narrow the window was, every value is put together again."""
    rows = [sender_row(LONG, CreatedDatetime="6/25/2026 2:03:27 PM", TemporaryBlock=True), sender_row()]

    first, second = restrictions(as_list(rows, width, encoding))

    assert (LONG, "temporary", Source.EXPORT, AT, SPAM) == (
        first.identifier,
        first.status,
        first.source,
        first.restricted_at,
        first.reason,
    )
    assert "noor.haddad@tailspin.example" == second.identifier


def test_blanks_lost_at_the_end_of_lines() -> None:
    """An editor that strips blanks behind a line breaks neither a time nor an address."""
    content = b"SenderAddress   : a@b.example\nCreatedDatetime : 25.06.2026\n                  14:03:27\nReason : x\n"

    assert [AT] == [found.restricted_at for found in restrictions(content)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_table(encoding: str) -> None:
    """The columns of a table are told by where their names begin."""
    rows = [sender_row(f"{name}@b.example", CreatedDatetime="25/06/2026 14:03:27") for name in ("ada", "bob", "eve")]

    found = restrictions(as_table(rows, encoding))

    assert ["ada@b.example", "bob@b.example", "eve@b.example"] == [item.identifier for item in found]
    assert ({AT}, "line 4") == ({item.restricted_at for item in found}, found[0].where)


def test_connectors() -> None:
    """Connectors are told by their id, in a list and in a table."""
    for content in (as_list([connector_row()], 60), as_table([connector_row()])):
        (found,) = restrictions(content)
        assert (Kind.CONNECTOR, GUID, "Relay of the print room") == (found.kind, found.identifier, found.name)


def test_what_stands_around_it_in_a_console() -> None:
    """Prompts before and behind, and a table of one column."""
    listed = b"PS C:\\> Get-BlockedSenderAddress | fl\n\nSenderAddress : a@b.example\nPS C:\\>\n"
    table = b"[srv]: PS C:\\> Get-BlockedSenderAddress\nSenderAddress\n-------------\na@b.example\n\nPS C:\\> exit\n"

    assert [("line 3", "a@b.example")] == told(listed)
    assert [("line 4", "a@b.example")] == told(table)


TAIL = "\nSenderAddress : z@b.example\nReason        : x\n"


@pytest.mark.parametrize(
    ("block", "why"),
    [
        ("SenderAddress : a@b.exam…\nReason : x\n", "cut off to fit a window. A full file comes from: Get-Blocked"),
        ("SenderAddress : a@b.example\nReason : x...\n", "The value of reason was cut off"),
        ("SenderAddress : a@b.example\nReason : {x...}\n", "The value of reason was cut off"),
        ("SenderAddress : a@b.example\nSenderAddress : c@b.example\n", "names SenderAddress twice"),
        ("SenderAddress : a@b.example\nnonsense\nReason : x\n", "'nonsense' belongs to no value"),
        ("    wrapped\nSenderAddress : a@b.example\nReason : x\n", "'wrapped' belongs to no value"),
        ("SenderAddress : a@b.example\n", "It lacks reason, which the first one has."),
        ("Reason : x\n", "no item of a known kind"),
        ("SenderAddress : a@b.example\nReason : " + "x" * 1_200_000 + "\n", "1,048,576"),
        ("SenderAddress : a@b.example\nReason : x\n" + "                x\n" * 70_000, "1,048,576"),
        ("SenderAddress : a@b\x00.example\nReason : x\n", "control"),
        ("SenderAddress : m?ller@b.example\nReason : x\n", "damaged by the export"),
    ],
)
def test_a_broken_block_costs_itself_alone(block: str, why: str) -> None:
    """Whatever is wrong with a block, it is refused with its line and the others are read."""
    content = (TAIL + "\n" + block + TAIL).encode()

    first, broken, last = told(content)

    assert ("z@b.example", "line 5", "z@b.example") == (first[1], broken[0], last[1])
    assert why in broken[1]


HEAD = "SenderAddress          Reason     TemporaryBlock\n-------------          ------     --------------\n"


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("a.very.long.name@b.ex… spam       False\n", "The value of senderaddress was cut off"),
        ("a@b.example            OutboundS… False\n", "The value of reason was cut off"),
        ("a@b.example            Outboun... False\n", "comes from: Get-BlockedSenderAddress | Format-List"),
        ("a.name.that.is.wrapped spam       False\n@b.example\n", "wrapped over 2 lines"),
        ("a.name@wrapped.because spam       False\n.long.example\n", "wrapped over 2 lines"),
        ("a@b.example            Outbound   False\n                       Spam=3\n", "wrapped over 2 lines"),
        ("a.wide.columns.name@b.example spam False\n", "do not stand under the names"),
        ("a@b.example\tspam\tFalse\n", "do not stand under the names"),
        ("a" * 1_200_000 + "\n", "1,048,576"),
        ("nobody                 spam       False\n", "not an address"),
    ],
)
def test_a_broken_line_costs_itself_alone(row: str, why: str) -> None:
    """A line that was cut, wrapped or shifted is refused, and nobody is taken for somebody else."""
    good = "z@b.example            spam       True\n"

    first, broken, last = told((HEAD + good + row + good).encode())

    assert ("z@b.example", "line 4", "z@b.example") == (first[1], broken[0], last[1])
    assert why in broken[1]


def test_a_table_indented_as_a_whole() -> None:
    """What stands before the first column belongs to nobody."""
    content = b"  ConnectorId                          Reason\n  -----------                          ------\n"
    row = b"  " + GUID.encode() + b" spam\n"

    assert [GUID] == [item.identifier for item in restrictions(content + row)]
    assert "under the names" in skipped(content + b"x" + row[1:])[0].why


def test_a_connector_wrapped_in_the_last_column() -> None:
    """Of a GUID in two pieces neither is taken for one."""
    content = f"Reason ConnectorId\n------ -----------\nspam   {GUID[:20]}\n       {GUID[20:]}\n"

    assert "wrapped over 2 lines" in skipped(content.encode())[0].why


@pytest.mark.parametrize("head", ["SenderAddress Reas…", "SenderAddr... Reason", "Sender… Reason"])
def test_a_header_that_was_cut(head: str) -> None:
    """Where names of columns are cut nothing is known about the columns, so the file is refused with its cure."""
    names = head.split()
    content = f"{head}\n{' '.join('-' * len(name) for name in names)}\na@b.example x\n"

    with pytest.raises(SourceError, match=r"names of its columns were cut off.*Format-List"):
        taken(content.encode())


def test_ambiguous_dates_are_the_rows_own() -> None:
    """Of a list, too, only the row is refused whose date may be March or April."""
    rows = [sender_row(CreatedDatetime="03/04/2026 08:00:00"), sender_row("b@b.example")]

    assert "--date-order" in skipped(as_list(rows))[0].why
    assert 2 == len(restrictions(as_list(rows), ReadOptions(date_order="dmy")))


def test_the_shortest_of_each() -> None:
    """A list without an end of line, and a table that has no rows."""
    assert ["a@b.example"] == [item.identifier for item in restrictions(b"SenderAddress : a@b.example")]
    assert [] == taken(b"SenderAddress Reason\n------------- ------\n")
