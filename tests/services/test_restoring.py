"""Restores: declared for good, and never something else in their place."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.services.desk import ANN, DAN, DAY, START, TEAM, Clock, Desk, Place, sqlite_url
from workflow.domain import actions as act
from workflow.domain.private import Private
from workflow.errors import (
    DatabaseBusyError,
    InputError,
    KeyMissingError,
    NotPermittedError,
    RuleRefusedError,
    StorageError,
    VerificationError,
)
from workflow.ledger.checkpoint import Checkpoint, sign
from workflow.ledger.note import Signer
from workflow.services import audit, backups, restoring, setup, verdict, verification
from workflow.services.verification import Options
from workflow.storage import copies, keyfile, outside

NEXT = act.AddNote(note=Private("goes on"))


class Bench:
    """A ledger with a backup, and steps taken since."""

    def __init__(self, place: Place, folder: Path) -> None:
        self.place, self.folder = place, folder
        self.desk = Desk(place)
        self.case = self.desk.restrict()
        self.size = self.desk.count()
        self.file = backups.backup(place.settings(), folder / "backup").file
        self.desk.do(self.case, NEXT)
        self.desk.do(self.case, NEXT)
        self.ticket = self.keep("ticket")
        self.desk.close()

    def keep(self, name: str) -> Path:
        """Keep the ledger's newest checkpoint, three bare lines, in a file."""
        path = self.folder / name
        with Desk(self.place).app as app:
            path.write_text("\n".join(audit.checkpoint(app).splitlines()[:3]))
        return path

    def plan(self) -> restoring.Plan:
        """Say what restoring the backup would do."""
        return restoring.plan(self.place.settings(), self.desk.clock, self.file)

    def restore(self, file: Path | None = None) -> restoring.Plan:
        """Restore the backup, a minute later."""
        self.desk.clock.move()
        return restoring.restore(self.place.settings(), self.desk.clock, ANN, file or self.file, "disk failed")

    def again(self) -> Desk:
        """A desk on the ledger as it is now."""
        self.desk.close()
        self.desk = self.desk.again()
        return self.desk

    def verify(self, *against: Path, **options: Any) -> verification.Report:
        """Verify the ledger as it is now."""
        return verification.verify(self.again().app, Options(against=against, **options))


@pytest.fixture
def bench(sqlite_place: Place, tmp_path: Path) -> Iterator[Bench]:
    """A ledger with a backup that two entries are missing from."""
    made = Bench(sqlite_place, tmp_path)
    yield made
    made.desk.close()


def kinds(report: verification.Report) -> list[str]:
    """The kinds of faults found."""
    return [str(item.kind) for item in report.findings]


def test_a_restore_is_declared(bench: Bench) -> None:
    """Old leaves stay the prefix, the ledger goes on under the next name, and all of it verifies."""
    made = bench.restore()
    desk = bench.again()

    last = desk.entries()[-1]
    assert ("log:restored", 2, bench.size) == (last.type, last.data["lost"], last.data["size"])
    assert last.data["origin"].endswith("/2")
    assert made.declared.known == tuple(last.data["known"])
    assert bench.size + 1 == desk.count()
    desk.do(bench.case, NEXT)
    report = bench.verify()
    assert (True, [], "verified") == (report.ok, report.findings, report.completeness)
    assert any("2 entries known before were lost" in note for note in report.notes)


def test_what_is_displaced_is_kept(bench: Bench) -> None:
    """The database in place stays beside the new one, whole; nothing else is left behind."""
    made = bench.restore()
    assert made.aside is not None
    assert bench.size + 2 == made.present
    with closing(sqlite3.connect(made.aside)) as connection:
        assert (bench.size + 2,) == connection.execute("SELECT count(*) FROM entry").fetchone()
    bench.desk.close()
    assert {"holdfast.db", made.aside.name, "holdfast.db-turn", "signing.key", "checkpoints"} == {
        path.name for path in bench.place.home.iterdir()
    }


def test_a_checkpoint_kept_from_before_shows_the_loss(bench: Bench) -> None:
    """How many and which entries; unless that is accepted the ledger does not verify."""
    size = bench.size
    early = bench.folder / "early"
    early.write_text("\n".join(backups.backup(bench.place.settings(), bench.folder / "b2").note.splitlines()[:3]))
    whole = bench.folder / "file"
    shutil.copy(bench.place.home / "checkpoints", whole)
    bench.restore()

    for kept in (bench.ticket, early, whole, bench.place.home / "checkpoints"):
        report = bench.verify(kept)
        assert (["kept-lost"], "failed", "verified") == (kinds(report), report.completeness, report.integrity)
        assert f"lost 2 of the {size + 2} entries" in report.findings[0].why
        assert f"entries {size} to {size + 1} of " in report.findings[0].why
        accepted = bench.verify(kept, accept_restore=True)
        assert (True, [], verdict.ACCEPTED) == (accepted.ok, accepted.findings, accepted.completeness)
        assert any(note.startswith("Accepted: ") for note in accepted.notes)


def test_a_checkpoint_that_the_backup_contains_shows_nothing(bench: Bench, tmp_path: Path) -> None:
    """No false alarm."""
    kept = tmp_path / "kept"
    kept.write_text("\n".join(copies.look(bench.file, list(keys(bench))).note.splitlines()[:3]))
    bench.restore()
    assert "verified" == bench.verify(kept).completeness


def keys(bench: Bench) -> list[Any]:
    """The ledger's keys."""
    with closing(backups.file_of(bench.place.settings())) as database:
        return backups.verifiers(bench.place.settings(), database)[0]


@pytest.mark.parametrize(("line", "value"), [(1, "99999"), (2, "A" * 43 + "="), (0, "another/1")])
def test_a_declared_restore_explains_no_more_than_was_known(bench: Bench, line: int, value: str) -> None:
    """A kept checkpoint that covers more, has another root or is another log's stays a fault."""
    lines = bench.ticket.read_text().splitlines()
    lines[line] = value
    bench.ticket.write_text("\n".join(lines))
    bench.restore()
    report = bench.verify(bench.ticket, accept_restore=True)
    assert not report.ok
    assert kinds(report)[0] in {"kept-truncated", "kept-rewritten", "kept-unknown"}


def test_restoring_again_explains_every_loss(bench: Bench) -> None:
    """The same backup a second time: the next name, and every checkpoint from before is explained."""
    bench.restore()
    bench.again().do(bench.case, NEXT)
    second = bench.keep("second")
    third = bench.restore().declared
    assert ("/3", 2, 2) == (third.origin[-2:], third.lost, len(third.known))
    report = bench.verify(bench.ticket, second)
    assert ["kept-lost"] * 2 == kinds(report)
    bench.again().do(bench.case, NEXT)
    assert bench.verify().ok
    fresh = backups.backup(bench.place.settings(), bench.folder / "fresh").file
    bench.again().do(bench.case, NEXT)
    assert bench.restore(fresh).declared.origin.endswith("/4")
    assert bench.verify().ok


def test_a_plan_changes_nothing(bench: Bench) -> None:
    """It says what would be lost, and leaves every file as it is."""
    before = {path.name: path.read_bytes() for path in bench.place.home.iterdir() if "-" not in path.name}
    found = bench.plan()
    after = {path.name: path.read_bytes() for path in bench.place.home.iterdir() if "-" not in path.name}

    assert (bench.size, 2, bench.size + 2) == (found.declared.size, found.declared.lost, found.present)
    assert before == after
    assert bench.verify().ok


def test_a_reason_is_asked_for(bench: Bench) -> None:
    """A restore that nobody explains is not declared."""
    with pytest.raises(InputError, match="--reason"):
        restoring.restore(bench.place.settings(), bench.desk.clock, ANN, bench.file, " ")


def test_an_auditor_restores_nothing(bench: Bench) -> None:
    """Whoever may only read does not put another state in place, and nothing is left behind of the attempt."""
    before = sorted(bench.place.home.iterdir())
    with pytest.raises(NotPermittedError):
        restoring.restore(bench.place.settings(people=TEAM), bench.desk.clock, DAN, bench.file, "I would rather")
    assert before == sorted(bench.place.home.iterdir())


def test_what_is_no_backup_of_this_ledger(bench: Bench, sqlite_ledger: Place, tmp_path: Path) -> None:
    """Nothing, a text, a file with its log beside it, another ledger's backup, a rewritten one: all refused."""
    with pytest.raises(InputError, match="no backup"):
        bench.restore(tmp_path / "none")
    text = tmp_path / "text"
    text.write_text("not a database" * 100)
    with pytest.raises(VerificationError, match="cannot be restored"):
        bench.restore(text)
    other = Place(tmp_path / "other", sqlite_url(tmp_path / "other"))
    other.home.mkdir()
    other.set_up()
    with pytest.raises(VerificationError, match="not an earlier state"):
        bench.restore(backups.backup(other.settings(), tmp_path / "stranger").file)
    (tmp_path / "backup-wal").write_text("x")
    with pytest.raises(InputError, match="not a finished backup"):
        bench.restore()
    assert bench.verify().ok


def fork(bench: Bench, steps: int) -> Path:
    """A backup that the same key signed over another history."""
    home = bench.folder / "fork"
    home.mkdir()
    shutil.copy(bench.file, home / "holdfast.db")
    shutil.copy(bench.place.home / "signing.key", home)
    desk = Desk(Place(home, sqlite_url(home)))
    desk.clock.move(DAY)
    for _ in range(steps):
        desk.do(bench.case, NEXT)
    desk.close()
    return backups.backup(desk.place.settings(), bench.folder / "forked").file


def test_a_backup_of_another_history_is_refused(bench: Bench) -> None:
    """Signed by the right key and yet not what the checkpoint file remembers."""
    with pytest.raises(VerificationError, match="no earlier state"):
        bench.restore(fork(bench, 1))
    (bench.place.home / "checkpoints").unlink()
    outside.append(bench.place.home / "checkpoints", copies.look(bench.file, keys(bench)).note)
    # The file remembers nothing of the fork's steps; the database in place does, and is not continued by it.
    assert bench.restore(bench.folder / "forked").declared.lost == 0


def test_a_database_that_is_gone_or_unreadable_is_replaced(bench: Bench) -> None:
    """What is left of it is moved aside; without a checkpoint file nothing is known to be lost."""
    database = bench.place.home / "holdfast.db"
    for content in (None, b"", b"rubbish" * 1000):
        database.unlink()
        if content is not None:
            database.write_bytes(content)
        made = bench.restore()
        assert made.present is None
        assert (content is None) == (made.aside is None)
        if content:
            assert made.aside is not None
            assert content == made.aside.read_bytes()
        assert bench.verify().ok
        bench.desk.close()
    database.unlink()
    database.with_name("holdfast.db-wal").write_bytes(b"left")
    made = bench.restore()
    assert made.aside is not None
    assert b"left" == made.aside.with_name(made.aside.name + "-wal").read_bytes()
    (bench.place.home / "checkpoints").unlink()
    bench.again().close()
    database.unlink()
    last = bench.restore().declared
    assert ((), 0) == (last.known, last.lost)
    assert bench.verify().ok


def test_a_damaged_database_gives_way(bench: Bench) -> None:
    """One that opens and whose newest checkpoint is not signed is displaced as it is."""
    with closing(sqlite3.connect(bench.place.home / "holdfast.db", isolation_level=None)) as connection:
        connection.execute("DROP TRIGGER checkpoint_update")
        connection.execute("UPDATE checkpoint SET note = 'rubbish'")
    made = bench.restore()
    assert bench.size + 2 == made.present
    assert 2 == made.declared.lost
    assert bench.verify().ok


def test_checkpoints_of_somebody_else_are_passed_over(bench: Bench) -> None:
    """A file that only a stranger wrote to remembers nothing of this ledger."""
    stranger = Signer.generate(keys(bench)[0].name)
    path = bench.place.home / "checkpoints"
    path.unlink()
    outside.append(path, sign(Checkpoint(stranger.name, 3, b"r" * 32), stranger))
    with pytest.raises(VerificationError, match="signed by this key"):
        bench.restore()
    assert outside.before(path, 99, keys(bench)) is None


def test_without_the_key_nothing_is_restored(bench: Bench) -> None:
    """A restore has to be signed."""
    (bench.place.home / "signing.key").unlink()
    with pytest.raises(KeyMissingError):
        bench.restore()


def test_a_database_that_cannot_be_looked_at_stays(bench: Bench) -> None:
    """A file that is closed for the moment may be whole."""
    database = bench.place.home / "holdfast.db"
    database.rename(bench.folder / "kept")
    database.mkdir()
    with pytest.raises(StorageError, match="cannot be opened"):
        bench.restore()


def test_somebody_who_writes_meanwhile_comes_first(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step taken after the database was put aside stops the restore."""
    desk = bench.again()
    declare = restoring._declare

    def late(*arguments: Any) -> None:
        desk.do(bench.case, NEXT)
        declare(*arguments)

    monkeypatch.setattr(restoring, "_declare", late)
    with pytest.raises(DatabaseBusyError, match="Nothing was changed"):
        bench.restore()
    assert bench.verify().ok
    assert bench.size + 3 == bench.desk.count()


def test_a_step_lost_in_the_very_moment_is_told(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can be done for it any more than to say so."""
    desk = bench.again()
    put = copies.put

    def late(*arguments: Any) -> None:
        desk.do(bench.case, NEXT)
        put(*arguments)

    monkeypatch.setattr(copies, "put", late)
    with pytest.raises(StorageError, match="1 entries were recorded in the moment"):
        bench.restore()
    monkeypatch.undo()
    assert bench.verify().ok


def test_whoever_was_at_work_has_to_begin_anew(bench: Bench) -> None:
    """A process from before the restore writes nothing onto what it does not know."""
    desk = bench.again()
    desk.do(bench.case, NEXT)
    size = desk.count()
    restoring.restore(bench.place.settings(), desk.clock, ANN, bench.file, "disk failed")
    with pytest.raises(StorageError, match="Nothing was changed"):
        desk.do(bench.case, NEXT)
    assert size - 2 == desk.count()
    assert bench.verify().ok


def test_a_restore_the_checkpoint_file_has_not_heard_of_is_added(bench: Bench) -> None:
    """Killed between the exchange and the file: the next step puts it right."""
    path = bench.place.home / "checkpoints"
    before = path.read_bytes()
    bench.restore()
    path.write_bytes(before)
    desk = bench.again()
    desk.do(bench.case, NEXT)
    assert bench.verify().ok
    newest = outside.newest(path, keys(bench))
    assert newest is not None
    assert newest[0].origin.endswith("/2")


def test_an_older_name_is_never_gone_back_to(bench: Bench) -> None:
    """Putting the displaced database back by hand is found, and refused."""
    made = bench.restore()
    assert made.aside is not None
    shutil.copy(made.aside, bench.place.home / "holdfast.db")
    desk = bench.again()
    with pytest.raises(VerificationError, match="holdfast ledger restore"):
        desk.do(bench.case, NEXT)
    assert ["kept-rewritten"] == kinds(bench.verify())


def test_a_database_put_back_by_hand_is_declared_in_place(place: Place) -> None:
    """On either database: nothing is written until then; afterwards all is as after any other restore."""
    desk = Desk(place)
    settings = place.settings()
    setup.seal_now(desk.app)
    with pytest.raises(RuleRefusedError, match="Nothing is missing"):
        restoring.plan(settings, desk.clock, None)
    case_id = desk.restrict()
    size = desk.count()
    signer = keyfile.read(settings.key_file)
    outside.append(settings.checkpoint_file, sign(Checkpoint(signer.name, size + 1, b"r" * 32), signer))
    again = desk.again()
    with pytest.raises(VerificationError, match="holdfast ledger restore"):
        again.do(case_id, NEXT)
    assert restoring.plan(settings, desk.clock, None).declared.lost
    made = restoring.restore(settings, desk.clock, ANN, None, "pg_restore")
    assert (size, 1, None) == (made.declared.size, made.declared.lost, made.aside)
    after = desk.again()
    with pytest.raises(DatabaseBusyError, match="meanwhile"):
        restoring._declare(after.app, ANN, made.declared, "the entry itself has been added")
    after = desk.again()
    after.do(case_id, NEXT)
    setup.seal_now(after.app)
    assert verification.verify(after.app).ok
    desk.close()


def test_a_server_is_put_back_with_its_own_tools(postgres_place: Place, tmp_path: Path) -> None:
    """A backup file is not taken for one of a server's."""
    with pytest.raises(InputError, match="pg_restore"):
        restoring.plan(postgres_place.settings(), Clock(START), tmp_path / "file")
