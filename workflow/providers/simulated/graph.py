"""Microsoft Graph: who may call what, and how it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

# The calls register themselves.
from workflow.providers.simulated import (
    graph_access,  # noqa: F401
    graph_mail,  # noqa: F401
    graph_people,  # noqa: F401
    graph_policies,  # noqa: F401
    graph_reports,  # noqa: F401
)
from workflow.providers.simulated.graph_routes import Asked, Route
from workflow.providers.simulated.refusals import DENIED, NO_PREMIUM, UNAUTHORIZED, GraphError, graph_refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workflow.providers.simulated.messages import Reply

UNKNOWN = GraphError(400, "BadRequest", "Resource not found for the segment.")


def answer(found: Route, asked: Asked, ids: Mapping[str, str]) -> Reply:
    """Return the answer to one call; ``ids`` stand in what is refused."""
    try:
        _may(found, asked)
        return found.run(asked)
    except GraphError as error:
        return graph_refusal(error, ids)


def _may(found: Route, asked: Asked) -> None:
    if asked.caller.audience != "graph":
        raise UNAUTHORIZED
    if found.delegated and not asked.caller.user:
        raise DENIED
    if not found.delegated and "*" not in asked.app.permissions and not found.permissions & set(asked.app.permissions):
        raise DENIED
    if found.licensed and not asked.tenant.scenario.premium:
        raise NO_PREMIUM
