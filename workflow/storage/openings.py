"""Openings: what the salted commitments in entries stand for. They can be erased, and every proof stays valid."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from workflow.storage.transaction import Tx

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Opening:
    """The salt (32 bytes) and text behind one commitment, and the subject id it is about, if it is about one."""

    salt: bytes
    value: str
    subject: str | None = None


def keep(tx: Tx, case_id: str, openings: Mapping[str, Opening]) -> None:
    """Store openings by commitment (64 hexadecimal digits)."""
    if openings:
        tx.later(
            _put, [(commitment, item.salt, item.value, case_id, item.subject) for commitment, item in openings.items()]
        )


def _put(tx: Tx, rows: list[tuple[str, bytes, str, str, str | None]]) -> None:
    tx.write_all("INSERT INTO opening (commitment, salt, value, case_id, subject) VALUES (?, ?, ?, ?, ?)", rows)


def reveal(tx: Tx, commitments: Iterable[str]) -> dict[str, str]:
    """Return the texts by commitment; what was erased is not among them."""
    return {commitment: item.value for commitment, item in of(tx, commitments).items()}


def of(tx: Tx, commitments: Iterable[str]) -> dict[str, Opening]:
    """Return the openings by commitment, salts included, for whoever has to prove one."""
    wanted, found = list(dict.fromkeys(commitments)), {}
    for start in range(0, len(wanted), _AT_ONCE):
        part = wanted[start : start + _AT_ONCE]
        rows = tx.all(f"SELECT commitment, salt, value, subject FROM opening WHERE commitment IN ({marks(part)})", part)
        found.update({row[0]: Opening(bytes(row[1]), row[2], row[3]) for row in rows})
    return found


def of_case(tx: Tx, case_id: str) -> dict[str, Opening]:
    """Return every opening of a case by commitment."""
    rows = tx.all("SELECT commitment, salt, value, subject FROM opening WHERE case_id = ?", (case_id,))
    return {row[0]: Opening(bytes(row[1]), row[2], row[3]) for row in rows}


def cases(tx: Tx) -> list[str]:
    """Return the ids of all cases that texts are stored for, whether there are such cases or not."""
    return [case_id for (case_id,) in tx.all("SELECT DISTINCT case_id FROM opening ORDER BY case_id")]


def marks(values: Sequence[object]) -> str:
    """Return as many question marks as there are values."""
    return ", ".join("?" * len(values))
