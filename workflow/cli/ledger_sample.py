"""``holdfast ledger sample``: a sample of a period's cases that anybody can draw again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workflow.cli.output import as_csv, as_json, fields, hint, say, table
from workflow.cli.paths import FILE
from workflow.cli.period import period_of, period_options, period_words
from workflow.cli.places import folded
from workflow.cli.progress import progress_bar
from workflow.cli.session import Session, Verb
from workflow.cli.text import visible
from workflow.domain.vocabulary import ENTITY_KINDS, Resolution, State
from workflow.errors import InputError

if TYPE_CHECKING:
    from workflow.services.sample import Sample

EVENTS = ("released", "closed", "opened")
LARGEST_SEED = 10**18
COLUMNS = (
    *("place", "number", "id", "rank", "tenant", "kind", "entity", "state", "resolution", "recurrence"),
    *("opened_at", "released_at", "ended_at"),
)
"""The columns of ``ledger sample --csv``."""


@click.command("sample", cls=Verb)
@period_options
@click.option(
    "--of",
    "event",
    type=click.Choice(EVENTS),
    default="released",
    show_default=True,
    help="What happened to a case in the period; closed includes dismissed.",
)
@click.option("--n", "number", type=click.IntRange(1, 10_000), default=25, show_default=True, help="How many cases.")
@click.option("--seed", type=click.IntRange(0, LARGEST_SEED), required=True, help="Any number; the auditor names it.")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice([state.value for state in State]),
    help="Only in these.",
)
@click.option("--resolution", type=click.Choice([item.value for item in Resolution]), help="Only with this resolution.")
@click.option("--kind", type=click.Choice([kind.value for kind in ENTITY_KINDS]), help="Only entities of this kind.")
@click.option("--tenant", metavar="NAME", default="", callback=folded, help="Only this tenant's.")
@click.option("--population", metavar="FILE", type=FILE, help="Write the ids drawn from to a new file.")
@click.option("--csv", "wants_csv", is_flag=True, help="Print CSV, times in UTC.")
@click.pass_obj
def sample(
    session: Session,
    /,
    begins: str | None,
    ends: str | None,
    population: Path | None,
    wants_csv: bool,
    **options: Any,
) -> None:
    """Draw a random sample of a period's cases that anybody can draw again.

    Drawn from are the cases released in the period (or closed, or opened: --of). The same population and seed give the
    same sample for ever: ids are put in the order of SHA-256("SEED:ID"), and the first N are the sample. The digest
    printed is the SHA-256 of the file that --population writes. Filters mean each case as it stood at the end of the
    period.
    """
    from workflow.services.sample import Wanted
    from workflow.services.sample import sample as draw

    if wants_csv and session.as_json:
        raise click.UsageError("Choose --csv or --json.")
    wanted = Wanted(
        period=period_of(session, begins, ends),
        event=options["event"],
        number=options["number"],
        seed=options["seed"],
        states=frozenset(options["states"]),
        resolution=options["resolution"] or "",
        kind=options["kind"] or "",
        tenant=options["tenant"],
    )
    with progress_bar("Reading cases") as step:
        drawn = draw(session.app, wanted, step)
    if population is not None:
        _write(population, drawn.listing)
    if session.as_json:
        as_json(drawn.to_data())
        return
    if wants_csv:
        as_csv(COLUMNS, drawn.cases)
    else:
        _show(session, drawn)
    for line in _origin(drawn):
        hint(line)
    if wanted.period.end is None or wanted.period.end > session.app.now():
        hint("The period has not ended: its population may still grow.")


def _write(path: Path, text: str) -> None:
    """Write the population to a new file, byte for byte what its digest is made of."""
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        raise InputError(f"{path} exists already; nothing was written over it.") from None
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}.") from None


def _origin(drawn: Sample) -> list[str]:
    """Return what a sample has to be quoted with."""
    data = drawn.to_data()
    population, point = data["population"], data["checkpoint"]
    lines = [
        f"Population: {population['size']} cases, SHA-256 {population['sha256']}; seed {data['seed']}.",
        f"Checkpoint: {point['origin']}, {point['size']} entries, root {point['root']}.",
    ]
    if drawn.unsealed:
        lines.append(
            f"{drawn.unsealed} entries are not sealed and were left out. Seal them with: holdfast ledger checkpoint"
        )
    return lines


def _show(session: Session, drawn: Sample) -> None:
    wanted = drawn.wanted
    filters = [*sorted(wanted.states), wanted.resolution, wanted.kind, wanted.tenant]
    fields(
        (
            ("sample", f"{len(drawn.cases)} of {len(drawn.population)} cases"),
            ("drawn from", f"cases {wanted.event} {period_words(session, wanted.period)}"),
            ("only", visible(", ".join(item for item in filters if item))),
        )
    )
    if not drawn.cases:
        say("No case fits: there is nothing to draw from.")
        return
    rows = [
        (
            row["place"],
            f"#{row['number']}",
            row["entity"],
            row["state"],
            row["resolution"] or "-",
            session.local(row["opened_at"]),
            session.local(row["released_at"]),
            session.local(row["ended_at"]),
        )
        for row in drawn.cases
    ]
    say()
    table(("draw", "case", "entity", "state", "resolution", "opened", "released", "ended"), rows, spare=(5, 7, 6, 4))
