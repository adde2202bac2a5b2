"""Which Conditional Access policy requires a second factor, and which only seems to."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tests.providers.microsoft365.scripted import ADA, Scripted, no, one, rows
from workflow.errors import NotReadableError, ProviderError
from workflow.providers.shapes import MfaRequirement, User

GROUP, ROLE = "group-1", "role-template-1"
MEMBER = rows({"@odata.type": "#microsoft.graph.group", "id": GROUP}, {"id": "r", "roleTemplateId": ROLE})
EVERYBODY = {"includeUsers": ["All"]}


def policy(
    users: dict[str, Any] | None = None, grant: dict[str, Any] | None = None, state: str = "enabled", **conditions: Any
) -> dict[str, Any]:
    """Return a policy that requires a second factor of everybody, everywhere, unless told otherwise."""
    return {
        "displayName": "Require MFA",
        "state": state,
        "grantControls": grant if grant is not None else {"operator": "OR", "builtInControls": ["mfa"]},
        "conditions": {
            "users": users if users is not None else EVERYBODY,
            "applications": {"includeApplications": ["All"]},
            "clientAppTypes": ["all"],
            "locations": None,
            "signInRiskLevels": [],
        }
        | conditions,
    }


def asked(
    *policies: dict[str, Any],
    state: str = "disabled",
    defaults: bool = False,
    member: bool = True,
    guest: bool = False,
) -> MfaRequirement:
    """Return what is found in a tenant with these policies."""
    account = User(id=ADA, name="ada@contoso.example", enabled=True, guest=guest)
    answers = [rows(*policies), one(isEnabled=defaults), *([MEMBER] if member else []), one(perUserMfaState=state)]
    tenant = Scripted(*answers).tenant()
    return tenant.mfa_requirement(account, tenant.sign_in_policies()).value


@pytest.mark.parametrize(
    "found",
    [
        policy(),
        policy({"includeUsers": [ADA]}),
        policy({"includeGroups": [GROUP]}),
        policy({"includeRoles": [ROLE]}),
        policy(grant={"operator": "AND", "builtInControls": ["compliantDevice", "mfa"]}),
        policy(grant={"operator": "OR", "authenticationStrength": {"requirementsSatisfied": "mfa"}}),
        policy(clientAppTypes=["browser", "mobileAppsAndDesktopClients", "other"]),
        policy(clientAppTypes=[]),
        policy(locations={"includeLocations": ["All"], "excludeLocations": []}),
        policy(platforms={"includePlatforms": ["all"], "@odata.type": "x"}),
    ],
)
def test_a_policy_that_nothing_leads_round(found: dict[str, Any]) -> None:
    """Everybody or this person, every application, every client, from everywhere, and nothing else will do."""
    assert MfaRequirement(required=True, by="conditional-access", detail="Require MFA") == asked(found)


@pytest.mark.parametrize(
    "found",
    [
        policy(applications={"includeApplications": ["Office365"]}),
        policy(applications={"includeApplications": ["All"], "excludeApplications": ["x"]}),
        policy(applications={"includeApplications": ["All"], "applicationFilter": {"mode": "exclude"}}),
        policy(clientAppTypes=["browser"]),
        policy(locations={"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}),
        policy(locations={"includeLocations": ["somewhere"]}),
        policy(platforms={"includePlatforms": ["windows"]}),
        policy(signInRiskLevels=["high"]),
        policy(userRiskLevels=["high"]),
        policy(devices={"deviceFilter": {"mode": "exclude", "rule": "x"}}),
        policy(agentIdRiskLevels="high"),
        policy(locations=False),
        policy(newCondition=0),
        policy(times={"includedRanges": ["x"]}),
        policy(applications={"includeApplications": ["All"], "globalSecureAccess": {"scope": "x"}}),
    ],
)
def test_a_policy_with_conditions_is_named_and_not_counted(found: dict[str, Any]) -> None:
    """An attacker would choose not to meet them."""
    assert MfaRequirement(required=False, detail="only under conditions: Require MFA") == asked(found)


@pytest.mark.parametrize(
    "found",
    [
        policy({"includeUsers": ["All"], "excludeUsers": [ADA]}),
        policy({"includeUsers": ["All"], "excludeGroups": [GROUP]}),
        policy({"includeUsers": ["All"], "excludeRoles": [ROLE]}),
        policy({"includeUsers": ["somebody else"]}),
        policy({"includeUsers": ["None"]}),
        policy({}),
    ],
)
def test_a_policy_about_others(found: dict[str, Any]) -> None:
    """Who is excluded is not protected by it."""
    assert MfaRequirement(required=False) == asked(found)


@pytest.mark.parametrize(
    "found",
    [
        policy(state="enabledForReportingButNotEnforced"),
        policy(state="disabled"),
        policy(grant={"operator": "OR", "builtInControls": ["mfa", "compliantDevice"]}),
        policy(grant={"operator": "OR", "builtInControls": ["mfa"], "termsOfUse": ["tou"]}),
        policy(grant={"operator": "AND", "builtInControls": ["block", "mfa"]}),
        policy(grant={"operator": "OR", "builtInControls": ["compliantDevice"]}),
        policy(grant={"operator": "OR", "authenticationStrength": {"requirementsSatisfied": "none"}}),
        policy(grant={}),
    ],
)
def test_a_policy_that_does_not_demand_it(found: dict[str, Any]) -> None:
    """Reporting only, off, or satisfied by something else; nobody's groups are asked for then."""
    assert MfaRequirement(required=False) == asked(found, member=False)


def test_guests() -> None:
    """Kinds of guests cannot be told apart here: only a policy about all of them counts."""
    excluded = {"includeUsers": ["All"], "excludeGuestsOrExternalUsers": {"guestOrExternalUserTypes": "b2b"}}

    assert asked(policy(), guest=True).required
    assert not asked(policy(excluded), guest=True).required
    assert not asked(policy({"includeUsers": [ADA]}), guest=True).required
    older = {"includeUsers": ["All"], "excludeUsers": ["GuestsOrExternalUsers"]}
    assert not asked(policy(older), guest=True).required
    assert asked(policy(older)).required


def test_what_a_policy_would_be_about_has_to_be_told() -> None:
    """A role of which only its being there may be seen could be the one that is excluded; clients are always named."""
    account = User(id=ADA, name="ada@contoso.example", enabled=True)
    role = {"@odata.type": "#microsoft.graph.directoryRole", "id": "r", "roleTemplateId": None}
    tenant = Scripted(rows(policy()), one(isEnabled=False), rows(role), one(perUserMfaState="disabled")).tenant()
    assert MfaRequirement(required=False, unread=("conditional-access",)) == (
        tenant.mfa_requirement(account, tenant.sign_in_policies()).value
    )
    bare = policy()
    del bare["conditions"]["clientAppTypes"]
    with pytest.raises(ProviderError, match="clientAppTypes"):
        Scripted(rows(bare), one(isEnabled=False)).tenant().sign_in_policies()


@pytest.mark.parametrize(("state", "by"), [("enabled", "per-user"), ("enforced", "per-user"), ("disabled", "")])
def test_the_older_ways(state: str, by: str) -> None:
    """The state of the person, and the tenant's defaults."""
    assert by == asked(state=state, member=False).by
    assert (by or "security-defaults") == asked(state=state, defaults=True, member=False).by


def test_what_could_not_be_read_is_named() -> None:
    """*Not required* can be told from *not known*; where nothing could be read there is no answer."""
    account = User(id=ADA, name="ada@contoso.example", enabled=True)
    premium = no(403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant", "…")
    part = Scripted(premium, one(isEnabled=False), httpx2.Response(404)).tenant()

    assert MfaRequirement(required=False, unread=("conditional-access", "per-user")) == (
        part.mfa_requirement(account, part.sign_in_policies()).value
    )
    part = Scripted(rows(policy()), no(403), no(403), no(403)).tenant()
    assert MfaRequirement(required=False, unread=("conditional-access", "per-user", "security-defaults")) == (
        part.mfa_requirement(account, part.sign_in_policies()).value
    )
    assert MfaRequirement(
        required=True, by="per-user", detail="enforced", unread=("conditional-access", "security-defaults")
    ) == (Scripted(one(perUserMfaState="enforced")).tenant().mfa_requirement(account, None).value)
    with pytest.raises(NotReadableError):
        Scripted(no(403), no(403)).tenant().sign_in_policies()
    with pytest.raises(NotReadableError):
        Scripted(no(403)).tenant().mfa_requirement(account, None)
