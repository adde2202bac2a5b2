"""Verifying a ledger: pure, streaming, and never surprised by bad bytes.

Three questions, three functions. :func:`check_tree`: are these the bytes that were sealed?
:func:`check_chain`: is each case one unbroken history? :func:`compare`: does the ledger still extend a
checkpoint that somebody kept? Whether each step was *legal* is not asked here; the entries that
:func:`check_chain` yields are replayed elsewhere.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from workflow.ledger import entry, merkle
from workflow.ledger.checkpoint import Checkpoint
from workflow.ledger.finding import Finding, Kind
from workflow.ledger.malformed import Malformed
from workflow.ledger.note import Verifier
from workflow.ledger.tree import CHUNK, Row, TreeAudit, TreeReport, onward

__all__ = ["Finding", "Kind", "Row", "TreeReport", "check_chain", "check_nodes", "check_tree", "compare"]


def check_tree(
    rows: Iterable[Row],
    checkpoints: Iterable[tuple[int, str | bytes]],
    *,
    origins: Sequence[str],
    verifiers: Sequence[Verifier],
    every_signature: bool = False,
) -> TreeReport:
    """Compare entries with their leaf hashes, the tree with every checkpoint, signatures with the keys.

    ``rows`` come by leaf number, ``checkpoints`` as ``(size, note)`` by size. ``origins`` are the names the
    log has had, oldest first: only a declared restore adds one. Only the newest signature is checked unless
    ``every_signature``; without ``verifiers`` none is. Memory does not grow with the log.
    """
    audit = TreeAudit(iter(checkpoints), tuple(origins), tuple(verifiers), every_signature)
    source = iter(rows)
    while chunk := list(islice(source, CHUNK)):
        audit.add(chunk)
    return audit.report()


def check_nodes(report: TreeReport, level: int, hashes: Iterable[bytes]) -> Finding | None:
    """Compare the stored nodes of one level, in index order, with those :func:`check_tree` computed."""
    digest, count, lengths = hashlib.sha256(), 0, {merkle.HASH_BYTES}
    source = iter(hashes)
    while chunk := list(islice(source, CHUNK)):
        digest.update(b"".join(chunk))
        count += len(chunk)
        # Joined, the hashes do not show that one of them lent a byte to the next.
        lengths.update(map(len, chunk))
    known = report.node_digests
    expected = known[level - 1] if level <= len(known) else (0, hashlib.sha256().hexdigest())
    if (count, digest.hexdigest()) == expected and lengths == {merkle.HASH_BYTES}:
        return None
    return Finding(Kind.NODE, "", 0, -1, f"the stored nodes of level {level} are not those of the entries")


def check_chain(
    case: str, bodies: Iterable[tuple[bytes, bytes | None]], *, origins: Sequence[str] = ()
) -> Iterator[Finding | dict[str, Any]]:
    """Yield each entry of one case, opened, with the faults of its envelope before it.

    ``bodies`` are ``(bytes, leaf hash)`` in the order of their sequence; the hash is computed where it is
    None (an entry not yet sealed), and taken as :func:`check_tree` has compared it otherwise. A malformed
    entry yields a finding alone. ``origins`` are the log's names, oldest first; without them the first
    entry's name counts.
    """
    chain = _Chain(case, tuple(origins))
    for data, leaf in bodies:
        link = (entry.leaf_hash(data) if leaf is None else leaf).hex()
        try:
            body = entry.open_body(data)
        except Malformed as malformed:
            yield Finding(Kind.MALFORMED, case, chain.sequence, -1, malformed.why)
            chain.sequence, chain.link = chain.sequence + 1, link
            continue
        for kind, why in chain.faults(body):
            yield Finding(kind, case, body["sequence"], -1, why)
        yield body
        chain.step(body, link)


def compare(kept: Checkpoint, size: int, lookup: merkle.Lookup) -> Finding | None:
    """Tell whether a log of ``size`` leaves still extends a checkpoint that was kept outside it.

    ``lookup`` reads the log's perfect nodes, level 0 being the leaf hashes.
    """
    if kept.size > size:
        why = f"a kept checkpoint covers {kept.size} entries, the ledger holds {size}"
        return Finding(Kind.TRUNCATED, "", 0, size, why)
    try:
        root = merkle.root_at(kept.size, lookup)
    except LookupError:
        return Finding(Kind.NODE, "", 0, -1, f"nodes beneath the tree of {kept.size} entries are missing")
    if root != kept.root:
        why = f"the first {kept.size} entries are not those of the kept checkpoint"
        return Finding(Kind.REWRITTEN, "", 0, -1, why)
    return None


@dataclass
class _Chain:
    """What the next entry of a case must continue."""

    case: str
    origins: tuple[str, ...]
    sequence: int = 1
    link: str = ""
    tenant: str | None = None
    moment: str = ""

    def faults(self, body: dict[str, Any]) -> Iterator[tuple[Kind, str]]:
        """Yield what is wrong with an entry's place in its case."""
        if body["case"] != self.case:
            yield Kind.CASE, "the entry belongs to another case"
        if body["sequence"] != self.sequence:
            yield Kind.SEQUENCE, f"sequence {body['sequence']} stands where {self.sequence} belongs"
        if body["prev"] != self.link:
            yield Kind.LINK, "prev is not the leaf hash of the case's previous entry"
        if self.origins and body["log"] not in self.origins:
            yield Kind.ORIGIN, "the entry was written for another log"
        if self.tenant is not None and body["tenant"] != self.tenant:
            yield Kind.TENANT, "the tenant is not that of the case's first entry"
        if body["recorded_at"] < self.moment:
            yield Kind.TIME, "recorded earlier than an entry before it"

    def step(self, body: dict[str, Any], link: str) -> None:
        """Move on past this entry, whose leaf hash is ``link``."""
        self.sequence, self.link = body["sequence"] + 1, link
        self.origins = onward(self.origins or (body["log"],), body["log"])
        self.tenant = body["tenant"] if self.tenant is None else self.tenant
        self.moment = max(self.moment, body["recorded_at"])
