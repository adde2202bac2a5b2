"""Tables of the reference that people keep by hand equal the code."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.docs.pages import DOCS, ROOT
from workflow.domain.access import PERMITTED
from workflow.domain.actions import ACTIONS
from workflow.domain.vocabulary import EntryType, Resolution, Role, State
from workflow.ledger.finding import Kind

if TYPE_CHECKING:
    from pathlib import Path

REFERENCE = DOCS / "reference"


def rows(page: Path, heading: str) -> list[list[str]]:
    """Return the cells of the table under a heading, its own head left out."""
    text = page.read_text(encoding="utf-8").split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    table = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[2:]]


def test_actions_and_permissions_equal_the_code() -> None:
    """The table of actions lists exactly the actions there are, in their order, with the roles that may take each."""
    written = [
        (cells[0].strip("`"), set(cells[2].split(", ")))
        for cells in rows(REFERENCE / "actions-and-entries.md", "Actions")
    ]
    names = {Role.SYSTEM: "machine"}

    expected = [(name, {names.get(role, role.value) for role in PERMITTED[action]}) for name, action in ACTIONS.items()]
    assert expected == written


def test_entries_equal_the_code() -> None:
    """The table of entries lists exactly the types there are, in their order."""
    written = [cells[0].strip("`") for cells in rows(REFERENCE / "actions-and-entries.md", "Entries")]

    assert [kind.value for kind in EntryType] == written


def test_every_entry_of_an_action_stands_beside_one() -> None:
    """What the table of entries says comes from an action stands in the table of actions, and nothing else does."""
    actions = rows(REFERENCE / "actions-and-entries.md", "Actions")
    beside = {name for cells in actions for name in re.findall(r"`([a-z]+:[a-z]+)`", cells[3])}
    entries = rows(REFERENCE / "actions-and-entries.md", "Entries")

    assert {cells[0].strip("`") for cells in entries if cells[2] == "action"} == beside


def test_glossary_is_sorted_and_says_each_word_once() -> None:
    """Terms stand in alphabetical order, each once, each with a sentence."""
    text = (REFERENCE / "glossary.md").read_text(encoding="utf-8")
    terms = re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", text, re.MULTILINE)[1:]
    words = [term.lower() for term, _ in terms if not term.startswith("-")]

    assert sorted(words) == words
    assert len(set(words)) == len(words)
    assert [] == [term for term, meaning in terms if not meaning.endswith((".", "---"))]


@pytest.mark.parametrize("names", [State, Resolution], ids=lambda names: names.__name__)
def test_glossary_names_every_state_and_resolution(names: type[State | Resolution]) -> None:
    """The glossary lists the states and the resolutions in full."""
    text = (REFERENCE / "glossary.md").read_text(encoding="utf-8")

    assert set() == {item.value for item in names} - set(re.findall(r"`([a-z_]+)`", text))


def test_faults_of_a_verification_are_all_explained() -> None:
    """The auditor's page lists every kind of fault that verification names, and no other."""
    rooms = [
        (ROOT / "workflow" / "services" / f"{room}.py")
        for room in ("verification", "strays", "glass", "agreement", "holdings", "verdict")
    ]
    source = "".join(room.read_text(encoding="utf-8") for room in rooms)
    named = set(re.findall(r'Finding\(\s*"([a-z-]+)"', source)) | set(re.findall(r'"(kept-[a-z]+)"', source))
    faults = rows(DOCS / "how-to" / "verify-a-ledger.md", "Faults")
    written = {name for cells in faults for name in re.findall(r"`([a-z-]+)`", cells[0])}

    assert {kind.value for kind in Kind} | named == written


def test_decisions_are_numbered_and_have_four_parts() -> None:
    """Every record is in the list under its number and says context, decision, why and price."""
    records = sorted((DOCS / "decisions").glob("[0-9]*.md"))
    index = (DOCS / "decisions" / "index.md").read_text(encoding="utf-8")

    assert [f"{number:04}" for number in range(1, len(records) + 1)] == [record.name[:4] for record in records]
    for record in records:
        text = record.read_text(encoding="utf-8")
        parts = re.findall(r"^\*\*(\w+)\.\*\*", text, re.MULTILINE)
        assert ["Context", "Decision", "Why", "Price"] == parts, record.name
        assert text.startswith(f"# {record.name[:4]} ")
        assert record.name in index


def test_decision_on_dependencies_names_all_of_them() -> None:
    """Every library that ``pyproject.toml`` asks for stands in the record on dependencies."""
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8").split("[project.scripts]")[0]
    asked_for = set(re.findall(r'^\s*"([a-z0-9-]+)(?:\[[a-z]+\])?[><=]', project, re.MULTILINE | re.IGNORECASE))
    asked_for |= set(re.findall(r'"([a-z0-9-]+)(?:\[[a-z]+\])?>=', project))
    text = (DOCS / "decisions" / "0001-dependencies.md").read_text(encoding="utf-8").lower()

    assert len(asked_for) > 20
    assert set() == {name for name in asked_for if name not in text}
