"""Locking, loading, finding."""

import threading

import pytest

from tests.storage.ledgers import TENANT, Ledger, moved, noted
from workflow.domain.vocabulary import Kind
from workflow.errors import DatabaseBusyError, NotFoundError
from workflow.storage import cases, entries, playbooks, subjects
from workflow.storage.cases import FoldCache


def test_an_unknown_case_is_not_found(ledger: Ledger) -> None:
    """Loading what is not there says so."""
    with ledger.database.reading() as tx:
        with pytest.raises(NotFoundError):
            cases.load(tx, "case_404", FoldCache())
        assert ("", 0) == cases.head(tx, "case_404")


def test_a_cached_case_is_carried_forward(ledger: Ledger) -> None:
    """A cached fold plus newer entries equals folding everything."""
    cache = FoldCache()
    picture = ledger.open()
    for _ in range(3):
        with ledger.database.reading() as tx:
            assert cases.load(tx, picture.id) == cases.load(tx, picture.id, cache)
        with ledger.database.reading() as tx:
            assert cases.load(tx, picture.id) == cases.load(tx, picture.id, cache)
        picture = ledger.step(picture, noted(), moved())


def test_a_cached_case_that_the_database_contradicts_is_forgotten(ledger: Ledger) -> None:
    """The head of a cached case must be the stored entry's hash, or everything is folded again."""
    cache = FoldCache()
    picture = ledger.open()
    with ledger.database.reading() as tx:
        case = cases.load(tx, picture.id)
        case.head = "0" * 64
        case.assignee = "somebody else"
        cache.keep(tx, case)

    with ledger.database.reading() as tx:
        assert "" == cases.load(tx, picture.id, cache).assignee


def test_many_cases_are_loaded_as_each_is(ledger: Ledger) -> None:
    """Cases that are cached, changed since, cached wrongly or unknown: each is what loading it alone gives."""
    cache = FoldCache()
    pictures = [ledger.open(f"case_{number}", f"ada{number}@contoso.com") for number in range(4)]
    with ledger.database.reading() as tx:
        for picture in pictures[1:]:
            cases.load(tx, picture.id, cache)
        false = cases.load(tx, "case_3")
        false.head = "0" * 64
        cache.keep(tx, false)
    ledger.step(pictures[0], noted())
    ledger.step(pictures[2], noted(), moved())

    with ledger.database.reading() as tx:
        wanted = [picture.id for picture in pictures]
        expected = {case_id: cases.load(tx, case_id) for case_id in wanted}
        assert expected == cases.load_many(tx, [*wanted, "case_404"], cache)
        assert {} == cases.load_many(tx, [], cache)


def test_a_fold_is_cached_only_once_its_transaction_stands(ledger: Ledger) -> None:
    """What was loaded in a transaction that fails is not remembered."""
    cache = FoldCache()
    picture = ledger.open()

    def fail() -> None:
        with ledger.database.transaction() as tx:
            ledger.append(tx, picture.id, [noted()])
            cases.load(tx, picture.id, cache)
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        fail()

    assert cache.get(picture.id) is None


def test_the_least_recently_used_case_is_forgotten(ledger: Ledger) -> None:
    """The cache is bounded."""
    cache = FoldCache(size=1)
    for number in (1, 2):
        ledger.open(f"case_{number}", f"ada{number}@contoso.com")
        with ledger.database.reading() as tx:
            cases.load(tx, f"case_{number}", cache)

    assert cache.get("case_1") is None
    assert cache.get("case_2") is not None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("#2", [2]),
        ("2", [2]),
        ("99", []),
        ("9" * 40, []),
        ("case_000b", [2]),
        ("000B", [2]),
        ("00", []),
        ("Ada@Contoso.com", [1]),
        ("%", []),
        ("case%", []),
        ("a\x00b", []),
        ("\ud800", []),
        ("' OR 1=1 --", []),
    ],
)
def test_a_case_is_found_by_what_people_type(ledger: Ledger, text: str, expected: list[int]) -> None:
    """Number, id, the end of an id and the identifier find a case; wildcards and quotes mean nothing."""
    ledger.open("case_000a", "ada@contoso.com")
    ledger.open("case_000b", "bob@contoso.com")

    with ledger.database.reading() as tx:
        assert expected == [item.number for item in cases.find(tx, text)]


def test_cases_of_an_entity(ledger: Ledger) -> None:
    """The open case and the latest case of an entity are told apart."""
    closed = ledger.open("case_1", state="closed")
    newer = ledger.open("case_2")

    with ledger.database.reading() as tx:
        assert newer == cases.open_case_of(tx, TENANT, "mailbox", closed.entity)
        assert newer == cases.latest_case_of(tx, TENANT, "mailbox", closed.entity)
        assert cases.open_case_of(tx, TENANT, "user", closed.entity) is None
        assert ["case_1", "case_2"] == cases.ids(tx)
        assert 3 == cases.next_number(tx)
        assert cases.by_number(tx, 0) is None


def test_a_locked_case_keeps_other_writers_waiting(ledger: Ledger) -> None:
    """Whoever locks a case second waits, and says so when it takes too long."""
    picture = ledger.open()
    waiting = []

    def second() -> None:
        try:
            with ledger.database.transaction() as other:
                cases.lock(other, [picture.id, "case_404"])
        except DatabaseBusyError as error:
            waiting.append(error)

    with ledger.database.transaction() as tx:
        cases.lock(tx, [picture.id])
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()

    assert 1 == len(waiting)


def test_locking_nothing_is_allowed(ledger: Ledger) -> None:
    """No ids, no lock; the log has a lock of its own."""
    with ledger.database.transaction() as tx:
        cases.lock(tx, [])
        cases.lock_log(tx)


def test_a_subject_keeps_its_id(ledger: Ledger) -> None:
    """Registering twice gives one id; kind and tenant tell subjects apart."""
    with ledger.database.transaction() as tx:
        first = subjects.register(tx, TENANT, Kind.MAILBOX, "ada@contoso.com")
        other = subjects.register(tx, TENANT, Kind.USER, "ada@contoso.com")

        assert first == subjects.register(tx, TENANT, Kind.MAILBOX, "ada@contoso.com")
        assert first == subjects.find(tx, TENANT, Kind.MAILBOX, "ada@contoso.com")
        assert subjects.find(tx, "fabrikam", Kind.MAILBOX, "ada@contoso.com") is None
        found = subjects.names(tx, [first, other, "sub_404"])
    assert {first: Kind.MAILBOX, other: Kind.USER} == {key: value.kind for key, value in found.items()}


def test_a_playbook_is_adopted_once(ledger: Ledger) -> None:
    """A version is stored by its digest, once, and read back as it was."""
    with ledger.database.transaction() as tx:
        assert playbooks.adopt(tx, "restricted-user", "1", "d" * 64, "{}")
        assert not playbooks.adopt(tx, "restricted-user", "1", "d" * 64, "{}")

    with ledger.database.reading() as tx:
        assert [playbooks.get(tx, "d" * 64)] == playbooks.every(tx)
        with pytest.raises(NotFoundError):
            playbooks.get(tx, "e" * 64)


def test_namesakes_are_found_across_tenants(ledger: Ledger) -> None:
    """Mailboxes and users of any tenant with an address are the same person's; connectors and people are not."""
    with ledger.database.transaction() as tx:
        found = {
            (tenant, kind): subjects.register(tx, tenant, kind, "ada@contoso.com")
            for tenant in ("contoso", "fabrikam")
            for kind in (Kind.MAILBOX, Kind.PERSON)
        }

        expected = sorted(key for (_, kind), key in found.items() if kind is Kind.MAILBOX)
        assert expected == list(subjects.alike(tx, ["ada@contoso.com", "bob@contoso.com"]))
        assert () == subjects.alike(tx, [])


def test_the_newest_entries_come_in_the_order_of_writing(ledger: Ledger) -> None:
    """Across all cases, the last ones written, oldest of them first."""
    first = ledger.open()
    ledger.open("case_2", "bob@contoso.com")
    ledger.step(first, noted())

    with ledger.database.reading() as tx:
        assert [("case_2", 1), ("case_1", 2)] == [(item.case, item.sequence) for item in entries.newest(tx, 2)]
        assert [] == entries.rows_without(tx)


def test_a_case_is_carried_forward_by_what_was_written(ledger: Ledger) -> None:
    """Folding the new entries onto the old case equals loading, and is cached once it stands."""
    cache = FoldCache()
    picture = ledger.open()
    with ledger.database.transaction() as tx:
        case = cases.load(tx, picture.id)
        written = ledger.append(tx, picture.id, [noted()])
        after = entries.follow(tx, case, written, cache)
        assert after == entries.follow(tx, case, written)
        assert cache.get(picture.id) is None

    with ledger.database.reading() as tx:
        assert cases.load(tx, picture.id) == after == cache.get(picture.id)


def test_cases_that_stand_or_ended_lately(ledger: Ledger) -> None:
    """Open ones whenever they were opened, ended ones from a time on, and of one tenant alone."""
    open_, ended = ledger.open(), ledger.open("case_2", "eve@contoso.com")
    ended = ledger.step(ended, moved())
    with ledger.database.reading() as tx:
        assert [open_.id, ended.id] == cases.standing_since(tx, TENANT, "2000")
        assert [] == cases.standing_since(tx, "another", "2000")
