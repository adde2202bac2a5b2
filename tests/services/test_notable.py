"""What went another way than usual: every kind is found, in its period, with who and why, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.services.desk import ADA, ANN, BOB, CAT, DAY, EVE, HOUR, MINUTE, START, Desk, plain
from workflow.domain import actions as act
from workflow.domain.notable import KINDS, RECORDED_LATE
from workflow.domain.period import Period
from workflow.domain.private import Private
from workflow.domain.vocabulary import Kind, Resolution, Result, TenantFact, Verdict
from workflow.errors import HoldfastError
from workflow.services import casework, playbooks, tenants
from workflow.services.notable import COLUMNS, Notable, notable
from workflow.services.tenants import Found


def found(desk: Desk, *kinds: str, period: Period | None = None) -> list[Notable]:
    """Return what was found of these kinds."""
    return notable(desk.app, period or Period(), kinds)


def only(desk: Desk, kind: str) -> Notable:
    """Return the one thing of this kind."""
    (item,) = found(desk, kind)
    assert kind == item.kind
    return item


def people(item: Notable) -> tuple[str, bool, str, bool]:
    """Return who, and with whom, each with whether that is only claimed."""
    return (item.by, item.claimed, item.second_by, item.second_claimed)


def test_an_ordinary_case_is_not_notable(desk: Desk) -> None:
    """A release by the book has nothing to show but that its people shared one operating system's user."""
    desk.released()

    assert {"two-names"} == {item.kind for item in found(desk)}


def test_an_exception(desk: Desk) -> None:
    """Who granted, who asked, until when, and why."""
    case_id = desk.restrict()
    user = casework.subject(desk.app, "default", Kind.USER, ADA)
    expires = START + 5 * DAY
    ask = act.AskException(prerequisite="app-consents-reviewed", about=user, expires_at=expires, reason=Private("down"))
    desk.do(case_id, ask)
    desk.do(case_id, act.ConfirmProposal(proposal=f"exception:app-consents-reviewed/{user}"), who=CAT)
    item = only(desk, "exception")

    assert ("cat", True, "ann", True) == people(item)
    assert f"app-consents-reviewed for {ADA} accepted until 2026-11-29 08:00 UTC" == item.what
    assert ("down", 1, "holdfast case history 1") == (item.reason, item.case_number, item.next)


def test_of_two_proposals_the_newer_is_confirmed(desk: Desk) -> None:
    """Who asked in vain before is not who asked for what was granted."""
    case_id = desk.restrict()
    ask = act.AskException(
        prerequisite="delegates-reviewed", expires_at=START + 2 * DAY, reason=Private("tool is down")
    )
    key = "exception:delegates-reviewed"
    desk.do(case_id, ask)
    desk.do(case_id, act.RefuseProposal(proposal=key, reason=Private("no")), who=CAT)
    desk.do(case_id, ask, who=BOB)
    desk.do(case_id, act.ConfirmProposal(proposal=key), who=CAT)

    assert ("cat", True, "bob", True) == people(only(desk, "exception"))


def test_a_dismissal(desk: Desk) -> None:
    """As what, by whom proposed, by whom confirmed."""
    case_id = desk.restrict()
    desk.do(case_id, desk.gone())
    desk.do(case_id, act.DismissCase(resolution=Resolution.FALSE_POSITIVE, reason=Private("a test")))
    desk.do(case_id, act.ConfirmProposal(proposal="dismissal"), who=BOB)
    item = only(desk, "dismissal")

    assert (("bob", True, "ann", True), "dismissed as false_positive", "a test") == (
        people(item),
        item.what,
        item.reason,
    )


def test_a_playbook_switch(desk: Desk) -> None:
    """From which version to which."""
    case_id = desk.restrict()
    digest = playbooks.adopted_digest(desk.app, ANN, "legitimate-bulk-sender")
    desk.do(case_id, act.MovePlaybook(playbook=digest, reason=Private("a newsletter")))
    desk.do(case_id, act.ConfirmProposal(proposal="playbook"), who=BOB)
    item = only(desk, "playbook")

    assert item.what.startswith("compromised-mailbox 1")
    assert " to legitimate-bulk-sender 1" in item.what
    assert "a newsletter" == item.reason


@pytest.mark.parametrize(("lifted_by", "said"), [("", ""), ("root@contoso", ", lifted by root@contoso")])
def test_unblocked_outside(desk: Desk, lifted_by: str, said: str) -> None:
    """When it was seen gone, and who lifted it where that is known."""
    case_id = desk.restrict()
    desk.do(case_id, desk.gone(lifted_by=Private(lifted_by)))

    assert f"seen gone at 2026-11-24 08:02 UTC{said}" == only(desk, "outside").what


def test_recorded_late(desk: Desk) -> None:
    """Only what was recorded more than a day after it was observed; a reading of the restriction too."""
    case_id = desk.restrict()
    observed = desk.clock.now
    desk.clock.move(RECORDED_LATE - MINUTE)
    desk.met(case_id, "snapshot-taken", observed_at=observed)
    desk.met(case_id, "forwarding-reviewed", observed_at=observed)
    desk.do(case_id, desk.gone(observed_at=observed))

    assert [
        "forwarding-reviewed observed at 2026-11-24 08:01 UTC, recorded 24 h later",
        "restriction observed at 2026-11-24 08:01 UTC, recorded 24 h later",
    ] == [item.what for item in found(desk, "recorded-late")]


def test_approved_in_bulk(desk: Desk) -> None:
    """An approval given with others is one; one that was given alone, or refused, is none."""
    case_id = desk.requested()
    with pytest.raises(HoldfastError):
        desk.do(case_id, act.ApproveUnblock(bulk=9))
    desk.do(case_id, act.ApproveUnblock(bulk=300), who=BOB)
    desk.approved(EVE)
    item = only(desk, "bulk")

    assert (1, "bob", "unblock approved as one of 300") == (item.case_number, item.by, item.what)


def test_a_broken_glass(open_desk: Callable[..., Desk]) -> None:
    """Who approved alone and why; a review takes nothing of it away."""
    desk = open_desk(break_glass=True)
    case_id = desk.requested()
    desk.do(case_id, act.ApproveUnblock(break_glass=True, reason=Private("2 a.m.")))
    desk.do(case_id, act.ReviewApproval(verdict=Verdict.JUSTIFIED, reason=Private("it was")), who=BOB)
    item = only(desk, "break-glass")

    assert ("ann", "unblock approved by breaking the glass", "2 a.m.") == (item.by, item.what, item.reason)


def test_erased(open_desk: Callable[..., Desk]) -> None:
    """Who proposed and who confirmed the erasure, and the reasons that outlive it: its own and the dismissal's."""
    desk = open_desk(retention="0d")
    case_id = desk.restrict()
    desk.do(case_id, desk.gone())
    desk.do(case_id, act.DismissCase(resolution=Resolution.FALSE_POSITIVE, reason=Private("a test")))
    desk.do(case_id, act.ConfirmProposal(proposal="dismissal", reason=Private("agreed")), who=BOB)
    desk.do(case_id, act.EraseCase(reason=Private("article 17")))
    desk.do(case_id, act.ConfirmProposal(proposal="erasure"), who=BOB)
    item = only(desk, "erased")

    assert (("bob", True, "ann", True), "names and texts erased", "article 17") == (
        people(item),
        item.what,
        item.reason,
    )
    assert "a test; agreed" == only(desk, "dismissal").reason


def test_what_was_recorded_for_the_tenant_in_time_is_not_late(desk: Desk) -> None:
    """An answer handed on to a case opened days later was recorded when it was observed."""
    said: dict[str, Any] = {"result": Result.MET, "reference": "ticket 7", "value": "True"}
    tenants.record(
        desk.app, ANN, Found(fact=TenantFact.AUDIT_LOGGING, observed_at=desk.clock.now, valid=30 * DAY, **said), ""
    )
    desk.clock.move(10 * DAY)
    case_id = desk.restrict()

    assert "audit-logging-on" in {key for key, _ in desk.case(case_id).evidence}
    assert [] == found(desk, "recorded-late")


def test_retracted(desk: Desk) -> None:
    """What was taken back, about whom, and why."""
    case_id = desk.restrict()
    user = casework.subject(desk.app, "default", Kind.USER, ADA)
    desk.met(case_id, "password-reset", ADA)
    desk.do(case_id, act.RetractEvidence(prerequisite="password-reset", about=user, reason=Private("wrong user")))
    item = only(desk, "retracted")

    assert (f"password-reset for {ADA} retracted", "wrong user") == (item.what, item.reason)


def test_two_names(desk: Desk) -> None:
    """One operating system's user who acted on a case under two names or more, and not under one."""
    desk.requested()
    desk.do(desk.restrict(EVE), act.AddNote(note=Private("alone")))
    desk.do(casework.find(desk.app, "1"), act.ApproveUnblock(), who=BOB)
    desk.do(casework.find(desk.app, "1"), act.AddNote(note=Private("and I")), who=CAT)
    item = only(desk, "two-names")

    assert (1, ("bob", True, "ann", True), "acted as ann, bob, cat") == (item.case_number, people(item), item.what)
    assert item.os_user


def test_a_period_holds_what_was_recorded_in_it(desk: Desk) -> None:
    """The beginning is in it and the end is not, whenever the case was opened."""
    case_id = desk.restrict()
    desk.met(case_id, "snapshot-taken")
    desk.clock.move(HOUR)
    desk.do(case_id, act.RetractEvidence(prerequisite="snapshot-taken", reason=Private("again")))
    at = desk.clock.now
    desk.do(case_id, act.AddNote(note=Private("later")), who=CAT)

    assert 1 == len(found(desk, "retracted", period=Period(at, at + MINUTE)))
    assert [] == found(desk, "retracted", period=Period(at - HOUR, at))
    assert [] == found(desk, "retracted", period=Period(at + MINUTE))
    assert [] == found(desk, period=Period(at + DAY))
    assert [] == found(desk, "two-names", period=Period(at - HOUR, at + MINUTE))
    assert 1 == len(found(desk, "two-names", period=Period(at - HOUR, at + HOUR)))


def test_everything_in_its_order(desk: Desk) -> None:
    """What is found comes in the order of its recording, as plain data; every kind that is said is looked for."""
    case_id = desk.restrict()
    desk.met(case_id, "snapshot-taken")
    desk.do(case_id, act.RetractEvidence(prerequisite="snapshot-taken", reason=Private("again")), who=BOB)
    desk.do(case_id, desk.gone())
    items = found(desk)

    assert ["retracted", "two-names", "outside"] == [item.kind for item in items]
    assert [(plain(item.to_data()), COLUMNS) for item in items] == [
        (item.to_data(), tuple(item.to_data())) for item in items
    ]
    assert [] == found(desk, *(kind for kind in KINDS if kind not in {item.kind for item in items}))
