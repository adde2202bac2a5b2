"""The worklist: pages of cases with names put back, and what is late or overdue computed now."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict, dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from workflow.domain.conclusions import LAPSING
from workflow.domain.labels import well_formed
from workflow.domain.picture import lateness, picture, waits_for
from workflow.domain.record import optional_time_to_text
from workflow.domain.vocabulary import ENDED, State
from workflow.errors import InputError
from workflow.services import logbook
from workflow.services.names import Names
from workflow.services.people import known_person
from workflow.services.present import present
from workflow.storage import cases, playbooks, worklist
from workflow.storage.transaction import storable
from workflow.storage.worklist import MOST, SORTS, URGENT, Filters

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from workflow.app import App
    from workflow.domain.adoption import Shelf
    from workflow.domain.case import Case
    from workflow.domain.picture import Picture
    from workflow.storage.transaction import Tx

__all__ = ["MOST", "SORTS", "CaseRow", "Filters", "Page", "person_filter", "worklist_page"]

LONGEST_ID = 60
"""Characters of a word for which a similar prerequisite is looked for."""
LARGEST = 2**31 - 1
"""Largest case number; both databases take it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """One case of a list; times are text in UTC.

    ``missing`` names the prerequisites between the case and *verified*, each once; an ended case lacks nothing.
    ``break_glass`` says how it stands with approvals that broke the glass. Every field stands in
    :class:`workflow.services.shapes.CaseView` too, under the same name and with the same type.
    """

    id: str
    number: int
    tenant: str
    kind: str
    entity: str
    state: str
    recurrence: int
    version: int
    playbook: str
    playbook_version: str
    playbook_digest: str
    playbook_shipped: bool
    missing: list[str]
    assignee: str
    opened_at: str | None
    updated_at: str | None
    due_at: str | None
    due: str
    overdue_seconds: int
    resolution: str | None
    restriction: str
    restricted_at: str | None
    requested_at: str | None
    intended_at: str | None
    released_at: str | None
    ended_at: str | None
    labels: list[str]
    break_glass: list[str]
    waits_for: str
    late: bool
    overdue: bool

    def to_data(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, the key of the next page ("" on the last), and how many cases there are in each state.

    ``lagging`` says that in so many cases something ran out since their newest entry that not all could be settled:
    those it ran out in longest ago are shown, found and counted as they stood then.
    """

    rows: list[CaseRow]
    next: str
    counts: dict[str, int]
    lagging: bool


def worklist_page(app: App, filters: Filters, sort: str = URGENT, limit: int = 50, after: str = "") -> Page:
    """Return one page, settled as of now; ``sort`` is a field, with ``-`` in front for the largest first.

    Raises:
        InputError: an unknown sort field, a limit outside 1…500, a filter that is no text or no label, or a key that
            no page gave.
    """
    filters = checked_filters(app, filters)
    column, descending = sort.removeprefix("-"), sort.startswith("-")
    with app.database.reading() as tx:
        now = app.now()
        anew, lagging = redrawn(app, tx, now)
        page = worklist.page(tx, filters, column, descending=descending, limit=limit, after=_key(after), redrawn=anew)
        names = Names(tx, {name for item in page.cases for name in (item.entity, item.assignee)} - {""})
        shelf = logbook.shelf(tx)
        counts = worklist.counts(tx, anew)
        approved = _approved(app, tx, page.cases, now)
    rows = [_row(item, names, shelf, now, approved=item.id in approved) for item in page.cases]
    return Page(rows, _text_key(page.after), {state.value: count for state, count in counts.items()}, lagging)


def _approved(app: App, tx: Tx, rows: Sequence[Picture], now: datetime) -> set[str]:
    """Return the ids of those whose requested unblock has its approvals, which a row does not say."""
    asked = [row.id for row in rows if row.state == State.UNBLOCK_REQUESTED and row.intended_at is None]
    return {
        case.id
        for case in cases.load_many(tx, asked, app.cache).values()
        if sum(item.expires_at > now for item in case.approvals) >= app.playbook(tx, case.playbook).approvals
    }


def redrawn(app: App, tx: Tx, now: datetime, most: int = MOST) -> tuple[dict[str, Picture], bool]:
    """Draw, by id, the cases in which something ran out since their rows were written, as they stand now.

    Nothing is written: their next step writes it. Also returns whether there may be more than the ``most`` looked at.
    """
    due_by = Filters(states=tuple(LAPSING), due_until=now)
    found = worklist.page(tx, due_by, "due_at", descending=True, limit=most)
    # What is due while an unblock is under way is its confirmation; nothing runs out then.
    rows = [row for row in found.cases if row.intended_at is None]
    stored = cases.load_many(tx, [row.id for row in rows], app.cache)
    return {row.id: _settled(app, tx, row, stored[row.id], now) for row in rows}, found.after is not None


def _settled(app: App, tx: Tx, row: Picture, stored: Case, now: datetime) -> Picture:
    case, playbook, _, _ = present(app, tx, stored, now)
    return replace(picture(case, playbook), version=row.version, updated_at=row.updated_at)


def person_filter(app: App, name: str) -> str:
    """Return the opaque id to filter assignees by; a name nobody used matches no case."""
    with app.database.reading() as tx:
        return known_person(tx, name) or "nobody"


def _known_prerequisite(app: App, wanted: str) -> None:
    """Refuse a prerequisite that no playbook ever asked for here: nothing could ever lack it.

    Raises:
        InputError: with the ones that were probably meant.
    """
    with app.database.reading() as tx:
        known = {item["id"] for book in playbooks.every(tx) for item in json.loads(book.body)["prerequisites"]}
    if wanted not in known:
        close = get_close_matches(wanted, sorted(known), n=1) if len(wanted) <= LONGEST_ID else []
        cure = f"Was {close[0]} meant?" if close else "See them with: holdfast playbook show NAME"
        message = f"No playbook that was adopted here has the prerequisite {wanted!r}. {cure}"
        raise InputError(message)


def _row(item: Picture, names: Names, shelf: Shelf, now: datetime, *, approved: bool) -> CaseRow:
    late, overdue, overdue_seconds = lateness(item.intended_at, item.due_at, now)
    return CaseRow(
        id=item.id,
        number=item.number,
        tenant=item.tenant,
        kind=item.kind,
        entity=names.subject(item.entity),
        state=item.state,
        recurrence=item.recurrence,
        version=item.version,
        playbook=shelf.versions[item.playbook][0],
        playbook_version=shelf.versions[item.playbook][1],
        playbook_digest=item.playbook,
        playbook_shipped=item.playbook in shelf.shipped,
        missing=[] if item.state in ENDED else list(item.missing),
        assignee=names.subject(item.assignee),
        opened_at=optional_time_to_text(item.opened_at),
        updated_at=optional_time_to_text(item.updated_at),
        due_at=optional_time_to_text(item.due_at),
        due=item.due,
        overdue_seconds=overdue_seconds,
        resolution=item.resolution or None,
        restriction=item.restriction,
        restricted_at=optional_time_to_text(item.restricted_at),
        requested_at=optional_time_to_text(item.requested_at),
        intended_at=optional_time_to_text(item.intended_at),
        released_at=optional_time_to_text(item.released_at),
        ended_at=optional_time_to_text(item.ended_at),
        labels=list(item.labels),
        break_glass=[item.break_glass] if item.break_glass else [],
        waits_for=waits_for(item.state, item.resolution, under_way=item.intended_at is not None, approved=approved),
        late=late,
        overdue=overdue,
    )


def _key(after: str) -> worklist.Key | None:
    if not after:
        return None
    try:
        state, value, case_id = json.loads(base64.urlsafe_b64decode(after + "=" * (-len(after) % 4)))
    except (ValueError, TypeError, RecursionError):
        message = "--after takes the key that the page before printed as its next page."
        raise InputError(message) from None
    fits = (isinstance(value, int) and abs(value) <= LARGEST) or (isinstance(value, str) and storable(value))
    if not (fits and isinstance(state, str) and isinstance(case_id, str) and storable(case_id)):
        message = "--after takes the key that the page before printed as its next page."
        raise InputError(message)
    return (state, value, case_id)


def checked_filters(app: App, filters: Filters) -> Filters:
    """Return the filters, unless nothing could ever fit them.

    Raises:
        InputError: a filter is no text or no label, or no playbook here has the prerequisite.
    """
    well_formed(filters.labels)
    for name in ("tenant", "kind", "missing", "assignee", "resolution"):
        value = getattr(filters, name)
        if value is not None and not storable(value):
            message = f"The {name} contains characters that are not text."
            raise InputError(message)
    if filters.missing:
        _known_prerequisite(app, filters.missing)
    return filters


def _text_key(key: worklist.Key | None) -> str:
    return "" if key is None else base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")
