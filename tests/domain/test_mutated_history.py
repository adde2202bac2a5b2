"""Replay names the entry at which a history stops being legal, whatever was done to it."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from tests.domain.casebook import (
    ADA,
    ANN,
    BOB,
    CASE,
    DAY,
    LISTED,
    NOT_LISTED,
    OTHER_WORDS,
    SMALL,
    WORDS,
    Casebook,
    another,
)
from workflow.domain import actions as act
from workflow.domain.access import PERMITTED
from workflow.domain.record import SYSTEM
from workflow.domain.replay import Fault, replay
from workflow.domain.vocabulary import Alteration, Result, Role

if TYPE_CHECKING:
    from collections.abc import Callable

    from workflow.domain.record import Entry

BOOKS = {item.digest: item for item in (SMALL, another())}


def _history() -> list[Entry]:
    """Work one case through nearly everything, with two recurrences."""
    book = Casebook(SMALL, another()).open(facts={"on-premises-relay": True})
    book.refused(act.RequestUnblock())
    book.done(act.AddNote(note=WORDS))
    book.done(
        act.SeeChange(
            alteration=Alteration.RULE_SET,
            accounts=(ADA,),
            altered_at=book.now,
            fingerprint="ab" * 32,
            own=True,
            done_by=WORDS,
            reference=WORDS,
        ),
        SYSTEM,
    )
    book.record("rules", result=Result.NOT_MET)
    book.done(act.AskException(prerequisite="rules", expires_at=book.now + 6 * DAY, reason=WORDS), ANN)
    book.done(act.ConfirmProposal(proposal="exception:rules"), BOB)
    book.fulfil()
    book.record("rules")
    book.done(act.RetractEvidence(prerequisite="rules", reason=WORDS))
    book.record("rules")
    book.done(act.MovePlaybook(playbook=another().digest, reason=WORDS))
    book.done(act.RequestUnblock())
    book.refused(act.ApproveUnblock(), ANN)
    book.done(act.LabelCase(add=("wave",)))
    book.done(act.RejectRequest(reason=WORDS), BOB)
    book.done(act.RequestUnblock())
    book.later(DAY).done(act.AddNote(note=WORDS))
    book.observe(NOT_LISTED)
    book.observe(LISTED)
    book.released()
    book.later(8 * DAY).record("sent-mail")
    book.done(act.CloseCase())
    book.done(act.ReopenCase(reason=WORDS))
    book.intended() if book.case.absent_at is None else book.fulfil()
    return book.entries


HISTORY = _history()
STATES = ("", "detected", "contained", "verified", "unblock_requested", "released", "dismissed", "closed")


def judge(entries: list[Entry]) -> Fault | None:
    """Return what replay finds."""
    return replay(entries, BOOKS)[1]


def test_the_history_itself_is_legal() -> None:
    """What the product wrote replays, and holds enough to be worth mutating."""
    assert judge(HISTORY) is None
    assert len({entry.type for entry in HISTORY}) > 20


def _numbers() -> range:
    return range(len(HISTORY))


def test_a_dropped_entry_is_missed_where_it_stood() -> None:
    """The next entry is named; only the end of a history can go unnoticed, which the ledger's own proof covers."""
    for number in _numbers():
        fault = judge(HISTORY[:number] + HISTORY[number + 1 :])
        last_of_commit = number == len(HISTORY) - 1
        if last_of_commit and HISTORY[number].action:
            assert fault is None
        else:
            assert fault is not None
            assert fault.sequence in {number, number + 1}


def test_a_repeated_entry_is_named() -> None:
    """An entry stands once."""
    for number in _numbers():
        fault = judge([*HISTORY[: number + 1], HISTORY[number], *HISTORY[number + 1 :]])
        assert fault is not None
        assert number + 2 == fault.sequence


def test_swapped_entries_are_named() -> None:
    """Order comes from the ledger: the first of the two that stands where it does not belong is named."""
    for number in range(len(HISTORY) - 1):
        swapped = HISTORY.copy()
        swapped[number], swapped[number + 1] = swapped[number + 1], swapped[number]
        fault = judge(swapped)
        assert fault is not None
        # Where a commit was torn, the entry after which its conclusion is missing is named.
        assert fault.sequence in {number, number + 1, number + 2}


def _renumbered(entries: list[Entry]) -> list[Entry]:
    """Give a forged history faultless numbers and links, as a forger with the file in hand would."""
    found: list[Entry] = []
    for number, entry in enumerate(entries, start=1):
        prev = found[-1].leaf if found else ""
        found.append(entry._replace(sequence=number, prev=prev))
    return found


def _approval() -> Entry:
    return next(entry for entry in HISTORY if entry.type == "unblock:approved")


def _release() -> Entry:
    return next(entry for entry in HISTORY if entry.type == "case:released")


def _opening() -> Entry:
    return HISTORY[0]


@pytest.mark.parametrize("forged", [_approval, _release, _opening])
def test_a_forged_decision_is_named_where_it_was_put_in(forged: Callable[[], Entry]) -> None:
    """An approval, a release or a second opening is legal nowhere but where it happened."""
    for number in range(1, len(HISTORY)):
        last = HISTORY[number - 1]
        put_in = forged()._replace(
            leaf="ee" * 32,
            request=f"forged-{number}",
            recorded_at=last.recorded_at,
            state_before=HISTORY[number].state_before,
            recurrence=last.recurrence,
            playbook=HISTORY[number].playbook,
        )
        entries = _renumbered([*HISTORY[:number], put_in, *HISTORY[number:]])
        fault = judge(entries)
        assert fault is not None
        # Put in among the entries of one commit, it tears that commit: the last entry before the tear is named.
        torn = HISTORY[number].request == last.request
        assert fault.sequence in ({number, number + 1} if torn else {number + 1})


def _with(number: int, **changes: Any) -> list[Entry]:
    return [*HISTORY[:number], HISTORY[number]._replace(**changes), *HISTORY[number + 1 :]]


def _assert_named(number: int, fault: Fault | None) -> None:
    """A change is named at its entry, or at the first of the commit whose judgement it changes."""
    assert fault is not None
    commit = [entry.sequence for entry in HISTORY if entry.request == HISTORY[number].request]
    assert fault.sequence in commit
    assert fault.sequence <= number + 1


@pytest.mark.parametrize("state", STATES)
def test_a_changed_state_is_named(state: str) -> None:
    """States follow from what was recorded; none is written by hand."""
    for number in _numbers():
        if state != HISTORY[number].state_after:
            fault = judge(_with(number, state_after=state))
            assert fault is not None
            assert number + 1 == fault.sequence
        if state != HISTORY[number].state_before:
            fault = judge(_with(number, state_before=state))
            assert fault is not None
            assert number + 1 == fault.sequence


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "case:released"},
        {"type": "unblock:approved"},
        {"type": "no:such"},
        {"outcome": "superb"},
        {"recurrence": 7},
        {"playbook": "ff" * 32},
        {"cites": ("ff" * 32,)},
        {"basis": {"forged": True}},
        {"action": "approve"},
        {"action": "no-such-verb"},
        {"data": {"forged": True}},
        {"data": {}},
        {"data": None},
        {"basis": {"linked": {"x": "nowhere"}}},
        {"tenant": "another"},
        {"sequence": 99},
        {"prev": "ff" * 32},
        {"recorded_at": "2026-11-24T07:00:00.000000Z"},
        {"recorded_at": "9999-12-31T23:59:59.999999Z"},
        {"recorded_at": "yesterday"},
        {"actor": SYSTEM.to_data() | {"id": "mallory"}},
        {"actor": {}},
        {"actor": None},
        {"actor": ANN.to_data() | {"identities": [ADA]}},
    ],
    ids=str,
)
def test_a_changed_member_is_named(changes: dict[str, Any]) -> None:
    """Whatever member of an entry is changed to something else, that entry is named (or its commit's judgement)."""
    for number in _numbers():
        entry = HISTORY[number]
        if all(getattr(entry, name) == value for name, value in changes.items()):
            continue
        if _stays_legal(number, changes):
            continue
        fault = judge(_with(number, **changes))
        if "recorded_at" in changes and changes["recorded_at"] > entry.recorded_at and fault is not None:
            assert fault.sequence <= number + 2
            continue
        _assert_named(number, fault)


def _stays_legal(number: int, changes: dict[str, Any]) -> bool:
    """Say whether the change tells another history that is just as legal, which no replay can tell from the true one.

    That is so only where the time of the very last step is moved on, and where another actor would have got as far;
    the ledger's proof covers what was written.
    """
    last = number == len(HISTORY) - 1
    # Somebody else may have opened the case, and what was refused to one is refused to another for the same reason.
    entry = HISTORY[number]
    another = number == 0 or entry.outcome != "done"
    if "mallory" in str(changes) and entry.action:
        # A machine may record facts as well as a person.
        another = another or Role.SYSTEM in PERMITTED[act.ACTIONS[entry.action]]
    return ("recorded_at" in changes and last) or ("actor" in changes and bool(changes["actor"]) and another)


def _others() -> list[tuple[int, str, Any]]:
    """Change every value inside data and basis, one at a time."""
    found = []
    for number, entry in enumerate(HISTORY):
        for part in ("data", "basis"):
            for key, value in getattr(entry, part).items():
                changed = copy.deepcopy(getattr(entry, part))
                changed[key] = _other(value)
                found.append((number, part, changed))
    return found


def _other(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, list):
        return [*value, "ff"]
    if isinstance(value, dict):
        return {"commitment": OTHER_WORDS.commitment} if "commitment" in value else value | {"synced": False}
    return value + "x" if not value.endswith("Z") else "2026-11-01T00:00:00.000000Z"


def test_every_value_of_the_decision_itself_is_held() -> None:
    """What the domain derived is wrong when it is changed; what people said may be different and still legal.

    Another reference, another note or another number is another true history as far as rules go: the entry's hash
    holds those. Every other change is named.
    """
    said = {
        "reference", "note", "reason", "number", "tenant", "entity", "label", "attachment", "fingerprint", "relation",
        "identities", "expires_at", "observed_at", "facts", "restricted_at", "add", "done_by", "own",
    }  # fmt: skip
    silent = set()
    for number, part, changed in _others():
        if judge(_with(number, **{part: changed})) is None:
            key = next(key for key in changed if changed[key] != getattr(HISTORY[number], part)[key])
            silent.add((part, key))
    assert {("data", key) for _, key in silent} == silent
    assert set() == {key for _, key in silent} - said


def test_entries_without_a_request_key_are_judged_by_their_times() -> None:
    """An empty idempotency key does not glue commits together."""
    bare = [entry._replace(request="") for entry in HISTORY]
    assert judge(bare) is None


def test_a_history_under_unknown_playbooks_is_not_legal() -> None:
    """Without the playbook in force no step can be judged."""
    _, fault = replay(HISTORY, {})
    assert fault is not None
    assert (CASE, 1) == (fault.case, fault.sequence)


def test_settling_alone_is_a_commit() -> None:
    """What lapsed may be written down by nobody's action; what did not lapse may not."""
    book = Casebook(SMALL, another()).open().approved()
    legal = book.entries.copy()
    book.later(2 * DAY).done(act.AddNote(note=WORDS))
    drawn = [entry._replace(request="settled") for entry in book.entries[len(legal) : -1]]
    assert judge([*legal, *drawn]) is None
    early = [entry._replace(recorded_at=legal[-1].recorded_at) for entry in drawn]
    fault = judge([*legal, *early])
    assert fault is not None
    assert len(legal) + 1 == fault.sequence


def test_a_cut_commit_is_named() -> None:
    """Conclusions belong to the commit of the fact they follow from."""
    book = Casebook().open().fulfil()
    assert "case:verified" == book.entries[-3].type or "case:verified" in {entry.type for entry in book.entries}
    cut = next(number for number, entry in enumerate(book.entries) if entry.type == "case:verified")
    _, fault = replay(book.entries[:cut], book.playbooks)
    assert fault is not None
    assert cut == fault.sequence
    assert "missing" in fault.why
