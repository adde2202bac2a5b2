"""What auditors take away: checkpoint and export; and the picture, thrown away and drawn again."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.services.desk import ADA, ANN, DAY, EVE, START, Desk, Place, report
from workflow.domain import actions as act
from workflow.domain.private import Private
from workflow.errors import InputError, KeyMissingError, NotFoundError
from workflow.ledger import checkpoint as checkpoints
from workflow.ledger.note import Signer
from workflow.services import audit, verification
from workflow.services.verdict import Report
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
    found = audit.verify_export(path, audit.public_key(desk.app), START)
    assert (desk.count(), True, desk.count()) == (count, found.ok, found.counts["entries"])
    assert ["export.jsonl"] == [item.name for item in tmp_path.glob("export*")]


def test_an_export_that_was_changed_does_not_verify(desk: Desk, tmp_path: Path) -> None:
    """One word in one entry, or one line fewer."""
    desk.released()
    path = tmp_path / "export.jsonl"
    audit.export(desk.app, path)
    key, text = audit.public_key(desk.app), path.read_text()
    for changed in (text.replace("approved", "reproved", 1), "".join(text.splitlines(keepends=True)[:-1])):
        path.write_text(changed)
        assert not audit.verify_export(path, key, START).ok


@pytest.fixture
def exported(sqlite_desk: Desk, tmp_path: Path) -> tuple[Path, str, list[str]]:
    """An export, the key, and the ticket that was written some entries before it."""
    sqlite_desk.restrict()
    early = audit.checkpoint(sqlite_desk.app).splitlines()[:3]
    sqlite_desk.released(EVE)
    path = tmp_path / "export.jsonl"
    audit.export(sqlite_desk.app, path)
    return path, audit.public_key(sqlite_desk.app), early


def against(exported: tuple[Path, str, list[str]], *notes: str) -> Report:
    """What an export says for itself against these kept checkpoints."""
    path, key, _ = exported
    files = [path.with_name(f"ticket-{number}") for number, _ in enumerate(notes)]
    for file, note in zip(files, notes, strict=True):
        file.write_text(note, encoding="utf-8")
    return audit.verify_export(path, key, START + 30 * DAY, files)


def newest(path: Path) -> str:
    """The signed checkpoint in an export's own header."""
    return str(json.loads(path.read_text(encoding="utf-8").splitlines()[0])["checkpoint"])


BESIDE: dict[str, tuple[Callable[[list[str]], list[str]], str, str]] = {
    "another name": (
        lambda lines: [lines[0].replace('"origins":[', '"origins":["evil",'), *lines[1:]],
        "origin",
        "names of the log",
    ),
    "a name behind the last": (
        lambda lines: [lines[0].replace('],"size"', ',"evil"],"size"'), *lines[1:]],
        "origin",
        "names of the log",
    ),
    "another key": (lambda lines: [lines[0].replace('"vkey":"', '"vkey":"evil'), *lines[1:]], "origin", "public key"),
    "a playbook twice": (lambda lines: [*lines, lines[-1]], "playbook", "more than once"),
}


@pytest.mark.parametrize("name", BESIDE)
def test_what_stands_beside_the_entries_is_what_they_name(exported: tuple[Path, str, list[str]], name: str) -> None:
    """Names and key in the header, and each playbook once: whoever reads the file by its description relies on them."""
    change, kind, why = BESIDE[name]
    path, key, _ = exported
    path.write_text("".join(change(path.read_text(encoding="utf-8").splitlines(keepends=True))), encoding="utf-8")
    (finding,) = audit.verify_export(path, key, START).findings
    assert (kind, True) == (finding.kind, why in finding.why)


def test_an_export_is_complete_by_the_checkpoints_that_were_kept(exported: tuple[Path, str, list[str]]) -> None:
    """One of its own size, an older one, and both: the verdict names the newest entry covered, and how old it is."""
    note, ticket = newest(exported[0]), "\n".join(exported[2])
    for notes in ((note,), (ticket,), (ticket, note)):
        report = against(exported, *notes)
        verdicts = (report.integrity, report.completeness, report.authorship)
        assert ("verified", "verified", "given") == verdicts
        assert report.freshness.startswith("the kept checkpoint covers everything up to 20")
        assert len(notes) == report.counts["kept_checkpoints"]
        assert ("later entries rest" in report.freshness) == (notes == (ticket,))


def test_an_export_without_a_kept_checkpoint(exported: tuple[Path, str, list[str]]) -> None:
    """What was not checked is said; it is no failure."""
    report = against(exported)
    assert (True, "not checked", "not checked") == (report.ok, report.completeness, report.freshness)


def test_an_export_that_a_kept_checkpoint_refutes(exported: tuple[Path, str, list[str]]) -> None:
    """Another root at its own size and at a smaller one, a larger size, another ledger's ticket, another key's note."""
    origin, size, root = newest(exported[0]).splitlines()[:3]
    early = exported[2]
    other = Signer.generate("elsewhere-1")
    refuted = {
        f"{origin}\n{size}\n{early[2]}": "kept-rewritten",
        f"{origin}\n{early[1]}\n{root}": "kept-rewritten",
        f"{origin}\n{int(size) + 1}\n{root}": "kept-truncated",
        f"elsewhere-1/1\n3\n{root}": "kept-unknown",
        checkpoints.sign(checkpoints.Checkpoint("elsewhere-1", 3, b"r" * 32), other): "kept-unknown",
    }
    for note, kind in refuted.items():
        report = against(exported, note)
        assert (False, "verified", "failed") == (report.ok, report.integrity, report.completeness), note
        assert [kind] == [item.kind for item in report.findings]


def test_a_ledger_against_the_ticket_of_another(sqlite_desk: Desk, tmp_path: Path) -> None:
    """The database is held against checkpoints as an export is."""
    ticket = tmp_path / "ticket"
    ticket.write_text(f"elsewhere-1/1\n99\n{'A' * 43}=", encoding="utf-8")
    report = verification.verify(sqlite_desk.app, verification.Options(against=[ticket]))
    (finding,) = report.findings
    assert (False, "kept-unknown") == (report.ok, finding.kind)
    assert "one of another ledger, elsewhere-1/1" in finding.why


def test_a_changed_export_is_not_complete(exported: tuple[Path, str, list[str]]) -> None:
    """A rewritten entry shows against the kept checkpoint too; one behind it leaves completeness open."""
    path, _, early = exported
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("case:opened", "case:openee", 1), encoding="utf-8")
    report = against(exported, "\n".join(early))
    assert ("failed", "failed") == (report.integrity, report.completeness)
    path.write_text(text.replace("unblock:approved", "unblock:approvee", 1), encoding="utf-8")
    report = against(exported, "\n".join(early))
    assert ("failed", "not checked") == (report.integrity, report.completeness)


def test_an_export_whose_last_covered_entry_is_none(exported: tuple[Path, str, list[str]]) -> None:
    """Nobody can say how fresh it is."""
    path, _, early = exported
    lines = path.read_text(encoding="utf-8").splitlines()
    row = json.loads(lines[int(early[1])])
    lines[int(early[1])] = json.dumps(row | {"body": "none"})
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    report = against(exported, "\n".join(early))
    assert ("failed", "not checked") == (report.completeness, report.freshness)


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
        audit.verify_export(path, audit.public_key(sqlite_desk.app), START)


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
        audit.verify_export(path, audit.public_key(desk.app), START)
