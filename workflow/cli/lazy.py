"""Commands that are loaded when they are called, and described without being loaded."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Lazy:
    """Where a command lives, and the line that help shows for it.

    The line is the command's own short help, written down twice so that help need not load the command; a test
    holds the two together.
    """

    module: str
    attribute: str
    short_help: str


WHOLE = 200
"""Characters of a command's first sentence: more than any has."""


class InOrder(click.Group):
    """A group whose help lists the commands in the order of the work, not of the alphabet."""

    def __init__(self, *arguments: Any, order: Sequence[str], **options: Any) -> None:
        """Keep the order; a command that is not in it stands at the end."""
        super().__init__(*arguments, **options)
        self.order = tuple(order)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in that order."""
        rank = {name: place for place, name in enumerate(self.order)}
        return sorted(super().list_commands(ctx), key=lambda name: rank.get(name, len(rank)))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write each command's first sentence whole, as the other groups do."""
        found = [(name, self.commands[name].get_short_help_str(limit=WHOLE)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(found)


class LazyGroup(click.Group):
    """A group that imports a command's module only when that command is asked for."""

    def __init__(self, *arguments: Any, lazy: Mapping[str, Lazy], **options: Any) -> None:
        """Keep the table; it is in the order in which help lists the commands."""
        super().__init__(*arguments, **options)
        self.lazy = dict(lazy)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the table's order: that of the work, not of the alphabet."""
        del ctx
        return list(self.lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load the command of that name."""
        del ctx
        entry = self.lazy.get(cmd_name)
        if entry is None:
            return None
        command: click.Command = getattr(import_module(entry.module), entry.attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; for a mistyped one say which was probably meant."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from difflib import get_close_matches

            close = get_close_matches(args[0], self.lazy, n=1)
            if close and "Did you mean" not in error.message:
                message = f"{error.message} Did you mean '{close[0]}'?"
                raise click.UsageError(message, ctx=error.ctx) from None
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table alone."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.short_help) for name, entry in self.lazy.items()])
