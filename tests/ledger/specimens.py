"""Ledgers to verify and to wound: small, honest, and the same in every run."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

from workflow.ledger import entry, merkle
from workflow.ledger.checkpoint import Checkpoint, sign
from workflow.ledger.note import Signer
from workflow.ledger.verify import Row

ORIGIN = "holdfast.example/ledger"
SIGNER = Signer.load("PRIVATE+KEY+holdfast.example/ledger+d2a17493+AQABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f")
STRANGER = Signer.generate(ORIGIN)


def body(**changes: Any) -> dict[str, Any]:
    """Return a sound first entry, with these fields in place of its own."""
    return {
        "v": 1,
        "log": ORIGIN,
        "id": "0193b0c0-0000-7000-8000-000000000000",
        "type": "evidence:recorded",
        "tenant": "contoso",
        "case": "HF-1",
        "sequence": 1,
        "prev": "",
        "recorded_at": "2026-11-24T00:00:00.000000Z",
        "clock": "ok",
        "actor": {"id": "p-1", "role": "analyst"},
        "action": "record-evidence",
        "state_before": "detected",
        "state_after": "contained",
        "recurrence": 1,
        "outcome": "done",
        "playbook": "ab" * 32,
        "data": {"result": "met", "note": "Grüße"},
        "basis": {},
        "cites": ["cd" * 32],
        "request": "",
    } | changes


def chain(case: str, length: int, **changes: Any) -> list[bytes]:
    """Return the stored bytes of a case of so many entries, each linked to the one before."""
    bodies: list[bytes] = []
    for sequence in range(1, length + 1):
        prev = entry.leaf_hash(bodies[-1]).hex() if bodies else ""
        moment = f"2026-11-24T00:{sequence // 60:02}:{sequence % 60:02}.000000Z"
        fields = {"case": case, "sequence": sequence, "prev": prev, "recorded_at": moment}
        bodies.append(entry.seal_body(body(**fields) | changes))
    return bodies


@dataclass
class Specimen:
    """A ledger as a store would hand it out: rows, checkpoints, and the nodes in between."""

    rows: list[Row]
    checkpoints: list[tuple[int, str | bytes]]
    nodes: dict[tuple[int, int], bytes] = field(default_factory=dict)

    def lookup(self, level: int, index: int) -> bytes:
        """Return a stored node."""
        return self.nodes[level, index]

    def level(self, level: int) -> list[bytes]:
        """Return one level's nodes in index order."""
        return [value for (depth, _), value in sorted(self.nodes.items()) if depth == level]


def checkpoint(size: int, root: bytes, signer: Signer = SIGNER) -> tuple[int, str | bytes]:
    """Return a signed checkpoint as a store would hand it out."""
    return size, sign(Checkpoint(signer.name, size, root), signer)


def ledger(bodies: list[bytes], every: int = 1, signer: Signer = SIGNER) -> Specimen:
    """Seal these entries, with a checkpoint after ``every`` entries and one at the end."""
    frontier, specimen = merkle.Frontier(), Specimen([], [])
    for index, data in enumerate(bodies):
        leaf = entry.leaf_hash(data)
        specimen.rows.append((index, data, leaf))
        specimen.nodes[0, index] = leaf
        for level, position, value in frontier.append(leaf):
            specimen.nodes[level, position] = value
        if frontier.size % every == 0 or frontier.size == len(bodies):
            specimen.checkpoints.append(checkpoint(frontier.size, frontier.root(), signer))
    return specimen


def numbered(count: int) -> list[bytes]:
    """Return so many different byte strings, no entries, for trees that do not look inside."""
    return [hashlib.sha256(number.to_bytes(4)).digest() for number in range(count)]
