"""The tables, flat. Explicit SQL reads and writes them; a test holds the migrations equal to what stands here.

All times are text of fixed width in UTC (``domain.record.time_to_text``), which sorts as time does on both databases.
Nobody's name or address stands outside ``subject``, ``opening`` and ``attachment``, the three that can be erased.
"""

from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel

from workflow.storage.generated import TEXT, FromBody
from workflow.storage.pictures import OPEN

SORTS = ("number", "opened_at", "updated_at", "due_at")
"""Columns by which a worklist can be sorted, each with an index behind the state."""

# SQLite numbers rows itself only in a column of exactly this type.
BIG = BigInteger().with_variant(Integer(), "sqlite")
STRICT: dict[str, Any] = {"sqlite_strict": True}
KEYED_BY_TEXT: dict[str, Any] = {"sqlite_strict": True, "sqlite_with_rowid": False}


def _text(name: str, **options: Any) -> Any:
    return Column(name, TEXT, nullable=False, **options)


def _from_body(field: str, name: str = "") -> Any:
    return Column(name or field, TEXT, FromBody(field), nullable=False)


class EntryRow(SQLModel, table=True):
    """One ledger entry: its canonical body, and columns that the database derives from it."""

    __tablename__ = "entry"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("id", name="entry_id"),
        UniqueConstraint("case_id", "sequence", name="entry_sequence"),
        CheckConstraint("position > 0", name="entry_position"),
        {"sqlite_autoincrement": True, **STRICT},
    )
    position: int = Field(sa_column=Column("position", BIG, Identity(always=True), primary_key=True))
    body: str = Field(sa_column=_text("body"))
    id: str = Field(sa_column=_from_body("id"))
    type: str = Field(sa_column=_from_body("type"))
    tenant: str = Field(sa_column=_from_body("tenant"))
    case_id: str = Field(sa_column=_from_body("case", "case_id"))
    sequence: int = Field(sa_column=Column("sequence", Integer, FromBody("sequence", number=True), nullable=False))
    recorded_at: str = Field(sa_column=_from_body("recorded_at"))
    state_after: str = Field(sa_column=_from_body("state_after"))
    request: str = Field(sa_column=_from_body("request"))


class LeafRow(SQLModel, table=True):
    """The entry's place in the tree (from 0) and its leaf hash (32 bytes)."""

    __tablename__ = "leaf"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("entry", name="leaf_entry"),
        CheckConstraint("length(hash) = 32", name="leaf_hash"),
        STRICT,
    )
    index: int = Field(sa_column=Column("index", BIG, primary_key=True, autoincrement=False))
    entry: int = Field(sa_column=Column("entry", BIG, ForeignKey("entry.position"), nullable=False))
    hash: bytes = Field(sa_column=Column("hash", LargeBinary, nullable=False))


class NodeRow(SQLModel, table=True):
    """The root of a perfect subtree above the leaves; ``key`` is ``level << 56 | index`` (see ``seal``)."""

    __tablename__ = "node"
    __table_args__: ClassVar[Any] = (CheckConstraint("length(hash) = 32", name="node_hash"), STRICT)
    key: int = Field(sa_column=Column("key", BIG, primary_key=True, autoincrement=False))
    hash: bytes = Field(sa_column=Column("hash", LargeBinary, nullable=False))


class CheckpointRow(SQLModel, table=True):
    """A signed statement of the tree's size and root."""

    __tablename__ = "checkpoint"
    __table_args__: ClassVar[Any] = (STRICT,)
    size: int = Field(sa_column=Column("size", BIG, primary_key=True, autoincrement=False))
    note: str = Field(sa_column=_text("note"))


class UnsealedRow(SQLModel, table=True):
    """An entry that is not in the tree yet. The entry's insert trigger adds it, sealing removes it."""

    __tablename__ = "unsealed"
    __table_args__: ClassVar[Any] = (STRICT,)
    entry: int = Field(
        sa_column=Column("entry", BIG, ForeignKey("entry.position"), primary_key=True, autoincrement=False)
    )


class StandingRow(SQLModel, table=True):
    """Where each case's newest state-bearing entry stands. Triggers alone write it.

    On SQLite its deferred foreign key is the check at commit that the case row was moved with its entry (R1).
    """

    __tablename__ = "standing"
    __table_args__: ClassVar[Any] = (
        ForeignKeyConstraint(
            ["case_id", "version", "state"],
            ["case.id", "case.version", "case.state"],
            name="standing_case",
            deferrable=True,
            initially="DEFERRED",
        ),
        KEYED_BY_TEXT,
    )
    case_id: str = Field(sa_column=_text("case_id", primary_key=True))
    version: int = Field(sa_column=Column("version", Integer, nullable=False))
    state: str = Field(sa_column=_text("state"))


class CaseRow(SQLModel, table=True):
    """The picture of a case that worklists need. It can be thrown away and rebuilt from the entries."""

    __tablename__ = "case"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("number", name="case_number"),
        UniqueConstraint("id", "version", "state", name="case_standing"),
        Index(
            "case_open",
            "tenant",
            "kind",
            "entity",
            unique=True,
            sqlite_where=text(OPEN),
            postgresql_where=text(OPEN),
        ),
        Index("case_entity", "entity"),
        *(Index(f"case_{column}_page", "state", column, "id") for column in SORTS),
        Index(
            "case_wake",
            "wake_at",
            sqlite_where=text("wake_at IS NOT NULL"),
            postgresql_where=text("wake_at IS NOT NULL"),
        ),
        STRICT,
    )
    id: str = Field(sa_column=_text("id", primary_key=True))
    number: int = Field(sa_column=Column("number", Integer, nullable=False))
    tenant: str = Field(sa_column=_text("tenant"))
    kind: str = Field(sa_column=_text("kind"))
    entity: str = Field(sa_column=_text("entity"))
    state: str = Field(sa_column=_text("state"))
    recurrence: int = Field(sa_column=Column("recurrence", Integer, nullable=False))
    version: int = Field(sa_column=Column("version", Integer, nullable=False))
    playbook: str = Field(sa_column=_text("playbook"))
    missing: str = Field(sa_column=_text("missing"))
    assignee: str = Field(sa_column=_text("assignee"))
    opened_at: str = Field(sa_column=_text("opened_at"))
    updated_at: str = Field(sa_column=_text("updated_at"))
    due_at: str = Field(sa_column=_text("due_at"))
    due: str = Field(sa_column=_text("due"))
    resolution: str = Field(sa_column=_text("resolution"))
    restriction: str = Field(sa_column=_text("restriction"))
    restricted_at: str | None = Field(sa_column=Column("restricted_at", TEXT))
    requested_at: str | None = Field(sa_column=Column("requested_at", TEXT))
    intended_at: str | None = Field(sa_column=Column("intended_at", TEXT))
    released_at: str | None = Field(sa_column=Column("released_at", TEXT))
    ended_at: str | None = Field(sa_column=Column("ended_at", TEXT))
    linked: str = Field(sa_column=_text("linked"))
    labels: str = Field(sa_column=_text("labels", server_default=text("'[]'")))
    break_glass: str = Field(sa_column=_text("break_glass", server_default=text("''")))
    wake_at: str | None = Field(sa_column=Column("wake_at", TEXT))
    wake: str = Field(sa_column=_text("wake", server_default=text("''")))


class SubjectRow(SQLModel, table=True):
    """The erasable register: which mailbox, connector, user or person an opaque id stands for."""

    __tablename__ = "subject"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("id", name="subject_id"),
        UniqueConstraint("tenant", "kind", "identifier", name="subject_identifier"),
        {"sqlite_autoincrement": True, **STRICT},
    )
    position: int = Field(sa_column=Column("position", BIG, Identity(always=True), primary_key=True))
    id: str = Field(sa_column=_text("id"))
    salt: bytes = Field(sa_column=Column("salt", LargeBinary, nullable=False))
    tenant: str = Field(sa_column=_text("tenant"))
    kind: str = Field(sa_column=_text("kind"))
    identifier: str = Field(sa_column=_text("identifier"))


class OpeningRow(SQLModel, table=True):
    """What a salted commitment in an entry stands for: erasable, never changeable."""

    __tablename__ = "opening"
    __table_args__: ClassVar[Any] = (
        Index("opening_case", "case_id"),
        Index(
            "opening_subject",
            "subject",
            sqlite_where=text("subject IS NOT NULL"),
            postgresql_where=text("subject IS NOT NULL"),
        ),
        KEYED_BY_TEXT,
    )
    commitment: str = Field(sa_column=_text("commitment", primary_key=True))
    salt: bytes = Field(sa_column=Column("salt", LargeBinary, nullable=False))
    value: str = Field(sa_column=_text("value"))
    case_id: str = Field(sa_column=_text("case_id"))
    subject: str | None = Field(sa_column=Column("subject", TEXT))


class AttachmentRow(SQLModel, table=True):
    """An evidence file by the SHA-256 of its bytes; its name is an opening."""

    __tablename__ = "attachment"
    __table_args__: ClassVar[Any] = (STRICT,)
    digest: str = Field(sa_column=_text("digest", primary_key=True))
    size: int = Field(sa_column=Column("size", Integer, nullable=False))
    content: bytes = Field(sa_column=Column("content", LargeBinary, nullable=False))


class PlaybookRow(SQLModel, table=True):
    """A playbook version by the digest of its canonical bytes."""

    __tablename__ = "playbook"
    __table_args__: ClassVar[Any] = (KEYED_BY_TEXT,)
    digest: str = Field(sa_column=_text("digest", primary_key=True))
    name: str = Field(sa_column=_text("name"))
    version: str = Field(sa_column=_text("version"))
    body: str = Field(sa_column=_text("body"))


class AlertRow(SQLModel, table=True):
    """One message to one recipient, by what gave cause to it: the outbox. It holds no address, no name and no text.

    ``due_at`` is when it is sent next, or until when whoever is sending it has it alone; "" once it is settled.
    ``message`` is the message that it went out in, with others where many were due at once.
    """

    __tablename__ = "alert"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("cause", "recipient", name="alert_cause"),
        Index("alert_due", "due_at", sqlite_where=text("due_at <> ''"), postgresql_where=text("due_at <> ''")),
        Index("alert_raised", "raised_at", "id"),
        Index("alert_told", "policy", "recipient", "settled_at"),
        STRICT,
    )
    id: str = Field(sa_column=_text("id", primary_key=True))
    cause: str = Field(sa_column=_text("cause"))
    policy: str = Field(sa_column=_text("policy"))
    severity: str = Field(sa_column=_text("severity"))
    recipient: str = Field(sa_column=_text("recipient"))
    case_id: str = Field(sa_column=_text("case_id"))
    sequence: int = Field(sa_column=Column("sequence", Integer, nullable=False))
    raised_at: str = Field(sa_column=_text("raised_at"))
    due_at: str = Field(sa_column=_text("due_at"))
    attempts: int = Field(sa_column=Column("attempts", Integer, nullable=False))
    state: str = Field(sa_column=_text("state"))
    settled_at: str = Field(sa_column=_text("settled_at"))
    message: str = Field(sa_column=_text("message"))
    detail: str = Field(sa_column=_text("detail"))


class AlertAttemptRow(SQLModel, table=True):
    """One attempt to tell somebody, and what came of it: the delivery log."""

    __tablename__ = "alert_attempt"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("alert", "number", name="alert_attempt_number"),
        {"sqlite_autoincrement": True, **STRICT},
    )
    position: int = Field(sa_column=Column("position", BIG, Identity(always=True), primary_key=True))
    alert: str = Field(sa_column=_text("alert"))
    number: int = Field(sa_column=Column("number", Integer, nullable=False))
    at: str = Field(sa_column=_text("at"))
    outcome: str = Field(sa_column=_text("outcome"))
    detail: str = Field(sa_column=_text("detail"))


class AlertCursorRow(SQLModel, table=True):
    """How many leaves of the tree have been looked at for causes; one row."""

    __tablename__ = "alert_cursor"
    __table_args__: ClassVar[Any] = (CheckConstraint("id = 1", name="alert_cursor_one"), STRICT)
    id: int = Field(sa_column=Column("id", Integer, primary_key=True, autoincrement=False))
    leaves: int = Field(sa_column=Column("leaves", BIG, nullable=False))


class ChoreRow(SQLModel, table=True):
    """When a chore of the workers was last done."""

    __tablename__ = "chore"
    __table_args__: ClassVar[Any] = (STRICT,)
    name: str = Field(sa_column=_text("name", primary_key=True))
    done_at: str = Field(sa_column=_text("done_at"))
