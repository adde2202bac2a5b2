"""The pages that readers type along with do what they show."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from tests.docs.pages import DOCS, ROOT, name_of
from tests.docs.walk import Reader, first_missing, follow
from tests.served import FAMILIES
from workflow.app import App
from workflow.settings import Settings, load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FOLLOWED = [
    ROOT / "README.md",
    DOCS / "tutorial.md",
    DOCS / "how-to" / "work-a-case.md",
    DOCS / "how-to" / "false-positive.md",
    DOCS / "how-to" / "erase-personal-data.md",
    DOCS / "how-to" / "nobody-to-approve.md",
    DOCS / "how-to" / "adopt-a-changed-playbook.md",
    DOCS / "how-to" / "people-and-roles.md",
    DOCS / "how-to" / "verify-a-ledger.md",
    DOCS / "how-to" / "keep-a-checkpoint.md",
    DOCS / "how-to" / "back-up-and-restore.md",
    DOCS / "how-to" / "work-a-connector.md",
    DOCS / "how-to" / "report-a-case.md",
    DOCS / "how-to" / "sample-a-quarter.md",
    DOCS / "how-to" / "mondays-import.md",
    DOCS / "how-to" / "a-wave.md",
    DOCS / "how-to" / "record-for-the-tenant.md",
    DOCS / "how-to" / "alerts.md",
    DOCS / "how-to" / "connect-a-tenant.md",
    DOCS / "how-to" / "check-and-contain.md",
    DOCS / "how-to" / "run-the-worker.md",
]
"""Pages whose blocks of commands are typed, from top to bottom, on a machine that has seen nothing before."""


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    """A reader in an empty folder, with an empty home, who reads times in UTC."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    connection = [
        f"HOLDFAST_{name.upper()}" for name in Settings.model_fields if name.startswith(("m365_", "provider"))
    ]
    for name in ("HOLDFAST_AS", "HOLDFAST_DATABASE_URL", "HOLDFAST_CONFIG_FILE", "NO_COLOR", *connection):
        # Set first, so that what a page exports under this name is taken back even where nothing was set before.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOLDFAST_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HOLDFAST_TIMEZONE", "UTC")
    # A tenant of our own need not be spared.
    monkeypatch.setenv("HOLDFAST_M365_LIMITS", json.dumps(dict.fromkeys(FAMILIES, "900000/10")))
    reader = Reader()
    yield reader
    reader.stop()


LENGTHY = frozenset({"README.md", "docs/how-to/check-and-contain.md"})
"""Pages whose commands take ten seconds and more: a demo, and a tenant of many accounts."""


@pytest.mark.parametrize(
    "page",
    [pytest.param(page, marks=[pytest.mark.slow] if name_of(page) in LENGTHY else []) for page in FOLLOWED],
    ids=name_of,
)
def test_page_does_what_it_shows(page: Path, reader: Reader) -> None:
    """Every command of the page ends as it says, prints what it shows, and writes entries that the reference names."""
    assert [] == follow(page, reader)
    assert set() == _written() - _named()


def _written() -> set[tuple[str, str]]:
    """Return which actions of people wrote which types of entries."""
    with App(load_settings()) as app, app.database.reading() as tx:
        bodies = [json.loads(body) for (body,) in tx.all("SELECT body FROM entry")]
    return {(body["action"], body["type"]) for body in bodies if body["action"]}


def _named() -> set[tuple[str, str]]:
    """Return which actions may write which types of entries, as the reference says."""
    table = (DOCS / "reference" / "actions-and-entries.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z-]+)` \|.*\| ([^|]*) \|$", table, re.MULTILINE)
    refused = {(name, "action:refused") for name, _ in rows if name not in {"open", "report"}}
    return refused | {(name, kind) for name, kinds in rows for kind in re.findall(r"`([a-z]+:[a-z]+)`", kinds)}


def test_page_that_is_wrong_is_found(tmp_path: Path, reader: Reader) -> None:
    """A command that ends otherwise than a page says, and a line that is not printed, are two faults."""
    page = tmp_path / "wrong.md"
    page.write_text(
        "<!-- exit: 3 -->\n```sh\nholdfast --version\n```\n\n```text\nholdfast…\nno such line\n```\n", encoding="utf-8"
    )

    ended, printed = follow(page, reader)

    assert "holdfast --version" in ended
    assert printed.startswith("'no such line' is not printed")


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
