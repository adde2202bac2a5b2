"""``holdfast ledger``: read, verify, checkpoint, export, rebuild."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from workflow.cli.exits import Exit
from workflow.cli.lazy import InOrder
from workflow.cli.ledger_access import access
from workflow.cli.ledger_reconcile import reconcile
from workflow.cli.ledger_restore import restore
from workflow.cli.ledger_sample import sample
from workflow.cli.output import as_csv, as_json, hint, say
from workflow.cli.paths import FILE
from workflow.cli.progress import progress_bar
from workflow.cli.session import Session, Verb
from workflow.cli.text import visible
from workflow.errors import DatabaseBusyError, InputError, StorageError, VerificationError

if TYPE_CHECKING:
    from workflow.services.verification import Report

LARGEST_KEY = 4096
"""Bytes of a public key's file; the key itself is one short line."""


@click.group(
    cls=InOrder,
    commands=(sample, reconcile, access, restore),
    order=("log", "verify", "checkpoint", "export", "sample", "reconcile", "access", "rebuild", "restore"),
)
def ledger() -> None:
    """Verify, checkpoint, export and restore the ledger; audit a period."""


@ledger.command(cls=Verb)
@click.option(
    "--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many of the newest to show."
)
@click.option("--by", metavar="NAME", default="", help="Only this person's: the claimed name or the system's user.")
@click.option("--csv", "wants_csv", is_flag=True, help="Print CSV, times in UTC.")
@click.pass_obj
def log(session: Session, limit: int, by: str, wants_csv: bool) -> None:
    """Show the newest entries of the whole ledger, oldest of them first."""
    from workflow.cli.timeline import ENTRY_COLUMNS, show_timeline
    from workflow.services.history import log as read

    entries = read(session.app, limit, by)
    if session.as_json:
        as_json({"entries": [entry.to_data() for entry in entries]})
    elif wants_csv:
        as_csv(ENTRY_COLUMNS, [entry.to_data() for entry in entries])
    else:
        show_timeline(session, entries, cases=True)


@ledger.command(cls=Verb)
@click.option("--key", metavar="FILE", type=FILE, help="The public key, from where you keep it.")
@click.option("--against", metavar="CHECKPOINT", type=FILE, multiple=True, help="A checkpoint kept elsewhere.")
@click.option("--accept-restore", is_flag=True, help="Do not fail for entries that a declared restore lost.")
@click.option("--export", "exported", metavar="FILE", type=FILE, help="Verify this export; needs --key, no database.")
@click.pass_context
def verify(
    ctx: click.Context, key: Path | None, against: tuple[Path, ...], accept_restore: bool, exported: Path | None
) -> None:
    """Say whether the ledger is whole, complete and fresh, and name what is not.

    Integrity: bytes, hashes, signatures, and every step replayed under the playbook then in force. Completeness:
    against a checkpoint kept outside the database. Freshness: how old that checkpoint is. Exits with 6 when something
    fails. What could not be checked is said, not hidden.
    """
    from workflow.cli.verdict_page import show_report, show_steps

    session: Session = ctx.obj
    if exported and accept_restore:
        raise click.UsageError("--accept-restore takes the database: an export is held against checkpoints as it is.")
    text = _key_text(key) if key else None
    if exported:
        report = _verify_export(session, exported, text, against)
    else:
        report = _verify(session, text, against, accept_restore)
    steps = [] if report.ok else _steps(session, exported)
    if session.as_json:
        as_json({**report.to_data(), "next_steps": steps})
    else:
        show_report(session, report, "export" if exported else "ledger")
        show_steps(steps)
    if not report.ok:
        ctx.exit(Exit.NOT_VERIFIED)


def _verify(session: Session, key: str | None, against: tuple[Path, ...], accept_restore: bool) -> Report:
    """Verify; a database file that is there and cannot be read through does not verify.

    Raises:
        VerificationError: the file is damaged.
        StorageError: there is no ledger, it is busy, its server cannot be reached, or nothing may be written beside
            the file, which SQLite needs even to read it: that says nothing about the ledger.
    """
    from workflow.services.verification import Options
    from workflow.services.verification import verify as run

    try:
        with progress_bar("Verifying cases") as step:
            return run(session.app, Options(key, against, progress=step, accept_restore=accept_restore))
    except DatabaseBusyError:
        raise
    except StorageError as error:
        scheme, _, place = session.settings.database_url.get_secret_value().partition(":///")
        if scheme != "sqlite" or not Path(place).exists():
            raise
        if not (os.access(place, os.R_OK) and os.access(Path(place).parent, os.W_OK)):
            told = "Its folder cannot be written to: copy the folders of this ledger to one of yours, and verify there."
            raise StorageError(f"{error} {told}") from error
        raise VerificationError(f"The ledger does not verify: it cannot be read through. {error}") from error


def _key_text(path: Path) -> str:
    from workflow.storage.files import read_at_most

    content = read_at_most(path, LARGEST_KEY)
    if len(content) > LARGEST_KEY:
        raise InputError(f"{path} cannot be read as a public key: it is larger than {LARGEST_KEY} bytes.")
    try:
        return content.decode("utf-8").strip()
    except UnicodeDecodeError:
        raise InputError(f"{path} cannot be read as a public key: it is no text.") from None


def _verify_export(session: Session, path: Path, key: str | None, against: tuple[Path, ...]) -> Report:
    from workflow.services.audit import verify_export

    if key is None:
        raise click.UsageError("An export is verified with --key and a public key you keep elsewhere.")
    return verify_export(path, key, session.now(), against)


def _steps(session: Session, exported: Path | None) -> list[str]:
    """Return what to do now that verification failed."""
    if exported is not None:
        again = f"holdfast ledger verify --export {exported} --key FILE --against CHECKPOINT"
        return [
            "Do not rely on this export, and keep it as it is.",
            f"Verify it with the key and against a checkpoint that you keep yourself: {again}",
            "Ask for another export, and for 'holdfast ledger verify' where the database is.",
        ]
    kept = session.settings.checkpoint_file
    scheme, _, database = session.settings.database_url.get_secret_value().partition(":///")
    if scheme == "sqlite":
        aside = f"Copy {database}, with the -wal file beside it, and {kept} aside, as they are."
    else:
        aside = f"Keep the database as it is (pg_dump), and copy {kept} aside."
    return [
        "Stop working on it: stop the worker, and record nothing more.",
        aside,
        "Verify with a key and a checkpoint kept elsewhere: holdfast ledger verify --key FILE --against CHECKPOINT",
        "Once it is clear what happened, see what putting a backup back would lose: holdfast ledger restore BACKUP",
    ]


@ledger.command(cls=Verb)
@click.option("--print", "printed", is_flag=True, help="Only the three lines to paste into a ticket.")
@click.pass_obj
def checkpoint(session: Session, printed: bool) -> None:
    """Seal what is not sealed and print the newest signed checkpoint.

    Keep one where whoever can write the database cannot: 'ledger verify --against FILE' holds the ledger against it.
    """
    from workflow.services.audit import checkpoint as seal

    note = seal(session.app)
    lines = note.splitlines()
    if session.as_json:
        as_json({"origin": lines[0], "size": int(lines[1]), "root": lines[2], "note": note})
    elif printed:
        click.echo("\n".join(lines[:3]))
    else:
        click.echo(note, nl=not note.endswith("\n"))


@ledger.command(cls=Verb)
@click.argument("file", type=FILE)
@click.pass_obj
def export(session: Session, file: Path) -> None:
    """Write every sealed entry and the newest checkpoint to a new file.

    The entries hold opaque ids and commitments only, no names and no texts.
    """
    from workflow.services.audit import export as write

    count = write(session.app, file)
    if session.as_json:
        as_json({"file": str(file), "entries": count})
    else:
        command = f"holdfast ledger verify --export {shlex.quote(visible(file))} --key FILE --against CHECKPOINT"
        say(f"{count} entries written to {visible(file)}. Verify with: {command}")


@ledger.command(cls=Verb)
@click.pass_obj
def rebuild(session: Session) -> None:
    """Throw the case table away and draw it again from the entries."""
    from workflow.services.audit import rebuild as redraw

    count = redraw(session.app, session.who)
    if session.as_json:
        as_json({"cases": count})
    else:
        say(f"{count} cases drawn again from their entries.")
        hint("'holdfast ledger verify' compares them.")
