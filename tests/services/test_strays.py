"""Rows that nothing in Holdfast would have put there, and rows that are missing: named, whoever owns the database."""

import pytest

from tests.services.desk import ADA, EVE, Desk
from tests.services.test_verification import forced
from workflow.domain import actions as act
from workflow.domain.private import Private
from workflow.services import casework, verification
from workflow.services.verification import Report

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
}


@pytest.mark.parametrize("name", STRAYS)
def test_rows_that_nothing_put_there_are_named(sqlite_desk: Desk, name: str) -> None:
    """The owner of the file adds, moves or takes a row beside the entries, and puts every guard back."""
    statement, kind, why = STRAYS[name]
    worked(sqlite_desk)
    assert [] == verification.verify(sqlite_desk.app).findings
    sqlite_desk.close()
    with forced(sqlite_desk.place) as connection:
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute(statement)
    desk = Desk(sqlite_desk.place) if "revision" not in name else sqlite_desk
    found = verification.verify(desk.app)
    desk.close()
    assert (False, "failed") == (found.ok, found.integrity)
    assert [item for item in told(found) if item[0] == kind and why in item[1]], told(found)
