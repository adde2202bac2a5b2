"""What each key of a playbook file may hold: text in, plain JSON values out.

The values have the shape of :meth:`workflow.domain.playbook.Playbook.to_data`, so a file without faults turns
into a playbook the same way as a stored one. What cannot be read becomes a fault and reading goes on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workflow.domain import command
from workflow.domain.playbook import About, BreakGlass, Check, Condition, Nature, Playbook, Prerequisite, Scope, Team
from workflow.domain.vocabulary import ENTITY_KINDS, Phase, Role, TenantFact
from workflow.sources.playbook_faults import nearest, shown
from workflow.sources.strict_yaml import Mapping, Scalar, Sequence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from workflow.sources.playbook_faults import Faults
    from workflow.sources.strict_yaml import Node

MOST_PREREQUISITES = 200
MOST_APPROVALS = 9
GRANTERS = (Role.APPROVER, Role.LEAD)
"""Who may accept a risk: never the analyst who asks, the auditor who checks, or the machine."""

ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+_-]{0,31}")
DURATION = re.compile(r"([1-9][0-9]{0,3})(m|h|d|w)")
UNITS = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}
LONGEST = {"id": 64, "title": 120, "command": 2000, "text": 800}

_blank = Playbook(
    name="",
    version="",
    title="",
    kinds=(),
    prerequisites=(Prerequisite(id="", title="", required_by=Phase.CLOSE),),
).to_data()
_BLANK_PREREQUISITE: dict[str, Any] = _blank.pop("prerequisites")[0]
_BLANK_PLAYBOOK: dict[str, Any] = _blank


@dataclass(slots=True)
class Draft:
    """Values read so far, where each key stands (path, line), and which keys hold what cannot be read."""

    path: str
    line: int
    values: dict[str, Any]
    at: dict[str, tuple[str, int]] = field(default_factory=dict)
    unread: set[str] = field(default_factory=set)

    def where(self, key: str) -> tuple[str, int]:
        """Return the place of the key, or of the whole where it was left out."""
        return self.at.get(key, (self.path, self.line))


class Reader:
    """Reads nodes as values; what it cannot read it adds to the faults and returns None."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults

    def mapping(self, node: Node, fields: Fields, required: Iterable[str], blank: dict[str, Any], what: str) -> Draft:
        """Read a mapping by its table of fields; unknown and missing keys are faults."""
        draft = Draft(node.path, node.line, dict(blank))
        if not isinstance(node, Mapping):
            self._fault(node, f"{what} has to be a list of keys and values", "Write “key: value” lines")
            draft.unread.update(fields)
            return draft
        for key, value in node.items.items():
            if self.faults.full:
                break
            place = value.path, node.lines[key]
            if key not in fields:
                cure = nearest(key, fields, "Known keys are")
                self.faults.add(*place, f"The key {shown(key)} is not known in {what}", cure)
                continue
            draft.at[key] = place
            read = fields[key](self, value)
            if read is None:
                draft.unread.add(key)
            else:
                draft.values[key] = read
        for key in required:
            if key not in node.items:
                self._fault(node, f"The key {key} is missing in {what}", f"Add “{key}: …”")
        return draft

    def text(self, node: Node, longest: int = LONGEST["text"], *, lines: bool = False) -> str | None:
        """Return trimmed text without invisible characters, of one line unless told otherwise."""
        if not isinstance(node, Scalar):
            self._fault(node, "Text is expected here", "Write the text after the colon")
            return None
        text = node.text.strip()
        if not text:
            self._fault(node, "The value is empty", "Write one, or leave the key out")
        elif len(text) > longest:
            self._fault(node, f"The text is longer than {longest} characters", "Shorten it")
        elif "\n" in text and not lines:
            self._fault(node, "The text has line breaks", "Use >- instead of |")
        elif not text.replace("\n", "").isprintable():
            self._fault(node, "The text holds invisible characters", "Remove them, and tabs too")
        else:
            return text
        return None

    def title(self, node: Node) -> str | None:
        """Return a short text."""
        return self.text(node, LONGEST["title"])

    def identifier(self, node: Node) -> str | None:
        """Return a kebab-case id."""
        text = self.text(node, LONGEST["id"])
        if text is not None and not ID.fullmatch(text):
            cure = "Use small letters, digits and single hyphens, beginning with a letter"
            self._fault(node, f"{shown(text)} is not an id", cure)
            return None
        return text

    def version(self, node: Node) -> str | None:
        """Return a version, as the text that was written."""
        text = self.text(node)
        if text is not None and not VERSION.fullmatch(text):
            self._fault(node, f"{shown(text)} is not a version", "Write something like 1.0")
            return None
        return text

    def command(self, node: Node) -> str | None:
        """Return a command template that can be filled in safely and holds no secret."""
        text = self.text(node, LONGEST["command"], lines=True)
        if text is None:
            return None
        return self._template(node, text, command.problems(text))

    def url(self, node: Node) -> str | None:
        """Return a portal address that can be filled in safely."""
        text = self.text(node)
        return None if text is None else self._template(node, text, command.url_problems(text))

    def _template(self, node: Node, text: str, problems: tuple[str, ...]) -> str | None:
        for problem in problems:
            names = ", ".join(f"{{{name}}}" for name in command.PLACEHOLDERS)
            cure = f"Known placeholders are {names}, each standing alone; secrets are typed at a prompt"
            self._fault(node, problem[0].upper() + problem[1:], cure)
        return None if problems else text

    def boolean(self, node: Node) -> bool | None:
        """Return a truth value: ``true`` or ``false`` and no other spelling."""
        if isinstance(node, Scalar) and node.plain and node.text in {"true", "false"}:
            return node.text == "true"
        self._fault(node, "True or false is expected here", "Write true or false, without quotation marks")
        return None

    def number(self, node: Node, least: int, most: int) -> int | None:
        """Return a whole number within bounds."""
        if isinstance(node, Scalar) and node.plain and re.fullmatch(r"-?[0-9]{1,6}", node.text):
            value = int(node.text)
            if least <= value <= most:
                return value
        span = f"from {least} to {most}" if most > least else f"({least} and no other)"
        self._fault(node, f"A whole number {span} is expected here", f"Write {least}")
        return None

    def duration(self, node: Node) -> int | None:
        """Return a duration in seconds, written like ``30m``, ``24h``, ``7d`` or ``2w``."""
        match = DURATION.fullmatch(node.text) if isinstance(node, Scalar) else None
        if match is None:
            self._fault(node, "A duration is expected here", "Write one like 30m, 24h, 7d or 2w")
            return None
        return int(match[1]) * UNITS[match[2]]

    def choice(self, node: Node, known: Iterable[str]) -> str | None:
        """Return one of the known words."""
        names = tuple(known)
        if isinstance(node, Scalar) and node.text in names:
            return str(node.text)
        said = shown(node.text) if isinstance(node, Scalar) else "This"
        word = node.text if isinstance(node, Scalar) else ""
        self._fault(node, f"{said} is not known here", nearest(word, names, "Known are"))
        return None

    def listed(self, node: Node, one: Callable[[Node], str | None]) -> list[str] | None:
        """Return a list without repetitions, each item read by ``one``."""
        if not isinstance(node, Sequence):
            self._fault(node, "A list is expected here", "Write it like [one, two]")
            return None
        found: list[str] = []
        for item in node.items:
            value = one(item)
            if value is not None and value in found:
                self._fault(item, f"{shown(value)} stands in this list twice", "Keep one of the two")
            elif value is not None:
                found.append(value)
        if not node.items:
            self._fault(node, "The list is empty", "Name at least one, or leave the key out")
        return found

    def exception(self, node: Node) -> dict[str, Any] | None:
        """Return who may accept the risk and for how long."""
        draft = self.mapping(node, EXCEPTION, EXCEPTION, {}, "an exception")
        return draft.values if set(draft.values) == set(EXCEPTION) else None

    def _fault(self, node: Node, message: str, cure: str) -> None:
        self.faults.add(node.path, node.line, message, cure)


Fields = dict[str, "Callable[[Reader, Node], Any]"]


def _one_of(names: Iterable[str]) -> Callable[[Reader, Node], str | None]:
    known = tuple(str(name) for name in names)
    return lambda reader, node: reader.choice(node, known)


def _list_of(one: Callable[[Reader, Node], str | None]) -> Callable[[Reader, Node], list[str] | None]:
    return lambda reader, node: reader.listed(node, lambda item: one(reader, item))


EXCEPTION: Fields = {"granted_by": _one_of(GRANTERS), "at_most": Reader.duration}

PREREQUISITE: Fields = {
    "id": Reader.identifier,
    "title": Reader.title,
    "required_by": _one_of(Phase),
    "required": Reader.boolean,
    "about": _one_of(About),
    "nature": _one_of(Nature),
    "fresh_within": Reader.duration,
    "applies_if": _list_of(_one_of(Condition)),
    "any_of": _list_of(Reader.identifier),
    "after": _list_of(Reader.identifier),
    "evidence": Reader.text,
    "exception": Reader.exception,
    "scope": _one_of(Scope),
    "fact": _one_of(TenantFact),
    "check": _one_of(check for check in Check if check),
    "role": Reader.text,
    "portal": Reader.url,
    "command": Reader.command,
    "trap": Reader.text,
    "source": Reader.text,
    "before": Reader.identifier,
}

PLAYBOOK: Fields = {
    "format": lambda reader, node: reader.number(node, 1, 1),
    "name": Reader.identifier,
    "version": Reader.version,
    "title": Reader.title,
    "summary": Reader.text,
    "kinds": _list_of(_one_of(ENTITY_KINDS)),
    "approvals": lambda reader, node: reader.number(node, 1, MOST_APPROVALS),
    "approval_team": _one_of(Team),
    "break_glass": _one_of(BreakGlass),
    "approval_within": Reader.duration,
    "watch_within": Reader.duration,
    "reopen_within": Reader.duration,
    "unblock_role": Reader.text,
    "unblock_portal": Reader.url,
    "unblock_command": Reader.command,
    "read_command": Reader.command,
    "extends": Reader.identifier,
    "prerequisites": lambda _reader, _node: (),
}

PLAYBOOK_REQUIRED = ("format", "name", "version", "title", "kinds", "prerequisites")
PREREQUISITE_REQUIRED = ("id", "title")


def read_playbook(node: Node, reader: Reader) -> Draft:
    """Read the top level; the prerequisites are read one by one with :func:`read_prerequisite`."""
    return reader.mapping(node, PLAYBOOK, PLAYBOOK_REQUIRED, _BLANK_PLAYBOOK, "a playbook")


def read_prerequisite(node: Node, reader: Reader) -> Draft:
    """Read one prerequisite."""
    return reader.mapping(node, PREREQUISITE, PREREQUISITE_REQUIRED, _BLANK_PREREQUISITE, "a prerequisite")
