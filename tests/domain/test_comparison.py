"""Comparing playbooks: every difference is told, and what asks less is told from what asks more."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.domain.casebook import DAY, small
from workflow.domain.comparison import compared, loosened, redirected, words
from workflow.domain.playbook import About, Check, Condition, ExceptionRule, Playbook, Prerequisite, Team
from workflow.domain.vocabulary import Phase, Role

BASE = Prerequisite(
    id="rules",
    title="Rules",
    required_by=Phase.VERIFY,
    fresh_within=DAY,
    applies_if=(Condition.HOSTED,),
    after=("reset",),
    check=Check.LINKED_CASE_CONTAINED,
)


def book(*items: Prerequisite, **changes: object) -> Playbook:
    """Return a playbook of these steps."""
    return small(prerequisites=items, **changes)


@pytest.mark.parametrize(
    ("changes", "member", "before", "after"),
    [
        ({"required_by": Phase.CLOSE}, "required_by", "verify", "close"),
        ({"required": False}, "required", "required by verify", "recommended"),
        ({"applies_if": (Condition.HOSTED, Condition.SYNCED)}, "applies_if", "hosted", "hosted, synced"),
        ({"any_of": ("other",)}, "any_of", "nothing", "other"),
        ({"after": ()}, "after", "reset", "nothing"),
        ({"about": About.IDENTITY}, "about", "entity", "identity"),
        ({"check": Check.NONE}, "check", "linked-case-contained", "nothing"),
        ({"fresh_within": timedelta(hours=36)}, "fresh_within", "1d", "36h"),
        ({"fresh_within": None}, "fresh_within", "1d", "nothing"),
        (
            {"exception": ExceptionRule(Role.LEAD, 7 * DAY)},
            "exception",
            "nothing",
            "granted by lead, at most 7d",
        ),
    ],
)
def test_what_asks_less(changes: dict[str, object], member: str, before: str, after: str) -> None:
    """Each member that makes a step a requirement, in plain words, and the same the other way round."""
    old, new = book(BASE), book(replace(BASE, **changes))  # type: ignore[arg-type]
    (change,) = compared(old, new)
    (back,) = compared(new, old)

    assert ("rules", "loosened", member, before, after) == tuple(change.to_data().values())
    assert ("rules",) == loosened(old, new)
    # Whom a step is about and when it applies cannot be weighed: any other answer counts as less.
    assert back.effect == ("loosened" if member in {"about", "applies_if"} else "tightened")


def test_what_is_only_worded_differently() -> None:
    """Texts, and requirements of what is only recommended."""
    recommended = replace(BASE, required=False, required_by=Phase.CLOSE)
    old = book(BASE, replace(recommended, id="mail"))
    new = book(replace(BASE, title="All rules"), replace(recommended, id="mail", fresh_within=None))

    assert [("rules", "title", "reworded"), ("mail", "fresh_within", "reworded")] == [
        (change.prerequisite, change.member, change.effect) for change in compared(old, new)
    ]
    assert () == loosened(old, new)
    assert () == compared(old, old)


@pytest.mark.parametrize(
    "changes", [{"fresh_within": None}, {"after": ()}, {"check": Check.NONE}, {"about": About.IDENTITY}]
)
def test_an_alternative_that_asks_less(changes: dict[str, object]) -> None:
    """Whoever may meet a requirement by another step has less to do when that one is loosened."""
    asked = Prerequisite(id="asked", title="Ask", required_by=Phase.VERIFY, any_of=("rules",))
    other = replace(BASE, required=False)
    old, new = book(asked, other), book(asked, replace(other, **changes))  # type: ignore[arg-type]
    ((change,), (back,)) = compared(old, new), compared(new, old)

    assert (("rules",), "loosened") == (loosened(old, new), change.effect)
    assert back.effect == ("loosened" if "about" in changes else "tightened")


def test_an_alternative_that_is_gone_asks_no_less() -> None:
    """What it stood for is asked itself then; an exception from it proves nothing here."""
    asked = Prerequisite(id="asked", title="Ask", required_by=Phase.VERIFY, any_of=("rules",))
    other = replace(BASE, required=False)
    excepted = replace(other, exception=ExceptionRule(Role.LEAD, DAY))

    assert () == loosened(book(asked, other), book(replace(asked, any_of=())))
    assert () == loosened(book(asked, other), book(asked, excepted))


def test_what_is_new_and_what_is_gone() -> None:
    """A requirement that is gone falls away, a recommendation does not."""
    extra = Prerequisite(id="extra", title="Extra", required_by=Phase.CLOSE, required=False)
    gone, new = compared(book(BASE), book(extra))[::-1]

    assert ("removed", "required by verify: Rules", "") == (gone.effect, gone.before, gone.after)
    assert ("added", "", "recommended: Extra") == (new.effect, new.before, new.after)
    assert (("rules",), ()) == (loosened(book(BASE), book(extra)), loosened(book(extra), book(BASE)))


def test_the_playbook_itself() -> None:
    """Approvals, spans and teams; version and texts only differ."""
    old = book(BASE, approvals=2, approval_team=Team.OTHER)
    new = book(BASE, approvals=1, approval_within=DAY / 2, version="2")

    assert [
        ("approvals", "loosened", "2", "1"),
        ("approval_within", "tightened", "1d", "12h"),
        ("approval_team", "loosened", "other", "any"),
        ("version", "reworded", "1", "2"),
    ] == [(item.member, item.effect, item.before, item.after) for item in compared(old, new)]
    assert ("approvals", "approval-team") == loosened(old, new)


def test_lengths_of_time_are_exact() -> None:
    """Whatever is no whole day or hour stands in seconds."""
    assert ["7d", "36h", "90s"] == [words(span) for span in (7 * DAY, DAY * 1.5, timedelta(seconds=90))]


@pytest.mark.parametrize("member", ["unblock_portal", "unblock_command", "read_command"])
def test_another_command_of_the_playbook(member: str) -> None:
    """What people run or open as administrators is no change of words, in either direction."""
    old, new = book(BASE), book(BASE, **{member: "Set-It"})

    for one, other in ((old, new), (new, old)):
        (change,) = compared(one, other)
        assert (member, "redirected", (member.replace("_", "-"),)) == (
            *(change.member, change.effect),
            redirected(one, other),
        )
    assert ((), ()) == (loosened(old, new), redirected(old, old))


@pytest.mark.parametrize("member", ["portal", "command"])
def test_another_command_of_a_step(member: str) -> None:
    """Also of a step that is only recommended, and of one that is new; not of one that is gone."""
    plain = replace(BASE, required=False)
    led = replace(plain, **{member: "Set-It"})  # type: ignore[arg-type]

    assert (f"rules: {member}",) == redirected(book(plain), book(led)) == redirected(book(led), book(plain))
    assert (f"rules: {member}",) == redirected(book(), book(led))
    assert ["added", "redirected"] == [change.effect for change in compared(book(), book(led))]
    assert () == redirected(book(led), book())
