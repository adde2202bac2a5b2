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
from workflow.cli.ledger import _steps as steps_after
from workflow.cli.session import Session


def test_log(case: Shell) -> None:
    """The newest entries of all cases, claimed names marked."""
    assert "case opened: listed  [new → detected]" in case.ok("ledger log --limit 1").out
    assert ["case:opened"] == [entry["type"] for entry in case.ok("ledger log --limit 1 --json").data["entries"]]
    (row,) = csv.DictReader(io.StringIO(case.ok("ledger log --limit 1 --csv").out))
    assert "True" == row["claimed"].title()


def test_log_of_one_person(case: Shell) -> None:
    """By the claimed name or the system's user, in every form; a name nobody used is a slip."""
    case.ok("case note 1 hello --as Ben")
    shown = case.ok("ledger log --by ben --json").data["entries"]
    assert ["case:noted"] == [entry["type"] for entry in shown]
    assert "1 hello" not in case.ok("ledger log --by ana").out
    assert 1 == len(list(csv.DictReader(io.StringIO(case.ok("ledger log --by BEN --csv").out))))
    everything = case.ok("ledger log --limit 99 --json").data["entries"]
    assert everything == case.ok("ledger log --limit 99 --json --by", shown[0]["os_user"]).data["entries"]
    ran = case("ledger log --by zoe")
    assert 5 == ran.code
    assert "holdfast ledger access" in ran.err


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
    written = case.ok("ledger export out.jsonl").out
    assert "entries written to out.jsonl" in written
    assert "--export out.jsonl --key FILE" in written
    assert 2 == case("ledger export out.jsonl").code
    assert case.ok("ledger export other.jsonl --json").data["entries"] > 1
    bare = case.ok("ledger verify --export out.jsonl --key key").out
    assert bare.startswith("What was checked of the export verifies. NOT CHECKED: completeness, freshness.")
    assert 2 == case("ledger verify --export out.jsonl").code
    text = (home / "out.jsonl").read_text(encoding="utf-8")
    (home / "out.jsonl").write_text(text.replace("case:opened", "case:openee", 1), encoding="utf-8")

    ran, data = (
        case("ledger verify --export out.jsonl --key key"),
        case("ledger verify --export out.jsonl --key key --json"),
    )

    assert (6, 6) == (ran.code, data.code)
    assert "The export does NOT verify." in ran.out
    assert "Do not rely on this export" in ran.out
    assert not data.data["ok"]


def test_an_export_against_a_ticket(case: Shell, home: Path) -> None:
    """The kept checkpoint decides as it does for the database: three verdicts, exit code 6 where it does not fit."""
    key = case.ok("ledger log --limit 99 --json").data["entries"][0]["details"]["vkey"]
    (home / "key").write_text(key, encoding="utf-8")
    case.ok("ledger export out.jsonl")
    ticket = case.ok("ledger checkpoint --print").out
    (home / "ticket").write_text(ticket, encoding="utf-8")
    origin, size, root = ticket.split()
    (home / "wrong").write_text(f"{origin}\n{size}\n{'A' * 43}=", encoding="utf-8")
    (home / "later").write_text(f"{origin}\n{int(size) + 5}\n{root}", encoding="utf-8")
    line = "ledger verify --export out.jsonl --key key"

    ran, data = case.ok(f"{line} --against ticket"), case.ok(f"{line} --against ticket --json").data

    assert ran.out.startswith("The export verifies.\n  integrity     verified\n  completeness  verified\n")
    assert "CEST (0." in ran.out
    assert ("verified", "verified", "given", []) == (
        *(data[name] for name in ("integrity", "completeness", "authorship", "next_steps")),
    )
    for name, kind in (("wrong", "kept-rewritten"), ("later", "kept-truncated")):
        refuted = case(f"{line} --against {name}")
        assert (6, True) == (refuted.code, kind in refuted.out)
    assert 6 == case(f"{line} --against ticket --against wrong").code
    assert "--accept-restore takes the database" in case(f"{line} --against ticket --accept-restore").err


def test_a_forged_row_without_its_guards(case: Shell, home: Path) -> None:
    """The forged case comes first, the guards that are gone are one line, and the end says what to do."""
    database = home / "home" / "data" / "holdfast.db"
    with sqlite3.connect(database) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")]
        for name in names:
            connection.execute(f'DROP TRIGGER "{name}"')
        connection.execute("UPDATE \"case\" SET state = 'released'")
    connection.close()

    ran, data, doctor = case("ledger verify"), case("ledger verify --json").data, case("doctor")

    assert 6 == ran.code
    first, *rest = [line for line in ran.out.splitlines() if "ault: " in line]
    assert first.startswith("First fault: picture, case #1")
    assert f"schema, the ledger: {len(names)} guards and tables are not as they should be: missing: " in rest[-1]
    assert 1 == ran.out.count("schema, ")
    assert len(names) == sum(item["kind"] == "schema" for item in data["findings"])
    assert f"Copy {database}" in ran.out
    assert str(home / "home" / "state" / "checkpoints") in data["next_steps"][1]
    assert 1 == doctor.out.count("triggers: ")
    (found,) = [item for item in case("doctor --json").data["findings"] if item["what"] == "triggers"]
    assert len(names) == len(found["names"])


def test_what_to_do_with_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no file to copy."""
    monkeypatch.setenv("HOLDFAST_DATABASE_URL", "postgresql+psycopg://nobody@127.0.0.1:1/none")

    assert "pg_dump" in steps_after(Session(), None)[1]


def test_a_key_that_is_not_there(case: Shell, home: Path) -> None:
    """What is wrong with it is said in words."""
    (home / "binary").write_bytes(b"\xff")

    assert "nosuch cannot be read: No such file" in case("ledger verify --key nosuch").err
    assert "binary cannot be read as a public key: it is no text." in case("ledger verify --key binary").err


def test_rebuild(case: Shell) -> None:
    """The case table is drawn again from the entries."""
    assert "1 cases drawn again" in case.ok("ledger rebuild").out
    assert {"cases": 1} == case.ok("ledger rebuild --json").data
    case.ok("ledger verify")
