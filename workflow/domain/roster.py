"""Who was allowed what, and since when, by the ledger's own word: the lists of people that its entries put in force."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workflow.domain.vocabulary import EntryType, Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from workflow.domain.record import Entry

EVERYTHING = (Role.ANALYST, Role.APPROVER, Role.LEAD)
"""What every name may do while nobody is listed."""
UNLISTED = (Role.ANALYST,)
"""What a name that is not on the list may do once somebody is."""

Standing = tuple[tuple[str, ...], str]
"""A person's roles, in the order of the list, and team."""


@dataclass(frozen=True, slots=True)
class Roster:
    """One list of people by opaque id, in force behind the leaf ``since`` (-1: from the beginning)."""

    since: int = -1
    people: Mapping[str, Standing] = field(default_factory=dict)

    def of(self, person: str) -> Standing:
        """Return what a person may do under this list."""
        return self.people.get(person, (UNLISTED if self.people else EVERYTHING, ""))


@dataclass(frozen=True, slots=True)
class Rosters:
    """Every list that was ever in force, oldest first; before the first one nobody is listed."""

    lists: tuple[Roster, ...] = (Roster(),)

    def place(self, index: int) -> int:
        """Return which of the lists was in force at a leaf; the first one at what is none."""
        return max(bisect_left(self.lists, index, key=lambda roster: roster.since) - 1, 0)


def rosters(placed: Iterable[tuple[Entry, int]]) -> Rosters:
    """Return the lists that the log's own entries put in force; each entry comes with its leaf's number.

    A long list is written in parts and is in force behind the last of them.
    """
    found = [Roster()]
    people: dict[str, Standing] = {}
    for entry, index in placed:
        if entry.type != EntryType.PEOPLE_CHANGED:
            continue
        data = entry.data
        if data["part"] == 1:
            people = {}
        people |= {row["id"]: (tuple(row["roles"]), row["team"]) for row in data["people"]}
        if data["part"] == data["parts"]:
            found.append(Roster(index, people))
    return Rosters(tuple(found))
