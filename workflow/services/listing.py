"""Taking in a whole list: what it names is restricted, and what it does not name is not, at the time it was taken.

A reading by absence is only as good as the list is whole. Whatever could not be read might be the one that is not
named, so then nothing is recorded as gone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from workflow.domain import actions as act
from workflow.domain.private import NOTHING, Private
from workflow.domain.record import time_for_people
from workflow.domain.restriction import Restriction, Skipped
from workflow.domain.vocabulary import Method, Resolution, RestrictionStatus, State
from workflow.errors import HoldfastError, InputError, NotPermittedError
from workflow.services import casework, writing
from workflow.services.intake import Taken, take_in, tenant_of
from workflow.services.names import Names
from workflow.storage import cases, worklist

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from workflow.app import App
    from workflow.domain.case import Case
    from workflow.domain.picture import Picture
    from workflow.domain.vocabulary import Kind
    from workflow.services.people import Who

NOT_NAMED = "not named"
"""Where a case stands in a list that does not name it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeList:
    """A list of everything of one kind that was restricted in one tenant.

    Args:
        kind: of what it is the list.
        taken_at: when the tenant was asked (aware UTC).
        reference: returns what it is known by, such as its name and SHA-256; asked once it has been read to its end.
        method: how it is known: attested by whoever brings a file, or read from the tenant.
        lifted: says who lifted the restriction of an identifier that began then, and when, where that is known.
        stands: returns the number of the open case of which a row says nothing new; such a row is not taken in.
    """

    kind: Kind
    taken_at: datetime
    reference: Callable[[], str]
    method: Method = Method.ATTESTED
    lifted: Callable[[str, datetime], Lifted | None] = lambda _identifier, _began: None
    stands: Callable[[Restriction], int | None] = lambda _: None


@dataclass(frozen=True, slots=True)
class Lifted:
    """Who lifted a restriction outside Holdfast, when, and where that is written."""

    by: str
    at: datetime
    reference: str


@dataclass(slots=True)
class _Reader:
    """Reads the list's rows and notices whatever makes it less than whole."""

    app: App
    whole: WholeList
    given: str
    waiting: dict[int, Picture]
    tenant: str | None = None
    fault: str = ""

    def rows(self, items: Iterable[Restriction | Skipped]) -> Iterator[Restriction | Skipped]:
        """Pass the rows on as readings of the list's time."""
        taken_at = self.whole.taken_at
        for item in items:
            if isinstance(item, Skipped):
                yield item
                continue
            tenant = tenant_of(self.app, item, self.given)
            self.tenant = self.tenant or tenant
            if item.kind is not self.whole.kind:
                self.fault = f"it also names a {item.kind.value}, and a whole list is of one kind"
            elif tenant != self.tenant:
                self.fault = "it names more than one tenant, and a whole list is of one"
            if item.restricted_at is not None and item.restricted_at > taken_at:
                began = time_for_people(item.restricted_at)
                yield Skipped(
                    item.where, f"It began at {began}, after the list was taken: check --taken-at.", broken=True
                )
                continue
            number = self.whole.stands(item)
            if number is not None:
                self.waiting.pop(number, None)
                continue
            yield replace(item, observed_at=taken_at, reading=True)


def take_list(
    app: App, who: Who, items: Iterable[Restriction | Skipped], whole: WholeList, tenant: str = ""
) -> Iterator[Taken]:
    """Take a whole list in; yields what became of each row, then of each open case that it does not name.

    A case is left alone whose restriction began after the list was taken, or of which something newer is known. Memory
    is bounded by the open cases, however long the list is.

    Raises:
        InputError: the list is from the future.
        NotPermittedError: the actor may not.
    """
    if whole.taken_at > app.now():
        message = f"{time_for_people(whole.taken_at)} lies in the future: say when the list was taken."
        raise InputError(message)
    with app.database.reading() as tx:
        waiting = {case.number: case for case in worklist.every(tx, worklist.Filters(kind=whole.kind.value))}
    reader = _Reader(app, whole, tenant, waiting)
    unread = 0
    for taken in take_in(app, who, reader.rows(items), tenant):
        unread += taken.outcome == "broken"
        if taken.case_number is not None:
            waiting.pop(taken.case_number, None)
        yield taken
    place = reader.tenant or writing.place(app, tenant)
    absent = [case for case in waiting.values() if case.tenant == place]
    if unread and not reader.fault:
        reader.fault = f"{unread} of its rows could not be read, and each may be one that seems not to be named"
    if not reader.fault:
        yield from _absences(app, who, absent, whole)
    elif absent:
        numbers = ", ".join(f"#{case.number}" for case in absent[:10]) + (", …" if absent[10:] else "")
        why = f"nothing was recorded as gone, because {reader.fault}. Not named: {numbers}"
        yield Taken("the list", "", whole.kind.value, "incomplete", None, why)


def _absences(app: App, who: Who, absent: Iterable[Picture], whole: WholeList) -> Iterator[Taken]:
    reference = whole.reference()
    source = iter(absent)
    while batch := list(islice(source, casework.AT_ONCE)):
        named: dict[str, Taken] = {}
        wanted: list[tuple[str, list[act.Action]]] = []
        with app.database.reading() as tx:
            names = Names(tx, [item.entity for item in batch])
            for item in batch:
                case = cases.load(tx, item.id, app.cache)
                why = _left_alone(case, whole)
                taken = Taken(NOT_NAMED, names.subject(item.entity), item.kind, "left", item.number, why)
                if why:
                    yield taken
                else:
                    named[item.id] = taken
                    began = case.boundary or item.opened_at
                    wanted.append((item.id, [_absence(item, taken.identifier, began, whole, reference)]))
        for case_id, done in casework.perform_many(app, who, wanted):
            if isinstance(done, NotPermittedError):
                raise done
            yield _told(named[case_id], done)


def _absence(
    item: Picture, identifier: str, began: datetime, whole: WholeList, reference: str
) -> act.ObserveRestriction:
    """Return the observation; while an unblock of ours is open, it is that which explains the absence."""
    lifted = whole.lifted(identifier, began) if item.intended_at is None else None
    written = f"; {lifted.reference}" if lifted else ""
    return act.ObserveRestriction(
        status=RestrictionStatus.NOT_LISTED,
        observed_at=whole.taken_at,
        method=whole.method,
        reference=Private(f"{reference}{written}"),
        lifted_by=Private(lifted.by) if lifted else NOTHING,
        lifted_at=min(lifted.at, whole.taken_at) if lifted else None,
    )


def _left_alone(case: Case, whole: WholeList) -> str:
    """Say why the list proves nothing about this case, or ""; when somebody opened it does not matter."""
    reading = case.reading
    if case.restricted_at is not None and case.restricted_at > whole.taken_at:
        return "restricted after the list was taken"
    if reading.status is RestrictionStatus.NOT_LISTED:
        return "known to be gone already"
    if reading.observed_at is not None and reading.observed_at > whole.taken_at:
        return f"something newer is known, of {time_for_people(reading.observed_at)}"
    return ""


def _told(taken: Taken, done: casework.Done | HoldfastError) -> Taken:
    if isinstance(done, HoldfastError):
        return replace(taken, why=str(done))
    case = done.case
    if case.state is State.RELEASED:
        return replace(taken, outcome="released", why="gone after our unblock")
    if case.resolution is Resolution.EXPIRED:
        return replace(taken, outcome="expired", why="a temporary restriction came to its end")
    if case.resolution is Resolution.UNBLOCKED_OUTSIDE:
        return replace(taken, outcome="unblocked-outside", why="gone, and nobody unblocked it here")
    return replace(taken, outcome="observed", why="gone; the release waits for what is missing")
