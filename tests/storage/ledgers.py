"""A small ledger to test with: it opens cases, moves them and seals, through the storage floor alone."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from workflow.domain.picture import Picture
from workflow.domain.record import SYSTEM, Entry, Record, time_to_text
from workflow.domain.vocabulary import EntryType, Kind, State
from workflow.ledger.note import Signer
from workflow.storage import cases, journal, seal, subjects
from workflow.storage.database import Database
from workflow.storage.openings import Opening
from workflow.storage.seal import Journal
from workflow.storage.transaction import Tx

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
ORIGIN = "holdfast.example/1"
TENANT = "contoso"
DIGEST = "a" * 64


def opened(number: int, entity: str) -> Record:
    """The record of a case's opening."""
    moment = time_to_text(NOW)
    return Record(
        type=EntryType.CASE_OPENED,
        actor=SYSTEM,
        action="open",
        state_before="",
        state_after="detected",
        recurrence=1,
        playbook=DIGEST,
        data={"number": number, "kind": "mailbox", "entity": entity, "playbook": DIGEST},
        basis={"restricted_at": moment, "dated": True, "boundary": moment},
    )


def noted() -> Record:
    """A record that bears no state."""
    return Record(type=EntryType.CASE_NOTED, actor=SYSTEM, state_before="detected", state_after="", recurrence=1)


def moved(state: str = "contained") -> Record:
    """A record that moves the case."""
    return Record(type=EntryType.CASE_CONTAINED, actor=SYSTEM, state_before="detected", state_after=state, recurrence=1)


def pictured(case_id: str, number: int, entity: str, **changes: object) -> Picture:
    """The row of a case just opened, with changes."""
    plain = Picture(
        id=case_id,
        number=number,
        tenant=TENANT,
        kind="mailbox",
        entity=entity,
        state="detected",
        recurrence=1,
        version=1,
        playbook=DIGEST,
        missing=("password-reset", "mfa-enabled"),
        assignee="",
        opened_at=NOW + timedelta(minutes=number),
        updated_at=NOW,
        due_at=None,
        due="",
        resolution="",
        restriction="listed",
        restricted_at=NOW,
        requested_at=None,
        intended_at=None,
        released_at=None,
        ended_at=None,
        linked=(),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


class Ledger:
    """Cases on one database, written the way services write them."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.published: list[str] = []
        self.signer = Signer.generate(ORIGIN)
        self.journal = Journal(ORIGIN, self.signer, publish=self.published.append)

    def open(self, case_id: str = "case_1", address: str = "ada@contoso.com", **changes: object) -> Picture:
        """Open a case about an address and return its row."""
        with self.database.transaction() as tx:
            cases.lock_intake(tx)
            entity = subjects.register(tx, TENANT, Kind.MAILBOX, address)
            number = cases.next_number(tx)
            version, state = int(str(changes.get("version", 1))), str(changes.get("state", "detected"))
            records = [opened(number, entity), *[moved(state)] * (version - 1)]
            self.append(tx, case_id, records)
            if state != "detected" and version == 1:
                self.append(tx, case_id, [moved(state)], None)
                changes["version"] = 2
            picture = pictured(case_id, number, entity, **changes)
            journal.move(tx, picture, new=True)
        return picture

    def append(
        self,
        tx: Tx,
        case_id: str,
        records: Sequence[Record],
        openings: Mapping[str, Opening] | None = None,
        request: str = "",
    ) -> list[Entry]:
        """Append records behind the case's newest entry."""
        head, sequence = cases.head(tx, case_id)
        return journal.append(
            tx,
            self.journal,
            case_id,
            TENANT,
            records,
            at=NOW,
            clock="ok",
            request=request,
            openings=openings or {},
            head=head,
            sequence=sequence,
        )

    def step(self, picture: Picture, *records: Record, **changes: object) -> Picture:
        """Append records to a case and move its row by them."""
        with self.database.transaction() as tx:
            cases.lock(tx, [picture.id])
            for entry in self.append(tx, picture.id, records):
                if entry.state_after:
                    picture = replace(picture, version=entry.sequence, state=State(entry.state_after).value)
            picture = replace(picture, **changes)  # type: ignore[arg-type]
            journal.move(tx, picture)
        return picture

    def seal(self) -> None:
        """Seal what is waiting; on SQLite nothing is."""
        with self.database.transaction() as tx:
            seal.seal(tx, self.journal)

    def without_search(self) -> None:
        """Take SQLite's search index away, as in a library that has no full-text search."""
        for name in ("TRIGGER subject_search_add", "TRIGGER subject_search_drop", "TABLE subject_search"):
            self.statement(f"DROP {name}")

    def statement(self, sql: str, params: Sequence[object] = ()) -> int:
        """Run one statement in a transaction of its own, as somebody would who writes SQL by hand."""
        with self.database.transaction() as tx:
            return int(tx.run(sql, params).rowcount)
