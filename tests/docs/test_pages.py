"""Pages hang together: links, commands, options, tables, and nothing that belongs to one machine."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click
import pytest

from tests.docs.pages import DOCS, PAGES, ROOT, anchors, blocks, commands, links, name_of
from workflow.cli.door import root

if TYPE_CHECKING:
    from pathlib import Path

_OUTSIDE = ("https://", "http://", "mailto:")
# In a page these stand for what the reader fills in, and for what was left out.
_PLACEHOLDER = re.compile(r"[A-Z]+(\.\.\.|…)?|…")


def _inside(page: Path) -> list[tuple[Path, str]]:
    """Return the pages that a page links to, with the anchor."""
    found = []
    for target in links(page):
        if not target.startswith(_OUTSIDE):
            path, _, anchor = target.partition("#")
            found.append(((page.parent / path).resolve() if path else page, anchor))
    return found


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    """Every link inside the repository leads to a file that exists, and to a heading in it."""
    broken = [
        f"{target}#{anchor}"
        for target, anchor in _inside(page)
        if not target.is_relative_to(ROOT) or not target.exists() or (anchor and anchor not in anchors(target))
    ]

    assert [] == broken


def test_every_page_is_reachable_from_the_index() -> None:
    """Whoever begins at the index finds every page of the documentation."""
    seen: set[Path] = set()
    waiting = [DOCS / "index.md"]
    while waiting:
        page = waiting.pop()
        if page in seen or page.suffix != ".md":
            continue
        seen.add(page)
        waiting += [target for target, _ in _inside(page) if target.is_relative_to(DOCS)]

    assert set() == {name_of(page) for page in PAGES if page.is_relative_to(DOCS)} - {name_of(page) for page in seen}


def test_readme_leads_to_the_index() -> None:
    """The README links to the documentation."""
    assert DOCS / "index.md" in [target for target, _ in _inside(ROOT / "README.md")]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_nothing_of_one_machine_stands_in_a_page(page: Path) -> None:
    """No page names a folder, a host or a port of the machine it was written on; simulated tenants have a fixed one."""
    text = page.read_text(encoding="utf-8")

    assert [] == re.findall(
        r"(?<![\w.~-])/(?:work|tmp|root|home|usr|opt|mnt|var)/\S*|localhost\S*|127\.0\.0\.1(?!:8365\b)\S*", text
    )


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_outside_are_public(page: Path) -> None:
    """Addresses outside the repository are https and lead to Microsoft, to standards, or to what a changelog needs."""
    allowed = re.compile(
        r"https://(learn|security|admin\.exchange|entra)\.microsoft\.com/|https://(graph\.microsoft\.com|keepachangelog\.com|"
        r"semver\.org|www\.rfc-editor\.org|c2sp\.org|json-schema\.org)/"
    )

    assert [] == [target for target in links(page) if target.startswith(_OUTSIDE) and not allowed.match(target)]


def _fault(arguments: list[str]) -> str:
    """Say what is wrong with a command line, or ""."""
    group: click.Command = root
    # click keeps a command's help option from the first time it is asked: it has to be the real one.
    context = click.Context(root, info_name="holdfast", **root.context_settings)
    options = _options(group, context)
    waiting = 0
    for word in arguments:
        name, _, value = word.partition("=")
        if waiting:
            waiting -= 1
        elif word in {">", "|"}:
            break
        elif name.startswith("-") and len(name) > 1:
            if name not in options:
                return f"{name} is no option of {context.command_path}"
            waiting = 0 if value else options[name]
        elif isinstance(group, click.Group) and not _PLACEHOLDER.fullmatch(word):
            command = group.get_command(context, word)
            if command is None:
                return f"{context.command_path} has no command {word}"
            context = click.Context(command, info_name=word, parent=context)
            group = command
            options |= _options(command, context)
    return ""


def _options(command: click.Command, context: click.Context) -> dict[str, int]:
    """Return a command's options, and how many values each takes."""
    return {
        name: 0 if item.is_flag else item.nargs
        for item in command.get_params(context)
        if isinstance(item, click.Option)
        for name in (*item.opts, *item.secondary_opts)
    } | {"--help": 0, "-h": 0}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_exist(page: Path) -> None:
    """Every ``holdfast …`` of a page is a command of the product, with options that it has."""
    assert [] == [fault for arguments in commands(page) if (fault := _fault(arguments))]


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["case", "record", "1", "x", "--ref", "--odd"], ""),
        (["ledger", "checkpoint", "--print", ">", "--file"], ""),
        (["case", "recrod"], "holdfast case has no command recrod"),
        (["case", "view", "1", "--csv"], "--csv is no option of holdfast case view"),
    ],
)
def test_wrong_commands_are_found(arguments: list[str], fault: str) -> None:
    """The check above tells a command that exists from one that does not."""
    assert fault == _fault(arguments)


def test_make_targets_exist() -> None:
    """Every ``make …`` of a page is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set()
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        named |= set(re.findall(r"`make ([a-z-]+)", text))
        lines = [line for block in blocks(page) for line in block.text.splitlines()]
        named |= {words[1] for line in lines if (words := line.split())[:1] == ["make"]}

    assert {"demo", "test"} <= named
    assert set() == named - targets
