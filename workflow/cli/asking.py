"""Asking one question after the other in plain lines."""

from __future__ import annotations

import click


class Stopped(Exception):  # noqa: N818 - nothing went wrong.
    """The person has had enough for now."""


def ask(question: str, default: str) -> str:
    """Ask for one line; an empty one is the default.

    Raises:
        Stopped: the answer was q, or there is nobody to answer any more.
        click.Abort: it was interrupted.
    """
    try:
        reply: str = click.prompt(question, default=default, show_default=False).strip()
    except click.Abort as abort:
        if isinstance(abort.__context__, EOFError):
            raise Stopped from None
        raise
    if reply == "q":
        raise Stopped
    return reply


def agreed(question: str) -> bool:
    """Ask whether something is to be done; only y or yes is a yes."""
    return ask(f"{question} (y yes, Enter no, q stop)", "n").casefold() in {"y", "yes"}
