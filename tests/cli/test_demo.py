"""``holdfast demo``: it runs the product, and notices when the product does not do as promised."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NoReturn

import pytest

from tests.cli.shell import Shell
from workflow.cli.demo_stage import FIRST, Excerpt, Stage, set_up
from workflow.cli.demo_wave import FEWEST


@pytest.mark.slow
def test_the_demo(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that it is meant to show is in what it prints, in order."""
    monkeypatch.setenv("TMPDIR", str(home))
    monkeypatch.setattr("tempfile.tempdir", None)
    before = dict(os.environ)

    ran = Shell()(f"demo --accounts {FEWEST}")

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
        r"\[.*\] \$ holdfast --as ana worker --once",
        r".*Worker started: connected tenant\.",
        r".*block-sign-in done, .*revoke-sessions done.*",
        r"  … \d+ more lines",
        r".*remove the sign-in method .*: done",
        r".*: detected → contained",
        r".*: contained → verified",
        r"\d+ done\.",
        r"1 shown; in all: .*",
        r".*: outside: removed .* by admin@contoso\.example \(delisted without an approved unblock.*",
        r"All is accounted for\.",
        r"  Checked in the tenant \(13\):",
        r"12 done, 1 refused\.",
        r"12 done\.",
        r".*unblock done: answered done, listed",
        r".*(?:→ released; not-listed|, released \d+)",
        r"\d+ +unblock_requested .*",
        r".*(?:→ released; not-listed|, released 1)",
        r"  version          .*recurrence 2, .*",
        r"\d+ +unblock_requested  .*OVERDUE by .*",
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

    kept = Shell().ok("demo --keep --accounts 0").out.rpartition("Kept: HOLDFAST_HOME=")[2].strip()

    monkeypatch.setenv("HOLDFAST_HOME", kept)
    monkeypatch.delenv("HOLDFAST_TIMEZONE")
    assert "ada@tailspin.example" in Shell().ok("case list").out


def test_a_wave_too_small(home: Path) -> None:
    """A wave in which not everything would happen is refused before anything is done."""
    ran = Shell()("demo --accounts 12")
    assert 2 == ran.code
    assert "at least 13 accounts" in ran.err
    assert [] == list(home.glob("holdfast-demo-*"))


def test_a_long_output_is_shown_whole_where_asked(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a long output the beginning and the end are shown, and how much is not; with ``whole`` all of it."""
    shown = []
    for whole in (False, True):
        with set_up(home):
            Stage(home, Shell().now, whole).run("ana", "case --help", last=2)
        shown.append(capsys.readouterr().out.splitlines())
    short, long = shown
    assert "  … " in short[FIRST + 1]
    assert long[:FIRST] == short[:FIRST]
    assert long[-3:] == short[-3:]
    assert FIRST + 5 == len(short) < len(long)


def test_a_long_line_is_wrapped_at_the_terminals_edge(capsys: pytest.CaptureFixture[str]) -> None:
    """Between words, with what goes on further in; where there is no terminal it stays one line."""
    line = "  audit record 7: outside: removed ivo@contoso.example by admin@contoso.example"
    for columns in (40, 0):
        excerpt = Excerpt(lambda _done, _total: None, 1, columns)
        excerpt.write(f"{line}\n")
        excerpt.show()
    *wrapped, whole = capsys.readouterr().out.splitlines()
    assert line == whole
    assert line.split() == " ".join(wrapped).split()
    assert max(map(len, wrapped)) <= 40
    assert wrapped[1].startswith(" " * 6)


def test_ctrl_c(home: Path) -> None:
    """Whoever interrupts a command ends the demo, and not that command alone."""
    moments = iter([Shell().now])
    stage = Stage(home, Shell().now)
    stage.clock = lambda: next(moments, None) or _interrupt()  # type: ignore[method-assign]
    with set_up(home), pytest.raises(KeyboardInterrupt):
        stage.run("ana", "init")


def _interrupt() -> NoReturn:
    raise KeyboardInterrupt


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
