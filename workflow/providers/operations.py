"""What each operation of the port rests on: Microsoft's call, the least permission, how well it is known, its traps.

The grade says how far to trust a row: *documented* by Microsoft, *captured* from a live tenant by somebody who
published it, or *believed*, as respected public projects do it and no documentation says.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Grade(StrEnum):
    """How an operation is known to work."""

    DOCUMENTED = "documented"
    CAPTURED = "captured"
    BELIEVED = "believed"


EXCHANGE = "Exchange.ManageAsApp"
"""The application permission behind every cmdlet; what it may do is decided by the directory role beside it."""
DELEGATED_EXCHANGE = "Exchange.Manage"
"""The same where a person signs in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation.

    Args:
        title: what it does, in words that complete "a person does this: …".
        calls: the cmdlet, or method and path, that it stands for.
        permissions: the least application permissions of Microsoft Graph or Exchange.
        role: the role that a person who signs in holds beside it, for cmdlets Microsoft's own; "" for none.
        app_role: the directory role that an application holds beside it; "" for none.
        grade: how it is known.
        changes: whether it changes the tenant.
        repeatable: whether calling it twice does no more than once.
        trap: what goes wrong with it.
    """

    title: str
    calls: tuple[str, ...]
    permissions: tuple[str, ...]
    role: str = ""
    trap: str
    app_role: str = ""
    grade: Grade = Grade.DOCUMENTED
    changes: bool = False
    repeatable: bool = True


_READER = "Global Reader or Security Reader"
_EXCHANGE_ADMIN = "Exchange Administrator"
_USER_ADMIN = "User Administrator; Privileged Authentication Administrator for administrators"
_FOR_ADMINISTRATORS = "Privileged Authentication Administrator, for administrators' accounts alone"

_RESTRICTIONS = {
    "restricted": Operation(
        title="read the list of restricted entities",
        calls=("Get-BlockedSenderAddress", "Get-BlockedConnector"),
        permissions=(EXCHANGE,),
        role=_READER,
        grade=Grade.BELIEVED,
        trap="No public raw answer exists. Where a page cannot be followed the list is incomplete.",
    ),
    "restriction": Operation(
        title="look one restricted entity up",
        calls=("Get-BlockedSenderAddress", "Get-BlockedConnector"),
        permissions=(EXCHANGE,),
        role=_READER,
        grade=Grade.BELIEVED,
        trap="A row stays listed for up to a day after an unblock.",
    ),
    "unblock": Operation(
        title="unblock the entity on the Restricted entities page",
        calls=("Remove-BlockedSenderAddress", "Remove-BlockedConnector"),
        permissions=(EXCHANGE,),
        role=f"{_EXCHANGE_ADMIN}, or a custom role group with the cmdlet",
        grade=Grade.BELIEVED,
        changes=True,
        repeatable=False,
        trap="There is a limit to how often an account can be unblocked; after it only Microsoft Support helps.",
    ),
}

_IDENTITY = {
    "user": Operation(
        title="read the account",
        calls=("GET /users/{id}",),
        permissions=("User.Read.All",),
        trap="What matters comes only with $select.",
    ),
    "set_enabled": Operation(
        title="block or allow sign-in",
        calls=("PATCH /users/{id}",),
        permissions=("User.EnableDisableAccount.All", "User.Read.All"),
        role=_USER_ADMIN,
        app_role=_FOR_ADMINISTRATORS,
        changes=True,
        trap="The on-premises directory of a synchronised user overwrites it.",
    ),
    "reset_password": Operation(
        title="reset the password",
        calls=("PATCH /users/{id}",),
        permissions=("User-PasswordProfile.ReadWrite.All", "User.Read.All"),
        role=_USER_ADMIN,
        app_role=_FOR_ADMINISTRATORS,
        changes=True,
        repeatable=False,
        trap="Not for synchronised or federated users. Called twice it sets another password.",
    ),
    "revoke_sessions": Operation(
        title="revoke every session",
        calls=("POST /users/{id}/revokeSignInSessions",),
        permissions=("User.RevokeSessions.All",),
        role=_USER_ADMIN,
        changes=True,
        trap="It takes minutes; access tokens live on for up to an hour; guests are not covered.",
    ),
    "sign_in_methods": Operation(
        title="read the sign-in methods",
        calls=("GET /users/{id}/authentication/methods",),
        permissions=("UserAuthenticationMethod.Read.All",),
        role="Global Reader",
        trap="Password and email are methods too, and no second factor.",
    ),
    "remove_method": Operation(
        title="remove a sign-in method",
        calls=("DELETE /users/{id}/authentication/{kind}Methods/{method}",),
        permissions=("UserAuthenticationMethod.ReadWrite.All",),
        role="Authentication Administrator; Privileged Authentication Administrator for administrators",
        changes=True,
        trap="The default method goes last: it is refused while others are left.",
    ),
    "mfa_requirement": Operation(
        title="find out whether sign-in requires multifactor authentication",
        calls=(
            "GET beta /users/{id}/authentication/requirements",
            "GET /users/{id}/transitiveMemberOf",
        ),
        permissions=("Policy.Read.All", "Directory.Read.All"),
        role="Global Reader",
        grade=Grade.BELIEVED,
        trap="Per-user MFA is in beta only; groups and roles decide whom a policy is about.",
    ),
    "sign_ins": Operation(
        title="read the sign-ins",
        calls=("GET /auditLogs/signIns",),
        permissions=("AuditLog.Read.All", "User.Read.All"),
        role=_READER,
        trap="Needs an Entra ID P1 licence; five requests in ten seconds.",
    ),
    "consents": Operation(
        title="read what applications may do on the person's behalf",
        calls=("GET /users/{id}/oauth2PermissionGrants", "GET /users/{id}/appRoleAssignments"),
        permissions=("Directory.Read.All",),
        role="Global Reader",
        trap="A consent survives password reset and multifactor authentication.",
    ),
    "remove_consent": Operation(
        title="take an application's access away",
        calls=("DELETE /oauth2PermissionGrants/{grant}", "DELETE /users/{id}/appRoleAssignments/{assignment}"),
        permissions=("DelegatedPermissionGrant.ReadWrite.All", "AppRoleAssignment.ReadWrite.All"),
        role="Cloud Application Administrator",
        changes=True,
        trap="Permission for application roles lets its holder grant itself anything; without it they are a person's.",
    ),
    "roles": Operation(
        title="read the directory roles",
        calls=("GET /roleManagement/directory/roleAssignments", "GET /users/{id}/transitiveMemberOf"),
        permissions=("RoleManagement.Read.Directory", "Directory.Read.All"),
        role="Global Reader",
        trap="Eligible roles (PIM), Exchange role groups and Azure roles are elsewhere.",
    ),
    "remove_role": Operation(
        title="take a directory role away",
        calls=("DELETE /roleManagement/directory/roleAssignments/{assignment}",),
        permissions=("RoleManagement.ReadWrite.Directory",),
        role="Privileged Role Administrator",
        changes=True,
        trap="The permission lets its holder become administrator of everything: grant it knowingly, or not.",
    ),
    "add_role": Operation(
        title="give a directory role back",
        calls=("POST /roleManagement/directory/roleAssignments",),
        permissions=("RoleManagement.ReadWrite.Directory",),
        role="Privileged Role Administrator",
        changes=True,
        repeatable=False,
        trap="It is active at once and has another id: a role that was only eligible (PIM) is not to be given back so.",
    ),
}

_MAILBOX = {
    "inbox_rules": Operation(
        title="read the inbox rules, hidden ones included",
        calls=("Get-InboxRule",),
        permissions=(EXCHANGE,),
        role=_EXCHANGE_ADMIN,
        grade=Grade.BELIEVED,
        trap="Does not work for Global Reader. Rules carry no time. A wrong mailbox gives all of them.",
    ),
    "set_rule": Operation(
        title="switch an inbox rule off or on",
        calls=("Disable-InboxRule", "Enable-InboxRule"),
        permissions=(EXCHANGE,),
        role=_EXCHANGE_ADMIN,
        grade=Grade.BELIEVED,
        changes=True,
        trap="A delegate rule cannot be switched off.",
    ),
    "forwarding": Operation(
        title="read how the mailbox forwards",
        calls=("Get-Mailbox",),
        permissions=(EXCHANGE,),
        role=_READER,
        grade=Grade.BELIEVED,
        trap="Where both addresses are set only the internal one works.",
    ),
    "set_forwarding": Operation(
        title="set or clear how the mailbox forwards",
        calls=("Set-Mailbox",),
        permissions=(EXCHANGE,),
        role=_EXCHANGE_ADMIN,
        grade=Grade.BELIEVED,
        changes=True,
        trap="All of it is set at once, so what is not named is cleared; inbox and transport rules forward beside it.",
    ),
    "delegates": Operation(
        title="read who else may open the mailbox or send as it",
        calls=("Get-MailboxPermission", "Get-RecipientPermission", "Get-Mailbox"),
        permissions=(EXCHANGE,),
        role=_READER,
        grade=Grade.BELIEVED,
        trap="Folder permissions are not among them.",
    ),
    "remove_delegate": Operation(
        title="take a right to the mailbox away",
        calls=("Remove-MailboxPermission", "Remove-RecipientPermission", "Set-Mailbox"),
        permissions=(EXCHANGE,),
        role=_EXCHANGE_ADMIN,
        grade=Grade.BELIEVED,
        changes=True,
        trap="Rights that are inherited or come through a group stay, and so do those on single folders.",
    ),
    "add_delegate": Operation(
        title="give a right to the mailbox back",
        calls=("Add-MailboxPermission", "Add-RecipientPermission", "Set-Mailbox"),
        permissions=(EXCHANGE,),
        role=_EXCHANGE_ADMIN,
        grade=Grade.BELIEVED,
        changes=True,
        trap="Full access that is given back also opens the mailbox in that person's Outlook.",
    ),
}

_TENANT = {
    "sign_in_policies": Operation(
        title="read what the tenant demands at sign-in",
        calls=(
            "GET /identity/conditionalAccess/policies",
            "GET /policies/identitySecurityDefaultsEnforcementPolicy",
        ),
        permissions=("Policy.Read.All",),
        role=_READER,
        trap="One call a second; only a policy without conditions counts, because others can be avoided.",
    ),
    "audit_posture": Operation(
        title="check that auditing is on",
        calls=("Get-AdminAuditLogConfig", "Get-OrganizationConfig"),
        permissions=(EXCHANGE,),
        role=_READER,
        grade=Grade.CAPTURED,
        trap="Over Security & Compliance it always reads off: ask Exchange.",
    ),
    "alert_policies": Operation(
        title="read the alert policies",
        calls=("Get-ProtectionAlert",),
        permissions=(EXCHANGE,),
        role=_READER,
        grade=Grade.CAPTURED,
        trap="A name that does not exist gives all policies.",
    ),
    "audit_log": Operation(
        title="read the unified audit log",
        calls=("POST /security/auditLog/queries", "GET /security/auditLog/queries/{query}/records"),
        permissions=("AuditLogsQuery-Exchange.Read.All", "AuditLogsQuery-Entra.Read.All"),
        role="View-Only Audit Logs, a role of Exchange's",
        trap="A search takes minutes; records come late, out of order and twice.",
    ),
    "directory_audit": Operation(
        title="read what the directory did to the person",
        calls=("GET /auditLogs/directoryAudits",),
        permissions=("AuditLog.Read.All", "User.Read.All"),
        role=_READER,
        trap="Kept for 30 days, 7 without a licence.",
    ),
    "message_trace": Operation(
        title="read what the mailbox sent",
        calls=("GET /admin/exchange/tracing/messageTraces",),
        permissions=("ExchangeMessageTrace.Read.All", "User.Read.All"),
        role=_READER,
        trap="In the public cloud alone; kept for 90 days, ten of them a call; mail sent from an alias is not found.",
    ),
}

OPERATIONS: Mapping[str, Operation] = MappingProxyType(_RESTRICTIONS | _IDENTITY | _MAILBOX | _TENANT)
"""Every operation of :class:`workflow.providers.port.Provider`, by its method's name."""
