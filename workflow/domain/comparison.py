"""Comparing two versions of a playbook: added, removed, loosened, tightened, redirected or only reworded."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from workflow.domain.playbook import BreakGlass, Playbook, Prerequisite, Team
from workflow.domain.vocabulary import Phase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Weaker = Callable[[Prerequisite, Prerequisite], object]

_PHASES = tuple(Phase)
_TEXTS = ("title", "nature", "evidence", "role", "trap", "source")
_OWN_TEXTS = ("version", "title", "summary", "kinds", "reopen_within", "unblock_role")
_WAYS = ("portal", "command")
_OWN_WAYS = ("unblock_portal", "unblock_command", "read_command")
"""What people paste into an administrator's shell, or open signed in as one."""


class Effect(StrEnum):
    """What a difference means for a case under the newer version."""

    ADDED = "added"
    REMOVED = "removed"
    LOOSENED = "loosened"
    TIGHTENED = "tightened"
    REDIRECTED = "redirected"
    REWORDED = "reworded"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: of a prerequisite, or of the playbook itself where ``prerequisite`` is "".

    ``member`` is the key of the playbook format; ``before`` and ``after`` are its values in plain words.
    """

    prerequisite: str
    effect: Effect
    member: str
    before: str
    after: str

    def to_data(self) -> dict[str, str]:
        """Return plain JSON values."""
        return asdict(self) | {"effect": self.effect.value}


def _more_after(item: Prerequisite, other: Prerequisite) -> bool:
    return bool(set(item.after) - set(other.after))


def _longer_fresh(item: Prerequisite, other: Prerequisite) -> bool:
    if item.fresh_within is None:
        return False
    return other.fresh_within is None or other.fresh_within > item.fresh_within


_MEMBERS: tuple[tuple[str, Weaker], ...] = (
    ("required_by", lambda item, other: _PHASES.index(other.required_by) > _PHASES.index(item.required_by)),
    ("applies_if", lambda item, other: other.applies_if and set(other.applies_if) != set(item.applies_if)),
    ("any_of", lambda item, other: set(other.any_of) - set(item.any_of)),
    ("after", _more_after),
    ("about", lambda item, other: other.about is not item.about),
    ("check", lambda item, other: item.check and other.check is not item.check),
    ("fact", lambda item, other: other.fact is not None and other.fact is not item.fact),
    ("fresh_within", _longer_fresh),
    ("exception", lambda item, other: other.exception is not None and other.exception != item.exception),
)
"""Members of a prerequisite that make it a requirement, each with when the second asks less than the first."""

_PLAINLY = frozenset({"after", "about", "check", "fact", "fresh_within"})
"""Those of them that say when an alternative is plainly met, which is all that is asked of one."""

_OWN: tuple[tuple[str, Callable[[Playbook, Playbook], object]], ...] = (
    ("approvals", lambda old, new: new.approvals < old.approvals),
    ("approval_within", lambda old, new: new.approval_within > old.approval_within),
    ("watch_within", lambda old, new: new.watch_within < old.watch_within),
    ("approval_team", lambda old, new: old.approval_team is Team.OTHER and new.approval_team is not Team.OTHER),
    ("break_glass", lambda old, new: new.break_glass is BreakGlass.ALLOWED and old.break_glass is BreakGlass.NEVER),
)
"""The same for the playbook itself."""


def loosened(old: Playbook, new: Playbook) -> tuple[str, ...]:
    """Name every requirement of ``old`` that falls away or weakens under ``new``, in one of its alternatives too."""
    counting = old.counting
    lost = [item.id for item in old.prerequisites if item.id in counting and _asks_less(item, new.get(item.id))]
    lost += [name.replace("_", "-") for name, weaker in _OWN if weaker(old, new)]
    return tuple(lost)


def redirected(old: Playbook, new: Playbook) -> tuple[str, ...]:
    """Name every command and portal page that is another under ``new``, or new in it.

    Whoever follows a playbook runs them with the rights of an administrator, so they weigh as much as a requirement.
    """
    changes = (change for change in compared(old, new) if change.effect is Effect.REDIRECTED)
    return tuple(
        f"{change.prerequisite}: {change.member}" if change.prerequisite else change.member.replace("_", "-")
        for change in changes
    )


def _asks_less(item: Prerequisite, other: Prerequisite | None) -> bool:
    if not item.required:
        # A step that is only an alternative: without it, what it stood for is asked itself.
        return other is not None and any(weaker(item, other) for name, weaker in _MEMBERS if name in _PLAINLY)
    return other is None or not other.required or any(weaker(item, other) for _, weaker in _MEMBERS)


def compared(old: Playbook, new: Playbook) -> tuple[Change, ...]:
    """Return every difference: the playbook's own first, then prerequisite by prerequisite in the newer order."""
    return tuple(_differences(old, new))


def _differences(old: Playbook, new: Playbook) -> Iterator[Change]:
    for name, weaker in _OWN:
        if getattr(old, name) != getattr(new, name):
            yield _change("", name, old, new, Effect.LOOSENED if weaker(old, new) else Effect.TIGHTENED)
    yield from _differing("", _OWN_TEXTS, old, new, Effect.REWORDED)
    yield from _differing("", _OWN_WAYS, old, new, Effect.REDIRECTED)
    for item in new.prerequisites:
        before = old.get(item.id)
        if before is None:
            yield Change(item.id, Effect.ADDED, "prerequisite", "", f"{_need(item)}: {item.title}")
            nowhere = replace(item, portal="", command="")
            yield from _differing(item.id, _WAYS, nowhere, item, Effect.REDIRECTED)
        else:
            yield from _of_prerequisite(before, item, old.counting, new.counting)
    for item in old.prerequisites:
        if new.get(item.id) is None:
            yield Change(item.id, Effect.REMOVED, "prerequisite", f"{_need(item)}: {item.title}", "")


def _of_prerequisite(
    old: Prerequisite, new: Prerequisite, before: frozenset[str], after: frozenset[str]
) -> Iterator[Change]:
    """Yield what differs; ``before`` and ``after`` are the steps that count in the two versions."""
    if old.required != new.required:
        effect = Effect.LOOSENED if old.required else Effect.TIGHTENED
        yield Change(old.id, effect, "required", _need(old), _need(new))
    for name, weaker in _MEMBERS:
        if getattr(old, name) != getattr(new, name) and (name != "required_by" or old.required == new.required):
            less = weaker(old, new) and (old.required or (old.id in before and name in _PLAINLY))
            more = weaker(new, old) and (new.required or (new.id in after and name in _PLAINLY))
            effect = Effect.LOOSENED if less else Effect.TIGHTENED if more else Effect.REWORDED
            yield _change(old.id, name, old, new, effect)
    yield from _differing(old.id, _TEXTS, old, new, Effect.REWORDED)
    yield from _differing(old.id, _WAYS, old, new, Effect.REDIRECTED)


def _differing(where: str, names: Iterable[str], old: object, new: object, effect: Effect) -> Iterator[Change]:
    for name in names:
        if getattr(old, name) != getattr(new, name):
            yield _change(where, name, old, new, effect)


def _change(where: str, name: str, old: object, new: object, effect: Effect) -> Change:
    return Change(where, effect, name, words(getattr(old, name)), words(getattr(new, name)))


def _need(item: Prerequisite) -> str:
    return f"required by {item.required_by.value}" if item.required else "recommended"


def words(value: object) -> str:
    """Return a member's value in plain words: lists joined, lengths of time as days, hours or seconds."""
    if value is None or value in ("", ()):
        return "nothing"
    if isinstance(value, timedelta):
        seconds = int(value.total_seconds())
        size, unit = next(pair for pair in ((86400, "d"), (3600, "h"), (1, "s")) if seconds % pair[0] == 0)
        return f"{seconds // size}{unit}"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    rule = getattr(value, "granted_by", None)
    return f"granted by {rule}, at most {words(value.at_most)}" if rule else str(value)  # type: ignore[attr-defined]
