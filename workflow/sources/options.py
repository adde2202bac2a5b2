"""What the reader of a file must be told because the file itself does not say it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Literal

DateOrder = Literal["dmy", "mdy", "ymd"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """How to read what a file leaves open.

    Args:
        timezone: the zone of times written without one. UTC by default, which is what Exchange Online prints.
        date_order: the order of day, month and year in numeric dates such as 03/04/2026. Without it an
            ambiguous date is refused rather than guessed.
        tenant: the tenant of rows that do not name theirs, a GUID or a domain name.
    """

    timezone: tzinfo = UTC
    date_order: DateOrder | None = None
    tenant: str = ""
