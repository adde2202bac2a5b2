"""Who acts: roles, assurance, teams and accounts of one's own."""

import os
import pwd
from collections.abc import Callable
from typing import Any

import pytest

from tests.services.desk import ADA, ANN, BOB, DAN, EVE, TEAM, Desk
from workflow.domain import actions as act
from workflow.domain.private import Private
from workflow.domain.record import Actor
from workflow.domain.vocabulary import Assurance, Kind, Role
from workflow.errors import InputError, NotPermittedError, SamePersonError
from workflow.services import casework, people, worklist
from workflow.services.people import Who, listed
from workflow.storage import subjects


def actor(desk: Desk, who: Who) -> Actor:
    """Return the actor a face's *who* becomes."""
    with desk.app.database.transaction() as tx:
        return people.actor(desk.app, tx, who)


def test_with_nobody_listed_every_name_may_do_everything(desk: Desk) -> None:
    """An empty list of people does not lock anybody out."""
    assert (Role.ANALYST, Role.APPROVER, Role.LEAD) == actor(desk, Who("anybody")).roles


def test_once_somebody_is_listed_others_are_analysts(team: Desk) -> None:
    """A name that nobody listed records facts, and approves nothing."""
    assert (Role.ANALYST,) == actor(team, Who("stranger")).roles
    assert (Role.APPROVER,) == actor(team, Who("BOB")).roles
    assert "red" == actor(team, BOB).team


def test_a_name_is_claimed_unless_it_is_the_users_own(desk: Desk) -> None:
    """Only the operating system's user is more than a claim, and stands behind every claim."""
    own = people.os_user()
    assert Assurance.CLAIMED is actor(desk, ANN).assurance
    assert Assurance.OS_USER is actor(desk, Who()).assurance
    assert Assurance.OS_USER is actor(desk, Who(own.upper())).assurance
    assert actor(desk, Who()).id == actor(desk, ANN).os


def test_the_environment_does_not_say_who_the_user_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user comes from the process, not from a variable that anybody can set."""
    for name in ("USER", "LOGNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody-else")
    assert pwd.getpwuid(os.getuid()).pw_name == people.os_user()


def test_a_user_without_a_name_is_known_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a container the user may have no name."""
    monkeypatch.setattr(os, "getuid", lambda: 4_242_424)
    assert "uid-4242424" == people.os_user()


@pytest.mark.parametrize("name", ["a\x00b", "x" * 400, "  ", "a\u200bb"])
def test_a_name_is_a_name(desk: Desk, name: str) -> None:
    """Control and invisible characters, and names without end, are refused."""
    with pytest.raises(InputError):
        actor(desk, Who(name))


@pytest.mark.parametrize("name", ["ana\u3164", "ana\u2800", "b\u0435n", "system", "\uff41na"])
def test_a_name_that_looks_like_another_takes_no_step(desk: Desk, name: str) -> None:
    """Neither as the one who acts nor as the one a case is given to."""
    case_id = desk.restrict()
    before = desk.count()
    with pytest.raises(InputError):
        desk.do(case_id, act.RequestUnblock(), who=Who(name))
    with pytest.raises(InputError):
        casework.person(desk.app, name)
    assert before == desk.count()


def test_a_listed_person_in_another_composition(open_desk: Callable[..., Desk]) -> None:
    """However an accent was typed, it is the same human, with the same roles and accounts."""
    desk = open_desk(people=[{"name": "Jos\u00e9", "roles": ["lead"], "identities": ["jose@contoso.com"]}])
    person = listed(desk.app, "JOSE\u0301")

    assert person is not None
    assert ("lead",) == person.roles


def test_blanks_make_no_second_person(open_desk: Callable[..., Desk]) -> None:
    """However many stand between two names, nobody sees a difference; so they cannot confirm their own step."""
    desk = open_desk(people=[{"name": "Ana  Smith", "roles": ["analyst", "approver"]}])
    case_id = desk.restrict(who=Who("ana smith"))
    desk.fulfil(case_id)
    desk.do(case_id, act.RequestUnblock(), who=Who(" Ana Smith "))
    with pytest.raises(SamePersonError):
        desk.do(case_id, act.ApproveUnblock(), who=Who("ana   smith"))
    assert listed(desk.app, "ANA SMITH") is not None
    assert casework.person(desk.app, "ana smith") == casework.person(desk.app, "ana  smith")


def test_an_account_of_ones_own_is_oneself(open_desk: Callable[..., Desk]) -> None:
    """Whoever the settings give an account to cannot work on a case about it, whatever name the account goes by."""
    desk = open_desk(people=[{"name": "Ada Lovelace", "roles": ["lead"], "identities": ["ADA@contoso.example"]}])
    case_id = desk.restrict(ADA)
    for who in (Who("Ada Lovelace"), Who("ada@contoso.EXAMPLE")):
        with pytest.raises(SamePersonError):
            desk.do(case_id, act.AddNote(note=Private("mine")), who=who)
    assert "case:noted" == desk.do(case_id, act.AddNote(note=Private("not mine")), who=Who(EVE)).entries[0].type


def test_a_person_is_one_human_under_name_and_account(open_desk: Callable[..., Desk]) -> None:
    """Whoever records evidence by their account and approves by their name is one person, not two."""
    lead = {"name": "Ada Lovelace", "roles": ["lead"], "identities": ["ada.l@contoso.example"]}
    desk = open_desk(people=[lead, *TEAM])
    case_id = desk.restrict(EVE)
    desk.fulfil(case_id, who=Who("Ada.L@contoso.example"))
    desk.do(case_id, act.RequestUnblock())
    with pytest.raises(SamePersonError):
        desk.do(case_id, act.ApproveUnblock(), who=Who(" ada lovelace "))
    assert actor(desk, Who("ADA.L@contoso.example")).id == actor(desk, Who("Ada Lovelace")).id


def test_a_name_of_an_old_version_is_the_same_person(desk: Desk) -> None:
    """Old versions kept two blanks in a row: whoever requested as such does not approve under the name of today."""
    with desk.app.database.transaction() as tx:
        old = subjects.register(tx, "", Kind.PERSON, "ann  lee")
    assert old == actor(desk, Who("Ann  Lee")).id == actor(desk, Who("ann lee")).id
    assert old == casework.person(desk.app, "Ann Lee")
    case_id = desk.restrict(who=Who("Ann Lee"))
    desk.do(case_id, act.AssignCase(assignee=old))
    assert old == worklist.person_filter(desk.app, "ANN LEE")
    assert "nobody" == worklist.person_filter(desk.app, "zoe")
    assert {old} == {entry.actor["id"] for entry in desk.entries(case_id) if entry.type == "case:opened"}


@pytest.mark.parametrize("address", ["not@an@addr ess", "@", "a@"])
def test_a_name_with_an_at_sign_need_not_be_an_address(desk: Desk, address: str) -> None:
    """A name that only looks like an address is a name like others, without an account."""
    assert () == actor(desk, Who(address)).identities


def test_an_auditor_changes_nothing(team: Desk) -> None:
    """Reading is all an auditor does; the attempt is on the ledger."""
    case_id = team.restrict()
    with pytest.raises(NotPermittedError):
        team.do(case_id, act.AddNote(note=Private("x")), who=DAN)
    assert "action:denied" == team.types(case_id)[-1]


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        (TEAM, ["Bob (bob-phone), on call", "Cat"]),
        ([], []),
        ([{"name": "Zoe", "roles": ["lead"]}, {"name": "Ann", "roles": ["lead"]}], ["Ann", "Zoe"]),
    ],
)
def test_who_can_approve_is_named_with_a_contact(
    open_desk: Callable[..., Desk], listed: Any, expected: list[str]
) -> None:
    """With a contact where there is one; people on call come first, then the others by name."""
    app = open_desk(people=listed).app
    assert expected == [str(people.reachable(person)) for person in people.with_role(app, ["approver", "lead"])]


def test_who_can_take_a_step_is_asked_by_role(team: Desk) -> None:
    """Only those whose roles include it."""
    assert ["Cat"] == [person.name for person in people.with_role(team.app, ["lead"])]
