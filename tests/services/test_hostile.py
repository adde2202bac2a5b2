"""What a hostile or unlucky caller can hand to the services, and what happens between two processes."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.services.desk import ADA, ANN, BOB, CONNECTOR, NOT_LISTED, START, TEAM, Desk, Place, report
from workflow.domain import actions as act
from workflow.domain.private import Private
from workflow.domain.restriction import Source
from workflow.domain.vocabulary import Kind, Resolution
from workflow.errors import (
    ConflictError,
    GateClosedError,
    InputError,
    KeyMissingError,
    NotFoundError,
    SamePersonError,
    StorageError,
)
from workflow.services import audit, intake, setup, verification, views, worklist
from workflow.services.people import Who
from workflow.services.verification import Options

SURROGATE = "a\ud800"


def test_texts_of_a_command_refused_as_a_whole_are_not_kept(desk: Desk) -> None:
    """Of several actions only the refused one is recorded, so that no text stands that no entry commits to."""
    case_id = desk.restrict()
    with pytest.raises(GateClosedError):
        desk.do(case_id, act.AddNote(note=Private("first")), act.RequestUnblock(reason=Private("second")))
    assert [] == verification.verify(desk.app).findings


def test_a_refused_request_is_refused_again_under_its_key(desk: Desk) -> None:
    """Whoever repeats a refused step with its idempotency key does not take it for done."""
    case_id = desk.restrict()
    for _ in range(2):
        with pytest.raises(GateClosedError):
            desk.do(case_id, act.RequestUnblock(), request="key-1")
    assert ["case:opened", "action:refused"] == desk.types(case_id)


def test_an_idempotency_key_stands_for_one_step(desk: Desk) -> None:
    """The key of a note is not the key of an assignment."""
    case_id = desk.restrict()
    desk.do(case_id, act.AddNote(note=Private("one")), request="key-1")
    with pytest.raises(ConflictError):
        desk.do(case_id, act.AssignCase(assignee=""), request="key-1")


@pytest.mark.parametrize("key", ["ada lovelace", "x" * 65, "ada@contoso.example", "\x00"])
def test_an_idempotency_key_carries_no_text(sqlite_desk: Desk, key: str) -> None:
    """The key stands in the entry as it is, so that it may not say anything."""
    case_id = sqlite_desk.restrict()
    with pytest.raises(InputError):
        sqlite_desk.do(case_id, act.AddNote(note=Private("one")), request=key)


def test_equal_values_before_and_after_are_confirmed(desk: Desk) -> None:
    """A value that is the same before and after keeps both its commitments when it is confirmed."""
    case_id = desk.restrict()
    types = [
        desk.met(case_id, "snapshot-taken", before=Private("on"), after=Private("on")).entries[0].type for _ in range(2)
    ]
    assert ["evidence:recorded", "evidence:confirmed"] == types


def _named(desk: Desk) -> dict[str, act.Action]:
    return {
        "file": desk.evidence("snapshot-taken", attachment="a" * 64),
        "linked case": desk.evidence("snapshot-taken", linked=("ada@contoso.example",)),
        "case to link": act.LinkCase(case="ada@contoso.example"),
        "original": act.DismissCase(
            resolution=Resolution.DUPLICATE, duplicate_of="ada@contoso.example", reason=Private("twice")
        ),
        "assignee": act.AssignCase(assignee="Ada Lovelace"),
        "user": act.AddIdentity(subject="ada@contoso.example"),
        "playbook": act.MovePlaybook(playbook="ada@contoso.example"),
    }


@pytest.mark.parametrize("what", ["file", "linked case", "case to link", "original", "assignee", "user", "playbook"])
def test_nothing_is_recorded_that_is_not_there(sqlite_desk: Desk, what: str) -> None:
    """A step that names something unreal is refused before it is judged, and leaves no word in the ledger."""
    case_id = sqlite_desk.restrict()
    with pytest.raises(NotFoundError):
        sqlite_desk.do(case_id, _named(sqlite_desk)[what])
    assert ["case:opened"] == sqlite_desk.types(case_id)


def test_a_digest_seen_is_a_digest(sqlite_desk: Desk) -> None:
    """What a face says it showed is no place for free text either."""
    case_id = sqlite_desk.restrict()
    with pytest.raises(InputError):
        sqlite_desk.do(case_id, act.RequestUnblock(seen_digest="ada@contoso.example"))


def test_steps_during_verification_raise_no_alarm(desk: Desk) -> None:
    """Checkpoints that others append while the ledger is being read are not held against what was read."""
    case_id = desk.restrict()
    other = desk.again()

    def meanwhile(_done: int, _total: int) -> None:
        other.do(case_id, act.AddNote(note=Private("meanwhile")))
        setup.seal_now(other.app)

    found = verification.verify(desk.app, Options(progress=meanwhile))
    other.close()
    assert [] == found.findings
    assert "case:noted" == desk.types(case_id)[-1]


def test_a_second_machine_does_not_set_up_the_same_database(place: Place, tmp_path: Path) -> None:
    """The ledger of a database stays the only one, whatever folders the second ``init`` has."""
    desk = Desk(place)
    before = desk.bodies()
    with pytest.raises(StorageError):
        Place(tmp_path / "elsewhere", place.url).set_up()
    assert before == desk.bodies()
    assert verification.verify(desk.app).ok
    assert not (tmp_path / "elsewhere" / "signing.key").exists()
    desk.close()


def test_a_sequence_of_many_digits_is_no_accident(sqlite_desk: Desk) -> None:
    """A number that Python refuses to read is read as a large one, which no case has."""
    case_id = sqlite_desk.restrict()
    with pytest.raises(NotFoundError, match="The case has 1 entry, and none numbered 999999999999"):
        views.case_view(sqlite_desk.app, case_id, "9" * 5000)


def test_a_damaged_export_is_refused(sqlite_desk: Desk, tmp_path: Path) -> None:
    """A line that is no JSON is an input error, not an accident."""
    path = tmp_path / "export.jsonl"
    audit.export(sqlite_desk.app, path)
    path.write_text(path.read_text().replace('"', "'", 1))
    with pytest.raises(InputError):
        audit.verify_export(path, audit.public_key(sqlite_desk.app), START)


@pytest.mark.parametrize(
    "key",
    [
        ["detected", 10**30, "x"],
        ["detected", SURROGATE, "x"],
        ["detected", "2026", "\x00"],
        ["detected", "2026", 1],
        ["detected", None, "x"],
        [1, 2, 3],
        [1, 2],
        7,
    ],
)
def test_a_page_key_that_no_page_gave_is_refused(desk: Desk, key: Any) -> None:
    """Whatever stands in a forged key, it is an input error on both databases."""
    desk.restrict()
    sort = "number" if isinstance(key, list) and isinstance(key[1], int) else "opened_at"
    with pytest.raises(InputError):
        worklist.worklist_page(desk.app, worklist.Filters(), sort, after=worklist._text_key(key))


@pytest.mark.parametrize("after", ["???", "é", "AAAA", "W1tbW1s"])
def test_a_page_key_that_is_no_key_is_refused(sqlite_desk: Desk, after: str) -> None:
    """Text that is no base64 or no JSON is an input error."""
    with pytest.raises(InputError):
        worklist.worklist_page(sqlite_desk.app, worklist.Filters(), after=after)


@pytest.mark.parametrize("name", ["tenant", "kind", "missing", "assignee", "resolution"])
@pytest.mark.parametrize("text", [SURROGATE, "a\x00"])
def test_filters_are_text(sqlite_desk: Desk, name: str, text: str) -> None:
    """A filter with bytes that are no text is an input error."""
    given: dict[str, Any] = {name: text}
    with pytest.raises(InputError):
        worklist.worklist_page(sqlite_desk.app, worklist.Filters(**given))


@pytest.mark.parametrize("tenant", [SURROGATE, "a\x00"])
def test_a_tenant_is_text(sqlite_desk: Desk, tenant: str) -> None:
    """A tenant that cannot be stored is refused before anything is taken in, from a file and by hand."""
    with pytest.raises(InputError):
        sqlite_desk.take(report(), tenant=tenant)
    with pytest.raises(InputError):
        intake.open_by_hand(sqlite_desk.app, ANN, report(), tenant=tenant)


def test_people_that_could_not_be_written_are_written_later(open_desk: Callable[..., Desk]) -> None:
    """A first step that failed does not let the next one pass without the changed people on the ledger."""
    desk = open_desk(people=TEAM)
    key = desk.place.home / "signing.key"
    key.rename(key.with_suffix(".away"))
    with pytest.raises(KeyMissingError):
        desk.restrict()
    key.with_suffix(".away").rename(key)
    desk.restrict()
    assert "people:changed" in desk.types()


def test_a_reported_case_about_oneself_is_refused_and_recorded(desk: Desk) -> None:
    """What an import is refused for on a case that exists stands in that case's history (R9)."""
    case_id = desk.restrict(ADA)
    later = desk.clock.now
    desk.clock.move()
    (taken,) = desk.take(report(ADA, source=Source.ALERT, restricted_at=later), who=Who(ADA))
    assert "broken" == taken.outcome
    assert ["case:opened", "action:refused"] == desk.types(case_id)
    assert verification.verify(desk.app).ok


def test_a_case_reported_by_hand_about_oneself_is_refused_and_recorded(desk: Desk) -> None:
    """By hand the refusal is raised as well, after it was recorded."""
    case_id = desk.restrict(ADA)
    with pytest.raises(SamePersonError):
        intake.open_by_hand(desk.app, Who(ADA), report(ADA, source=Source.PORTAL, restricted_at=None))
    assert ["case:opened", "action:refused"] == desk.types(case_id)


def test_a_removal_before_the_approval_counts_as_outside(desk: Desk) -> None:
    """Somebody who ran the removal before it was approved did not carry out the approved unblock."""
    case_id = desk.requested()
    removed = desk.clock.move()
    desk.do(case_id, act.ApproveUnblock(), who=BOB)
    desk.do(case_id, act.IntendUnblock())
    delisting = report(
        status=NOT_LISTED,
        source=Source.AUDIT_LOG,
        restricted_at=None,
        observed_at=removed,
        lifted_at=removed,
        lifted_by="mallory@contoso.example",
    )
    desk.clock.move()
    assert "observed" == desk.take(delisting)[0].outcome
    assert Resolution.UNBLOCKED_OUTSIDE is desk.case(case_id).resolution
    assert verification.verify(desk.app).ok


def _forget_playbook(place: Place, name: str) -> None:
    """Make the ledger one of a product that did not ship this playbook yet; guards are put back."""
    connection = sqlite3.connect(place.home / "holdfast.db")
    guards = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'playbook'")
    triggers = guards.fetchall()
    for trigger, _ in triggers:
        connection.execute(f"DROP TRIGGER {trigger}")
    connection.execute("DELETE FROM playbook WHERE name = ?", (name,))
    for _, text in triggers:
        connection.execute(text)
    connection.commit()
    connection.close()


def test_a_playbook_is_only_adopted_once_its_commit_stands(sqlite_place: Place) -> None:
    """After a batch that failed as a whole, the next case still finds its playbook in the database."""
    _forget_playbook(sqlite_place, "blocked-connector")
    desk = Desk(sqlite_place)
    unreadable = report(identifier=None)
    with pytest.raises(AttributeError):
        desk.take(report(CONNECTOR, kind=Kind.CONNECTOR), unreadable)
    desk.restrict(CONNECTOR, kind=Kind.CONNECTOR)
    found = verification.verify(desk.app)
    desk.close()
    assert [] == found.findings
