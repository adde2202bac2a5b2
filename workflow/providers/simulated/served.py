"""A simulated tenant that is served here: what is done to it goes over the wire, through its control API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import httpx2

from workflow.providers.simulated.server import Server

if TYPE_CHECKING:
    from datetime import datetime

    from workflow.providers.simulated.simulator import Simulator


class Served(Server):
    """A server with a client of its control API.

    Args:
        simulator: the tenant, whose clock stands still between calls.
    """

    def __init__(self, simulator: Simulator) -> None:
        super().__init__(simulator)
        self._client = httpx2.Client(base_url=f"{self.url}/simulator/", trust_env=False)

    def __enter__(self) -> Self:
        """Serve in the background until the block ends."""
        super().__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self._client.close()
        super().__exit__()

    def people(self) -> list[dict[str, Any]]:
        """Return who is in the tenant, as many as one page holds."""
        found: list[dict[str, Any]] = self._client.get("users").json()["users"]
        return found

    def control(self, path: str, **body: object) -> None:
        """Do something behind the tenant's back.

        Raises:
            ValueError: it refuses.
        """
        reply = self._client.post(path, json=body)
        if reply.is_error:
            raise ValueError(reply.text)

    def now(self) -> datetime:
        """Return the present in the tenant, read where it is kept: a look at a clock is no call."""
        return self.simulator.tenant.clock.now()

    def wait(self, seconds: float) -> None:
        """Let time pass in the tenant, with all that is due by then."""
        self.control("clock", advance_seconds=seconds)
