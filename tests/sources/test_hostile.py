"""Whatever bytes arrive, reading them ends in items or in a SourceError."""

from __future__ import annotations

import contextlib
import io
import json
import random
from typing import BinaryIO

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.sources.test_shape import EXAMPLES
from tests.sources.written import as_csv, as_json, sender_row
from workflow.domain.restriction import Restriction, Skipped
from workflow.errors import InputError, SourceError
from workflow.sources import ReadOptions, Shape, detect, read

pytestmark = pytest.mark.slow

STARTS = [
    b"",
    b"[",
    b"{",
    b'{"value":[',
    b"SenderAddress,Reason\n",
    b"From: a\r\nTo: b\r\n",
    b"\xff\xfe",
    b"\xfe\xff",
]
WHOLE = b"\0".join(EXAMPLES.values())


def survives(content: bytes) -> None:
    """Read and detect the content, allowing only the promised results and errors."""
    try:
        for item in read(io.BytesIO(content), name="x", options=ReadOptions()):
            assert isinstance(item, Restriction | Skipped)
            texts = [getattr(item, name) for name in type(item).__slots__]
            stored = "".join(text for text in texts if isinstance(text, str)).encode()
            assert b"\0" not in stored
    except InputError as error:
        str(error).encode()  # Would raise on a lone surrogate.
    with contextlib.suppress(SourceError):
        assert isinstance(detect(content), Shape)


@given(st.sampled_from(STARTS), st.binary(max_size=400))
@settings(max_examples=300)
@example(b"\xff\xfe", b"[")
@example(b"\xff\xfe", b"\x00\xd8")
@example(b"", b"\xff\xfe\x00\x00\x00")
def test_any_bytes(start: bytes, content: bytes) -> None:
    """Arbitrary bytes, some with a beginning that leads deep into a reader."""
    survives(start + content)


@given(st.sampled_from(list(EXAMPLES.values())), st.data())
@settings(max_examples=300)
def test_truncated_and_damaged(content: bytes, data: st.DataObject) -> None:
    """Good files cut off and with pieces replaced by pieces of others."""
    cut = content[: data.draw(st.integers(0, len(content)))]
    at = data.draw(st.integers(0, len(cut)))
    start = data.draw(st.integers(0, len(WHOLE)))
    graft = WHOLE[start : start + data.draw(st.integers(0, 40))]
    survives(cut[:at] + graft + cut[at + data.draw(st.integers(0, 40)) :])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)
NAMES = st.sampled_from(
    ["SenderAddress", "ConnectorId", "CreatedDatetime", "CreatedTime", "TenantId", "TemporaryBlock", "Reason",
     "Operation", "Event", "EventValue", "CreationTime", "AuditData", "Parameters", "OrganizationId", "UserId",
     "title", "evidence", "createdDateTime", "serviceSource", "value", "records", "error", "ConnectorName"]
)  # fmt: skip
LIKELY = st.sampled_from(
    ["a@b.example", "HygieneTenantEvents", "Remove-BlockedSenderAddress", "Listed", "2026-06-11T14:03:31Z",
     "User restricted from sending email", "03/04/2026 1:00", "\ud800", "{}"]
)  # fmt: skip


@given(st.lists(st.dictionaries(NAMES, LIKELY | JSON), max_size=3))
@settings(max_examples=400)
def test_known_fields_of_any_type(rows: list[dict[str, object]]) -> None:
    """Known names with values of any type in them."""
    survives(json.dumps(rows).encode())
    for row in rows:
        survives(json.dumps(row).encode())


@given(st.lists(st.lists(st.text(max_size=12), min_size=1, max_size=4), max_size=5))
def test_cells_of_any_text(rows: list[list[str]]) -> None:
    """Cells with quotation marks, NULs and surrogates in them."""
    text = "SenderAddress;Reason\n" + "\n".join(";".join(row) for row in rows)
    survives(text.encode("utf-16", "surrogatepass"))
    survives(text.encode("utf-8", "surrogatepass"))


HEADERS = st.sampled_from(
    ["From: a@b.example", "To: =?utf-8?q?=ff?= <a@b>", "Content-Type: multipart/report; boundary=x", "--x", "--x--",
     "Content-Type: message/delivery-status", "Content-Type: message/rfc822", "Content-Transfer-Encoding: base64",
     "Content-Transfer-Encoding: uuencode", "Content-Type: text/plain; charset=nonsense", "", "", "begin 666 x",
     "Content-Type: text/rfc822-headers", "550 5.1.8 Access denied, bad outbound sender AS(42004)", "Date: 1",
     "Content-Type: multipart/report; boundary*0*=utf-8''%FF", "X-MS-Exchange-Message-Is-Ndr:", " \x00\udcff"]
)  # fmt: skip


@given(st.lists(HEADERS, max_size=30))
@settings(max_examples=400)
def test_mail_of_any_structure(lines: list[str]) -> None:
    """MIME parts in every wrong order."""
    mail = "\r\n".join(["From: a@b.example", "To: c@d.example", *lines])
    survives(mail.encode("utf-8", "surrogateescape"))


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b'[{"SenderAddress":' + b"[" * 200_000,
        b'[{"SenderAddress":"a@b.example","CreatedDatetime":' + b"[" * 900 + b"]" * 900 + b"}]",
        b"[" + b"}" * 200_000,
        b'"' * 200_000,
        b"," * 200_000,
        b'SenderAddress,Reason\n"' + b'""' * 100_000,
        b"SenderAddress,Reason\n" + b'"\n' * 50_000,
        b"SenderAddress," + b"x," * 30_000 + b"\n",
        b"From: a\r\nTo: b\r\nContent-Type: multipart/report; boundary=x\r\n\r\n" + b"--x\r\n" * 100_000,
        b"From: a\r\nTo: " + b"(" * 60_000 + b"\r\nX-MS-Exchange-Message-Is-Ndr:\r\n\r\nAS(42004)",
        b"From: a\r\nTo: " + b"a@b," * 15_000 + b"\r\nX-MS-Exchange-Message-Is-Ndr:\r\n\r\nAS(42004)",
        as_json(sender_row())[:-1].decode().encode("utf-16")[:-1],
        as_csv([sender_row("a\u0301\u0327" * 200_000 + "@b.example")]),
    ],
    ids=range(15),
)
@pytest.mark.timeout(20)
def test_bombs(content: bytes) -> None:
    """What is made to take for ever ends soon."""
    survives(content)


def test_a_stream_that_breaks() -> None:
    """A disk or pipe that fails while it is read is a SourceError that names the file."""

    class Failing(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > 100_000:
                raise OSError("gone")
            return super().read(size)

    stream: BinaryIO = Failing(as_json([sender_row()] * 1000))
    with pytest.raises(SourceError, match="the pipe cannot be read: gone"):
        list(read(stream, name="the pipe", options=ReadOptions()))


def test_a_pipe_gives_small_pieces() -> None:
    """A stream that gives a few bytes at a time is read as the whole file is."""
    dice = random.Random(5)

    class Dripping(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(size or 1, dice.randint(1, 997)))

    content = as_json([sender_row()] * 500)
    whole = list(read(io.BytesIO(content), name="x", options=ReadOptions()))

    assert whole == list(read(Dripping(content), name="x", options=ReadOptions()))
