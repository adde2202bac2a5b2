"""The staircase: one step on a case, from the lock to the commit."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.services.desk import ADA, ANN, BOB, CAT, CONNECTOR, DAN, DAY, EVE, HOUR, TEAM, UNKNOWN, Desk, report
from workflow.domain import actions as act
from workflow.domain.private import Private
from workflow.domain.restriction import Source
from workflow.domain.vocabulary import Answer, Kind, Phase, Resolution, RestrictionStatus, Result, State
from workflow.errors import (
    ConflictError,
    GateClosedError,
    HoldfastError,
    InputError,
    KeyMissingError,
    NotFoundError,
    NotPermittedError,
    PendingError,
    RuleRefusedError,
    SamePersonError,
    WrongStateError,
)
from workflow.services import casework, history, playbooks, verification, views
from workflow.services.people import Who

ENDED = [State.CLOSED, State.DISMISSED]


def refused(desk: Desk, case_id: str, *actions: act.Action, who: Who = ANN) -> HoldfastError:
    """Take a step that is refused, and return the refusal."""
    with pytest.raises(HoldfastError) as caught:
        desk.do(case_id, *actions, who=who)
    return caught.value


def test_a_case_goes_from_detected_to_closed(team: Desk) -> None:
    """The whole way, by four people, each step on the ledger and legal under replay."""
    case_id = team.restrict()
    team.do(case_id, *team.every(case_id, Phase.CONTAIN))
    states = [team.case(case_id).state]
    for actions, who in (
        (team.every(case_id, Phase.VERIFY, Phase.REQUEST), ANN),
        ([act.RequestUnblock(reason=Private("all done"))], ANN),
        ([act.ApproveUnblock()], BOB),
        ([act.IntendUnblock()], ANN),
        ([act.RecordAnswer(answer=Answer.DONE, reference=Private("the portal said so"))], ANN),
        ([team.gone()], ANN),
    ):
        if isinstance(actions[0], act.ObserveRestriction):
            actions = [team.gone()]  # noqa: PLW2901 - the clock has moved since the list was made
        states.append(team.do(case_id, *actions, who=who).case.state)
    requested = State.UNBLOCK_REQUESTED
    assert [State.CONTAINED, State.VERIFIED, *[requested] * 4, State.RELEASED] == states
    found = verification.verify(team.app)
    assert ([], True) == (found.findings, found.ok)


def test_a_refusal_is_committed_then_raised(desk: Desk) -> None:
    """Whoever tries too early is told what is missing, and the attempt is on the ledger (R9)."""
    case_id = desk.restrict()
    error = refused(desk, case_id, act.RequestUnblock())
    assert isinstance(error, GateClosedError)
    assert "password-reset" in {item.prerequisite for item in error.missing}
    last = desk.entries(case_id)[-1]
    assert ("action:refused", "refused", "") == (last.type, last.outcome, last.state_after)
    assert (2, 1) == (desk.case(case_id).sequence, desk.case(case_id).version)


def test_several_actions_stand_or_fall_together(desk: Desk) -> None:
    """The refusal of one leaves nothing of the others, whichever of them it is."""
    case_id = desk.restrict()
    good, bad = desk.evidence("snapshot-taken"), act.RequestUnblock()
    for actions in ((good, bad), (bad, good), (good, act.AddNote(note=Private("x")), bad)):
        assert isinstance(refused(desk, case_id, *actions), GateClosedError)
    assert {} == desk.case(case_id).evidence
    assert ["case:opened", *["action:refused"] * 3] == desk.types(case_id)
    assert "refused: request-unblock (gate closed)" == history.history(desk.app, case_id)[-1].text
    assert verification.verify(desk.app).ok


def test_a_command_refused_for_its_own_first_half_replays(desk: Desk) -> None:
    """A request that would have been legal alone is refused together with a retraction, or a denied step with others.

    What it was refused for is not on the ledger, and the ledger verifies all the same.
    """
    case_id = desk.restrict()
    desk.fulfil(case_id)
    retraction = act.RetractEvidence(prerequisite="forwarding-reviewed", reason=Private("wrong mailbox"))
    assert isinstance(refused(desk, case_id, retraction, act.RequestUnblock()), GateClosedError)
    team = desk.again(people=TEAM)
    note, approval = act.AddNote(note=Private("x")), act.ApproveUnblock()
    assert isinstance(refused(team, case_id, note, approval), NotPermittedError)
    assert ["action:refused", "action:denied"] == desk.types(case_id)[-2:]
    assert [] == verification.verify(desk.app).findings


def test_several_actions_are_one_commit(desk: Desk) -> None:
    """What stands together has one time and one request."""
    case_id = desk.restrict()
    done = desk.do(case_id, *desk.every(case_id, Phase.CONTAIN))
    assert 1 == len({(entry.request, entry.recorded_at) for entry in done.entries})
    assert "case:contained" == done.entries[-1].type


def test_the_same_request_is_done_once(desk: Desk) -> None:
    """A step repeated with its key is answered from the ledger, also by another process."""
    case_id = desk.restrict()
    first = desk.do(case_id, act.AddNote(note=Private("once")), request="req-1")
    again = desk.again().do(case_id, act.AddNote(note=Private("once")), request="req-1")
    assert (False, True) == (first.repeated, again.repeated)
    assert [entry.leaf for entry in first.entries] == [entry.leaf for entry in again.entries]
    assert 2 == len(desk.entries(case_id))


def test_no_action_is_no_step(sqlite_desk: Desk) -> None:
    """A command that names nothing to do is refused, and recorded nowhere."""
    case_id = sqlite_desk.restrict()
    with pytest.raises(InputError):
        sqlite_desk.do(case_id)
    assert ["case:opened"] == sqlite_desk.types(case_id)


def test_a_step_that_says_nothing_new_writes_nothing(desk: Desk) -> None:
    """A report that was taken in before is done, without an entry and without a text of its own."""
    case_id = desk.restrict()
    told = act.ReportRestriction(
        status=RestrictionStatus.LISTED, source=Source.ALERT, reported=Private("words"), fingerprint="f" * 32
    )
    assert ["restriction:seen"] == [entry.type for entry in desk.do(case_id, told).entries]
    assert [] == desk.do(case_id, told).entries
    assert [] == verification.verify(desk.app).findings


def test_unchanged_evidence_is_confirmed(desk: Desk) -> None:
    """Looking again and finding the same extends freshness and leaves the digest, and so the approval, alone."""
    case_id = desk.restrict()
    values: dict[str, Any] = {"before": Private("rule 'x' → outside"), "after": Private("no rules")}
    desk.fulfil(case_id)
    desk.met(case_id, "inbox-rules-reviewed", **values)
    digest = views.case_view(desk.app, case_id).digest
    done = desk.met(case_id, "inbox-rules-reviewed", **values)
    assert ["evidence:confirmed"] == [entry.type for entry in done.entries]
    assert digest == views.case_view(desk.app, case_id).digest
    desk.met(case_id, "inbox-rules-reviewed", before=values["before"], after=Private("one rule"))
    assert digest != views.case_view(desk.app, case_id).digest


def test_changed_evidence_voids_request_and_approval(desk: Desk) -> None:
    """What was approved is not what stands any more."""
    case_id = desk.approved()
    done = desk.met(case_id, "forwarding-reviewed", after=Private("found one more"))
    assert "unblock:voided" in [entry.type for entry in done.entries]
    assert (State.VERIFIED, ()) == (done.case.state, done.case.approvals)
    assert isinstance(refused(desk, case_id, act.IntendUnblock()), WrongStateError)


def test_the_picture_that_was_seen_has_to_be_the_present_one(desk: Desk) -> None:
    """A decision taken on another version or digest is refused as a conflict, and recorded."""
    case_id = desk.requested()
    seen = views.case_view(desk.app, case_id)
    stale = act.ApproveUnblock(seen_version=seen.version - 1)
    other = act.ApproveUnblock(seen_digest="0" * 64)
    assert [ConflictError] * 2 == [type(refused(desk, case_id, action, who=BOB)) for action in (stale, other)]
    right = act.ApproveUnblock(seen_version=seen.version, seen_digest=seen.digest)
    assert "unblock:approved" == desk.do(case_id, right, who=BOB).entries[0].type


def test_duties_are_separate(team: Desk) -> None:
    """Nobody approves what they asked for or worked on, and an analyst approves nothing."""
    case_id = team.restrict()
    team.fulfil(case_id, who=BOB)
    team.do(case_id, act.RequestUnblock(), who=CAT)
    errors = [type(refused(team, case_id, act.ApproveUnblock(), who=who)) for who in (ANN, BOB, CAT, DAN)]
    assert [NotPermittedError, SamePersonError, SamePersonError, NotPermittedError] == errors
    assert ["action:denied", "action:refused", "action:refused", "action:denied"] == team.types(case_id)[-4:]


def test_an_unblock_is_pending_once(desk: Desk) -> None:
    """Repeating it changes nothing and says so; a failed one falls back and wants a new approval."""
    case_id = desk.approved()
    desk.do(case_id, act.IntendUnblock())
    before = desk.count()
    assert isinstance(refused(desk, case_id, act.IntendUnblock()), PendingError)
    assert before == desk.count()
    done = desk.do(case_id, act.RecordAnswer(answer=Answer.FAILED, reference=Private("error 500")))
    assert (State.VERIFIED, ()) == (done.case.state, done.case.approvals)


def test_a_playbook_is_moved_by_two(desk: Desk) -> None:
    """Requirements fall away, so that a second person confirms; until then nothing has moved."""
    case_id = desk.restrict()
    digest = playbooks.adopted_digest(desk.app, ANN, "legitimate-bulk-sender")
    before = desk.case(case_id).playbook
    desk.do(case_id, act.MovePlaybook(playbook=digest, reason=Private("a newsletter")))
    assert before == desk.case(case_id).playbook
    assert isinstance(refused(desk, case_id, act.ConfirmProposal(proposal="playbook")), SamePersonError)
    desk.do(case_id, act.ConfirmProposal(proposal="playbook"), who=BOB)
    assert digest == desk.case(case_id).playbook
    assert "snapshot-taken" in views.case_view(desk.app, case_id).missing
    assert verification.verify(desk.app).ok


def test_an_exception_is_granted_by_another(desk: Desk) -> None:
    """One asks, another grants; never for what shuts the attacker out, and not for ever."""
    case_id = desk.restrict()
    until = desk.clock.now + 2 * DAY
    ask = act.AskException(prerequisite="delegates-reviewed", expires_at=until, reason=Private("no rights"))
    desk.do(case_id, ask)
    key = act.ConfirmProposal(proposal="exception:delegates-reviewed")
    assert isinstance(refused(desk, case_id, key), SamePersonError)
    assert "exception:granted" == desk.do(case_id, key, who=BOB).entries[0].type
    assert "delegates-reviewed" not in views.case_view(desk.app, case_id).missing
    desk.clock.move(3 * DAY)
    assert "delegates-reviewed" in views.case_view(desk.app, case_id).missing
    user = casework.subject(desk.app, "default", Kind.USER, ADA)
    never = act.AskException(
        prerequisite="password-reset", about=user, expires_at=desk.clock.now + DAY, reason=Private("x")
    )
    assert isinstance(refused(desk, case_id, never), RuleRefusedError)


def test_a_dismissal_takes_two_and_a_free_mailbox(desk: Desk) -> None:
    """While it is restricted a case is not dismissed; afterwards two people may, and one reopens it."""
    case_id = desk.restrict()
    dismissal = act.DismissCase(resolution=Resolution.FALSE_POSITIVE, reason=Private("a test mailing"))
    assert isinstance(refused(desk, case_id, dismissal), RuleRefusedError)
    desk.do(case_id, desk.gone())
    desk.do(case_id, dismissal)
    assert isinstance(refused(desk, case_id, act.ConfirmProposal(proposal="dismissal")), SamePersonError)
    assert State.DISMISSED is desk.do(case_id, act.ConfirmProposal(proposal="dismissal"), who=BOB).case.state
    done = desk.do(case_id, act.ReopenCase(reason=Private("it was not")))
    assert (State.DETECTED, 2) == (done.case.state, done.case.recurrence)
    assert verification.verify(desk.app).ok


def test_a_duplicate_names_the_other_case(desk: Desk) -> None:
    """A duplicate is dismissed although the entity may still be restricted."""
    original, case_id = desk.restrict(ADA), desk.restrict(EVE)
    desk.do(
        case_id,
        act.DismissCase(resolution=Resolution.DUPLICATE, duplicate_of=original, reason=Private("the same person")),
    )
    assert State.DISMISSED is desk.do(case_id, act.ConfirmProposal(proposal="dismissal"), who=BOB).case.state


def test_a_linked_case_is_read_under_the_lock(desk: Desk) -> None:
    """A connector's prerequisite stands on the administrator's case, as that case stands when it is asked."""
    connector = desk.restrict(CONNECTOR, kind=Kind.CONNECTOR)
    admin = desk.restrict(EVE, kind=Kind.USER)
    desk.do(connector, act.LinkCase(case=admin, relation="admin"))
    desk.changed_by(connector, EVE)
    item = _linked_prerequisite(desk, connector)
    answer = desk.evidence(item, linked=(admin,))
    assert isinstance(refused(desk, connector, answer), RuleRefusedError)
    desk.do(admin, *desk.every(admin, Phase.CONTAIN))
    assert State.CONTAINED is desk.case(admin).state
    done = desk.do(connector, answer)
    assert "evidence:recorded" == done.entries[0].type
    # From now on every step on the connector locks and reads the other case too.
    desk.do(connector, act.AddNote(note=Private("linked")))
    view = views.case_view(desk.app, connector)
    assert [(2, "admin", "contained")] == [(item["number"], item["relation"], item["state"]) for item in view.links]
    assert verification.verify(desk.app).ok


def test_only_a_case_that_contains_whom_the_step_is_about_counts(desk: Desk) -> None:
    """Not another connector's, nor one about somebody else, nor a bulk sender's; what would count is named."""
    connector = desk.restrict(CONNECTOR, kind=Kind.CONNECTOR)
    other = desk.restrict("0c1e2f30-4a5b-4c6d-8e7f-901234567890", kind=Kind.CONNECTOR)
    stranger, bulk = desk.restrict(ADA), desk.restrict(EVE)
    target = playbooks.adopted_digest(desk.app, ANN, "legitimate-bulk-sender")
    desk.do(bulk, act.MovePlaybook(playbook=target, reason=Private("The newsletter")))
    desk.do(bulk, act.ConfirmProposal(proposal="playbook"), who=BOB)
    for case_id in (other, stranger, bulk):
        desk.do(case_id, *desk.every(case_id, Phase.CONTAIN))
        assert State.CONTAINED is desk.case(case_id).state
        desk.do(connector, act.LinkCase(case=case_id))
    item = _linked_prerequisite(desk, connector)
    unnamed = refused(desk, connector, desk.evidence(item, linked=(stranger,)))
    assert "none is open now" in str(unnamed)
    desk.changed_by(connector, EVE)
    for case_id in (other, stranger, bulk):
        error = refused(desk, connector, desk.evidence(item, linked=(case_id,)))
        assert "do not count" in str(error)
        assert "action:refused" == desk.types(connector)[-1]
    admin = desk.restrict(EVE, kind=Kind.USER)
    assert "#5." in str(refused(desk, connector, desk.evidence(item, linked=(bulk,))))
    desk.do(connector, act.LinkCase(case=admin))
    assert "not contained yet" in str(refused(desk, connector, desk.evidence(item, linked=(admin,))))
    desk.do(admin, *desk.every(admin, Phase.CONTAIN))
    desk.do(connector, desk.evidence(item, linked=(admin,)))
    assert verification.verify(desk.app).ok


@pytest.mark.parametrize("before", [True, False])
def test_an_ended_case_counts_that_was_contained_since(desk: Desk, *, before: bool) -> None:
    """A case long closed contains nobody who changed the connector afterwards."""
    connector = "" if before else desk.restrict(CONNECTOR, kind=Kind.CONNECTOR)
    admin = desk.restrict(EVE, kind=Kind.USER, status=UNKNOWN)
    desk.fulfil(admin)
    closed = act.CloseCase(resolution=Resolution.NOT_UNBLOCKED, reason=Private("x"))
    error = refused(desk, admin, closed)
    assert isinstance(error, GateClosedError)
    desk.do(admin, *[replace(desk.evidence(item.prerequisite), about=item.about) for item in error.missing], closed)
    desk.clock.move()
    connector = connector or desk.restrict(CONNECTOR, kind=Kind.CONNECTOR)
    desk.changed_by(connector, EVE)
    desk.do(connector, act.LinkCase(case=admin))
    answer = desk.evidence(_linked_prerequisite(desk, connector), linked=(admin,))
    if before:
        assert "do not count" in str(refused(desk, connector, answer))
    else:
        desk.do(connector, answer)


@pytest.mark.parametrize("late", [True, False])
def test_a_user_named_after_the_others_were_contained_is_not_contained(desk: Desk, *, late: bool) -> None:
    """Whether the other case is still worked or its unblock is done, its state tells nothing of a user named late."""
    connector, other = desk.restrict(CONNECTOR, kind=Kind.CONNECTOR), desk.restrict(ADA)
    desk.fulfil(other)
    if late:
        desk.do(other, act.RequestUnblock(reason=Private("all done")))
        desk.do(other, act.ApproveUnblock(), who=BOB)
        desk.do(other, act.IntendUnblock(), who=BOB)
        desk.clock.move()
        assert State.RELEASED is desk.do(other, desk.gone()).case.state
    user = casework.subject(desk.app, "default", Kind.USER, EVE)
    desk.do(other, act.AddIdentity(subject=user))
    desk.changed_by(connector, EVE)
    desk.do(connector, act.LinkCase(case=other))
    answer = desk.evidence(_linked_prerequisite(desk, connector), linked=(other,))
    assert ("do not count" if late else "not contained yet") in str(refused(desk, connector, answer))
    desk.do(other, *[item for item in desk.every(other, Phase.CONTAIN) if item.about == user])
    desk.do(connector, answer)
    assert verification.verify(desk.app).ok


def test_a_case_frozen_before_the_restriction_contains_nobody(desk: Desk) -> None:
    """Whoever was released before the connector was blocked may have changed it afterwards."""
    other = desk.approved(EVE)
    desk.do(other, act.IntendUnblock(), who=BOB)
    desk.clock.move()
    connector = desk.restrict(CONNECTOR, kind=Kind.CONNECTOR)
    desk.changed_by(connector, EVE)
    desk.do(connector, act.LinkCase(case=other))
    answer = desk.evidence(_linked_prerequisite(desk, connector), linked=(other,))
    assert "do not count" in str(refused(desk, connector, answer))


def test_every_user_that_the_step_asks_about_is_contained_in_some_case(desk: Desk) -> None:
    """One of two users who changed the connector is not enough; two cases together are."""
    connector = desk.restrict(CONNECTOR, kind=Kind.CONNECTOR)
    both = [desk.restrict(address, kind=Kind.USER) for address in (ADA, EVE)]
    for case_id, address in zip(both, (ADA, EVE), strict=True):
        desk.do(case_id, *desk.every(case_id, Phase.CONTAIN))
        desk.do(connector, act.LinkCase(case=case_id))
        desk.changed_by(connector, address)
    item = _linked_prerequisite(desk, connector)
    assert "every user" in str(refused(desk, connector, desk.evidence(item, linked=(both[0],))))
    desk.do(connector, desk.evidence(item, linked=tuple(both)))
    assert verification.verify(desk.app).ok


def _linked_prerequisite(desk: Desk, case_id: str) -> str:
    with desk.app.database.reading() as tx:
        playbook = desk.app.playbook(tx, desk.case(case_id).playbook)
    return next(item.id for item in playbook.prerequisites if item.check)


@pytest.mark.parametrize("text", ["x" * 4001, "a\x00b", "a\ud800"])
def test_text_that_cannot_be_kept_is_refused(desk: Desk, text: str) -> None:
    """Too long, or no text: nothing is written."""
    case_id = desk.restrict()
    with pytest.raises(InputError):
        desk.do(case_id, act.AddNote(note=Private(text)))
    assert ["case:opened"] == desk.types(case_id)


def test_a_text_that_was_sealed_stays_sealed(desk: Desk) -> None:
    """A commitment that a caller hands in is taken as it is."""
    case_id = desk.restrict()
    commitment = desk.do(case_id, act.AddNote(note=Private("words"))).entries[0].data["note"]["commitment"]
    done = desk.do(case_id, act.AddNote(note=Private(commitment=commitment)))
    assert commitment == done.entries[0].data["note"]["commitment"]


def test_no_entry_holds_a_name_an_address_or_free_text(open_desk: Callable[..., Desk]) -> None:
    """Whatever is typed, handed in or configured: entries carry opaque ids and commitments alone."""
    people = [{"name": "Quirina", "roles": ["lead"], "contact": "zz-phone", "identities": ["quirina@zz.example"]}]
    desk = open_desk(people=[*people, {"name": "Quentin", "roles": ["lead"], "team": "blue"}])
    quirina, quentin = Who("Quirina"), Who("Quentin")
    case_id = desk.restrict("zz-mailbox@zz.example", who=quirina, reason="zz-reason", name="zz-label")
    desk.do(case_id, *(_with_words(action) for action in desk.every(case_id)), who=quirina)
    user = casework.subject(desk.app, "default", Kind.USER, "zz-user@zz.example")
    desk.do(case_id, act.AddIdentity(subject=user, reference=Private("zz-reference")), who=quirina)
    desk.do(case_id, act.RemoveIdentity(subject=user, reason=Private("zz-reason")), who=quirina)
    desk.do(case_id, act.ConfirmProposal(proposal=f"identity:{user}", reason=Private("zz-reason")), who=quentin)
    desk.do(case_id, act.AssignCase(assignee=casework.person(desk.app, "zz-assignee")), who=quirina)
    desk.do(case_id, act.AddNote(note=Private("zz-note")), who=quirina)
    desk.do(case_id, act.RetractEvidence(prerequisite="forwarding-reviewed", reason=Private("zz-reason")), who=quirina)
    desk.do(case_id, _with_words(desk.evidence("forwarding-reviewed")), who=quirina)
    desk.do(case_id, act.RequestUnblock(reason=Private("zz-reason")), who=quirina)
    desk.do(case_id, act.RejectRequest(reason=Private("zz-reason")), who=quentin)
    gone = desk.gone(reference=Private("zz-reference"), lifted_by=Private("zz-admin"), lifted_at=desk.clock.now)
    desk.do(case_id, gone, who=quirina)
    refused(desk, case_id, act.RequestUnblock(reason=Private("zz-reason")), who=quirina)
    # Keys and hashes may hold two letters in a row by chance, never with a hyphen or a dot behind them.
    user = re.escape(casework.people.os_user())  # type: ignore[attr-defined]
    forbidden = re.compile(rf"zz[-.]|quirina|quentin|\b{user}\b", re.IGNORECASE)
    bodies = desk.bodies()
    assert [] == [body for body in bodies if forbidden.search(body)]
    assert 20 < len(bodies)
    found = verification.verify(desk.app)
    assert ([], 0) == (found.findings, found.counts["texts_without_opening"])


def _with_words(action: act.RecordEvidence) -> act.RecordEvidence:
    return act.RecordEvidence(
        prerequisite=action.prerequisite,
        about=action.about,
        observed_at=action.observed_at,
        reference=Private("zz-reference"),
        note=Private("zz-note"),
        before=Private("zz-before"),
        after=Private("zz-after"),
        file=Private("zz-file.txt"),
    )


def test_a_file_is_kept_by_its_digest(desk: Desk) -> None:
    """Evidence is attached by the digest of its bytes, and one that is too large is refused."""
    case_id = desk.restrict()
    digest = casework.attach(desk.app, b"Get-Mailbox said so")
    done = desk.met(case_id, "snapshot-taken", attachment=digest)
    assert digest == done.entries[0].data["attachment"]
    with pytest.raises(InputError):
        casework.attach(desk.app, b"x" * (10 * 1024 * 1024 + 1))


def test_without_the_key_reading_works_and_writing_does_not(desk: Desk) -> None:
    """The key is needed for every entry, and for nothing else."""
    case_id = desk.restrict()
    (desk.place.home / "signing.key").unlink()
    other = desk.again()
    with pytest.raises(KeyMissingError):
        other.do(case_id, act.AddNote(note=Private("x")))
    assert State.DETECTED == views.case_view(other.app, case_id).state
    assert ["case:opened"] == other.types(case_id)


@pytest.mark.parametrize("case_id", ["no-such-case", "", "log"])
def test_there_is_no_such_case(desk: Desk, case_id: str) -> None:
    """An unknown id is not found, and the log itself is no case."""
    before = desk.count()
    with pytest.raises(HoldfastError):
        desk.do(case_id, act.AddNote(note=Private("x")))
    assert before == desk.count()


def test_a_case_is_found_as_people_name_it(desk: Desk) -> None:
    """By number with or without #, address in any case, connector id, whole id, or the end of an id."""
    case_id = desk.restrict()
    connector = desk.restrict(CONNECTOR, kind=Kind.CONNECTOR)
    references = ("1", "#1", ADA.upper(), case_id, case_id[-6:], CONNECTOR)
    assert [case_id] * 5 + [connector] == [casework.find(desk.app, reference) for reference in references]
    with pytest.raises(NotFoundError):
        casework.find(desk.app, "eve@contoso.example")


def test_an_address_finds_the_open_case_before_ended_ones(desk: Desk) -> None:
    """Of several cases of one entity the open one is meant, and of ended ones the newest."""
    first = _dismissed(desk)
    second = _dismissed(desk)
    assert second == casework.find(desk.app, ADA)
    desk.clock.move(40 * DAY)
    third = desk.restrict()
    assert third == casework.find(desk.app, ADA)
    assert 3 == len({first, second, third})


def _dismissed(desk: Desk) -> str:
    desk.clock.move(40 * DAY)
    case_id = desk.restrict()
    desk.do(case_id, desk.gone())
    desk.do(case_id, act.DismissCase(resolution=Resolution.FALSE_POSITIVE, reason=Private("a test")))
    desk.do(case_id, act.ConfirmProposal(proposal="dismissal"), who=BOB)
    return case_id


def test_what_fits_several_cases_is_refused_with_their_numbers(desk: Desk) -> None:
    """The same address in two tenants is two cases, and the message lists both."""
    desk.take(report(), tenant="contoso")
    desk.take(report(), tenant="fabrikam")
    with pytest.raises(InputError, match=r"#2.*#1"):
        casework.find(desk.app, ADA)


def test_evidence_lapses_before_a_step_is_judged(desk: Desk) -> None:
    """What ran out of time is written first, by the machine, and the step is judged on what is left."""
    case_id = desk.restrict()
    desk.fulfil(case_id)
    desk.clock.move(25 * HOUR)
    assert isinstance(refused(desk, case_id, act.RequestUnblock()), GateClosedError)
    types = desk.types(case_id)
    assert "evidence:lapsed" in types
    assert ("case:returned", "action:refused") == tuple(types[-2:])
    assert desk.case(case_id).state in {State.CONTAINED, State.DETECTED}
    assert verification.verify(desk.app).ok


def test_not_met_and_unable_to_verify_hold_nothing(desk: Desk) -> None:
    """Evidence that is not good is recorded and takes the case back (R7)."""
    case_id = desk.restrict()
    desk.fulfil(case_id)
    assert State.VERIFIED is desk.case(case_id).state
    for result in (Result.NOT_MET, Result.UNABLE_TO_VERIFY):
        done = desk.met(case_id, "forwarding-reviewed", result=result)
        assert (State.CONTAINED, result) == (done.case.state, done.case.evidence["forwarding-reviewed", ""].result)
