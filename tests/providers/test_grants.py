"""The least that an application needs, and the script that grants no more."""

from __future__ import annotations

import re

from workflow.providers.grant_script import script
from workflow.providers.grants import MIGHTY, USUAL, Feature, grants
from workflow.providers.operations import EXCHANGE, OPERATIONS


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


def test_the_script_grants_exactly_that() -> None:
    """Its two lists are the grants, each name one literal; no braces of the template are left."""
    needed = grants([Feature.CHECK])
    text = script(needed)
    listed = re.findall(r"^    '([^']+)'$", text, re.MULTILINE)

    assert [grant.permission for grant in (*needed.graph, *needed.cmdlets)] == listed
    assert "unblock" not in text
    assert "{{" not in text
    assert text.count("{") == text.count("}")
    assert text.count("(") == text.count(")")
    assert "\\*" in text
    assert "#   - unblock after approval" in script(grants(USUAL))
