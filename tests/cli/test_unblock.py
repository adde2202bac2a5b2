"""Request, approve, reject, withdraw, unblock: what is shown, asked, sent and refused."""

from __future__ import annotations

import shlex

import pytest

from tests.cli.shell import CONTAIN, NOT_SO, VERIFY, Shell
from workflow.app import App
from workflow.cli.case_unblock import decide, overview_of
from workflow.cli.session import Session
from workflow.domain.actions import ApproveUnblock, RequestUnblock
from workflow.errors import ConflictError
from workflow.services import casework
from workflow.services.people import Who
from workflow.settings import load_settings

OVERVIEW = (
    "Unblock of case #1: ada@contoso.com",
    "Evidence: 0 checked in the tenant, 13 only attested by a person",
    "met, attested by ana (claimed), observed 2025-06-11",
    "Recommended and not answered yet:",
    "An unblocked user is not restricted again today: unprotected until 00:00 UTC",
)


def test_a_closed_gate(case: Shell) -> None:
    """A refusal names, per prerequisite, why, who, and the exact next command, and goes on the ledger."""
    ran = case("case request-unblock 1 --as ana")

    assert 3 == ran.code
    assert "" == ran.out
    assert "  password-reset for ada@contoso.com: unanswered. Reset the password as an administrator." in ran.err
    assert "    who:  anyone; in Microsoft 365: User Administrator" in ran.err
    assert "    next: holdfast case record 1 password-reset --ref WHERE" in ran.err
    assert "refused" == case.ok("case history 1 --json").data["entries"][-1]["outcome"]


def test_a_closed_gate_as_json(case: Shell) -> None:
    """The same as data; following every next command opens the gate."""
    error = case("case request-unblock 1 --json").data["error"]

    assert ("gate_closed", 3) == (error["code"], error["exit"])
    assert {"id", "about", "reason", "title", "required", "phase", "who", "role", "next"} == set(error["missing"][0])
    for item in error["missing"]:
        command = shlex.split(item["next"].replace("WHERE", "T-1"))
        assert "holdfast" == command[0]
        case.ok(shlex.join(command[1:]), "--as", "ana")
    case.ok("case request-unblock 1 --yes --as ben")


def test_nobody_to_ask(verified: Shell) -> None:
    """Without a terminal the decision is shown and not taken."""
    ran = verified("case request-unblock 1 --as ben")

    assert 2 == ran.code
    assert OVERVIEW[0] in ran.out
    assert "--yes" in ran.err
    assert "verified" == verified.view()["state"]
    assert 2 == verified("case request-unblock 1 --json").code


def test_the_overview(verified: Shell) -> None:
    """Requester and approver are shown what they decide on."""
    verified.ok("case except 1 audit-logging-on --reason 'no licence' --until +7d --as ana")
    verified.ok("case except 1 audit-logging-on --grant --as cleo")
    asked = verified.ok("case request-unblock 1 --yes --as ben --reason 'see T-1'").out
    verified.ok("case record 1 cause-decided --ref T-1 --as ana")
    approved = verified.ok("case approve 1 --yes --as dora").out

    for line in OVERVIEW:
        assert line in asked
        assert line in approved
    assert "exception audit-logging-on: granted by cleo (claimed), asked for by ana (claimed), until" in approved
    assert "requested by ben (claimed)" in approved
    assert "    see T-1" in approved
    assert "evidence confirmed: cause-decided" in approved
    assert "next: somebody else approves it: holdfast case approve 1 --as NAME" in asked
    assert "next: holdfast case unblock 1" in approved


def test_a_bulk_approval_is_shown(verified: Shell) -> None:
    """On the case's page and before the unblock is started."""
    verified.ok("case request-unblock 1 --yes --as ben")
    with App(load_settings(), lambda: verified.now) as app:
        case_id = casework.find(app, "1")
        casework.perform(app, Who("dora"), case_id, ApproveUnblock(bulk=12))

    line = "in bulk: one of 12 cases approved together"
    assert line in verified.ok("case view 1").out
    assert line in verified.ok("case unblock 1 --yes --as ben").out


def test_seen_is_sent(verified: Shell) -> None:
    """The decision carries the version and the digest that were shown."""
    data = verified.ok("case request-unblock 1 --yes --as ben --json").data
    entry = verified.ok("case history 1 --json").data["entries"][-1]

    assert data["overview"]["case"]["version"] == entry["details"]["seen_version"]
    assert data["overview"]["case"]["digest"] == entry["details"]["seen_digest"]


def test_separate_people(verified: Shell) -> None:
    """Requester, user and recorder do not approve."""
    verified.ok("case request-unblock 1 --yes --as ben")

    assert [4, 4, 4] == [verified(f"case approve 1 --yes --as {who}").code for who in ("ben", "ana", "ada@contoso.com")]
    assert 3 == verified("case unblock 1 --yes --as ben").code


def test_turning_points_name_what_comes_next(case: Shell) -> None:
    """A verified case is to be requested, a released one waits for the end of its watch; in between nothing is said."""
    address = case.view()["entity"]
    case.ok(f"case identity 1 {address} {NOT_SO} --as ana")
    contained = case.ok(f"case record 1 {CONTAIN} --ref T-1 --as ana").out
    assert ("detected → contained" in contained, "next:" in contained) == (True, False)
    assert "  next: holdfast case request-unblock 1\n" in case.ok(f"case record 1 {VERIFY} --ref T-1 --as ana").out
    case.ok("case request-unblock 1 --yes --as ben")
    assert "next: holdfast case request" not in case.ok("case withdraw 1 --as ben --reason later").out
    case.ok("case request-unblock 1 --yes --as ben")
    case.ok("case approve 1 --yes --as cleo")
    case.ok("case unblock 1 --yes --as ben")
    released = case.ok("case observe 1 --restriction not-listed --ref list --as ben").out
    assert "  next: the watch ends 2025-06-18 " in released
    assert "; then: holdfast case close 1\n" in released


def test_withdraw_and_reject(verified: Shell) -> None:
    """A request is taken back by its author or turned down with a reason."""
    verified.ok("case request-unblock 1 --yes --as ben")
    verified.ok("case withdraw 1 --as ben --reason later")
    verified.ok("case request-unblock 1 --yes --as ben")
    assert 2 == verified("case reject 1 --as cleo").code
    verified.ok("case reject 1 --as cleo --reason 'look again'")
    assert "verified" == verified.view()["state"]


def test_wrong_state(case: Shell) -> None:
    """A step from the wrong state says what is possible instead, as commands."""
    plain, data = case("case approve 1 --yes"), case("case approve 1 --yes --json").data["error"]

    assert 3 == plain.code
    assert "possible: holdfast case record 1 ID --ref WHERE" in plain.err
    assert "wrong_state" == data["code"]
    assert "holdfast case note 1 TEXT" in data["next"]


def test_the_intent(verified: Shell) -> None:
    """An unblock warns, records the intent, then says where and how."""
    verified.ok("case request-unblock 1 --yes --as ben")
    verified.ok("case approve 1 --yes --as cleo")
    assert 2 == verified("case unblock 1 --as ben").code

    ran = verified.ok("case unblock 1 --yes --as ben")

    assert "portal:   https://security.microsoft.com/restrictedentities" in ran.out
    assert "Remove-BlockedSenderAddress -SenderAddress 'ada@contoso.com'" in ran.out
    assert "unprotected until 00:00 UTC" in ran.out
    again = verified("case unblock 1 --yes --as ben")
    assert 8 == again.code
    assert "record what you saw: holdfast case observe 1 --restriction WHICH --ref WHERE" in again.err
    assert 3 == verified("case withdraw 1 --as ben").code


def test_what_an_open_attempt_forbids_is_not_offered(verified: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refusals, and the case itself, name what can be done; a connected tenant is looked at by Holdfast."""
    verified.ok("case request-unblock 1 --yes --as ben")
    assert "answer" not in verified.view()["possible"]
    verified.ok("case approve 1 --yes --as cleo")
    verified.ok("case unblock 1 --yes --as ben")
    forbidden = {"withdraw", "reject", "approve", "unblock"}
    assert not forbidden & set(verified.view()["possible"])
    for step in ("close", "request-unblock"):
        ran = verified(f"case {step} 1 --yes --as ben")
        assert 3 == ran.code
        assert "possible: holdfast case observe 1 --restriction not-listed --ref WHERE" in ran.err
        assert "possible: holdfast case unblock 1 --outcome done --ref WHERE" in ran.err
        assert not [name for name in ("withdraw", "reject", "approve") if f"holdfast case {name} 1" in ran.err]
        assert "possible: holdfast case unblock 1\n" not in ran.err
    verified.connect()
    assert "possible: holdfast case look 1\n" in verified("case close 1 --yes --as ben").err
    found = verified("case close 1 --yes --json --as ben").data["error"]
    assert not forbidden & set(found["possible"])
    assert "holdfast case look 1" in found["next"]
    verified.tenant = None
    monkeypatch.setenv("HOLDFAST_PROVIDER", "microsoft365")
    assert "possible: holdfast case observe 1" in verified("case close 1 --yes --as ben").err


def test_the_intent_as_json(verified: Shell) -> None:
    """The instructions are data too."""
    verified.ok("case request-unblock 1 --yes --as ben")
    verified.ok("case approve 1 --yes --as cleo --json")

    data = verified.ok("case unblock 1 --yes --as ben --json").data

    assert data["instructions"]["command"].startswith("Remove-BlockedSenderAddress -SenderAddress 'ada@contoso.com'")
    assert data["case"]["attempt"]["open"]


@pytest.mark.parametrize(
    ("outcome", "state"), [("done", "unblock_requested"), ("failed", "verified"), ("support", "verified")]
)
def test_answers(verified: Shell, outcome: str, state: str) -> None:
    """*Done* is not believed yet; a failure ends the attempt."""
    verified.ok("case request-unblock 1 --yes --as ben")
    verified.ok("case approve 1 --yes --as cleo")
    verified.ok("case unblock 1 --yes --as ben")
    assert 2 == verified(f"case unblock 1 --outcome {outcome}").code

    verified.ok(f"case unblock 1 --outcome {outcome} --ref portal --as ben")

    assert state == verified.view()["state"]
    assert "Unblock attempt 1 by ben" in verified.ok("case view 1").out


def test_after_support_everybody_is_told(verified: Shell) -> None:
    """Microsoft's limit ends with its support: the page, the request, the approval and a wave say so."""
    verified.ok("case request-unblock 1 --yes --as ben")
    verified.ok("case approve 1 --yes --as cleo")
    assert "support" not in verified.ok("case unblock 1 --yes --as ben").out
    words = "open a request with Microsoft Support"
    assert words in verified.ok("case unblock 1 --outcome support --ref portal --as ben").out
    page = verified.ok("case view 1").out
    assert words in page
    assert "holdfast case observe 1 --restriction not-listed --ref REQUEST" in page
    assert "holdfast case request-unblock" not in page
    said = "Microsoft answered the last unblock: contact support"
    assert said in verified("case request-unblock 1").out
    assert said in verified.ok("case request-unblock 1 --yes --json --as ben").data["overview"]["support"]
    assert said in verified("case approve - --as cleo", typed=b"1\n").out
    assert said in verified("case approve 1 --as cleo").out
    verified.ok("case observe 1 --restriction not-listed --ref 4711 --lifted-by support")
    assert words not in verified.ok("case view 1").out


def test_released_and_closed(verified: Shell) -> None:
    """Seen gone, watched, every step answered, closed; restricted again, it comes back."""
    verified.release()
    assert ("released", "released") == (verified.view()["state"], verified.view()["resolution"])
    assert 3 == verified("case close 1").code
    verified.later(days=8)
    names = dict.fromkeys(item["id"] for item in verified("case close 1 --json").data["error"]["missing"])
    verified.ok(f"case record 1 {' '.join(names)} --ref T --as ana")
    assert "released → closed" in verified.ok("case close 1").out
    assert "reopened" == verified.ok("case open ada@contoso.com --restricted-at now --json").data["outcome"]
    assert "(recurrence 2, " in verified.ok("case view 1").out


def test_lost_race(verified: Shell) -> None:
    """Evidence that changed between looking and deciding makes a conflict, exit 7."""
    session = Session(clock=lambda: verified.now, as_name="ben", as_json=True)
    shown = overview_of(session, "1")
    verified.ok("case retract 1 cause-decided --reason wrong --as ana")
    verified.ok("case record 1 cause-decided --ref T-9 --as ana")
    action = RequestUnblock(seen_version=shown.case.version, seen_digest=shown.case.digest)

    with pytest.raises(ConflictError):
        decide(session, shown, action, "?", yes=True)
    session.close()
