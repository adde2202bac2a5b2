"""The period of an auditor's question: ``--from`` and ``--to``, which mean the same on every command."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import click

from workflow.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from workflow.cli.session import Session
    from workflow.domain.period import Period

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def period_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--from`` and ``--to``, which arrive as ``begins`` and ``ends``."""
    command = click.option("--to", "ends", metavar="TIME", help="Before then; a date is included as a whole.")(command)
    return click.option("--from", "begins", metavar="TIME", help="Then or later.")(command)


def period_of(session: Session, begins: str | None, ends: str | None) -> Period:
    """Return the period that was typed; a date as its end includes that whole day, as people count.

    Raises:
        InputError: one is no time, or the period ends before it begins.
    """
    from workflow.domain.period import Period

    start = session.time(begins) if begins else None
    return Period(start, _end_of(session, ends.strip()) if ends else None)


def _end_of(session: Session, text: str) -> datetime:
    behind = _behind(text)
    return session.time(behind, "" if behind == text else f"{text}, that day included, ends at")


def period_words(session: Session, period: Period) -> str:
    """Return the period for people, in local time."""
    start = f"from {session.local(period.start)}" if period.start else "from the beginning"
    return f"{start} {'until before ' + session.local(period.end) if period.end else 'until now'}"


def _behind(text: str) -> str:
    """Return the day behind a date, and anything else as it is."""
    if not _DATE.fullmatch(text):
        return text
    try:
        return (date.fromisoformat(text) + timedelta(days=1)).isoformat()
    except (ValueError, OverflowError):
        last = date.max - timedelta(days=1)
        message = f"{text!r} is not a day of the calendar from {date.min} to {last}."
        raise InputError(message) from None
