"""Graph: what requires multifactor authentication, the organisation, and alerts."""

from __future__ import annotations

from workflow.providers.simulated.graph_routes import NO_CONTENT, Asked, route
from workflow.providers.simulated.messages import Json, Reply, as_json
from workflow.providers.simulated.odata import filtered, page
from workflow.providers.simulated.people import DOMAIN
from workflow.providers.simulated.refusals import GraphError, missing
from workflow.providers.simulated.stamp import precise, zulu

_DEFAULTS = "identitySecurityDefaultsEnforcementPolicy"
_STATES = ("disabled", "enabled", "enforced")
_STATUSES = ("new", "inProgress", "resolved")
_FILTERED = ("assignedTo", "classification", "determination", "createdDateTime", "lastUpdateDateTime", "severity",
             "serviceSource", "status")  # fmt: skip
"""What alerts can be filtered on; the title is not among it."""


@route("GET", f"/policies/{_DEFAULTS}", "Policy.Read.All")
def security_defaults(asked: Asked) -> Reply:
    """Answer whether security defaults are on."""
    row = {
        "@odata.context": f"{asked.request.base}/v1.0/$metadata#policies/{_DEFAULTS}/$entity",
        "id": "00000000-0000-0000-0000-000000000005",
        "displayName": "Security Defaults",
        "description": "Security defaults is a set of basic identity security mechanisms recommended by Microsoft.",
        "isEnabled": asked.tenant.scenario.mfa == "security-defaults",
    }
    return as_json(200, row)


def _policies(asked: Asked) -> list[Json]:
    """Return one policy that requires it of everybody but the administrator, and one that only reports."""
    if asked.tenant.scenario.mfa != "conditional-access":
        return []
    admin = asked.tenant.accounts[0]
    dice = asked.tenant.dice.stream("policies")
    users = {"includeUsers": ["All"], "excludeUsers": [admin.id], "includeGroups": [], "excludeGroups": [],
             "includeRoles": [], "excludeRoles": []}  # fmt: skip
    found = []
    for name, state, controls in (
        ("Require multifactor authentication", "enabled", ["mfa"]),
        ("Compliant devices (trial)", "enabledForReportingButNotEnforced", ["compliantDevice"]),
    ):
        found.append({
            "id": dice.guid(),
            "displayName": name,
            "createdDateTime": zulu(admin.made_at),
            "modifiedDateTime": None,
            "state": state,
            "conditions": {
                "clientAppTypes": ["all"],
                "userRiskLevels": [],
                "signInRiskLevels": [],
                "servicePrincipalRiskLevels": [],
                "applications": {"includeApplications": ["All"], "excludeApplications": [], "includeUserActions": []},
                "users": users,
            },
            "grantControls": {"operator": "OR", "builtInControls": controls, "customAuthenticationFactors": [],
                              "termsOfUse": []},
            "sessionControls": None,
        })  # fmt: skip
    return found


@route("GET", "/identity/conditionalAccess/policies", "Policy.Read.All", family="conditional-access")
def policies(asked: Asked) -> Reply:
    """Answer the Conditional Access policies."""
    return as_json(200, page(asked.request, _policies(asked), "identity/conditionalAccess/policies", 100))


@route("GET", "/identity/conditionalAccess/policies/{policy}", "Policy.Read.All", family="conditional-access")
def policy(asked: Asked) -> Reply:
    """Answer one of them."""
    found = next((item for item in _policies(asked) if item["id"] == asked.names["policy"]), None)
    if found is None:
        raise missing(asked.names["policy"])
    return as_json(200, found)


_REQUIREMENTS = "/beta/users/{user}/authentication/requirements"


@route("GET", _REQUIREMENTS, "Policy.Read.All", "Policy.ReadWrite.AuthenticationMethod")
def requirements(asked: Asked) -> Reply:
    """Answer the per-user state; v1.0 has no such call."""
    context = f"{asked.request.base}/beta/$metadata#strongAuthenticationRequirements/$entity"
    return as_json(200, {"@odata.context": context, "perUserMfaState": asked.account().per_user_mfa})


@route("PATCH", _REQUIREMENTS, "Policy.ReadWrite.AuthenticationMethod", family="identity-writes")
def require(asked: Asked) -> Reply:
    """Set the per-user state."""
    account = asked.account()
    state = asked.body(perUserMfaState=str).get("perUserMfaState", "")
    if state not in _STATES:
        raise GraphError(400, "Request_BadRequest", f"Invalid value '{state[:20]}' for perUserMfaState.")
    asked.tenant.set_per_user_mfa(account, state, asked.by, asked.at)
    return NO_CONTENT


@route("GET", "/organization", "Organization.Read.All", "Directory.Read.All", "User.Read.All")
def organisation(asked: Asked) -> Reply:
    """Answer the tenant."""
    domains = [{"name": DOMAIN, "isDefault": True, "isInitial": False, "type": "Managed", "capabilities": "Email"}]
    row = {"id": asked.tenant.id, "displayName": "Contoso (simulated)", "tenantType": "AAD", "verifiedDomains": domains}
    return as_json(200, page(asked.request, [row], "organization", 100))


@route("GET", "/subscribedSkus", "Organization.Read.All", "Directory.Read.All")
def skus(asked: Asked) -> Reply:
    """Answer the licences."""
    plans = ["EXCHANGE_S_STANDARD", *(["AAD_PREMIUM"] if asked.tenant.scenario.premium else [])]
    row = {
        "id": f"{asked.tenant.id}_sku",
        "skuPartNumber": "O365_BUSINESS_PREMIUM",
        "skuId": asked.tenant.id,
        "capabilityStatus": "Enabled",
        "consumedUnits": len(asked.tenant.accounts),
        "servicePlans": [
            {"servicePlanName": name, "provisioningStatus": "Success", "appliesTo": "User"} for name in plans
        ],
    }
    return as_json(200, page(asked.request, [row], "subscribedSkus", 100))


# Alerts.


@route("GET", "/security/alerts_v2", "SecurityAlert.Read.All", "SecurityAlert.ReadWrite.All", family="alerts")
def alerts(asked: Asked) -> Reply:
    """Answer alerts, the newest first."""
    rows = list(reversed(asked.tenant.alerts.raised.values()))
    found = filtered(rows, asked.request.query.get("$filter", ""), _FILTERED)
    return as_json(200, page(asked.request, found, "security/alerts_v2", asked.tenant.scenario.page, 2000))


def _alert(asked: Asked) -> Json:
    found = asked.tenant.alerts.raised.get(asked.names["alert"])
    if found is None:
        raise missing(asked.names["alert"])
    return found


@route("GET", "/security/alerts_v2/{alert}", "SecurityAlert.Read.All", "SecurityAlert.ReadWrite.All", family="alerts")
def alert(asked: Asked) -> Reply:
    """Answer one alert."""
    return as_json(200, _alert(asked))


@route("PATCH", "/security/alerts_v2/{alert}", "SecurityAlert.ReadWrite.All", family="alerts")
def change_alert(asked: Asked) -> Reply:
    """Assign, classify or resolve an alert."""
    found = _alert(asked)
    given = asked.body(status=str, assignedTo=str, classification=str, determination=str)
    if given.get("status", "new") not in _STATUSES:
        raise GraphError(400, "BadRequest", "Invalid status.")
    before = found["status"]
    found |= given | {"lastUpdateDateTime": precise(asked.at)}
    if given.get("status") == "resolved":
        found["resolvedDateTime"] = precise(asked.at)
    asked.tenant.log("alert", found["id"], before, found["status"], asked.by, asked.at)
    return as_json(200, found)


@route("POST", "/security/alerts_v2/{alert}/comments", "SecurityAlert.ReadWrite.All", family="alerts")
def comment(asked: Asked) -> Reply:
    """Comment on an alert."""
    found = _alert(asked)
    text = asked.body(comment=str).get("comment", "")
    found["comments"].append(
        {"comment": text, "createdByDisplayName": asked.by.name, "createdDateTime": precise(asked.at)}
    )
    asked.tenant.log("alert comment", found["id"], "", "", asked.by, asked.at)
    return as_json(200, {"value": found["comments"]})
