"""Requests, approvals, intents, answers and ends: who may, when, and on which picture."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.domain.casebook import (
    ADA,
    ANN,
    BOB,
    CAT,
    DAN,
    DAY,
    HOUR,
    NOT_LISTED,
    SMALL,
    TEMPORARY,
    UNKNOWN,
    WORDS,
    Casebook,
    another,
    person,
    small,
)
from workflow.domain import actions as act
from workflow.domain.lifecycle import advance, possible, refuse
from workflow.domain.moves import loosened
from workflow.domain.picture import picture
from workflow.domain.playbook import About, Check, Condition, ExceptionRule, Playbook, Prerequisite, Team
from workflow.domain.record import SYSTEM
from workflow.domain.replay import replay
from workflow.domain.restriction import Source
from workflow.domain.vocabulary import Answer, Kind, Phase, Resolution, Role, State
from workflow.errors import (
    HoldfastError,
    InputError,
    NotFoundError,
    PendingError,
    RuleRefusedError,
    SamePersonError,
)


def test_a_decision_on_an_old_picture_is_refused() -> None:
    """The version or the evidence has moved on since it was shown (R3)."""
    book = Casebook().open().fulfil()
    assert "conflict" == book.refused(act.RequestUnblock(seen_version=1))
    assert "conflict" == book.refused(act.RequestUnblock(seen_digest="00" * 32))
    book.done(act.RequestUnblock(seen_version=book.case.version))
    digest = book.case.request.digest if book.case.request else ""
    book.done(act.ApproveUnblock(seen_digest=digest), BOB)


def test_a_bulk_approval_says_how_many_were_approved_with_it() -> None:
    """The entry carries the number, the case keeps it, and it replays; fewer than none is no number of cases."""
    book = Casebook().open().requested()
    with pytest.raises(InputError, match="how many"):
        book.do(act.ApproveUnblock(bulk=-1), BOB)
    book.done(act.ApproveUnblock(bulk=300), BOB)
    assert 300 == book.entries[-1].data["bulk"]
    assert [300] == [item.bulk for item in book.case.approvals]
    assert replay(book.entries, book.playbooks)[1] is None


def test_roles_permit() -> None:
    """An auditor reads, an analyst does not approve, and automation approves nothing whatever its roles."""
    book = Casebook().open().requested()
    assert "not_permitted" == book.refused(act.AddNote(note=WORDS), person("eve", Role.AUDITOR))
    assert "not_permitted" == book.refused(act.ApproveUnblock(), person("eve", Role.ANALYST))
    assert "not_permitted" == book.refused(act.ApproveUnblock(), SYSTEM)
    assert "same_person" == book.refused(act.ApproveUnblock(), person("robot", Role.SYSTEM, Role.APPROVER))


def test_whoever_names_the_users_when_opening_does_not_approve() -> None:
    """The work is asked of those who were named, and of nobody who was left out."""
    opener = person("cat", Role.APPROVER)
    book = Casebook().open(named=True, actor=opener).requested()
    assert "same_person" == book.refused(act.ApproveUnblock(), opener)
    book = Casebook().open(actor=opener).requested()
    book.done(act.ApproveUnblock(), opener)


@pytest.mark.parametrize("named", [False, True])
def test_nobody_opens_a_case_of_their_own(*, named: bool) -> None:
    """Whoever the case is about would say from when on evidence counts, and whose the work is."""
    own = person("mallory", identities=("sub_box",))
    with pytest.raises(SamePersonError, match="your own account"):
        Casebook().open(named=named, actor=own)


def test_two_approvals_are_two_people_of_another_team() -> None:
    """And the intent waits for both."""
    book = Casebook(small(approvals=2, approval_team=Team.OTHER)).open().requested()
    assert "same_person" == book.refused(act.ApproveUnblock(), person("zoe", team="blue"))
    book.done(act.ApproveUnblock(), BOB)
    assert "same_person" == book.refused(act.ApproveUnblock(), BOB)
    assert "refused" == book.refused(act.IntendUnblock())
    book.done(act.ApproveUnblock(), DAN)
    book.done(act.IntendUnblock(), SYSTEM)


def test_an_approval_lapses() -> None:
    """After ``approval_within`` it has to be given again."""
    items = tuple(replace(item, fresh_within=None) for item in SMALL.prerequisites)
    book = Casebook(small(prerequisites=items, approval_within=HOUR)).open().approved().later(HOUR)
    assert ["approval:lapsed", "action:refused"] == [item.type for item in book.do(act.IntendUnblock()).records]
    assert State.UNBLOCK_REQUESTED is book.case.state
    book.done(act.ApproveUnblock(), BOB)


def test_a_request_is_withdrawn_by_its_author_or_a_lead() -> None:
    """Others reject it, with a reason."""
    book = Casebook().open().requested()
    assert "same_person" == book.refused(act.WithdrawRequest(), person("eve", Role.ANALYST))
    book.done(act.WithdrawRequest(), person("leo", Role.LEAD))
    book.done(act.RequestUnblock())
    with pytest.raises(InputError):
        book.do(act.RejectRequest(), BOB)
    assert ["unblock:rejected"] == book.done(act.RejectRequest(reason=WORDS), BOB)
    book.done(act.RequestUnblock())
    assert ["unblock:withdrawn"] == book.done(act.WithdrawRequest(), ANN)
    assert State.VERIFIED is book.case.state


@pytest.mark.parametrize(
    "ends", [act.WithdrawRequest(), act.RejectRequest(reason=WORDS), act.RecordAnswer(answer=Answer.FAILED)]
)
def test_a_request_that_ends_beside_a_linked_case_that_fell_back_replays(ends: act.Action) -> None:
    """Where it leads depends on the linked case's state, so its entry keeps that state."""
    relay = Prerequisite(id="relay", title="x", required_by=Phase.VERIFY, check=Check.LINKED_CASE_CONTAINED)
    book = Casebook(small(prerequisites=(*small().prerequisites[:2], relay))).open()
    book.done(act.LinkCase(case="other"))
    held, fallen = {"other": State.CONTAINED}, {"other": State.DETECTED}
    for name in ("password-reset", "sessions-revoked"):
        book.record(name, ADA)
    reading = act.RecordEvidence(prerequisite="relay", observed_at=book.now, reference=WORDS, linked=("other",))
    book.done(reading, ANN, held)
    book.done(act.RequestUnblock(), ANN, held)
    if isinstance(ends, act.RecordAnswer):
        book.done(act.ApproveUnblock(), BOB, held)
        book.done(act.IntendUnblock(), ANN, held)
    book.done(ends, BOB if isinstance(ends, act.RejectRequest) else ANN, fallen)
    assert replay(book.entries, book.playbooks)[1] is None


def test_what_is_under_way_is_not_repeated_nor_taken_back() -> None:
    """Repeating says that it is pending and writes nothing; taking back comes too late."""
    book = Casebook().open().intended()
    before = len(book.entries)
    for action in (act.IntendUnblock(), act.ApproveUnblock()):
        with pytest.raises(PendingError):
            book.do(action, BOB)
    assert before == len(book.entries)
    assert "wrong_state" == book.refused(act.WithdrawRequest())
    assert "wrong_state" == book.refused(act.MovePlaybook(playbook=SMALL.digest, reason=WORDS))


@pytest.mark.parametrize("answer", [Answer.FAILED, Answer.SUPPORT])
def test_a_failed_attempt_goes_back_and_needs_a_new_approval(answer: Answer) -> None:
    """The conclusion that still holds, no request, no approvals."""
    book = Casebook().open().intended()
    book.done(act.RecordAnswer(answer=Answer.DONE))
    assert State.UNBLOCK_REQUESTED is book.case.state
    book.done(act.RecordAnswer(answer=answer))
    assert (State.VERIFIED, None, ()) == (book.case.state, book.case.request, book.case.approvals)
    assert "wrong_state" == book.refused(act.RecordAnswer(answer=Answer.DONE))
    book.done(act.RequestUnblock())
    for late in Answer:
        assert "wrong_state" == book.refused(act.RecordAnswer(answer=late))


def test_freshness_is_frozen_by_the_intent_and_owed_before_close() -> None:
    """What lapses during the wait holds up the close, not the release."""
    book = Casebook().open().intended().later(2 * DAY)
    book.observe(NOT_LISTED)
    assert State.RELEASED is book.case.state
    book.later(8 * DAY).record("sent-mail")
    assert "gate_closed" == book.refused(act.CloseCase())
    book.record("rules")
    assert ["case:closed"] == book.done(act.CloseCase())
    assert Resolution.RELEASED is book.case.resolution


def test_a_case_is_watched_before_it_closes() -> None:
    """Seven days by default, and recommended steps are answered by then."""
    book = Casebook().open().released()
    assert "refused" == book.refused(act.CloseCase())
    book.later(8 * DAY)
    assert "gate_closed" == book.refused(act.CloseCase())


def test_a_restricted_case_closes_only_knowingly() -> None:
    """Left restricted for good: that is said, with a reason."""
    book = Casebook().open().fulfil()
    book.record("sent-mail")
    assert "refused" == book.refused(act.CloseCase())
    with pytest.raises(InputError):
        book.do(act.CloseCase(resolution=Resolution.NOT_UNBLOCKED))
    book.done(act.CloseCase(resolution=Resolution.NOT_UNBLOCKED, reason=WORDS))
    assert Resolution.NOT_UNBLOCKED is book.case.resolution


def test_a_user_without_a_restriction_is_closed_when_verified() -> None:
    """Nothing is released, and the default says so; a restricted user is no such case."""
    book = Casebook().open(kind=Kind.USER, entity=ADA, status=UNKNOWN, source=Source.PORTAL).fulfil()
    book.record("sent-mail")
    book.done(act.CloseCase())
    assert Resolution.NOT_UNBLOCKED is book.case.resolution
    restricted = Casebook().open(kind=Kind.USER, entity=ADA).fulfil()
    restricted.record("sent-mail")
    assert "refused" == restricted.refused(act.CloseCase(resolution=Resolution.FALSE_POSITIVE))


def test_a_dismissal_takes_two_people_a_reason_and_an_absence() -> None:
    """A false positive that is still restricted is released instead."""
    book = Casebook().open()
    false_positive = act.DismissCase(resolution=Resolution.FALSE_POSITIVE, reason=WORDS)
    assert "refused" == book.refused(false_positive)
    with pytest.raises(InputError):
        book.do(act.DismissCase(resolution=Resolution.RELEASED, reason=WORDS))
    book.observe(NOT_LISTED)
    book.done(false_positive)
    assert "wrong_state" == book.refused(false_positive)
    assert "same_person" == book.refused(act.ConfirmProposal(proposal="dismissal"))
    assert ["case:dismissed"] == book.done(act.ConfirmProposal(proposal="dismissal"), BOB)
    assert "wrong_state" == book.refused(act.RecordEvidence(prerequisite="rules", observed_at=book.now))
    book.done(act.ReopenCase(reason=WORDS))
    assert (State.DETECTED, 2) == (book.case.state, book.case.recurrence)


def test_a_dismissal_that_is_no_longer_possible_is_not_confirmed() -> None:
    """The restriction became unknown in between."""
    book = Casebook().open()
    book.observe(NOT_LISTED)
    book.done(act.DismissCase(resolution=Resolution.EXPECTED_ACTIVITY, reason=WORDS))
    book.observe(UNKNOWN)
    assert "refused" == book.refused(act.ConfirmProposal(proposal="dismissal"), BOB)


@pytest.mark.parametrize("other", ["", "self"])
def test_a_duplicate_names_the_other_case(other: str) -> None:
    """Not none, and not itself."""
    book = Casebook().open()
    name = book.case.id if other == "self" else other
    with pytest.raises(InputError):
        book.do(act.DismissCase(resolution=Resolution.DUPLICATE, duplicate_of=name, reason=WORDS))
    book.done(act.DismissCase(resolution=Resolution.DUPLICATE, duplicate_of="other", reason=WORDS))
    book.done(act.ConfirmProposal(proposal="dismissal"), BOB)


def test_a_proposal_is_refused_by_its_author_or_an_approver() -> None:
    """And nothing can be refused that does not stand."""
    book = Casebook().open()
    with pytest.raises(NotFoundError):
        book.do(act.RefuseProposal(proposal="playbook"))
    book.done(act.AskException(prerequisite="rules", expires_at=book.now + DAY, reason=WORDS))
    refusal = act.RefuseProposal(proposal="exception:rules")
    assert "not_permitted" == book.refused(refusal, person("eve", Role.ANALYST))
    book.done(refusal, BOB)
    assert {} == book.case.proposals


def test_an_ended_case_reopens_undated_as_it_was() -> None:
    """What began it is still what began it."""
    book = Casebook().open(restricted_at=None, source=Source.BOUNCE, status=TEMPORARY)
    began = book.case.boundary
    book.done(act.DismissCase(resolution=Resolution.DUPLICATE, duplicate_of="other", reason=WORDS))
    book.done(act.ConfirmProposal(proposal="dismissal"), BOB)
    book.done(act.ReopenCase(reason=WORDS))
    assert (began, None) == (book.case.boundary, book.case.restricted_at)


def test_a_move_to_a_stricter_playbook_is_made_at_once() -> None:
    """Nothing falls away, so one person is enough; a request on the old one is void."""
    stricter = another(approvals=2)
    book = Casebook(SMALL, stricter).open().requested()
    move = act.MovePlaybook(playbook=stricter.digest, reason=WORDS)
    assert ["playbook:moved", "unblock:voided"] == book.done(move)
    assert stricter.digest == book.case.playbook


def test_a_move_that_asks_less_takes_two_people() -> None:
    """What falls away is named."""
    looser = another(prerequisites=SMALL.prerequisites[:2])
    book = Casebook(SMALL, looser).open()
    book.done(act.MovePlaybook(playbook=looser.digest, reason=WORDS))
    assert ["rules", "relay"] == book.entries[-1].basis["falls_away"]
    assert "same_person" == book.refused(act.ConfirmProposal(proposal="playbook"), ANN)
    book.done(act.ConfirmProposal(proposal="playbook"), BOB)
    assert looser.digest == book.case.playbook


def test_a_move_goes_to_an_adopted_playbook_for_this_kind() -> None:
    """Neither to nowhere nor to another kind's."""
    other = another(kinds=(Kind.CONNECTOR,))
    book = Casebook(SMALL, other).open()
    with pytest.raises(NotFoundError):
        book.do(act.MovePlaybook(playbook="ff" * 32, reason=WORDS))
    with pytest.raises(InputError):
        book.do(act.MovePlaybook(playbook=other.digest, reason=WORDS))


@pytest.mark.parametrize(
    "changes",
    [
        {"required_by": Phase.REQUEST},
        {"required": False},
        {"applies_if": (Condition.HOSTED,)},
        {"any_of": ("relay",)},
        {"after": ()},
        {"about": About.IDENTITY},
        {"fresh_within": 2 * DAY},
        {"fresh_within": None},
        {"exception": ExceptionRule(Role.APPROVER, 7 * DAY)},
        {"check": Check.NONE},
    ],
    ids=str,
)
def test_a_weaker_prerequisite_falls_away(changes: dict[str, object]) -> None:
    """Later, optional, conditional, replaceable, unordered, about somebody else, staler, more easily excepted."""

    def book(**values: object) -> Playbook:
        given: dict[str, object] = {"check": Check.LINKED_CASE_CONTAINED} | values
        items = (replace(item, **given) if item.id == "rules" else item for item in SMALL.prerequisites)  # type: ignore[arg-type]
        return small(prerequisites=tuple(items))

    assert ("rules",) == loosened(book(), book(**changes))
    assert () == loosened(book(), book())


def test_weaker_approvals_fall_away() -> None:
    """Fewer, from the same team, living longer; or a shorter watch."""
    strict = small(approvals=2, approval_team=Team.OTHER)
    weak = small(approval_within=2 * DAY, watch_within=DAY)
    assert ("approvals", "approval-within", "watch-within", "approval-team") == loosened(strict, weak)


def test_the_machine_says_what_is_possible() -> None:
    """A refusal for the state names the steps there are."""
    book = Casebook().open()
    step = book.do(act.IntendUnblock())
    assert "request-unblock" not in str(step.error)
    assert possible(State.DETECTED) == getattr(step.error, "possible", ())
    assert "reopen" in possible(State.CLOSED)


def test_a_command_of_several_actions_is_refused_as_a_whole() -> None:
    """The refusal is recorded on the case as it was, settled, and replays."""
    book = Casebook().open().fulfil().later(2 * DAY)
    action = act.CloseCase()
    error = RuleRefusedError("no")
    step = refuse(book.case, action, ANN, book.playbooks, book.now, error)
    assert ["evidence:lapsed", "case:returned", "action:refused"] == [item.type for item in step.records]
    assert error is step.error
    note = act.AddNote(note=WORDS)
    step = refuse(book.case, note, person("eve", Role.AUDITOR), book.playbooks, book.now, book_denied(book))
    assert "action:denied" == step.records[-1].type
    book.stamp(step.records)
    assert replay(book.entries, book.playbooks)[1] is None


def book_denied(book: Casebook) -> HoldfastError:
    """Return the error with which an auditor's note is denied."""
    error = advance(book.case, act.AddNote(note=WORDS), person("eve", Role.AUDITOR), book.playbooks, book.now).error
    assert error is not None
    return error


def test_the_picture_says_what_waits_for_the_clock() -> None:
    """Freshness, exceptions and approvals; then the confirmation; then the end of the watch; then nothing."""
    book = Casebook().open()
    dues = [picture(book.case, book.playbook).due]
    book.done(act.AskException(prerequisite="rules", expires_at=book.now + HOUR, reason=WORDS))
    book.done(act.ConfirmProposal(proposal="exception:rules"), CAT)
    dues.append(picture(book.case, book.playbook).due)
    book.later(2 * HOUR).fulfil().record("rules")
    dues.append(picture(book.case, book.playbook).due)
    book.done(act.RequestUnblock())
    book.done(act.ApproveUnblock(), BOB)
    dues.append(picture(book.case, book.playbook).due)
    book.done(act.IntendUnblock())
    dues.append(picture(book.case, book.playbook).due)
    book.observe(NOT_LISTED)
    dues.append(picture(book.case, book.playbook).due)
    book.later(8 * DAY).record("rules")
    book.record("sent-mail")
    book.done(act.CloseCase())
    dues.append(picture(book.case, book.playbook).due)
    assert [
        "",
        "exception-expires",
        "evidence-lapses",
        "evidence-lapses",
        "confirm-release",
        "end-of-watch",
        "",
    ] == dues
