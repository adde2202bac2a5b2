"""The reference page names everything that there is."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from tests.providers.simulated.client import Client
from workflow.providers.simulated.attack import MOVES
from workflow.providers.simulated.faults import FAULTS
from workflow.providers.simulated.limits import FAMILIES
from workflow.providers.simulated.scenario import NAMED, App, Fate, FaultRule, Scenario

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "simulated-tenant.md"


def test_the_page_is_complete() -> None:
    """Scenarios, their members, faults, budgets, moves of the attacker and calls of the control API."""
    page = PAGE.read_text(encoding="utf-8")
    members = {item.name for kind in (Scenario, Fate, App, FaultRule) for item in fields(kind)}
    calls = {f"{method} /simulator/{path}" for method, path in Client().simulator._control._routes}

    for name in (*NAMED, *members, *FAULTS, *FAMILIES, *MOVES):
        assert f"`{name}`" in page or f'"{name}"' in page, name
    assert [] == [call for call in calls if call not in page]
