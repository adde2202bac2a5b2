"""``holdfast backup``, ``doctor`` and ``upgrade``: keeping what was recorded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workflow.cli.exits import Exit
from workflow.cli.output import as_json, fields, hint, say
from workflow.cli.paths import FILE
from workflow.cli.progress import progress_bar
from workflow.cli.session import Session, Verb
from workflow.cli.text import visible
from workflow.errors import InputError, StorageError

if TYPE_CHECKING:
    from workflow.services.backups import Backup
    from workflow.services.permissions import Finding


@click.command(cls=Verb)
@click.argument("file", type=FILE)
@click.option("--force", is_flag=True, help="Replace FILE where it exists.")
@click.pass_obj
def backup(session: Session, file: Path, force: bool) -> None:
    """Write the whole ledger to one file while others work.

    The file holds one moment, is yours alone (0600), and is complete or not there. It was opened again: its newest
    checkpoint covers its entries and is signed. It holds every name and text, but not the signing key and not the
    checkpoint file.
    """
    from workflow.services.backups import backup as write

    if file.is_file() and not force:
        cure = "Choose another name, or replace it with --force."
        raise InputError(f"{file} exists already; nothing was written over it.", next_step=cure)
    with progress_bar("Copying pages") as step:
        made = write(session.settings, file, over=force, progress=step)
    if session.as_json:
        as_json({**backup_data(made), "not_included": _left_out(session)})
        return
    say(f"Backup written to {visible(made.file)}: {made.entries} entries, {made.size} bytes.", bold=True)
    held = "this machine's key file" if made.own_key else "the key the ledger names itself, which proves nothing"
    origin, size, root = made.note.splitlines()[:3]
    fields(
        (
            ("checkpoint", visible(f"{origin} {size} {root}")),
            ("signature", f"holds against {held}"),
        ),
        "  ",
    )
    say("Not in it; keep a copy of each elsewhere, apart from the backup:")
    fields(((item["what"], f"{visible(item['file'])} ({item['why']})") for item in _left_out(session)), "  ")
    hint("Try it: holdfast ledger restore FILE shows what restoring would do, and changes nothing without --yes.")


def backup_data(made: Backup) -> dict[str, Any]:
    """Return a backup as plain values."""
    point = made.checkpoint
    return {
        "file": str(made.file),
        "bytes": made.size,
        "entries": made.entries,
        "checkpoint": {"origin": point.origin, "size": point.size, "root": point.root.hex(), "note": made.note},
        "signature_held_against": "key file" if made.own_key else "claimed",
    }


def _left_out(session: Session) -> list[dict[str, str]]:
    settings = session.settings
    return [
        {"what": "signing key", "file": str(settings.key_file), "why": "whoever has it can sign; keep it locked away"},
        {
            "what": "checkpoint file",
            "file": str(settings.checkpoint_file),
            "why": "shows afterwards what a restore lost; best on another disk",
        },
        {"what": "settings file", "file": str(settings.config_file), "why": "people and their roles"},
    ]


@click.command(cls=Verb)
@click.pass_context
def doctor(ctx: click.Context) -> None:
    """Check everything a ledger depends on, and name each cure.

    Files and folders, schema and triggers, key, checkpoint file, clock, disk, versions. Reads only, and works where the
    database is broken or gone. Exits with 1 when something fails. What the entries say is for 'holdfast ledger verify'.
    """
    from workflow.services.health import examine, to_data

    session: Session = ctx.obj
    findings = _with_worker(session, examine(session.settings, session.now()))
    data = to_data(findings)
    if session.as_json:
        as_json(data)
    else:
        for item in findings:
            say(
                f"{item.status:4}  {item.what}: {visible(item.said)}",
                bold=item.status != "ok",
                colour=COLOURS[item.status],
            )
            if item.cure:
                say(f"      cure: {visible(item.cure)}")
        failed, warned = (sum(item.status == status for item in findings) for status in ("fail", "warn"))
        say(f"{failed} fail, {warned} warn, {len(findings) - failed - warned} ok")
    if not data["ok"]:
        ctx.exit(Exit.ERROR)


def _with_worker(session: Session, findings: list[Finding]) -> list[Finding]:
    """Put what this host's worker says of itself in the place of having heard of one, where it was stopped since.

    A single pass, as cron makes, ends by itself and is not missed.
    """
    from workflow.services import permissions
    from workflow.worker import pulse

    try:
        found = pulse.read(pulse.place(session.settings))
    except StorageError as error:
        return [*findings, permissions.Finding("worker", permissions.WARN, str(error), "holdfast worker --health")]
    if found is None or not found.stopped or found.once:
        return findings
    said = f"This host's worker was stopped at {found.seen_at}: nothing is done unasked."
    cure = "holdfast worker, as a service or from cron with --once"
    stopped = permissions.Finding("worker", permissions.WARN, said, cure)
    return [stopped if (item.what, item.status) == ("worker", permissions.OK) else item for item in findings]


COLOURS = {"ok": None, "warn": "yellow", "fail": "red"}


@click.command(cls=Verb)
@click.option("--backed-up", is_flag=True, help="PostgreSQL only: you have a backup at hand.")
@click.pass_obj
def upgrade(session: Session, backed_up: bool) -> None:
    """Bring the database to this version, with a backup.

    The backup stays beside the database. The upgrade is one transaction: cut short, nothing has changed. Where the
    database has this version's schema already, triggers and indexes that somebody took or changed are put back.
    """
    from workflow.services.upgrading import upgrade as run

    with progress_bar("Copying pages") as step:
        done = run(session.settings, session.now(), backed_up=backed_up, progress=step)
    if session.as_json:
        saved = None if done.backup is None else backup_data(done.backup)
        put = {"mended": list(done.mended)}
        as_json({"from": done.before, "to": done.after, "changed": done.before != done.after, "backup": saved} | put)
    elif done.mended:
        say("Put back as this version made them:", bold=True)
        for difference in done.mended:
            say(f"  {visible(difference)}")
        hint("While they were gone, anything could be changed: 'holdfast ledger verify' looks at all of it.")
    elif done.before == done.after:
        say(f"Nothing to do: the database has schema {done.after}, which this version works with.")
    else:
        if done.backup is not None:
            say(f"Backup of the old database: {visible(done.backup.file)} ({done.backup.entries} entries)")
        say(f"Upgraded from schema {done.before} to {done.after}.", bold=True)
        hint("'holdfast ledger verify' looks at all of it.")
