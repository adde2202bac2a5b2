"""What a file is, told by its content."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest

from tests.sources.written import (
    as_csv,
    as_json,
    as_list,
    as_table,
    audit_record,
    connector_row,
    graph_alert,
    ndr,
    sender_row,
    taken,
    user,
)
from workflow.errors import SourceError
from workflow.sources import ONE_LINERS, ReadOptions, Shape, detect, read

EXAMPLES = {
    Shape.EMPTY: b"",
    Shape.SENDERS_JSON: as_json([sender_row()]),
    Shape.SENDERS_CSV: as_csv([sender_row()]),
    Shape.SENDERS_TEXT: as_list([sender_row()]),
    Shape.CONNECTORS_JSON: as_json(connector_row()),
    Shape.CONNECTORS_CSV: as_csv([connector_row()]),
    Shape.CONNECTORS_TEXT: as_table([connector_row()]),
    Shape.ALERTS_JSON: as_json({"value": [graph_alert(user("noor"))]}),
    Shape.AUDIT_JSON: as_json([audit_record()]),
    Shape.AUDIT_CSV: as_csv([{"AuditData": "{}", "Operations": "x"}]),
    Shape.BOUNCE: ndr(),
}


@pytest.mark.parametrize("shape", list(Shape))
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
def test_every_shape_is_told(shape: Shape, encoding: str) -> None:
    """Every shape is found out in every encoding."""
    assert shape is detect(EXAMPLES[shape].decode().encode(encoding))


@pytest.mark.parametrize("content", [b"[]", b'{"value": []}', b"null\r\n", b"#TYPE X\r\n", b"[null]"])
def test_empty_shapes(content: bytes) -> None:
    """An empty list in any wrapping is empty."""
    assert Shape.EMPTY is detect(content)


def test_a_first_item_longer_than_the_head() -> None:
    """An alert with much evidence is told by its members before it is complete."""
    content = as_json({"value": [graph_alert(*[user(f"u{number}") for number in range(2000)])]})

    assert Shape.ALERTS_JSON is detect(content[:65_536])
    assert 2000 == len(taken(content))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"Hello, this is text.\n", "Get-BlockedSenderAddress | ConvertTo-Json"),
        (b"SenderAddress: a@b.example\nReason: x\n", "Looked for"),
        (b"Identity : x\nReason : y\n", "Looked for"),
        (b"Identity Reason\n-------- ------\nx        y\n", "Looked for"),
        (b"Note: one header is no mail\n\ntext", "Looked for"),
        (b'{"a": 1}', "alerts_v2"),
        (b'[{"a": 1}, 2]', "alerts_v2"),
        (b"[7]", "alerts_v2"),
        (b'"SenderAddress","RecipientAddress"\r\n', "Looked for"),
        (b"PK\x03\x04rest", "Excel"),
        (b"\xd0\xcf\x11\xe0rest", ".msg"),
        (b"\x1f\x8brest", "gzip"),
        (b"%PDF-1.7", "PDF"),
        (b"\x00\x00\x00", "Looked for"),
    ],
)
def test_unknown_content(content: bytes, words: str) -> None:
    """What is none of the shapes is refused with what was looked for and how to produce a good file."""
    with pytest.raises(SourceError, match="the file") as refused:
        list(read(io.BytesIO(content), name="the file", options=ReadOptions()))
    assert words in str(refused.value)
    with pytest.raises(SourceError, match="the file"):
        detect(content, name="the file")


def test_a_broken_beginning_is_unknown() -> None:
    """A head that cannot be read and names nothing known is no known shape."""
    with pytest.raises(SourceError):
        detect(b'{"a": [1, 2')


def test_unknown_text_is_refused_at_once() -> None:
    """Content that is none of the shapes is refused before the first item is asked for."""
    with pytest.raises(SourceError):
        read(io.BytesIO(b"Hello"), name="the file", options=ReadOptions())


def test_every_shape_has_its_recipe() -> None:
    """Help can say how to produce every shape there is."""
    assert set(Shape) - {Shape.EMPTY} == set(ONE_LINERS)


def test_the_mail_parser_waits() -> None:
    """Reading lists does not pay for loading the mail parser."""
    code = "import sys, workflow.sources; sys.exit('email.parser' in sys.modules)"

    assert 0 == subprocess.run([sys.executable, "-c", code], check=False).returncode
