"""The doctor: each condition is found, and its cure is named."""

import shutil
import sqlite3
import subprocess
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.osuser import SOMEBODY, acting_as
from tests.services.desk import ANN, CAT, DAY, HOUR, START, Clock, Desk, Place, sqlite_url
from tests.services.test_backups import older
from workflow.domain import actions as act
from workflow.domain.alerts import Policy
from workflow.domain.private import Private
from workflow.domain.record import time_to_text
from workflow.domain.vocabulary import EntryType, Result, TenantFact
from workflow.ledger.note import Signer
from workflow.services import alert_policies, backups, health, logbook, people, restoring, tenants, upgrading
from workflow.sources.playbook_file import load, shipped
from workflow.storage import cases, chores, keyfile
from workflow.storage.database import Database, create_file
from workflow.storage.migrations import HEAD

NEXT = act.AddNote(note=Private("goes on"))


def look(place: Place, **changes: Any) -> dict[str, list[str]]:
    """The findings that are not in order: status, words and cure by what was looked at; nobody is told of alerts."""
    found: dict[str, list[str]] = {}
    for item in health.examine(place.settings(**changes), START + DAY):
        if item.status != "ok" and item.what != "alerts":
            assert item.cure
            found.setdefault(item.what, []).append(f"{item.status}: {item.said} {item.cure}")
    return found


@pytest.fixture
def sound(sqlite_place: Place) -> Place:
    """A ledger with nothing wrong with it, in a folder of its owner's alone."""
    sqlite_place.home.chmod(0o700)
    desk = Desk(sqlite_place)
    desk.restrict()
    desk.close()
    assert {} == look(sqlite_place)
    return sqlite_place


def test_a_sound_ledger_on_either_database(place: Place) -> None:
    """Nothing fails; on PostgreSQL what is not sealed is mentioned."""
    place.home.chmod(0o700)
    desk = Desk(place)
    desk.restrict()
    found = look(place)
    assert (set() if place.url.startswith("sqlite") else {"sealed"}) == set(found)
    data = health.to_data(health.examine(place.settings(), START))
    assert {"what", "status", "said", "cure", "names"} == data["findings"][0].keys()
    desk.close()


def test_files_that_others_can_get_at(sound: Place) -> None:
    """Reading the database is warned of, changing anything fails, a loose key cannot be used."""
    for name, mode in (("holdfast.db", 0o644), ("checkpoints", 0o622), ("signing.key", 0o640)):
        (sound.home / name).chmod(mode)
    found = look(sound)
    assert found["database file"][0].startswith("warn:")
    assert f"chmod 600 {sound.home / 'holdfast.db'}" in found["database file"][0]
    assert found["checkpoint file"][0].startswith("fail:")
    assert "chmod 600" in found["key"][0]
    sound.home.chmod(0o777)
    assert f"chmod 700 {sound.home}" in look(sound)["folder of the key file"][0]


def test_a_home_that_can_only_be_read(sound: Place) -> None:
    """Somebody else's: what can be read is told, the rest is a finding."""
    look(sound)
    (sound.home / "holdfast.db").chmod(0o644)
    sound.home.chmod(0o755)
    with acting_as(SOMEBODY, sound.home / "holdfast.db"):
        found = look(sound)
    assert "can only be read by you" in found["folder of the key file"][0]
    assert "cannot be read by you" in found["key file"][0]
    assert "database" not in found


def test_keys(sound: Place, tmp_path: Path) -> None:
    """Gone, and another ledger's."""
    key = sound.home / "signing.key"
    kept = key.rename(tmp_path / "kept")
    found = look(sound)
    assert "nothing can be written" in found["key"][0]
    assert "cannot be judged" in found["checkpoints"][0]
    keyfile.create(key, Signer.generate(keyfile.read(kept).name))
    assert "not this ledger's" in look(sound)["key"][0]


def test_the_checkpoint_file(sound: Place) -> None:
    """Gone, behind, ahead; and after a declared restore in order again."""
    path = sound.home / "checkpoints"
    before = path.read_text()
    backup = backups.backup(sound.settings(), sound.home.parent / "backup").file
    desk = Desk(sound)
    desk.do(desk.restrict("eve@contoso.example"), NEXT)
    desk.close()
    whole = path.read_text()
    path.write_text(before)
    assert "is further" in look(sound)["checkpoints"][0]
    path.unlink()
    assert "no checkpoint of this ledger" in look(sound)["checkpoints"][0]
    path.write_text(whole)
    path.chmod(0o600)
    shutil.copy(backup, sound.home / "holdfast.db")
    assert "holdfast ledger restore" in look(sound)["checkpoints"][0]
    restoring.restore(sound.settings(), Clock(START + DAY), ANN, None, "by hand")
    assert {} == look(sound)
    path.write_text(whole)
    assert "is further" in look(sound)["checkpoints"][0]


def test_databases_that_are_no_ledger_of_this_version(home: Path) -> None:
    """None, an empty one, an older one, a newer one, and one that was damaged."""
    home.chmod(0o700)
    nowhere = Place(home / "nowhere", sqlite_url(home / "nowhere"))
    assert {"database", "key"} == set(look(nowhere))
    place = Place(home, sqlite_url(home))
    assert "holdfast init" in look(place)["database"][0]
    (home / "checkpoints").write_text("")
    assert "holdfast ledger restore BACKUP" in look(place)["database"][0]
    (home / "checkpoints").unlink()
    create_file(home / "holdfast.db")
    assert "holdfast init" in look(place)["schema"][0]
    keyfile.create(home / "signing.key", Signer.generate("log/1"))
    assert "database" not in look(place)
    place = older(home)
    assert "holdfast upgrade" in look(place)["schema"][0]
    with closing(sqlite3.connect(home / "holdfast.db", isolation_level=None)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    assert "newer" in look(place)["schema"][0]
    (home / "holdfast.db").write_bytes(b"rubbish" * 1000)
    assert "cannot be read" in look(place)["database"][0]


def test_what_was_done_to_the_database(sound: Place) -> None:
    """A trigger that is gone, an entry that nobody sealed, a log that was emptied."""
    with closing(sqlite3.connect(sound.home / "holdfast.db", isolation_level=None)) as connection:
        connection.execute("DROP TRIGGER checkpoint_delete")
        connection.execute("DROP TRIGGER leaf_delete")
        connection.execute('DELETE FROM leaf WHERE "index" = (SELECT max("index") FROM leaf)')
    found = look(sound)
    assert "in 2 places: missing: trigger checkpoint_delete, …" in found["triggers"][0]
    assert 1 == len(found["triggers"])
    assert "Holdfast did not write" in found["sealed"][0]
    with closing(sqlite3.connect(sound.home / "holdfast.db", isolation_level=None)) as connection:
        connection.execute(f"UPDATE alembic_version SET version_num = '{HEAD}'")
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        for table in ("checkpoint", "leaf", "unsealed", "standing", "entry"):
            connection.execute(f"DELETE FROM {table}")
    found = look(sound)
    assert "holdfast init" in found["clock"][0]
    assert "not this ledger's" in found["key"][0]


def test_the_cure_of_the_triggers_cures(sound: Place) -> None:
    """What is printed is followed, and the doctor has nothing more to say."""
    with closing(sqlite3.connect(sound.home / "holdfast.db", isolation_level=None)) as connection:
        connection.execute("DROP TRIGGER leaf_delete")
    (said,) = look(sound)["triggers"]
    assert said.endswith("holdfast ledger verify, then: holdfast upgrade, which puts them back")
    done = upgrading.upgrade(sound.settings(), START)
    assert ("missing: trigger leaf_delete",) == done.mended
    assert {} == look(sound)
    with closing(sqlite3.connect(sound.home / "holdfast.db", isolation_level=None)) as connection:
        connection.execute("ALTER TABLE attachment ADD COLUMN extra TEXT")
    assert look(sound)["triggers"][0].endswith("then: holdfast ledger restore BACKUP")


@pytest.mark.parametrize("harm", ["rm {key}", "cp {other} {key}", "echo x > {key}", "chmod 644 {key}"])
def test_the_cure_of_the_key_cures(sound: Place, tmp_path: Path, harm: str) -> None:
    """The command that is printed, with one's copy of the key in it, is run as it stands."""
    key, copy, other = sound.home / "signing.key", tmp_path / "copy", tmp_path / "other"
    shutil.copy(key, copy)
    keyfile.create(other, Signer.generate(keyfile.read(key).name))
    subprocess.run(["/bin/sh", "-c", harm.format(key=key, other=other)], check=True)
    (cure,) = [
        item.cure for item in health.examine(sound.settings(), START) if (item.what, item.status) == ("key", "fail")
    ]
    subprocess.run(["/bin/sh", "-c", cure.replace("COPY", str(copy))], check=True)
    assert {} == look(sound)


def test_tenant_facts_that_no_case_reaches(sound: Place) -> None:
    """Recorded by old versions under capitals or with what nobody sees; the printed command brings them in order."""
    desk = Desk(sound)
    for name in ("Contoso", "fab\u200brikam"):
        data = {
            "tenant": name,
            "fact": "audit-logging",
            "result": "met",
            "observed_at": time_to_text(desk.clock.now),
            "expires_at": time_to_text(desk.clock.now + 30 * DAY),
        }
        with desk.app.database.transaction() as tx:
            cases.lock_log(tx)
            logbook.write(desk.app, tx, people.actor(desk.app, tx, ANN), [(EntryType.TENANT_RECORDED, data)])
    first, second = look(sound)["tenant"]
    assert "'Contoso', audit-logging, answers in no case: its name is 'contoso'" in first
    assert "record audit-logging --result met --tenant fabrikam --ref WHERE" in second
    for name in ("contoso", "fabrikam"):
        found = tenants.Found(
            fact=TenantFact.AUDIT_LOGGING,
            result=Result.MET,
            observed_at=desk.clock.now,
            valid=30 * DAY,
            reference="INC-1",
        )
        tenants.record(desk.app, ANN, found, name)
    desk.close()
    assert {} == look(sound)


def test_a_clock_that_is_behind(sound: Place) -> None:
    """The newest entry lies in its future."""
    found = [item for item in health.examine(sound.settings(), START - DAY) if item.what == "clock"]
    (cure,) = [item.cure for item in found if item.status == "fail"]
    assert "Set the clock: timedatectl set-ntp true. If it is right, look into those cases by hand until then." == cure
    assert "nothing falls due in them until 2026-11-24 08:01 UTC: #1" in found[0].said
    assert "ok" == next(item.status for item in health.examine(sound.settings(), START) if item.what == "clock")


def test_a_clock_that_is_behind_a_ledger_without_cases(sqlite_place: Place) -> None:
    """There is nothing to look into by hand."""
    (found,) = [item for item in health.examine(sqlite_place.settings(), START - 3 * DAY) if item.what == "clock"]
    assert ("fail", "Set the clock: timedatectl set-ntp true") == (found.status, found.cure)


def test_alerts_that_nobody_receives(sound: Place) -> None:
    """On and without any recipient is warned of; one recipient, or none wanted, is in order."""

    def alerts(**changes: Any) -> tuple[str, str]:
        found = health.examine(sound.settings(**changes), START + DAY)
        return next((item.status, item.said) for item in found if item.what == "alerts")

    assert ("warn", "Alerts are on, and nobody receives them.") == alerts()
    desk = Desk(sound, alert_recipients={"soc": "https://hook.example/hush"})
    change = alert_policies.Change(recipients=("soc",))
    alert_policies.change(desk.app, CAT, Policy.RESTRICTED, change)
    assert ("ok", "sent to soc") == alerts()
    for policy in Policy:
        alert_policies.change(desk.app, CAT, policy, alert_policies.Change(on=False))
    assert ("ok", "switched off") == alerts()
    desk.close()


def worked(place: Place, *names: str) -> None:
    """Note that a worker did these chores at the start."""
    with closing(Database(place.url)) as database, database.transaction() as tx:
        for name in names:
            chores.note(tx, name, START)


def workers(place: Place, after: timedelta, **changes: Any) -> list[tuple[str, str]]:
    """Return what is found about workers a while later."""
    found = health.examine(place.settings(**changes), START + after)
    return [(item.status, item.said) for item in found if item.what == "worker"]


def test_a_worker_that_is_not_heard_of_any_more(sound: Place) -> None:
    """Nothing where none was ever at work; then that it is, and that it is not."""
    assert [] == workers(sound, HOUR)
    worked(sound, "clock", "digest", "log", "poll")
    assert [("ok", "heard of 2026-11-24 08:00 UTC")] == workers(sound, 3 * HOUR, provider="microsoft365")
    ((status, said),) = workers(sound, 4 * HOUR, provider="microsoft365")
    assert ("warn", True) == (status, "No worker has been heard of since 2026-11-24 08:00 UTC" in said)


def test_a_chore_that_is_overdue(sound: Place) -> None:
    """The others are done, so that it is this one that fails; without a tenant nobody reads lists or log."""
    worked(sound, "digest", "log")
    with closing(Database(sound.url)) as database, database.transaction() as tx:
        chores.note(tx, "clock", START + 4 * HOUR)
        chores.note(tx, "digest", START + 4 * HOUR)
    warned = ("warn", "The log was last done 2026-11-24 08:00 UTC.")
    heard = ("ok", "heard of 2026-11-24 12:00 UTC")
    assert [warned] == workers(sound, 5 * HOUR, provider="microsoft365")
    assert [heard] == workers(sound, 5 * HOUR)


class Usage(NamedTuple):
    """A disk."""

    free: int


@pytest.mark.parametrize(("free", "status"), [(2**20, "fail"), (2**29, "warn")])
def test_a_disk_that_is_full(sound: Place, monkeypatch: pytest.MonkeyPatch, free: int, status: str) -> None:
    """Nearly full is warned of, full fails."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(free))
    assert look(sound)["disk"][0].startswith(status)


def test_what_was_left_behind(sound: Place) -> None:
    """Unfinished files, and a log that nobody writes back."""
    (sound.home / "x.partial").write_text("")
    with (sound.home / "holdfast.db-wal").open("wb") as file:
        file.truncate(health.LONG_LOG + 1)
    found = look(sound)
    assert f"rm {sound.home / 'x.partial'}" in found["left behind"][0]
    assert "holdfast.db-wal" not in found["left behind"]


def test_playbooks_of_ones_own(sound: Place, tmp_path: Path) -> None:
    """One that Holdfast does not ship stands in the place of one that it does."""
    name, source = next(iter(shipped().items()))
    file = tmp_path / "own.yaml"
    file.write_text(source.read_text(encoding="utf-8").replace("title: ", "title: Our own ", 1), encoding="utf-8")
    desk = Desk(sound)
    logbook.prepare(desk.app, ANN)
    with desk.app.database.transaction() as tx:
        cases.lock_log(tx)
        assert logbook.adopt(desk.app, tx, people.actor(desk.app, tx, ANN), load(file, name))
    desk.close()
    assert name in look(sound)["playbook"][0]
