"""The connected tenant's own log: what came and went between two polls becomes an entry, and it does so once."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.services.desk import (
    ADA,
    ANN,
    BOB,
    CONNECTOR,
    DAN,
    DAY,
    EVE,
    HOUR,
    LISTED,
    MINUTE,
    TEAM,
    TEMPORARY,
    Desk,
    plain,
)
from workflow.domain import actions as act
from workflow.domain.alerts import Policy, raised_by
from workflow.domain.private import Private
from workflow.domain.vocabulary import Answer, Kind, Method, Resolution, State
from workflow.errors import (
    InputError,
    NotPermittedError,
    NotReadableError,
    OutcomeUnknownError,
    ProviderBusyError,
)
from workflow.providers.shapes import AuditEvent, Restricted
from workflow.services import (
    alert_delivery,
    alerts,
    casework,
    polling,
    reconciling,
    releasing,
    tenant_log,
    verification,
)
from workflow.services.people import Who
from workflow.services.tenant_log import CaughtUp, catch_up

if TYPE_CHECKING:
    from workflow.domain.record import Entry

SAM = "sam@contoso.example"
MACHINE = Who(machine=True)


@pytest.fixture
def desk(open_desk: Callable[..., Desk]) -> Desk:
    """A desk connected to a tenant that restricts nobody yet."""
    found = open_desk(connected=True)
    found.tenant.kinds = {Kind.MAILBOX}
    return found


def hygiene(desk: Desk, event: str, name: str = ADA, at: datetime | None = None, **details: str) -> None:
    """Write into the tenant's log that a mailbox was listed or delisted."""
    written = {"Event": event, "EventValue": name, "ResultStatus": "Success", "UserId": name, **details}
    record = AuditEvent(
        id=f"hygiene-{len(desk.tenant.log) + 1}",
        at=at or desk.clock.now,
        operation="HygieneTenantEvents",
        actor=name,
        target=name,
        details=tuple(written.items()),
    )
    desk.tenant.log.append(record)


def lift(desk: Desk, name: str = ADA, by: str = SAM, reason: str = "") -> datetime:
    """Let somebody unblock in the portal an hour later, as the log has it: the removal, and when it was gone."""
    at = desk.clock.move(HOUR)
    desk.tenant.removed(name, by, reason)
    desk.clock.move(40 * MINUTE)
    hygiene(desk, "Delisted", name)
    desk.tenant.listed.pop(name, None)
    return at


def restricts(desk: Desk, name: str = ADA, after: timedelta = HOUR) -> datetime:
    """Let the tenant restrict a mailbox, as its list and its log have it."""
    at = desk.clock.move(after)
    desk.tenant.listed[name] = Restricted(identifier=name, created_at=at)
    hygiene(desk, "Listed", name)
    return at


def look(desk: Desk, after: timedelta = 30 * MINUTE, **asked: Any) -> CaughtUp:
    """Look at the log a while later, and once more: the second look writes nothing."""
    desk.clock.move(after)
    found = catch_up(desk.app, MACHINE, **asked)
    before = desk.count()
    again = catch_up(desk.app, MACHINE, **asked)
    assert before == desk.count()
    assert not {"recorded", "opened", "reopened", "came-back"}.intersection(+again.counts)
    assert plain(found.to_data()) == found.to_data()
    return found


def outcomes(found: CaughtUp) -> list[tuple[str, str]]:
    """Return of each event that was new what it was and what became of it."""
    return [(item.line.event, item.outcome) for item in found.found]


def told(entry: Entry) -> tuple[Policy | None, bool]:
    """Return which alert an entry raises, and whether it names somebody."""
    return raised_by(entry), "lifted_by" in entry.data


def verifies(desk: Desk) -> bool:
    """Say whether the ledger verifies, replay included."""
    return verification.verify(desk.app).findings == []


def test_an_unblock_outside_becomes_an_entry_and_an_alert(desk: Desk) -> None:
    """With who did it and when; the delisting that it caused needs no entry of its own."""
    case_id = desk.restrict()
    at = lift(desk)
    found = look(desk)
    entry = desk.entries(case_id)[-1]
    assert [("removed", "recorded")] == outcomes(found)
    assert {"known": 1, "recorded": 1} == dict(+found.counts)
    assert (Policy.OUTSIDE, True) == told(entry)
    assert (Method.CHECKED, at.isoformat()[:19]) == (entry.data["method"], entry.data["lifted_at"][:19])
    assert (State.DETECTED, Resolution.UNBLOCKED_OUTSIDE) == (desk.case(case_id).state, desk.case(case_id).resolution)
    assert verifies(desk)


def test_unblocked_and_restricted_again_before_the_next_poll(desk: Desk) -> None:
    """The poll sees the new restriction only; the unblock in between is old news to the case, and no less told."""
    case_id = desk.restrict()
    lift(desk)
    restricts(desk)
    desk.clock.move()
    assert ["came-back"] == [item.outcome for item in polling.poll(desk.app, MACHINE)]
    assert [("removed", "recorded")] == outcomes(look(desk))
    assert (Policy.OUTSIDE, True) == told(desk.entries(case_id)[-1])
    case = desk.case(case_id)
    assert (State.DETECTED, 2, LISTED, None) == (case.state, case.recurrence, case.reading.status, case.resolution)
    assert verifies(desk)


def test_the_log_alone_shows_both(desk: Desk) -> None:
    """Where no poll came first, the unblock and then the next recurrence are recorded in their order."""
    case_id = desk.restrict()
    lift(desk)
    again = restricts(desk)
    assert [("removed", "recorded"), ("listed", "came-back")] == outcomes(look(desk))
    case = desk.case(case_id)
    assert (2, again, LISTED) == (case.recurrence, case.restricted_at, case.reading.status)
    assert [] == [item.outcome for item in polling.poll(desk.app, MACHINE) if item.outcome != "seen"]
    assert verifies(desk)


def test_by_hand_while_an_approved_unblock_was_pending(desk: Desk) -> None:
    """Request and approval are void, the remediation is still owed, and nobody says released."""
    case_id = desk.approved()
    lift(desk)
    assert [("removed", "recorded")] == outcomes(look(desk))
    case = desk.case(case_id)
    assert (State.VERIFIED, Resolution.UNBLOCKED_OUTSIDE) == (case.state, case.resolution)
    assert (None, ()) == (case.request, case.approvals)


def test_before_the_approval_ends_the_attempt(desk: Desk) -> None:
    """What our unblock is waiting for had been done by somebody else before anybody approved."""
    case_id = desk.requested()
    lift(desk, reason="cleaning up")
    desk.clock.move(HOUR)
    desk.do(case_id, act.ApproveUnblock(), who=BOB)
    desk.do(case_id, act.IntendUnblock())
    assert [("removed", "recorded")] == outcomes(look(desk))
    case = desk.case(case_id)
    assert (None, Resolution.UNBLOCKED_OUTSIDE) == (case.open_attempt, case.resolution)
    assert State.RELEASED is not case.state


def test_before_the_approval_is_told_of_a_released_case_too(desk: Desk) -> None:
    """The case stays released; the entry says that somebody had been there before, and is told."""
    case_id = desk.requested()
    lift(desk)
    desk.clock.move(HOUR)
    desk.do(case_id, act.ApproveUnblock(), who=BOB)
    desk.do(case_id, act.IntendUnblock())
    desk.do(case_id, desk.gone())
    before = desk.case(case_id)
    assert [("removed", "recorded")] == outcomes(look(desk))
    case = desk.case(case_id)
    assert (State.RELEASED, before.version, before.resolution) == (case.state, case.version, case.resolution)
    assert (Policy.OUTSIDE, True) == told(desk.entries(case_id)[-1])
    assert verifies(desk)


@pytest.mark.parametrize("behind", [timedelta(0), timedelta(seconds=110)])
def test_our_own_unblock_is_never_outside(desk: Desk, behind: timedelta) -> None:
    """Its record carries the intent's key, and the delisting beside it may be dated by a clock that is behind."""
    case_id = desk.approved()
    desk.tenant.listed[ADA] = Restricted(identifier=ADA)
    desk.tenant.lingers = True
    attempt = casework.perform(desk.app, ANN, case_id, act.IntendUnblock()).case.open_attempt
    assert attempt is not None
    at = attempt.approved_at - behind
    desk.tenant.removed(ADA, "ServicePrincipal_holdfast", f"Holdfast case 1, intent {releasing.key(attempt)}")
    desk.tenant.log[-1] = replace(desk.tenant.log[-1], at=at)
    assert [] == look(desk).found
    desk.tenant.log.clear()
    hygiene(desk, "Delisted", at=at)
    assert {"known": 1} == dict(+look(desk).counts)
    desk.do(case_id, desk.gone())
    assert State.RELEASED is desk.case(case_id).state
    assert [] == look(desk).found


def test_by_hand_long_after_ours_had_been_done(desk: Desk) -> None:
    """Restricted again while the attempt is open, and lifted by somebody else: that is told, and nothing released."""
    case_id = desk.approved()
    desk.tenant.listed[ADA] = Restricted(identifier=ADA)
    attempt = casework.perform(desk.app, ANN, case_id, act.IntendUnblock()).case.open_attempt
    assert attempt is not None
    desk.tenant.removed(ADA, "ServicePrincipal_holdfast", f"Holdfast case 1, intent {releasing.key(attempt)}")
    desk.do(case_id, act.RecordAnswer(answer=Answer.DONE, reference=Private("request 1")))
    assert [] == look(desk).found
    desk.clock.move(DAY)
    at = lift(desk)
    desk.tenant.listed[ADA] = Restricted(identifier=ADA)
    assert [("removed", "left"), ("removed", "recorded")] == outcomes(look(desk))
    case, entry = desk.case(case_id), desk.entries(case_id)[-1]
    assert (State.UNBLOCK_REQUESTED, LISTED) == (case.state, case.reading.status)
    assert ((Policy.OUTSIDE, True), at.isoformat()[:19]) == (told(entry), entry.data["lifted_at"][:19])
    assert verifies(desk)


@pytest.mark.parametrize("who", [ANN, MACHINE])
def test_by_hand_while_a_call_waits_for_its_answer(desk: Desk, who: Who) -> None:
    """Whatever Holdfast lifts carries a key: what carries none, while its call has no answer, was somebody else."""
    case_id = desk.approved()
    desk.tenant.listed[ADA] = Restricted(identifier=ADA)
    desk.tenant.faults["unblock"] = OutcomeUnknownError("No answer came.")
    desk.clock.move()
    assert releasing.unblock(desk.app, who, case_id).answer is None
    desk.clock.move()
    at = lift(desk)
    assert [("removed", "left"), ("removed", "recorded")] == outcomes(look(desk))
    entry, state = desk.entries(case_id)[-2], desk.case(case_id).state
    assert ((Policy.OUTSIDE, True), State.RELEASED) == (told(entry), state)
    assert at.isoformat()[:19] == entry.data["lifted_at"][:19]
    assert verifies(desk)


def test_a_key_of_another_entity_is_no_excuse(desk: Desk) -> None:
    """What was approved for one mailbox explains nothing about another."""
    attempt = casework.perform(desk.app, ANN, desk.approved(EVE), act.IntendUnblock()).case.open_attempt
    assert attempt is not None
    desk.restrict()
    lift(desk, reason=f"Holdfast case 1, intent {releasing.key(attempt)}")
    assert [("removed", "recorded")] == outcomes(look(desk))


def test_an_occurrence_that_nobody_saw_opens_a_case(desk: Desk) -> None:
    """Restricted and unblocked between two polls: both are on the ledger, and the remediation is owed."""
    restricts(desk)
    lift(desk)
    assert [("listed", "opened"), ("removed", "recorded")] == outcomes(look(desk))
    ((case_id, name),) = desk.open_cases()
    case = desk.case(case_id)
    assert (ADA, State.DETECTED, Resolution.UNBLOCKED_OUTSIDE) == (name, case.state, case.resolution)
    assert [Policy.RESTRICTED, Policy.OUTSIDE] == [raised_by(entry) for entry in desk.entries(case_id)]
    assert verifies(desk)


def test_what_no_case_is_about_is_handed_to_people(desk: Desk) -> None:
    """The log does not list connectors, so a removal alone opens nothing; the next command is named every time."""
    details = (("ConnectorId", CONNECTOR), ("ResultStatus", "True"))
    desk.tenant.log.append(
        AuditEvent(
            id="c1", at=desk.clock.now, operation="Remove-BlockedConnector", actor=SAM, target="", details=details
        )
    )
    before = desk.count()
    found = look(desk)
    assert ([("removed", "untracked")], before) == (outcomes(found), desk.count())
    assert f"holdfast case open {CONNECTOR}" == found.found[0].line.next
    assert SAM == found.found[0].to_data()["by"]


def test_the_row_stays_listed_for_a_while(desk: Desk) -> None:
    """A removal says who and when, and the list what is so: only the delisting, later, says that it was gone."""
    case_id = desk.restrict()
    row = Restricted(identifier=ADA, created_at=desk.case(case_id).restricted_at)
    desk.tenant.listed[ADA] = row
    at = desk.clock.move(HOUR)
    desk.tenant.removed(ADA, SAM)
    assert [("removed", "recorded")] == outcomes(look(desk))
    case, entry = desk.case(case_id), desk.entries(case_id)[-1]
    assert (LISTED, None, Policy.OUTSIDE) == (case.reading.status, case.resolution, raised_by(entry))
    assert [] == list(polling.poll(desk.app, MACHINE))
    gone = desk.clock.move(HOUR)
    desk.tenant.listed.clear()
    hygiene(desk, "Delisted")
    assert [("removed", "recorded")] == outcomes(look(desk))
    case, entry = desk.case(case_id), desk.entries(case_id)[-1]
    assert (gone, Resolution.UNBLOCKED_OUTSIDE, 1) == (case.absent_at, case.resolution, case.recurrence)
    assert (at.isoformat()[:19], True) == (entry.data["lifted_at"][:19], "lifted_by" in entry.data)
    assert ["left"] == [item.outcome for item in polling.poll(desk.app, MACHINE)]
    assert verifies(desk)


def test_a_removal_before_the_delisting_is_read(desk: Desk) -> None:
    """Gone by the list, before the log says so; while the list cannot be read the removal waits for the next look."""
    case_id = desk.restrict()
    desk.clock.move(HOUR)
    desk.tenant.removed(ADA, SAM)
    desk.tenant.faults["restriction"] = ProviderBusyError("try later")
    found = look(desk)
    assert ([("removed", "left")], "try later") == (outcomes(found), found.found[0].why)
    del desk.tenant.faults["restriction"]
    assert [("removed", "recorded")] == outcomes(look(desk))
    case = desk.case(case_id)
    assert (Resolution.UNBLOCKED_OUTSIDE, desk.clock.now) == (case.resolution, case.absent_at)
    hygiene(desk, "Delisted")
    assert [] == look(desk).found


def test_approved_while_a_removal_by_hand_was_under_way(desk: Desk) -> None:
    """The removal is told; what came of our own attempt is for a reading to say, and no look at the log releases."""
    case_id = desk.requested()
    desk.tenant.listed[ADA] = Restricted(identifier=ADA)
    desk.clock.move(HOUR)
    desk.tenant.removed(ADA, SAM)
    assert [("removed", "recorded")] == outcomes(look(desk))
    assert State.UNBLOCK_REQUESTED is desk.case(case_id).state
    desk.do(case_id, act.ApproveUnblock(), who=BOB)
    desk.do(case_id, act.IntendUnblock())
    desk.tenant.listed.clear()
    desk.clock.move()
    hygiene(desk, "Delisted")
    look(desk)
    case = desk.case(case_id)
    assert (State.UNBLOCK_REQUESTED, True) == (case.state, case.open_attempt is not None)


def test_a_temporary_block_that_ended_by_itself_is_expired(desk: Desk) -> None:
    """The log names nobody; where something newer is known it is left alone."""
    ada, eve = desk.restrict(ADA, status=TEMPORARY), desk.restrict(EVE, status=TEMPORARY)
    at = desk.clock.move(HOUR)
    hygiene(desk, "Delisted", ADA, at)
    hygiene(desk, "Delisted", EVE, at)
    desk.clock.move()
    desk.do(eve, act.ObserveRestriction(status=TEMPORARY, observed_at=desk.clock.now))
    found = look(desk)
    assert [("delisted", "recorded"), ("delisted", "left")] == outcomes(found)
    assert "newer" in found.found[1].why
    assert (Resolution.EXPIRED, None) == (desk.case(ada).resolution, desk.case(eve).resolution)
    assert (None, False) == told(desk.entries(ada)[-1])


@pytest.mark.parametrize(
    ("status", "resolution"), [(LISTED, Resolution.UNBLOCKED_OUTSIDE), (TEMPORARY, Resolution.EXPIRED)]
)
def test_the_record_of_who_did_it_comes_late(desk: Desk, status: Any, resolution: Resolution) -> None:
    """A poll saw it gone and could not say by whom; a day later the log names somebody, and the case says so."""
    case_id = desk.restrict(status=status)
    at = lift(desk)
    late, desk.tenant.log[:] = list(desk.tenant.log), []
    desk.clock.move()
    assert 1 == len(list(polling.poll(desk.app, MACHINE)))
    assert resolution is desk.case(case_id).resolution
    assert [] == look(desk).found
    desk.tenant.log[:] = late
    assert [("removed", "recorded")] == outcomes(look(desk, 24 * HOUR))
    case = desk.case(case_id)
    assert (Resolution.UNBLOCKED_OUTSIDE, True) == (case.resolution, case.absent_at is not None)
    assert at.isoformat()[:19] == desk.entries(case_id)[-1].data["lifted_at"][:19]
    assert verifies(desk)


def test_closed_cases_take_what_comes_late(desk: Desk) -> None:
    """A case that ended moves no more, and its history says who had lifted the restriction."""
    case_id = desk.restrict()
    lift(desk)
    late, desk.tenant.log[:] = list(desk.tenant.log), []
    desk.do(case_id, desk.gone())
    desk.do(case_id, act.DismissCase(resolution=Resolution.FALSE_POSITIVE, reason=Private("a newsletter")))
    desk.do(case_id, act.ConfirmProposal(proposal="dismissal"), who=BOB)
    before = desk.case(case_id)
    desk.tenant.log[:] = late
    assert [("removed", "recorded")] == outcomes(look(desk))
    case = desk.case(case_id)
    assert (State.DISMISSED, before.version) == (case.state, case.version)
    assert (Policy.OUTSIDE, True) == told(desk.entries(case_id)[-1])


def test_late_twice_and_in_any_order_comes_to_the_same(open_desk: Callable[..., Desk]) -> None:
    """However the records trickle in, look by look, the case and what it names are the same."""
    results = set()
    for seed in range(6):
        dice = random.Random(seed)
        desk = open_desk(connected=True)
        case_id = desk.restrict()
        lift(desk)
        restricts(desk)
        lift(desk, by="tom@contoso.example")
        records = [*desk.tenant.log, *desk.tenant.log]
        dice.shuffle(records)
        while records:
            desk.tenant.log[:] = [
                *desk.tenant.log,
                *(records.pop() for _ in range(min(dice.randint(1, 4), len(records)))),
            ]
            look(desk)
        case = desk.case(case_id)
        named = {entry.data["lifted_at"] for entry in desk.entries(case_id) if "lifted_by" in entry.data}
        assert State.RELEASED.value not in {entry.state_after for entry in desk.entries(case_id)}
        assert verifies(desk)
        results.add((case.state, len(named)))
    assert {(State.DETECTED, 2)} == results


def test_hostile_records_are_told_and_hide_nothing(desk: Desk) -> None:
    """What cannot be read is counted; a failed removal removed nothing; names are one line, however they came."""
    case_id = desk.restrict()
    hygiene(desk, "Listed", "not an address\x1b[2J")
    hygiene(desk, "Delisted", "")
    hygiene(desk, "Renamed")
    desk.tenant.removed(ADA, "sam\x00\n\x1b[31m" + "x" * 9000)
    forged = {"AuditData": "{}", "operation": "UserLoggedIn", "CreationTime": "1999-01-01", "Parameters": "x"}
    desk.tenant.log[-1] = replace(
        desk.tenant.log[-1], id="r\n1", details=(*desk.tenant.log[-1].details, *forged.items())
    )
    failed = (("ResultStatus", "False"), ("SenderAddress", ADA), ("ResultStatus", "True"))
    desk.tenant.log.append(
        AuditEvent(id="f", at=desk.clock.now, operation="Remove-BlockedSenderAddress", actor=SAM, details=failed)
    )
    found = look(desk)
    assert {"recorded": 1, "unreadable": 2, "other": 2} == dict(+found.counts)
    assert 2 == len(found.unread)
    assert "\x1b" not in "".join(found.unread)
    assert "audit record r 1" == found.found[0].line.where
    assert Resolution.UNBLOCKED_OUTSIDE is desk.case(case_id).resolution
    assert verifies(desk)


def test_only_what_was_asked_for_and_no_future(desk: Desk) -> None:
    """The last 26 hours by default; what the tenant dates later than now waits for the next look."""
    desk.restrict()
    lift(desk)
    desk.clock.move(25 * HOUR)
    hygiene(desk, "Listed", EVE, desk.clock.now + 2 * MINUTE)
    assert [("removed", "recorded")] == outcomes(look(desk, MINUTE))
    assert [("listed", "opened")] == outcomes(look(desk, until=desk.clock.now + 9 * DAY))
    desk.clock.move(3 * DAY)
    assert {} == dict(+catch_up(desk.app, MACHINE).counts)
    assert {"known": 3} == dict(+catch_up(desk.app, MACHINE, desk.clock.now - 9 * DAY).counts)
    with pytest.raises(InputError, match="before it begins"):
        catch_up(desk.app, MACHINE, desk.clock.now)


def test_a_tenant_has_to_be_connected(sqlite_desk: Desk) -> None:
    """Without one the message names both ways to go on."""
    with pytest.raises(NotReadableError, match="HOLDFAST_PROVIDER"):
        catch_up(sqlite_desk.app, MACHINE)


def test_what_cannot_be_read_records_nothing(desk: Desk) -> None:
    """Without a log the caller is told."""
    desk.restrict()
    lift(desk)
    before = desk.count()
    desk.tenant.faults["audit_log"] = ProviderBusyError("try later")
    with pytest.raises(ProviderBusyError):
        catch_up(desk.app, MACHINE)
    assert before == desk.count()


def test_people_may_look_as_well(open_desk: Callable[..., Desk]) -> None:
    """Whoever may record an observation may record these."""
    desk = open_desk(connected=True, people=TEAM)
    desk.restrict(who=MACHINE)
    lift(desk)
    desk.clock.move()
    with pytest.raises(NotPermittedError):
        catch_up(desk.app, DAN)
    assert {"recorded": 1, "known": 1} == dict(+catch_up(desk.app, ANN).counts)


def test_nobody_records_what_is_about_themselves(open_desk: Callable[..., Desk]) -> None:
    """The refusal is told of each event and stands in nobody's way: the machine's look records it."""
    desk = open_desk(connected=True, people=({**TEAM[0], "identities": [ADA]}, *TEAM[1:]))
    desk.restrict(who=MACHINE)
    lift(desk)
    desk.clock.move()
    refused = [catch_up(desk.app, ANN).found]
    assert [("removed", "recorded")] == outcomes(look(desk))
    restricts(desk)
    desk.clock.move()
    refused.append(catch_up(desk.app, ANN).found)
    assert [{"left"}, {"left"}] == [{item.outcome for item in found} for found in refused]
    assert all(item.why for found in refused for item in found)
    assert [("listed", "came-back")] == outcomes(look(desk))


def test_the_ledger_moves_while_an_event_is_judged(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is judged anew, on what the case has become; where that goes on and on, the next look goes on."""
    moving = [desk.restrict(), desk.restrict(EVE)]
    lift(desk)
    real, steps = reconciling.line_of, [1]

    def meanwhile(*judged: Any) -> Any:
        if steps:
            steps.pop()
            desk.do(moving[0], act.AddNote(note=Private("meanwhile")))
        return real(*judged)

    monkeypatch.setattr(tenant_log, "line_of", meanwhile)
    assert [("removed", "recorded")] == outcomes(look(desk))
    lift(desk, EVE)
    moving.pop(0)
    steps.extend(range(9))
    desk.clock.move()
    left = catch_up(desk.app, MACHINE).found[-1]
    assert ("left", "the case is being worked on: the next look takes it up") == (left.outcome, left.why)
    steps.clear()
    desk.clock.move()
    assert [("removed", "recorded")] == outcomes(look(desk))


@pytest.mark.parametrize("first", [ADA, EVE])
def test_two_looks_at_once_write_once(desk: Desk, monkeypatch: pytest.MonkeyPatch, first: str) -> None:
    """What another process recorded while this one judged is known, for listings as for removals."""
    other = desk.again(connected=True)
    other.tenant.log = desk.tenant.log
    other.tenant.clock = desk.clock
    desk.restrict()
    if first == EVE:
        restricts(desk, EVE)
    lift(desk)
    if first == ADA:
        restricts(desk, EVE)
    desk.clock.move()
    real, once = reconciling.line_of, [1]

    def meanwhile(*judged: Any) -> Any:
        if once:
            once.pop()
            catch_up(other.app, MACHINE)
        return real(*judged)

    monkeypatch.setattr(tenant_log, "line_of", meanwhile)
    assert [] == look(desk).found
    assert 2 == len(desk.open_cases())
    assert verifies(desk)


def outside_alerts(desk: Desk) -> int:
    """Return how many messages tell of an unblock outside."""
    alerts.collect(desk.app, desk.clock.now)
    return len(alert_delivery.log(desk.app, policy="outside"))


def gone_before_its_record(desk: Desk) -> tuple[str, list[AuditEvent]]:
    """Have a poll see a mailbox gone whose records come late; returns its case and those records."""
    desk.tenant.kinds = {Kind.MAILBOX}
    case_id = desk.restrict()
    lift(desk)
    late, desk.tenant.log[:] = list(desk.tenant.log), []
    list(polling.poll(desk.app, MACHINE))
    return case_id, late


def test_one_unblock_outside_is_told_once(desk: Desk) -> None:
    """The poll sees it gone before the log names who did it; another occurrence is told anew."""
    case_id, late = gone_before_its_record(desk)
    assert 1 == outside_alerts(desk)
    desk.tenant.log[:] = late
    assert [("removed", "recorded")] == outcomes(look(desk))
    assert "lifted_by" in desk.entries(case_id)[-1].data
    assert 1 == outside_alerts(desk)
    restricts(desk)
    look(desk)
    assert 2 == desk.case(case_id).recurrence
    lift(desk)
    look(desk)
    assert 2 == outside_alerts(desk)


def test_an_unblock_that_is_named_after_the_account_came_back_is_told_once(desk: Desk) -> None:
    """Who lifted the first restriction is found in the second one, whose own end is still to be told."""
    case_id, late = gone_before_its_record(desk)
    restricts(desk)
    list(polling.poll(desk.app, MACHINE))
    assert (2, 1) == (desk.case(case_id).recurrence, outside_alerts(desk))
    desk.tenant.log[:] = [*late, *desk.tenant.log]
    look(desk)
    assert 1 == outside_alerts(desk)
    lift(desk)
    list(polling.poll(desk.app, MACHINE))
    assert 2 == outside_alerts(desk)
    assert verifies(desk)
