"""A ledger on one file: its entries and newest checkpoint as JSON Lines, verifiable with nothing else.

The first line is a header, then one line per leaf from 0 up, each holding the entry's exact bytes as text.
This is the plain export of a whole ledger; packages per case, with inclusion proofs, playbooks and a readable
report, come later. The key in the header says which key to look for. Trust has to come from elsewhere: verify
with the key you were given.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from workflow.errors import InputError
from workflow.ledger import canonical, verify
from workflow.ledger.entry import MAX_READ
from workflow.ledger.malformed import Malformed
from workflow.ledger.note import MAX_NOTE, Verifier
from workflow.ledger.origin import named

FORMAT = "holdfast-ledger/1"
MAX_TEXT = 1 << 20
"""Largest text beside the entries, in characters."""
MAX_LINE = 6 * max(MAX_READ + MAX_NOTE, MAX_TEXT)
"""Longest line read, in characters: JSON may spend six on one."""

_HEADER = ("checkpoint", "format", "origins", "size", "vkey")
_ROW = ("body", "index", "leaf")
_TEXT = ("digest", "text")


@dataclass(frozen=True, slots=True)
class Header:
    """What an export says about itself."""

    origins: tuple[str, ...]
    """The names the log has had, oldest first."""
    vkey: str
    size: int
    """Entries that follow."""
    checkpoint: str
    """The newest checkpoint, a signed note."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """An export being read: its header, and its rows as they come."""

    header: Header
    rows: Iterator[verify.Row]
    """Raises :class:`Malformed` where a line is damaged."""
    texts: dict[str, str]
    """What entries name by the SHA-256 of its bytes (playbooks), by that digest; complete once the rows are read."""
    repeated: set[str]
    """The digests of texts that stand there more than once; complete once the rows are read."""


def write(header: Header, rows: Iterable[verify.Row], texts: Iterable[str] = ()) -> Iterator[str]:
    """Yield the lines of an export, each with its newline.

    Raises:
        InputError: an entry's bytes are missing or no text, so that no export could carry them.
    """
    yield _line(
        {
            "checkpoint": header.checkpoint,
            "format": FORMAT,
            "origins": header.origins,
            "size": header.size,
            "vkey": header.vkey,
        }
    )
    for index, body, leaf in rows:
        if body is None:
            raise InputError(f"the bytes of entry {index} are missing")
        try:
            text = body.decode()
        except UnicodeDecodeError:
            raise InputError(f"the bytes of entry {index} are no text") from None
        yield _line({"body": text, "index": index, "leaf": leaf.hex()})
    for text in texts:
        yield _line({"digest": hashlib.sha256(text.encode()).hexdigest(), "text": text})


def read(lines: Iterable[str]) -> Bundle:
    """Read an export; the rows are read as they are asked for.

    Raises:
        Malformed: the header is not that of an export of this format.
    """
    source = iter(lines)
    found = _object(next(source, ""), _HEADER, 1)
    origins = found["origins"]
    texts = (found["vkey"], found["checkpoint"], *(origins if type(origins) is list else (None,)))
    if found["format"] != FORMAT:
        raise Malformed(f"the export's format is not {FORMAT}")
    if type(found["size"]) is not int or not all(isinstance(text, str) for text in texts):
        raise Malformed("the export's header has fields of the wrong kind")
    header = Header(tuple(origins), found["vkey"], found["size"], found["checkpoint"])
    beside: dict[str, str] = {}
    repeated: set[str] = set()
    return Bundle(header, _rows(source, beside, repeated), beside, repeated)


def check(bundle: Bundle, verifiers: Sequence[Verifier]) -> verify.TreeReport:
    """Verify an export against keys that were obtained elsewhere.

    Raises:
        Malformed: a line is damaged, so that what follows cannot be read.
    """
    header = bundle.header
    notes = [(header.size, header.checkpoint)]
    keys = {key.text: key for origin in header.origins for key in named(verifiers, origin)}
    return verify.check_tree(bundle.rows, notes, origins=header.origins, verifiers=list(keys.values()))


def _rows(lines: Iterator[str], texts: dict[str, str], repeated: set[str]) -> Iterator[verify.Row]:
    """Read the lines after the header; texts are put aside, each held against its digest."""
    for number, line in enumerate(lines, start=2):
        found = _object(line, _TEXT if line.startswith('{"digest"') else _ROW, number)
        if "text" in found:
            digest, text = found["digest"], found["text"]
            if type(text) is not str or _digest(text) != digest:
                raise Malformed(f"line {number} holds a text that is not what its digest says")
            repeated.update({digest} & texts.keys())
            texts[digest] = text
            continue
        index, body, leaf = found["index"], found["body"], found["leaf"]
        if type(index) is not int or type(body) is not str or type(leaf) is not str:
            raise Malformed(f"line {number} has fields of the wrong kind")
        try:
            row = index, body.encode(), bytes.fromhex(leaf)
        except ValueError:
            raise Malformed(f"line {number} holds a lone surrogate or a leaf that is not hexadecimal") from None
        yield row


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def _object(line: str, keys: tuple[str, ...], number: int) -> dict[str, Any]:
    """Read one line as an object of exactly these keys."""
    if len(line) > MAX_LINE:
        raise Malformed(f"line {number} is longer than {MAX_LINE} characters")
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        raise Malformed(f"line {number} is not JSON") from None
    if type(found) is not dict or tuple(sorted(found)) != keys:
        raise Malformed(f"line {number} is not an object of {', '.join(keys)}")
    return found


def _line(value: dict[str, Any]) -> str:
    return canonical.encode(value).decode() + "\n"
