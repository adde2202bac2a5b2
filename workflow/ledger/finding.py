"""What a verifier has to say: a fault, where it is, and why it is one."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The kinds of fault, each with its own cure or culprit."""

    MALFORMED = "malformed"
    """An entry's bytes are not canonical JSON of a known format."""
    MISSING = "missing"
    """An entry's bytes are gone though its leaf stands in the tree."""
    LEAF = "leaf"
    """An entry's bytes are not those that were hashed."""
    GAP = "gap"
    """Leaf numbers do not run 0, 1, 2…"""
    NODE = "node"
    """A stored node of the tree is not the hash of what is beneath it."""
    ROOT = "root"
    """The entries do not give the root that a checkpoint states."""
    CHECKPOINT = "checkpoint"
    """A checkpoint is not well formed or stands out of order."""
    SIGNATURE = "signature"
    """A checkpoint is not signed by the log's key."""
    ORIGIN = "origin"
    """An entry or a checkpoint belongs to another log."""
    UNSEALED = "unsealed"
    """The newest checkpoint does not cover the newest entries."""
    TRUNCATED = "truncated"
    """Fewer entries are there than a checkpoint covers."""
    REWRITTEN = "rewritten"
    """The history beneath a kept checkpoint is not the one it was made over."""
    CASE = "case"
    """An entry stands under a case that is not its own."""
    SEQUENCE = "sequence"
    """A case's entries do not run 1, 2, 3…"""
    LINK = "link"
    """An entry does not name the hash of its case's previous entry."""
    TENANT = "tenant"
    """A case changes its tenant."""
    TIME = "time"
    """Within a case the recorded time runs backwards."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault.

    ``case`` is "" and ``sequence`` 0 where the fault is not in one entry; ``index`` is the leaf's number (for
    a root the first leaf that may be at fault, for a checkpoint its size), -1 where it is not known.
    """

    kind: str
    case: str
    sequence: int
    index: int
    why: str
