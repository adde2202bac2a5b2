"""Checkpoints: a log's size and root at one moment, signed (C2SP ``tlog-checkpoint``).

The signed text is exactly three lines: the log's origin, the number of leaves in decimal, the root in base64.
Extension lines, which the specification allows and advises against, are refused. The log signs under its
origin as key name.
"""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass

from workflow.errors import InputError
from workflow.ledger import note as notes
from workflow.ledger.malformed import Malformed
from workflow.ledger.merkle import HASH_BYTES
from workflow.ledger.note import Signer, Verifier, is_name

_SIZE = re.compile(r"0|[1-9][0-9]{0,15}").fullmatch
_LINES = 3


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head: which log, how many leaves, which root (32 bytes)."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """Return the three lines that are signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def sign(checkpoint: Checkpoint, signer: Signer) -> str:
    """Return the checkpoint as a signed note.

    Raises:
        InputError: the signer's name is not the checkpoint's origin, or size or root are impossible.
    """
    if signer.name != checkpoint.origin:
        raise InputError("a log signs its checkpoints under its own origin")
    if checkpoint.size < 0 or len(checkpoint.root) != HASH_BYTES:
        raise InputError("a checkpoint has a size from 0 and a root of 32 bytes")
    return notes.sign(checkpoint.text(), signer)


def parse(note: str | bytes) -> Checkpoint:
    """Read a checkpoint without looking at its signatures. It proves nothing by itself.

    Raises:
        Malformed: not a signed note of exactly three lines of the required form.
    """
    return _read(notes.parse(note).text)


def open_checkpoint(note: str | bytes, verifiers: Sequence[Verifier]) -> Checkpoint:
    """Return the checkpoint once the log's own key vouches for it; witnesses alone do not suffice.

    Raises:
        Malformed: not a checkpoint, a signature that does not hold, or none by a known key of this origin.
    """
    verified = notes.verify(note, verifiers)
    checkpoint = _read(verified.text)
    if all(signature.name != checkpoint.origin for signature in verified.signatures):
        raise Malformed("the log's own key did not sign this checkpoint")
    return checkpoint


def _read(text: str) -> Checkpoint:
    """Take the three lines apart."""
    lines = text[:-1].split("\n")
    if len(lines) != _LINES:
        raise Malformed("a checkpoint has exactly three lines")
    origin, size, encoded = lines
    if not is_name(origin):
        raise Malformed("the origin is not text without blanks and plus signs")
    if not _SIZE(size):
        raise Malformed("the size is not a plain decimal number")
    root = notes.decode_base64(encoded)
    if len(root) != HASH_BYTES:
        raise Malformed("the root is not 32 bytes")
    return Checkpoint(origin, int(size), root)
