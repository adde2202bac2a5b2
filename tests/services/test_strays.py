"""Rows that nothing in Holdfast would have put there, and rows that are missing: named, whoever owns the database."""

from pathlib import Path

import pytest

from tests.services.desk import ADA, EVE, Desk, Place
from tests.services.desk import report as reported
from tests.services.test_verification import forced
from workflow.domain import actions as act
from workflow.domain.private import Private
from workflow.errors import StorageError
from workflow.ledger.checkpoint import Checkpoint, sign
from workflow.ledger.note import Signer
from workflow.services import audit, casework, setup, verification
from workflow.services.verification import Options, Report
from workflow.storage import outside

MOST = 2**63 - 1
LEVEL = 1 << 56


def worked(desk: Desk) -> None:
    """Write two cases, a text, a file and enough commits for a tree of some height."""
    case_id = desk.restrict(ADA)
    desk.met(case_id, "snapshot-taken", attachment=casework.attach(desk.app, b"evidence"))
    desk.do(case_id, act.AddNote(note=Private("words")))
    desk.restrict(EVE)


def told(found: Report) -> list[tuple[str, str]]:
    """Return kind and words of what was found."""
    return [(str(item.kind), item.why) for item in found.findings]


DELETED = (
    "INSERT INTO subject_search (subject_search, rowid, identifier) "
    "SELECT 'delete', position, identifier FROM subject WHERE position = 1"
)
"""Takes a name out of the search index, as SQLite does when its row goes."""
STRAYS = {
    "a node beneath the levels": ("INSERT INTO node VALUES (77, zeroblob(32))", "node", "key 77"),
    "a node under a negative key": ("INSERT INTO node VALUES (-5, zeroblob(32))", "node", "key -5"),
    "a node on a level too high": (f"INSERT INTO node VALUES ({9 * LEVEL}, zeroblob(32))", "node", f"key {9 * LEVEL}"),
    "a node at the end": (f"INSERT INTO node VALUES ({MOST}, zeroblob(32))", "node", f"key {MOST}"),
    "a node moved along its level": (
        f'UPDATE node SET "key" = "key" + 1000 WHERE "key" = (SELECT max("key") FROM node WHERE "key" < {2 * LEVEL})',
        "node",
        "which a tree of",
    ),
    "a checkpoint under a negative size": ("INSERT INTO checkpoint VALUES (-3, 'forged')", "checkpoint", "under -3"),
    "a checkpoint under the smallest size": (
        f"INSERT INTO checkpoint VALUES ({-MOST - 1}, 'forged')",
        "checkpoint",
        f"under {-MOST - 1}",
    ),
    "a checkpoint of nothing": ("INSERT INTO checkpoint VALUES (0, 'forged')", "checkpoint", ""),
    "a checkpoint beyond the tree": ("INSERT INTO checkpoint VALUES (999, 'forged')", "checkpoint", ""),
    "a signed checkpoint beyond the tree": (
        "INSERT INTO checkpoint SELECT 999, note FROM checkpoint ORDER BY size DESC LIMIT 1",
        "checkpoint",
        "stored under 999",
    ),
    "a sealed entry in the queue": ("INSERT INTO unsealed VALUES (1)", "unsealed", "row 1"),
    "no entry in the queue": ("INSERT INTO unsealed VALUES (999)", "unsealed", "row 999"),
    "nobody stands anywhere": ("DELETE FROM standing", "picture", "where it stands"),
    "a case stands elsewhere": ("UPDATE standing SET state = 'released'", "picture", "where it stands"),
    "a case stands earlier": ("UPDATE standing SET version = 0", "picture", "where it stands"),
    "no case stands": ("INSERT INTO standing VALUES ('nobody', 1, 'detected')", "picture", "where it stands"),
    "a text about somebody": ("UPDATE opening SET subject = 'sub_1' WHERE case_id <> 'log'", "opening", "'sub_1'"),
    "another revision": ("INSERT INTO alembic_version VALUES ('0000')", "schema", "changed: revision"),
    "no revision": ("DELETE FROM alembic_version", "schema", "changed: revision"),
    "row numbers used up": (
        f"UPDATE sqlite_sequence SET seq = {MOST} WHERE name = 'entry'",
        "database",
        f"rows of entry go on behind {MOST}",
    ),
    "row numbers put back": ("UPDATE sqlite_sequence SET seq = 0 WHERE name = 'entry'", "database", "behind 0"),
    "row numbers of subjects used up": (
        f"UPDATE sqlite_sequence SET seq = {MOST} WHERE name = 'subject'",
        "database",
        "rows of subject",
    ),
    "a row of a number no ledger reaches": (
        f"INSERT INTO subject VALUES ({MOST}, 'x', x'00', 'x', 'x', 'x')",
        "database",
        "rows of subject",
    ),
    "a name only in the search": (
        "INSERT INTO subject_search (rowid, identifier) VALUES (999, 'mallory@contoso.example')",
        "search",
        "1 ",
    ),
    "a name missing from the search": (
        "INSERT INTO subject_search (subject_search, rowid, identifier) VALUES ('delete', 1, 'ann')",
        "search",
        "1 ",
    ),
    "a name that only looks indexed": (
        f"{DELETED}; INSERT INTO subject_search_docsize SELECT 1, sz FROM subject_search_docsize WHERE id = 2",
        "search",
        "does not lead",
    ),
    "a search index of no format": ("UPDATE subject_search_config SET v = 99", "search", "does not lead"),
    "a search index without its words": ("DELETE FROM subject_search_data WHERE id > 10", "search", "does not lead"),
    "a search index of words elsewhere": (
        "UPDATE subject_search_idx SET pgno = 99",
        "search",
        "does not lead",
    ),
}


@pytest.mark.parametrize("name", STRAYS)
def test_rows_that_nothing_put_there_are_named(sqlite_desk: Desk, name: str) -> None:
    """The owner of the file adds, moves or takes a row beside the entries, and puts every guard back."""
    statement, kind, why = STRAYS[name]
    worked(sqlite_desk)
    assert [] == verification.verify(sqlite_desk.app).findings
    sqlite_desk.close()
    with forced(sqlite_desk.place) as connection:
        connection.executescript(f"PRAGMA foreign_keys=OFF; {statement}")
    desk = Desk(sqlite_desk.place) if "revision" not in name else sqlite_desk
    found = verification.verify(desk.app)
    desk.close()
    assert (False, "failed") == (found.ok, found.integrity)
    assert [item for item in told(found) if item[0] == kind and why in item[1]], told(found)


def test_a_search_index_without_the_way_to_its_words_is_named(sqlite_desk: Desk) -> None:
    """Every word is there, which is all that SQLite looks at; a few are still found, on the first page of the index."""
    sqlite_desk.take(*(reported(f"user{number}@contoso.example") for number in range(400)))
    sqlite_desk.close()
    with forced(sqlite_desk.place) as connection:
        connection.execute("DELETE FROM subject_search_idx")
    desk = Desk(sqlite_desk.place)
    found = verification.verify(desk.app)
    desk.close()
    (finding,) = found.findings
    assert ("search", "of its words do not lead to their rows") == (finding.kind, finding.why[-38:])


@pytest.mark.parametrize("which", ["> 0", "= 5", "IN (4, 6)"])
def test_checkpoints_that_were_kept_and_are_stored_no_more_are_named(sqlite_desk: Desk, which: str) -> None:
    """The newest alone holds the tree together; the file outside remembers that there were others."""
    worked(sqlite_desk)
    newest = audit.checkpoint(sqlite_desk.app).split("\n")[1]
    sqlite_desk.close()
    with forced(sqlite_desk.place) as connection:
        gone = connection.execute(f"SELECT size FROM checkpoint WHERE size {which} AND size < {newest}").fetchall()
        connection.execute(f"DELETE FROM checkpoint WHERE size {which} AND size < {newest}")
    desk = Desk(sqlite_desk.place)
    found = verification.verify(desk.app)
    elsewhere = verification.verify(desk.app, Options(against=(sqlite_desk.place.home / "checkpoints",)))
    desk.close()
    assert gone
    for report in (found, elsewhere):
        assert (False, "verified", "failed") == (report.ok, report.integrity, report.completeness)
        (finding,) = report.findings
        assert ("kept-missing", min(gone)[0]) == (finding.kind, finding.index)
        assert str(max(gone)[0]) in finding.why


@pytest.mark.parametrize("lines", [3, 6])
def test_a_single_kept_checkpoint_is_missed_too(sqlite_desk: Desk, tmp_path: Path, lines: int) -> None:
    """As three lines of a ticket or as a signed note."""
    kept = tmp_path / "ticket.txt"
    kept.write_text("\n".join(audit.checkpoint(sqlite_desk.app).split("\n")[:lines]))
    worked(sqlite_desk)
    assert [] == verification.verify(sqlite_desk.app, Options(against=(kept,))).findings
    size = kept.read_text().split("\n")[1]
    sqlite_desk.close()
    with forced(sqlite_desk.place) as connection:
        connection.execute(f"DELETE FROM checkpoint WHERE size = {size}")
    desk = Desk(sqlite_desk.place)
    found = verification.verify(desk.app, Options(against=(kept,)))
    desk.close()
    assert [("kept-missing", f"kept outside and stored no more: checkpoint of {size}")] == told(found)


def test_what_nobody_of_ours_kept_is_not_missed(sqlite_desk: Desk) -> None:
    """A line that another key signed, one of another log and one that claims no size say nothing of this ledger."""
    worked(sqlite_desk)
    path = sqlite_desk.place.home / "checkpoints"
    note = audit.checkpoint(sqlite_desk.app)
    name = note.split("\n", 1)[0]
    for signer in (Signer.generate(name), Signer.generate("another/1")):
        outside.append(path, sign(Checkpoint(signer.name, 2, b"r" * 32), signer))
    outside.append(path, note.replace(name, name + "\nmany", 1))
    found = verification.verify(sqlite_desk.app)
    assert ([], "verified") == (found.findings, found.completeness)


@pytest.mark.parametrize("name", ["row numbers used up", "a row of a number no ledger reaches"])
def test_row_numbers_that_are_used_up_are_no_full_disk(sqlite_desk: Desk, name: str) -> None:
    """Whoever set them to their end stops every write; the message says what it is, and nothing is written."""
    worked(sqlite_desk)
    before = sqlite_desk.count()
    with forced(sqlite_desk.place) as connection:
        connection.execute(STRAYS[name][0])
    with pytest.raises(StorageError, match="no row numbers left for the table"):
        sqlite_desk.restrict("mallory@contoso.example")
    assert before == sqlite_desk.count()


SERVED = {
    "a sealed entry in the queue": ("unsealed", "INSERT INTO unsealed VALUES (1)", "unsealed", "row 1"),
    "no entry in the queue": ("unsealed", "INSERT INTO unsealed VALUES (999)", "unsealed", "row 999"),
    "an entry missing from the queue": ("unsealed", "DELETE FROM unsealed", "unsealed", "taken out of the queue"),
    "a node beneath the levels": ("node", r"INSERT INTO node VALUES (77, '\x" + "00" * 32 + "')", "node", "key 77"),
    "a node at the end": ("node", rf"INSERT INTO node VALUES ({MOST}, '\x" + "00" * 32 + "')", "node", f"key {MOST}"),
    "a checkpoint under a negative size": (
        "checkpoint",
        "INSERT INTO checkpoint VALUES (-3, 'forged')",
        "checkpoint",
        "under -3",
    ),
    "checkpoints stored no more": (
        "checkpoint",
        "DELETE FROM checkpoint WHERE size < (SELECT max(size) FROM checkpoint)",
        "kept-missing",
        "stored no more",
    ),
    "a text about somebody": ("opening", "UPDATE opening SET subject = 'sub_1'", "opening", "'sub_1'"),
    "row numbers used up": ("node", f"SELECT setval('entry_position_seq', {MOST})", "database", f"behind {MOST}"),
    "row numbers put back": ("node", "SELECT setval('entry_position_seq', 1)", "database", "behind 1,"),
    "another revision": ("node", "INSERT INTO alembic_version VALUES ('0000')", "schema", "changed: revision"),
}


@pytest.mark.postgres
@pytest.mark.parametrize("name", SERVED)
def test_rows_that_nothing_put_on_a_server_are_named(postgres_place: Place, name: str) -> None:
    """The owner of the tables does as the owner of a file; two entries still wait for the sealer, and lawfully."""
    table, statement, kind, why = SERVED[name]
    desk = Desk(postgres_place)
    worked(desk)
    setup.seal_now(desk.app)
    desk.restrict("zoe@contoso.example")
    assert [] == verification.verify(desk.app).findings
    for order in (f"ALTER TABLE {table} DISABLE TRIGGER ALL", statement):
        with desk.app.database.transaction() as tx:
            tx.run(order)
    found = verification.verify(desk.app)
    desk.close()
    assert not found.ok
    assert [item for item in told(found) if item[0] == kind and why in item[1]], told(found)


def test_a_full_disk_is_still_one(sqlite_desk: Desk) -> None:
    """Where row numbers are left, what is full is the disk."""
    with sqlite_desk.app.database.transaction() as tx:
        tx.run("PRAGMA max_page_count = 1")
    with pytest.raises(StorageError, match="The disk is full"):
        casework.attach(sqlite_desk.app, bytes(2**20))
