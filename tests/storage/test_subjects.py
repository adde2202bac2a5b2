"""The register of subjects: an id commits to the name it was given out for."""

from workflow.domain.vocabulary import Kind
from workflow.storage import subjects
from workflow.storage.database import Database


def test_an_id_commits_to_its_subject(database: Database) -> None:
    """Every row of a register nobody touched stands for what its id commits to, and no two ids are alike."""
    with database.transaction() as tx:
        ids = [subjects.register(tx, "contoso", Kind.USER, f"user{number}@contoso.com") for number in range(3)]
    with database.reading() as tx:
        assert [] == subjects.faults(tx)
    assert 3 == len(set(ids))


def test_a_row_that_stands_for_another_is_named(database: Database) -> None:
    """A row slipped in under an id of one's choosing is told from those given out."""
    with database.transaction() as tx:
        subjects.register(tx, "contoso", Kind.USER, "ada@contoso.com")
        tx.run(
            "INSERT INTO subject (id, salt, tenant, kind, identifier) VALUES (?, ?, ?, ?, ?)",
            ("sub_" + "0" * 32, bytes(32), "contoso", "user", "eve@contoso.com"),
        )
    with database.reading() as tx:
        assert ["sub_" + "0" * 32] == subjects.faults(tx)


def test_the_same_subject_gets_other_ids_elsewhere() -> None:
    """The salt keeps an id from telling whom it stands for."""
    one, other = (subjects.identify(salt, "contoso", "user", "ada@contoso.com") for salt in (bytes(32), b"\1" * 32))

    assert one != other
    assert one == subjects.identify(bytes(32), "contoso", "user", "ada@contoso.com")
