"""``holdfast demo``: it runs the product, and notices when the product does not do as promised."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.cli.shell import Shell
from workflow.cli.demo_stage import Stage, set_up


def test_the_demo(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that it is meant to show is in what it prints, in order."""
    monkeypatch.setenv("TMPDIR", str(home))
    monkeypatch.setattr("tempfile.tempdir", None)
    before = dict(os.environ)

    ran = Shell()("demo")

    assert (0, "") == (ran.code, ran.err), ran.out[-2000:]
    shown = iter(ran.out.splitlines())
    for wanted in (
        r"1 opened|6 opened, 2 seen\.",
        r"4 known\.",
        r"Refused: The gate is closed.*",
        r"\(exit 3\)",
        r"Refused: You requested this unblock.*",
        r"\(exit 4\)",
        r"  \d+: request and approval void",
        r"Still pending: .*",
        r"\(exit 8\)",
        r".*LATE by .*",
        r".*unblock_requested → released",
        r"  resolution       unblocked_outside",
        r"  resolution: expired",
        r"stateDiagram-v2",
        r"The ledger verifies\.",
        r"The ledger does NOT verify\.",
        r"First fault: leaf, case #1, entry \d+.*",
        r"\(exit 6\)",
        r"History of case 1",
        r"Case #1: ada@tailspin.example, released",
        r"  Unblocked after approval: attested only.*",
        r".*came-back #1 ada.*",
        r"the week's work +cases",
        r"came back +1",
        r"unblocked outside Holdfast +1",
    ):
        assert any(re.fullmatch(wanted, line) for line in shown), wanted
    assert before == dict(os.environ)
    assert [] == list(home.glob("holdfast-demo-*"))


def test_keep(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --keep its place stays and can be looked at."""
    monkeypatch.setenv("TMPDIR", str(home))
    monkeypatch.setattr("tempfile.tempdir", None)

    kept = Shell().ok("demo --keep").out.rpartition("Kept: HOLDFAST_HOME=")[2].strip()

    monkeypatch.setenv("HOLDFAST_HOME", kept)
    monkeypatch.delenv("HOLDFAST_TIMEZONE")
    assert "ada@tailspin.example" in Shell().ok("case list").out


def test_surprises(home: Path) -> None:
    """A command or a case that comes out otherwise is told."""
    stage = Stage(home, Shell().now)
    with set_up(home):
        stage.run("ana", "init")
        stage.run("ana", "case open ada@contoso.com")
        stage.run("ana", "case view 1", expect=5)
        stage.stands(1, "closed")

    assert [
        "exit 0 instead of 5: holdfast --as ana case view 1",
        "case #1 is detected (None) instead of closed (None)",
    ] == stage.surprises
