"""Graph: accounts, their sessions and their sign-in methods."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.providers.simulated.graph_routes import NO_CONTENT, Asked, route
from workflow.providers.simulated.messages import Json, Reply, as_json
from workflow.providers.simulated.odata import filtered, page, selected
from workflow.providers.simulated.refusals import DENIED, GraphError, missing
from workflow.providers.simulated.stamp import zulu
from workflow.providers.simulated.state import Account, Method

if TYPE_CHECKING:
    from datetime import datetime

_BASIC = (
    "businessPhones", "displayName", "givenName", "jobTitle", "mail", "mobilePhone", "officeLocation",
    "preferredLanguage", "surname", "userPrincipalName",
)  # fmt: skip
"""What comes without ``$select``; all that matters for an incident is not among it."""
_PRIVILEGED = frozenset({"Global Administrator", "Privileged Authentication Administrator"})
_LEAST, _MOST, _CLASSES = 8, 256, 3
_WEAK = "The specified password does not comply with password complexity requirements."
_FILTERED = ("id", "userPrincipalName", "mail", "accountEnabled", "displayName", "userType", "onPremisesSyncEnabled")


def _user(account: Account, now: datetime) -> Json:
    first, _, last = account.name.partition(" ")
    return {
        **dict.fromkeys(_BASIC),
        "businessPhones": [],
        "id": account.id,
        "displayName": account.name,
        "givenName": first,
        "surname": last,
        "mail": account.mailbox.address,
        "userPrincipalName": account.upn,
        "accountEnabled": account.enabled.seen(now),
        "createdDateTime": zulu(account.made_at),
        "lastPasswordChangeDateTime": zulu(account.password_at.seen(now)),
        "signInSessionsValidFromDateTime": zulu(account.sessions_from.seen(now)),
        "onPremisesSyncEnabled": True if account.synced else None,
        "passwordPolicies": None,
        "userType": "Guest" if account.guest else "Member",
        "usageLocation": "GB",
        "proxyAddresses": [f"SMTP:{account.mailbox.address}"],
    }


@route("GET", "/users", "User.Read.All", cost=2)
def users(asked: Asked) -> Reply:
    """Answer a page of accounts."""
    rows = filtered(
        (_user(item, asked.at) for item in asked.tenant.accounts), asked.request.query.get("$filter", ""), _FILTERED
    )
    body = page(asked.request, rows, "users", asked.tenant.scenario.page, 999)
    select = asked.request.query.get("$select", "")
    body["value"] = [selected(row, select, row.keys(), _BASIC) for row in body["value"]]
    return as_json(200, body)


@route("GET", "/users/{user}", "User.Read.All")
def user(asked: Asked) -> Reply:
    """Answer one account; without ``$select`` with what is of no use here."""
    row = _user(asked.account(), asked.at)
    context = f"{asked.request.base}/v1.0/$metadata#users/$entity"
    return as_json(
        200, {"@odata.context": context, **selected(row, asked.request.query.get("$select", ""), row.keys(), _BASIC)}
    )


@route(
    "PATCH",
    "/users/{user}",
    "User.ReadWrite.All",
    "User.EnableDisableAccount.All",
    "User-PasswordProfile.ReadWrite.All",
    family="identity-writes",
)
def change_user(asked: Asked) -> Reply:
    """Block or allow sign-in, or set another password."""
    account = asked.account()
    given = asked.body(accountEnabled=bool, passwordProfile=dict)
    _privileged(asked, account)
    profile = given.get("passwordProfile")
    if profile is not None:
        _may(asked, "User-PasswordProfile.ReadWrite.All")
        _password(account, profile)
        asked.tenant.reset_password(account, asked.by, asked.at)
    if "accountEnabled" in given:
        _may(asked, "User.EnableDisableAccount.All")
        asked.tenant.set_enabled(account, asked.by, asked.at, enabled=given["accountEnabled"])
    return NO_CONTENT


def _may(asked: Asked, permission: str) -> None:
    if not {permission, "User.ReadWrite.All", "*"} & set(asked.app.permissions):
        raise DENIED


def _privileged(asked: Asked, account: Account) -> None:
    """Refuse to touch an administrator without a privileged directory role."""
    if account.roles and not _PRIVILEGED & set(asked.app.roles):
        raise DENIED


def _password(account: Account, profile: Json) -> None:
    if account.synced:
        text = "Unable to update the specified properties for on-premises mastered Directory Sync objects."
        raise GraphError(400, "Request_BadRequest", text)
    given = profile.get("password")
    password = given if isinstance(given, str) else ""
    classes = sum((
        any(sign.islower() for sign in password), any(sign.isupper() for sign in password),
        any(sign.isdigit() for sign in password), any(not sign.isalnum() for sign in password),
    ))  # fmt: skip
    if not _LEAST <= len(password) <= _MOST or classes < _CLASSES:
        raise GraphError(400, "Request_BadRequest", f"{_WEAK} Please provide a different password.")


@route(
    "POST",
    "/users/{user}/revokeSignInSessions",
    "User.RevokeSessions.All",
    "User.ReadWrite.All",
    family="identity-writes",
)
def revoke(asked: Asked) -> Reply:
    """Make every session worthless."""
    account = asked.account()
    asked.tenant.revoke_sessions(account, asked.by, asked.at)
    return as_json(200, {"@odata.context": f"{asked.request.base}/v1.0/$metadata#Edm.Boolean", "value": True})


# Methods.

_SECTIONS = {
    "phoneMethods": "phone",
    "microsoftAuthenticatorMethods": "microsoftAuthenticator",
    "softwareOathMethods": "softwareOath",
    "fido2Methods": "fido2",
    "emailMethods": "email",
    "windowsHelloForBusinessMethods": "windowsHelloForBusiness",
    "temporaryAccessPassMethods": "temporaryAccessPass",
}
_NO_FACTOR = frozenset({"password", "email"})


def _method(item: Method) -> Json:
    created = None if item.kind in {"phone", "email"} else zulu(item.created_at)
    row: Json = {
        "@odata.type": f"#microsoft.graph.{item.kind}AuthenticationMethod",
        "id": item.id,
        "createdDateTime": created,
    }
    if item.kind == "password":
        row["password"] = None
    elif item.kind == "phone":
        row |= {"phoneNumber": item.name, "phoneType": "mobile", "smsSignInState": "notConfigured"}
    elif item.kind == "microsoftAuthenticator":
        row |= {"displayName": item.name, "deviceTag": "SoftwareTokenActivated", "phoneAppVersion": "6.8.14"}
    elif item.kind == "fido2":
        row |= {"displayName": item.name, "model": "Key", "aaGuid": None, "attestationLevel": "attested"}
    else:
        row |= {"emailAddress": item.name} if item.kind == "email" else {}
    return row


@route(
    "GET",
    "/users/{user}/authentication/methods",
    "UserAuthenticationMethod.Read.All",
    "UserAuthenticationMethod.ReadWrite.All",
)
def methods(asked: Asked) -> Reply:
    """Answer the methods, as they are seen so far."""
    account = asked.account()
    rows = [_method(item) for item in account.methods.seen(asked.at)]
    return as_json(200, page(asked.request, rows, f"users('{account.id}')/authentication/methods", 100))


@route(
    "DELETE",
    "/users/{user}/authentication/{section}/{method}",
    "UserAuthenticationMethod.ReadWrite.All",
    family="identity-writes",
)
def remove_method(asked: Asked) -> Reply:
    """Remove a method; the default one only when it is the last second factor."""
    account = asked.account()
    kind = _SECTIONS.get(asked.names["section"], "")
    found = next((item for item in account.methods.true if (item.kind, item.id) == (kind, asked.names["method"])), None)
    if found is None:
        raise missing(asked.names["method"])
    _privileged(asked, account)
    others = [item for item in account.methods.true if item.kind not in _NO_FACTOR and item is not found]
    if found.default and others:
        text = "Requested authentication method is the user's default and can't be deleted until another one is."
        raise GraphError(400, "BadRequest", text)
    asked.tenant.remove_method(account, found, asked.by, asked.at)
    return NO_CONTENT


@route(
    "GET",
    "/users/{user}/authentication/passwordMethods",
    "UserAuthMethod-Password.Read.All",
    "UserAuthenticationMethod.Read.All",
)
def password_methods(asked: Asked) -> Reply:
    """Answer when the password was last set."""
    account = asked.account()
    row = {
        "id": account.methods.true[0].id,
        "password": None,
        "createdDateTime": zulu(account.password_at.seen(asked.at)),
    }
    return as_json(200, page(asked.request, [row], f"users('{account.id}')/authentication/passwordMethods", 100))


@route("POST", "/users/{user}/authentication/methods/{method}/resetPassword", delegated=True, family="identity-writes")
def reset_password(asked: Asked) -> Reply:
    """Set another password for somebody else, as a signed-in person; it takes a while, and an operation tells."""
    account = asked.account()
    given = asked.body(newPassword=str)
    if asked.caller.user == account.id:
        raise GraphError(400, "BadRequest", "An administrator can't reset their own password here.")
    asked.tenant.reset_password(account, asked.by, asked.at)
    where = f"{asked.request.base}/v1.0/users/{account.id}/authentication/operations/{asked.tenant.dice.guid()}"
    made = {} if "newPassword" in given else {"newPassword": f"Simulated-{account.password}-password"}
    headers = {"Location": where, "Retry-After": "1"}
    return as_json(
        202, {"@odata.context": f"{asked.request.base}/v1.0/$metadata#passwordResetResponse", **made}, headers
    )


@route("GET", "/users/{user}/authentication/operations/{operation}", delegated=True)
def operation(asked: Asked) -> Reply:
    """Answer that it has succeeded: a cloud account's reset is done at once."""
    asked.account()
    row = {
        "id": asked.names["operation"],
        "status": "succeeded",
        "statusDetail": None,
        "createdDateTime": zulu(asked.at),
    }
    return as_json(200, {"@odata.context": f"{asked.request.base}/v1.0/$metadata#longRunningOperation", **row})
