"""Verification: three verdicts, what each of them names, and what it says it could not check."""

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.services.desk import ADA, DAN, EVE, HOUR, TEAM, Desk, Place, plain, report
from workflow.domain import actions as act
from workflow.domain.private import Private
from workflow.domain.vocabulary import Kind
from workflow.errors import InputError, NotPermittedError, StorageError, VerificationError
from workflow.ledger.merkle import leaf_hash
from workflow.ledger.note import Signer
from workflow.services import audit, casework, setup, verification
from workflow.services.verification import Options, Report
from workflow.storage import keyfile

EMPTY = hashlib.sha256(b"{}").hexdigest()


@contextmanager
def forced(place: Place) -> Iterator[sqlite3.Connection]:
    """Change the database as the owner of the file can: guards are dropped first and put back afterwards."""
    connection = sqlite3.connect(place.home / "holdfast.db")
    triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    yield connection
    for _, text in triggers:
        connection.execute(text)
    connection.commit()
    connection.close()


def kinds(found: Report) -> set[str]:
    """Return the kinds of what was found."""
    return {str(finding.kind) for finding in found.findings}


def test_an_honest_ledger_verifies(desk: Desk) -> None:
    """After a whole case, refusals included, nothing is found, and what was not checked is said."""
    desk.released()
    with pytest.raises(Exception, match="gate"):
        desk.do(desk.restrict(EVE), act.RequestUnblock())
    found = verification.verify(desk.app)
    assert (True, "verified", "verified", "key file", []) == (
        found.ok,
        found.integrity,
        found.completeness,
        found.authorship,
        found.findings,
    )
    data = found.to_data()
    assert plain(data) == data
    assert (2, 1, 0) == tuple(found.counts[name] for name in ("cases", "refused_attempts", "texts_without_opening"))
    assert any("this machine's own key" in note for note in found.notes)


def test_an_honest_ledger_that_is_not_sealed_says_so(postgres_place: Place) -> None:
    """On a server the newest entries may wait for the sealer; they are counted, not accused."""
    desk = Desk(postgres_place)
    desk.restrict()
    found = verification.verify(desk.app)
    assert ([], 1) == (found.findings, found.counts["unsealed"])
    assert any("Not sealed: 1" in note for note in found.notes)
    setup.seal_now(desk.app)
    found = verification.verify(desk.app)
    assert (0, "verified") == (found.counts["unsealed"], found.completeness)
    desk.close()


def test_entries_at_places_that_no_tree_has(sqlite_desk: Desk) -> None:
    """An entry whose leaf stands before the first or behind a gap is named, and does not pass for sealed."""
    sqlite_desk.restrict()
    for index in (-1, -(2**63), 2**63 - 1):
        place = sqlite_desk.place.copy(sqlite_desk.place.home.parent / f"place{index}")
        with forced(place) as sql:
            ((body,),) = sql.execute("SELECT body FROM entry ORDER BY position DESC LIMIT 1").fetchall()
            forged = json.dumps(json.loads(body) | {"id": "forged", "sequence": 2}, separators=(",", ":"))
            (position,) = sql.execute("INSERT INTO entry (body) VALUES (?) RETURNING position", (forged,)).fetchone()
            sql.execute("INSERT INTO leaf VALUES (?, ?, ?)", (index, position, leaf_hash(forged.encode())))
        desk = Desk(place)
        assert "gap" in kinds(verification.verify(desk.app))
        desk.close()


def test_progress_is_told(desk: Desk) -> None:
    """Once per case, the log among them."""
    desk.restrict()
    told: list[tuple[int, int]] = []
    verification.verify(desk.app, Options(progress=lambda done, total: told.append((done, total))))
    assert [(1, 2), (2, 2)] == told


def test_whose_key_it_was_is_said(desk: Desk) -> None:
    """A key that was given, the key file's, or only the ledger's own word."""
    vkey = audit.public_key(desk.app)
    assert "given" == verification.verify(desk.app, Options(key=vkey + "\n")).authorship
    stranger = Signer.generate(vkey.split("+", 1)[0]).verifier.text
    found = verification.verify(desk.app, Options(key=stranger))
    assert ("failed", False) == (found.integrity, found.ok)
    (desk.place.home / "signing.key").unlink()
    found = verification.verify(desk.app)
    assert (True, "claimed") == (found.ok, found.authorship)
    assert any("Authorship not proven" in note for note in found.notes)


@pytest.mark.parametrize("key", ["", "not a key", "a+b+c", "x" * 10_000])
def test_what_is_no_public_key_is_refused(sqlite_desk: Desk, key: str) -> None:
    """The message says where the right one was printed."""
    with pytest.raises(InputError, match="holdfast init"):
        verification.verify(sqlite_desk.app, Options(key=key))


def test_without_a_kept_checkpoint_completeness_is_not_checked(desk: Desk) -> None:
    """What was not checked is neither verified nor failed."""
    (desk.place.home / "checkpoints").unlink()
    found = verification.verify(desk.app)
    assert (True, "not checked", "not checked") == (found.ok, found.completeness, found.freshness)


def test_a_kept_checkpoint_says_how_fresh_it_is(sqlite_desk: Desk, tmp_path: Path) -> None:
    """Up to when it covers the ledger, and how many entries rest on the database alone."""
    kept = tmp_path / "ticket.txt"
    kept.write_text(audit.checkpoint(sqlite_desk.app))
    sqlite_desk.restrict()
    sqlite_desk.clock.move(HOUR)
    found = verification.verify(sqlite_desk.app, Options(against=(kept,)))
    assert "verified" == found.completeness
    assert "1 later entries rest on the database alone" in found.freshness
    assert any(str(kept) in note for note in found.notes)


def test_an_old_backup_is_told_from_the_kept_checkpoint(sqlite_desk: Desk, tmp_path: Path) -> None:
    """A database that was rolled back is whole and not complete, and nothing is written onto it."""
    place = sqlite_desk.place
    backup = place.copy(tmp_path / "backup")
    sqlite_desk.restrict()
    sqlite_desk.close()
    for name in ("holdfast.db-wal", "holdfast.db-shm"):
        (place.home / name).unlink(missing_ok=True)
    (place.home / "holdfast.db").write_bytes((backup.home / "holdfast.db").read_bytes())
    desk = Desk(place)
    found = verification.verify(desk.app)
    assert (False, "verified", "failed", {"kept-truncated"}) == (
        found.ok,
        found.integrity,
        found.completeness,
        kinds(found),
    )
    with pytest.raises(VerificationError):
        desk.restrict()
    desk.close()


def test_another_ledgers_checkpoint_does_not_fit(sqlite_desk: Desk, tmp_path: Path) -> None:
    """Three lines of another ledger are believed as they stand, and its root is another."""
    sqlite_desk.restrict()
    lines = audit.checkpoint(sqlite_desk.app).split("\n")[:3]
    kept = tmp_path / "ticket.txt"
    kept.write_text("\n".join([lines[0], lines[1], "A" * 43 + "="]))
    found = verification.verify(sqlite_desk.app, Options(against=(kept,)))
    assert ("verified", "failed", {"kept-rewritten"}) == (found.integrity, found.completeness, kinds(found))


def test_a_kept_checkpoint_that_another_key_signed_is_a_finding(sqlite_desk: Desk, tmp_path: Path) -> None:
    """A signed note, kept, does not pass for unreadable when this machine's key was exchanged."""
    note, ticket = tmp_path / "note.txt", tmp_path / "ticket.txt"
    note.write_text(audit.checkpoint(sqlite_desk.app))
    ticket.write_text("\n".join(note.read_text().split("\n")[:3]))
    stranger = sqlite_desk.place.home / "signing.key"
    stranger.unlink()
    keyfile.create(stranger, Signer.generate("holdfast-1/1"))
    for against in ((note,), (ticket, note)):
        found = verification.verify(sqlite_desk.app, Options(against=against))
        assert ("failed", "failed", {"signature", "kept-unknown"}) == (
            found.integrity,
            found.completeness,
            kinds(found) - {"origin"},
        )


def test_completeness_says_how_much_of_what_there_is_was_covered(sqlite_desk: Desk, tmp_path: Path) -> None:
    """Two numbers that stand for themselves, whichever is larger."""
    lines = audit.checkpoint(sqlite_desk.app).split("\n")
    kept = tmp_path / "ticket.txt"
    kept.write_text("\n".join([lines[0], "99", lines[2]]))
    found = verification.verify(sqlite_desk.app, Options(against=(kept,)))
    assert any(f"it covers 99 entries, the ledger holds {lines[1]}." in note for note in found.notes)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entry SET body = replace(body, '\"detected\"', '\"released\"') WHERE case_id <> 'log'",
        "UPDATE node SET hash = zeroblob(32)",
        "DELETE FROM entry WHERE sequence = 2 AND case_id = 'log'",
    ],
)
def test_a_tree_that_does_not_recompute_is_compared_with_nothing(sqlite_desk: Desk, statement: str) -> None:
    """The stored nodes may still give the kept root while the entries beneath them do not: that verifies nothing."""
    sqlite_desk.restrict()
    sqlite_desk.close()
    with forced(sqlite_desk.place) as connection:
        connection.execute(statement)
    desk = Desk(sqlite_desk.place)
    found = verification.verify(desk.app)
    desk.close()
    assert "failed" == found.integrity
    assert found.completeness in {"not checked", "failed"}


@pytest.mark.parametrize(
    ("statements", "kind"),
    [
        (["UPDATE entry SET body = replace(body, '\"detected\"', '\"released\"') WHERE case_id <> 'log'"], "picture"),
        (["DELETE FROM entry WHERE sequence = 2 AND case_id <> 'log'"], "missing"),
        (["UPDATE \"case\" SET state = 'released'"], "picture"),
        (['DELETE FROM "case" WHERE number = 1'], "picture"),
        (["UPDATE \"case\" SET id = 'nobody' WHERE number = 1"], "picture"),
        (["UPDATE opening SET value = 'other words'"], "opening"),
        (["UPDATE opening SET commitment = replace(commitment, 'a', 'b')"], "opening"),
        (["UPDATE playbook SET body = replace(body, 'password-reset', 'password-reses')"], "playbook"),
        (["DELETE FROM playbook WHERE name = 'compromised-mailbox'"], "replay"),
        ([f"INSERT INTO playbook (digest, name, version, body) VALUES ('{EMPTY}', 'x', '1', '{{}}')"], "playbook"),
        (["UPDATE playbook SET version = '9' WHERE name = 'compromised-mailbox'"], "playbook"),
        (["UPDATE opening SET case_id = 'nobody'"], "opening"),
        (
            ["UPDATE entry SET body = replace(body, '\"playbook:adopted\"', '\"case:noted\"') WHERE position = 3"],
            "origin",
        ),
        (["UPDATE attachment SET content = x'00'"], "attachment"),
        (["DELETE FROM leaf WHERE entry = (SELECT max(entry) FROM leaf)"], "unsealed"),
        (["UPDATE node SET hash = zeroblob(32)"], "node"),
        (["INSERT INTO node (key, hash) VALUES (9 << 56, zeroblob(32))"], "node"),
        (["UPDATE entry SET body = replace(body, ',', ', ') WHERE sequence = 2 AND case_id <> 'log'"], "malformed"),
        (["UPDATE entry SET body = replace(body, ',', ', ') WHERE case_id <> 'log'"], "malformed"),
        (["UPDATE entry SET body = replace(body, ',', ', ') WHERE position = 3"], "malformed"),
        (["UPDATE checkpoint SET note = 'no note' WHERE size = (SELECT max(size) FROM checkpoint)"], "checkpoint"),
    ],
)
def test_what_the_owner_of_the_file_changed_is_named(sqlite_desk: Desk, statements: list[str], kind: str) -> None:
    """Guards keep others out; the owner can drop them, and verification says what was done behind their back."""
    case_id = sqlite_desk.restrict(ADA)
    digest = casework.attach(sqlite_desk.app, b"evidence")
    sqlite_desk.met(case_id, "snapshot-taken", attachment=digest)
    sqlite_desk.do(case_id, act.AddNote(note=Private("words")))
    sqlite_desk.close()
    with forced(sqlite_desk.place) as connection:
        for statement in statements:
            connection.execute(statement)
    found = Desk(sqlite_desk.place)
    result = verification.verify(found.app)
    found.close()
    assert "failed" == result.integrity
    assert kind in kinds(result)
    assert plain(result.to_data()) == result.to_data()


def test_a_dropped_guard_is_named(sqlite_desk: Desk) -> None:
    """Without a change of content, too: a guard that is gone will be missed one day."""
    connection = sqlite3.connect(sqlite_desk.place.home / "holdfast.db")
    (name,) = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' LIMIT 1").fetchone()
    connection.execute(f"DROP TRIGGER {name}")
    connection.close()
    found = verification.verify(sqlite_desk.app)
    assert {"schema"} == kinds(found)
    assert name in found.findings[0].why


@contextmanager
def rewritten(place: Place, old: str, new: str, *, back: bool) -> Iterator[sqlite3.Connection]:
    """Force the schema open and let the entry table's columns derive otherwise, for a while or for good."""
    path = place.home / "holdfast.db"

    def put(there: str, instead: str) -> None:
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA writable_schema=ON")
        change = "UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE name = 'entry'"
        connection.execute(change, (there, instead))
        connection.commit()
        connection.close()

    put(old, new)
    with forced(place) as connection:
        yield connection
    if back:
        put(new, old)


def test_a_column_that_derives_otherwise_is_named(sqlite_desk: Desk) -> None:
    """A column that no longer says what its body says would hide an entry from whoever searches by it."""
    sqlite_desk.restrict()
    sqlite_desk.close()
    with rewritten(sqlite_desk.place, "'$.tenant'", "'$.type'", back=False):
        pass
    desk = Desk(sqlite_desk.place)
    found = verification.verify(desk.app)
    desk.close()
    assert {"schema", "column"} <= kinds(found)


def test_columns_that_cannot_be_derived_are_named(sqlite_desk: Desk) -> None:
    """An entry that is no JSON at all has no columns to compare, and that is a finding, not an accident."""
    sqlite_desk.restrict()
    sqlite_desk.close()
    # Newer SQLite looks at the types of derived columns too.
    number = ("json_extract(body, '$.sequence')", "length('$.sequence')")
    with (
        rewritten(sqlite_desk.place, *number, back=True),
        rewritten(sqlite_desk.place, "json_extract(body, ", "printf('%s', ", back=True) as connection,
    ):
        connection.execute("UPDATE entry SET body = 'no json' WHERE position = 3")
    desk = Desk(sqlite_desk.place)
    found = verification.verify(desk.app)
    desk.close()
    assert "failed" == found.integrity
    assert 2 in {finding.index for finding in found.findings}


def test_a_log_without_its_first_entry_has_no_key(sqlite_desk: Desk) -> None:
    """Where neither a key file nor the log names a key, no signature can be held against one."""
    (sqlite_desk.place.home / "signing.key").unlink()
    sqlite_desk.close()
    with forced(sqlite_desk.place) as connection:
        connection.execute("UPDATE entry SET body = replace(body, ',', ', ') WHERE position = 1")
    desk = Desk(sqlite_desk.place)
    found = verification.verify(desk.app)
    desk.close()
    assert "failed" == found.integrity
    assert any("names no public key" in finding.why for finding in found.findings)


def test_of_many_findings_a_hundred_are_told(sqlite_desk: Desk) -> None:
    """The others are counted."""
    sqlite_desk.take(*(report(f"user{number}@contoso.example") for number in range(150)))
    sqlite_desk.close()
    with forced(sqlite_desk.place) as connection:
        connection.execute("UPDATE \"case\" SET state = 'released'")
    desk = Desk(sqlite_desk.place)
    found = verification.verify(desk.app)
    desk.close()
    assert (100, True) == (len(found.findings), found.more >= 50)
    assert found.more == found.to_data()["more_findings"]


def test_every_signature_or_only_the_newest(sqlite_desk: Desk) -> None:
    """All are checked unless somebody is in a hurry."""
    sqlite_desk.restrict()
    every = verification.verify(sqlite_desk.app)
    newest = verification.verify(sqlite_desk.app, Options(every_signature=False))
    assert every.counts["checkpoints"] == every.counts["signatures"]
    assert (True, 1) == (newest.ok, newest.counts["signatures"])


@pytest.mark.parametrize(
    ("statement", "kind", "count"),
    [
        ("DELETE FROM opening WHERE case_id <> 'log'", "opening", 2),
        ("DELETE FROM subject WHERE kind = 'mailbox'", "subject", 1),
        ("DELETE FROM subject WHERE kind = 'person'", "subject", 2),
        ("DELETE FROM attachment", "attachment", 1),
    ],
)
def test_what_is_gone_without_an_erasure_is_named(desk: Desk, statement: str, kind: str, count: int) -> None:
    """Texts, names and files go with an erasure on the ledger, and never without one."""
    digest = casework.attach(desk.app, b"proof")
    case_id = desk.restrict()
    desk.met(case_id, "snapshot-taken", attachment=digest)
    assert [] == verification.verify(desk.app).findings
    with desk.app.database.transaction() as tx:
        tx.run(statement)
    found = verification.verify(desk.app)
    assert [kind] * count == [finding.kind for finding in found.findings]
    assert {"no erasure on the ledger explains"} == {finding.why[-33:] for finding in found.findings}


@pytest.mark.parametrize(
    ("statement", "kind", "count"),
    [
        ("DELETE FROM subject WHERE identifier IN ('bob', 'cat')", "subject", 2),
        ("DELETE FROM subject WHERE identifier = 'zoe'", "subject", 1),
        (f"DELETE FROM subject WHERE identifier = '{EVE}'", "subject", 1),
        ("DELETE FROM subject WHERE identifier = 'yan@contoso.example'", "subject", 1),
        ("DELETE FROM attachment", "attachment", 1),
    ],
)
def test_who_and_what_is_only_named_is_missed_too(
    open_desk: Callable[..., Desk], statement: str, kind: str, count: int
) -> None:
    """Listed people who never acted, an assignee, and the users and the file of steps that were refused."""
    desk = open_desk(people=TEAM)
    case_id = desk.restrict()
    desk.do(case_id, act.AssignCase(assignee=casework.person(desk.app, "Zoe")))
    eve = casework.subject(desk.app, "default", Kind.USER, EVE)
    for denied in (
        act.AddIdentity(subject=eve),
        desk.evidence("password-reset", "yan@contoso.example", attachment=casework.attach(desk.app, b"proof")),
    ):
        with pytest.raises(NotPermittedError):
            desk.do(case_id, denied, who=DAN)
    assert [] == verification.verify(desk.app).findings
    with desk.app.database.transaction() as tx:
        tx.run(statement)
    found = verification.verify(desk.app)
    assert [kind] * count == [finding.kind for finding in found.findings]


def test_no_ledger_is_no_verdict(tmp_path: Path) -> None:
    """A database that is not there cannot be verified."""
    desk = Desk(Place(tmp_path, f"sqlite:///{tmp_path / 'none.db'}"))
    with pytest.raises(StorageError, match="holdfast init"):
        verification.verify(desk.app)
