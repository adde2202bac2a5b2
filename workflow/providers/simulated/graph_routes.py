"""The table of Graph's calls: path, permissions, budget, and what answers."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from workflow.providers.simulated.messages import Caller, Json, RefusedError, Reply, Request
from workflow.providers.simulated.refusals import GraphError, missing
from workflow.providers.simulated.scenario import App
from workflow.providers.simulated.state import Account, By
from workflow.providers.simulated.tenant import Tenant


@dataclass(frozen=True, slots=True)
class Asked:
    """One call of Graph.

    Args:
        tenant: where.
        request: as it came.
        names: the parts of the path that vary.
        caller: who the token speaks for.
        app: what that application may do.
        by: the same, for the logs.
        at: when.
    """

    tenant: Tenant
    request: Request
    names: dict[str, str]
    caller: Caller
    app: App
    by: By
    at: datetime

    def account(self) -> Account:
        """Return the account that the path names.

        Raises:
            GraphError: there is none.
        """
        account = self.tenant.find(self.names["user"])
        if account is None:
            raise missing(self.names["user"])
        return account

    def body(self, **known: type) -> Json:
        """Return the body, whose members must be among these and of these types; null is no value of theirs.

        Raises:
            GraphError: it is not JSON, or holds something else.
        """
        try:
            given = self.request.json()
        except RefusedError as error:
            raise GraphError(400, "BadRequest", str(error)) from None
        for name, value in given.items():
            kind = known.get(name)
            if kind is None and "@" not in name:
                raise GraphError(400, "Request_BadRequest", f"Invalid property '{name}'.")
            if kind is not None and not isinstance(value, kind):
                raise GraphError(400, "Request_BadRequest", f"Invalid value specified for property '{name}'.")
        return given


@dataclass(frozen=True, slots=True)
class Route:
    """One call.

    Args:
        method: GET, POST, PATCH or DELETE.
        template: its path, such as ``/users/{user}``; ``beta`` in front where v1.0 has none.
        pattern: the same, to match with.
        permissions: application permissions, any of which is enough.
        family: the budget it takes from.
        cost: resource units of that budget.
        delegated: whether an application alone may not.
        licensed: whether it needs a premium licence.
        run: what answers.
    """

    method: str
    template: str
    pattern: re.Pattern[str]
    permissions: frozenset[str]
    family: str
    cost: float
    delegated: bool
    licensed: bool
    run: Callable[[Asked], Reply]

    @property
    def operation(self) -> str:
        """The name that faults and counts go by, such as ``GET /users/{user}``."""
        return f"{self.method} {self.template}"


Run = Callable[[Asked], Reply]
NO_CONTENT = Reply(204)
ROUTES: list[Route] = []
"""Every call."""


def route(
    method: str,
    template: str,
    *permissions: str,
    family: str = "identity",
    cost: float = 1.0,
    delegated: bool = False,
    licensed: bool = False,
) -> Callable[[Run], Run]:
    """Register what answers a call."""

    def register(run: Run) -> Run:
        path = template if template.startswith("/beta/") else f"/v1.0{template}"
        pattern = re.compile("^" + re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(path)) + "$")
        allowed = frozenset(permissions)
        ROUTES.append(Route(method, template, pattern, allowed, family, cost, delegated, licensed, run))
        return run

    return register


def routed(request: Request) -> tuple[Route, dict[str, str]] | None:
    """Return the call that a request makes and the parts of its path that vary, None for none that is known."""
    for item in ROUTES:
        found = item.pattern.match(request.path) if item.method == request.method else None
        if found is not None:
            return item, found.groupdict()
    return None
