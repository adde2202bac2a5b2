"""What Holdfast can change in a tenant: one row per change, with how it is read, done and given back.

``in_effect`` says of what was read whether the change stands, so that it is not made twice and an unknown outcome is
found out (R6). A target is plain JSON values: it is kept beside the ledger until the case is erased.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

from workflow.domain.playbook import Check, Condition
from workflow.domain.record import optional_time_to_text, time_from_text
from workflow.domain.vocabulary import Change, Result
from workflow.providers.shapes import Consent, Delegate, Forwarding, InboxRule, RoleAssignment, SignInMethod
from workflow.services.predicates import (
    Ground,
    Look,
    forwards,
    harmful,
    held_roles,
    password_reset,
    recent,
    sessions_revoked,
    shown,
)
from workflow.services.snapshot import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from workflow.providers.port import Provider
    from workflow.providers.shapes import Answer

    Target = dict[str, Any]
    Planner = Callable[[Look, str, Ground], Iterator[tuple[Change, Target, str]]]

LONGEST_NAME = 200
"""Characters kept of a name that an attacker may have chosen; ids are what counts."""
_SHORTENED = ("name", "moves_to", "scopes", "forwards_to")


@dataclass(frozen=True, slots=True, kw_only=True)
class Doing:
    """How one change is made.

    Args:
        title: what it does, before its object.
        read: the operation that shows whether it stands.
        in_effect: whether it stands, by what was read and the target.
        act: does it, once.
        undo: gives back what it removed; None where only the person can.
        condition: what is true of the person once it is done.
        shows: what its target shows of the person, whatever comes of it.
        same: whether what was read is what the target tells of, where something else may stand in its place.
    """

    title: str
    read: Callable[[Provider, str], Answer[Any]]
    in_effect: Callable[[Any, Target], bool]
    act: Callable[[Provider, str, Target], Answer[Any]]
    undo: Callable[[Provider, str, Target], Answer[Any]] | None = None
    condition: Condition | None = None
    shows: Condition | None = None
    same: Callable[[Any, Target], bool] = lambda _found, _target: True

    def stands(self, found: Any, target: Target, *, undone: bool) -> bool:
        """Say whether it stands by what was read; ``undone``, whether what it removed is there again."""
        effective = self.in_effect(found, target)
        return not effective and self.same(found, target) if undone else effective


def rebuilt(shape: type[Any], target: Target) -> Any:
    """Return the thing that a target stands for."""
    values = {}
    for item in fields(shape):
        value = target.get(item.name, item.default)
        if item.name.endswith("_at") and isinstance(value, str):
            value = time_from_text(value)
        values[item.name] = tuple(value) if isinstance(value, list) else value
    return shape(**values)


def target_of(thing: Any) -> Target:
    """Return a thing as plain values, small enough to be kept: what only describes it is cut or left out."""
    values = {name: plain(value) for name, value in asdict(thing).items()}
    for name in _SHORTENED:
        if name in values:
            values[name] = values[name][:LONGEST_NAME] if isinstance(values[name], str) else []
    return values


def _same_role(role: RoleAssignment, target: Target) -> bool:
    # A role that was given back has an assignment id of its own.
    return (role.role, role.scope) == (target["role"], target["scope"])


def _time(moment: datetime | None) -> str | None:
    return optional_time_to_text(moment)


DOINGS: Mapping[Change, Doing] = {
    Change.BLOCK_SIGN_IN: Doing(
        title="block sign-in",
        read=lambda tenant, name: tenant.user(name),
        in_effect=lambda found, _: not found.enabled,
        act=lambda tenant, name, _: tenant.set_enabled(name, enabled=False),
        condition=Condition.SIGN_IN_DISABLED,
    ),
    Change.RESET_PASSWORD: Doing(
        title="set a new password",
        read=lambda tenant, name: tenant.user(name),
        in_effect=lambda found, target: _time(found.password_changed_at) != target["before"],
        act=lambda tenant, name, _: tenant.reset_password(name),
    ),
    Change.REVOKE_SESSIONS: Doing(
        title="revoke every session",
        read=lambda tenant, name: tenant.user(name),
        in_effect=lambda found, target: _time(found.sessions_valid_from) != target["before"],
        act=lambda tenant, name, _: tenant.revoke_sessions(name),
    ),
    Change.REMOVE_METHOD: Doing(
        title="remove the sign-in method",
        read=lambda tenant, name: tenant.sign_in_methods(name),
        in_effect=lambda found, target: all(item.id != target["id"] for item in found),
        act=lambda tenant, name, target: tenant.remove_method(name, rebuilt(SignInMethod, target)),
        condition=Condition.METHODS_REMOVED,
    ),
    Change.REMOVE_CONSENT: Doing(
        title="take away the access of the application",
        read=lambda tenant, name: tenant.consents(name),
        in_effect=lambda found, target: all(item.id != target["id"] for item in found),
        act=lambda tenant, name, target: tenant.remove_consent(name, rebuilt(Consent, target)),
    ),
    Change.REMOVE_ROLE: Doing(
        title="take away the role",
        read=lambda tenant, name: tenant.roles(name),
        in_effect=lambda found, target: not any(_same_role(item, target) for item in found),
        act=lambda tenant, name, target: tenant.remove_role(name, rebuilt(RoleAssignment, target)),
        undo=lambda tenant, name, target: tenant.add_role(name, rebuilt(RoleAssignment, target)),
        shows=Condition.HAS_ROLES,
    ),
    Change.CLEAR_FORWARDING: Doing(
        title="clear the forwarding",
        read=lambda tenant, name: tenant.forwarding(name),
        in_effect=lambda found, _: not forwards(found),
        act=lambda tenant, name, _: tenant.set_forwarding(name, Forwarding()),
        undo=lambda tenant, name, target: tenant.set_forwarding(name, rebuilt(Forwarding, target)),
        same=lambda found, target: target_of(found) == target,
    ),
    Change.DISABLE_RULE: Doing(
        title="switch off the inbox rule",
        read=lambda tenant, name: tenant.inbox_rules(name),
        in_effect=lambda found, target: not any(item.id == target["id"] and item.enabled for item in found),
        act=lambda tenant, name, target: tenant.set_rule(name, rebuilt(InboxRule, target), enabled=False),
        undo=lambda tenant, name, target: tenant.set_rule(name, rebuilt(InboxRule, target), enabled=True),
    ),
    Change.REMOVE_DELEGATE: Doing(
        title="take away the right",
        read=lambda tenant, name: tenant.delegates(name),
        in_effect=lambda found, target: rebuilt(Delegate, target) not in found,
        act=lambda tenant, name, target: tenant.remove_delegate(name, rebuilt(Delegate, target)),
        undo=lambda tenant, name, target: tenant.add_delegate(name, rebuilt(Delegate, target)),
    ),
}
"""Every change, and how it is made."""


def _block(look: Look, name: str, _ground: Ground) -> Iterator[tuple[Change, Target, str]]:
    if look(look.provider.user, name).enabled:
        yield Change.BLOCK_SIGN_IN, {}, ""


def _reset(look: Look, name: str, ground: Ground) -> Iterator[tuple[Change, Target, str]]:
    found = look(look.provider.user, name)
    if not found.synced and password_reset(look, name, ground).result is not Result.MET:
        yield Change.RESET_PASSWORD, {"before": _time(found.password_changed_at)}, ""


def _revoke(look: Look, name: str, ground: Ground) -> Iterator[tuple[Change, Target, str]]:
    # A password that is set anew leaves the sessions behind that it was to end.
    stale = any(_reset(look, name, ground)) or sessions_revoked(look, name, ground).result is not Result.MET
    if stale:
        yield Change.REVOKE_SESSIONS, {"before": _time(look(look.provider.user, name).sessions_valid_from)}, ""


def _methods(look: Look, name: str, ground: Ground) -> Iterator[tuple[Change, Target, str]]:
    for item in look(look.provider.sign_in_methods, name):
        if item.kind != "password" and item.removable and recent(item, ground):
            yield Change.REMOVE_METHOD, target_of(item), f"{item.kind} {item.name}"


def _consents(look: Look, name: str, ground: Ground) -> Iterator[tuple[Change, Target, str]]:
    for item in look(look.provider.consents, name):
        if recent(item, ground):
            yield Change.REMOVE_CONSENT, target_of(item), f"{item.app} {' '.join(item.scopes)}"


def _roles(look: Look, name: str, _ground: Ground) -> Iterator[tuple[Change, Target, str]]:
    for item in held_roles(look, name):
        yield Change.REMOVE_ROLE, target_of(item), f"{item.name or item.role} on {item.scope}"


def _forwarding(look: Look, name: str, _ground: Ground) -> Iterator[tuple[Change, Target, str]]:
    found = look(look.provider.forwarding, name)
    if forwards(found):
        yield Change.CLEAR_FORWARDING, target_of(found), f"to {found.internal or found.external}"


def _rules(look: Look, name: str, _ground: Ground) -> Iterator[tuple[Change, Target, str]]:
    for item in look(look.provider.inbox_rules, name):
        if harmful(item):
            yield Change.DISABLE_RULE, target_of(item), item.name or item.id


def _delegates(look: Look, name: str, _ground: Ground) -> Iterator[tuple[Change, Target, str]]:
    for item in look(look.provider.delegates, name):
        yield Change.REMOVE_DELEGATE, target_of(item), f"{item.right} of {item.who}"


def _own_mailbox(look: Look, name: str, ground: Ground) -> Iterator[tuple[Change, Target, str]]:
    for planner in (_forwarding, _rules, _delegates):
        yield from planner(look, name, ground)


PLANNERS: Mapping[Check, Planner] = {
    Check.SIGN_IN_BLOCKED: _block,
    Check.PASSWORD_RESET: _reset,
    Check.SESSIONS_REVOKED: _revoke,
    Check.METHODS_KNOWN: _methods,
    Check.CONSENTS_KNOWN: _consents,
    Check.NO_ROLES: _roles,
    Check.NO_FORWARDING: _forwarding,
    Check.RULES_HARMLESS: _rules,
    Check.NO_DELEGATES: _delegates,
    Check.OWN_MAILBOX_CLEAN: _own_mailbox,
}
"""What would have to be changed so that a check is met."""


def title(change: Change, what: str = "") -> str:
    """Return a change in words."""
    return shown(f"{DOINGS[change].title} {what}")
