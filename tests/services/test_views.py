"""What people look at: settled as of now or as it was, and never written by looking."""

import sqlite3
from collections.abc import Callable
from datetime import datetime

import pytest

from tests.services.desk import (
    ADA,
    ANN,
    BOB,
    CONNECTOR,
    DAY,
    EVE,
    HOUR,
    MINUTE,
    START,
    TEAM,
    UNKNOWN,
    Desk,
    plain,
    report,
)
from workflow.domain import actions as act
from workflow.domain.private import Private
from workflow.domain.record import time_to_text
from workflow.domain.restriction import Source
from workflow.domain.vocabulary import Answer, Kind, Phase, Resolution, RestrictionStatus, Result
from workflow.errors import InputError, NotFoundError
from workflow.services import adoption, casework, intake, playbooks, unblock, views
from workflow.services.report import report as report_of
from workflow.services.shapes import CaseView, PrerequisiteView
from workflow.services.wishes import Wish


def view(desk: Desk, case_id: str, as_of: str | None = None) -> CaseView:
    """Return a case's view."""
    return views.case_view(desk.app, case_id, as_of)


def item(found: CaseView, name: str, about: str = "") -> PrerequisiteView:
    """Return one prerequisite of a view."""
    return next(entry for entry in found.prerequisites if entry.id == name and entry.about == about)


def test_a_view_is_plain_json(desk: Desk) -> None:
    """Whatever happened to a case, its view is plain values with the promised keys."""
    case_id = desk.released()
    data = view(desk, case_id).to_data()
    assert plain(data) == data
    promised = "id number tenant kind entity state recurrence version missing assignee opened_at updated_at due_at"
    assert set(promised.split()) | {"resolution", "restriction"} <= set(data)


def test_a_new_case_names_what_is_missing(desk: Desk) -> None:
    """In playbook order, each prerequisite with its command filled in and the next step."""
    found = view(desk, desk.restrict(reason="OutboundSpam=1", name="Ada"))
    assert ["snapshot-taken", "password-reset", "mfa-enabled"] == found.missing[:3]
    reset = item(found, "password-reset", ADA)
    assert ("unanswered", "", False, None) == (reset.standing, reset.result, reset.held, reset.observed_at)
    assert f"Update-MgUser -UserId '{ADA}'" in reset.command
    assert ["holdfast", "case", "record", "1", "password-reset", "--ref", "WHERE"] == reset.next
    assert ["anyone"] == reset.who
    assert ("listed", "OutboundSpam=1", "Ada", "cmdlet") == tuple(
        found.restriction_reading[key] for key in ("status", "reason", "name", "source")
    )


def test_evidence_is_shown_with_who_and_where(team: Desk) -> None:
    """Who recorded it, and whether that is only claimed; what it was before and after, and until when it counts."""
    case_id = team.restrict()
    digest = casework.attach(team.app, b"output")
    done = team.met(
        case_id,
        "forwarding-reviewed",
        before=Private("to x"),
        after=Private("none"),
        note=Private("two rules"),
        attachment=digest,
    )
    shown = item(view(team, case_id), "forwarding-reviewed")
    evidence = done.case.evidence["forwarding-reviewed", ""]
    assert ("held", "met", "attested", "ann", True) == (
        shown.standing,
        shown.result,
        shown.method,
        shown.by,
        shown.claimed,
    )
    assert ("to x", "none", "two rules", digest) == (shown.before, shown.after, shown.note, shown.attachment)
    assert "https://example.org/4711" == shown.reference
    assert time_to_text(evidence.observed_at + DAY) == shown.fresh_until
    assert ([], ["Ann", "Bob", "Cat"]) == (shown.next, shown.who)


def test_a_recommended_step_is_held_once_it_is_answered(desk: Desk) -> None:
    """Whatever the answer is, a recommended step asks for no more than one."""
    case_id = desk.restrict()
    assert "unanswered" == item(view(desk, case_id), "profile-reviewed").standing
    desk.met(case_id, "profile-reviewed", result=Result.UNABLE_TO_VERIFY)
    assert "held" == item(view(desk, case_id), "profile-reviewed").standing


def test_several_users_are_asked_about_one_by_one(desk: Desk) -> None:
    """A shared mailbox is restricted because of a person: each named user has an answer of their own."""
    case_id = desk.restrict()
    user = casework.subject(desk.app, "default", Kind.USER, EVE)
    desk.do(case_id, act.AddIdentity(subject=user, facts={"federated": True}))
    found = view(desk, case_id)
    assert [{"user": ADA, "facts": {}}, {"user": EVE, "facts": {"federated": True}}] == found.identities
    assert ["--for", EVE] == item(found, "password-reset", EVE).next[5:7]
    desk.met(case_id, "password-reset", EVE)
    assert [False, True] == [item(view(desk, case_id), "password-reset", name).held for name in (ADA, EVE)]


OWN = b"""
format: 1
name: own
version: "1"
title: A playbook of one's own
summary: It asks about people and fills in what it can.
kinds: [connector]
unblock_command: Remove-BlockedConnector -ConnectorId {connector_id}
unblock_portal: https://example.org/{address}
prerequisites:
  - id: asked-person
    title: Ask the person
    required_by: contain
    about: identity
    nature: finding
    evidence: What the person said.
    command: Get-MgUser -UserId {user}
    portal: https://example.org/{user}
  - id: asked-owner
    title: Ask the owner
    required_by: verify
    about: entity
    nature: finding
    evidence: What the owner said.
    command: Get-Mailbox -Identity {address}
    portal: https://example.org/{address}
"""


def own(desk: Desk) -> str:
    """Return a connector's case under a playbook of one's own, which nobody is named in."""
    path = desk.place.home / "own.yaml"
    path.write_bytes(OWN)
    for who, confirm in ((ANN, False), (BOB, True)):
        adoption.install(desk.app, who, str(path), "ours", confirm=confirm)
    restriction = report(CONNECTOR, kind=Kind.CONNECTOR)
    intake.open_by_hand(desk.app, ANN, restriction, Wish(playbook="own", why="x"))
    case_id = casework.find(desk.app, CONNECTOR)
    desk.do(case_id, act.ConfirmProposal(proposal="playbook"), who=BOB)
    return case_id


def test_a_connector_without_a_user_asks_for_one(desk: Desk) -> None:
    """What is answered per person waits until somebody is named."""
    case_id = own(desk)
    asked = item(view(desk, case_id), "asked-person")
    assert ("no-identity", ["holdfast", "case", "identity", "1", "USER"]) == (asked.standing, asked.next)
    user = casework.subject(desk.app, "default", Kind.USER, EVE)
    desk.do(case_id, act.AddIdentity(subject=user))
    named = item(view(desk, case_id), "asked-person", EVE)
    assert ("unanswered", f"Get-MgUser -UserId '{EVE}'", "https://example.org/eve%40contoso.example") == (
        named.standing,
        named.command,
        named.portal,
    )


def test_what_cannot_be_filled_in_stays_as_written(desk: Desk) -> None:
    """A connector has no address: the templates that ask for one are shown as they are."""
    shown = item(view(desk, own(desk)), "asked-owner")
    assert ("Get-Mailbox -Identity {address}", "https://example.org/{address}") == (shown.command, shown.portal)


def test_a_linked_case_is_asked_for(desk: Desk) -> None:
    """The command that records a prerequisite names the linked case where one is wanted."""
    found = view(desk, desk.restrict(CONNECTOR, kind=Kind.CONNECTOR))
    assert 1 == len([entry for entry in found.prerequisites if "--linked" in entry.next])
    assert CONNECTOR == found.entity


def test_looking_settles_without_writing(desk: Desk) -> None:
    """What lapsed since the last entry is seen, named, and not on the ledger."""
    case_id = desk.restrict()
    desk.fulfil(case_id)
    before, entries = view(desk, case_id), desk.count()
    desk.clock.move(25 * HOUR)
    after = view(desk, case_id)
    assert ("verified", []) == (before.state, before.missing)
    assert after.state in {"contained", "detected"}
    assert "forwarding-reviewed" in after.lapsed_since
    assert (before.version, before.sequence, entries) == (after.version, after.sequence, desk.count())
    assert "lapsed" == item(after, "forwarding-reviewed").standing


def test_a_case_is_shown_as_it_was(desk: Desk) -> None:
    """By sequence or by time; neither settles what lapsed later."""
    case_id = desk.released()
    entries = desk.entries(case_id)
    requested = next(entry for entry in entries if entry.type == "unblock:requested")
    desk.clock.move(90 * DAY)
    by_sequence = view(desk, case_id, str(requested.sequence))
    by_time = view(desk, case_id, requested.recorded_at)
    assert ("unblock_requested", "unblock_requested") == (by_sequence.state, by_time.state)
    assert by_sequence.prerequisites == by_time.prerequisites
    assert (requested.sequence, [], None) == (by_sequence.sequence, by_sequence.lapsed_since, by_sequence.attempt)
    assert "detected" == view(desk, case_id, "1").state
    assert view(desk, case_id, "2026-11-24T09:01:00+01:00").sequence == 1


@pytest.mark.parametrize(
    ("as_of", "error"),
    [
        ("0", NotFoundError),
        ("2020-01-01T00:00:00Z", NotFoundError),
        ("yesterday", InputError),
        ("2026-11-24T08:00:00", InputError),
        ("-1", InputError),
        ("²", InputError),
        ("", InputError),
    ],
)
def test_there_is_no_view_of_nothing(sqlite_desk: Desk, as_of: str, error: type[Exception]) -> None:
    """Before it existed there was no case; a naive time and other text are no time."""
    case_id = sqlite_desk.restrict()
    with pytest.raises(error):
        view(sqlite_desk, case_id, as_of)


def test_request_and_approval_are_shown(desk: Desk) -> None:
    """Who asked and approved, why, until when, and that it is claimed."""
    case_id = desk.requested()
    desk.do(case_id, act.ApproveUnblock(reason=Private("looks right")), who=BOB)
    found = view(desk, case_id)
    assert found.request is not None
    assert ("ann", "all done", True, found.digest) == tuple(
        found.request[key] for key in ("by", "reason", "claimed", "digest")
    )
    (approval,) = found.approvals
    assert ("bob", "looks right", True) == (approval["by"], approval["reason"], approval["claimed"])
    assert 0 == approval["bulk"]
    assert (1, desk.clock.now + DAY) == (found.approvals_needed, datetime.fromisoformat(approval["expires_at"]))


def test_an_attempt_grows_late_and_overdue(desk: Desk) -> None:
    """After one hour an unblock is late, after 24 it is overdue; once it ended it is neither."""
    case_id = desk.approved()
    desk.do(case_id, act.IntendUnblock())
    seen = []
    for span in (0 * HOUR, HOUR + MINUTE, 24 * HOUR):
        desk.clock.move(span)
        attempt = view(desk, case_id).attempt
        assert attempt is not None
        seen.append((attempt["open"], attempt["late"], attempt["overdue"], attempt["age_seconds"]))
    assert [(True, False, False, 0), (True, True, False, 3660), (True, True, True, 90060)] == seen
    desk.do(case_id, act.RecordAnswer(answer=Answer.SUPPORT, reference=Private("ticket")))
    attempt = view(desk, case_id).attempt
    assert attempt is not None
    assert (False, False, False, None, "support") == tuple(
        attempt[key] for key in ("open", "late", "overdue", "age_seconds", "answer")
    )


def test_proposals_and_exceptions_are_shown(desk: Desk) -> None:
    """What waits for a second person, and what was granted until when and by whom."""
    case_id = desk.restrict()
    until = desk.clock.now + 2 * DAY
    desk.do(case_id, act.AskException(prerequisite="delegates-reviewed", expires_at=until, reason=Private("no rights")))
    (proposal,) = view(desk, case_id).proposals
    assert ("exception:delegates-reviewed", "except", "ann", "no rights", time_to_text(until)) == tuple(
        proposal[key] for key in ("proposal", "kind", "by", "reason", "until")
    )
    desk.do(case_id, act.ConfirmProposal(proposal="exception:delegates-reviewed"), who=BOB)
    shown = item(view(desk, case_id), "delegates-reviewed")
    assert ("held", "exception") == (shown.standing, shown.result)
    assert shown.exception is not None
    assert ("ann", "bob", "no rights", False) == tuple(
        shown.exception[key] for key in ("asked_by", "granted_by", "reason", "expired")
    )
    desk.clock.move(3 * DAY)
    shown = item(view(desk, case_id), "delegates-reviewed")
    assert shown.exception is not None
    assert ("exception-expired", True) == (shown.standing, shown.exception["expired"])


def test_what_was_erased_is_said_to_be(desk: Desk) -> None:
    """Names and words that were erased leave a mark, and everything else stays visible."""
    case_id = desk.restrict(reason="OutboundSpam=1")
    desk.met(case_id, "snapshot-taken")
    with desk.app.database.transaction() as tx:
        tx.run("DELETE FROM opening WHERE case_id = ?", (case_id,))
        tx.run("DELETE FROM subject WHERE kind = 'mailbox'")
    found = view(desk, case_id)
    assert ("(erased)", "(erased)") == (found.entity, found.restriction_reading["reason"])
    assert ("(erased)", "held") == (
        item(found, "snapshot-taken").reference,
        item(found, "snapshot-taken").standing,
    )


def test_an_assignee_and_a_resolution_are_shown(desk: Desk) -> None:
    """Names come back for people too, and the resolution stands beside the state."""
    case_id = desk.restrict(status=UNKNOWN, source=Source.BOUNCE, restricted_at=None, observed_at=START)
    assert ("", None, None) == (
        view(desk, case_id).assignee,
        view(desk, case_id).resolution,
        view(desk, case_id).due_at,
    )
    desk.do(case_id, act.AssignCase(assignee=casework.person(desk.app, "Zoe")))
    desk.do(case_id, desk.gone())
    found = view(desk, case_id)
    assert ("zoe", Resolution.UNBLOCKED_OUTSIDE.value) == (found.assignee, found.resolution)


def test_a_link_to_a_case_that_was_lost_is_shown(sqlite_desk: Desk) -> None:
    """A row that is missing from the picture does not break the view of another case."""
    desk = sqlite_desk
    case_id, other = desk.restrict(ADA), desk.restrict(EVE)
    desk.do(case_id, act.LinkCase(case=other))
    connection = sqlite3.connect(desk.place.home / "holdfast.db")
    connection.execute('DELETE FROM "case" WHERE id = ?', (other,))
    connection.commit()
    connection.close()
    (link,) = view(desk, case_id).links
    assert (other, None, "related", None) == (link["id"], link["number"], link["relation"], link["state"])


def test_where_only_auditors_are_listed_anyone_supplies(open_desk: Callable[..., Desk]) -> None:
    """Auditors do not work cases, and everybody else is an analyst."""
    desk = open_desk(people=[TEAM[3]])
    assert ["anyone"] == item(view(desk, desk.restrict(who=ANN)), "snapshot-taken").who


def test_a_moved_playbook_is_named(desk: Desk) -> None:
    """The view names the playbook in force by name, version and digest."""
    case_id = desk.restrict()
    digest = playbooks.adopted_digest(desk.app, ANN, "legitimate-bulk-sender")
    desk.do(case_id, act.MovePlaybook(playbook=digest, reason=Private("a newsletter")))
    desk.do(case_id, act.ConfirmProposal(proposal="playbook"), who=BOB)
    found = view(desk, case_id)
    assert ("legitimate-bulk-sender", "1.0", digest) == (
        *(found.playbook, found.playbook_version),
        found.playbook_digest,
    )


def test_a_linked_case_that_fell_back_is_missing_again(desk: Desk) -> None:
    """The view judges linked cases as they stand now, as the next decision will."""
    connector = desk.restrict(CONNECTOR, kind=Kind.CONNECTOR)
    admin = desk.restrict(EVE, kind=Kind.USER)
    desk.do(connector, act.LinkCase(case=admin, relation="admin"))
    desk.changed_by(connector, EVE)
    desk.do(admin, *desk.every(admin, Phase.CONTAIN))
    (name,) = (entry.id for entry in view(desk, connector).prerequisites if "--linked" in entry.next)
    desk.do(connector, desk.evidence(name, linked=(admin,)))
    assert "held" == item(view(desk, connector), name).standing

    about = next(key[1] for key in desk.case(admin).evidence if key[0] == "password-reset")
    desk.do(admin, act.RetractEvidence(prerequisite="password-reset", about=about, reason=Private("somebody else")))

    found = view(desk, connector)
    assert "linked-case-open" == item(found, name).standing
    assert name in found.missing


def test_the_reason_is_that_of_the_present_restriction(desk: Desk) -> None:
    """Of this recurrence, and a list's before what a bounce says; a list without a reason hides none."""
    desk.take(report(reason="550 5.1.8", source=Source.BOUNCE, status=UNKNOWN, restricted_at=None))
    desk.clock.move()
    desk.take(report(reason="OutboundSpamLast24Hours=9"))
    first = views.case_view(desk.app, "1").restriction_reading
    assert ("OutboundSpamLast24Hours=9", "cmdlet") == (first["reason"], first["source"])
    desk.clock.move()
    now, gone = desk.clock.now, RestrictionStatus.NOT_LISTED
    desk.take(report(status=gone, observed_at=now, source=Source.AUDIT_LOG, restricted_at=None, reason=""))
    desk.clock.move(DAY)
    desk.take(report(reason="EmailSendingLimitExceeded", restricted_at=desk.clock.now - MINUTE))
    desk.take(report(reason="", observed_at=desk.clock.now, restricted_at=desk.clock.now - MINUTE, reading=True))
    view = views.case_view(desk.app, "1")
    assert (2, "EmailSendingLimitExceeded") == (view.recurrence, view.restriction_reading["reason"])


def test_a_step_that_a_fact_switches_off_stays_with_its_answer(desk: Desk) -> None:
    """It is marked and no longer missing, whether its answer was good or not; one that nobody answered goes."""
    case_id = desk.restrict()
    ada = casework.subject(desk.app, "default", Kind.USER, ADA)
    desk.met(case_id, "own-mailbox-reviewed", ADA, result=Result.NOT_MET)
    assert "not-met" == item(view(desk, case_id), "own-mailbox-reviewed", ADA).standing
    facts = {"shared-mailbox": False, "app-passwords": False}
    desk.do(case_id, act.AddIdentity(subject=ada, facts=facts))
    found = view(desk, case_id)
    step = item(found, "own-mailbox-reviewed", ADA)
    assert ("does-not-apply-any-more", "not-met", True, False) == (step.standing, step.result, step.held, step.applies)
    assert ([], None) == (step.next, step.fresh_until)
    assert "own-mailbox-reviewed" not in found.missing
    assert "app-passwords-removed" not in {step.id for step in found.prerequisites}
    overview = unblock.overview(desk.app, case_id)
    assert not [name for name in overview.attested if "own-mailbox" in name]
    (part,) = report_of(desk.app, [case_id]).cases[0].occurrences
    assert ["does-not-apply-any-more"] == [
        step["standing"] for step in part.prerequisites if step["id"] == "own-mailbox-reviewed"
    ]
    desk.do(case_id, act.AddIdentity(subject=ada, facts={"shared-mailbox": True}))
    assert "not-met" == item(view(desk, case_id), "own-mailbox-reviewed", ADA).standing
