"""Single fields of an untrusted row or item."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from workflow.domain.subject import normalise
from workflow.errors import InputError
from workflow.sources.limits import MAX_RAW_IDENTIFIER, MAX_TEXT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workflow.domain.vocabulary import Kind

Fields = dict[str, Any]
"""An item's fields under case-folded names: to PowerShell, too, upper and lower case are the same."""

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_TENANT = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")
_TRUE = frozenset({"true", "1", "yes"})


def folded(item: Mapping[str, Any]) -> Fields:
    """Return the item's fields under case-folded names."""
    return {name.strip().casefold(): value for name, value in item.items()}


def text(value: object, limit: int = MAX_TEXT) -> str:
    """Return a text field, cut to ``limit`` characters, or "" for anything that is no text.

    The text stays untrusted. Only NUL and lone surrogates are replaced, which cannot be stored.
    """
    if not isinstance(value, str):
        return ""
    return _UNSTORABLE.sub("\ufffd", value.strip()[:limit])


def truth(value: object) -> bool:
    """Return whether a field is true: a JSON boolean, or the word that ``Export-Csv`` makes of it."""
    return value is True or (isinstance(value, str) and value.strip().lower() in _TRUE)


def identifier(kind: Kind, value: object) -> str:
    """Return the normalised identifier in a field.

    Raises:
        InputError: there is none, or it cannot be one.
    """
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"It names no {kind}.")
    if len(value) > MAX_RAW_IDENTIFIER:
        raise InputError(f"{value[:60]!r}… is far too long for the identifier of a {kind}.")
    if "\ufffd" in value:
        raise InputError(f"{value[:60]!r} was damaged by the file's encoding: export it with -Encoding utf8.")
    return normalise(kind, value)


def tenant(value: object, default: str) -> str:
    """Return the tenant a field names, in lower case, or the default.

    Raises:
        InputError: the field names something that is neither a GUID nor a domain.
    """
    name = text(value, MAX_RAW_IDENTIFIER).strip("{}").lower()
    if not name:
        return default
    if not _TENANT.fullmatch(name):
        raise InputError(f"{name[:60]!r} is not a tenant: expected a GUID or a domain name.")
    return name
