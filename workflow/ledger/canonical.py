r"""Canonical JSON: one value, one sequence of bytes (RFC 8785, restricted).

The restriction keeps the encoding trivial to repeat in any language: keys are ASCII, numbers are integers
below 2^53 in magnitude, strings hold neither NUL nor lone surrogates, and nothing nests deeper than sixteen
levels. For such values the standard library's encoder with sorted keys and no blanks *is* RFC 8785: sorting
by code point equals sorting by UTF-16 unit because keys are ASCII, and both escape ``"``, ``\`` and control
characters alike. A test holds the two equal.
"""

import json
import re
from collections.abc import Iterable
from typing import Any

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

# The shortcut of `decode` reads with this: a number that may not stand becomes an object that no encoder takes.
_UNFIT = object()
_SAFE_DIGITS = 15
_read = json.JSONDecoder(
    parse_float=lambda _: _UNFIT,
    parse_int=lambda digits: int(digits) if len(digits) <= _SAFE_DIGITS else _UNFIT,
    parse_constant=lambda _: _UNFIT,
).raw_decode


def encode(value: Any) -> bytes:
    """Return the canonical UTF-8 bytes of a JSON value (tuples count as arrays, string enums as strings).

    Raises:
        InputError: the value holds something outside the restricted set; the message says what.
    """
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


def _decode_plain(data: bytes) -> dict[str, Any] | None:
    """Return the object of canonical bytes that show at a glance that they break no rule; None when in doubt.

    Without a byte above 127 no key is outside ASCII; without a backslash there is neither NUL nor surrogate; fewer
    openings than levels cannot nest too deep; and what is no safe integer does not encode again.
    """
    if not data.isascii():
        return None
    text = data.decode()
    if "\\" in text or text.count("{") + text.count("[") > MAX_DEPTH:
        return None
    try:
        value, _ = _read(text)
        return value if type(value) is dict and _encode(value) == text else None
    except (ValueError, TypeError):
        return None


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
