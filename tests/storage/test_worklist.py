"""Pages, counts and search."""

from datetime import timedelta

import pytest

from tests.storage.ledgers import NOW, TENANT, Ledger
from workflow.domain.vocabulary import State
from workflow.errors import InputError
from workflow.storage import worklist
from workflow.storage.worklist import Filters, Key

ADDRESSES = ("ada@contoso.com", "bob_b@contoso.com", "cy%d@fabrikam.com", "dee'e@contoso.com", 'eve"e@strasse.de')


@pytest.fixture
def filled(ledger: Ledger) -> Ledger:
    """Nine cases: some due, one assigned, the last ones released, closed and dismissed."""
    for index, address in enumerate(ADDRESSES):
        due = NOW - timedelta(hours=index) if index % 2 else None
        ledger.open(f"case_{index}", address, due_at=due, assignee="sub_9" if index == 1 else "")
    ledger.open(
        "case_5", "fay@contoso.com", state="contained", missing=("mfa-enabled-for-all",), labels=("a", "wave-1")
    )
    ledger.open("case_6", "gus@contoso.com", state="released", released_at=NOW, resolution="released")
    ledger.open("case_7", "hal@contoso.com", state="closed", resolution="duplicate")
    ledger.open("case_8", "ida@contoso.com", state="dismissed", kind="user")
    return ledger


def numbers(ledger: Ledger, filters: Filters, sort: str = "number", *, descending: bool = False) -> list[int]:
    """The numbers of every page, two cases at a time."""
    found: list[int] = []
    after: Key | None = None
    with ledger.database.reading() as tx:
        while True:
            page = worklist.page(tx, filters, sort, descending=descending, limit=2, after=after)
            found += [case.number for case in page.cases]
            after = page.after
            if after is None:
                return found


EVERY = tuple(State)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(), [1, 2, 3, 4, 5, 6, 7]),
        (Filters(states=EVERY), [1, 2, 3, 4, 5, 6, 7, 8, 9]),
        (Filters(states=(State.CLOSED, State.CLOSED, State.DISMISSED)), [8, 9]),
        (Filters(tenant="fabrikam"), []),
        (Filters(tenant=TENANT, states=(State.CONTAINED,)), [6]),
        (Filters(kind="user", states=EVERY), [9]),
        (Filters(missing="mfa-enabled"), [1, 2, 3, 4, 5, 7]),
        (Filters(missing="mfa-enabled-for-all"), [6]),
        (Filters(missing="mfa"), []),
        (Filters(labels=("wave-1",)), [6]),
        (Filters(labels=("wave-1", "a")), [6]),
        (Filters(labels=("wave-1", "b")), []),
        (Filters(labels=("wave",)), []),
        (Filters(assignee="sub_9"), [2]),
        (Filters(assignee="", states=(State.DETECTED,)), [1, 3, 4, 5]),
        (Filters(resolution="duplicate", states=EVERY), [8]),
        (Filters(due_until=NOW - timedelta(hours=2)), [4]),
        (Filters(opened_from=NOW + timedelta(minutes=2), opened_until=NOW + timedelta(minutes=4)), [2, 3]),
        (Filters(released_from=NOW, released_until=NOW + timedelta(seconds=1)), [7]),
        (Filters(text="CONTOSO.com"), [1, 2, 4, 6, 7]),
        (Filters(text="b_b"), [2]),
        (Filters(text="_"), [2]),
        (Filters(text="y%d"), [3]),
        (Filters(text="%"), [3]),
        (Filters(text="e'e@"), [4]),
        (Filters(text="'"), [4]),
        (Filters(text='e"e@'), [5]),
        (Filters(text="Straße"), [5]),
        (Filters(text="nobody"), []),
        (Filters(text="zz"), []),
        (Filters(text="' OR 1=1 --"), []),
        (Filters(text='" OR identifier:a'), []),
        (Filters(text="a\x00b"), []),
        (Filters(text="\ud800"), []),
    ],
)
def test_filters_narrow_the_page(filled: Ledger, filters: Filters, expected: list[int]) -> None:
    """Each filter shows exactly its cases; nothing that is typed has a meaning beyond itself."""
    assert expected == numbers(filled, filters)


@pytest.mark.parametrize(
    ("sort", "descending", "expected"),
    [
        ("number", False, [1, 2, 3, 4, 5, 6, 7, 8, 9]),
        ("number", True, [9, 8, 7, 6, 5, 4, 3, 2, 1]),
        ("opened_at", True, [9, 8, 7, 6, 5, 4, 3, 2, 1]),
        ("updated_at", False, [1, 2, 3, 4, 5, 6, 7, 8, 9]),
        ("due_at", False, [4, 2, 1, 3, 5, 6, 7, 8, 9]),
        ("state", False, [8, 6, 1, 2, 3, 4, 5, 9, 7]),
        ("state", True, [7, 9, 5, 4, 3, 2, 1, 6, 8]),
    ],
)
def test_pages_follow_each_other(filled: Ledger, sort: str, descending: bool, expected: list[int]) -> None:  # noqa: FBT001
    """Walking by key shows every case once, in order, nothing due sorted last."""
    assert expected == numbers(filled, Filters(states=EVERY), sort, descending=descending)


def test_what_is_urgent_comes_first(filled: Ledger) -> None:
    """Unblocks under way, requested ones, the rest as it falls due; of what has ended the newest first."""
    hours = [NOW + timedelta(hours=hour) for hour in range(5)]
    for number, (due, intended) in enumerate([(4, None), (3, hours[2]), (2, hours[1]), (0, None)], start=9):
        fields = {"state": "unblock_requested", "due_at": hours[due], "intended_at": intended}
        filled.open(f"case_{number}", f"u{number}@contoso.com", **fields)

    order = [12, 11, 13, 10, 4, 2, 1, 3, 5, 6, 7, 9, 8]
    assert order == numbers(filled, Filters(states=EVERY), "urgent")
    assert order[::-1] == numbers(filled, Filters(states=EVERY), "urgent", descending=True)


def test_a_page_of_no_state_has_no_next(ledger: Ledger) -> None:
    """What has ended lacks nothing, so there is no page that another could continue."""
    filters = Filters(states=(State.CLOSED,), missing="mfa-enabled")
    with ledger.database.reading() as tx:
        assert () == worklist.page(tx, filters, "state").cases
        with pytest.raises(InputError):
            worklist.page(tx, filters, "state", after=("closed", 1, "case_1"))


def test_the_last_page_says_so(filled: Ledger) -> None:
    """A full page that is the last one has no key to continue from."""
    with filled.database.reading() as tx:
        assert worklist.page(tx, Filters(states=(State.CLOSED,)), limit=1).after is None


def test_what_is_due_comes_first(filled: Ledger) -> None:
    """The worker sees the longest waiting case first, and nothing that can wait."""
    with filled.database.reading() as tx:
        assert [4, 2] == [case.number for case in worklist.due(tx, NOW)]


def test_every_state_is_counted(filled: Ledger) -> None:
    """Counts name every state, empty ones too."""
    with filled.database.reading() as tx:
        counts = worklist.counts(tx)

    assert {"detected": 5, "contained": 1, "released": 1, "closed": 1, "dismissed": 1} == {
        state.value: count for state, count in counts.items() if count
    }
    assert set(State) == set(counts)


@pytest.mark.parametrize(
    ("sort", "limit", "after"),
    [
        ("entity", 50, None),
        ("number", 0, None),
        ("number", 501, None),
        ("number", 50, ("detected", "x", "case_1")),
        ("due_at", 50, ("detected", 1, "case_1")),
        ("due_at", 50, ("detected", "x")),
    ],
)
def test_impossible_pages_are_refused(ledger: Ledger, sort: str, limit: int, after: Key) -> None:
    """Unknown sorts, limits and keys are the asker's mistake, and say so."""
    with ledger.database.reading() as tx, pytest.raises(InputError):
        worklist.page(tx, Filters(), sort, limit=limit, after=after)


def test_search_does_without_its_index(sqlite_ledger: Ledger) -> None:
    """Without the full-text index a search scans and finds the same."""
    for index, address in enumerate(ADDRESSES):
        sqlite_ledger.open(f"case_{index}", address)
    sqlite_ledger.without_search()

    assert [3] == numbers(sqlite_ledger, Filters(text="y%d"))


def test_a_search_with_many_matches_is_tested_case_by_case(ledger: Ledger) -> None:
    """More subjects than can be named still give the right page."""
    wanted = ledger.open("case_1", "ada@contoso.com")
    with ledger.database.transaction() as tx:
        tx.write_all(
            "INSERT INTO subject (id, salt, tenant, kind, identifier) VALUES (?, ?, ?, 'mailbox', ?)",
            [(f"sub_{index}", bytes(32), TENANT, f"user{index}@contoso.com") for index in range(600)],
        )

    assert [wanted.number] == numbers(ledger, Filters(text="contoso"))


def test_a_tenant_that_an_old_version_kept_in_capitals(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is found by the name as it is typed today, and by its own."""
    monkeypatch.setattr("tests.storage.ledgers.TENANT", "Fabrikam")
    ledger.open()
    for name, expected in (("fabrikam", [1]), ("Fabrikam", [1]), ("contoso", [])):
        assert expected == numbers(ledger, Filters(tenant=name))
