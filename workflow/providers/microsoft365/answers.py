"""Bodies and waiting times of answers, within limits: whoever answers may be hostile, slow or broken."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import httpx2

if TYPE_CHECKING:
    from collections.abc import Callable

_LONGEST_WAIT = 86_400.0
_TIMES_AS_LONG = 5


class UnreadError(Exception):
    """An answer could not be read to its end; its text says why."""


def body(response: httpx2.Response, *, now: Callable[[], float], until: float, largest: int) -> bytes:
    """Read an answer's body, which has a limit in bytes and in time; a refusal may have one that is no gzip.

    Args:
        response: whose headers have come.
        now: seconds that only rise.
        until: when, by those seconds, it has taken too long.
        largest: its limit in bytes, unpacked.

    Raises:
        UnreadError: it is too long, does not end, or cannot be unpacked.
    """
    parts: list[bytes] = []
    size = 0
    try:
        for part in response.iter_bytes():
            parts.append(part)
            size += len(part)
            if size > largest:
                raise UnreadError("the answer is too long")
            if now() > until:
                raise UnreadError("the answer does not end")
    except httpx2.DecodingError:
        if httpx2.codes.is_success(response.status_code):
            raise UnreadError("the answer cannot be unpacked") from None
        return b""
    return b"".join(parts)


def patience(timeout: float) -> float:
    """Return how long a whole answer may take, of which each part may let wait as long as this."""
    return _TIMES_AS_LONG * timeout


def retry_after(said: str, at: datetime) -> float | None:
    """Return the seconds to stay away, a day at most: a number, or a date (RFC 9110, section 10.2.3); else None."""
    said = said.strip()
    seconds: float | None = None
    if said.isascii() and said.isdigit():
        seconds = float(said.lstrip("0")[:9] or 0)
    elif said:
        with suppress(ValueError, OverflowError):
            seconds = (parsedate_to_datetime(said).astimezone(UTC) - at).total_seconds()
    return None if seconds is None else min(max(seconds, 0.0), _LONGEST_WAIT)
