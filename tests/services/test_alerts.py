"""Alerts from cause to recipient: found once, delivered at least once, and never to whom they are about."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.messages.receivers import Receiver, http_receiver, mail_receiver
from tests.services.desk import ADA, ANN, BOB, CAT, CONNECTOR, DAN, DAY, EVE, HOUR, MINUTE, TEAM, Desk
from workflow.domain import actions as act
from workflow.domain.alerts import Policy
from workflow.domain.private import Private
from workflow.domain.record import time_from_text
from workflow.domain.vocabulary import Answer, Kind, Result
from workflow.errors import NotFoundError, NotPermittedError, RuleRefusedError
from workflow.providers.shapes import AuditEvent
from workflow.services import alert_delivery, alerts, audit, tenant_log, verification
from workflow.services.alert_policies import Change, change
from workflow.services.people import Who
from workflow.storage import alerts as outbox

SOC = "soc@contoso.example"


@pytest.fixture
def hook() -> Iterator[Receiver]:
    """An HTTP server."""
    with http_receiver() as found:
        yield found


@pytest.fixture
def post() -> Iterator[Receiver]:
    """A mail server."""
    with mail_receiver() as found:
        yield found


Room = Callable[..., Desk]


@pytest.fixture
def room(open_desk: Callable[..., Desk], hook: Receiver, post: Receiver) -> Room:
    """Opens desks whose settings name a webhook ``hook``, mail ``soc`` and others, all allowed on this machine."""

    def open_room(**changes: Any) -> Desk:
        recipients = {"hook": hook.hook, "soc": post.mailbox(SOC)} | changes.pop("recipients", {})
        return open_desk(alert_recipients=recipients, alert_loopback=True, **changes)

    return open_room


def tell(desk: Desk, policy: Policy, *recipients: str, **changes: Any) -> None:
    """Set who is told, a minute later."""
    desk.clock.move()
    change(desk.app, CAT, policy, Change(recipients=recipients or ("hook",), **changes))


def turn(desk: Desk) -> alerts.Delivered:
    """Collect and deliver, as the worker does each time."""
    alerts.collect(desk.app, desk.clock.now)
    return alerts.deliver(desk.app, desk.clock.now)


def told(desk: Desk, **which: Any) -> list[tuple[str, str, str]]:
    """Return policy, recipient and state of every message, oldest first."""
    found = alert_delivery.log(desk.app, limit=500, **which)
    return [(item.policy, item.recipient, item.state) for item in reversed(found)]


def test_a_restriction_is_told_once(room: Room, hook: Receiver, post: Receiver) -> None:
    """To each recipient of the policy; looking again tells nothing again."""
    desk = room()
    tell(desk, Policy.RESTRICTED, "hook", "soc")
    desk.restrict()
    assert alerts.Delivered(sent=2) == turn(desk)
    assert (alerts.Delivered(), 0) == (turn(desk), alerts.collect(desk.app, desk.clock.now))
    (got,) = hook.posted
    assert ("restricted", "high", 1, False) == (got["policy"], got["severity"], got["case_number"], got["test"])
    assert ("holdfast case view 1", "Case #1, a mailbox, is detected") == (got["command"], got["lines"][0])
    assert got["id"] == hook.headers[0]["X-Holdfast-Alert"]
    assert "entity" not in got
    (mail,) = post.texts()
    assert f"About: {ADA}" in mail
    assert verification.verify(desk.app).ok


@pytest.mark.parametrize(("wanted", "shown"), [("mail", [False, True]), ("all", [True, True]), ("none", [False] * 2)])
def test_who_is_named_the_entity(room: Room, hook: Receiver, post: Receiver, wanted: str, shown: list[bool]) -> None:
    """As the setting says: mail alone, everybody, or nobody."""
    desk = room(alert_addresses=wanted)
    tell(desk, Policy.RESTRICTED, "hook", "soc")
    desk.restrict()
    turn(desk)
    assert shown == [ADA in str(hook.posted), ADA in post.texts()[0]]


def test_what_stood_on_the_ledger_before_anybody_asked(room: Room, hook: Receiver) -> None:
    """An entry is judged by the policy in force where it stands, however late it is looked at."""
    desk = room()
    desk.restrict()
    tell(desk, Policy.RESTRICTED)
    desk.restrict(EVE)
    tell(desk, Policy.RESTRICTED, on=False)
    desk.restrict("zoe@contoso.example")
    tell(desk, Policy.RESTRICTED, on=True, opted_in=False)
    desk.restrict("yan@contoso.example")
    alerts.collect(desk.app, desk.clock.now)
    assert [("restricted", "", "nobody"), ("restricted", "hook", "due"), ("restricted", "", "nobody")] == told(desk)
    assert alerts.Delivered(suppressed=1) == alerts.deliver(desk.app, desk.clock.now)
    assert [] == hook.posted


def test_a_long_ledger_is_looked_at_in_parts(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many entries there are, none is passed over and none is told twice."""
    monkeypatch.setattr("workflow.services.alert_causes.AT_ONCE", 2)
    desk = room()
    tell(desk, Policy.RESTRICTED)
    for number in range(5):
        desk.restrict(f"user{number}@contoso.example")
    assert 5 == alerts.collect(desk.app, desk.clock.now)
    assert [("restricted", "hook", "due")] * 5 == told(desk)


def test_every_cause_of_the_ledger(room: Room, hook: Receiver) -> None:
    """A connector, a return, a lift elsewhere, a refusal for good, a broken glass and a regression, each once."""
    desk = room(break_glass=True)
    for policy in Policy:
        tell(desk, policy)
    desk.restrict(CONNECTOR, kind=Kind.CONNECTOR)
    case_id = desk.restrict()
    desk.do(case_id, desk.gone())
    desk.clock.move(HOUR)
    desk.restrict()
    alone = desk.requested(EVE)
    desk.do(alone, act.ApproveUnblock(break_glass=True, reason=Private("2 a.m.")))
    desk.do(alone, act.IntendUnblock())
    desk.do(alone, act.RecordAnswer(answer=Answer.SUPPORT, reference=Private("ticket")))
    free = desk.released("zoe@contoso.example")
    desk.met(free, "inbox-rules-reviewed", result=Result.NOT_MET)
    turn(desk)
    assert ["connector", "restricted", "outside", "returned", "restricted", "break-glass", "support", "restricted"] == [
        got["policy"] for got in sorted(hook.posted, key=lambda got: got["raised_at"]) if got["policy"] != "regression"
    ]
    assert 1 == sum(got["policy"] == "regression" for got in hook.posted)


def test_late_and_overdue_by_the_clock(room: Room, hook: Receiver) -> None:
    """A pending unblock is told after an hour, and after a day, once each, whenever somebody looks."""
    desk = room()
    case_id = desk.approved()
    desk.do(case_id, act.IntendUnblock())
    tell(desk, Policy.LATE)
    tell(desk, Policy.OVERDUE)
    desk.clock.move(HOUR - 3 * MINUTE)
    assert alerts.Delivered() == turn(desk)
    for span in (MINUTE, HOUR, 22 * HOUR, HOUR):
        desk.clock.move(span)
        turn(desk)
    assert ["late", "overdue"] == [got["policy"] for got in hook.posted]
    desk.do(case_id, desk.gone())
    desk.clock.move(2 * DAY)
    assert alerts.Delivered() == turn(desk)


def test_never_to_whom_it_is_about(room: Room, post: Receiver) -> None:
    """The mailbox, its user, another spelling, and another account of the same person: none of them is told."""
    recipients = {
        "ada": post.mailbox("ADA%2Bx@contoso.example"),
        "private": post.mailbox("ada@home.example"),
        "copied": post.mailbox(SOC) + "&bcc=ada@contoso.example",
        "paged": "opsgenie://0123456789abcdef0123/@ada%40contoso.example",
        "eve": post.mailbox(EVE),
        "through": post.mailbox(SOC).replace("desk@", "ada@"),
        "longer": post.mailbox("not-ada@contoso.example"),
    }
    people = [*TEAM, {"name": "Ada", "identities": [ADA, "ada@home.example"], "contact": "ada@work.example"}]
    desk = room(recipients=recipients, people=people)
    tell(desk, Policy.RESTRICTED, *recipients)
    desk.restrict()
    assert alerts.Delivered(sent=2, suppressed=5) == turn(desk)
    assert [["not-ada@contoso.example"], [EVE]] == sorted(post.envelopes, reverse=True)
    post.envelopes.clear()
    tell(desk, Policy.DIGEST, "ada", "soc")
    alerts.digest(desk.app, desk.clock.now)
    assert alerts.Delivered(sent=1, suppressed=1) == turn(desk)
    assert [[SOC]] == post.envelopes


SPELLINGS = st.builds(
    lambda local, tag, domain: f"{local}{tag}@{domain}",
    st.sampled_from(["ada", "ADA", "Ada", "bob", "eve"]),
    st.sampled_from(["", "%2Balerts", "%2B1"]),
    st.sampled_from(["contoso.example", "CONTOSO.example", "contoso.onmicrosoft.com", "fabrikam.example"]),
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(SPELLINGS, min_size=1, max_size=3), st.sampled_from([ADA, EVE]))
def test_no_spelling_reaches_a_subject(sqlite_place: Any, addresses: list[str], about: str) -> None:
    """Whatever recipients are set: no mail server is ever given a recipient that is the case's account."""
    with mail_receiver() as post:
        desk = Desk(sqlite_place, alert_recipients={"all": post.mailbox(*addresses)}, alert_loopback=True)
        tell(desk, Policy.RESTRICTED, "all")
        desk.clock.move(DAY)
        desk.restrict(about)
        turn(desk)
        local = about.partition("@")[0]
        given_to = {address.casefold() for envelope in post.envelopes for address in envelope}
        tenants = ("@contoso.example", "@contoso.onmicrosoft.com")
        assert not {
            item for item in given_to if item.partition("+")[0].partition("@")[0] == local if item.endswith(tenants)
        }
        desk.close()


def test_of_an_erased_case_nobody_can_tell(room: Room, hook: Receiver) -> None:
    """Where the names are gone nobody knows whom a message may not reach: it is not sent."""
    desk = room(retention="0d")
    tell(desk, Policy.RESTRICTED)
    case_id = desk.restrict()
    alerts.collect(desk.app, desk.clock.now)
    with desk.app.database.transaction() as tx:
        tx.run("DELETE FROM subject WHERE identifier = ?", (ADA,))
    assert alerts.Delivered(suppressed=1) == alerts.deliver(desk.app, desk.clock.now)
    (item,) = alert_delivery.log(desk.app, case_id=case_id)
    assert ("suppressed", True, []) == (item.state, "erased" in item.detail, hook.posted)


def test_the_daily_limit_holds_by_policy_recipient_and_day(room: Room, hook: Receiver) -> None:
    """So many a day (UTC) of this policy to this recipient; another policy, recipient or day has its own."""
    desk = room()
    tell(desk, Policy.RESTRICTED, "hook", "soc", daily_limit=2)
    tell(desk, Policy.CONNECTOR)
    for number in range(3):
        desk.restrict(f"user{number}@contoso.example")
    desk.restrict(CONNECTOR, kind=Kind.CONNECTOR)
    assert alerts.Delivered(sent=5, held=2) == turn(desk)
    (held, _) = alert_delivery.log(desk.app, states=["held"])
    assert ("the daily limit of 2 is reached", 1) == (held.detail, len(held.attempts))
    desk.clock.move(DAY)
    desk.restrict("zoe@contoso.example")
    assert alerts.Delivered(sent=2) == turn(desk)
    assert 1 == alert_delivery.retry(desk.app, ANN, [held.id])
    assert 1 == turn(desk).sent


def test_what_fails_is_tried_again_and_given_up_after_a_day(room: Room, hook: Receiver) -> None:
    """Each attempt is logged with its reason; the waits grow; one retry by hand is one more attempt."""
    desk = room()
    tell(desk, Policy.RESTRICTED)
    desk.restrict()
    hook.status = 503
    begun = desk.clock.now
    assert alerts.Delivered(waiting=1) == turn(desk)
    assert alerts.Delivered() == turn(desk)
    while (item := alert_delivery.log(desk.app)[0]).next_at:
        desk.clock.now = time_from_text(item.next_at) - timedelta(seconds=1)
        assert alerts.Delivered() == turn(desk)
        desk.clock.now += timedelta(seconds=1)
        turn(desk)
    assert ("failed", 8, "The receiver did not accept it (HTTP 503).") == (item.state, len(item.attempts), item.detail)
    assert timedelta(hours=22) < desk.clock.now - begun < timedelta(hours=23)
    assert {"failed"} == {attempt["outcome"] for attempt in item.attempts}
    hook.status = 200
    assert 1 == alert_delivery.retry(desk.app, ANN)
    assert alerts.Delivered(sent=1) == turn(desk)
    assert 0 == alert_delivery.retry(desk.app, ANN)
    with pytest.raises(NotFoundError, match="given up or held"):
        alert_delivery.retry(desk.app, ANN, [item.id])
    assert {item.id} == {got["id"] for got in hook.posted}


def test_a_recipient_that_fails_is_left_alone(room: Room, hook: Receiver) -> None:
    """One attempt tells that it is down; the other messages to it wait, those to others go."""
    desk = room()
    tell(desk, Policy.RESTRICTED, "hook", "soc")
    for number in range(4):
        desk.restrict(f"user{number}@contoso.example")
    hook.status = 500
    assert alerts.Delivered(sent=4, waiting=1) == turn(desk)
    assert (1, alerts.Delivered()) == (len(hook.posted), turn(desk))
    hook.status = 200
    desk.clock.move(2 * MINUTE)
    assert alerts.Delivered(sent=4) == turn(desk)


def test_a_recipient_that_the_settings_lost(room: Room) -> None:
    """It waits like any failure: whoever puts it back gets what was kept."""
    desk = room()
    tell(desk, Policy.RESTRICTED)
    desk.restrict()
    alerts.collect(desk.app, desk.clock.now)
    bare = desk.again()
    assert alerts.Delivered(waiting=1) == alerts.deliver(bare.app, bare.clock.now)
    (item,) = alert_delivery.log(desk.app)
    assert "no recipient 'hook' any more" in item.detail
    desk.clock.move(2 * MINUTE)
    assert alerts.Delivered(sent=1) == alerts.deliver(desk.app, desk.clock.now)


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it, nothing is recorded behind it."""


def test_a_process_that_dies_between_sending_and_saying_so(
    room: Room, hook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message is sent once more when its lease has run out, under the same id; none is lost."""
    desk = room()
    tell(desk, Policy.RESTRICTED)
    desk.restrict()
    alerts.collect(desk.app, desk.clock.now)

    def die(*_: Any, **__: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(outbox, "settle", die)
        with pytest.raises(Killed):
            alerts.deliver(desk.app, desk.clock.now)
    other = desk.again(alert_recipients={"hook": hook.hook}, alert_loopback=True)
    assert alerts.Delivered() == alerts.deliver(other.app, other.clock.now)
    other.clock.move(6 * MINUTE)
    assert alerts.Delivered(sent=1) == alerts.deliver(other.app, other.clock.now)
    assert (2, 1) == (len(hook.posted), len({got["id"] for got in hook.posted}))
    desk.clock.move(HOUR)
    assert alerts.Delivered() == turn(desk)


def test_a_process_that_dies_while_collecting(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages and place are one transaction: the next look finds everything again, once."""
    desk = room()
    tell(desk, Policy.RESTRICTED)
    desk.restrict()

    def die(*_: Any, **__: Any) -> int:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(outbox, "add", die)
        with pytest.raises(Killed):
            alerts.collect(desk.app, desk.clock.now)
    assert 1 == alerts.collect(desk.app, desk.clock.now)
    assert [("restricted", "hook", "due")] == told(desk)


@pytest.mark.slow
def test_many_processes_tell_everything_once(room: Room, hook: Receiver) -> None:
    """Several that look at the same time: each message and the digest of the day go out once."""
    desk = room()
    tell(desk, Policy.RESTRICTED)
    tell(desk, Policy.DIGEST)
    for number in range(5):
        desk.restrict(f"user{number}@contoso.example")
    place = desk.place
    surroundings = os.environ | {
        "HOLDFAST_DATABASE_URL": place.url,
        "HOLDFAST_KEY_FILE": str(place.home / "signing.key"),
        "HOLDFAST_CHECKPOINT_FILE": str(place.home / "checkpoints"),
        "HOLDFAST_ALERT_RECIPIENTS": json.dumps({"hook": hook.hook}),
        "HOLDFAST_ALERT_LOOPBACK": "true",
    }
    command = [sys.executable, "-m", "workflow", "alert", "send", "--json"]
    running = [subprocess.Popen(command, env=surroundings, stdout=subprocess.PIPE) for _ in range(3)]
    done = [(process.communicate()[0], process.returncode) for process in running]
    assert [0, 0, 0] == [code for _, code in done]
    assert (6, 6) == (len(hook.posted), len({got["id"] for got in hook.posted}))
    assert (6, 6) == tuple(sum(json.loads(out)[name] for out, _ in done) for name in ("raised", "sent"))


def test_two_who_reach_for_one_message(room: Room, hook: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes second finds it taken, and sends nothing."""
    desk = room()
    tell(desk, Policy.RESTRICTED)
    desk.restrict()
    alerts.collect(desk.app, desk.clock.now)
    other = desk.again(alert_recipients={"hook": hook.hook}, alert_loopback=True)
    raced = list[bool]()

    def first(*arguments: Any) -> Any:
        if not raced:
            raced.append(True)
            alerts.deliver(other.app, other.clock.now)
        return recipient(*arguments)

    recipient = alert_delivery._recipient
    monkeypatch.setattr(alert_delivery, "_recipient", first)
    assert alerts.Delivered() == alerts.deliver(desk.app, desk.clock.now)
    assert 1 == len(hook.posted)


def test_somebody_slow_whose_message_was_taken_over(room: Room, hook: Receiver) -> None:
    """When the lease ran out under a sender, both send the same message, and the log says so; it stands as sent."""
    desk = room()
    tell(desk, Policy.RESTRICTED)
    desk.restrict()
    alerts.collect(desk.app, desk.clock.now)
    other = desk.again(alert_recipients={"hook": hook.hook}, alert_loopback=True)
    began = list[bool]()

    def slow() -> None:
        if not began:
            began.append(True)
            desk.clock.move(10 * MINUTE)
            hook.status = 500
            assert 1 == alerts.deliver(other.app, other.clock.now).waiting
            hook.status = 200

    hook.before = slow
    assert alerts.Delivered(sent=1) == alerts.deliver(desk.app, desk.clock.now)
    (item,) = alert_delivery.log(desk.app)
    assert ("sent", [2, 1]) == (item.state, [attempt["number"] for attempt in item.attempts])


def test_the_digest_of_a_day(room: Room, post: Receiver, hook: Receiver) -> None:
    """Once a day (UTC) whoever asks, with the checkpoint, what is open and what is owed."""
    desk = room(break_glass=True)
    tell(desk, Policy.DIGEST, "soc")
    pending = desk.approved()
    desk.do(pending, act.IntendUnblock())
    desk.clock.move(25 * HOUR)
    late = desk.requested(EVE)
    desk.do(late, act.ApproveUnblock(break_glass=True, reason=Private("2 a.m.")))
    desk.do(late, act.IntendUnblock())
    excepted = desk.restrict("zoe@contoso.example")
    asked = act.AskException(
        prerequisite="delegates-reviewed", expires_at=desk.clock.now + 20 * HOUR, reason=Private("on leave")
    )
    desk.do(excepted, asked)
    desk.do(excepted, act.ConfirmProposal(proposal="exception:delegates-reviewed"), who=BOB)
    for number in range(22):
        desk.restrict(f"user{number}@contoso.example")
    desk.clock.move(HOUR)
    other = desk.again(alert_recipients={"soc": post.mailbox(SOC)}, alert_loopback=True, break_glass=True)
    assert [1, 0, 0] == [alerts.digest(app, desk.clock.now) for app in (desk.app, other.app, desk.app)]
    turn(desk)
    (text,) = post.texts()
    checkpoint = audit.checkpoint(desk.app).splitlines()[:3]
    assert "25 open cases" in text
    assert ["Unblock overdue: #1", "Unblock late: #2"] == [line for line in text.splitlines() if "Unblock" in line]
    assert "Exception runs out within a day: #3" in text
    assert "Break-glass approval not reviewed: #2" in text
    assert checkpoint == text.splitlines()[-6:-3] or all(line in text for line in checkpoint)
    assert ADA not in text
    desk.clock.move(DAY)
    assert 1 == alerts.digest(desk.app, desk.clock.now)


def test_many_are_counted_not_named(room: Room, post: Receiver) -> None:
    """A line of the digest names twenty cases and counts the others."""
    desk = room()
    tell(desk, Policy.DIGEST, "soc")
    for number in range(21):
        desk.do(desk.approved(f"user{number}@contoso.example"), act.IntendUnblock())
    desk.clock.move(2 * HOUR)
    alerts.digest(desk.app, desk.clock.now)
    turn(desk)
    assert "#20 and 1 more" in post.texts()[0]


def test_a_ledger_that_does_not_verify_is_told_with_the_digest(room: Room, hook: Receiver) -> None:
    """And at most once a day."""
    desk = room()
    tell(desk, Policy.LEDGER)
    desk.restrict()
    with desk.app.database.transaction() as tx:
        tx.run("DELETE FROM subject WHERE identifier = ?", (ADA,))
        tx.run("DROP INDEX opening_case")
    assert 2 == alerts.digest(desk.app, desk.clock.now)
    assert [0, 0] == [alerts.digest(desk.app, desk.clock.now), alerts.alarm(desk.app, Policy.LEDGER, desk.clock.now)]
    assert [("digest", "", "nobody"), ("ledger", "hook", "due")] == sorted(told(desk))


def test_an_alarm_is_raised_once_a_day(room: Room, hook: Receiver) -> None:
    """That no tenant answers is on no ledger: whoever notices says so as often as they like."""
    desk = room()
    tell(desk, Policy.TENANT)
    assert [1, 0] == [alerts.alarm(desk.app, Policy.TENANT, desk.clock.now) for _ in range(2)]
    turn(desk)
    desk.clock.move(DAY)
    assert 1 == alerts.alarm(desk.app, Policy.TENANT, desk.clock.now)
    (got,) = hook.posted
    assert (None, "holdfast tenant probe") == (got["case_number"], got["command"])


def test_a_test_message(room: Room, hook: Receiver, post: Receiver) -> None:
    """It reaches whoever is named, policy off or not, counts against no limit, and is not tried again."""
    desk = room()
    with pytest.raises(RuleRefusedError, match="has no recipients"):
        alert_delivery.try_out(desk.app, ANN, Policy.DIGEST)
    with pytest.raises(NotFoundError, match="no recipient 'nobody'"):
        alert_delivery.try_out(desk.app, ANN, Policy.DIGEST, "nobody")
    tell(desk, Policy.RESTRICTED, "hook", "soc", on=False, daily_limit=1)
    assert ["sent", "sent"] == [item.state for item in alert_delivery.try_out(desk.app, ANN, Policy.RESTRICTED)]
    assert ["sent"] == [item.state for item in alert_delivery.try_out(desk.app, ANN, Policy.DIGEST, "hook")]
    assert [True, True] == [got["test"] for got in hook.posted]
    assert "This is a test: nothing happened." in post.texts()[0]
    change(desk.app, CAT, Policy.RESTRICTED, Change(on=True))
    desk.restrict()
    assert 2 == turn(desk).sent
    hook.status = 500
    (item,) = alert_delivery.try_out(desk.app, ANN, Policy.RESTRICTED, "hook")
    assert ("failed", None, 0) == (item.state, item.next_at, alert_delivery.retry(desk.app, ANN))


def test_a_wave_is_one_message(room: Room, hook: Receiver, post: Receiver) -> None:
    """Many at once are told together, each case by its number; it counts as one message, and each alert is settled."""
    desk = room(recipients={"zoe": post.mailbox("user3@contoso.example")})
    tell(desk, Policy.RESTRICTED, "hook", "soc", "zoe", daily_limit=1)
    for number in range(25):
        desk.restrict(f"user{number}@contoso.example")
    assert alerts.Delivered(sent=74, suppressed=1) == turn(desk)
    (got,) = hook.posted
    assert ("User restricted from sending email: 25 cases", None, list(range(1, 26)), 25) == (
        got["title"],
        got["case_number"],
        got["cases"],
        len(got["alerts"]),
    )
    assert "holdfast case list" == got["command"]
    assert [[SOC], ["user3@contoso.example"]] == sorted(post.envelopes)
    told_soc = next(text for text in post.texts() if "25 cases" in text)
    assert "25 cases: #1, #2" in told_soc
    assert "#20 and 5 more" in told_soc
    assert "user" not in told_soc.casefold().replace("user restricted", "")
    (together,) = {item.message for item in alert_delivery.log(desk.app, recipient="hook", limit=500)}
    assert got["id"] == together
    desk.restrict("late@contoso.example")
    assert alerts.Delivered(held=3) == turn(desk)


def test_a_wave_that_fails_waits_together(room: Room, hook: Receiver) -> None:
    """One attempt for all of them, and the same message again under the same id."""
    desk = room()
    tell(desk, Policy.RESTRICTED)
    for number in range(6):
        desk.restrict(f"user{number}@contoso.example")
    hook.status = 500
    assert alerts.Delivered(waiting=6) == turn(desk)
    hook.status = 200
    desk.clock.move(MINUTE)
    desk.restrict("late@contoso.example")
    assert alerts.Delivered(sent=7) == turn(desk)
    assert (3, 2) == (len(hook.posted), len({got["id"] for got in hook.posted}))
    assert [1, 6, 6] == sorted(len(got["alerts"]) for got in hook.posted)


def test_what_was_put_off_under_a_wrong_clock_is_sent(room: Room, hook: Receiver) -> None:
    """A clock that ran a day ahead when the delivery failed keeps nothing waiting for a day."""
    desk = room()
    tell(desk, Policy.RESTRICTED)
    desk.restrict()
    desk.clock.move(2 * DAY)
    hook.status = 500
    assert alerts.Delivered(waiting=1) == turn(desk)
    hook.status = 200
    desk.clock.move(-2 * DAY)
    assert alerts.Delivered(sent=1) == turn(desk)


def test_who_may_not(room: Room) -> None:
    """An auditor sends and retries nothing; an analyst changes no policy."""
    desk = room(people=TEAM)
    tell(desk, Policy.RESTRICTED)
    with pytest.raises(NotPermittedError):
        alert_delivery.try_out(desk.app, DAN, Policy.RESTRICTED)
    with pytest.raises(NotPermittedError):
        alert_delivery.retry(desk.app, DAN)
    with pytest.raises(NotPermittedError):
        change(desk.app, ANN, Policy.RESTRICTED, Change(on=False))


def test_one_delivery_is_not_endless(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever calls it gets back to other work after so many messages; the next takes the others."""
    monkeypatch.setattr(alert_delivery, "MOST_SENT", 2)
    desk = room()
    tell(desk, Policy.RESTRICTED)
    for number in range(3):
        desk.restrict(f"user{number}@contoso.example")
    assert [2, 1] == [turn(desk).sent, turn(desk).sent]


def test_the_log_is_filtered(room: Room) -> None:
    """By state, policy, recipient, case and time."""
    desk = room()
    tell(desk, Policy.RESTRICTED, "hook", "soc")
    case_id = desk.restrict()
    began = desk.clock.move(HOUR)
    desk.restrict(EVE)
    turn(desk)
    alerts.digest(desk.app, desk.clock.now)
    assert [2, 4, 1, 2, 2, 3, 1] == [
        len(told(desk, **which))
        for which in (
            {"case_id": case_id},
            {"policy": "restricted"},
            {"states": ["nobody"]},
            {"recipient": "soc"},
            {"recipient": "hook", "states": ["sent"]},
            {"since": began},
            {"policy": "digest"},
        )
    ]


def test_what_others_changed_is_told_once_a_day_and_case(room: Room, hook: Receiver) -> None:
    """Only what may let somebody in or mail out, however much of it there is."""
    desk = room(connected=True)
    tell(desk, Policy.CHANGED)
    desk.restrict()
    desk.restrict(EVE)

    def happens(operation: str, name: str) -> None:
        number = len(desk.tenant.log)
        event = AuditEvent(id=f"c{number}", at=desk.clock.now, operation=operation, actor="sam", target=name)
        desk.tenant.log.append(event)
        desk.clock.move()
        tenant_log.catch_up(desk.app, Who(machine=True))
        turn(desk)

    for operation in ("Disable account.", "Enable account.", "Reset user password."):
        happens(operation, ADA)
    assert 1 == len(hook.posted)
    happens("Add member to role.", EVE)
    desk.clock.move(DAY)
    happens("Enable account.", ADA)
    assert [("changed", "medium", 1), ("changed", "medium", 2), ("changed", "medium", 1)] == [
        (got["policy"], got["severity"], got["case_number"]) for got in hook.posted
    ]
