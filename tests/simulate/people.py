"""The people of a life: what they do with cases, sensibly most of the time, and what they try that is forbidden."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from tests.simulate.world import Broken
from workflow.domain import actions as act
from workflow.domain import gate
from workflow.domain.playbook import About
from workflow.domain.private import Private
from workflow.domain.vocabulary import (
    ENDED,
    Kind,
    Made,
    Phase,
    Resolution,
    RestrictionStatus,
    Result,
    State,
)
from workflow.errors import HoldfastError, NotPermittedError, PendingError, RuleRefusedError
from workflow.services import casework, checks, containment, releasing, restore_list
from workflow.services.changes import PLANNERS
from workflow.services.chores import MACHINE
from workflow.services.people import Who
from workflow.storage import cases

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.simulate.world import World
    from workflow.app import App
    from workflow.domain.case import Case
    from workflow.services.checks import Subject

ANN, ABE, BOB, CAT, VIC, DAN = Who("Ann"), Who("Abe"), Who("Bob"), Who("Cat"), Who("Vic"), Who("Dan")
WHY = Private("as agreed by telephone")
WHERE = Private("https://example.org/4711")
FACTS = ("app-passwords", "on-premises-relay", "shared-mailbox")
EARLY = timedelta(days=6)


def team(victim: str) -> tuple[dict[str, Any], ...]:
    """Return the people as settings list them; Vic, who approves, is also the owner of a mailbox."""
    return (
        {"name": "Ann", "roles": ["analyst"], "team": "blue"},
        {"name": "Abe", "roles": ["analyst"], "team": "blue"},
        {"name": "Bob", "roles": ["approver"], "team": "red"},
        {"name": "Cat", "roles": ["lead"], "team": "red"},
        {"name": "Vic", "roles": ["approver"], "team": "red", "identities": [victim]},
        {"name": "Dan", "roles": ["auditor"]},
    )


@dataclass
class People:
    """Everybody at the desk, and the administrator and the attacker beside it."""

    world: World
    victim: str

    def __post_init__(self) -> None:
        self.dice = self.world.dice
        self.forbidden = 0

    @property
    def app(self) -> App:
        """The app of the process that people work in now."""
        return self.world.desk.app

    def do_something(self) -> None:
        """Have somebody do something."""
        known = self._cases()
        what = self.dice.random()
        if what < 0.06 or (not known and what < 0.3):
            self._outside()
        elif not known:
            return
        elif what < 0.18:
            self._forbidden(self.dice.choice(known))
        elif what < 0.36:
            self._odd(self.dice.choice(known))
        else:
            open_ = [case for case in known if case.state not in ENDED] or known
            self._sensible(self.dice.choice(open_))

    def _cases(self) -> list[Case]:
        with self.world.quiet.database.reading() as tx:
            found = [cases.load(tx, case_id, self.world.quiet.cache) for case_id in cases.ids(tx)]
        return sorted((case for case in found if case.number and case.erased_at is None), key=lambda case: case.number)

    def _try(self, name: str, who: Who, case: Case, do: Callable[[], Any]) -> str:
        """Try a step; returns "done", or why not. An error that is none of ours is nobody's plan."""
        try:
            do()
        except HoldfastError as error:
            outcome = error.code
        except Exception as error:
            message = f"{name} by {who.name} in case #{case.number} raised {type(error).__name__}: {error}"
            raise Broken(message) from error
        else:
            outcome = "done"
        self.world.say(f"{who.name or 'machine'}: #{case.number} {name} → {outcome}")
        return outcome

    def perform(self, who: Who, case: Case, *actions: act.Action) -> str:
        """Take a step as the command line takes it."""
        name = "+".join(dict.fromkeys(action.name for action in actions))
        return self._try(name, who, case, lambda: casework.perform(self.app, who, case.id, *actions))

    # What is sensible.

    def _sensible(self, case: Case) -> None:
        subject = checks.read_subject(self.app, case.id)
        case, now = subject.case, subject.now
        analyst = self.dice.choice((ANN, ABE))
        if case.state in ENDED:
            return
        if case.open_attempt is not None:
            self._try("look", analyst, case, lambda: releasing.look(self.app, analyst, case.id))
        elif case.state is State.UNBLOCK_REQUESTED:
            if not case.approvals:
                self.decide(self.dice.choice((BOB, BOB, CAT)), case, act.ApproveUnblock())
            elif self.dice.random() < 0.3:
                self._try("unblock", analyst, case, lambda: releasing.unblock(self.app, analyst, case.id))
        elif case.state is State.RELEASED or (case.absent_at is not None and case.state is State.VERIFIED):
            if case.released_at is None or case.released_at + subject.playbook.watch_within <= now:
                self._finish(analyst, subject)
        else:
            lacking = gate.missing(case, subject.playbook, gate.UNBLOCK_PHASES, now)
            if lacking:
                self._fulfil(analyst, subject, [(item.prerequisite, item.about) for item in lacking])
            else:
                self.decide(analyst, case, act.RequestUnblock(reason=WHY))

    def decide(self, who: Who, case: Case, decision: act.Decision) -> str:
        """Take a decision about an unblock as the command line takes it: on what the tenant shows now."""
        return self._try(decision.name, who, case, lambda: releasing.decide(self.app, who, case.id, decision))

    def _fulfil(self, who: Who, subject: Subject, lacking: list[tuple[str, str]]) -> None:
        """Contain the account, then answer what the machine cannot read."""
        case = subject.case
        self._identify(who, subject)
        mendable = [name for name, _ in lacking if self._mendable(subject, name)]
        if mendable:
            self._try("contain", who, case, lambda: list(containment.contain(self.app, who, case.id, mendable)))
        if any(name == "sign-in-enabled" for name, _ in lacking):
            for user in subject.users.values():
                self.world.control("portal/sign-in", user=user, enabled=True)
        subject = checks.read_subject(self.app, case.id)
        now = subject.now
        todo = [
            (item.id, about)
            for item, about, reason in gate.survey(subject.case, subject.playbook, now, None, gate.UNBLOCK_PHASES)
            if reason is not None and (about or item.about is not About.IDENTITY)
        ]
        answers = [item for item in todo if checks.probe(_item(subject, item[0])) is None or self.dice.random() < 0.2]
        if answers:
            self.perform(who, case, *(self._met(name, about) for name, about in answers))
        elif todo:
            self._try("check", who, case, lambda: checks.check(self.app, who, case.id))

    def _mendable(self, subject: Subject, name: str) -> bool:
        return _item(subject, name).check in PLANNERS

    def _identify(self, who: Who, subject: Subject) -> None:
        case = subject.case
        if case.kind is Kind.USER or (case.identities and all(item.facts for item in case.identities.values())):
            return
        address = subject.entity if case.kind is Kind.MAILBOX else self.victim
        user = casework.subject(self.app, self.app.settings.tenant, Kind.USER, address)
        self.perform(who, case, act.AddIdentity(subject=user, facts=dict.fromkeys(FACTS, False), reference=WHERE))

    def _met(self, name: str, about: str, result: Result = Result.MET) -> act.RecordEvidence:
        return act.RecordEvidence(
            prerequisite=name, about=about, result=result, observed_at=self.world.time.ours(), reference=WHERE, note=WHY
        )

    def _finish(self, who: Who, subject: Subject) -> None:
        """Answer what is open, give back what was taken, and close."""
        case = subject.case
        for change in list(case.changes.values()):
            if change.owed:
                self._end(who, case, change.sequence)
        subject = checks.read_subject(self.app, case.id)
        open_ = [*gate.missing(subject.case, subject.playbook, tuple(Phase), subject.now)]
        open_ += gate.unanswered(subject.case, subject.playbook)
        answers = [self._met(item.prerequisite, item.about) for item in open_]
        if answers:
            self.perform(who, case, *answers)
        self.perform(who, case, act.CloseCase(reason=WHY))

    def _end(self, who: Who, case: Case, sequence: int) -> None:
        if self.dice.random() < 0.5:
            self._try("leave", who, case, lambda: restore_list.leave(self.app, who, case.id, sequence, "not wanted"))
        else:
            back = partial(restore_list.restore, self.app, who, case.id, sequence, "his")
            made = self._try("restore", who, case, back)
            if made != "done":
                answer = act.AnswerChange(intent=sequence, made=Made.RESTORED, reason=WHY, reference=WHERE)
                self.perform(who, case, answer)

    # What people do now and then.

    def _odd(self, case: Case) -> None:
        who = self.dice.choice((ANN, ABE, BOB, CAT))
        analyst = self.dice.choice((ANN, ABE))
        evidence = [key for key in sorted(case.evidence) if key[0]]
        name, about = self.dice.choice(evidence) if evidence else ("cause-decided", "")
        soon = self.world.time.ours() + timedelta(days=self.dice.randint(1, 5))
        deeds: tuple[Callable[[], Any], ...] = (
            lambda: self.perform(who, case, act.RetractEvidence(prerequisite=name, about=about, reason=WHY)),
            lambda: self.perform(analyst, case, self._met(name, about, self.dice.choice(list(Result)))),
            lambda: self.perform(analyst, case, act.WithdrawRequest(reason=WHY)),
            lambda: self.perform(BOB, case, act.RejectRequest(reason=WHY)),
            lambda: self._try("unblock", analyst, case, lambda: releasing.unblock(self.app, analyst, case.id)),
            lambda: self._try("look", analyst, case, lambda: releasing.look(self.app, analyst, case.id)),
            lambda: self._try("check", analyst, case, lambda: checks.check(self.app, analyst, case.id)),
            lambda: self._try("contain", analyst, case, lambda: list(containment.contain(self.app, analyst, case.id))),
            lambda: self.perform(analyst, case, act.ReopenCase(reason=WHY)),
            lambda: self.perform(analyst, case, act.DismissCase(resolution=Resolution.FALSE_POSITIVE, reason=WHY)),
            lambda: self.perform(
                analyst, case, act.AskException(prerequisite=name, about=about, expires_at=soon, reason=WHY)
            ),
            lambda: self._second(case),
            lambda: self.perform(analyst, case, act.AddNote(note=WHY)),
            lambda: self._attest(analyst, case),
        )
        self.dice.choice(deeds)()

    def _second(self, case: Case) -> None:
        for key in sorted(case.proposals):
            if self.dice.random() < 0.7:
                self.perform(CAT, case, act.ConfirmProposal(proposal=key))
            else:
                self.perform(CAT, case, act.RefuseProposal(proposal=key, reason=WHY))

    def _attest(self, who: Who, case: Case) -> None:
        """Look into the portal, truthfully."""
        subject = checks.read_subject(self.app, case.id)
        here = (case.kind.value, subject.entity.casefold()) in self.world.simulator.tenant.rows
        status = RestrictionStatus.LISTED if here else RestrictionStatus.NOT_LISTED
        seen = act.ObserveRestriction(status=status, observed_at=self.world.time.ours(), reference=WHERE)
        self.perform(who, case, seen)

    # What happens in the tenant past everybody.

    def _outside(self) -> None:
        tenant = self.world.simulator.tenant
        account = self.dice.choice(tenant.accounts[1:])
        rows = sorted(tenant.rows.values(), key=lambda row: (row.kind, row.key))
        what = self.dice.choice(("unblock", "unblock", "sign-in", "attacker", "restrict", "password"))
        status, about = 0, account.upn
        if what == "unblock" and rows:
            row = self.dice.choice(rows)
            about = row.key
            status = self.world.control("portal/unblock", identifier=row.key, kind=row.kind)
        elif what == "sign-in":
            status = self.world.control("portal/sign-in", user=account.upn, enabled=self.dice.random() < 0.8)
        elif what == "attacker":
            moves = self.dice.sample(("sign-in", "rule", "hidden-rule", "method", "consent", "forwarding"), 2)
            status = self.world.control("attacker", user=account.upn, moves=moves)
        elif what == "restrict":
            brief = self.dice.random() < 0.3
            status = self.world.control("restrict", identifier=account.upn, kind="mailbox", temporary=brief)
        elif what == "password":
            status = self.world.control("owner/password", user=account.upn)
        self.world.say(f"outside: {what} {about} → {status}")

    # What is forbidden, and has to be refused.

    def _forbidden(self, case: Case) -> None:
        name, who, action = self.dice.choice(list(self._crimes(case)))
        try:
            casework.perform(self.app, who, case.id, action)
        except (RuleRefusedError, NotPermittedError, PendingError) as error:
            self.forbidden += 1
            self.world.say(f"{who.name or 'machine'}: #{case.number} tried to {name} → {error.code}")
        except HoldfastError as error:
            self.world.say(f"{who.name or 'machine'}: #{case.number} tried to {name} → {error.code} (not judged)")
        else:
            message = f"{who.name or 'the machine'} could {name} in case #{case.number} ({case.state})"
            raise Broken(message)

    def _crimes(self, case: Case) -> Iterator[tuple[str, Who, act.Action]]:
        """Yield what nobody may do in this case as it stands, whatever its state."""
        now = self.world.time.ours()
        yield "approve as an analyst", ANN, act.ApproveUnblock()
        yield "approve as an auditor", DAN, act.ApproveUnblock()
        yield "approve as the machine", MACHINE, act.ApproveUnblock()
        yield "confirm as the machine", MACHINE, act.ConfirmProposal(proposal=next(iter(case.proposals), "none"))
        yield "record as an auditor", DAN, self._met("cause-decided", "")
        yield "request as the machine", MACHINE, act.RequestUnblock(reason=WHY)
        yield "close as the machine", MACHINE, act.CloseCase(reason=WHY)
        late = self._met("cause-decided", "")
        far = max(now, case.updated_at or now) + timedelta(days=2)
        yield (
            "record the future",
            ANN,
            act.RecordEvidence(prerequisite="cause-decided", observed_at=far, reference=late.reference),
        )
        yield "skip what always applies", ANN, self._met("forwarding-reviewed", "", Result.NOT_APPLICABLE)
        if not case.approvals:
            yield "unblock without an approval", ANN, act.IntendUnblock()
            yield "unblock without an approval", MACHINE, act.IntendUnblock()
        if case.state not in {State.RELEASED, State.VERIFIED}:
            yield "close what is at work", ANN, act.CloseCase(reason=WHY)
        if case.request is not None:
            yield "approve evidence of one's own", CAT if _is_hand(self.app, case, "Cat") else ANN, act.ApproveUnblock()
        if self._is_about(case, self.victim):
            yield "approve one's own case", VIC, act.ApproveUnblock()

    def _is_about(self, case: Case, address: str) -> bool:
        names = checks.read_subject(self.app, case.id)
        return address.casefold() in {names.entity.casefold(), *(user.casefold() for user in names.users.values())}


def _is_hand(app: App, case: Case, name: str) -> bool:
    return casework.person(app, name) in case.hands


def _item(subject: Subject, name: str) -> Any:
    return subject.playbook.get(name)
