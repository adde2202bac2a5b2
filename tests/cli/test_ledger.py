"""``holdfast ledger``: log, verify, checkpoint, export, rebuild."""

from __future__ import annotations

import csv
import io
import os
import sqlite3
from pathlib import Path

import pytest

from tests.cli.shell import Shell
from workflow.cli.demo import MARK, flip
from workflow.cli.demo_stage import Stage


def test_log(case: Shell) -> None:
    """The newest entries of all cases, claimed names marked."""
    assert "case opened: listed  [new → detected]" in case.ok("ledger log --limit 1").out
    assert ["case:opened"] == [entry["type"] for entry in case.ok("ledger log --limit 1 --json").data["entries"]]
    (row,) = csv.DictReader(io.StringIO(case.ok("ledger log --limit 1 --csv").out))
    assert "True" == row["claimed"].title()


def test_verified(case: Shell) -> None:
    """Three verdicts, and what they rest on."""
    ran, data = case.ok("ledger verify"), case.ok("ledger verify --json").data

    assert ran.out.startswith("The ledger verifies.\n  integrity     verified\n  completeness  verified\n")
    assert "signatures held against: key file" in ran.out
    assert ("verified", True, []) == (data["integrity"], data["ok"], data["findings"])


def test_given_key_and_checkpoint(case: Shell, home: Path) -> None:
    """A public key and a ticket's three lines, kept elsewhere, are what is held against."""
    key = case.ok("ledger log --limit 99 --json").data["entries"][0]["details"]["vkey"]
    (home / "key").write_text(key + "\n", encoding="utf-8")
    (home / "ticket").write_text(case.ok("ledger checkpoint --print").out, encoding="utf-8")

    shown = case.ok("ledger verify --key key --against ticket").out

    assert "signatures held against: given" in shown
    assert "Completeness was held against ticket" in shown


def test_not_checked(case: Shell, home: Path) -> None:
    """Without a kept checkpoint the headline says what was not checked."""
    (home / "home" / "state" / "checkpoints").unlink()

    assert "NOT CHECKED: completeness, freshness" in case.ok("ledger verify").out


def test_a_flipped_byte(case: Shell, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One changed byte is named with its case and entry, and the exit code is 6."""
    case.ok("case record 1 sessions-revoked --ref T --as ana")
    stage = Stage(home, case.now)
    flip(stage, home / "home" / "data" / "holdfast.db", home / "copy.db")
    monkeypatch.setenv("HOLDFAST_DATABASE_URL", f"sqlite:///{home / 'copy.db'}")

    ran, data = case("ledger verify"), case("ledger verify --json")

    assert [] == stage.surprises
    assert (6, 6) == (ran.code, data.code)
    assert "The ledger does NOT verify." in ran.out
    assert "First fault: leaf, case #1, entry 2" in ran.out
    assert (False, "failed") == (data.data["ok"], data.data["integrity"])


def test_a_damaged_file(case: Shell, home: Path) -> None:
    """A file that cannot be read through does not verify; one that is not there is an error."""
    database = home / "home" / "data" / "holdfast.db"
    content = bytearray(database.read_bytes())
    content[:16] = bytes(16)
    database.write_bytes(content)
    ran, data = case("ledger verify"), case("ledger verify --json")

    assert (6, 6) == (ran.code, data.code)
    assert ran.err.startswith("Not verified: The ledger does not verify: it cannot be read through.")
    assert "verification" == data.data["error"]["code"]
    database.unlink()
    assert 1 == case("ledger verify").code


def test_a_folder_that_cannot_be_written_to(case: Shell, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where SQLite cannot even read, nothing is said against the ledger."""
    (home / "home" / "data" / "holdfast.db").write_bytes(b"not to be opened")
    monkeypatch.setattr("workflow.cli.ledger.os.access", lambda _path, mode: mode == os.R_OK)
    ran = case("ledger verify")

    assert 1 == ran.code
    assert "does not verify" not in ran.err
    assert "copy the folders of this ledger" in ran.err


def test_a_server_that_is_not_there(case: Shell, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that cannot be reached says nothing about the ledger."""
    monkeypatch.setenv("HOLDFAST_DATABASE_URL", "postgresql+psycopg://nobody@127.0.0.1:1/none")

    assert 1 == case("ledger verify").code


def test_nothing_to_flip(case: Shell, home: Path) -> None:
    """The demo says so when the entry it wants to wound is not there."""
    stage = Stage(home, case.now)
    flip(stage, home / "home" / "data" / "holdfast.db", home / "copy.db")

    assert [f"{MARK!r} was not found in the database"] == stage.surprises


def test_a_rewritten_history(case: Shell, home: Path) -> None:
    """A ledger put back to an earlier day does not fit the checkpoint that was kept."""
    (home / "old.db").write_bytes((home / "home" / "data" / "holdfast.db").read_bytes())
    case.ok("case note 1 hello")
    (home / "ticket").write_text(case.ok("ledger checkpoint --print").out, encoding="utf-8")
    (home / "home" / "data" / "holdfast.db").write_bytes((home / "old.db").read_bytes())

    ran = case("ledger verify --against ticket")

    assert 6 == ran.code
    assert "kept-truncated" in ran.out


def test_many_faults(case: Shell, home: Path) -> None:
    """Beyond a hundred, faults are counted."""
    database = home / "home" / "data" / "holdfast.db"
    with sqlite3.connect(database) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")]
        for name in names:
            connection.execute(f'DROP TRIGGER "{name}"')
        for number in range(120):
            connection.execute(
                "INSERT INTO attachment (digest, size, content) VALUES (?, 1, ?)", (f"{number:064x}", b"x")
            )
    connection.close()

    ran = case("ledger verify")

    assert 6 == ran.code, ran
    assert "more faults" in ran.out


@pytest.mark.parametrize("words", ["--key missing", "--against missing"])
def test_what_cannot_be_read(case: Shell, words: str) -> None:
    """A missing key or checkpoint is a usage error, not a verdict."""
    assert 2 == case(f"ledger verify {words}").code


def test_checkpoints(case: Shell) -> None:
    """The signed note, or the three lines of it that go into a ticket."""
    note = case.ok("ledger checkpoint").out
    data = case.ok("ledger checkpoint --json").data

    assert note.splitlines()[:3] == case.ok("ledger checkpoint --print").out.splitlines()
    assert (note, str(data["size"])) == (data["note"], note.splitlines()[1])


def test_exports(case: Shell, home: Path) -> None:
    """An export verifies without a database; a wounded one does not."""
    key = case.ok("ledger log --limit 99 --json").data["entries"][0]["details"]["vkey"]
    (home / "key").write_text(key, encoding="utf-8")
    assert "entries written to out.jsonl" in case.ok("ledger export out.jsonl").out
    assert 2 == case("ledger export out.jsonl").code
    assert case.ok("ledger export other.jsonl --json").data["entries"] > 1
    assert "The export verifies." in case.ok("ledger verify --export out.jsonl --key key").out
    assert 2 == case("ledger verify --export out.jsonl").code
    text = (home / "out.jsonl").read_text(encoding="utf-8")
    (home / "out.jsonl").write_text(text.replace("case:opened", "case:openee", 1), encoding="utf-8")

    ran, data = (
        case("ledger verify --export out.jsonl --key key"),
        case("ledger verify --export out.jsonl --key key --json"),
    )

    assert (6, 6) == (ran.code, data.code)
    assert "The export does NOT verify." in ran.out
    assert not data.data["ok"]


def test_rebuild(case: Shell) -> None:
    """The case table is drawn again from the entries."""
    assert "1 cases drawn again" in case.ok("ledger rebuild").out
    assert {"cases": 1} == case.ok("ledger rebuild --json").data
    case.ok("ledger verify")
