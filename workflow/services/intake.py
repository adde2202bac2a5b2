"""Taking restrictions in: from a file's items or by hand, each to a new case, a known one, or none.

Items are taken in batches, one transaction each, so that an import is neither slow nor all-or-nothing. What a batch
acknowledges is committed.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from workflow.domain import actions as act
from workflow.domain.case import Case
from workflow.domain.facts import Effect, judge_report
from workflow.domain.private import Private
from workflow.domain.record import time_to_text
from workflow.domain.restriction import Restriction, Skipped, Source
from workflow.domain.subject import folded_tenant, normalise, tenant_name
from workflow.domain.vocabulary import ENDED, Kind, RestrictionStatus, State
from workflow.errors import HoldfastError, InputError, NotFoundError, NotPermittedError, RuleRefusedError
from workflow.ledger.entry import uuid7
from workflow.services import logbook, people, references, tenantwide, wishes, writing
from workflow.services.wishes import Wish
from workflow.storage import cases, subjects

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from workflow.app import App
    from workflow.domain.picture import Picture
    from workflow.domain.playbook import Playbook
    from workflow.domain.record import Actor
    from workflow.services.people import Who
    from workflow.services.wishes import NotTaken
    from workflow.storage.transaction import Tx

BATCH = 200
IN_ORDER = 10_000
"""Records of an audit log that are put in the order of time together, so that memory stays bounded."""
MOST_GONE = 10_000
"""Delistings remembered while a file is read, for the same reason."""

Gone = dict[tuple[str, Kind, str, bool], Restriction]
"""Delistings that came before the listing they end, by tenant, kind, identifier and whether they name somebody."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one item.

    ``outcome`` is one of: opened, seen, known, came-back, reopened, observed, skipped, broken; of a whole list also
    released, expired, unblocked-outside, left (what it does not name), incomplete. ``waiting`` names the playbook that
    was wished for and waits for a second person; ``not_taken`` is what was asked for and not done.
    """

    where: str
    identifier: str
    kind: str
    outcome: str
    case_number: int | None = None
    why: str = ""
    waiting: str = ""
    not_taken: tuple[NotTaken, ...] = ()

    def to_data(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            "where": self.where,
            "identifier": self.identifier,
            "kind": self.kind,
            "outcome": self.outcome,
            "case_number": self.case_number,
            "why": self.why,
        }


def take_in(app: App, who: Who, items: Iterable[Restriction | Skipped], tenant: str = "") -> Iterator[Taken]:
    """Take items in and yield what became of each, in their order, once it is committed.

    An audit log's are taken in the order of time. Importing the same file again, or an older one, opens and reopens
    nothing.
    """
    writing.checked("tenant", tenant)
    logbook.prepare(app, who)
    source = _in_time(items)
    gone = Gone()
    while batch := list(islice(source, BATCH)):
        yield from _take_batch(app, who, batch, tenant, gone=gone)


def _in_time(items: Iterable[Restriction | Skipped]) -> Iterator[Restriction | Skipped]:
    """Yield items as they come, and those of an audit log in the order of time.

    Exports of the log come newest first as often as oldest first, and what a removal means depends on what was before.
    """
    source = iter(items)
    while part := list(islice(source, BATCH)):
        if any(isinstance(item, Restriction) and item.source is Source.AUDIT_LOG for item in part):
            part += islice(source, IN_ORDER)
            times = list(filter(None, map(_when, part)))
            if times[:1] > times[-1:]:
                # Of two in one second the one that stands further down came first.
                part.reverse()
            part.sort(key=_when)
        yield from part


def _when(item: Restriction | Skipped) -> str:
    return "" if isinstance(item, Skipped) else _text(item.lifted_at or item.observed_at)


def open_by_hand(app: App, who: Who, restriction: Restriction, wish: Wish | None = None, tenant: str = "") -> Taken:
    """Open a case from the portal or the phone, or report the restriction to the open case it already has.

    Raises:
        InputError, NotFoundError: the identifier or the playbook is no such thing.
        RuleRefusedError, NotPermittedError: the actor may not.
    """
    writing.checked("tenant", tenant)
    logbook.prepare(app, who)
    return _take_batch(app, who, [restriction], tenant, wish or Wish())[0]


def _take_batch(
    app: App,
    who: Who,
    batch: Sequence[Restriction | Skipped],
    tenant: str,
    wish: Wish | None = None,
    gone: Gone | None = None,
) -> list[Taken]:
    known = _known_cases(app, batch, tenant)
    adopted = dict(app.adopted)
    taken: list[Taken] = []
    stopped: HoldfastError | None = None
    try:
        with app.database.transaction() as tx:
            cases.lock_intake(tx)
            cases.lock(tx, known)
            logbook.hold(app, tx)
            _register(app, tx, who, batch, tenant, wish)
            by = people.actor(app, tx, who)
            for item in batch:
                if isinstance(item, Skipped):
                    taken.append(Taken(item.where, "", "", "broken" if item.broken else "skipped", None, item.why))
                    continue
                try:
                    taken += _take_item(app, tx, by, item, tenant_of(app, item, tenant), wish, gone)
                except (InputError, NotFoundError) as error:
                    if wish is not None:
                        raise
                    taken.append(Taken(item.where, item.identifier, item.kind.value, "broken", None, str(error)))
                except RuleRefusedError as error:
                    stopped = error if wish is not None else None
                    taken.append(Taken(item.where, item.identifier, item.kind.value, "broken", None, str(error)))
                except NotPermittedError as error:
                    stopped = error
                    break
    except BaseException:
        # A playbook that this transaction adopted is not adopted after all.
        app.adopted = adopted
        raise
    if stopped is not None:
        # The refusal was recorded with the batch (R9).
        raise stopped
    return taken


def _register(
    app: App, tx: Tx, who: Who, batch: Sequence[Restriction | Skipped], tenant: str, wish: Wish | None
) -> None:
    """Register whom the case will be about, where it may be the opener: only then it shows that it is."""
    own = set() if who.machine else set(people.addresses(app, who.name or people.os_user()))
    for item in [item for item in batch if isinstance(item, Restriction)]:
        place = tenant_of(app, item, tenant)
        users = wish.identities if wish is not None else ()
        for kind, name in ((item.kind, item.identifier), *((Kind.USER, user) for user in users)):
            if wish is not None or (own and name.strip().casefold() in own):
                subjects.register(tx, place, kind, normalise(kind, name))


def _known_cases(app: App, batch: Sequence[Restriction | Skipped], tenant: str) -> set[str]:
    """Return the cases this batch may touch, to be locked in one go; needed on PostgreSQL only."""
    found: set[str] = set()
    with app.database.reading() as tx:
        if tx.sqlite:
            return found
        for item in batch:
            if isinstance(item, Restriction):
                place = tenant_of(app, item, tenant)
                entity = subjects.find(tx, place, item.kind, item.identifier)
                row = entity and cases.latest_case_of(tx, place, item.kind.value, entity)
                if row:
                    found.add(row.id)
    return found


def tenant_of(app: App, item: Restriction, given: str) -> str:
    """Return the tenant's one name: as given by hand, else as the settings name the report's id, else the default.

    An alert names its tenant by GUID and a cmdlet's row by nothing; both have to lead to the same case.
    """
    return tenant_name(given) or app.settings.tenants.get(folded_tenant(item.tenant), app.settings.tenant)


def _take(app: App, tx: Tx, by: Actor, item: Restriction, tenant: str, wish: Wish | None) -> Taken:
    identifier = normalise(item.kind, item.identifier)
    entity = subjects.register(tx, tenant, item.kind, identifier)
    row = cases.open_case_of(tx, tenant, item.kind.value, entity) or cases.latest_case_of(
        tx, tenant, item.kind.value, entity
    )
    if item.status is RestrictionStatus.NOT_LISTED:
        return _take_delisting(app, tx, by, item, row)
    if row is None:
        return _open(app, tx, by, item, tenant, entity, wish)
    # A case may have been opened by another process since the locks were taken, so its row is locked again.
    cases.lock(tx, [row.id])
    case = cases.load(tx, row.id, app.cache)
    report = act.ReportRestriction(
        status=item.status,
        source=item.source,
        restricted_at=item.restricted_at,
        observed_at=item.observed_at,
        reported=Private(writing.checked("reason", item.reason)),
        fingerprint=fingerprint(item),
        reading=item.reading,
    )
    playbook = app.playbook(tx, case.playbook)
    effect = judge_report(case, playbook, report, app.now())
    if wish is not None and case.state in ENDED and effect is Effect.RETURNED:
        references.nowhere_else(tx, tenant, item.kind, entity)
    if effect is Effect.NEW_CASE:
        return _open(app, tx, by, item, tenant, entity, wish, previous=row.id)
    after = case if effect is Effect.KNOWN else _step(app, tx, case, playbook, report, by)
    outcome, why = _told(effect, case)
    left = wishes.not_taken(app, tx, after, item, wish) if wish is not None else ()
    return Taken(item.where, identifier, item.kind.value, outcome, case.number, why, not_taken=left)


def _told(effect: Effect, case: Case) -> tuple[str, str]:
    if effect is Effect.KNOWN:
        return "known", "this very report was taken in before"
    if effect is Effect.SEEN:
        return "seen", "a known occurrence, reported again"
    return "reopened" if case.state in ENDED else "came-back", "restricted again: the next recurrence of this case"


def _take_item(
    app: App, tx: Tx, by: Actor, item: Restriction, tenant: str, wish: Wish | None, gone: Gone | None
) -> list[Taken]:
    """Take one item; delistings that no case knew are told to the case that a later item opens.

    That a log longer than what is put in order comes newest first.
    """
    taken = [_take(app, tx, by, item, tenant, wish)]
    key = (tenant, item.kind, taken[0].identifier)
    if gone is not None and taken[0].outcome == "skipped" and len(gone) < MOST_GONE:
        told = (*key, bool(item.lifted_by))
        gone[told] = max(gone.get(told, item), item, key=_when)
    elif gone is not None and taken[0].outcome == "opened":
        later = [gone.pop(told) for told in ((*key, True), (*key, False)) if told in gone]
        taken += [_take(app, tx, by, one, tenant, wish) for one in sorted(later, key=_when)]
    return taken


def _take_delisting(app: App, tx: Tx, by: Actor, item: Restriction, row: Picture | None) -> Taken:
    observed_at = item.lifted_at or item.observed_at
    if row is None or observed_at is None:
        why = "no longer restricted, and no case knows it"
        return Taken(item.where, item.identifier, item.kind.value, "skipped", None, why)
    cases.lock(tx, [row.id])
    case = cases.load(tx, row.id, app.cache)
    last = case.reading.observed_at
    gone_by = _gone_by(tx, case, item, observed_at)
    if case.state in ENDED or (last is not None and last >= observed_at and gone_by is None):
        return Taken(
            item.where, item.identifier, item.kind.value, "known", case.number, "a later reading is known already"
        )
    attempt = case.open_attempt
    if item.lifted_by and attempt is not None and observed_at >= attempt.approved_at:
        why = "somebody ran the removal; the restriction is believed gone once a reading or the audit log shows it"
        return Taken(item.where, item.identifier, item.kind.value, "known", case.number, why)
    action = act.ObserveRestriction(
        status=item.status,
        # What is known to be gone since is not seen gone earlier: only who did it is news.
        observed_at=gone_by or observed_at,
        reference=Private(f"{item.source.value}, {item.where}"),
        lifted_by=Private(writing.checked("name", item.lifted_by)),
        lifted_at=item.lifted_at,
    )
    step = _step(app, tx, case, app.playbook(tx, case.playbook), action, by)
    why = "released" if step.state is State.RELEASED else "gone from the list"
    return Taken(item.where, item.identifier, item.kind.value, "observed", case.number, why)


def _gone_by(tx: Tx, case: Case, item: Restriction, at: datetime) -> datetime | None:
    """Return when it was seen gone what this removal lifted, where nobody was named yet as who did; else None."""
    gone, began = case.absent_at, case.boundary
    if not item.lifted_by or gone is None or began is None or not began <= at <= gone:
        return None
    # What an unblock of ours explains has no other hand in it.
    ours = case.state is State.RELEASED or case.open_attempt is not None
    told = (entry for entry in cases.entries(tx, case.id) if entry.recurrence == case.recurrence)
    return None if ours or any("lifted_by" in entry.data for entry in told) else gone


def _open(
    app: App, tx: Tx, by: Actor, item: Restriction, tenant: str, entity: str, asked: Wish | None, previous: str = ""
) -> Taken:
    if asked is not None:
        references.nowhere_else(tx, tenant, item.kind, entity)
    wish = asked or Wish()
    case = Case(id=uuid7(int(app.now().timestamp() * 1000), secrets.token_bytes(10)))
    chosen = wishes.choose(app, tx, by, item.kind, wish)
    users = [normalise(Kind.USER, user) for user in wish.identities]
    if not users and item.kind is Kind.MAILBOX:
        users = [normalise(Kind.MAILBOX, item.identifier)]
    identities = [subjects.register(tx, tenant, Kind.USER, user) for user in users]
    if item.kind is Kind.USER:
        identities.insert(0, entity)
    action = act.OpenCase(
        number=cases.next_number(tx),
        tenant=tenant,
        kind=item.kind,
        entity=entity,
        playbook=chosen.playbook.digest,
        status=item.status,
        source=item.source,
        restricted_at=item.restricted_at,
        observed_at=item.observed_at,
        reported=Private(writing.checked("reason", item.reason)),
        label=Private(writing.checked("name", item.name)),
        identities=tuple(dict.fromkeys(identities)),
        named=bool(wish.identities),
        facts=dict(wish.facts),
        previous=previous,
        fingerprint=fingerprint(item),
    )
    case = _step(app, tx, case, chosen.playbook, action, by)
    wishes.propose(app, tx, by, case, chosen, wish.why)
    why = "a later occurrence of an ended case" if previous else ""
    waiting = chosen.waiting.name if chosen.waiting is not None else ""
    return Taken(item.where, item.identifier, item.kind.value, "opened", case.number, why, waiting)


def _step(app: App, tx: Tx, case: Case, playbook: Playbook, action: act.Action, by: Actor) -> Case:
    """Judge and write one step inside a batch; a refusal is recorded where there is a case, then raised (R9)."""
    after, written = writing.take_step(app, tx, case, playbook, action, by)
    return tenantwide.follow(app, tx, after, written)[0]


def fingerprint(item: Restriction) -> str:
    """Return what makes two reports the same report: source, status, times and reason (SHA-256, 32 hex digits)."""
    times = [_text(moment) for moment in (item.restricted_at, item.observed_at)]
    parts = [item.source.value, item.status.value, *times, item.reason]
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()[:32]


def _text(moment: datetime | None) -> str:
    return "" if moment is None else time_to_text(moment)
