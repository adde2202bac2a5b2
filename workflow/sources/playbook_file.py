"""A playbook file becomes a :class:`~workflow.domain.playbook.Playbook`, or a full list of its faults."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from workflow.domain.playbook import Playbook, canonical, digest, from_data
from workflow.errors import PlaybookError
from workflow.sources import strict_yaml
from workflow.sources.playbook_faults import Fault, Faults, nearest, shown
from workflow.sources.playbook_fields import (
    ID,
    MOST_PREREQUISITES,
    PLAYBOOK_REQUIRED,
    Draft,
    Reader,
    read_playbook,
    read_prerequisite,
)
from workflow.sources.playbook_rules import check_playbook, settle_defaults
from workflow.sources.strict_yaml import Mapping, Scalar, Sequence

if TYPE_CHECKING:
    from collections.abc import Callable
    from importlib.resources.abc import Traversable

    from workflow.sources.strict_yaml import Node

    Resolve = Callable[[str], bytes | None]

__all__ = ["Fault", "canonical", "check", "digest", "load", "shipped", "shipped_bytes"]

_OWN = {"summary", "break_glass", *PLAYBOOK_REQUIRED} - {"prerequisites"}
"""What a playbook never inherits: it has to say of itself what it is, for whom, and that one person may do."""


def shipped(package: Traversable | None = None) -> dict[str, Traversable]:
    """Return the playbooks that come with the product, by name.

    An installed package carries them inside; a checkout has them at its top, and an editable install has no
    other copy.
    """
    home = package or files("workflow")
    inside = home / "_playbooks"
    place: Traversable = inside
    if not inside.is_dir() and isinstance(home, Path):
        place = home.parent / "playbooks"
    found = place.iterdir() if place.is_dir() else ()
    return {entry.name[:-5]: entry for entry in sorted(found, key=lambda it: it.name) if _is_playbook(entry)}


def shipped_bytes(name: str) -> bytes | None:
    """Return a shipped playbook as written, or None: the usual way to resolve ``extends``."""
    entry = shipped().get(name)
    return None if entry is None else entry.read_bytes()


def load(source: Path | Traversable | bytes, name: str = "", resolve: Resolve = shipped_bytes) -> Playbook:
    """Return the playbook of a file, resolved and with its digest.

    Args:
        source: the file, or its bytes.
        name: what messages call it; the path where left out.
        resolve: returns the bytes of the playbook that ``extends`` names, or None; always the same for a name.

    Raises:
        PlaybookError: the file has faults; all of them are in ``faults``.
    """
    path = name or ("playbook" if isinstance(source, bytes) else str(source))
    if isinstance(source, bytes):
        return _parse(source, path, resolve)
    faults = Faults()
    data = _bytes(source, path, faults)
    if data is None:
        raise _refusal(faults)
    return _parse(data, path, resolve)


def check(data: bytes, name: str, resolve: Resolve = shipped_bytes) -> list[Fault]:
    """Return every fault of the file, by line; an empty list when it can be used."""
    faults = Faults()
    _read(data, name, resolve, faults)
    return faults.sorted()


@lru_cache(maxsize=32)
def _parse(data: bytes, path: str, resolve: Resolve) -> Playbook:
    """Return the playbook of these bytes; the same bytes again cost nothing, as what is shipped stays as it is."""
    faults = Faults()
    playbook = _read(data, path, resolve, faults)
    if playbook is None:
        raise _refusal(faults)
    return playbook


def _refusal(faults: Faults) -> PlaybookError:
    found = faults.sorted()
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return PlaybookError(f"{found[0]}{more}", found)


def _is_playbook(entry: Traversable) -> bool:
    return entry.name.endswith(".yaml") and ID.fullmatch(entry.name[:-5]) is not None and entry.is_file()


def _bytes(source: Path | Traversable, path: str, faults: Faults) -> bytes | None:
    try:
        with source.open("rb") as stream:
            # One byte past the limit is enough to refuse a file of any size.
            return stream.read(strict_yaml.MOST_BYTES + 1)
    except OSError as error:
        faults.add(path, 1, f"The file cannot be read: {error.strerror}", "Check its name and your rights")
        return None


def _read(data: bytes, path: str, resolve: Resolve, faults: Faults) -> Playbook | None:
    root = strict_yaml.read(data, path, faults)
    if root is None:
        return None
    parent: Mapping | None = None
    extends = isinstance(root, Mapping) and "extends" in root.items
    if isinstance(root, Mapping) and extends:
        parent = _parent(root.items["extends"], resolve, faults)
        root = root if parent is None else _extended(root, parent, faults)
    reader = Reader(faults)
    top = read_playbook(root, reader)
    items = _prerequisites(root, reader)
    for item in items:
        settle_defaults(item, faults)
    if parent is not None or not extends:
        # Without its parent a playbook would only seem to name ids that do not exist.
        check_playbook(top, items, faults)
    if faults.found:
        return None
    return _built(top, items)


def _built(top: Draft, items: list[Draft]) -> Playbook:
    top.values.pop("extends", None)
    for item in items:
        item.values.pop("before", None)
    data = top.values | {"prerequisites": [item.values for item in items]}
    return from_data(data, digest(from_data(data)))


def _prerequisites(root: Node, reader: Reader) -> list[Draft]:
    node = root.items.get("prerequisites") if isinstance(root, Mapping) else None
    if node is None:
        return []
    if not isinstance(node, Sequence) or not 0 < len(node.items) <= MOST_PREREQUISITES:
        message = f"prerequisites has to be a list of 1 to {MOST_PREREQUISITES}"
        reader.faults.add(node.path, node.line, message, "Begin each with “- id: …”")
        return []
    drafts = [read_prerequisite(item, reader) for item in node.items]
    if isinstance(root, Mapping) and "extends" not in root.items:
        for draft in drafts:
            if "before" in draft.at:
                message = "before only has a meaning in a playbook that extends another"
                reader.faults.add(*draft.where("before"), message, "Remove it, and order the list itself")
    return drafts


def _extended(child: Mapping, parent: Mapping, faults: Faults) -> Mapping:
    """Return the child with everything it inherits; the prerequisites of both in one list."""
    merged = Mapping(child.path, child.line)
    for source, skipped in ((parent, _OWN), (child, frozenset[str]())):
        for key, value in source.items.items():
            if key not in skipped:
                merged.items[key] = value
                merged.lines[key] = source.lines[key]
    inherited, own = parent.items.get("prerequisites"), child.items.get("prerequisites")
    if isinstance(inherited, Sequence) and isinstance(own, Sequence):
        items = _merged(inherited, own, faults)
        merged.items["prerequisites"] = Sequence(own.path, own.line, items)
    return merged


def _parent(node: Node, resolve: Resolve, faults: Faults) -> Mapping | None:
    name = node.text.strip() if isinstance(node, Scalar) else ""
    if not ID.fullmatch(name):
        return None  # The reader says so; and a name that is no id never reaches a file system.
    data = resolve(name)
    if data is None:
        cure = nearest(name, shipped(), "Shipped playbooks are")
        faults.add(node.path, node.line, f"There is no playbook {shown(name)} to extend", cure)
        return None
    parent = strict_yaml.read(data, f"{name}.yaml", faults)
    if not isinstance(parent, Mapping) or "extends" in parent.items:
        message = f"{name} cannot be extended: it is faulty or extends another itself"
        faults.add(node.path, node.line, message, "Extend a playbook that stands on its own")
        return None
    return parent


def _merged(inherited: Sequence, own: Sequence, faults: Faults) -> list[Node]:
    """Add the child's prerequisites: in place of the same id, before the one it names, or at the end."""
    items = list(inherited.items)
    replaceable = {_word(item, "id") for item in items}
    for item in own.items:
        name, before = _word(item, "id"), _word(item, "before")
        ids = [_word(other, "id") for other in items]
        if name and name in replaceable:
            items[ids.index(name)] = item
            replaceable.discard(name)
            if before:
                message = f"{shown(name)} replaces an inherited one and keeps its place"
                faults.add(item.path, item.line, message, "Remove before")
        elif before in ids and before:
            items.insert(ids.index(before), item)
        else:
            items.append(item)
            if before:
                message = f"before names {shown(before)}, and no prerequisite has that id"
                faults.add(item.path, item.line, message, nearest(before, filter(None, ids), "Known ids are"))
    return items


def _word(node: Node, key: str) -> str:
    value = node.items.get(key) if isinstance(node, Mapping) else None
    return value.text.strip() if isinstance(value, Scalar) else ""
