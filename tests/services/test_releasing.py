"""Unblocking in the tenant: everything is read again, the call is made once, and reading tells what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.services.desk import ADA, ANN, BOB, MINUTE, TEAM, Desk
from tests.services.test_checks import clean, cleaned
from workflow.domain import actions as act
from workflow.domain.playbook import Check
from workflow.domain.private import Private
from workflow.domain.vocabulary import Answer, Kind, Method, Resolution, RestrictionStatus, Result, State
from workflow.errors import (
    ConflictError,
    HoldfastError,
    NotReachedError,
    NotReadableError,
    OldReadingsError,
    OutcomeUnknownError,
    PendingError,
    ProviderBusyError,
    ProviderError,
    ProviderRefusedError,
    UnblockLimitError,
)
from workflow.providers.shapes import Restricted
from workflow.services import casework, checks, releasing, verification, views
from workflow.services.people import Who

if TYPE_CHECKING:
    from workflow.services.releasing import Seen

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
MACHINE = Who(machine=True)
LISTED, NOT_LISTED = RestrictionStatus.LISTED, RestrictionStatus.NOT_LISTED


@pytest.fixture
def desk(open_desk: Callable[..., Desk]) -> Desk:
    """A desk connected to a tenant in which Ada's mailbox is restricted."""
    found = open_desk(connected=True)
    found.tenant.listed[ADA] = Restricted(identifier=ADA)
    clean(found, found.tenant.add(ADA).user.name)
    return found


def unblock(desk: Desk, case_id: str, who: Who = ANN) -> Seen:
    """Unblock a minute later."""
    desk.clock.move()
    return releasing.unblock(desk.app, who, case_id)


def look(desk: Desk, case_id: str, after: timedelta = MINUTE) -> Seen:
    """Look a while later."""
    desk.clock.move(after)
    return releasing.look(desk.app, ANN, case_id)


def calls(desk: Desk) -> int:
    """Return how often the tenant was asked to unblock."""
    return desk.tenant.counts["unblock"]


def verifies(desk: Desk) -> bool:
    """Say whether the ledger verifies, replay included."""
    return verification.verify(desk.app).findings == []


def test_an_approved_unblock_is_carried_out_and_believed_when_seen(desk: Desk) -> None:
    """Intent, reading, one call that carries the intent's key, the answer, and a reading that releases."""
    case_id = desk.approved()
    seen = unblock(desk, case_id)
    assert (State.RELEASED, NOT_LISTED, Answer.DONE) == (seen.case.state, seen.status, seen.answer)
    assert ["restriction", "restriction", "unblock", "restriction"] == desk.tenant.calls
    assert seen.case.attempt is not None
    assert releasing.key(seen.case.attempt) in desk.tenant.log[0].details[1][1]
    types = desk.types(case_id)
    assert ["unblock:intended", "unblock:answered", "restriction:observed", "case:released"] == types[-4:]
    assert {
        "case_number": 1,
        "state": "released",
        "answer": "done",
        "restriction": "not-listed",
    }.items() <= seen.to_data().items()
    assert verifies(desk)


def test_the_machine_may_start_what_people_approved(desk: Desk) -> None:
    """A worker needs nobody at the keyboard, and the same person's case."""
    assert State.RELEASED is unblock(desk, desk.approved(), MACHINE).case.state


def test_a_row_that_lingers_is_pending(desk: Desk) -> None:
    """Microsoft takes its time: the answer is recorded, and the release only when a later look shows it."""
    desk.tenant.lingers = True
    case_id = desk.approved()
    assert (State.UNBLOCK_REQUESTED, Answer.DONE) == ((seen := unblock(desk, case_id)).case.state, seen.answer)
    with pytest.raises(PendingError):
        unblock(desk, case_id)
    assert LISTED is look(desk, case_id).status
    desk.tenant.listed.clear()
    assert State.RELEASED is look(desk, case_id).case.state
    assert 1 == calls(desk)


def test_what_is_gone_is_not_called_for(desk: Desk) -> None:
    """Lifted between approval and intent: recorded as what it is, request and approval are void, nothing is called."""
    case_id = desk.approved()
    desk.tenant.listed.clear()
    desk.tenant.removed(ADA, "portal@contoso.example")
    seen = unblock(desk, case_id)
    assert Resolution.UNBLOCKED_OUTSIDE is seen.case.resolution
    assert "portal@contoso.example" == seen.lifted_by
    assert (None, 0) == (seen.case.request, calls(desk))
    assert verifies(desk)


def test_gone_within_the_moment_of_the_intent(desk: Desk) -> None:
    """The reading after the intent is believed as well, and nothing is called."""
    case_id = desk.approved()

    def vanish(operation: str) -> None:
        if operation == "restriction" and desk.case(case_id).open_attempt is not None:
            desk.tenant.listed.clear()

    desk.tenant.watch = vanish
    seen = unblock(desk, case_id)
    assert (State.RELEASED, None, 0) == (seen.case.state, seen.answer, calls(desk))
    assert "nothing was called" in seen.said


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (UnblockLimitError(), Answer.SUPPORT),
        (ProviderRefusedError("no"), Answer.FAILED),
        (ProviderBusyError("busy", 5.0), Answer.FAILED),
        (ProviderError("odd"), Answer.FAILED),
    ],
)
def test_a_refusal_ends_the_attempt(desk: Desk, error: Exception, answer: Answer) -> None:
    """It is recorded as Microsoft's answer, and another try takes another approval."""
    case_id = desk.approved()
    desk.tenant.faults["unblock"] = error
    seen = unblock(desk, case_id)
    assert (answer, None, State.VERIFIED) == (seen.answer, seen.case.open_attempt, seen.case.state)
    with pytest.raises(HoldfastError):
        unblock(desk, case_id)
    assert 1 == calls(desk)
    assert verifies(desk)


def test_without_an_answer_the_list_tells(desk: Desk) -> None:
    """The call took effect and its answer was lost: the reading right after it releases."""
    case_id = desk.approved()
    desk.tenant.late["unblock"] = OutcomeUnknownError("no answer")
    seen = unblock(desk, case_id)
    assert (State.RELEASED, None) == (seen.case.state, seen.answer)
    assert 1 == calls(desk)


def test_without_an_answer_and_listed_the_log_tells(desk: Desk) -> None:
    """The row lingers: our key in the tenant's audit log is the answer, and nothing is called again."""
    case_id = desk.approved()
    desk.tenant.lingers = True
    desk.tenant.late["unblock"] = OutcomeUnknownError("no answer")
    seen = unblock(desk, case_id)
    assert (None, State.UNBLOCK_REQUESTED) == (seen.answer, seen.case.state)
    with pytest.raises(PendingError, match="under way"):
        look(desk, case_id)
    seen = look(desk, case_id, 3 * MINUTE)
    assert Answer.DONE is seen.answer
    assert "audit-1" in seen.said
    assert 1 == calls(desk)
    assert verifies(desk)


def test_a_request_that_never_arrived_ends_after_a_day(desk: Desk) -> None:
    """Nobody knows until the tenant's log is sure to be complete; then another try takes other readings."""
    case_id = desk.approved()
    desk.tenant.faults["unblock"] = OutcomeUnknownError("no answer")
    desk.tenant.removed("other@contoso.example", "ServicePrincipal_holdfast")
    desk.tenant.removed(ADA, "portal@contoso.example", "another reason")
    unblock(desk, case_id)
    attempt = desk.case(case_id).open_attempt
    assert attempt is not None
    desk.tenant.removed(ADA, "ServicePrincipal_holdfast", f"intent {releasing.key(attempt)}")
    failed = desk.tenant.log[-1]
    desk.tenant.log[-1] = replace(failed, details=(*failed.details, ("ResultStatus", "False")))
    seen = look(desk, case_id, 5 * MINUTE)
    assert (None, True) == (seen.answer, seen.case.open_attempt is not None)
    seen = look(desk, case_id, 24 * HOUR)
    assert (None, True) == (seen.answer, seen.case.open_attempt is not None)
    assert "is sure to by 2026-11-25 09:" in seen.said
    desk.tenant.faults["audit_log"] = NotReadableError("no permission")
    seen = look(desk, case_id, HOUR)
    assert (None, True) == (seen.answer, seen.case.open_attempt is not None)
    assert "could not be read" in seen.said
    del desk.tenant.faults["audit_log"]
    seen = look(desk, case_id)
    assert (Answer.FAILED, None, State.DETECTED) == (seen.answer, seen.case.open_attempt, seen.case.state)
    assert verifies(desk)


def test_a_call_that_the_log_tells_of_late_is_made_once(desk: Desk) -> None:
    """No answer came, the row lingers, and the record is hours late: nobody unblocks again, who asks is told why."""
    case_id = desk.approved()
    desk.tenant.lingers = True
    desk.tenant.late["unblock"] = OutcomeUnknownError("no answer")
    unblock(desk, case_id)
    record = desk.tenant.log.pop()
    for _ in range(3):
        seen = look(desk, case_id, 2 * HOUR)
        assert (None, State.UNBLOCK_REQUESTED) == (seen.answer, seen.case.state)
    attempt = views.case_view(desk.app, case_id).attempt
    assert attempt is not None
    assert "2026-11-25T09:" == attempt["known_by"][:14]
    with pytest.raises(PendingError, match="Microsoft counts unblocks: a connected tenant's audit log is sure to tell"):
        unblock(desk, case_id)
    desk.tenant.log.append(record)
    assert Answer.DONE is look(desk, case_id, 17 * HOUR).answer
    attempt = views.case_view(desk.app, case_id).attempt
    assert attempt is not None
    assert (None, "done") == (attempt["known_by"], attempt["answer"])
    assert 1 == calls(desk)
    assert verifies(desk)


def test_a_process_that_died_between_intent_and_call(desk: Desk) -> None:
    """Another one finds the attempt by looking, after giving the first its time; gone is gone."""
    case_id = desk.approved()
    desk.do(case_id, act.IntendUnblock())
    with pytest.raises(PendingError):
        look(desk, case_id)
    desk.tenant.listed.clear()
    seen = look(desk, case_id, 3 * MINUTE)
    assert State.RELEASED is seen.case.state
    assert "No answer is recorded" in seen.said


def test_no_answer_and_no_reading_either(desk: Desk) -> None:
    """The answer stands, and the look that failed is made another time."""
    case_id = desk.approved()

    def fail(operation: str) -> None:
        if operation == "unblock":
            desk.tenant.faults["restriction"] = ProviderBusyError("busy")

    desk.tenant.watch = fail
    seen = unblock(desk, case_id)
    assert (Answer.DONE, RestrictionStatus.UNKNOWN) == (seen.answer, seen.status)
    assert "busy" in seen.said
    assert seen.case.open_attempt is not None


def test_a_tenant_that_cannot_be_read_is_not_asked_to_unblock(desk: Desk) -> None:
    """The reading before the intent failed: nothing is recorded, the approval stands."""
    case_id = desk.approved()
    desk.tenant.faults["restriction"] = ProviderBusyError("busy")
    before = desk.types(case_id)
    with pytest.raises(ProviderBusyError):
        unblock(desk, case_id)
    assert (before, 0) == (desk.types(case_id), calls(desk))


def test_without_an_approval_nothing_is_called(desk: Desk) -> None:
    """The intent is refused under the lock, whatever was read before."""
    for case_id in (desk.requested(), desk.restrict("bea@contoso.example")):
        with pytest.raises(HoldfastError):
            unblock(desk, case_id)
    assert 0 == calls(desk)


def test_an_absence_without_an_intent_says_who_lifted_it(desk: Desk) -> None:
    """The newest removal in the tenant's log names the actor, and dates it; an unreadable log names nobody."""
    case_id = desk.restrict()
    desk.clock.move(HOUR)
    desk.tenant.removed(ADA, "first@contoso.example")
    lifted_at = desk.clock.move()
    desk.tenant.removed(ADA, "portal@contoso.example")
    desk.tenant.listed.clear()
    seen = look(desk, case_id)
    assert ("portal@contoso.example", Resolution.UNBLOCKED_OUTSIDE) == (seen.lifted_by, seen.case.resolution)
    entry = desk.entries(case_id)[-1]
    assert lifted_at.isoformat()[:19] == entry.data["lifted_at"][:19]
    assert "" == look(desk, case_id).lifted_by
    other = desk.restrict("bea@contoso.example")
    desk.tenant.faults["audit_log"] = NotReadableError("no permission")
    assert ("", Resolution.UNBLOCKED_OUTSIDE) == ((found := look(desk, other)).lifted_by, found.case.resolution)
    assert verifies(desk)


@pytest.mark.parametrize(
    "row",
    [
        Restricted(identifier=ADA, temporary=True),
        Restricted(identifier=ADA, temporary=False, reason="RecipientRateLimitExceeded;RcptRateLimit=10000"),
    ],
)
def test_a_temporary_restriction_ends_by_itself(desk: Desk, row: Restricted) -> None:
    """Last seen temporary and nobody in the log: it expired."""
    case_id = desk.restrict()
    desk.tenant.listed[ADA] = row
    assert RestrictionStatus.TEMPORARY is look(desk, case_id).status
    desk.tenant.listed.clear()
    assert Resolution.EXPIRED is look(desk, case_id).case.resolution


def test_a_decision_is_taken_on_new_readings(open_desk: Callable[..., Desk]) -> None:
    """Request and approval read again what is older than a minute; another evidence than was shown conflicts."""
    desk = open_desk(connected=True, people=TEAM)
    desk.tenant.listed[ADA] = Restricted(identifier=ADA)
    account = desk.tenant.add(ADA)
    clean(desk, account.user.name)
    case_id = cleaned(desk)
    checks.check(desk.app, ANN, case_id)
    by_hand = [
        item for item in desk.every(case_id) if desk.case(case_id).evidence.get((item.prerequisite, item.about)) is None
    ]
    desk.do(case_id, *by_hand)
    assert State.VERIFIED is desk.case(case_id).state
    desk.clock.move(HOUR)
    with pytest.raises(OldReadingsError):
        casework.perform(desk.app, ANN, case_id, act.RequestUnblock())
    done = releasing.decide(desk.app, ANN, case_id, act.RequestUnblock())
    assert done.case.request is not None
    assert {Method.CHECKED} <= {item.method for item in done.case.evidence.values()}
    before = len(desk.tenant.calls)
    assert done.case.version == releasing.refresh(desk.app, ANN, case_id).version
    assert before == len(desk.tenant.calls)
    desk.clock.move(HOUR)
    account.user = replace(account.user, enabled=True)
    account.forwarding = replace(account.forwarding, external="thief@evil.example")
    shown = act.ApproveUnblock(seen_digest=done.case.request.digest)
    with pytest.raises(HoldfastError):
        releasing.decide(desk.app, BOB, case_id, shown)
    assert desk.case(case_id).request is None
    assert verifies(desk)


def test_a_decision_without_an_answer_stands_on_what_is_recent(desk: Desk) -> None:
    """Nothing is recorded of a tenant that is not reached: what was read a moment ago counts, what ran out does not."""
    case_id = cleaned(desk)
    checks.check(desk.app, ANN, case_id)
    by_hand = [
        item for item in desk.every(case_id) if desk.case(case_id).evidence.get((item.prerequisite, item.about)) is None
    ]
    desk.do(case_id, *by_hand)

    def lose(_operation: str) -> None:
        raise NotReachedError("no answer (ConnectError).")

    desk.tenant.watch = lose
    entries = desk.count()
    desk.clock.move(2 * MINUTE)
    assert desk.case(case_id).version == releasing.refresh(desk.app, ANN, case_id).version
    assert entries == desk.count()
    desk.clock.move(30 * 24 * HOUR)
    with pytest.raises(NotReachedError):
        releasing.decide(desk.app, ANN, case_id, act.RequestUnblock())
    assert entries == desk.count()


def read_and_approved(desk: Desk) -> str:
    """Return a case that was approved on readings of the tenant."""
    desk.tenant.listed[ADA] = Restricted(identifier=ADA)
    case_id = cleaned(desk)
    checks.check(desk.app, ANN, case_id)
    desk.do(
        case_id,
        *(item for item in desk.every(case_id) if (item.prerequisite, item.about) not in desk.case(case_id).evidence),
    )
    desk.do(case_id, act.RequestUnblock(), who=ANN)
    desk.do(case_id, act.ApproveUnblock(), who=BOB)
    return case_id


def test_nothing_is_decided_ahead_of_the_clock(desk: Desk) -> None:
    """By a case's own time, which never runs backwards, what was read before the clock was put back looks new."""
    case_id = read_and_approved(desk)
    desk.clock.move(-DAY)
    entries = desk.count()
    for decision in (act.RequestUnblock(), act.ApproveUnblock(), act.IntendUnblock()):
        with pytest.raises(PendingError, match="still to come"):
            casework.perform(desk.app, BOB, case_id, decision)
    assert entries == desk.count()
    desk.do(case_id, act.AddNote(note=Private("Looked at by hand.")))
    assert 0 == calls(desk)
    assert verifies(desk)


def test_what_looks_new_is_read_again_before_the_intent(desk: Desk) -> None:
    """A clock that ran a day ahead, a day ago: forwarding that was set since lets nothing be called."""
    case_id = read_and_approved(desk)
    checks.check(desk.app, ANN, case_id)
    account = desk.tenant.accounts[ADA]
    account.forwarding = replace(account.forwarding, external="thief@evil.example")
    with pytest.raises(HoldfastError):
        releasing.unblock(desk.app, MACHINE, case_id)
    assert (0, State.CONTAINED) == (calls(desk), desk.case(case_id).state)
    assert verifies(desk)


@pytest.mark.parametrize("error", [NotReachedError("no answer"), ProviderRefusedError("no")])
def test_a_reading_that_cannot_be_made_again_stops_the_unblock(desk: Desk, error: Exception) -> None:
    """However new what stands looks: one reading of many that fails, and nothing is called."""
    case_id = read_and_approved(desk)
    desk.tenant.faults["forwarding"] = error
    entries = desk.types(case_id)
    with pytest.raises(NotReachedError, match=r"Nothing was called.*forwarding-reviewed"):
        releasing.unblock(desk.app, MACHINE, case_id)
    assert 0 == calls(desk)
    assert "unblock:intended" not in desk.types(case_id)[len(entries) :]
    del desk.tenant.faults["forwarding"]
    assert State.RELEASED is unblock(desk, case_id).case.state


def test_what_was_done_once_is_looked_at_again(desk: Desk) -> None:
    """A reset that no longer shows falls before a decision; where its log may not be read, it stands."""
    case_id = read_and_approved(desk)
    password = next(key for key in desk.case(case_id).evidence if key[0] == "password-reset")
    account = desk.tenant.accounts[ADA]
    desk.clock.move(2 * MINUTE)
    desk.tenant.faults["user"] = ProviderRefusedError("no")
    assert Result.MET is releasing.refresh(desk.app, ANN, case_id).evidence[password].result
    del desk.tenant.faults["user"]
    account.user = replace(account.user, password_changed_at=desk.clock.now - DAY)
    assert Result.NOT_MET is releasing.refresh(desk.app, ANN, case_id).evidence[password].result
    assert desk.case(case_id).request is None


def test_the_restriction_is_read_before_a_decision(desk: Desk) -> None:
    """Gone since: the case says so, and there is nothing left to request; unreadable keeps nobody from deciding."""
    case_id = cleaned(desk)
    checks.check(desk.app, ANN, case_id)
    by_hand = [
        item for item in desk.every(case_id) if (item.prerequisite, item.about) not in desk.case(case_id).evidence
    ]
    desk.do(case_id, *by_hand)
    desk.tenant.faults["restriction"] = ProviderRefusedError("no")
    assert desk.case(case_id).reading == releasing.refresh(desk.app, ANN, case_id).reading
    del desk.tenant.faults["restriction"]
    desk.tenant.listed.clear()
    with pytest.raises(HoldfastError, match=r"not restricted|gone"):
        releasing.decide(desk.app, ANN, case_id, act.RequestUnblock())
    assert Resolution.UNBLOCKED_OUTSIDE is desk.case(case_id).resolution
    assert verifies(desk)


def test_snapshots_are_not_taken_again(desk: Desk) -> None:
    """What only saves a picture for later is no reading that a decision stands on."""
    case_id = cleaned(desk)
    subject = checks.read_subject(desk.app, case_id)
    wanted = releasing._wanted(subject, releasing.EVERY)
    snapshots = {item.id for item in subject.playbook.prerequisites if item.check is Check.SNAPSHOT_SAVED}
    assert snapshots
    assert set() == snapshots & set(wanted)


def test_only_the_own_tenant_s_lists_are_read(desk: Desk) -> None:
    """A user has no list, and a case of another tenant is left to people."""
    case_id = desk.restrict()
    case = desk.case(case_id)
    found = [releasing.connected(desk.app, one) for one in (case, replace(case, kind=Kind.USER))]
    assert [True, False] == found
    other = desk.again(connected=True, tenant="another")
    assert not releasing.connected(other.app, case)
    with pytest.raises(NotReadableError):
        look(other, case_id)


def test_one_of_two_who_unblock_at_once_calls(desk: Desk) -> None:
    """Whoever did not write the intent is told that it is under way."""
    case_id = desk.approved()
    other = desk.again(connected=True)

    def meanwhile(operation: str) -> None:
        if operation == "unblock":
            with pytest.raises(PendingError):
                releasing.unblock(other.app, BOB, case_id)

    desk.tenant.watch = meanwhile
    assert State.RELEASED is unblock(desk, case_id).case.state
    assert 1 == calls(desk)
    assert 0 == calls(other)


def test_a_conflict_calls_nothing(desk: Desk) -> None:
    """Somebody was shown other evidence than stands now."""
    case_id = desk.approved()
    with pytest.raises(ConflictError):
        releasing.unblock(desk.app, ANN, case_id, act.IntendUnblock(seen_digest="0" * 64))
    assert 0 == calls(desk)
