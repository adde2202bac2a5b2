"""Attacks on what stands beside the entries: rows that nothing put there, and rows taken out."""

import random

from tests.tamper.attacker import Attacker
from tests.tamper.attacks import Done
from tests.tamper.conftest import Bench


def stray_rows(bench: Bench, rng: random.Random) -> Done:
    """Put a row where none belongs, or take one that nothing but the database itself reads."""
    place = bench.copy()
    with Attacker(place.database) as attacker:
        size = attacker.sizes()[-1]
        changes = [
            f"INSERT INTO node VALUES ({rng.randrange(1 << 56)}, randomblob(32))",
            f"INSERT INTO node VALUES ({-1 - rng.randrange(1 << 62)}, randomblob(32))",
            f"INSERT INTO node VALUES ({(rng.randrange(1, 127) << 56) + rng.randrange(size, 1 << 56)}, randomblob(32))",
            f"INSERT INTO checkpoint VALUES ({-1 - rng.randrange(1 << 62)}, 'forged')",
            f"INSERT INTO checkpoint SELECT {size + rng.randrange(1, 99)}, note FROM checkpoint WHERE size = {size}",
            f"INSERT INTO unsealed VALUES ({rng.randrange(1, 2 * size)})",
            "DELETE FROM standing WHERE case_id = (SELECT max(case_id) FROM standing)",
            "UPDATE standing SET version = version - 1",
            "UPDATE opening SET subject = 'sub_1' WHERE commitment = (SELECT max(commitment) FROM opening)",
            "INSERT INTO alembic_version VALUES ('0000')",
            f"UPDATE sqlite_sequence SET seq = {(1 << 63) - 1} WHERE name = 'subject'",
            "INSERT INTO subject_search (rowid, identifier) VALUES (99999, 'mallory@contoso.example')",
            "UPDATE subject_search_config SET v = 99",
            "DELETE FROM subject_search_data WHERE id > 10",
        ]
        attacker.sql.execute(rng.choice(changes))
    return Done(place, set())


def checkpoints_gone(bench: Bench, rng: random.Random) -> Done:
    """Take out signed checkpoints, but for the newest, which holds the tree together by itself."""
    place = bench.copy()
    with Attacker(place.database) as attacker:
        sizes = attacker.sizes()[:-1]
        gone = rng.sample(sizes, rng.randrange(1, len(sizes) + 1))
        attacker.sql.executemany("DELETE FROM checkpoint WHERE size = ?", [(size,) for size in gone])
    return Done(place, set())
