"""What auditors take away: checkpoint and export; and the picture, thrown away and drawn again."""

from pathlib import Path

import pytest

from tests.services.desk import ADA, ANN, EVE, Desk, Place, report
from workflow.domain import actions as act
from workflow.domain.private import Private
from workflow.errors import InputError, KeyMissingError, NotFoundError
from workflow.services import audit, verification
from workflow.storage.migrations import upgrade


def pictures(desk: Desk) -> list[tuple[object, ...]]:
    """Return every case row as stored."""
    with desk.app.database.reading() as tx:
        return tx.all('SELECT * FROM "case" ORDER BY id')


def test_a_checkpoint_covers_every_entry(desk: Desk) -> None:
    """Origin, size and root, signed; nothing is left unsealed."""
    desk.restrict()
    origin, size, root, blank, signature, *_ = audit.checkpoint(desk.app).split("\n")
    assert (audit.public_key(desk.app).split("+", 1)[0], str(desk.count()), "", 44) == (origin, size, blank, len(root))
    assert signature.startswith(f"— {origin} ")


def test_a_sealed_ledger_gives_its_checkpoint_without_the_key(sqlite_desk: Desk, postgres_place: Place) -> None:
    """Sealing needs the key, reading what was sealed does not."""
    before = audit.checkpoint(sqlite_desk.app)
    (sqlite_desk.place.home / "signing.key").unlink()
    assert before == audit.checkpoint(sqlite_desk.again().app)
    desk = Desk(postgres_place)
    (postgres_place.home / "signing.key").unlink(missing_ok=True)
    with pytest.raises(KeyMissingError):
        audit.checkpoint(desk.app)
    desk.close()


def test_an_empty_ledger_has_no_checkpoint(home: Path) -> None:
    """A schema without entries is no ledger yet."""
    place = Place(home, f"sqlite:///{home / 'holdfast.db'}")
    (home / "holdfast.db").touch()
    desk = Desk(place)
    database = audit.setup.Database(place.url)  # type: ignore[attr-defined]
    upgrade(database)
    database.close()
    with pytest.raises(NotFoundError):
        audit.checkpoint(desk.app)
    desk.close()


def test_an_export_verifies_without_a_database(desk: Desk, tmp_path: Path) -> None:
    """Every entry, the newest checkpoint, and the verdict of whoever has the key."""
    desk.released()
    path = tmp_path / "export.jsonl"
    count = audit.export(desk.app, path)
    found = audit.verify_export(path, audit.public_key(desk.app))
    assert (desk.count(), True, desk.count()) == (count, found.sound, found.size)
    assert ["export.jsonl"] == [item.name for item in tmp_path.glob("export*")]


def test_an_export_that_was_changed_does_not_verify(desk: Desk, tmp_path: Path) -> None:
    """One word in one entry, or one line fewer."""
    desk.released()
    path = tmp_path / "export.jsonl"
    audit.export(desk.app, path)
    key, text = audit.public_key(desk.app), path.read_text()
    for changed in (text.replace("approved", "reproved", 1), "".join(text.splitlines(keepends=True)[:-1])):
        path.write_text(changed)
        assert not audit.verify_export(path, key).sound


def test_an_export_is_never_written_over(sqlite_desk: Desk, tmp_path: Path) -> None:
    """Neither over a file nor beside one that is being written, nor where nothing can be written."""
    path = tmp_path / "export.jsonl"
    path.write_text("mine")
    with pytest.raises(InputError, match="exists already"):
        audit.export(sqlite_desk.app, path)
    other = tmp_path / "other.jsonl"
    other.with_name("other.jsonl.partial").write_text("another's")
    with pytest.raises(InputError, match="another export"):
        audit.export(sqlite_desk.app, other)
    with pytest.raises(InputError, match="cannot be written"):
        audit.export(sqlite_desk.app, tmp_path / "no-such-folder" / "export.jsonl")
    assert ("mine", "another's") == (path.read_text(), other.with_name("other.jsonl.partial").read_text())


def test_an_export_of_a_damaged_ledger_leaves_nothing_behind(sqlite_desk: Desk, tmp_path: Path) -> None:
    """An entry without its bytes cannot be exported, and half an export is none."""
    from tests.services.test_verification import forced  # noqa: PLC0415 - one test only

    sqlite_desk.restrict()
    sqlite_desk.close()
    with forced(sqlite_desk.place) as connection:
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute("DELETE FROM entry WHERE case_id <> 'log'")
    desk = Desk(sqlite_desk.place)
    with pytest.raises(InputError, match="missing"):
        audit.export(desk.app, tmp_path / "export.jsonl")
    desk.close()
    assert [] == list(tmp_path.glob("export*"))


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"", b"{}", b'{"format": 1}'])
def test_what_is_no_export_is_refused(sqlite_desk: Desk, tmp_path: Path, content: bytes | None) -> None:
    """No file, no text, no header."""
    path = tmp_path / "export.jsonl"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError):
        audit.verify_export(path, audit.public_key(sqlite_desk.app))


def test_the_picture_drawn_again_is_the_same(desk: Desk) -> None:
    """Every row of the case table follows from the entries alone."""
    desk.released(ADA)
    desk.requested(EVE)
    desk.take(*(report(f"user{number}@contoso.example") for number in range(3)))
    before = pictures(desk)
    assert 5 == audit.rebuild(desk.app, ANN)
    assert before == pictures(desk)
    assert verification.verify(desk.app).ok


def test_a_picture_that_was_lost_is_drawn_again(sqlite_desk: Desk) -> None:
    """After a rebuild the next step works as if nothing had happened."""
    from tests.services.test_verification import forced  # noqa: PLC0415 - one test only

    case_id = sqlite_desk.restrict()
    before = pictures(sqlite_desk)
    sqlite_desk.close()
    with forced(sqlite_desk.place) as connection:
        connection.execute('DELETE FROM "case"')
    desk = Desk(sqlite_desk.place)
    assert 1 == audit.rebuild(desk.app, ANN)
    assert before == pictures(desk)
    desk.do(case_id, act.AddNote(note=Private("works")))
    desk.close()


def test_what_is_no_export_is_named(desk: Desk, tmp_path: Path) -> None:
    """Whoever gave the wrong file is told which one it was."""
    path = tmp_path / "notes.txt"
    path.write_text("hello\n", encoding="utf-8")

    with pytest.raises(InputError, match=r"notes\.txt is no whole export of a ledger: line 1 is not JSON"):
        audit.verify_export(path, audit.public_key(desk.app))
