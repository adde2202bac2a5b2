"""Who could take a step instead: only people whom the role, the case and the playbook all leave."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.services.desk import ADA, ANN, BOB, CAT, Desk, report
from workflow.domain import actions as act
from workflow.domain.private import Private
from workflow.errors import HoldfastError, ReviewOwedError
from workflow.services import deputies, intake
from workflow.services.people import Who
from workflow.services.wishes import Wish

if TYPE_CHECKING:
    from collections.abc import Callable

ALL = ("analyst", "approver")
DAVE = Who("Dave")


def person(name: str, *roles: str, **more: Any) -> dict[str, Any]:
    """Return one of the settings' people."""
    return {"name": name, "roles": list(roles or ALL), **more}


def refused(desk: Desk, case_id: str, action: act.Action, who: Who = ANN) -> HoldfastError:
    """Take a step that is refused, and return why."""
    with pytest.raises(HoldfastError) as caught:
        desk.do(case_id, action, who=who)
    return caught.value


def named(able: deputies.Able) -> list[str]:
    """Return the names alone."""
    return [one.name for one in able.people]


def test_only_those_whom_the_case_leaves(open_desk: Callable[..., Desk]) -> None:
    """Neither the requester, nor whose evidence it stands on, nor the affected user, nor a mere analyst."""
    desk = open_desk(
        people=[
            person("Ann"),
            person("Bob"),
            person("Cat", on_call=True),
            person("Eve", identities=[ADA]),
            person("Fay", "analyst"),
        ]
    )
    case_id = desk.restrict()
    desk.fulfil(case_id, who=BOB)
    desk.do(case_id, act.RequestUnblock(reason=Private("done")))

    assert ["Cat"] == named(deputies.of_approval(desk.app, case_id))
    assert ["Cat"] == named(deputies.of_error(desk.app, refused(desk, case_id, act.ApproveUnblock()), "Ann"))
    desk.do(case_id, act.ApproveUnblock(), who=CAT)
    withdrawn = refused(desk, case_id, act.WithdrawRequest(), who=BOB)
    left = deputies.of_error(desk.app, withdrawn, "Bob")
    assert ("", "list somebody else with the role lead under [[people]] in the settings") == (
        "; ".join(named(left)),
        left.instead,
    )


def test_nobody_left_is_said(open_desk: Callable[..., Desk]) -> None:
    """With what helps: somebody else on the list, or the glass where it may be broken, and by whom."""
    for broken, instead in (
        (False, "list somebody else with the role approver or lead under [[people]] in the settings"),
        (True, "Ann can break the glass: holdfast case approve 1 --break-glass --reason WHY"),
    ):
        desk = open_desk(people=[person("Ann"), person("Fay", "analyst")], break_glass=broken)
        case_id = desk.requested() if not broken else desk.open_cases()[0][0]
        if broken:
            desk.do(case_id, act.AddNote(note=Private("x")))
        assert deputies.Able((), instead) == deputies.of_approval(desk.app, case_id)


def test_another_team_where_the_playbook_wants_one(open_desk: Callable[..., Desk]) -> None:
    """Somebody on the requester's own team would not help, and that is said."""
    desk = open_desk(people=[person("Ann", "analyst")])
    intake.open_by_hand(desk.app, ANN, report(), Wish("privileged-account", why="An administrator"))
    ((case_id, _),) = desk.open_cases()
    assert "somebody else of another team than" in deputies.of_approval(desk.app, case_id).instead


def test_without_a_case_it_goes_by_role(open_desk: Callable[..., Desk]) -> None:
    """A step about no case goes by the role alone, and never names the one who asked."""
    desk = open_desk(people=[person("Ann"), person("Bob", "lead")])
    no_case = HoldfastError()
    assert deputies.Able() == deputies.of_error(desk.app, no_case, "Ann")
    denied = refused(desk, desk.restrict(), act.ConfirmProposal(proposal="x"), who=DAVE)
    assert ["Ann", "Bob"] == named(deputies.of_error(desk.app, denied, "Dave"))
    denied.step = None
    assert ["Bob"] == named(deputies.of_error(desk.app, denied, "ann"))
    assert "" == deputies.of_error(desk.app, denied, "ann").instead


def test_nobody_listed_is_nobody_named(desk: Desk) -> None:
    """Where every name may do everything there is nobody to name, and nothing to cure."""
    case_id = desk.requested()
    assert deputies.Able() == deputies.of_approval(desk.app, case_id)
    assert deputies.Able() == deputies.of_error(desk.app, refused(desk, case_id, act.ApproveUnblock()), "Ann")


def test_who_reviews_a_broken_glass(open_desk: Callable[..., Desk]) -> None:
    """A case that owes a review names its reviewers: not whoever broke it."""
    desk = open_desk(people=[person("Ann"), person("Bob", "lead")], break_glass=True)
    case_id = desk.requested()
    desk.do(case_id, act.ApproveUnblock(break_glass=True, reason=Private("nobody answers")))
    desk.do(case_id, act.IntendUnblock())
    desk.do(case_id, desk.gone())
    desk.clock.move(timedelta(days=20))
    owed = refused(desk, case_id, act.CloseCase())
    assert isinstance(owed, ReviewOwedError), owed
    assert ["Bob"] == named(deputies.of_error(desk.app, owed, "Ann"))


def test_a_step_that_is_no_decision(open_desk: Callable[..., Desk]) -> None:
    """A note by an auditor is written by anybody at work."""
    desk = open_desk(people=[person("Ann"), person("Dan", "auditor"), person("Eve", identities=[ADA])])
    denied = refused(desk, desk.restrict(), act.AddNote(note=Private("x")), who=Who("Dan"))
    assert ["Ann"] == named(deputies.of_error(desk.app, denied, "Dan"))
