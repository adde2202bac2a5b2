"""Declared restores: what the ledger says of the backups it was put back from, and what went missing each time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workflow.domain.record import time_for_people, time_from_text
from workflow.ledger import merkle
from workflow.ledger.malformed import Malformed
from workflow.ledger.origin import number, stem
from workflow.ledger.verify import compare
from workflow.storage import outside
from workflow.storage.tree import UNSEALED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workflow.ledger.checkpoint import Checkpoint
    from workflow.ledger.merkle import Lookup
    from workflow.ledger.note import Verifier

MOST_KNOWN = 8
"""Names whose last checkpoint an entry carries, the newest of them; more would not fit into one."""


@dataclass(frozen=True, slots=True)
class Restore:
    """A ``log:restored`` entry.

    Args:
        at: when it was recorded (UTC text).
        origin: the name under which the log went on.
        previous: the name it had in the backup.
        size: entries that the backup held; the entry itself is the next leaf.
        root: the root over them (32 bytes).
        known: the last checkpoints known when it was declared, one per name of the log, newest last; signed notes.
        lost: entries beyond the backup that the longest of these covers.
    """

    at: str
    origin: str
    previous: str
    size: int
    root: bytes
    known: tuple[str, ...]
    lost: int

    def to_data(self) -> dict[str, Any]:
        """Return the data of the entry, without the reason."""
        return {
            "origin": self.origin,
            "previous": self.previous,
            "size": self.size,
            "root": self.root.hex(),
            "known": list(self.known),
            "lost": self.lost,
        }

    def checkpoints(self, verifiers: Sequence[Verifier]) -> list[Checkpoint]:
        """Return the last checkpoints known, once a known key vouches for each.

        Raises:
            Malformed: no known key signed one.
        """
        return [outside.signed(note, verifiers) for note in self.known]


def from_body(body: Mapping[str, Any]) -> Restore:
    """Take the decoded body of an entry.

    Raises:
        KeyError, TypeError, ValueError: it does not have the shape that Holdfast writes.
    """
    data = body["data"]
    texts = (data["origin"], data["previous"], *data["known"])
    if type(data["size"]) is not int or type(data["lost"]) is not int or any(type(text) is not str for text in texts):
        message = "its members are of the wrong kind"
        raise TypeError(message)
    return Restore(
        at=body["recorded_at"],
        origin=data["origin"],
        previous=data["previous"],
        size=data["size"],
        root=bytes.fromhex(data["root"]),
        known=tuple(data["known"]),
        lost=data["lost"],
    )


def fault(restore: Restore, before: str, log: str, index: int, verifiers: Sequence[Verifier], lookup: Lookup) -> str:
    """Say why a restore cannot have been declared as it stands written, or "".

    Args:
        restore: what the entry says.
        before: the name that the log had until then.
        log: the name that the entry itself was written under.
        index: the entry's leaf number.
        verifiers: the known keys; without any, signatures are not looked at.
        lookup: reads the tree's nodes.
    """
    names = (before, stem(before), restore.origin)
    if (restore.previous, stem(restore.origin), log) != names or number(log) <= number(before):
        return "the log does not go on under a later name of its own"
    if index not in {restore.size, UNSEALED}:
        return f"it says that {restore.size} entries were put back, and stands behind {index}"
    try:
        if merkle.root_at(restore.size, lookup) != restore.root:
            return "the entries before it are not those it says were put back"
        known = restore.checkpoints(verifiers) if verifiers else []
    except Malformed as malformed:
        return f"a checkpoint that it names is not signed by this log's key: {malformed.why}"
    except LookupError:
        return "nodes beneath it are missing"
    if any(stem(point.origin) != stem(log) or number(point.origin) >= number(log) for point in known):
        return "a checkpoint that it names is of another log, or of a later name"
    if known and max(0, *(point.size - restore.size for point in known)) != restore.lost:
        return "the number of lost entries is not what the last checkpoints known leave"
    if known and known[-1].size <= restore.size and compare(known[-1], restore.size, lookup) is not None:
        return "what was put back does not continue the last checkpoint known"
    return ""


def when(restore: Restore) -> str:
    """Return for people when a restore was declared."""
    return time_for_people(time_from_text(restore.at))


@dataclass(frozen=True, slots=True)
class Loss:
    """What declared restores lost of that which a kept checkpoint covers: entries from ``first`` up to ``end``."""

    restore: Restore
    origin: str
    first: int
    end: int

    def __str__(self) -> str:
        return (
            f"the restore declared at {when(self.restore)} lost {self.end - self.first} of the {self.end} entries that "
            f"a kept checkpoint covers: entries {self.first} to {self.end - 1} of {self.origin}"
        )


def lost(point: Checkpoint, declared: Sequence[Restore], verifiers: Sequence[Verifier]) -> Loss | None:
    """Return what declared restores lost of a kept checkpoint; None where they do not explain that it does not fit.

    A restore explains no more than the last checkpoint of that name that was known when it was declared.
    """
    for restore in declared:
        try:
            known = restore.checkpoints(verifiers)
        except Malformed:
            continue
        for last in known:
            explained = last.origin == point.origin and restore.size < point.size <= last.size
            if explained and (point.size < last.size or point.root == last.root):
                later = [item.size for item in declared if number(item.origin) > number(point.origin)]
                return Loss(restore, point.origin, min(later), point.size)
    return None
