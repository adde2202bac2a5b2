"""A whole list: what it names is restricted, what it does not name is gone, and nothing is concluded from less."""

from datetime import datetime

import pytest

from tests.services.desk import (
    ADA,
    ANN,
    CONNECTOR,
    DAN,
    DAY,
    EVE,
    HOUR,
    MINUTE,
    START,
    TEMPORARY,
    Desk,
    report,
)
from workflow.domain import actions as act
from workflow.domain.private import Private
from workflow.domain.restriction import Restriction, Skipped
from workflow.domain.vocabulary import Kind, Resolution, RestrictionStatus, State
from workflow.errors import InputError, NotPermittedError
from workflow.services import casework, listing, verification
from workflow.services.listing import WholeList
from workflow.services.people import Who
from workflow.storage import openings

BOB = "bob@contoso.example"


def whole(
    desk: Desk,
    *items: Restriction | Skipped,
    taken_at: datetime | None = None,
    kind: Kind = Kind.MAILBOX,
    who: Who = ANN,
    tenant: str = "",
) -> list[tuple[str, int | None, str]]:
    """Take a whole list in, taken now unless told otherwise; returns outcome, number and reason of each."""
    found = WholeList(kind=kind, taken_at=taken_at or desk.clock.now, reference=lambda: "senders.csv, SHA-256 0")
    taken = listing.take_list(desk.app, who, items, found, tenant)
    return [(item.outcome, item.case_number, item.why) for item in taken]


def outcomes(*args: object, **given: object) -> list[tuple[str, int | None]]:
    """Return outcome and number of each."""
    return [(outcome, number) for outcome, number, _ in whole(*args, **given)]  # type: ignore[arg-type]  # Passed on.


def test_a_weeks_work(desk: Desk) -> None:
    """New, still listed, released, expired, unblocked outside: each case by itself, and the ledger verifies."""
    released = desk.approved()
    desk.do(released, act.IntendUnblock())
    desk.restrict(EVE)
    expired = desk.restrict(BOB, status=TEMPORARY)
    outside = desk.restrict("mia@contoso.example")
    desk.restrict(CONNECTOR, kind=Kind.CONNECTOR)
    desk.clock.move(DAY)

    found = whole(desk, report("new@contoso.example", restricted_at=desk.clock.now - HOUR), report(EVE))

    assert [("opened", 6), ("seen", 2), ("released", 1), ("expired", 3), ("unblocked-outside", 4)] == [
        item[:2] for item in found
    ]
    assert State.RELEASED is desk.case(released).state
    assert (Resolution.EXPIRED, Resolution.UNBLOCKED_OUTSIDE) == (
        desk.case(expired).resolution,
        desk.case(outside).resolution,
    )
    last = desk.entries(outside)[-1]
    assert ("restriction:observed", "not-listed", "2026-11-25") == (
        last.type,
        last.data["status"],
        last.data["observed_at"][:10],
    )
    with desk.app.database.reading() as tx:
        assert ["senders.csv, SHA-256 0"] == list(openings.reveal(tx, [last.data["reference"]["commitment"]]).values())
    assert verification.verify(desk.app).ok


def test_the_same_list_again_changes_nothing(desk: Desk) -> None:
    """A second import of the same list of the same time writes no entry."""
    desk.restrict()
    desk.restrict(EVE)
    desk.clock.move(HOUR)
    at = desk.clock.now
    whole(desk, report(EVE), taken_at=at)
    before = desk.count()

    assert [("known", 2, "this very report was taken in before"), ("left", 1, "known to be gone already")] == whole(
        desk, report(EVE), taken_at=at
    )
    assert before == desk.count()


def test_an_older_list_proves_nothing_new(desk: Desk) -> None:
    """What a newer list named is not gone because an older one does not name it, whichever is imported first."""
    desk.restrict()
    desk.clock.move(2 * DAY)
    whole(desk, report(), taken_at=desk.clock.now - HOUR)
    before = desk.count()

    ((outcome, number, why),) = whole(desk, taken_at=desk.clock.now - DAY)

    assert ("left", 1) == (outcome, number)
    assert why.startswith("something newer is known, of 2026-11-26")
    assert before == desk.count()


def test_what_began_after_the_list_is_left_alone(desk: Desk) -> None:
    """A list cannot name what was not there yet; where nobody said when it began, the report is what is known."""
    taken_at = desk.clock.now - HOUR
    desk.restrict()
    desk.restrict(EVE, restricted_at=None)
    desk.restrict(BOB, restricted_at=taken_at - DAY, observed_at=taken_at + MINUTE)
    before = desk.count()
    assert [
        ("left", 1, "restricted after the list was taken"),
        ("left", 2, "something newer is known, of 2026-11-24 08:02 UTC"),
        ("left", 3, "something newer is known, of 2026-11-24 07:01 UTC"),
    ] == whole(desk, taken_at=taken_at)
    assert before == desk.count()


def test_what_was_typed_in_after_the_list_and_is_older_is_gone(desk: Desk) -> None:
    """When a case was opened says nothing about when the restriction was known to stand."""
    taken_at = desk.clock.now - HOUR
    desk.restrict(restricted_at=taken_at - DAY)
    desk.restrict(EVE, restricted_at=taken_at)
    desk.restrict(BOB, restricted_at=None, observed_at=taken_at - MINUTE)
    assert [("unblocked-outside", number) for number in (1, 2, 3)] == outcomes(desk, taken_at=taken_at)
    assert verification.verify(desk.app).ok


def test_still_listed_is_a_reading(desk: Desk) -> None:
    """A row of a whole list refreshes the reading, so that it is known to which day the restriction stood."""
    case_id = desk.restrict()
    desk.clock.move(DAY)
    whole(desk, report())
    assert (RestrictionStatus.LISTED, desk.clock.now) == (
        desk.case(case_id).reading.status,
        desk.case(case_id).reading.observed_at,
    )
    assert verification.verify(desk.app).ok


def test_listed_after_it_was_gone_comes_back(desk: Desk) -> None:
    """Whatever beginning the row names: listed later than it was seen gone, the unblock did not hold."""
    case_id = desk.released()
    desk.clock.move(HOUR)
    assert [("came-back", 1)] == outcomes(desk, report())
    case = desk.case(case_id)
    assert (2, State.DETECTED, desk.clock.now, None) == (case.recurrence, case.state, case.boundary, case.restricted_at)
    assert verification.verify(desk.app).ok


def test_a_list_older_than_the_absence_is_old_news(desk: Desk) -> None:
    """A row read before the restriction was seen gone brings nothing back."""
    desk.released()
    assert [("seen", 1)] == outcomes(desk, report(), taken_at=START + MINUTE)
    assert State.RELEASED is desk.case(casework.find(desk.app, "1")).state


def test_an_empty_list(desk: Desk) -> None:
    """Nobody is restricted, so every open case of the kind is gone, and those of other kinds are untouched."""
    desk.restrict()
    desk.restrict(CONNECTOR, kind=Kind.CONNECTOR)
    desk.clock.move(HOUR)
    assert [("unblocked-outside", 2)] == outcomes(desk, kind=Kind.CONNECTOR)
    assert [("unblocked-outside", 1)] == outcomes(desk)


def test_a_broken_row_may_be_the_one(desk: Desk) -> None:
    """With a row that could not be read nothing is gone; it does not matter where every case is named."""
    desk.restrict()
    desk.restrict(EVE)
    desk.clock.move(HOUR)
    broken = Skipped("item 2", "not valid", broken=True)

    *_, (outcome, number, why) = whole(desk, report(EVE), broken, Skipped("item 3", "of no interest"))

    assert ("incomplete", None) == (outcome, number)
    assert why == (
        "nothing was recorded as gone, because 1 of its rows could not be read, and each may be one that seems not to "
        "be named. Not named: #1"
    )
    assert ["known", "seen", "broken"] == [item[0] for item in whole(desk, report(EVE), report(ADA), broken)]


@pytest.mark.parametrize(
    ("item", "why"),
    [
        (report(CONNECTOR, kind=Kind.CONNECTOR), "it also names a connector"),
        (report(EVE, tenant="other"), "more than one tenant"),
        (report(EVE, restricted_at=START + 9 * DAY), "could not be read"),
        (report("no address"), "could not be read"),
    ],
)
def test_what_is_not_one_whole_list(desk: Desk, item: Restriction, why: str) -> None:
    """Two kinds, two tenants, a row from after the list: rows are taken in where they can be, and nothing is gone."""
    desk = desk.again(tenants={"other": "elsewhere"})
    desk.restrict()
    desk.restrict(BOB)
    desk.clock.move(DAY)

    *_, (outcome, _, told) = whole(desk, report(BOB), item)

    assert "incomplete" == outcome
    assert why in told


def test_a_list_of_another_tenant(desk: Desk) -> None:
    """A list says nothing about the cases of another tenant."""
    desk.restrict()
    desk.clock.move(HOUR)
    assert [] == whole(desk, tenant="elsewhere")
    assert [("unblocked-outside", 1)] == outcomes(desk)


def test_normalised_identifiers(desk: Desk) -> None:
    """However an address is written, it names its case; so does a sender that is not hosted."""
    desk.restrict(ADA)
    desk.clock.move(HOUR)
    assert [("seen", 1)] == outcomes(desk, report("SMTP:" + ADA.upper()))


def test_absent_before_the_intent_was_outside(desk: Desk) -> None:
    """A list taken before the unblock was begun, imported later, shows that somebody else was first."""
    case_id = desk.approved()
    taken_at = desk.clock.now
    desk.do(case_id, act.IntendUnblock())
    desk.clock.move(HOUR)
    assert [("unblocked-outside", 1)] == outcomes(desk, taken_at=taken_at)


def test_a_release_that_waits(desk: Desk) -> None:
    """Gone after the unblock, with evidence retracted meanwhile: observed, and not released."""
    case_id = desk.approved()
    desk.do(case_id, act.IntendUnblock())
    desk.do(case_id, act.RetractEvidence(prerequisite="cause-decided", reason=Private("not so sure")))
    desk.clock.move(HOUR)
    ((outcome, _, why),) = whole(desk)
    assert ("observed", "gone; the release waits for what is missing") == (outcome, why)


def test_a_list_from_the_future(desk: Desk) -> None:
    """A list that will be taken proves nothing today."""
    with pytest.raises(InputError, match="lies in the future"):
        whole(desk, taken_at=desk.clock.now + HOUR)


def test_who_may_not(team: Desk) -> None:
    """An auditor's list records nothing."""
    case_id = team.restrict()
    team.clock.move(HOUR)
    with pytest.raises(NotPermittedError):
        whole(team, who=DAN)
    assert team.case(case_id).resolution is None


def test_a_case_about_the_importer(desk: Desk) -> None:
    """Nobody attests that their own restriction is gone; the others are judged all the same."""
    desk.restrict(ADA)
    desk.restrict(EVE)
    desk.clock.move(HOUR)
    found = whole(desk, who=Who(ADA))
    assert [("left", 1), ("unblocked-outside", 2)] == [item[:2] for item in found]
    assert "somebody else" in found[0][2]


def test_more_cases_than_one_page(sqlite_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Open cases are read and written a part at a time."""
    for name in "abcde":
        sqlite_desk.restrict(f"{name}@contoso.example")
    sqlite_desk.clock.move(HOUR)
    monkeypatch.setattr("workflow.storage.worklist.MOST", 2)
    monkeypatch.setattr("workflow.services.listing.casework.AT_ONCE", 2)
    assert 5 == len(whole(sqlite_desk))
