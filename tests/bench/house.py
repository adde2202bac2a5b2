"""The product as a contestant: a ledger in a folder of its own, cases in it, and the way of one case to its release."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple, Self
from unittest.mock import patch

from workflow.app import App
from workflow.domain import actions as act
from workflow.domain import gate
from workflow.domain.encoding import private_fields
from workflow.domain.picture import picture
from workflow.domain.private import Private
from workflow.domain.record import Entry
from workflow.domain.restriction import Restriction, Source
from workflow.domain.vocabulary import Answer, Kind, RestrictionStatus
from workflow.ledger.entry import VERSION
from workflow.services import casework, intake, setup
from workflow.services.people import Who
from workflow.settings import Settings, load_settings
from workflow.storage import cases
from workflow.storage.database import Database
from workflow.storage.pictures import values

ANN, BOB = Who("ann"), Who("bob")
REFERENCE = "https://tickets.example.com/INC-4711"
REASON = "OutboundSpamLast24Hours=312;OutboundMailLast24Hours=1840;OutboundSpamPercent=17"


class Move(NamedTuple):
    """One step of a person: who takes it, and the action, made when it is taken because it says the time."""

    who: Who
    make: Callable[[], act.Action]


class Beat(NamedTuple):
    """What one step wrote, for floors to write the same: entry bodies, private texts, and the case row after it."""

    before: str
    bodies: tuple[dict[str, object], ...]
    texts: tuple[str, ...]
    row: tuple[object, ...]


class House:
    """The product on a new database.

    Args:
        folder: where its files go.
        url: a PostgreSQL database, or "" for an SQLite file in the folder.
        synchronous: SQLite's setting.
        keep: keep each checkpoint in the file outside the database, as the product does.
    """

    def __init__(self, folder: Path, url: str = "", synchronous: str = "FULL", *, keep: bool = True) -> None:
        """Set up."""
        self.settings = settings(folder, url)
        setup.init(self.settings, ANN)
        self.app = opened(self.settings, synchronous, keep=keep)

    def __enter__(self) -> Self:
        """Use the house for a while."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close its database."""
        self.app.close()

    def take_in(self, count: int, since: int = 0) -> list[str]:
        """Import so many restricted mailboxes; returns the ids of their cases."""
        taken = intake.take_in(self.app, ANN, restrictions(count, since))
        numbers = sorted(item.case_number or 0 for item in taken)
        with self.app.database.reading() as tx:
            rows = tx.all(
                'SELECT id FROM "case" WHERE number BETWEEN ? AND ? ORDER BY number', (numbers[0], numbers[-1])
            )
        return [case_id for (case_id,) in rows]

    def step(self, case_id: str, move: Move) -> casework.Done:
        """Take one step of one case."""
        return casework.perform(self.app, move.who, case_id, move.make())

    def way(self, case_id: str) -> list[Move]:
        """Return the steps from a case just opened to its release: required answers, request, approval, unblock."""
        with self.app.database.reading() as tx:
            case = cases.load(tx, case_id)
            playbook = self.app.playbook(tx, case.playbook)
        answers = [
            Move(ANN, self._answer(item.id, about))
            for item in playbook.prerequisites
            if item.required and item.required_by in gate.UNBLOCK_PHASES
            for about in gate.people(case, item)
        ]
        now = self.app.now
        return [
            *answers,
            Move(ANN, lambda: act.RequestUnblock(reason=Private("The work is done."))),
            Move(BOB, act.ApproveUnblock),
            Move(BOB, act.IntendUnblock),
            Move(BOB, lambda: act.RecordAnswer(answer=Answer.DONE)),
            Move(BOB, lambda: act.ObserveRestriction(status=RestrictionStatus.NOT_LISTED, observed_at=now())),
        ]

    def _answer(self, prerequisite: str, about: str) -> Callable[[], act.Action]:
        return lambda: act.RecordEvidence(
            prerequisite=prerequisite, about=about, observed_at=self.app.now(), reference=Private(REFERENCE)
        )

    def tape(self) -> list[Beat]:
        """Open one case, take it to its release, and return what each step wrote, the opening first."""
        (case_id,) = self.take_in(1, since=10_000_000)
        beats = [self._beat(case_id, 0, (REASON,))]
        for move in self.way(case_id):
            sequence = sum(len(beat.bodies) for beat in beats)
            action = move.make()
            casework.perform(self.app, move.who, case_id, action)
            beats.append(self._beat(case_id, sequence, tuple(text.text for text in private_fields(action).values())))
        return beats

    def _beat(self, case_id: str, sequence: int, texts: tuple[str, ...]) -> Beat:
        with self.app.database.reading() as tx:
            entries = cases.entries(tx, case_id, sequence + 1)
            case = cases.load(tx, case_id)
            row = values(picture(case, self.app.playbook(tx, case.playbook)))
        return Beat(entries[0].state_before, tuple(_body(entry) for entry in entries), texts, row)


def _body(entry: Entry) -> dict[str, object]:
    body = {**entry._asdict(), "v": VERSION, "log": "floor/1"}
    del body["leaf"]
    return body


def settings(folder: Path, url: str = "") -> Settings:
    """Return settings whose every file lies in one folder."""
    with patch.dict(os.environ, {"HOLDFAST_HOME": str(folder)}):
        return load_settings(database_url=url or None)


def opened(found: Settings, synchronous: str = "FULL", *, keep: bool = True) -> App:
    """Return an app on a ledger that has been set up."""
    app = App(found)
    app._database = Database(found.database_url.get_secret_value(), synchronous=synchronous)
    if not keep:
        app.journal.publish = None
    return app


def restrictions(count: int, since: int = 0) -> Iterator[Restriction]:
    """Yield so many restricted mailboxes."""
    restricted_at = datetime.now(UTC) - timedelta(hours=2)
    for number in range(since, since + count):
        yield Restriction(
            kind=Kind.MAILBOX,
            identifier=f"person.{number}@contoso.example.com",
            status=RestrictionStatus.LISTED,
            source=Source.CMDLET,
            restricted_at=restricted_at,
            reason=REASON,
            where=f"item {number}",
        )
