"""Polling: the lists are taken in whole, what changed is recorded, and what is gone is recorded as what it is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.services.desk import ADA, ANN, DAN, MINUTE, TEAM, Desk
from workflow.domain import actions as act
from workflow.domain.vocabulary import Kind, Method, Resolution, RestrictionStatus, State
from workflow.errors import NotPermittedError, NotReadableError, ProviderBusyError
from workflow.providers.shapes import Restricted
from workflow.services import polling, verification
from workflow.services.people import Who
from workflow.services.polling import Polled

if TYPE_CHECKING:
    from workflow.services.intake import Taken

BEA, CLEO = "bea@contoso.example", "cleo@contoso.example"
MACHINE = Who(machine=True)


@pytest.fixture
def desk(open_desk: Callable[..., Desk]) -> Desk:
    """A desk connected to a tenant that restricts nobody yet."""
    found = open_desk(connected=True)
    found.tenant.kinds = {Kind.MAILBOX}
    return found


def restrict(desk: Desk, *names: str, temporary: bool | None = None) -> None:
    """Let the tenant restrict these mailboxes now."""
    for name in names:
        row = Restricted(
            identifier=name, temporary=temporary, created_at=desk.clock.now, reason="OutboundSpamPercent=90"
        )
        desk.tenant.listed[name] = row


def poll(desk: Desk, who: Who = MACHINE, found: Polled | None = None, after: timedelta = 5 * MINUTE) -> list[Taken]:
    """Poll a while later."""
    desk.clock.move(after)
    return list(polling.poll(desk.app, who, found))


def outcomes(taken: list[Taken]) -> dict[str, str]:
    """Return what became of each address."""
    return {item.identifier: item.outcome for item in taken}


def verifies(desk: Desk) -> bool:
    """Say whether the ledger verifies, replay included."""
    return verification.verify(desk.app).findings == []


def test_new_restrictions_open_cases_and_known_ones_write_nothing(desk: Desk) -> None:
    """However often it is looked, the ledger holds what changed."""
    restrict(desk, ADA, BEA)
    assert {ADA: "opened", BEA: "opened"} == outcomes(poll(desk))
    before = desk.count()
    found = Polled()
    assert [] == poll(desk, found=found)
    assert ({"counts": {"known": 2}, "unread": []}, before) == (found.to_data(), desk.count())
    restrict(desk, CLEO)
    assert {CLEO: "opened"} == outcomes(poll(desk))
    assert verifies(desk)


def test_another_kind_of_restriction_is_news(desk: Desk) -> None:
    """A block for today that becomes a lasting one is recorded, and so is one that began anew."""
    restrict(desk, ADA, temporary=True)
    poll(desk)
    restrict(desk, ADA)
    assert {ADA: "came-back"} == outcomes(poll(desk))
    assert [] == poll(desk)


def test_a_row_without_a_time_is_known_too(desk: Desk) -> None:
    """What the tenant does not date is compared by what it says."""
    desk.tenant.listed[ADA] = Restricted(identifier=ADA)
    assert {ADA: "opened"} == outcomes(poll(desk))
    assert [] == poll(desk)
    restrict(desk, ADA)
    assert {ADA: "seen"} == outcomes(poll(desk))


def test_what_is_gone_is_recorded_as_what_it_is(desk: Desk) -> None:
    """After our unblock, by itself, and in the portal: the last with whom the audit log names, dated by its record."""
    restrict(desk, ADA, BEA)
    restrict(desk, CLEO, temporary=True)
    poll(desk)
    (ada,) = [item for item in desk.open_cases() if item[1] == ADA]
    case_id = ada[0]
    desk.fulfil(case_id)
    desk.do(case_id, act.RequestUnblock())
    desk.do(case_id, act.ApproveUnblock(), who=Who("Bob"))
    desk.do(case_id, act.IntendUnblock())
    desk.tenant.removed(BEA, "first@contoso.example")
    lifted_at = desk.clock.move()
    desk.tenant.removed(BEA, "portal@contoso.example")
    desk.tenant.log.reverse()
    desk.tenant.removed(CLEO, "")
    desk.tenant.listed.clear()
    assert {ADA: "released", BEA: "unblocked-outside", CLEO: "expired"} == outcomes(poll(desk))
    assert 1 == desk.tenant.calls.count("audit_log")
    by_name = {name: found for found, name in desk.open_cases()}
    entry = desk.entries(by_name[BEA])[-1]
    assert ("restriction:observed", Method.CHECKED) == (entry.type, entry.data["method"])
    assert lifted_at.isoformat()[:19] == entry.data["lifted_at"][:19]
    assert Resolution.UNBLOCKED_OUTSIDE is desk.case(by_name[BEA]).resolution
    assert State.RELEASED is desk.case(by_name[ADA]).state
    assert {BEA: "left", CLEO: "left", ADA: "left"} == outcomes(poll(desk))
    restrict(desk, ADA, BEA)
    assert {ADA: "came-back", BEA: "came-back", CLEO: "left"} == outcomes(poll(desk))
    assert verifies(desk)


def test_a_reason_without_end_hides_nothing(desk: Desk) -> None:
    """It is cut to what is kept of a text: the case opens, and the list is whole."""
    desk.tenant.listed[ADA] = Restricted(identifier=ADA, reason="OutboundSpam=" + 5000 * "1")
    assert {ADA: "opened"} == outcomes(poll(desk))
    desk.tenant.listed.clear()
    assert {ADA: "unblocked-outside"} == outcomes(poll(desk))


def test_who_lifted_an_earlier_restriction_lifted_no_later_one(desk: Desk) -> None:
    """Restricted again for a day, which ended by itself: the removal of before is nobody's of this time."""
    restrict(desk, ADA)
    poll(desk)
    desk.tenant.removed(ADA, "first@contoso.example")
    desk.tenant.listed.clear()
    poll(desk)
    desk.clock.move(timedelta(hours=6))
    restrict(desk, ADA, temporary=True)
    poll(desk)
    desk.tenant.listed.clear()
    assert {ADA: "expired"} == outcomes(poll(desk))
    assert verifies(desk)


def test_what_could_not_be_read_proves_nothing(desk: Desk) -> None:
    """A list that broke off leaves every case as it stands; an unreadable log names nobody."""
    restrict(desk, ADA)
    poll(desk)
    desk.tenant.listed.clear()
    desk.tenant.faults["restricted"] = ProviderBusyError("busy")
    found = Polled()
    assert [] == poll(desk, found=found)
    assert 2 == len(found.unread)
    del desk.tenant.faults["restricted"]
    desk.tenant.faults["audit_log"] = NotReadableError("no permission")
    assert {ADA: "unblocked-outside"} == outcomes(poll(desk, found=(found := Polled())))
    assert ["audit log: no permission"] == found.unread


def test_a_row_that_is_no_address_is_told_and_hides_nothing(desk: Desk) -> None:
    """It may be the very one that seems not to be listed, so nothing is concluded from that list."""
    restrict(desk, ADA)
    poll(desk)
    desk.tenant.listed.clear()
    desk.tenant.listed["odd"] = Restricted(identifier="not an address")
    assert ["broken", "incomplete"] == [item.outcome for item in poll(desk)]


def test_people_may_poll_as_well(open_desk: Callable[..., Desk]) -> None:
    """Whoever may take restrictions in may ask for them."""
    desk = open_desk(connected=True, people=TEAM)
    desk.tenant.kinds = {Kind.MAILBOX}
    restrict(desk, ADA)
    with pytest.raises(NotPermittedError):
        poll(desk, DAN)
    assert {ADA: "opened"} == outcomes(poll(desk, ANN))


def test_a_tenant_has_to_be_connected(sqlite_desk: Desk) -> None:
    """Without one the message names both ways to go on."""
    with pytest.raises(NotReadableError, match="HOLDFAST_PROVIDER"):
        poll(sqlite_desk)


def test_status_of_the_case_is_the_row_s(desk: Desk) -> None:
    """A temporary block is opened as one."""
    restrict(desk, ADA, temporary=True)
    poll(desk)
    (found,) = desk.open_cases()
    assert RestrictionStatus.TEMPORARY is desk.case(found[0]).reading.status
