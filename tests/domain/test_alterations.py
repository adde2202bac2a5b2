"""What others did to an account of a case: recorded once, explained by an intent of ours, and forged by nobody."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.domain.casebook import ADA, ANN, BOB, DAY, HOUR, NOT_LISTED, OTHER_WORDS, WORDS, Casebook
from workflow.domain import actions as act
from workflow.domain.alterations import explained_by, within
from workflow.domain.case import Case
from workflow.domain.lifecycle import possible
from workflow.domain.private import NOTHING
from workflow.domain.reconciliation import SKEW
from workflow.domain.record import SYSTEM, Entry
from workflow.domain.replay import Fault, replay
from workflow.domain.vocabulary import Alteration, Change, Made, State
from workflow.errors import InputError, NotFoundError

MINUTE = timedelta(minutes=1)
BOX = "sub_box"


def found(book: Casebook, **changes: Any) -> act.SeeChange:
    """Return what the log shows of an account: sign-in blocked, now."""
    fields: dict[str, Any] = {
        "alteration": Alteration.SIGN_IN_BLOCKED,
        "accounts": (BOX, ADA),
        "altered_at": book.now,
        "fingerprint": "ab" * 32,
        "reference": WORDS,
    }
    return act.SeeChange(**(fields | changes))


def intended(book: Casebook, made: Made | None = Made.DONE, **changes: Any) -> int:
    """Have Holdfast change something itself; returns the sequence of the intent."""
    fields: dict[str, Any] = {"change": Change.BLOCK_SIGN_IN, "about": ADA, "target": WORDS}
    book.done(act.IntendChange(**(fields | changes)), SYSTEM)
    sequence = max(book.case.changes)
    if made is not None:
        book.done(act.AnswerChange(intent=sequence, made=made, reference=WORDS, reason=WORDS), SYSTEM)
    return sequence


def told(book: Casebook, **changes: Any) -> list[str]:
    """Have Holdfast say what the log shows; returns the types of the entries that this is worth."""
    return book.done(found(book, **changes), SYSTEM)


def test_it_moves_nothing_and_is_no_evidence() -> None:
    """In whatever state the case is, and whoever did it: the case is as it was, but for what it knows of."""
    for book in (
        Casebook().open(),
        Casebook().open().fulfil(),
        Casebook().open().requested(),
        Casebook().open().approved(),
        Casebook().open().intended(),
        Casebook().open().released(),
    ):
        before = book.case
        assert ["change:seen"] == told(book, done_by=OTHER_WORDS)
        case, entry = book.case, book.entries[-1]
        assert ("", before.state, before.version) == (entry.state_after, case.state, case.version)
        assert (before.evidence, before.hands, before.approvals) == (case.evidence, case.hands, case.approvals)
        (seen,) = case.altered.values()
        assert (Alteration.SIGN_IN_BLOCKED, (BOX, ADA), entry.sequence) == (
            seen.alteration,
            seen.accounts,
            seen.sequence,
        )
        assert (Case().altered, None) == (before.altered, replay(book.entries, book.playbooks)[1])


def test_each_record_is_told_once() -> None:
    """By its fingerprint; another record of the same is another entry."""
    book = Casebook().open()
    assert ["change:seen"] == told(book)
    assert [] == told(book)
    assert ["change:seen"] == told(book, fingerprint="cd" * 32)


@pytest.mark.parametrize(
    ("own", "made", "shift", "explained"),
    [
        (True, Made.DONE, timedelta(0), True),
        (True, None, 30 * DAY, True),
        (True, Made.FAILED, timedelta(0), True),
        (True, Made.NOT_NEEDED, timedelta(0), False),
        (True, Made.DONE, -SKEW, True),
        (True, Made.DONE, SKEW - MINUTE, True),
        (True, Made.DONE, SKEW + 5 * MINUTE, False),
        (False, Made.DONE, timedelta(0), False),
    ],
)
def test_what_an_intent_of_ours_explains(own: bool, made: Made | None, shift: timedelta, explained: bool) -> None:  # noqa: FBT001 - columns of the table above
    """Done under our own name, near the intent or its answer, and not found needless; else it is somebody else's."""
    book = Casebook().open().later(HOUR)
    sequence = intended(book, made)
    at = book.case.changes[sequence].at + shift
    book.later(40 * DAY)
    assert ([] if explained else ["change:seen"]) == told(book, own=own, altered_at=at)
    assert (sequence if explained else 0) == explained_by(book.case, found(book, own=own, altered_at=at))


@pytest.mark.parametrize(
    ("changes", "explained"),
    [
        ({"alteration": Alteration.SIGN_IN_ALLOWED}, False),
        ({"accounts": (BOX,)}, False),
        ({"accounts": (ADA,)}, True),
    ],
)
def test_it_explains_that_change_of_that_account_alone(changes: dict[str, Any], explained: bool) -> None:  # noqa: FBT001 - a column of the table above
    """Another change of the account, and the same of another account of the case, are somebody else's."""
    book = Casebook().open()
    intended(book)
    assert ([] if explained else ["change:seen"]) == told(book, own=True, **changes)


def test_what_was_intended_for_the_mailbox_itself() -> None:
    """An intent about nobody in particular is about the restricted entity; giving back is another change."""
    book = Casebook().open()
    off = intended(book, change=Change.DISABLE_RULE, about="")
    assert [] == told(book, own=True, alteration=Alteration.RULE_OFF, accounts=(BOX,))
    assert ["change:seen"] == told(book, own=True, alteration=Alteration.RULE_ON, accounts=(BOX,))
    intended(book, change=Change.DISABLE_RULE, about="", undoes=off, reason=WORDS)
    assert [] == told(book, own=True, alteration=Alteration.RULE_ON, accounts=(BOX,), fingerprint="cd" * 32)


def test_a_new_password_explains_the_end_of_the_sessions() -> None:
    """A directory writes down both; ending them explains no new password."""
    book = Casebook().open()
    intended(book, change=Change.RESET_PASSWORD)
    assert [] == told(book, own=True, alteration=Alteration.SESSIONS_REVOKED)
    other = Casebook().open()
    intended(other, change=Change.REVOKE_SESSIONS)
    assert ["change:seen"] == told(other, own=True, alteration=Alteration.PASSWORD_SET)


def test_only_while_the_case_was_about_it() -> None:
    """From the restriction on, which may lie before the opening, until the case ended."""
    book = Casebook()
    book.open(restricted_at=book.now - HOUR)
    assert [] == told(book, altered_at=book.now - 2 * HOUR)
    assert ["change:seen"] == told(book, altered_at=book.now - 30 * MINUTE)
    assert not within(Case(), book.now)
    book.released().later(8 * DAY).record("sent-mail")
    book.done(act.CloseCase())
    ended = book.now
    book.later(DAY)
    assert [] == told(book, altered_at=book.now, fingerprint="cd" * 32)
    assert ["change:seen"] == told(book, altered_at=ended - HOUR, fingerprint="ef" * 32)
    assert State.CLOSED is book.case.state


def test_an_opening_of_today_about_an_older_case() -> None:
    """A case that came back is about its account from its first day on."""
    book = Casebook().open().released()
    first = book.case.opened_at
    assert first is not None
    book.later(DAY).done(act.ObserveRestriction(status=NOT_LISTED, observed_at=book.now, reference=WORDS))
    assert within(book.case, first)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"fingerprint": ""}, InputError),
        ({"fingerprint": "AB" * 32}, InputError),
        ({"accounts": ()}, NotFoundError),
        ({"accounts": ("sub_eve",)}, NotFoundError),
        ({"accounts": (ADA, "sub_eve")}, NotFoundError),
    ],
)
def test_what_is_of_no_record_or_of_nobody_here(changes: dict[str, Any], error: type[Exception]) -> None:
    """It is recorded nowhere."""
    book = Casebook().open()
    with pytest.raises(error):
        book.do(found(book, **changes), SYSTEM)


def test_what_is_refused() -> None:
    """Without the record that shows it, from the future, and from anybody but Holdfast itself."""
    book = Casebook().open()
    assert "evidence_refused" == book.refused(found(book, reference=NOTHING), SYSTEM)
    assert "evidence_refused" == book.refused(found(book, altered_at=book.now + DAY), SYSTEM)
    assert "not_permitted" == book.refused(found(book), ANN)
    assert "only Holdfast itself does that" in str(book.step.error)


def test_no_person_is_told_that_they_could() -> None:
    """What only Holdfast does is among nobody's possible steps."""
    assert "see-change" not in {name for state in State for name in possible(state)}


def _history() -> list[Entry]:
    """Return a history with a change by others in it, and one of ours that explains the next record."""
    book = Casebook().open().later(HOUR)
    intended(book)
    told(book, done_by=OTHER_WORDS, alteration=Alteration.PASSWORD_SET, own=True)
    return book.entries


HISTORY = _history()


def _judged(**changes: Any) -> Fault | None:
    last = HISTORY[-1]
    data = {**last.data, **changes.pop("data", {})}
    return replay([*HISTORY[:-1], last._replace(**({"data": data} | changes))], Casebook().playbooks)[1]


@pytest.mark.parametrize(
    "changes",
    [
        {"actor": ANN.to_data()},
        {"actor": BOB.to_data()},
        {"state_after": "released"},
        {"basis": {"required": True}},
        {"cites": ("ab" * 32,)},
        {"outcome": "refused"},
        {"data": {"accounts": ["sub_eve"]}},
        {"data": {"accounts": []}},
        {"data": {"alteration": "no-such"}},
        {"data": {"alteration": "sign-in-blocked"}},  # Done by ourselves, as its intent says.
        {"data": {"altered_at": "2020-01-01T00:00:00.000000Z"}},
        {"data": {"altered_at": "2036-01-01T00:00:00.000000Z"}},
        {"data": {"altered_at": "yesterday"}},
        {"data": {"fingerprint": "x"}},
        {"data": {"reference": {"commitment": ""}}},
        {"data": {"result": "met"}},
    ],
    ids=str,
)
def test_a_forged_one_is_named(changes: dict[str, Any]) -> None:
    """By a person, about somebody else, of another time, with anything beside it: no legal step explains it."""
    fault = _judged(**changes)
    assert fault is not None
    assert HISTORY[-1].sequence == fault.sequence


def test_the_same_record_twice_is_named() -> None:
    """A second entry of one record is one too many."""
    first = HISTORY[-1]
    again = first._replace(
        sequence=first.sequence + 1, prev=first.leaf, leaf="ee" * 32, request="again", state_before=first.state_before
    )
    assert _judged() is None
    fault = replay([*HISTORY, again], Casebook().playbooks)[1]
    assert fault is not None
    assert again.sequence == fault.sequence
