"""No sequence of steps, by whomever and whenever, gets past an open requirement; and every history replays."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.domain import oracle
from tests.domain.casebook import (
    ADA,
    ANN,
    BOB,
    CAT,
    DAN,
    DAY,
    HOUR,
    LISTED,
    NOT_LISTED,
    START,
    WORDS,
    Casebook,
)
from tests.domain.cast import (
    BOOKS,
    EVE,
    LEAD,
    abouts,
    actors,
    digests,
    facts,
    labels,
    linkings,
    moments,
    names,
    proposals,
    sources,
    statuses,
    words,
)
from workflow.domain import actions as act
from workflow.domain import gate
from workflow.domain.history import fold
from workflow.domain.lifecycle import settle
from workflow.domain.picture import picture
from workflow.domain.playbook import Playbook
from workflow.domain.record import SYSTEM, Actor, Entry
from workflow.domain.replay import replay
from workflow.domain.vocabulary import (
    Alteration,
    Answer,
    Change,
    Kind,
    Made,
    Method,
    Resolution,
    RestrictionStatus,
    Result,
    State,
    Verdict,
)
from workflow.errors import InputError, NotFoundError, PendingError


class AnySequence(RuleBasedStateMachine):
    """A case in the hands of everybody at once."""

    book: Casebook

    @initialize(
        first=st.permutations(BOOKS),
        status=statuses,
        kind=st.sampled_from((Kind.MAILBOX, Kind.MAILBOX, Kind.CONNECTOR, Kind.USER)),
        dated=st.booleans(),
        people=st.sampled_from(((ADA,), (ADA, EVE), ())),
        known=facts,
        strides=st.integers(0, 6),
    )
    def open(
        self,
        first: list[Playbook],
        status: RestrictionStatus,
        kind: Kind,
        dated: bool,  # noqa: FBT001 - hypothesis passes by name
        people: tuple[str, ...],
        known: dict[str, bool],
        strides: int,
    ) -> None:
        """Open a case under any playbook that fits."""
        fitting = [item for item in first if kind in item.kinds]
        self.book = Casebook(*fitting, *(item for item in first if item not in fitting))
        at = START - HOUR if dated else None
        self.book.open(kind=kind, status=status, restricted_at=at, identities=people, facts=known)
        self.check(0)
        self.walk(early=False, strides=strides, actor=SYSTEM)

    def take(self, action: act.Action, actor: Actor, linked: dict[str, State] | None = None) -> None:
        """Take a step, whether it is legal or not, and check what it led to."""
        before = len(self.book.entries)
        try:
            self.book.do(action, actor, linked)
        except (InputError, NotFoundError, PendingError):
            return
        assert picture(self.book.step.case, self.book.playbooks[self.book.step.case.playbook]) == picture(
            self.book.case, self.book.playbook
        )
        self.check(before, linked)

    @rule(span=st.sampled_from((HOUR, 3 * HOUR, DAY, 8 * DAY, 31 * DAY)))
    def wait(self, span: timedelta) -> None:
        """Let time pass."""
        self.book.later(span)

    @rule(actor=actors, reason=words)
    def wake(self, actor: Actor, reason: Any) -> None:
        """Do something small, so that what lapsed is settled."""
        self.take(act.AddNote(note=reason), actor)

    @rule(
        actor=actors,
        name=names,
        about=abouts,
        result=st.sampled_from(Result),
        method=st.sampled_from(Method),
        shift=moments,
        reference=words,
        value=words,
        linked=st.sampled_from(((), ("other",))),
        states=linkings,
    )
    def record(self, actor: Actor, name: str, about: str, shift: timedelta, states: Any, **inputs: Any) -> None:
        """Answer one prerequisite somehow."""
        inputs["after"] = inputs.pop("value")
        action = act.RecordEvidence(prerequisite=name, about=about, observed_at=self.book.now + shift, **inputs)
        self.take(action, actor, states)

    @rule(actor=st.sampled_from((ANN, ANN, CAT, SYSTEM)), leave=st.integers(0, 3))
    def fulfil(self, actor: Actor, leave: int) -> None:
        """Answer what is missing, perhaps not all of it."""
        self.answer_all(actor, leave)

    def answer_all(self, actor: Actor, leave: int) -> None:
        """Answer what is missing but for some; the linked case is contained."""
        found = gate.missing(self.book.case, self.book.playbook, gate.UNBLOCK_PHASES, self.book.now)
        for item in found[: len(found) - leave]:
            linked = ("other",) if item.prerequisite in {"relay", "admin-case-contained"} else ()
            action = act.RecordEvidence(
                prerequisite=item.prerequisite,
                about=item.about,
                observed_at=self.book.now,
                reference=WORDS,
                linked=linked,
            )
            self.take(action, actor, {"other": State.VERIFIED})

    @rule(actor=actors, name=names, about=abouts, reason=words)
    def retract(self, actor: Actor, name: str, about: str, reason: Any) -> None:
        """Take an answer back."""
        self.take(act.RetractEvidence(prerequisite=name, about=about, reason=reason), actor)

    @rule(actor=actors, name=names, about=abouts, span=st.sampled_from((HOUR, DAY - HOUR, 6 * DAY)))
    def ask_exception(self, actor: Actor, name: str, about: str, span: timedelta) -> None:
        """Ask for an exception."""
        expires_at = self.book.now + span
        self.take(act.AskException(prerequisite=name, about=about, expires_at=expires_at, reason=WORDS), actor)

    @rule(actor=actors, key=proposals, agree=st.booleans())
    def second(self, actor: Actor, key: str, agree: bool) -> None:  # noqa: FBT001 - hypothesis passes by name
        """Confirm or refuse what may stand proposed."""
        waiting = list(self.book.case.proposals)
        key = waiting[0] if waiting else key
        self.take(act.ConfirmProposal(proposal=key) if agree else act.RefuseProposal(proposal=key), actor)

    @rule(actor=actors, subject=st.sampled_from((ADA, EVE, "bob", "dan")), known=facts, reference=words)
    def identify(self, actor: Actor, subject: str, known: dict[str, bool], reference: Any) -> None:
        """Name a user."""
        self.take(act.AddIdentity(subject=subject, facts=known, reference=reference), actor)

    @rule(actor=actors, subject=st.sampled_from((ADA, EVE)))
    def unname(self, actor: Actor, subject: str) -> None:
        """Propose that a user was not compromised."""
        self.take(act.RemoveIdentity(subject=subject, reason=WORDS), actor)

    @rule(actor=actors, digest=digests)
    def move(self, actor: Actor, digest: str) -> None:
        """Move to some playbook."""
        self.take(act.MovePlaybook(playbook=digest, reason=WORDS), actor)

    @rule(actor=actors, retention=st.sampled_from((0, 0, 86400)), linked=st.sampled_from(((), ("other",))))
    def erase(self, actor: Actor, retention: int, linked: tuple[str, ...]) -> None:
        """Propose an erasure, perhaps too early or beside an open case."""
        states = {"other": State.DETECTED} if linked else None
        self.take(act.EraseCase(reason=WORDS, retention=retention, linked=linked), actor, states)

    @rule(actor=actors)
    def link(self, actor: Actor) -> None:
        """Link another case."""
        self.take(act.LinkCase(case="other"), actor)

    @rule(actor=actors, add=labels, remove=labels)
    def label(self, actor: Actor, add: tuple[str, ...], remove: tuple[str, ...]) -> None:
        """Add and remove labels; nothing else about the case changes."""
        book, moment = self.book, (self.book.case.state, self.book.case.version, self.book.case.evidence)
        settled = len(book.entries)
        self.take(act.LabelCase(add=add, remove=remove), actor)
        if ["case:labelled"] == [entry.type for entry in book.entries[settled:]]:
            assert moment == (book.case.state, book.case.version, book.case.evidence)

    @rule(actor=actors, states=linkings, stale=st.booleans())
    def request(self, actor: Actor, states: Any, stale: bool) -> None:  # noqa: FBT001 - hypothesis passes by name
        """Request, perhaps on an old picture."""
        seen = self.book.case.version - int(stale)
        self.take(act.RequestUnblock(seen_version=seen), actor, states)

    @rule(
        actor=actors,
        states=linkings,
        kind=st.sampled_from((act.ApproveUnblock, act.ApproveUnblock, act.IntendUnblock, act.WithdrawRequest)),
    )
    def decide(self, actor: Actor, states: Any, kind: type[act.Decision]) -> None:
        """Approve, start or withdraw the unblock."""
        self.take(kind(), actor, states)

    @rule(on=st.booleans())
    def turn(self, on: bool) -> None:  # noqa: FBT001 - hypothesis passes by name
        """Turn the setting on or off that lets people break the glass."""
        self.book.setting = "5e" * 32 if on else ""

    @rule(
        actor=st.sampled_from((ANN, ANN, BOB)) | actors, states=linkings, reason=words, bulk=st.sampled_from((0, 0, 2))
    )
    def break_glass(self, actor: Actor, states: Any, reason: Any, bulk: int) -> None:
        """Approve without a second person."""
        self.take(act.ApproveUnblock(break_glass=True, reason=reason, bulk=bulk), actor, states)

    @rule(actor=actors, verdict=st.sampled_from(Verdict), reason=words)
    def review(self, actor: Actor, verdict: Verdict, reason: Any) -> None:
        """Review what broke the glass."""
        self.take(act.ReviewApproval(verdict=verdict, reason=reason), actor)

    @rule(early=st.booleans(), strides=st.integers(1, 6), actor=actors)
    def walk(self, early: bool, strides: int, actor: Actor) -> None:  # noqa: FBT001 - hypothesis passes by name
        """Go a few steps along the way to a release."""
        for _ in range(strides):
            self.stride(actor, early=early)

    def stride(self, actor: Actor, *, early: bool) -> None:
        """Go one step along the way to a release, as far as there is a way."""
        case, book = self.book.case, self.book
        linked = {"other": State.CONTAINED}
        if case.open_attempt is not None:
            at = case.open_attempt.intended_at - timedelta(minutes=int(early))
            self.take(act.ObserveRestriction(status=NOT_LISTED, observed_at=at, reference=WORDS), ANN)
        elif case.state in {State.RELEASED, State.CLOSED, State.DISMISSED}:
            self.take(act.ObserveRestriction(status=LISTED, observed_at=book.now), ANN)
        elif len(case.approvals) >= book.playbook.approvals:
            self.take(act.IntendUnblock(), ANN, linked)
        elif case.request is not None:
            # Anybody at all tries first, alone where that is turned on; whoever may, approves.
            self.take(act.ApproveUnblock(break_glass=bool(book.setting), reason=WORDS), actor, linked)
            taken = book.case.hands | {item.by for item in book.case.approvals}
            free = [item for item in (BOB, DAN, CAT, LEAD) if item.id not in taken]
            self.take(act.ApproveUnblock(), free[0] if free else BOB, linked)
        elif not gate.missing(case, book.playbook, gate.UNBLOCK_PHASES, book.now):
            self.take(act.RequestUnblock(), ANN, linked)
        else:
            self.take(act.LinkCase(case="other"), ANN)
            self.take(act.AddIdentity(subject=EVE), ANN)
            self.answer_all(ANN, 0)

    @rule(actor=actors, reason=words, kind=st.sampled_from((act.RejectRequest, act.ReopenCase)))
    def reject_or_reopen(self, actor: Actor, reason: Any, kind: type[act.Decision]) -> None:
        """Reject the request or reopen the case."""
        self.take(kind(reason=reason), actor)

    @rule(actor=actors, answer=st.sampled_from(Answer))
    def answer(self, actor: Actor, answer: Answer) -> None:
        """Record what Microsoft answered."""
        self.take(act.RecordAnswer(answer=answer), actor)

    @rule(actor=actors, status=statuses, shift=moments, lifted_by=words, lifted=st.sampled_from((None, -HOUR, -DAY)))
    def observe(
        self, actor: Actor, status: RestrictionStatus, shift: timedelta, lifted_by: Any, lifted: timedelta | None
    ) -> None:
        """Observe the restriction, at odd times too."""
        action = act.ObserveRestriction(
            status=status,
            observed_at=self.book.now + shift,
            lifted_by=lifted_by,
            lifted_at=None if lifted is None else self.book.now + lifted,
        )
        self.take(action, actor)

    @rule(
        actor=actors,
        status=statuses,
        source=sources,
        restricted=st.sampled_from((None, timedelta(0), -HOUR, -DAY, HOUR)),
        observed=st.sampled_from((None, timedelta(0), -HOUR, HOUR)),
        fingerprint=st.sampled_from(("", "a", "b")),
    )
    def report(self, actor: Actor, restricted: timedelta | None, observed: timedelta | None, **inputs: Any) -> None:
        """Report the restriction again."""
        action = act.ReportRestriction(
            restricted_at=None if restricted is None else self.book.now + restricted,
            observed_at=None if observed is None else self.book.now + observed,
            **inputs,
        )
        self.take(action, actor)

    @rule(
        actor=st.sampled_from((SYSTEM, SYSTEM, SYSTEM)) | actors,
        alteration=st.sampled_from(Alteration),
        accounts=st.sampled_from(((ADA,), ("sub_box",), ("sub_box", ADA), (EVE,), ())),
        shift=moments,
        own=st.booleans(),
        reference=words,
        fingerprint=st.sampled_from(("aa" * 32, "bb" * 32, "cc" * 32, "")),
    )
    def see(self, actor: Actor, shift: timedelta, **inputs: Any) -> None:
        """See what others did; nothing but that is known afterwards."""
        book, before = self.book, len(self.book.entries)
        self.take(act.SeeChange(altered_at=book.now + shift, **inputs), actor)
        if ["change:seen"] == [entry.type for entry in book.entries[before:]]:
            assert ("", SYSTEM.to_data()) == (book.entries[-1].state_after, book.entries[-1].actor)

    @rule(actor=actors, change=st.sampled_from(Change), about=abouts)
    def change(self, actor: Actor, change: Change, about: str) -> None:
        """Intend to change something in the tenant, or answer what was intended."""
        waiting = [item.sequence for item in self.book.case.changes.values() if item.made is None]
        if waiting:
            self.take(act.AnswerChange(intent=waiting[0], made=Made.NOT_NEEDED, reference=WORDS), actor)
        else:
            self.take(act.IntendChange(change=change, about=about, target=WORDS), actor)

    @rule(actor=actors, resolution=st.none() | st.sampled_from(Resolution), reason=words)
    def close(self, actor: Actor, resolution: Resolution | None, reason: Any) -> None:
        """Close the case."""
        self.take(act.CloseCase(resolution=resolution, reason=reason), actor)

    @rule(actor=actors, resolution=st.sampled_from(Resolution))
    def dismiss(self, actor: Actor, resolution: Resolution) -> None:
        """Propose a dismissal."""
        self.take(act.DismissCase(resolution=resolution, reason=WORDS, duplicate_of="other"), actor)

    def check(self, before: int, linked: dict[str, State] | None = None) -> None:
        """Hold everything that must be true after a step against the second opinion."""
        book, entries, case = self.book, self.book.entries, self.book.case
        for number in range(before, len(entries)):
            self.check_entry(number, linked)
        assert fold(entries) == case
        assert [] == settle(case.copy(), book.playbook, book.now)
        bearing = [entry for entry in entries if entry.state_after]
        assert (len(entries), bearing[-1].sequence) == (case.sequence, case.version)
        assert bearing[-1].state_after == case.state
        self.check_conclusion()

    def check_conclusion(self) -> None:
        """Where the evidence puts the case is where it stands."""
        book, state = self.book, self.book.case.state
        ground = oracle.read(book.entries)
        held = State.DETECTED
        if not oracle.open_steps(ground, book.playbook, ("contain",), book.now):
            held = State.CONTAINED
            if not oracle.open_steps(ground, book.playbook, ("verify",), book.now):
                held = State.VERIFIED
        if state in {State.DETECTED, State.CONTAINED, State.VERIFIED}:
            assert held is state
        if state is State.UNBLOCK_REQUESTED and ground.intended_at is None:
            assert set() == oracle.open_steps(ground, book.playbook, oracle.UNBLOCK, book.now)

    def check_entry(self, number: int, linked: dict[str, State] | None) -> None:
        """Nothing passed an open requirement; nobody approved their own work; recurrences rise as they may."""
        entry, last = self.book.entries[number], self.book.entries[number - 1] if number else None
        ground = oracle.read(self.book.entries[:number])
        playbook = self.book.playbooks.get(ground.playbook, self.book.playbook)
        at = oracle.time(entry.recorded_at)
        if entry.type in {"unblock:requested", "unblock:approved", "unblock:intended"}:
            assert set() == oracle.open_steps(ground, playbook, oracle.UNBLOCK, at, linked)
        if entry.type == "case:released" or entry.state_after == "released":
            assert entry.type == "case:released" or entry.state_before == "released"
        if entry.type == "case:released":
            assert ground.intended_at is not None
            assert set() == oracle.open_steps(ground, playbook, oracle.UNBLOCK, ground.intended_at)
        approvers = set(ground.approvers.values())
        if entry.type == "unblock:approved":
            approvers = {entry.actor["id"]}
            assert "system" not in entry.actor["roles"]
            assert not set(entry.actor["identities"]) & {ground.entity, *ground.people}
        if entry.type in {"unblock:approved", "unblock:intended"}:
            assert approvers
            assert not approvers & {ground.entity, *ground.people}
            self.check_second_person(entry, ground, playbook)
        if entry.type == "unblock:intended":
            assert len(set(ground.approvers.values())) >= playbook.approvals
        if entry.type in {"case:closed", "case:dismissed"}:
            assert {} == ground.unreviewed
        if entry.type == "approval:reviewed":
            assert ground.unreviewed
            assert entry.actor["id"] not in {*ground.unreviewed.values(), ground.entity, *ground.people}
            assert {"approver", "lead"} & set(entry.actor["roles"])
        rises = entry.recurrence - (last.recurrence if last else 0)
        assert int(entry.type in oracle.BEGINS) == rises
        assert not rises or entry.state_after == "detected"
        assert bool(entry.state_after) is False or entry.outcome == "done"

    def check_second_person(self, entry: Entry, ground: oracle.Ground, playbook: Playbook) -> None:
        """No approval is by the requester or on the approver's own work, but the one that broke the glass as it may."""
        own = {ground.requester, *oracle.workers(ground, playbook)}
        if entry.type == "unblock:approved":
            alone = bool(entry.data.get("break_glass"))
            assert alone == (entry.actor["id"] in own)
            assert not alone or (self.book.setting and not ground.alone & ground.approvers.keys())
        else:
            alone = bool(ground.alone & ground.approvers.keys())
            assert not own & {who for number, who in ground.approvers.items() if number not in ground.alone}
        assert not alone or (oracle.one_person_may(ground, playbook) and self.book.case.kind is not Kind.CONNECTOR)

    def teardown(self) -> None:
        """Replay accepts the whole history and folds it to the same case."""
        if hasattr(self, "book"):
            case, fault = replay(self.book.entries, self.book.playbooks)
            assert fault is None
            assert self.book.case == case


AnySequence.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
TestAnySequence = AnySequence.TestCase
