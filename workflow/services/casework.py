"""The staircase: every step of every face goes down through :func:`perform`, and nothing else moves a case."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from workflow.domain import actions as act
from workflow.domain.encoding import private_fields
from workflow.domain.lifecycle import Step, advance, refuse
from workflow.domain.picture import picture
from workflow.domain.record import clamp
from workflow.domain.subject import check_name, normalise
from workflow.domain.vocabulary import State
from workflow.errors import ConflictError, HoldfastError, InputError, NotFoundError, PendingError, RuleRefusedError
from workflow.services import clocks, erasure, glass, linking, logbook, people, references, tenantwide
from workflow.services.writing import Stamp, seal, warn_of_secrets, write
from workflow.storage import attachments, cases, subjects
from workflow.storage.erasure import erase_with_commit
from workflow.storage.journal import move

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from workflow.app import App
    from workflow.domain.case import Case
    from workflow.domain.picture import Picture
    from workflow.domain.playbook import Playbook
    from workflow.domain.record import Entry
    from workflow.domain.vocabulary import Kind
    from workflow.services.people import Who
    from workflow.storage.transaction import Tx

_TAKEN_BACK = (
    "'holdfast case retract CASE ID --reason WHY' takes an answer back and keeps its words; they go for good with "
    "'holdfast case erase CASE --reason WHY', once the case has ended."
)
AT_ONCE = 500
"""Cases to one transaction in a bulk step."""


@dataclass(slots=True)
class Done:
    """What a step led to: the case after it, the entries it wrote, warnings that did not stop it.

    ``repeated`` says that the same request had been done before, so that nothing was written now.
    """

    case: Case
    entries: list[Entry]
    warnings: list[str] = field(default_factory=list)
    repeated: bool = False


def perform(
    app: App,
    who: Who,
    case_id: str,
    *actions: act.Action,
    request: str = "",
    check: Callable[[Case], None] | None = None,
) -> Done:
    """Take one step on a case: lock it, fold it, judge the actions, append what follows, commit.

    Args:
        app: the app.
        who: who acts, as the face knows it.
        case_id: the case.
        actions: one action, or several that stand or fall together. Free text is ``Private(text=…)``.
        request: idempotency key: the same key on the same case is done, or refused, once.
        check: looks at the case under its lock before it is judged; what it raises goes to the caller.

    Raises:
        HoldfastError: whatever refuses the step; refusals by a rule or a missing permission are committed first (R9).
    """
    references.request_key(request)
    logbook.prepare(app, who)
    records = [action for action in actions if isinstance(action, act.RecordEvidence)]
    locked = {case_id, *(other for action in records for other in action.linked)}
    outcome: tuple[Done, Step | None] | None = None
    while outcome is None:
        with app.database.transaction() as tx:
            erasure.lock(tx, actions)
            glass.lock(tx, actions)
            cases.ahead(tx, locked, case_id, app.cache)
            cases.lock(tx, locked)
            logbook.hold(app, tx)
            case = cases.load(tx, case_id, app.cache)
            wanted = locked | {other for item in case.evidence.values() for other in item.linked}
            if tx.sqlite or wanted <= locked:
                if check is not None:
                    check(case)
                outcome = _step(app, tx, who, case, actions, request, wanted - {case_id})
        # Where the case has linked cases that were not locked with it, begin again with all of them.
        locked = wanted
    done, step = outcome
    if step is not None and step.error is not None:
        raise step.error
    return _followed(app, done)


def perform_many(
    app: App,
    who: Who,
    wanted: Iterable[tuple[str, Sequence[act.Action]]],
    check: Callable[[Case], None] | None = None,
) -> Iterator[tuple[str, Done | HoldfastError]]:
    """Take one step on each of many cases, 500 to a transaction and each case judged by itself.

    They are read together and written together; what is asked of each, and written, is what :func:`perform` does.

    Args:
        app: the app.
        who: who acts.
        wanted: case ids, each with its actions, which stand or fall together as in :func:`perform`.
        check: looks at each case under its lock before it is judged; what it raises refuses that case alone.

    Yields each case id with what came of it, in the order asked for and once it is committed: the step, or the error
    that refused it. What refuses one case does not touch the others.

    Raises:
        HoldfastError: the database refused a whole transaction; nothing of that one was kept.
    """
    logbook.prepare(app, who)
    for batch in _batches(wanted):
        with app.database.transaction() as tx:
            every = [action for actions in batch.values() for action in actions]
            erasure.lock(tx, every)
            glass.lock(tx, every)
            cases.lock(tx, batch)
            logbook.hold(app, tx)
            known = cases.load_many(tx, batch, app.cache)
            found = {
                case_id: _one_of_many(app, tx, who, known[case_id], actions, batch, check) if case_id in known else None
                for case_id, actions in batch.items()
            }
        for case_id, result in found.items():
            if isinstance(result, Done):
                yield case_id, _followed(app, result)
            else:
                # A case that is not here, or whose linked cases were not locked with it, is taken by itself.
                yield case_id, _alone(app, who, case_id, batch[case_id], check) if result is None else result


def _batches(wanted: Iterable[tuple[str, Sequence[act.Action]]]) -> Iterator[dict[str, Sequence[act.Action]]]:
    """Yield at most 500 cases at a time; one that is named again comes in a later batch, behind its first step."""
    batch: dict[str, Sequence[act.Action]] = {}
    for case_id, actions in wanted:
        if case_id in batch:
            yield batch
            batch = {}
        batch[case_id] = actions
        if len(batch) == AT_ONCE:
            yield batch
            batch = {}
    if batch:
        yield batch


def _one_of_many(
    app: App,
    tx: Tx,
    who: Who,
    case: Case,
    actions: Sequence[act.Action],
    locked: Collection[str],
    check: Callable[[Case], None] | None,
) -> Done | HoldfastError | None:
    """Take one case's step inside a batch; None for a case whose linked cases are not locked with it (PostgreSQL)."""
    try:
        linked = {other for item in case.evidence.values() for other in item.linked}
        linked |= {other for item in actions if isinstance(item, act.RecordEvidence) for other in item.linked}
        if not tx.sqlite and any(other not in locked for other in linked):
            return None
        if check is not None:
            check(case)
        done, step = _step(app, tx, who, case, actions, "", linked - {case.id})
    except (NotFoundError, InputError, PendingError, ConflictError, RuleRefusedError) as error:
        # Raised before anything was written about this case; a rule's refusal is an entry, and comes in the step.
        return error
    return done if step is None or step.error is None else step.error


def _alone(
    app: App, who: Who, case_id: str, actions: Sequence[act.Action], check: Callable[[Case], None] | None
) -> Done | HoldfastError:
    try:
        return perform(app, who, case_id, *actions, check=check)
    except HoldfastError as error:
        return error


def _step(
    app: App, tx: Tx, who: Who, case: Case, actions: Sequence[act.Action], request: str, linked: set[str]
) -> tuple[Done, Step | None]:
    if not actions:
        message = "There is nothing to do: name at least one step."
        raise InputError(message)
    before = cases.by_request(tx, case.id, request) if request else []
    if before:
        references.same_step(before, actions)
        return Done(case, before, repeated=True), None
    actions = [erasure.completed(app, tx, case, action) for action in actions]
    for action in actions:
        references.existing(tx, case, action)
    actor = people.actor(app, tx, who)
    now = app.now()
    clocks.trust(now, case, actions)
    at, clock = clamp(now, case.updated_at)
    books = playbooks_for(app, tx, case, actions)
    book = books[case.playbook]
    links = _links(app, tx, case, book, actions, linked)
    sealed, opened = seal(tx, case, actions)
    _warn_of_secrets(app, who, actions)
    steps: list[Step] = []
    current = case
    for action in sealed:
        step = advance(current, action, actor, books, at, links, glass.setting(tx, action))
        if step.error is not None and steps:
            step = refuse(case, action, actor, books, at, step.error)
        if step.error is not None:
            steps = [step]
            break
        steps.append(step)
        current = step.case
    records = [record for step in steps for record in step.records]
    stamp = Stamp(at, clock, request or secrets.token_hex(8))
    last = steps[-1]
    if last.error is not None:
        last.error.step = (case.id, action)
        last = replace(last, error=linking.told(app, tx, case, book, actions, last.error))
    after, entries = write(app, tx, case, records, stamp, opened)
    if entries:
        move(tx, picture(after, books[after.playbook]))
    if after.erased_at is not None:
        erase_with_commit(tx, after.id)
    return Done(after, entries, app.warnings), last


def _warn_of_secrets(app: App, who: Who, actions: Sequence[act.Action]) -> None:
    """Warn of what a person typed; what was read in the tenant is nobody's slip of the hand."""
    for action in () if who.machine else actions:
        warn_of_secrets(app, {name: item.text for name, item in private_fields(action).items()}, _TAKEN_BACK)


def _links(
    app: App, tx: Tx, case: Case, playbook: Playbook, actions: Sequence[act.Action], linked: set[str]
) -> dict[str, State] | None:
    """Return how the other cases stand that the actions, or the answers of the case, name; None where none is named."""
    about = {other: cases.row(tx, other) for action in actions for other in erasure.others(action)}
    behind = {other: cases.row(tx, other) for other in linked}
    if not about and not behind:
        return None
    found = {other: State(row.state) for other, row in about.items() if row is not None}
    return found | linking.states(app, tx, case, playbook, behind)


def _followed(app: App, done: Done) -> Done:
    """Let the tenant's records answer in a case that a step began anew; this transaction may lock the log first."""
    if not tenantwide.BEGINNINGS.intersection(entry.type for entry in done.entries):
        return done
    try:
        with app.database.transaction() as tx:
            cases.lock_log(tx)
            cases.lock(tx, [done.case.id])
            case, made = tenantwide.follow(app, tx, cases.load(tx, done.case.id, app.cache), done.entries)
    except HoldfastError as error:
        # The step itself stands already.
        warning = f"What is recorded of the tenant did not answer in this case: {error}"
        return Done(done.case, done.entries, [*done.warnings, warning], done.repeated)
    return Done(case, [*done.entries, *made], done.warnings, done.repeated)


def playbooks_for(app: App, tx: Tx, case: Case, actions: Sequence[act.Action]) -> Mapping[str, Playbook]:
    """Return the playbook the case is pinned to, and those the actions (or a waiting proposal) would move it to."""
    digests = {case.playbook, *(action.playbook for action in actions if isinstance(action, act.MovePlaybook))}
    waiting = case.proposals.get("playbook")
    if waiting is not None:
        digests.add(str(waiting.data["playbook"]))
    return {digest: app.playbook(tx, digest) for digest in digests}


def find(app: App, reference: str) -> str:
    """Return the id of the case a person means: its number, its address or connector id, or the end of its id.

    Raises:
        NotFoundError, InputError: as :func:`meant`.
    """
    with app.database.reading() as tx:
        return meant(tx, reference).id


def meant(tx: Tx, reference: str) -> Picture:
    """Return the case a person means; an address finds its open case before any ended one.

    Raises:
        NotFoundError: no case fits.
        InputError: several fit; the message lists them.
    """
    found = cases.find(tx, reference)
    if not found:
        message = f"There is no case {reference!r}."
        raise NotFoundError(message, next_step="See them with: holdfast case list --all")
    if len(found) > 1:
        same_entity = len({item.entity for item in found}) == 1
        open_ = [item for item in found if item.state not in {State.CLOSED, State.DISMISSED}]
        found = open_ if len(open_) == 1 else found[:1] if same_entity and not open_ else found
    if len(found) > 1:
        numbers = ", ".join(f"#{item.number} ({item.tenant}, {item.kind}, {item.state})" for item in found)
        message = f"{reference!r} fits several cases: {numbers}. Use the number."
        raise InputError(message)
    return found[0]


def subject(app: App, tenant: str, kind: Kind, identifier: str) -> str:
    """Return the opaque id of a mailbox, connector or user, registering it when it is new."""
    text = normalise(kind, identifier)
    with app.database.transaction() as tx:
        return subjects.register(tx, tenant, kind, text)


def person(app: App, name: str) -> str:
    """Return the opaque id of a person, registering the name when it is new.

    Raises:
        InputError: the name looks like another one.
    """
    check_name(name)
    with app.database.transaction() as tx:
        return people.register_person(tx, name)


MOST_BYTES: Final = attachments.MAX_BYTES
"""Largest evidence file kept."""


def attach(app: App, content: bytes) -> str:
    """Store an evidence file; returns its SHA-256 in hex.

    Raises:
        InputError: larger than the limit.
    """
    with app.database.transaction() as tx:
        return attachments.keep(tx, content)
