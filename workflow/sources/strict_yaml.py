"""YAML with the surprises taken out.

Read from parser events, so nothing is ever resolved: ``no``, ``1.10`` and ``2026-08-01`` stay the text that
was written, and whoever knows what a key means converts it. Aliases, anchors, tags, directives, merge keys,
duplicate keys and second documents are refused; size and depth are bounded; every node knows its line.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import yaml

from workflow.sources.playbook_faults import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workflow.sources.playbook_faults import Faults

MOST_BYTES = 256 * 1024
MOST_DEPTH = 12

_Loader: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Scalar:
    """Text as written. ``plain`` is False when it stood in quotation marks or in a block."""

    path: str
    line: int
    text: str
    plain: bool


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list of nodes."""

    path: str
    line: int
    items: list[Node] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys with their values, in the order written; ``lines`` says where each key stands."""

    path: str
    line: int
    items: dict[str, Node] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)


Node = Scalar | Sequence | Mapping


class _StopError(Exception):
    """The rest of the file cannot be read."""


def read(data: bytes, path: str, faults: Faults) -> Node | None:
    """Return the one document of the file; None when it cannot be read, and faults say why."""
    if len(data) > MOST_BYTES:
        faults.add(path, 1, f"The file is larger than {MOST_BYTES // 1024} KiB", "Split it")
        return None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        faults.add(path, line, "The file is not UTF-8", "Save it as UTF-8")
        return None
    try:
        return _Builder(path, faults).build(_events(text))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = 1 if mark is None else mark.line + 1
        faults.add(path, line, f"This is not YAML: {error.problem}", "Check indentation and quotation marks")
    except yaml.YAMLError as error:
        reason = getattr(error, "reason", "unreadable")
        at = getattr(error, "position", 0)
        line = text.count("\n", 0, at if isinstance(at, int) else 0) + 1
        faults.add(path, line, f"This is not YAML: {reason}", "Remove the character")
    except _StopError:
        pass
    return None


def _events(text: str) -> Iterator[yaml.Event]:
    # An escaped code point that no string can hold is found out only when the string is made.
    try:
        yield from yaml.parse(text, Loader=_Loader)
    except (ValueError, OverflowError) as error:
        raise yaml.YAMLError(str(error)) from error


class _Builder:
    """Turns events into nodes with a stack of its own, so that depth never costs recursion."""

    def __init__(self, path: str, faults: Faults) -> None:
        self._path = path
        self._faults = faults
        self._open: list[tuple[Sequence | Mapping, list[Scalar | None]]] = []
        self._root: Node | None = None

    def build(self, events: Iterator[yaml.Event]) -> Node | None:
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                self._check_document(event, documents)
            elif isinstance(event, yaml.AliasEvent):
                self._fault(event, "Aliases (*name) are not allowed", "Write the value out")
                self._place(self._scalar(event, ""), refused=True)
            elif isinstance(event, yaml.NodeEvent):
                self._check_node(event)
                self._take(event)
            elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                self._open.pop()
        if documents == 0:
            self._faults.add(self._path, 1, "The file is empty", "Write a playbook")
        return self._root

    def _check_document(self, event: yaml.DocumentStartEvent, documents: int) -> None:
        if documents > 1:
            self._fault(event, "A second document begins here", "Write one playbook per file")
            raise _StopError
        if event.version or event.tags:
            self._fault(event, "Directives (%YAML, %TAG) are not allowed", "Remove the line")

    def _check_node(self, event: yaml.NodeEvent) -> None:
        if event.anchor is not None:
            self._fault(event, f"Anchors (&{event.anchor[:20]}) are not allowed", "Remove the anchor")
        if getattr(event, "tag", None) is not None:
            self._fault(event, "Tags (!name) are not allowed", "Remove the tag")

    def _take(self, event: yaml.NodeEvent) -> None:
        line = _line(event)
        if isinstance(event, yaml.ScalarEvent):
            self._place(self._scalar(event, event.value, plain=not event.style))
            return
        if len(self._open) >= MOST_DEPTH:
            self._fault(event, f"The file is nested deeper than {MOST_DEPTH} levels", "Flatten it")
            raise _StopError
        node: Sequence | Mapping
        node = Mapping(self._path, line) if isinstance(event, yaml.MappingStartEvent) else Sequence(self._path, line)
        self._place(node)
        self._open.append((node, []))

    def _place(self, node: Node, *, refused: bool = False) -> None:
        """Put a node where it belongs: the root, the next item, the next key or the value of the last key."""
        if not self._open:
            self._root = node
            return
        parent, waiting = self._open[-1]
        if isinstance(parent, Sequence):
            parent.items.append(node)
        elif not waiting:
            waiting.append(self._key(parent, node, refused=refused))
        else:
            key = waiting.pop()
            if key is not None:
                parent.items[key.text] = node
                parent.lines[key.text] = key.line

    def _key(self, parent: Mapping, node: Node, *, refused: bool) -> Scalar | None:
        """Return the key, or None when its value is to be dropped."""
        if not isinstance(node, Scalar):
            self._faults.add(self._path, node.line, "A key has to be a word", "Write the key as plain text")
            return None
        if refused:
            return None
        if node.text == "<<":
            self._faults.add(self._path, node.line, "Merge keys (<<) are not allowed", "Write the keys out")
            return None
        if node.text in parent.items:
            first = parent.lines[node.text]
            message = f"The key {shown(node.text)} stands here a second time, first in line {first}"
            self._faults.add(self._path, node.line, message, "Keep one of the two")
            return None
        return node

    def _scalar(self, event: yaml.Event, text: str, *, plain: bool = True) -> Scalar:
        return Scalar(self._path, _line(event), text, plain)

    def _fault(self, event: yaml.Event, message: str, cure: str) -> None:
        self._faults.add(self._path, _line(event), message, cure)


def _line(event: yaml.Event) -> int:
    return 1 if event.start_mark is None else event.start_mark.line + 1
