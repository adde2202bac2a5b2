"""An action's inputs as an entry writes them: plain JSON values, and back."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from workflow.domain.private import Private
from workflow.domain.record import time_from_text, time_to_text
from workflow.domain.restriction import Source
from workflow.domain.vocabulary import (
    Answer,
    Change,
    Kind,
    Made,
    Method,
    Resolution,
    RestrictionStatus,
    Result,
    Verdict,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from enum import StrEnum

_ENUMS: Mapping[str, type[StrEnum]] = {
    "kind": Kind,
    "status": RestrictionStatus,
    "source": Source,
    "result": Result,
    "method": Method,
    "answer": Answer,
    "resolution": Resolution,
    "verdict": Verdict,
    "change": Change,
    "made": Made,
}
ENCODERS: Mapping[type, Callable[[Any], Any]] = {
    datetime: time_to_text,
    Private: lambda value: {"commitment": value.commitment},
    tuple: list,
    dict: dict,
    **dict.fromkeys(_ENUMS.values(), str.__str__),
}
"""How a value is written, by its type; any other stands as it is."""


def decode(key: str, value: Any) -> Any:
    """Return the value of a member of that name, as the action takes it."""
    if key in _ENUMS:
        return _ENUMS[key](value)
    if key.endswith("_at"):
        return time_from_text(value)
    if isinstance(value, list):
        return tuple(value)
    if isinstance(value, dict) and value.keys() == {"commitment"}:
        return Private(commitment=value["commitment"])
    return value
