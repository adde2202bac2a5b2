"""Substring search over identifiers. Whatever is typed is looked for as it stands: no character has a meaning."""

import unicodedata
from typing import Any, Final

from workflow.storage.cases import literal
from workflow.storage.openings import marks
from workflow.storage.transaction import Tx, storable

SHORTEST: Final = 3
"""Characters an indexed search needs: the index knows the identifiers' runs of three."""

_FEW: Final = 500
_NOTHING: Final = "1 = 0"


def condition(tx: Tx, text: str) -> tuple[str, list[Any]]:
    """Return a condition on ``c.entity``, and its values, that holds for entities whose identifier contains ``text``.

    Few matches are named; many are tested case by case in the order of the page, which then fills quickly.
    """
    wanted = unicodedata.normalize("NFC", text.strip()).casefold()
    if not storable(wanted):
        return _NOTHING, []
    if len(wanted) >= SHORTEST:
        found = _named(tx, wanted)
        if found is not None:
            return (f"c.entity IN ({marks(found)})", found) if found else (_NOTHING, [])
    contains = "instr(s.identifier, ?) > 0" if tx.sqlite else "position(? in s.identifier) > 0"
    return f"EXISTS (SELECT 1 FROM subject AS s WHERE s.id = c.entity AND {contains})", [wanted]


def _named(tx: Tx, wanted: str) -> list[str] | None:
    """Return the ids of the subjects that match, or None where they are too many or nothing indexes them."""
    if not tx.sqlite:
        rows = tx.all(
            f"SELECT id FROM subject WHERE identifier LIKE ? ESCAPE '!' LIMIT {_FEW + 1}", (f"%{literal(wanted)}%",)
        )
    elif tx.one("SELECT 1 FROM sqlite_master WHERE name = 'subject_search'") is None:
        return None
    else:
        phrase = '"' + wanted.replace('"', '""') + '"'
        rows = tx.all(
            "SELECT s.id FROM subject_search AS f CROSS JOIN subject AS s ON s.position = f.rowid "
            f"WHERE subject_search MATCH ? AND instr(s.identifier, ?) > 0 LIMIT {_FEW + 1}",
            (phrase, wanted),
        )
    return [item for (item,) in rows] if len(rows) <= _FEW else None
