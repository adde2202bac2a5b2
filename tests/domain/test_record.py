"""Records, entries, actions and times survive the way to plain data and back."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.casebook import ANN, START, WORDS, Casebook
from workflow.domain import actions as act
from workflow.domain.case import Case
from workflow.domain.encoding import from_data, private_fields, to_data
from workflow.domain.history import fold
from workflow.domain.private import NOTHING, Private
from workflow.domain.record import SYSTEM, actor_from_data, clamp, time_from_text, time_to_text
from workflow.domain.vocabulary import Alteration, Answer, Method, Result

_MOMENT = st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - in UTC
_WORDS = st.sampled_from((NOTHING, WORDS))


@given(_MOMENT)
def test_times_have_one_spelling(moment: datetime) -> None:
    """Fixed width, UTC, and back."""
    text = time_to_text(moment)
    assert (27, moment) == (len(text), time_from_text(text))
    assert text == time_to_text(moment.astimezone(timezone(timedelta(hours=5))))


def test_times_of_other_zones_are_written_in_utc() -> None:
    """Five in the morning in Karachi is midnight."""
    moment = datetime(2026, 1, 2, 5, tzinfo=timezone(timedelta(hours=5)))
    assert "2026-01-02T00:00:00.000000Z" == time_to_text(moment)


def test_a_time_without_a_zone_is_refused() -> None:
    """Nobody knows what it means (R10)."""
    with pytest.raises(ValueError, match="zone"):
        time_to_text(START.replace(tzinfo=None))


def test_recorded_time_never_runs_backwards() -> None:
    """A clock that was set back is held where the newest entry stands, and said to be."""
    later = START + timedelta(seconds=1)
    assert (START, "ok") == clamp(START, None)
    assert (later, "ok") == clamp(later, START)
    assert (START, "ok") == clamp(START, START)
    assert (later, "clamped") == clamp(START, later)


@given(
    st.builds(
        act.RecordEvidence,
        prerequisite=st.text(max_size=5),
        about=st.text(max_size=5),
        result=st.sampled_from(Result),
        method=st.sampled_from(Method),
        observed_at=_MOMENT,
        reference=_WORDS,
        note=_WORDS,
        linked=st.lists(st.text(max_size=3), max_size=2).map(tuple),
    )
    | st.builds(act.AddIdentity, subject=st.text(max_size=5), facts=st.dictionaries(st.text(max_size=3), st.booleans()))
    | st.builds(
        act.SeeChange,
        alteration=st.sampled_from(Alteration),
        accounts=st.lists(st.text(max_size=3), max_size=2).map(tuple),
        altered_at=_MOMENT,
        fingerprint=st.text(max_size=3),
        own=st.booleans(),
        done_by=_WORDS,
    )
    | st.builds(act.RecordAnswer, answer=st.sampled_from(Answer), reference=_WORDS)
    | st.builds(act.LabelCase, add=st.lists(st.text(max_size=3), max_size=2).map(tuple))
    | st.builds(act.ApproveUnblock, seen_version=st.none() | st.integers(0, 99), reason=_WORDS)
)
def test_an_action_is_rebuilt_from_its_entry(action: act.Action) -> None:
    """What an entry keeps of an action is all of it."""
    data = to_data(action)
    assert action == from_data(action.name, data)
    assert data == to_data(from_data(action.name, data))


def test_the_texts_of_an_action_are_found_by_field() -> None:
    """So that the faces' words can be sealed before they reach an entry."""
    text = Private(text="see ticket")
    action = act.RecordEvidence(prerequisite="rules", observed_at=START, reference=text, note=WORDS)
    assert {"reference": text, "note": WORDS} == private_fields(action)


def test_actors_are_rebuilt_from_their_entries() -> None:
    """A person and the machine."""
    for actor in (ANN, SYSTEM):
        assert actor == actor_from_data(actor.to_data())


def test_a_copy_of_a_case_is_independent() -> None:
    """Carrying the copy forward leaves the original as it was, field by field."""
    case = Casebook().open().requested().case
    other = case.copy()
    assert case == other
    for item in fields(Case):
        value = getattr(other, item.name)
        if isinstance(value, dict):
            value["x"] = "y"
            assert value != getattr(case, item.name)


def test_a_fold_goes_on_from_where_it_stopped() -> None:
    """In one go or in two, the case is the same; the first half is not changed by the second."""
    book = Casebook().open().released()
    half = fold(book.entries[:5])
    before = half.copy()
    assert book.case == fold(book.entries[5:], half)
    assert before == half


def test_a_fold_refuses_what_cannot_have_been_written() -> None:
    """An answer to no attempt, an unknown state: the entries are not ours."""
    book = Casebook().open().intended()
    book.done(act.RecordAnswer(answer=Answer.DONE))
    answer = book.entries[-1]
    with pytest.raises(ValueError, match="attempt"):
        fold([book.entries[0], answer])
    with pytest.raises(ValueError, match="adrift"):
        fold([book.entries[0]._replace(state_after="adrift")])
