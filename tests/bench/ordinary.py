"""Ordinary code: SQLModel rows, one ORM session per step, one ``transitions`` machine per case, a history table.

It is written as the two libraries' own introductions show it: the case's evidence is a ``Relationship``, the machine is
made for the loaded case, and the case is refreshed after the commit to be shown. It keeps evidence, judges the same
gate (all required prerequisites recorded), keeps what a worklist shows, and writes one history row per entry. It has no
hash, no chain, no seal, no signature and no second person.
"""

import uuid
from datetime import UTC, datetime
from typing import Any, Self, cast

from sqlalchemy import Engine, MetaData, event
from sqlmodel import JSON, Column, Field, Relationship, Session, SQLModel, create_engine
from transitions import Machine

from tests.bench.house import Beat

PHASES = ("detected", "contained", "verified", "unblock_requested", "released")


class Ordinary(SQLModel):
    """The base of these tables, apart from the product's."""

    metadata = MetaData()


class OrdinaryCase(Ordinary, table=True):
    """A case."""

    __tablename__ = "ordinary_case"
    id: str = Field(primary_key=True)
    number: int = Field(index=True, unique=True)
    entity: str = Field(index=True)
    state: str = Field(index=True)
    version: int
    assignee: str = ""
    missing: list[str] = Field(default_factory=list, sa_column=Column(JSON))
    opened_at: datetime = Field(index=True)
    updated_at: datetime = Field(index=True)
    evidence: list["OrdinaryEvidence"] = Relationship(back_populates="case")


class OrdinaryEvidence(Ordinary, table=True):
    """One answered prerequisite."""

    __tablename__ = "ordinary_evidence"
    id: str = Field(primary_key=True)
    case_id: str = Field(index=True, foreign_key="ordinary_case.id")
    prerequisite: str
    result: str
    reference: str
    recorded_at: datetime
    case: OrdinaryCase = Relationship(back_populates="evidence")


class OrdinaryHistory(Ordinary, table=True):
    """One thing that happened."""

    __tablename__ = "ordinary_history"
    id: str = Field(primary_key=True)
    case_id: str = Field(index=True, foreign_key="ordinary_case.id")
    at: datetime
    actor: str
    type: str
    state_before: str
    state_after: str
    data: dict[str, Any] = Field(sa_column=Column(JSON))


class Worked:
    """What the machine moves: a SQLModel row cannot be its model."""

    def __init__(self, state: str, recorded: set[str], required: dict[str, set[str]]) -> None:
        """Take the state, and what the guards look at."""
        self.state, self.recorded, self.required = state, recorded, required

    def has_contained(self) -> bool:
        """Everything that containment needs is recorded."""
        return self.required["contained"] <= self.recorded

    def has_verified(self) -> bool:
        """Everything that verification needs is recorded."""
        return self.required["verified"] <= self.recorded


class OrdinaryCode:
    """The contestant: ``tape`` says what the cases go through."""

    def __init__(self, url: str, tape: list[Beat], synchronous: str = "FULL") -> None:
        """Make the tables."""
        self.engine: Engine = create_engine(url)
        if self.engine.dialect.name == "sqlite":
            event.listen(self.engine, "connect", lambda connection, _: _settle(connection, synchronous))
        Ordinary.metadata.create_all(self.engine)
        self.required: dict[str, set[str]] = {"contained": set(), "verified": set()}
        seen: set[str] = set()
        for beat in tape:
            seen |= {name for body in beat.bodies if (name := prerequisite(body))}
            for body in beat.bodies:
                if body["state_after"] in self.required and not self.required[str(body["state_after"])]:
                    self.required[str(body["state_after"])] = set(seen)

    def __enter__(self) -> Self:
        """Use it for a while."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close its connections."""
        self.engine.dispose()

    def open(self, cases: list[tuple[str, int]], beat: Beat) -> None:
        """Open these cases (id and number)."""
        now = datetime.now(UTC)
        with Session(self.engine) as session:
            for case_id, number in cases:
                session.add(
                    OrdinaryCase(
                        id=case_id,
                        number=number,
                        entity=f"sub_{number}",
                        state="detected",
                        version=1,
                        opened_at=now,
                        updated_at=now,
                    )
                )
            session.commit()
            for case_id, _ in cases:
                session.add(history(case_id, beat.bodies[0], now))
            session.commit()

    def step(self, case_id: str, beat: Beat) -> None:
        """Take one step of one case."""
        now = datetime.now(UTC)
        with Session(self.engine) as session:
            case = session.get_one(OrdinaryCase, case_id, with_for_update=True)
            recorded = {item.prerequisite for item in case.evidence if item.result == "met"}
            name = prerequisite(beat.bodies[0])
            if name:
                recorded.add(name)
                session.add(
                    OrdinaryEvidence(
                        id=str(uuid.uuid4()),
                        case_id=case_id,
                        prerequisite=name,
                        result="met",
                        reference=beat.texts[0],
                        recorded_at=now,
                    )
                )
            worked = Worked(case.state, recorded, self.required)
            machine(worked)
            for body in beat.bodies:
                after = body["state_after"]
                if after and after != worked.state and not worked.trigger(f"to_be_{after}"):  # type: ignore[attr-defined]
                    raise ValueError(after)
                session.add(history(case_id, body, now))
            case.state = worked.state
            case.missing = sorted(self.required["verified"] - recorded)
            case.version += 1
            case.updated_at = now
            session.add(case)
            session.commit()
            session.refresh(case)


def machine(worked: Worked) -> Machine:
    """Build the machine of one case, as examples do."""
    return Machine(
        model=worked,
        states=list(PHASES),
        initial=worked.state,
        transitions=[
            {
                "trigger": "to_be_contained",
                "source": "detected",
                "dest": "contained",
                "conditions": "has_contained",
            },
            {"trigger": "to_be_verified", "source": "contained", "dest": "verified", "conditions": "has_verified"},
            {
                "trigger": "to_be_unblock_requested",
                "source": "verified",
                "dest": "unblock_requested",
                "conditions": ["has_contained", "has_verified"],
            },
            {"trigger": "to_be_released", "source": "unblock_requested", "dest": "released"},
        ],
    )


def prerequisite(body: dict[str, object]) -> str:
    """Return the prerequisite that an entry answers, or ""."""
    data = body["data"]
    return str(data.get("prerequisite", "")) if isinstance(data, dict) else ""


def history(case_id: str, body: dict[str, object], now: datetime) -> OrdinaryHistory:
    """Return the history row of an entry."""
    return OrdinaryHistory(
        id=str(uuid.uuid4()),
        case_id=case_id,
        at=now,
        actor="ann",
        type=str(body["type"]),
        state_before=str(body["state_before"]),
        state_after=str(body["state_after"]),
        data=dict(cast("dict[str, Any]", body["data"])),
    )


def _settle(connection: Any, synchronous: str) -> None:
    for pragma in ("journal_mode=WAL", f"synchronous={synchronous}", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
