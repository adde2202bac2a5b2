"""Automatic checks: the tenant is read outside any transaction, and what was read answers the playbook's prerequisites.

Holdfast itself records what it read, whoever asked for it: a reading is nobody's word, so that whoever asked may still
approve. What a person judged is not overturned by reading the very same again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from workflow.domain import access, erasure, gate
from workflow.domain import actions as act
from workflow.domain.agenda import weakened_at
from workflow.domain.evidence import unknown
from workflow.domain.playbook import Check
from workflow.domain.private import private
from workflow.domain.record import time_to_text
from workflow.domain.vocabulary import GOOD, Change, Made, Method, Result
from workflow.errors import (
    HoldfastError,
    InputError,
    NotReachedError,
    NotReadableError,
    ProviderError,
    ProviderRefusedError,
)
from workflow.services import casework, people, snapshot
from workflow.services.casework import Done
from workflow.services.names import Names
from workflow.services.predicates import JUDGED, PREDICATES, Finding, Ground, Look, shown
from workflow.services.present import present
from workflow.storage import cases, openings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from workflow.app import App
    from workflow.domain.case import Case, Evidence
    from workflow.domain.playbook import Playbook, Prerequisite
    from workflow.domain.vocabulary import TenantFact
    from workflow.providers.shapes import Read
    from workflow.services.people import Who

KEPT = "What stands recorded counts still."
"""Why a reading that could not be made is told and not recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What one check found. ``about`` is a user's name, "" for the entity; ``recorded`` says whether it is an entry.

    ``unread`` says that the tenant gave no answer for now: asked again later, it may.
    """

    prerequisite: str
    about: str
    check: str
    result: Result
    before: str
    after: str
    note: str
    reference: str
    observed_at: str
    recorded: bool
    unread: bool

    def to_data(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self) | {"result": self.result.value}


@dataclass(frozen=True, slots=True)
class Examined:
    """The checks of one case, and the step that recorded them."""

    done: Done
    checks: tuple[Checked, ...]

    @property
    def unread(self) -> tuple[str, ...]:
        """What got no answer for now, each with why."""
        return tuple(f"{item.prerequisite}: {item.note}" for item in self.checks if item.unread)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A case as it stands, settled, with the names and values that its checks need.

    ``judged`` is, by prerequisite and user, the value that a person found good after it had been read. ``lapsed`` says
    that something ran out since the newest entry, so that the case's row tells of what is no more.
    """

    case: Case
    playbook: Playbook
    entity: str
    users: Mapping[str, str]
    values: Mapping[str, str]
    judged: Mapping[tuple[str, str], str]
    now: datetime
    lapsed: bool

    def name(self, about: str) -> str:
        """Return whose account or mailbox a prerequisite asks about."""
        return self.users[about] if about else self.entity


def check(
    app: App,
    who: Who,
    case_id: str,
    ids: Sequence[str] = (),
    *,
    look: Look | None = None,
    quick: bool = False,
    subject: Subject | None = None,
) -> Examined:
    """Read the tenant for a case's prerequisites and record what was found.

    Args:
        app: the app.
        who: who asks; what is found is recorded by Holdfast itself.
        case_id: the case.
        ids: the prerequisites; by default every one that has a check and applies.
        look: one look at the tenant that several steps go by; by default a new one.
        quick: leave out what only saves a picture for later.
        subject: the case, where it was read a moment ago.

    Raises:
        NotReadableError: no tenant is connected, or the case is another tenant's.
        NotFoundError: no such case or prerequisite.
        InputError: a prerequisite that was named has no check.
        NotReachedError: no check got an answer, which is no reading: nothing was recorded.
        HoldfastError: whatever refuses the step.
    """
    subject = subject or read_subject(app, case_id)
    connected(app, subject.case)
    wanted = list(_wanted(subject, ids, quick=quick))
    machine = asking(app, who, subject)
    look = look or Look.at(app)
    made: list[tuple[act.RecordEvidence | None, Checked]] = []
    lost: list[NotReachedError] = []
    for item, about in wanted:
        action, told, error = _checked(app, look, subject, item, about)
        made.append((action, told))
        if isinstance(error, NotReachedError):
            lost.append(error)
    if lost and len(lost) == len(made) and machine.machine:
        raise lost[0]
    actions = [action for action, _ in made if action is not None]
    if not actions:
        return Examined(Done(subject.case, [], app.warnings), tuple(told for _, told in made))
    done = casework.perform(app, machine, case_id, *actions)
    return Examined(done, tuple(told for _, told in made))


def connected(app: App, case: Case) -> None:
    """Refuse to read or act for a case without its own tenant.

    Raises:
        NotReadableError: no tenant is connected, or another one.
    """
    if not app.provider.acts:
        message = (
            "No tenant is connected, so a person looks and records it with 'holdfast case record'. "
            "Connect one with HOLDFAST_PROVIDER."
        )
        raise NotReadableError(message)
    if case.tenant != app.settings.tenant:
        message = f"The case is of tenant {case.tenant!r}, and connected is {app.settings.tenant!r} (setting tenant)."
        raise NotReadableError(message)


def read_subject(app: App, case_id: str) -> Subject:
    """Return a case as its checks need it; nothing is written.

    Raises:
        NotFoundError: no such case, or it was erased.
    """
    with app.database.reading() as tx:
        stored = cases.load(tx, case_id, app.cache)
        erasure.not_erased(stored)
        case, playbook, now, lapsed = present(app, tx, stored, app.now())
        names = Names(tx, {case.entity, *case.identities})
        standing = (item for item in case.evidence.values() if item.method is Method.CHECKED)
        texts = [text.commitment for item in standing for text in (item.before, item.after) if text]
        values = openings.reveal(tx, {*texts, *case.judged.values()})
        return Subject(
            case=case,
            playbook=playbook,
            entity=names.subject(case.entity),
            users={user: names.subject(user) for user in case.identities},
            values=values,
            judged={key: values[told] for key, told in case.judged.items() if told in values},
            now=now,
            lapsed=lapsed,
        )


def probe(item: Prerequisite) -> Check | TenantFact | None:
    """Return what answers a prerequisite from the tenant, or None where only a person or another case can."""
    found = item.fact or item.check
    return found if found in PREDICATES or found is Check.SNAPSHOT_SAVED else None


def _wanted(subject: Subject, ids: Sequence[str], *, quick: bool) -> Iterator[tuple[Prerequisite, str]]:
    for name in ids:
        item = subject.playbook.get(name)
        if item is None:
            raise unknown(subject.playbook, name)
        if probe(item) is None:
            message = f"{name!r} is not checked by Holdfast: a person records it with 'holdfast case record'."
            raise InputError(message)
    for item in subject.playbook.prerequisites:
        if probe(item) is None or (ids and item.id not in ids) or (quick and item.check is Check.SNAPSHOT_SAVED):
            continue
        yield from ((item, about) for about in asked(subject, item, anew=bool(ids)))


def asked(subject: Subject, item: Prerequisite, *, anew: bool = False) -> Iterator[str]:
    """Yield about whom a prerequisite is asked now; ``anew`` also where asking brings nothing more."""
    return (about for about in gate.people(subject.case, item) if anew or not _settled(subject, item, about))


def _settled(subject: Subject, item: Prerequisite, about: str) -> bool:
    """Say whether asking again would bring nothing: it does not apply, the tenant's record answers, or it was saved."""
    case = subject.case
    if gate.applies(case, item, about) is False:
        return True
    evidence = case.evidence.get((item.id, about))
    if evidence is None or gate.standing(case, subject.playbook, item, about, subject.now) is not None:
        return False
    kept = item.check is Check.SNAPSHOT_SAVED or gate.tenant_wide(item, evidence)
    return kept or evidence.result is Result.NOT_APPLICABLE


def asking(app: App, who: Who, subject: Subject) -> Who:
    """Return as whom to record: Holdfast itself, or a person who may not ask, so that the refusal is recorded."""
    if who.machine:
        return who
    with app.database.transaction() as tx:
        actor = people.actor(app, tx, who)
    try:
        access.permit(actor, act.RecordEvidence(prerequisite="", observed_at=subject.now))
        access.not_a_subject(subject.case, actor)
    except HoldfastError:
        return who
    return replace(who, machine=True)


def _checked(
    app: App, look: Look, subject: Subject, item: Prerequisite, about: str
) -> tuple[act.RecordEvidence | None, Checked, ProviderError | None]:
    look.reads.clear()
    attachment = ""
    failed: ProviderError | None = None
    try:
        if item.check is Check.SNAPSHOT_SAVED:
            finding, attachment = _saved(app, look, subject)
        else:
            finding = PREDICATES[item.fact or item.check](look, subject.name(about), ground(subject, about))
    except ProviderError as error:
        finding, failed = Finding(Result.UNABLE_TO_VERIFY, "", shown(str(error))), error
    finding = _as_judged(subject, item, about, finding)
    standing = subject.case.evidence.get((item.id, about))
    # What a licence or a permission keeps from being read stays so; there is nothing to ask for again.
    unread = failed is not None and not isinstance(failed, NotReadableError | ProviderRefusedError)
    keeps = finding.result is Result.UNABLE_TO_VERIFY and _counts(subject, item, about, standing, unread=unread)
    before = _before(subject, standing, finding)
    observed_at = min([read.at for read in look.reads] + [app.now()])
    reference = "; ".join(dict.fromkeys(source(read) for read in look.reads))
    action = act.RecordEvidence(
        prerequisite=item.id,
        about=about,
        result=finding.result,
        method=Method.CHECKED,
        observed_at=observed_at,
        reference=private(shown(reference)),
        note=private(finding.note),
        before=private(before),
        after=private(finding.value),
        attachment=attachment,
        file=private(f"snapshot-{subject.case.number}.json" if attachment else ""),
    )
    told = Checked(
        prerequisite=item.id,
        about=subject.users.get(about, ""),
        check=str(probe(item)),
        result=finding.result,
        before=before,
        after=finding.value,
        note=f"{finding.note} {KEPT}".strip() if keeps else finding.note,
        reference=reference,
        observed_at=time_to_text(observed_at),
        recorded=not keeps,
        unread=unread,
    )
    return None if keeps else action, told, failed


def ground(subject: Subject, about: str) -> Ground:
    """Return what a predicate knows of the case: since when, and when Holdfast last reset the person's password."""
    resets = [
        item.at
        for item in subject.case.changes.values()
        if (item.change, item.about, item.made) == (Change.RESET_PASSWORD, about, Made.DONE)
    ]
    return Ground(since=subject.case.boundary or subject.now, reset_at=max(resets, default=None))


def judged(look: Look, subject: Subject, item: Prerequisite, about: str) -> bool:
    """Say whether a person found good exactly what the tenant shows now.

    Raises:
        ProviderError: it cannot be read.
    """
    known = subject.judged.get((item.id, about))
    if known is None:
        return False
    return PREDICATES[item.check](look, subject.name(about), ground(subject, about)).value == known


def _saved(app: App, look: Look, subject: Subject) -> tuple[Finding, str]:
    """Keep a snapshot; it is good when everything but what needs a licence could be read.

    Raises:
        NotReachedError: nothing at all was answered, so that there is nothing to keep.
    """
    case = subject.case
    taken = snapshot.take(look, case.kind, subject.entity, subject.users.values(), ground(subject, ""))
    unread = f"Not among it: {', '.join(taken.unread)}." if taken.unread else ""
    shortened = f"Too long to be kept whole: {', '.join(taken.shortened)}." if taken.shortened else ""
    result = Result.MET if snapshot.OPTIONAL.issuperset(taken.unread) else Result.UNABLE_TO_VERIFY
    return Finding(result, "", f"{unread} {shortened}".strip()), casework.attach(app, taken.content)


def _as_judged(subject: Subject, item: Prerequisite, about: str, finding: Finding) -> Finding:
    """Take for good what a person found good when it had been read before, to the letter."""
    if finding.result is not Result.NOT_MET or subject.judged.get((item.id, about)) != finding.value:
        return finding
    return Finding(Result.MET, finding.value, JUDGED)


def _counts(subject: Subject, item: Prerequisite, about: str, standing: Evidence | None, *, unread: bool) -> bool:
    """Say whether a good answer stands and counts: what cannot be read is no news against it.

    It is where others are known to have changed since what was read then, unless the tenant is ``unread`` for now.
    """
    if standing is None or standing.result not in GOOD:
        return False
    if not unread and weakened_at(subject.case, item, about, standing) is not None:
        return False
    return gate.standing(subject.case, subject.playbook, item, about, subject.now) is None


def _before(subject: Subject, standing: Evidence | None, finding: Finding) -> str:
    """Return the value before: what was read the last time, if it was another; an unchanged reading keeps its own."""
    if standing is None or standing.method is not Method.CHECKED:
        return ""
    last = subject.values.get(standing.after.commitment, "")
    return subject.values.get(standing.before.commitment, "") if last == finding.value else last


def source(read: Read) -> str:
    """Return where an answer comes from, as evidence names it."""
    return f"{read.call} (request {read.request})" if read.request else read.call
