"""Where workers are killed: a tenant served by a process of its own, and people who do what only people may."""

from __future__ import annotations

import multiprocessing
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tests.kill.witness import UNBLOCK, Diary, QuickClock
from tests.served import PATIENCE, ServedTenant
from tests.services.desk import ANN, BOB, START, Place
from workflow.app import App
from workflow.domain import actions as act
from workflow.domain import agenda, gate, unblocking
from workflow.domain.private import Private
from workflow.domain.vocabulary import EntryType, State
from workflow.errors import HoldfastError
from workflow.services import automation, casework, checks, containment, polling, releasing
from workflow.services.changes import PLANNERS
from workflow.services.names import Names
from workflow.storage import cases, worklist

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from workflow.domain.record import Entry
    from workflow.services.checks import Subject

FACTOR = 60.0
"""Seconds of the tenant's and the ledger's clock to one of ours: what settles in two minutes settles in two seconds."""
MOVES = ["sign-in", "rule", "forwarding"]
"""What the attacker leaves behind, so that there is something to put right beside sign-in, password and sessions."""
HELD = 0.03  # seconds that the answer to a change is held back, so that a kill has something to hit there
SLOW = (
    "Remove-BlockedSenderAddress",
    "PATCH /users/{user}",
    "POST /users/{user}/revokeSignInSessions",
    "Set-Mailbox",
    "Disable-InboxRule",
)


def served(folder: Path, users: int) -> ServedTenant:
    """Serve a tenant whose time runs fast, and whose changes take a moment."""
    return ServedTenant(
        folder,
        FACTOR,
        users=users,
        restricted=0,
        connectors=0,
        starts_at=START.isoformat().replace("+00:00", "Z"),
        leaves_after=[30, 300],
        audit_lag=[1, 60],
        unblock_limit=0,
        restricts_again=False,
        faults=[{"fault": "slow", "on": name, "seconds": HELD} for name in SLOW],
    )


@dataclass(frozen=True, slots=True)
class Intent:
    """What the ledger tells of one intent; ``answer`` is what came of it, "" while nobody knows."""

    account: str
    what: str
    at: datetime
    case_id: str
    answer: str


class Ward:
    """The ledger's and the tenant's time, the people, and what the ledger tells."""

    def __init__(self, place: Place, tenant: ServedTenant) -> None:
        self.place, self.tenant = place, tenant
        self.clock = self._clock()
        self.diary = Diary(place.home / "diary", self.clock)
        self.changes: dict[str, Any] = tenant.settings() | {"worker_contains": True}
        self.app = App(place.settings(**self.changes), self.clock)
        everybody = tenant.pages("users")
        self._upns = {item[name].casefold(): item["upn"] for item in everybody for name in ("upn", "mail")}
        self._people: Iterator[str] = iter([item["upn"] for item in everybody[1:]])
        self.restricted: list[str] = []

    def __enter__(self) -> Self:
        """Be at work."""
        return self

    def __exit__(self, *_: object) -> None:
        """Go home."""
        self.app.close()

    def restrict(self, count: int) -> None:
        """Have so many more accounts attacked and restricted, and take the list in."""
        for _ in range(count):
            who = self._next()
            self.tenant.ask("attacker", {"user": who, "moves": MOVES})
            self.tenant.ask("restrict", {"identifier": who})
            self.restricted.append(who)
        with suppress(HoldfastError):
            # A worker may be reading the same list; what it opens is known then.
            list(polling.poll(self.app, ANN))

    def _clock(self) -> QuickClock:
        """Return a clock for every process that shows the tenant's time."""
        ahead = multiprocessing.get_context("forkserver").RawValue("d", 0.0)
        now = datetime.fromisoformat(self.tenant.ask("clock")["now"]).astimezone(UTC)
        # Never ahead of the tenant's, however long the answer took: an effect is no earlier than what it was meant by.
        return QuickClock(time.monotonic(), now, FACTOR, ahead)

    def _next(self) -> str:
        """Return the next person who belongs to the cloud: what synchronises from elsewhere is changed there."""
        return next(who for who in self._people if not self.tenant.ask(f"user?user={who}")["synced"])

    def subjects(self) -> list[Subject]:
        """Return every case that is not released yet."""
        with self.app.database.reading() as tx:
            ids = [item.id for item in worklist.every(tx, worklist.Filters()) if item.state != State.RELEASED]
        return [checks.read_subject(self.app, case_id) for case_id in ids]

    def busy(self) -> int:
        """Return in how many cases the machine has something to do."""
        return len(automation.due(self.app, self.clock()))

    def see_to(self) -> int:
        """Do what is people's in every case, and return how many are not released yet."""
        waiting = self.subjects()
        for subject in waiting:
            # Whatever a worker is in the midst of, or the tenant shows otherwise by now, waits for the next time.
            with suppress(HoldfastError):
                self._see_to(subject)
        return len(waiting)

    def _see_to(self, subject: Subject) -> None:
        case, app = subject.case, self.app
        if any(item.made is None for item in case.changes.values()) or case.open_attempt is not None:
            return
        if case.state is State.UNBLOCK_REQUESTED:
            if not case.approvals:
                releasing.decide(app, BOB, case.id, act.ApproveUnblock())
            return
        if case.state is State.DETECTED:
            if case.evidence and not agenda.may_contain(case):
                list(containment.contain(app, ANN, case.id))
            elif not case.evidence or any(item.check in PLANNERS for item in self._missing(subject)):
                return  # The machine's turn.
        self._attest(subject)
        releasing.decide(app, ANN, case.id, act.RequestUnblock(reason=Private("The work is done.")))
        releasing.decide(app, BOB, case.id, act.ApproveUnblock())

    def _missing(self, subject: Subject) -> list[Any]:
        missing = gate.missing(subject.case, subject.playbook, (gate.UNBLOCK_PHASES[0],), subject.now)
        return [subject.playbook.get(item.prerequisite) for item in missing]

    def _attest(self, subject: Subject) -> None:
        case = subject.case
        for about in case.identities:
            facts = {"app-passwords": False, "on-premises-relay": False}
            casework.perform(self.app, ANN, case.id, act.AddIdentity(subject=about, facts=facts))
        subject = checks.read_subject(self.app, case.id)
        records = [
            act.RecordEvidence(
                prerequisite=item.prerequisite,
                about=item.about,
                observed_at=self.clock(),
                reference=Private("https://tickets.example.com/INC-4711"),
            )
            for item in gate.missing(subject.case, subject.playbook, gate.UNBLOCK_PHASES, subject.now)
        ]
        if records:
            casework.perform(self.app, ANN, case.id, *records)

    def settle(self) -> None:
        """Let workers and people go on until every case is released; where all wait for a time, time is moved on."""
        begun = time.monotonic()
        while self.see_to():
            assert time.monotonic() - begun < 10 * PATIENCE, self.stuck()
            time.sleep(0.25)
            if not self.busy():
                self._move_on()

    def stuck(self) -> list[str]:
        """Say what has not come to its end."""
        return [f"#{item.case.number} {item.case.state.value}" for item in self.subjects()]

    def _move_on(self) -> None:
        """Move the clocks to the next thing that the machine has to do in a case that is not released."""
        coming = [_next(item) for item in self.subjects()]
        wait = min((at for at in coming if at is not None), default=self.clock()) - self.clock()
        if wait > timedelta(0):
            self.tenant.ask("clock", {"advance_seconds": wait.total_seconds()})
            self.clock.ahead.value += wait.total_seconds()

    def case_ids(self) -> list[str]:
        """Return the ids of all cases."""
        with self.app.database.reading() as tx:
            return [case_id for case_id in cases.ids(tx) if case_id not in {"log", "tenant"}]

    def intents(self, case_id: str) -> Iterator[Intent]:
        """Yield every intent of a case with what came of it, read from the entries by hand."""
        entity = checks.read_subject(self.app, case_id).entity
        with self.app.database.reading() as tx:
            entries = cases.entries(tx, case_id)
            names = Names(tx, {entry.data["about"] for entry in entries if entry.data.get("about")})
        answers = {
            entry.data["intent"]: str(entry.data["made"])
            for entry in entries
            if entry.type == EntryType.CHANGE_ANSWERED
        }
        for number, entry in enumerate(entries):
            if entry.type == EntryType.CHANGE_INTENDED:
                about = entry.data.get("about")
                account, what = names.subject(about) if about else entity, entry.data["change"]
                answer = answers.get(entry.sequence, "")
            elif entry.type == EntryType.UNBLOCK_INTENDED:
                account, what, answer = entity, UNBLOCK, _came_of(entries[number + 1 :])
            else:
                continue
            at = datetime.fromisoformat(entry.recorded_at)
            yield Intent(self._upns[account.casefold()], str(what), at, case_id, answer)


def _next(subject: Subject) -> datetime | None:
    """Return when to go on with a case; a look that found no call is followed by the one that is sure of it."""
    case, attempt = subject.case, subject.case.open_attempt
    at, last = agenda.next_task(case, subject.playbook)[0], case.reading.observed_at
    if attempt is not None and last is not None and last >= attempt.intended_at + agenda.SETTLES:
        return unblocking.known_by(attempt) or at
    return at


def _came_of(later: Sequence[Entry]) -> str:
    """Return how an unblock attempt came to its end: the answer's own word, or that the release was seen."""
    for entry in later:
        if entry.type == EntryType.UNBLOCK_ANSWERED:
            return str(entry.data["answer"])
        if entry.state_after == State.RELEASED:
            return "released"
    return ""
