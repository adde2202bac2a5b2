"""A desk to work cases at: an app with a clock that tests move, and the steps that most of them begin with."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from tests.services.tenant import Tenant
from workflow.app import App
from workflow.domain import actions as act
from workflow.domain.playbook import About
from workflow.domain.private import Private
from workflow.domain.restriction import Restriction, Source
from workflow.domain.vocabulary import Kind, Phase, RestrictionStatus, State
from workflow.services import casework, intake, setup
from workflow.services.names import Names
from workflow.services.people import Who
from workflow.settings import Settings, load_settings
from workflow.storage import cases, worklist

if TYPE_CHECKING:
    from pathlib import Path

    from workflow.domain.case import Case
    from workflow.domain.record import Entry
    from workflow.services.casework import Done
    from workflow.services.intake import Taken

START = datetime(2026, 11, 24, 8, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
ANN, BOB, CAT, DAN = Who("Ann"), Who("Bob"), Who("Cat"), Who("Dan")
LISTED, TEMPORARY = RestrictionStatus.LISTED, RestrictionStatus.TEMPORARY
NOT_LISTED, UNKNOWN = RestrictionStatus.NOT_LISTED, RestrictionStatus.UNKNOWN
ADA = "ada@contoso.example"
EVE = "eve@contoso.example"
CONNECTOR = "0f0e0d0c-0b0a-0908-0706-050403020100"
TEAM = (
    {"name": "Ann", "roles": ["analyst"], "team": "blue", "contact": "ann-phone"},
    {"name": "Bob", "roles": ["approver"], "team": "red", "contact": "bob-phone", "on_call": True},
    {"name": "Cat", "roles": ["lead"], "team": "red"},
    {"name": "Dan", "roles": ["auditor"]},
)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """Return the time shown."""
        return self.now

    def move(self, span: timedelta = MINUTE) -> datetime:
        """Move the hands, and return the time shown then."""
        self.now += span
        return self.now


_CHECKED: dict[str, Settings] = {}
"""Settings by what was asked for: to check them takes longer than many a test, and only their places differ."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a ledger is: the folder of its key and checkpoints, and its database."""

    home: Path
    url: str

    def settings(self, **changes: Any) -> Settings:
        """Return settings for this ledger, and no other from the environment."""
        given: dict[str, Any] = {
            "database_url": SecretStr(self.url),
            "key_file": self.home / "signing.key",
            "checkpoint_file": self.home / "checkpoints",
            "config_file": self.home / "config.toml",
        }
        # Where a home is, only the places say, all of which are given.
        around = {item for item in os.environ.items() if item[0].startswith("HOLDFAST_") and item[0] != "HOLDFAST_HOME"}
        key = repr((sorted(around), sorted(changes.items())))
        if key not in _CHECKED:
            _CHECKED[key] = load_settings(**(given | changes))
        return _CHECKED[key].model_copy(update={name: place for name, place in given.items() if name not in changes})

    def set_up(self) -> Place:
        """Make key, database and first entries."""
        setup.init(self.settings(), ANN, Clock(START - DAY))
        return self

    def copy(self, home: Path, url: str = "") -> Place:
        """Copy the files to a new folder; ``url`` is that of a copied PostgreSQL database."""
        shutil.copytree(self.home, home, dirs_exist_ok=True)
        return Place(home, url or sqlite_url(home))


def sqlite_url(home: Path) -> str:
    """Return the URL of the database file in a folder."""
    return f"sqlite:///{home / 'holdfast.db'}"


class Desk:
    """An app on a ledger that was set up, its clock, and the tenant to which it may be ``connected``."""

    def __init__(self, place: Place, **changes: Any) -> None:
        self.place = place
        self.clock = Clock()
        self.tenant = Tenant(self.clock)
        connected = changes.pop("connected", False)
        self.app = App(place.settings(**changes), self.clock, self.tenant if connected else None)
        self._others: list[Desk] = []

    def again(self, **changes: Any) -> Desk:
        """Return a second desk on the same ledger, as another process would have it; the clocks are one."""
        other = Desk(self.place, **changes)
        other.clock = self.clock
        other.app.now = self.clock
        self._others.append(other)
        return other

    def close(self) -> None:
        """Close the app, and those of the desks beside it."""
        for other in self._others:
            other.close()
        self.app.close()

    def take(self, *items: Restriction, who: Who = ANN, tenant: str = "") -> list[Taken]:
        """Take restrictions in."""
        return list(intake.take_in(self.app, who, items, tenant))

    def restrict(self, address: str = ADA, who: Who = ANN, **changes: Any) -> str:
        """Take one restriction in, a minute after it began, and return its case's id."""
        fields = {"restricted_at": self.clock.now, **changes}
        self.clock.move()
        (taken,) = self.take(report(address, **fields), who=who)
        assert taken.case_number is not None, taken
        return casework.find(self.app, str(taken.case_number))

    def do(self, case_id: str, *actions: act.Action, who: Who = ANN, request: str = "") -> Done:
        """Take a step a minute later."""
        self.clock.move()
        return casework.perform(self.app, who, case_id, *actions, request=request)

    def met(self, case_id: str, prerequisite: str, user: str = "", who: Who = ANN, **changes: Any) -> Done:
        """Record one prerequisite as met, about a user where one is named."""
        return self.do(case_id, self.evidence(prerequisite, user, **changes), who=who)

    def evidence(self, prerequisite: str, user: str = "", **changes: Any) -> act.RecordEvidence:
        """Return the action that records a prerequisite as met now."""
        about = casework.subject(self.app, "default", Kind.USER, user) if user else ""
        fields: dict[str, Any] = {"observed_at": self.clock.now, "reference": Private("https://example.org/4711")}
        return act.RecordEvidence(prerequisite=prerequisite, about=about, **(fields | changes))

    def every(self, case_id: str, *phases: Phase) -> list[act.RecordEvidence]:
        """Return what records every required prerequisite of these phases (all before the unblock by default)."""
        case = self.case(case_id)
        with self.app.database.reading() as tx:
            playbook = self.app.playbook(tx, case.playbook)
        return [
            act.RecordEvidence(
                prerequisite=item.id,
                about=about,
                observed_at=self.clock.now,
                reference=Private("https://example.org/1"),
            )
            for item in playbook.prerequisites
            if item.required and item.required_by in (phases or (Phase.CONTAIN, Phase.VERIFY, Phase.REQUEST))
            for about in (case.identities if item.about is About.IDENTITY else ("",))
        ]

    def changed_by(self, connector: str, address: str) -> None:
        """Name a user in a connector's case as the one who changed it."""
        user = casework.subject(self.app, "default", Kind.USER, address)
        self.do(connector, act.AddIdentity(subject=user, facts={"connector-changed": True}))

    def fulfil(self, case_id: str, who: Who = ANN) -> Done:
        """Record every prerequisite of an unblock, in one step."""
        return self.do(case_id, *self.every(case_id), who=who)

    def requested(self, address: str = ADA) -> str:
        """Return a new case in which Ann requested the unblock."""
        case_id = self.restrict(address)
        self.fulfil(case_id)
        self.do(case_id, act.RequestUnblock(reason=Private("all done")))
        return case_id

    def approved(self, address: str = ADA) -> str:
        """Return a new case whose unblock Bob approved."""
        case_id = self.requested(address)
        self.do(case_id, act.ApproveUnblock(), who=BOB)
        return case_id

    def released(self, address: str = ADA) -> str:
        """Return a new case that was released."""
        case_id = self.approved(address)
        self.do(case_id, act.IntendUnblock())
        done = self.do(case_id, self.gone())
        assert State.RELEASED is done.case.state
        return case_id

    def gone(self, **changes: Any) -> act.ObserveRestriction:
        """Return the action that attests that the restriction is gone, a minute from now."""
        fields: dict[str, Any] = {"status": NOT_LISTED, "observed_at": self.clock.now + MINUTE}
        return act.ObserveRestriction(**(fields | changes))

    def case(self, case_id: str) -> Case:
        """Return the fold of a case as stored."""
        with self.app.database.reading() as tx:
            return cases.load(tx, case_id)

    def open_cases(self) -> list[tuple[str, str]]:
        """Return the id and the entity's name of every open case, by number."""
        with self.app.database.reading() as tx:
            found = list(worklist.every(tx, worklist.Filters()))
            names = Names(tx, {item.entity for item in found})
            return [(item.id, names.subject(item.entity)) for item in found]

    def entries(self, case_id: str = "log") -> list[Entry]:
        """Return a case's entries."""
        with self.app.database.reading() as tx:
            return cases.entries(tx, case_id)

    def types(self, case_id: str = "log") -> list[str]:
        """Return the types of a case's entries."""
        return [entry.type for entry in self.entries(case_id)]

    def bodies(self) -> list[str]:
        """Return every entry body of the whole ledger, as stored."""
        with self.app.database.reading() as tx:
            return [body for (body,) in tx.all("SELECT body FROM entry ORDER BY position")]

    def count(self) -> int:
        """Return how many entries there are."""
        return len(self.bodies())


def report(address: str = ADA, **changes: Any) -> Restriction:
    """Return a listed mailbox as the cmdlet reports it."""
    fields: dict[str, Any] = {
        "kind": Kind.MAILBOX,
        "identifier": address,
        "status": LISTED,
        "source": Source.CMDLET,
        "restricted_at": START,
        "reason": "OutboundSpamLast24Hours=312",
        "where": "item 1",
    }
    return Restriction(**(fields | changes))


def plain(value: Any) -> Any:
    """Return a value as JSON gives it back, to show that it is plain JSON."""
    return json.loads(json.dumps(value))
