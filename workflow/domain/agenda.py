"""The agenda: what the machine next has to do in a case whose tenant it can reach, and when.

Drawn from the case alone, like everything a worklist shows, so that losing every timer and process loses nothing: the
next look finds the same case due. Whether a tenant is connected, and what the settings let a worker do in it, is
judged by whoever takes the step.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING

from workflow.domain import gate
from workflow.domain.playbook import Check
from workflow.domain.vocabulary import ENDED, GOOD, Alteration, Change, Method, State

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from workflow.domain.case import Attempt, Case, Evidence
    from workflow.domain.playbook import Playbook, Prerequisite

    Due = tuple[datetime, "Task"]

SETTLES = timedelta(minutes=2)
"""How long whoever began something in the tenant may still be at it before its outcome is found out by reading."""
LONGEST_LOOK = timedelta(hours=1)
"""The longest pause between two looks at an unblock under way."""
WATCHED = timedelta(hours=6)
"""How often a released account is looked at until its watch ends."""
SOONEST, LATEST = timedelta(minutes=15), timedelta(hours=6)
"""How soon, and how late at the most, something is read again that did not hold."""
BEFORE = timedelta(hours=1)
"""How long before a reading lapses it is made again; a quarter of its freshness where that is shorter."""
TOGETHER = timedelta(minutes=10)
"""What falls due within this time of each other is read in one go."""
ROUNDS = 3
"""How often the machine tries to contain an account in one recurrence; after that it is people's."""
_ONCE_A_ROUND = frozenset(
    {Change.BLOCK_SIGN_IN, Change.RESET_PASSWORD, Change.REVOKE_SESSIONS, Change.CLEAR_FORWARDING}
)


_WEAKENED: Mapping[Check, frozenset[Alteration]] = {
    Check.SIGN_IN_BLOCKED: frozenset({Alteration.SIGN_IN_ALLOWED}),
    Check.PASSWORD_RESET: frozenset({Alteration.PASSWORD_SET}),
    Check.SESSIONS_REVOKED: frozenset({Alteration.PASSWORD_SET}),
    Check.MFA_REQUIRED: frozenset({Alteration.MFA_LIFTED}),
    Check.METHODS_KNOWN: frozenset({Alteration.METHOD_REGISTERED}),
    Check.CONSENTS_KNOWN: frozenset({Alteration.CONSENT_GIVEN}),
    Check.NO_ROLES: frozenset({Alteration.ROLE_GIVEN}),
    Check.NO_FORWARDING: frozenset({Alteration.FORWARDING_SET}),
    Check.RULES_HARMLESS: frozenset({Alteration.RULE_SET, Alteration.RULE_ON}),
    Check.NO_DELEGATES: frozenset({Alteration.RIGHT_GIVEN, Alteration.RIGHTS_SET}),
    Check.OWN_MAILBOX_CLEAN: frozenset(
        {
            *(Alteration.FORWARDING_SET, Alteration.RULE_SET, Alteration.RULE_ON),
            *(Alteration.RIGHT_GIVEN, Alteration.RIGHTS_SET),
        }
    ),
}
"""What others may have done that a reading of before does not show."""


class Task(StrEnum):
    """What there is to do."""

    FIND_OUT = "find-out"
    UNBLOCK = "unblock"
    LOOK = "look"
    CHECK = "check"


def next_task(case: Case, playbook: Playbook, *, aside: Task | None = None) -> tuple[datetime | None, str]:
    """Return when the machine next has something to do, and what; ``(None, "")`` where it never has.

    ``aside`` is what was tried and has to wait.
    """
    if case.state in ENDED:
        return None, ""
    waiting = [*(() if aside is Task.FIND_OUT else _changes(case)), *_unblocking(case, playbook)]
    reading = min([at for _, at in _due(case, playbook)], default=None)
    if reading is not None:
        waiting.append((reading, Task.CHECK))
    return min(waiting, default=(None, ""))


def _changes(case: Case) -> Iterator[Due]:
    return ((change.at + SETTLES, Task.FIND_OUT) for change in case.changes.values() if change.made is None)


def _unblocking(case: Case, playbook: Playbook) -> Iterator[Due]:
    attempt = case.open_attempt
    if attempt is not None:
        yield _look_at(case, attempt), Task.LOOK
    elif case.state is State.UNBLOCK_REQUESTED and len(case.approvals) >= playbook.approvals:
        yield max(approval.at for approval in case.approvals), Task.UNBLOCK


def _look_at(case: Case, attempt: Attempt) -> datetime:
    """Return when to look again: at first after minutes, then after half as long as it has taken already."""
    last = case.reading.observed_at
    if last is None or last < attempt.intended_at:
        return attempt.intended_at + SETTLES
    return last + min(max((last - attempt.intended_at) / 2, SETTLES), LONGEST_LOOK)


def wanted(case: Case, playbook: Playbook, now: datetime) -> tuple[str, ...]:
    """Name the prerequisites that want to be read by now, and what falls due soon after, in playbook order."""
    due = list(_due(case, playbook))
    if not any(at <= now for _, at in due):
        return ()
    return tuple(dict.fromkeys(name for name, at in due if at <= now + TOGETHER))


def _due(case: Case, playbook: Playbook) -> Iterator[tuple[str, datetime]]:
    """Yield each prerequisite that is to be read, and when, once for each person it is about."""
    if case.open_attempt is not None:
        return
    watch, given = case.state is State.RELEASED, case.evidence
    for item in playbook.readable:
        for about in gate.people(case, item):
            if item.applies_if and gate.applies(case, item, about) is False:
                continue
            evidence = given.get((item.id, about))
            at = _watch_at(case, playbook, item, evidence) if watch else _check_at(case, item, about, evidence)
            if at is not None:
                yield item.id, at


def _check_at(case: Case, item: Prerequisite, about: str, evidence: Evidence | None) -> datetime | None:
    if evidence is None:
        acceptance = case.acceptances.get((item.id, about))
        return case.entered_at if acceptance is None or acceptance.expired else acceptance.expires_at
    early = case.boundary is not None and evidence.observed_at < case.boundary
    if evidence.result not in GOOD or early or (item.after and gate.too_early(case, item, evidence)):
        # Every snapshot is another one, so that only the case's own age says for how long none was whole.
        since = case.entered_at if item.check is Check.SNAPSHOT_SAVED else None
        return _again(evidence, since)
    changed_at = weakened_at(case, item, about, evidence)
    if changed_at is not None:
        return changed_at
    fresh = item.fresh_within
    if fresh is None or evidence.method is Method.ATTESTED or evidence.expires_at is not None:
        # A person's word, and the tenant's record, count as long as they do; only then is the tenant asked instead.
        return gate.lapses_at(item, evidence)
    return evidence.observed_at + _renewed(fresh)


def weakened_at(case: Case, item: Prerequisite, about: str, evidence: Evidence) -> datetime | None:
    """Return since when it is known that others changed what was read, after it was; None where nobody did."""
    if evidence.method is Method.ATTESTED:
        return None
    looked_for, whose = _WEAKENED.get(item.check, frozenset()), about or case.entity
    later = (
        one.seen_at
        for one in case.altered.values()
        if one.alteration in looked_for and whose in one.accounts and one.at > evidence.observed_at
    )
    return min(later, default=None)


@cache
def _renewed(fresh: timedelta) -> timedelta:
    """Return after how long a reading is made again that counts for so long."""
    return fresh - min(BEFORE, fresh / 4)


def _watch_at(case: Case, playbook: Playbook, item: Prerequisite, evidence: Evidence | None) -> datetime | None:
    """Return when to look whether something came back; what was done once, such as a reset, does not come undone."""
    released = case.released_at
    if released is None or item.fresh_within is None or item.fact is not None:
        return None
    if evidence is None or evidence.observed_at <= released:
        at = released + WATCHED
    else:
        at = evidence.observed_at + WATCHED if evidence.result in GOOD else _again(evidence)
    return at if at < released + playbook.watch_within else None


def _again(evidence: Evidence, since: datetime | None = None) -> datetime:
    """Return when to read again what does not hold: the longer it has been so, the later."""
    lasted = evidence.observed_at - (since or evidence.established_at)
    return evidence.observed_at + min(max(lasted, SOONEST), LATEST)


def may_contain(case: Case) -> bool:
    """Say whether the machine may still try to contain the account, or has tried often enough in this recurrence."""
    begun = case.entered_at
    tried = [
        (item.change, item.about)
        for item in case.changes.values()
        if item.change in _ONCE_A_ROUND and not item.undoes and (begun is None or item.at >= begun)
    ]
    return all(tried.count(one) < ROUNDS for one in set(tried))
