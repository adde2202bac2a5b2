"""One step on each of many cases."""

import pytest

from tests.services.desk import ANN, CONNECTOR, Desk
from workflow.domain import actions as act
from workflow.domain.private import Private
from workflow.domain.vocabulary import Kind, Phase
from workflow.errors import GateClosedError, HoldfastError, NotFoundError
from workflow.services import casework, verification
from workflow.services.casework import Done, perform_many

NOTE = act.AddNote(note=Private("looked at"))


def outcome(result: Done | HoldfastError) -> object:
    """The types of the entries written, or the kind of error."""
    return [entry.type for entry in result.entries] if isinstance(result, Done) else type(result)


def test_each_case_is_judged_by_itself(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal is recorded and touches no other case, in the same transaction or in another."""
    monkeypatch.setattr(casework, "AT_ONCE", 2)
    first, second, third = (desk.restrict(f"{name}@contoso.example") for name in ("ann", "bob", "cat"))
    wanted: list[tuple[str, list[act.Action]]] = [
        (first, [NOTE]),
        (second, [act.RequestUnblock()]),
        ("nobody", [NOTE]),
        (third, [NOTE, NOTE]),
    ]

    found = list(perform_many(desk.app, ANN, wanted))
    assert [first, second, "nobody", third] == [case_id for case_id, _ in found]
    expected = [["case:noted"], GateClosedError, NotFoundError, ["case:noted", "case:noted"]]
    assert expected == [outcome(result) for _, result in found]
    assert ["case:opened", "action:refused"] == desk.types(second)
    assert [] == verification.verify(desk.app).findings


def test_a_case_may_come_twice(desk: Desk) -> None:
    """The second step stands on the first."""
    case_id = desk.restrict()
    found = [result for _, result in perform_many(desk.app, ANN, [(case_id, [NOTE]), (case_id, [NOTE])])]
    assert [2, 3] == [result.case.sequence for result in found if isinstance(result, Done)]


def test_what_one_case_of_a_batch_became_is_seen_by_the_next(desk: Desk) -> None:
    """An answer that stands on a linked case is judged by how that case stands after its own step in the batch."""
    connector = desk.restrict(CONNECTOR, kind=Kind.CONNECTOR)
    other = desk.restrict("admin@contoso.example", kind=Kind.USER)
    desk.do(connector, act.LinkCase(case=other, relation="admin"))
    desk.changed_by(connector, "admin@contoso.example")
    wanted = [
        (other, desk.every(other, Phase.CONTAIN)),
        (connector, [desk.evidence("admin-case-contained", linked=(other,))]),
    ]
    found = [result for _, result in perform_many(desk.app, ANN, wanted)]
    assert [Done, Done] == [type(result) for result in found]
    assert [] == verification.verify(desk.app).findings


def test_a_case_that_names_another_is_locked_with_it(desk: Desk) -> None:
    """What stands on a case outside the batch is done all the same, or refused all the same."""
    connector = desk.restrict(CONNECTOR, kind=Kind.CONNECTOR)
    other = desk.restrict("admin@contoso.example", kind=Kind.USER)
    desk.do(other, *desk.every(other, Phase.CONTAIN))
    desk.do(connector, act.LinkCase(case=other, relation="admin"))
    desk.changed_by(connector, "admin@contoso.example")
    wanted = [(connector, [desk.evidence("admin-case-contained", linked=(linked,))]) for linked in (other, "nobody")]
    found = [outcome(result) for _, result in perform_many(desk.app, ANN, wanted)]
    assert [["evidence:recorded"], NotFoundError] == found
