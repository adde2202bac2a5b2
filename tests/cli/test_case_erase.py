"""Erasing on the command line: proposed, confirmed, turned down, and finished later."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.cli.shell import Shell


@pytest.fixture
def ended(case: Shell) -> Shell:
    """The case dismissed by ana and ben, and more than a year later."""
    case.ok("case note 1 'Ada called' --as ana")
    case.ok("case observe 1 --restriction not-listed --ref list --as ana")
    case.ok("case dismiss 1 --resolution false_positive --reason newsletter --as ana")
    case.ok("case dismiss 1 --confirm --as ben")
    case.later(days=366)
    return case


def test_two_people(ended: Shell) -> None:
    """One proposes, the same one may not confirm, another does; a third time it is gone already."""
    first = ended.ok("case erase 1 --reason 'article 17' --as ana")
    assert "next: holdfast case erase 1 --confirm" in ended.ok("case view 1").out
    assert [4, 2] == [ended(f"case erase 1 --confirm {yes} --as ana").code for yes in ("--yes", "")]
    second = ended.ok("case erase 1 --confirm --yes --as ben")

    assert "#1: erasure proposed\n  waits for a second person: holdfast case erase 1 --confirm" in first.out
    assert ("#1: erased\n", True) == (second.out, "No byte of it stays" in second.err)
    assert "Erased 2026-06-12" in ended.ok("case view 1").out
    assert "(erased)" in ended.ok("case list --all").out
    assert "" == ended.ok("case erase 1 --confirm --yes --as ben").out
    assert 5 == ended("case note 1 text --as ana").code
    assert b"ada@contoso.com" not in b"".join(path.read_bytes() for path in Path("home").rglob("*") if path.is_file())
    assert "1 erased cases" in ended.ok("ledger verify").out


def test_refused(ended: Shell) -> None:
    """Turned down by another; and a proposal wants a reason."""
    assert 2 == ended("case erase 1 --as ana").code
    ended.ok("case erase 1 --reason x --as ana")
    assert "#1: erasure refused\n" == ended.ok("case erase 1 --refuse --reason 'in court' --as ben").out
    assert 2 == ended("case erase 1 --refuse --confirm --as ben").code


def test_several(ended: Shell) -> None:
    """Each case by itself; what is refused is said, and the rest is erased."""
    ended.ok("case open bob@contoso.com --as ana")
    data = ended("case erase 1 1 2 --reason x --as ana --json")
    plain = ended("case erase 1 2 --confirm --yes --as ben")

    assert (3, [(1, "erasure proposed"), (2, "refused")]) == (
        data.code,
        [(item["number"], item["outcome"]) for item in data.data["cases"]],
    )
    assert "wrong_state" == data.data["cases"][1]["error"]["code"]
    assert (5, "#1: erased\n", True) == (plain.code, plain.out, "No byte of it stays" in plain.err)


def test_a_reader_holds_the_last_bytes(ended: Shell) -> None:
    """Exit 8 until nobody reads; then the same command finishes it."""
    ended.ok("case erase 1 --reason x --as ana")
    reader = sqlite3.connect("home/data/holdfast.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM entry").fetchone()
    ran = ended("case erase 1 --confirm --yes --as ben")
    reader.close()

    assert (8, "#1: erased\n") == (ran.code, ran.out)
    assert "finishes the work" in ran.err
    ended.ok("case erase 1 --confirm --yes --as ben")


def test_somebody_is_asked(ended: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes is named before it goes."""
    ended.ok("case erase 1 --reason x --as ana")
    monkeypatch.setattr("workflow.cli.case_erase.interactive", lambda: True)
    no = ended("case erase 1 --confirm --as ben", typed=b"n\n")
    yes = ended.ok("case erase 1 --confirm --as ben", typed=b"y\n")

    assert (0, True) == (no.code, no.out.endswith("Nothing was done.\n"))
    assert "#1 ada@contoso.com, dismissed" in no.out
    assert yes.out.endswith("#1: erased\n")
