"""Microsoft's ``Reason`` text, read tolerantly: its grammar is not documented and changes."""

from __future__ import annotations

import re
from dataclasses import dataclass

from workflow.domain.vocabulary import RestrictionStatus
from workflow.sources.limits import MAX_TEXT

_ENDS_BY_ITSELF = "RecipientRateLimitExceeded"
"""Too many recipients within 24 hours: sending is possible again when the window has moved on, whatever a row says."""
_SEPARATOR = re.compile("[=:]")
_COUNT = re.compile(r"[0-9]{1,15}")
_MAX_FIELDS = 64


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason as far as it was understood.

    Args:
        raw: the text as it was given, untrusted.
        kind: the first word that stands alone, such as ``EmailSendingLimitExceeded``, or "".
        fields: the names and values, in order.
    """

    raw: str
    kind: str = ""
    fields: tuple[tuple[str, str], ...] = ()

    def value(self, name: str) -> str:
        """Return a field's value, or ""; names are compared without case."""
        wanted = name.casefold()
        return next((value for key, value in self.fields if key.casefold() == wanted), "")

    def count(self, name: str) -> int | None:
        """Return a field's value as a number, or None."""
        value = self.value(name)
        return int(value) if _COUNT.fullmatch(value) else None

    @property
    def headline(self) -> str:
        """The counts in one phrase, such as "312 spam of 1,840 mails in 24 h", or "" when there are none."""
        spam, mails = self.count("OutboundSpamLast24Hours"), self.count("OutboundMailLast24Hours")
        if spam is not None:
            return f"{spam:,} spam" + ("" if mails is None else f" of {mails:,} mails") + " in 24 h"
        today = self._today()
        if today:
            return today
        recipients, limit = self.count("RecipientCountLast24Hours"), self.count("RcptRateLimit")
        if recipients is not None:
            return f"{recipients:,} recipients in 24 h" + ("" if limit is None else f", limit {limit:,}")
        return ""

    def _today(self) -> str:
        # The limit that was exceeded names the count that matters; without it the external one is shown.
        limit = self.value("ExceedingLimitType")[:20]
        order = ("Internal", "External") if limit.casefold() == "internal" else ("External", "Internal")
        for side in order:
            count = self.count(f"{side}RecipientCountToday")
            if count is not None:
                words = f"{count:,} {side.lower()} recipients today"
                return f"{words}, limit type {limit}" if limit.isalpha() else words
        return ""


def parse(text: str) -> Reason:
    """Read a reason: fields between semicolons, ``=`` or ``:`` behind names with spaces. Never fails."""
    kind = ""
    fields: list[tuple[str, str]] = []
    for piece in text[:MAX_TEXT].split(";", _MAX_FIELDS)[:_MAX_FIELDS]:
        found = _SEPARATOR.search(piece)
        if found:
            fields.append((piece[: found.start()].strip(), piece[found.end() :].strip()))
        elif not kind:
            kind = piece.strip()
    return Reason(text, kind, tuple(fields))


def status(text: str, *, temporary: bool | None) -> RestrictionStatus:
    """Return how a restriction that is listed with this reason stands; ``temporary`` is what its row says of itself."""
    if temporary or parse(text).kind.casefold() == _ENDS_BY_ITSELF.casefold():
        return RestrictionStatus.TEMPORARY
    return RestrictionStatus.LISTED
