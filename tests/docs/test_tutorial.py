"""The pages that readers type along with do what they show."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from tests.docs.pages import DOCS, ROOT, name_of
from tests.docs.walk import Reader, first_missing, follow
from workflow.app import App
from workflow.settings import load_settings

if TYPE_CHECKING:
    from pathlib import Path

FOLLOWED = [
    ROOT / "README.md",
    DOCS / "tutorial.md",
    DOCS / "how-to" / "work-a-case.md",
    DOCS / "how-to" / "false-positive.md",
    DOCS / "how-to" / "people-and-roles.md",
    DOCS / "how-to" / "verify-a-ledger.md",
    DOCS / "how-to" / "keep-a-checkpoint.md",
    DOCS / "how-to" / "work-a-connector.md",
]
"""Pages whose blocks of commands are typed, from top to bottom, on a machine that has seen nothing before."""


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reader:
    """A reader in an empty folder, with an empty home, who reads times in UTC."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for name in ("HOLDFAST_AS", "HOLDFAST_DATABASE_URL", "HOLDFAST_CONFIG_FILE", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOLDFAST_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HOLDFAST_TIMEZONE", "UTC")
    return Reader()


@pytest.mark.parametrize("page", FOLLOWED, ids=name_of)
def test_page_does_what_it_shows(page: Path, reader: Reader) -> None:
    """Every command of the page ends as it says and prints what it shows."""
    assert [] == follow(page, reader)


@pytest.mark.parametrize("page", [page for page in FOLLOWED if "case observe" in page.read_text("utf-8")], ids=name_of)
def test_entries_follow_from_the_actions_that_the_reference_names(page: Path, reader: Reader) -> None:
    """Every entry that a page leads to stands in the reference beside the action that wrote it."""
    table = (DOCS / "reference" / "actions-and-entries.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z-]+)` \|.*\| ([^|]*) \|$", table, re.MULTILINE)
    named = {name: set(re.findall(r"`([a-z]+:[a-z]+)`", entries)) | {"action:refused"} for name, entries in rows}
    follow(page, reader)

    with App(load_settings()) as app, app.database.reading() as tx:
        bodies = [json.loads(body) for (body,) in tx.all("SELECT body FROM entry")]
    written = {(body["action"], body["type"]) for body in bodies if body["action"]}

    assert written
    assert set() == {(action, kind) for action, kind in written if kind not in named[action]}


@pytest.mark.parametrize(
    ("expected", "output", "missing"),
    [
        ("a\nc", "a\nb\nc", ""),
        ("a …z", "a to z", ""),
        ("…", "", ""),
        ("c\na", "a\nb\nc", "a"),
        ("a", "ab", "a"),
        ("a.b", "axb", "a.b"),
    ],
)
def test_shown_lines_are_held_against_the_output(expected: str, output: str, missing: str) -> None:
    """The comparison wants whole lines, in order, and lets only an ellipsis stand for something else."""
    assert missing == first_missing(expected, output)
