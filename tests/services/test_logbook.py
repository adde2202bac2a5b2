"""Entries about the log itself: people, settings and playbooks."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.services.desk import ANN, TEAM, Desk
from workflow.errors import NotFoundError
from workflow.services import logbook, people, verification
from workflow.sources.playbook_file import load, shipped
from workflow.storage import cases


def changes(desk: Desk) -> list[str]:
    """Return the types of what was written to the log after it was set up."""
    return desk.types()[6:]


def test_unchanged_settings_write_nothing(desk: Desk) -> None:
    """A process that starts with the settings of the one before says nothing."""
    logbook.prepare(desk.app, ANN)
    assert [] == changes(desk)


def test_changed_people_are_written_once(open_desk: Callable[..., Desk]) -> None:
    """However many steps and processes follow, a change of people is one entry."""
    desks = [open_desk(people=TEAM), open_desk(people=TEAM)]
    for desk in (*desks, *desks):
        logbook.prepare(desk.app, ANN)
    assert ["people:changed"] == changes(desks[0])
    assert verification.verify(desks[0].app).ok


def test_people_stand_in_the_ledger_without_names_or_contacts(team: Desk) -> None:
    """Roles and teams are there under opaque ids; names and contacts only behind a commitment."""
    logbook.prepare(team.app, ANN)
    data = team.entries()[-1].data
    assert [["analyst"], ["approver"], ["lead"], ["auditor"]] == [row["roles"] for row in data["people"]]
    assert {"listed", "part", "parts", "people"} == set(data)
    assert not any(word in team.bodies()[-1].casefold() for word in ("bob", "phone"))


@pytest.mark.parametrize(
    "change",
    [
        {"people": [*TEAM[:-1], {**TEAM[-1], "contact": "new-phone"}]},
        {"people": [*TEAM[:-1], {**TEAM[-1], "identities": ["dan@contoso.example"]}]},
        {"people": []},
        {"people": TEAM, "timezone": "Europe/Vienna"},
        {"people": TEAM, "tenants": {"0f0e0d0c-0b0a-0908-0706-050403020100": "contoso"}},
        {"people": TEAM, "tenant": "contoso"},
        {"people": TEAM, "date_order": "dmy"},
    ],
)
def test_every_change_is_an_entry(open_desk: Callable[..., Desk], change: dict[str, Any]) -> None:
    """A new contact, account, zone or tenant is a change, and so is taking everybody off the list."""
    logbook.prepare(open_desk(people=TEAM).app, ANN)
    desk = open_desk(**change)
    logbook.prepare(desk.app, ANN)
    assert 2 == len(changes(desk))


def test_many_people_are_several_entries(open_desk: Callable[..., Desk]) -> None:
    """An entry holds at most 4 KiB, so that a long list is written in parts."""
    desk = open_desk(people=[{"name": f"Person {number}"} for number in range(45)])
    logbook.prepare(desk.app, ANN)
    assert [(1, 20), (2, 20), (3, 5)] == [
        (entry.data["part"], len(entry.data["people"])) for entry in desk.entries()[6:]
    ]
    logbook.prepare(open_desk(people=[{"name": f"Person {number}"} for number in range(45)]).app, ANN)
    assert 3 == len(changes(desk))


def test_people_whose_words_were_erased_are_written_anew(open_desk: Callable[..., Desk]) -> None:
    """Without the words nobody can tell whether the list changed, so that it is written again."""
    desk = open_desk(people=TEAM)
    logbook.prepare(desk.app, ANN)
    with desk.app.database.transaction() as tx:
        tx.run("DELETE FROM opening WHERE case_id = 'log'")
    logbook.prepare(open_desk(people=TEAM).app, ANN)
    assert ["people:changed"] * 2 == changes(desk)


def test_a_playbook_is_adopted_once(desk: Desk) -> None:
    """The same bytes are the same version."""
    playbook = load(shipped()["compromised-mailbox"], "compromised-mailbox")
    with desk.app.database.transaction() as tx:
        cases.lock_log(tx)
        by = people.actor(desk.app, tx, ANN)
        assert not logbook.adopt(desk.app, tx, by, playbook)


def test_nothing_to_write_is_no_entry(desk: Desk) -> None:
    """A step about the log that has nothing to say leaves no trace."""
    with desk.app.database.transaction() as tx:
        cases.lock_log(tx)
        assert [] == logbook.write(desk.app, tx, people.actor(desk.app, tx, ANN), [])


def test_an_unknown_playbook_is_not_found(desk: Desk) -> None:
    """The message names the playbooks there are."""
    with pytest.raises(NotFoundError, match="compromised-mailbox"), desk.app.database.transaction() as tx:
        logbook.current(desk.app, tx, people.actor(desk.app, tx, ANN), "no-such")
