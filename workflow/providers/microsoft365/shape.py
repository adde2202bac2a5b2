"""The shape of an answer: which fields it has and what kind of value stands in each, and none of the values."""

from __future__ import annotations

import re
from typing import Any

_GUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d.*|/Date\(-?\d+.*\)/")
_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_ANNOTATION = re.compile(
    r"(?:adminapi\.)?(?:[A-Za-z_][A-Za-z0-9_]{0,63})?@(?:(?:odata|data|adminapi)\.[A-Za-z]{1,40}|removed)"
)
_KNOWN = re.compile(
    r"#microsoft\.graph(?:\.[A-Za-z][A-Za-z0-9]{0,79}){1,3}"
    r"|#(?:Boolean|Byte|DateTimeOffset|Decimal|Double|Duration|Guid|Int16|Int32|Int64|Single|String|TimeSpan)"
    r"|#Collection\((?:Guid|Int32|Int64|String)\)|#?Exchange\.GenericHashTable"
    r"|System\.(?:Boolean|DateTime|Guid|Int32|Int64|String|TimeSpan)"
)
_DEEPEST = 8


def shape(value: Any, name: str = "", depth: int = 0) -> Any:
    """Return the shape of a JSON value: the kind of each field, of a list the kinds of its members together.

    Type annotations stand for themselves where the type is one that Microsoft has, and not the tenant. A field whose
    name is no word of a program, such as an address, is counted and not named.
    """
    if depth > _DEEPEST:
        return "…"
    if isinstance(value, dict):
        named = {key: shape(inner, key, depth + 1) for key, inner in sorted(value.items()) if _is_word(key)}
        hidden = len(value) - len(named)
        return named | ({"(others)": hidden} if hidden else {})
    if isinstance(value, list):
        return [merged([shape(item, name, depth + 1) for item in value])] if value else []
    return _kind(value, name)


def merged(shapes: list[Any]) -> Any:
    """Return several shapes as one: a field of objects that some lack ends with ``?``, kinds are joined by ``|``."""
    if all(isinstance(item, dict) for item in shapes):
        keys = sorted({key for item in shapes for key in item})
        return {
            key + ("" if all(key in item for item in shapes) else "?"): merged(
                [item[key] for item in shapes if key in item]
            )
            for key in keys
        }
    kinds: list[Any] = []
    kinds += [item for item in shapes if item not in kinds]
    distinct = [item for place, item in enumerate(kinds) if item not in kinds[:place]]
    return distinct[0] if len(distinct) == 1 else " | ".join(sorted(map(str, distinct)))


def _is_word(key: str) -> bool:
    return bool(_NAME.fullmatch(key) or _ANNOTATION.fullmatch(key))


def _kind(value: Any, name: str) -> str:
    if value is None or isinstance(value, bool):
        return "null" if value is None else "flag"
    if isinstance(value, (int, float)):
        return "number"
    if "@" in name and name.endswith(("type", "odata.type")) and _KNOWN.fullmatch(value):
        return f"={value}"
    for pattern, kind in ((_GUID, "guid"), (_TIME, "time"), (_ADDRESS, "address")):
        if pattern.fullmatch(value):
            return kind
    return "text" if value else "empty text"
