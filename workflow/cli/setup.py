"""``holdfast init``, ``config`` and ``version``: the place where everything is kept."""

from __future__ import annotations

import os
import platform
from typing import Any

import click

from workflow import __version__
from workflow.cli.output import as_json, fields, hint, say
from workflow.cli.session import Session, Verb
from workflow.cli.text import visible


@click.command(cls=Verb)
@click.option("--shared", metavar="GROUP", default="", help="For several users of this host: files are the group's.")
@click.pass_obj
def init(session: Session, shared: str) -> None:
    """Make the ledger: signing key, database and checkpoint file.

    Three files in three places; nothing that exists is written over. Keep the public key it prints somewhere else:
    auditors verify with it.

    With --shared the members of a group work on one ledger under HOLDFAST_HOME, each as their own user. Any member
    can use the signing key: keep a checkpoint where the group cannot write.
    """
    from workflow.services.setup import init as make

    if shared:
        from workflow.services.sharing import prepare

        prepare(shared)
    made = make(session.settings, session.who, session.clock)
    data = {
        "key_file": str(made.key_file),
        "database": made.database,
        "checkpoint_file": str(made.checkpoint_file),
        "origin": made.origin,
        "public_key": made.vkey,
        "shared_with": shared or None,
    }
    if session.as_json:
        as_json(data)
        return
    say("The ledger is ready.", bold=True)
    fields(
        (
            ("signing key", visible(made.key_file)),
            ("database", visible(made.database)),
            ("checkpoints", visible(made.checkpoint_file)),
            ("public key", visible(made.vkey)),
        ),
        "  ",
    )
    if shared:
        say(f"Every member of the group {visible(shared)} can work on it, and any of them could sign another history:")
        say("keep a checkpoint where the group cannot write (holdfast ledger checkpoint --print).")
        hint(f"Each member's profile needs: export HOLDFAST_HOME={visible(os.environ['HOLDFAST_HOME'])}")
    hint("Keep the public key elsewhere; auditors verify with it. Next: holdfast import FILE")


@click.group()
def config() -> None:
    """Look at the settings."""


@config.command(cls=Verb)
@click.pass_obj
def show(session: Session) -> None:
    """Show every setting and where things are kept; passwords are not shown."""
    data = settings_data(session)
    if session.as_json:
        as_json(data)
        return
    people = data.pop("people")
    fields((name, _written(value)) for name, value in data.items())
    if not people:
        say("people: nobody listed, so every name may do everything")
    for person in people:
        roles = f"{', '.join(person['roles'])}; team {person['team'] or '-'}; contact {person['contact'] or '-'}"
        accounts = f"; identities {', '.join(person['identities']) or '-'}"
        call = "; on call" if person["on_call"] else ""
        say(f"person {visible(person['name'], 80)}: {visible(roles + accounts + call)}")


@config.command(cls=Verb)
@click.pass_obj
def describe(session: Session) -> None:
    """List every setting with its variable and what it is; works where a setting is wrong."""
    from workflow.settings import Settings

    found = [
        {"setting": name, "environment": field.alias or f"HOLDFAST_{name.upper()}", "about": field.description or ""}
        for name, field in Settings.model_fields.items()
    ]
    if session.as_json:
        as_json({"settings": found})
        return
    for item in found:
        say(f"{item['setting']} ({item['environment']})", bold=True)
        say(f"  {item['about']}")


def _written(value: object) -> str:
    """Return a setting as a settings file writes it."""
    if value in ("", None):
        return "(not set)"
    return str(value).lower() if isinstance(value, bool) else visible(value)


def settings_data(session: Session) -> dict[str, Any]:
    """Return the settings as plain values, the password of the database's address left out."""
    data = session.settings.model_dump(mode="json")
    data["database_url"] = without_password(session.settings.database_url.get_secret_value())
    data["public_key"] = public_key(session)
    return data


def public_key(session: Session) -> str:
    """Return the public key the ledger names as its own, "" while there is no ledger."""
    from workflow.errors import StorageError
    from workflow.services.audit import public_key as read

    try:
        return read(session.app)
    except StorageError:
        return ""


def without_password(url: str) -> str:
    """Return a database address with its password replaced by ``***``."""
    scheme, mark, rest = url.partition("://")
    credentials, at, place = rest.rpartition("@")
    user, colon, _ = credentials.partition(":")
    if not (mark and at and colon):
        return url
    return f"{scheme}://{user}:***@{place}"


@click.command(cls=Verb)
@click.pass_obj
def version(session: Session) -> None:
    """Print the version and where things are kept."""
    settings = session.settings
    data = {
        "version": __version__,
        "python": platform.python_version(),
        "config_file": str(settings.config_file),
        "database_url": without_password(settings.database_url.get_secret_value()),
    }
    if session.as_json:
        as_json(data)
        return
    say(f"holdfast {__version__}", bold=True)
    fields(((name, visible(value)) for name, value in data.items() if name != "version"), "  ")
