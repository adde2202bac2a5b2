"""The floor: what somebody would write by hand who wants the same rows and nothing else.

Per step it reads the case row, refuses a step that is not the next one, writes the same entry bodies (canonical JSON,
chained by hash), the same salted texts, the same case row, and, on SQLite, tree, signature and kept checkpoint. It
judges no evidence, knows no playbook, checks no roles, folds no history and has no triggers.
"""

import base64
import hashlib
import json
import os
import secrets
import sqlite3
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.bench.house import Beat
from workflow.storage.pictures import COLUMNS

ORIGIN = "floor/1"
INDEXES = (
    "CREATE UNIQUE INDEX entry_id ON entry (id)",
    "CREATE UNIQUE INDEX entry_sequence ON entry (case_id, sequence)",
    'CREATE UNIQUE INDEX case_number ON "case" (number)',
    "CREATE UNIQUE INDEX case_open ON \"case\" (tenant, kind, entity) WHERE state NOT IN ('closed', 'dismissed')",
    'CREATE INDEX case_entity ON "case" (entity)',
    *(
        f'CREATE INDEX case_{column}_page ON "case" (state, {column}, id)'
        for column in ("number", "opened_at", "updated_at", "due_at")
    ),
    "CREATE INDEX opening_case ON opening (case_id)",
)
NUMBERS = ("number", "recurrence", "version")
MOVED = tuple(column for column in COLUMNS if column not in {"id", "number", "tenant", "kind", "entity", "opened_at"})
PLACES = tuple(COLUMNS.index(column) for column in MOVED)
INSERT_ENTRY = (
    "INSERT INTO entry (body, id, type, tenant, case_id, sequence, recorded_at, state_after, request) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
INSERT_OPENING = "INSERT INTO opening (commitment, salt, value, case_id) VALUES (?, ?, ?, ?)"
INSERT_CASE = f'INSERT INTO "case" ({", ".join(COLUMNS)}, head, last) VALUES ({", ".join("?" * (len(COLUMNS) + 2))})'
UPDATE_CASE = (
    f'UPDATE "case" SET {", ".join(f"{column} = ?" for column in MOVED)}, head = ?, last = ? WHERE id = ? AND last = ?'
)
SELECT_CASE = 'SELECT state, head, last FROM "case" WHERE id = ?'


def tables(serial: str, blob: str) -> list[str]:
    """Return the statements that create the tables."""
    kinds = ", ".join(f"{column} {'INTEGER' if column in NUMBERS else 'TEXT'}" for column in COLUMNS[1:])
    entry = (
        f"CREATE TABLE entry (position {serial}, body TEXT NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL, "
        "tenant TEXT NOT NULL, case_id TEXT NOT NULL, sequence INTEGER NOT NULL, recorded_at TEXT NOT NULL, "
        "state_after TEXT NOT NULL, request TEXT NOT NULL)"
    )
    return [
        entry,
        f'CREATE TABLE "case" (id TEXT PRIMARY KEY, {kinds}, head TEXT NOT NULL, last INTEGER NOT NULL)',
        f"CREATE TABLE opening (commitment TEXT PRIMARY KEY, salt {blob}, value TEXT NOT NULL, case_id TEXT NOT NULL)",
        *INDEXES,
    ]


class Step:
    """The rows of one step, made from what the product wrote in its place."""

    def __init__(self, case_id: str, beat: Beat, head: str, last: int) -> None:
        """Write the bodies, chained to the case's newest entry."""
        now = datetime.now(UTC).isoformat(timespec="microseconds")[:26] + "Z"
        self.openings = []
        for text in beat.texts:
            salt = secrets.token_bytes(32)
            self.openings.append((hashlib.sha256(salt + text.encode()).hexdigest(), salt, text, case_id))
        self.entries: list[tuple[Any, ...]] = []
        self.leaves: list[bytes] = []
        request = secrets.token_hex(8)
        for number, template in enumerate(beat.bodies):
            last += 1
            body = template | {"id": identifier(), "case": case_id, "sequence": last, "prev": head}
            body |= {"recorded_at": now, "request": request}
            if number == 0:
                body["data"] = self._committed(template["data"])
            text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            leaf = hashlib.sha256(b"\0" + text.encode()).digest()
            head = leaf.hex()
            self.leaves.append(leaf)
            columns = ("id", "type", "tenant", "case", "sequence", "recorded_at", "state_after", "request")
            self.entries.append((text, *(body[column] for column in columns)))
        self.head, self.last = head, last

    def _committed(self, data: Any) -> dict[str, object]:
        """Put this step's commitments where the product put its own."""
        commitments = iter(self.openings)
        return {
            name: {"commitment": next(commitments)[0]} if isinstance(value, dict) and "commitment" in value else value
            for name, value in data.items()
        }


def identifier() -> str:
    """Return a UUID version 7."""
    number = int(time.time() * 1000) << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


class SQLiteFloor:
    """The floor on SQLite: one connection of the standard library, tree and signature inside every commit."""

    def __init__(self, folder: Path, synchronous: str = "FULL", *, keep: bool = True) -> None:
        """Open the database in this folder, or make it."""
        path = folder / "floor.db"
        new = not path.exists()
        self.connection = sqlite3.connect(path, isolation_level=None, timeout=5)
        for pragma in ("journal_mode=WAL", f"synchronous={synchronous}", "secure_delete=ON", "foreign_keys=ON"):
            self.connection.execute(f"PRAGMA {pragma}")
        if new:
            for statement in (
                *tables("INTEGER PRIMARY KEY AUTOINCREMENT", "BLOB"),
                'CREATE TABLE leaf ("index" INTEGER PRIMARY KEY, entry INTEGER NOT NULL UNIQUE, hash BLOB NOT NULL)',
                'CREATE TABLE node ("key" INTEGER PRIMARY KEY, hash BLOB NOT NULL)',
                "CREATE TABLE checkpoint (size INTEGER PRIMARY KEY, note TEXT NOT NULL)",
            ):
                self.connection.execute(statement)
        self.key = Ed25519PrivateKey.from_private_bytes(bytes(32))
        self.size, self.edge = 0, []  # type: tuple[int, list[bytes]]
        self.kept = os.open(folder / "kept", os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600) if keep else None

    def __enter__(self) -> Self:
        """Use the floor for a while."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.connection.close()
        if self.kept is not None:
            os.close(self.kept)

    def open(self, cases: Sequence[tuple[str, int]], beat: Beat) -> None:
        """Write the openings of these cases (id and number), in one transaction."""
        self.connection.execute("BEGIN IMMEDIATE")
        for case_id, number in cases:
            step = Step(case_id, beat, "", 0)
            row = (case_id, number, *beat.row[2:4], f"sub_{number:032}", *beat.row[5:])
            self.connection.execute(INSERT_CASE, (*row, step.head, step.last))
            self._entries(step)
        self.connection.execute("COMMIT")

    def step(self, case_id: str, beat: Beat) -> None:
        """Take one step of one case."""
        run = self.connection.execute
        run("BEGIN IMMEDIATE")
        state, head, last = run(SELECT_CASE, (case_id,)).fetchone()
        if state != beat.before:
            raise ValueError(state)
        step = Step(case_id, beat, head, last)
        self._entries(step)
        moved = run(UPDATE_CASE, (*(beat.row[place] for place in PLACES), step.head, step.last, case_id, last))
        if moved.rowcount != 1:
            raise ValueError(case_id)
        note = self._note()
        run("INSERT INTO checkpoint (size, note) VALUES (?, ?)", (self.size, note))
        run("COMMIT")
        if self.kept is not None:
            os.write(self.kept, json.dumps({"checkpoint": note}).encode() + b"\n")

    def _entries(self, step: Step) -> None:
        (size,) = self.connection.execute('SELECT coalesce(max("index") + 1, 0) FROM leaf').fetchone()
        if size != self.size:
            self._read_edge(size)
        leaves, nodes = [], []
        for row, leaf in zip(step.entries, step.leaves, strict=True):
            position = self.connection.execute(INSERT_ENTRY, row).lastrowid
            leaves.append((self.size, position, leaf))
            index, level, node = self.size, 0, leaf
            while index & 1:
                node = hashlib.sha256(b"\1" + self.edge.pop() + node).digest()
                index, level = index >> 1, level + 1
                nodes.append((level << 56 | index, node))
            self.edge.append(node)
            self.size += 1
        self.connection.executemany('INSERT INTO leaf ("index", entry, hash) VALUES (?, ?, ?)', leaves)
        self.connection.executemany('INSERT INTO node ("key", hash) VALUES (?, ?)', nodes)
        self.connection.executemany(INSERT_OPENING, step.openings)

    def _read_edge(self, size: int) -> None:
        """Read the tree's right edge, because another process has written."""
        self.size, self.edge = size, []
        start = 0
        for level in range(size.bit_length(), -1, -1):
            if not size >> level & 1:
                continue
            table, key = ("node", level << 56 | start >> level) if level else ("leaf", start)
            column = '"key"' if level else '"index"'
            self.edge += self.connection.execute(f"SELECT hash FROM {table} WHERE {column} = ?", (key,)).fetchone()
            start += 1 << level

    def _note(self) -> str:
        root = self.edge[-1]
        for node in reversed(self.edge[:-1]):
            root = hashlib.sha256(b"\1" + node + root).digest()
        text = f"{ORIGIN}\n{self.size}\n{base64.b64encode(root).decode()}\n"
        signature = base64.b64encode(b"\0\0\0\1" + self.key.sign(text.encode())).decode()
        return f"{text}\n— {ORIGIN} {signature}\n"


class PostgresFloor:
    """The floor on PostgreSQL: one psycopg connection, ``SELECT … FOR UPDATE`` first; sealing is apart, on both."""

    def __init__(self, url: str, *, new: bool = True) -> None:
        """Connect, and make the tables."""
        self.connection = psycopg.connect(url.replace("postgresql+psycopg", "postgresql"), prepare_threshold=2)
        if new:
            for statement in tables("bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "bytea"):
                self.connection.execute(statement)
        self.connection.commit()

    def __enter__(self) -> Self:
        """Use the floor for a while."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.connection.close()

    def open(self, cases: Sequence[tuple[str, int]], beat: Beat) -> None:
        """Write the openings of these cases (id and number), in one transaction."""
        for case_id, number in cases:
            step = Step(case_id, beat, "", 0)
            row = (case_id, number, *beat.row[2:4], f"sub_{number:032}", *beat.row[5:])
            self._run(INSERT_CASE, (*row, step.head, step.last))
            self._rows(step)
        self.connection.commit()

    def step(self, case_id: str, beat: Beat) -> None:
        """Take one step of one case."""
        state, head, last = self._run(f"{SELECT_CASE} FOR UPDATE", (case_id,)).fetchone()
        if state != beat.before:
            raise ValueError(state)
        step = Step(case_id, beat, head, last)
        self._rows(step)
        moved = self._run(UPDATE_CASE, (*(beat.row[place] for place in PLACES), step.head, step.last, case_id, last))
        if moved.rowcount != 1:
            raise ValueError(case_id)
        self.connection.commit()

    def _rows(self, step: Step) -> None:
        for row in step.entries:
            self._run(INSERT_ENTRY, row)
        for row in step.openings:
            self._run(INSERT_OPENING, row)

    def _run(self, statement: str, values: Sequence[object]) -> Any:
        return self.connection.execute(statement.replace("?", "%s"), values)
