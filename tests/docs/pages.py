"""Reading the documentation: its pages, links, blocks and the commands it names."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "CHANGELOG.md"])

_FENCE = re.compile(r"^( *)```([a-z-]*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """One fenced block: its language and text, and the comments (``<!-- name: value -->``) just above it."""

    language: str
    text: str
    remarks: dict[str, str]


def name_of(page: Path) -> str:
    """Return a page's path inside the repository, for the names of tests."""
    return page.relative_to(ROOT).as_posix()


def prose(page: Path) -> str:
    """Return a page without its fenced blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page in order."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in _FENCE.finditer(text):
        above = re.search(r"((?:<!-- [a-z]+: [^\n]* -->\n)+)\Z", text[: match.start()])
        remarks = re.findall(r"<!-- ([a-z]+): (.*?) -->", above[1]) if above else []
        found.append(Block(match[2], match[3], dict(remarks)))
    return found


def links(page: Path) -> list[str]:
    """Return the targets of a page's links."""
    return _LINK.findall(prose(page))


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as renderers make them."""
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in _HEADING.findall(prose(page))
    }


def joined(text: str) -> Iterator[str]:
    r"""Yield the lines of a block, those ending in ``\`` joined with the next, here-documents left out."""
    waiting, end = "", ""
    for line in text.splitlines():
        if end:
            end = "" if line == end else end
            continue
        whole = waiting + line
        if whole.endswith("\\"):
            waiting = whole[:-1]
            continue
        waiting = ""
        document = re.search(r"<<'(\w+)'", whole)
        end = document[1] if document else ""
        yield whole


def commands(page: Path) -> list[list[str]]:
    """Return every command line that begins with ``holdfast``, in blocks and inline, as arguments after that word."""
    lines = [line.strip() for block in blocks(page) if block.language != "text" for line in joined(block.text)]
    lines += [text.strip() for text in _INLINE.findall(prose(page))]
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("holdfast ")]
