"""What the machine has to do in a case, and when: drawn from the case alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.domain.casebook import (
    ADA,
    ANN,
    BOB,
    DAY,
    HOUR,
    LISTED,
    NOT_LISTED,
    SMALL,
    START,
    WORDS,
    Casebook,
    person,
    small,
)
from workflow.domain import actions as act
from workflow.domain import agenda
from workflow.domain.agenda import Task
from workflow.domain.case import TenantChange
from workflow.domain.playbook import Check, Playbook, Prerequisite
from workflow.domain.private import Private
from workflow.domain.record import SYSTEM
from workflow.domain.vocabulary import Alteration, Change, Made, Method, Result, State

MINUTE = timedelta(minutes=1)
CHECKS = {
    "password-reset": Check.PASSWORD_RESET,
    "sessions-revoked": Check.SESSIONS_REVOKED,
    "rules": Check.RULES_HARMLESS,
}
READABLE: Playbook = small(
    prerequisites=tuple(replace(item, check=CHECKS.get(item.id, Check.NONE)) for item in SMALL.prerequisites)
)
CAL = person("cal")


def book(**changes: object) -> Casebook:
    """Open a case under a playbook whose steps can be read in a tenant."""
    return Casebook(READABLE).open(**changes)  # type: ignore[arg-type]  # inputs of the action, by name


def due(found: Casebook) -> tuple[timedelta | None, str]:
    """Return in how long the machine has something to do, and what."""
    at, task = agenda.next_task(found.case, found.playbook)
    return None if at is None else at - found.now, task


def wanted(found: Casebook) -> tuple[str, ...]:
    """Name what wants to be read now."""
    return agenda.wanted(found.case, found.playbook, found.now)


def read(found: Casebook, name: str, about: str = "", **changes: object) -> datetime:
    """Record a reading of the machine's; returns when it was made."""
    at = found.now
    found.record(name, about, SYSTEM, method=Method.CHECKED, **changes)
    return at


def checked(found: Casebook) -> Casebook:
    """Have the machine read everything it can, all of it good."""
    read(found, "password-reset", ADA)
    read(found, "sessions-revoked", ADA)
    read(found, "rules")
    return found


def test_a_new_case_is_read_at_once() -> None:
    """Everything that a tenant can answer is wanted; what only a person knows is not."""
    found = book()

    assert (timedelta(0), Task.CHECK) == due(found)
    assert ("password-reset", "sessions-revoked", "rules") == wanted(found)


def test_what_cannot_be_read_makes_nothing_due() -> None:
    """Under a playbook of people's steps alone the machine has nothing to do."""
    found = Casebook(SMALL).open()

    assert (None, "") == due(found)
    assert () == wanted(found)


def test_good_readings_are_made_again_before_they_lapse() -> None:
    """An hour before; what was done once does not go stale."""
    found = checked(book())
    at = read(found, "rules")

    assert (at + DAY - HOUR - found.now, Task.CHECK) == due(found)
    assert () == wanted(found)
    assert ("rules",) == wanted(found.later(DAY - HOUR))


def test_a_short_freshness_is_renewed_in_its_last_quarter() -> None:
    """An hour before would be at once."""
    brief = replace(READABLE.get("rules") or pytest.fail("there is one"), fresh_within=2 * HOUR, after=())
    found = Casebook(small(prerequisites=(brief,))).open()
    at = read(found, "rules")

    assert at + 1.5 * HOUR - found.now == due(found)[0]


def test_what_does_not_hold_is_read_again_later_and_later() -> None:
    """After a quarter of an hour first, at last every six hours."""
    found = checked(book())
    first, waits = found.now, []
    for _ in range(12):
        at = read(found, "rules", result=Result.NOT_MET)
        waits.append(min(max(at - first, timedelta(minutes=15)), timedelta(hours=6)))
        assert at + waits[-1] - found.now == due(found)[0]
        found.later(waits[-1])
    assert timedelta(hours=6) == waits[-1]


def test_snapshots_that_are_not_whole_are_taken_later_and_later() -> None:
    """Each is another one, and each is kept: how long none was whole says how long the next one waits."""
    kept = replace(READABLE.get("rules") or pytest.fail("there is one"), check=Check.SNAPSHOT_SAVED, after=())
    found, waits = Casebook(small(prerequisites=(kept,))).open(), []
    for number in range(12):
        at = read(found, "rules", result=Result.UNABLE_TO_VERIFY, attachment=f"{number:064x}")
        waits.append(found.now - at + (due(found)[0] or pytest.fail("it is due")))
        found.later(waits[-1])
    assert timedelta(minutes=15) == waits[0]
    assert timedelta(hours=6) == waits[-1]


def test_a_reading_that_does_not_count_is_made_again() -> None:
    """Sessions revoked before the password was reset hold nobody out; nor does what was seen before the restriction."""
    found = book()
    at = read(found, "sessions-revoked", ADA)
    read(found, "password-reset", ADA)
    read(found, "rules")

    assert at + timedelta(minutes=15) - found.now == due(found)[0]
    assert ("sessions-revoked",) == wanted(found.later(timedelta(minutes=15)))


def test_a_restriction_that_turns_out_to_be_newer_makes_readings_worthless() -> None:
    """They are made again, and soon."""
    found = checked(book(restricted_at=None, status=LISTED))
    found.case.boundary = found.now

    assert {"password-reset", "sessions-revoked", "rules"} == set(wanted(found.later(timedelta(minutes=15))))


def test_a_persons_word_counts_as_long_as_it_does() -> None:
    """Only when it lapses is the tenant asked instead."""
    found = checked(book())
    at = found.now
    found.done(act.RetractEvidence(prerequisite="rules", reason=WORDS), ANN)
    found.record("rules")

    assert at + DAY + MINUTE - found.now == due(found)[0]
    assert ("rules",) == wanted(found.later(DAY))


def test_an_accepted_risk_is_read_when_it_expires() -> None:
    """It is read at once when it expires, and not before."""
    found = book()
    read(found, "password-reset", ADA)
    read(found, "sessions-revoked", ADA)
    until = found.now + DAY
    found.done(act.AskException(prerequisite="rules", expires_at=until, reason=WORDS), ANN)
    found.done(act.ConfirmProposal(proposal="exception:rules"), BOB)

    assert (until - found.now, Task.CHECK) == due(found)
    assert () == wanted(found)
    found.later(2 * DAY).done(act.AddNote(note=WORDS))
    assert ("rules",) == wanted(found)


def test_what_does_not_apply_is_not_read() -> None:
    """A condition that is known to be false settles it."""
    relay = replace(SMALL.get("relay") or pytest.fail("there is one"), check=Check.NO_ROLES)
    found = Casebook(small(prerequisites=(relay,))).open()
    assert ("relay",) == wanted(found)
    found.done(act.AddIdentity(subject=ADA, facts={"on-premises-relay": False}, reference=WORDS))
    assert ("relay",) == wanted(found)
    found.case.facts["on-premises-relay"] = False
    assert (None, "") == due(found)


def test_an_approved_unblock_is_due_at_once() -> None:
    """Nothing less than all approvals makes it so."""
    found = book().requested()
    assert Task.UNBLOCK != due(found)[1]
    found.done(act.ApproveUnblock(), BOB)

    assert (timedelta(0), Task.UNBLOCK) == due(found)


def test_an_unblock_under_way_is_looked_at_less_and_less() -> None:
    """After two minutes first, then after half as long as it took until then, at last every hour."""
    found = book().intended()
    begun = found.now
    assert (timedelta(minutes=2), Task.LOOK) == due(found)
    waits = []
    for _ in range(12):
        found.later(due(found)[0] or timedelta(0))
        at = found.now
        found.observe(LISTED)
        waits.append(at + (due(found)[0] or timedelta(0)) + MINUTE - at)
    assert waits == sorted(waits)
    assert timedelta(hours=1) == waits[-1]
    assert () == wanted(found)
    assert found.now - begun < DAY


def seen(found: Casebook, **changes: Any) -> None:
    """See that somebody else changed Ada's account ten minutes ago."""
    fields: dict[str, Any] = {
        "alteration": Alteration.PASSWORD_SET,
        "accounts": (ADA,),
        "altered_at": found.now - 10 * MINUTE,
        "fingerprint": "ab" * 32,
        "reference": WORDS,
    }
    found.done(act.SeeChange(**(fields | changes)), SYSTEM)


@pytest.mark.parametrize(
    ("changes", "again"),
    [
        ({}, ("password-reset", "sessions-revoked")),
        ({"alteration": Alteration.RULE_ON, "accounts": ("sub_box", ADA)}, ("rules",)),
        ({"alteration": Alteration.RULE_ON}, ()),
        ({"alteration": Alteration.SIGN_IN_BLOCKED}, ()),
        ({"altered_at": START + 30 * MINUTE}, ()),
    ],
)
def test_what_others_changed_since_is_read_again(changes: dict[str, Any], again: tuple[str, ...]) -> None:
    """At once, where it may have let somebody in; not another account's, and not what was read after it."""
    found = checked(book().later(HOUR)).later(HOUR)
    seen(found, **changes)
    assert (again, bool(again)) == (wanted(found), (timedelta(0), Task.CHECK) == due(found))
    checked(found)
    assert () == wanted(found)


def test_a_person_s_word_outlasts_what_others_change() -> None:
    """What somebody attested is theirs to take back."""
    found = book().later(HOUR)
    found.record("password-reset", ADA)
    read(found, "sessions-revoked", ADA)
    read(found, "rules")
    found.later(HOUR)
    seen(found)
    assert ("sessions-revoked",) == wanted(found)


def test_a_change_without_an_answer_is_found_out() -> None:
    """Two minutes after it was begun, and before anything else."""
    found = book()
    found.done(act.IntendChange(change=Change.REVOKE_SESSIONS, about=ADA, target=WORDS), SYSTEM)
    found.later(2 * MINUTE)
    assert Task.CHECK == due(found)[1]
    checked(found)
    assert Task.FIND_OUT == due(found)[1]
    (sequence,) = found.case.changes
    found.done(act.AnswerChange(intent=sequence, made=Made.DONE, reference=WORDS), SYSTEM)
    assert Task.CHECK == due(found)[1]


def test_a_released_account_is_watched_until_the_watch_ends() -> None:
    """Every six hours, for what may come back; a reset does not come undone."""
    found = checked(book())
    found.requested().done(act.ApproveUnblock(), BOB)
    found.done(act.IntendUnblock(), CAL)
    found.observe(NOT_LISTED)
    assert State.RELEASED is found.case.state
    released = found.now

    assert (6 * HOUR, Task.CHECK) == due(found)
    assert () == wanted(found)
    assert ("rules",) == wanted(found.later(6 * HOUR))
    at = read(found, "rules")
    assert at + 6 * HOUR - found.now == due(found)[0]
    at = read(found, "rules", result=Result.NOT_MET)
    assert at + timedelta(minutes=15) - found.now == due(found)[0]
    found.now = released + 7 * DAY - HOUR
    read(found, "rules")
    assert (None, "") == due(found)
    found.case.released_at = None
    assert (None, "") == due(found)


def test_an_ended_case_is_left_alone() -> None:
    """Whatever stands in it."""
    found = book()
    found.case.state = State.CLOSED

    assert (None, "") == due(found)


def test_an_account_is_contained_a_few_times_and_then_left_to_people() -> None:
    """Three rounds in one recurrence; what was taken back, and what came before, does not count."""
    found = book()
    case = found.case
    assert agenda.may_contain(case)

    def change(number: int, **changes: object) -> TenantChange:
        fields: dict[str, object] = {
            "change": Change.RESET_PASSWORD,
            "about": ADA,
            "by": "system",
            "at": found.now,
            "sequence": number,
            "leaf": "",
            "target": Private(),
        }
        return TenantChange(**(fields | changes))  # type: ignore[arg-type]  # fields, by name

    case.changes = {number: change(number, at=found.now - DAY) for number in range(5)}
    case.changes |= {number: change(number, undoes=1) for number in range(5, 9)}
    case.changes |= {number: change(number, change=Change.DISABLE_RULE) for number in range(9, 15)}
    case.changes |= {number: change(number) for number in (20, 21)}
    assert agenda.may_contain(case)
    case.changes[22] = change(22)
    assert not agenda.may_contain(case)
    case.entered_at = None
    assert not agenda.may_contain(case)


def test_only_what_a_tenant_can_answer_is_readable() -> None:
    """A linked case is judged from the ledger, and a finding is a person's."""
    kinds = {
        check: Prerequisite(id="x", title="X", required_by=READABLE.required[0].required_by, check=check).readable
        for check in (Check.NONE, Check.LINKED_CASE_CONTAINED, Check.SNAPSHOT_SAVED, Check.NO_ROLES)
    }
    assert [False, False, True, True] == list(kinds.values())
