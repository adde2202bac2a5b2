"""Who could write, approve and sign, when that changed, and who did."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.services.desk import ANN, BOB, CAT, DAY, TEAM, Desk, plain
from workflow.domain import actions as act
from workflow.domain.period import Period
from workflow.domain.private import Private
from workflow.errors import NotPermittedError
from workflow.services import audit, logbook, people
from workflow.services.access_review import EVERYBODY, OTHERS, access
from workflow.services.people import os_user
from workflow.sources.playbook_file import load, shipped
from workflow.storage import cases

ALWAYS = Period()


def test_with_nobody_listed_everybody_may_do_both(desk: Desk) -> None:
    """And that is said, with the key and the adopted playbooks."""
    found = access(desk.app, ALWAYS)

    assert [(EVERYBODY, ["analyst", "approver", "lead"], True, True, None, None)] == [
        tuple(row[name] for name in ("name", "roles", "may_write", "may_approve", "since", "until"))
        for row in found.could
    ]
    assert [audit.public_key(desk.app)] == [row["key"] for row in found.keys]
    assert {"log:created", "playbook:adopted", "settings:changed"} == {row["type"] for row in found.changes}
    assert found.everybody
    assert plain(found.to_data()) == found.to_data()


def test_lists_have_a_beginning_and_an_end(open_desk: Callable[..., Desk]) -> None:
    """Each person under each list, those who are not on it, and what each change was."""
    open_desk(people=TEAM).restrict()
    desk = open_desk(people=[TEAM[0], {**TEAM[1], "roles": ["lead", "analyst"]}], timezone="Europe/Vienna")
    desk.clock.move(DAY)
    desk.restrict("second@contoso.example")
    found = access(desk.app, ALWAYS)
    listed = [row for row in found.changes if row["type"] == "people:changed"]
    (settings,) = [row for row in found.changes if row["type"] == "settings:changed" and row["sequence"] > 6]

    assert [
        (EVERYBODY, True, True),
        *(("ann", True, False), ("bob", True, True), ("cat", True, True), ("dan", False, False), (OTHERS, True, False)),
        *(("ann", True, False), ("bob", True, True), (OTHERS, True, False)),
    ] == [(row["name"], row["may_write"], row["may_approve"]) for row in found.could]
    assert [None, *[listed[0]["at"]] * 5, *[listed[1]["at"]] * 3] == [row["since"] for row in found.could]
    assert [listed[0]["at"], *[listed[1]["at"]] * 5, *[None] * 3] == [row["until"] for row in found.could]
    assert [
        "bob: approver (red) -> lead, analyst (red)",
        "cat: lead (red) -> not listed",
        "dan: auditor -> not listed",
    ] == listed[1]["details"]
    assert "timezone Europe/Vienna" in settings["details"]


def test_a_list_may_change_in_contacts_alone(open_desk: Callable[..., Desk]) -> None:
    """Which the ledger does not say in words."""
    logbook.prepare(open_desk(people=TEAM).app, ANN)
    desk = open_desk(people=[{**person, "contact": "another"} for person in TEAM])
    logbook.prepare(desk.app, ANN)

    assert ["contacts or accounts only"] == access(desk.app, ALWAYS).changes[-1]["details"]


def test_a_period_has_what_was_in_force_and_what_happened_in_it(open_desk: Callable[..., Desk]) -> None:
    """A list from before it and still in force belongs to it; one that had ended does not."""
    team = open_desk(people=TEAM)
    team.restrict()
    begins = team.clock.move(DAY)
    team.restrict("second@contoso.example", who=CAT)
    ends = team.clock.move(DAY)
    desk = team.again(people=[])
    desk.restrict("third@contoso.example")
    found = access(desk.app, Period(begins, ends))

    assert ["ann", "bob", "cat", "dan", OTHERS] == [row["name"] for row in found.could]
    assert ([], ["cat"], False) == (found.changes, [row["name"] for row in found.did], found.everybody)
    assert access(desk.app, Period(ends, None)).everybody


def test_who_did_with_the_roles_of_the_time(open_desk: Callable[..., Desk]) -> None:
    """Entries, approvals and refusals by name and user; several names behind one user are named."""
    desk = open_desk(people=TEAM)
    case_id = desk.requested()
    desk.do(case_id, act.ApproveUnblock(), who=BOB)
    with pytest.raises(NotPermittedError):
        desk.do(case_id, act.RejectRequest(reason=Private("no")), who=ANN)
    found = access(desk.app, Period(desk.clock.now - DAY / 2, None))

    assert [("ann", ["analyst"], 0, 1, True), ("bob", ["approver"], 1, 0, True)] == [
        tuple(row[name] for name in ("name", "roles", "approvals", "refused", "claimed")) for row in found.did
    ]
    assert {os_user().casefold(): ["ann", "bob"]} == found.several
    assert found.did[0]["first"] < found.did[0]["last"]


def test_a_playbook_that_is_not_the_shipped_one_is_marked(sqlite_desk: Desk) -> None:
    """Whoever adopted it is named."""
    playbook = load(shipped()["compromised-mailbox"], "compromised-mailbox")
    with sqlite_desk.app.database.transaction() as tx:
        cases.lock_log(tx)
        by = people.actor(sqlite_desk.app, tx, ANN)
        logbook.adopt(sqlite_desk.app, tx, by, replace(playbook, version="9.9", digest="0" * 64))
    last = access(sqlite_desk.app, ALWAYS).changes[-1]

    assert (["not the shipped version"], "ann") == (last["details"], last["by"])
