"""Policies as the log tells them, and what gives cause to tell."""

from __future__ import annotations

from typing import Any

import pytest

from workflow.domain.alerts import MICROSOFTS, RAISING, STANDARD, Policy, Rule, Severity, faults, raised_by, standing
from workflow.domain.record import Entry

LEAD = {"roles": ["lead"]}


def entry(kind: str, data: dict[str, Any], sequence: int = 1, **changes: Any) -> Entry:
    """Return an entry of a type."""
    made = Entry("", kind, "", "log", sequence, "", "", "ok", LEAD, "", "", "", 0, "done", "", data, {}, (), "", "")
    return made._replace(**changes)


def changed(sequence: int = 1, **changes: Any) -> Entry:
    """Return an entry about a policy."""
    data = {"policy": "late", "on": True, "opted_in": True, "recipients": ["soc"], "severity": "low"} | changes
    return entry("alerts:changed", {key: value for key, value in data.items() if value is not ...}, sequence)


def test_every_policy_has_a_standard() -> None:
    """All of them are on, opted in to, without limit, and go to nobody, as Microsoft's do."""
    found = standing([])
    assert set(Policy) == set(STANDARD) == set(found)
    assert {(True, True, (), None)} == {
        (rule.on, rule.opted_in, rule.recipients, rule.daily_limit) for rule in found.values()
    }
    assert {"User restricted from sending email", "Suspicious connector activity"} <= set(MICROSOFTS)
    assert Severity.HIGH is found[Policy.RESTRICTED].severity


def test_the_newest_word_counts() -> None:
    """What the last entry says of a policy is how it stands; entries about other things say nothing."""
    first, last = changed(4), changed(6, daily_limit=3, on=False)
    rule = standing([first, entry("people:changed", {}), last])[Policy.LATE]
    assert (6, False, 3, ("soc",), ()) == (rule.changed, rule.on, rule.daily_limit, rule.recipients, rule.told)
    assert last.data == rule.to_data()
    assert first.data == standing([first])[Policy.LATE].to_data()
    assert ("soc",) == standing([first])[Policy.LATE].told
    assert () == Rule(Policy.LATE, opted_in=False, recipients=("soc",)).told


@pytest.mark.parametrize(
    "changes",
    [
        *({"policy": "weather"}, {"on": ...}, {"extra": 1}, {"on": 1}, {"opted_in": "yes"}, {"severity": "grave"}),
        *({"recipients": "soc"}, {"recipients": ["Soc"]}, {"recipients": ["a", "a"]}, {"recipients": [1]}),
        *({"recipients": [f"r{number}" for number in range(21)]}, {"daily_limit": 0}, {"daily_limit": True}),
        *({"daily_limit": "3"}, {"daily_limit": 10**7}, {"daily_limit": None}),
    ],
)
def test_what_no_step_writes(changes: dict[str, Any]) -> None:
    """An entry that sets a policy to what it cannot be does not verify."""
    assert [7] == [sequence for sequence, _ in faults([changed(7, **changes)])]


def test_who_may_not() -> None:
    """An analyst who changed a policy, or the machine, is named; a lead and an approver are not."""
    told = [changed(number)._replace(actor={"roles": [role]}) for number, role in enumerate(("analyst", "system"), 3)]
    assert [3, 4] == [sequence for sequence, why in faults(told) if "role" in why]
    assert [] == list(faults([changed(), changed()._replace(actor={"roles": ["approver"]})]))


@pytest.mark.parametrize(
    ("found", "policy"),
    [
        (entry("case:opened", {"kind": "mailbox"}), Policy.RESTRICTED),
        (entry("case:opened", {"kind": "connector"}), Policy.CONNECTOR),
        (entry("case:opened", {"kind": "user"}), None),
        (entry("restriction:returned", {}), Policy.RETURNED),
        (entry("restriction:observed", {}, basis={"resolution": "unblocked_outside"}), Policy.OUTSIDE),
        (entry("restriction:observed", {}, basis={"resolution": "expired"}), None),
        (entry("restriction:observed", {"method": "checked", "lifted_at": "T"}, basis={"stale": True}), Policy.OUTSIDE),
        (entry("restriction:observed", {"method": "checked"}, basis={}), None),
        (entry("restriction:observed", {"lifted_at": "T"}, basis={"stale": True}), None),
        (entry("unblock:answered", {"answer": "support"}), Policy.SUPPORT),
        (entry("unblock:answered", {"answer": "failed"}), None),
        (entry("unblock:approved", {"break_glass": True}), Policy.BREAK_GLASS),
        (entry("unblock:approved", {}), None),
        (entry("evidence:recorded", {"result": "not-met"}, state_before="released"), Policy.REGRESSION),
        (entry("evidence:recorded", {}, state_before="released"), None),
        (entry("evidence:recorded", {"result": "not-met"}, state_before="contained"), None),
        (entry("change:seen", {"alteration": "password-set"}), Policy.CHANGED),
        (entry("change:seen", {"alteration": "sign-in-blocked"}), None),
        (entry("change:seen", {"alteration": "sign-in-blocked", "own": True}), Policy.CHANGED),
        (entry("case:noted", {}), None),
    ],
)
def test_what_gives_cause(found: Entry, policy: Policy | None) -> None:
    """Each cause has one policy; what gives none has none."""
    assert policy == raised_by(found)
    assert found.type in RAISING or policy is None
