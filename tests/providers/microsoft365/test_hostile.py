"""Answers of another shape than is documented: an error of every reading operation, and never *nothing*."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from tests.providers.microsoft365.probed import BOX, CONFIG, POLICY, SENDER
from tests.providers.microsoft365.scripted import ADA, Scripted
from workflow.domain.vocabulary import Kind
from workflow.errors import ProviderError
from workflow.providers.microsoft365.tenant import Microsoft365
from workflow.providers.shapes import User

SINCE = datetime(2026, 4, 30, tzinfo=UTC)
NAME = "ada@contoso.example"
PERSON = {"id": ADA, "userPrincipalName": NAME, "accountEnabled": True}
RULE = {"Identity": "ada\\1", "Name": "x", "Enabled": True, "DeleteMessage": False}
OPENS = {"User": "bob@contoso.example", "AccessRights": ["FullAccess"]}
SENDS = {"Trustee": "bob@contoso.example", "AccessRights": ["SendAs"], "AccessControlType": "Allow"}
ALL: dict[str, Any] = {"includeUsers": ["All"]}
DEMANDS: dict[str, Any] = {
    "displayName": "Require MFA",
    "state": "enabled",
    "grantControls": {"operator": "OR", "builtInControls": ["mfa"]},
    "conditions": {"users": ALL, "applications": {"includeApplications": ["All"]}, "clientAppTypes": ["all"]},
}
ROLE = {"id": "a1", "roleDefinitionId": "tpl-1"}
GROUP = {"@odata.type": "#microsoft.graph.group", "id": "g"}
RECORD = {"id": "u1", "createdDateTime": "2026-04-30T10:02:11Z", "operation": "HygieneTenantEvents", "auditData": {}}
SENT = {"id": "m1", "receivedDateTime": "2026-04-30T08:00:00Z"}
AUDITED = {"id": "d1", "activityDateTime": "2026-04-30T08:00:00Z", "activityDisplayName": "Reset user password"}


def page(*found: Any) -> dict[str, Any]:
    """Return a page of a list."""
    return {"value": list(found)}


def judged(tenant: Microsoft365) -> object:
    """Return what is required of Ada at sign-in."""
    return tenant.mfa_requirement(User(id=ADA, name=NAME, enabled=True), tenant.sign_in_policies()).value


READING: dict[str, tuple[Callable[[Microsoft365], object], list[dict[str, Any]]]] = {
    "mailboxes": (lambda tenant: tenant.restricted(Kind.MAILBOX), [page(SENDER)]),
    "connectors": (lambda tenant: tenant.restricted(Kind.CONNECTOR), [page({"ConnectorId": ADA})]),
    "restriction": (lambda tenant: tenant.restriction(Kind.MAILBOX, NAME), [page(SENDER)]),
    "user": (lambda tenant: tenant.user(ADA), [PERSON]),
    "methods": (lambda tenant: tenant.sign_in_methods(ADA), [page({"id": "p"})]),
    "requirement": (
        judged,
        [page(DEMANDS), {"isEnabled": False}, page(GROUP), {"perUserMfaState": "disabled"}],
    ),
    "sign-ins": (lambda tenant: tenant.sign_ins(ADA, SINCE), [page({"createdDateTime": "2026-05-01T07:00:00Z"})]),
    "consents": (lambda tenant: tenant.consents(ADA), [page({"id": "g1"}), page({"id": "r1"})]),
    "roles": (lambda tenant: tenant.roles(ADA), [page(ROLE), page(GROUP)]),
    "rules": (lambda tenant: tenant.inbox_rules(NAME), [page(RULE), page(RULE)]),
    "forwarding": (lambda tenant: tenant.forwarding(NAME), [page(BOX)]),
    "delegates": (lambda tenant: tenant.delegates(NAME), [page(OPENS), page(SENDS), page(BOX)]),
    "posture": (lambda tenant: tenant.audit_posture(), [page(CONFIG), page({"AuditDisabled": False})]),
    "alert policies": (lambda tenant: tenant.alert_policies(), [page(POLICY)]),
    "audit log": (
        lambda tenant: list(tenant.audit_log(("A",), SINCE, SINCE)),
        [{"id": "q", "status": "succeeded"}, page(RECORD)],
    ),
    "directory audit": (lambda tenant: tenant.directory_audit(ADA, SINCE), [page(AUDITED)]),
    "message trace": (lambda tenant: tenant.message_trace(NAME, SINCE), [PERSON, page(SENT)]),
}
"""One call of every operation that reads, and the answers it gets where all is well."""

LISTS = [
    (name, place)
    for name, (_, answers) in READING.items()
    for place in range(len(answers))
    if "value" in answers[place]
]
"""Every list that is asked for, by its place among the answers."""


def read(name: str, place: int = 0, answer: Any = None) -> object:
    """Read with another answer at one place; the ones after it stay as they are."""
    ask, answers = READING[name]
    given = [*answers[:place], answers[place] if answer is None else answer, *answers[place + 1 :]]
    # Alert policies are asked for twice, at two places; the policies of the tenant can be read in part.
    if name == "alert policies":
        given *= 2
    return ask(Scripted(*(httpx2.Response(200, json=item) for item in given)).tenant())


@pytest.mark.parametrize("name", READING)
def test_what_is_documented_is_read(name: str) -> None:
    """Without this, an error would show nothing."""
    read(name)


@pytest.mark.parametrize("value", [None, "oops", 5, True, {}, ["a"], [None], [[{"SenderAddress": NAME}]], [{}, 1]])
@pytest.mark.parametrize(("name", "place"), LISTS)
def test_a_list_of_something_else_is_not_empty(name: str, place: int, value: object) -> None:
    """Nor is one whose members are no objects."""
    with pytest.raises(ProviderError, match=r"holds no list|value is not of the type|without|does not say"):
        read(name, place, {"value": value})


@pytest.mark.parametrize("following", [{"u": "x"}, ["https://graph.microsoft.com/v1.0/x"], True, 5, "x"])
@pytest.mark.parametrize(("name", "place"), LISTS)
def test_a_page_of_which_the_next_is_unclear_is_not_the_whole(name: str, place: int, following: object) -> None:
    """Whatever stands where its address should."""
    with pytest.raises(ProviderError, match=r"nextLink is not of the type|not the service's own"):
        read(name, place, READING[name][1][place] | {"@odata.nextLink": following})


ODD: list[object] = [{"a": 1}, [{"a": 1}], [["a"]], True]


@pytest.mark.parametrize(
    ("name", "place", "row", "field", "odd"),
    [
        ("mailboxes", 0, SENDER, "SenderAddress", [*ODD, ["x"]]),
        ("connectors", 0, {}, "ConnectorId", ODD),
        ("restriction", 0, SENDER, "SenderAddress", ODD),
        ("methods", 0, {"id": "p"}, "@odata.type", ODD),
        ("methods", 0, {}, "id", ODD),
        ("requirement", 0, DEMANDS, "state", ODD),
        ("requirement", 0, DEMANDS, "grantControls", ["x", [], True]),
        ("requirement", 0, DEMANDS, "conditions", ["x", [], True]),
        (
            "requirement",
            0,
            DEMANDS,
            "conditions",
            [DEMANDS["conditions"] | {"users": ALL | {"excludeUsers": odd}} for odd in ODD],
        ),
        ("requirement", 2, GROUP, "id", ODD),
        ("sign-ins", 0, {}, "createdDateTime", ODD),
        ("consents", 0, {}, "id", ODD),
        ("consents", 1, {}, "id", ODD),
        ("roles", 0, ROLE, "id", ODD),
        ("roles", 0, ROLE, "directoryScopeId", ODD),
        ("roles", 1, GROUP, "@odata.type", ODD),
        *(("rules", 1, RULE, name, [{"Address": "x"}, [{"Address": "x"}], 5]) for name in ("ForwardTo", "RedirectTo")),
        ("rules", 1, RULE, "ForwardAsAttachmentTo", [{"Address": "x"}, [None]]),
        *(("rules", 1, RULE, name, [1, "yes", {}, []]) for name in ("DeleteMessage", "SoftDeleteMessage", "Enabled")),
        ("rules", 1, RULE, "MoveToFolder", ODD),
        ("rules", 0, RULE, "Identity", ODD),
        ("forwarding", 0, BOX, "ForwardingSmtpAddress", [*ODD, {"AddressString": "x@evil.example"}]),
        ("forwarding", 0, BOX, "ForwardingAddress", ODD),
        ("forwarding", 0, BOX, "DeliverToMailboxAndForward", [1, "x", {}]),
        ("delegates", 0, OPENS, "AccessRights", [{"v": "FullAccess"}, [{"v": "FullAccess"}], 5]),
        ("delegates", 0, OPENS, "User", ODD),
        *(("delegates", 0, OPENS, name, [1, "x", {}]) for name in ("Deny", "IsInherited")),
        ("delegates", 1, SENDS, "Trustee", ODD),
        ("delegates", 1, SENDS, "AccessControlType", ODD),
        ("delegates", 2, BOX, "GrantSendOnBehalfTo", [{"a": 1}, [{"a": 1}], 5, True]),
        ("posture", 1, {}, "AuditDisabled", [0, 1, "x", {}]),
        ("posture", 0, CONFIG, "UnifiedAuditLogIngestionEnabled", [1, "x", {}]),
        *(("alert policies", 0, POLICY, name, [1, "x", {}]) for name in ("Disabled", "NotificationEnabled")),
        ("alert policies", 0, POLICY, "NotifyUser", [{"a": 1}, [1], 5]),
        ("alert policies", 0, POLICY, "NotifyUserThrottleThreshold", ["x", {}, [], True, 1.5]),
        ("audit log", 1, RECORD, "auditData", ["x", [], True]),
        ("audit log", 1, RECORD, "auditData", [{"Event": {"a": 1}}, {"EventValue": ["x"]}]),
        ("audit log", 1, RECORD, "operation", ODD),
        ("directory audit", 0, AUDITED, "targetResources", ["x", {"a": 1}, ["a"]]),
        ("directory audit", 0, AUDITED, "initiatedBy", ["x", ["a"], {"user": ["x"]}]),
        ("directory audit", 0, AUDITED, "activityDisplayName", ODD),
    ],
)
def test_a_field_of_another_type_is_not_empty(
    name: str, place: int, row: dict[str, Any], field: str, odd: list[object]
) -> None:
    """The error names the call and the field, wherever a conclusion rests on it."""
    for value in odd:
        with pytest.raises(ProviderError, match=r"is not of the type|without a time"):
            read(name, place, page(row | {field: value}))


@pytest.mark.parametrize(
    ("place", "field", "odd"),
    [
        ("user", "id", ODD),
        ("user", "accountEnabled", [1, "x", {}]),
        ("user", "onPremisesSyncEnabled", [1, "x", {}]),
        ("user", "userType", ODD),
        ("user", "lastPasswordChangeDateTime", [5, "soon", {}]),
        ("user", "signInSessionsValidFromDateTime", [5, "soon", {}]),
    ],
)
def test_an_account_of_another_shape(place: str, field: str, odd: list[object]) -> None:
    """Whether somebody may sign in, and since when, is never made up."""
    for value in odd:
        with pytest.raises(ProviderError, match=f"GET /users/{{id}}: {field} is not of the type"):
            read(place, 0, PERSON | {field: value})


def test_what_is_judged_at_sign_in() -> None:
    """Neither defaults nor a person's own state are guessed."""
    for place, odd in ((1, {"isEnabled": 1}), (3, {"perUserMfaState": ["enabled"]})):
        with pytest.raises(ProviderError, match="is not of the type"):
            read("requirement", place, odd)


@pytest.mark.parametrize(
    ("name", "place", "row", "fields"),
    [
        ("forwarding", 0, BOX, ["ForwardingAddress", "ForwardingSmtpAddress", "DeliverToMailboxAndForward"]),
        ("delegates", 2, BOX, ["GrantSendOnBehalfTo"]),
        ("rules", 1, RULE, ["DeleteMessage"]),
        ("roles", 1, GROUP, ["@odata.type"]),
        ("requirement", 2, GROUP, ["id"]),
    ],
)
def test_what_is_always_sent_is_not_left_out(name: str, place: int, row: dict[str, Any], fields: list[str]) -> None:
    """Only null says *none* there."""
    for field in fields:
        with pytest.raises(ProviderError, match=rf"leaves out (value\.)?{field},"):
            read(name, place, page({key: value for key, value in row.items() if key != field}))


@pytest.mark.parametrize(
    ("place", "row"), [(0, OPENS | {"User": None}), (0, {"User": "x"}), (1, {"AccessRights": "x"})]
)
def test_a_right_says_whose_and_which(place: int, row: dict[str, Any]) -> None:
    """One of which either is unknown is somebody's all the same."""
    with pytest.raises(ProviderError, match="whose it is, or which"):
        read("delegates", place, page(row))
