"""Asking the tenant for everything that is restricted, and taking it in as a whole list.

A list that could not be read to its end raises where it is read, so that nothing is concluded from what it lacks. What
a poll finds as it was known writes nothing: the ledger holds what changed, not how often somebody looked.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from workflow.domain.restriction import Restriction, Source
from workflow.domain.subject import normalise
from workflow.domain.vocabulary import Method
from workflow.errors import InputError, NotReadableError, ProviderError
from workflow.services import checks
from workflow.services.listing import Lifted, WholeList, take_list
from workflow.services.names import Names
from workflow.services.predicates import shown
from workflow.services.releasing import REMOVALS, SKEW, removals, status_of
from workflow.services.writing import LONGEST_TEXT
from workflow.storage import worklist

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from workflow.app import App
    from workflow.domain.vocabulary import Kind
    from workflow.providers.shapes import AuditEvent, Restricted
    from workflow.services.intake import Taken
    from workflow.services.people import Who

LOOKS_BACK = timedelta(days=3)
"""How far back the audit log is searched for who lifted a restriction that is gone."""


@dataclass(slots=True)
class Polled:
    """What a poll found: how often each outcome came about, by its name, and what could not be read.

    ``unlisted`` are the kinds whose list is among the latter: of them the counts say nothing.
    """

    counts: Counter[str] = field(default_factory=Counter)
    unlisted: list[Kind] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

    def to_data(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"counts": dict(self.counts), "unread": self.unread}


def poll(app: App, who: Who, found: Polled | None = None) -> Iterator[Taken]:
    """Read both lists of restricted entities and take them in; yields what became of each row and of each case.

    Args:
        app: the app.
        who: who asks: a person, or the machine.
        found: is told what was counted, and which list could not be read.

    Raises:
        NotReadableError: no tenant is connected.
        NotPermittedError: who asks may not.
    """
    if not app.provider.acts:
        message = "No tenant is connected: import its lists ('holdfast import --complete'), or set HOLDFAST_PROVIDER."
        raise NotReadableError(message)
    found = Polled() if found is None else found
    for kind in REMOVALS:
        try:
            listed = app.provider.restricted(kind)
        except ProviderError as error:
            found.unread.append(shown(f"{kind.value}: {error}"))
            found.unlisted.append(kind)
            continue
        source = checks.source(listed.read)
        whole = WholeList(
            kind=kind,
            taken_at=listed.read.at,
            reference=lambda source=source: source,  # type: ignore[misc]  # Bound now.
            method=Method.CHECKED,
            lifted=_Lifters(app, kind, listed.read.at, found).who,
            stands=_Known(app, kind, found.counts).stands,
        )
        for taken in take_list(app, who, _rows(kind, listed.value, listed.read.at), whole, app.settings.tenant):
            found.counts[taken.outcome] += 1
            yield taken


def _rows(kind: Kind, listed: tuple[Restricted, ...], at: datetime) -> Iterator[Restriction]:
    for number, row in enumerate(listed, start=1):
        yield Restriction(
            kind=kind,
            identifier=row.identifier,
            status=status_of(row),
            source=Source.CMDLET,
            # The clocks may differ: nothing began after it was read.
            restricted_at=None if row.created_at is None else min(row.created_at, at),
            # A longer one would keep the case from being opened, and the whole list from being concluded from.
            reason=row.reason[:LONGEST_TEXT],
            name=row.name,
            where=f"item {number}",
        )


class _Known:
    """The open cases of a kind, and of which of them a row says nothing new."""

    def __init__(self, app: App, kind: Kind, counts: Counter[str]) -> None:
        """Look at the open cases once."""
        self._counts = counts
        with app.database.reading() as tx:
            found = list(worklist.every(tx, worklist.Filters(kind=kind.value, tenant=app.settings.tenant)))
            names = Names(tx, {case.entity for case in found})
            self._cases = {names.subject(case.entity): case for case in found}

    def stands(self, item: Restriction) -> int | None:
        """Return the number of the case that knows it just so."""
        try:
            case = self._cases.get(normalise(item.kind, item.identifier))
        except InputError:
            return None
        if case is None or case.restriction != item.status.value:
            return None
        began, known = item.restricted_at, case.restricted_at
        if began is not None and (known is None or began > known):
            return None
        self._counts["known"] += 1
        return case.number


class _Lifters:
    """Who lifted restrictions outside Holdfast, by the tenant's audit log: searched once, and only if needed."""

    def __init__(self, app: App, kind: Kind, until: datetime, found: Polled) -> None:
        """Nothing is searched yet."""
        self._app, self._kind, self._until, self._polled = app, kind, until, found
        self._newest: dict[str, AuditEvent] | None = None

    def who(self, identifier: str, began: datetime) -> Lifted | None:
        """Return who lifted the restriction of an identifier that began then, where the log tells."""
        if self._newest is None:
            self._newest = self._read()
        event = self._newest.get(identifier.casefold())
        # What was lifted before was another restriction: by us, perhaps, and after an approval.
        if event is None or event.at < began - SKEW:
            return None
        return Lifted(event.actor, event.at, f"audit record {event.id}")

    def _read(self) -> dict[str, AuditEvent]:
        newest: dict[str, AuditEvent] = {}
        try:
            for event in removals(self._app, self._kind, self._until - LOOKS_BACK, self._until + SKEW):
                for name in {value.casefold() for _, value in event.details} if event.actor else ():
                    if name not in newest or newest[name].at <= event.at:
                        newest[name] = event
        except ProviderError as error:
            self._polled.unread.append(shown(f"audit log: {error}"))
        return newest
