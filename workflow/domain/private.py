"""Private text: what a person typed, which entries carry only as a salted commitment.

The ground floor never needs the words, only to know whether there are any and whether they are unchanged.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Private:
    """Free text, or the commitment that stands for it.

    ``text`` is what a face was given and is gone once the action is sealed; ``commitment`` is 64 hex digits. Two
    values are equal when their commitments are (equal text under one salt has one commitment).
    """

    text: str = field(default="", compare=False, repr=False)
    commitment: str = ""

    def __bool__(self) -> bool:
        """Say whether anything was given."""
        return bool(self.text or self.commitment)


NOTHING = Private()
_SECRET = re.compile(
    r"\b(?:pass(?:word|wort|wd|phrase|code)?|kennwort|pwd|secret|token|api[ _-]?key)[\"']?\s*[:=]\s*\S{4}"
    r"|\b(?:client|app|access|refresh|id)_(?:secret|token|password)"
    r"|\bBearer\s+[\w.~+/-]{16}"
    r"|\beyJ[\w-]{10}",
    re.IGNORECASE,
)
"""A word for a secret with something behind its colon or equals sign, or what a token itself begins with."""


def looks_secret(text: str) -> bool:
    """Say whether a text seems to hold a password or a token; only a hint, which a person judges."""
    return _SECRET.search(text) is not None


def private(text: str | None) -> Private:
    """Return what was said as private text; blanks alone say nothing, so they are no reference and no reason."""
    return Private(text=text) if text and text.strip() else NOTHING


def private_in(data: Mapping[str, Any], key: str) -> Private:
    """Return the text that a member of an entry stands for; :data:`NOTHING` where there is no such member."""
    value = data.get(key)
    return NOTHING if value is None else Private(commitment=value["commitment"])
