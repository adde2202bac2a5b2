"""Graph: sign-ins, audit logs and registration reports."""

from __future__ import annotations

from datetime import timedelta

from workflow.providers.simulated.audit import RECORD_TYPES, USER_TYPES, Record
from workflow.providers.simulated.directory import Search
from workflow.providers.simulated.graph_routes import Asked, route
from workflow.providers.simulated.messages import Json, RefusedError, Reply, as_json
from workflow.providers.simulated.odata import filtered, page
from workflow.providers.simulated.refusals import GraphError, missing
from workflow.providers.simulated.stamp import parsed, precise, zulu
from workflow.providers.simulated.state import Account

_NO_FACTOR = frozenset({"password", "email"})
_REPORTED = {
    "phone": "mobilePhone",
    "microsoftAuthenticator": "microsoftAuthenticatorPush",
    "fido2": "passKeyDeviceBound",
}


@route("GET", "/auditLogs/signIns", "AuditLog.Read.All", family="reports", licensed=True)
def sign_ins(asked: Asked) -> Reply:
    """Answer sign-ins, the newest first."""
    rows = [item.data for item in asked.tenant.audit.found(asked.tenant.audit.sign_ins, asked.at)]
    rows.sort(key=lambda row: str(row["createdDateTime"]), reverse=True)
    fields = ("userId", "userPrincipalName", "createdDateTime", "status/errorCode", "appId", "ipAddress", "id")
    found = filtered(rows, asked.request.query.get("$filter", ""), fields)
    return as_json(200, page(asked.request, found, "auditLogs/signIns", asked.tenant.scenario.page))


@route("GET", "/auditLogs/directoryAudits", "AuditLog.Read.All", family="reports")
def directory_audits(asked: Asked) -> Reply:
    """Answer what the directory wrote down, in the order in which it arrived."""
    rows = [item.data for item in asked.tenant.audit.found(asked.tenant.audit.directory, asked.at)]
    fields = (
        "activityDateTime", "activityDisplayName", "category", "correlationId", "loggedByService", "id",
        "initiatedBy/user/id", "initiatedBy/user/userPrincipalName", "initiatedBy/app/appId", "result",
        "targetResources/id", "targetResources/userPrincipalName", "targetResources/displayName",
    )  # fmt: skip
    found = filtered(rows, asked.request.query.get("$filter", ""), fields)
    return as_json(200, page(asked.request, found, "auditLogs/directoryAudits", asked.tenant.scenario.page))


_DETAILS = "/reports/authenticationMethods/userRegistrationDetails"


def _registration(account: Account) -> Json:
    """Return the report's line, which is hours old."""
    seen = account.report_at or account.made_at
    kinds = [item.kind for item in account.methods.true if item.kind not in _NO_FACTOR and item.created_at <= seen]
    return {
        "id": account.id,
        "userPrincipalName": account.upn,
        "userDisplayName": account.name,
        "userType": "member",
        "isAdmin": bool(account.roles),
        "isMfaRegistered": bool(kinds),
        "isMfaCapable": bool(kinds),
        "isPasswordlessCapable": "fido2" in kinds,
        "isSsprCapable": bool(kinds),
        "isSsprEnabled": True,
        "isSsprRegistered": bool(kinds),
        "isSystemPreferredAuthenticationMethodEnabled": True,
        "systemPreferredAuthenticationMethods": [],
        "userPreferredMethodForSecondaryAuthentication": "push" if kinds else "none",
        "methodsRegistered": [_REPORTED.get(kind, kind) for kind in kinds],
        "lastUpdatedDateTime": precise(seen),
    }


@route("GET", _DETAILS, "AuditLog.Read.All", family="reports", licensed=True)
def registrations(asked: Asked) -> Reply:
    """Answer who has registered for multifactor authentication; a report, and late."""
    rows = [_registration(account) for account in asked.tenant.accounts]
    found = filtered(
        rows, asked.request.query.get("$filter", ""), ("id", "userPrincipalName", "isMfaCapable", "isMfaRegistered")
    )
    return as_json(200, page(asked.request, found, "reports/userRegistrationDetails", asked.tenant.scenario.page))


@route("GET", _DETAILS + "/{user}", "AuditLog.Read.All", family="reports", licensed=True)
def registration(asked: Asked) -> Reply:
    """Answer one line of that report."""
    return as_json(200, _registration(asked.account()))


# The unified audit log: a search that takes its time.

_QUERIES = "/security/auditLog/queries"
_READERS = ("AuditLogsQuery-Exchange.Read.All", "AuditLogsQuery-Entra.Read.All", "AuditLogsQuery.Read.All")
_FILTERS = ("recordTypeFilters", "operationFilters", "userPrincipalNameFilters", "objectIdFilters", "ipAddressFilters",
            "serviceFilters", "administrativeUnitIdFilters")  # fmt: skip


@route("POST", _QUERIES, *_READERS, family="alerts")
def ask(asked: Asked) -> Reply:
    """Begin a search."""
    given = asked.body(
        displayName=str,
        filterStartDateTime=str,
        filterEndDateTime=str,
        keywordFilter=str,
        **dict.fromkeys(_FILTERS, list),
    )
    try:
        end = parsed(given.get("filterEndDateTime", asked.at.isoformat()))
        start = parsed(given["filterStartDateTime"]) if "filterStartDateTime" in given else end - timedelta(days=1)
    except RefusedError as error:
        raise GraphError(400, "BadRequest", str(error)) from None
    unknown = set(map(str, given.get("recordTypeFilters", []))) - set(RECORD_TYPES.values())
    if unknown:
        raise GraphError(400, "BadRequest", f"Unknown record type: {min(unknown)}.")
    done_at = asked.at + timedelta(seconds=asked.tenant.dice.between(*asked.tenant.scenario.audit_query))
    query = Search(asked.tenant.dice.guid(), given, start, end, asked.at, done_at)
    asked.tenant.searches[query.id] = query
    return as_json(
        201,
        {
            "@odata.context": f"{asked.request.base}/v1.0/$metadata#security/auditLog/queries/$entity",
            **_search(asked, query),
        },
    )


def _search(asked: Asked, query: Search) -> Json:
    half = query.asked_at + (query.done_at - query.asked_at) / 4
    status = "succeeded" if asked.at >= query.done_at else "running" if asked.at >= half else "notStarted"
    return {
        "id": query.id,
        "displayName": query.given.get("displayName"),
        "filterStartDateTime": zulu(query.start),
        "filterEndDateTime": zulu(query.end),
        "keywordFilter": query.given.get("keywordFilter"),
        **{name: query.given.get(name, []) for name in _FILTERS},
        "status": status,
    }


def _asked_before(asked: Asked) -> Search:
    query = asked.tenant.searches.get(asked.names["query"])
    if query is None:
        raise missing(asked.names["query"])
    return query


@route("GET", _QUERIES + "/{query}", *_READERS, family="alerts")
def progress(asked: Asked) -> Reply:
    """Answer how far a search is."""
    return as_json(200, _search(asked, _asked_before(asked)))


@route("GET", _QUERIES + "/{query}/records", *_READERS, family="alerts")
def records(asked: Asked) -> Reply:
    """Answer what a search found when it ended; one under way has found nothing."""
    query = _asked_before(asked)
    given = query.given
    found: list[Json] = []
    if asked.at >= query.done_at:
        kinds, users = (
            given.get("recordTypeFilters"),
            {str(item).casefold() for item in given.get("userPrincipalNameFilters", [])},
        )
        operations = {str(item).casefold() for item in given.get("operationFilters", [])}
        objects = {str(item).casefold() for item in given.get("objectIdFilters", [])}
        found = [
            _record(item)
            for item in asked.tenant.audit.found(asked.tenant.audit.unified, query.done_at)
            if query.start <= item.at < query.end
            and (not kinds or RECORD_TYPES[item.data["RecordType"]] in kinds)
            and (not operations or item.data["Operation"].casefold() in operations)
            and (not users or item.data["UserId"].casefold() in users)
            and (not objects or str(item.data.get("ObjectId", "")).casefold() in objects)
        ]
    return as_json(200, page(asked.request, found, f"security/auditLog/queries('{query.id}')/records", 150))


def _record(item: Record) -> Json:
    data = item.data
    return {
        "id": data["Id"],
        "createdDateTime": zulu(item.at),
        "auditLogRecordType": RECORD_TYPES[data["RecordType"]],
        "operation": data["Operation"],
        "organizationId": data["OrganizationId"],
        "userType": USER_TYPES[data["UserType"]],
        "userId": data["UserId"],
        "service": data["Workload"],
        "objectId": data.get("ObjectId"),
        "userPrincipalName": data["UserId"] if "@" in data["UserId"] else None,
        "clientIp": data.get("ClientIPAddress"),
        "administrativeUnits": [""],
        "auditData": data,
    }
