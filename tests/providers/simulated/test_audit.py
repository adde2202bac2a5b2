"""What the tenant writes down: late, out of order, twice; and the records that belong together."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.providers.simulated.client import Client, error
from workflow.providers.simulated import audit
from workflow.providers.simulated.scenario import NAMED
from workflow.sources.audit_log import record as read_record
from workflow.sources.fields import folded
from workflow.sources.options import ReadOptions

CALM = NAMED["calm"]
AT_ONCE = replace(CALM, audit_lag=(0.0, 0.0))
QUERIES = "/security/auditLog/queries"


def search(client: Client, **filters: Any) -> list[dict[str, Any]]:
    """Return what a search of two weeks finds, all pages of it."""
    asked = {"filterStartDateTime": "2026-04-20T00:00:00Z", "filterEndDateTime": "2026-05-06T00:00:00Z", **filters}
    query = json.loads(client.graph("POST", QUERIES, asked).body)["id"]
    page = client.got(f"{QUERIES}/{query}/records")
    found: list[dict[str, Any]] = page["value"]
    while "@odata.nextLink" in page:
        page = client.got(f"{QUERIES}/{query}/records", skiptoken=page["@odata.nextLink"].partition("skiptoken=")[2])
        found += page["value"]
    return found


def test_listed_and_delisted() -> None:
    """Hygiene records tell when a mailbox came and went, and our own reader understands them."""
    client = Client(replace(AT_ONCE, leaves_after=(60.0, 60.0)))
    account = client.victim()
    client.unblock(account)
    client.advance(minutes=5)
    found = search(client, operationFilters=["HygieneTenantEvents"], userPrincipalNameFilters=[account.upn])

    assert ["Listed", "Delisted"] == [item["auditData"]["Event"] for item in found]
    assert {"HygieneEvent"} == {item["auditLogRecordType"] for item in found}
    read = read_record(folded(found[1]["auditData"]), "here", ReadOptions())
    assert account.upn == read.identifier  # type: ignore[union-attr]


def test_who_unblocked() -> None:
    """The cmdlet's own record names the application, or the administrator in the portal."""
    client = Client(AT_ONCE)
    client.unblock(client.victim(1))
    client.control("POST", "portal/unblock", {"identifier": client.victim(2).upn})
    found = search(client, operationFilters=["Remove-BlockedSenderAddress"])

    assert ["ServicePrincipal_app-1", "admin@contoso.example"] == [item["userId"] for item in found]
    assert ["ServicePrincipal", "Admin"] == [item["userType"] for item in found]
    assert ["app-1", audit.PORTAL_APP] == [item["auditData"]["AppId"] for item in found]


def test_an_own_password_change_is_two_records() -> None:
    """Of the same second; an administrator's reset is one, and names the application."""
    client = Client(AT_ONCE)
    account = client.tenant.accounts[30]
    client.control("POST", "owner/password", {"user": account.upn})
    found = search(client, recordTypeFilters=["AzureActiveDirectory"], objectIdFilters=[account.upn])

    assert ["Change user password.", "Update StsRefreshTokenValidFrom Timestamp."] == [
        item["operation"] for item in found
    ]
    assert 1 == len({item["auditData"]["CreationTime"] for item in found})
    assert 1 == len({item["auditData"]["InterSystemsId"] for item in found})


def test_directory_audits() -> None:
    """By target and by actor; an application stands where a person would."""
    client = Client(AT_ONCE)
    account = client.tenant.accounts[30]
    client.graph("PATCH", f"/users/{account.id}", {"passwordProfile": {"password": "Long-and-1-good"}})
    about = f"targetResources/any(t:t/id eq '{account.id}') and activityDateTime ge 2026-05-01T00:00:00Z"
    found = client.got("/auditLogs/directoryAudits", filter=about)["value"]

    assert ["Reset user password"] == [item["activityDisplayName"] for item in found]
    assert "app-1" == found[0]["initiatedBy"]["app"]["appId"]
    assert [] == client.got("/auditLogs/directoryAudits", filter="initiatedBy/user/userPrincipalName eq 'x'")["value"]


def test_per_user_requirement() -> None:
    """Switching it on is written as State 1."""
    client = Client(AT_ONCE)
    path = f"/beta/users/{client.victim().id}/authentication/requirements"
    client.graph("PATCH", path, {"perUserMfaState": "enabled"})
    found = search(client, operationFilters=["Enable Strong Authentication."])

    assert "StrongAuthenticationRequirement" == found[0]["auditData"]["ModifiedProperties"][0]["Name"]
    assert '{\\"State\\":1}' in found[0]["auditData"]["ModifiedProperties"][0]["NewValue"]


def test_an_alert_is_two_records() -> None:
    """What it is about stands in a text of JSON."""
    client = Client(AT_ONCE)
    found = search(client, recordTypeFilters=["SecurityComplianceAlerts"])

    assert {"AlertTriggered", "AlertEntityGenerated"} == {item["operation"] for item in found}
    assert 24 == len(found)
    assert "CompromisedAccount" == json.loads(found[0]["auditData"]["Data"])["op"]


def test_records_come_late_and_out_of_order() -> None:
    """Nothing can be found at once; what is found later is not sorted by its time."""
    client = Client(replace(CALM, audit_lag=(600.0, 7200.0)))
    client.unblock(client.victim())
    assert [] == search(client, operationFilters=["Remove-BlockedSenderAddress"])
    client.advance(hours=3)
    assert 1 == len(search(client, operationFilters=["Remove-BlockedSenderAddress"]))
    times = [item["createdDateTime"] for item in search(client)]
    assert sorted(times) != times


def test_records_come_twice_and_clocks_differ() -> None:
    """A duplicate has the same id; times are off by up to so many seconds."""
    client = Client(replace(AT_ONCE, audit_twice=1.0, skew=30.0))
    found = search(client, operationFilters=["HygieneTenantEvents"])

    assert 24 == len(found)
    assert 12 == len({item["id"] for item in found})
    rows = {row["SenderAddress"]: row["CreatedDatetime"] for row in client.rows("Get-BlockedSenderAddress")}
    assert any(item["createdDateTime"] != rows[item["userId"]] for item in found)


def test_a_tenant_that_keeps_no_log() -> None:
    """With auditing off there is nothing to find."""
    assert [] == search(Client(NAMED["unsafe"]))


def test_a_search_takes_its_time() -> None:
    """It is not started, runs, and has found nothing before it ends."""
    client = Client(replace(AT_ONCE, audit_query=(100.0, 100.0)))
    query = json.loads(client.graph("POST", QUERIES, {"displayName": "x"}).body)
    seen = [query["status"]]
    assert [] == client.got(f"{QUERIES}/{query['id']}/records")["value"]
    for _ in range(2):
        client.advance(minutes=1)
        seen.append(client.got(f"{QUERIES}/{query['id']}")["status"])

    assert ["notStarted", "running", "succeeded"] == seen
    assert client.got(f"{QUERIES}/{query['id']}/records")["value"]


@pytest.mark.parametrize(
    "body", [{"filterStartDateTime": "soon"}, {"recordTypeFilters": ["Weather"]}, {"colour": "red"}]
)
def test_searches_that_are_refused(body: dict[str, Any]) -> None:
    """Times, record types and members must be known."""
    reply = Client().graph("POST", QUERIES, body)

    assert 400 == reply.status
    assert error(reply)["message"]


def test_a_search_that_nobody_asked() -> None:
    """404."""
    assert 404 == Client().graph("GET", f"{QUERIES}/none").status


def test_sign_ins() -> None:
    """The newest first, by person and time; an attacker's come from elsewhere."""
    client = Client(AT_ONCE)
    account = client.victim()
    found = client.got(
        "/auditLogs/signIns", filter=f"userId eq '{account.id}' and createdDateTime ge 2026-04-01T00:00:00Z"
    )["value"]

    assert {"XX"} == {item["location"]["countryOrRegion"] for item in found}
    assert 0 == found[0]["status"]["errorCode"]
    assert [] == client.got("/auditLogs/signIns", filter="status/errorCode eq 50057")["value"]


def test_old_records_are_dropped_where_there_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """The directory keeps 30 days; what is younger stays."""
    monkeypatch.setattr(audit, "_MANY", 50)
    client = Client(AT_ONCE)
    account = client.victim()
    for _ in range(60):
        client.tenant.audit.sign_in(client.tenant.now(), account, app="a", address="b", country="c")
    old = client.tenant.now()
    client.advance(days=40)
    for _ in range(60):
        client.tenant.audit.sign_in(client.tenant.now(), account, app="a", address="b", country="c")

    assert [] == [item for item in client.tenant.audit.sign_ins if item.at < old - timedelta(days=30)]
    assert 60 <= len(client.tenant.audit.sign_ins) < 120
