"""Graph: what applications may do on a person's behalf, and directory roles."""

from __future__ import annotations

from workflow.providers.simulated.graph_routes import NO_CONTENT, Asked, route
from workflow.providers.simulated.messages import Json, Reply, as_json
from workflow.providers.simulated.odata import filtered, page
from workflow.providers.simulated.people import ROLES
from workflow.providers.simulated.refusals import GraphError, missing
from workflow.providers.simulated.stamp import zulu
from workflow.providers.simulated.state import Account, Consent, Role


def _grant(account: Account, item: Consent) -> Json:
    return {
        "id": item.id,
        "clientId": item.client,
        "consentType": "Principal",
        "principalId": account.id,
        "resourceId": "00000003-0000-0000-c000-000000000000",
        "scope": item.scope,
    }


@route("GET", "/users/{user}/oauth2PermissionGrants", "Directory.Read.All", "DelegatedPermissionGrant.ReadWrite.All")
def grants(asked: Asked) -> Reply:
    """Answer what applications may do on the person's behalf."""
    account = asked.account()
    rows = [_grant(account, item) for item in account.consents if not item.app_role]
    return as_json(200, page(asked.request, rows, "oauth2PermissionGrants", 100))


@route("DELETE", "/oauth2PermissionGrants/{grant}", "DelegatedPermissionGrant.ReadWrite.All", family="identity-writes")
def remove_grant(asked: Asked) -> Reply:
    """Take an application's access away."""
    for account in asked.tenant.accounts:
        for item in account.consents:
            if item.id == asked.names["grant"] and not item.app_role:
                asked.tenant.remove_consent(account, item, asked.by, asked.at)
                return NO_CONTENT
    raise missing(asked.names["grant"])


@route("GET", "/users/{user}/appRoleAssignments", "Directory.Read.All", "AppRoleAssignment.ReadWrite.All")
def app_roles(asked: Asked) -> Reply:
    """Answer the applications a person is assigned to."""
    account = asked.account()
    rows = [
        {
            "id": item.id,
            "appRoleId": item.app_role,
            "createdDateTime": zulu(item.created_at),
            "principalDisplayName": account.name,
            "principalId": account.id,
            "principalType": "User",
            "resourceDisplayName": item.scope,
            "resourceId": item.client,
            "deletedDateTime": None,
        }
        for item in account.consents
        if item.app_role
    ]
    return as_json(200, page(asked.request, rows, f"users('{account.id}')/appRoleAssignments", 100))


@route(
    "DELETE", "/users/{user}/appRoleAssignments/{grant}", "AppRoleAssignment.ReadWrite.All", family="identity-writes"
)
def remove_app_role(asked: Asked) -> Reply:
    """Take a person's assignment to an application away."""
    account = asked.account()
    found = next((item for item in account.consents if item.id == asked.names["grant"] and item.app_role), None)
    if found is None:
        raise missing(asked.names["grant"])
    asked.tenant.remove_consent(account, found, asked.by, asked.at)
    return NO_CONTENT


def _definition(template: str) -> Json:
    name = next((name for name, known in ROLES.items() if known == template), "")
    return {"id": template, "displayName": name, "description": None, "isBuiltIn": True, "isEnabled": True,
            "resourceScopes": ["/"], "rolePermissions": [], "templateId": template, "version": "1"}  # fmt: skip


def _assignment(account: Account, item: Role, *, expand: bool) -> Json:
    row: Json = {
        "id": item.id,
        "principalId": account.id,
        "roleDefinitionId": item.definition,
        "directoryScopeId": item.scope,
        "appScopeId": None,
    }
    return {**row, "roleDefinition": _definition(item.definition)} if expand else row


_ASSIGNMENTS = "/roleManagement/directory/roleAssignments"
_ROLE_READERS = ("RoleManagement.Read.Directory", "RoleManagement.ReadWrite.Directory", "Directory.Read.All")


@route("GET", _ASSIGNMENTS, *_ROLE_READERS)
def assignments(asked: Asked) -> Reply:
    """Answer role assignments, mostly of one person."""
    expand = "roleDefinition" in asked.request.query.get("$expand", "")
    rows = (_assignment(account, item, expand=expand) for account in asked.tenant.accounts for item in account.roles)
    found = filtered(rows, asked.request.query.get("$filter", ""), ("principalId", "roleDefinitionId", "id"))
    return as_json(200, page(asked.request, found, "roleManagement/directory/roleAssignments", 100))


@route("POST", _ASSIGNMENTS, "RoleManagement.ReadWrite.Directory", family="identity-writes")
def assign(asked: Asked) -> Reply:
    """Give a role."""
    given = asked.body(principalId=str, roleDefinitionId=str, directoryScopeId=str)
    account = asked.tenant.find(given.get("principalId", ""))
    if account is None or given.get("roleDefinitionId") not in ROLES.values():
        raise missing(str(given.get("principalId", "")))
    scope = given.get("directoryScopeId", "/")
    if any((item.definition, item.scope) == (given["roleDefinitionId"], scope) for item in account.roles):
        raise GraphError(
            400,
            "Request_BadRequest",
            "A conflicting object with one or more of the specified property values is present.",
        )
    role = Role(asked.tenant.dice.guid(), given["roleDefinitionId"], scope)
    asked.tenant.add_role(account, role, asked.by, asked.at)
    return as_json(201, {"@odata.context": f"{asked.request.base}/v1.0/$metadata#roleAssignments/$entity",
                         **_assignment(account, role, expand=False)})  # fmt: skip


@route("DELETE", _ASSIGNMENTS + "/{assignment}", "RoleManagement.ReadWrite.Directory", family="identity-writes")
def unassign(asked: Asked) -> Reply:
    """Take a role away."""
    for account in asked.tenant.accounts:
        for item in account.roles:
            if item.id == asked.names["assignment"]:
                asked.tenant.remove_role(account, item, asked.by, asked.at)
                return NO_CONTENT
    raise missing(asked.names["assignment"])


@route("GET", "/roleManagement/directory/roleDefinitions", *_ROLE_READERS)
def definitions(asked: Asked) -> Reply:
    """Answer the roles there are."""
    rows = filtered(
        (_definition(item) for item in ROLES.values()),
        asked.request.query.get("$filter", ""),
        ("id", "displayName", "templateId"),
    )
    return as_json(200, page(asked.request, rows, "roleManagement/directory/roleDefinitions", 100))


@route("GET", "/users/{user}/transitiveMemberOf", "User.Read.All", "Directory.Read.All", cost=2)
def member_of(asked: Asked) -> Reply:
    """Answer the roles as the directory's objects."""
    account = asked.account()
    rows = [
        {
            "@odata.type": "#microsoft.graph.directoryRole",
            "id": item.id,
            "displayName": _definition(item.definition)["displayName"],
            "roleTemplateId": item.definition,
        }
        for item in account.roles
    ]
    return as_json(200, page(asked.request, rows, "directoryObjects", 100))
