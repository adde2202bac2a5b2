"""A report as one HTML file: everything in it is escaped by the engine, and it loads and runs nothing."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from workflow.domain.record import time_from_text
from workflow.reports.picture import BAR, LABELS, ROW, WIDTH, timeline

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

    from workflow.services.report import Report


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom a page is made.

    Args:
        zone: the zone beside every time in UTC; None for the system's.
        visible: makes invisible characters of untrusted text visible.
        version: the version of the product, for the foot of the page.
    """

    zone: tzinfo | None
    visible: Callable[[str], str]
    version: str

    def when(self, text: str | None) -> str:
        """Return a time in UTC to the second, with the local one beside it; a dash where there is none."""
        if text is None:
            return "-"
        moment = time_from_text(text)
        there = moment.astimezone(self.zone)
        day = "" if there.date() == moment.date() else f"{there:%Y-%m-%d} "
        return f"{moment:%Y-%m-%d %H:%M:%S} UTC ({day}{there:%H:%M} {there.tzname()})"


def page(report: Report, reader: Reader) -> str:
    """Return the report as one HTML document.

    Its policy forbids loading anything, and allows the one style sheet in it by its hash.
    """
    environment = Environment(
        loader=FunctionLoader(_template),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # What the engine made itself is marked as safe; every other text came from outside.
        finalize=lambda value: reader.visible(value) if type(value) is str else value,
    )
    environment.filters["when"] = reader.when
    style = _template("report.css")
    return environment.get_template("report.html").render(
        report=report,
        style=Markup(style),  # noqa: S704 - our own file, whose hash the policy names.
        style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        timeline=timeline,
        labels=LABELS,
        drawing={"width": WIDTH, "bar": BAR, "row": ROW},
        version=reader.version,
    )


def _template(name: str) -> str:
    return (files("workflow.reports") / "templates" / name).read_text(encoding="utf-8")
