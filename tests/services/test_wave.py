"""A wave: which cases it is about, and what came of each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.services.desk import ADA, ANN, BOB, CONNECTOR, EVE, Desk, report
from workflow.domain import actions as act
from workflow.domain.case import Case
from workflow.domain.private import Private
from workflow.domain.vocabulary import Answer, Kind, Phase, State
from workflow.errors import ConflictError, InputError, NotFoundError
from workflow.services import casework, glance, views, wave
from workflow.services.outcomes import Outcomes, commands
from workflow.services.wave import Item
from workflow.services.worklist import Filters

NOTE = act.AddNote(note=Private("looked at"))


def test_every_case_that_fits(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """All pages of the worklist, by number, with names."""
    monkeypatch.setattr(wave, "MOST", 1)
    desk.restrict(ADA)
    desk.released(EVE)
    found = wave.fitting(desk.app, Filters())

    assert [(1, ADA, "detected"), (2, EVE, "released")] == [
        (item.case.number, item.case.entity, item.case.state) for item in found if item.case
    ]
    assert [] == wave.fitting(desk.app, Filters(text="nobody"))
    with pytest.raises(InputError, match="not text"):
        wave.fitting(desk.app, Filters(tenant="\x00"))


def test_what_was_named(desk: Desk) -> None:
    """In the order asked for: a case, one that is named again, and one that is not there."""
    case_id = desk.restrict()
    items = wave.referred(desk.app, [("line 1", ADA), ("line 2", "nobody"), ("line 3", case_id[-6:])])

    assert [case_id, None, case_id] == [item.case and item.case.id for item in items]
    assert isinstance(items[1].refused, NotFoundError)
    assert ["", "", "It was named before."] == [item.skipped for item in items]
    assert ["", ""] == [item.skipped for item in wave.located(desk.app, [("line 1", "1"), ("line 2", ADA)])]


def test_what_came_of_each(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Results come in order, whatever was refused or skipped before, between and behind the rest."""
    monkeypatch.setattr(wave, "AT_ONCE", 2)
    first, second = desk.restrict(ADA), desk.restrict(EVE)
    chosen = {item.case.id: item for item in wave.fitting(desk.app, Filters()) if item.case}
    items = [
        Item(where="line 1", refused=NotFoundError("nobody")),
        chosen[first],
        Item(chosen[first].case, "line 3", skipped="named before"),
        chosen[second],
        Item(chosen[second].case, "line 5"),
    ]

    def make(item: Item, seen: glance.Glance) -> list[act.Action] | str:
        if seen.id == first:
            return [NOTE]
        if not item.where:
            message = "no"
            raise InputError(message)
        return "nothing to do"

    found = list(wave.carry_out(desk.app, ANN, items, make))
    told = [
        (taken.item.where, type(taken.error).__name__, taken.done is not None, taken.item.skipped) for taken in found
    ]
    assert [
        ("line 1", "NotFoundError", False, ""),
        ("", "NoneType", True, ""),
        ("line 3", "NoneType", False, "named before"),
        ("", "InputError", False, ""),
        ("line 5", "NoneType", False, "nothing to do"),
    ] == told


def test_a_decision_sends_what_was_shown(desk: Desk) -> None:
    """A case that moved after it was shown is a conflict, and stays as it is."""
    case_id = desk.requested()
    items = wave.fitting(desk.app, Filters())
    shown = wave.looked_at(desk.app, items)
    desk.met(case_id, "cause-decided", reference=Private("https://example.org/2"))
    desk.do(case_id, act.WithdrawRequest())
    desk.do(case_id, act.RequestUnblock())
    (taken,) = wave.carry_out(desk.app, BOB, items, lambda _item, _seen: [act.ApproveUnblock()], shown=shown)

    assert isinstance(taken.error, ConflictError)
    assert State.UNBLOCK_REQUESTED is desk.case(case_id).state


def test_a_glance(desk: Desk) -> None:
    """What a decision stands on: the users, the proposals, the linked cases, and whether the gate is open."""
    case_id = desk.restrict()
    desk.do(case_id, desk.evidence("audit-logging-on"))
    seen = glance.glances(desk.app, [case_id])[case_id]
    assert (False, "detected", {ADA}) == (seen.lets("request-unblock"), seen.state, set(seen.users))
    assert "" == glance.about(seen, "snapshot-taken", None)
    assert seen.users[ADA] == glance.about(seen, "password-reset", None)
    with pytest.raises(NotFoundError, match="does not name"):
        glance.about(seen, "password-reset", EVE)
    with pytest.raises(NotFoundError, match="waits"):
        glance.exception_key(seen, "audit-logging-on", None)


def test_a_glance_at_linked_cases(desk: Desk) -> None:
    """It shows what the view of the case shows: the same digest, version and state."""
    connector = desk.restrict(CONNECTOR, kind=Kind.CONNECTOR)
    other = desk.restrict("admin@contoso.example", kind=Kind.USER)
    desk.do(other, *desk.every(other, Phase.CONTAIN))
    desk.do(connector, act.LinkCase(case=other, relation="admin"))
    desk.changed_by(connector, "admin@contoso.example")
    desk.do(connector, desk.evidence("admin-case-contained", linked=(other,)))
    seen, view = glance.glances(desk.app, [connector])[connector], views.case_view(desk.app, connector)

    assert (view.digest, view.version, view.state) == (seen.digest, seen.version, seen.state)


def test_a_glance_at_another_tenants_case(desk: Desk) -> None:
    """Whoever decides about many sees the same as whoever decides about one."""
    case_id = desk.restrict()
    assert () == glance.glances(desk.app, [case_id])[case_id].elsewhere
    desk.take(report(), tenant="defualt")
    assert ((2, "defualt"),) == glance.glances(desk.app, [case_id])[case_id].elsewhere


def test_exceptions_that_wait(desk: Desk) -> None:
    """By the step alone, or by the user where several wait."""
    case_id = desk.restrict()
    user = desk.case(case_id).entity
    other = desk.do(case_id, act.AddIdentity(subject=_user(desk, EVE))).case
    until = desk.clock.now.replace(day=28)
    for about in other.identities:
        ask = act.AskException(prerequisite="sign-ins-reviewed", about=about, expires_at=until, reason=Private("late"))
        desk.do(case_id, ask)
    seen = glance.glances(desk.app, [case_id])[case_id]

    assert user is not None
    assert f"exception:sign-ins-reviewed/{seen.users[EVE]}" == glance.exception_key(seen, "sign-ins-reviewed", EVE)
    with pytest.raises(InputError, match="say whom"):
        glance.exception_key(seen, "sign-ins-reviewed", None)
    with pytest.raises(InputError, match="say whom"):
        glance.about(seen, "password-reset", None)


def _user(desk: Desk, address: str) -> str:
    return casework.subject(desk.app, "default", Kind.USER, address)


def test_commands_of_a_script(desk: Desk) -> None:
    """An address that cannot stand in a command, or a playbook without one, is left to a person."""
    case_id = desk.restrict()
    seen = glance.glances(desk.app, [case_id])[case_id]
    assert f"Get-BlockedSenderAddress -SenderAddress '{ADA}'" == commands(seen)[0]

    assert "" == commands(replace(seen, playbook=replace(seen.playbook, read_command="")))[0]
    with pytest.raises(InputError, match="by hand"):
        commands(replace(seen, playbook=replace(seen.playbook, unblock_command="")))
    with pytest.raises(InputError, match="by hand"):
        commands(replace(seen, entity="(erased)"))


def test_an_attempt_that_began_meanwhile(desk: Desk) -> None:
    """Under its lock a case has to have the attempt that was looked at, also where it is locked alone."""
    case_id = desk.approved()
    desk.do(case_id, act.IntendUnblock())
    outcomes = Outcomes(desk.app)
    items = wave.fitting(desk.app, Filters())
    cells = {"outcome": "done", "reference": "x"}

    def make(_: Item, seen: glance.Glance) -> list[act.Action] | str:
        made = outcomes.answer(seen, cells)
        desk.do(case_id, act.RecordAnswer(answer=Answer.FAILED, reference=Private("x")))
        desk.do(case_id, act.RequestUnblock())
        desk.do(case_id, act.ApproveUnblock(), who=BOB)
        desk.do(case_id, act.IntendUnblock())
        return made

    (taken,) = wave.carry_out(desk.app, ANN, items, make, check=outcomes.check)
    assert isinstance(taken.error, ConflictError)
    assert desk.case(case_id).open_attempt is not None


def test_an_outcome_without_an_attempt(desk: Desk) -> None:
    """It is judged like any other answer to nothing: refused, and recorded as refused."""
    desk.restrict()
    outcomes = Outcomes(desk.app)
    items = wave.fitting(desk.app, Filters())
    (taken,) = wave.carry_out(
        desk.app, ANN, items, lambda _, seen: outcomes.answer(seen, {"outcome": "done"}, "x"), check=outcomes.check
    )

    assert "wrong_state" == taken.error.code if taken.error else ""


def test_a_check_on_one_case(desk: Desk) -> None:
    """A case that is done alone is checked under its lock too, before anything is judged or written."""
    case_id = desk.restrict()
    before = desk.count()

    def check(_case: Case) -> None:
        message = "not this one"
        raise ConflictError(message)

    with pytest.raises(ConflictError, match="not this one"):
        casework.perform(desk.app, ANN, case_id, NOTE, check=check)
    assert before == desk.count()


def test_one_case_after_the_other(desk: Desk) -> None:
    """What asks the tenant is done case by case; refusals, repetitions and errors stay with their own."""
    ids = [desk.restrict(ADA), desk.restrict(EVE)]
    items = wave.referred(desk.app, [(name, name) for name in (ADA, EVE, ADA, "nobody")])

    def step(case: wave.Chosen) -> casework.Done:
        if case.entity == EVE:
            message = "not this one"
            raise InputError(message)
        return casework.perform(desk.app, ANN, case.id, NOTE)

    taken = list(wave.one_by_one(items, step))
    assert [ids[0], None, None, None] == [item.done and item.done.case.id for item in taken]
    assert [None, InputError, None, NotFoundError] == [item.error and type(item.error) for item in taken]
    assert "It was named before." == taken[2].item.skipped
