"""The narrow port that both fillings of the worker run: what is due, one step, and the chores of the whole ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime, timedelta

    from workflow.app import App


class Stepped(Protocol):
    """What one look at a case came to."""

    @property
    def case(self) -> int:
        """The case's number."""

    @property
    def task(self) -> str:
        """What was due in it."""

    @property
    def outcome(self) -> str:
        """What came of it, in a word."""

    @property
    def said(self) -> str:
        """The same in a sentence."""

    @property
    def again(self) -> timedelta | None:
        """After how long to look again; None when it is settled."""

    def to_data(self) -> dict[str, Any]:
        """Return the same as plain JSON values."""


class Chore(Protocol):
    """What one chore of the whole tenant or ledger came to."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def outcome(self) -> str:
        """``done`` or ``failed``."""

    @property
    def said(self) -> str:
        """What there is to say of it."""

    def to_data(self) -> dict[str, Any]:
        """Return the same as plain JSON values."""


class Automation(Protocol):
    """What a worker does, as a module or an object; every function may be called again at any time."""

    def due(self, app: App, now: datetime, limit: int, /) -> list[str]:
        """Return the ids of cases in which the machine has something to do by then, at most so many."""
        ...

    def step(self, app: App, case_id: str, /) -> Stepped:
        """Look at one case and do the one thing that is due in it."""
        ...

    def chores(self, app: App, now: datetime, done: Any, /) -> Iterable[Chore]:
        """Do what is due of a lane's, for the whole tenant or ledger; ``done`` remembers when what was done."""
        ...

    def lanes(self) -> Sequence[Any]:
        """Return memories of chores in which nothing was done yet: those of one lane wait for none of another."""
        ...
