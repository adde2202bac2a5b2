"""Alerts of the policy "User restricted from sending email", and the policies themselves."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from workflow.providers.simulated.stamp import precise, zulu
from workflow.providers.simulated.state import SERVICE

if TYPE_CHECKING:
    from datetime import datetime

    from workflow.providers.simulated.directory import Directory
    from workflow.providers.simulated.messages import Json

RESTRICTED = "User restricted from sending email"
_POLICIES = (
    (RESTRICTED, "High", "CompromisedAccount",
     "User has been restricted from sending messages outside the organization due to potential compromised activity."),
    ("Suspicious connector activity", "High", "ConnectorAbuse", "A connector was used in a suspicious way."),
    ("Email sending limit exceeded", "Medium", "EmailSendingLimitExceeded", "A user sent more than the policy allows."),
    ("Suspicious email sending patterns detected", "Medium", "CompromisedWarningAccount",
     "A user may be restricted if suspicious sending goes on."),
    ("Suspicious email forwarding activity", "High", "MailRedirect", "A user forwards messages in a suspicious way."),
    ("Suspicious tenant sending patterns observed", "High", "SuspiciousTenant", "The tenant may be restricted."),
    ("Tenant restricted from sending email", "High", "TenantBlocked", "Only Microsoft Support lifts this."),
    ("Creation of forwarding/redirect rule", "Informational", "MailRedirect", "A rule forwards or redirects."),
    ("Elevation of Exchange admin privilege", "Low", "GrantAdminPermission", "Somebody was made an administrator."),
)  # fmt: skip


class Alerts:
    """The alert policies of one tenant and what they have raised."""

    def __init__(self, tenant: Directory) -> None:
        self._tenant = tenant
        self._dice = tenant.dice.stream("alerts")
        self.raised: dict[str, Json] = {}
        self.policies = [self._policy(*item) for item in _POLICIES]

    def _policy(self, name: str, severity: str, operation: str, comment: str) -> Json:
        guid = self._dice.guid()
        on = self._tenant.scenario.alerting or name != RESTRICTED
        return {
            "Name": name,
            "Guid": guid,
            "ImmutableId": guid,
            "Identity": f"FFO.example/Microsoft Exchange Hosted Organizations/{self._tenant.id}/Configuration/{name}",
            "Disabled": not on,
            "NotificationEnabled": on,
            "NotifyUser": ["TenantAdmins"],
            "NotifyUserThrottleThreshold": None,
            "NotifyUserThrottleWindow": None,
            "NotifyUserSuppressionExpiryDate": None,
            "Severity": severity,
            "Category": "ThreatManagement",
            "Operation": [operation],
            "AggregationType": "None",
            "IsSystemRule": True,
            "Workload": "AuditAlerting",
            "Filter": "-not (Activity.User.Tags -like 'hve')",
            "Comment": comment,
        }

    def raise_for(self, upn: str, at: datetime) -> None:
        """Raise the alert about a restricted mailbox, a minute or two later; a policy that is off raises none."""
        policy = self.policies[0]
        if policy["Disabled"]:
            return
        when = at + timedelta(seconds=self._dice.whole(30, 120))
        self._tenant.schedule.at(when, lambda moment: self._raise(upn, at, moment))

    def _raise(self, upn: str, restricted_at: datetime, at: datetime) -> None:
        account = self._tenant.find(upn)
        guid = self._dice.guid()
        alert = f"fa{guid}"
        local, _, domain = upn.partition("@")
        name = account.name if account else local
        evidence: Json = {
            "createdDateTime": zulu(at),
            "verdict": "suspicious",
            "remediationStatus": "none",
            "remediationStatusDetails": None,
            "detailedRoles": [],
            "tags": [],
        }
        user = {
            "accountName": local,
            "domainName": domain,
            "userSid": None,
            "azureAdUserId": account.id if account else None,
            "userPrincipalName": upn,
            "displayName": name,
        }
        policy = self.policies[0]
        self.raised[alert] = {
            "id": alert,
            "providerAlertId": guid,
            "incidentId": str(20_000 + len(self.raised)),
            "status": "new",
            "severity": "high",
            "classification": None,
            "determination": None,
            "serviceSource": "microsoftDefenderForOffice365",
            "detectionSource": "microsoftDefenderForOffice365",
            "detectorId": policy["Guid"],
            "tenantId": self._tenant.id,
            "title": RESTRICTED,
            "description": policy["Comment"],
            "category": "InitialAccess",
            "assignedTo": None,
            "alertWebUrl": f"https://security.microsoft.com/alerts/{alert}",
            "incidentWebUrl": f"https://security.microsoft.com/incidents/{20_000 + len(self.raised)}",
            "mitreTechniques": [],
            "createdDateTime": precise(at),
            "lastUpdateDateTime": precise(at),
            "resolvedDateTime": None,
            "firstActivityDateTime": zulu(restricted_at),
            "lastActivityDateTime": zulu(restricted_at),
            "comments": [],
            "evidence": [
                {"@odata.type": "#microsoft.graph.security.userEvidence", **evidence, "roles": ["compromised"],
                 "userAccount": user},
                {"@odata.type": "#microsoft.graph.security.mailboxEvidence", **evidence, "roles": [],
                 "primaryAddress": account.mailbox.address if account else upn, "displayName": name},
            ],
            "alertPolicyId": policy["Guid"],
        }  # fmt: skip
        self._tenant.audit.alert(at, alert, upn, RESTRICTED, SERVICE)
