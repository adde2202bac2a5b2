"""Times as Microsoft writes them, and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from workflow.providers.simulated.messages import RefusedError


def zulu(at: datetime) -> str:
    """Return a time as Graph writes it: whole seconds and a Z."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def precise(at: datetime) -> str:
    """Return a time as alerts and reports write it: seven decimals and a Z."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"


def bare(at: datetime) -> str:
    """Return a time as the unified audit log writes it: UTC that does not say so."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def parsed(text: str) -> datetime:
    """Return the time a text says; without a zone it is UTC.

    Raises:
        RefusedError: it says none.
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise RefusedError(f"{text[:40]!r} is not a time.") from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def next_midnight(at: datetime) -> datetime:
    """Return the next 00:00 UTC, when a restriction for today ends."""
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
