"""A period: the half-open stretch of time that an auditor asks about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from workflow.domain.record import optional_time_to_text, time_to_text
from workflow.errors import InputError

_FIRST = datetime.min.replace(tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Period:
    """From ``start`` (included) to ``end`` (excluded), both aware; None means that this side is open.

    Raises:
        InputError: it ends before it begins, or where it begins.
    """

    start: datetime | None = None
    end: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse a period in which nothing can lie."""
        if self.start is not None and self.end is not None and self.end <= self.start:
            message = "The period ends before it begins: --from comes first, --to after it."
            raise InputError(message)

    def texts(self) -> tuple[str, str]:
        """Return both sides as entries write times; the first and last there are where one is open."""
        return time_to_text(self.start or _FIRST), time_to_text(self.end or _LAST)

    def to_data(self) -> dict[str, str | None]:
        """Return plain JSON values: UTC text, or null where a side is open."""
        return {"from": optional_time_to_text(self.start), "to": optional_time_to_text(self.end)}
