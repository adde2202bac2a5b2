"""The detection table, as attacks: what each does to a copy of the database, and which entry has to be named."""

import hashlib
import json
import random
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

from tests.tamper.attacker import Attacker, Body, Pen, text
from tests.tamper.conftest import Bench
from tests.tamper.histories import Place
from workflow.ledger.merkle import leaf_hash
from workflow.ledger.note import Signer


@dataclass
class Done:
    """An attacked copy.

    ``named`` holds the places, as (case, sequence), of which the first bad entry is one, and ``index`` its leaf;
    nothing is there to name where the entries themselves are sound. ``commit`` is the leaf at which the commit began
    that was rewritten first: where no rule judges what was changed, its signature still names it. ``kept`` is the
    checkpoint somebody kept.
    """

    place: Place
    named: set[tuple[str, int]]
    index: int = -1
    kept: Path | None = None
    commit: int = -1


SPARE = 900_000
"""A row number that no ledger here reaches."""
Mutation = Callable[[Attacker, list[Body], random.Random], tuple[set[tuple[str, int]], int]]


def where(body: Body) -> tuple[str, int]:
    """The place of an entry."""
    return body["case"], body["sequence"]


def _choose(bodies: Sequence[Body], rng: random.Random, *, last: bool = False) -> int:
    """The leaf number of an entry of a case; with ``last`` never the one its case ends with."""
    ends = {body["case"]: body["sequence"] for body in bodies}
    fit = [
        number
        for number, body in enumerate(bodies)
        if body["case"] != "log" and not (last and ends[body["case"]] == body["sequence"])
    ]
    return rng.choice(fit)


def edit(attacker: Attacker, bodies: list[Body], rng: random.Random) -> tuple[set[tuple[str, int]], int]:
    """Change one fact of one entry."""
    number = _choose(bodies, rng)
    body = bodies[number]
    place = where(body)
    changes: list[Callable[[], None]] = [
        lambda: body["actor"].update(id="sub_" + rng.randbytes(16).hex()),
        lambda: body["actor"].update(team=body["actor"]["team"] + "x"),
        lambda: body.update(recorded_at=body["recorded_at"][:-3] + "99Z"),
        lambda: body.update(request=rng.randbytes(8).hex()),
        lambda: body.update(clock="clamped"),
        lambda: body.update(type="case:noted" if body["type"] != "case:noted" else "case:linked"),
        lambda: body.update(state_after="released" if body["state_after"] != "released" else "verified"),
        lambda: body.update(recurrence=body["recurrence"] + 1),
        lambda: body["data"].update(prerequisite="mfa-enabled", result="met", note="x"),
        lambda: body["basis"].update(digest=rng.randbytes(32).hex()),
        lambda: body.update(playbook=rng.randbytes(32).hex()),
    ]
    rng.choice(changes)()
    return {place}, number


def delete(attacker: Attacker, bodies: list[Body], rng: random.Random) -> tuple[set[tuple[str, int]], int]:
    """Take one entry out of the middle of its case."""
    number = _choose(bodies, rng, last=True)
    case, sequence = where(bodies.pop(number))
    return {(case, sequence), (case, sequence + 1)}, number


def insert(attacker: Attacker, bodies: list[Body], rng: random.Random) -> tuple[set[tuple[str, int]], int]:
    """Put a second copy of an entry, with an id and a number of its own, behind its case's last one."""
    number = _choose(bodies, rng)
    body = deepcopy(bodies[number])
    sequence = max(item["sequence"] for item in bodies if item["case"] == body["case"]) + 1
    tail = f"{rng.getrandbits(48):012x}"
    body |= {"sequence": sequence, "id": body["id"][:-12] + tail, "request": tail}
    if body["type"] == "case:noted":
        body["data"] = {}
    last = max(item["recorded_at"] for item in bodies if item["case"] == body["case"])
    body["recorded_at"] = last
    bodies.append(body)
    return {(body["case"], sequence)}, len(bodies) - 1


def swap(attacker: Attacker, bodies: list[Body], rng: random.Random) -> tuple[set[tuple[str, int]], int]:
    """Exchange what two neighbouring entries of one case say happened, each keeping its number."""
    while True:
        number = _choose(bodies, rng, last=True)
        first = bodies[number]
        other = next(n for n in range(number + 1, len(bodies)) if bodies[n]["case"] == first["case"])
        second = bodies[other]
        if first["type"] != second["type"] or first["data"] != second["data"]:
            break
    for key in first.keys() - {"sequence", "prev", "id", "recorded_at"}:
        first[key], second[key] = second[key], first[key]
    return {where(first), where(second)}, number


def renumber(attacker: Attacker, bodies: list[Body], rng: random.Random) -> tuple[set[tuple[str, int]], int]:
    """Give an entry, and all behind it in its case, the next number."""
    number = _choose(bodies, rng)
    case, sequence = where(bodies[number])
    for body in bodies:
        if body["case"] == case and body["sequence"] >= sequence:
            body["sequence"] += 1
    return {(case, sequence), (case, sequence + 1)}, number


MUTATIONS: dict[str, Mutation] = {
    "edit": edit,
    "delete": delete,
    "insert": insert,
    "swap": swap,
    "renumber": renumber,
}


def plain(name: str, bench: Bench, rng: random.Random) -> Done:
    """Mutate the rows and leave every hash as it was."""
    place = bench.copy()
    with Attacker(place.database) as attacker:
        before = attacker.bodies()
        positions = [
            position for (position,) in attacker.sql.execute('SELECT entry FROM leaf ORDER BY "index"').fetchall()
        ]
        bodies = deepcopy(before)
        named, index = MUTATIONS[name](attacker, bodies, rng)
        if name == "delete":
            attacker.sql.execute("DELETE FROM entry WHERE position = ?", (positions[index],))
            if rng.random() < 0.5:
                attacker.sql.execute('DELETE FROM leaf WHERE "index" = ?', (index,))
        elif name == "insert":
            body = bodies[-1]
            attacker.sql.execute("INSERT INTO entry (position, body) VALUES (?, ?)", (positions[-1] + 1, text(body)))
            if rng.random() < 0.5:
                leaf = leaf_hash(text(body).encode())
                attacker.sql.execute("INSERT INTO leaf VALUES (?, ?, ?)", (index, positions[-1] + 1, leaf))
        else:
            changed = [number for number, body in enumerate(bodies) if body != before[number]]
            # Deleted first, since no two entries may share case and number on the way.
            for number in changed:
                attacker.sql.execute("DELETE FROM entry WHERE position = ?", (positions[number],))
            for number in changed:
                row = (positions[number], text(bodies[number]))
                attacker.sql.execute("INSERT INTO entry (position, body) VALUES (?, ?)", row)
        if rng.random() < 0.5:
            attacker.redraw()
    return Done(place, named, index)


def resealed(name: str, bench: Bench, rng: random.Random, pen: Pen) -> Done:
    """Mutate, then recompute leaves, nodes and checkpoints, and draw the case table to match."""
    place = bench.copy()
    with Attacker(place.database) as attacker:
        bodies = attacker.bodies()
        sizes = attacker.sizes()
        named, index = MUTATIONS[name](attacker, bodies, rng)
        attacker.reseal(bodies, pen)
        attacker.redraw()
        attacker.forget_texts()
    return Done(place, named, index, commit=begun(sizes, index))


def begun(sizes: Sequence[int], index: int) -> int:
    """The leaf at which the commit began that this leaf was sealed in."""
    return max((size for size in sizes if size <= index), default=0)


def without_key(name: str, bench: Bench, rng: random.Random) -> Done:
    """Every hash recomputed: the old signature left standing, or a key of the attacker's own."""
    foreign = Signer.generate(bench.signer.name)
    return resealed(name, bench, rng, Pen(rng.choice((None, foreign))))


def own_key(bench: Bench, rng: random.Random) -> Done:
    """Put the attacker's own key into the first entry of all, and sign everything with it."""
    place = bench.copy()
    signer = Signer.generate(bench.signer.name)
    with Attacker(place.database) as attacker:
        bodies = attacker.bodies()
        bodies[0]["data"]["vkey"] = signer.verifier.text
        for _ in range(rng.randrange(3)):
            bodies[_choose(bodies, rng)]["clock"] = "clamped"
        attacker.reseal(bodies, Pen(signer))
        attacker.redraw()
    return Done(place, set())


def case_row(bench: Bench, rng: random.Random) -> Done:
    """Set what the worklist shows by SQL."""
    place = bench.copy()
    changes = (
        "state = CASE state WHEN 'released' THEN 'closed' ELSE 'released' END",
        "missing = CASE missing WHEN '[]' THEN '[\"x\"]' ELSE '[]' END",
        "assignee = 'nobody' || assignee",
        "number = number + 1000",
        "entity = 'sub_' || id",
        "version = version + 1",
        "resolution = resolution || 'x'",
        "updated_at = '2020-01-01T00:00:00.000000Z'",
        "updated_at = replace(updated_at, 'T', ' ')",
        "due_at = 'never'",
        "linked = '[ ]'",
        "restriction = 'gone'",
    )
    with Attacker(place.database) as attacker:
        (case_id, newest) = rng.choice(
            attacker.sql.execute(
                "SELECT case_id, max(sequence) FROM entry WHERE case_id <> 'log' GROUP BY 1"
            ).fetchall()
        )
        attacker.sql.execute(f'UPDATE "case" SET {rng.choice(changes)} WHERE id = ?', (case_id,))
        if rng.random() < 0.5:
            attacker.sql.execute(
                'INSERT OR REPLACE INTO standing SELECT id, version, state FROM "case" WHERE id = ?', (case_id,)
            )
    return Done(place, {(case_id, newest)})


def opening(bench: Bench, rng: random.Random) -> Done:
    """Change a text that an entry commits to, or move it where nobody looks."""
    place = bench.copy()
    with Attacker(place.database) as attacker:
        commitment, _case_id = rng.choice(attacker.sql.execute("SELECT commitment, case_id FROM opening").fetchall())
        named = {where(body) for body in attacker.bodies() if commitment in text(body)}
        change = rng.choice(
            ("value = value || '.'", "value = ''", "salt = randomblob(32)", "salt = x'00'", "case_id = 'x'")
        )
        attacker.sql.execute(f"UPDATE opening SET {change} WHERE commitment = ?", (commitment,))
    return Done(place, named if "case_id" not in change else {("x", 0)})


def attachment(bench: Bench, rng: random.Random) -> Done:
    """Change an evidence file."""
    place = bench.copy()
    with Attacker(place.database) as attacker:
        (digest, content) = rng.choice(attacker.sql.execute("SELECT digest, content FROM attachment").fetchall())
        where_flipped = rng.randrange(len(content))
        flipped = bytearray(content)
        flipped[where_flipped] ^= 1 << rng.randrange(8)
        changes = [("content = ?", bytes(flipped)), ("content = ?", content[:-1]), ("size = ?", len(content) + 1)]
        change, value = rng.choice(changes)
        attacker.sql.execute(f"UPDATE attachment SET {change} WHERE digest = ?", (value, digest))
    return Done(place, set())


def playbook(bench: Bench, rng: random.Random) -> Done:
    """Change what was asked for, with or without a digest that fits, or slip in a weaker playbook."""
    place = bench.copy()
    with Attacker(place.database) as attacker:
        rows = attacker.sql.execute("SELECT digest, name, version, body FROM playbook").fetchall()
        digest, name, version, body = rng.choice(rows)
        weaker = json.dumps(
            {**json.loads(body), "approvals": 9}, sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )
        fitting = hashlib.sha256(weaker.encode()).hexdigest()
        statement, values = rng.choice(
            [
                ("UPDATE playbook SET body = ? WHERE digest = ?", (weaker, digest)),
                ("UPDATE playbook SET body = ?, digest = ? WHERE digest = ?", (weaker, fitting, digest)),
                (
                    "INSERT INTO playbook (body, digest, name, version) VALUES (?, ?, ?, ?)",
                    (weaker, fitting, name, version),
                ),
                ("UPDATE playbook SET version = ? WHERE digest = ?", (version + ".1", digest)),
                ("UPDATE playbook SET name = ? WHERE digest = ?", (name + "-2", digest)),
                ("DELETE FROM playbook WHERE digest = ?", (digest,)),
            ]
        )
        attacker.sql.execute(statement, values)
    return Done(place, set())


def names(bench: Bench, rng: random.Random) -> Done:
    """Let an id stand for somebody else: exchange two people or mailboxes, or rename one."""
    place = bench.copy()
    with Attacker(place.database) as attacker:
        kind = rng.choice(["person", "user", "mailbox"])
        rows = attacker.sql.execute("SELECT id, salt, identifier FROM subject WHERE kind = ?", (kind,)).fetchall()
        (one, salt, name), (other, other_salt, other_name) = rng.sample(rows, 2)
        change = "UPDATE subject SET salt = ?, identifier = ? WHERE id = ?"
        attacker.sql.execute(change, (rng.choice([salt, rng.randbytes(32)]), "nobody@contoso.example", one))
        if rng.random() < 0.7:
            attacker.sql.execute(change, (rng.choice([other_salt, salt]), name, other))
            attacker.sql.execute(change, (rng.choice([other_salt, salt]), other_name, one))
    return Done(place, set())


def tree_rows(bench: Bench, rng: random.Random) -> Done:
    """Change leaves, nodes or checkpoints."""
    place = bench.copy()
    with Attacker(place.database) as attacker:
        leaf, node = (
            rng.choice(attacker.sql.execute(f"SELECT {key} FROM {table}").fetchall())[0]
            for key, table in (('"index"', "leaf"), ('"key"', "node"))
        )
        size = rng.choice(attacker.sizes())
        (signed,) = attacker.sql.execute("SELECT note FROM checkpoint WHERE size = ?", (size,)).fetchone()
        place_in_note = rng.randrange(len(signed))
        other = "B" if signed[place_in_note] != "B" else "C"
        altered = (signed[:place_in_note] + other + signed[place_in_note + 1 :]).encode().hex()
        changes = [
            f'UPDATE leaf SET hash = randomblob(32) WHERE "index" = {leaf}',
            f'UPDATE node SET hash = randomblob(32) WHERE "key" = {node}',
            f'DELETE FROM node WHERE "key" = {node}',
            f"INSERT INTO node VALUES ({1 << 62}, randomblob(32))",
            f"UPDATE checkpoint SET note = CAST(x'{altered}' AS TEXT) WHERE size = {size}",
            f"UPDATE checkpoint SET note = '' WHERE size = {size}",
            f"UPDATE checkpoint SET size = size + 100000 WHERE size = {size}",
            "INSERT INTO checkpoint SELECT 0, note FROM checkpoint LIMIT 1",
        ]
        attacker.sql.execute(rng.choice(changes))
    return Done(place, set())


def row_numbers(bench: Bench, rng: random.Random) -> Done:
    """Exchange the row numbers of two entries, so that whoever reads by them sees another order."""
    place = bench.copy()
    with Attacker(place.database) as attacker:
        bodies = attacker.bodies()
        first, second = sorted(rng.sample(range(len(bodies)), 2))
        one, other = (
            attacker.sql.execute('SELECT entry FROM leaf WHERE "index" = ?', (index,)).fetchone()[0]
            for index in (first, second)
        )
        for old, new in ((one, SPARE), (other, one), (SPARE, other)):
            attacker.sql.execute("UPDATE entry SET position = ? WHERE position = ?", (new, old))
            attacker.sql.execute("UPDATE leaf SET entry = ? WHERE entry = ?", (new, old))
    return Done(place, {where(bodies[first])}, first)


def rewritten_with_key(bench: Bench, rng: random.Random) -> Done:
    """Change what no rule judges, before the kept checkpoint, and sign everything with the real key."""
    place = bench.copy()
    with Attacker(place.database) as attacker:
        bodies = attacker.bodies()
        number = _choose(bodies, rng)
        bodies[number]["id"] = bodies[number]["id"][:-12] + f"{rng.getrandbits(48):012x}"
        ends = attacker.sizes()
        attacker.reseal(bodies, Pen(bench.signer))
        attacker.redraw()
    return Done(place, set(), kept=kept_at(bench, rng.choice([size for size in ends if size > number])))


def restored(bench: Bench, rng: random.Random) -> Done:
    """Put an older state of the whole file back: what every commit left, cut to one of them."""
    return cut(bench, rng, lambda size, sizes: kept_at(bench, rng.choice([item for item in sizes if item > size])))


def cut_later(bench: Bench, rng: random.Random) -> Done:
    """Cut the ledger short, but not below the checkpoint that somebody kept."""
    return cut(bench, rng, lambda size, sizes: kept_at(bench, rng.choice([item for item in sizes if item <= size])))


def cut(bench: Bench, rng: random.Random, keep: Callable[[int, list[int]], Path]) -> Done:
    """Cut the ledger to what it was after one of its commits."""
    place = bench.copy()
    with Attacker(place.database) as attacker:
        sizes = attacker.sizes()
        size = rng.choice(sizes[10:-1])
        attacker.truncate(size)
    return Done(place, set(), kept=keep(size, sizes))


def rewritten_later(bench: Bench, rng: random.Random) -> Done:
    """Change what no rule judges, behind the kept checkpoint, and sign with the real key."""
    place = bench.copy()
    with Attacker(place.database) as attacker:
        bodies = attacker.bodies()
        sizes = attacker.sizes()
        size = rng.choice(sizes[10:-1])
        # Digests of evidence cover the leaves of a case from this one on, so that only the product itself could forge
        # what a later list of evidence says of them.
        listed = {body["case"]: number for number, body in enumerate(bodies) if body["type"] == "evidence:listed"}
        number = rng.choice([item for item in range(size, len(bodies)) if item > listed.get(bodies[item]["case"], -1)])
        bodies[number]["id"] = bodies[number]["id"][:-12] + f"{rng.getrandbits(48):012x}"
        attacker.reseal(bodies, Pen(bench.signer))
        attacker.redraw()
    return Done(place, set(), kept=kept_at(bench, size))


def kept_at(bench: Bench, size: int) -> Path:
    """The checkpoint of this size, as somebody kept it: a signed note or its three lines."""
    with closing(sqlite3.connect(bench.place.database)) as connection:
        (note,) = connection.execute("SELECT note FROM checkpoint WHERE size = ?", (size,)).fetchone()
    path = bench.root / f"kept-{size}-{next(bench.numbers)}"
    path.write_text(note if size % 2 else note.split("\n\n")[0] + "\n")
    return path


def other_rows(bench: Bench, rng: random.Random) -> Done:
    """Write a case of another ledger into this one, whole, with its texts and its hashes in the tree."""
    place = bench.copy()
    with Attacker(bench.copy(bench.other.database).database) as other:
        theirs = other.bodies()
    case_id = rng.choice(sorted({body["case"] for body in theirs} - {"log"}))
    with Attacker(place.database) as attacker:
        bodies = attacker.bodies()
        bodies += [body for body in theirs if body["case"] == case_id]
        attacker.reseal(bodies, Pen(rng.choice((None, bench.signer))))
        attacker.redraw()
    return Done(place, {(case_id, 1)})


def other_file(bench: Bench, rng: random.Random) -> Done:
    """Put the whole file of another ledger in this one's place, cut to any of its commits."""
    place = bench.copy(bench.other.database)
    with Attacker(place.database) as attacker:
        attacker.truncate(rng.choice(attacker.sizes()[10:]))
    return Done(place, set())


def back_dated(bench: Bench, rng: random.Random) -> Done:
    """Append what looks like an honest note, dated before the entry it follows."""
    place = bench.copy()
    with Attacker(place.database) as attacker:
        bodies = attacker.bodies()
        note = deepcopy(next(body for body in bodies if body["type"] == "case:noted"))
        host = rng.choice([body for body in bodies if body["case"] != "log"])
        last = max((body for body in bodies if body["case"] == host["case"]), key=lambda body: int(body["sequence"]))
        early = f"2026-11-{rng.randrange(10, 24)}T0{rng.randrange(10)}:00:00.000000Z"
        tail = f"{rng.getrandbits(48):012x}"
        note |= {key: last[key] for key in ("case", "tenant", "recurrence", "playbook")}
        state = next(
            body["state_after"] for body in reversed(bodies) if body["case"] == last["case"] and body["state_after"]
        )
        note |= {"state_before": state, "sequence": last["sequence"] + 1, "recorded_at": early, "request": tail}
        note["id"] = note["id"][:-12] + tail
        bodies.append(note)
        sizes = attacker.sizes()
        attacker.reseal(bodies, Pen(rng.choice((None, Signer.generate(bench.signer.name), bench.signer))))
        attacker.redraw()
    return Done(place, {where(note)}, len(bodies) - 1, commit=begun(sizes, len(bodies) - 1))


def forged_step(bench: Bench, rng: random.Random) -> Done:
    """Append a step that no rule allows, well formed, with every hash made anew and the real signature."""
    place = bench.copy()
    with Attacker(place.database) as attacker:
        bodies = attacker.bodies()
        standing: dict[str, Body] = {}
        for body in bodies:
            if body["state_after"]:
                standing[body["case"]] = body
        case_id = rng.choice(
            [case for case in sorted(standing) if standing[case]["state_after"] in {"detected", "contained"}]
        )
        case = [body for body in bodies if body["case"] == case_id]
        samples = {
            name: next(body for body in bodies if body["type"] == name)
            for name in (
                "case:released",
                "case:verified",
                "unblock:approved",
                "unblock:intended",
                "case:closed",
                "unblock:requested",
            )
        }
        body = deepcopy(samples[rng.choice(sorted(samples))])
        body |= {key: case[-1][key] for key in ("case", "tenant", "recurrence", "playbook", "recorded_at")}
        body |= {"state_before": standing[case_id]["state_after"], "sequence": case[-1]["sequence"] + 1}
        tail = f"{rng.getrandbits(48):012x}"
        body |= {"id": body["id"][:-12] + tail, "request": tail, "cites": [], "prev": "0" * 64}
        bodies.append(body)
        attacker.reseal(bodies, Pen(bench.signer))
        attacker.redraw()
    return Done(place, {where(body)}, len(bodies) - 1)


def copy_file(source: Path, target: Path) -> Path:
    """Copy a file and return the copy."""
    shutil.copyfile(source, target)
    return target


def newest_kept(bench: Bench) -> Path:
    """The newest checkpoint, kept elsewhere as the file of checkpoints is."""
    return copy_file(bench.place.checkpoints, bench.root / f"kept-{next(bench.numbers)}")
