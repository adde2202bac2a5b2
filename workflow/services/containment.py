"""Containment: what the checks found wrong is put right, in the playbook's order, which is Microsoft's.

Each change is intent → read → act if still needed → read again → record (R6). Nothing is called inside a transaction,
and nothing is called twice: what is not known to have happened is found out by reading.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from workflow.domain import actions as act
from workflow.domain.agenda import SETTLES
from workflow.domain.evidence import unknown
from workflow.domain.playbook import Check
from workflow.domain.private import Private, private
from workflow.domain.record import time_for_people
from workflow.domain.vocabulary import REMOVALS, Made, Phase, Result
from workflow.errors import (
    HoldfastError,
    InputError,
    NotReachedError,
    OutcomeUnknownError,
    PendingError,
    ProviderError,
)
from workflow.providers.shapes import Secret
from workflow.services import casework, checks
from workflow.services.changes import DOINGS, PLANNERS, title
from workflow.services.predicates import Look, shown
from workflow.services.writing import LONGEST_TEXT
from workflow.storage import openings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from workflow.app import App
    from workflow.domain.case import TenantChange
    from workflow.domain.playbook import Condition, Prerequisite
    from workflow.domain.vocabulary import Change
    from workflow.providers.shapes import Answer, Read
    from workflow.services.checks import Subject
    from workflow.services.people import Who

LET_GO = timedelta(days=1)
"""After which a change that cannot be found out about is written down as not seen."""
ALWAYS = frozenset({Check.SIGN_IN_BLOCKED, Check.NO_FORWARDING, Check.RULES_HARMLESS})
"""Put right without being named, though not required by containment: mail keeps leaking otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One change to be made. ``about`` is the opaque id, ``account`` the name of the account or mailbox."""

    prerequisite: str
    change: Change
    about: str
    account: str
    what: str
    target: dict[str, Any] = field(default_factory=dict)

    def to_data(self) -> dict[str, Any]:
        """Return plain JSON values for people and programs."""
        return {
            "prerequisite": self.prerequisite,
            "change": self.change.value,
            "account": self.account,
            "what": self.what,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What came of one change; ``made`` is None where nobody knows. A secret is handed over here and nowhere else."""

    planned: Planned
    sequence: int
    made: Made | None
    said: str = ""
    secret: Secret | None = None

    def to_data(self) -> dict[str, Any]:
        """Return plain JSON values, without the secret."""
        made = self.made.value if self.made else "unknown"
        return self.planned.to_data() | {"entry": self.sequence, "made": made, "message": self.said}


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be changed for a case, and what could not be looked at."""

    subject: Subject
    steps: tuple[Planned, ...]
    unread: tuple[str, ...]


def plan(
    app: App,
    who: Who,
    case_id: str,
    ids: Sequence[str] = (),
    *,
    look: Look | None = None,
    subject: Subject | None = None,
) -> Plan:
    """Read the tenant and say what would be changed; nothing is changed or recorded.

    Args:
        app: the app.
        who: who asks.
        case_id: the case.
        ids: the prerequisites to put right. By default those of containment, blocked sign-in, forwarding and rules;
            what takes more away is named.
        look: one look at the tenant that several steps go by; by default a new one.
        subject: the case, where it was read a moment ago.

    Raises:
        NotReadableError: no tenant is connected, or the case is another tenant's.
        NotFoundError: no such case or prerequisite.
        InputError: Holdfast cannot put a named prerequisite right.
        HoldfastError: who asks may not.
    """
    subject = subject or checks.read_subject(app, case_id)
    checks.connected(app, subject.case)
    wanted = list(_wanted(subject, ids))
    if not checks.asking(app, who, subject).machine:
        # Whoever may not do it may not write anything here, and the attempt is recorded (R9).
        casework.perform(app, who, case_id, act.AddNote(note=Private("Tried to contain the account.")))
    look = look or Look.at(app)
    steps: list[Planned] = []
    unread: list[str] = []
    for item, about in wanted:
        account, ground = subject.name(about), checks.ground(subject, about)
        try:
            if checks.judged(look, subject, item, about):
                continue
            found = list(PLANNERS[item.check](look, account, ground))
        except ProviderError as error:
            unread.append(shown(f"{item.id}: {error}"))
            continue
        for change, target, what in found:
            one = Planned(
                prerequisite=item.id,
                change=change,
                about=about,
                account=account,
                what=title(change, what),
                target=target,
            )
            if all((one.change, one.account, one.target) != (it.change, it.account, it.target) for it in steps):
                steps.append(one)
    return Plan(subject, tuple(steps), tuple(unread))


def _wanted(subject: Subject, ids: Sequence[str]) -> Iterator[tuple[Prerequisite, str]]:
    for name in ids:
        item = subject.playbook.get(name)
        if item is None:
            raise unknown(subject.playbook, name)
        if item.check not in PLANNERS:
            message = f"{name!r} is not put right by Holdfast: a person does it and records it."
            raise InputError(message)
    for item in subject.playbook.prerequisites:
        usual = item.check in ALWAYS or (item.required and item.required_by is Phase.CONTAIN)
        if item.check in PLANNERS and (item.id in ids if ids else usual):
            yield from ((item, about) for about in checks.asked(subject, item))


def contain(
    app: App,
    who: Who,
    case_id: str,
    ids: Sequence[str] = (),
    *,
    after: Look | None = None,
    unread: list[str] | None = None,
    subject: Subject | None = None,
) -> Iterator[Changed]:
    """Put right what the checks find wrong, one change after the other, and record what holds afterwards.

    Yields what came of each change once it is on the ledger; ``unread`` is told what could not be read, and so was
    not put right or not seen afterwards. One look serves the snapshot, the plan and the values before; each change
    reads for itself before it acts; and ``after``, by default a new look too, what holds in the end. ``subject`` is the
    case, where it was read a moment ago.

    Raises:
        PendingError: a change of this case is under way elsewhere.
        HoldfastError: as :func:`plan`, and whatever refuses a step.
    """
    unread = [] if unread is None else unread
    for ended in found_out(app, who, case_id, subject=subject):
        subject = None
        yield ended
    before = Look.at(app)
    planned = plan(app, who, case_id, ids, look=before, subject=subject)
    unread += planned.unread
    touched = tuple(dict.fromkeys(step.prerequisite for step in planned.steps))
    # What is wrong goes on the ledger before it is put right, so that the values before are known.
    first = (*_to_save(planned.subject), *touched)
    if first:
        unread += _recorded(app, who, case_id, first, before, planned.subject)
    for step in planned.steps:
        yield carry_out(app, who, case_id, step)
    if touched:
        unread += _recorded(app, who, case_id, touched, after)


def _recorded(
    app: App, who: Who, case_id: str, ids: Sequence[str], look: Look | None, subject: Subject | None = None
) -> tuple[str, ...]:
    """Record what holds, and return what could not be read: that undoes no change, and hides none."""
    try:
        return checks.check(app, who, case_id, ids, look=look, subject=subject).unread
    except NotReachedError as error:
        return tuple(shown(f"{name}: {error}") for name in ids)


def _to_save(subject: Subject) -> Iterator[str]:
    """Yield what asks for a snapshot before anything is changed, where none is kept."""
    for item in subject.playbook.prerequisites:
        standing = subject.case.evidence.get((item.id, ""))
        if item.check is Check.SNAPSHOT_SAVED and (standing is None or standing.result is not Result.MET):
            yield item.id


def carry_out(app: App, who: Who, case_id: str, step: Planned, *, undoes: int = 0, reason: str = "") -> Changed:
    """Make one change, or with ``undoes`` take it back: intent, read, act if still needed, read again, record.

    Raises:
        HoldfastError: whatever refuses the intent; nothing is called then.
    """
    target = json.dumps(step.target, sort_keys=True)
    if len(target) > LONGEST_TEXT:
        # An attacker's choice of names is to keep nothing else from being put right.
        said = f"Left alone: what it is about has more than {LONGEST_TEXT} characters. Do it by hand."
        return Changed(planned=step, sequence=0, made=Made.FAILED, said=said)
    intent = act.IntendChange(
        change=step.change,
        about=step.about,
        target=private(target),
        undoes=undoes,
        reason=private(reason),
    )
    doing, tenant = DOINGS[step.change], app.provider
    shown_by_it = [] if undoes else _known(step, doing.shows)
    done = casework.perform(app, who, case_id, intent, *shown_by_it)
    sequence = next(entry.sequence for entry in done.entries if entry.action == intent.name)
    call = doing.undo if undoes else doing.act
    assert call is not None  # noqa: S101 - what cannot be given back by a call is not tried
    try:
        before = doing.read(tenant, step.account)
        if doing.stands(before.value, step.target, undone=bool(undoes)):
            return _answered(app, who, case_id, step, sequence, Made.NOT_NEEDED, before.read)
        if not doing.in_effect(before.value, step.target) and not doing.same(before.value, step.target):
            # Somebody exchanged it: what is removed is what was written down, and nothing is laid over another's.
            said = "Something else stands there by now: look at it, and repeat."
            return _answered(app, who, case_id, step, sequence, Made.FAILED, before.read, said)
        answer: Answer[Any] = call(tenant, step.account, step.target)
    except OutcomeUnknownError as error:
        return _after_silence(app, who, case_id, step, sequence, error)
    except ProviderError as error:
        return _answered(app, who, case_id, step, sequence, Made.FAILED, None, str(error))
    if not isinstance(answer.value, Secret):
        return _answered(app, who, case_id, step, sequence, Made.DONE, answer.read)
    try:
        changed = _answered(app, who, case_id, step, sequence, Made.DONE, answer.read)
    except HoldfastError as error:
        # It is in force, and nobody could find it out again: it is handed over, whatever keeps it from being recorded.
        said = f"Done, and not recorded: {error} The next look finds it out."
        changed = Changed(planned=step, sequence=sequence, made=None, said=shown(said))
    return replace(changed, secret=answer.value)


def _after_silence(
    app: App, who: Who, case_id: str, step: Planned, sequence: int, error: OutcomeUnknownError
) -> Changed:
    """Find out by reading what became of a change to which no answer came; it stays open while nobody can tell."""
    doing = DOINGS[step.change]
    undoes = bool(checks.read_subject(app, case_id).case.changes[sequence].undoes)
    try:
        found = doing.read(app.provider, step.account)
    except ProviderError:
        return Changed(planned=step, sequence=sequence, made=None, said=shown(str(error)))
    if not doing.stands(found.value, step.target, undone=undoes):
        # Not in effect yet may still become so: another look, later, decides.
        return Changed(planned=step, sequence=sequence, made=None, said=shown(str(error)))
    return _answered(app, who, case_id, step, sequence, Made.DONE, found.read, "No answer came; found done by reading.")


def _answered(
    app: App, who: Who, case_id: str, step: Planned, sequence: int, made: Made, read: Read | None, said: str = ""
) -> Changed:
    source = checks.source(read) if read else ""
    reference = shown(": ".join(filter(None, (source, said))))
    answer = act.AnswerChange(intent=sequence, made=made, reference=private(reference))
    # What may have been removed has to be put right as what was.
    is_so = made is Made.DONE or (made is Made.UNSEEN and step.change in REMOVALS)
    known = _known(step, DOINGS[step.change].condition) if is_so else []
    casework.perform(app, who, case_id, answer, *known)
    return Changed(planned=step, sequence=sequence, made=made, said=shown(said))


def _known(step: Planned, condition: Condition | None) -> list[act.AddIdentity]:
    """Return what records that a condition holds of the person whose account is changed."""
    if condition is None or not step.about:
        return []
    return [act.AddIdentity(subject=step.about, facts={condition.value: True})]


def found_out(app: App, who: Who, case_id: str, *, subject: Subject | None = None) -> Iterator[Changed]:
    """Find out by reading what came of changes that were begun and never answered, as after a crash.

    One that cannot be read stays open for a day, and keeps no other waiting; then it is written down as not seen, so
    that people can settle it. ``subject`` is the case, where it was read a moment ago.

    Raises:
        PendingError: one was begun so recently that it may still be under way.
    """
    subject = subject or checks.read_subject(app, case_id)
    checks.connected(app, subject.case)
    for change in [item for item in subject.case.changes.values() if item.made is None]:
        if app.now() - change.at < SETTLES:
            message = (
                f"A change of this case is under way since {time_for_people(change.at)} (entry {change.sequence})."
            )
            raise PendingError(message)
        step, doing = again(app, subject, change), DOINGS[change.change]
        try:
            found = doing.read(app.provider, step.account)
        except ProviderError as error:
            said = shown(str(error))
            if app.now() - change.at < LET_GO:
                yield Changed(planned=step, sequence=change.sequence, made=None, said=said)
            else:
                yield _answered(
                    app, who, case_id, step, change.sequence, Made.UNSEEN, None, f"could not be read: {said}"
                )
            continue
        stands = doing.stands(found.value, step.target, undone=bool(change.undoes))
        made, said = (Made.DONE, "found done by reading") if stands else (Made.UNSEEN, "not found done by reading")
        yield _answered(app, who, case_id, step, change.sequence, made, found.read, said)


def again(app: App, subject: Subject, change: TenantChange) -> Planned:
    """Return the change that an intent tells of."""
    with app.database.reading() as tx:
        text = openings.reveal(tx, [change.target.commitment]).get(change.target.commitment, "{}")
    target = json.loads(text)
    return Planned(
        prerequisite="",
        change=change.change,
        about=change.about,
        account=subject.name(change.about),
        what=title(change.change, str(target.get("name") or target.get("app") or target.get("who") or "")),
        target=target,
    )
