"""Names of actors as every view shows them: a claimed name is called claimed, always."""

from __future__ import annotations

from workflow.cli.text import CLAIMED, visible


def named(name: str, claimed: bool) -> str:
    """Return an actor's name, with ``(claimed)`` where that is all there is."""
    shown = visible(name or "-", 80)
    return f"{shown}{CLAIMED}" if claimed else shown


def acted(name: str, os_user: str, claimed: bool) -> str:
    """Return an actor's name with the operating system's user behind a claimed one."""
    if claimed:
        return f"{visible(name, 80)} (claimed, OS user {visible(os_user, 40)})"
    return visible(name or "-", 80)
