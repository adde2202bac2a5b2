"""A tenant that is served here: its people, its time, and what is done to it over the wire."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.providers.simulated.client import START
from workflow.providers.simulated.scenario import NAMED
from workflow.providers.simulated.served import Served
from workflow.providers.simulated.simulator import Simulator


def test_over_the_wire() -> None:
    """Waiting moves the tenant's clock and no other, people are told, and a refusal is raised."""
    with Served(Simulator(NAMED["calm"], 1, START)) as tenant:
        tenant.wait(2_400)
        assert START + timedelta(minutes=40) == tenant.now()
        user = tenant.people()[1]["upn"]
        tenant.control("portal/sign-in", user=user, enabled=False)
        assert "off" == tenant.simulator.tenant.effects[-1].after
        with pytest.raises(ValueError, match="moves forward"):
            tenant.wait(-1)
