"""The report of a case: what an auditor takes away, and every line of it read from the ledger's entries."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from workflow.domain.course import Course, Unblocked, courses, mark
from workflow.domain.record import clamp, optional_time_to_text, time_from_text, time_to_text
from workflow.domain.vocabulary import EntryType
from workflow.services import casework, history, tenantwide, views
from workflow.services.names import ERASED
from workflow.services.occurrences import Occurrence, Walk
from workflow.storage import cases, tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from workflow.app import App
    from workflow.domain.record import Entry
    from workflow.services.history import EntryView
    from workflow.services.shapes import CaseView
    from workflow.storage.transaction import Tx

UNBLOCKED = {
    Unblocked.YES: "yes: the tenant itself showed the restriction gone after the approved unblock",
    Unblocked.ATTESTED_ONLY: "attested only: a person says that the restriction was gone after the approved unblock",
    Unblocked.NO: "no: it ended without an approved unblock of ours",
    Unblocked.NOT_YET: "not yet: the restriction is not known to be gone",
}
"""The answer to "was it unblocked after an approval?" in words."""

CASE = (
    *("id", "number", "tenant", "kind", "entity", "state", "recurrence", "version", "resolution", "assignee"),
    *("restriction", "restriction_reading", "identities", "facts", "links", "opened_at", "updated_at"),
)
TIMES = tuple(item.name for item in fields(Course) if item.name.endswith("_at"))
STEP = (
    *("id", "title", "phase", "required", "about", "standing", "result", "method", "by", "claimed", "observed_at"),
    *("recorded_at", "reference", "note", "before", "after", "attachment", "exception"),
)
"""What a report keeps of the case, of a course, and of each step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OccurrenceReport:
    """One occurrence. ``times`` are those of :class:`workflow.domain.course.Course` as UTC text."""

    recurrence: int
    times: dict[str, str | None]
    unblocked: str
    unblocked_words: str
    resolution: str
    playbook: str
    playbook_version: str
    playbook_title: str
    playbook_digest: str
    playbook_shipped: bool
    states: list[dict[str, Any]]
    prerequisites: list[dict[str, Any]]
    exceptions: list[dict[str, Any]]
    decisions: list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseReport:
    """One case. ``marks`` say what an auditor looks at first; ``unsealed`` counts entries outside the tree."""

    case: dict[str, Any]
    marks: list[str]
    occurrences: list[OccurrenceReport]
    entries: list[EntryView]
    unsealed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Some cases and the checkpoint they rest on: origin, size, root, signature lines; None on an empty tree."""

    generated_at: str
    checkpoint: dict[str, Any] | None
    cases: list[CaseReport]

    def to_data(self) -> dict[str, Any]:
        """Return plain JSON values: snake_case keys, times are UTC text."""
        return asdict(self)


def report(
    app: App, references: Iterable[str], progress: Callable[[int, int], None] = lambda _done, _total: None
) -> Report:
    """Report these cases (numbers, addresses, ids), each once, in the order asked for. Nothing is written.

    ``progress`` is called with (done, total) cases.

    Raises:
        NotFoundError, InputError: as :func:`workflow.services.casework.find`.
    """
    found = list(dict.fromkeys(casework.find(app, reference) for reference in references))
    with app.database.reading() as tx:
        note = tree.newest(tx)
        reports = []
        for count, case_id in enumerate(found, start=1):
            reports.append(_case(app, tx, case_id))
            progress(count, len(found))
    return Report(
        generated_at=time_to_text(app.now()), checkpoint=None if note is None else _checkpoint(note), cases=reports
    )


def _checkpoint(note: str) -> dict[str, Any]:
    origin, size, root, _, *signatures = note.splitlines()
    return {"origin": origin, "size": int(size), "root": root, "signatures": signatures, "note": note}


def _case(app: App, tx: Tx, case_id: str) -> CaseReport:
    entries = cases.entries(tx, case_id)
    names = history.names_of(tx, entries)
    told = history.told(tx, entries, names)
    by_sequence = {item.sequence: item for item in told}
    walk = Walk(names, lambda digest: app.playbook(tx, digest), by_sequence, tenantwide.claimed(tx, entries))
    now, _ = clamp(app.now(), time_from_text(entries[-1].recorded_at))
    pairs = list(zip(walk.along(entries), courses(mark(entry) for entry in entries), strict=True))
    drawn = [_as_it_stood(app, tx, entries[: part.last], path, now, len(entries)) for part, path in pairs]
    reports = [_occurrence(view, *pair) for view, pair in zip(drawn, pairs, strict=True)]
    unsealed = sum(item.leaf_index is None for item in told)
    return CaseReport(
        case={name: getattr(drawn[-1], name) for name in CASE},
        marks=list(_marks(reports, drawn[-1], told, unsealed)),
        occurrences=reports,
        entries=told,
        unsealed=unsealed,
    )


def _as_it_stood(app: App, tx: Tx, entries: list[Entry], path: Course, now: datetime, count: int) -> CaseView:
    """Draw the steps when they counted: now while the case is open, at the intent of a release, else at the end."""
    last = entries[-1]
    if len(entries) == count and path.released_at is None and path.ended_at is None:
        return views.view_of(app, tx, entries, now, None)
    counted = path.intended_at if path.released_at is not None else None
    return views.view_of(app, tx, entries, counted or time_from_text(last.recorded_at), str(last.sequence))


def _occurrence(view: CaseView, part: Occurrence, path: Course) -> OccurrenceReport:
    return OccurrenceReport(
        recurrence=path.recurrence,
        times={name: optional_time_to_text(getattr(path, name)) for name in TIMES},
        unblocked=path.unblocked.value,
        unblocked_words=UNBLOCKED[path.unblocked],
        resolution=path.resolution,
        playbook=view.playbook,
        playbook_version=view.playbook_version,
        playbook_title=view.playbook_title,
        playbook_digest=view.playbook_digest,
        playbook_shipped=view.playbook_shipped,
        states=part.states,
        prerequisites=[{name: getattr(item, name) for name in STEP} for item in view.prerequisites],
        exceptions=part.exceptions,
        decisions=part.decisions,
    )


def _marks(reports: list[OccurrenceReport], view: CaseView, told: list[EntryView], unsealed: int) -> Iterator[str]:
    """Say in words what an auditor looks at first."""
    decisions = [item for report in reports for item in report.decisions]
    bulk = max((item["bulk"] for item in decisions), default=0)
    if bulk:
        yield f"approved in bulk, as one of {bulk} cases"
    for item in view.break_glass_approvals:
        yield f"approved without a second person (break-glass, entry {item['sequence']}), review: {item['verdict']}"
    changed = [str(item.sequence) for item in told if item.type == EntryType.CHANGE_SEEN]
    if changed:
        yield f"an account of this case was changed outside Holdfast (entry {', '.join(changed)})"
    if any(report.exceptions for report in reports):
        yield "released or worked with exceptions"
    if any(not report.playbook_shipped for report in reports):
        yield "the playbook is not the version that came with the product"
    if any(item["shown"] and not item["shown"]["repeats"] for item in decisions):
        yield "what a decision stood on cannot be drawn again from the entries: verify the ledger"
    if view.entity == ERASED or any(ERASED in (item.by, *item.details.values()) for item in told):
        yield "names or texts of this case were erased"
    if unsealed:
        yield f"{unsealed} entries are not sealed yet: no checkpoint covers them"


PINNED = ("playbook_version", "playbook_digest", "playbook_shipped")
ROW = (
    *("number", "id", "tenant", "kind", "entity", "state", "recurrence", "resolution", "unblocked", "playbook"),
    *(*PINNED, *TIMES, "requested_by", "approved_by"),
    *("prerequisite", *STEP[1:-1], "exception_asked_by", "exception_granted_by", "exception_until"),
    *("exception_reason", "checkpoint_size", "checkpoint_root"),
)
"""The columns of the table of a report."""


def rows(found: Report) -> Iterator[dict[str, Any]]:
    """Yield one flat row (:data:`ROW`) for each case, occurrence, prerequisite, and person it is about."""
    point = found.checkpoint or {}
    for item in found.cases:
        for occurrence in item.occurrences:
            people = {
                who: "; ".join(_person(step) for step in occurrence.decisions if step["type"] == kind)
                for who, kind in (
                    ("requested_by", EntryType.UNBLOCK_REQUESTED),
                    ("approved_by", EntryType.UNBLOCK_APPROVED),
                )
            }
            whole = {name: item.case[name] for name in ("number", "id", "tenant", "kind", "entity", "state")}
            whole |= {"recurrence": occurrence.recurrence, "resolution": occurrence.resolution}
            whole |= {"unblocked": occurrence.unblocked, "playbook": occurrence.playbook}
            whole |= {name: getattr(occurrence, name) for name in PINNED}
            whole |= {**occurrence.times, **people}
            whole |= {f"checkpoint_{name}": point.get(name) for name in ("size", "root")}
            for step in occurrence.prerequisites:
                yield whole | {"prerequisite": step["id"]} | _flat(step)


def _flat(step: dict[str, Any]) -> dict[str, Any]:
    accepted = step["exception"] or {}
    return {name: step[name] for name in STEP[1:-1]} | {
        "exception_asked_by": accepted.get("asked_by"),
        "exception_granted_by": accepted.get("granted_by"),
        "exception_until": accepted.get("expires_at"),
        "exception_reason": accepted.get("reason"),
    }


def _person(step: dict[str, Any]) -> str:
    return f"{step['by']} (claimed)" if step["claimed"] else str(step["by"])
