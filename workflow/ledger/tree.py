"""The tree under audit: leaves in, roots and faults out, in constant memory.

Leaves are taken a chunk at a time, because hashing a level in one go is faster than growing the tree leaf by
leaf; every node of the present chunk is at hand, so a root can be had for any size within it.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from workflow.ledger import merkle
from workflow.ledger.checkpoint import Checkpoint, open_checkpoint, parse
from workflow.ledger.finding import Finding, Kind
from workflow.ledger.malformed import Malformed
from workflow.ledger.note import Verifier

MAX_FINDINGS = 100
"""Findings of one kind kept in a report; further ones are only counted, so that memory stays constant."""

# The canonical base64 of four bytes of key hash and 64 bytes of signature, to the end of the note.
_ONE_SIGNATURE = re.compile(r"[A-Za-z0-9+/]{90}[AEIMQUYcgkosw048]=\n").fullmatch
_CHUNK_LEVEL = 10
CHUNK = 1 << _CHUNK_LEVEL
"""Leaves taken at a time; only the last chunk may be smaller."""

Row = tuple[int, bytes | None, bytes]
"""A leaf as stored: its number, the entry's bytes (None when they are gone), its hash."""


@dataclass(frozen=True, slots=True)
class TreeReport:
    """What :func:`workflow.ledger.verify.check_tree` saw."""

    size: int
    """Leaves read."""
    root: bytes
    """The root over them."""
    findings: tuple[Finding, ...]
    """At most ``MAX_FINDINGS`` of a kind, in the order met."""
    more: int
    """Findings beyond those."""
    checkpoints: int
    """Checkpoints read."""
    newest: Checkpoint | None
    """The newest well-formed checkpoint, signed or not."""
    checked_signatures: int
    """Checkpoints whose signature holds; 0 without verifiers: then nothing is known about the author."""
    node_digests: tuple[tuple[int, str], ...]
    """Per level from 1: the number of perfect nodes and the SHA-256 over their hashes in index order."""

    @property
    def sound(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


@dataclass
class TreeAudit:
    """The state of one run of :func:`check_tree`: the tree so far and the checkpoints to come."""

    checkpoints: Iterator[tuple[int, str | bytes]]
    origins: tuple[str, ...]
    verifiers: tuple[Verifier, ...]
    every_signature: bool
    findings: list[Finding] = field(default_factory=list)
    more: int = 0
    noted: dict[Kind, int] = field(default_factory=dict)
    base: int = 0
    chunks: merkle.Frontier = field(default_factory=merkle.Frontier)
    levels: list[list[bytes]] = field(default_factory=lambda: [[]])
    digests: list[Any] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    next_index: int = 0
    seen: int = 0
    newest: Checkpoint | None = None
    newest_note: str | bytes = ""
    good_size: int = 0
    bad: bool = False
    checked: int = 0
    signed: int = 0
    unsigned: bool = False
    reached: int = -1
    waiting: tuple[int, str | bytes] | None = None

    def __post_init__(self) -> None:
        self.waiting = self._next()

    def note(self, kind: Kind, index: int, why: str, named: tuple[str, int] = ("", 0)) -> None:
        """Keep a finding, or only count it once there are too many of its kind."""
        # Counted by kind: a thousand bad checkpoints must not hide the one entry that was changed.
        self.noted[kind] = self.noted.get(kind, 0) + 1
        if self.noted[kind] <= MAX_FINDINGS:
            self.findings.append(Finding(kind, *named, index, why))
        else:
            self.more += 1

    def _next(self) -> tuple[int, str | bytes] | None:
        """Return the next checkpoint whose stored size rises, noting those that do not."""
        for size, note in self.checkpoints:
            if type(size) is int and size > self.reached:
                self.reached = size
                return size, note
            self.seen += 1
            self.note(Kind.CHECKPOINT, -1, f"a checkpoint is stored under {size!r}, out of order or of no tree")
        return None

    def add(self, rows: list[Row]) -> None:
        """Take the next rows: a full chunk, or at the end what remains."""
        leaves = self._leaves(rows)
        self.levels = _levels(leaves)
        self._count()
        self._meet(self.base + len(leaves))
        if len(leaves) == CHUNK:
            self.base += CHUNK
            self._record(_CHUNK_LEVEL, self.chunks.append(self.levels[_CHUNK_LEVEL][0]))
            self.levels = [[]]

    def _leaves(self, rows: list[Row]) -> list[bytes]:
        """Return the true leaf hashes of these rows, noting where what is stored differs."""
        sha256, expected = hashlib.sha256, self.next_index
        indices, bodies, hashes = zip(*rows, strict=True)
        with suppress(TypeError):
            leaves = [sha256(b"\x00" + body).digest() for body in bodies]
            # Sound rows are compared all at once; where they differ it is looked up which of them does.
            if tuple(leaves) == hashes and indices == tuple(range(expected, expected + len(rows))):
                self.next_index = expected + len(rows)
                return leaves
        leaves = []
        for index, body, stored in rows:
            try:
                leaf = sha256(b"\x00" + body).digest()  # type: ignore[operator]
            except TypeError:
                self.note(Kind.MISSING, index, "the entry's bytes are not there")
                leaf = stored if type(stored) is bytes else b""
            if leaf != stored:
                self.note(Kind.LEAF, index, "the entry's bytes are not those that were hashed", _named(body))
            if index != expected:
                self.note(Kind.GAP, expected, f"leaf {index} stands where {expected} belongs", _named(body))
                expected = index if type(index) is int else expected
            expected += 1
            leaves.append(leaf)
        self.next_index = expected
        return leaves

    def _count(self) -> None:
        """Add the chunk's nodes to each level's digest; its own top is recorded with the chunk."""
        for level, hashes in enumerate(self.levels[1:], start=1):
            self._digest(level, b"".join(hashes), len(hashes))

    def _record(self, above: int, nodes: list[tuple[int, int, bytes]]) -> None:
        for level, _, value in nodes:
            self._digest(above + level, value, 1)

    def _digest(self, level: int, data: bytes, count: int) -> None:
        while len(self.digests) < level:
            self.digests.append(hashlib.sha256())
            self.counts.append(0)
        self.digests[level - 1].update(data)
        self.counts[level - 1] += count

    def _meet(self, size: int) -> None:
        """Judge the checkpoints up to this size, while the nodes beneath them are at hand."""
        while self.waiting is not None and self.waiting[0] <= size:
            self._judge(*self.waiting)
            self.waiting = self._next()

    def _judge(self, size: int, note: str | bytes) -> None:
        """Judge one checkpoint: form, order, origin, root and, if asked, signature."""
        root = self._root(size)
        expected = Checkpoint(self.newest.origin, size, root) if self.newest else None
        checkpoint = self._open(size, note, expected)
        if checkpoint is None:
            return
        if checkpoint.root == root:
            self.good_size, self.bad = size, False
        elif not self.bad:
            # Every later root repeats the first fault, so only the turn from good to bad is worth a line.
            self.bad = True
            why = f"entries {self.good_size} to {size - 1} do not give the root of the checkpoint at {size}"
            self.note(Kind.ROOT, self.good_size, why)

    def _open(self, size: int, note: str | bytes, expected: Checkpoint | None) -> Checkpoint | None:
        """Return the checkpoint when it is well formed and stands where it may."""
        self.seen += 1
        try:
            checkpoint = _read(note, expected)
        except Malformed as malformed:
            self.note(Kind.CHECKPOINT, size, malformed.why)
            return None
        if checkpoint.size != size:
            why = f"it states {checkpoint.size} entries and is stored under {size}"
            self.note(Kind.CHECKPOINT, size, why)
            return None
        if checkpoint.origin not in self.origins:
            self.note(Kind.ORIGIN, size, "the checkpoint belongs to another log")
        self.origins = onward(self.origins, checkpoint.origin)
        self.newest, self.newest_note = checkpoint, note
        if self.every_signature:
            self._check_signature(checkpoint, note)
        return checkpoint

    def _check_signature(self, checkpoint: Checkpoint, note: str | bytes) -> None:
        """Hold a checkpoint's signature against the known keys."""
        if not self.verifiers:
            return
        try:
            open_checkpoint(note, self.verifiers)
        except Malformed as malformed:
            if self.unsigned:
                # Every later head repeats the first fault, so only the turn from good to bad is worth a line.
                self.more += 1
                return
            self.unsigned = True
            rest = f"; entries {self.signed} to {checkpoint.size - 1} rest on it"
            self.note(Kind.SIGNATURE, checkpoint.size, malformed.why + rest)
        else:
            self.checked += 1
            self.signed, self.unsigned = checkpoint.size, False

    def _root(self, size: int) -> bytes:
        """Return the root at a size that lies within the present chunk."""
        inner = []
        offset, level = size - self.base, 0
        while offset:
            if offset & 1:
                inner.append(self.levels[level][offset - 1])
            offset >>= 1
            level += 1
        return merkle.fold(self.chunks.hashes + inner[::-1])

    def report(self) -> TreeReport:
        """Settle what only the end can tell, and report."""
        size = self.base + len(self.levels[0])
        self._meet(size)
        while self.waiting is not None:
            self._open(*self.waiting, None)
            self.waiting = self._next()
        covered = self.newest.size if self.newest else 0
        if covered > size:
            self.note(Kind.TRUNCATED, size, f"a checkpoint covers {covered} entries, the ledger holds {size}")
        if covered < size:
            self.note(Kind.UNSEALED, covered, f"entries {covered} to {size - 1} are under no checkpoint")
        if self.newest and not self.every_signature:
            self._check_signature(self.newest, self.newest_note)
        pairs = zip(self.counts, self.digests, strict=True)
        return TreeReport(
            size=size,
            root=self._root(size),
            findings=tuple(self.findings),
            more=self.more,
            checkpoints=self.seen,
            newest=self.newest,
            checked_signatures=self.checked,
            node_digests=tuple((count, digest.hexdigest()) for count, digest in pairs),
        )


def _levels(leaves: list[bytes]) -> list[list[bytes]]:
    """Return the perfect nodes over these leaves, level by level, the leaves first."""
    sha256, levels, level = hashlib.sha256, [leaves], leaves
    while len(level) > 1:
        pairs = iter(level)
        level = [sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=False)]
        levels.append(level)
    return levels


def _read(note: str | bytes, expected: Checkpoint | None) -> Checkpoint:
    """Read a checkpoint, five times faster when it is the expected one with one Ed25519 signature."""
    if expected and isinstance(note, str):
        head = f"{expected.text()}\n— {expected.origin} "
        if note.startswith(head) and _ONE_SIGNATURE(note, len(head)):
            return expected
    return parse(note)


def _named(body: Any) -> tuple[str, int]:
    """Return the case and sequence that damaged bytes still claim, or blanks."""
    try:
        claimed = json.loads(body)
        case, sequence = claimed["case"], claimed["sequence"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return "", 0
    return (case, sequence) if type(case) is str and type(sequence) is int else ("", 0)


def onward(origins: tuple[str, ...], origin: str) -> tuple[str, ...]:
    """Forget the names before this one, since going back to an older name is a fault too."""
    return origins[origins.index(origin) :] if origin in origins else origins
