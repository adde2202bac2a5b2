"""What the tenant writes down itself: the unified audit log, the directory's audit log, sign-ins.

Records come late, out of order, and some twice, as in a real tenant. Shapes follow the Office 365 Management Activity
API schema; ``HygieneTenantEvents`` (record type 51) tells that a mailbox was listed or delisted.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from workflow.providers.simulated.people import DOMAIN
from workflow.providers.simulated.stamp import bare, precise, zulu
from workflow.providers.simulated.state import SYNC

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from workflow.providers.simulated.dice import Dice
    from workflow.providers.simulated.messages import Json
    from workflow.providers.simulated.scenario import Scenario
    from workflow.providers.simulated.state import Account, By

EXCHANGE_ADMIN, EXCHANGE_ITEM, DIRECTORY, ALERT, HYGIENE = 1, 2, 8, 40, 51
RECORD_TYPES = {
    EXCHANGE_ADMIN: "ExchangeAdmin",
    EXCHANGE_ITEM: "ExchangeItem",
    DIRECTORY: "AzureActiveDirectory",
    ALERT: "SecurityComplianceAlerts",
    HYGIENE: "HygieneEvent",
}
_MANY = 20_000
_KEPT_DIRECTORY, _KEPT_UNIFIED = timedelta(days=30), timedelta(days=180)
"""How long Microsoft keeps records; they are dropped only where there are many."""
_WORKLOADS = {DIRECTORY: "AzureActiveDirectory", ALERT: "SecurityComplianceCenter"}
REGULAR, ADMIN, SYSTEM, SERVICE_PRINCIPAL = 0, 2, 4, 6
USER_TYPES = {REGULAR: "Regular", ADMIN: "Admin", SYSTEM: "System", SERVICE_PRINCIPAL: "ServicePrincipal"}
PORTAL_APP = "80ccca67-54bd-44ab-8625-4b79c4dc7775"
"""The first-party application of the Microsoft Defender portal, as it stands in published audit records."""

SYNCHRONISER = f"Sync_DC1_5f3759df1f00@{DOMAIN}"
"""The account that Microsoft's synchronisation makes for itself, by the shape of its name."""


@dataclass(frozen=True, slots=True)
class Record:
    """A record and when it can be found. ``at`` is what it says, which the log's clock may have got wrong."""

    at: datetime
    shows_at: datetime
    data: Json


class AuditLog:
    """Everything the tenant has written down.

    Args:
        tenant: the organisation's id.
        scenario: how late and how often.
        dice: chance of its own.
    """

    def __init__(self, tenant: str, scenario: Scenario, dice: Dice) -> None:
        self._tenant = tenant
        self._scenario = scenario
        self._dice = dice
        self.unified: list[Record] = []
        self.directory: list[Record] = []
        self.sign_ins: list[Record] = []

    def found(self, records: Sequence[Record], now: datetime) -> Iterator[Record]:
        """Yield the records that can be found by now, in the order in which they arrived; latecomers come last."""
        return iter(sorted((item for item in records if item.shows_at <= now), key=lambda item: item.shows_at))

    def _keep(self, records: list[Record], at: datetime, data: Json) -> None:
        low, high = self._scenario.audit_lag
        copies = 2 if self._dice.chance(self._scenario.audit_twice) else 1
        late = (timedelta(seconds=self._dice.between(low, high)) for _ in range(copies))
        records.extend(Record(at, at + delay, data) for delay in late)
        if len(records) > _MANY:
            kept = _KEPT_DIRECTORY if records is self.directory or records is self.sign_ins else _KEPT_UNIFIED
            records[:] = [item for item in records[: len(records) // 2] if at - item.at < kept] + records[
                len(records) // 2 :
            ]

    def _skewed(self, at: datetime) -> datetime:
        skew = self._scenario.skew
        return at + timedelta(seconds=self._dice.between(-skew, skew)) if skew else at

    def write(self, at: datetime, kind: int, operation: str, by: By, **members: Any) -> None:
        """Write a record of the unified audit log, unless the tenant keeps none."""
        user, user_type = _who(by)
        stamp = self._skewed(at)
        data = {
            "CreationTime": bare(stamp),
            "Id": self._dice.guid(),
            "Operation": operation,
            "OrganizationId": self._tenant,
            "RecordType": kind,
            "ResultStatus": "Success",
            "UserKey": user,
            "UserType": user_type,
            "Version": 1,
            "Workload": _WORKLOADS.get(kind, "Exchange"),
            "UserId": user,
            **members,
        }
        if self._scenario.audited:
            self._keep(self.unified, stamp, data)

    def cmdlet(self, at: datetime, name: str, parameters: Json, by: By, target: str) -> None:
        """Write what an administrator's cmdlet did; these records say "True" where others say "Success"."""
        pairs = [{"Name": key, "Value": str(value)} for key, value in parameters.items()]
        app = {"AppId": by.app or (PORTAL_APP if by.kind == "portal" else "")}
        extra = {"ResultStatus": "True", "ObjectId": target, "Parameters": pairs, "ExternalAccess": False, **app}
        self.write(at, EXCHANGE_ADMIN, name, by, **extra)

    def hygiene(self, at: datetime, event: str, who: str, reason: str, by: By) -> None:
        """Write that a mailbox was ``Listed`` or ``Delisted``; the record names the mailbox itself as its user."""
        extra = {"UserKey": who, "UserType": REGULAR, "UserId": who, "Audit": "", "Event": event, "EventId": 1}
        self.write(at, HYGIENE, "HygieneTenantEvents", by, **extra, EventValue=who, Reason=reason)

    def alert(self, at: datetime, alert: str, who: str, policy: str, by: By) -> None:
        """Write the two records of an alert; what it is about stands in a text of JSON."""
        data = json.dumps({"etype": "User", "eid": who, "op": "CompromisedAccount", "tid": self._tenant})
        extra = {"AlertId": alert, "AlertType": "System", "Name": policy, "Severity": "High", "Status": "Active"}
        for operation in ("AlertTriggered", "AlertEntityGenerated"):
            self.write(at, ALERT, operation, by, **extra, Data=data, EntityType="User", AlertEntityId=who)

    def directory_change(
        self,
        at: datetime,
        activity: str,
        account: Account,
        by: By,
        *,
        category: str = "UserManagement",
        together: str = "",
        **changed: str,
    ) -> None:
        """Write a change of an account: to the directory's log, and to the unified one with a full stop behind it.

        ``together`` is the id that the records of one change share.
        """
        properties = [
            {"displayName": key, "oldValue": "[]", "newValue": json.dumps([new])} for key, new in changed.items()
        ]
        correlation = together or self._dice.guid()
        stamp = self._skewed(at)
        target = {
            "id": account.id,
            "displayName": account.name,
            "type": "User",
            "userPrincipalName": account.upn,
            "groupType": None,
            "modifiedProperties": properties,
        }
        self._keep(
            self.directory,
            stamp,
            {
                "id": f"Directory_{correlation}_{self._dice.token(3).upper()}",
                "category": category,
                "correlationId": correlation,
                "result": "success",
                "resultReason": "",
                "activityDisplayName": activity,
                "activityDateTime": precise(stamp),
                "loggedByService": "Core Directory",
                "operationType": "Update",
                "initiatedBy": _initiator(by),
                "targetResources": [target],
                "additionalDetails": [],
            },
        )
        pairs = [{"Name": item["displayName"], "NewValue": item["newValue"], "OldValue": "[]"} for item in properties]
        self.write(
            at,
            DIRECTORY,
            f"{activity}.",
            by,
            ObjectId=account.upn,
            InterSystemsId=correlation,
            Target=[{"ID": account.upn, "Type": 5}, {"ID": account.id, "Type": 2}],
            ModifiedProperties=pairs,
        )

    def sign_in(self, at: datetime, account: Account, *, app: str, address: str, country: str, error: int = 0) -> None:
        """Write a sign-in; error 0 is a success."""
        failed = "Invalid username or password or Invalid on-premise username or password." if error else "Other."
        data = {
            "id": self._dice.guid(),
            "createdDateTime": zulu(at),
            "userDisplayName": account.name,
            "userPrincipalName": account.upn,
            "userId": account.id,
            "appId": self._dice.guid(),
            "appDisplayName": app,
            "ipAddress": address,
            "clientAppUsed": "Browser",
            "correlationId": self._dice.guid(),
            "conditionalAccessStatus": "notApplied",
            "isInteractive": True,
            "riskDetail": "none",
            "riskLevelAggregated": "none",
            "riskLevelDuringSignIn": "none",
            "riskState": "none",
            "riskEventTypes": [],
            "resourceDisplayName": "Office 365 Exchange Online",
            "status": {"errorCode": error, "failureReason": failed, "additionalDetails": None},
            "location": {"city": "", "state": "", "countryOrRegion": country, "geoCoordinates": None},
        }
        self._keep(self.sign_ins, at, data)


def _who(by: By) -> tuple[str, int]:
    if by.kind == "app":
        return f"ServicePrincipal_{by.app}", SERVICE_PRINCIPAL
    if by == SYNC:
        return SYNCHRONISER, REGULAR
    if by.kind == "service":
        return "NT AUTHORITY\\SYSTEM (Microsoft.Exchange.Servicehost)", SYSTEM
    return by.name, ADMIN if by.kind == "portal" else REGULAR


def _initiator(by: By) -> Json:
    if by.kind in {"app", "service"}:
        name = by.name or "Holdfast"
        app = {"appId": by.app or None, "displayName": name, "servicePrincipalId": None, "servicePrincipalName": None}
        return {"app": app, "user": None}
    user = {"id": None, "displayName": None, "userPrincipalName": by.name, "ipAddress": "198.51.100.7"}
    return {"app": None, "user": user}
