"""Going round the gate and rewriting history by hand-written SQL: refused, or named afterwards."""

import hashlib
import json
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from tests.storage.ledgers import NOW, ORIGIN, TENANT, Ledger, moved, noted
from workflow.domain.record import SYSTEM, time_to_text
from workflow.domain.vocabulary import Kind
from workflow.errors import HoldfastError, StorageError
from workflow.ledger.entry import uuid7
from workflow.storage import attachments, cases, journal, playbooks, schema, seal, subjects, tree
from workflow.storage.openings import Opening


def forged(case_id: str = "case_1", sequence: object = 3, state: str = "released", **changes: object) -> str:
    """An entry as somebody without the key would write it."""
    body = {
        "v": 1,
        "log": ORIGIN,
        "id": uuid7(1, b"0123456789"),
        "type": "case:released",
        "tenant": TENANT,
        "case": case_id,
        "sequence": sequence,
        "prev": "0" * 64,
        "recorded_at": time_to_text(NOW),
        "clock": "ok",
        "actor": SYSTEM.to_data(),
        "action": "",
        "state_before": "detected",
        "state_after": state,
        "recurrence": 1,
        "outcome": "done",
        "playbook": "",
        "data": {},
        "basis": {},
        "cites": [],
        "request": "",
        **changes,
    }
    return json.dumps(body, sort_keys=True, separators=(",", ":"))


@pytest.fixture
def filled(ledger: Ledger) -> Ledger:
    """One open case with two sealed entries, a playbook, a subject, an opening and a file."""
    return fill(ledger)


def fill(ledger: Ledger) -> Ledger:
    """Write one row into every table that keeps something."""
    picture = ledger.open()
    with ledger.database.transaction() as tx:
        ledger.append(tx, picture.id, [noted()], {"c" * 64: Opening(b"s" * 32, "said")})
        playbooks.adopt(tx, "restricted-user", "1", "d" * 64, "{}")
        attachments.keep(tx, b"evidence")
    ledger.seal()
    return ledger


# Statements that both databases must refuse, whoever runs them.
REFUSED = {
    "release by hand": "UPDATE \"case\" SET state = 'released'",
    "release by hand with a version": "UPDATE \"case\" SET state = 'released', version = 2",
    "rewind the version": 'UPDATE "case" SET version = 0',
    "claim a later version": 'UPDATE "case" SET version = 2',
    "give the case another id": "UPDATE \"case\" SET id = 'case_2'",
    "case without entries": (
        "INSERT INTO \"case\" SELECT 'case_2', 2, tenant, kind, 'sub_2', state, recurrence, version, playbook, "
        "missing, assignee, opened_at, updated_at, due_at, due, resolution, restriction, restricted_at, "
        'requested_at, intended_at, released_at, ended_at, linked, labels, break_glass FROM "case"'
    ),
    "edit a body": "UPDATE entry SET body = replace(body, 'detected', 'released')",
    "edit a body to itself": "UPDATE entry SET body = body",
    "renumber an entry": "UPDATE entry SET position = position + 10",
    "delete an entry": "DELETE FROM entry WHERE position = 2",
    "delete every entry": "DELETE FROM entry",
    "edit a leaf": "UPDATE leaf SET hash = hash",
    "swap leaves": 'UPDATE leaf SET "index" = 1 - "index"',
    "delete a leaf": 'DELETE FROM leaf WHERE "index" = 1',
    "edit a node": "UPDATE node SET hash = hash",
    "delete a node": "DELETE FROM node",
    "edit a checkpoint": "UPDATE checkpoint SET note = 'mine'",
    "grow a checkpoint": "UPDATE checkpoint SET size = size + 1",
    "delete a checkpoint": "DELETE FROM checkpoint",
    "soften a playbook": "UPDATE playbook SET body = '{\"prerequisites\":[]}'",
    "swap a playbook's digest": "UPDATE playbook SET digest = 'e'",
    "delete a playbook": "DELETE FROM playbook",
    "rename a subject": "UPDATE subject SET identifier = 'eve@contoso.com'",
    "reword an opening": "UPDATE opening SET value = 'unsaid'",
    "move an opening": "UPDATE opening SET case_id = 'case_2'",
    "swap evidence": "UPDATE attachment SET content = content",
    "skip a sequence": f"INSERT INTO entry (body) VALUES ('{forged(sequence=9, state='')}')",
    "repeat a sequence": f"INSERT INTO entry (body) VALUES ('{forged(sequence=2, state='')}')",
    "sequence zero": f"INSERT INTO entry (body) VALUES ('{forged(case_id='case_9', sequence=0, state='')}')",
    "sequence that is text": f"INSERT INTO entry (body) VALUES ('{forged(sequence='x', state='')}')",
    "sequence that is no integer": f"INSERT INTO entry (body) VALUES ('{forged(sequence=3.5, state='')}')",
    "entry without a body": "INSERT INTO entry (body) VALUES ('{}')",
    "entry that is not JSON": "INSERT INTO entry (body) VALUES ('released')",
    "copy of an entry": "INSERT INTO entry (body) SELECT body FROM entry",
    "derived column by hand": "INSERT INTO entry (body, state_after) SELECT body, 'released' FROM entry",
    "release without moving the case": f"INSERT INTO entry (body) VALUES ('{forged()}')",
    "second open case number": 'UPDATE "case" SET number = NULL',
    "throw the picture away": 'DELETE FROM "case"',
    "leaf for a sealed entry": "INSERT INTO leaf SELECT 9, entry, hash FROM leaf WHERE entry = 1",
    "short leaf": "INSERT INTO leaf (\"index\", entry, hash) VALUES (2, 99, '')",
    "node again": "INSERT INTO node SELECT * FROM node",
}

ONLY_SQLITE = {
    "replace an entry by rowid": f"REPLACE INTO entry (position, body) VALUES (1, '{forged(state='')}')",
    "replace an entry by id": "REPLACE INTO entry (body) SELECT body FROM entry WHERE position = 2",
    "insert behind the counter": f"INSERT INTO entry (position, body) VALUES (-5, '{forged(state='')}')",
    "replace a leaf": 'REPLACE INTO leaf SELECT "index", entry, zeroblob(32) FROM leaf',
    "replace a leaf by entry": 'REPLACE INTO leaf SELECT 2, entry, zeroblob(32) FROM leaf WHERE "index" = 1',
    "replace a node": 'REPLACE INTO node SELECT "key", zeroblob(32) FROM node',
    "replace a checkpoint": "REPLACE INTO checkpoint SELECT size, 'mine' FROM checkpoint WHERE size = 2",
    "checkpoint of another size": "INSERT INTO checkpoint VALUES (1, 'mine')",
    "replace a playbook": "REPLACE INTO playbook SELECT digest, name, version, '{}' FROM playbook",
    "replace a subject": "REPLACE INTO subject SELECT position, id, salt, tenant, kind, 'eve@contoso.com' FROM subject",
    "replace a subject by address": (
        "REPLACE INTO subject (id, salt, tenant, kind, identifier) "
        "SELECT 'sub_9', salt, tenant, kind, identifier FROM subject"
    ),
    "replace an opening": "REPLACE INTO opening SELECT commitment, salt, 'unsaid', case_id, subject FROM opening",
    "replace evidence": "REPLACE INTO attachment SELECT digest, size, zeroblob(8) FROM attachment",
    "update or replace": 'UPDATE OR REPLACE leaf SET "index" = 0',
    "ignore the refusal": "UPDATE OR IGNORE \"case\" SET state = 'released'",
    "move where the case stands": "UPDATE standing SET state = 'released'",
    "forget where the case stands": "DELETE FROM standing",
    "say where another case stands": "INSERT INTO standing VALUES ('case_2', 1, 'released')",
    "replace where the case stands": "REPLACE INTO standing VALUES ('case_1', 2, 'released')",
}

ONLY_POSTGRESQL = {
    "hide from the tree": "UPDATE unsealed SET entry = entry + 1",
    **{
        f"truncate {table}": f'TRUNCATE public."{table}" CASCADE'
        for table in (
            *("entry", "leaf", "node", "checkpoint", "playbook", "case", "unsealed"),
            *("subject", "opening", "attachment"),
        )
    },
    "choose the position": (
        f"INSERT INTO entry (position, body) OVERRIDING SYSTEM VALUE VALUES (1, '{forged(state='')}')"
    ),
    "upsert over an entry": (
        "INSERT INTO entry (body) SELECT body FROM entry WHERE position = 1 "
        "ON CONFLICT (id) DO UPDATE SET body = excluded.body"
    ),
    "merge into leaves": (
        'MERGE INTO leaf USING (SELECT 1) AS s ON leaf."index" = 0 WHEN MATCHED THEN UPDATE SET hash = leaf.hash'
    ),
    "edit in a common table": "WITH gone AS (DELETE FROM leaf RETURNING 1) SELECT count(*) FROM gone",
}


@pytest.mark.parametrize("name", REFUSED)
def test_both_databases_refuse(filled: Ledger, name: str) -> None:
    """No statement changes what the ledger says or moves a case without an entry."""
    with pytest.raises(HoldfastError):
        filled.statement(REFUSED[name])

    assert_untouched(filled)


@pytest.mark.parametrize("name", ONLY_SQLITE)
def test_sqlite_refuses(sqlite_ledger: Ledger, name: str) -> None:
    """SQLite's own ways of writing over a row are refused too."""
    fill(sqlite_ledger)

    with pytest.raises(HoldfastError):
        sqlite_ledger.statement(ONLY_SQLITE[name])

    assert_untouched(sqlite_ledger)


# With foreign keys off, SQLite itself lets these pass; the other tests say how they are found.
NEEDS_FOREIGN_KEYS = {"release without moving the case", "throw the picture away"}


@pytest.mark.parametrize("name", [name for name in (REFUSED | ONLY_SQLITE) if name not in NEEDS_FOREIGN_KEYS])
def test_sqlite_refuses_a_plain_connection(sqlite_ledger: Ledger, sqlite_path: Path, name: str) -> None:
    """A connection with SQLite's defaults (no recursive triggers, no foreign keys) is refused the same."""
    fill(sqlite_ledger)

    stranger = sqlite3.connect(sqlite_path)
    with pytest.raises(sqlite3.Error):
        stranger.execute((REFUSED | ONLY_SQLITE)[name])
    stranger.close()

    assert_untouched(sqlite_ledger)


@pytest.mark.parametrize("name", ONLY_POSTGRESQL)
def test_postgresql_refuses(postgres_ledger: Ledger, name: str) -> None:
    """PostgreSQL's own ways are refused too."""
    fill(postgres_ledger)

    with pytest.raises(HoldfastError):
        postgres_ledger.statement(ONLY_POSTGRESQL[name])

    assert_untouched(postgres_ledger)


@pytest.mark.parametrize("name", [name for name in REFUSED if name != "short leaf"])
def test_postgresql_refuses_the_replica_role(postgres_ledger: Ledger, name: str) -> None:
    """Whoever plays a replica, for whom ordinary triggers do not fire, is refused the same."""
    fill(postgres_ledger)

    def play_replica() -> None:
        with postgres_ledger.database.transaction() as tx:
            tx.run("SET LOCAL session_replication_role = replica")
            tx.run(REFUSED[name])

    with pytest.raises(HoldfastError):
        play_replica()

    assert_untouched(postgres_ledger)


def test_a_temporary_table_does_not_mislead_the_guard(postgres_ledger: Ledger) -> None:
    """A temporary table named like the entries is not what the guard reads."""
    fill(postgres_ledger)

    def shadow() -> None:
        with postgres_ledger.database.transaction() as tx:
            tx.run("CREATE TEMP TABLE entry (case_id text, sequence integer, state_after text)")
            tx.run("INSERT INTO pg_temp.entry VALUES ('case_1', 2, 'released')")
            tx.run("SET LOCAL search_path = pg_temp, public")
            tx.run("UPDATE public.\"case\" SET state = 'released', version = 2")

    with pytest.raises(StorageError, match="R1"):
        shadow()

    assert_untouched(postgres_ledger)


def test_deferred_checks_can_be_asked_for_early(postgres_ledger: Ledger) -> None:
    """An entry whose case did not move fails where the check is made immediate, not only at the commit."""
    picture = postgres_ledger.open()

    def forget_to_move() -> None:
        with postgres_ledger.database.transaction() as tx:
            tx.run("SET CONSTRAINTS ALL IMMEDIATE")
            postgres_ledger.append(tx, picture.id, [moved()])

    with pytest.raises(StorageError, match="R1"):
        forget_to_move()


def test_the_case_must_move_with_its_entry(ledger: Ledger) -> None:
    """Journal code that appends a state-bearing entry and forgets the row does not get its commit."""
    picture = ledger.open()

    def forget_to_move() -> None:
        with ledger.database.transaction() as tx:
            ledger.append(tx, picture.id, [moved()])

    with pytest.raises(StorageError):
        forget_to_move()

    with ledger.database.reading() as tx:
        assert 1 == len(cases.entries(tx, picture.id))


def test_the_row_cannot_move_before_its_entry(ledger: Ledger) -> None:
    """A row that runs ahead of the ledger is refused."""
    picture = ledger.open()

    def run_ahead() -> None:
        with ledger.database.transaction() as tx:
            journal.move(tx, replace(picture, state="released", version=2))

    with pytest.raises(StorageError, match="R1"):
        run_ahead()


def test_foreign_entries_are_never_signed(sqlite_ledger: Ledger, sqlite_path: Path) -> None:
    """An entry slipped in by hand stops the next commit instead of getting our signature."""
    fill(sqlite_ledger)
    stranger = sqlite3.connect(sqlite_path)
    stranger.execute("INSERT INTO entry (body) VALUES (?)", [forged()])
    stranger.commit()
    stranger.close()

    def carry_on() -> None:
        with sqlite_ledger.database.transaction() as tx:
            sqlite_ledger.append(tx, "case_1", [noted()])

    with pytest.raises(StorageError, match="somebody else"):
        carry_on()

    with sqlite_ledger.database.reading() as tx:
        assert [("case_1", 3)] == tree.unsealed(tx)


def test_the_queue_cannot_be_emptied_before_sealing(postgres_ledger: Ledger) -> None:
    """An entry leaves the queue only for the tree."""
    postgres_ledger.open()

    with pytest.raises(StorageError, match="not in the tree"):
        postgres_ledger.statement("DELETE FROM unsealed")


def test_a_sealed_entry_queued_again_does_no_harm(ledger: Ledger) -> None:
    """Somebody who queues a sealed entry again cannot stop the sealing."""
    fill(ledger)
    ledger.statement("INSERT INTO unsealed (entry) VALUES (1)")

    ledger.open("case_2", "bob@contoso.com")
    ledger.seal()

    with ledger.database.reading() as tx:
        assert [] == tx.all("SELECT entry FROM unsealed")
        assert 3 == tree.size(tx)


def test_what_is_personal_can_be_erased(filled: Ledger) -> None:
    """Deleting from register, openings and files is allowed: that is erasure."""
    for table in ("opening", "attachment", "subject"):
        assert 1 == filled.statement(f"DELETE FROM {table}")


FORCED_SQLITE = {
    "DROP TRIGGER case_update": "missing: trigger case_update",
    "DROP TRIGGER entry_delete": "missing: trigger entry_delete",
    "DROP INDEX case_open": "missing: index case_open",
    "CREATE TRIGGER mine AFTER INSERT ON entry BEGIN SELECT 1; END": "extra: trigger mine",
    "ALTER TABLE attachment ADD COLUMN extra TEXT": "changed: table attachment",
    "UPDATE alembic_version SET version_num = '0000'": "changed: revision",
    "UPDATE sqlite_master SET sql = replace(sql, '$.state_after', '$.state_before') WHERE name = 'entry'": (
        "changed: table entry"
    ),
    "UPDATE sqlite_master SET sql = replace(sql, 'IS NOT TRUE', 'IS NULL') WHERE name = 'case_update'": (
        "changed: trigger case_update"
    ),
    "DELETE FROM sqlite_master WHERE name = 'leaf_update'": "missing: trigger leaf_update",
    "CREATE TRIGGER sqlite_stat9 BEFORE INSERT ON entry BEGIN SELECT RAISE(IGNORE); END": "extra: trigger sqlite_stat9",
    "CREATE VIEW sqlite_stat1 AS SELECT body FROM entry": "extra: view sqlite_stat1",
    "CREATE TABLE sqlite_stat4 (other)": "extra: table sqlite_stat4",
    "CREATE TABLE sqlite_statistics (tbl, idx, stat)": "extra: table sqlite_statistics",
    "CREATE TABLE sqlite_other (x)": "extra: table sqlite_other",
    "INSERT INTO alembic_version VALUES ('0000')": "changed: revision",
    "DELETE FROM alembic_version": "changed: revision",
    # Its line would otherwise pass for one of the guard whose name it begins with.
    'CREATE TRIGGER "leaf_update: mine" BEFORE INSERT ON leaf BEGIN SELECT RAISE(IGNORE); END': (
        "extra: trigger leaf_update"
    ),
}

FORCED_POSTGRESQL = {
    'DROP TRIGGER case_follows ON "case"': "missing: trigger case.case_follows",
    "ALTER TABLE entry DISABLE TRIGGER entry_kept_as_written": "changed: trigger entry.entry_kept_as_written",
    "ALTER TABLE leaf DISABLE TRIGGER ALL": "changed: trigger leaf.leaf_kept_as_written",
    "ALTER TABLE entry ENABLE TRIGGER entry_moved": "changed: trigger entry.entry_moved",
    "DROP INDEX case_open": "missing: index case_open",
    "ALTER TABLE leaf DROP CONSTRAINT leaf_entry": "missing: constraint leaf.leaf_entry",
    "ALTER TABLE entry ALTER state_after DROP EXPRESSION": "changed: column entry.state_after",
    "CREATE RULE mine AS ON UPDATE TO leaf DO INSTEAD NOTHING": "extra: rule leaf.mine",
    "ALTER FUNCTION holdfast_case() RESET search_path": "changed: function holdfast_case",
    (
        "CREATE OR REPLACE FUNCTION public.holdfast_case() RETURNS trigger LANGUAGE plpgsql "
        "SET search_path = pg_catalog, public, pg_temp AS $$ BEGIN RETURN NEW; END $$"
    ): "changed: function holdfast_case",
    'ALTER TABLE "case" SET UNLOGGED': "changed: table case",
    "ALTER TABLE checkpoint ENABLE ROW LEVEL SECURITY": "changed: table checkpoint",
}


def test_an_untouched_schema_has_no_differences(filled: Ledger) -> None:
    """No false alarm."""
    assert [] == schema.compare(filled.database)
    with filled.database.reading() as tx:
        assert [] == schema.integrity(tx)


@pytest.mark.parametrize("statement", FORCED_SQLITE)
def test_what_an_owner_forces_on_sqlite_is_named(sqlite_ledger: Ledger, sqlite_path: Path, statement: str) -> None:
    """Dropped and rewritten guards are named by the comparison."""
    owner = sqlite3.connect(sqlite_path)
    owner.execute("PRAGMA writable_schema = ON")
    owner.execute(statement)
    owner.commit()
    owner.close()

    assert FORCED_SQLITE[statement] in schema.compare(sqlite_ledger.database)


def test_what_sqlite_makes_for_itself_is_nobodys_doing(filled: Ledger) -> None:
    """Statistics of the searching are no difference."""
    filled.statement("ANALYZE")

    assert [] == schema.compare(filled.database)


@pytest.mark.parametrize("statement", FORCED_POSTGRESQL)
def test_what_an_owner_forces_on_postgresql_is_named(postgres_ledger: Ledger, statement: str) -> None:
    """Dropped, disabled and rewritten guards are named by the comparison."""
    postgres_ledger.statement(statement)

    assert FORCED_POSTGRESQL[statement] in schema.compare(postgres_ledger.database)


def test_a_column_made_to_lie_is_found(postgres_ledger: Ledger) -> None:
    """A derived column that was cut loose and changed disagrees with the body."""
    fill(postgres_ledger)
    for statement in (
        "ALTER TABLE entry DISABLE TRIGGER ALL",
        "ALTER TABLE entry ALTER state_after DROP EXPRESSION",
        "UPDATE entry SET state_after = 'released' WHERE position = 2",
    ):
        postgres_ledger.statement(statement)

    with postgres_ledger.database.reading() as tx:
        assert [2] == tree.column_faults(tx)


def test_sealing_refuses_a_tree_without_our_signature(sqlite_ledger: Ledger) -> None:
    """A checkpoint that no known key signed is not extended, however well its hashes fit."""
    fill(sqlite_ledger)
    stranger = seal.Journal(ORIGIN, sqlite_ledger.signer.generate(ORIGIN))
    with pytest.raises(StorageError, match="does not vouch"):
        append_with(sqlite_ledger, stranger)

    rotated = seal.Journal(ORIGIN, stranger.signer, verifiers=[sqlite_ledger.signer.verifier])
    append_with(sqlite_ledger, rotated)


def test_sealing_refuses_a_tree_that_is_not_the_checkpoint(sqlite_ledger: Ledger) -> None:
    """Nodes that were changed behind the guards do not get a new signature."""
    picture = fill(sqlite_ledger)
    sqlite_ledger.statement("DROP TRIGGER node_update")
    sqlite_ledger.statement("UPDATE node SET hash = zeroblob(32)")
    with pytest.raises(StorageError, match="its root is another"):
        append_with(picture, seal.Journal(ORIGIN, sqlite_ledger.signer))

    sqlite_ledger.statement("DROP TRIGGER node_delete")
    sqlite_ledger.statement("DELETE FROM node")
    with pytest.raises(StorageError, match="does not vouch"):
        append_with(picture, seal.Journal(ORIGIN, sqlite_ledger.signer))


def append_with(ledger: Ledger, writer: seal.Journal) -> None:
    """Append a note as another process, which remembers no tree, would."""
    ledger.journal = writer
    with ledger.database.transaction() as tx:
        ledger.append(tx, "case_1", [noted()])


def assert_untouched(ledger: Ledger) -> None:
    """Nothing of the filled ledger has changed."""
    with ledger.database.reading() as tx:
        found = cases.row(tx, "case_1")
        assert found is not None
        assert ("detected", 1) == (found.state, found.version)
        assert 2 == len(cases.entries(tx, "case_1"))
        assert 2 == tree.size(tx)
        assert [] == tree.unsealed(tx)
        assert "{}" == playbooks.get(tx, "d" * 64).body
        assert b"evidence" == attachments.get(tx, hashlib.sha256(b"evidence").hexdigest())
        assert [found.entity] == list(subjects.names(tx, [found.entity]))
        assert found.entity == subjects.find(tx, TENANT, Kind.MAILBOX, "ada@contoso.com")


MENDED_SQLITE = [statement for statement, said in FORCED_SQLITE.items() if said.split()[1] in {"trigger", "index"}]
MENDED_POSTGRESQL = [
    statement
    for statement, said in FORCED_POSTGRESQL.items()
    if said.split()[1] in {"trigger", "function", "index"} and "TRIGGER ALL" not in statement
]


@pytest.mark.parametrize("statement", MENDED_SQLITE)
def test_guards_are_put_back_on_sqlite(sqlite_ledger: Ledger, sqlite_path: Path, statement: str) -> None:
    """Missing, changed and extra ones, whatever name an extra one goes by."""
    owner = sqlite3.connect(sqlite_path)
    owner.execute("PRAGMA writable_schema = ON")
    owner.execute(statement)
    owner.commit()
    owner.close()

    assert [FORCED_SQLITE[statement]] == schema.mend(sqlite_ledger.database)
    assert [] == schema.compare(sqlite_ledger.database) == schema.mend(sqlite_ledger.database)


@pytest.mark.parametrize(
    "statement",
    [
        *MENDED_POSTGRESQL,
        "CREATE INDEX mine ON leaf (entry)",
        'CREATE TRIGGER "a.""b" AFTER DELETE ON leaf EXECUTE FUNCTION holdfast_refuse()',
    ],
)
def test_guards_are_put_back_on_postgresql(postgres_ledger: Ledger, statement: str) -> None:
    """They fire for replicas as well again."""
    postgres_ledger.statement(statement)

    assert 1 == len(schema.mend(postgres_ledger.database))
    assert [] == schema.compare(postgres_ledger.database)


def test_what_holds_something_is_not_mended(ledger: Ledger) -> None:
    """A table with a column too many is left as it is, and still named."""
    ledger.statement("ALTER TABLE attachment ADD COLUMN extra TEXT")

    assert [] == schema.mend(ledger.database)
    (difference,) = schema.compare(ledger.database)
    assert not schema.can_mend(difference)
