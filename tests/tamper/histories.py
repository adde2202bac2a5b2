"""A realistic ledger, written by the services alone: a dozen cases through every state, worked by three people."""

import io
import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from workflow.app import App
from workflow.domain import actions as act
from workflow.domain import gate
from workflow.domain.private import Private
from workflow.domain.restriction import Restriction, Source
from workflow.domain.vocabulary import Answer, Kind, Phase, Resolution, RestrictionStatus, State
from workflow.errors import HoldfastError
from workflow.services import casework, intake, setup
from workflow.services.people import Who
from workflow.services.wishes import Wish
from workflow.settings import Settings, load_settings
from workflow.sources import ReadOptions, read
from workflow.storage import cases

BEGUN = datetime(2026, 11, 24, 8, tzinfo=UTC)
RESTRICTED = "2026-11-24T07:12:33Z"
ANN, BOB, CEM = Who("ann"), Who("bob"), Who("cem")
REF = Private("https://portal.example/audit/42")


class Clock:
    """A clock that moves on by a second whenever it is read."""

    def __init__(self, now: datetime = BEGUN) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """Return the next second."""
        self.now += timedelta(seconds=1)
        return self.now

    def wait(self, span: timedelta) -> None:
        """Let time pass."""
        self.now += span


@dataclass(frozen=True)
class Place:
    """Where one ledger's three files lie."""

    root: Path

    @property
    def settings(self) -> Settings:
        """Settings that name the three files and nothing of this machine."""
        return load_settings(
            database_url=f"sqlite:///{self.database}",
            config_file=self.root / "config.toml",
            key_file=self.key,
            checkpoint_file=self.checkpoints,
        )

    @property
    def database(self) -> Path:
        """The database file."""
        return self.root / "holdfast.db"

    @property
    def key(self) -> Path:
        """The signing key."""
        return self.root / "signing.key"

    @property
    def checkpoints(self) -> Path:
        """The checkpoints kept outside the database."""
        return self.root / "checkpoints"

    def app(self, clock: Clock | None = None) -> App:
        """An app on this ledger."""
        return App(self.settings, clock or Clock(BEGUN + timedelta(days=40)))


class Desk:
    """Cases worked through the services, by name of the sender."""

    def __init__(self, app: App, clock: Clock) -> None:
        self.app = app
        self.clock = clock

    def take_in(self, *senders: str, temporary: Sequence[str] = ()) -> None:
        """Import the cmdlet's rows for these senders."""
        rows = [
            {
                "SenderAddress": sender,
                "Reason": "OutboundSpamLast24Hours=312;OutboundMailLast24Hours=1840",
                "CreatedDatetime": RESTRICTED,
                "ChangedDatetime": RESTRICTED,
                "TemporaryBlock": sender in temporary,
            }
            for sender in senders
        ]
        items = read(io.BytesIO(json.dumps(rows).encode()), name="rows.json", options=ReadOptions())
        opened = list(intake.take_in(self.app, ANN, items))
        assert ["opened"] * len(senders) == [item.outcome for item in opened]

    def do(self, sender: str, who: Who, *actions: act.Action) -> None:
        """Take one step on a sender's case."""
        casework.perform(self.app, who, casework.find(self.app, sender), *actions)

    def refused(self, sender: str, who: Who, *actions: act.Action) -> None:
        """Take a step that the rules refuse, so that the refusal is recorded."""
        before = self.sequence(sender)
        with suppress(HoldfastError):
            self.do(sender, who, *actions)
        assert self.sequence(sender) == before + 1

    def sequence(self, sender: str) -> int:
        """How many entries the case has."""
        with self.app.database.reading() as tx:
            return cases.load(tx, casework.find(self.app, sender)).sequence

    def missing(self, sender: str, *phases: Phase) -> Iterator[tuple[str, str]]:
        """Yield what is missing in these phases, again and again until nothing is."""
        while True:
            with self.app.database.reading() as tx:
                case = cases.load(tx, casework.find(self.app, sender))
                book = self.app.playbook(tx, case.playbook)
            now = self.clock.now
            found = gate.missing(case, book, phases, now)
            if Phase.CLOSE in phases:
                found = (*found, *gate.unanswered(case, book))
            if not found:
                return
            # Those whose order is open come first; recorded in playbook order each answers for the next.
            yield found[0].prerequisite, found[0].about

    def answer(self, sender: str, who: Who, *phases: Phase, at_most: int = 99) -> None:
        """Answer what is missing, one step each."""
        for count, (prerequisite, about) in enumerate(self.missing(sender, *phases)):
            if count >= at_most:
                return
            self.do(
                sender,
                who,
                act.RecordEvidence(
                    prerequisite=prerequisite,
                    about=about,
                    observed_at=self.clock.now,
                    reference=REF,
                    note=Private(f"looked at {prerequisite} of {sender}") if count % 3 == 0 else Private(),
                ),
            )

    def work(self, sender: str, *, by: Who = ANN) -> None:
        """Bring a case to verified."""
        self.answer(sender, by, Phase.CONTAIN, Phase.VERIFY, Phase.REQUEST)

    def release(self, sender: str) -> None:
        """Request, approve, unblock and observe."""
        self.do(sender, ANN, act.RequestUnblock())
        self.do(sender, BOB, act.ApproveUnblock())
        self.do(sender, ANN, act.IntendUnblock())
        self.do(sender, ANN, act.RecordAnswer(answer=Answer.DONE, reference=REF))
        self.clock.wait(timedelta(minutes=40))
        self.observe(sender, RestrictionStatus.NOT_LISTED)

    def observe(self, sender: str, status: RestrictionStatus) -> None:
        """Record a reading of the restriction."""
        self.do(sender, CEM, act.ObserveRestriction(status=status, observed_at=self.clock.now, reference=REF))

    def state(self, sender: str) -> State:
        """Where the case stands."""
        with self.app.database.reading() as tx:
            return cases.load(tx, casework.find(self.app, sender)).state


def build(place: Place) -> Clock:
    """Write the ledger; returns the clock as it stands at its end."""
    clock = Clock()
    place.root.mkdir(parents=True, exist_ok=True)
    setup.init(place.settings, ANN, clock)
    with place.app(clock) as app:
        desk = Desk(app, clock)
        desk.take_in(*[f"{name}@contoso.example" for name in ("ada", "ben", "eva", "fay", "gus", "hal", "ida")])
        desk.take_in("tom@contoso.example", "news@contoso.example", temporary=["tom@contoso.example"])
        _work(desk)
        _ends(desk)
    return clock


def _work(desk: Desk) -> None:
    """Mailboxes on their way to a release, with refusals, retractions, an exception and files."""
    ada, ben, eva, fay = (f"{name}@contoso.example" for name in ("ada", "ben", "eva", "fay"))
    desk.refused(ada, ANN, act.RequestUnblock())
    desk.work(ada)
    desk.release(ada)
    desk.answer(ben, ANN, Phase.CONTAIN)
    desk.do(ben, ANN, act.AddNote(note=Private("called the owner of the mailbox")))
    desk.do(ben, BOB, act.AssignCase(assignee=casework.person(desk.app, "cem")))
    desk.work(eva)
    desk.do(eva, ANN, act.RequestUnblock())
    desk.refused(eva, ANN, act.ApproveUnblock())
    desk.do(eva, BOB, act.ApproveUnblock())
    desk.do(eva, ANN, act.RetractEvidence(prerequisite="inbox-rules-reviewed", reason=Private("looked at another")))
    desk.answer(eva, ANN, Phase.VERIFY)
    desk.do(eva, ANN, act.RequestUnblock())
    desk.do(eva, BOB, act.RejectRequest(reason=Private("forwarding is still on")))
    desk.do(eva, ANN, act.RequestUnblock())
    desk.do(eva, ANN, act.WithdrawRequest())
    desk.work(fay)
    for number in range(3):
        digest = casework.attach(desk.app, b"%PDF-1.7 sign-ins " + bytes([number]) * 4000)
        desk.do(
            fay,
            CEM,
            act.RecordEvidence(
                prerequisite="sign-ins-reviewed",
                about=_user(desk, fay),
                observed_at=desk.clock.now,
                reference=REF,
                attachment=digest,
                file=Private(f"sign-ins-{number}.pdf"),
            ),
        )
    desk.do(fay, ANN, act.RequestUnblock())


def _ends(desk: Desk) -> None:
    """Cases that expire, come back, end outside, move to another playbook or are dismissed."""
    gus, hal, ida, tom, news = (f"{name}@contoso.example" for name in ("gus", "hal", "ida", "tom", "news"))
    _except(desk, gus)
    desk.work(gus)
    desk.work(hal)
    desk.observe(hal, RestrictionStatus.NOT_LISTED)
    desk.observe(hal, RestrictionStatus.LISTED)
    desk.answer(hal, BOB, Phase.CONTAIN, at_most=2)
    desk.observe(ida, RestrictionStatus.NOT_LISTED)
    dismissal = act.DismissCase(resolution=Resolution.FALSE_POSITIVE, reason=Private("nothing was sent"))
    desk.do(ida, ANN, dismissal)
    desk.refused(ida, ANN, act.ConfirmProposal(proposal="dismissal"))
    desk.do(ida, BOB, act.ConfirmProposal(proposal="dismissal"))
    desk.observe(tom, RestrictionStatus.NOT_LISTED)
    _connector(desk)
    desk.answer(news, ANN, Phase.CONTAIN, at_most=1)
    ada = "ada@contoso.example"
    desk.clock.wait(timedelta(days=8))
    desk.answer(ada, ANN, Phase.CLOSE)
    desk.do(ada, BOB, act.CloseCase())
    desk.do(ada, BOB, act.AddNote(note=Private("asked the owner again")))
    # What had been read a week ago lapses on the next step.
    desk.do("eva@contoso.example", CEM, act.AddNote(note=Private("picked up again")))
    assert {State.CLOSED, State.DISMISSED} == {desk.state(ada), desk.state(ida)}


def _except(desk: Desk, sender: str) -> None:
    desk.answer(sender, ANN, Phase.CONTAIN)
    expires_at = desk.clock.now + timedelta(days=2)
    ask = act.AskException(
        prerequisite="audit-logging-on", expires_at=expires_at, reason=Private("the licence arrives on Thursday")
    )
    desk.do(sender, ANN, ask)
    desk.do(sender, BOB, act.ConfirmProposal(proposal="exception:audit-logging-on"))


def _connector(desk: Desk) -> None:
    admin = Restriction(
        kind=Kind.USER, identifier="root@contoso.example", status=RestrictionStatus.UNKNOWN, source=Source.PORTAL
    )
    intake.open_by_hand(desk.app, ANN, admin, Wish(playbook="privileged-account", facts=(("has-roles", True),)))
    connector = Restriction(
        kind=Kind.CONNECTOR,
        identifier="0c1e2f30-4a5b-4c6d-8e7f-901234567890",
        status=RestrictionStatus.LISTED,
        source=Source.PORTAL,
        observed_at=desk.clock.now,
        name="relay of the branch",
    )
    intake.open_by_hand(desk.app, ANN, connector)
    other = casework.find(desk.app, "root@contoso.example")
    desk.do(connector.identifier, ANN, act.LinkCase(case=other, relation="admin"))
    desk.answer("root@contoso.example", CEM, Phase.CONTAIN, at_most=4)


def _user(desk: Desk, sender: str) -> str:
    return casework.subject(desk.app, "default", Kind.USER, sender)
