"""Histories and the log as people read them."""

from collections.abc import Callable

import pytest

from tests.services.desk import ADA, BOB, DAN, EVE, TEAM, Desk, Place, plain
from tests.services.test_verification import forced
from workflow.domain import actions as act
from workflow.domain.private import Private
from workflow.domain.vocabulary import EntryType, Kind
from workflow.errors import GateClosedError, NotFoundError, NotPermittedError, WrongStateError
from workflow.services import casework, history, setup, verification
from workflow.services.people import Who


def texts(desk: Desk, case_id: str) -> list[str]:
    """Return a case's history, one line each."""
    return [entry.text for entry in history.history(desk.app, case_id)]


def test_every_entry_type_has_words() -> None:
    """No entry is shown by its bare type."""
    assert set(EntryType) == set(history.WORDS)


def test_a_history_reads_like_one(desk: Desk) -> None:
    """Each entry in one line, oldest first, with names and texts put back."""
    case_id = desk.restrict()
    desk.met(case_id, "password-reset", ADA, note=Private("by telephone"))
    desk.do(case_id, act.AssignCase(assignee=casework.person(desk.app, "Zoe")))
    desk.do(case_id, act.AddNote(note=Private("a note")))
    for step in (act.RequestUnblock(), act.RejectRequest(reason=Private("x"))):
        with pytest.raises((GateClosedError, WrongStateError)):
            desk.do(case_id, step, who=BOB)
    lines = texts(desk, case_id)
    assert [
        "case opened: listed",
        f"evidence recorded: password-reset, {ADA}, by telephone, https://example.org/4711",
        "assigned: zoe",
        "note: a note",
    ] == lines[:4]
    assert lines[4].startswith("refused: request-unblock (missing snapshot-taken, ")
    assert "refused: reject (wrong state)" == lines[5]


def test_an_entry_is_plain_json_with_its_proof(desk: Desk) -> None:
    """Who, claimed or not, on whose account, with which role, and the leaf's place in the tree."""
    case_id = desk.restrict()
    (entry,) = history.history(desk.app, case_id)
    data = entry.to_data()
    assert plain(data) == data
    assert ("ann", True, casework.people.os_user().casefold()) == (entry.by, entry.claimed, entry.os_user)  # type: ignore[attr-defined]
    assert [ADA] == entry.details["identities"]
    assert "OutboundSpamLast24Hours=312" == entry.details["reported"]
    assert (entry.leaf_index is None) == (desk.app.database.dialect != "sqlite")


def test_a_history_ends_where_it_is_asked_to(desk: Desk) -> None:
    """By sequence or by time."""
    case_id = desk.released()
    whole = history.history(desk.app, case_id)
    assert whole[:3] == history.history(desk.app, case_id, "3")
    assert whole == history.history(desk.app, case_id, whole[-1].at)


def test_what_the_machine_drew_is_the_systems(desk: Desk) -> None:
    """Conclusions are nobody's: neither claimed nor by a person."""
    case_id = desk.restrict()
    desk.fulfil(case_id)
    drawn = next(entry for entry in history.history(desk.app, case_id) if entry.type == "case:verified")
    assert ("system", False, "system") == (drawn.by, drawn.claimed, drawn.role)


def test_a_bulk_approval_is_told(desk: Desk) -> None:
    """With the number of cases that were approved together."""
    case_id = desk.requested()
    desk.do(case_id, act.ApproveUnblock(bulk=12, reason=Private("wave")), who=BOB)
    assert "unblock approved, one of 12 approved together: wave" == texts(desk, case_id)[-1]


def test_a_denied_attempt_is_told(team: Desk) -> None:
    """By its action and the reason's code."""
    case_id = team.restrict()
    with pytest.raises(NotPermittedError):
        team.do(case_id, act.AddNote(note=Private("x")), who=DAN)
    assert "denied: note (not permitted)" == texts(team, case_id)[-1]


def test_the_log_shows_the_newest_of_everything(open_desk: Callable[..., Desk]) -> None:
    """Entries of all cases and of the log itself, oldest of them first."""
    desk = open_desk(people=TEAM)
    desk.restrict(ADA)
    desk.restrict(EVE, kind=Kind.USER)
    found = history.log(desk.app, 3)
    assert ["people:changed", "case:opened", "case:opened"] == [entry.type for entry in found]
    assert ["case opened: listed"] * 2 == [entry.text for entry in found[1:]]
    assert 9 == len(history.log(desk.app))
    first = history.log(desk.app)[1]
    assert first.text.startswith("playbook adopted: ")


def test_the_log_of_one_person(open_desk: Callable[..., Desk]) -> None:
    """Under the name, under an account of theirs, and what Holdfast itself concluded."""
    desk = open_desk(people=[{"name": "Ann"}, {"name": "Bob", "roles": ["lead"], "identities": ["bob@x.example"]}])
    case_id = desk.restrict()
    desk.do(case_id, act.AddNote(note=Private("x")), who=Who("bob@x.example"))
    for name in ("Bob", "bob@x.example"):
        assert ["case:noted"] == [entry.type for entry in history.log(desk.app, by=name)]
    desk.fulfil(case_id)
    assert {"system"} == {entry.by for entry in history.log(desk.app, by="System")}
    with pytest.raises(NotFoundError, match="Nobody called 'zoe'"):
        history.log(desk.app, by="zoe")


def test_the_log_is_in_the_order_of_the_tree_whatever_numbers_the_rows_have(sqlite_desk: Desk) -> None:
    """Two rows exchange their numbers: the log shows what it showed, and verification names the first of them."""
    sqlite_desk.restrict(ADA)
    sqlite_desk.restrict(EVE)
    before = [(entry.case, entry.sequence) for entry in history.log(sqlite_desk.app)]
    sqlite_desk.close()
    last = len(before)
    with forced(sqlite_desk.place) as connection:
        connection.execute("PRAGMA foreign_keys=OFF")
        for old, new in ((2, 999), (last, 2), (999, last)):
            connection.execute("UPDATE entry SET position = ? WHERE position = ?", (new, old))
            connection.execute("UPDATE leaf SET entry = ? WHERE entry = ?", (new, old))
        connection.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = 'entry'", (last,))
    desk = Desk(sqlite_desk.place)
    assert before == [(entry.case, entry.sequence) for entry in history.log(desk.app)]
    (finding,) = verification.verify(desk.app).findings
    desk.close()
    assert ("database", *before[1], 1) == (finding.kind, finding.case, finding.sequence, finding.index)


@pytest.mark.postgres
def test_the_log_ends_with_what_is_not_sealed_yet(postgres_place: Place) -> None:
    """A sealer numbers what was committed; what came after it stands behind, in the order of its rows."""
    desk = Desk(postgres_place)
    desk.restrict(ADA)
    setup.seal_now(desk.app)
    desk.restrict(EVE)
    assert ["case:opened", "case:opened"] == [entry.type for entry in history.log(desk.app, 2)]
    assert [EVE] == [entry.details["entity"] for entry in history.log(desk.app, 1)]
    desk.close()
