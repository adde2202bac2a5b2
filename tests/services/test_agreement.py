"""What entries say of other entries: the roles people had then, the states linked cases were in."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.services.desk import ADA, ANN, BOB, CAT, EVE, TEAM, Desk, report
from workflow.domain import actions as act
from workflow.domain.private import Private
from workflow.domain.roster import Rosters, rosters
from workflow.errors import ConflictError
from workflow.services import agreement, intake, verification
from workflow.services.verdict import Report
from workflow.storage import cases, tree

DEMOTED = [{**person, "roles": ["analyst"]} if person["name"] == "Bob" else person for person in TEAM]


def placed(desk: Desk, case_id: str) -> list[agreement.Placed]:
    """Return a case's entries with the numbers of their leaves."""
    with desk.app.database.reading() as tx:
        return [
            (entry, index)
            for entry, (_, _, index) in zip(cases.entries(tx, case_id), tree.bodies(tx, case_id), strict=True)
        ]


def found(desk: Desk) -> set[tuple[str, int]]:
    """Return kind and sequence of what verification finds."""
    return {(str(item.kind), item.sequence) for item in verification.verify(desk.app).findings}


def test_changed_people_hold_from_then_on(open_desk: Callable[..., Desk]) -> None:
    """What was done under an earlier list stays as it was, and the ledger verifies."""
    desk = open_desk()
    case_id = desk.requested()
    desk.again(people=TEAM).do(case_id, act.ApproveUnblock(), who=BOB)
    other = desk.again(people=DEMOTED)
    other.do(case_id, act.RejectRequest(reason=Private("not yet")), who=CAT)
    third = desk.again()
    third.do(case_id, act.AddNote(note=Private("everybody again")), who=BOB)

    assert set() == found(third)


def test_a_process_does_not_go_on_under_a_list_that_was_replaced(open_desk: Callable[..., Desk]) -> None:
    """Bob's approval is refused by the process that still believes him an approver; so are many, and an import."""
    before, after = open_desk(people=TEAM), open_desk(people=DEMOTED)
    case_id = before.requested()
    after.do(case_id, act.AddNote(note=Private("the list was changed")), who=CAT)

    with pytest.raises(ConflictError, match="repeat it"):
        before.do(case_id, act.ApproveUnblock(), who=BOB)
    with pytest.raises(ConflictError):
        list(intake.take_in(before.app, ANN, [report(EVE)]))
    assert set() == found(after)


def test_what_others_adopt_meanwhile_stops_nobody(open_desk: Callable[..., Desk]) -> None:
    """The log may grow without a change of people or settings."""
    one, two = open_desk(people=TEAM), open_desk(people=TEAM)
    case_id = one.restrict()
    one.app.log_read = 0
    one.do(case_id, act.AddNote(note=Private("still here")))

    assert one.app.log_read == len(two.entries())


def test_roles_that_the_list_then_in_force_does_not_give_are_found(open_desk: Callable[..., Desk]) -> None:
    """Who kept writing with a role taken away from them is named, entry by entry."""
    before, after = open_desk(people=TEAM), open_desk(people=DEMOTED)
    case_id = before.requested()
    after.do(case_id, act.AddNote(note=Private("the list was changed")), who=CAT)
    before.app.log_read = len(before.entries())
    entry = before.do(case_id, act.ApproveUnblock(), who=BOB).entries[-1]

    if after.app.database.dialect == "sqlite":
        assert {("roles", entry.sequence)} == found(after)
    else:
        assert set() == found(after), "a sealer numbers leaves later: any list that was in force may have been the one"


def test_roles_nobody_ever_had_are_found(sqlite_desk: Desk) -> None:
    """Another role, another team, or the machine with a person's roles."""
    case_id = sqlite_desk.restrict()
    (entry, index), *_ = placed(sqlite_desk, case_id)
    forged: list[dict[str, Any]] = [
        {"roles": ["lead"]},
        {"roles": []},
        {"team": "red"},
        {"id": "system"},
        {"roles": ["analyst", "approver", "lead", "system"]},
    ]
    for ordered in (True, False):
        verdict = Report()
        entries = [(entry._replace(actor={**entry.actor, **change}), index) for change in forged]
        agreement.check_roles(verdict, case_id, [*entries, (entry, index)], Rosters(), ordered=ordered)
        assert ["roles"] * len(forged) == [item.kind for item in verdict.findings]


def test_the_log_may_be_written_just_before_the_list_it_is_written_under(open_desk: Callable[..., Desk]) -> None:
    """A ledger made with people listed from the beginning verifies, and so do settings changed with the people."""
    open_desk(people=TEAM).restrict()
    desk = open_desk(people=DEMOTED, timezone="Europe/Vienna")
    desk.restrict(EVE)

    assert set() == found(desk)
    assert 3 == len(rosters(placed(desk, "log")).lists)


def test_the_state_of_a_linked_case_is_held_against_its_history(desk: Desk) -> None:
    """The state it was in before the entry, as its own entries say; one it was never in is a finding."""
    other = desk.restrict(EVE)
    case_id = desk.restrict(ADA)
    desk.fulfil(other)
    desk.do(case_id, act.AddNote(note=Private("later")))
    entry, index = placed(desk, case_id)[-1]

    def judged(state: str, at: int = index) -> list[str]:
        verdict = Report()
        with desk.app.database.reading() as tx:
            linked = entry._replace(basis={"linked": {other: state}})
            agreement.check_linked(tx, verdict, case_id, [(linked, at)])
        return [item.kind for item in verdict.findings]

    assert [] == judged("verified")
    assert ["linked"] == judged("released")
    if desk.app.database.dialect == "sqlite":
        assert ["linked"] == judged("detected")
        assert [] == judged("detected", placed(desk, other)[1][1])
        assert ["linked"] == judged("detected", 0)
