"""``holdfast ledger restore``: put a backup back, in two steps, and declare it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workflow.cli.output import as_json, fields, hint, say
from workflow.cli.session import Session, Verb, interactive
from workflow.cli.text import visible

if TYPE_CHECKING:
    from workflow.services.restoring import Plan


@click.command(cls=Verb)
@click.argument("backup", type=click.Path(path_type=Path), required=False)
@click.option("--reason", metavar="TEXT", default="", help="Why; kept on the ledger as a private text.")
@click.option("--yes", is_flag=True, help="Do it. Without, only what would happen is shown.")
@click.pass_obj
def restore(session: Session, backup: Path | None, reason: str, yes: bool) -> None:
    """Put a backup back, and declare on the ledger what that loses.

    Without --yes nothing is changed: the backup is verified and what would be lost is shown. The displaced database is
    kept beside the new one. Without BACKUP the database in place is declared as put back by other means, such as
    pg_restore. The ledger goes on under its next name; checkpoints kept from before show the loss for ever.
    """
    from workflow.services import restoring

    clock = session.now
    if not yes:
        found = restoring.plan(session.settings, clock, backup)
        if session.as_json or not _agreed(session, found):
            _show(session, found, backup, done=False)
            return
        reason = reason.strip() or click.prompt("Why")
    made = restoring.restore(session.settings, clock, session.who, backup, reason)
    _show(session, made, backup, done=True)


def _agreed(session: Session, found: Plan) -> bool:
    """Ask, where somebody can be asked, whether to go on."""
    if not interactive():
        return False
    _explain(session, found)
    return click.confirm("Restore?")


def _show(session: Session, found: Plan, backup: Path | None, *, done: bool) -> None:
    if session.as_json:
        as_json(_data(found, done=done))
        return
    if done:
        say("The ledger is restored, and says so.", bold=True)
        _explain(session, found)
        hint("Next: holdfast ledger verify. Then import the lists again and record again what is lost.")
        return
    _explain(session, found)
    command = "holdfast ledger restore" + (f" {visible(backup)}" if backup else "")
    say(f"Nothing was changed. To do it: {command} --reason TEXT --yes", bold=True)


def _explain(session: Session, found: Plan) -> None:
    declared = found.declared
    fields(
        (
            ("put back", f"{declared.size} entries, the newest of {session.local(found.newest_at)}"),
            (
                "lost",
                f"{declared.lost} entries known afterwards" if declared.lost else "nothing that is known",
            ),
            ("in place", "cannot be read" if found.present is None else f"{found.present} entries"),
            ("kept aside", visible(found.aside) if found.aside else "nothing: the database stays in place"),
            ("goes on as", visible(declared.origin)),
        ),
        "  ",
    )


def _data(found: Plan, *, done: bool) -> dict[str, Any]:
    return {
        "restored": done,
        "declared": found.declared.to_data(),
        "newest_at": found.newest_at,
        "entries_in_place": found.present,
        "kept_aside": None if found.aside is None else str(found.aside),
    }
