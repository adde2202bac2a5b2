"""What auditors take away, and the repair of the one thing that may be repaired: the picture."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TextIO

from workflow.domain.picture import picture
from workflow.domain.vocabulary import LOG_CASE, EntryType
from workflow.errors import InputError, NotFoundError
from workflow.ledger import bundle
from workflow.ledger.finding import Finding
from workflow.ledger.malformed import Malformed
from workflow.services import logbook, setup
from workflow.services.verification import read_key
from workflow.storage import cases, playbooks, tree
from workflow.storage.rebuild import rebuild as redraw

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from workflow.app import App
    from workflow.domain.picture import Picture
    from workflow.ledger.verify import Row, TreeReport
    from workflow.services.people import Who
    from workflow.storage.transaction import Tx


LONGEST_LINE = 1 << 24
"""Characters of one line of an export; an entry, and a playbook of 256 KiB, stay well below."""


def checkpoint(app: App) -> str:
    """Seal what is not sealed and return the newest signed note (origin, size, root, blank line, signature).

    Raises:
        NotFoundError: nothing is on the ledger yet.
        KeyMissingError: something is unsealed and there is no key.
    """
    setup.seal_now(app)
    with app.database.reading() as tx:
        note = tree.newest(tx)
    if note is None:
        message = "The ledger is empty."
        raise NotFoundError(message)
    return note


def export(app: App, path: Path) -> int:
    """Write every sealed entry, the newest checkpoint and all playbooks to a file of JSON Lines.

    Returns how many entries.

    The file is made new and complete or not at all.

    Raises:
        InputError: the file exists, cannot be written, or an entry's bytes are missing.
    """
    if path.exists():
        message = f"{path} exists already; nothing was written over it."
        raise InputError(message)
    checkpoint(app)
    partial = path.with_name(path.name + ".partial")
    try:
        with app.database.reading() as tx, partial.open("x", encoding="utf-8", newline="\n") as file:
            header = _header(tx)
            for line in bundle.write(header, tree.leaves(tx), (item.body for item in playbooks.every(tx))):
                file.write(line)
        partial.rename(path)
    except FileExistsError:
        message = f"{partial} exists: another export is running, or one was cut short. Remove it and try again."
        raise InputError(message) from None
    except BaseException as error:
        partial.unlink(missing_ok=True)
        if not isinstance(error, OSError):
            raise
        message = f"{path} cannot be written: {error.strerror}."
        raise InputError(message) from None
    return header.size


def _header(tx: Tx) -> bundle.Header:
    created, *later = cases.entries(tx, LOG_CASE)
    names = [entry.data["origin"] for entry in later if entry.type == EntryType.LOG_RESTORED]
    return bundle.Header((created.data["origin"], *names), created.data["vkey"], tree.size(tx), tree.newest(tx) or "")


def verify_export(path: Path, key: str) -> TreeReport:
    """Check an export against a public key, without any database.

    Raises:
        InputError: the file or the key cannot be read.
    """
    verifier = read_key(key)
    try:
        with path.open(encoding="utf-8") as file:
            found = bundle.read(_lines(file))
            named = Named()
            report = bundle.check(replace(found, rows=named.listen(found.rows)), [verifier])
    except Malformed as error:
        raise InputError(f"{path} is no whole export of a ledger: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path} cannot be read: {error}."
        raise InputError(message) from None
    return replace(report, findings=(*report.findings, *named.faults(found.texts)))


def _lines(file: TextIO) -> Iterator[str]:
    """Yield the lines of an export, none of which is longer than ours: a file without line breaks has no other end.

    Raises:
        Malformed: a line is too long.
    """
    while line := file.readline(LONGEST_LINE + 1):
        if len(line) > LONGEST_LINE:
            raise Malformed(f"a line is longer than {LONGEST_LINE:,} characters")
        yield line


@dataclass(slots=True)
class Named:
    """The playbooks that an export's entries name, by digest: those the log adopted, those a case stands on."""

    adopted: set[str] = field(default_factory=set)
    used: dict[str, tuple[str, int]] = field(default_factory=dict)

    def listen(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Pass the rows on and keep what they name; what is no entry is for others to report."""
        for row in rows:
            with suppress(ValueError, TypeError, KeyError, AttributeError, RecursionError):
                body = json.loads(row[1] or b"")
                if body["type"] == EntryType.PLAYBOOK_ADOPTED:
                    self.adopted.add(str(body["data"]["digest"]))
                if body["playbook"]:
                    self.used.setdefault(str(body["playbook"]), (body["case"], row[0]))
            yield row

    def faults(self, texts: Mapping[str, str]) -> Iterator[Finding]:
        """Yield a finding for each adopted playbook that is not there, and each case under one never adopted."""
        for digest in sorted(self.adopted - texts.keys()):
            yield Finding("playbook", LOG_CASE, 0, -1, f"playbook {digest[:12]} was adopted and is not in the export")
        for digest in sorted(self.used.keys() - self.adopted):
            case, index = self.used[digest]
            yield Finding("playbook", str(case), 0, index, f"it stands on playbook {digest[:12]}, never adopted here")


def public_key(app: App) -> str:
    """Return the public key that the log names as its own; compare it with the one you keep."""
    with app.database.reading() as tx:
        return str(cases.entries(tx, LOG_CASE)[0].data["vkey"])


def rebuild(app: App, who: Who) -> int:
    """Throw the case table away and draw it again from the entries; returns how many cases there are."""
    logbook.prepare(app, who)
    with app.database.transaction() as tx:
        cases.lock_intake(tx)
        cases.lock(tx, cases.ids(tx))
        return draw_anew(app, tx)


def draw_anew(app: App, tx: Tx) -> int:
    """Draw every case's row again in a transaction that nobody else writes beside; returns how many there are."""
    return redraw(tx, _pictures(app, tx, [case_id for case_id in cases.ids(tx) if case_id != LOG_CASE]))


def _pictures(app: App, tx: Tx, known: list[str]) -> Iterator[Picture]:
    for case_id in known:
        case = cases.load(tx, case_id)
        yield picture(case, app.playbook(tx, case.playbook))
