"""Holding what the tenant's own audit log says against what cases say: listings, delistings, unblocks of ours.

A case is told as its *stays*: each occurrence of the restriction, from its beginning until it was seen gone, with the
unblocks that were started in it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from workflow.domain.history import along
from workflow.domain.record import SYSTEM, time_from_text
from workflow.domain.unblocking import ARRIVAL, key
from workflow.domain.vocabulary import Answer, EntryType, Resolution, RestrictionStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from workflow.domain.case import Case
    from workflow.domain.record import Entry

SKEW = timedelta(minutes=15)
"""By how much two clocks may differ about the same event."""
CLOCKS = timedelta(minutes=2)
"""By how much the tenant's clock may be off ours: a delisting that names nobody may seem that much too early."""
REACH = timedelta(hours=24)
"""How long before the beginning that a case knows a listing may lie: alerts and people date it roughly."""
UNDATED_REACH = timedelta(days=30)
"""The same where nobody said when the restriction began: the case knows only when it was reported."""


class Account(StrEnum):
    """What became of an event of the audit log, or of an unblock of ours."""

    TRACKED = "tracked"
    UNTRACKED = "untracked"
    OUTSIDE = "outside"
    MISSING = "missing"
    AWAITED = "awaited"


@dataclass(slots=True)
class Effort:
    """One unblock of ours: its intent, and when the ledger first said that it worked (None while it has not).

    ``keyed`` says that Holdfast called, whose call always carries the key; a person who does it by hand leaves none.
    """

    sequence: int
    approved_at: datetime
    key: str
    keyed: bool = False
    over_at: datetime | None = None
    claimed_at: datetime | None = None

    def covers(self, at: datetime, by: str = "", said: str = "") -> bool:
        """Say whether a delisting can be this unblock's: after its approval, and not after its end.

        The removal's own record is exact about who ran it and tells ours by the key in ``said``; without the key it is
        none of Holdfast's, and once ours had been done, the next removal is somebody else's. A record that names
        nobody may be of either, however late, and is forgiven what clocks differ.
        """
        begins = self.approved_at if by else self.approved_at - CLOCKS
        ends = self.claimed_at if by and self.claimed_at is not None else self.over_at
        keyless = self.keyed and bool(by)
        return self.key in said or (not keyless and begins <= at and (ends is None or at <= ends + SKEW))


@dataclass(frozen=True, slots=True)
class Lift:
    """An entry that says when a restriction was lifted outside, what was seen of it since, and perhaps by whom."""

    sequence: int
    at: datetime
    seen_at: datetime
    named: bool

    def tells(self, at: datetime, by: str) -> bool:
        """Say whether it tells of this delisting; of one that somebody ran, only an entry that says who.

        The list follows a removal within an hour, at most a day, and only then the log says delisted.
        """
        if by:
            return self.named and abs(self.at - at) <= CLOCKS
        return self.at - SKEW <= at <= max(self.at, self.seen_at) + SKEW


@dataclass(slots=True)
class Stay:
    """One occurrence: the sequences are those of the entries that began it and saw it gone."""

    case: str
    number: int
    begins: datetime
    known: bool
    sequence: int
    temporary: bool = False
    ends: datetime | None = None
    gone: int = 0
    outside: bool = False
    efforts: list[Effort] = field(default_factory=list)
    lifts: list[Lift] = field(default_factory=list)

    def covers(self, at: datetime) -> bool:
        """Say whether an event of this time belongs to the occurrence."""
        begins = self.begins - (REACH if self.known else UNDATED_REACH)
        return begins <= at and (self.ends is None or at <= self.ends + SKEW)


@dataclass(frozen=True, slots=True)
class Judged:
    """What an event of the audit log is to our cases, and why.

    ``sequence`` is the entry that answers for it; ``recorded`` says that the ledger knows of it. ``later`` is the
    number of a case that is about the entity since then, 0 where there is none: what is older opens nothing.
    """

    account: Account
    why: str
    stay: Stay | None = None
    sequence: int = 0
    recorded: bool = False
    later: int = 0


def stays(entries: Iterable[Entry]) -> list[Stay]:
    """Return a case's occurrences, oldest first.

    Raises:
        KeyError, ValueError: an entry does not have the shape that Holdfast writes.
    """
    recurrence, found = 0, list[Stay]()
    for entry, case in along(entries):
        begins = case.restricted_at or case.boundary
        if case.recurrence != recurrence and begins is not None:
            found.append(Stay(case.id, case.number, begins, case.restricted_at is not None, entry.sequence))
        recurrence = case.recurrence
        for stay in found[-1:]:
            _follow(stay, case, entry)
    return found


def _follow(stay: Stay, case: Case, entry: Entry) -> None:
    """Carry the present stay forward by one entry."""
    if case.restricted_at is not None:
        stay.begins, stay.known = case.restricted_at, True
    stay.temporary = case.last_present is RestrictionStatus.TEMPORARY
    if case.absent_at is None:
        stay.ends, stay.gone, stay.outside = None, 0, False
    elif stay.ends is None:
        stay.ends, stay.gone = case.absent_at, entry.sequence
    if stay.ends is not None and not stay.outside and case.resolution is Resolution.UNBLOCKED_OUTSIDE:
        # Who lifted it may be told after it was seen gone.
        stay.outside, stay.gone = True, entry.sequence
    if entry.type == EntryType.RESTRICTION_OBSERVED and "lifted_at" in entry.data:
        lifted_at, seen_at = time_from_text(entry.data["lifted_at"]), time_from_text(entry.data["observed_at"])
        stay.lifts.append(Lift(entry.sequence, lifted_at, seen_at, named="lifted_by" in entry.data))
    if entry.type == EntryType.UNBLOCK_INTENDED:
        # The machine has no hands; ledgers tell of a person's call only since its intent says so.
        keyed = entry.data.get("by_call", False) or entry.actor["id"] == SYSTEM.id
        stay.efforts.append(Effort(entry.sequence, time_from_text(entry.basis["approved_at"]), key(entry.leaf), keyed))
    if not stay.efforts:
        return
    effort = stay.efforts[-1]
    if case.open_attempt is None and effort.over_at is None:
        effort.over_at = case.updated_at
    done = entry.type == EntryType.UNBLOCK_ANSWERED and entry.data["answer"] == Answer.DONE
    if effort.claimed_at is None and (done or entry.type == EntryType.CASE_RELEASED):
        effort.claimed_at = case.updated_at


def occurrence(entry: Entry, entries: Iterable[Entry]) -> int:
    """Return which occurrence an observation tells the end of, by the entry that began it; 0 where none is known.

    Args:
        entry: the observation; who lifted it may be told of an earlier occurrence than the present one.
        entries: its case's, up to it.
    """
    known = stays(entries)
    at = time_from_text(entry.data.get("lifted_at") or entry.data["observed_at"])
    first = min((stay.sequence for stay in known), default=0)
    return max((stay.sequence for stay in known if stay.begins <= at + SKEW), default=first)


def judge_listing(at: datetime, known: Sequence[Stay]) -> Judged:
    """Say which case took a listing in; ``known`` are all stays of the entity."""
    for stay in sorted(known, key=lambda item: item.begins):
        if stay.covers(at):
            return Judged(Account.TRACKED, "this occurrence is the case's", stay, stay.sequence, recorded=True)
    return _untracked(at, known)


def _untracked(at: datetime, known: Sequence[Stay]) -> Judged:
    why = "no case was about it then" if known else "no case knows this entity"
    return Judged(Account.UNTRACKED, why, later=next((stay.number for stay in known if stay.begins > at), 0))


def judge_delisting(at: datetime, by: str, known: Sequence[Stay], said: str = "") -> Judged:
    """Say whether a delisting was an approved unblock of ours, a block that ended by itself, or done outside.

    Args:
        at: when it was delisted.
        by: who ran the removal, "" where the record does not say.
        known: all stays of the entity.
        said: the reason that the removal gave, which in one of ours carries its intent's key.
    """
    for stay in known if said else ():
        later = any(stay.begins < other.begins <= at for other in known)
        for effort in stay.efforts:
            # A key stands in the tenant's log for everybody to copy: it tells of its own occurrence alone.
            if effort.key in said and not later:
                return Judged(Account.TRACKED, "unblocked after approval", stay, effort.sequence, recorded=True)
    fitting = [stay for stay in known if stay.covers(at)]
    if not fitting:
        return _untracked(at, known)
    begun = [stay for stay in fitting if stay.begins <= at + SKEW]
    stay = max(begun, key=lambda item: item.begins) if begun else min(fitting, key=lambda item: item.begins)
    for effort in stay.efforts:
        if effort.covers(at, by):
            return Judged(Account.TRACKED, "unblocked after approval", stay, effort.sequence, recorded=True)
    if stay.temporary and not by:
        return Judged(
            Account.TRACKED, "a temporary block that ended by itself", stay, stay.gone, recorded=stay.gone > 0
        )
    why = "delisted outside every approved unblock" if stay.efforts else "delisted without an approved unblock"
    told = next((lift.sequence for one in known for lift in one.lifts if lift.tells(at, by)), 0)
    if not told and stay.outside and not by:
        told = stay.gone
    return Judged(Account.OUTSIDE, why, stay, told, recorded=told > 0)


def judge_silence(claimed_at: datetime, taken_at: datetime) -> Judged:
    """Say what it means that the log shows no delisting for an unblock that we say worked.

    Args:
        claimed_at: when the ledger first said so.
        taken_at: when the log was exported.
    """
    if claimed_at + ARRIVAL > taken_at:
        return Judged(Account.AWAITED, "not in the log yet: audit records arrive up to 24 hours late", recorded=True)
    return Judged(Account.MISSING, "we say unblocked; the log shows no delisting")
