"""The memory outside the database: every checkpoint, one JSON line each, in a file of its own.

A database can be rolled back or cut short by whoever owns its file; that the file of checkpoints knows a larger tree
than the database is how it shows.
"""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Final

from workflow.errors import StorageError, VerificationError
from workflow.ledger.checkpoint import Checkpoint, open_checkpoint, parse
from workflow.ledger.malformed import Malformed
from workflow.ledger.note import Verifier
from workflow.ledger.origin import named, number, rank
from workflow.ledger.verify import compare
from workflow.storage import tree
from workflow.storage.files import make_folder, opened
from workflow.storage.openings import marks
from workflow.storage.transaction import Tx

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows has no fcntl; appends of one line are the best it gets
    fcntl = None  # type: ignore[assignment]

_MAX_LINE: Final = 65_536
_BLOCK: Final = 65_536
_OVERTAKEN: Final = 200
_DIGITS: Final = 16
_LINES: Final = 3
_AT_ONCE: Final = 500


def append(path: Path, note: str) -> None:
    """Append a signed note under a lock on the file.

    A line that a crash tore is ended first, so that it cannot swallow this one. Nothing waits for the disk here: what a
    power cut takes from this file the database, which is then ahead of it, gives back at the next start.

    Raises:
        StorageError: the file cannot be written. The step it follows stands all the same.
    """
    line = json.dumps({"checkpoint": note}, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    try:
        with _locked(_opened(path)) as file:
            if os.lseek(file, 0, os.SEEK_END):
                os.lseek(file, -1, os.SEEK_END)
                line = line if os.read(file, 1) == b"\n" else b"\n" + line
            while line:
                line = line[os.write(file, line) :]
    except OSError as error:
        raise StorageError(
            f"The checkpoint could not be kept in {path}: {error.strerror}. The step itself is recorded and sealed; "
            "put the file's folder right, and the next start will catch up."
        ) from error


def notes(path: Path) -> Iterator[str]:
    """Yield every note in the file, the one appended last first; torn and foreign lines are passed over.

    Raises:
        StorageError: the file is there but cannot be read.
    """
    try:
        with path.open("rb") as file:
            pieces = _pieces_from_end(file)
            next(pieces)  # Behind the last line break stands nothing, or a torn line.
            for line in pieces:
                note = _note(line)
                if note is not None:
                    yield note
    except FileNotFoundError:
        return
    except OSError as error:
        raise StorageError(f"The checkpoints in {path} cannot be read: {error.strerror}.") from error


def newest(path: Path, verifiers: Sequence[Verifier], *, lately: bool = False) -> tuple[Checkpoint, str] | None:
    """Return the newest checkpoint in the file that a known key signed, with its note; None without one.

    The newest is the largest of those under the log's last name.

    Args:
        path: the file.
        verifiers: the known keys.
        lately: stop some lines after the first one found, so that a start takes no longer as the file grows. Processes
            that commit at the same time overtake each other by a few lines at most.
    """
    found: tuple[Checkpoint, str] | None = None
    passed = 0
    for note in notes(path):
        passed += found is not None
        if lately and passed > _OVERTAKEN:
            break
        # A signature is only checked where the note claims to be larger: in a file that was appended to, once.
        if found is None or _claimed(note) > rank(found[0]):
            with suppress(Malformed):
                found = signed(note, verifiers), note
    return found


def newest_of_each(path: Path, verifiers: Sequence[Verifier]) -> list[tuple[Checkpoint, str]]:
    """Return the largest checkpoint, with its note, under each of the log's names; oldest name first."""
    found: dict[int, tuple[Checkpoint, str]] = {}
    for note in notes(path):
        place, size = _claimed(note)
        if place not in found or size > found[place][0].size:
            with suppress(Malformed):
                found[place] = signed(note, verifiers), note
    return [found[place] for place in sorted(found)]


def before(path: Path, size: int, verifiers: Sequence[Verifier]) -> Checkpoint | None:
    """Return the newest checkpoint in the file, signed by a known key, that covers at most so many entries."""
    within = sorted({note for note in notes(path) if 0 <= _claimed(note)[1] <= size}, key=_claimed, reverse=True)
    for note in within:
        with suppress(Malformed):
            return signed(note, verifiers)
    return None


def unstored(tx: Tx, kept: Iterable[str], size: int) -> Iterator[str]:
    """Yield those of the kept checkpoints, of at most so many entries, that do not stand in the database.

    They are notes, or the three lines of one: those are compared, because others may have signed a note since.
    """
    source = iter(kept)
    while part := list(islice(source, _AT_ONCE)):
        sizes = {note: claimed for note in part if 0 < (claimed := _claimed(note)[1]) <= size}
        rows = tx.all(f"SELECT note FROM checkpoint WHERE size IN ({marks(part)})", [sizes.get(note) for note in part])
        there = {note for (note,) in rows}
        # All but those that are gone are the same to the last byte; only of the others the lines are looked at.
        gone = [note for note in sizes if note not in there]
        lines = {_lines(note) for note in there} if gone else set()
        yield from (note for note in gone if _lines(note) not in lines)


def signed(note: str, verifiers: Sequence[Verifier]) -> Checkpoint:
    """Return a checkpoint that a known key signed, under whichever of its log's names.

    Raises:
        Malformed: it is none, or no known key signed it.
    """
    return open_checkpoint(note, named(verifiers, parse(note).origin))


def reconcile(tx: Tx, path: Path, verifiers: Sequence[Verifier]) -> bool:
    """Hold the database against the file before anything is written; return whether the file was healed.

    A database that is ahead and extends the file's newest checkpoint heals it. So does one that goes on under a later
    name: only whoever has the key can have declared that restore, and was stopped before the file heard of it.

    Raises:
        VerificationError: the database is smaller than, or not an extension of, what the file remembers.
    """
    kept = newest(path, verifiers, lately=True)
    note = tree.newest(tx)
    if kept is not None and not _restored(note, kept[0], verifiers):
        fault = compare(kept[0], tree.size(tx), tree.lookup(tx))
        if fault is not None:
            raise VerificationError(
                f"The database does not continue the checkpoints in {path}: {fault.why}. Nothing is written until "
                "this is explained; if a backup was put back on purpose, declare it: holdfast ledger restore"
            )
    if note is None or (kept is not None and rank(parse(note)) <= rank(kept[0])):
        return False
    append(path, note)
    return True


def _restored(note: str | None, kept: Checkpoint, verifiers: Sequence[Verifier]) -> bool:
    """Say whether the database's newest checkpoint is signed under a later name than the file's."""
    try:
        return note is not None and number(signed(note, verifiers).origin) > number(kept.origin)
    except Malformed:
        return False


def _opened(path: Path) -> int:
    flags = os.O_RDWR | os.O_APPEND
    try:
        return opened(path, flags)
    except FileNotFoundError:
        make_folder(path)
        return opened(path, flags)


def _pieces_from_end(file: BinaryIO) -> Iterator[bytes]:
    """Yield what stands between the file's line breaks, from the last to the first."""
    position, rest = file.seek(0, os.SEEK_END), b""
    while position:
        start = max(0, position - _BLOCK)
        file.seek(start)
        first, *pieces = (file.read(position - start) + rest).split(b"\n")
        yield from reversed(pieces)
        # Of a line that is too long to be ours only so much is kept as shows that it is.
        rest, position = first[: _MAX_LINE + 1], start
    yield rest


def _claimed(note: str) -> tuple[int, int]:
    """Return the rank that a note claims, size -1 where it claims none."""
    origin, _, rest = note.partition("\n")
    size = rest.split("\n", 1)[0]
    plain = size.isascii() and size.isdigit() and len(size) <= _DIGITS
    return (number(origin), int(size)) if plain else (0, -1)


def _lines(note: str) -> str:
    """Return the three lines that say what a checkpoint is about."""
    return "\n".join(note.split("\n", _LINES)[:_LINES])


def _note(line: bytes) -> str | None:
    if len(line) > _MAX_LINE:
        return None
    try:
        found: Any = json.loads(line)
    except (ValueError, RecursionError):
        return None
    note = found.get("checkpoint") if isinstance(found, dict) else None
    return note if isinstance(note, str) else None


@contextmanager
def _locked(file: int) -> Iterator[int]:
    """Hold the file's lock for a while, then close it."""
    try:
        if fcntl is not None:  # pragma: no branch
            fcntl.flock(file, fcntl.LOCK_EX)
        yield file
    finally:
        os.close(file)
