"""Scenarios by name and from files; whatever is unknown is refused with its place."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.providers.simulated.client import Client
from workflow.errors import InputError
from workflow.providers.simulated.scenario import NAMED, App, Fate, FaultRule
from workflow.providers.simulated.scenario_file import MAX_FILE, from_data, scenario


@pytest.mark.parametrize("name", NAMED)
def test_every_scenario_begins(name: str) -> None:
    """Each has a sentence about it, and a tenant that begins."""
    found = scenario(name)

    assert found.about
    assert found.restricted + found.connectors == len(Client(found).tenant.restrictions.rows)


def test_a_file(tmp_path: Path) -> None:
    """It stands on a named scenario and changes what it says."""
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({
        "base": "ordinary",
        "starts_at": "2026-02-03T04:05:06Z",
        "leaves_after": [1, 2],
        "fates": {"2": {"leaves_after": None, "portal_after": 5}},
        "apps": {"a": {"exchange": False, "roles": ["Global Reader"]}},
        "faults": [{"fault": "slow", "seconds": 1.5}],
        "budgets": {"exchange": 7},
        "users": 9,
        "restricted": 3,
        "premium": False,
        "mfa": "none",
    }))  # fmt: skip
    found = scenario(str(path))

    assert ("mine", 9, (1.0, 2.0), False, True) == (
        found.name,
        found.users,
        found.leaves_after,
        found.premium,
        found.limits,
    )
    assert datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC) == found.starts_at
    assert {2: Fate(portal_after=5.0)} == found.fates
    assert App(exchange=False, roles=("Global Reader",)) == found.apps["a"]
    assert (FaultRule("slow", seconds=1.5),) == found.faults
    assert found.starts_at.date() == Client(found).tenant.now().date()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([], "the scenario: an object"),
        ({"base": "sunny"}, "base: there is no scenario"),
        ({"colour": 1}, "colour is not known"),
        ({"users": "many"}, "users: a number"),
        ({"users": True}, "users: a number"),
        ({"users": 1e300}, "users: a number"),
        ({"skew": float("nan")}, "skew: a number"),
        ({"premium": "yes"}, "premium: true or false"),
        ({"cloud": 7}, "cloud: a text"),
        ({"cloud": "private"}, "cloud: one of"),
        ({"leaves_after": 3}, "leaves_after: a pair"),
        ({"leaves_after": [1, "x"]}, "leaves_after: a number"),
        ({"starts_at": "soon"}, "starts_at: 'soon' is not a time"),
        ({"fates": {"one": {}}}, "fates.one: a number"),
        ({"fates": {"1": {"luck": 1}}}, "fates.1.luck is not known"),
        ({"apps": {"a": {"roles": "all"}}}, "apps.a.roles: a list"),
        ({"faults": {}}, "faults: a list"),
        ({"faults": [{}]}, r"faults\[0\]: a member that it needs"),
        ({"faults": [{"fault": "locusts"}]}, "there is no fault 'locusts'"),
        ({"budgets": {"planets": 1}}, "budgets.planets is not known"),
        ({"budgets": {"exchange": None}}, "budgets.exchange: a number"),
    ],
)
def test_what_is_refused(value: Any, text: str) -> None:
    """The message names the place."""
    with pytest.raises(InputError, match=text):
        from_data(value)


def test_files_that_are_refused(tmp_path: Path) -> None:
    """No such file, no JSON, and far too large."""
    broken, large = tmp_path / "broken.json", tmp_path / "large.json"
    broken.write_text("{")
    large.write_text(" " * (MAX_FILE + 1))
    with pytest.raises(InputError, match="no scenario and no file"):
        scenario("sunny")
    with pytest.raises(InputError, match="not valid JSON"):
        scenario(str(broken))
    with pytest.raises(InputError, match="larger than"):
        scenario(str(large))


def test_nothing_given_stays_as_it_is() -> None:
    """An empty file is the calm scenario under its own name."""
    assert NAMED["calm"].users == from_data({"starts_at": None}, "x").users
