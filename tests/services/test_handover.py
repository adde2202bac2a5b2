"""A shift change: which cases go, and what the page says about them."""

import pytest

from tests.services.desk import ANN, BOB, DAY, EVE, Desk
from workflow.domain import actions as act
from workflow.domain.private import Private
from workflow.domain.vocabulary import Answer
from workflow.services import casework
from workflow.services import handover as shift
from workflow.services.handover import handover

NOTES = [act.AddNote(note=Private(text=text)) for text in ("one", "two", "three", "four")]


def test_every_page_of_cases_goes(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """More cases than a page holds go as well, each with its newest notes, and nobody else's go with them."""
    monkeypatch.setattr(shift, "MOST", 2)
    mine = [desk.restrict(f"{name}@contoso.example") for name in ("ann", "bob", "cat")]
    other = desk.restrict("dan@contoso.example")
    for case_id in mine:
        casework.perform(desk.app, ANN, case_id, act.AssignCase(assignee=casework.person(desk.app, "Ann")), *NOTES)

    shown = handover(desk.app, ANN, "", "Bob", "", only_show=True)
    given = handover(desk.app, ANN, "", "Bob", "all yours")

    assert (False, True) == (shown.done, given.done)
    assert sorted(mine) == sorted(item.case.id for item in given.cases)
    assert ["two", "three", "four"] == [note["text"] for note in given.cases[0].notes]
    assert [] == handover(desk.app, ANN, "Ann", "Bob", "", only_show=True).cases
    newest = handover(desk.app, BOB, "", "Ann", "", only_show=True).cases
    assert [["three", "four", "all yours"]] * 3 == [[note["text"] for note in item.notes] for item in newest]
    assert other not in {item.case.id for item in newest}


def test_nobodys_cases_that_cannot_wait_are_told(desk: Desk) -> None:
    """An unblock under way, one that waits for its approval, a proposal; they stay nobody's."""
    asked = desk.requested("ann@contoso.example")
    started = desk.approved("bob@contoso.example")
    desk.do(started, act.IntendUnblock())
    excepted = desk.restrict("cat@contoso.example")
    until = desk.clock.now + DAY
    action = act.AskException(prerequisite="audit-logging-on", expires_at=until, reason=Private("no licence"))
    desk.do(excepted, action)
    desk.restrict("dan@contoso.example")
    page = handover(desk.app, ANN, "", "Bob", "")
    assert [] == page.cases
    assert {asked, started, excepted} == {item.case.id for item in page.nobodys}
    assert "" == desk.case(asked).assignee


def test_what_waits_after_a_failed_unblock(desk: Desk) -> None:
    """A new request waits for its approval, whatever became of the attempt before it."""
    case_id = desk.approved()
    desk.do(case_id, act.IntendUnblock())
    desk.do(case_id, act.RecordAnswer(answer=Answer.FAILED, reference=Private("ticket 9")))
    desk.do(case_id, act.RequestUnblock(reason=Private("once more")))
    desk.do(case_id, act.AssignCase(assignee=casework.person(desk.app, "Ann")))
    (handed,) = handover(desk.app, ANN, "", "Bob", "", only_show=True).cases
    assert ["approval of the unblock that ann requested"] == handed.waits_for


def test_what_is_frozen_does_not_go_stale(desk: Desk) -> None:
    """While an unblock is under way, and once the case is released, no reading lapses and nobody has to look again."""
    ids = [desk.approved(), desk.released(EVE), desk.requested("zoe@contoso.example")]
    desk.do(ids[0], act.IntendUnblock())
    for case_id in ids:
        desk.do(case_id, act.AssignCase(assignee=casework.person(desk.app, "Ann")))
    found = handover(desk.app, ANN, "", "Bob", "", only_show=True).cases
    assert {ids[2]} == {item.case.id for item in found if item.lapsing}
    assert 3 == len(found)
