"""Answers to prerequisites, typed once or read from the rows of a file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from workflow.cli.files import called, opened
from workflow.cli.moments import parse
from workflow.cli.wave import Plan, carry_out
from workflow.domain import actions as act
from workflow.domain.private import private
from workflow.domain.vocabulary import Result
from workflow.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from workflow.cli.session import Session
    from workflow.services.glance import Glance
    from workflow.services.wave import Item
    from workflow.sources.results import Row

AT_ONCE = 500
"""Rows whose cases are looked up together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was found about a prerequisite, as it was typed."""

    result: str
    observed_at: datetime
    reference: str = ""
    note: str = ""
    before: str = ""
    after: str = ""
    user: str = ""
    attachment: str = ""
    file: str = ""
    linked: tuple[str, ...] = ()

    def action(self, step: str, about: str) -> act.RecordEvidence:
        """Return what records it about one prerequisite.

        Raises:
            InputError: the result is none of the four.
        """
        known = {item.value for item in Result}
        result = self.result.strip().casefold().replace("_", "-").replace(" ", "-")
        if result not in known:
            raise InputError(f"{self.result[:40]!r} is no result: expected one of {', '.join(sorted(known))}.")
        return act.RecordEvidence(
            prerequisite=step,
            about=about,
            result=Result(result),
            observed_at=self.observed_at,
            reference=private(self.reference),
            note=private(self.note),
            before=private(self.before),
            after=private(self.after),
            attachment=self.attachment,
            file=private(self.file),
            linked=self.linked,
        )


def record_rows(session: Session, name: str, otherwise: Answer) -> None:
    """Record the answers of a file, each by itself; ``otherwise`` says what a row leaves open."""
    from workflow.services.glance import about
    from workflow.sources.results import ANSWERS, result_rows

    rows: dict[str, Row] = {}

    def answered(item: Item, seen: Glance) -> list[act.Action]:
        cells = rows.pop(item.where).cells
        given: dict[str, Any] = {
            **{name: cells[name] for name in ("result", "reference", "note", "before", "after") if cells.get(name)},
            **({"user": cells["for"]} if cells.get("for") else {}),
        }
        answer = replace(otherwise, **given)
        if cells.get("at"):
            answer = replace(answer, observed_at=time_of(session, cells["at"]))
        return [answer.action(cells["id"], about(seen, cells["id"], answer.user or None))]

    with opened(name) as (stream, _):
        items = located_rows(session, result_rows(stream, called(name), ANSWERS, ("case", "id")), rows)
        carry_out(session, items, Plan(title="Recording", verb="Record the answers in", make=answered))


def located_rows(session: Session, rows: Iterator[Row], kept: dict[str, Row]) -> Iterator[Item]:
    """Yield the item of each row, broken ones too, and keep the others' rows by where they stand."""
    from workflow.services import wave

    while batch := list(islice(rows, AT_ONCE)):
        good = [(row.where, row.cells["case"]) for row in batch if not row.broken]
        found = iter(wave.located(session.app, good))
        for row in batch:
            if row.broken:
                yield wave.Item(where=row.where, refused=InputError(row.broken))
            else:
                kept[row.where] = row
                yield replace(next(found), step=row.cells.get("id", ""))


def time_of(session: Session, text: str) -> datetime:
    """Return the time in a cell: as it may be typed, or as PowerShell writes it; without a zone it is local.

    Raises:
        InputError: it is no time, or a numeric date that can be read in two ways.
    """
    try:
        return parse(text, session.app.now(), session.zone)
    except InputError:
        from workflow.sources import ReadOptions
        from workflow.sources.moment import moment

        order: Any = session.settings.date_order or None
        zone: Any = session.zone or session.app.now().astimezone().tzinfo
        found = moment(text, ReadOptions(timezone=zone, date_order=order))
        if found is None:
            raise
        return found
