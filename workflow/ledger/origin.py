"""The names of a log: after each declared restore it goes on under the next one.

A name ends in a number, ``holdfast-4f…/1``. What was restored from a backup continues as ``…/2``, signed by the same
key under that name, so that no two histories ever share a name. A name without a number counts as the first.
"""

import re
from collections.abc import Iterable, Sequence

from workflow.ledger.checkpoint import Checkpoint, parse
from workflow.ledger.malformed import Malformed
from workflow.ledger.note import Verifier

_NUMBERED = re.compile(r"(.+)/([1-9][0-9]{0,8})").fullmatch


def stem(origin: str) -> str:
    """Return what all names of a log have in common."""
    found = _NUMBERED(origin)
    return found[1] if found else origin


def number(origin: str) -> int:
    """Return which of the log's names this is, from 1."""
    found = _NUMBERED(origin)
    return int(found[2]) if found else 1


def following(*origins: str) -> str:
    """Return the name that comes after all of these, which are of one log."""
    return f"{stem(origins[0])}/{max(number(origin) for origin in origins) + 1}"


def rank(checkpoint: Checkpoint) -> tuple[int, int]:
    """Return what puts a log's checkpoints in order: a later name first of all, then the size."""
    return number(checkpoint.origin), checkpoint.size


def current(note: str | None, name: str) -> str:
    """Return the name that a log goes on under: its newest checkpoint's, or ``name`` where that says none of its own.

    The note is not verified here: whoever extends the tree beneath it has to.
    """
    try:
        origin = name if note is None else parse(note).origin
    except Malformed:
        return name
    return origin if stem(origin) == stem(name) else name


def named(verifiers: Iterable[Verifier], origin: str) -> Sequence[Verifier]:
    """Return the keys as they sign under this name of their log; those of other logs as they are."""
    return [key.under(origin) if stem(key.name) == stem(origin) else key for key in verifiers]
