"""How much of an untrusted file is looked at: every reader stays within these bounds."""

from __future__ import annotations

CHUNK = 65_536
"""Bytes read at a time, and characters looked at to find out what a file is."""

MAX_ITEM = 1_048_576
"""Characters of one JSON item, one line or one CSV record."""

MAX_DEPTH = 64
"""Levels of nesting in one JSON item; the deepest known, an alert with evidence, has about ten."""

MAX_MAIL = 10 * 1_048_576
"""Bytes of one mail."""

MAX_TEXT = 2_000
"""Characters kept of Microsoft's own free text, such as a reason."""

MAX_NAME = 256
"""Characters kept of a display name."""

MAX_RAW_IDENTIFIER = 1_000
"""Characters of an identifier that are looked at before it is refused: normalising longer ones costs time."""
