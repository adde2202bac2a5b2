"""The tenant's audit log against our cases: what is tracked, what nobody knew, what was done outside."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import pytest

from tests.services.desk import (
    ADA,
    BOB,
    CONNECTOR,
    DAY,
    EVE,
    HOUR,
    LISTED,
    MINUTE,
    NOT_LISTED,
    START,
    TEMPORARY,
    Desk,
    plain,
)
from workflow.domain import actions as act
from workflow.domain import unblocking
from workflow.domain.period import Period
from workflow.domain.private import Private
from workflow.domain.record import time_to_text
from workflow.domain.restriction import Restriction, Source
from workflow.domain.vocabulary import Answer, Kind, Resolution
from workflow.errors import SourceError
from workflow.services import reconciling, setup
from workflow.services.reconciling import Line, Wanted, reconcile

SAM = "sam@contoso.example"


def listed(at: datetime, address: str = ADA, **changes: Any) -> Restriction:
    """Return a listing as the audit log has it."""
    return _record(address, status=LISTED, restricted_at=at, observed_at=at, **changes)


def delisted(at: datetime, address: str = ADA, by: str = "", **changes: Any) -> Restriction:
    """Return a delisting, or with ``by`` the removal that somebody ran."""
    return _record(address, status=NOT_LISTED, observed_at=at, lifted_at=at, lifted_by=by, **changes)


def _record(address: str, **changes: Any) -> Restriction:
    fields: dict[str, Any] = {
        "kind": Kind.MAILBOX,
        "identifier": address,
        "source": Source.AUDIT_LOG,
        "where": "line 2",
    }
    return Restriction(**{**fields, **changes})


def lines(desk: Desk, *items: Restriction, **wanted: Any) -> list[Line]:
    """Reconcile these records with the ledger, all of it unless told otherwise."""
    setup.seal_now(desk.app)
    fields: dict[str, Any] = {"period": Period(), "taken_at": desk.clock.now + 2 * DAY, **wanted}
    chosen = Wanted(**fields)
    with reconcile(desk.app, chosen) as reading:
        judged = [reading.judge(item, "ual.csv") for item in items]
        return [line for line in judged if line is not None] + list(reading.rest())


def told(found: Iterable[Line]) -> list[tuple[str, str, int | None]]:
    """Return of each line what it is to whom: account, event, entry."""
    return [(line.account, line.event, line.sequence) for line in found]


def number(desk: Desk, case_id: str, kind: str) -> int:
    """Return the sequence of a case's newest entry of a type."""
    return max(entry.sequence for entry in desk.entries(case_id) if entry.type == kind)


def test_a_release_of_ours_is_tracked(desk: Desk) -> None:
    """The listing by the entry that opened the case, the delisting by the intent, with who ran the removal."""
    case_id = desk.released()
    at = desk.clock.now - MINUTE
    found = lines(desk, listed(START), delisted(at), delisted(at, by=SAM))
    intent = number(desk, case_id, "unblock:intended")

    assert [("tracked", "listed", 1), ("tracked", "delisted", intent), ("tracked", "removed", intent)] == told(found)
    assert ["", "", SAM] == [line.by for line in found]
    assert {(case_id, 1, True, "")} == {(line.case, line.case_number, line.recorded, line.next) for line in found}
    assert all(plain(line.to_data()) == line.to_data() for line in found)


def test_what_no_case_is_about_is_untracked(desk: Desk) -> None:
    """With the command that records it: an import for a listing of a file, a case by hand for the rest."""
    found = lines(desk, listed(START), delisted(START, by=SAM))
    with reconcile(desk.app, Wanted(period=Period(), taken_at=START)) as reading:
        piped = reading.judge(listed(START), "-")

    assert [("untracked", "listed", None), ("untracked", "removed", None)] == told(found)
    assert ["holdfast import ual.csv", f"holdfast case open {ADA}"] == [line.next for line in found]
    assert piped is not None
    assert f"holdfast case open --restricted-at 2026-11-24T08:00:00.000000Z {ADA}" == piped.next
    (dashed,) = lines(desk, delisted(START, "-x@contoso.example"))
    assert "holdfast case open -- -x@contoso.example" == dashed.next


def test_events_between_two_occurrences_are_untracked(desk: Desk) -> None:
    """A case knows its occurrences, not the time between them; a listing may be a day older than it was dated."""
    case_id = desk.released()
    gone = desk.clock.now
    desk.clock.move(5 * DAY)
    again = desk.clock.now
    desk.restrict()
    found = lines(
        desk,
        listed(START - 2 * DAY),
        listed(START - HOUR),
        listed(gone + DAY),
        delisted(gone + DAY),
        listed(again),
    )

    assert [
        ("untracked", "listed", None),
        ("tracked", "listed", 1),
        ("untracked", "listed", None),
        ("untracked", "delisted", None),
        ("tracked", "listed", number(desk, case_id, "restriction:returned")),
    ] == told(found)[:5]
    assert "no case was about it then" == found[0].why
    note = "holdfast case note 1 'The tenant'\"'\"'s audit log shows a {} at {} while no case was about it (line 2)'"
    for line, what in ((found[0], "listing"), (found[2], "listing"), (found[3], "delisting")):
        assert note.format(what, time_to_text(line.at)) == line.next


def test_an_undated_case_reaches_back_further(desk: Desk) -> None:
    """It knows when the restriction was reported, not when it began."""
    desk.restrict(restricted_at=None)
    days = (0, 20, 31)

    assert ["tracked", "tracked", "untracked"] == [
        line.account for line in lines(desk, *(listed(START - number * DAY) for number in days))
    ]


def test_a_delisting_without_an_approved_unblock_is_outside(desk: Desk) -> None:
    """Until the case knows of it, the command that records it is named; afterwards it is accounted for."""
    case_id = desk.restrict()
    at = desk.clock.move(HOUR)
    desk.clock.move(HOUR)
    (before,) = lines(desk, delisted(at, by=SAM))
    desk.take(delisted(at, by=SAM))
    (after,) = lines(desk, delisted(at, by=SAM))

    assert ("outside", False) == (before.account, before.recorded)
    assert before.next.startswith("holdfast case observe 1 --restriction not-listed --ref 'audit log, line 2' --at ")
    assert f"--lifted-by {SAM} --lifted-at" in before.next
    assert ("outside", True, "", number(desk, case_id, "restriction:observed")) == (
        after.account,
        after.recorded,
        after.next,
        after.sequence,
    )


def test_who_lifted_it_may_be_told_later(desk: Desk) -> None:
    """A temporary block that seemed to have ended by itself, until the log names somebody."""
    case_id = desk.restrict(status=TEMPORARY)
    at = desk.clock.move(HOUR)
    (unseen,) = lines(desk, delisted(at))
    desk.do(case_id, act.ObserveRestriction(status=NOT_LISTED, observed_at=at))
    (by_itself,) = lines(desk, delisted(at))
    (lifted,) = lines(desk, delisted(at, by=SAM))
    desk.do(
        case_id,
        act.ObserveRestriction(status=NOT_LISTED, observed_at=desk.clock.now, lifted_by=Private(SAM), lifted_at=at),
    )
    (known,) = lines(desk, delisted(at, by=SAM))

    assert [("tracked", False), ("tracked", True), ("outside", False), ("outside", True)] == [
        (line.account, line.recorded) for line in (unseen, by_itself, lifted, known)
    ]
    assert "a temporary block that ended by itself" == by_itself.why


def test_a_delisting_before_the_approval_is_outside(desk: Desk) -> None:
    """And the unblock of ours that came after it is missing from the log."""
    case_id = desk.requested()
    at = desk.clock.move(HOUR)
    desk.clock.move(HOUR)
    desk.do(case_id, act.ApproveUnblock(), who=BOB)
    desk.do(case_id, act.IntendUnblock())
    desk.do(case_id, desk.gone())
    found = lines(desk, delisted(at))

    assert [
        ("outside", "delisted", None),
        ("missing", "unblocked", number(desk, case_id, "unblock:intended")),
    ] == told(found)
    assert found[0].next.startswith("holdfast case note 1 ")
    assert found[1].next.startswith("holdfast case note 1 ")
    assert (ADA, "default") == (found[1].identifier, found[1].tenant)


def test_an_unblock_of_ours_is_awaited_for_a_day(desk: Desk) -> None:
    """Audit records arrive up to 24 hours late; counted from when the log was exported."""
    desk.released()
    now = desk.clock.now

    assert ["awaited"] == [line.account for line in lines(desk, taken_at=now + HOUR)]
    assert ["missing"] == [line.account for line in lines(desk, taken_at=now + 25 * HOUR)]
    assert [] == lines(desk, taken_at=now + 2 * DAY, tenant="another")


def test_an_answer_is_a_claim_and_a_failed_attempt_is_none(desk: Desk) -> None:
    """Whoever says that it was done has to be in the log; after a failure a delisting is somebody else's."""
    done, failed = desk.approved(ADA), desk.approved(EVE)
    for case_id, answer in ((done, Answer.DONE), (failed, Answer.FAILED)):
        desk.do(case_id, act.IntendUnblock())
        desk.do(case_id, act.RecordAnswer(answer=answer, reference=Private("T-1")))
    found = lines(desk, delisted(desk.clock.now + HOUR, EVE))

    assert [("outside", "delisted", None), ("missing", "unblocked", number(desk, done, "unblock:intended"))] == told(
        found
    )
    assert "delisted outside every approved unblock" == found[0].why
    assert ["tracked"] == [line.account for line in lines(desk, delisted(desk.clock.now + HOUR))]


def test_a_key_counts_for_its_own_occurrence(desk: Desk) -> None:
    """Whoever reads the tenant's log can copy a key: what was restricted again later was not approved by it."""
    case_id = desk.released()
    key = unblocking.key(next(item.leaf for item in desk.entries(case_id) if item.type == "unblock:intended"))
    first = desk.clock.now - MINUTE
    desk.clock.move(40 * DAY)
    desk.restrict(restricted_at=desk.clock.now)
    desk.clock.move(HOUR)
    ours, copied = lines(
        desk, *(delisted(at, by=SAM, reason=f"Holdfast case 1, intent {key}") for at in (first, desk.clock.now))
    )
    assert ["tracked", "outside"] == [ours.account, copied.account]


def test_only_the_period_counts(desk: Desk) -> None:
    """For events of the log and for unblocks of ours."""
    desk.released()
    later = Period(desk.clock.now + HOUR, None)

    assert [] == lines(desk, listed(START), delisted(START), period=later)
    assert [] == lines(desk, listed(START), period=Period(None, START - DAY))


def test_connectors_have_kinds_and_tenants_of_their_own(desk: Desk) -> None:
    """A GUID in another tenant is another connector."""
    desk.restrict(CONNECTOR, kind=Kind.CONNECTOR)
    record = delisted(desk.clock.now, CONNECTOR, by=SAM, kind=Kind.CONNECTOR)

    assert ["outside"] == [line.account for line in lines(desk, record)]
    assert ["untracked"] == [line.account for line in lines(desk, record, tenant="another")]


def test_only_records_of_an_audit_log_are_judged(sqlite_desk: Desk) -> None:
    """A list of the portal says what is, not what happened."""
    with pytest.raises(SourceError, match="audit log"):
        lines(sqlite_desk, listed(START, source=Source.EXPORT))


def test_few_entities_are_remembered(sqlite_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many a log names, and what was forgotten is read again."""
    sqlite_desk.restrict(ADA)
    sqlite_desk.restrict(EVE)
    monkeypatch.setattr(reconciling, "MOST_KNOWN", 1)

    assert ["tracked"] * 4 == [line.account for line in lines(sqlite_desk, *([listed(START), listed(START, EVE)] * 2))]


def test_a_reopened_case_is_no_occurrence_of_the_restriction(desk: Desk) -> None:
    """Opened again by hand, it covers no listing that nobody recorded."""
    case_id = desk.restrict()
    desk.do(case_id, desk.gone())
    gone = desk.clock.move(HOUR)
    dismissal = act.DismissCase(resolution=Resolution.FALSE_POSITIVE, reason=Private("no compromise"))
    desk.do(case_id, dismissal)
    desk.do(case_id, act.ConfirmProposal(proposal="dismissal"), who=BOB)
    desk.clock.move(10 * DAY)
    desk.do(case_id, act.ReopenCase(reason=Private("a second look")))

    assert 2 == desk.case(case_id).recurrence
    assert ["untracked"] == [line.account for line in lines(desk, listed(gone + 5 * DAY))]
