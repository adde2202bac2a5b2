"""One run of the command: settings, app and names, made when a command first needs them."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, tzinfo

    from workflow.app import App
    from workflow.providers.port import Provider
    from workflow.services.people import Who
    from workflow.settings import Settings


@dataclass
class Session:
    """What the commands of one run share.

    Args:
        clock: returns the present (aware UTC). Only the demo and tests give one; no option or variable does, so
            nobody can forge a time of recording.
        provider: the tenant; only tests give one, everybody else the settings.
        as_name: the claimed name of ``--as``.
        as_json: whether results are printed as JSON.
        case: the case a command works on, so that a refusal can name the next commands.
        warned: warnings printed already.
        deciding: whether a decision is being shown that is taken only once all of it was.
        recorded: what was recorded, for whoever closed the output before it was told.
    """

    clock: Callable[[], datetime] | None = None
    provider: Provider | None = None
    as_name: str = ""
    as_json: bool = False
    case: str = ""
    warned: list[str] = field(default_factory=list)
    deciding: bool = False
    recorded: str = ""
    _app: App | None = None

    @cached_property
    def settings(self) -> Settings:
        """The settings, read once."""
        from workflow.settings import load_settings

        return load_settings()

    @property
    def app(self) -> App:
        """The app, opened on first use."""
        if self._app is None:
            from workflow.app import App, utc_now

            self._app = App(self.settings, self.clock or utc_now, self.provider)
            self._app.tell = lambda text: click.echo(text, err=True)
        return self._app

    def now(self) -> datetime:
        """Return the present, for commands that work without the app."""
        from workflow.app import utc_now

        return (self.clock or utc_now)()

    @property
    def who(self) -> Who:
        """Who acts: ``--as``, else ``HOLDFAST_AS``, else the operating system's user alone."""
        from workflow.services.people import Who

        return Who(self.as_name or self.settings.as_name)

    @property
    def zone(self) -> tzinfo | None:
        """The zone in which people read times."""
        from workflow.cli.moments import zone_of

        return zone_of(self.settings.timezone)

    def time(self, text: str, said: str = "") -> datetime:
        """Return a time that was typed, as aware UTC; how it was taken is echoed on standard error.

        A naive one is local, and echoed in UTC too; one in UTC needs no echo. ``said`` begins the echo where what is
        read is not what was typed.

        Raises:
            InputError: it is no time.
        """
        from datetime import UTC

        from workflow.cli.moments import local, parse

        moment = parse(text, self.app.now(), self.zone)
        if not text.strip().upper().endswith("Z"):
            there, in_utc = local(moment, self.zone), local(moment, UTC)
            also = f" ({in_utc})" if in_utc != there else ""
            click.echo(f"{said or text.strip() + ' is'} {there}{also}", err=True)
        return moment

    def localised(self, text: str) -> str:
        """Return a sentence of ours with its times in local time; settings that are wrong leave it as it is."""
        from workflow.cli.moments import localised
        from workflow.errors import HoldfastError

        try:
            return localised(text, self.zone)
        except HoldfastError:
            return text

    def local(self, moment: datetime | str | None) -> str:
        """Return a time, or UTC text of one, for people."""
        from workflow.cli.moments import local, parse

        if isinstance(moment, str):
            moment = parse(moment, self.app.now(), self.zone)
        return local(moment, self.zone)

    def close(self) -> None:
        """Close the app, if a command opened it."""
        if self._app is not None:
            self._app.close()


def session_of(ctx: click.Context) -> Session:
    """Return the run's session."""
    return ctx.ensure_object(Session)


def colour() -> bool | None:
    """Say whether to colour: never with ``NO_COLOR``, else as click finds the terminal."""
    return False if os.environ.get("NO_COLOR") else None


def interactive() -> bool:
    """Say whether somebody can be asked: both what is read and what is shown are a terminal."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()


def _claim(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    del param
    if value is not None:
        session_of(ctx).as_name = value


def _json(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    del param
    if value:
        session_of(ctx).as_json = True


def shared_options() -> list[click.Option]:
    """Return the options that stand both before and behind the command's name."""
    return [
        click.Option(
            ["--as", "claimed"],
            metavar="NAME",
            expose_value=False,
            callback=_claim,
            help="Act under this name, recorded as claimed.  [env: HOLDFAST_AS]",
        ),
        click.Option(["--json"], is_flag=True, expose_value=False, callback=_json, help="Print JSON, times in UTC."),
    ]


class Verb(click.Command):
    """A command that also takes the shared options."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Add the shared options behind the command's own."""
        super().__init__(*arguments, **options)
        self.params = [*self.params, *shared_options()]
