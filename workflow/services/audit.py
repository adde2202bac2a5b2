"""What auditors take away, and the repair of the one thing that may be repaired: the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.domain.picture import picture
from workflow.domain.vocabulary import LOG_CASE, EntryType
from workflow.errors import InputError, NotFoundError
from workflow.ledger import bundle
from workflow.services import logbook, setup
from workflow.services.verification import read_key
from workflow.storage import cases, tree
from workflow.storage.rebuild import rebuild as redraw

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from workflow.app import App
    from workflow.domain.picture import Picture
    from workflow.ledger.verify import TreeReport
    from workflow.services.people import Who
    from workflow.storage.transaction import Tx


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
    """Write every sealed entry and the newest checkpoint to a file of JSON Lines; returns how many entries.

    The file is made new and complete or not at all.

    Raises:
        InputError: the file exists, cannot be written, or an entry's bytes are missing.
    """
    if path.exists():
        message = f"{path} exists already; nothing was written over it."
        raise InputError(message)
    checkpoint(app)
    count = 0
    partial = path.with_name(path.name + ".partial")
    try:
        with app.database.reading() as tx, partial.open("x", encoding="utf-8", newline="\n") as file:
            for line in bundle.write(_header(tx), tree.leaves(tx)):
                file.write(line)
                count += 1
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
    return count - 1


def _header(tx: Tx) -> bundle.Header:
    created, *later = cases.entries(tx, LOG_CASE)
    names = [entry.data["origin"] for entry in later if entry.type == EntryType.LOG_RESTORED]
    return bundle.Header((created.data["origin"], *names), created.data["vkey"], tree.size(tx), tree.newest(tx) or "")


def verify_export(path: Path, key: str) -> TreeReport:
    """Check an export against a public key, without any database.

    Raises:
        InputError: the file or the key cannot be read.
    """
    try:
        with path.open(encoding="utf-8") as file:
            return bundle.check(bundle.read(file), [read_key(key)])
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path} cannot be read: {error}."
        raise InputError(message) from None


def public_key(app: App) -> str:
    """Return the public key that the log names as its own; compare it with the one you keep."""
    with app.database.reading() as tx:
        return str(cases.entries(tx, LOG_CASE)[0].data["vkey"])


def rebuild(app: App, who: Who) -> int:
    """Throw the case table away and draw it again from the entries; returns how many cases there are."""
    logbook.prepare(app, who)
    with app.database.transaction() as tx:
        cases.lock_intake(tx)
        known = [case_id for case_id in cases.ids(tx) if case_id != LOG_CASE]
        cases.lock(tx, known)
        return redraw(tx, _pictures(app, tx, known))


def _pictures(app: App, tx: Tx, known: list[str]) -> Iterator[Picture]:
    for case_id in known:
        case = cases.load(tx, case_id)
        yield picture(case, app.playbook(tx, case.playbook))
