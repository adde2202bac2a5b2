"""The wire within the process: what arrives, what does not, and whose time passes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from workflow.providers.simulated.inside import Inside
from workflow.providers.simulated.scenario import NAMED, FaultRule
from workflow.providers.simulated.simulator import Simulator

BEGIN = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
KEYS = "https://login.example/organizations/v2.0/.well-known/openid-configuration"


def inside() -> Inside:
    """Return the wire to a calm tenant."""
    return Inside(Simulator(NAMED["calm"], 1, BEGIN))


def test_an_answer_arrives() -> None:
    """What the tenant answers arrives whole, with the address that was called in it."""
    with httpx2.Client(transport=inside()) as client:
        reply = client.get(KEYS)
    assert 200 == reply.status_code
    assert reply.json()["token_endpoint"].startswith("https://login.example/")


@pytest.mark.parametrize("fault", ["lost-answer", "cut-short"])
def test_what_does_not_arrive_whole(fault: str) -> None:
    """An answer that is lost, or ends too early, is an error of the connection."""
    wire = inside()
    wire.simulator.faults.add(FaultRule(fault))
    with httpx2.Client(transport=wire) as client, pytest.raises(httpx2.ReadError, match="ended before"):
        client.get(KEYS)


def test_time_is_the_tenants() -> None:
    """Waiting moves the tenant's clock and no other; backwards is refused."""
    wire = inside()
    wire.wait(2_400)
    assert BEGIN + timedelta(minutes=40) == wire.now()
    with pytest.raises(ValueError, match="moves forward"):
        wire.wait(-1)


def test_a_held_answer_takes_the_tenants_time() -> None:
    """An answer that is held back lets the tenant's time pass, and nobody waits."""
    wire = inside()
    wire.simulator.faults.add(FaultRule("slow", seconds=600))
    with httpx2.Client(transport=wire) as client:
        assert 200 == client.get(KEYS).status_code
    assert timedelta(seconds=600) <= wire.now() - BEGIN
