"""What others did to the accounts of cases, as the connected tenant's log shows it: one entry a record, and no more."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.services.desk import ADA, ANN, BOB, CAT, CONNECTOR, DAN, DAY, EVE, HOUR, MINUTE, TEAM, Desk, plain
from workflow.domain import actions as act
from workflow.domain.period import Period
from workflow.domain.private import Private
from workflow.domain.vocabulary import Alteration, Change, Kind, Made, Resolution, State
from workflow.providers.alterations import OPERATIONS
from workflow.providers.shapes import AuditEvent
from workflow.services import alterations, casework, checks, history, notable, tenant_log, verification
from workflow.services import report as reports
from workflow.services.people import Who
from workflow.services.tenant_log import CaughtUp, catch_up

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from workflow.domain.record import Entry

MACHINE = Who(machine=True)
SAM = "sam@contoso.example"
OURS = "ServicePrincipal_holdfast"


@pytest.fixture
def desk(open_desk: Callable[..., Desk]) -> Desk:
    """A desk connected to a tenant in which nothing happened yet."""
    return open_desk(connected=True)


def happens(
    desk: Desk,
    operation: str = "Reset user password.",
    name: str = ADA,
    by: str = SAM,
    at: datetime | None = None,
    **changes: Any,
) -> AuditEvent:
    """Write into the tenant's log that somebody changed an account."""
    number, at = len(desk.tenant.log) + 1, at or desk.clock.now
    event = AuditEvent(id=f"change-{number}", at=at, operation=operation, actor=by, target=name)
    event = replace(event, **changes)
    desk.tenant.log.append(event)
    return event


def look(desk: Desk, who: Who = MACHINE, **asked: Any) -> CaughtUp:
    """Look at the log half an hour later, and once more: the second look writes nothing."""
    desk.clock.move(30 * MINUTE)
    found = catch_up(desk.app, who, **asked)
    before = desk.count()
    again = catch_up(desk.app, who, **asked)
    assert (before, 0) == (desk.count(), again.counts["changed-outside"])
    assert plain(found.to_data()) == found.to_data()
    return found


def seen(desk: Desk, case_id: str) -> list[Entry]:
    """Return what a case tells of changes by others."""
    return [entry for entry in desk.entries(case_id) if entry.type == "change:seen"]


def user(desk: Desk, name: str = ADA) -> str:
    """Return the opaque id of a user."""
    return casework.subject(desk.app, "default", Kind.USER, name)


def intended(desk: Desk, case_id: str, change: Change = Change.RESET_PASSWORD, **changes: Any) -> None:
    """Have Holdfast change Ada's account."""
    intent = act.IntendChange(change=change, about=user(desk), target=Private("{}"), **changes)
    done = desk.do(case_id, intent, who=MACHINE)
    answer = act.AnswerChange(intent=done.entries[-1].sequence, made=Made.DONE, reference=Private("r1"))
    desk.do(case_id, answer, who=MACHINE)


def test_a_reset_in_the_portal_becomes_an_entry(desk: Desk) -> None:
    """What, whose, when by the tenant, by whom and by which record; the case stands as it stood."""
    case_id = desk.restrict()
    desk.do(case_id, act.AddIdentity(subject=user(desk)))
    before = desk.case(case_id)
    at = desk.clock.move(HOUR)
    happens(desk)
    found = look(desk)
    (entry,) = seen(desk, case_id)
    (view,) = (item for item in history.history(desk.app, "1") if item.type == "change:seen")

    assert {"changed-outside": 1} == dict(+found.counts)
    assert [("password-set", "changed-outside", 1)] == [
        (item.line.event, item.outcome, item.to_data()["case_number"]) for item in found.found
    ]
    assert ("password-set", at.isoformat()[:19]) == (entry.data["alteration"], entry.data["altered_at"][:19])
    assert {before.entity, user(desk)} == set(entry.data["accounts"])
    assert ("", before.version, before.state) == (
        entry.state_after,
        desk.case(case_id).version,
        desk.case(case_id).state,
    )
    assert f"changed outside Holdfast: password-set, {ADA}, audit record change-1, {SAM}" == view.text
    assert ADA not in "".join(desk.bodies())
    assert SAM not in "".join(desk.bodies())
    assert [] == verification.verify(desk.app).findings


def test_it_is_told_where_an_auditor_looks(desk: Desk) -> None:
    """In the exceptions and in the report's marks."""
    case_id = desk.restrict()
    happens(desk, "Enable account.")
    happens(desk, "Disable account.", by="")
    look(desk)
    first, second = (item for item in notable.notable(desk.app, Period(), ["changed-outside"]))
    marks = reports.report(desk.app, ["1"]).cases[0].marks
    numbers = ", ".join(str(entry.sequence) for entry in seen(desk, case_id))

    assert f"sign-in-allowed of {ADA} at 2026-11-24 08:01 UTC, by {SAM}" == first.what
    assert f"sign-in-blocked of {ADA} at 2026-11-24 08:01 UTC" == second.what
    assert f"an account of this case was changed outside Holdfast (entry {numbers})" in marks


def test_our_own_change_is_tracked(desk: Desk) -> None:
    """Under our own name and near its intent; without an intent, or long after it, it is told as ours and outside."""
    case_id = desk.restrict()
    desk.do(case_id, act.AddIdentity(subject=user(desk)))
    happens(desk, by=OURS, own=True)
    desk.clock.move(HOUR)
    intended(desk, case_id)
    happens(desk, by=OURS, own=True)
    happens(desk, "Update StsRefreshTokenValidFrom Timestamp.", by=OURS, own=True)
    happens(desk, by=SAM)
    desk.clock.move(HOUR)
    happens(desk, by=OURS, own=True)
    found = look(desk)

    assert {"known": 2, "changed-outside": 3} == dict(+found.counts)
    assert [True, None, True] == [entry.data.get("own") for entry in seen(desk, case_id)]
    assert "changed outside Holdfast, under its own name: password-set" in history.history(desk.app, "1")[-1].text
    lines = list(alterations.lines(desk.app, desk.tenant.log))
    assert ["outside", "tracked", "tracked", "outside", "outside"] == [line.account for line in lines]
    assert {("by a change of ours", True), ("no change of ours explains it", True)} == {
        (line.why, line.recorded) for line in lines
    }
    assert [] == verification.verify(desk.app).findings


def test_an_intent_of_another_case_explains_it_too(desk: Desk) -> None:
    """Two cases about one account: what was intended in one is no news to the other."""
    first, second = desk.restrict(), desk.restrict(EVE)
    for case_id in (first, second):
        desk.do(case_id, act.AddIdentity(subject=user(desk)))
    intended(desk, second)
    happens(desk, by=OURS, own=True)
    assert {"known": 1} == dict(+look(desk).counts)
    happens(desk)
    found = look(desk)
    assert ({"known": 1, "changed-outside": 2}, [1, 1]) == (
        dict(+found.counts),
        [len(seen(desk, case_id)) for case_id in (first, second)],
    )


def test_only_accounts_of_cases_and_while_they_are_about_them(desk: Desk) -> None:
    """Not of others, not from before the restriction, not of connectors, nor what is unlike a name."""
    happens(desk)
    desk.clock.move(HOUR)
    case_id = desk.restrict()
    desk.restrict(CONNECTOR, kind=Kind.CONNECTOR)
    happens(desk, name=EVE)
    happens(desk, name="")
    happens(desk, name="not an @address")
    happens(desk, "Set-Mailbox", details=(("Language", "de"),))
    happens(desk, name=ADA.upper())
    assert ({"changed-outside": 1}, 1) == (dict(+look(desk).counts), len(seen(desk, case_id)))
    assert [] == alterations.altered(desk.app, [])


def test_a_case_that_ended_takes_what_comes_late(desk: Desk) -> None:
    """What was done while it was open; what is done afterwards is nobody's business here."""
    case_id = desk.restrict()
    desk.clock.move(HOUR)
    late = happens(desk)
    desk.tenant.log.clear()
    desk.do(case_id, desk.gone())
    desk.do(case_id, act.DismissCase(resolution=Resolution.FALSE_POSITIVE, reason=Private("a newsletter")))
    desk.do(case_id, act.ConfirmProposal(proposal="dismissal"), who=BOB)
    desk.tenant.log.append(late)
    desk.clock.move(HOUR)
    happens(desk)
    assert ({"changed-outside": 1}, State.DISMISSED) == (dict(+look(desk).counts), desk.case(case_id).state)
    desk.clock.move(2 * DAY)
    assert {} == dict(+look(desk).counts)


def test_an_erased_case_is_left_alone(open_desk: Callable[..., Desk]) -> None:
    """It is about nobody any more, and nothing is added to it."""
    desk = open_desk(connected=True, retention="0d")
    case_id = desk.restrict()
    happens(desk)
    look(desk)
    happens(desk)
    desk.do(case_id, desk.gone())
    desk.do(case_id, act.DismissCase(resolution=Resolution.FALSE_POSITIVE, reason=Private("a newsletter")))
    desk.do(case_id, act.ConfirmProposal(proposal="dismissal"), who=BOB)
    desk.do(case_id, act.EraseCase(reason=Private("article 17")))
    desk.do(case_id, act.ConfirmProposal(proposal="erasure"), who=BOB)
    (view,) = (item for item in history.history(desk.app, "1") if item.type == "change:seen")

    assert {} == dict(+look(desk).counts)
    assert ("(erased)", "(erased)") == (view.details["done_by"], view.details["reference"])
    assert [] == verification.verify(desk.app).findings


def test_late_twice_and_in_any_order_comes_to_the_same(open_desk: Callable[..., Desk]) -> None:
    """However the records trickle in, look by look."""
    results = set()
    for seed in range(4):
        dice, desk = random.Random(seed), open_desk(connected=True)
        case_id = desk.restrict(f"user{seed}@contoso.example")
        for operation in ("Enable account.", "Reset user password.", "Add member to role.", "Enable account."):
            desk.clock.move(MINUTE)
            happens(desk, operation, f"user{seed}@contoso.example", id=f"{seed} {operation} {desk.clock.now}")
        records = [*desk.tenant.log, *desk.tenant.log]
        desk.tenant.log.clear()
        dice.shuffle(records)
        while records:
            desk.tenant.log += [records.pop() for _ in range(min(dice.randint(1, 3), len(records)))]
            look(desk)
        results.add(
            tuple(sorted((entry.data["altered_at"], entry.data["alteration"]) for entry in seen(desk, case_id)))
        )
        assert [] == verification.verify(desk.app).findings
    assert [4] == [len(found) for found in results]


def test_hostile_names_are_one_line_that_can_be_erased(desk: Desk) -> None:
    """Whoever chose them; a lone surrogate in an id is told apart from others all the same."""
    case_id = desk.restrict()
    happens(desk, by="sam\x00\n\x1b[31m" + "x" * 9000, id="r\n\ud800" + "y" * 5000)
    happens(desk, by=" \n", id="r\n\ud801" + "y" * 5000)
    look(desk)
    first, second = (item.details for item in history.history(desk.app, "1") if item.type == "change:seen")

    assert ("done_by" in first, "done_by" in second, 2) == (True, False, len(seen(desk, case_id)))
    assert first["reference"].startswith("audit record r y")
    assert not {"\x1b", "\n", "\x00"}.intersection(first["done_by"] + first["reference"])
    assert max(map(len, (first["done_by"], first["reference"]))) < 1700
    assert [] == verification.verify(desk.app).findings


def test_people_look_and_holdfast_tells(open_desk: Callable[..., Desk]) -> None:
    """An analyst has it recorded, by Holdfast itself; an auditor, and who it is about, do not."""
    desk = open_desk(connected=True, people=({**TEAM[0], "identities": [EVE]}, *TEAM[1:]))
    first, second = desk.restrict(who=MACHINE), desk.restrict(EVE, who=MACHINE)
    happens(desk)
    happens(desk, name=EVE)
    desk.clock.move()
    refused = catch_up(desk.app, DAN)
    assert ["left", "left"] == [item.outcome for item in refused.found]
    assert "only Holdfast itself does that" in refused.found[0].why
    found = catch_up(desk.app, ANN)
    assert ["changed-outside", "left"] == [item.outcome for item in found.found]
    assert ["system"] == [entry.actor["id"] for entry in seen(desk, first)]
    assert {"known": 1, "changed-outside": 1} == dict(+catch_up(desk.app, CAT).counts)
    assert 1 == len(seen(desk, second))


def test_two_looks_at_once_write_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another process recorded meanwhile is known under the lock."""
    case_id = desk.restrict()
    happens(desk)
    other = desk.again(connected=True)
    other.tenant.log, other.tenant.clock = desk.tenant.log, desk.clock
    real, once = checks.asking, [1]

    def meanwhile(*given: Any) -> Any:
        if once:
            once.pop()
            catch_up(other.app, MACHINE)
        return real(*given)

    monkeypatch.setattr(checks, "asking", meanwhile)
    assert {"known": 1} == dict(+look(desk).counts)
    assert 1 == len(seen(desk, case_id))


def test_a_wave_costs_one_search_and_a_handful_of_statements(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many accounts are changed, the tenant is asked once; cases come in parts."""
    monkeypatch.setattr(alterations, "AT_ONCE", 2)
    names = [f"user{number}@contoso.example" for number in range(5)]
    for name in names:
        desk.restrict(name)
        happens(desk, name=name)
    asked = len(desk.tenant.calls)
    desk.clock.move()
    assert ({"changed-outside": 5}, 1) == (dict(+catch_up(desk.app, MACHINE).counts), len(desk.tenant.calls) - asked)
    assert set(OPERATIONS).isdisjoint(tenant_log.OPERATIONS)


def test_what_cannot_be_recorded_is_left_for_the_next_look(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user who is taken from the case meanwhile is no account of it."""
    desk.restrict()
    happens(desk)
    change = alterations.altered(desk.app, desk.tenant.log)
    broken = act.SeeChange(
        alteration=Alteration.PASSWORD_SET,
        accounts=("sub_gone",),
        altered_at=desk.clock.now,
        fingerprint="ab" * 32,
        reference=Private("x"),
    )
    monkeypatch.setattr(alterations, "altered", lambda *_: [replace(one, action=broken) for one in change])
    desk.clock.move()
    found = catch_up(desk.app, MACHINE)
    assert [("left", "That account is not named in this case.")] == [(one.outcome, one.why) for one in found.found]
