"""A Microsoft 365 tenant: every part of the port, on one connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.providers.microsoft365.audit import Audit
from workflow.providers.microsoft365.exchange import Exchange
from workflow.providers.microsoft365.graph import Graph
from workflow.providers.microsoft365.identity import Identity
from workflow.providers.microsoft365.mailbox import Mailbox
from workflow.providers.microsoft365.posture import Posture
from workflow.providers.microsoft365.restrictions import Restrictions
from workflow.providers.microsoft365.sign_in import SignIn
from workflow.providers.microsoft365.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    import httpx2

    from workflow.providers.microsoft365.connection import Connection
    from workflow.providers.microsoft365.pace import Pace


class Microsoft365(Restrictions, Identity, Mailbox, Posture, Audit):
    """The filling that acts on a real tenant, or on a simulated one that speaks the same protocols.

    Args:
        connection: where, and as whom.
        clock: returns the present, aware UTC; answers are dated by it.
        tell: shows a person what to type where, when they sign in with a code.
        pace: how time passes.
        transport: stands in for the network in tests.
    """

    name = "microsoft365"
    acts = True

    def __init__(
        self,
        connection: Connection,
        clock: Callable[[], datetime],
        *,
        tell: Callable[[str], None] | None = None,
        pace: Pace | None = None,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        """Sign in only when something is asked."""
        self._clock = clock
        self._searches = {}
        self.sign_in = SignIn(connection, tell, transport, pace, clock)
        self.wire = Wire(connection, self.sign_in, clock, pace, transport)
        self._graph = Graph(self.wire, connection)
        self._exchange = Exchange(self.wire, connection, lambda: self.sign_in.user)

    def share(self, workers: int) -> None:
        """Take the part of one of so many workers in what the tenant lets through."""
        self.wire.share(workers)

    def close(self) -> None:
        """Give the connections back."""
        self.wire.close()
        self.sign_in.close()
