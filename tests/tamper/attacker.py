"""Whoever owns the database's file: guards dropped, rows rewritten, hashes made anew, guards put back as they were."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from workflow.domain.history import fold
from workflow.domain.picture import picture
from workflow.domain.playbook import from_data
from workflow.domain.record import entry_from_body
from workflow.ledger import checkpoint as checkpoints
from workflow.ledger.checkpoint import Checkpoint
from workflow.ledger.merkle import Frontier, leaf_hash
from workflow.ledger.note import Signer
from workflow.storage.pictures import INSERT, values
from workflow.storage.seal import LEVEL_BITS

Body = dict[str, Any]
CITING = ("tenant_entry", "entry", "setting")
"""Members of data and basis that name another entry by its leaf."""


@dataclass(frozen=True)
class Pen:
    """How rewritten checkpoints are signed: by whom, or with the old signature left standing under the new text."""

    signer: Signer | None = None


class Attacker:
    """A connection to the file, without guards while it is open."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.sql = sqlite3.connect(path, isolation_level=None)
        self.guards: list[tuple[str, str]] = []
        self.was: list[tuple[Body, str]] = []

    def __enter__(self) -> Self:
        """Drop every trigger, so that anything can be written."""
        self.sql.execute("PRAGMA foreign_keys=OFF")
        self.sql.execute("PRAGMA synchronous=OFF")
        self.guards = self.sql.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        self.sql.execute("BEGIN IMMEDIATE")
        for name, _ in self.guards:
            self.sql.execute(f'DROP TRIGGER "{name}"')
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Put the triggers back, word for word, and let rows go on being numbered where they end now."""
        self.sql.execute("UPDATE sqlite_sequence SET seq = (SELECT max(position) FROM entry) WHERE name = 'entry'")
        for _, text in self.guards:
            self.sql.execute(text)
        self.sql.execute("COMMIT")
        self.sql.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.sql.close()

    def bodies(self) -> list[Body]:
        """Every entry in the order of the tree."""
        self.was = [(json.loads(body), leaf_hash(body.encode()).hex()) for body in self._stored()]
        return [body for body, _ in self.was]

    def sizes(self) -> list[int]:
        """The sizes of the checkpoints."""
        return [size for (size,) in self.sql.execute("SELECT size FROM checkpoint ORDER BY size")]

    def reseal(self, bodies: Sequence[Body], pen: Pen, *, origin: str = "", relink: bool = True) -> list[str]:
        """Write the whole ledger anew from these entries, every hash recomputed; returns the leaves in hex.

        With ``relink`` each entry names the one before it in its case, and citations follow the hashes they meant.
        """
        sizes, notes = self.sizes(), dict(self.sql.execute("SELECT size, note FROM checkpoint"))
        origin = origin or bodies[0]["log"]
        for table in ("entry", "leaf", "node", "checkpoint", "unsealed"):
            self.sql.execute(f"DELETE FROM {table}")
        old = {id(body): leaf for body, leaf in self.was}
        heads: dict[str, str] = {}
        moved: dict[str, str] = {}
        edge, leaves = Frontier(), []
        wanted = {*sizes, len(bodies)}
        for number, body in enumerate(bodies, start=1):
            if relink:
                body["prev"] = heads.get(body["case"], "")
                body["cites"] = [moved.get(cited, cited) for cited in body["cites"]]
                for member in CITING:
                    for said in (body["data"], body["basis"]):
                        if isinstance(said, dict) and isinstance(said.get(member), str):
                            said[member] = moved.get(said[member], said[member])
            data = text(body).encode()
            leaf = leaf_hash(data)
            heads[body["case"]] = leaf.hex()
            moved[old.get(id(body), "")] = leaf.hex()
            self.sql.execute("INSERT INTO entry (position, body) VALUES (?, ?)", (number, data.decode()))
            self.sql.execute("INSERT INTO leaf VALUES (?, ?, ?)", (number - 1, number, leaf))
            nodes = [(level << LEVEL_BITS | index, value) for level, index, value in edge.append(leaf)]
            self.sql.executemany("INSERT INTO node VALUES (?, ?)", nodes)
            leaves.append(leaf.hex())
            if number in wanted:
                note = self._note(Checkpoint(origin, number, edge.root()), pen, notes.get(number, ""))
                self.sql.execute("INSERT INTO checkpoint VALUES (?, ?)", (number, note))
        return leaves

    def redraw(self) -> None:
        """Draw the case table again from what the entries say now, as far as they say anything."""
        books = {
            digest: from_data(json.loads(body), digest)
            for digest, body in self.sql.execute("SELECT digest, body FROM playbook")
        }
        by_case: dict[str, list[Any]] = {}
        for body in map(json.loads, self._stored()):
            if body["case"] != "log":
                by_case.setdefault(body["case"], []).append(body)
        self.sql.execute('DELETE FROM "case"')
        self.sql.execute("DELETE FROM standing")
        for case_id, found in by_case.items():
            ordered = sorted(found, key=lambda body: int(body["sequence"]))
            with suppress(Exception):
                entries = [entry_from_body(body, leaf_hash(text(body).encode()).hex()) for body in ordered]
                case = fold(entries)
                drawn = picture(case, books[case.playbook])
                self.sql.execute(INSERT, values(drawn))
                self.sql.execute("INSERT INTO standing VALUES (?, ?, ?)", (case_id, drawn.version, drawn.state))

    def forget_texts(self) -> None:
        """Delete the texts that no entry commits to any more."""
        known = "".join(self._stored())
        rows = self.sql.execute("SELECT commitment FROM opening").fetchall()
        gone = [(commitment,) for (commitment,) in rows if commitment not in known]
        self.sql.executemany("DELETE FROM opening WHERE commitment = ?", gone)

    def _stored(self) -> list[str]:
        rows = self.sql.execute(
            'SELECT e.body FROM leaf AS l JOIN entry AS e ON e.position = l.entry ORDER BY l."index"'
        )
        return [body for (body,) in rows]

    def truncate(self, size: int) -> None:
        """Cut the ledger down to its first entries, leaving what stands as it was signed."""
        cut = f'SELECT entry FROM leaf WHERE "index" >= {size}'
        self.sql.execute(f"DELETE FROM entry WHERE position IN ({cut})")
        self.sql.execute(f'DELETE FROM leaf WHERE "index" >= {size}')
        self.sql.execute(f"DELETE FROM checkpoint WHERE size > {size}")
        for (key,) in self.sql.execute('SELECT "key" FROM node').fetchall():
            level, index = key >> LEVEL_BITS, key & (1 << LEVEL_BITS) - 1
            if (index + 1) << level > size:
                self.sql.execute('DELETE FROM node WHERE "key" = ?', (key,))
        self.forget_texts()
        self.redraw()

    def rewrite(self, position: int, body: str) -> None:
        """Put other bytes where an entry stands."""
        self.sql.execute("UPDATE entry SET body = ? WHERE position = ?", (body, position))

    @staticmethod
    def _note(point: Checkpoint, pen: Pen, before: str) -> str:
        if before.startswith(f"{point.text()}\n"):
            return before
        if pen.signer is not None:
            return checkpoints.sign(point, pen.signer)
        signature = before.split("\n\n", 1)[1] if before else "— nobody AAAA\n"
        return f"{point.text()}\n{signature}"


def text(body: Body) -> str:
    """The canonical text of an entry."""
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def dump(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table of ours: what the file says, whatever pages it says it on.

    The search index is left out: it is drawn from the register and says nothing of its own.
    """
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        connection.text_factory = bytes
        names = [
            name.decode()
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        ]
        found = {name: connection.execute(f'SELECT * FROM "{name}"').fetchall() for name in names if _ours(name)}
    finally:
        connection.close()
    return {name: sorted(rows, key=repr) for name, rows in found.items()}


def _ours(name: str) -> bool:
    return not name.startswith(("sqlite_", "subject_search"))


def written(points: Iterable[str]) -> str:
    """The lines of a checkpoint file that holds these notes."""
    return "".join(json.dumps({"checkpoint": note}, ensure_ascii=False) + "\n" for note in points)
