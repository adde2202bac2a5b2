"""Whether sign-in requires multifactor authentication: security defaults, per-user state, Conditional Access.

A policy counts when nothing can lead round it: it is switched on, it is about the person and every application, it
has no condition that an attacker could choose not to meet, and its grant cannot be satisfied by anything else. A policy
with conditions is named and not counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from workflow.errors import NotReadableError
from workflow.providers.microsoft365.connection import Family
from workflow.providers.microsoft365.graph import segment
from workflow.providers.microsoft365.values import Row, child, flag, present, text, texts, told
from workflow.providers.shapes import Answer, ConditionalPolicy, MfaRequirement, SignInPolicies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from collections.abc import Set as AbstractSet

    from workflow.providers.microsoft365.graph import Graph
    from workflow.providers.shapes import Read, User

T = TypeVar("T")

_ASKING, _JUDGING = "sign_in_policies", "mfa_requirement"
_DEFAULTS = "GET /policies/identitySecurityDefaultsEnforcementPolicy"
_PER_USER = "GET beta /users/{id}/authentication/requirements"
_POLICIES = "GET /identity/conditionalAccess/policies"
_MEMBER = "GET /users/{id}/transitiveMemberOf"
_ON = frozenset({"enabled", "enforced"})
_ROLE = "#microsoft.graph.directoryRole"
_GUESTS = "GuestsOrExternalUsers"
_WEIGHED = frozenset({"applications", "users", "clientAppTypes"})
"""The conditions that are judged one by one; any other, known or not, leaves something out."""
_BROWSERS, _CLIENTS = "browser", "mobileAppsAndDesktopClients"


def policies(graph: Graph) -> Answer[SignInPolicies]:
    """Read what the tenant demands of everybody; what could not be read is None.

    Raises:
        NotReadableError: neither could be read.
    """
    reads: list[Read] = []
    refused: list[NotReadableError] = []

    def asked(ask: Callable[[], tuple[T, Read]]) -> T | None:
        try:
            value, read = ask()
        except NotReadableError as error:
            refused.append(error)
            return None
        reads.append(read)
        return value

    conditional = asked(lambda: graph.pages(_ASKING, _POLICIES, _POLICIES.removeprefix("GET "), family=Family.POLICIES))
    defaults = asked(lambda: graph.get(_ASKING, _DEFAULTS, _DEFAULTS.removeprefix("GET "), family=Family.POLICIES))
    if not reads:
        raise refused[-1]
    demanded = SignInPolicies(
        conditional=None if conditional is None else tuple(map(_conditional, filter(_demands, conditional))),
        defaults=None if defaults is None else bool(flag(defaults, "isEnabled")),
    )
    return Answer(demanded, reads[-1])


def requirement(graph: Graph, user: User, policies: Answer[SignInPolicies] | None) -> Answer[MfaRequirement]:
    """Judge the tenant's policies for one person, read the person's own state, and say what could not be read.

    Raises:
        NotReadableError: nothing could be read, the policies included.
    """
    demanded = policies.value if policies else SignInPolicies(conditional=None, defaults=None)
    reads = [policies.read] if policies else []
    unread: list[str] = []
    found: list[tuple[str, str]] = []
    conditions: list[str] = []
    ways: tuple[tuple[str, Callable[[], str | None]], ...] = (
        ("conditional-access", lambda: _by_policy(graph, user, demanded.conditional, reads, conditions)),
        ("per-user", lambda: _by_state(graph, user, reads)),
        ("security-defaults", lambda: None if demanded.defaults is None else "on" if demanded.defaults else ""),
    )
    last: NotReadableError | None = None
    for name, look in ways:
        try:
            detail = look()
        except NotReadableError as error:
            detail, last = None, error
        if detail is None:
            unread.append(name)
        elif detail:
            found.append((name, detail))
    if last is not None and not reads:
        raise last
    by, detail = found[0] if found else ("", "")
    if conditions and not found:
        detail = f"only under conditions: {', '.join(conditions)}"
    return Answer(MfaRequirement(required=bool(found), by=by, detail=detail, unread=tuple(unread)), reads[-1])


def _by_state(graph: Graph, user: User, reads: list[Read]) -> str:
    path = f"/users/{segment(user.id)}/authentication/requirements"
    row, read = graph.get(_JUDGING, _PER_USER, path, version="beta")
    reads.append(read)
    state = text(row, "perUserMfaState")
    return state if state in _ON else ""


def _by_policy(
    graph: Graph,
    user: User,
    demanding: tuple[ConditionalPolicy, ...] | None,
    reads: list[Read],
    conditions: list[str],
) -> str | None:
    """Return the name of a policy that counts, "" where none does, and None where that is not known."""
    if not demanding:
        return None if demanding is None else ""
    member, read = graph.pages(_JUDGING, _MEMBER, f"/users/{segment(user.id)}/transitiveMemberOf")
    reads.append(read)
    groups = frozenset(name for row in member for name in _names(row))
    about = [policy for policy in demanding if _is_about(policy, user, groups)]
    conditions += [policy.name for policy in about if not policy.everywhere]
    return next((policy.name for policy in about if policy.everywhere), "")


def _names(row: Row) -> Iterator[str]:
    """Yield what a policy may call a group or role by.

    Raises:
        NotReadableError: it is a role of which may only be seen that it is there.
    """
    yield told(row, "id")
    template = text(row, "roleTemplateId")
    if template:
        yield template
    elif text(row, "@odata.type") == _ROLE:
        raise NotReadableError(f"{row.call}: a role that does not say which it is, so policies may be about it.")


def _conditional(row: Row) -> ConditionalPolicy:
    conditions = child(row, "conditions")
    users = child(conditions, "users")
    included = texts(users, "includeUsers")
    return ConditionalPolicy(
        name=text(row, "displayName", "id"),
        everywhere=_unconditional(conditions),
        everybody="All" in included,
        included=frozenset((*included, *texts(users, "includeGroups"), *texts(users, "includeRoles"))),
        excluded=frozenset(
            (*texts(users, "excludeUsers"), *texts(users, "excludeGroups"), *texts(users, "excludeRoles"))
        ),
        guests_excluded=bool(child(users, "excludeGuestsOrExternalUsers")) or _GUESTS in texts(users, "excludeUsers"),
    )


def _demands(policy: Row) -> bool:
    """Say whether a policy is in force, and its grant cannot be had without a second factor."""
    if text(policy, "state") != "enabled":
        return False
    grant = child(policy, "grantControls")
    controls = texts(grant, "builtInControls")
    strength = text(child(grant, "authenticationStrength"), "requirementsSatisfied") == "mfa"
    others = [control for control in controls if control != "mfa"]
    others += [*texts(grant, "customAuthenticationFactors"), *texts(grant, "termsOfUse")]
    if "block" in controls or not (strength or "mfa" in controls):
        return False
    return text(grant, "operator") == "AND" or not others


def _is_about(policy: ConditionalPolicy, user: User, groups: AbstractSet[str]) -> bool:
    """Say whether the person is included and not excluded; who cannot be told is taken for excluded."""
    names = {user.id, *groups}
    if names & policy.excluded:
        return False
    if user.guest:
        # Kinds of guests are told apart by what the directory does not say here.
        return policy.everybody and not policy.guests_excluded
    return policy.everybody or bool(names & policy.included)


def _unconditional(conditions: Row) -> bool:
    """Say whether the policy holds for every application, from everywhere, in every client."""
    apps = child(conditions, "applications")
    every_app = "All" in texts(apps, "includeApplications") and not _narrowed(apps)
    present(conditions, "clientAppTypes")
    clients = texts(conditions, "clientAppTypes")
    every_client = not clients or "all" in clients or {_BROWSERS, _CLIENTS} <= set(clients)
    return every_app and every_client and not _narrowed(conditions, _WEIGHED)


def _narrowed(conditions: Row, weighed: AbstractSet[str] = frozenset()) -> bool:
    """Say whether any of these conditions, but for those weighed elsewhere, leaves something out."""
    told = (item for item in conditions.items() if "@" not in item[0] and item[0] not in weighed)
    return any(_narrows(name, condition) for name, condition in told)


def _narrows(name: str, condition: object) -> bool:
    """Say whether a condition leaves anything out: everything included and nothing excluded does not."""
    if _is_everything(name, condition):
        return False
    if isinstance(condition, dict):
        return any(value for part, value in condition.items() if "@" not in part and not _is_everything(part, value))
    # What is of a type that no condition has is not nothing, whatever it means.
    return bool(condition) if isinstance(condition, (list, str, type(None))) else True


def _is_everything(name: str, value: object) -> bool:
    """Say whether a list of what is included includes all there is."""
    listed = value if name.startswith("include") and isinstance(value, list) else []
    return any(isinstance(item, str) and item.casefold() == "all" for item in listed)
