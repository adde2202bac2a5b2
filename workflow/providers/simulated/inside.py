"""The wire to a simulated tenant in the same process: whole requests and whole answers, and no socket between them."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import httpx2

from workflow.providers.simulated.messages import Reply, Request

if TYPE_CHECKING:
    from datetime import datetime

    from workflow.providers.simulated.simulator import Simulator


class Inside(httpx2.BaseTransport):
    """Carries requests to one simulator, one at a time, from as many threads as ask.

    An answer that the simulator holds back takes that long by the tenant's clock. What would not arrive whole is an
    error of the connection.

    Args:
        simulator: the tenant, whose clock stands still between calls.
    """

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self._one_at_a_time = threading.RLock()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Return the tenant's answer."""
        url = request.url
        reply = self.ask(
            Request(
                method=request.method,
                path=url.path,
                base=f"{url.scheme}://{url.netloc.decode('ascii')}",
                query=dict(url.params),
                headers={name.casefold(): value for name, value in request.headers.items()},
                body=request.read(),
            )
        )
        if reply.lost or reply.short:
            raise httpx2.ReadError("The connection ended before the answer did.", request=request)
        return httpx2.Response(reply.status, headers=dict(reply.headers), content=reply.body, request=request)

    def ask(self, request: Request) -> Reply:
        """Return the simulator's answer."""
        with self._one_at_a_time:
            reply = self.simulator.answer(request)
            if reply.hold:
                self.simulator.tenant.clock.advance(reply.hold)
            return reply

    def control(self, path: str, **body: object) -> None:
        """Do something behind the tenant's back, as the control API under ``/simulator/`` lets one.

        Raises:
            ValueError: it refuses.
        """
        asked = Request(method="POST", path=f"/simulator/{path}", base="", body=json.dumps(body).encode())
        reply = self.ask(asked)
        if reply.status >= httpx2.codes.BAD_REQUEST:
            raise ValueError(reply.body.decode())

    def now(self) -> datetime:
        """Return the present in the tenant."""
        return self.simulator.tenant.clock.now()

    def wait(self, seconds: float) -> None:
        """Let time pass in the tenant, with all that is due by then."""
        self.control("clock", advance_seconds=seconds)
