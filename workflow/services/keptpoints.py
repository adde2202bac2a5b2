"""Checkpoints that somebody kept: a ticket's three lines, a signed note, or a file of checkpoints."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from workflow.errors import InputError
from workflow.ledger.checkpoint import Checkpoint, parse
from workflow.ledger.malformed import Malformed
from workflow.storage import files, outside

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from workflow.ledger.note import Verifier

MOST_BYTES = 1_000_000
LINES = 3
ROOT_BYTES = 32


def read(path: Path, verifiers: Sequence[Verifier]) -> list[Checkpoint]:
    """Return the checkpoint a file holds; of a file of many, the largest under each of the log's names.

    None is returned where no known key signed any.

    Three bare lines (as ``ledger checkpoint --print`` gives them) are believed as they stand: whoever kept them is the
    one who asks.

    Raises:
        InputError: the file cannot be read, or holds no checkpoint.
    """
    if path.is_file() and any(_is_signed(note) for note in outside.notes(path)):
        return [point for point, _ in outside.newest_of_each(path, verifiers)]
    content = files.read_at_most(path, MOST_BYTES)[:MOST_BYTES]
    text = content.decode("utf-8", "replace").replace("\r\n", "\n").strip("\n")
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    try:
        if len(lines) <= LINES:
            return [_bare(lines)]
        note = text + "\n"
        parse(note)
    except (Malformed, ValueError, binascii.Error) as error:
        message = (
            f"{path} holds no checkpoint, nor its three lines (origin, size, root): {error}. "
            "Make one with: holdfast ledger checkpoint --print"
        )
        raise InputError(message) from None
    try:
        return [outside.signed(note, verifiers)]
    except Malformed:
        return []


def _is_signed(note: str) -> bool:
    """Say whether this is a signed checkpoint, whoever signed it."""
    try:
        parse(note)
    except Malformed:
        return False
    return True


def _bare(lines: list[str]) -> Checkpoint:
    if len(lines) != LINES:
        message = f"{len(lines)} lines instead of three"
        raise ValueError(message)
    root = base64.b64decode(lines[2], validate=True)
    if len(root) != ROOT_BYTES or not lines[1].isascii() or not lines[1].isdigit():
        message = "the lines are not an origin, a size and a root"
        raise ValueError(message)
    return Checkpoint(lines[0], int(lines[1]), root)
