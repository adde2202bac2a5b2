"""A shift change: one person's open cases, what is urgent about them, and giving them all to somebody else."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from workflow.domain import actions as act
from workflow.domain.conclusions import LAPSING
from workflow.domain.private import Private
from workflow.domain.record import time_from_text, time_to_text
from workflow.domain.vocabulary import EntryType, State
from workflow.errors import HoldfastError
from workflow.services import casework, writing
from workflow.services.glance import glances
from workflow.services.history import history
from workflow.services.people import os_user
from workflow.services.views import case_view
from workflow.services.worklist import MOST, Filters, person_filter, worklist_page

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from workflow.app import App
    from workflow.services.people import Who
    from workflow.services.shapes import CaseView

LAPSES_WITHIN = timedelta(hours=24)
"""How far ahead a shift looks for readings that go stale."""
NOTES = 3
"""How many of a case's newest notes are handed over with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedCase:
    """One case as the next shift needs to know it; times are text in UTC.

    ``lapsing`` are the readings that go stale within a day, ``waits_for`` what stands open at a second person, and
    ``refused`` why the case could not be handed over ("" when it was, or was not asked to be).
    """

    case: CaseView
    lapsing: list[dict[str, str]]
    waits_for: list[str]
    notes: list[dict[str, str]]
    refused: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """A shift's page. ``done`` says whether the cases were given over or only shown.

    ``nobodys`` are the open cases that are nobody's and cannot wait: they stay nobody's, and both have to know of them.
    """

    giver: str
    taker: str
    at: str
    note: str
    done: bool
    cases: list[HandedCase]
    nobodys: list[HandedCase]


def handover(app: App, who: Who, giver: str, taker: str, note: str, *, only_show: bool = False) -> Handover:
    """Give every open case of one person to another, and return the page about them.

    Args:
        app: the app.
        who: who acts.
        giver: whose cases; "" for the acting person's own.
        taker: who takes them over.
        note: written on every case that is handed over, as a note of its own; "" for none.
        only_show: draw the page and write nothing.

    The page is drawn before anything is written. Each case is judged by itself; what refuses one is said beside it.

    Raises:
        InputError: a name that is none, or a note too long.
    """
    giver = giver or who.name or os_user()
    taken_by = "" if only_show else casework.person(app, taker)
    now = app.now()
    cases = [_handed(app, case_id, now) for case_id in _open_cases(app, person_filter(app, giver))]
    nobodys = [_handed(app, case_id, now) for case_id in _urgent(app)]
    if not only_show:
        steps: list[act.Action] = [act.AssignCase(assignee=taken_by)]
        if note:
            steps.append(act.AddNote(note=Private(text=writing.checked("note", note))))
        wanted = ((item.case.id, steps) for item in cases)
        refused = {
            case_id: str(result) if isinstance(result, HoldfastError) else ""
            for case_id, result in casework.perform_many(app, who, wanted)
        }
        cases = [replace(item, refused=refused[item.case.id]) for item in cases]
    return Handover(
        giver=giver, taker=taker, at=time_to_text(now), note=note, done=not only_show, cases=cases, nobodys=nobodys
    )


def _urgent(app: App) -> list[str]:
    """Return the ids of nobody's open cases with an unblock under way, or with what waits for a second person."""
    return [
        seen.id
        for seen in glances(app, _open_cases(app, "")).values()
        if seen.pending or seen.proposals or seen.state is State.UNBLOCK_REQUESTED
    ]


def _open_cases(app: App, assignee: str) -> Iterator[str]:
    """Yield the ids of a person's open cases ("": nobody's), what is due first first."""
    filters = Filters(assignee=assignee)
    after = ""
    while True:
        page = worklist_page(app, filters, "due_at", MOST, after)
        yield from (row.id for row in page.rows)
        after = page.next
        if not after:
            return


def _handed(app: App, case_id: str, now: datetime) -> HandedCase:
    case = case_view(app, case_id)
    under_way = bool(case.attempt and case.attempt["open"])
    frozen = under_way or case.state not in LAPSING
    soon = [
        {"id": step.id, "about": step.about, "fresh_until": step.fresh_until}
        for step in case.prerequisites
        if not frozen and step.held and step.fresh_until and time_from_text(step.fresh_until) <= now + LAPSES_WITHIN
    ]
    waits = [f"{item['kind']} by {item['by']}" for item in case.proposals]
    lacking = case.approvals_needed - len(case.approvals)
    if case.request and not under_way and lacking > 0:
        waits.append(f"approval of the unblock that {case.request['by']} requested")
    notes = [
        {"at": entry.at, "by": entry.by, "text": str(entry.details["note"])}
        for entry in history(app, case_id)
        if entry.type == EntryType.CASE_NOTED
    ]
    return HandedCase(case=case, lapsing=soon, waits_for=waits, notes=notes[-NOTES:])
