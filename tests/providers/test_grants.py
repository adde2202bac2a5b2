"""The least that an application needs, and the script that grants no more."""

from __future__ import annotations

import re

import pytest

from workflow.providers.grant_script import script
from workflow.providers.grants import MIGHTY, USUAL, Feature, grants
from workflow.providers.operations import EXCHANGE, OPERATIONS
from workflow.providers.ways import Way


def test_checking_reads_and_changes_nothing() -> None:
    """Neither a permission to write nor a cmdlet that changes anything."""
    needed = grants([Feature.CHECK])

    assert needed.graph
    assert [] == [grant.permission for grant in needed.graph if "Write" in grant.permission]
    assert {"Get"} == {grant.permission.split("-")[0] for grant in needed.cmdlets}
    assert (Feature.CHECK,) == needed.features


def test_reading_comes_with_every_feature() -> None:
    """Whatever is changed is read before and after (R6)."""
    read = {grant.permission for grant in grants([Feature.CHECK]).cmdlets}
    needed = grants([Feature.UNBLOCK])

    assert (Feature.CHECK, Feature.UNBLOCK) == needed.features
    assert {"Remove-BlockedSenderAddress", "Remove-BlockedConnector"} == {
        grant.permission for grant in needed.cmdlets
    } - read


def test_what_makes_its_holder_mighty_is_granted_when_asked() -> None:
    """The usual features go without."""
    assert set() == MIGHTY & {grant.permission for grant in grants(USUAL).graph}
    assert set() == {grant.permission for grant in grants([Feature.ROLES]).graph} - {
        *MIGHTY,
        *(grant.permission for grant in grants([Feature.CHECK]).graph),
    }
    assert set(MIGHTY) == MIGHTY & {grant.permission for grant in grants([Feature.ROLES]).graph}


def test_an_application_holds_no_role_but_for_administrators() -> None:
    """Its permissions are enough, and for cmdlets the role group; a machine's own identity is such an application."""
    for way in (Way.CERTIFICATE, Way.MANAGED_IDENTITY):
        assert () == grants([Feature.CHECK, Feature.UNBLOCK, Feature.ROLES], way).roles
        (role,) = grants(USUAL, way).roles
        assert role.permission.endswith("for administrators' accounts alone")
        assert ("set_enabled", "reset_password") == role.operations
        assert EXCHANGE == grants(USUAL, way).exchange


def test_a_person_holds_roles_of_their_own() -> None:
    """For what Graph is asked; none that an unwanted feature needs, and for cmdlets the role group is enough."""
    read = {grant.permission for grant in grants([Feature.CHECK], Way.DEVICE_CODE).roles}
    needed = grants(USUAL, Way.DEVICE_CODE)
    every = {grant.permission for grant in needed.roles}

    assert read == {"Global Reader", "Global Reader or Security Reader", "View-Only Audit Logs, a role of Exchange's"}
    assert read < every
    assert not any("Exchange Administrator" in role or "Privileged Role" in role for role in every)
    assert ("Exchange.Manage", grants(USUAL).graph) == (needed.exchange, needed.graph)


def test_reading_is_not_granted_twice() -> None:
    """Who may read and write the same need not be allowed to read it once more."""
    names = {grant.permission: grant.operations for grant in grants(Feature).graph}

    assert "UserAuthenticationMethod.Read.All" not in names
    assert ("sign_in_methods", "remove_method") == names["UserAuthenticationMethod.ReadWrite.All"]
    assert "RoleManagement.Read.Directory" not in names


def test_every_operation_is_granted() -> None:
    """All features together need every permission and cmdlet of the table."""
    needed = grants(Feature)
    served = {name for grant in (*needed.graph, *needed.cmdlets) for name in grant.operations}

    assert set(OPERATIONS) == served
    assert EXCHANGE not in {grant.permission for grant in needed.graph}


@pytest.mark.parametrize("way", Way)
def test_the_script_grants_exactly_that(way: Way) -> None:
    """Its two lists are the grants, each name one literal; no braces of the template are left."""
    needed = grants([Feature.CHECK], way)
    text = script(needed)
    listed = re.findall(r"^    '([^']+)'$", text, re.MULTILINE)

    assert [grant.permission for grant in (*needed.graph, *needed.cmdlets)] == listed
    assert "unblock" not in text
    assert "{{" not in text
    assert text.count("{") == text.count("}")
    assert text.count("(") == text.count(")")
    assert "\\*" in text
    assert f"@('{needed.exchange}')" in text
    assert "#   - unblock after approval" in script(grants(USUAL, way))


def test_the_script_is_for_the_way_of_signing_in() -> None:
    """An application with a certificate, the machine's own identity, or people; each is told only what it needs."""
    certificate, identity, people = (script(grants(USUAL, way)) for way in Way)

    assert "-KeyCredentials" in certificate
    assert "holdfast.pem" in certificate
    for text in (identity, people):
        assert "openssl" not in text
        assert "CertificateFile" not in text
    assert "New-MgApplication" not in identity
    assert "HOLDFAST_M365_SIGN_IN=managed-identity" in identity
    assert "New-MgOauth2PermissionGrant" in people
    assert "AppRoleAssignment" not in people
    assert "foreach ($Member in $People)" in people
