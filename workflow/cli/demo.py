"""``holdfast demo``: cases from restriction to release, worked by three people with the product's own commands."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import click

from workflow.cli import demo_files as files
from workflow.cli import demo_wave as wave
from workflow.cli.demo_stage import LAST, Stage, set_up, start_time
from workflow.cli.exits import Exit
from workflow.cli.output import say
from workflow.cli.session import Verb
from workflow.storage.files import in_memory

CONTAIN = "snapshot-taken password-reset mfa-enabled sessions-revoked"
VERIFY = (
    "audit-logging-on attacker-methods-removed app-consents-reviewed admin-roles-reviewed forwarding-reviewed "
    "inbox-rules-reviewed delegates-reviewed sign-ins-reviewed cause-decided"
)
BULK = (
    "sending-stopped limit-identified sign-ins-reviewed forwarding-reviewed inbox-rules-reviewed sent-mail-reviewed "
    "compromise-ruled-out owner-confirmed cause-decided bulk-channel-agreed"
)
KNOWN = "--fact no-shared-mailbox --fact no-app-passwords --fact no-sign-in-disabled --fact no-methods-removed"
ROOM = 1 << 30
"""Bytes free from which on there is room for the demo in memory; it needs a tenth of them."""
MARK = b'"prerequisite":"sessions-revoked"'
"""Bytes of an entry, one of which is flipped in a copy."""


@click.command(cls=Verb)
@click.option("--keep", is_flag=True, help="Keep the folder, and say where it is.")
@click.option(
    "--accounts",
    type=click.IntRange(0, 500),
    default=wave.WAVE.restricted,
    show_default=True,
    help=f"How many accounts the wave on the simulated tenant restricts: 0, or at least {wave.FEWEST}.",
)
@click.option("--whole", is_flag=True, help="Show long outputs whole.")
@click.pass_context
def demo(ctx: click.Context, keep: bool, accounts: int, whole: bool) -> None:
    """Run a self-contained demo, from restriction to release.

    Runs real commands, first on files like those of Microsoft's tools, then on a simulated tenant with a worker, with a
    clock of its own. Asks nothing, calls nobody and touches nothing of yours. Exits with 0 only if every command, and
    every refusal, came out as expected.
    """
    if 0 < accounts < wave.FEWEST:
        raise click.BadParameter(
            f"a wave has at least {wave.FEWEST} accounts; 0 leaves it out.", param_hint="--accounts"
        )
    begun = time.monotonic()
    folder = _folder(keep)
    stage = Stage(folder, start_time(), whole)
    try:
        # One stream, so that a refusal stands behind the command that met it even when the output goes to a file.
        with set_up(folder), contextlib.redirect_stderr(sys.stdout):
            _play(stage, accounts)
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
    say(f"{stage.commands} commands, {stage.refusals} of them refused, in {time.monotonic() - begun:.1f} s.", bold=True)
    if keep:
        say(f"Kept: HOLDFAST_HOME={folder / 'home'}")
    for surprise in stage.surprises:
        say(f"Not as expected: {surprise}", colour="red")
    if stage.surprises:
        ctx.exit(Exit.ERROR)


def _folder(keep: bool) -> Path:
    """Make the folder: in memory, as what is thrown away need not wait for a disk, unless it is kept or told where."""
    memory = None if keep or "TMPDIR" in os.environ else in_memory(ROOM)
    return Path(tempfile.mkdtemp(prefix="holdfast-demo-", dir=memory)).resolve()


def _play(stage: Stage, accounts: int) -> None:
    config = stage.folder / "home" / "config"
    config.mkdir(parents=True)
    (config / "config.toml").write_text(files.SETTINGS, encoding="utf-8")
    files.write_first_day(stage.folder, stage.now - timedelta(hours=2))
    _take_in(stage)
    _gate(stage)
    _lapse(stage)
    _release(stage)
    _others(stage)
    _proof(stage)
    if accounts:
        wave.play(stage, accounts)
    _report(stage)
    _week(stage)


def _take_in(stage: Stage) -> None:
    stage.run("ana", "init")
    stage.run("ana", "import senders.json connectors.json alerts.json bounce.eml")
    stage.run("ana", "import senders.json")
    stage.run("ana", "case list --sort number")


def _gate(stage: Stage) -> None:
    """Work the first case; a request without evidence is refused, and so is one's own approval."""
    stage.run("ana", "case assign 1 ana")
    stage.run("ana", "case request-unblock 1 --yes", Exit.REFUSED)
    stage.run("ana", f"case identity 1 {files.address('ada')} {KNOWN}")
    stage.run("ana", f"case record 1 {CONTAIN} --ref INC-1041")
    stage.stands(1, "contained")
    stage.run("ana", f"case record 1 {VERIFY} --ref INC-1041 --note 'Token theft; nothing left behind.'")
    stage.stands(1, "verified")
    stage.run("ben", "case request-unblock 1 --reason 'Cleaned up, see INC-1041.' --yes")
    stage.run("ben", "case approve 1 --yes", Exit.NOT_ALLOWED)
    stage.run("cleo", "case approve 1 --yes")


def _lapse(stage: Stage) -> None:
    """Evidence changes after the approval, so request and approval are void."""
    stage.run("ana", "case record 1 inbox-rules-reviewed --result not-met --note 'A hidden rule deletes replies.'")
    stage.stands(1, "contained")
    stage.run("ben", "case unblock 1 --yes", Exit.REFUSED)
    stage.run("ana", "case record 1 inbox-rules-reviewed --ref INC-1041 --before 'rule RSS, hidden' --after 'no rules'")
    stage.run("ben", "case request-unblock 1 --reason 'The hidden rule is gone.' --yes")
    stage.run("cleo", "case approve 1 --yes")


def _release(stage: Stage) -> None:
    """An unblock is believed only when the restriction is seen gone."""
    stage.run("ben", "case unblock 1 --yes")
    stage.run("ben", "case unblock 1 --outcome done --ref 'portal, restricted entities'")
    stage.stands(1, "unblock_requested")
    stage.run("ben", "case unblock 1 --yes", Exit.PENDING)
    stage.later(minutes=70)
    stage.run("ana", "case list --state unblock_requested")
    stage.run("ana", "case observe 1 --restriction not-listed --ref 'Get-BlockedSenderAddress, no rows'")
    stage.stands(1, "released", "released")


def _others(stage: Stage) -> None:
    """A shared mailbox unblocked outside, a temporary block that expires, a newsletter, a connector."""
    person = files.address("rita")
    stage.run("ana", f"case identity 2 {person} --fact shared-mailbox --ref 'sign-in log'")
    stage.run("ana", f"case identity 2 {files.address('reception')} --remove --reason 'Nobody signs in as it.'")
    stage.run("cleo", f"case identity 2 {files.address('reception')} --confirm")
    files.write_removal(stage.folder, stage.now)
    stage.run("ana", "import audit.json")
    stage.run("ana", "case view 2")
    stage.stands(2, "detected", "unblocked_outside")
    stage.run("ana", "case observe 4 --restriction not-listed --ref 'no longer on the list'")
    stage.stands(4, "detected", "expired")
    stage.run("ana", "case playbook 3 legitimate-bulk-sender --reason 'The monthly newsletter, 10,000 recipients.'")
    stage.run("cleo", "case playbook 3 --confirm")
    stage.run("ana", f"case record 3 snapshot-taken {BULK} --ref INC-1042")
    stage.stands(3, "verified")
    stage.run("ana", f"case open {files.address('ivo.admin')} --kind user")
    stage.run("ana", f"case link {files.CONNECTOR} 7 --relation admin")
    stage.run("ana", f"case prerequisites {files.CONNECTOR} admin-case-contained")


def _proof(stage: Stage) -> None:
    """Verify, then flip one byte in a copy and verify that."""
    stage.run("ana", "playbook graph", last=LAST)
    stage.run("ana", "ledger checkpoint --print")
    stage.run("ana", "ledger verify")
    flip(stage, stage.folder / "home" / "data" / "holdfast.db", stage.folder / "copy.db")
    os.environ["HOLDFAST_DATABASE_URL"] = f"sqlite:///{stage.folder / 'copy.db'}"
    stage.run("ana", "ledger verify", Exit.NOT_VERIFIED)
    del os.environ["HOLDFAST_DATABASE_URL"]


def _report(stage: Stage) -> None:
    """Show what an auditor gets about one case: everything that happened, and the report of it."""
    stage.run("cleo", "case history 1")
    stage.run("cleo", "case report 1 --html --output case-1.html")
    stage.run("cleo", "case report 1")


def _week(stage: Stage) -> None:
    """Take in the whole list of a later day: one case comes back, and the summary is the week's work."""
    stage.later(days=3)
    files.write_return(stage.folder, stage.now - timedelta(minutes=30))
    taken_at = stage.now.strftime("%Y-%m-%dT%H:%M:%SZ")
    stage.run("ana", f"import senders-later.csv --complete --taken-at {taken_at}")
    stage.stands(1, "detected")
    stage.run("ana", f"case list --tenant {files.DOMAIN}")


def flip(stage: Stage, database: Path, copy: Path) -> None:
    """Copy the database, whose connections are closed by now, and flip one bit of one byte of an entry."""
    content = bytearray(database.read_bytes())
    place = content.find(MARK)
    if place < 0:
        stage.surprises.append(f"{MARK!r} was not found in the database")
        return
    place += len(MARK) - 2
    before = content[place]
    content[place] ^= 1
    copy.write_bytes(content)
    say(f"{database.name} copied to {copy.name}; byte {place}: {before:#04x} → {content[place]:#04x}", bold=True)
