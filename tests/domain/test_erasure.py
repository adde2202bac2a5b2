"""Who may erase an ended case and when, judged without storage."""

from __future__ import annotations

import pytest

from tests.domain.casebook import ANN, BOB, DAY, NOT_LISTED, WORDS, Casebook
from workflow.domain import actions as act
from workflow.domain.erasure import kept
from workflow.domain.replay import replay
from workflow.domain.vocabulary import Resolution, State
from workflow.errors import InputError, NotFoundError, RuleRefusedError


@pytest.fixture
def ended() -> Casebook:
    """A dismissed case."""
    book = Casebook()
    book.open()
    book.do(act.ObserveRestriction(status=NOT_LISTED, observed_at=book.now, reference=WORDS))
    book.do(act.DismissCase(resolution=Resolution.FALSE_POSITIVE, reason=WORDS))
    book.do(act.ConfirmProposal(proposal="dismissal"), BOB)
    return book


def test_a_retention_is_a_length_of_time(ended: Casebook) -> None:
    """Less than nothing would let an erasure through before the end."""
    with pytest.raises(InputError):
        ended.do(act.EraseCase(reason=WORDS, retention=-1))


@pytest.mark.parametrize("states", [None, {}, {"other": State.DETECTED}])
def test_a_named_case_counts_as_open_until_it_is_known_to_have_ended(
    ended: Casebook, states: dict[str, State] | None
) -> None:
    """Whoever names a case that speaks against it has to say that it ended."""
    step = ended.do(act.EraseCase(reason=WORDS, linked=("other",)), ANN, states)

    assert isinstance(step.error, RuleRefusedError)
    assert ended.do(act.EraseCase(reason=WORDS, linked=("other",)), ANN, {"other": State.CLOSED}).error is None
    assert replay(ended.entries, ended.playbooks)[1] is None


def test_the_longer_retention_counts(ended: Casebook) -> None:
    """Of the one when it was proposed and the one when it is confirmed."""
    ended.do(act.EraseCase(reason=WORDS))
    refused = ended.do(act.ConfirmProposal(proposal="erasure", retention=86400), BOB)
    ended.later(DAY)
    done = ended.do(act.ConfirmProposal(proposal="erasure", retention=86400), BOB)

    assert isinstance(refused.error, RuleRefusedError)
    assert ({"retention": 86400}, ended.now) == (done.records[-1].basis, ended.case.erased_at)
    with pytest.raises(NotFoundError, match="was erased"):
        ended.do(act.AddNote(note=WORDS))
    assert replay(ended.entries, ended.playbooks)[1] is None


def test_only_reasons_of_decisions_outlive_an_erasure(ended: Casebook) -> None:
    """Of a dismissal and of an erasure; not of a note, and not of what was refused."""
    ended.do(act.AddNote(note=WORDS))
    ended.do(act.ReopenCase(reason=WORDS))
    ended.do(act.DismissCase(resolution=Resolution.DUPLICATE, reason=WORDS, duplicate_of="other"))
    ended.do(act.RefuseProposal(proposal="dismissal", reason=WORDS), BOB)
    ended.do(act.RemoveIdentity(subject="sub_ada", reason=WORDS))

    assert {"proposal:made", "proposal:refused"} == {entry.type for entry in ended.entries if kept(entry)}
    assert {WORDS.commitment} == {kept(entry) for entry in ended.entries} - {""}
