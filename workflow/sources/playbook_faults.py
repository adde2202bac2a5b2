"""What is wrong with a playbook file, told so that the author can put it right."""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_FAULTS = 1000
"""A file with more than that is not a playbook; listing the rest would help nobody."""

_LONGEST_SHOWN = 60


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing that is wrong.

    Args:
        path: the file as the author named it.
        line: 1-based.
        message: what is wrong.
        cure: what to do about it.
    """

    path: str
    line: int
    message: str
    cure: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}. {self.cure}."

    def to_data(self) -> dict[str, str | int]:
        """Return plain JSON values."""
        return {"path": self.path, "line": self.line, "message": self.message, "cure": self.cure}


@dataclass(slots=True)
class Faults:
    """The faults found so far. Reading goes on after each, so that one run shows them all."""

    found: list[Fault] = field(default_factory=list)

    @property
    def full(self) -> bool:
        """Whether anything more would only be counted, so that looking for its cure is a waste."""
        return len(self.found) > MOST_FAULTS

    def add(self, path: str, line: int, message: str, cure: str) -> None:
        """Note a fault; past :data:`MOST_FAULTS` only that there are more."""
        if len(self.found) < MOST_FAULTS:
            self.found.append(Fault(path, line, message, cure))
        elif len(self.found) == MOST_FAULTS:
            self.found.append(
                Fault(path, line, f"There are more than {MOST_FAULTS} faults", "Cure the ones listed first")
            )

    def sorted(self) -> list[Fault]:
        """Return them by file and line, each once."""
        return sorted(set(self.found))


def shown(text: str) -> str:
    """Return text from the file in quotation marks, cut to length, invisible characters replaced."""
    cut = text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…"
    return "“" + "".join(character if character.isprintable() else "\ufffd" for character in cut) + "”"


def nearest(word: str, known: Iterable[str], otherwise: str) -> str:
    """Return a cure: the known word that was probably meant, or all of them after ``otherwise``."""
    names = sorted(known)
    close = get_close_matches(word, names, n=1) if len(word) <= _LONGEST_SHOWN else []
    return f"Write {close[0]} if that was meant" if close else f"{otherwise}: {', '.join(names) or 'none'}"
