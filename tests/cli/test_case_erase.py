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
    assert 3 == ended("case erase 2 --reason x --as ana --json").data["cases"][0]["error"]["exit"]
    data = ended("case erase 1 1 2 --reason x --as ana --json")
    assert 2 == ended("case erase 1 2 --confirm --as ben").code
    plain = ended("case erase 1 2 --confirm --yes --as ben")

    assert (3, [(1, "done"), (1, "skipped"), (2, "refused")]) == (
        data.code,
        [(item["number"], item["outcome"]) for item in data.data["results"]],
    )
    assert "wrong_state" == data.data["results"][2]["code"]
    assert (5, True) == (plain.code, "No byte of it stays" in plain.err)
    assert "#1 (erased): dismissed" in plain.out or "#1 ada@contoso.com: dismissed" in plain.out
    assert "1 done, 1 not found." in plain.out


def test_by_filters_and_from_standard_input(ended: Shell) -> None:
    """As every other verb over many cases; one that is erased already is passed over."""
    ended.ok("case erase --state dismissed --reason x --as ana --yes")
    shown = ended("case erase - --confirm --as ben", typed=b"1\n")
    assert (2, True) == (shown.code, "go for good" in shown.out)
    data = ended.ok("case erase - --confirm --yes --as ben --json", typed=b"1\n").data
    assert ["done"] == [item["outcome"] for item in data["results"]]
    again = ended.ok("case erase --state dismissed --confirm --yes --as ben --json").data
    assert ["It is erased already."] == [item["message"] for item in again["results"]]
    assert 5 == ended("case erase --label none --reason x --yes --as ana").code


def test_many_wait_for_a_reader_too(ended: Shell) -> None:
    """What was erased is told, and that its last bytes wait."""
    ended.ok("case erase 1 --reason x --as ana")
    reader = sqlite3.connect("home/data/holdfast.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM entry").fetchone()
    ran = ended("case erase - --confirm --yes --as ben --json", typed=b"1\n")
    reader.close()
    assert (8, 1, "erasure_pending") == (ran.code, ran.data["counts"]["done"], ran.data["error"]["code"])


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
