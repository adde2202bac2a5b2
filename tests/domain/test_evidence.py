"""What can be evidence, what cannot, and who may accept a risk instead."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.domain.casebook import (
    ADA,
    ANN,
    BOB,
    DAY,
    HOUR,
    OTHER_WORDS,
    SMALL,
    WORDS,
    Casebook,
    another,
    person,
    small,
)
from workflow.domain import actions as act
from workflow.domain import gate
from workflow.domain.playbook import About, Check, Condition, ExceptionRule, Prerequisite
from workflow.domain.private import NOTHING
from workflow.domain.vocabulary import Phase, Result, Role, State
from workflow.errors import InputError, NotFoundError

EXCEPTION = "exception:rules"


def evidence(book: Casebook, name: str = "rules", about: str = "", **inputs: Any) -> act.RecordEvidence:
    """Return an answer observed now."""
    fields: dict[str, Any] = {"observed_at": book.now, "reference": WORDS} | inputs
    return act.RecordEvidence(prerequisite=name, about=about, **fields)


def asking(book: Casebook, name: str = "rules") -> act.AskException:
    """Return a request for an exception of a day."""
    return act.AskException(prerequisite=name, expires_at=book.now + DAY, reason=WORDS)


@pytest.mark.parametrize(
    ("inputs", "code"),
    [
        ({"observed_shift": 2 * HOUR}, "evidence_refused"),
        ({"observed_shift": -HOUR}, "evidence_refused"),
        ({"reference": NOTHING}, "evidence_refused"),
        ({"result": Result.NOT_APPLICABLE}, "evidence_refused"),
    ],
)
def test_evidence_that_cannot_count_is_refused(inputs: dict[str, Any], code: str) -> None:
    """In the future, before the restriction, without a reference, or not applicable where everything applies (R7)."""
    book = Casebook().open()
    shift = inputs.pop("observed_shift", 0 * HOUR)
    assert code == book.refused(evidence(book, observed_at=book.now + shift, **inputs))


def test_an_attachment_is_a_reference() -> None:
    """A file shows what a reference would point at."""
    book = Casebook().open()
    book.done(evidence(book, reference=NOTHING, attachment="ab" * 32))
    assert "ab" * 32 == book.case.evidence["rules", ""].attachment


def test_not_applicable_needs_an_open_condition_and_a_reason() -> None:
    """Where the fact is known there is nothing to answer; where it is not, somebody says why."""
    book = Casebook().open()
    plain = evidence(book, "relay", result=Result.NOT_APPLICABLE, reference=NOTHING)
    assert "evidence_refused" == book.refused(plain)
    book.done(evidence(book, "relay", result=Result.NOT_APPLICABLE, reference=NOTHING, note=WORDS))
    known = Casebook().open(facts={"on-premises-relay": True})
    assert "evidence_refused" == known.refused(evidence(known, "relay", result=Result.NOT_APPLICABLE))


def test_unknown_steps_and_persons_are_not_found() -> None:
    """A step of another playbook, a person of another case, and a step per person without a person."""
    book = Casebook().open()
    for name, about in (("none", ""), ("rules", ADA), ("password-reset", ""), ("password-reset", "sub_eve")):
        with pytest.raises(NotFoundError):
            book.do(evidence(book, name, about))


@pytest.mark.parametrize("result", [Result.NOT_MET, Result.UNABLE_TO_VERIFY])
def test_neither_not_met_nor_unable_to_verify_is_met(result: Result) -> None:
    """Only *met* closes a step (R7)."""
    book = Casebook().open().fulfil()
    assert ["evidence:recorded", "case:returned"] == book.record("rules", result=result)
    assert [result.value] == [
        item.reason.value for item in gate.missing(book.case, book.playbook, (Phase.VERIFY,), book.now)
    ]


def test_repeating_an_answer_confirms_it_and_keeps_the_digest() -> None:
    """Freshness moves on, the ground of a request does not."""
    book = Casebook().open().requested()
    digest = book.case.request.digest if book.case.request else ""
    assert ["evidence:confirmed"] == book.record("rules")
    assert State.UNBLOCK_REQUESTED is book.case.state
    rows = gate.evidence_set(book.case, book.playbook, book.now)
    assert digest == gate.evidence_digest(book.case, rows)


@pytest.mark.parametrize("changes", [{"before": WORDS}, {"after": OTHER_WORDS}, {"attachment": "cd" * 32}])
def test_another_value_is_another_answer(changes: dict[str, Any]) -> None:
    """A changed value voids the request that stands on the old one."""
    book = Casebook().open().requested()
    assert ["evidence:recorded", "unblock:voided"] == book.record("rules", **changes)


def test_confirming_a_recommended_step_is_no_work_of_the_gate() -> None:
    """Whoever answers what blocks nothing may still approve."""
    book = Casebook().open().fulfil()
    book.record("sent-mail", actor=BOB)
    assert ["evidence:confirmed"] == book.record("sent-mail", actor=BOB)
    book.done(act.RequestUnblock())
    book.done(act.ApproveUnblock(), BOB)


def test_an_alternative_stands_in_and_is_cited() -> None:
    """One of several ways is enough; the digest names which."""
    items = (
        Prerequisite(id="a", title="A", required_by=Phase.CONTAIN, about=About.IDENTITY, any_of=("gone", "b", "c")),
        Prerequisite(id="b", title="B", required_by=Phase.CLOSE, required=False, about=About.IDENTITY),
        Prerequisite(id="c", title="C", required_by=Phase.CLOSE, required=False),
    )
    book = Casebook(small(prerequisites=items)).open()
    book.record("c", result=Result.NOT_MET)
    assert "detected" == book.case.state.value
    book.record("c")
    assert "verified" == book.case.state.value
    rows = gate.evidence_set(book.case, book.playbook, book.now)
    assert [["a", ADA, "met:c", book.case.evidence["c", ""].leaf]] == rows
    book.record("b", ADA)
    assert "met:b" == gate.evidence_set(book.case, book.playbook, book.now)[0][2]


def test_nothing_recorded_is_nothing_to_retract() -> None:
    """A retraction names what stands, and says why."""
    book = Casebook().open()
    with pytest.raises(NotFoundError):
        book.do(act.RetractEvidence(prerequisite="rules", reason=WORDS))
    book.record("rules")
    with pytest.raises(InputError):
        book.do(act.RetractEvidence(prerequisite="rules"))


def test_an_exception_is_asked_by_one_and_granted_by_another() -> None:
    """It stands in for the answer until it expires."""
    book = Casebook().open()
    book.record("password-reset", ADA)
    book.record("sessions-revoked", ADA)
    book.done(asking(book))
    assert "same_person" == book.refused(act.ConfirmProposal(proposal=EXCEPTION), ANN)
    assert "not_permitted" == book.refused(act.ConfirmProposal(proposal=EXCEPTION), person("eve", Role.APPROVER))
    assert ["exception:granted", "case:verified"] == book.done(act.ConfirmProposal(proposal=EXCEPTION), BOB)
    assert "exception" == gate.evidence_set(book.case, book.playbook, book.now)[2][2]
    book.later(2 * DAY)
    assert ["exception:expired", "case:returned", "case:noted"] == book.done(act.AddNote(note=WORDS))
    found = gate.missing(book.case, book.playbook, (Phase.VERIFY,), book.now)
    assert ["exception-expired"] == [item.reason.value for item in found]
    assert "title" in found[0].to_data()


def test_an_exception_can_be_retracted() -> None:
    """Taking the accepted risk back reopens the step."""
    book = Casebook().open()
    book.done(asking(book))
    book.done(act.ConfirmProposal(proposal=EXCEPTION), BOB)
    book.done(act.RetractEvidence(prerequisite="rules", reason=WORDS))
    assert {} == book.case.acceptances


def test_some_steps_are_never_excepted() -> None:
    """The three that shut the attacker out have no exception, whatever a playbook says; nor have steps without one."""
    rule = ExceptionRule(Role.LEAD, DAY)
    items = (replace(SMALL.prerequisites[0], exception=rule, about=About.ENTITY), *SMALL.prerequisites[1:])
    book = Casebook(small(prerequisites=items)).open()
    assert "evidence_refused" == book.refused(asking(book, "password-reset"))
    assert "evidence_refused" == book.refused(asking(book, "relay"))


def test_an_exception_ends_within_what_the_playbook_allows() -> None:
    """Neither too far off nor already over."""
    book = Casebook().open()
    for span in (8 * DAY, -HOUR):
        action = act.AskException(prerequisite="rules", expires_at=book.now + span, reason=WORDS)
        assert "evidence_refused" == book.refused(action)


def test_an_exception_asked_under_another_playbook_may_have_none_now() -> None:
    """The playbook in force decides at the time of granting."""
    items = (replace(item, exception=None) for item in SMALL.prerequisites)
    strict = another(prerequisites=tuple(items))
    book = Casebook(SMALL, strict).open()
    book.done(asking(book))
    book.done(act.MovePlaybook(playbook=strict.digest, reason=WORDS))
    assert "evidence_refused" == book.refused(act.ConfirmProposal(proposal=EXCEPTION), BOB)


def test_a_linked_case_has_to_be_linked_few_and_contained() -> None:
    """The product itself judges whether the other case is contained."""
    items = (
        Prerequisite(
            id="admin",
            title="Admin",
            required_by=Phase.CONTAIN,
            check=Check.LINKED_CASE_CONTAINED,
            applies_if=(Condition.CONNECTOR_CHANGED,),
        ),
    )
    book = Casebook(small(prerequisites=items)).open()
    named = evidence(book, "admin", linked=("other",))
    assert "evidence_refused" == book.refused(named)
    book.done(act.LinkCase(case="other"))
    assert "evidence_refused" == book.refused(evidence(book, "admin"))
    assert "evidence_refused" == book.refused(named, ANN, {"other": State.DETECTED})
    with pytest.raises(InputError):
        book.do(evidence(book, "admin", linked=tuple("abcdefghijk")))
    book.done(evidence(book, "admin", linked=("other",)), ANN, {"other": State.CONTAINED})
    assert State.VERIFIED is book.case.state
    assert "gate_closed" == book.refused(act.RequestUnblock(), ANN, {"other": State.DETECTED})
    book.done(act.RequestUnblock(), ANN, {"other": State.VERIFIED})
    assert "gate_closed" == book.refused(act.ApproveUnblock(), BOB, {"other": State.DETECTED})


def test_a_condition_known_to_be_false_needs_no_answer() -> None:
    """It is cited by the entry that says so."""
    items = (
        Prerequisite(
            id="synced", title="S", required_by=Phase.CONTAIN, about=About.IDENTITY, applies_if=(Condition.SYNCED,)
        ),
        Prerequisite(id="hosted", title="H", required_by=Phase.CONTAIN, applies_if=(Condition.HOSTED,)),
    )
    book = Casebook(small(prerequisites=items)).open(facts={"hosted": False})
    book.done(act.AddIdentity(subject=ADA, facts={"synced": False}))
    assert State.VERIFIED is book.case.state
    rows = gate.evidence_set(book.case, book.playbook, book.now)
    assert [
        ["synced", ADA, "not-applicable:fact", book.case.identities[ADA].leaf],
        ["hosted", "", "not-applicable:fact", ""],
    ] == rows


def test_without_a_named_user_no_step_per_person_holds() -> None:
    """A step about nobody is open, for nobody."""
    book = Casebook().open(identities=())
    found = gate.missing(book.case, book.playbook, (Phase.CONTAIN,), book.now)
    assert {"no-identity"} == {item.reason.value for item in found}
    assert State.DETECTED is book.case.state
