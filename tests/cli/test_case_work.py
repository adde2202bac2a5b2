"""Being guided through a case, and handing a shift's cases over."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.shell import CONTAIN, VERIFY, Ran, Shell
from workflow.cli.text import markdown

STEPS = [*CONTAIN.split(), *VERIFY.split()]


def typed(*lines: str) -> bytes:
    """Return what somebody types, a line each."""
    return "".join(f"{line}\n" for line in lines).encode()


def work(shell: Shell, *lines: str, options: str = "--as ana") -> Ran:
    """Be guided through case 1, typing these lines and no more."""
    return shell.ok(f"case work 1 {options}", typed=typed(*lines))


def guided(shell: Shell) -> Ran:
    """Be guided from detected to verified."""
    return work(shell, "m", "T-1", *["m", ""] * 3, "n", *["m", ""] * 7, "n", *["m", ""] * 2, "n", "n")


@pytest.fixture
def named(case: Shell) -> Shell:
    """The case with its mailbox's own user named as compromised."""
    case.ok("case identity 1 ada@contoso.com --as ana")
    return case


def test_a_case_from_detected_to_verified(case: Shell) -> None:
    """Answers alone, and one reference given once, lead to verified; what does not apply is settled by a no."""
    ran = guided(case)

    view = case.view()
    assert "verified" == view["state"], ran.out
    assert {"T-1"} == {item["reference"] for item in view["prerequisites"] if item["result"]}
    assert set(STEPS) == {item["id"] for item in view["prerequisites"] if item["result"]}
    assert "Stopped." in ran.out


def test_each_step_is_a_plain_command_too(named: Shell) -> None:
    """What is printed as the same command does the same: here the time and whom it is about."""
    ran = work(named, "m -5m", "it's done", "q")

    at = named.view()["prerequisites"][0]["observed_at"]
    assert f"the same: holdfast case record 1 snapshot-taken --ref 'it'\"'\"'s done' --at {at} --as ana" in ran.out
    assert "-5m is" in ran.err
    assert "it's done" == named.view()["prerequisites"][0]["reference"]


def test_enter_attests_nothing(named: Shell) -> None:
    """Enter alone is no answer: the step is asked again, and nothing is recorded."""
    ran = work(named, "", "?", "", "q")

    assert 4 == ran.out.count("Answer with m met")
    assert "is no answer" not in ran.out
    assert [] == [item for item in named.view()["prerequisites"] if item["result"]]


def test_stopping_and_resuming(named: Shell) -> None:
    """What was answered is recorded at once, and the next run begins behind it."""
    first = work(named, "m", "T-1", "q")
    second = work(named, "q")

    assert "Stopped. Everything answered is recorded; go on with: holdfast case work 1" in first.out
    assert "snapshot-taken: unanswered" in first.out
    assert "snapshot-taken: unanswered" not in second.out
    assert "password-reset (ada@contoso.com): unanswered" in second.out


def test_the_end_of_input_stops(named: Shell) -> None:
    """With nobody to answer nothing is asked twice, and nothing fails."""
    assert "Stopped." in work(named).out


def test_skipping(named: Shell) -> None:
    """A skipped step is not asked again, is named at the end and stays missing."""
    ran = work(named, *["s"] * 4, "", *["s"] * 8, "", *["s"] * 3, "", "s", "", "s")

    assert "Skipped: " in ran.out
    assert "snapshot-taken" in ran.out.split("Skipped: ")[1]
    assert "snapshot-taken" in named.view()["missing"]


def test_other_answers(named: Shell, home: Path) -> None:
    """Not met, unable to verify and not applicable are recorded with their note; a file is attached with @."""
    (home / "proof.txt").write_text("seen")
    ran = work(named, "maybe", "m", "@proof.txt", "n", "log", "not yet", "u", "", "no licence", "q")

    steps = {item["id"]: item for item in named.view()["prerequisites"]}
    assert "'maybe' is no answer." in ran.out
    assert "--attach proof.txt" in ran.out
    assert 64 == len(steps["snapshot-taken"]["attachment"])
    assert ("not-met", "log", "not yet") == tuple(
        steps["password-reset"][key] for key in ("result", "reference", "note")
    )
    assert ("unable-to-verify", "no licence") == tuple(steps["mfa-enabled"][key] for key in ("result", "note"))


def test_a_refused_answer_is_asked_again(named: Shell) -> None:
    """What the rules refuse is said, and the same step comes again."""
    ran = work(named, "m 2020-01-01", "old", "q")

    assert "Refused" in ran.err + ran.out or "Error" in ran.err
    assert 2 == ran.out.count("snapshot-taken: unanswered")


def test_a_condition_that_holds_leads_to_the_answer(named: Shell) -> None:
    """A yes is recorded as a fact, and the step is asked; Enter leaves it open and asks all the same."""
    ran = work(named, *["m", "T-1", *["m", ""] * 3], "y", "m", "", "q")

    facts = named.view()["identities"][0]["facts"]
    assert True is facts["app-passwords"]
    assert "--fact app-passwords" in ran.out
    assert "contained" == named.view()["state"]


def test_the_whole_way(case: Shell) -> None:
    """Request, unblock, answer and reading are led to as well; approving stays a second person's own command."""
    case.ok("case identity 1 ada@contoso.com --fact hosted --as ana")
    guided(case)
    asked = work(case, "y", "newsletter must go out")
    assert "It waits for 1 more person to approve: holdfast case approve 1 --as NAME\n" in asked.out

    case.ok("case approve 1 --yes --as cleo")
    done = work(case, "y", "d", "portal", "g", "list")

    assert "the same: holdfast case unblock 1 --outcome done --ref portal --as ana" in done.out
    assert "released" == case.view()["state"]

    case.later(days=8)
    closing = work(case, "m", "T-2", options="--as ana")
    assert "Before it closes" in closing.out

    waiting = [step for step in case.view()["prerequisites"] if step["next"]]
    rest = work(case, *["m", "T-3"] * len(waiting), "y", options="--all --as ana")
    assert "closed" == case.view()["state"], rest.out


def test_saying_no(verified: Shell) -> None:
    """Nothing is requested, started or closed without a yes; an answer may wait."""
    assert "Request the unblock" in work(verified, "n").out
    assert "verified" == verified.view()["state"]

    work(verified, "y", "")
    verified.ok("case approve 1 --yes --as cleo")
    assert None is verified.view()["attempt"]
    work(verified, "n")
    assert None is verified.view()["attempt"]
    assert "Come back to it with" in work(verified, "y", "").out
    assert "Come back with" in work(verified, "d", "portal", "").out
    assert "still" not in work(verified, "l", "list").err
    assert "unblock_requested" == verified.view()["state"]


def test_an_ended_case_wants_nothing(case: Shell) -> None:
    """What has ended is said to have ended."""
    case.ok("case observe 1 --restriction not-listed --ref list --as ana")
    case.ok("case dismiss 1 --resolution false_positive --reason test --as ana")
    case.ok("case dismiss 1 --confirm --as ben")

    assert "Nothing is left to ask here." in work(case).out


def test_json_asks_nothing(named: Shell) -> None:
    """For programs the steps are listed, and nothing is asked."""
    data = named.ok("case work 1 --json").data

    assert "snapshot-taken" == data["steps"][0]["id"]
    assert all(step["required"] for step in data["steps"])
    assert len(data["steps"]) < len(named.ok("case work 1 --all --json").data["steps"])


def test_handing_over(case: Shell) -> None:
    """Every open case goes to the other person, with its notes, and the page says what is urgent."""
    case.ok("case assign 1 ana --as ana")
    case.ok("case note 1 'called her' --as ana")
    shown = case.ok("case handover --to ben --dry-run --as ana")
    assert "1 open case would go from ana to ben." in shown.out
    assert "ana" == case.view()["assignee"]

    page = case.ok("case handover --to ben --note 'see INC-1' --as ana").out
    assert "1 open case went from ana to ben." in page
    assert "note by ana" in page
    assert "called her" in page
    assert "ben" == case.view()["assignee"]
    assert "see INC-1" in case.ok("case history 1").out


def test_nothing_to_hand_over(case: Shell) -> None:
    """Whoever has no open case is told so."""
    assert "ana has no open cases." in case.ok("case handover --to ben --as ana").out


def test_a_page_for_a_ticket(verified: Shell) -> None:
    """As Markdown the same page, with what people wrote kept from becoming markup; as JSON for programs."""
    verified.ok("case assign 1 ana --as ana")
    verified.ok("case note 1 '[click](https://x) <img>' --as ana")
    verified.ok("case request-unblock 1 --yes --as ana")
    page = verified.ok("case handover --to ben --markdown --dry-run --as ana").out
    data = verified.ok("case handover --to ben --json --as ana").data

    assert "## #1 ada@contoso.com: unblock\\_requested" in page
    assert "\\[click\\](https\\://x) &lt;img\\>" in page
    assert "approval of the unblock that ana requested" in page
    assert "goes stale" in page
    assert [1] == [item["number"] for item in data["cases"]]
    assert ("ana", "ben", True, "") == (data["from"], data["to"], data["done"], data["cases"][0]["refused"])


def test_a_pending_unblock_is_handed_over(verified: Shell) -> None:
    """An open attempt stands on the page."""
    verified.ok("case assign 1 ana --as ana")
    verified.ok("case request-unblock 1 --yes --as ben")
    verified.ok("case approve 1 --yes --as cleo")
    verified.ok("case unblock 1 --yes --as ben")
    page = verified.ok("case handover --to ben --dry-run --as ana").out

    assert "Unblock attempt 1 by ben" in page


def test_a_case_that_refuses(case: Shell) -> None:
    """A person of the case cannot take it; the others go, and the exit code says that one did not."""
    case.ok("case identity 1 ada@contoso.com --as ana")
    case.ok("case assign 1 ada@contoso.com --as ana")
    ran = case("case handover --to ben --as ada@contoso.com")

    assert 3 == ran.code
    assert "NOT handed over" in ran.out


def test_markdown_markup() -> None:
    """Marks lose their meaning; addresses stay readable."""
    assert "a\\_b@x.com \\`c\\` &lt;d\\>" == markdown("a_b@x.com `c` <d>")
    assert "www\\.evil.example https\\://x.y a.b" == markdown("www.evil.example https://x.y a.b")


def test_a_handover_names_nobodys_cases_that_cannot_wait(verified: Shell) -> None:
    """In a section of their own, in every form; and a name that is empty is nobody's, not one's own."""
    assert "Nobody's" not in verified.ok("case handover --to ben --dry-run --as ana").out
    verified.ok("case request-unblock 1 --yes --as ana")
    page = verified.ok("case handover --to ben --dry-run --as zoe").out
    assert "zoe has no open cases." in page
    assert "Nobody's, and cannot wait: holdfast case assign CASE NAME\n\n#1 ada@contoso.com" in page
    assert "waits for a second person: approval of the unblock that ana requested" in page
    assert "# Nobody's, and cannot wait" in verified.ok("case handover --to ben --dry-run --markdown --as zoe").out
    data = verified.ok("case handover --to ben --dry-run --json --as zoe").data
    assert ([], [1]) == (data["cases"], [item["number"] for item in data["unassigned"]])
    ran = verified("case handover --from '' --to ben --as ana")
    assert (2, True) == (ran.code, "--from names nobody" in ran.err)
