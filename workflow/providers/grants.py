"""The least that Holdfast's application has to be granted, feature by feature, from the table of operations."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from workflow.providers.operations import DELEGATED_EXCHANGE, EXCHANGE, OPERATIONS
from workflow.providers.ways import Way

if TYPE_CHECKING:
    from collections.abc import Iterable


class Feature(StrEnum):
    """What Holdfast is to do in the tenant."""

    CHECK = "check"
    CONTAIN = "contain"
    UNBLOCK = "unblock"
    ROLES = "roles"


FEATURES = {
    Feature.CHECK: "read restrictions, prerequisites and logs",
    Feature.CONTAIN: "block sign-in, reset passwords, revoke sessions, and take away what an attacker left",
    Feature.UNBLOCK: "unblock after approval",
    Feature.ROLES: "take directory and application roles away, and give directory roles back",
}

MIGHTY = frozenset({"AppRoleAssignment.ReadWrite.All", "RoleManagement.ReadWrite.Directory"})
"""With one of these an application can make itself administrator of everything: granted for roles alone, when asked."""

USUAL = (Feature.CHECK, Feature.CONTAIN, Feature.UNBLOCK)


def feature_of(operation: str) -> Feature:
    """Return the feature that an operation belongs to."""
    if operation == "unblock":
        return Feature.UNBLOCK
    row = OPERATIONS[operation]
    if set(row.permissions) <= MIGHTY:
        return Feature.ROLES
    return Feature.CONTAIN if row.changes else Feature.CHECK


@dataclass(frozen=True, slots=True)
class Grant:
    """One permission and what it is for."""

    permission: str
    operations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grants:
    """What an application needs.

    Args:
        features: what it is to do.
        way: how Holdfast signs in.
        graph: permissions of Microsoft Graph: of the application, or delegated to it by a person who signs in.
        cmdlets: the cmdlets it runs; with any of them it needs the permission ``exchange`` too.
        roles: roles beside the permissions as the table of operations words them, with what they are for.
    """

    features: tuple[Feature, ...]
    way: Way
    graph: tuple[Grant, ...]
    cmdlets: tuple[Grant, ...]
    roles: tuple[Grant, ...]

    @property
    def by_person(self) -> bool:
        """Whether a person signs in, so that Holdfast can do what both the application and that person may."""
        return self.way is Way.DEVICE_CODE

    @property
    def exchange(self) -> str:
        """The permission behind every cmdlet; a role group decides which cmdlets."""
        return DELEGATED_EXCHANGE if self.by_person else EXCHANGE


def grants(features: Iterable[Feature], way: Way = Way.CERTIFICATE) -> Grants:
    """Return the least for these features. Reading comes with all of them: whatever is changed is read first.

    Cmdlets take a role group that has them and no others, so that no wider role of Exchange's is among the roles.
    """
    wanted = {Feature.CHECK, *features}
    graph: dict[str, list[str]] = {}
    cmdlets: dict[str, list[str]] = {}
    roles: dict[str, list[str]] = {}
    for name, row in OPERATIONS.items():
        asked = feature_of(name) in wanted
        exchange = EXCHANGE in row.permissions
        for permission in row.permissions if not exchange else ():
            if Feature.ROLES in wanted if permission in MIGHTY else asked:
                graph.setdefault(permission, []).append(name)
        for cmdlet in row.calls if exchange and asked else ():
            cmdlets.setdefault(cmdlet, []).append(name)
        role = row.role if way is Way.DEVICE_CODE else row.app_role
        if role and asked and not exchange:
            roles.setdefault(role, []).append(name)
    return Grants(
        tuple(feature for feature in Feature if feature in wanted),
        way,
        _sorted(_without_covered(graph)),
        _sorted(cmdlets),
        _sorted(roles),
    )


def _without_covered(graph: dict[str, list[str]]) -> dict[str, list[str]]:
    """Leave out a permission to read where one to read and write the same is granted."""
    kept: dict[str, list[str]] = {}
    for permission, operations in graph.items():
        writing = permission.replace(".Read.", ".ReadWrite.")
        home = writing if writing in graph else permission
        kept.setdefault(home, []).extend(operations)
    return kept


def _sorted(found: dict[str, list[str]]) -> tuple[Grant, ...]:
    return tuple(Grant(name, tuple(dict.fromkeys(found[name]))) for name in sorted(found))
