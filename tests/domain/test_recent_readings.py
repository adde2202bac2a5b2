"""An unblock is requested, approved and started on what a provider read within five minutes (R6)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.domain.casebook import ADA, ANN, BOB, DAY, HOUR, SMALL, WORDS, Casebook, pinned
from tests.domain.cast import LEAD
from workflow.domain import actions as act
from workflow.domain.playbook import Condition
from workflow.domain.readings import READ_WITHIN, read_before
from workflow.domain.record import SYSTEM
from workflow.domain.vocabulary import Method, Result, State
from workflow.errors import OldReadingsError

OLD = "readings_old"


def checked(book: Casebook, result: Result = Result.MET) -> None:
    """Record that the rules were read now."""
    book.record("rules", actor=SYSTEM, method=Method.CHECKED, result=result)


def verified(*facts: Condition) -> Casebook:
    """Return a verified case whose rules were read by a provider a minute ago."""
    book = Casebook().open(facts={"on-premises-relay": False} | dict.fromkeys(facts, True))
    book.record("password-reset", ADA)
    book.record("sessions-revoked", ADA)
    checked(book)
    assert State.VERIFIED is book.case.state
    return book


def test_each_of_the_three_steps_wants_recent_readings() -> None:
    """Request, approval and intent are refused on older ones, which is an entry, and pass once it was read again."""
    book = verified()
    for action, actor in ((act.RequestUnblock(), ANN), (act.ApproveUnblock(), BOB), (act.IntendUnblock(), ANN)):
        book.later(READ_WITHIN)
        assert OLD == book.refused(action, actor)
        error = book.step.error
        assert isinstance(error, OldReadingsError)
        assert {"prerequisites": ["rules"]} == error.details()
        assert "action:refused" == book.entries[-1].type
        checked(book)
        book.done(action, actor)
    assert book.case.open_attempt is not None


def test_reading_the_same_again_keeps_request_and_approval() -> None:
    """A confirmation extends the reading and leaves the digest alone."""
    book = verified()
    book.done(act.RequestUnblock())
    digest = book.case.request and book.case.request.digest
    book.later(HOUR)
    checked(book)
    assert book.case.request is not None
    assert digest == book.case.request.digest


def test_five_minutes_are_recent_and_no_more() -> None:
    """The limit itself still counts."""
    book = verified()
    read_at = book.case.evidence["rules", ""].observed_at
    assert [] == list(read_before(book.case, SMALL, read_at + READ_WITHIN))
    later = read_at + READ_WITHIN + timedelta(microseconds=1)
    assert [("rules", "")] == [(item.id, about) for item, about in read_before(book.case, SMALL, later)]


def test_what_a_person_attests_keeps_its_own_freshness() -> None:
    """Where the tenant cannot be read any more, somebody's word does instead."""
    book = verified()
    book.later(HOUR)
    assert OLD == book.refused(act.RequestUnblock())
    book.record("rules")
    book.later(HOUR)
    book.done(act.RequestUnblock())


def test_actions_taken_do_not_grow_old() -> None:
    """A password reset that was read from the tenant stays what it is."""
    book = Casebook().open(facts={"on-premises-relay": False})
    for name in ("password-reset", "sessions-revoked"):
        book.record(name, ADA, actor=SYSTEM, method=Method.CHECKED)
    book.record("rules")
    book.later(HOUR)
    book.done(act.RequestUnblock())


def test_an_accepted_risk_needs_no_reading() -> None:
    """What was read is not met, and the risk of it accepted: there is nothing to read again."""
    book = verified()
    checked(book, Result.NOT_MET)
    book.done(act.AskException(prerequisite="rules", expires_at=book.now + DAY, reason=WORDS))
    book.done(act.ConfirmProposal(proposal="exception:rules"), LEAD)
    book.later(HOUR)
    assert [] == list(read_before(book.case, SMALL, book.now))
    book.done(act.RequestUnblock())


@pytest.mark.parametrize("method", Method)
def test_an_alternative_is_read_again_too(method: Method) -> None:
    """Where another prerequisite carries this one, it is its reading that has to be recent."""
    rules = SMALL.get("rules")
    assert rules is not None
    other = replace(rules, id="rules-elsewhere", required=False, exception=None)
    items = tuple(replace(item, any_of=("rules-elsewhere",)) if item is rules else item for item in SMALL.prerequisites)
    playbook = pinned(replace(SMALL, prerequisites=(*items, other)))
    book = Casebook(playbook).open(facts={"on-premises-relay": False})
    book.record("password-reset", ADA)
    book.record("sessions-revoked", ADA)
    book.record("rules-elsewhere", actor=SYSTEM if method is Method.CHECKED else ANN, method=method)
    book.later(HOUR)
    expected = [("rules", "")] if method is Method.CHECKED else []
    assert expected == [(item.id, about) for item, about in read_before(book.case, playbook, book.now)]


def test_what_does_not_apply_is_not_read() -> None:
    """A reading that the facts have made needless since is no matter."""
    rules = SMALL.get("rules")
    assert rules is not None
    conditional = replace(rules, applies_if=(Condition.HOSTED,))
    items = tuple(conditional if item is rules else item for item in SMALL.prerequisites)
    playbook = pinned(replace(SMALL, prerequisites=items))
    book = Casebook(playbook).open(facts={"on-premises-relay": False, "hosted": True})
    checked(book)
    book.later(DAY / 2)
    assert ["rules"] == [item.id for item, _ in read_before(book.case, playbook, book.now)]
    book.case.facts["hosted"] = False
    assert [] == list(read_before(book.case, playbook, book.now))
