"""A request and an answer without sockets: what the wire carries, and nothing of how."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

Json = dict[str, Any]


class RefusedError(Exception):
    """What was asked makes no sense; each protocol answers it in its own words."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a token speaks for.

    Args:
        app: the application's (client) id.
        user: the object id of the signed-in user; "" for the application itself.
        audience: ``graph``, ``exchange`` or ``compliance``.
    """

    app: str
    user: str = ""
    audience: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """One request.

    Args:
        method: upper case.
        path: decoded, without query.
        base: scheme, host and port that the client called, such as ``http://127.0.0.1:8365``.
        query: decoded, the last of a repeated name.
        headers: names in lower case.
        body: the raw bytes.
    """

    method: str
    path: str
    base: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def json(self) -> Json:
        """Return the body as an object.

        Raises:
            RefusedError: it is none.
        """
        try:
            value = json.loads(self.body or b"{}")
        except (ValueError, RecursionError):
            raise RefusedError("The body is not valid JSON.") from None
        if not isinstance(value, dict):
            raise RefusedError("The body is not a JSON object.")
        return value


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer.

    Args:
        status: the HTTP status.
        body: the bytes sent.
        headers: beside the length, which the server adds.
        hold: real seconds the server waits before it answers.
        lost: whether the connection closes without an answer.
        short: whether the connection closes before the body is complete.
    """

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    hold: float = 0.0
    lost: bool = False
    short: bool = False


def as_json(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Reply:
    """Return an answer of JSON."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return Reply(status, body, {"Content-Type": "application/json; charset=utf-8", **(headers or {})})
