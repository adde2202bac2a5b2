"""An action's inputs as an entry writes them: plain JSON values, and back."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

from workflow.domain.actions import ACTIONS, Action
from workflow.domain.private import Private
from workflow.domain.record import time_from_text, time_to_text
from workflow.domain.restriction import Source
from workflow.domain.vocabulary import (
    Alteration,
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
    "alteration": Alteration,
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


_FIELDS = {
    kind: tuple((item.name, {} if item.default_factory is dict else item.default) for item in fields(kind))
    for kind in ACTIONS.values()
}
# The annotations of actions are text.
_PRIVATE = {kind: tuple(item.name for item in fields(kind) if item.type == Private.__name__) for kind in _FIELDS}


def to_data(action: Action) -> dict[str, Any]:
    """Return the action's inputs as plain JSON values; what equals its default is left out."""
    data: dict[str, Any] = {}
    for name, default in _FIELDS[type(action)]:
        value = getattr(action, name)
        if value is default or value is None or value == default:
            continue
        encode = ENCODERS.get(type(value))
        data[name] = value if encode is None else encode(value)
    return data


def from_data(name: str, data: Mapping[str, Any]) -> Action:
    """Rebuild the action that :func:`to_data` wrote.

    Raises:
        KeyError, TypeError, ValueError: the entry names no known action, or its inputs do not fit it.
    """
    return ACTIONS[name](**{key: decode(key, value) for key, value in data.items()})


def private_fields(action: Action) -> dict[str, Private]:
    """Return the action's free texts by field name, those that were given."""
    return {name: value for name in _PRIVATE[type(action)] if (value := getattr(action, name))}
