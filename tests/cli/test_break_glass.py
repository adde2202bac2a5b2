"""Breaking the glass on the command line: what is asked, refused, shown everywhere, and reviewed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.shell import Shell

PEOPLE = """break_glass = true
[[people]]
name = "ana"
roles = ["analyst", "approver"]
[[people]]
name = "cleo"
roles = ["lead"]
contact = "\\u001b[31m4711"
on_call = true
"""
WHY = "--reason 'nobody answers'"


@pytest.fixture
def alone(verified: Shell, home: Path) -> Shell:
    """The verified case, requested by ana, in a place where the glass may be broken."""
    (home / "home" / "config" / "config.toml").write_text(PEOPLE)
    verified.ok("case request-unblock 1 --yes --as ana")
    return verified


def test_everything_says_so(alone: Shell) -> None:
    """Result, page, list, history and overview; the review takes the word 'unreviewed' away and leaves the mark."""
    out = alone.ok(f"case approve 1 --break-glass {WHY} --yes --as ana").out
    assert "somebody else reviews it: holdfast case review 1 --result" in out
    for words in ("case view 1", "case unblock 1 --yes --as ana"):
        out = alone.ok(words).out
        assert "BREAK-GLASS: approved without a second person by ana (claimed)" in out
        assert "    nobody answers" in out
        assert "  not reviewed; somebody else does, before the case closes" in out
    assert "unblock_requested, break-glass unreviewed" in alone.ok("case list").out
    assert [["unreviewed"]] == [row["break_glass"] for row in alone.ok("case list --json").data["cases"]]
    assert "unreviewed" in alone.ok("case list --csv").out
    assert "unblock approved, BREAK-GLASS: without a second person: nobody answers" in alone.ok("case history 1").out
    assert "approval:reviewed" in alone.ok("case review 1 --result justified --reason fine --as cleo --json").out
    out = alone.ok("case view 1").out
    assert "  reviewed by cleo (claimed), " in out
    assert ": justified" in out
    assert "    fine" in out
    assert "break-glass justified" in alone.ok("case list").out


def test_the_approval_itself_says_so(alone: Shell) -> None:
    """While it stands, beside who gave it."""
    alone.ok(f"case approve 1 --break-glass {WHY} --yes --as ana")
    assert "    BREAK-GLASS: it stands in for a second person's" in alone.ok("case view 1").out


def test_a_close_waits_for_the_review(alone: Shell) -> None:
    """The refusal says who reviews, how, and who is on call; in text and as data."""
    alone.ok(f"case approve 1 --break-glass {WHY} --yes --as ana")
    alone.ok("case unblock 1 --yes --as ana")
    alone.ok("case observe 1 --restriction not-listed --ref list --as ana")
    alone.later(days=8)
    ran = alone("case close 1 --as ana")
    assert 3 == ran.code
    assert "with 'holdfast case review 1'" in ran.err
    error = alone("case close 1 --as ana --json").data["error"]
    assert ("review_owed", ["approver", "lead"]) == (error["code"], error["roles"])
    assert 4 == alone("case review 1 --result justified --reason mine --as ana").code
    alone.ok("case review 1 --result not-justified --reason 'cleo was awake' --as cleo")
    assert "review_owed" != alone("case close 1 --as ana --json").data["error"]["code"]


def test_refusals_say_who_can(alone: Shell) -> None:
    """People on call first, the one who asked left out, and no contact moves the cursor."""
    ran = alone("case approve 1 --yes --as ana")
    assert 4 == ran.code
    assert "  who can: cleo (\\x1b[31m4711), on call" in ran.err
    error = alone("case approve 1 --yes --as ana --json").data["error"]
    assert [{"name": "cleo", "contact": "\x1b[31m4711", "on_call": True}] == error["on_call"]
    ran = alone("case approve 1 --yes --as cleo")
    assert 0 == ran.code
    denied = alone("case reject 1 --reason x --as zoe --json").data["error"]
    assert ["cleo", "ana"] == [person["name"] for person in denied["on_call"]]


def test_refusals_of_many_say_who_can(alone: Shell) -> None:
    """So do those of a command over many cases."""
    ran = alone("case approve --state unblock_requested --yes --as ana")
    assert 4 == ran.code
    assert "  who can: cleo (\\x1b[31m4711), on call" in ran.out
    (result,) = alone("case approve --state unblock_requested --yes --as ana --json").data["results"]
    assert [{"name": "cleo", "contact": "\x1b[31m4711", "on_call": True}] == result["on_call"]


def test_nobody_listed_is_nobody_named(verified: Shell) -> None:
    """Without people in the settings there is nobody to call."""
    verified.ok("case request-unblock 1 --yes --as ben")
    assert "who can" not in verified("case approve 1 --yes --as ben").err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("case approve 1 --break-glass --yes --as ana", 2, "needs a reason"),
        (f"case approve 1 --break-glass {WHY} --yes --as cleo", 3, "without --break-glass"),
        (f"case approve 1 --break-glass {WHY} --as ana", 2, "Nobody can be asked"),
        ("case review 1 --result justified --reason x --as cleo", 3, "waits for a review"),
        ("case review 1 --result fine --reason x --as cleo", 2, "'fine' is not one of"),
    ],
)
def test_what_is_no_broken_glass(alone: Shell, words: str, code: int, said: str) -> None:
    """Without a reason, without need, without a word, or without anything to review."""
    ran = alone(words)
    assert code == ran.code
    assert said in ran.err


def test_off_is_off(verified: Shell) -> None:
    """Unless the setting turns it on."""
    verified.ok("case request-unblock 1 --yes --as ben")
    ran = verified(f"case approve 1 --break-glass {WHY} --yes --as ben")
    assert 3 == ran.code
    assert "turned off here (the setting break_glass)" in ran.err


def test_the_playbook_says_whether(verified: Shell) -> None:
    """Where its approvals are told."""
    assert "break-glass: allowed" in verified.ok("playbook show compromised-mailbox").out
    assert "break-glass: never" in verified.ok("playbook show privileged-account").out
