"""The picture of the machine and the page about it say what the machine does, arrow by arrow."""

from __future__ import annotations

import re
from pathlib import Path

from workflow.domain import lifecycle
from workflow.domain.diagram import MEANINGS, OPENING, arrows, mermaid, table
from workflow.domain.lifecycle import MACHINE
from workflow.domain.vocabulary import State

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "states.md"

# The states table of the design, written down a second time by hand: from, to.
DESIGNED = {
    ("detected", "contained"),
    ("detected", "dismissed"),
    ("detected", "detected"),
    ("contained", "verified"),
    ("contained", "detected"),
    ("contained", "dismissed"),
    ("verified", "contained"),
    ("verified", "detected"),
    ("verified", "unblock_requested"),
    ("verified", "closed"),
    ("verified", "dismissed"),
    ("unblock_requested", "verified"),
    ("unblock_requested", "contained"),
    ("unblock_requested", "detected"),
    ("unblock_requested", "released"),
    ("released", "closed"),
    ("released", "detected"),
    ("dismissed", "detected"),
    ("closed", "detected"),
}


def test_every_arrow_of_the_machine_is_in_the_picture() -> None:
    """Counted in the machine, found in the drawing, and no other line is there."""
    text = mermaid()
    drawn = re.findall(r"^    (\w+) --> (\w+): (\w+)", text, re.MULTILINE)
    moving = sorted(
        (State[arrow.source].value, State[arrow.dest].value, name)
        for name, event in MACHINE.events.items()
        for group in event.transitions.values()
        for arrow in group
        if arrow.dest is not None
    )
    assert moving == sorted(drawn)
    assert "    [*] --> detected: open\n" in text
    for name, event in MACHINE.events.items():
        for state, group in event.transitions.items():
            if any(arrow.dest is None for arrow in group):
                note = text.split(f"note right of {State[state].value}\n")[1].split("end note")[0]
                assert name in re.findall(r"\w+", note)


def test_guards_are_named_in_the_picture() -> None:
    """An arrow with a guard shows it; a guard that must fail says *not*."""
    assert "    verified --> unblock_requested: request [gate open]\n" in mermaid()
    assert "    verified --> contained: fall_back [contained and not verified]\n" in mermaid()


def test_the_machine_has_the_arrows_of_the_design_and_no_other() -> None:
    """Where a case may go is written down in the design, and the machine goes nowhere else."""
    moving = {(arrow.source.value, arrow.target.value) for arrow in arrows() if arrow.target is not None}
    assert DESIGNED == moving


def test_only_the_gate_leads_to_a_request_and_to_a_release() -> None:
    """Every arrow to these two states asks the gate, and so do approval and intent."""
    for arrow in arrows():
        if arrow.target in {State.UNBLOCK_REQUESTED, State.RELEASED} or arrow.trigger in {"approve", "intend"}:
            assert "gate_open" in arrow.guards


def test_every_trigger_has_its_sentence() -> None:
    """A new arrow wants an explanation."""
    assert {*MACHINE.events, OPENING} == set(MEANINGS)


def test_the_page_holds_the_picture_and_the_table() -> None:
    """The reference page is what the machine draws, to the letter."""
    page = PAGE.read_text()
    assert f"```mermaid\n{mermaid()}```\n" in page
    assert f"\n{table()}\n" in page


def test_the_page_explains_every_guard() -> None:
    """Each guard function of the machine has its row."""
    names = {guard.removeprefix("not ").replace("_", " ") for arrow in arrows() for guard in arrow.guards}
    section = PAGE.read_text().split("## The guards")[1]
    rows = re.findall(r"^\| ([a-z ]+) \|", section, re.MULTILINE)
    assert names == set(rows) - {"guard"}
    assert all(hasattr(lifecycle, name.replace(" ", "_")) for name in names)
