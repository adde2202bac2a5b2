"""backup, upgrade, doctor: keeping what was recorded."""

from __future__ import annotations

import gzip
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.shell import Shell

OLDER = Path(__file__).parent.parent / "services" / "ledgers" / "schema-0001.db.gz"


def test_backup(case: Shell, home: Path) -> None:
    """What was written, the checkpoint it holds, and what is not in it."""
    ran = case.ok("backup copy.db")
    note = case.ok("ledger checkpoint --print").out.split()

    assert f"  checkpoint  {' '.join(note)}" in ran.out
    assert "holds against this machine's key file" in ran.out
    assert "signing key      " in ran.out
    assert (2, 0) == (case("backup copy.db").code, case("backup copy.db --force").code)
    assert 2 == case("backup home/data/holdfast.db --force").code


def test_backup_as_json(case: Shell, home: Path) -> None:
    """The same as data."""
    data = case.ok("backup copy.db --json").data

    assert (data["entries"], "key file") == (data["checkpoint"]["size"], data["signature_held_against"])
    assert str(home / "home" / "config" / "signing.key") in {item["file"] for item in data["not_included"]}


def test_restore(case: Shell, home: Path) -> None:
    """Two steps; afterwards a checkpoint from before fails until the restore is accepted."""
    case.ok("backup copy.db")
    case.ok("case note 1 more")
    (home / "ticket").write_text(case.ok("ledger checkpoint --print").out)

    shown = case.ok("ledger restore copy.db").out
    assert "lost        1 entries known afterwards" in shown
    assert "holdfast ledger restore copy.db --reason TEXT --yes" in shown
    assert not case.ok("ledger restore copy.db --json").data["restored"]
    assert 2 == case("ledger restore copy.db --yes").code
    assert "The ledger is restored" in case.ok("ledger restore copy.db --yes --reason x").out
    data = case.ok("ledger restore copy.db --yes --reason x --json").data
    assert (True, True) == (data["restored"], data["kept_aside"] is not None)

    assert [6, 0, 0] == [
        case(f"ledger verify {more}").code for more in ("--against ticket", "--against ticket --accept-restore", "")
    ]
    assert 3 == case("ledger restore").code


def test_restore_asks_where_somebody_can_be_asked(case: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Yes and a reason go on, no does not."""
    case.ok("backup copy.db")
    monkeypatch.setattr("workflow.cli.ledger_restore.interactive", lambda: True)
    assert "Nothing was changed" in case.ok("ledger restore copy.db", typed=b"n\n").out
    assert "The ledger is restored" in case.ok("ledger restore copy.db", typed=b"y\ndisk failed\n").out
    assert "disk failed" in case.ok("ledger log --limit 1").out


def test_upgrade(shell: Shell, home: Path) -> None:
    """Nothing to do is said."""
    assert "Nothing to do" in shell.ok("upgrade").out
    with closing(sqlite3.connect(home / "home" / "data" / "holdfast.db")) as connection:
        connection.execute("DROP TRIGGER leaf_delete")
    ran = shell.ok("upgrade")
    assert "Put back as this version made them:\n  missing: trigger leaf_delete" in ran.out
    assert "holdfast ledger verify" in ran.err
    (home / "home" / "config" / "signing.key").unlink()
    (home / "home" / "data" / "holdfast.db").write_bytes(gzip.decompress(OLDER.read_bytes()))
    assert "Run: holdfast upgrade" in shell("case list").err
    ran = shell.ok("upgrade")
    assert "Backup of the old database: " in ran.out
    assert "Upgraded from schema 0001 to " in ran.out
    assert (False, None) == tuple(shell.ok("upgrade --json").data[name] for name in ("changed", "backup"))


def test_doctor(case: Shell, home: Path) -> None:
    """Every finding has a word for how it is; what fails has a cure and exit 1."""
    case.later(days=365)
    shown = case.ok("doctor").out
    assert "ok    key: holdfast-" in shown
    assert "warn  alerts: Alerts are on, and nobody receives them.\n      cure: holdfast alert recipients" in shown
    assert " 1 warn" in shown
    (home / "home" / "config" / "signing.key").rename(home / "kept")
    ran, data = case("doctor"), case("doctor --json")
    assert (1, 1, False) == (ran.code, data.code, data.data["ok"])
    assert "fail  key: There is no key" in ran.out
    assert "      cure: install -D -m 600 COPY" in ran.out


def test_the_doctor_hears_that_the_worker_was_stopped(case: Shell, home: Path) -> None:
    """What the worker of this host says of itself counts; a single pass ends by itself and is not missed."""
    case.ok("worker --once")
    assert "ok    worker: heard of" in case.ok("doctor").out
    (path,) = (home / "home").rglob("worker.json")
    told = json.loads(path.read_text())
    path.write_text(json.dumps(told | {"once": False, "stopped": False}))
    assert "ok    worker: heard of" in case.ok("doctor").out
    path.write_text(json.dumps(told | {"once": False}))
    shown = case.ok("doctor").out
    assert "warn  worker: This host's worker was stopped at" in shown
    assert "worker: heard of" not in shown
    path.write_text("[]")
    assert "warn  worker: " in case.ok("doctor").out
