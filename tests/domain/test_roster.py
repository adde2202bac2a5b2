"""Which list of people was in force where."""

from typing import Any

from workflow.domain.record import Entry
from workflow.domain.roster import Roster, rosters


def listing(people: list[dict[str, Any]], part: int = 1, parts: int = 1, kind: str = "people:changed") -> Entry:
    """Return an entry of the log that lists people."""
    data = {"part": part, "parts": parts, "people": people}
    return Entry("", kind, "", "log", 1, "", "", "ok", {}, "", "", "", 0, "done", "", data, {}, (), "", "")


def row(person: str, *roles: str, team: str = "") -> dict[str, Any]:
    """Return one person's place on a list."""
    return {"id": person, "roles": list(roles), "team": team}


def test_with_nobody_listed_everybody_may_do_everything() -> None:
    """So it is before the first list, and again once everybody was taken off."""
    known = rosters([(listing([row("ann", "lead", team="red")]), 3), (listing([]), 7)])

    assert [0, 0, 0, 1, 1, 2] == [known.place(index) for index in (-1, 0, 3, 4, 7, 8)]
    assert [(("analyst", "approver", "lead"), "")] * 2 == [known.lists[place].of("ann") for place in (0, 2)]
    assert (("lead",), "red") == known.lists[1].of("ann")
    assert (("analyst",), "") == known.lists[1].of("somebody")


def test_a_list_in_parts_is_in_force_behind_its_last_part() -> None:
    """Other entries of the log put nobody on the list."""
    parts = [(listing([row(name, "approver")], part, 2), part) for part, name in ((1, "ann"), (2, "bob"))]
    known = rosters([(listing([], kind="settings:changed"), 0), *parts])

    assert (Roster(), Roster(2, {"ann": (("approver",), ""), "bob": (("approver",), "")})) == known.lists
