"""Verification: tree and newest signature against bare reading and hashing; everything with replay; bytes per entry."""

import hashlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from tempfile import mkdtemp

from tests.bench import apart
from tests.bench.house import House, opened, settings
from tests.bench.table import Line, Section, at_least, at_most
from tests.bench.table import time as text
from tests.bench.timing import Samples, quiet, ratio, timed
from workflow.ledger import verify as ledger
from workflow.services import verification
from workflow.services.casework import Done, perform_many
from workflow.storage import tree

MILLION = 1_000_000
AT_ONCE = 500


def verifying(root: Path, *, quick: bool) -> list[Section]:
    """Verify a ledger of whole histories."""
    cases, rounds = (80, 2) if quick else (1000, 3)
    return measured(root, cases, rounds)


def large(root: Path, *, quick: bool) -> list[Section]:
    """Verify about a million entries."""
    return measured(root, 400 if quick else 40_000, 1)


def measured(root: Path, cases: int, rounds: int) -> list[Section]:
    """Build a ledger of this many released cases and verify it."""
    folder = Path(mkdtemp(dir=root))
    with House(folder) as house:
        build(house, cases)
        house.app.database.truncate_log()
        with house.app.database.reading() as tx:
            entries = tree.size(tx)
        whole, bare = Samples(), Samples()
        with quiet():
            for _ in range(rounds):
                bare.rounds.append([timed(lambda: read_and_hash(folder))])
                whole.rounds.append([timed(lambda: tree_and_signature(house))])
    full = apart.run(verified, folder)
    per_million = full.seconds / entries * MILLION
    extrapolated = "" if entries >= MILLION else ", extrapolated"
    speed = Section(
        f"Verification of {entries:,} entries in {cases:,} cases",
        [
            at_least("tree and newest signature, in read + SHA-256", 1 / ratio(whole, bare), 0.6, 0.9),
            Line("tree and newest signature", text(whole.median)),
            Line("bare read + SHA-256", text(bare.median)),
            Line("everything, with replay", text(full.seconds)),
            Line("the same per 100,000 entries", text(full.seconds / entries * MILLION / 10)),
            at_most(f"the same for 1,000,000 entries{extrapolated}", per_million, 40, 15, unit=" s"),
            at_most("peak memory", full.peak, 300, unit=" MB"),
        ],
        [
            "Bare: the bodies in the order of the table, one SHA-256 each. One core throughout.",
            "Everything: bytes, chains, tree, columns, schema, folds, replay, texts, every signature.",
            f"The verdict: {full.result}.",
        ],
    )
    return [speed, size(folder)]


def build(house: House, cases: int) -> None:
    """Take cases to their release by bulk steps."""
    ids = house.take_in(cases)
    for start in range(0, cases, AT_ONCE):
        part = ids[start : start + AT_ONCE]
        ways = [house.way(case_id) for case_id in part]
        for turn in range(len(ways[0])):
            move = ways[0][turn]
            wanted = [(case_id, (way[turn].make(),)) for case_id, way in zip(part, ways, strict=True)]
            for _, result in perform_many(house.app, move.who, wanted):
                if not isinstance(result, Done):
                    raise result


def read_and_hash(folder: Path) -> None:
    """Read every body and hash it."""
    connection = sqlite3.connect(database(folder))
    for (body,) in connection.execute("SELECT body FROM entry ORDER BY position"):
        hashlib.sha256(b"\0" + body.encode()).digest()
    connection.close()


def tree_and_signature(house: House) -> None:
    """Check the tree, its nodes, and the newest signature."""
    signer = house.app.journal.key()
    with house.app.database.reading() as tx:
        result = ledger.check_tree(
            tree.leaves(tx),
            tree.checkpoints(tx),
            origins=(signer.name,),
            verifiers=[signer.verifier],
            every_signature=False,
        )
        faults: Sequence[object] = [
            *result.findings,
            *(
                ledger.check_nodes(result, level, tree.nodes(tx, level))
                for level in range(1, len(result.node_digests) + 1)
            ),
        ]
    if any(faults):
        raise AssertionError(faults)


def verified(folder: Path) -> str:
    """Verify everything; returns the verdict."""
    with opened(settings(folder)) as app:
        report = verification.verify(app)
    return f"integrity {report.integrity}, completeness {report.completeness}"


def size(folder: Path) -> Section:
    """Weigh the file."""
    connection = sqlite3.connect(database(folder))
    entries, bodies = connection.execute("SELECT count(*), sum(length(CAST(body AS BLOB))) FROM entry").fetchone()
    pages = (
        dict(connection.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name")) if has_dbstat(connection) else {}
    )
    connection.close()
    stored = database(folder).stat().st_size
    entry = sum(value for name, value in pages.items() if name in {"entry", "entry_id", "entry_sequence"})
    lines = [
        at_most("whole file, in entries x (body + 64)", stored / (bodies + 64 * entries), 1.5, 1.2),
        Line("body", f"{bodies / entries:.0f} bytes"),
        Line("file per entry", f"{stored / entries:.0f} bytes"),
        *([Line("of that entries and their indexes", f"{entry / entries:.0f} bytes")] if entry else []),
        *(
            Line(f"of that {name}", f"{value / entries:.0f} bytes")
            for name, value in sorted(pages.items(), key=lambda item: -item[1])[:10]
            if not name.startswith("entry")
        ),
    ]
    note = "The whole file: tree, checkpoints, texts with their salts, subjects, case rows and every index included."
    return Section("Bytes per entry on disk, SQLite", lines, [note])


def has_dbstat(connection: sqlite3.Connection) -> bool:
    """Tell whether this SQLite can say what its pages are for."""
    return bool(connection.execute("SELECT 1 FROM pragma_module_list WHERE name = 'dbstat'").fetchone())


def database(folder: Path) -> Path:
    """Return the file of the product's database."""
    return folder / "data" / "holdfast.db"
