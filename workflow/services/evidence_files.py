"""Evidence files of a case: which there are, and one given back with its check."""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from workflow.domain.vocabulary import EntryType
from workflow.errors import InputError, NotFoundError, VerificationError
from workflow.services import casework
from workflow.services.names import Names
from workflow.storage import attachments, cases
from workflow.storage.files import write_beside

if TYPE_CHECKING:
    from pathlib import Path

    from workflow.app import App
    from workflow.domain.record import Entry

_DIGEST = re.compile(r"[0-9a-f]{8,64}").fullmatch


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """One file that an entry names. ``size`` (bytes) is None where the file is not here any more.

    ``name`` is what the file was called on somebody's machine: untrusted text, and never a path to write to.
    """

    sequence: int
    prerequisite: str
    about: str
    name: str
    digest: str
    size: int | None
    by: str
    recorded_at: str
    stands: bool

    def to_data(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


def attached(app: App, reference: str) -> list[Attached]:
    """Return every file of a case by the entry that names it, oldest first; ``stands`` says whether it still counts.

    Raises:
        NotFoundError, InputError: as :func:`workflow.services.casework.find`.
    """
    case_id = casework.find(app, reference)
    with app.database.reading() as tx:
        standing = {item.sequence for item in cases.load(tx, case_id).evidence.values()}
        entries = [entry for entry in cases.entries(tx, case_id) if _names_a_file(entry)]
        sizes = attachments.sizes(tx, [entry.data["attachment"] for entry in entries])
        people = {entry.actor["id"] for entry in entries} | {entry.data.get("about", "") for entry in entries}
        names = Names(tx, people - {""}, {_name(entry) for entry in entries} - {""})
        return [
            Attached(
                sequence=entry.sequence,
                prerequisite=entry.data["prerequisite"],
                about=names.subject(entry.data.get("about", "")),
                name=names.commitment(_name(entry)),
                digest=entry.data["attachment"],
                size=sizes.get(entry.data["attachment"]),
                by=names.subject(entry.actor["id"]),
                recorded_at=entry.recorded_at,
                stands=entry.sequence in standing,
            )
            for entry in entries
        ]


def content(app: App, reference: str, wanted: str) -> tuple[Attached, bytes]:
    """Return a file of a case by its name, or by eight or more digits of its SHA-256, with its bytes.

    The bytes are held against the digest that the entry carries, so what is given back is what was attached.

    Raises:
        NotFoundError: the case has no such file, or it was erased.
        InputError: several files have this name; the message lists their digests.
        VerificationError: the stored bytes are not those that were attached.
    """
    files = attached(app, reference)
    digits = wanted.lower()
    fits = [item for item in files if item.name == wanted] or [
        item for item in files if _DIGEST(digits) and item.digest.startswith(digits)
    ]
    if not fits:
        message = f"Case {reference!r} has no file {wanted!r}."
        raise NotFoundError(message, next_step="See its files with: holdfast case attachment list CASE")
    if len({item.digest for item in fits}) > 1:
        digests = ", ".join(dict.fromkeys(item.digest[:16] for item in fits))
        message = f"{wanted!r} fits several files: {digests}. Use the beginning of a digest."
        raise InputError(message)
    with app.database.reading() as tx:
        data = attachments.get(tx, fits[-1].digest)
    if hashlib.sha256(data).hexdigest() != fits[-1].digest:
        message = (
            f"The stored bytes are not the ones that entry {fits[-1].sequence} names by SHA-256: nothing was written."
        )
        raise VerificationError(message)
    return fits[-1], data


def save(path: Path, data: bytes) -> None:
    """Write a file's bytes to a path that somebody chose; never over another file, and never executable.

    Raises:
        InputError: something is there already, or the file cannot be made.
    """
    write_beside(path, data)


def _names_a_file(entry: Entry) -> bool:
    # A refused answer named a file too, but nothing stands on it.
    return entry.type in {EntryType.EVIDENCE_RECORDED, EntryType.EVIDENCE_CONFIRMED} and "attachment" in entry.data


def _name(entry: Entry) -> str:
    return str(entry.data.get("file", {}).get("commitment", ""))
