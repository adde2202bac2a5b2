"""``holdfast case attachment``: the evidence files of a case, listed and given back."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from workflow.cli.output import as_csv, as_json, fields, hint, say, table
from workflow.cli.paths import STREAM
from workflow.cli.session import Session, Verb
from workflow.cli.text import visible
from workflow.errors import InputError

COLUMNS = ("sequence", "prerequisite", "about", "name", "digest", "size", "by", "recorded_at", "stands")
"""The columns of ``case attachment list --csv``."""


@click.group()
def attachment() -> None:
    """List a case's evidence files, or get one back."""


@attachment.command("list", cls=Verb)
@click.argument("case")
@click.option("--csv", "wants_csv", is_flag=True, help="Print CSV, times in UTC.")
@click.pass_obj
def list_(session: Session, case: str, wants_csv: bool) -> None:
    """List the files that the entries of a case name."""
    from workflow.services.evidence_files import attached

    files = attached(session.app, case)
    if session.as_json:
        as_json({"attachments": [item.to_data() for item in files]})
    elif wants_csv:
        as_csv(COLUMNS, [item.to_data() for item in files])
    elif not files:
        say("No file is attached. Attach one with: holdfast case record CASE ID --attach FILE")
    else:
        rows = [
            (
                item.sequence,
                item.prerequisite,
                item.name,
                "not here any more" if item.size is None else item.size,
                item.digest[:16],
                session.local(item.recorded_at),
                "yes" if item.stands else "no",
            )
            for item in files
        ]
        heads = ("entry", "prerequisite", "name", "bytes", "SHA-256", "attached", "counts")
        table(heads, rows, flexible=(2,), spare=(5, 3))


@attachment.command(cls=Verb)
@click.argument("case")
@click.argument("wanted", metavar="NAME|DIGEST")
@click.option(
    "--output", metavar="FILE", type=STREAM, required=True, help="Where to write it; '-' for standard output in a pipe."
)
@click.pass_obj
def get(session: Session, case: str, wanted: str, output: str) -> None:
    """Give a file's bytes back, held against the SHA-256 on the ledger.

    Nothing is written over, opened or run: what came out of an attacked mailbox may be hostile.
    """
    from workflow.services.evidence_files import content, save

    piped = output == "-"
    if piped and session.as_json:
        raise click.UsageError("With --output - standard output is the file itself: leave --json out.")
    if piped and sys.stdout.isatty():
        raise InputError("A file of evidence is not printed on a terminal: send it to a pipe, or name a file.")
    found, data = content(session.app, case, wanted)
    if piped:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        hint(f"SHA-256 {found.digest}, as entry {found.sequence} has it.")
        return
    save(Path(output), data)
    if session.as_json:
        as_json({"file": output, "attachment": found.to_data(), "verified": True})
        return
    say(f"{len(data)} bytes written to {visible(output)}.", bold=True)
    fields(
        (
            ("attached as", visible(found.name, 120)),
            ("SHA-256", f"{found.digest}, as entry {found.sequence} has it"),
        ),
        "  ",
    )
