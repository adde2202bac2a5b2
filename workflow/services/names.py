"""From opaque ids and commitments back to words, for one page at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.storage import openings, subjects

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workflow.domain.private import Private
    from workflow.storage.transaction import Tx

ERASED = "(erased)"
"""What stands where a name or a text was erased."""


class Names:
    """Names and texts read together, so that a page costs two look-ups however long it is."""

    def __init__(self, tx: Tx, subject_ids: Iterable[str], commitments: Iterable[str] = ()) -> None:
        """Read what these ids and commitments stand for."""
        self._subjects = subjects.names(tx, subject_ids)
        self._texts = openings.reveal(tx, commitments)

    def subject(self, identifier: str) -> str:
        """Return the mailbox, user, connector or person; "system" and "" stand for themselves."""
        if identifier in {"", "system"}:
            return identifier
        found = self._subjects.get(identifier)
        return ERASED if found is None else found.identifier

    def text(self, private: Private) -> str:
        """Return the words behind a commitment, "" where none were given."""
        return self.commitment(private.commitment)

    def commitment(self, commitment: str) -> str:
        """Return the words behind a commitment in hex."""
        return self._texts.get(commitment, ERASED) if commitment else ""
