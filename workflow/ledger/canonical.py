r"""Canonical JSON: one value, one sequence of bytes (RFC 8785, restricted).

The restriction keeps the encoding trivial to repeat in any language: keys are ASCII, numbers are integers
below 2^53 in magnitude, strings hold neither NUL nor lone surrogates, and nothing nests deeper than sixteen
levels. For such values the standard library's encoder with sorted keys and no blanks *is* RFC 8785: sorting
by code point equals sorting by UTF-16 unit because keys are ASCII, and both escape ``"``, ``\`` and control
characters alike. A test holds the two equal.

``msgspec`` does the same several times faster for what is plain: bytes that it reads as such an object and writes
again as they are. Everything else takes the long way, which alone refuses and says why.
"""

import json
import re
from collections.abc import Iterable
from typing import Annotated, Any

import msgspec

from workflow.errors import InputError
from workflow.ledger.malformed import Malformed

MAX_DEPTH = 16
MAX_INTEGER = 2**53 - 1
MAX_BYTES = 65_535

_encode = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, allow_nan=False, sort_keys=True, separators=(",", ":")
).encode
# An escaped NUL is preceded by an even number of backslashes; after an odd number it is only text that looks
# so.
_ESCAPED_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")

# The shortcuts read and write with these. What the types leave out (fractions, large integers, more levels than entries
# have) is refused, and so are shortcuts.
_Integer = Annotated[int, msgspec.Meta(ge=-MAX_INTEGER, le=MAX_INTEGER)]
_Leaf = str | _Integer | bool | None
_Inner = _Leaf | list[_Leaf] | dict[str, _Leaf]
_Middle = _Leaf | list[_Inner] | dict[str, _Inner]
_Outer = _Leaf | list[_Middle] | dict[str, _Middle]
_read_plain = msgspec.json.Decoder(dict[str, _Outer]).decode
_write_plain = msgspec.json.Encoder(order="sorted").encode
parse = msgspec.json.Decoder(dict[str, Any]).decode
"""Return the object that JSON text is, without asking whether it is canonical: for what a reader has checked."""


def encode(value: Any) -> bytes:
    """Return the canonical UTF-8 bytes of a JSON value (tuples count as arrays, string enums as strings).

    Raises:
        InputError: the value holds something outside the restricted set; the message says what.
    """
    plain = _encode_plain(value) if type(value) is dict else None
    if plain is not None:
        return plain
    _check((value,), 0)
    text = _encode(value)
    # Looking for one character is twenty times faster than for six, and most texts hold no escape at all.
    if "\\" in text and "\\u0000" in text and _ESCAPED_NUL.search(text):
        raise InputError("a string holds the character U+0000, which databases cannot keep")
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise InputError("a string holds a lone surrogate, which is not a character") from None


def decode(data: bytes) -> dict[str, Any]:
    """Return the object that ``data`` is the canonical encoding of.

    Duplicate keys, blanks, another key order, floats, byte order marks: all of them re-encode to other bytes
    and are refused that way, so that no two parsers can read two different things.

    Raises:
        Malformed: the bytes are not the canonical encoding of an object of at most 65,535 bytes.
    """
    if len(data) > MAX_BYTES:
        raise Malformed(f"{len(data)} bytes are more than the {MAX_BYTES} a reader accepts")
    value = _decode_plain(data)
    return _decode_any(data) if value is None else value


def _encode_plain(value: dict[Any, Any]) -> bytes | None:
    """Return the canonical bytes of an object that is read back from them as it is; None when in doubt."""
    try:
        data = _write_plain(value)
    except (TypeError, ValueError, RecursionError):
        return None
    return data if _decode_plain(data) == value else None


def _decode_plain(data: bytes) -> dict[str, Any] | None:
    """Return the object of canonical bytes that show at a glance that they break no rule; None when in doubt.

    Without a byte above 127 no key is outside ASCII, and without a backslash there is neither NUL nor surrogate; the
    types see to depth and numbers. What is left encodes to these bytes again or is not canonical.
    """
    if not data.isascii() or b"\\" in data:
        return None
    try:
        value = _read_plain(data)
    except (ValueError, RecursionError):
        return None
    return value if _write_plain(value) == data else None


def _decode_any(data: bytes) -> dict[str, Any]:
    """Do the work of :func:`decode` step by step, so that each refusal says its reason."""
    try:
        value = json.loads(data.decode())
    except (ValueError, RecursionError):
        raise Malformed("not JSON text in UTF-8") from None
    if type(value) is not dict:
        raise Malformed("not a JSON object")
    try:
        canonical = encode(value)
    except InputError as refused:
        raise Malformed(str(refused)) from None
    if canonical != data:
        raise Malformed("not in canonical form (RFC 8785): key order, blanks, escapes or a duplicate key")
    return value


def _check(values: Iterable[Any], depth: int) -> None:
    """Refuse what the encoder would let through: floats, large integers, odd keys, deep nesting."""
    if depth > MAX_DEPTH:
        raise InputError(f"nested deeper than {MAX_DEPTH} levels")
    for value in values:
        kind = type(value)
        if kind is str or value is None or kind is bool:
            continue
        if kind is int:
            if not -MAX_INTEGER <= value <= MAX_INTEGER:
                raise InputError("an integer is 2^53 or more, which JSON readers do not keep exactly")
        elif kind is dict:
            _check_keys(value)
            _check(value.values(), depth + 1)
        elif kind is list or kind is tuple:
            _check(value, depth + 1)
        elif not isinstance(value, str):
            raise InputError(f"a {kind.__name__} cannot stand in canonical JSON")


def _check_keys(value: dict[Any, Any]) -> None:
    """Refuse keys that are not ASCII strings; joining them finds both faults in one step."""
    try:
        plain = "".join(value).isascii()
    except TypeError:
        raise InputError("a key is not a string") from None
    if not plain:
        raise InputError("a key holds a character outside ASCII")
