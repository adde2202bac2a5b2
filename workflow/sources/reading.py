"""The door of this floor: any file that can be imported becomes restrictions, one at a time."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import BinaryIO

from workflow.domain.restriction import Restriction, Skipped, Source
from workflow.domain.vocabulary import Kind
from workflow.errors import InputError, SourceError
from workflow.sources.alert import alert
from workflow.sources.audit_log import record
from workflow.sources.cmdlet import connector, sender
from workflow.sources.fields import Fields, folded, text
from workflow.sources.incoming import Incoming, look, receive
from workflow.sources.json_items import items
from workflow.sources.json_scan import Broken
from workflow.sources.limits import CHUNK, MAX_MAIL
from workflow.sources.options import ReadOptions
from workflow.sources.printed import Columns, Row, blocks, cut_header, list_shape, table_columns, table_rows, text_shape
from workflow.sources.shape import Shape, is_mail, of_fields, unknown
from workflow.sources.table import Header, header, rows

_Reader = Callable[[Fields, str, ReadOptions], Iterable[Restriction | Skipped]]
_Opened = Callable[[Incoming, ReadOptions], Iterator[Restriction | Skipped]]
_READERS: dict[Shape, _Reader] = {
    Shape.SENDERS_JSON: lambda fields, where, options: [sender(fields, where, Source.CMDLET, options)],
    Shape.SENDERS_CSV: lambda fields, where, options: [sender(fields, where, Source.EXPORT, options)],
    Shape.SENDERS_TEXT: lambda fields, where, options: [sender(fields, where, Source.EXPORT, options)],
    Shape.CONNECTORS_JSON: lambda fields, where, options: [connector(fields, where, Source.CMDLET, options)],
    Shape.CONNECTORS_CSV: lambda fields, where, options: [connector(fields, where, Source.EXPORT, options)],
    Shape.CONNECTORS_TEXT: lambda fields, where, options: [connector(fields, where, Source.EXPORT, options)],
    Shape.ALERTS_JSON: alert,
    Shape.AUDIT_JSON: lambda fields, where, options: [record(fields, where, options)],
    Shape.AUDIT_CSV: lambda fields, where, options: [record(fields, where, options)],
}
"""How one row or item of each shape is read; a mail is no list of items."""
LISTS = {
    shape: Kind.MAILBOX if shape.value.startswith("blocked-senders") else Kind.CONNECTOR
    for shape in Shape
    if shape.value.startswith(("blocked-senders", "blocked-connectors"))
}
"""Shapes that list everything of one kind which is restricted at a time."""
_EVENTS = {
    Shape.ALERTS_JSON: "alerts tell what happened, not what is restricted now.",
    Shape.AUDIT_JSON: "the audit log tells what happened, not what is restricted now.",
    Shape.AUDIT_CSV: "the audit log tells what happened, not what is restricted now.",
    Shape.BOUNCE: "a bounce message tells of one sender.",
}
_JSON_STARTS = ("[", "{")
_NOTHING = frozenset({"", "null"})
_MEMBER = re.compile(r'"([\w@.]{1,64})"\s*:')


def read(stream: BinaryIO, *, name: str, options: ReadOptions) -> Iterator[Restriction | Skipped]:
    """Yield what a file says, item by item, in constant memory.

    An item that cannot be read is yielded as :class:`Skipped` with ``broken=True`` and never ends the
    reading. Empty content yields nothing: nothing is restricted.

    Args:
        stream: the file, or a pipe: it is read once, forwards.
        name: what to call it in messages.
        options: what the file itself leaves open.

    Raises:
        SourceError: at once when the content is none of the known ones; while reading when the stream breaks.
    """
    return _read(receive(stream, name), options)


def whole_list(
    stream: BinaryIO, *, name: str, options: ReadOptions
) -> tuple[Kind | None, Iterator[Restriction | Skipped]]:
    """Read a file that has to be a list of everything restricted; returns of which kind (None: it is empty) and items.

    Raises:
        SourceError: as :func:`read`, and at once when the content tells of single events and is no such list.
    """
    incoming = receive(stream, name)
    shape = _shape(replace(incoming, stream=io.BytesIO()))
    if shape is not Shape.EMPTY and shape not in LISTS:
        raise SourceError(
            f"{name} is no list of everything that is restricted: {_EVENTS[shape]} Import it without --complete."
        )
    return LISTS.get(shape), _read(incoming, options)


def _read(incoming: Incoming, options: ReadOptions) -> Iterator[Restriction | Skipped]:
    return _door(incoming)[1](incoming, options)


def detect(head: bytes, *, name: str = "The input") -> Shape:
    """Return what content is, from its first bytes (64 KiB are enough).

    Raises:
        SourceError: it is none of the known ones.
    """
    return _shape(look(head[:CHUNK], io.BytesIO(), name))


def _shape(incoming: Incoming) -> Shape:
    return _door(incoming)[0] or _json_shape(incoming)


def _door(incoming: Incoming) -> tuple[Shape | None, _Opened]:
    """Return what the content is (None: JSON, which its items tell) and what reads it."""
    opening = incoming.opening.lstrip("\ufeff \t\r\n")
    if opening.strip() in _NOTHING:
        return Shape.EMPTY, _nothing
    # Before JSON: the prompt of a remote session begins with a bracket.
    listed = list_shape(opening)
    if listed is not None:
        return listed, _list
    printed = table_columns(incoming.opening)
    if printed is not None and printed.shape is not None:
        if printed.cut:
            raise SourceError(f"{incoming.name}: {cut_header(printed)}")
        return printed.shape, partial(_printed_table, printed)
    if opening.startswith(_JSON_STARTS):
        return None, _json
    if is_mail(opening):
        return Shape.BOUNCE, _mail
    columns = header(incoming.opening)
    if columns is None:
        return Shape.EMPTY, _nothing
    if columns.shape is None:
        raise unknown(incoming.name, incoming.head)
    return columns.shape, partial(_table, columns, columns.shape)


def _nothing(_incoming: Incoming, _options: ReadOptions) -> Iterator[Restriction | Skipped]:
    return iter(())


def _json_shape(incoming: Incoming) -> Shape:
    for _, item in items(incoming.chunks()):
        if isinstance(item, Broken):  # The first item may be longer than the head: its members tell what it is.
            shape = of_fields({name.casefold() for name in _MEMBER.findall(incoming.opening)})
        else:
            shape = of_fields(folded(item)) if isinstance(item, dict) else None
        if shape is not None:
            return shape
        if item is not None:
            raise unknown(incoming.name, incoming.head)
    return Shape.EMPTY


def _mail(incoming: Incoming, options: ReadOptions) -> Iterator[Restriction | Skipped]:
    from workflow.sources.mail import bounce  # noqa: PLC0415 - the mail parser is slow to load and rarely needed.

    content = incoming.content(MAX_MAIL)
    if incoming.encoding != "utf-8":
        content = content.decode(incoming.encoding, errors="replace").encode()
    yield from bounce(content.lstrip(), incoming.name, options)


def _json(incoming: Incoming, options: ReadOptions) -> Iterator[Restriction | Skipped]:
    known = False
    for where, item in items(incoming.chunks()):
        if isinstance(item, Broken):
            yield Skipped(where, item.why, broken=True)
            continue
        if item is None:
            continue
        fields = folded(item) if isinstance(item, dict) else {}
        shape = of_fields(fields)
        if shape is not None:
            known = True
            yield from _guarded(shape, fields, where, options)
        elif known:
            yield Skipped(where, "It is no item of a known kind.", broken=True)
        else:
            raise unknown(incoming.name, incoming.head, _answer(fields))


def _answer(fields: Fields) -> str:
    """Return what an error answer of the service says, which must not pass for an empty list."""
    error = fields.get("error")
    if not isinstance(error, dict):
        return ""
    return f": it holds an error answer of the service ({text(error.get('message'), 200)!r})"


def _table(columns: Header, shape: Shape, incoming: Incoming, options: ReadOptions) -> Iterator[Restriction | Skipped]:
    for where, cells in rows(incoming.chunks(), columns):
        if isinstance(cells, str):
            yield Skipped(where, cells, broken=True)
        else:
            yield from _guarded(shape, dict(cells), where, options)


def _list(incoming: Incoming, options: ReadOptions) -> Iterator[Restriction | Skipped]:
    return _printed(blocks(incoming.chunks()), options)


def _printed_table(columns: Columns, incoming: Incoming, options: ReadOptions) -> Iterator[Restriction | Skipped]:
    return _printed(table_rows(incoming.chunks(), columns), options)


def _printed(rows_: Iterable[Row], options: ReadOptions) -> Iterator[Restriction | Skipped]:
    for where, values in rows_:
        shape = None if isinstance(values, str) else text_shape(values)
        if isinstance(values, str) or shape is None:
            yield Skipped(where, str(values), broken=True)
        else:
            yield from _guarded(shape, dict(values), where, options)


def _guarded(shape: Shape, fields: Fields, where: str, options: ReadOptions) -> Iterator[Restriction | Skipped]:
    """Read one item; what is wrong with it concerns it alone."""
    try:
        yield from _READERS[shape](fields, where, options)
    except InputError as error:
        yield Skipped(where, str(error), broken=True)
