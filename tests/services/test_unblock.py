"""What a requester and an approver are shown before they decide."""

from datetime import UTC, datetime, timedelta, timezone

from tests.services.desk import ADA, BOB, CONNECTOR, DAY, EVE, HOUR, Desk, plain, report
from workflow.domain import actions as act
from workflow.domain.private import Private
from workflow.domain.vocabulary import Kind
from workflow.services import casework, unblock


def test_an_overview_says_what_the_gate_stands_on(desk: Desk) -> None:
    """Attested evidence, claimed names, exceptions, recommendations, and the command filled in."""
    case_id = desk.restrict()
    until = desk.clock.now + 2 * DAY
    desk.do(case_id, act.AskException(prerequisite="delegates-reviewed", expires_at=until, reason=Private("no rights")))
    desk.do(case_id, act.ConfirmProposal(proposal="exception:delegates-reviewed"), who=BOB)
    desk.fulfil(case_id)
    found = unblock.overview(desk.app, case_id)
    assert plain(found.to_data()) == found.to_data()
    assert f"password-reset ({ADA})" in found.attested
    assert ([], ["delegates-reviewed"]) == (found.checked, found.exceptions)
    assert found.attested == found.claimed
    assert "Check signature, automatic replies, profile and telephone" in found.recommendations
    assert f"Remove-BlockedSenderAddress -SenderAddress '{ADA}' -Reason ('Holdfast case ' + '1')" == found.command
    assert "https://security.microsoft.com/restrictedentities" == found.portal
    assert "24 hours" in found.propagation


def test_what_changed_since_the_request_is_told(desk: Desk) -> None:
    """Confirmations and retractions after the request; before it there is nothing to tell."""
    case_id = desk.restrict()
    desk.fulfil(case_id)
    assert [] == unblock.overview(desk.app, case_id).changed_since_request
    desk.do(case_id, act.RequestUnblock())
    desk.do(case_id, act.AddNote(note=Private("not worth telling")))
    desk.met(case_id, "forwarding-reviewed")
    (told,) = unblock.overview(desk.app, case_id).changed_since_request
    assert "evidence confirmed: forwarding-reviewed" in told


def test_open_cases_about_the_same_elsewhere_are_told(desk: Desk) -> None:
    """Whoever decides sees that the same mailbox has another open case, whose steps this one does not ask for."""
    case_id = desk.requested()
    assert [] == unblock.overview(desk.app, case_id).elsewhere
    desk.take(report(), report(EVE), tenant="defualt")
    desk.take(report(kind=Kind.USER), tenant="fabrikam")
    assert [{"case_number": 2, "tenant": "defualt", "state": "detected"}] == unblock.overview(
        desk.app, case_id
    ).elsewhere


def test_an_unblocked_user_is_unprotected_until_midnight(desk: Desk) -> None:
    """In UTC, whatever zone the clock shows; a connector has no such day."""
    case_id = desk.requested()
    desk.clock.now = datetime(2026, 11, 24, 23, 30, tzinfo=timezone(timedelta(hours=5)))
    found = unblock.overview(desk.app, case_id)
    assert (5.5, datetime(2026, 11, 25, tzinfo=UTC)) == (
        found.unprotected_hours,
        datetime.fromisoformat(found.unprotected_until),
    )
    assert "5.5 h from now" in found.warning
    connector = desk.restrict(CONNECTOR, kind=Kind.CONNECTOR)
    other = unblock.overview(desk.app, connector)
    assert ("", "up to 1 hour") == (other.warning, other.propagation)


def test_a_decision_on_the_overview_sends_what_it_showed(desk: Desk) -> None:
    """Version and digest of the overview are those the staircase expects."""
    case_id = desk.requested()
    shown = unblock.overview(desk.app, case_id).case
    desk.clock.move(HOUR)
    done = casework.perform(
        desk.app, BOB, case_id, act.ApproveUnblock(seen_version=shown.version, seen_digest=shown.digest)
    )
    assert "unblock:approved" == done.entries[0].type
