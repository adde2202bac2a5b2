"""What a person does next: the filled-in command, the portal page, who can supply it, the exact Holdfast command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.domain.command import fill, fill_url
from workflow.domain.playbook import About, Check
from workflow.domain.record import time_to_text
from workflow.domain.vocabulary import Kind
from workflow.errors import InputError

if TYPE_CHECKING:
    from datetime import datetime

    from workflow.app import App
    from workflow.domain.case import Case
    from workflow.domain.playbook import Prerequisite
    from workflow.services.names import Names


def values(number: int, kind: Kind, entity: str, boundary: datetime | None, user: str = "") -> dict[str, str]:
    """Return what the placeholders of commands and addresses stand for in a case."""
    found = {"case": str(number), "user": user or entity}
    found["connector_id" if kind is Kind.CONNECTOR else "address"] = entity
    return found if boundary is None else found | {"restricted_at": time_to_text(boundary)}


def _values(case: Case, names: Names, user: str) -> dict[str, str]:
    return values(case.number, case.kind, names.subject(case.entity), case.boundary, user)


def command(template: str, case: Case, names: Names, user: str = "") -> str:
    """Fill a command in for this case; a value that cannot stand in a command leaves the template as written."""
    try:
        return fill(template, _values(case, names, user)) if template else ""
    except InputError:
        return template


def portal(template: str, case: Case, names: Names, user: str = "") -> str:
    """Fill a portal address in for this case."""
    try:
        return fill_url(template, _values(case, names, user)) if template else ""
    except InputError:
        return template


def suppliers(app: App) -> list[str]:
    """Name who can record a prerequisite: the listed people who work cases, or everybody while nobody is listed."""
    able = {"analyst", "approver", "lead"}
    return [person.name for person in app.settings.people if able.intersection(person.roles)] or ["anyone"]


def next_command(case: Case, item: Prerequisite, user: str) -> list[str]:
    """Return the exact Holdfast command that records this prerequisite, as its arguments."""
    about = ["--for", user] if item.about is About.IDENTITY and user and len(case.identities) > 1 else []
    if item.about is About.IDENTITY and not case.identities:
        return ["holdfast", "case", "identity", str(case.number), "USER"]
    linked = ["--linked", "CASE"] if item.check is Check.LINKED_CASE_CONTAINED else []
    return ["holdfast", "case", "record", str(case.number), item.id, *about, *linked, "--ref", "WHERE"]
