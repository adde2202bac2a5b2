"""What auditors take away, and the repair of the one thing that may be repaired: the picture."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TextIO

from workflow.domain.picture import picture
from workflow.domain.vocabulary import LOG_CASE, EntryType
from workflow.errors import InputError, NotFoundError
from workflow.ledger import bundle
from workflow.ledger.entry import leaf_hash
from workflow.ledger.finding import Finding
from workflow.ledger.malformed import Malformed
from workflow.ledger.merkle import Frontier, frontier_positions
from workflow.services import completeness, logbook, setup
from workflow.services.verdict import Report
from workflow.services.verification import read_key
from workflow.storage import cases, playbooks, tree
from workflow.storage.rebuild import rebuild as redraw

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from workflow.app import App
    from workflow.domain.picture import Picture
    from workflow.ledger.checkpoint import Checkpoint
    from workflow.ledger.verify import Row
    from workflow.services.people import Who
    from workflow.storage.transaction import Tx


LONGEST_LINE = 1 << 24
"""Characters of one line of an export; an entry, and a playbook of 256 KiB, stay well below."""


def checkpoint(app: App) -> str:
    """Seal what is not sealed and return the newest signed note (origin, size, root, blank line, signature).

    Raises:
        NotFoundError: nothing is on the ledger yet.
        KeyMissingError: something is unsealed and there is no key.
    """
    setup.seal_now(app)
    with app.database.reading() as tx:
        note = tree.newest(tx)
    if note is None:
        message = "The ledger is empty."
        raise NotFoundError(message)
    return note


def export(app: App, path: Path) -> int:
    """Write every sealed entry, the newest checkpoint and all playbooks to a file of JSON Lines.

    Returns how many entries.

    The file is made new and complete or not at all.

    Raises:
        InputError: the file exists, cannot be written, or an entry's bytes are missing.
    """
    if path.exists():
        message = f"{path} exists already; nothing was written over it."
        raise InputError(message)
    checkpoint(app)
    partial = path.with_name(path.name + ".partial")
    try:
        with app.database.reading() as tx, partial.open("x", encoding="utf-8", newline="\n") as file:
            header = _header(tx)
            for line in bundle.write(header, tree.leaves(tx), (item.body for item in playbooks.every(tx))):
                file.write(line)
        partial.rename(path)
    except FileExistsError:
        message = f"{partial} exists: another export is running, or one was cut short. Remove it and try again."
        raise InputError(message) from None
    except BaseException as error:
        partial.unlink(missing_ok=True)
        if not isinstance(error, OSError):
            raise
        message = f"{path} cannot be written: {error.strerror}."
        raise InputError(message) from None
    return header.size


def _header(tx: Tx) -> bundle.Header:
    created, *later = cases.entries(tx, LOG_CASE)
    names = [entry.data["origin"] for entry in later if entry.type == EntryType.LOG_RESTORED]
    return bundle.Header((created.data["origin"], *names), created.data["vkey"], tree.size(tx), tree.newest(tx) or "")


def verify_export(path: Path, key: str, now: datetime, against: Sequence[Path] = ()) -> Report:
    """Check an export against a public key and kept checkpoints, without any database.

    Args:
        path: the export.
        key: the public key (vkey text).
        now: says how old the kept checkpoints are.
        against: files with kept checkpoints.

    Raises:
        InputError: the file, the key or a kept checkpoint cannot be read.
    """
    verifier = read_key(key)
    report = Report(authorship="given", notes=["The steps were not judged again: that takes the database."])
    kept = completeness.given(against, [verifier], report)
    try:
        with path.open(encoding="utf-8") as file:
            found = bundle.read(_lines(file))
            named, below = Named(), Below(kept.points)
            seen = bundle.check(replace(found, rows=below.listen(named.listen(found.rows))), [verifier])
    except Malformed as error:
        raise InputError(f"{path} is no whole export of a ledger: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path} cannot be read: {error.strerror if isinstance(error, OSError) else 'it is no text'}."
        raise InputError(message) from None
    for finding in (*seen.findings, *named.faults(found)):
        report.add(finding)
    report.more += seen.more
    report.checkpoint = seen.newest
    report.counts = {"entries": seen.size, "sealed": seen.size, "signatures": seen.checked_signatures}
    completeness.hold(now, completeness.Held(seen.size, below.node, below.bodies.get, "the export"), report, kept)
    report.conclude()
    return report


class Below:
    """What an export holds beneath some checkpoints: the nodes of their trees, and the last entry that each covers."""

    def __init__(self, points: Sequence[Checkpoint]) -> None:
        """Begin with nothing read."""
        self._wanted = {position for point in points for position in frontier_positions(point.size)}
        self._last = {point.size - 1 for point in points}
        self._nodes: dict[tuple[int, int], bytes] = {}
        self.bodies: dict[int, bytes] = {}

    def listen(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Pass the rows on and keep what is wanted of them; a row's place counts, not the number it claims."""
        edge = Frontier()
        for row in rows:
            if self._wanted:
                body, index = row[1] or b"", edge.size
                leaf = leaf_hash(body)
                nodes = [(0, index, leaf), *edge.append(leaf)]
                self._nodes |= {(level, at): node for level, at, node in nodes if (level, at) in self._wanted}
                if index in self._last:
                    self.bodies[index] = body
            yield row

    def node(self, level: int, index: int) -> bytes:
        """Return a node of the tree.

        Raises:
            KeyError: it lies beneath none of the checkpoints.
        """
        return self._nodes[level, index]


def _lines(file: TextIO) -> Iterator[str]:
    """Yield the lines of an export, none of which is longer than ours: a file without line breaks has no other end.

    Raises:
        Malformed: a line is too long.
    """
    while line := file.readline(LONGEST_LINE + 1):
        if len(line) > LONGEST_LINE:
            raise Malformed(f"a line is longer than {LONGEST_LINE:,} characters")
        yield line


@dataclass(slots=True)
class Named:
    """What an export's entries name: the log's names and key, the playbooks it adopted, those a case stands on."""

    origins: list[str] = field(default_factory=list)
    vkey: str = ""
    adopted: set[str] = field(default_factory=set)
    used: dict[str, tuple[str, int]] = field(default_factory=dict)

    def listen(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Pass the rows on and keep what they name; what is no entry is for others to report."""
        for row in rows:
            with suppress(ValueError, TypeError, KeyError, AttributeError, RecursionError):
                body = json.loads(row[1] or b"")
                if body["type"] in {EntryType.LOG_CREATED, EntryType.LOG_RESTORED}:
                    self.origins.append(body["data"]["origin"])
                    self.vkey = body["data"].get("vkey", self.vkey)
                if body["type"] == EntryType.PLAYBOOK_ADOPTED:
                    self.adopted.add(str(body["data"]["digest"]))
                if body["playbook"]:
                    self.used.setdefault(str(body["playbook"]), (body["case"], row[0]))
            yield row

    def faults(self, export: bundle.Bundle) -> Iterator[Finding]:
        """Yield a finding for whatever stands beside the entries and is not what they name, or is missing there."""
        if list(export.header.origins) != self.origins:
            yield Finding(
                "origin", LOG_CASE, 0, -1, "the header's names of the log are not those that its entries give"
            )
        if export.header.vkey != self.vkey:
            yield Finding("origin", LOG_CASE, 0, -1, "the header's public key is not the one that the log names")
        for digest in sorted(export.repeated):
            yield Finding("playbook", LOG_CASE, 0, -1, f"playbook {digest[:12]} stands in the export more than once")
        for digest in sorted(self.adopted - export.texts.keys()):
            yield Finding("playbook", LOG_CASE, 0, -1, f"playbook {digest[:12]} was adopted and is not in the export")
        for digest in sorted(export.texts.keys() - self.adopted):
            yield Finding("playbook", LOG_CASE, 0, -1, f"playbook {digest[:12]} is in the export and never adopted")
        for digest in sorted(self.used.keys() - self.adopted):
            case, index = self.used[digest]
            yield Finding("playbook", str(case), 0, index, f"it stands on playbook {digest[:12]}, never adopted here")


def public_key(app: App) -> str:
    """Return the public key that the log names as its own; compare it with the one you keep."""
    with app.database.reading() as tx:
        return str(cases.entries(tx, LOG_CASE)[0].data["vkey"])


def rebuild(app: App, who: Who) -> int:
    """Throw the case table away and draw it again from the entries; returns how many cases there are."""
    logbook.prepare(app, who)
    with app.database.transaction() as tx:
        cases.lock_intake(tx)
        cases.lock(tx, cases.ids(tx))
        return draw_anew(app, tx)


def draw_anew(app: App, tx: Tx) -> int:
    """Draw every case's row again in a transaction that nobody else writes beside; returns how many there are."""
    return redraw(tx, _pictures(app, tx, [case_id for case_id in cases.ids(tx) if case_id != LOG_CASE]))


def _pictures(app: App, tx: Tx, known: list[str]) -> Iterator[Picture]:
    for case_id in known:
        case = cases.load(tx, case_id)
        yield picture(case, app.playbook(tx, case.playbook))
