"""A person's account in Entra ID: the account, its methods, what it consented to, and its roles."""

from __future__ import annotations

import re
from datetime import UTC
from typing import TYPE_CHECKING

from workflow.errors import OutcomeUnknownError, ProviderError, ProviderRefusedError
from workflow.providers.microsoft365 import mfa, password, tolerant
from workflow.providers.microsoft365.connection import Family
from workflow.providers.microsoft365.graph import Graph, literal, segment
from workflow.providers.microsoft365.values import Row, child, flag, iso, moment, number, text, told
from workflow.providers.shapes import (
    Answer,
    Consent,
    MfaRequirement,
    RoleAssignment,
    Secret,
    SignIn,
    SignInMethod,
    SignInPolicies,
    User,
)

if TYPE_CHECKING:
    from datetime import datetime

_GUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_SELECT = (
    "id,userPrincipalName,accountEnabled,lastPasswordChangeDateTime,onPremisesSyncEnabled,"
    "signInSessionsValidFromDateTime,userType,mail"
)
_REMOVABLE = frozenset(
    {
        *("phone", "microsoftAuthenticator", "softwareOath", "fido2", "email", "windowsHelloForBusiness"),
        "temporaryAccessPass",
    }
)
_TYPE = re.compile(r"#microsoft\.graph\.(?P<kind>[A-Za-z0-9]+?)(?:AuthenticationMethod)?")
_GRANTS, _APP_ROLES = "GET /users/{id}/oauth2PermissionGrants", "GET /users/{id}/appRoleAssignments"
_ASSIGNMENTS = "/roleManagement/directory/roleAssignments"
_ROLE = "#microsoft.graph.directoryRole"


class Identity:
    """Accounts of the directory."""

    _graph: Graph

    def user(self, user: str) -> Answer[User]:
        """Return the account."""
        return account(self._graph, "user", user)

    def set_enabled(self, user: str, *, enabled: bool) -> Answer[None]:
        """Block or allow sign-in."""
        body = {"accountEnabled": enabled}
        _, read = self._graph.change("set_enabled", "PATCH /users/{id}", "PATCH", f"/users/{segment(user)}", body)
        return Answer(None, read)

    def reset_password(self, user: str) -> Answer[Secret]:
        """Set a new random password that must be changed at the next sign-in."""
        if account(self._graph, "reset_password", user).value.synced:
            raise ProviderRefusedError(
                "The account is synchronised from a directory of your own: reset its password there, twice, "
                "and record it. Nothing was changed."
            )
        secret = password.fresh()
        body = {"passwordProfile": {"password": secret.text, "forceChangePasswordNextSignIn": True}}
        path = f"/users/{segment(user)}"
        _, read = self._graph.change("reset_password", "PATCH /users/{id}", "PATCH", path, body, repeatable=False)
        return Answer(secret, read)

    def revoke_sessions(self, user: str) -> Answer[None]:
        """Make every refresh token worthless."""
        name, path = "POST /users/{id}/revokeSignInSessions", f"/users/{segment(user)}/revokeSignInSessions"
        reply, read = self._graph.change("revoke_sessions", name, "POST", path)
        # It says whether it did; where it says nothing of its own, only reading the account tells.
        if reply.data.get("value") is False:
            raise OutcomeUnknownError(
                f"{name} was answered, and not with *done*. Read the account before anything else."
            )
        return Answer(None, read)

    def sign_in_methods(self, user: str) -> Answer[tuple[SignInMethod, ...]]:
        """Return the registered methods, the password among them."""
        name, path = "GET /users/{id}/authentication/methods", f"/users/{segment(user)}/authentication/methods"
        found, read = self._graph.pages("sign_in_methods", name, path)
        return Answer(tuple(map(_method, found)), read)

    def remove_method(self, user: str, method: SignInMethod) -> Answer[None]:
        """Remove one method."""
        if method.kind not in _REMOVABLE:
            raise ProviderRefusedError(f"A method of the kind {method.kind} cannot be removed through Graph.")
        path = f"/users/{segment(user)}/authentication/{method.kind}Methods/{segment(method.id)}"
        name = f"DELETE /users/{{id}}/authentication/{method.kind}Methods/{{method}}"
        _, read = self._graph.change("remove_method", name, "DELETE", path)
        return Answer(None, read)

    def mfa_requirement(self, user: User, policies: Answer[SignInPolicies] | None) -> Answer[MfaRequirement]:
        """Return whether sign-in of an account requires multifactor authentication, and by what."""
        return mfa.requirement(self._graph, user, policies)

    def sign_ins(self, user: str, since: datetime) -> Answer[tuple[SignIn, ...]]:
        """Return the sign-ins since a time, the newest first."""
        whose = f"userId eq {literal(object_id(self._graph, 'sign_ins', user))}"
        query = {"$filter": f"{whose} and createdDateTime ge {iso(since)}", "$top": "500"}
        found, read = self._graph.pages(
            "sign_ins", "GET /auditLogs/signIns", "/auditLogs/signIns", query, Family.REPORTS
        )
        return Answer(tuple(sorted(map(_sign_in, found), key=lambda item: item.at, reverse=True)), read)

    def consents(self, user: str) -> Answer[tuple[Consent, ...]]:
        """Return what applications may do on the person's behalf, by their service principals' ids."""
        home = f"/users/{segment(user)}"
        delegated, _ = self._graph.pages("consents", _GRANTS, f"{home}/oauth2PermissionGrants")
        roles, read = self._graph.pages("consents", _APP_ROLES, f"{home}/appRoleAssignments")
        granted = [
            Consent(
                id=_sure("oauth2PermissionGrants", row, "id"),
                app=tolerant.text(row, "clientId"),
                kind="delegated",
                scopes=tuple(tolerant.text(row, "scope").split()),
            )
            for row in delegated
        ]
        assigned = [
            Consent(
                id=_sure("appRoleAssignments", row, "id"),
                app=tolerant.text(row, "resourceDisplayName", "resourceId"),
                kind="app-role",
                scopes=tuple(role for role in [tolerant.text(row, "appRoleId")] if role),
                created_at=tolerant.moment(row, "createdDateTime"),
            )
            for row in roles
        ]
        return Answer((*granted, *assigned), read)

    def remove_consent(self, user: str, consent: Consent) -> Answer[None]:
        """Take one application's access away."""
        if consent.kind == "app-role":
            path = f"/users/{segment(user)}/appRoleAssignments/{segment(consent.id)}"
            name = "DELETE /users/{id}/appRoleAssignments/{assignment}"
        else:
            path, name = f"/oauth2PermissionGrants/{segment(consent.id)}", "DELETE /oauth2PermissionGrants/{grant}"
        _, read = self._graph.change("remove_consent", name, "DELETE", path)
        return Answer(None, read)

    def roles(self, user: str) -> Answer[tuple[RoleAssignment, ...]]:
        """Return the active directory roles; one that comes through a group has no assignment to remove, and no id."""
        id_ = object_id(self._graph, "roles", user)
        query = {"$filter": f"principalId eq {literal(id_)}", "$expand": "roleDefinition"}
        found, _ = self._graph.pages("roles", f"GET {_ASSIGNMENTS}", _ASSIGNMENTS, query)
        member, read = self._graph.pages(
            "roles", "GET /users/{id}/transitiveMemberOf", f"/users/{segment(id_)}/transitiveMemberOf"
        )
        own = tuple(
            RoleAssignment(
                id=_sure("roleAssignments", row, "id"),
                role=_sure("roleAssignments", row, "roleDefinitionId"),
                name=tolerant.text(tolerant.child(row, "roleDefinition"), "displayName"),
                scope=text(row, "directoryScopeId") or "/",
            )
            for row in found
        )
        known = {role.role for role in own}
        through = tuple(
            RoleAssignment(id="", role=text(row, "roleTemplateId"), name=tolerant.text(row, "displayName"))
            for row in member
            if told(row, "@odata.type") == _ROLE and text(row, "roleTemplateId") not in known
        )
        return Answer((*own, *through), read)

    def remove_role(self, user: str, role: RoleAssignment) -> Answer[None]:
        """Take one role away."""
        del user  # The assignment's id says whose it is.
        if not role.id:
            raise ProviderRefusedError("The role comes through a group: take the person out of the group.")
        name = f"DELETE {_ASSIGNMENTS}/{{assignment}}"
        _, read = self._graph.change("remove_role", name, "DELETE", f"{_ASSIGNMENTS}/{segment(role.id)}")
        return Answer(None, read)

    def add_role(self, user: str, role: RoleAssignment) -> Answer[None]:
        """Give one role back."""
        body = {
            "principalId": object_id(self._graph, "add_role", user),
            "roleDefinitionId": role.role,
            "directoryScopeId": role.scope,
        }
        _, read = self._graph.change("add_role", f"POST {_ASSIGNMENTS}", "POST", _ASSIGNMENTS, body, repeatable=False)
        return Answer(None, read)


def account(graph: Graph, operation: str, user: str) -> Answer[User]:
    """Return an account, for an operation that needs to know it."""
    found, read = graph.get(operation, "GET /users/{id}", f"/users/{segment(user)}", {"$select": _SELECT})
    enabled, id_ = flag(found, "accountEnabled"), text(found, "id")
    if enabled is None or not id_:
        raise ProviderError("GET /users/{id}: the answer does not say who it is, or whether they may sign in.")
    known = User(
        id=id_,
        name=text(found, "userPrincipalName"),
        enabled=enabled,
        address=text(found, "mail"),
        password_changed_at=moment(found, "lastPasswordChangeDateTime"),
        sessions_valid_from=moment(found, "signInSessionsValidFromDateTime"),
        synced=bool(flag(found, "onPremisesSyncEnabled")),
        guest=text(found, "userType").casefold() == "guest",
    )
    return Answer(known, read)


def object_id(graph: Graph, operation: str, user: str) -> str:
    """Return a user's object id, asking for it only where a name was given."""
    return user if _GUID.fullmatch(user) else account(graph, operation, user).value.id


def _method(row: Row) -> SignInMethod:
    match = _TYPE.fullmatch(text(row, "@odata.type"))
    kind = match["kind"] if match else "unknown"
    return SignInMethod(
        id=_sure("authentication/methods", row, "id"),
        kind=kind,
        name=tolerant.text(row, "displayName", "phoneNumber", "emailAddress"),
        created_at=tolerant.moment(row, "createdDateTime"),
        removable=kind in _REMOVABLE,
    )


def _sign_in(row: Row) -> SignIn:
    at = moment(row, "createdDateTime")
    if at is None:
        raise ProviderError("GET /auditLogs/signIns: a sign-in without a time.")
    return SignIn(
        id=text(row, "id"),
        at=at.astimezone(UTC),
        app=tolerant.text(row, "appDisplayName", "appId"),
        address=tolerant.text(row, "ipAddress"),
        country=tolerant.text(tolerant.child(row, "location"), "countryOrRegion"),
        error=number(child(row, "status"), "errorCode") or 0,
    )


def _sure(what: str, row: Row, name: str) -> str:
    found = text(row, name)
    if not found:
        raise ProviderError(f"{what}: an item without {name}; the answer is not what it is believed to be.")
    return found
