"""Scenarios by name and from JSON files, read strictly: whatever is unknown is refused with its place."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any, get_type_hints

from workflow.errors import InputError
from workflow.providers.simulated.faults import FAULTS
from workflow.providers.simulated.limits import FAMILIES
from workflow.providers.simulated.messages import RefusedError
from workflow.providers.simulated.scenario import NAMED, App, Fate, FaultRule, Scenario
from workflow.providers.simulated.stamp import parsed

MAX_FILE = 1 << 20
MOST = 1e9
"""No count and no length in seconds is larger."""
_CHOICES = {
    "not_listed": ("error", "nothing"),
    "cloud": ("public", "gcc-high"),
    "mfa": ("conditional-access", "security-defaults", "per-user", "none"),
}


def scenario(name: str) -> Scenario:
    """Return the scenario of a name, or the one a JSON file describes.

    Raises:
        InputError: there is none, or it is faulty; the message names the place.
    """
    if name in NAMED:
        return NAMED[name]
    path = Path(name)
    if not path.is_file():
        known = ", ".join(NAMED)
        raise InputError(f"There is no scenario and no file {name!r}. Scenarios: {known}; or give a JSON file.")
    if path.stat().st_size > MAX_FILE:
        raise InputError(f"{name} is larger than 1 MiB: that is no scenario.")
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{name} is not valid JSON: {error}") from None
    return from_data(value, path.stem)


def from_data(value: Any, name: str = "custom") -> Scenario:
    """Return the scenario that plain values describe, on top of the one they name as ``base`` (calm by default).

    Raises:
        InputError: something in it is unknown or of the wrong kind.
    """
    members = dict(_object(value, "the scenario"))
    base = members.pop("base", "calm")
    if base not in NAMED:
        raise InputError(f"base: there is no scenario {base!r}. Scenarios: {', '.join(NAMED)}.")
    if "fates" in members:
        members["fates"] = {
            int(_number(key, f"fates.{key}")): _built(Fate, item, f"fates.{key}")
            for key, item in _object(members["fates"], "fates").items()
        }
    if "apps" in members:
        apps = _object(members["apps"], "apps")
        members["apps"] = {key: _built(App, item, f"apps.{key}") for key, item in apps.items()}
    if "faults" in members:
        members["faults"] = fault_rules(members["faults"])
    built: Scenario = _built(Scenario, {"name": name, **members}, "", NAMED[base])
    return built


def fault_rules(value: Any) -> tuple[FaultRule, ...]:
    """Return switched-on faults from plain values.

    Raises:
        InputError: one is unknown or of the wrong kind.
    """
    if not isinstance(value, list):
        raise InputError("faults: a list is needed.")
    rules = tuple(_built(FaultRule, item, f"faults[{index}]") for index, item in enumerate(value))
    for index, rule in enumerate(rules):
        if rule.fault not in FAULTS:
            raise InputError(f"faults[{index}].fault: there is no fault {rule.fault!r}. Faults: {', '.join(FAULTS)}.")
    return rules


def _built(kind: Any, value: Any, where: str, base: Any = None) -> Any:
    """Return a dataclass from plain values, each checked against the type of its field."""
    given = _object(value, where or "the scenario")
    hints = get_type_hints(kind)
    known = {item.name for item in fields(kind)}
    dot = f"{where}." if where else ""
    for key in given:
        if key not in known:
            raise InputError(f"{dot}{key} is not known. Known: {', '.join(sorted(known))}.")
    checked = {key: _checked(item, hints[key], f"{dot}{key}") for key, item in given.items()}
    if base is not None:
        return replace(base, **checked)
    try:
        return kind(**checked)
    except TypeError:
        raise InputError(f"{where}: a member that it needs is missing.") from None


def _checked(value: Any, hint: Any, where: str) -> Any:
    """Return a value of the type that a field has; what is built already has no kind and stays."""
    kind = _KINDS.get(hint)
    return value if kind is None else kind(value, where)


def _moment(value: Any, where: str) -> datetime | None:
    try:
        return None if value is None else parsed(str(value))
    except RefusedError as error:
        raise InputError(f"{where}: {error}") from None


def _pair(value: Any, where: str) -> tuple[float, float]:
    pair = value if isinstance(value, list) else ()
    if len(pair) != 2:  # noqa: PLR2004 - the least and the most.
        raise InputError(f"{where}: a pair such as [60, 600] is needed.")
    return (_number(pair[0], where), _number(pair[1], where))


def _texts(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InputError(f"{where}: a list of texts is needed.")
    return tuple(value)


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise InputError(f"{where}: a text is needed.")
    if value not in _CHOICES.get(where, (value,)):
        raise InputError(f"{where}: one of {', '.join(_CHOICES[where])} is needed.")
    return value


def _flag(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise InputError(f"{where}: true or false is needed.")
    return value


def _budgets(value: Any, where: str) -> dict[str, int]:
    for name in (given := _object(value, where)):
        if name not in FAMILIES:
            raise InputError(f"{where}.{name} is not known. Known: {', '.join(FAMILIES)}.")
    return {name: max(1, int(_number(calls, f"{where}.{name}"))) for name, calls in given.items()}


def _object(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InputError(f"{where}: an object is needed.")
    return value


def _number(value: Any, where: str) -> float:
    try:
        number = float(value) if not isinstance(value, bool) else None
    except (OverflowError, TypeError, ValueError):
        number = None
    if number is None or not -MOST <= number <= MOST:
        raise InputError(f"{where}: a number is needed.")
    return number


_KINDS: dict[Any, Callable[[Any, str], Any]] = {
    bool: _flag,
    int: lambda value, where: int(_number(value, where)),
    float: _number,
    str: _text,
    float | None: lambda value, where: None if value is None else _number(value, where),
    datetime | None: _moment,
    tuple[float, float]: _pair,
    tuple[str, ...]: _texts,
    Mapping[str, int]: _budgets,
}
