"""The worklist: filters, sorting, paging, and what is late or overdue now."""

import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.services.conftest import DIALECTS
from tests.services.desk import ADA, BOB, CONNECTOR, EVE, HOUR, MINUTE, START, Desk, plain, report
from workflow.domain import actions as act
from workflow.domain.private import Private
from workflow.domain.vocabulary import Kind, Phase, Resolution, State
from workflow.errors import InputError
from workflow.services import casework, verification, views, wave, worklist
from workflow.services.worklist import Filters, Page


def page(desk: Desk, *, sort: str = "number", limit: int = 50, after: str = "", **filters: Any) -> Page:
    """Return one page."""
    return worklist.worklist_page(desk.app, Filters(**filters), sort, limit, after)


def numbers(desk: Desk, **given: Any) -> list[int]:
    """Return the numbers of the cases on a page."""
    return [row.number for row in page(desk, **given).rows]


@pytest.fixture(scope="module", params=DIALECTS)
def full(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk to look at for the whole module, whatever the environment says."""
    home = tmp_path_factory.mktemp("full")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("HOLDFAST_")]:
            patch.delenv(name)
        patch.setenv("HOLDFAST_HOME", str(home))
        if request.param == "sqlite":
            place = request.getfixturevalue("sqlite_ledger").copy(home)
        else:
            ledger, server = request.getfixturevalue("postgres_ledger"), request.getfixturevalue("postgres_server")
            place = ledger.copy(home, server.create_database(ledger.url))
        desk = Desk(place)
        yield _filled(desk)
        desk.close()


def _filled(desk: Desk) -> Desk:
    """Open five cases: released, contained user, connector, assigned mailbox, dismissed one."""
    desk.released(ADA)
    user = desk.restrict(EVE, kind=Kind.USER)
    desk.do(user, *desk.every(user, Phase.CONTAIN))
    desk.restrict(CONNECTOR, kind=Kind.CONNECTOR)
    assigned = desk.restrict("newsletter@contoso.example")
    desk.do(assigned, act.AssignCase(assignee=casework.person(desk.app, "Zoe")), act.LabelCase(add=("wave-1", "vip")))
    desk.do(user, act.LabelCase(add=("wave-1",)))
    dismissed = desk.restrict("test@contoso.example")
    desk.do(dismissed, desk.gone())
    desk.do(dismissed, act.DismissCase(resolution=Resolution.FALSE_POSITIVE, reason=Private("a test")))
    desk.do(dismissed, act.ConfirmProposal(proposal="dismissal"), who=BOB)
    return desk


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, [1, 2, 3, 4]),
        ({"states": (State.RELEASED, State.DISMISSED)}, [1, 5]),
        ({"kind": "connector"}, [3]),
        ({"missing": "password-reset"}, [4]),
        ({"labels": ("wave-1",)}, [2, 4]),
        ({"labels": ("wave-1", "vip")}, [4]),
        ({"labels": ("wave",)}, []),
        ({"text": "CONTOSO"}, [1, 2, 4]),
        ({"text": "newsl"}, [4]),
        ({"text": "nobody-at-all"}, []),
        ({"states": tuple(State), "resolution": "false_positive"}, [5]),
        ({"tenant": "default"}, [1, 2, 3, 4]),
        ({"tenant": "elsewhere"}, []),
        ({"assignee": ""}, [1, 2, 3]),
    ],
)
def test_filters_narrow_the_list(full: Desk, filters: dict[str, Any], expected: list[int]) -> None:
    """Open cases without a filter; each filter names those that fit."""
    assert expected == numbers(full, **filters)


def test_an_assignee_is_filtered_by_name(full: Desk) -> None:
    """In any case of letters; a name that nobody used has no cases."""
    assert [4] == numbers(full, assignee=worklist.person_filter(full.app, "ZOE"))
    assert [] == numbers(full, assignee=worklist.person_filter(full.app, "Nobody Here"))


def test_times_are_filtered_half_open(full: Desk) -> None:
    """From a time on, and before another."""
    opened = [row.opened_at for row in page(full).rows]
    second = full.case(casework.find(full.app, "2")).opened_at
    assert sorted(str(time) for time in opened) == opened
    assert [1] == numbers(full, opened_until=second)
    assert [2, 3, 4] == numbers(full, opened_from=second)
    assert [1] == numbers(full, released_from=START, released_until=full.clock.now)


@pytest.mark.parametrize("sort", ["number", "-number", "opened_at", "-opened_at", "updated_at", "-state", "state"])
def test_pages_continue_each_other(full: Desk, sort: str) -> None:
    """Two at a time, every case appears once and in the order of the whole list."""
    whole = numbers(full, sort=sort, states=tuple(State))
    found: list[int] = []
    after = ""
    for _ in range(3):
        part = page(full, sort=sort, states=tuple(State), limit=2, after=after)
        found += [row.number for row in part.rows]
        after = part.next
    assert ("", whole, 5) == (after, found, len(set(whole)))


@pytest.mark.parametrize("given", [{"sort": "entity"}, {"limit": 0}, {"limit": 501}, {"sort": ""}])
def test_a_wrong_page_is_refused(sqlite_desk: Desk, given: dict[str, Any]) -> None:
    """An unknown field and a limit outside 1 to 500."""
    with pytest.raises(InputError):
        page(sqlite_desk, **given)


def test_a_row_is_plain_json_with_names_put_back(full: Desk) -> None:
    """Names of mailboxes and people, times as text, and the count of every state."""
    found = page(full)
    row = found.rows[3]
    assert plain(row.to_data()) == row.to_data()
    assert ("newsletter@contoso.example", "zoe", "detected", None) == (
        row.entity,
        row.assignee,
        row.state,
        row.resolution,
    )
    assert {"released": 1, "contained": 1, "detected": 2, "dismissed": 1} == {
        state: count for state, count in found.counts.items() if count
    }


def test_an_unblock_is_late_and_overdue_as_of_now(desk: Desk) -> None:
    """The list says so without anybody having written it."""
    case_id = desk.approved()
    desk.do(case_id, act.IntendUnblock())
    seen = []
    for span in (30 * MINUTE, HOUR, 24 * HOUR):
        desk.clock.move(span)
        (row,) = page(desk, due_until=desk.clock.now + 30 * MINUTE).rows
        seen.append((row.late, row.overdue, row.overdue_seconds, row.due))
    assert [
        (False, False, 0, "confirm-release"),
        (True, False, 1800, "confirm-release"),
        (True, True, 5400, "confirm-release"),
    ] == seen


def test_a_hundred_cases_are_paged_through(sqlite_desk: Desk) -> None:
    """Equal times do not lose or repeat a case at the edge of a page."""
    sqlite_desk.take(*(report(f"user{number}@contoso.example") for number in range(100)))
    found: list[int] = []
    after, pages = "", 0
    while pages == 0 or after:
        part = page(sqlite_desk, sort="-updated_at", limit=30, after=after)
        found += [row.number for row in part.rows]
        after, pages = part.next, pages + 1
    assert (4, list(range(1, 101))) == (pages, sorted(found))


def test_a_page_of_another_sort_does_not_continue(full: Desk) -> None:
    """A key belongs to the sort that gave it."""
    key = page(full, sort="number", limit=1).next
    with pytest.raises(InputError):
        page(full, sort="opened_at", after=key)


def test_a_prerequisite_that_nobody_knows_is_refused(sqlite_desk: Desk) -> None:
    """A slip of the pen would otherwise read as good news: no case lacks it."""
    with pytest.raises(InputError, match=r"'pasword-reset'\. Was password-reset meant"):
        page(sqlite_desk, missing="pasword-reset")
    for wanted in ("zzz", "x" * 1000):
        with pytest.raises(InputError, match="playbook show"):
            page(sqlite_desk, missing=wanted)


def test_readings_that_grow_old_during_an_unblock_are_not_missing(desk: Desk) -> None:
    """The list says what the case's own view says: freshness froze with the intent, not what was withdrawn."""
    case_id = desk.approved()
    desk.do(case_id, act.IntendUnblock())
    desk.clock.move(25 * HOUR)
    desk.do(case_id, act.AddNote(note=Private("still listed")))
    assert ([], []) == (page(desk).rows[0].missing, views.case_view(desk.app, case_id).missing)
    reset = next(name for name, _ in desk.case(case_id).evidence if name == "password-reset")
    about = next(about for name, about in desk.case(case_id).evidence if name == reset)
    desk.do(case_id, act.RetractEvidence(prerequisite=reset, about=about, reason=Private("another account")))
    assert (["password-reset"],) * 2 == (page(desk).rows[0].missing, views.case_view(desk.app, case_id).missing)
    assert [] == verification.verify(desk.app).findings


def _ran_out(desk: Desk) -> list[str]:
    """Let an approval and readings run out in three cases, and open a fourth; nothing is written about it."""
    cases = [desk.approved(), desk.requested(EVE)]
    user = desk.restrict("zoe@contoso.example", kind=Kind.USER)
    desk.do(user, *desk.every(user, Phase.CONTAIN))
    under_way = desk.approved("under-way@contoso.example")
    desk.do(under_way, act.IntendUnblock())
    desk.clock.move(25 * HOUR)
    return [*cases, user, under_way, desk.restrict("new@contoso.example")]


def test_what_ran_out_since_is_listed_as_the_case_itself_shows_it(desk: Desk) -> None:
    """State, what is missing and what is due; the filters and the counts go by the same, and nothing is written."""
    ids = _ran_out(desk)
    written = desk.count()
    found = page(desk)
    names = ("state", "missing", "due_at", "due", "requested_at", "intended_at", "updated_at", "version", "late")
    shown = [views.case_view(desk.app, case_id).to_data() for case_id in ids]
    assert [{name: item[name] for name in names} for item in shown] == [
        {name: row.to_data()[name] for name in names} for row in found.rows
    ]
    assert {"unblock_requested": 1, "detected": 4} == {state: count for state, count in found.counts.items() if count}
    assert [] == numbers(desk, states=(State.CONTAINED,))
    assert [1, 2, 3, 5] == numbers(desk, states=(State.DETECTED,))
    assert [4] == numbers(desk, states=(State.UNBLOCK_REQUESTED, State.VERIFIED))
    assert [1, 2, 3, 5] == numbers(desk, missing="forwarding-reviewed")
    assert [1] == numbers(desk, text="ada@")
    assert [4] == numbers(desk, due_until=desk.clock.now)
    fitting = wave.fitting(desk.app, Filters(states=(State.DETECTED,)))
    assert [1, 2, 3, 5] == [item.case.number for item in fitting if item.case]
    assert (written, False) == (desk.count(), found.lagging)


@pytest.mark.parametrize("sort", ["number", "-due_at", "due_at", "-updated_at", "state", "-state", "urgent", "-urgent"])
def test_pages_of_what_ran_out_continue_each_other(sqlite_desk: Desk, sort: str) -> None:
    """One at a time, every case appears once and in the order of the whole list."""
    _ran_out(sqlite_desk)
    whole = numbers(sqlite_desk, sort=sort)
    found: list[int] = []
    after = ""
    for _ in whole:
        part = page(sqlite_desk, sort=sort, limit=1, after=after)
        found += [row.number for row in part.rows]
        after = part.next
    assert ("", whole, [1, 2, 3, 4, 5]) == (after, found, sorted(whole))


def test_so_many_are_settled_for_a_page_and_no_more(sqlite_desk: Desk) -> None:
    """Those in which something ran out last; whoever lists them is told that there are more."""
    _ran_out(sqlite_desk)
    with sqlite_desk.app.database.reading() as tx:
        some, more = worklist.redrawn(sqlite_desk.app, tx, sqlite_desk.clock.now, 2)
        whole, none = worklist.redrawn(sqlite_desk.app, tx, sqlite_desk.clock.now, 4)
    assert ([2, 3], True) == (sorted(item.number for item in some.values()), more)
    assert ([1, 2, 3], False) == (sorted(item.number for item in whole.values()), none)


def test_what_a_case_waits_for(desk: Desk) -> None:
    """The list says it as the case's own view does, from the first answer to the end."""
    stale = desk.approved(EVE)
    desk.clock.move(25 * HOUR)
    under_way, verified, ended = (desk.approved(f"{name}@contoso.example") for name in ("cat", "dan", "eli"))
    desk.do(under_way, act.IntendUnblock())
    for case_id in (verified, ended):
        desk.do(case_id, desk.gone())
    desk.do(ended, act.DismissCase(resolution=Resolution.FALSE_POSITIVE, reason=Private("a test")))
    desk.do(ended, act.ConfirmProposal(proposal="dismissal"), who=BOB)
    expected = {
        desk.requested(): "approver",
        desk.approved("bob@contoso.example"): "unblock",
        desk.released("fay@contoso.example"): "end-of-watch",
        stale: "answers",
        under_way: "confirmation",
        verified: "close",
        ended: "",
    }
    asked = desk.restrict("gus@contoso.example")
    desk.fulfil(asked)
    expected[asked] = "request"
    rows = {row.id: row.waits_for for row in page(desk, states=tuple(State)).rows}
    assert expected == rows
    assert expected == {case_id: views.case_view(desk.app, case_id).waits_for for case_id in rows}
