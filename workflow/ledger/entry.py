"""One ledger entry: its envelope, its size, its leaf hash.

An entry is one canonical JSON object (:mod:`workflow.ledger.canonical`) with exactly the keys of
:data:`KEYS`. It is stored once, as bytes, and hashed as stored. What ``data``, ``basis`` and ``actor`` mean
is other floors' business; here they are only objects. The format is described for auditors in
``docs/reference/ledger-format.md``.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from workflow.errors import InputError
from workflow.ledger import canonical, merkle
from workflow.ledger.malformed import Malformed
from workflow.ledger.note import is_name

VERSION = 1
LOG_CASE = "log"
"""The reserved case whose entries are about the log itself."""
MAX_WRITE = 4096
"""Largest entry that may be written, in bytes; larger matter stands in an entry as a commitment."""
MAX_READ = canonical.MAX_BYTES
"""Largest entry a reader accepts, in bytes."""

_HEX = re.compile(r"[0-9a-f]{64}").fullmatch
_UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}").fullmatch
_TYPE = re.compile(r"[a-z]+(?:[_-][a-z]+)*:[a-z]+(?:[_-][a-z]+)*").fullmatch
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z").fullmatch
_RANDOM_BYTES = 10


def leaf_hash(data: bytes) -> bytes:
    """Return the 32-byte leaf hash of an entry as stored: SHA-256(0x00 ‖ data) (RFC 6962 section 2.1)."""
    return merkle.leaf_hash(data)


def seal_body(body: dict[str, Any]) -> bytes:
    """Return the bytes to store for ``body``.

    Raises:
        InputError: the envelope is wrong, a value has no canonical form, or the entry exceeds ``MAX_WRITE``
            bytes.
    """
    fault = _fault(body)
    if fault:
        raise InputError(f"this entry cannot be written: {fault}")
    data = canonical.encode(body)
    if len(data) > MAX_WRITE:
        raise InputError(f"this entry would take {len(data)} bytes; at most {MAX_WRITE} are allowed")
    return data


def read_body(data: bytes) -> dict[str, Any]:
    """Return the entry that these bytes are, for whoever only reads: what they are is verification's to judge.

    Raises:
        ValueError: they are no JSON object.
    """
    return canonical.parse(data)


def open_body(data: bytes) -> dict[str, Any]:
    """Return the entry that these stored bytes are.

    Raises:
        Malformed: not canonical JSON, or not the envelope of format 1.
    """
    body = canonical.decode(data)
    fault = _fault(body)
    if fault:
        raise Malformed(fault)
    return body


def format_time(moment: datetime) -> str:
    """Write an aware time as UTC with microseconds, such as ``2026-11-24T00:00:00.000000Z``.

    Raises:
        InputError: the time is naive.
    """
    if moment.tzinfo is not UTC:
        if moment.utcoffset() is None:
            raise InputError("a time without a zone cannot be recorded")
        moment = moment.astimezone(UTC)
    return moment.isoformat(timespec="microseconds")[:26] + "Z"


def parse_time(text: str) -> datetime:
    """Read a time of exactly the shape that :func:`format_time` writes, as aware UTC.

    Raises:
        Malformed: another shape, or a day or hour that does not exist.
    """
    if not _TIME(text):
        raise Malformed("a time is not of the form 2026-11-24T00:00:00.000000Z")
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise Malformed("a time names a moment that does not exist") from None


def uuid7(now_ms: int, random: bytes) -> str:
    """Return a UUID version 7 (RFC 9562 section 5.7) from Unix milliseconds and ten random bytes.

    Raises:
        InputError: the time does not fit 48 bits, or the random bytes are not ten.
    """
    if not 0 <= now_ms < 1 << 48 or len(random) != _RANDOM_BYTES:
        raise InputError("a UUIDv7 takes milliseconds of 48 bits and ten random bytes")
    noise = int.from_bytes(random)
    number = now_ms << 80 | 0x7 << 76 | (noise >> 62 & 0xFFF) << 64 | 0b10 << 62 | noise & (1 << 62) - 1
    digits = f"{number:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _is_time(text: str) -> bool:
    """Tell whether this is a time in the one shape that an entry may hold."""
    try:
        return parse_time(text) is not None
    except Malformed:
        return False


def _is_digest(text: str) -> bool:
    return not text or _HEX(text) is not None


def _is_cites(items: list[Any] | tuple[Any, ...]) -> bool:
    return all(isinstance(item, str) and _HEX(item) for item in items)


# What each key must hold: its type, what else is asked of it, and how that is said. The order is that of the format's
# description. True and False, which Python counts among the integers, are nowhere in an envelope.
_RULES: tuple[tuple[str, type | tuple[type, ...], Callable[[Any], object] | None, str], ...] = (
    ("v", int, VERSION.__eq__, "1"),
    ("log", str, is_name, "an origin: text without blanks and plus signs"),
    ("id", str, _UUID7, "a UUID version 7 in lower case"),
    ("type", str, _TYPE, "noun:participle"),
    ("tenant", str, None, "text"),
    ("case", str, len, "text that is not empty"),
    ("sequence", int, (0).__lt__, "an integer from 1"),
    ("prev", str, _is_digest, "64 hexadecimal digits or empty"),
    ("recorded_at", str, _is_time, "a time such as 2026-11-24T00:00:00.000000Z"),
    ("clock", str, ("ok", "clamped").__contains__, "ok or clamped"),
    ("actor", dict, None, "an object"),
    ("action", str, None, "text"),
    ("state_before", str, None, "text"),
    ("state_after", str, None, "text"),
    ("recurrence", int, (0).__le__, "an integer from 0"),
    ("outcome", str, ("done", "refused", "denied").__contains__, "done, refused or denied"),
    ("playbook", str, _is_digest, "64 hexadecimal digits or empty"),
    ("data", dict, None, "an object"),
    ("basis", dict, None, "an object"),
    ("cites", (list, tuple), _is_cites, "a list of texts of 64 hexadecimal digits"),
    ("request", str, None, "text"),
)
KEYS = frozenset(key for key, *_ in _RULES)
"""The keys of format 1; an entry has all of them and no other."""


def _fault(body: dict[str, Any]) -> str:
    """Say what is wrong with this envelope, or nothing."""
    if body.keys() != KEYS:
        missing = ", ".join(sorted(KEYS - body.keys()))
        return f"the key {missing} is missing" if missing else f"{len(body) - len(KEYS)} unknown keys"
    for key, kind, holds, wanted in _RULES:
        value = body[key]
        if type(value) is not kind and (not isinstance(value, kind) or value is True or value is False):
            return f"{key} is not {wanted}"
        if holds is not None and not holds(value):
            return f"{key} is not {wanted}"
    if (body["sequence"] == 1) != (body["prev"] == ""):
        return "prev is empty in the first entry of a case and only there"
    return ""
