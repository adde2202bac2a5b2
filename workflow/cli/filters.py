"""Which cases: the filters of ``case list``, the same on every command that takes many cases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from workflow.cli.places import folded
from workflow.domain.vocabulary import ENTITY_KINDS, Resolution, State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workflow.cli.session import Session
    from workflow.services.worklist import Filters


def filter_options() -> list[click.Option]:
    """Return the options that narrow a list of cases."""
    states = click.Choice([state.value for state in State])
    resolutions = click.Choice([item.value for item in Resolution])
    kinds = click.Choice([kind.value for kind in ENTITY_KINDS])
    return [
        click.Option(["--state", "states"], multiple=True, type=states, help="Only cases in these states."),
        click.Option(["--all", "everything"], is_flag=True, help="Ended cases too; without --state only open ones."),
        click.Option(["--kind"], type=kinds, help="Only entities of this kind."),
        click.Option(["--tenant"], metavar="NAME", default="", callback=folded, help="Only this tenant's."),
        click.Option(["--missing"], metavar="ID", default="", help="Only cases that lack this prerequisite."),
        click.Option(
            ["--label", "labels"], metavar="LABEL", multiple=True, help="Only with this label; several: with all."
        ),
        click.Option(["--search"], metavar="TEXT", default="", help="Only entities whose identifier contains this."),
        click.Option(["--assignee"], metavar="NAME", default=None, help="Only this person's; '' for nobody's."),
        click.Option(["--mine"], is_flag=True, help="Only yours."),
        click.Option(["--resolution"], type=resolutions, help="Only with this resolution."),
        click.Option(["--opened-from"], metavar="TIME", help="Opened then or later."),
        click.Option(["--opened-to"], metavar="TIME", help="Opened before then."),
        click.Option(["--released-from"], metavar="TIME", help="Released then or later."),
        click.Option(["--released-to"], metavar="TIME", help="Released before then."),
    ]


def filters_of(session: Session, options: Mapping[str, Any]) -> Filters:
    """Return the filters that were typed; an option that a command does not have says nothing."""
    from workflow.services.people import os_user
    from workflow.services.worklist import Filters, person_filter

    times = {
        name: session.time(options[option]) if options.get(option) else None
        for name, option in (
            ("opened_from", "opened_from"),
            ("opened_until", "opened_to"),
            ("released_from", "released_from"),
            ("released_until", "released_to"),
        )
    }
    assignee = options["assignee"]
    if options["mine"]:
        assignee = session.who.name or os_user()
    resolution = options.get("resolution")
    # An ended case has a resolution more often than an open one, so asking for one looks at all of them.
    everything = options["everything"] or resolution or times["released_from"] or times["released_until"]
    states = tuple(State(state) for state in options["states"]) or (tuple(State) if everything else ())
    return Filters(
        states=states,
        tenant=options["tenant"],
        kind=options["kind"] or "",
        missing=options["missing"],
        labels=options["labels"],
        text=options["search"],
        assignee=person_filter(session.app, assignee) if assignee else assignee,
        resolution=resolution,
        **times,
    )
