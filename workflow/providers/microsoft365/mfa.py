"""Whether sign-in requires multifactor authentication: security defaults, per-user state, Conditional Access.

A policy counts when nothing can lead round it: it is switched on, it is about the person and every application, it
has no condition that an attacker could choose not to meet, and its grant cannot be satisfied by anything else. A policy
with conditions is named and not counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.errors import NotReadableError
from workflow.providers.microsoft365.connection import Family
from workflow.providers.microsoft365.graph import Graph, segment
from workflow.providers.microsoft365.values import Row, child, flag, text, texts
from workflow.providers.shapes import Answer, MfaRequirement

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Set as AbstractSet

    from workflow.providers.shapes import Read, User

_OPERATION = "mfa_requirement"
_DEFAULTS = "GET /policies/identitySecurityDefaultsEnforcementPolicy"
_PER_USER = "GET beta /users/{id}/authentication/requirements"
_POLICIES = "GET /identity/conditionalAccess/policies"
_MEMBER = "GET /users/{id}/transitiveMemberOf"
_ON = frozenset({"enabled", "enforced"})
_EVERYWHERE = (
    *("locations", "platforms", "devices", "clientApplications", "authenticationFlows", "insiderRiskLevels"),
    *("signInRiskLevels", "userRiskLevels", "servicePrincipalRiskLevels"),
)
_BROWSERS, _CLIENTS = "browser", "mobileAppsAndDesktopClients"


def requirement(graph: Graph, user: User) -> Answer[MfaRequirement]:
    """Read all three, and say which of them could not be read."""
    unread: list[str] = []
    reads: list[Read] = []
    found: list[tuple[str, str]] = []
    conditional: list[str] = []
    ways: tuple[tuple[str, Callable[[], str]], ...] = (
        ("conditional-access", lambda: _by_policy(graph, user, reads, conditional)),
        ("per-user", lambda: _by_state(graph, user, reads)),
        ("security-defaults", lambda: _by_default(graph, reads)),
    )
    last: NotReadableError | None = None
    for name, look in ways:
        try:
            detail = look()
        except NotReadableError as error:
            unread.append(name)
            last = error
        else:
            found += [(name, detail)] if detail else []
    if last is not None and not reads:
        raise last
    by, detail = found[0] if found else ("", "")
    if conditional and not found:
        detail = f"only under conditions: {', '.join(conditional)}"
    return Answer(MfaRequirement(required=bool(found), by=by, detail=detail, unread=tuple(unread)), reads[-1])


def _by_default(graph: Graph, reads: list[Read]) -> str:
    row, read = graph.get(_OPERATION, _DEFAULTS, _DEFAULTS.removeprefix("GET "), family=Family.POLICIES)
    reads.append(read)
    return "on" if flag(row, "isEnabled") else ""


def _by_state(graph: Graph, user: User, reads: list[Read]) -> str:
    path = f"/users/{segment(user.id)}/authentication/requirements"
    row, read = graph.get(_OPERATION, _PER_USER, path, version="beta")
    reads.append(read)
    state = text(row, "perUserMfaState")
    return state if state in _ON else ""


def _by_policy(graph: Graph, user: User, reads: list[Read], conditional: list[str]) -> str:
    policies, read = graph.pages(_OPERATION, _POLICIES, _POLICIES.removeprefix("GET "), family=Family.POLICIES)
    demanding = [policy for policy in policies if text(policy, "state") == "enabled" and _demands(policy)]
    groups: frozenset[str] = frozenset()
    if demanding:
        path = f"/users/{segment(user.id)}/transitiveMemberOf"
        member, read = graph.pages(_OPERATION, _MEMBER, path)
        groups = frozenset(filter(None, (text(row, name) for row in member for name in ("id", "roleTemplateId"))))
    reads.append(read)
    about = [policy for policy in demanding if _is_about(child(policy, "conditions", "users"), user, groups)]
    sure = [policy for policy in about if _unconditional(child(policy, "conditions"))]
    conditional += [text(policy, "displayName", "id") for policy in about if policy not in sure]
    return text(sure[0], "displayName", "id") if sure else ""


def _demands(policy: Row) -> bool:
    """Say whether the grant cannot be had without a second factor."""
    grant = child(policy, "grantControls")
    controls = texts(grant, "builtInControls")
    strength = text(child(grant, "authenticationStrength"), "requirementsSatisfied") == "mfa"
    others = [control for control in controls if control != "mfa"]
    others += [*texts(grant, "customAuthenticationFactors"), *texts(grant, "termsOfUse")]
    if "block" in controls or not (strength or "mfa" in controls):
        return False
    return text(grant, "operator") == "AND" or not others


def _is_about(users: Row, user: User, groups: AbstractSet[str]) -> bool:
    """Say whether the person is included and not excluded; who cannot be told is taken for excluded."""
    if user.id in texts(users, "excludeUsers") or groups & {
        *texts(users, "excludeGroups"),
        *texts(users, "excludeRoles"),
    }:
        return False
    if user.guest:
        # Kinds of guests are told apart by what the directory does not say here.
        return "All" in texts(users, "includeUsers") and not child(users, "excludeGuestsOrExternalUsers")
    included = texts(users, "includeUsers")
    by_group = groups & {*texts(users, "includeGroups"), *texts(users, "includeRoles")}
    return "All" in included or user.id in included or bool(by_group)


def _unconditional(conditions: Row) -> bool:
    """Say whether the policy holds for every application, from everywhere, in every client."""
    apps = child(conditions, "applications")
    every_app = "All" in texts(apps, "includeApplications") and not (
        texts(apps, "excludeApplications") or child(apps, "applicationFilter")
    )
    clients = texts(conditions, "clientAppTypes")
    every_client = not clients or "all" in clients or {_BROWSERS, _CLIENTS} <= set(clients)
    return every_app and every_client and not any(_narrows(conditions.get(name)) for name in _EVERYWHERE)


def _narrows(condition: object) -> bool:
    """Say whether a condition leaves anything out: everything included and nothing excluded does not."""
    if isinstance(condition, dict):
        said = [
            value
            for name, value in condition.items()
            if "@" not in name and not (name.startswith("include") and isinstance(value, list) and _all(value))
        ]
        return any(said)
    return bool(condition)


def _all(values: list[object]) -> bool:
    return any(isinstance(value, str) and value.casefold() == "all" for value in values)
